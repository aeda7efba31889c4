use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::columns::{Columns, Layout, Physical, Timestamp, View};
use crate::testing::{Row, any_row, hex, row_of};
use crate::text;
use crate::type_parser::{parse_columns, parse_type};
use crate::value::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/binary_row");

/// A value as the golden files write it.
fn golden_value(json: &Json, data_type: &DataType) -> Value {
    let list = || json.as_array().unwrap().iter();
    let number = || json.as_i64().unwrap();
    match (json, data_type) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(value), _) => Value::Boolean(*value),
        (_, DataType::Date) => Value::Date(number() as i32),
        (_, DataType::Time(_)) => Value::Time(number() as i32),
        (_, DataType::Timestamp(_) | DataType::TimestampLtz(_)) => Value::Timestamp(Timestamp {
            millis: json[0].as_i64().unwrap(),
            nanos: json[1].as_i64().unwrap() as i32,
        }),
        (Json::String(text), DataType::Binary(_) | DataType::Varbinary(_)) => {
            Value::Bytes(hex(text))
        }
        (Json::String(text), _) => text::parse(text, data_type).unwrap(),
        (Json::Number(number), _) => text::parse(number.as_str(), data_type).unwrap(),
        (_, DataType::Array(element)) => Value::Array(
            list()
                .map(|v| golden_value(v, &element.data_type))
                .collect(),
        ),
        (_, DataType::Map(key, value)) => {
            let pair = |pair: &Json| {
                let key = golden_value(&pair[0], &key.data_type);
                (key, golden_value(&pair[1], &value.data_type))
            };
            Value::Map(list().map(pair).collect())
        }
        (_, DataType::Row(fields)) => {
            let values = list().zip(fields);
            Value::Row(values.map(|(v, f)| golden_value(v, &f.data_type)).collect())
        }
        _ => panic!("{json} as {data_type}"),
    }
}

struct GoldenRow {
    values: Vec<Value>,
    bytes: Vec<u8>,
}

fn golden(file: &str) -> (Vec<DataType>, Vec<GoldenRow>) {
    let text = std::fs::read_to_string(format!("{GOLDEN}/{file}")).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    let columns = parse_columns(json["columns"].as_str().unwrap()).unwrap();
    let types: Vec<DataType> = columns.into_iter().map(|(f, _)| f.data_type).collect();
    let rows = json["rows"].as_array().unwrap().iter().map(|row| {
        let values = row["values"].as_array().unwrap().iter().zip(&types);
        GoldenRow {
            values: values.map(|(v, t)| golden_value(v, t)).collect(),
            bytes: hex(row["hex"].as_str().unwrap()),
        }
    });
    (types.clone(), rows.collect())
}

fn golden_files() -> Vec<String> {
    let files = std::fs::read_dir(GOLDEN).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Floats are compared as they print, NaN and -0.0 too.
fn same(a: &Value, b: &Value) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn rows_that_flink_wrote_are_read_and_written_to_the_byte() {
    let mut rows_seen = 0;
    for file in golden_files() {
        let (types, rows) = golden(&file);
        let mut row = Row::new(types);
        for (r, GoldenRow { values, bytes }) in rows.iter().enumerate() {
            row.read(bytes).unwrap();
            for (i, value) in values.iter().enumerate() {
                let read = row.value(i).unwrap();
                assert!(
                    same(&read, value),
                    "{file}, row {r}: {read:?}, not {value:?}"
                );
            }
            // Keys keep unused bytes for a NULL, rows do not; we write rows.
            if !file.ends_with("reserved_null.json") {
                values.iter().enumerate().for_each(|(i, v)| row.set(i, v));
                assert_eq!(&row.write(), bytes, "{file}, row {r}");
            }
            rows_seen += 1;
        }
    }
    assert!(rows_seen > 100, "{rows_seen} rows in {GOLDEN}");
}

#[test]
fn the_length_of_a_row_that_does_not_fit_is_known() {
    let mut row = Row::new(vec![DataType::STRING, DataType::Int]);
    row.set(0, &Value::Text("longer than seven".to_owned()));
    row.set(1, &Value::Int(7));
    for room in [0, 8, 23, 24, 40, 47] {
        let mut out = vec![0xAA; room];
        assert_eq!(row.writer.write(&row.columns, 0, &mut out), Ok(48));
    }
    let mut whole = vec![0xAA; 60];
    assert_eq!(row.writer.write(&row.columns, 0, &mut whole), Ok(48));
    assert_eq!(
        (&whole[..48], &whole[48..]),
        (&row.write()[..], &[0xAA; 12][..])
    );
}

#[test]
fn only_the_chosen_fields_are_read() {
    let (types, rows) = golden("mixed.json");
    let chosen = types.iter().position(|t| *t == DataType::BigInt).unwrap();
    let mut layout = Layout::default();
    let slot = layout.add(Physical::I64);
    let mut columns = Columns::new(&layout, 1).unwrap();
    let reader = RowReader::new(&[(chosen, DataType::BigInt, slot)], types.len());
    for GoldenRow { values, bytes } in rows {
        reader.read(&bytes, &mut columns, 0).unwrap();
        let value = columns
            .value::<i64>(slot, 0)
            .map_or(Value::Null, Value::BigInt);
        assert_eq!(value, values[chosen]);
    }
}

#[test]
fn corrupt_rows_are_errors_that_name_the_field() {
    let read = |data_type: &str, field: u64| {
        let mut row = Row::new(vec![parse_type(data_type).unwrap().data_type]);
        let mut bytes = vec![0; 24];
        bytes[8..16].copy_from_slice(&field.to_le_bytes());
        row.read(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        read("STRING", 16 << 32 | 9),
        "field 0 of the row lies at bytes 16 to 25, but there are 24"
    );
    assert!(read("STRING", 0x7fff_ffff_ffff_ffff).contains("field 0 of the row lies at bytes"));
    assert_eq!(
        read("STRING", 0x88 << 56),
        "field 0 of the row holds a value of 8 bytes in 7"
    );
    assert!(read("TIMESTAMP(6)", 17 << 32).contains("lies at bytes 17 to 25"));
    assert!(read("TIMESTAMP(6)", 16 << 32 | 1_000_000).contains("1000000 nanoseconds"));
    let mut row = Row::new(vec![DataType::Int, DataType::Int]);
    assert_eq!(
        row.read(&[0; 23]).unwrap_err().to_string(),
        "the row has 23 bytes, but rows of 2 fields have at least 24"
    );
}

proptest! {
    // Up to 80 columns, so that the null bits take one word or two.
    #[test]
    fn what_is_written_reads_back(fields in any_row(80)) {
        let bytes = row_of(&fields).write();
        prop_assert_eq!(bytes.len() % 8, 0);
        let mut row = Row::new(fields.iter().map(|(t, _)| t.clone()).collect());
        row.read(&bytes).unwrap();
        for (i, (_, value)) in fields.iter().enumerate() {
            let read = row.value(i).unwrap();
            prop_assert!(same(&read, value), "{read:?}, not {value:?}");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        fields in any_row(20),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut row = row_of(&fields);
        let mut bytes = row.write();
        for (index, byte) in flips {
            let i = index.index(bytes.len());
            bytes[i] = byte;
        }
        let mut read = |bytes: &[u8]| {
            if row.read(bytes).is_ok() {
                (0..fields.len()).for_each(|i| drop(row.value(i)));
            }
        };
        read(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        read(&bytes);
    }
}

#[test]
fn a_decimal_is_as_long_as_java_writes_it() {
    for (value, bytes) in [
        (0, "00"),
        (-1, "ff"),
        (127, "7f"),
        (128, "0080"),
        (-128, "80"),
        (-129, "ff7f"),
        (i128::MAX, "7fffffffffffffffffffffffffffffff"),
        (i128::MIN, "80000000000000000000000000000000"),
    ] {
        let (written, len) = shortest(value);
        assert_eq!(written[..len], hex(bytes), "{value}");
        assert!(written[len..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn broken_decimals_are_errors() {
    let read = |data_type: &str, field: u64| {
        let mut row = Row::new(vec![parse_type(data_type).unwrap().data_type]);
        let mut bytes = vec![0x7f; 32];
        bytes[..8].fill(0);
        bytes[8..16].copy_from_slice(&field.to_le_bytes());
        row.read(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        read("DECIMAL(5, 2)", 100_000),
        "field 0 of the row is a DECIMAL of more than 5 digits"
    );
    assert_eq!(
        read("DECIMAL(38, 0)", 16 << 32 | 16),
        "field 0 of the row is a DECIMAL of more than 38 digits"
    );
    assert!(read("DECIMAL(38, 0)", 16 << 32 | 17).contains("a DECIMAL of 17 bytes, not 1 to 16"));
    assert!(read("DECIMAL(38, 0)", 16 << 32).contains("a DECIMAL of 0 bytes, not 1 to 16"));
    assert!(read("DECIMAL(38, 0)", 24 << 32 | 16).contains("lies at bytes 24 to 40"));
}

/// A NULL string leaves no view into the strings of an earlier call.
#[test]
fn a_null_string_points_nowhere() {
    let mut row = Row::new(vec![DataType::STRING]);
    row.set(0, &Value::Text("longer than seven".to_owned()));
    let (long, null) = (row.write(), {
        row.set(0, &Value::Null);
        row.write()
    });
    row.read(&long).unwrap();
    row.read(&null).unwrap();
    assert_eq!(row.columns.get::<View>(row.slots[0], 0), View::default());
}
