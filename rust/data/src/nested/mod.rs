//! `ARRAY`, `MAP` and `ROW` as Flink lays them out: read in place, and written.
//!
//! ```text
//! ARRAY  | length n (u32) | null bits, to a multiple of 4 bytes | n elements, to a multiple of 8 | variable-length part |
//!         an element of BOOLEAN to DOUBLE, DATE, TIME takes 1 to 8 bytes, any other one 8, as in a row
//! MAP    | bytes of the keys (u32) | ARRAY of the keys | ARRAY of the values |
//! ROW    as in [`crate::binary_row`]
//! ```
//!
//! Offsets count from the first byte of the array or row that holds them. Bytes that are none are
//! errors, wherever they are broken.

#[cfg(test)]
mod tests;
mod view;
mod writer;

pub use view::{ArrayView, FieldReader, MapView, RowView, read_element};
pub use writer::{ArrayWriter, RowBuilder, map_bytes};

use crate::binary_row::{CellError, Kind};
use crate::columns::MemoryError;

/// Bytes that are no `ARRAY`, `MAP` or `ROW`, or no memory for what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NestedError {
    /// The value ends before its last element.
    #[error("the {what} has {len} bytes, but needs {needed}")]
    TooShort {
        /// "ARRAY of 3 elements"
        what: String,
        /// Bytes that there are.
        len: usize,
        /// Bytes that it takes at least.
        needed: usize,
    },
    /// A map's keys are not as many as its values.
    #[error("the MAP has {keys} keys and {values} values")]
    Pairs {
        /// How many keys there are.
        keys: usize,
        /// How many values there are.
        values: usize,
    },
    /// A part holds no value of its type.
    #[error("{what} {index} {cause}")]
    Part {
        /// "element" or "field"
        what: &'static str,
        /// Its number, counted from 0.
        index: usize,
        /// What is wrong with it.
        cause: CellError,
    },
    /// The parts are larger than what holds them: they lie over each other.
    #[error("the parts of the {what} have more bytes than its own {len}")]
    Overlap {
        /// "ARRAY", "MAP" or "ROW"
        what: &'static str,
        /// Bytes that there are.
        len: usize,
    },
    /// No memory, or more bytes than a row may have.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// The bytes of an array before its first element.
fn array_header(len: usize) -> usize {
    4 + len.div_ceil(32) * 4
}

impl Kind {
    /// The own bytes of an element.
    fn width(self) -> usize {
        match self {
            Kind::Boolean | Kind::I8 => 1,
            Kind::I16 => 2,
            Kind::I32 | Kind::F32 => 4,
            _ => 8,
        }
    }
}
