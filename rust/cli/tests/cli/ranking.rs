//! The ranking decision: arrays in, arrays out, through files and `explain`.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::harness::{Place, read_parquet};

fn ranking() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ranking")
}

/// A place with the records of the examples in `in.jsonl`; what they say comes out of them.
fn place() -> (Place, Vec<Json>) {
    let place = Place::new();
    let examples = std::fs::read_to_string(ranking().join("examples.jsonl")).unwrap();
    let examples = examples
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    let examples: Vec<Json> = examples.collect();
    let lines = examples
        .iter()
        .map(|example| format!("{}\n", example["input"]));
    place.write("in.jsonl", &lines.collect::<String>());
    (
        place,
        examples
            .into_iter()
            .map(|example| example["output"].clone())
            .collect(),
    )
}

fn run(place: &Place, from: &str, to: &str, more: &str) {
    let decision = ranking().display().to_string();
    place.succeed(&format!(
        "run --decision {decision} --input {from} --output {to}{more}"
    ));
}

#[track_caller]
fn near(actual: &Json, expected: &Json) {
    match (actual, expected) {
        (Json::Array(a), Json::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| near(a, b));
        }
        (Json::Number(a), Json::Number(b)) if a.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-5 * b.abs(), "{a} is not {b}");
        }
        (a, b) => assert_eq!(a, b),
    }
}

#[test]
fn files_of_records_with_items_are_ranked_as_by_onnx_runtime() {
    let (place, expected) = place();
    run(&place, "in.jsonl", "out.jsonl", "");
    let out = place.read("out.jsonl");
    let rows: Vec<Json> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), expected.len());
    for (row, expected) in rows.iter().zip(&expected) {
        for (name, expected) in expected.as_object().unwrap() {
            near(&row[name], expected);
        }
    }
    // The same bits one record at a time, and from a Parquet file.
    run(&place, "in.jsonl", "one.jsonl", " --batch 1 --threads 1");
    assert_eq!(place.read("one.jsonl"), out);
    // A decision that gives back what it takes makes a Parquet file of the records.
    let toml = std::fs::read_to_string(ranking().join("decision.toml")).unwrap();
    let (columns, _) = toml.split_once("output = ").unwrap();
    let columns = columns.replace("name = \"ranking\"", "name = \"echo\"");
    let names = "user_id, age, country, avg_price, clicks, items";
    place.write(
        "echo/decision.toml",
        &format!("{columns}output = \"{names}\"\n"),
    );
    place.succeed("run --decision echo --input in.jsonl --output in.parquet");
    run(&place, "in.parquet", "again.jsonl", " --batch 7");
    assert_eq!(place.read("again.jsonl"), out);
    run(&place, "in.parquet", "out.parquet", "");
    let batch = read_parquet(&place.path("out.parquet"));
    assert_eq!((batch.num_rows(), batch.num_columns()), (expected.len(), 4));
}

#[test]
fn explain_shows_the_items_the_sequences_and_their_values() {
    let (place, _) = place();
    let decision = ranking().display().to_string();
    let (plan, _) = place.succeed(&format!("explain {decision}"));
    for part in [
        "for each: item of items; at most 500",
        "input item_id: int64 [n], NULL becomes 0",
        "the last 10 elements, click of clicks",
        "click.days / 10e0",
        "input hist_mask: float [n, 10], a mask",
        "writes p_buy ARRAY<FLOAT> from p, places ARRAY<ARRAY<FLOAT>> from places",
    ] {
        assert!(plan.contains(part), "{part:?} is not in:\n{plan}");
    }
    let record = r#"{"user_id": 1, "age": 31, "country": "AT", "avg_price": 2.0,
        "clicks": [{"sku": "sku-007", "dwell": 1.5, "days": 20}],
        "items": [{"sku": "sku-000", "price": 3.0, "stock": 1}, {"sku": "x", "price": 5.0, "stock": 0}]}"#;
    let shown = place.pelton_with(["explain", &decision, "--record", record]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in [
        "-> 2 items",
        "item_id: VOCAB('sku', item.sku) = 1; 0",
        "user[0]: age / 10e0 = 3.1; 3.1",
        "item[1]: item.price / avg_price = 1.5; 2.5",
        "hist[0] = 8; 8",
        "hist_mask[1] = 0.0; 0.0",
        "visits[1] = 2.0; 2.0",
        "visits[2] = -1.0; -1.0",
        "candidates INT = 2",
    ] {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
}

#[test]
fn a_vocabulary_that_was_changed_after_it_was_published_is_refused() {
    let place = Place::new();
    let directory = ranking().display().to_string();
    place.succeed(&format!("publish {directory} --to metadata"));
    let version = "metadata/decisions/ranking/versions/1";
    let manifest: Json =
        serde_json::from_str(&place.read(&format!("{version}/MANIFEST.json"))).unwrap();
    assert!(
        manifest["files"]["sku.txt"]["sha256"].is_string(),
        "{manifest}"
    );
    let sku = place.read(&format!("{version}/sku.txt"));
    place.write(
        &format!("{version}/sku.txt"),
        &sku.replace("sku-000", "sku-999"),
    );
    let error = place.fail(&format!("check {version}"));
    assert!(
        error.contains("MANIFEST_MISMATCH") && error.contains("sku.txt"),
        "{error}"
    );
}
