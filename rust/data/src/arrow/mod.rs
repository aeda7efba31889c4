//! Columns to and from Arrow arrays: how files are read and written.
//!
//! Reading never loses anything: a file's column goes into a type that holds all its values
//! (`Int32` into `BIGINT`), or, where that depends on the value (`Timestamp(µs)` into
//! `TIMESTAMP(3)`), each value is checked. Anything else is an error that names both types.

mod load;
mod nested;
mod store;
#[cfg(test)]
mod tests;

pub use load::{fits, load, load_validity};
pub use store::store;

use std::fmt;

use arrow_schema::{DataType as ArrowType, TimeUnit};

use crate::columns::MemoryError;
use crate::nested::NestedError;
use crate::types::{DataType, Field, MAX_LENGTH};

/// Why an Arrow array does not become a column, or a column no array.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Some values of the array's type have no place in the column's type.
    #[error(
        "it holds {}, which does not fit {wanted} without loss",
        FileType(found)
    )]
    Type {
        /// The array's type.
        found: ArrowType,
        /// The column's type.
        wanted: DataType,
    },
    /// A value has no place in the column's type.
    #[error("the value {value} in row {row} does not fit {wanted} without loss")]
    Value {
        /// The row of the array, counted from 0.
        row: usize,
        /// The value.
        value: String,
        /// The type it should have.
        wanted: String,
    },
    /// The bytes of a nested value are none.
    #[error("the value in row {row} is broken: {cause}")]
    Broken {
        /// The row, counted from 0.
        row: usize,
        /// What is wrong with it.
        cause: NestedError,
    },
    /// No memory for strings and nested values.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl ConvertError {
    /// The same error of an array that begins at row `first` of something longer.
    pub fn in_rows_from(self, first: usize) -> ConvertError {
        self.in_row(|row| first + row)
    }

    /// The same error of what holds the array: there it stands in another row.
    fn in_row(mut self, of: impl FnOnce(usize) -> usize) -> ConvertError {
        if let ConvertError::Value { row, .. } | ConvertError::Broken { row, .. } = &mut self {
            *row = of(*row);
        }
        self
    }
}

/// A file's type as SQL says it, where it does, and as Arrow says it.
struct FileType<'a>(&'a ArrowType);

impl fmt::Display for FileType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match from_arrow(self.0) {
            Some(data_type) => write!(f, "{data_type} (Arrow {})", self.0),
            None => write!(f, "Arrow {}", self.0),
        }
    }
}

/// The Arrow type that columns of `data_type` are written as.
pub fn to_arrow(data_type: &DataType) -> ArrowType {
    match data_type {
        DataType::Boolean => ArrowType::Boolean,
        DataType::TinyInt => ArrowType::Int8,
        DataType::SmallInt => ArrowType::Int16,
        DataType::Int => ArrowType::Int32,
        DataType::BigInt => ArrowType::Int64,
        DataType::Float => ArrowType::Float32,
        DataType::Double => ArrowType::Float64,
        DataType::Decimal { precision, scale } => ArrowType::Decimal128(*precision, *scale as i8),
        DataType::Char(_) | DataType::Varchar(_) => ArrowType::Utf8,
        DataType::Binary(_) | DataType::Varbinary(_) => ArrowType::Binary,
        DataType::Date => ArrowType::Date32,
        DataType::Time(_) => ArrowType::Time32(TimeUnit::Millisecond),
        DataType::Timestamp(precision) => ArrowType::Timestamp(unit(*precision), None),
        DataType::TimestampLtz(precision) => {
            ArrowType::Timestamp(unit(*precision), Some("UTC".into()))
        }
        DataType::Array(element) => ArrowType::List(nested::element_field("element", element)),
        DataType::Map(key, value) => ArrowType::Map(nested::entries_field(key, value), false),
        DataType::Row(fields) => ArrowType::Struct(nested::struct_fields(fields)),
    }
}

/// The type that holds the values of an Arrow type, if there is one.
pub fn from_arrow(arrow: &ArrowType) -> Option<DataType> {
    Some(match arrow {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 => DataType::TinyInt,
        ArrowType::Int16 | ArrowType::UInt8 => DataType::SmallInt,
        ArrowType::Int32 | ArrowType::UInt16 => DataType::Int,
        ArrowType::Int64 | ArrowType::UInt32 => DataType::BigInt,
        ArrowType::Float32 => DataType::Float,
        ArrowType::Float64 => DataType::Double,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::STRING,
        ArrowType::Dictionary(_, value) => return from_arrow(value),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => {
            DataType::Varbinary(MAX_LENGTH)
        }
        ArrowType::FixedSizeBinary(length) => DataType::Binary(u32::try_from(*length).ok()?),
        ArrowType::Decimal32(precision, scale)
        | ArrowType::Decimal64(precision, scale)
        | ArrowType::Decimal128(precision, scale) => DataType::Decimal {
            precision: *precision,
            scale: u8::try_from(*scale).ok()?,
        },
        ArrowType::Date32 => DataType::Date,
        ArrowType::Time32(unit) | ArrowType::Time64(unit) => DataType::Time(digits(unit)),
        ArrowType::Timestamp(unit, None) => DataType::Timestamp(digits(unit)),
        ArrowType::Timestamp(unit, Some(_)) => DataType::TimestampLtz(digits(unit)),
        ArrowType::List(field)
        | ArrowType::LargeList(field)
        | ArrowType::FixedSizeList(field, _) => {
            DataType::Array(Box::new(nested::element_of(field)?))
        }
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(pair) if pair.len() == 2 => DataType::Map(
                Box::new(nested::element_of(&pair[0])?),
                Box::new(nested::element_of(&pair[1])?),
            ),
            _ => return None,
        },
        ArrowType::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                Some(Field {
                    name: field.name().clone(),
                    data_type: from_arrow(field.data_type())?,
                    nullable: field.is_nullable(),
                })
            });
            DataType::Row(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// The coarsest unit that Parquet has, too, with all digits of a precision.
fn unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// The digits behind the second.
fn digits(unit: &TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    }
}
