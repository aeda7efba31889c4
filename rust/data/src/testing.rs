//! What the tests of this crate share: types and values at random, one row of columns.

use proptest::prelude::*;

use crate::binary_row::{RowError, RowReader, RowWriter};
use crate::columns::{Columns, Layout, Physical, Slot, Timestamp};
use crate::type_parser::parse_type;
use crate::types::{DataType, Element, Field};
use crate::value::{Value, ValueError};

/// Columns of given types with one row, and what reads and writes rows of them.
pub struct Row {
    types: Vec<DataType>,
    pub slots: Vec<Slot>,
    pub columns: Columns,
    reader: RowReader,
    pub writer: RowWriter,
}

impl Row {
    pub fn new(types: Vec<DataType>) -> Row {
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

    pub fn read(&mut self, bytes: &[u8]) -> Result<(), RowError> {
        self.columns.clear();
        self.reader.read(bytes, &mut self.columns, 0)
    }

    pub fn write(&self) -> Vec<u8> {
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

    pub fn value(&self, i: usize) -> Result<Value, ValueError> {
        Value::of(&self.columns, self.slots[i], 0, &self.types[i])
    }

    pub fn set(&mut self, i: usize, value: &Value) {
        value
            .put(&mut self.columns, self.slots[i], 0, &self.types[i])
            .unwrap();
    }
}

/// Every type that is not nested.
const SCALARS: [&str; 20] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DATE",
    "TIME(3)",
    "TIMESTAMP(3)",
    "TIMESTAMP(6)",
    "TIMESTAMP_LTZ(3)",
    "TIMESTAMP_LTZ(9)",
    "DECIMAL(5, 2)",
    "DECIMAL(18, 18)",
    "DECIMAL(38, 10)",
    "STRING",
    "CHAR(3)",
    "BINARY(9)",
    "BYTES",
];

/// Any type, up to three levels of nesting.
pub fn any_type() -> BoxedStrategy<DataType> {
    let scalar = proptest::sample::select(SCALARS.as_slice())
        .prop_map(|text| parse_type(text).unwrap().data_type);
    let element = |data_type| {
        Box::new(Element {
            data_type,
            nullable: true,
        })
    };
    let nested = scalar.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(move |t| DataType::Array(element(t))),
            (inner.clone(), inner.clone())
                .prop_map(move |(k, v)| DataType::Map(element(k), element(v))),
            proptest::collection::vec(inner, 0..4).prop_map(|types| {
                let named = types.into_iter().enumerate();
                DataType::Row(named.map(|(i, t)| Field::new(format!("f{i}"), t)).collect())
            }),
        ]
    });
    nested.boxed()
}

/// Any value of a type, NULL too.
pub fn any_value(data_type: &DataType) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 4 => any_not_null(data_type)].boxed()
}

fn any_not_null(data_type: &DataType) -> BoxedStrategy<Value> {
    let text = |most: u32| {
        let most = most.min(12);
        proptest::string::string_regex(&format!("\\PC{{0,{most}}}")).unwrap()
    };
    let bytes = |most: u32| proptest::collection::vec(any::<u8>(), 0..=most.min(20) as usize);
    match data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        DataType::TinyInt => any::<i8>().prop_map(Value::TinyInt).boxed(),
        DataType::SmallInt => any::<i16>().prop_map(Value::SmallInt).boxed(),
        DataType::Int => any::<i32>().prop_map(Value::Int).boxed(),
        DataType::BigInt => any::<i64>().prop_map(Value::BigInt).boxed(),
        DataType::Float => any::<f32>().prop_map(Value::Float).boxed(),
        DataType::Double => any::<f64>().prop_map(Value::Double).boxed(),
        DataType::Date => any::<i32>().prop_map(Value::Date).boxed(),
        DataType::Time(_) => (0..86_400_000).prop_map(Value::Time).boxed(),
        DataType::Timestamp(p) | DataType::TimestampLtz(p) => {
            let unit = 10_i32.pow(9 - u32::from((*p).max(3)));
            let nanos = (0..1_000_000 / unit).prop_map(move |n| n * unit);
            // The nanoseconds of 64 bits reach from 1677 to 2262.
            (-9_223_372_036_000..9_223_372_036_000_i64, nanos)
                .prop_map(|(millis, nanos)| Value::Timestamp(Timestamp { millis, nanos }))
                .boxed()
        }
        DataType::Decimal { precision, .. } => {
            let end = 10_i128.pow(u32::from(*precision));
            (1 - end..end).prop_map(Value::Decimal).boxed()
        }
        DataType::Char(most) | DataType::Varchar(most) => text(*most).prop_map(Value::Text).boxed(),
        DataType::Binary(most) | DataType::Varbinary(most) => {
            bytes(*most).prop_map(Value::Bytes).boxed()
        }
        DataType::Array(element) => {
            let values = proptest::collection::vec(any_value(&element.data_type), 0..5);
            values.prop_map(Value::Array).boxed()
        }
        DataType::Map(key, value) => {
            let pair = (any_not_null(&key.data_type), any_value(&value.data_type));
            proptest::collection::vec(pair, 0..4)
                .prop_map(Value::Map)
                .boxed()
        }
        DataType::Row(fields) => {
            let values: Vec<_> = fields.iter().map(|f| any_value(&f.data_type)).collect();
            values.prop_map(Value::Row).boxed()
        }
    }
}

/// Columns of any types with a value each; up to `most` of them.
pub fn any_row(most: usize) -> impl Strategy<Value = Vec<(DataType, Value)>> {
    let column = any_type().prop_flat_map(|data_type| {
        let value = any_value(&data_type);
        (Just(data_type), value)
    });
    proptest::collection::vec(column, 1..most)
}

/// A row of values.
pub fn row_of(fields: &[(DataType, Value)]) -> Row {
    let mut row = Row::new(fields.iter().map(|(t, _)| t.clone()).collect());
    for (i, (_, value)) in fields.iter().enumerate() {
        row.set(i, value);
    }
    row
}

/// The bytes that golden files write as hexadecimal digits.
pub fn hex(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}
