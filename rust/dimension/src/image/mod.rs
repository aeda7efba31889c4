//! The image of a dimension: its rows as packed bytes in memory, in shards by key group, and in
//! each shard an index on the key.
//!
//! ```text
//! key columns --KeyEncoder--> key --Image::find(group, key)--> Rows --Row::read(Projection)--> columns
//! ```
//!
//! [`Survey`] and [`ImageBuilder`] make an image from the columns of batches; [`Image::find`]
//! allocates nothing, and neither does reading a row.

mod builder;
mod key;
mod projection;
mod store;

use std::path::Path;
use std::sync::Arc;

use pelton_data::Field;
use pelton_data::binary_row::RowError;
use pelton_data::columns::Columns;

use crate::definition::Definition;
use crate::error::Error;
use crate::{hive, load};

pub use builder::{Duplicates, ImageBuilder, Refusal, Refused, Shape, Survey};
pub use key::KeyEncoder;
pub use projection::Projection;

use store::Store;

/// A dimension in memory: immutable, shared by all who look things up in it.
#[derive(Debug)]
pub struct Image {
    hive_partition: String,
    /// Of the rows, in the order they were wanted.
    columns: Arc<[Field]>,
    /// One a key group; `None` is not loaded. Lookups inside a decision have one key group.
    shards: Box<[Option<Arc<Store>>]>,
    skipped: u64,
}

/// A lookup in a key group that is not in this image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key group {group} of {max_parallelism} is not loaded here")]
pub struct NotLoaded {
    /// Of the key.
    pub group: u32,
    /// How many key groups there are.
    pub max_parallelism: u32,
}

/// The rows of one key: none, one, or several in the order of the files.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    row: Option<Row<'a>>,
}

/// A packed row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    bytes: &'a [u8],
}

impl Image {
    /// Loads the Hive partition that the definition chooses. `wanted` are the columns of the rows,
    /// in their order; directory levels count as columns.
    pub fn load(definition: &Definition, metadata: &Path, wanted: &[&str]) -> Result<Image, Error> {
        let partition = hive::choose(definition, metadata)?;
        let mut image = load::load(definition, &partition, wanted)?;
        if image.rows() < definition.min_rows {
            let message = format!(
                "{} has {} rows, fewer than `min_rows = {}`",
                partition.directory.display(),
                image.rows(),
                definition.min_rows
            );
            return Err(Error::Refused(message));
        }
        image.hive_partition = partition.name;
        Ok(image)
    }

    /// The rows of a key that [`KeyEncoder::encode`] wrote. `group` is its key group, 0 where
    /// [`max_parallelism`](Image::max_parallelism) is 1.
    #[inline]
    pub fn find(&self, group: u32, key: &[u8]) -> Result<Rows<'_>, NotLoaded> {
        let row = self.shard(group)?.find(key).map(|bytes| Row { bytes });
        Ok(Rows { row })
    }

    #[inline]
    fn shard(&self, group: u32) -> Result<&Store, NotLoaded> {
        let shard = self.shards.get(group as usize).and_then(Option::as_deref);
        shard.ok_or(NotLoaded {
            group,
            max_parallelism: self.max_parallelism(),
        })
    }

    /// How many key groups there are; 1: the image is whole, and every key is in group 0.
    pub fn max_parallelism(&self) -> u32 {
        self.shards.len() as u32
    }

    /// The Hive partition that was loaded, as `dt=2013-01-02`; empty for a table without levels.
    pub fn hive_partition(&self) -> &str {
        &self.hive_partition
    }

    /// The columns of the rows, in their order: what a [`Projection`] counts.
    pub fn columns(&self) -> &[Field] {
        &self.columns
    }

    /// How many rows can be found.
    pub fn rows(&self) -> u64 {
        self.loaded().map(|shard| shard.len() as u64).sum()
    }

    /// How many rows of the files were left out because a NULL stands in their key.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The memory of rows and index in bytes.
    pub fn bytes(&self) -> usize {
        self.loaded().map(Store::bytes).sum()
    }

    fn loaded(&self) -> impl Iterator<Item = &Store> {
        self.shards.iter().flatten().map(Arc::as_ref)
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    #[inline]
    fn next(&mut self) -> Option<Row<'a>> {
        self.row.take()
    }
}

impl Row<'_> {
    /// Reads the chosen columns into row `at` of the columns. Strings go to their heap.
    #[inline]
    pub fn read(
        &self,
        projection: &Projection,
        columns: &mut Columns,
        at: usize,
    ) -> Result<(), RowError> {
        projection.reader.read(self.bytes, columns, at)
    }
}
