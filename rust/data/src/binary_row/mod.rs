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
//!   BOOLEAN to DOUBLE, DATE, TIME | value         | 0 ...                  |
//!   TIMESTAMP(p), p <= 3          | milliseconds                           |
//!   TIMESTAMP(p), p > 3           | nanos (u32)   | offset (u32)           |  -> 8 bytes of milliseconds
//!   DECIMAL(p, s), p <= 18        | unscaled value                         |
//!   DECIMAL(p, s), p > 18         | length (u32)  | offset (u32)           |  -> 16 bytes: the unscaled value, big-endian,
//!                                                                                 as short as it can be, then 0
//!   bytes, at most 7              | the bytes, 0 ...             | 80 + len |
//!   bytes, more                   | length (u32)  | offset (u32)           |  -> the bytes, 0 to a multiple of 8
//!   ARRAY, MAP, ROW               | length (u32)  | offset (u32)           |  -> the value, 0 to a multiple of 8
//! ```
//!
//! TIMESTAMP_LTZ is as TIMESTAMP; bytes are those of CHAR, VARCHAR, BINARY and VARBINARY. Offsets
//! count from the row's first byte. Flink writes the NULL of a wide TIMESTAMP or DECIMAL in two
//! ways: rows without, keys with unused bytes in the variable-length part. Both are read; the
//! first is written.

mod cell;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use cell::CellError;
pub(crate) use cell::{Cell, word};
pub use reader::{RowError, RowReader};
pub use writer::RowWriter;
pub(crate) use writer::{inline_word, shortest};

use crate::types::DataType;

/// How a field's 8 bytes, or an element's 1 to 8, are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
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
    /// The unscaled value of so many digits in the field.
    CompactDecimal(u8),
    /// The unscaled value of so many digits in the variable-length part.
    Decimal(u8),
    /// In the field, or in the variable-length part.
    Bytes,
    /// Always in the variable-length part.
    Nested,
}

impl Kind {
    /// How `data_type` lies in a row.
    pub(crate) fn of(data_type: &DataType) -> Kind {
        match data_type {
            DataType::Boolean => Kind::Boolean,
            DataType::TinyInt => Kind::I8,
            DataType::SmallInt => Kind::I16,
            DataType::Int | DataType::Date | DataType::Time(_) => Kind::I32,
            DataType::BigInt => Kind::I64,
            DataType::Float => Kind::F32,
            DataType::Double => Kind::F64,
            DataType::Timestamp(0..=3) | DataType::TimestampLtz(0..=3) => Kind::CompactTimestamp,
            DataType::Timestamp(_) | DataType::TimestampLtz(_) => Kind::Timestamp,
            DataType::Decimal { precision, .. } if *precision <= MAX_COMPACT => {
                Kind::CompactDecimal(*precision)
            }
            DataType::Decimal { precision, .. } => Kind::Decimal(*precision),
            DataType::Char(_) | DataType::Varchar(_) => Kind::Bytes,
            DataType::Binary(_) | DataType::Varbinary(_) => Kind::Bytes,
            DataType::Array(_) | DataType::Map(..) | DataType::Row(_) => Kind::Nested,
        }
    }
}

/// The bytes before the first field: row kind and null bits.
pub(crate) const fn header_bytes(arity: usize) -> usize {
    (arity + 8).div_ceil(64) * 8
}

/// The mark of bytes that lie in the field itself; the low 7 bits are their number.
const INLINE: u8 = 0x80;

/// So many bytes lie in the field itself at most.
pub(crate) const MAX_INLINE: usize = 7;

/// The most digits of a DECIMAL that lies in the field itself.
const MAX_COMPACT: u8 = 18;

/// What a DECIMAL of more digits takes of the variable-length part.
pub(crate) const DECIMAL_BYTES: usize = 16;
