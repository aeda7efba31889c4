//! The second pass over the rows: packs them into a shard.

use std::sync::Arc;

use pelton_data::columns::{Columns, Layout, Slot};

use super::index::Index;
use super::pack::Packer;
use super::select::Selection;
use super::shard::{Inserted, Shard};
use super::{Duplicates, Image, KeyColumns, Refusal, Refused, Shape};
use crate::batch::Batch;

/// So many rows before a row's turn its part of the index is asked for.
const AHEAD: usize = 16;

/// The second pass: packs rows.
#[derive(Debug)]
pub struct ImageBuilder {
    shape: Shape,
    key: KeyColumns,
    selection: Selection,
    packer: Packer,
    shard: Shard,
    again: u64,
}

impl ImageBuilder {
    /// `slots`: of each column of the layout.
    pub(super) fn new(shape: Shape, slots: Vec<Slot>, shard: Shard) -> ImageBuilder {
        ImageBuilder {
            key: shape.key_columns(),
            selection: Selection::new(&shape),
            packer: Packer::new(shard.layout.clone(), slots),
            shape,
            shard,
            again: 0,
        }
    }

    /// Adds the rows of a batch that the first pass has seen.
    pub fn add(&mut self, batch: Batch<'_>) -> Result<(), Refused> {
        let selection = &mut self.selection;
        let chosen = selection.choose(batch.columns, batch.rows);
        chosen.map_err(|error| Refused {
            row: 0,
            why: error.into(),
        })?;
        self.packer.pack(batch, &selection.rows)?;
        for (number, (row, hash)) in selection.rows.iter().zip(&selection.hashes).enumerate() {
            let row = *row as usize;
            // It was chosen because it has a key.
            let Some(key) = self.key.key(batch.columns, row) else {
                continue;
            };
            let packed = self.packer.row(number);
            if let Some(hash) = selection.hashes.get(number + AHEAD) {
                let index = &self.shard.index;
                index.prefetch(index.first(*hash));
            }
            let inserted = self
                .shard
                .insert(*hash, &key, packed, self.shape.duplicates);
            match inserted.map_err(|why| Refused { row, why })? {
                Inserted::New => {}
                Inserted::Again => self.again += 1,
            }
        }
        Ok(())
    }

    /// How many rows are held so far.
    pub fn rows(&self) -> u64 {
        self.shard.rows
    }

    /// The memory of rows, index and dictionaries so far, in bytes.
    pub fn bytes(&self) -> u64 {
        self.shard.bytes()
    }

    /// The image of all rows that were added.
    pub fn finish(mut self) -> Result<Image, Refusal> {
        if self.shard.index.is_roomy() {
            self.shard.index = smaller_index(&self.shard, &self.shape)?;
        }
        let shard = Arc::new(self.shard);
        let groups = &self.shape.groups;
        let shards = (0..groups.max_parallelism())
            .map(|group| groups.contains(group).then(|| shard.clone()));
        let columns = self.shape.columns.into_iter();
        Ok(Image {
            hive_partition: String::new(),
            file_rows: 0,
            shards: shards.collect(),
            columns: columns.map(|(field, _)| field).collect(),
            skipped: self.selection.skipped,
            duplicates: match self.shape.duplicates {
                Duplicates::All => 0,
                _ => self.again,
            },
        })
    }
}

/// The index of a shard whose rows have fewer keys than there was room for.
fn smaller_index(shard: &Shard, shape: &Shape) -> Result<Index, Refusal> {
    let mut layout = Layout::default();
    let slots = shape.key.iter().map(|(_, slot)| layout.add(slot.physical));
    let slots: Vec<Slot> = slots.collect();
    let key = KeyColumns::new(slots);
    let mut columns = Columns::new(&layout, 1)?;
    let mut index = Index::new(shard.index.keys())?;
    for place in shard.index.places() {
        let row = shard.arena.row(place);
        columns.clear();
        for (column, slot) in shard.layout.key.iter().zip(key.slots()) {
            shard.layout.columns[*column].read(row, *slot, &mut columns, 0)?;
        }
        if let Some(key) = key.key(&columns, 0) {
            index.insert(key.hash(), place)?;
        }
    }
    Ok(index)
}
