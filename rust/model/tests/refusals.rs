//! What cannot be loaded is refused with a message that names the place, the value and what was expected.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod onnx_file;

use onnx_file::{BOOL, DOUBLE, FLOAT, INT64, Node, STRING, ValueInfo, matrix, shapeless};
use pelton_model::{ErrorKind, Model};

fn refusal(bytes: &[u8]) -> (ErrorKind, String) {
    let error = Model::from_onnx(bytes, &|_| None).expect_err("the model is refused");
    (error.kind(), error.to_string())
}

/// Refused as `kind`, with a message that contains every part.
#[track_caller]
fn assert_refused(bytes: &[u8], kind: ErrorKind, parts: &[&str]) {
    let (found, message) = refusal(bytes);
    assert_eq!(found, kind, "{message}");
    for part in parts {
        assert!(
            message.contains(part),
            "{message:?} does not contain {part:?}"
        );
    }
}

/// A regressor of one stump over two features.
fn stump() -> Node {
    Node::ml("TreeEnsembleRegressor", &["x"], &["y"])
        .int("n_targets", 1)
        .ints("nodes_treeids", &[0, 0, 0])
        .ints("nodes_nodeids", &[0, 1, 2])
        .ints("nodes_featureids", &[1, 0, 0])
        .floats("nodes_values", &[0.5, 0.0, 0.0])
        .texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"])
        .ints("nodes_truenodeids", &[1, 0, 0])
        .ints("nodes_falsenodeids", &[2, 0, 0])
        .ints("target_treeids", &[0, 0])
        .ints("target_nodeids", &[1, 2])
        .ints("target_ids", &[0, 0])
        .floats("target_weights", &[1.0, 2.0])
}

fn stump_classifier() -> Node {
    let mut node = stump()
        .without("n_targets")
        .ints("classlabels_int64s", &[0, 1]);
    node.operator = "TreeEnsembleClassifier".to_owned();
    for (name, _) in &mut node.attributes {
        *name = name.replace("target_", "class_");
    }
    node
}

fn scaler() -> Node {
    Node::ml("Scaler", &["x"], &["y"])
        .floats("offset", &[0.0])
        .floats("scale", &[1.0])
}

fn regressor() -> Node {
    Node::ml("LinearRegressor", &["x"], &["y"]).floats("coefficients", &[1.0, 2.0])
}

fn classifier() -> Node {
    let node =
        Node::ml("LinearClassifier", &["x"], &["label", "y"]).floats("coefficients", &[1.0, 2.0]);
    node.floats("intercepts", &[0.5])
        .ints("classlabels_ints", &[0, 1])
}

/// A file with `node` between the float matrix x of width 2 and y.
fn file(node: Node) -> Vec<u8> {
    onnx_file::model(&[node], &[matrix("x", FLOAT, 2)], &[shapeless("y", FLOAT)])
}

fn file_of_input(input: ValueInfo) -> Vec<u8> {
    onnx_file::model(&[scaler()], &[input], &[shapeless("y", FLOAT)])
}

#[test]
fn the_files_of_these_tests_load_when_nothing_is_wrong() {
    for node in [
        stump(),
        stump_classifier().with_outputs(&["label", "y"]),
        scaler(),
        regressor(),
        classifier(),
    ] {
        let operator = node.operator.clone();
        Model::from_onnx(&file(node), &|_| None)
            .unwrap_or_else(|error| panic!("{operator}: {error}"));
    }
}

#[test]
fn bytes_that_are_no_onnx_file_are_corrupt() {
    for bytes in [
        &b""[..],
        b"\x00",
        b"not a model",
        b"{\"json\": true}",
        &[0xFF; 64],
    ] {
        assert_refused(
            bytes,
            ErrorKind::Corrupt,
            &["not an ONNX file, or not all of it", "bytes"],
        );
    }
    let whole = file(stump());
    assert_refused(
        &whole[..whole.len() / 2],
        ErrorKind::Corrupt,
        &["not an ONNX file, or not all of it"],
    );
}

#[test]
fn an_unknown_operator_is_named_with_its_node_and_what_is_supported() {
    let parts = [
        "node \"the node\" (ai.onnx ImageDecoder)",
        "not supported",
        "Gemm",
        "Cast",
    ];
    assert_refused(
        &file(Node::core("ImageDecoder", &["x"], &["y"])),
        ErrorKind::NotSupported,
        &parts,
    );
    let parts = [
        "node \"the node\" (ai.onnx.ml Forest)",
        "TreeEnsembleClassifier",
        "LinearRegressor",
    ];
    assert_refused(
        &file(Node::ml("Forest", &["x"], &["y"])),
        ErrorKind::NotSupported,
        &parts,
    );
    // The same name in the other domain is another operator.
    assert_refused(
        &file(Node::core("Scaler", &["x"], &["y"])),
        ErrorKind::NotSupported,
        &["(ai.onnx Scaler)"],
    );
}

#[test]
fn an_unknown_attribute_is_refused_and_a_known_one_must_have_its_type() {
    assert_refused(
        &file(scaler().int("axis", 1)),
        ErrorKind::NotSupported,
        &["the node", "\"axis\" is not known"],
    );
    let parts = ["\"scale\" is of type INTS, expected FLOATS"];
    assert_refused(
        &file(scaler().ints("scale", &[1])),
        ErrorKind::Invalid,
        &parts,
    );
    let parts = ["\"n_targets\" is of type STRING, expected INT"];
    assert_refused(
        &file(stump().text("n_targets", "1")),
        ErrorKind::Invalid,
        &parts,
    );
}

#[test]
fn inputs_need_a_supported_element_and_a_known_width() {
    let shaped = |dims: &[Option<i64>]| ValueInfo {
        name: "x".into(),
        element: FLOAT,
        dims: Some(dims.to_vec()),
    };
    let unsupported = |input, parts: &[&str]| {
        assert_refused(&file_of_input(input), ErrorKind::NotSupported, parts)
    };
    unsupported(
        shaped(&[None, None]),
        &["input \"x\" has a dynamic second dimension", "[None, k]"],
    );
    unsupported(
        shaped(&[None, Some(2), None]),
        &["input \"x\" has a dynamic third dimension"],
    );
    unsupported(
        shaped(&[]),
        &["input \"x\" has the shape [], expected [n, width]"],
    );
    unsupported(shapeless("x", FLOAT), &["input \"x\" has no shape"]);
    unsupported(
        shaped(&[None, Some(0)]),
        &["input \"x\" has the width 0, expected 1 to 65536"],
    );
    unsupported(shaped(&[None, Some(-1)]), &["input \"x\" has the width -1"]);
    unsupported(
        shaped(&[None, Some(1 << 62)]),
        &["input \"x\" has the width 4611686018427387904"],
    );
    unsupported(
        shaped(&[None]),
        &["input \"x\" has the shape [n], expected [n, width]"],
    );
    unsupported(
        matrix("x", 10, 2),
        &[
            "input \"x\": element type FLOAT16 is not supported",
            "DOUBLE",
        ],
    );
    unsupported(
        matrix("x", 99, 2),
        &["input \"x\": element type unknown is not supported"],
    );
    assert_refused(
        &file_of_input(matrix("x", STRING, 2)),
        ErrorKind::Invalid,
        &["type string, expected a number"],
    );
    assert_refused(
        &file_of_input(matrix("x", BOOL, 2)),
        ErrorKind::Invalid,
        &["type bool, expected a number"],
    );
}

#[test]
fn values_are_made_once_and_before_they_are_read() {
    let model = |nodes: &[Node], output: &str| {
        onnx_file::model(nodes, &[matrix("x", FLOAT, 2)], &[shapeless(output, FLOAT)])
    };
    assert_refused(
        &model(&[scaler()], "z"),
        ErrorKind::Invalid,
        &["output \"z\" is made by no node"],
    );
    assert_refused(
        &model(&[scaler(), scaler()], "y"),
        ErrorKind::Invalid,
        &["the value \"y\" is made twice"],
    );
    let late = [Node::core("Identity", &["y"], &["z"]), scaler()];
    assert_refused(
        &model(&late, "z"),
        ErrorKind::Invalid,
        &["input \"y\" is made by no input and no earlier node"],
    );
    let nameless = [Node::core("Identity", &[], &["z"])];
    assert_refused(
        &model(&nameless, "z"),
        ErrorKind::Invalid,
        &["input number 0 is missing"],
    );
    let twice = onnx_file::model(
        &[scaler()],
        &[matrix("x", FLOAT, 2), matrix("x", FLOAT, 2)],
        &[shapeless("y", FLOAT)],
    );
    assert_refused(
        &twice,
        ErrorKind::Invalid,
        &["the value \"x\" is made twice"],
    );
    let none = onnx_file::model(&[scaler()], &[matrix("x", FLOAT, 2)], &[]);
    assert_refused(&none, ErrorKind::Invalid, &["the graph has no output"]);
    let wrong = onnx_file::model(
        &[scaler()],
        &[matrix("x", FLOAT, 2)],
        &[shapeless("y", INT64)],
    );
    assert_refused(
        &wrong,
        ErrorKind::Invalid,
        &["output \"y\" is declared int64, but is float"],
    );
}

#[test]
fn tree_arrays_must_agree_with_each_other() {
    let invalid =
        |node: Node, parts: &[&str]| assert_refused(&file(node), ErrorKind::Invalid, parts);
    let ok = stump;
    let place = "node \"the node\" (ai.onnx.ml TreeEnsembleRegressor): ";
    invalid(
        ok().without("n_targets"),
        &[place, "attribute \"n_targets\" is missing"],
    );
    invalid(
        ok().int("n_targets", 0),
        &["attribute \"n_targets\" is 0, expected 1 to 65535"],
    );
    invalid(
        ok().without("nodes_nodeids"),
        &["\"nodes_nodeids\" is missing or empty"],
    );
    invalid(
        ok().without("nodes_modes"),
        &["\"nodes_modes\" has 0 values, nodes_nodeids has 3"],
    );
    invalid(
        ok().ints("nodes_treeids", &[0]),
        &["\"nodes_treeids\" has 1 values, nodes_nodeids has 3"],
    );
    invalid(
        ok().floats("nodes_values", &[0.5; 4]),
        &["\"nodes_values\" has 4 values, nodes_nodeids has 3"],
    );
    invalid(
        ok().ints("nodes_missing_value_tracks_true", &[1]),
        &["\"nodes_missing_value_tracks_true\" has 1 values, nodes_nodeids has 3"],
    );
    invalid(
        ok().ints("target_ids", &[0]),
        &["attribute target_ids has 1 values, target_nodeids has 2"],
    );
    invalid(
        ok().texts("nodes_modes", &["BRANCH_FOO", "LEAF", "LEAF"]),
        &["has \"BRANCH_FOO\", expected BRANCH_LEQ"],
    );
    invalid(
        ok().ints("nodes_featureids", &[2, 0, 0]),
        &["node 0 of tree 0 reads feature 2 of an input of width 2"],
    );
    invalid(
        ok().ints("nodes_featureids", &[-1, 0, 0]),
        &["reads feature -1"],
    );
    invalid(
        ok().ints("nodes_nodeids", &[0, 1, 1]),
        &["node 1 of tree 0 is listed twice"],
    );
    invalid(
        ok().ints("nodes_truenodeids", &[7, 0, 0]),
        &["node 0 of tree 0 has the true child 7, which is not listed"],
    );
    invalid(
        ok().ints("nodes_falsenodeids", &[-3, 0, 0]),
        &["has the false child -3, which is not listed"],
    );
    invalid(
        ok().ints("nodes_falsenodeids", &[0, 0, 0]),
        &["node 0 of tree 0 is its own false child"],
    );
    invalid(
        ok().ints("target_nodeids", &[1, 9]),
        &["target_nodeids names node 9 of tree 0, which is not listed"],
    );
    invalid(
        ok().ints("target_ids", &[0, 1]),
        &["target_ids has 1, expected 0 to 0"],
    );
    invalid(
        ok().floats("base_values", &[0.1, 0.2]),
        &["has 2 base_values, expected none or 1"],
    );
    invalid(
        ok().text("aggregate_function", "MEDIAN"),
        &["\"aggregate_function\" is \"MEDIAN\", expected SUM, AVERAGE"],
    );
    invalid(
        ok().text("post_transform", "TANH"),
        &["\"post_transform\" is \"TANH\", expected NONE, LOGISTIC"],
    );
    invalid(
        ok().ints("nodes_treeids", &[0, 1, 0]),
        &["the nodes of tree 0 do not stand together"],
    );
}

#[test]
fn endless_paths_in_a_tree_are_found() {
    let cycle = stump()
        .ints("nodes_treeids", &[3; 5])
        .ints("nodes_nodeids", &[0, 1, 2, 3, 4])
        .ints("nodes_featureids", &[0; 5])
        .floats("nodes_values", &[0.0; 5])
        .texts(
            "nodes_modes",
            &["BRANCH_LT", "BRANCH_LT", "BRANCH_LT", "LEAF", "LEAF"],
        )
        .ints("nodes_truenodeids", &[1, 2, 3, 0, 0])
        .ints("nodes_falsenodeids", &[3, 4, 1, 0, 0])
        .ints("target_treeids", &[3, 3])
        .ints("target_nodeids", &[3, 4]);
    assert_refused(
        &file(cycle),
        ErrorKind::Invalid,
        &["node 1 of tree 3 is its own descendant"],
    );
}

#[test]
fn a_path_as_long_as_the_file_is_no_stack_overflow() {
    let depth = 200_000i64;
    let ids: Vec<i64> = (0..2 * depth + 1).collect();
    let branch = |id: &i64| id % 2 == 0 && *id < 2 * depth;
    let of = |f: fn(i64) -> i64| {
        ids.iter()
            .map(|id| if branch(id) { f(*id) } else { 0 })
            .collect::<Vec<_>>()
    };
    let modes: Vec<&str> = ids
        .iter()
        .map(|id| if branch(id) { "BRANCH_LEQ" } else { "LEAF" })
        .collect();
    let node = stump()
        .ints("nodes_treeids", &vec![0; ids.len()])
        .ints("nodes_nodeids", &ids)
        .ints("nodes_featureids", &vec![0; ids.len()])
        .floats("nodes_values", &vec![0.0; ids.len()])
        .texts("nodes_modes", &modes)
        .ints("nodes_truenodeids", &of(|id| id + 1))
        .ints("nodes_falsenodeids", &of(|id| id + 2));
    let model = Model::from_onnx(&file(node), &|_| None).unwrap();
    assert!(
        model.steps()[0].kernel.contains("400001 nodes"),
        "{:?}",
        model.steps()
    );
}

#[test]
fn classifiers_need_labels_that_fit() {
    let invalid =
        |node: Node, parts: &[&str]| assert_refused(&file(node), ErrorKind::Invalid, parts);
    let trees = || stump_classifier().with_outputs(&["label", "y"]);
    invalid(
        trees().without("classlabels_int64s"),
        &["neither classlabels_int64s nor classlabels_strings"],
    );
    invalid(
        trees().texts("classlabels_strings", &["a", "b"]),
        &["both classlabels_int64s and classlabels_strings"],
    );
    invalid(
        trees()
            .ints("classlabels_int64s", &[1, 2, 3])
            .floats("base_values", &[0.0]),
        &["has 1 base_values, expected none or 3"],
    );
    invalid(
        trees().ints("class_ids", &[0, 2]),
        &["class_ids has 2, expected 0 to 1"],
    );
    let linear = classifier;
    invalid(
        linear().without("intercepts"),
        &["\"intercepts\" is missing"],
    );
    invalid(
        linear().ints("classlabels_ints", &[1, 2, 3]),
        &["has 3 classlabels_ints", "expected 2 of one kind"],
    );
    invalid(
        linear().floats("coefficients", &[1.0; 3]),
        &["3 coefficients for 1 targets and an input of width 2"],
    );
    let zip = |node: Node| file(node.with_outputs(&["y"]));
    let node = Node::ml("ZipMap", &["x"], &["y"]);
    let short = zip(node.clone().ints("classlabels_int64s", &[1, 2, 3]));
    assert_refused(
        &short,
        ErrorKind::Invalid,
        &["has 3 labels for an input of width 2"],
    );
    let both = zip(node
        .ints("classlabels_int64s", &[1, 2])
        .texts("classlabels_strings", &["a", "b"]));
    assert_refused(
        &both,
        ErrorKind::Invalid,
        &["both classlabels_int64s and classlabels_strings"],
    );
}

#[test]
fn other_operators_name_what_does_not_fit() {
    let invalid =
        |node: Node, parts: &[&str]| assert_refused(&file(node), ErrorKind::Invalid, parts);
    invalid(
        scaler().floats("scale", &[1.0; 3]),
        &["\"scale\" has 3 values, expected 1 or the input's width 2"],
    );
    invalid(scaler().without("offset"), &["\"offset\" has 0 values"]);
    invalid(
        regressor().int("targets", 2),
        &["2 coefficients for 2 targets and an input of width 2, expected 2 x 2"],
    );
    invalid(
        regressor().int("targets", -1),
        &["\"targets\" is -1 with 2 coefficients"],
    );
    invalid(
        regressor().floats("intercepts", &[1.0, 2.0]),
        &["has 2 intercepts for 1 targets"],
    );
    invalid(
        Node::ml("Normalizer", &["x"], &["y"]).text("norm", "L3"),
        &["\"norm\" is \"L3\", expected MAX, L1 or L2"],
    );
    invalid(Node::core("Cast", &["x"], &["y"]), &["\"to\" is missing"]);
    let cast = |to: i64| file(Node::core("Cast", &["x"], &["y"]).int("to", to));
    assert_refused(
        &cast(16),
        ErrorKind::NotSupported,
        &["\"to\": element type BFLOAT16 is not supported"],
    );
    assert_refused(
        &cast(1 << 40),
        ErrorKind::Invalid,
        &["\"to\" is 1099511627776, which is no element type"],
    );
}

#[test]
fn tensor_attributes_have_the_type_of_the_input() {
    let node = || {
        stump()
            .without("nodes_values")
            .doubles("nodes_values_as_tensor", &[0.5, 0.0, 0.0])
    };
    let parts = ["attribute \"nodes_values_as_tensor\": tensor of type DOUBLE, expected FLOAT"];
    assert_refused(&file(node()), ErrorKind::NotSupported, &parts);
    let double = onnx_file::model(
        &[node()],
        &[matrix("x", DOUBLE, 2)],
        &[shapeless("y", FLOAT)],
    );
    assert!(Model::from_onnx(&double, &|_| None).is_ok());
    let both = onnx_file::model(
        &[node().floats("nodes_values", &[0.5, 0.0, 0.0])],
        &[matrix("x", DOUBLE, 2)],
        &[shapeless("y", FLOAT)],
    );
    assert_refused(
        &both,
        ErrorKind::Invalid,
        &["has both nodes_values and nodes_values_as_tensor"],
    );
}

#[test]
fn rows_inside_of_an_axis_stay_inside_of_the_model() {
    let file = |behind: &[Node]| {
        let mut nodes = vec![Node::core("Concat", &["x", "x"], &["both"]).int("axis", 0)];
        nodes.extend_from_slice(behind);
        onnx_file::model(&nodes, &[matrix("x", FLOAT, 2)], &[shapeless("y", FLOAT)])
    };
    let parts = ["the node", "(ai.onnx Concat)", "[2, n, 2]", "mixes rows"];
    for behind in [
        // It comes out; what would mix its rows; what has other rows beside them.
        vec![Node::core("Identity", &["both"], &["y"])],
        vec![Node::core("Softmax", &["both"], &["y"])],
        vec![Node::core("Add", &["both", "x"], &["y"])],
    ] {
        assert_refused(&file(&behind), ErrorKind::NotSupported, &parts);
    }
}

#[test]
fn a_sequence_comes_out_as_its_parts_and_is_nothing_else() {
    let parts = [
        Node::core("Neg", &["x"], &["a"]),
        Node::core("Abs", &["x"], &["b"]),
        Node::core("SequenceConstruct", &["a", "b"], &["y"]),
    ];
    let file = |nodes: &[Node]| {
        onnx_file::model(nodes, &[matrix("x", FLOAT, 2)], &[shapeless("y", FLOAT)])
    };
    let model = Model::from_onnx(&file(&parts), &|_| None).unwrap();
    let names: Vec<&str> = model.outputs().iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let mut read = parts.to_vec();
    read[2] = read[2].clone().with_outputs(&["sequence"]);
    read.push(Node::core("SequenceLength", &["sequence"], &["y"]));
    let expected = ["SequenceConstruct", "not supported"];
    assert_refused(&file(&read), ErrorKind::NotSupported, &expected);
}
