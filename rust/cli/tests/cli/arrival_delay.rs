//! The real thing: a month of flights through both versions of `arrival_delay`, compared with what
//! ONNX Runtime and pandas make of them.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};

use crate::harness::{Place, copy, read_parquet};

const FLIGHTS: usize = 28_135;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// Metadata with the dimensions, and both versions published.
fn published() -> Place {
    let place = Place::new();
    for name in ["dimensions", "planes", "weather"] {
        copy(
            &models().join("metadata").join(name),
            &place.path("meta").join(name),
        );
    }
    for version in ["v1", "v2"] {
        let directory = models().join("arrival_delay").join(version);
        place.succeed(&format!("publish {} --to meta", directory.display()));
    }
    place
}

/// Runs a version over December and returns its decisions.
fn december(place: &Place, version: u32, output: &str, more: &[&str]) -> RecordBatch {
    let flights = models().join("flights");
    let columns = std::fs::read_to_string(flights.join("flights.columns")).unwrap();
    let (input, version) = (flights.join("2013-12.csv"), version.to_string());
    let arguments = [
        "run",
        "--decision",
        "meta/decisions/arrival_delay",
        "--version",
        &version,
        "--input",
        input.to_str().unwrap(),
        "--columns",
        &columns,
        "--output",
        output,
    ];
    let output_of_it = place.pelton_with(arguments.into_iter().chain(more.iter().copied()));
    let summary = crate::harness::text(&output_of_it.stderr);
    assert!(output_of_it.status.success(), "{summary}");
    assert!(
        summary.starts_with(&format!("{FLIGHTS} rows in ")),
        "{summary}"
    );
    assert!(
        summary.ends_with(&format!("version {version} of arrival_delay\n")),
        "{summary}"
    );
    read_parquet(&place.path(output))
}

/// ONNX Runtime's logistic of a negative score is 1 - v: it comes in steps of half an ulp of 1.
const STEP: f64 = 1.0 / (1 << 24) as f64;

/// 1 ulp of an f32 is at most this part of its value.
const ULP: f64 = f32::EPSILON as f64;

/// Every row as expected: texts equal; a probability within `tolerance`, relative, or `steps`.
/// Returns how many probabilities are equal to the bit.
fn compare(decided: &RecordBatch, version: u32, tolerance: f64, steps: f64) -> usize {
    let path = models().join(format!("arrival_delay/expected/v{version}.parquet"));
    let expected = read_parquet(&path);
    assert_eq!(
        (decided.num_rows(), expected.num_rows()),
        (FLIGHTS, FLIGHTS)
    );
    for name in ["action", "fired_rule"] {
        let (found, wanted) = (column(decided, name), column(&expected, name));
        let (found, wanted) = (found.as_string::<i32>(), wanted.as_string::<i32>());
        let wrong = (0..FLIGHTS).find(|row| found.value(*row) != wanted.value(*row));
        assert_eq!((wrong, found.null_count()), (None, 0), "{name}");
    }
    let p = |batch| {
        column(batch, "p_late")
            .as_primitive::<Float32Type>()
            .clone()
    };
    let (p, wanted_p) = (p(decided), p(&expected));
    // FLOAT * DOUBLE is FLOAT, as in Flink; pandas computes in doubles.
    let risk = column(decided, "risk").as_primitive::<Float32Type>();
    let wanted_risk = column(&expected, "risk").as_primitive::<Float64Type>();
    assert_eq!(risk.null_count(), 1025, "cancelled flights");
    let mut equal = 0;
    for row in 0..FLIGHTS {
        let (found, wanted) = (f64::from(p.value(row)), f64::from(wanted_p.value(row)));
        let allowed = f64::max(tolerance * wanted, steps * STEP);
        let fits = (found - wanted).abs() <= allowed;
        assert!(fits, "p_late in row {row}: {found}, not {wanted}");
        equal += usize::from(found == wanted);
        let is_null = wanted_risk.is_null(row);
        assert_eq!(risk.is_null(row), is_null, "risk in row {row}");
        let (found, wanted_risk) = (f64::from(risk.value(row)), wanted_risk.value(row));
        let allowed = (allowed / wanted + ULP) * wanted_risk.abs();
        let fits = is_null || (found - wanted_risk).abs() <= allowed;
        assert!(fits, "risk in row {row}: {found}, not {wanted_risk}");
    }
    equal
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch.column_by_name(name).unwrap()
}

#[test]
fn a_month_of_flights_comes_out_as_from_onnx_runtime_and_pandas() {
    let place = published();
    compare(&december(&place, 1, "v1.parquet", &[]), 1, 1e-6, 4.0);
    let equal = compare(&december(&place, 2, "v2.parquet", &[]), 2, ULP, 1.0);
    assert!(
        equal >= 28_130,
        "only {equal} probabilities of the trees are equal"
    );
}

#[test]
fn neither_batches_nor_threads_change_a_bit() {
    let place = published();
    for version in [1, 2] {
        let whole = december(&place, version, "whole.parquet", &["--threads", "1"]);
        for (batch, threads) in [("1", "2"), ("7", "1"), ("3000", "3")] {
            let options = ["--batch", batch, "--threads", threads];
            let parts = december(&place, version, "parts.parquet", &options);
            assert!(
                same_bits(&whole, &parts),
                "version {version}, batches of {batch}, {threads} threads"
            );
        }
    }
}

/// NaN equals NaN, 0.0 is not -0.0.
fn same_bits(a: &RecordBatch, b: &RecordBatch) -> bool {
    a.schema() == b.schema()
        && a.columns()
            .iter()
            .zip(b.columns())
            .all(|(a, b)| a.to_data() == b.to_data())
}

#[test]
fn check_describes_model_and_lookups() {
    let place = published();
    let directory = models().join("arrival_delay/v2");
    let (printed, _) = place.succeed(&format!("check {} --metadata meta", directory.display()));
    for part in [
        "arrival_delay: no errors\n",
        "  input     carrier STRING, tailnum STRING, ",
        "  output    p_late FLOAT, risk FLOAT, ",
        "`delay`: 21 columns -> p_late\n",
        "  lookup    `plane`: planes by (STRING) -> ",
        "  lookup    `weather`: weather by (STRING, TIMESTAMP(3)) -> ",
        " passed\n",
    ] {
        assert!(printed.contains(part), "no {part:?} in\n{printed}");
    }
    let error = place.fail(&format!("check {}", directory.display()));
    assert!(error.contains("add --metadata METADATA"), "{error}");
}
