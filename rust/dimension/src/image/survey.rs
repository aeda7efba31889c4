//! The first pass over the rows: what the columns hold, from which their codings are chosen.

use std::sync::Arc;

use pelton_data::columns::Slot;

use super::arena::Arena;
use super::index::Index;
use super::layout::RowLayout;
use super::select::Selection;
use super::shard::Shard;
use super::statistics::{Statistics, Values};
use super::symbols::LONGER;
use super::{ImageBuilder, Refusal, Refused, Shape};
use crate::batch::Batch;

/// The first pass: what the columns hold, from which their codings are chosen.
#[derive(Debug)]
pub struct Survey {
    shape: Shape,
    selection: Selection,
    /// The columns to read, then those of the key that are not among them.
    columns: Vec<(Slot, Statistics)>,
    /// The numbers of the key's columns.
    key: Vec<usize>,
    /// Rows that an image of them will hold.
    rows: u64,
}

impl Survey {
    /// Begins the first pass.
    pub fn new(shape: Shape) -> Survey {
        let mut slots: Vec<Slot> = shape.columns.iter().map(|(_, slot)| *slot).collect();
        let mut key = Vec::new();
        for (_, slot) in &shape.key {
            let known = slots.iter().position(|other| other == slot);
            key.push(known.unwrap_or(slots.len()));
            if known.is_none() {
                slots.push(*slot);
            }
        }
        let columns = slots.into_iter();
        let columns = columns.map(|slot| {
            (
                slot,
                Statistics::new(slot.physical, shape.symbols.contains(&slot)),
            )
        });
        Survey {
            selection: Selection::new(&shape),
            columns: columns.collect(),
            key,
            rows: 0,
            shape,
        }
    }

    /// Sees the rows of a batch.
    pub fn add(&mut self, batch: Batch<'_>) -> Result<(), Refused> {
        let memory = |why| Refused { row: 0, why };
        let chosen = self.selection.choose(batch.columns, batch.rows);
        chosen.map_err(|error| memory(error.into()))?;
        self.rows += self.selection.rows.len() as u64;
        for (slot, statistics) in &mut self.columns {
            let seen = statistics.see(batch, *slot, &self.selection.rows);
            seen.map_err(memory)?;
        }
        Ok(())
    }

    /// Ends the first pass and begins the second.
    pub fn into_builder(self) -> Result<ImageBuilder, Refusal> {
        let slots = self.columns.iter().map(|(slot, _)| *slot).collect();
        let texts = self.columns.iter().map(|(_, seen)| seen.text_bytes());
        let texts: Vec<u64> = texts.collect();
        let layout = RowLayout::new(self.columns, &self.key, self.shape.duplicates);
        let tails: u64 = layout.tail.iter().map(|column| texts[*column]).sum();
        let expected = layout.stride as u64 * self.rows + tails;
        // Symbols make strings shorter, but for a few.
        let longer = LONGER * self.rows * layout.tail.len() as u64;
        let shard = Shard {
            layout: Arc::new(layout),
            arena: Arena::new(expected, expected + longer),
            index: Index::new(self.rows)?,
            rows: 0,
        };
        Ok(ImageBuilder::new(self.shape, slots, shard))
    }
}

impl Statistics {
    /// Bytes of all strings.
    fn text_bytes(&self) -> u64 {
        match &self.values {
            Values::Texts(texts) => texts.total,
            _ => 0,
        }
    }
}
