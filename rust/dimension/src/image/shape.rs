//! What an image is made of, and why a row cannot be part of it.

use pelton_data::columns::{MemoryError, Slot};
use pelton_data::{DataType, Field};

use super::KeyColumns;
use crate::groups::Groups;

/// What the rows of an image are, and where they stand in the columns of a batch.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The columns to hold, in the order that a [`Projection`](super::Projection) counts.
    pub columns: Vec<(Field, Slot)>,
    /// The columns of the key, in its order, in their declared types.
    pub key: Vec<(DataType, Slot)>,
    /// What becomes of rows with the same key.
    pub duplicates: Duplicates,
    /// Columns of strings that may be coded by symbols: half as long or less, slower to read.
    pub symbols: Vec<Slot>,
    /// Which key groups to hold.
    pub groups: Groups,
}

impl Shape {
    /// The columns of the key.
    pub fn key_columns(&self) -> KeyColumns {
        KeyColumns::new(self.key.iter().map(|(_, slot)| *slot))
    }
}

/// What becomes of rows with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The key is primary: a second row is an error.
    Error,
    /// The first row stays.
    First,
    /// The last row stays.
    Last,
    /// All stay: a lookup finds several rows.
    All,
}

/// Why a row was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number in the batch.
    pub row: usize,
    /// Why.
    pub why: Refusal,
}

/// Why a row was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key stands twice, where it is primary.
    #[error("a key stands twice")]
    Duplicate,
    /// There is no memory for it.
    #[error("there is no memory for more rows")]
    Memory,
    /// More than the first pass has seen, or than places can count.
    #[error("there are more rows than an image can hold, or than were there when it was begun")]
    Full,
    /// A value that the first pass has not seen.
    #[error("a value was not there when the files were read first: they changed meanwhile")]
    Changed,
}

impl From<MemoryError> for Refusal {
    fn from(_: MemoryError) -> Refusal {
        Refusal::Memory
    }
}
