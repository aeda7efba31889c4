//! The slow, readable form of any value: for files, examples, messages.

use std::fmt;

use crate::columns::{Columns, MemoryError, Slot, Timestamp};
use crate::nested::{ArrayView, ArrayWriter, MapView, NestedError, RowBuilder, RowView, map_bytes};
use crate::scalar::Scalar;
use crate::text;
use crate::types::{DataType, Element};

/// A value of any type, with all that is nested in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL, of any type
    Null,
    /// `BOOLEAN`
    Boolean(bool),
    /// `TINYINT`
    TinyInt(i8),
    /// `SMALLINT`
    SmallInt(i16),
    /// `INT`
    Int(i32),
    /// `BIGINT`
    BigInt(i64),
    /// `FLOAT`
    Float(f32),
    /// `DOUBLE`
    Double(f64),
    /// `DECIMAL(p, s)`: the value times 10^s
    Decimal(i128),
    /// `CHAR`, `VARCHAR`, `STRING`
    Text(String),
    /// `BINARY`, `VARBINARY`, `BYTES`
    Bytes(Vec<u8>),
    /// `DATE`: days since 1970-01-01
    Date(i32),
    /// `TIME(p)`: milliseconds of the day
    Time(i32),
    /// `TIMESTAMP(p)`, `TIMESTAMP_LTZ(p)`
    Timestamp(Timestamp),
    /// `ARRAY`
    Array(Vec<Value>),
    /// `MAP`: key and value
    Map(Vec<(Value, Value)>),
    /// `ROW`: the fields in their order
    Row(Vec<Value>),
}

/// Why a value is not read from columns or not put into them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// The value is of another type.
    #[error("{value:?} is no {data_type}")]
    Type {
        /// The value.
        value: Value,
        /// The type that it should have.
        data_type: DataType,
    },
    /// The bytes of a string are not UTF-8.
    #[error("the string {0:?} is not UTF-8")]
    Utf8(String),
    /// The bytes of a nested value are none.
    #[error(transparent)]
    Nested(#[from] NestedError),
    /// No memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Takes a value as it lies in a column; `None` is NULL.
type Take<'a> = dyn FnMut(Option<Scalar<&[u8]>>) -> Result<(), ValueError> + 'a;

impl Value {
    /// The value of a row of a slot that holds `data_type`.
    pub fn of(
        columns: &Columns,
        slot: Slot,
        row: usize,
        data_type: &DataType,
    ) -> Result<Value, ValueError> {
        let scalar = columns.scalar(slot, row);
        Value::of_scalar(scalar.map(|s| s.map(|view| columns.bytes(view))), data_type)
    }

    /// The value of type `data_type` that a scalar is.
    pub fn of_scalar(
        scalar: Option<Scalar<&[u8]>>,
        data_type: &DataType,
    ) -> Result<Value, ValueError> {
        let Some(scalar) = scalar else {
            return Ok(Value::Null);
        };
        Ok(match (scalar, data_type) {
            (Scalar::I8(value), DataType::Boolean) => Value::Boolean(value != 0),
            (Scalar::I8(value), _) => Value::TinyInt(value),
            (Scalar::I16(value), _) => Value::SmallInt(value),
            (Scalar::I32(value), DataType::Date) => Value::Date(value),
            (Scalar::I32(value), DataType::Time(_)) => Value::Time(value),
            (Scalar::I32(value), _) => Value::Int(value),
            (Scalar::I64(value), _) => Value::BigInt(value),
            (Scalar::F32(value), _) => Value::Float(value),
            (Scalar::F64(value), _) => Value::Double(value),
            (Scalar::I128(value), _) => Value::Decimal(value),
            (Scalar::Timestamp(value), _) => Value::Timestamp(value),
            (Scalar::Bytes(bytes), DataType::Array(element)) => Value::Array(elements(
                &ArrayView::new(bytes, &element.data_type)?,
                element,
            )?),
            (Scalar::Bytes(bytes), DataType::Map(key, value)) => {
                let map = MapView::new(bytes, &key.data_type, &value.data_type)?;
                let keys = elements(&map.keys, key)?;
                Value::Map(
                    keys.into_iter()
                        .zip(elements(&map.values, value)?)
                        .collect(),
                )
            }
            (Scalar::Bytes(bytes), DataType::Row(fields)) => {
                let row = RowView::new(bytes, fields.len())?;
                let mut values = Vec::with_capacity(fields.len());
                let types = fields.iter().map(|field| &field.data_type);
                row.for_each(types, |value, data_type| {
                    values.push(Value::of_scalar(value, data_type)?);
                    Ok::<_, ValueError>(())
                })?;
                Value::Row(values)
            }
            (Scalar::Bytes(bytes), data_type) if data_type.is_string() => {
                let text = std::str::from_utf8(bytes);
                let broken = |_| ValueError::Utf8(String::from_utf8_lossy(bytes).into_owned());
                Value::Text(text.map_err(broken)?.to_owned())
            }
            (Scalar::Bytes(bytes), _) => Value::Bytes(bytes.to_vec()),
        })
    }

    /// Sets a row of a slot that holds `data_type`.
    pub fn put(
        &self,
        columns: &mut Columns,
        slot: Slot,
        row: usize,
        data_type: &DataType,
    ) -> Result<(), ValueError> {
        self.with_scalar(data_type, &mut |scalar| {
            Ok(columns.push_scalar(slot, row, scalar)?)
        })
    }

    /// Calls `take` with the value as it lies in a column of `data_type`.
    fn with_scalar(&self, data_type: &DataType, take: &mut Take<'_>) -> Result<(), ValueError> {
        use DataType as Type;
        let scalar = match (self, data_type) {
            (Value::Null, _) => return take(None),
            (Value::Boolean(value), Type::Boolean) => Scalar::I8(i8::from(*value)),
            (Value::TinyInt(value), Type::TinyInt) => Scalar::I8(*value),
            (Value::SmallInt(value), Type::SmallInt) => Scalar::I16(*value),
            (Value::Int(value), Type::Int) => Scalar::I32(*value),
            (Value::Date(value), Type::Date) => Scalar::I32(*value),
            (Value::Time(value), Type::Time(_)) => Scalar::I32(*value),
            (Value::BigInt(value), Type::BigInt) => Scalar::I64(*value),
            (Value::Float(value), Type::Float) => Scalar::F32(*value),
            (Value::Double(value), Type::Double) => Scalar::F64(*value),
            (Value::Decimal(value), Type::Decimal { .. }) => Scalar::I128(*value),
            (Value::Timestamp(value), Type::Timestamp(_) | Type::TimestampLtz(_)) => {
                Scalar::Timestamp(*value)
            }
            (Value::Text(value), Type::Char(_) | Type::Varchar(_)) => {
                Scalar::Bytes(value.as_bytes())
            }
            (Value::Bytes(value), Type::Binary(_) | Type::Varbinary(_)) => {
                Scalar::Bytes(value.as_slice())
            }
            (Value::Array(values), Type::Array(element)) => {
                let array = array(values.iter(), values.len(), element)?;
                return take(Some(Scalar::Bytes(&array)));
            }
            (Value::Map(pairs), Type::Map(key, value)) => {
                let keys = array(pairs.iter().map(|(key, _)| key), pairs.len(), key)?;
                let values = array(pairs.iter().map(|(_, value)| value), pairs.len(), value)?;
                return take(Some(Scalar::Bytes(&map_bytes(&keys, &values)?)));
            }
            (Value::Row(values), Type::Row(fields)) if values.len() == fields.len() => {
                let mut row = RowBuilder::new(fields.len())?;
                for (value, field) in values.iter().zip(fields) {
                    let data_type = &field.data_type;
                    value.with_scalar(data_type, &mut |value| Ok(row.push(data_type, value)?))?;
                }
                return take(Some(Scalar::Bytes(&row.finish())));
            }
            (value, data_type) => {
                return Err(ValueError::Type {
                    value: value.clone(),
                    data_type: data_type.clone(),
                });
            }
        };
        take(Some(scalar))
    }

    /// The value as a SQL literal of its type: `DATE '2013-01-31'`, `ARRAY[1, NULL]`.
    pub fn show<'a>(&'a self, data_type: &'a DataType) -> impl fmt::Display + 'a {
        Shown {
            value: self,
            data_type,
        }
    }
}

fn elements(array: &ArrayView<'_>, element: &Element) -> Result<Vec<Value>, ValueError> {
    let mut values = Vec::new();
    values
        .try_reserve(array.len())
        .map_err(|_| MemoryError::Exhausted(array.len() * size_of::<Value>()))?;
    array.for_each(|value| {
        values.push(Value::of_scalar(value, &element.data_type)?);
        Ok::<_, ValueError>(())
    })?;
    Ok(values)
}

fn array<'v>(
    values: impl Iterator<Item = &'v Value>,
    len: usize,
    element: &Element,
) -> Result<Vec<u8>, ValueError> {
    let mut array = ArrayWriter::new(&element.data_type, len)?;
    for value in values {
        value.with_scalar(&element.data_type, &mut |value| Ok(array.push(value)?))?;
    }
    Ok(array.finish())
}

struct Shown<'a> {
    value: &'a Value,
    data_type: &'a DataType,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |f: &mut fmt::Formatter<'_>, what: &str| {
            let text = text::write(self.value, self.data_type).unwrap_or_default();
            write!(f, "{what}'{}'", text.replace('\'', "''"))
        };
        match (self.value, self.data_type) {
            (Value::Null, _) => f.write_str("NULL"),
            (Value::Boolean(true), _) => f.write_str("TRUE"),
            (Value::Boolean(false), _) => f.write_str("FALSE"),
            (Value::Text(_), _) => quoted(f, ""),
            (Value::Date(_), _) => quoted(f, "DATE "),
            (Value::Time(_), _) => quoted(f, "TIME "),
            (Value::Timestamp(_), DataType::TimestampLtz(_)) => quoted(f, "TIMESTAMP_LTZ "),
            (Value::Timestamp(_), _) => quoted(f, "TIMESTAMP "),
            (Value::Bytes(bytes), _) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str("'")
            }
            (Value::Array(values), DataType::Array(element)) => {
                f.write_str("ARRAY[")?;
                let element = &element.data_type;
                separated(f, values.iter().map(|value| (value, element)))?;
                f.write_str("]")
            }
            (Value::Map(pairs), DataType::Map(key, value)) => {
                let (key, value) = (&key.data_type, &value.data_type);
                f.write_str("MAP[")?;
                separated(f, pairs.iter().flat_map(|(k, v)| [(k, key), (v, value)]))?;
                f.write_str("]")
            }
            (Value::Row(values), DataType::Row(fields)) => {
                f.write_str("ROW(")?;
                let types = fields.iter().map(|field| &field.data_type);
                separated(f, values.iter().zip(types))?;
                f.write_str(")")
            }
            _ => match text::write(self.value, self.data_type) {
                Some(text) => f.write_str(&text),
                None => write!(f, "{:?}", self.value),
            },
        }
    }
}

fn separated<'a>(
    f: &mut fmt::Formatter<'_>,
    values: impl Iterator<Item = (&'a Value, &'a DataType)>,
) -> fmt::Result {
    for (i, (value, data_type)) in values.enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{}", value.show(data_type))?;
    }
    Ok(())
}
