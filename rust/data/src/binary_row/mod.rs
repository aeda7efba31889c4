//! A row as Flink's `BinaryRowData` lays it out: what crosses the border to Java, and what a
//! dimension keeps.
//!
//! ```text
//! byte 0          1                    h              h + 8 * arity
//! +--------------+--------------------+--------------+----------------------+
//! | row kind (0) | null bits, padding | 8 bytes each | variable-length part |
//! +--------------+--------------------+--------------+----------------------+
//!                 bit i of byte 1 on: field i is NULL, its 8 bytes are 0
//!                 h = (8 + arity) bits, rounded up to 8 bytes
//!
//! the 8 bytes of a field, all numbers little-endian:
//!   BOOLEAN to DOUBLE, DATE       | value         | 0 ...                  |
//!   TIMESTAMP(p), p <= 3          | milliseconds                           |
//!   TIMESTAMP(p), p > 3           | nanos (u32)   | offset (u32)           |  -> 8 bytes of milliseconds
//!   string of at most 7 bytes     | its bytes, 0 ...             | 80 + len |
//!   longer string                 | length (u32)  | offset (u32)           |  -> its bytes, 0 to a multiple of 8
//! ```
//!
//! Offsets count from the row's first byte. Flink writes the NULL of a `TIMESTAMP(p)`, p > 3, in
//! two ways: rows without, keys with 8 unused bytes in the variable-length part. Both are read;
//! the first is written.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{RowError, RowReader};
pub use writer::RowWriter;

use crate::columns::{Physical, Slot};
use crate::types::DataType;

/// A type whose values do not go into rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("values of type {0} are not supported")]
pub struct NotSupported(pub DataType);

/// How a field's 8 bytes are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    /// Milliseconds in the field.
    CompactTimestamp,
    /// Nanoseconds in the field, milliseconds in the variable-length part.
    Timestamp,
    Text,
}

impl Kind {
    /// How `data_type` lies in a row, to or from `slot`.
    fn of(data_type: &DataType, slot: Slot) -> Result<Kind, NotSupported> {
        let kind = match data_type {
            DataType::Boolean => Kind::Boolean,
            DataType::TinyInt => Kind::I8,
            DataType::SmallInt => Kind::I16,
            DataType::Int | DataType::Date => Kind::I32,
            DataType::BigInt => Kind::I64,
            DataType::Float => Kind::F32,
            DataType::Double => Kind::F64,
            DataType::Timestamp(0..=3) => Kind::CompactTimestamp,
            DataType::Timestamp(_) => Kind::Timestamp,
            DataType::Char(_) | DataType::Varchar(_) => Kind::Text,
            DataType::Decimal { .. }
            | DataType::Binary(_)
            | DataType::Varbinary(_)
            | DataType::Time(_)
            | DataType::TimestampLtz(_)
            | DataType::Array(_)
            | DataType::Map(..)
            | DataType::Row(_) => return Err(NotSupported(data_type.clone())),
        };
        debug_assert_eq!(Some(slot.physical), Physical::of(data_type));
        Ok(kind)
    }
}

/// The bytes before the first field: row kind and null bits.
const fn header_bytes(arity: usize) -> usize {
    (arity + 8).div_ceil(64) * 8
}

/// The mark of a string that lies in the field itself; the low 7 bits are its length.
const INLINE: u8 = 0x80;

/// The longest string that lies in the field itself, in bytes.
const MAX_INLINE: usize = 7;
