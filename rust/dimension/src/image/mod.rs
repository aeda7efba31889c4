//! The image of a dimension: its rows as packed bytes in memory, with an index on the key.
//!
//! ```text
//! columns --KeyColumns--> Key --Image::find(group, key)--> Rows --Row::read(Projection)--> columns
//! ```
//!
//! [`Survey`] and [`ImageBuilder`] make an image from the columns of batches; [`Image::find`]
//! allocates nothing, and neither does reading a row.

mod arena;
mod bits;
mod builder;
mod coding;
mod dictionary;
mod hash;
mod index;
mod inspect;
mod key;
mod layout;
mod memory;
mod pack;
mod projection;
mod select;
mod shape;
mod shard;
mod statistics;
mod survey;
mod symbols;
mod together;

use std::path::Path;
use std::sync::Arc;

use pelton_data::Field;
use pelton_data::columns::{Columns, MemoryError};

use crate::definition::Definition;
use crate::error::Error;
use crate::inspection::Inspection;

pub use builder::ImageBuilder;
pub use inspect::ColumnStatistics;
pub use key::{Key, KeyColumns};
pub use projection::Projection;
pub use shape::{Duplicates, Refusal, Refused, Shape};
pub use survey::Survey;
pub use together::{ReadError, TOGETHER};

use arena::Place;
use index::Guess;
use layout::RowLayout;
use shard::Shard;
use together::last_byte;

/// A dimension in memory: immutable, shared by all who look things up in it.
#[derive(Debug)]
pub struct Image {
    pub(crate) hive_partition: String,
    /// How many rows its files have, of all key groups.
    pub(crate) file_rows: u64,
    /// Of the rows, in the order they were wanted.
    columns: Arc<[Field]>,
    /// For each key group the rows of the load that brought it; `None` is not loaded. Lookups inside a
    /// decision have one key group.
    shards: Box<[Option<Arc<Shard>>]>,
    skipped: u64,
    duplicates: u64,
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
    shard: &'a Shard,
    next: Option<Place>,
    last: Place,
}

/// A packed row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    layout: &'a RowLayout,
    /// From its first byte to the end of its segment.
    bytes: &'a [u8],
}

/// A lookup on its way: between its steps the memory that it needs next is fetched, so that many
/// at once wait together.
///
/// `let mut probe = image.probe(group, &key)?; image.approach(&mut probe); image.rows_of(&probe, &key)?`
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    group: u32,
    hash: u64,
    /// Where the key's row is, as far as its tag tells.
    guess: Option<Place>,
}

impl Image {
    /// Loads the Hive partitions that the definition chooses (as of a time: the newest one), as one
    /// image of all key groups.
    /// `wanted` are the columns of the rows, in their order; directory levels count as columns.
    pub fn load(definition: &Definition, metadata: &Path, wanted: &[&str]) -> Result<Image, Error> {
        Inspection::open(definition, metadata)?.image(wanted)
    }

    /// The rows of a key. `group` is its key group, 0 where
    /// [`max_parallelism`](Image::max_parallelism) is 1.
    #[inline]
    pub fn find(&self, group: u32, key: &Key<'_>) -> Result<Rows<'_>, NotLoaded> {
        Ok(self.shard(group)?.find(key.hash(), key))
    }

    /// Begins a lookup: asks for the part of the index that knows the key.
    #[inline]
    pub fn probe(&self, group: u32, key: &Key<'_>) -> Result<Probe, NotLoaded> {
        let hash = key.hash();
        let index = &self.shard(group)?.index;
        index.prefetch(index.first(hash));
        let guess = None;
        Ok(Probe { group, hash, guess })
    }

    /// Goes on with a lookup that this image began: asks for the row, whose place the index knows
    /// by now.
    #[inline]
    pub fn approach(&self, probe: &mut Probe) {
        if let Ok(shard) = self.shard(probe.group)
            && let bucket = shard.index.first(probe.hash)
            && let Guess::At(place) = shard.index.guess(bucket, probe.hash)
        {
            shard.arena.approach(place, last_byte(shard.layout.stride));
            probe.guess = Some(place);
        }
    }

    /// Ends a lookup that this image began, of the same key.
    #[inline]
    pub fn rows_of(&self, probe: &Probe, key: &Key<'_>) -> Result<Rows<'_>, NotLoaded> {
        let shard = self.shard(probe.group)?;
        match probe.guess.filter(|place| shard.is_key(*place, key)) {
            Some(place) => Ok(Rows::of(shard, place)),
            None => Ok(shard.find(probe.hash, key)),
        }
    }

    #[inline]
    fn shard(&self, group: u32) -> Result<&Shard, NotLoaded> {
        let shard = self.shards.get(group as usize).and_then(Option::as_deref);
        shard.ok_or(NotLoaded {
            group,
            max_parallelism: self.max_parallelism(),
        })
    }

    /// This image with the key groups of another that are not loaded here.
    ///
    /// # Panics
    /// If they do not have the same columns and as many key groups.
    pub fn merge(&self, other: &Image) -> Image {
        assert_eq!(self.columns, other.columns, "images of the same columns");
        assert_eq!(self.shards.len(), other.shards.len(), "as many key groups");
        let shards = self.shards.iter().zip(&other.shards);
        Image {
            hive_partition: self.hive_partition.clone(),
            file_rows: self.file_rows,
            columns: self.columns.clone(),
            shards: shards
                .map(|(mine, new)| mine.clone().or(new.clone()))
                .collect(),
            skipped: self.skipped,
            duplicates: self.duplicates + other.duplicates,
        }
    }

    /// Whether a key group is loaded.
    pub fn has_group(&self, group: u32) -> bool {
        self.shard(group).is_ok()
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
        self.loaded().map(|shard| shard.rows).sum()
    }

    /// How many rows of the files were left out because a NULL stands in their key.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many rows of the files had a key that was there already, where one row a key is kept.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The memory of rows, index and dictionaries in bytes.
    pub fn bytes(&self) -> u64 {
        self.loaded().map(Shard::bytes).sum()
    }

    /// What was loaded, load by load.
    fn loaded(&self) -> impl Iterator<Item = &Shard> {
        let mut loaded: Vec<&Arc<Shard>> = Vec::new();
        for shard in self.shards.iter().flatten() {
            if !loaded.iter().any(|known| Arc::ptr_eq(known, shard)) {
                loaded.push(shard);
            }
        }
        loaded.into_iter().map(Arc::as_ref)
    }
}

impl Row<'_> {
    /// Reads the chosen columns into row `at` of the columns. Strings go to their heap; nothing
    /// else is allocated.
    #[inline]
    pub fn read(
        &self,
        projection: &Projection,
        columns: &mut Columns,
        at: usize,
    ) -> Result<(), MemoryError> {
        for (number, slot) in &projection.chosen {
            let column = &self.layout.columns[*number as usize];
            column.read(self.bytes, *slot, columns, at)?;
        }
        Ok(())
    }
}
