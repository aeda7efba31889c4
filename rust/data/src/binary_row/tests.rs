use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::columns::{Columns, Layout, Timestamp, View};
use crate::type_parser::{parse_columns, parse_type};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/binary_row");

/// Every type that rows hold.
const TYPES: [&str; 12] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DATE",
    "TIMESTAMP(3)",
    "TIMESTAMP(6)",
    "STRING",
    "CHAR(3)",
];

/// Columns of given types with one row, and what reads and writes rows of them.
struct Row {
    types: Vec<DataType>,
    slots: Vec<Slot>,
    columns: Columns,
    reader: RowReader,
    writer: RowWriter,
}

impl Row {
    fn new(types: Vec<DataType>) -> Row {
        let mut layout = Layout::default();
        let slots: Vec<Slot> = types.iter().map(|t| layout.add(Physical::of(t))).collect();
        let numbered = types.iter().zip(&slots).enumerate();
        let fields: Vec<_> = numbered
            .map(|(i, (t, slot))| (i, t.clone(), *slot))
            .collect();
        let outputs: Vec<_> = types.iter().cloned().zip(slots.iter().copied()).collect();
        Row {
            reader: RowReader::new(&fields, types.len()),
            writer: RowWriter::new(&outputs),
            columns: Columns::new(&layout, 1).unwrap(),
            types,
            slots,
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), RowError> {
        self.columns.clear();
        self.reader.read(bytes, &mut self.columns, 0)
    }

    fn write(&self) -> Vec<u8> {
        // Left over from the last row, as in a reused buffer.
        let mut bytes = vec![0xAA; 3];
        self.writer
            .write_to_vec(&self.columns, 0, &mut bytes)
            .unwrap();
        let mut exact = vec![0xAA; bytes.len()];
        let written = self.writer.write(&self.columns, 0, &mut exact);
        assert_eq!(written, Ok(bytes.len()));
        assert_eq!(exact, bytes);
        bytes
    }

    /// A field's value as the golden files write it.
    fn value(&self, i: usize) -> Value {
        let (slot, columns) = (self.slots[i], &self.columns);
        if !columns.is_valid(slot, 0) {
            return Value::Null;
        }
        match &self.types[i] {
            DataType::Boolean => (columns.get::<i8>(slot, 0) == 1).into(),
            DataType::TinyInt => columns.get::<i8>(slot, 0).into(),
            DataType::SmallInt => columns.get::<i16>(slot, 0).into(),
            DataType::Int | DataType::Date | DataType::Time(_) => {
                columns.get::<i32>(slot, 0).into()
            }
            DataType::BigInt => columns.get::<i64>(slot, 0).into(),
            DataType::Float => columns.get::<f32>(slot, 0).to_bits().into(),
            DataType::Double => columns.get::<f64>(slot, 0).to_bits().into(),
            DataType::Timestamp(_) | DataType::TimestampLtz(_) => {
                let Timestamp { millis, nanos } = columns.get(slot, 0);
                vec![millis, i64::from(nanos)].into()
            }
            DataType::Decimal { .. } => columns.get::<i128>(slot, 0).to_string().into(),
            DataType::Binary(_) | DataType::Varbinary(_) => {
                let hex = columns.text(slot, 0).iter().map(|b| format!("{b:02x}"));
                hex.collect::<String>().into()
            }
            _ => std::str::from_utf8(columns.text(slot, 0)).unwrap().into(),
        }
    }

    fn set(&mut self, i: usize, value: &Value) {
        let (slot, columns) = (self.slots[i], &mut self.columns);
        let int = value.as_i64().unwrap_or_default();
        let bits = value.as_u64().unwrap_or_default();
        match &self.types[i] {
            _ if value.is_null() => {}
            DataType::Boolean => columns.set(slot, 0, i8::from(value == true)),
            DataType::TinyInt => columns.set(slot, 0, int as i8),
            DataType::SmallInt => columns.set(slot, 0, int as i16),
            DataType::Int | DataType::Date | DataType::Time(_) => columns.set(slot, 0, int as i32),
            DataType::BigInt => columns.set(slot, 0, int),
            DataType::Float => columns.set(slot, 0, f32::from_bits(bits as u32)),
            DataType::Double => columns.set(slot, 0, f64::from_bits(bits)),
            DataType::Timestamp(_) | DataType::TimestampLtz(_) => {
                let (millis, nanos) = (value[0].as_i64().unwrap(), value[1].as_i64().unwrap());
                let nanos = nanos as i32;
                columns.set(slot, 0, Timestamp { millis, nanos });
            }
            DataType::Decimal { .. } => {
                let unscaled: i128 = value.as_str().unwrap().parse().unwrap();
                columns.set(slot, 0, unscaled);
            }
            DataType::Binary(_) | DataType::Varbinary(_) => {
                let view = columns.push_text(&hex(value.as_str().unwrap())).unwrap();
                columns.set(slot, 0, view);
            }
            // As it was read: `data::nested` has the tests of what is inside.
            DataType::Array(_) | DataType::Map(..) | DataType::Row(_) => {}
            _ => {
                let text = value.as_str().unwrap().as_bytes();
                let view = columns.push_text(text).unwrap();
                columns.set(slot, 0, view);
            }
        }
        columns.set_valid(slot, 0, !value.is_null());
    }
}

fn hex(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Floats as bits, so that NaN and -0.0 are compared too; decimals unscaled.
fn with_bits(data_type: &DataType, value: &Value) -> Value {
    match (data_type, value) {
        (DataType::Decimal { .. }, Value::String(s)) => match s.split_once("E-") {
            // `0E-18`
            Some((digits, _)) => digits.into(),
            None => {
                let digits = s.replace('.', "");
                digits.parse::<i128>().unwrap().to_string().into()
            }
        },
        (DataType::Float, Value::String(s)) => s.parse::<f32>().unwrap().to_bits().into(),
        (DataType::Double, Value::String(s)) => s.parse::<f64>().unwrap().to_bits().into(),
        _ => value.clone(),
    }
}

struct GoldenRow {
    values: Vec<Value>,
    bytes: Vec<u8>,
}

fn golden(file: &str) -> (Vec<DataType>, Vec<GoldenRow>) {
    let text = std::fs::read_to_string(format!("{GOLDEN}/{file}")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let columns = parse_columns(json["columns"].as_str().unwrap()).unwrap();
    let types: Vec<DataType> = columns.into_iter().map(|(f, _)| f.data_type).collect();
    let rows = json["rows"].as_array().unwrap().iter().map(|row| {
        let values = row["values"].as_array().unwrap();
        GoldenRow {
            values: types
                .iter()
                .zip(values)
                .map(|(t, v)| with_bits(t, v))
                .collect(),
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

#[test]
fn rows_that_flink_wrote_are_read_and_written_to_the_byte() {
    let mut rows_seen = 0;
    for file in golden_files() {
        let (types, rows) = golden(&file);
        let mut row = Row::new(types);
        for (r, GoldenRow { values, bytes }) in rows.iter().enumerate() {
            row.read(bytes).unwrap();
            for (i, value) in values.iter().enumerate().filter(|(_, v)| !v.is_array()) {
                assert_eq!(&row.value(i), value, "{file}, row {r}, field {i}");
            }
            // Keys keep unused bytes for a NULL, rows do not; we write rows.
            if file != "timestamps_reserved_null.json" {
                values.iter().enumerate().for_each(|(i, v)| row.set(i, v));
                assert_eq!(&row.write(), bytes, "{file}, row {r}");
            }
            rows_seen += 1;
        }
    }
    assert!(rows_seen > 100, "{rows_seen} rows in {GOLDEN}");
}

#[test]
fn a_row_that_does_not_fit_is_not_written() {
    let mut row = Row::new(vec![DataType::STRING, DataType::Int]);
    row.set(0, &"longer than seven".into());
    row.set(1, &7.into());
    let mut out = [0xAA; 47];
    assert_eq!(row.writer.write(&row.columns, 0, &mut out), Ok(48));
    assert_eq!(out, [0xAA; 47]);
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
            .map_or(Value::Null, Value::from);
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
        "field 0 of the row lies at bytes 16 to 25, but the row has 24 bytes"
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

/// A field's value as `Row::set` takes it.
fn value(data_type: &DataType) -> BoxedStrategy<Value> {
    let value = match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::TinyInt => any::<i8>().prop_map(Value::from).boxed(),
        DataType::SmallInt => any::<i16>().prop_map(Value::from).boxed(),
        DataType::Int | DataType::Date => any::<i32>().prop_map(Value::from).boxed(),
        DataType::BigInt => any::<i64>().prop_map(Value::from).boxed(),
        DataType::Float => any::<u32>().prop_map(Value::from).boxed(),
        DataType::Double => any::<u64>().prop_map(Value::from).boxed(),
        DataType::Timestamp(3) => any::<i64>().prop_map(|m| vec![m, 0].into()).boxed(),
        DataType::Timestamp(_) => (any::<i64>(), 0..1_000_000i64)
            .prop_map(|(millis, nanos)| vec![millis, nanos].into())
            .boxed(),
        _ => "\\PC{0,12}".prop_map(Value::from).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => value].boxed()
}

/// Up to 80 columns, so that the null bits take one word or two, with a value each.
fn any_row() -> impl Strategy<Value = Vec<(DataType, Value)>> {
    let column = proptest::sample::select(TYPES.as_slice()).prop_flat_map(|text| {
        let data_type = parse_type(text).unwrap().data_type;
        let value = value(&data_type);
        (Just(data_type), value)
    });
    proptest::collection::vec(column, 1..80)
}

proptest! {
    #[test]
    fn what_is_written_reads_back(fields in any_row()) {
        let types = fields.iter().map(|(t, _)| t.clone()).collect();
        let mut row = Row::new(types);
        fields.iter().enumerate().for_each(|(i, (_, v))| row.set(i, v));
        let bytes = row.write();
        prop_assert_eq!(bytes.len() % 8, 0);
        row.read(&bytes).unwrap();
        for (i, (_, value)) in fields.iter().enumerate() {
            prop_assert_eq!(&row.value(i), value);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        fields in any_row(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let types = fields.iter().map(|(t, _)| t.clone()).collect();
        let mut row = Row::new(types);
        fields.iter().enumerate().for_each(|(i, (_, v))| row.set(i, v));
        let mut bytes = row.write();
        for (index, byte) in flips {
            let i = index.index(bytes.len());
            bytes[i] = byte;
        }
        let _ = row.read(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = row.read(&bytes);
    }
}

/// A NULL string leaves no view into the strings of an earlier call.
#[test]
fn a_null_string_points_nowhere() {
    let mut row = Row::new(vec![DataType::STRING]);
    row.set(0, &"longer than seven".into());
    let (long, null) = (row.write(), {
        row.set(0, &Value::Null);
        row.write()
    });
    row.read(&long).unwrap();
    row.read(&null).unwrap();
    assert_eq!(row.columns.get::<View>(row.slots[0], 0), View::default());
}
