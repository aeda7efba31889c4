//! What an output row says of itself: which version, which Hive partitions, which error.

use std::fs;
use std::path::Path;

use pelton_data::columns::Literal;
use pelton_data::value::Value;
use pelton_decision::metadata::{DecisionHome, Metadata};
use pelton_decision::plan::NamedColumn;
use pelton_decision::publish::publish;
use pelton_decision::{ErrorCode, FailedRow, Generation, OnError, Pin};
use tempfile::TempDir;

use super::compile;
use super::flights::models;

pub const DECISION: &str = r#"
name = "d"
input = "tailnum STRING, a INT"
output = """
  plane.seats AS seats, CAST(plane.dt AS STRING) AS dt, 10 / a AS share,
  pelton.version AS model_version, pelton.partitions AS partitions, pelton.error AS error
"""
[lookups.plane]
dimension = "planes"
key = ["tailnum"]
"#;

/// The planes of the flights in two Hive partitions, and the decision as version 1.
pub fn metadata(decision: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let from = models().join("metadata");
    let copy = |from: &Path, to: &str| {
        let to = home.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    copy(
        &from.join("dimensions/planes.toml"),
        "dimensions/planes.toml",
    );
    for day in ["2013-01-01", "2014-02-01"] {
        for file in ["planes.parquet", "_SUCCESS"] {
            let file_from = from.join("planes/dt=2013-01-01").join(file);
            copy(&file_from, &format!("planes/dt={day}/{file}"));
        }
    }
    let draft = tempfile::tempdir().unwrap();
    fs::write(draft.path().join("decision.toml"), decision).unwrap();
    let metadata = Metadata::open(home.path().to_str().unwrap()).unwrap();
    publish(draft.path(), &metadata).unwrap();
    home
}

pub fn home(metadata: &TempDir) -> DecisionHome {
    let uri = metadata.path().join("decisions/d");
    DecisionHome::open(uri.to_str().unwrap()).unwrap()
}

/// The outputs of one record, or the row that stands for its failure.
pub fn decide(generation: &Generation, a: i32, on_error: OnError) -> Vec<Value> {
    let plan = &generation.decision.plan;
    let mut scratch = generation.scratch(1).unwrap();
    let mut failed = FailedRow::new(generation, on_error).unwrap();
    let values = [Literal::text("N14228"), Literal::I32(a)];
    for (column, value) in plan.input.iter().zip(values) {
        let slot = column.slot.unwrap();
        scratch.columns.put_literal(slot, 0, &value).unwrap();
    }
    let (columns, output) = match generation.decide(&mut scratch, 1) {
        Ok(()) => (&scratch.columns, &plan.output[..]),
        Err(error) => {
            let row = failed.as_mut().unwrap();
            row.set(&error).unwrap();
            row.output()
        }
    };
    let value =
        |column: &NamedColumn| Value::of(columns, column.slot, 0, &column.data_type).unwrap();
    output.iter().map(value).collect()
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn partitions(day: &str) -> Value {
    Value::Map(vec![(text("plane"), text(&format!("dt={day}")))])
}

#[test]
fn a_row_names_its_version_and_hive_partitions_and_they_decide_it_again() {
    let metadata = metadata(DECISION);
    let newest = Generation::open_home(&home(&metadata), None).unwrap();
    let expected = |day: &str| {
        let (seats, share, version) = (Value::Int(149), Value::Int(2), Value::BigInt(1));
        [
            seats,
            text(day),
            share,
            version,
            partitions(day),
            Value::Null,
        ]
    };
    assert_eq!(decide(&newest, 5, OnError::Fail), expected("2014-02-01"));
    let pinned = [("plane".to_owned(), Some("dt=2013-01-01".to_owned()))];
    let pin = Pin {
        version: 1,
        partitions: pinned.into(),
    };
    let pinned = Generation::open_pinned(&home(&metadata), &pin).unwrap();
    assert_eq!(decide(&pinned, 5, OnError::Fail), expected("2013-01-01"));
}

#[test]
fn a_pin_of_what_is_not_there_is_refused_by_name() {
    let metadata = metadata(DECISION);
    let open = |version, lookup: &str, partition: &str| {
        let partitions = [(lookup.to_owned(), Some(partition.to_owned()))].into();
        Generation::open_pinned(
            &home(&metadata),
            &Pin {
                version,
                partitions,
            },
        )
        .unwrap_err()
    };
    for (error, code, part) in [
        (
            open(1, "plane", "dt=2015-01-01"),
            ErrorCode::DimensionUnavailable,
            "dt=2015-01-01",
        ),
        (
            open(1, "plane", "hour=3"),
            ErrorCode::ArgumentMismatch,
            "lookup `plane`: `hour=3`",
        ),
        (
            open(1, "plan", "dt=2013-01-01"),
            ErrorCode::ArgumentMismatch,
            "the lookup `plan`",
        ),
        (
            open(7, "plane", "dt=2013-01-01"),
            ErrorCode::DecisionNotFound,
            "no version 7",
        ),
    ] {
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn a_failed_record_is_nulls_and_with_emit_says_why() {
    let metadata = metadata(DECISION);
    let generation = Generation::open_home(&home(&metadata), None).unwrap();
    let failed = |error: Value| {
        let nulls = [Value::Null, Value::Null, Value::Null];
        let own = [Value::BigInt(1), partitions("2014-02-01"), error];
        nulls.into_iter().chain(own).collect::<Vec<_>>()
    };
    assert_eq!(decide(&generation, 0, OnError::Null), failed(Value::Null));
    let message = "`d`: division by zero, in output `share`: 10 / a AS share";
    let why = Value::Row(vec![text("EVALUATION_FAILED"), text(message)]);
    assert_eq!(decide(&generation, 0, OnError::Emit), failed(why));
    // What one record left behind is not there for the next.
    assert_eq!(decide(&generation, 5, OnError::Emit)[5], Value::Null);
}

#[test]
fn emit_without_a_column_for_the_error_is_refused() {
    let without = DECISION.replace(", pelton.error AS error", "");
    let metadata = metadata(&without);
    let generation = Generation::open_home(&home(&metadata), None).unwrap();
    let error = FailedRow::new(&generation, OnError::Emit).unwrap_err();
    assert!(
        error
            .message
            .contains("add `pelton.error AS error` to the `output`"),
        "{error}"
    );
    assert!(
        FailedRow::new(&generation, OnError::Null)
            .unwrap()
            .is_some()
    );
}

#[test]
fn reserved_names_stand_only_in_the_output_and_alone() {
    let feature =
        "name = \"d\"\ninput = \"a INT\"\noutput = \"x\"\n[features]\nx = \"pelton.version + a\"\n";
    let inside = "name = \"d\"\ninput = \"a INT\"\noutput = \"pelton.version + a AS x\"\n";
    for text in [feature, inside] {
        let report = compile(text).unwrap_err();
        assert!(
            report.contains("`pelton.version` can only be a column of `output`"),
            "{report}"
        );
    }
    let report = compile("name = \"d\"\ninput = \"a INT\"\noutput = \"pelton.versoin AS x\"\n");
    let report = report.unwrap_err();
    assert!(report.contains("unknown name `pelton.versoin`"), "{report}");
    assert!(
        report.contains("pelton.version, pelton.partitions, pelton.error"),
        "{report}"
    );
}

#[test]
fn the_manifest_says_which_columns_are_reserved() {
    let metadata = metadata(DECISION);
    let path = metadata.path().join("decisions/d/versions/1/MANIFEST.json");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let expected = serde_json::json!({
        "version": "model_version", "partitions": "partitions", "error": "error"
    });
    assert_eq!(json["reserved"], expected);
    let types: Vec<&str> = json["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types[3..],
        [
            "BIGINT",
            "MAP<STRING, STRING>",
            "ROW<`code` STRING, `message` STRING>"
        ]
    );
}
