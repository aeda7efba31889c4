//! Which rows of a batch an image holds.

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, MemoryError, Native, Physical, Slot};
use pelton_data::key_group;

use crate::groups::Groups;

use super::{KeyColumns, Shape};

/// Which rows of a batch an image holds.
#[derive(Debug)]
pub(super) struct Selection {
    key: KeyColumns,
    /// Flink's key, which says the key group.
    writer: RowWriter,
    binary_row: Vec<u8>,
    /// Which key groups are held, and whether that is all of them.
    groups: Groups,
    holds_all: bool,
    /// The rows that are held, by number.
    pub(super) rows: Vec<u32>,
    /// The hash of each one's key.
    pub(super) hashes: Vec<u64>,
    /// Rows without a whole key, of all batches.
    pub(super) skipped: u64,
}

impl Selection {
    pub(super) fn new(shape: &Shape) -> Selection {
        Selection {
            key: shape.key_columns(),
            writer: RowWriter::new(&shape.key),
            binary_row: Vec::new(),
            holds_all: shape.groups.is_whole(),
            groups: shape.groups.clone(),
            rows: Vec::new(),
            hashes: Vec::new(),
            skipped: 0,
        }
    }

    /// Chooses among the first `rows` rows of a batch.
    pub(super) fn choose(&mut self, columns: &Columns, rows: usize) -> Result<(), MemoryError> {
        self.rows.clear();
        self.hashes.clear();
        for row in 0..rows {
            let Some(hash) = self.key.key(columns, row).map(|key| key.hash()) else {
                self.skipped += 1;
                continue;
            };
            if self.is_held(columns, row)? {
                self.rows.push(row as u32);
                self.hashes.push(hash);
            }
        }
        Ok(())
    }

    /// Whether a row is of a key group that is held.
    fn is_held(&mut self, columns: &Columns, row: usize) -> Result<bool, MemoryError> {
        if self.holds_all {
            return Ok(true);
        }
        self.writer
            .write_to_vec(columns, row, &mut self.binary_row)?;
        let hash = key_group::hash(&self.binary_row);
        let group = key_group::group(hash, self.groups.max_parallelism());
        Ok(self.groups.contains(group))
    }
}

/// A column of the chosen rows of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'a> {
    columns: &'a Columns,
    slot: Slot,
    /// By number, ascending.
    rows: &'a [u32],
    /// How many of them are NULL. Most columns have none, and no row of them has to be asked.
    pub(super) nulls: usize,
}

impl<'a> Chosen<'a> {
    pub(super) fn new(columns: &'a Columns, slot: Slot, rows: &'a [u32]) -> Chosen<'a> {
        let is_null = |row: &&u32| !columns.is_valid(slot, **row as usize);
        let nulls = match rows.last() {
            // They ascend: these are the first rows, all of them.
            Some(last) if *last as usize + 1 == rows.len() => columns.nulls(slot, rows.len()),
            _ => rows.iter().filter(is_null).count(),
        };
        Chosen {
            columns,
            slot,
            rows,
            nulls,
        }
    }

    pub(super) fn physical(&self) -> Physical {
        self.slot.physical
    }

    /// The rows by number, and their values; `None` where they are NULL.
    #[inline(always)]
    pub(super) fn rows<T: Native + 'a>(self) -> impl Iterator<Item = (usize, Option<T>)> + 'a {
        let values = self.columns.values(self.slot, self.columns.capacity());
        self.rows.iter().map(move |row| {
            let row = *row as usize;
            let is_null = self.nulls > 0 && !self.columns.is_valid(self.slot, row);
            (row, (!is_null).then(|| values[row]))
        })
    }

    /// The values of the rows that are not NULL.
    #[inline(always)]
    pub(super) fn values<T: Native + 'a>(self) -> impl Iterator<Item = T> + 'a {
        self.rows().filter_map(|(_, value)| value)
    }
}
