//! Rows of files that others wrote, and of files that do not fit their definition.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::data_type::{Int64Type, Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use pelton_data::columns::Timestamp;
use pelton_data::value::Value;
use pelton_data::{Field, json};
use pelton_dimension::Error;
use pelton_dimension::source::{Scan, Selection};

use crate::table::{GOLDEN, TYPES, Table, golden, ids, parquet};

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

/// As Hive and Impala write timestamps: the nanosecond of a day, and the day since 4713 BC.
fn int96(points: &[(i64, u32)], compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(compression);
    let properties = Arc::new(properties.build());
    let schema = "message table { required int64 id; optional int96 at; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let ids: Vec<i64> = (0..=points.len() as i64).collect();
    column
        .typed::<Int64Type>()
        .write_batch(&ids, None, None)
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let points = points.iter().map(|(nanos, day)| {
        let mut point = Int96::new();
        point.set_data(*nanos as u32, (nanos >> 32) as u32, *day);
        point
    });
    let points: Vec<Int96> = points.collect();
    // The first row is NULL.
    let levels: Vec<i16> = ids.iter().map(|id| (*id > 0).into()).collect();
    column
        .typed::<Int96Type>()
        .write_batch(&points, Some(&levels), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn int96_is_read_to_the_nanosecond_in_every_year() {
    // 1970, the last nanosecond of 9999, and a day of 1600.
    let points = [
        (1, 2_440_588),
        (86_399_999_999_999, 5_373_484),
        (123_456_789, 2_305_448),
    ];
    let columns = "id BIGINT, at TIMESTAMP(9)";
    let rows = |columns: &str| {
        let table = Table::new("parquet", columns, "");
        table.write("n=1/part-0", int96(&points, Compression::UNCOMPRESSED));
        table.rows(&["id", "at"])
    };
    let found = rows(columns).unwrap();
    let at = |millis, nanos| Value::Timestamp(Timestamp { millis, nanos });
    assert_eq!(found[0], [Value::BigInt(0), Value::Null]);
    assert_eq!(found[1][1], at(0, 1));
    assert_eq!(found[2][1], at(253_402_300_799_999, 999_999));
    assert_eq!(found[3][1], at(-11_676_095_999_877, 456_789));
    let error = rows("id BIGINT, at TIMESTAMP(6)").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the value 1 ns since 1970 in row 1"),
        "{error}"
    );
}

/// The points of [`int96`] whose columns have dictionaries, and pages behind them, that are longer than
/// what is read at once of a local file.
fn many_points() -> Vec<(i64, u32)> {
    let nanos = |i: i64| i * 1_000_000_007 % 86_400_000_000_000;
    let points = (0..300_000_i64).map(|i| (nanos(i), 2_440_588 + i as u32 % 7));
    points.collect()
}

/// A local file of these points, and the selection of its columns.
fn local(directory: &Path, points: &[(i64, u32)], compression: Compression) -> (Table, Selection) {
    let table = Table::new("parquet", "id BIGINT, at TIMESTAMP(9)", "").at(directory);
    table.write("n=1/part-0", int96(points, compression));
    let mut selection = Selection::new();
    for name in ["id", "at"] {
        selection.add(&table.definition, name).unwrap();
    }
    (table, selection)
}

#[test]
fn columns_of_a_local_file_are_read_piece_by_piece() {
    let points = many_points();
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
        let directory = tempfile::tempdir().unwrap();
        let (table, mut selection) = local(directory.path(), &points, compression);
        let id = selection.add(&table.definition, "id").unwrap().1;
        let at = selection.add(&table.definition, "at").unwrap().1;
        let partitions = table.choose();
        let scan = Scan::new(&table.definition, &table.connection, &partitions);
        let mut ids = 0..=points.len();
        let read = scan.pass(&selection, |batch, _| {
            for row in 0..batch.rows {
                let i = ids.next().unwrap();
                assert_eq!(batch.columns.value(id, row), Some(i as i64));
                let point = i.checked_sub(1).map(|i| points[i]);
                let time = point.map(|(nanos, day)| Timestamp {
                    millis: (i64::from(day) - 2_440_588) * 86_400_000 + nanos / 1_000_000,
                    nanos: (nanos % 1_000_000) as i32,
                });
                assert_eq!(batch.columns.value(at, row), time, "row {i}");
            }
            Ok(())
        });
        assert_eq!(read, Ok(()));
        assert_eq!(ids.next(), None);
    }
}

#[test]
fn a_local_file_that_changes_while_it_is_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (table, selection) = local(directory.path(), &many_points(), Compression::SNAPPY);
    let partitions = table.choose();
    let scan = Scan::new(&table.definition, &table.connection, &partitions);
    let mut batches = 0;
    let read = scan.pass(&selection, |_, _| {
        batches += 1;
        if batches == 1 {
            table.write("n=1/part-0", int96(&[], Compression::SNAPPY));
        }
        Ok(())
    });
    let error = read.unwrap_err();
    assert!(matches!(error, Error::Changed(_)), "{error}");
    assert!(batches > 1, "what was read before is not lost");
}

#[test]
fn strings_stay_coded_where_that_is_asked_for_and_the_file_has_them_so() {
    let table = Table::new("parquet", "id BIGINT, few STRING, many STRING", "");
    let few: StringArray = (0..3000).map(|i| Some(format!("kind {}", i % 5))).collect();
    let many: StringArray = (0..3000)
        .map(|i| Some(format!("one of many, {i}")))
        .collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", ids(0..3000)),
        ("few", Arc::new(few)),
        ("many", Arc::new(many)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties =
        WriterProperties::builder().set_column_dictionary_enabled("many".into(), false);
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    table.write("n=1/part-0", bytes);
    for keep in [false, true] {
        let mut selection = Selection::new();
        let slots = ["few", "many"].map(|name| selection.add(&table.definition, name).unwrap().1);
        if keep {
            slots.iter().for_each(|slot| selection.keep_coded(*slot));
        }
        let partitions = table.choose();
        let scan = Scan::new(&table.definition, &table.connection, &partitions);
        let read = scan.pass(&selection, |batch, _| {
            let coded = slots.map(|slot| batch.coded(slot).is_some());
            assert_eq!(coded, [keep, false]);
            Ok(())
        });
        assert_eq!(read, Ok(()));
    }
}

#[test]
fn directory_levels_are_columns_with_the_value_of_each_directory() {
    let mut table = Table::new("parquet", "id BIGINT", "");
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
    let mut columns = table.definition.columns.iter_mut();
    columns.find(|column| column.name == "n").unwrap().nullable = false;
    let error = table.rows(&["n", "id"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "column `n` of n=__HIVE_DEFAULT_PARTITION__: it is declared NOT NULL, and has NULLs"
    );
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
