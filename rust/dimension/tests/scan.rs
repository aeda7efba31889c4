//! Rows of files that others wrote (`tests/golden/dimension`), and of files that are not as they
//! should be.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use pelton_data::report::Source;
use pelton_data::value::Value;
use pelton_data::{Field, json};
use pelton_dimension::hive::{self, HivePartition};
use pelton_dimension::source::{BATCH, Scan, Selection};
use pelton_dimension::storage::{Connection, Storage};
use pelton_dimension::{Definition, Error};
use proptest::prelude::*;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/dimension");

const TYPES: &str = "id BIGINT, tiny TINYINT, small SMALLINT, seats INT, retired BOOLEAN, \
    ratio FLOAT, price DOUBLE, amount DECIMAL(12, 3), large DECIMAL(38, 10), name STRING, \
    day DATE, local TIMESTAMP(6), instant TIMESTAMP_LTZ(6), words ARRAY<STRING>, \
    plane ROW<seats INT, name STRING>, attributes MAP<STRING, BIGINT>";

/// A dimension in memory.
struct Table {
    definition: Definition,
    connection: Connection,
}

impl Table {
    /// Of these columns, in `n=.../` directories, all of which are read.
    fn new(format: &str, columns: &str, more: &str) -> Table {
        let text = format!(
            "path = 'weather'\nformat = '{format}'\npartition = 'n INT'\nkey = ['id']\n\
             columns = '{columns}'\nchoice = 'all'\n{more}\n"
        );
        let definition = Definition::parse(&Source::new("weather.toml", text)).unwrap();
        let connection = Storage::in_memory().connect().unwrap();
        connection.write("n=1/_SUCCESS", "").unwrap();
        Table {
            definition,
            connection,
        }
    }

    /// With what pyarrow wrote.
    fn golden(format: &str, columns: &str, more: &str) -> Table {
        let table = Table::new(format, columns, more);
        table.write("n=1/part-0", golden(format));
        table
    }

    fn write(&self, path: &str, bytes: Vec<u8>) {
        self.connection.write(path, bytes).unwrap();
    }

    fn choose(&self) -> Vec<HivePartition> {
        hive::choose(&self.definition, &self.connection).unwrap()
    }

    fn rows(&self, names: &[&str]) -> Result<Vec<Vec<Value>>, Error> {
        self.rows_of(&self.choose(), names)
    }

    /// The rows of what was listed, from two passes that have to agree.
    fn rows_of(
        &self,
        partitions: &[HivePartition],
        names: &[&str],
    ) -> Result<Vec<Vec<Value>>, Error> {
        let mut selection = Selection::new();
        let mut places = Vec::new();
        for name in names {
            places.push(selection.add(&self.definition, name)?);
        }
        let scan = Scan::new(&self.definition, &self.connection, partitions);
        let pass = || {
            let mut all = Vec::new();
            scan.pass(&selection, |columns, rows, at| {
                assert!(rows <= BATCH);
                assert!(at.name.ends_with(&at.file.path), "{at:?}");
                for row in 0..rows {
                    let cells = places.iter().map(|(field, slot)| {
                        Value::of(columns, *slot, row, &field.data_type).unwrap()
                    });
                    all.push(cells.collect());
                }
                Ok(())
            })?;
            Ok(all)
        };
        let rows: Vec<Vec<Value>> = pass()?;
        // Unless a file lies about its rows, which is an error of the pass.
        assert!(scan.rows()? >= rows.len().min(1) as u64);
        assert_eq!(format!("{:?}", pass()?), format!("{rows:?}"));
        Ok(rows)
    }

    #[track_caller]
    fn refused(&self, names: &[&str], code: &str, message: &str) {
        let error = self.rows(names).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(message), "{message} in {error}");
    }
}

fn golden(format: &str) -> Vec<u8> {
    std::fs::read(format!("{GOLDEN}/types.{format}")).unwrap()
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn ids(ids: std::ops::Range<i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(ids))
}

#[test]
fn files_of_every_type_from_pyarrow_are_read_as_their_rows() {
    for format in ["parquet", "orc"] {
        let table = Table::golden(format, TYPES, "");
        let fields: Vec<&Field> = table.definition.columns.iter().collect();
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let rows = table.rows(&names).unwrap();
        let lines = std::fs::read_to_string(format!("{GOLDEN}/types.jsonl")).unwrap();
        assert_eq!(rows.len(), lines.lines().count());
        for (line, row) in lines.lines().zip(rows) {
            let expected: serde_json::Value = serde_json::from_str(line).unwrap();
            for (field, value) in fields.iter().zip(row) {
                let expected = match field.name.as_str() {
                    "n" => Value::Int(1),
                    name => json::read(expected.get(name), field, name).unwrap(),
                };
                assert_eq!(value, expected, "{format} `{}` of {line}", field.name);
            }
        }
    }
}

#[test]
fn columns_are_read_in_any_order_and_no_others() {
    for format in ["parquet", "orc"] {
        // What is not wanted may even be declared wrong.
        let columns = TYPES.replace("ratio FLOAT", "ratio BYTES");
        let table = Table::golden(format, &columns, "");
        let rows = table.rows(&["name", "id", "n", "name"]).unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        let one = Value::Int(1);
        assert_eq!(
            rows[3],
            [text("né"), Value::BigInt(4), one.clone(), text("né")]
        );
        assert_eq!(rows[1], [Value::Null, Value::BigInt(2), one, Value::Null]);
        assert!(table.rows(&[]).is_ok());
        table.refused(
            &["ratio"],
            "DIMENSION_INVALID",
            "n=1/part-0: it holds FLOAT",
        );
        table.refused(&["nmae"], "DIMENSION_INVALID", "did you mean `name`?");
    }
}

#[test]
fn points_in_time_become_the_time_of_day_of_the_zone() {
    let zone = "time_zone = 'Europe/Berlin'";
    let columns = "id BIGINT, local TIMESTAMP(6), instant TIMESTAMP_LTZ(6)";
    let of_zone = Table::golden("parquet", columns, zone)
        .rows(&["local", "instant"])
        .unwrap();
    let of_utc = Table::golden("parquet", columns, "")
        .rows(&["local", "instant"])
        .unwrap();
    let hour = |rows: &[Vec<Value>], cell: usize| match &rows[0][cell] {
        Value::Timestamp(at) => at.millis.rem_euclid(86_400_000) / 3_600_000,
        other => panic!("{other:?}"),
    };
    assert_eq!((hour(&of_utc, 0), hour(&of_utc, 1)), (6, 6));
    // A winter's day: one hour later, but for what has no zone to be shown in.
    assert_eq!((hour(&of_zone, 0), hour(&of_zone, 1)), (7, 6));
    assert_eq!(of_zone[1], [Value::Null, Value::Null]);
    // ORC knows both meanings: only points in time are shown in a zone.
    let columns = "id BIGINT, local TIMESTAMP(6), instant TIMESTAMP(6)";
    let of_zone = Table::golden("orc", columns, zone)
        .rows(&["local", "instant"])
        .unwrap();
    assert_eq!((hour(&of_zone, 0), hour(&of_zone, 1)), (6, 7));
}

#[test]
fn digits_that_a_timestamp_cannot_hold_are_refused() {
    for format in ["parquet", "orc"] {
        let table = Table::golden(format, "id BIGINT, local TIMESTAMP(3)", "");
        let message = "column `local` of memory:/n=1/part-0: the value ";
        table.refused(&["local"], "DIMENSION_INVALID", message);
    }
}

#[test]
fn directory_levels_are_columns_with_the_value_of_each_directory() {
    let table = Table::new("parquet", "id BIGINT", "");
    for (directory, first) in [
        ("n=2", 10),
        ("n=10", 20),
        ("n=__HIVE_DEFAULT_PARTITION__", 30),
    ] {
        table.write(&format!("{directory}/_SUCCESS"), Vec::new());
        let bytes = parquet(vec![("id", ids(first..first + 2))]);
        table.write(&format!("{directory}/part-0"), bytes);
    }
    let rows = table.rows(&["n", "id"]).unwrap();
    let expected = [
        (Value::Null, 30),
        (Value::Null, 31),
        (Value::Int(2), 10),
        (Value::Int(2), 11),
        (Value::Int(10), 20),
        (Value::Int(10), 21),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(n, id)| vec![n, Value::BigInt(id)])
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_column_whose_type_changed_is_named_with_its_file() {
    let table = Table::new("parquet", "id BIGINT, seats INT", "");
    let seats: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    table.write("n=1/a", parquet(vec![("id", ids(0..2)), ("seats", seats)]));
    assert_eq!(table.rows(&["seats"]).unwrap().len(), 2);
    let seats: ArrayRef = Arc::new(StringArray::from(vec!["1", "2"]));
    table.write("n=1/b", parquet(vec![("seats", seats), ("id", ids(2..4))]));
    let message = "column `seats` of memory:/n=1/b: it holds STRING (Arrow Utf8)";
    table.refused(&["id", "seats"], "DIMENSION_INVALID", message);
    assert_eq!(table.rows(&["id"]).unwrap().len(), 4);
}

#[test]
fn two_thousand_columns_are_read() {
    let names: Vec<String> = (0..2000).map(|i| format!("c{i}")).collect();
    let columns = names.iter().enumerate().map(|(i, name)| {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![i as i32, -(i as i32)]));
        (name.as_str(), values)
    });
    let mut columns: Vec<_> = columns.collect();
    columns.push(("id", ids(0..2)));
    let declared: Vec<String> = names.iter().map(|name| format!("{name} INT")).collect();
    let table = Table::new(
        "parquet",
        &format!("id BIGINT, {}", declared.join(", ")),
        "",
    );
    table.write("n=1/part-0", parquet(columns));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = table.rows(&names).unwrap();
    let expected: Vec<Value> = (0..2000).map(|i| Value::Int(-i)).collect();
    assert_eq!(rows[1], expected);
}

#[test]
fn files_without_rows_have_none_and_empty_files_are_broken() {
    for format in ["parquet", "orc"] {
        let table = Table::golden(format, "id BIGINT", "");
        table.write("n=1/part-1", Vec::new());
        table.refused(
            &["id"],
            "DIMENSION_UNAVAILABLE",
            "cannot read memory:/n=1/part-1 as ",
        );
    }
    let table = Table::new("parquet", "id BIGINT", "");
    table.write("n=1/a", parquet(vec![("id", ids(0..0))]));
    assert_eq!(table.rows(&["id"]).unwrap().len(), 0);
    table.write("n=1/b", parquet(vec![("id", ids(0..3))]));
    assert_eq!(table.rows(&["id"]).unwrap().len(), 3);
}

#[test]
fn a_file_that_changes_or_vanishes_after_it_was_listed_is_an_error() {
    for format in ["parquet", "orc"] {
        let table = Table::golden(format, "id BIGINT", "");
        let listed = table.choose();
        table.write("n=1/part-0", golden(format));
        let error = table.rows_of(&listed, &["id"]).unwrap_err().to_string();
        let changed = "cannot read memory:/n=1/part-0: it was changed after it was listed";
        assert_eq!(error, changed);
        let mut vanished = table.choose();
        vanished[0].files[0].path = "n=1/part-9".to_owned();
        let error = table.rows_of(&vanished, &["id"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot read memory:/n=1/part-9: it is not there (any more)"
        );
    }
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    for format in ["parquet", "orc"] {
        let (table, bytes) = (Table::new(format, TYPES, ""), golden(format));
        for length in (0..bytes.len()).step_by(31) {
            table.write("n=1/part-0", bytes[..length].to_vec());
            let error = table.rows(&["id", "name", "words"]).unwrap_err();
            assert_eq!(error.code(), "DIMENSION_UNAVAILABLE", "{length}: {error}");
            assert!(
                error.to_string().contains("n=1/part-0"),
                "{length}: {error}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Nothing panics into the caller, and no row goes unseen.
    #[test]
    fn a_damaged_file_is_an_error_or_has_all_its_rows(
        is_orc in any::<bool>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
    ) {
        let format = if is_orc { "orc" } else { "parquet" };
        let (table, mut bytes) = (Table::new(format, TYPES, ""), golden(format));
        for (index, flip) in flips {
            let i = index.index(bytes.len());
            bytes[i] ^= flip;
        }
        table.write("n=1/part-0", bytes);
        let partitions = table.choose();
        let mut selection = Selection::new();
        for field in &table.definition.columns {
            selection.add(&table.definition, &field.name).unwrap();
        }
        let scan = Scan::new(&table.definition, &table.connection, &partitions);
        let mut rows = 0;
        let result = scan.pass(&selection, |_, batch, _| {
            rows += batch;
            Ok(())
        });
        if result.is_ok() {
            prop_assert!(rows == 5 || is_orc, "{rows} rows");
        }
    }
}
