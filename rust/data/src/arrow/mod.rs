//! Columns to and from Arrow arrays: how files are read and written.
//!
//! Reading never loses anything: a file's column goes into a type that holds all its values
//! (`Int32` into `BIGINT`), or, where that depends on the value (`Timestamp(µs)` into
//! `TIMESTAMP(3)`), each value is checked. Anything else is an error that names both types.

mod load;
mod store;
#[cfg(test)]
mod tests;

pub use load::{fits, load};
pub use store::store;

use std::fmt;

use arrow_schema::{DataType as ArrowType, TimeUnit};

use crate::columns::MemoryError;
use crate::types::DataType;

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
    /// There is no Arrow type for it.
    #[error("values of type {0} are not supported in files")]
    NotSupported(DataType),
    /// No memory for the strings.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl ConvertError {
    /// The same error of an array that begins at row `first` of something longer.
    pub fn in_rows_from(self, first: usize) -> ConvertError {
        match self {
            ConvertError::Value { row, value, wanted } => ConvertError::Value {
                row: first + row,
                value,
                wanted,
            },
            other => other,
        }
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
pub fn to_arrow(data_type: &DataType) -> Result<ArrowType, ConvertError> {
    Ok(match data_type {
        DataType::Boolean => ArrowType::Boolean,
        DataType::TinyInt => ArrowType::Int8,
        DataType::SmallInt => ArrowType::Int16,
        DataType::Int => ArrowType::Int32,
        DataType::BigInt => ArrowType::Int64,
        DataType::Float => ArrowType::Float32,
        DataType::Double => ArrowType::Float64,
        DataType::Char(_) | DataType::Varchar(_) => ArrowType::Utf8,
        DataType::Date => ArrowType::Date32,
        DataType::Timestamp(precision) => ArrowType::Timestamp(unit(*precision), None),
        other => return Err(ConvertError::NotSupported(other.clone())),
    })
}

/// The type that holds the values of an Arrow type, if there is one that columns hold.
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
        ArrowType::Date32 => DataType::Date,
        ArrowType::Timestamp(TimeUnit::Second, _) => DataType::Timestamp(0),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => DataType::Timestamp(3),
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => DataType::Timestamp(6),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => DataType::Timestamp(9),
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

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    }
}
