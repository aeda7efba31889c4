//! From the columns of batches to an image, in two passes over the same rows: a [`Survey`] sees
//! what there is, then an [`ImageBuilder`] packs it.

use std::sync::Arc;

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, MemoryError, Slot};
use pelton_data::{DataType, Field};

use super::store::{self, Store};
use super::{Image, KeyEncoder};

/// What the rows of an image are, and where they stand in the columns of a batch.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The columns to hold, in the order that a [`Projection`](super::Projection) counts.
    pub columns: Vec<(Field, Slot)>,
    /// The columns of the key, in its order.
    pub key: Vec<(DataType, Slot)>,
    /// What becomes of rows with the same key.
    pub duplicates: Duplicates,
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key stands twice, where it is primary.
    #[error("its key stands twice")]
    Duplicate,
    /// There is no memory for it.
    #[error("there is no memory for more rows")]
    Memory,
    /// More than a shard can address.
    #[error("a shard holds at most 32 GiB of rows")]
    Full,
}

/// The first pass: what the columns hold, from which their codings are chosen.
#[derive(Debug)]
pub struct Survey {
    shape: Shape,
    rows: u64,
}

/// The second pass: packs rows.
#[derive(Debug)]
pub struct ImageBuilder {
    shape: Shape,
    key_encoder: KeyEncoder,
    row_writer: RowWriter,
    store: Store,
    skipped: u64,
    /// The row at hand.
    key: Vec<u8>,
    row: Vec<u8>,
}

impl Survey {
    /// Begins the first pass.
    pub fn new(shape: Shape) -> Survey {
        Survey { shape, rows: 0 }
    }

    /// Sees the first `rows` rows of a batch.
    pub fn add(&mut self, _columns: &Columns, rows: usize) -> Result<(), MemoryError> {
        self.rows += rows as u64;
        Ok(())
    }

    /// Ends the first pass and begins the second.
    pub fn into_builder(self) -> Result<ImageBuilder, Refusal> {
        let mut store = Store::default();
        store.reserve(usize::try_from(self.rows).unwrap_or(usize::MAX))?;
        let columns = self.shape.columns.iter();
        let columns: Vec<_> = columns.map(|(f, s)| (f.data_type.clone(), *s)).collect();
        Ok(ImageBuilder {
            key_encoder: KeyEncoder::new(&self.shape.key),
            row_writer: RowWriter::new(&columns),
            shape: self.shape,
            store,
            skipped: 0,
            key: Vec::new(),
            row: Vec::new(),
        })
    }
}

impl ImageBuilder {
    /// Adds the first `rows` rows of a batch.
    pub fn add(&mut self, columns: &Columns, rows: usize) -> Result<(), Refused> {
        (0..rows).try_for_each(|row| self.row(columns, row).map_err(|why| Refused { row, why }))
    }

    fn row(&mut self, columns: &Columns, row: usize) -> Result<(), Refusal> {
        if !self.key_encoder.encode(columns, row, &mut self.key)? {
            self.skipped += 1;
            return Ok(());
        }
        self.row_writer.write_to_vec(columns, row, &mut self.row)?;
        Ok(self.store.insert(&self.key, &self.row)?)
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.store.len() as u64
    }

    /// The image of all rows that were added.
    pub fn finish(self) -> Image {
        let columns = self.shape.columns.into_iter();
        Image {
            hive_partition: String::new(),
            columns: columns.map(|(field, _)| field).collect(),
            shards: Box::new([Some(Arc::new(self.store))]),
            skipped: self.skipped,
        }
    }
}

impl From<MemoryError> for Refusal {
    fn from(_: MemoryError) -> Refusal {
        Refusal::Memory
    }
}

impl From<store::Refused> for Refusal {
    fn from(refused: store::Refused) -> Refusal {
        match refused {
            store::Refused::Duplicate => Refusal::Duplicate,
            store::Refused::Memory => Refusal::Memory,
            store::Refused::Full => Refusal::Full,
        }
    }
}
