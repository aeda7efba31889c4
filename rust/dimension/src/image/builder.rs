//! The second pass over the rows: packs them into shards.

use std::sync::Arc;

use pelton_data::columns::{Columns, Layout, Slot};

use super::index::Index;
use super::layout::RowLayout;
use super::pack::Packer;
use super::select::Selection;
use super::shard::{Inserted, Shard};
use super::{Duplicates, Image, KeyColumns, Refusal, Refused, Shape};

/// The second pass: packs rows.
#[derive(Debug)]
pub struct ImageBuilder {
    shape: Shape,
    key: KeyColumns,
    selection: Selection,
    packer: Packer,
    shards: Vec<Option<Shard>>,
    again: u64,
}

impl ImageBuilder {
    /// `slots`: of each column of the layout.
    pub(super) fn new(
        shape: Shape,
        slots: Vec<Slot>,
        layout: Arc<RowLayout>,
        shards: Vec<Option<Shard>>,
    ) -> ImageBuilder {
        ImageBuilder {
            key: shape.key_columns(),
            selection: Selection::new(&shape),
            packer: Packer::new(layout, slots),
            shape,
            shards,
            again: 0,
        }
    }

    /// Adds the first `rows` rows of a batch, one that the first pass has seen.
    pub fn add(&mut self, columns: &Columns, rows: usize) -> Result<(), Refused> {
        let selection = &mut self.selection;
        let chosen = selection.choose(columns, rows);
        chosen.map_err(|error| Refused {
            row: 0,
            why: error.into(),
        })?;
        self.packer.pack(columns, &selection.rows)?;
        for (group, hash) in selection.row_groups.iter().zip(&selection.hashes) {
            if let Some(shard) = &self.shards[*group as usize] {
                shard.index.prefetch(*hash);
            }
        }
        for (number, group) in selection.row_groups.iter().enumerate() {
            let Some(shard) = &mut self.shards[*group as usize] else {
                continue;
            };
            let row = selection.rows[number] as usize;
            // It was chosen because it has a key.
            let Some(key) = self.key.key(columns, row) else {
                continue;
            };
            let packed = self.packer.row(number);
            let hash = selection.hashes[number];
            let inserted = shard.insert(hash, &key, packed, self.shape.duplicates);
            match inserted.map_err(|why| Refused { row, why })? {
                Inserted::New => {}
                Inserted::Again => self.again += 1,
            }
        }
        Ok(())
    }

    /// How many rows are held so far.
    pub fn rows(&self) -> u64 {
        self.shards.iter().flatten().map(|shard| shard.rows).sum()
    }

    /// The memory of rows and indexes so far, in bytes.
    pub fn bytes(&self) -> u64 {
        self.shards.iter().flatten().map(Shard::bytes).sum()
    }

    /// The image of all rows that were added.
    pub fn finish(mut self) -> Result<Image, Refusal> {
        for shard in self.shards.iter_mut().flatten() {
            if shard.index.is_roomy() {
                shard.index = smaller_index(shard, &self.shape)?;
            }
        }
        let shards = self.shards.into_iter().map(|shard| shard.map(Arc::new));
        let columns = self.shape.columns.into_iter();
        Ok(Image {
            hive_partition: String::new(),
            columns: columns.map(|(field, _)| field).collect(),
            shards: shards.collect(),
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
