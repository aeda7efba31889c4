//! Writes `../src/onnx/proto.rs` from `onnx-ml.proto`; needs no `protoc`. Run it as README.md beside it says.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = fresh_directory()?;
    let descriptors = protox::compile(["onnx-ml.proto"], [here])?;
    let mut config = prost_build::Config::new();
    // The comments of the .proto are for its readers, and rustdoc would run their examples as tests.
    config.disable_comments(["."]);
    // An attribute has one of these at most; inline, they would make every attribute a kilobyte.
    for large in ["t", "g", "sparse_tensor", "tp"] {
        config.boxed(format!(".onnx.AttributeProto.{large}"));
    }
    config.out_dir(&out).compile_fds(descriptors)?;
    let code = std::fs::read_to_string(out.join("onnx.rs"))?;
    // The attributes of nodes are read by hand: attribute.rs says why.
    let code = code.replace(
        "pub attribute: ::prost::alloc::vec::Vec<AttributeProto>",
        "pub attribute: ::prost::alloc::vec::Vec<crate::onnx::attribute::Attribute>",
    );
    let header = "// Generated from codegen/onnx-ml.proto (ONNX 1.20.1, Apache-2.0) by codegen/: do not edit.\n";
    std::fs::write(here.join("../src/onnx/proto.rs"), format!("{header}{code}"))?;
    std::fs::remove_dir_all(&out)?;
    Ok(())
}

/// A fresh directory for prost-build, which names its output after the protobuf package.
fn fresh_directory() -> std::io::Result<std::path::PathBuf> {
    let directory = std::env::temp_dir().join(format!("onnx-codegen-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
