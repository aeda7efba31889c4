//! Steps on tract: what becomes one, that rows stay alone, and that whatever goes wrong is the error of a row or of the load.
//! That they compute what ONNX Runtime computes, at every number of rows, the vectors `foreign_*` say.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod onnx_file;

use std::path::Path;

use onnx_file::{FLOAT, INT64, Node, ValueInfo, shapeless};
use pelton_model::{ErrorKind, Memory, Model, RunError};

fn vector(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/vectors");
    std::fs::read(directory.join(name).join("model.onnx")).unwrap()
}

fn load(bytes: &[u8]) -> Model {
    Model::from_onnx(bytes, &|_| None).unwrap_or_else(|error| panic!("{error}"))
}

/// `[n, ...]`, or with another axis of the rows.
fn input(name: &str, element: i32, dims: &[i64]) -> ValueInfo {
    ValueInfo {
        name: name.to_owned(),
        element,
        dims: Some(dims.iter().map(|dim| (*dim > 0).then_some(*dim)).collect()),
    }
}

/// Runs rows of equal inputs, but for what `set` changes; the bits of the first output.
fn run(
    model: &Model,
    n: usize,
    set: impl Fn(&mut [f32], &mut [i64]),
) -> Result<Vec<u32>, RunError> {
    let size = model.memory();
    let mut f32: Vec<f32> = (0..size.f32 * n)
        .map(|i| (i / n) as f32 * 0.25 - 1.0)
        .collect();
    let (mut f64, mut i64) = (vec![0.0; size.f64 * n], vec![0; size.i64 * n]);
    set(&mut f32, &mut i64);
    let mut memory = Memory {
        f32: &mut f32,
        f64: &mut f64,
        i64: &mut i64,
        text: &mut Vec::new(),
        stride: n,
    };
    model.run(n, &mut memory)?;
    let output = &model.outputs()[0];
    let values = &f32[output.first * n..(output.first + output.width) * n];
    Ok(values.iter().map(|x| x.to_bits()).collect())
}

#[test]
fn what_stands_together_is_one_step_and_the_rest_stays_ours() {
    let on_tract = |name: &str| -> Vec<String> {
        let model = load(&vector(name));
        let steps = model.steps().iter().filter(|step| step.tract.is_some());
        steps.map(|step| step.operator.clone()).collect()
    };
    assert_eq!(
        on_tract("foreign_convolution"),
        ["Conv", "MaxPool, Conv, GlobalAveragePool"]
    );
    assert_eq!(
        on_tract("foreign_pools"),
        ["AveragePool, ConvTranspose", "LRN"]
    );
    assert_eq!(on_tract("foreign_lstm"), ["LSTM"]);
    let model = load(&vector("foreign_convolution"));
    let ours: Vec<_> = (model.steps().iter())
        .filter(|step| step.tract.is_none())
        .map(|step| step.operator.as_str())
        .collect();
    assert!(ours.contains(&"Relu") && ours.contains(&"Gemm"), "{ours:?}");
}

#[test]
fn threads_share_a_model_and_get_the_same_bits() {
    let model = load(&vector("foreign_convolution"));
    let expected = run(&model, 3, |_, _| {}).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(run(&model, 3, |_, _| {}).unwrap(), expected);
                }
            });
        }
    });
}

#[test]
fn what_mixes_rows_is_refused() {
    // The rows are the channels of the convolution.
    let nodes = [
        Node::core("Transpose", &["x"], &["t"]).ints("perm", &[1, 0, 2]),
        Node::core("GlobalMaxPool", &["t"], &["y"]),
    ];
    let parts = [
        "GlobalMaxPool",
        "\"t\"",
        "axis 1",
        "every row is computed alone",
    ];
    assert_refused(&nodes, &parts);
}

#[test]
fn an_operator_that_tract_refuses_is_named_with_both_reasons() {
    let nodes = [Node::core("AveragePool", &["x"], &["y"])];
    let parts = [
        "node \"the node\" (ai.onnx AveragePool)",
        "none of Pelton's own",
        "tract, which would run it, refuses",
        "kernel_shape",
    ];
    assert_refused(&nodes, &parts);
}

#[test]
fn sizes_are_bounded_before_memory_is_taken() {
    let pool = |name: &str, sizes: &[i64]| {
        let node = Node::core("MaxPool", &["x"], &["y"]).ints("kernel_shape", &[3]);
        let nodes = [node.ints(name, sizes)];
        onnx_file::model(
            &nodes,
            &[input("x", FLOAT, &[0, 4, 6])],
            &[shapeless("y", FLOAT)],
        )
    };
    for (file, part) in [
        (
            pool("kernel_shape", &[1 << 40]),
            "\"kernel_shape\" holds 1099511627776",
        ),
        (pool("pads", &[1 << 20, 1 << 20]), "more than 1048576"),
        (pool("strides", &[0]), "\"strides\" holds 0, expected 1"),
        (pool("dilations", &[-1]), "\"dilations\" holds -1"),
    ] {
        let error = Model::from_onnx(&file, &|_| None).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn an_id_outside_of_its_table_is_the_error_of_its_row() {
    let nodes = [Node::core(
        "RotaryEmbedding",
        &["x", "cos", "sin", "ids"],
        &["y"],
    )];
    let inputs = [
        input("x", FLOAT, &[0, 2, 3, 4]),
        input("cos", FLOAT, &[5, 2]),
        input("sin", FLOAT, &[5, 2]),
        input("ids", INT64, &[0, 3]),
    ];
    let model = load(&onnx_file::model(&nodes, &inputs, &[shapeless("y", FLOAT)]));
    let first = model.inputs()[3].first;
    let inside = run(&model, 3, |_, _| {}).unwrap();
    for id in [5, -1, i64::MAX] {
        let error = run(&model, 3, |_, i64| i64[first * 3 + 1] = id).unwrap_err();
        assert_eq!(error.row, 1);
        let expected = format!("id {id} is outside of a table of 5");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    assert_eq!(run(&model, 3, |_, _| {}).unwrap(), inside, "after errors");
}

#[test]
fn what_is_random_or_has_the_shape_of_its_values_is_refused_by_name() {
    for (operator, part) in [
        ("RandomNormalLike", "something else at every run"),
        ("NonZero", "shape depends on values"),
        ("Unique", "shape depends on values"),
    ] {
        let nodes = [Node::core(operator, &["x"], &["y"])];
        let file = onnx_file::model(
            &nodes,
            &[input("x", FLOAT, &[0, 4])],
            &[shapeless("y", FLOAT)],
        );
        let error = Model::from_onnx(&file, &|_| None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.to_string().contains(operator), "{error}");
    }
}

#[test]
fn a_step_needs_no_more_stack_than_a_thread_of_java_has() {
    for name in [
        "foreign_convolution",
        "foreign_lstm",
        "foreign_gru",
        "foreign_contrib",
    ] {
        let model = load(&vector(name));
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let thread = small.spawn(move || run(&model, 1, |_, _| {}).unwrap().len());
        assert!(thread.unwrap().join().unwrap() > 0);
    }
}

/// The model over `x`, `[n, 4, 6]`, is not supported, and the message has all the parts.
fn assert_refused(nodes: &[Node], parts: &[&str]) {
    let file = onnx_file::model(
        nodes,
        &[input("x", FLOAT, &[0, 4, 6])],
        &[shapeless("y", FLOAT)],
    );
    let error = Model::from_onnx(&file, &|_| None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    for part in parts {
        assert!(error.to_string().contains(part), "{error}");
    }
}
