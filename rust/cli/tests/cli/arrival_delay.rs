//! The real thing: a month of flights through both versions of `arrival_delay`, compared with what
//! ONNX Runtime and pandas make of them.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};

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

/// Every row as expected: floats within `tolerance` (relative), texts equal.
fn compare(decided: &RecordBatch, version: u32, tolerance: f64) {
    let path = models().join(format!("arrival_delay/expected/v{version}.parquet"));
    let expected = read_parquet(&path);
    assert_eq!(
        (decided.num_rows(), expected.num_rows()),
        (FLIGHTS, FLIGHTS)
    );
    for name in ["action", "fired_rule"] {
        let found = decided.column_by_name(name).unwrap().as_string::<i32>();
        let wanted = expected.column_by_name(name).unwrap().as_string::<i32>();
        for row in 0..FLIGHTS {
            assert_eq!(found.value(row), wanted.value(row), "{name} in row {row}");
        }
        assert_eq!(found.null_count(), 0);
    }
    let near = |found: f64, wanted: f64| (found - wanted).abs() <= tolerance * wanted.abs();
    let found = decided
        .column_by_name("p_late")
        .unwrap()
        .as_primitive::<Float32Type>();
    let wanted = expected
        .column_by_name("p_late")
        .unwrap()
        .as_primitive::<Float32Type>();
    let (mut equal, mut ulps) = (0, 0);
    for row in 0..FLIGHTS {
        let (found, wanted) = (found.value(row), wanted.value(row));
        assert!(
            near(f64::from(found), f64::from(wanted)),
            "p_late in row {row}: {found}, not {wanted}"
        );
        equal += usize::from(found == wanted);
        ulps = ulps.max(found.to_bits().abs_diff(wanted.to_bits()));
    }
    println!("version {version}: {equal} of {FLIGHTS} equal, at most {ulps} ulp");
    assert!(version == 1 || ulps <= 1, "trees are within 1 ulp");
    let found = decided
        .column_by_name("risk")
        .unwrap()
        .as_primitive::<Float64Type>();
    let wanted = expected
        .column_by_name("risk")
        .unwrap()
        .as_primitive::<Float64Type>();
    for row in 0..FLIGHTS {
        // pandas has no NULL: a cancelled flight's risk is NaN there.
        match found.is_valid(row).then(|| found.value(row)) {
            None => assert!(wanted.value(row).is_nan(), "risk in row {row}"),
            Some(found) => assert!(near(found, wanted.value(row)), "risk in row {row}"),
        }
    }
    assert_eq!(found.null_count(), 1025, "cancelled flights");
}

#[test]
fn a_month_of_flights_comes_out_as_from_onnx_runtime_and_pandas() {
    let place = published();
    compare(&december(&place, 1, "v1.parquet", &[]), 1, 1e-6);
    // 1 ulp of an f32 is at most 2^-23 of its value.
    compare(
        &december(&place, 2, "v2.parquet", &[]),
        2,
        f64::from(f32::EPSILON),
    );
}

#[test]
fn the_size_of_a_batch_changes_no_bit() {
    let place = published();
    for version in [1, 2] {
        let whole = december(&place, version, "whole.parquet", &[]);
        for batch in ["1", "7", "3000"] {
            let parts = december(&place, version, "parts.parquet", &["--batch", batch]);
            assert!(
                same_bits(&whole, &parts),
                "version {version}, batches of {batch}"
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
        "  output    p_late FLOAT, risk DOUBLE, ",
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
