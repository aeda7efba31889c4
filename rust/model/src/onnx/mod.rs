//! The ONNX file format: generated messages, and what reads them with errors that name the place.

pub(crate) mod attribute;
pub(crate) mod ints;
pub(crate) mod node;
mod summary;
pub(crate) mod tensor;

pub use summary::Summary;

/// Messages generated from `codegen/onnx-ml.proto`; `codegen/README.md` says how.
#[allow(clippy::all, missing_docs, rustdoc::all, reason = "generated code")]
pub(crate) mod proto {
    include!("proto.rs");
}

/// Reads a file of external data, named relative to the model; `None` when there is no such file.
pub(crate) type External<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;
