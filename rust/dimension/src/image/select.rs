//! Which rows of a batch an image holds, and in which key groups.

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, MemoryError};
use pelton_data::key_group;

use crate::groups::Groups;

use super::{KeyColumns, Shape};

/// Which rows of a batch an image holds, and in which key groups.
#[derive(Debug)]
pub(super) struct Selection {
    key: KeyColumns,
    /// Flink's key, which says the key group.
    writer: RowWriter,
    binary_row: Vec<u8>,
    /// Which key groups are held.
    groups: Groups,
    /// The rows that are held, by number.
    pub(super) rows: Vec<u32>,
    /// The key group of each.
    pub(super) row_groups: Vec<u32>,
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
            groups: shape.groups.clone(),
            rows: Vec::new(),
            row_groups: Vec::new(),
            hashes: Vec::new(),
            skipped: 0,
        }
    }

    /// Chooses among the first `rows` rows of a batch.
    pub(super) fn choose(&mut self, columns: &Columns, rows: usize) -> Result<(), MemoryError> {
        self.rows.clear();
        self.row_groups.clear();
        self.hashes.clear();
        for row in 0..rows {
            let Some(hash) = self.key.key(columns, row).map(|key| key.hash()) else {
                self.skipped += 1;
                continue;
            };
            let group = self.group(columns, row)?;
            if !self.groups.contains(group) {
                continue;
            }
            self.rows.push(row as u32);
            self.row_groups.push(group);
            self.hashes.push(hash);
        }
        Ok(())
    }

    fn group(&mut self, columns: &Columns, row: usize) -> Result<u32, MemoryError> {
        if self.groups.max_parallelism() == 1 {
            return Ok(0);
        }
        self.writer
            .write_to_vec(columns, row, &mut self.binary_row)?;
        let hash = key_group::hash(&self.binary_row);
        Ok(key_group::group(hash, self.groups.max_parallelism()))
    }
}
