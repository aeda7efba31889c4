//! `pelton dimension`: what a dimension holds, and what a key finds in it.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Place, copy};

/// The dimensions of the flights, in a metadata directory of one's own.
fn flights() -> Place {
    let place = Place::new();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    copy(&models.join("metadata"), &place.path("metadata"));
    place
}

fn json_of(place: &Place, arguments: &str) -> Value {
    let (stdout, _) = place.succeed(&format!("dimension {arguments} --json"));
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn stats_tell_rows_and_bytes() {
    let place = flights();
    let (stdout, _) = place.succeed("dimension stats metadata/dimensions/planes.toml");
    assert!(
        stdout.starts_with("planes: 3,322 rows, loaded in "),
        "{stdout}"
    );
    assert!(
        stdout.contains("Hive partition  dt=2013-01-01\n"),
        "{stdout}"
    );
    assert!(stdout.contains(" % of its entries in use\n"), "{stdout}");
    assert!(stdout.contains("\n    manufacturer  "), "{stdout}");
    let stats = json_of(&place, "stats metadata/dimensions/weather.toml");
    assert_eq!(stats["rows"], json!(26_115));
    assert_eq!(stats["skipped"], json!(0));
    let bytes = stats["bytes"].as_u64().unwrap();
    let columns = stats["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 11);
    assert_eq!(columns[0]["name"], json!("origin"));
    assert!(
        columns[0]["coding"]
            .as_str()
            .unwrap()
            .starts_with("dictionary of 3")
    );
    let rows: u64 = columns
        .iter()
        .map(|column| column["bytes"].as_u64().unwrap())
        .sum();
    let sum = rows + stats["index_bytes"].as_u64().unwrap();
    assert!((sum..2 * sum).contains(&bytes), "{sum} of {bytes}");
}

#[test]
fn a_key_finds_its_row_with_every_column() {
    let place = flights();
    let found = json_of(&place, "get metadata/dimensions/planes.toml N10156");
    assert_eq!(found["hive_partition"], json!("dt=2013-01-01"));
    let row = json!({
        "tailnum": "N10156", "build_year": 2004, "manufacturer": "EMBRAER", "model": "EMB-145XR",
        "engine": "Turbo-fan", "engines": 2, "seats": 55, "dt": "2013-01-01",
    });
    assert_eq!(found["rows"], json!([row]));
    let missing = json_of(&place, "get metadata/dimensions/planes.toml N10156x");
    assert_eq!(missing["rows"], json!([]));
    assert_eq!(missing["files"], json!([]));
}

#[test]
fn a_row_is_told_its_file_and_when_that_was_written() {
    let place = flights();
    let file = place.path("metadata/planes/dt=2013-01-01/planes.parquet");
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_micros(1_356_998_400_000_500);
    let opened = std::fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(time).unwrap();
    let (stdout, _) = place.succeed("dimension get metadata/dimensions/planes.toml N102UW");
    let name = file.canonicalize().unwrap();
    let expected = format!(
        "\n  file            {}, row 1\n  written         2013-01-01 00:00:00.0005Z\n    tailnum ",
        name.display()
    );
    assert!(stdout.contains(&expected), "{expected} in {stdout}");
}

/// Two Hive partitions as one table, the second one written twice.
#[test]
fn rows_of_one_key_are_told_each_its_own_file() {
    let place = flights();
    let planes = place.path("metadata/planes");
    copy(&planes.join("dt=2013-01-01"), &planes.join("dt=2013-01-02"));
    let second = planes.join("dt=2013-01-02");
    std::fs::copy(second.join("planes.parquet"), second.join("again.parquet")).unwrap();
    let definition = place.path("metadata/dimensions/planes.toml");
    let text = std::fs::read_to_string(&definition).unwrap();
    for (duplicates, files) in [
        (
            "all",
            &[
                ("dt=2013-01-01", "planes.parquet"),
                ("dt=2013-01-02", "again.parquet"),
                ("dt=2013-01-02", "planes.parquet"),
            ][..],
        ),
        ("first", &[("dt=2013-01-01", "planes.parquet")]),
        ("last", &[("dt=2013-01-02", "planes.parquet")]),
    ] {
        let more = format!("choice = \"all\"\nduplicates = \"{duplicates}\"\n{text}");
        std::fs::write(&definition, more).unwrap();
        let found = json_of(&place, "get metadata/dimensions/planes.toml N102UW");
        let rows = found["rows"].as_array().unwrap();
        let told = found["files"].as_array().unwrap();
        assert_eq!((rows.len(), told.len()), (files.len(), files.len()));
        for ((row, told), (partition, file)) in rows.iter().zip(told).zip(files) {
            assert_eq!(told["hive_partition"], json!(partition));
            assert_eq!(format!("dt={}", row["dt"].as_str().unwrap()), *partition);
            assert_eq!(told["row"], json!(1));
            let name = told["file"].as_str().unwrap();
            assert!(name.ends_with(&format!("{partition}/{file}")), "{name}");
        }
    }
}

#[test]
fn a_key_of_two_columns_is_written_as_in_csv() {
    let place = flights();
    let definition = "metadata/dimensions/weather.toml";
    let arguments = ["dimension", "get", definition, "EWR", "2013-01-01 12:00:00"];
    let output = place.pelton_with(arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let head = "weather: 1 row for origin = 'EWR', obs_hour = TIMESTAMP '2013-01-01 12:00:00'\n";
    assert!(stdout.starts_with(head), "{stdout}");
}

/// The same as Flink's `KeyGroupRangeAssignment` says of the key as BinaryRow.
#[test]
fn a_key_is_told_its_key_group_and_its_subtask() {
    let place = flights();
    let get = "get metadata/dimensions/planes.toml N10156";
    let found = json_of(&place, get);
    assert_eq!(found["max_parallelism"], json!(128));
    assert_eq!(found["subtask"], json!(null));
    let group = found["key_group"].as_u64().unwrap();
    let found = json_of(&place, &format!("{get} --parallelism 4"));
    assert_eq!(found["subtask"], json!(group * 4 / 128));
    let found = json_of(&place, &format!("{get} --parallelism 200"));
    assert_eq!(found["max_parallelism"], json!(512));
    let found = json_of(
        &place,
        &format!("{get} --parallelism 4 --max-parallelism 7"),
    );
    assert_eq!(found["max_parallelism"], json!(7));
    assert!(found["key_group"].as_u64().unwrap() < 7);
}

#[test]
fn a_key_that_is_none_is_refused_with_column_type_and_value() {
    let place = flights();
    for (arguments, message) in [
        (
            "weather.toml EWR 2013-01-01",
            "ARGUMENT_MISMATCH: key column `obs_hour`: \"2013-01-01\" is not a TIMESTAMP(3), \
             yyyy-MM-dd HH:mm:ss[.fraction]",
        ),
        (
            "weather.toml EWR",
            "ARGUMENT_MISMATCH: the key of dimension `weather` is \
             (origin STRING, obs_hour TIMESTAMP(3)): 2 values, not 1",
        ),
        (
            "wether.toml EWR",
            "cannot read metadata/dimensions/wether.toml",
        ),
    ] {
        let error = place.fail(&format!("dimension get metadata/dimensions/{arguments}"));
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_definition_outside_of_dimensions_is_refused() {
    let place = flights();
    copy(&place.path("metadata/dimensions"), &place.path("elsewhere"));
    let error = place.fail("dimension stats elsewhere/planes.toml");
    let message =
        "DIMENSION_INVALID: elsewhere/planes.toml does not lie in a directory `dimensions`";
    assert!(error.contains(message), "{error}");
}
