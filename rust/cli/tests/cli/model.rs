//! `pelton model`: what a model is, what it computes, what a row costs, how it compares.
//!
//! `models/sweep/example` holds a model of three labels over numbers and strings, rows that NumPy wrote, and what ONNX
//! Runtime made of them.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Place, copy};

fn example() -> Place {
    let place = Place::new();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    copy(&models.join("sweep/example"), &place.path("."));
    place
}

fn json_of(place: &Place, arguments: &str) -> Value {
    let (stdout, _) = place.succeed(&format!("model {arguments} --json"));
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn inspect_tells_what_a_model_takes_gives_and_does() {
    let place = example();
    let found = json_of(&place, "inspect model.onnx");
    let tensor = |element: &str, shape: &str, name: &str, width: usize| json!({"name": name, "element": element, "shape": shape, "width": width, "keys": null});
    assert_eq!(
        found["inputs"],
        json!([
            tensor("float", "[n, 2]", "amounts", 2),
            tensor("string", "[n, 2]", "colours", 2)
        ])
    );
    assert_eq!(
        found["outputs"],
        json!([
            tensor("string", "[n]", "label", 1),
            tensor("float", "[n, 3]", "probabilities", 3)
        ])
    );
    assert_eq!(found["operators"]["OneHotEncoder"], json!(2));
    assert_eq!(found["opsets"]["ai.onnx.ml"], json!(1));
    let steps = found["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["tract"] == json!(null)));
    assert!(found["memory"]["row_bytes"].as_u64().unwrap() > 4 * 5 + 8 * 3);
    let costs = found["cost"]["batches"].as_array().unwrap();
    assert!(
        costs
            .iter()
            .all(|cost| cost["nanoseconds"].as_f64().unwrap() > 0.0)
    );

    let (stdout, _) = place.succeed("model inspect model.onnx");
    for line in [
        "  made by    skl2onnx 1.20.0; operators of ai.onnx 18, ai.onnx.ml 1\n",
        "  inputs     amounts  float [n, 2]\n",
        "             colours  string [n, 2]\n",
        "  outputs    label          string [n]\n",
        "all on Pelton's own kernels\n",
        "measured, random inputs: normal floats, 4 words\n",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
}

#[test]
fn the_keys_of_a_map_are_told_in_the_order_of_its_columns() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let place = Place::new();
    copy(&models.join("vectors/lightgbm_binary"), &place.path("."));
    let found = json_of(&place, "inspect model.onnx");
    assert_eq!(found["outputs"][1]["keys"], json!([0, 1]));
    let (stdout, _) = place.succeed("model inspect model.onnx");
    assert!(
        stdout.contains("probabilities  float [n, 2], a map of 0, 1\n"),
        "{stdout}"
    );
}

#[test]
fn what_a_model_makes_is_what_onnx_runtime_makes() {
    let place = example();
    let arguments = "compare model.onnx --inputs in.npz --expected expected.npz";
    let (stdout, stderr) = place.succeed(&format!("model {arguments}"));
    assert!(
        stdout.starts_with("label          string [40]: equal\nprobabilities  float [40, 3]: "),
        "{stdout}"
    );
    assert!(stderr.contains("40 rows in "), "{stderr}");
    let found = json_of(&place, arguments);
    assert_eq!(found["outputs"][0]["fits"], json!(true));
    assert_eq!(found["outputs"][0]["values"], json!(40));
}

#[test]
fn outputs_of_every_batch_are_the_same_file() {
    let place = example();
    let mut files = Vec::new();
    for batch in [1, 7, 40, 256] {
        let arguments = format!("--inputs in.npz --outputs out.npz --batch {batch}");
        place.succeed(&format!("model run model.onnx {arguments}"));
        files.push(std::fs::read(place.path("out.npz")).unwrap());
        // What was written is read again, and differs from itself by nothing.
        let compare = "model compare model.onnx --inputs in.npz --expected out.npz --tolerance 0";
        let (stdout, _) = place.succeed(compare);
        assert_eq!(stdout.matches(": equal\n").count(), 2, "{stdout}");
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn what_differs_is_shown_with_its_place_and_is_a_failure() {
    let place = example();
    let files = "--inputs in.npz --expected other_expected.npz";
    let strict = format!("model compare model.onnx {files} --tolerance 1e-9");
    let output = place.pelton(&strict);
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains(
            "label          string [40]: DIFFERS, more than 1e-9; 1 of 40 values are not the same, \
             most at [3]: "
        ),
        "{stdout}"
    );
    assert!(stdout.contains("most by 2.500e-1 at [5, 2]: "), "{stdout}");
    let output = place.pelton(&format!("{strict} --json"));
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["outputs"][0]["at"], json!([3]));
    assert_eq!(found["outputs"][0]["fits"], json!(false));
    assert_eq!(found["outputs"][1]["at"], json!([5, 2]));
}

#[test]
fn bench_measures_every_batch() {
    let place = example();
    let found = json_of(&place, "bench model.onnx --batch 1,3");
    assert_eq!(
        found["inputs"],
        json!("random inputs: normal floats, 4 words")
    );
    let batches = found["batches"].as_array().unwrap();
    let rows: Vec<&Value> = batches.iter().map(|batch| &batch["rows"]).collect();
    assert_eq!(rows, [&json!(1), &json!(3)]);
    assert!(
        batches
            .iter()
            .all(|batch| batch["nanoseconds"].as_f64().unwrap() > 0.0)
    );
    let (stdout, _) = place.succeed("model bench model.onnx --inputs in.npz --batch 64");
    assert!(
        stdout.starts_with("model.onnx: 40 rows of in.npz\n"),
        "{stdout}"
    );
}

#[test]
fn mistakes_are_named_all_at_once() {
    let place = example();
    let run = |inputs: &str| {
        place.fail(&format!(
            "model run model.onnx --inputs {inputs} --outputs out.npz"
        ))
    };
    let error = run("mistakes.npz");
    for part in [
        "ARGUMENT_MISMATCH: mistakes.npz: the array `amounts` is double [40, 3], expected float [n, 2]\n",
        "the array `colours` is missing, string [n, 2] of the model; is it `colors`?\n",
        "the arrays there: amounts, colors",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = run("unequal.npz");
    let message = "the array `colours` has 39 rows, `amounts` has 40";
    assert!(error.contains(message), "{error}");
    let error = run("model.onnx");
    assert!(
        error.contains("model.onnx: is no .npz file, or not all of it"),
        "{error}"
    );
    let error = run("absent.npz");
    assert!(error.contains("IO: cannot read absent.npz"), "{error}");
    assert!(!place.path("out.npz").exists());

    let compare = "model compare model.onnx --inputs in.npz --expected";
    let error = place.fail(&format!("{compare} in.npz"));
    assert!(
        error.contains(
            "the array `amounts` is no output of the model, which has label, probabilities"
        ),
        "{error}"
    );
    let error = place.fail(&format!("{compare} typo.npz"));
    assert!(error.contains("; is it `probabilities`?"), "{error}");
    assert!(
        error.contains("the array `label` is int64 [40], the output of 40 rows is string [40]"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_model_is_told_so() {
    let place = example();
    let error = place.fail("model inspect in.npz");
    assert!(
        error.starts_with("pelton: MODEL_INVALID: in.npz: not an ONNX file, or not all of it"),
        "{error}"
    );
    let error = place.fail("model inspect absent.onnx");
    assert!(error.contains("IO: cannot read absent.onnx"), "{error}");
}

#[test]
fn a_row_that_fails_is_named() {
    let place = example();
    let error = place.fail("model run ids.onnx --inputs ids.npz --outputs out.npz");
    assert!(
        error.starts_with("pelton: EVALUATION_FAILED: ids.npz: row 300, counted from 0: Gather "),
        "{error}"
    );
    // Random ids stay inside of the table.
    let found = json_of(&place, "bench ids.onnx --batch 1");
    let inputs = "random inputs: normal floats, integers below 4";
    assert_eq!(found["inputs"], json!(inputs));
}
