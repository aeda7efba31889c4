//! Which rows of a batch an image holds, and under which keys.

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, MemoryError};
use pelton_data::key_group;

use crate::groups::Groups;

use super::index::hash;
use super::{KeyEncoder, Shape};

/// Which rows of a batch an image holds, and under which keys.
#[derive(Debug)]
pub(super) struct Selection {
    encoder: KeyEncoder,
    /// Flink's key, which says the key group.
    writer: RowWriter,
    binary_row: Vec<u8>,
    /// Which key groups are held.
    groups: Groups,
    /// The rows that are held, by number.
    pub(super) rows: Vec<u32>,
    /// The key group of each.
    pub(super) row_groups: Vec<u32>,
    keys: Vec<u8>,
    ends: Vec<usize>,
    /// Rows without a whole key, of all batches.
    pub(super) skipped: u64,
}

impl Selection {
    pub(super) fn new(shape: &Shape) -> Selection {
        Selection {
            encoder: KeyEncoder::new(&shape.key),
            writer: RowWriter::new(&shape.key),
            binary_row: Vec::new(),
            groups: shape.groups.clone(),
            rows: Vec::new(),
            row_groups: Vec::new(),
            keys: Vec::new(),
            ends: Vec::new(),
            skipped: 0,
        }
    }

    /// Chooses among the first `rows` rows of a batch.
    pub(super) fn choose(&mut self, columns: &Columns, rows: usize) -> Result<(), MemoryError> {
        self.rows.clear();
        self.row_groups.clear();
        self.keys.clear();
        self.ends.clear();
        for row in 0..rows {
            let start = self.keys.len();
            if !self.encoder.append(columns, row, &mut self.keys)? {
                self.keys.truncate(start);
                self.skipped += 1;
                continue;
            }
            let group = self.group(columns, row)?;
            if !self.groups.contains(group) {
                self.keys.truncate(start);
                continue;
            }
            self.rows.push(row as u32);
            self.row_groups.push(group);
            self.ends.push(self.keys.len());
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

    /// The key of the chosen row with this number, and its hash.
    pub(super) fn key(&self, number: usize) -> (&[u8], u64) {
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        let key = &self.keys[start..self.ends[number]];
        (key, hash(key))
    }
}
