//! From the columns of a batch to packed rows, a column at a time.
//!
//! ```text
//! fixed: | row 0 | row 1 | ...  of `stride` bytes each      tail: | row 0 | row 1 | ...
//! ```
//!
//! A value that its coding cannot hold is one that the first pass did not see: the files changed
//! meanwhile, and the load is refused.

use std::sync::Arc;

use pelton_data::columns::{Columns, Physical, Slot, Timestamp};

use super::coding::{Coding, Number, PackedColumn, bits_of, scaled, whole};
use super::layout::RowLayout;
use super::statistics::unscaled;
use super::{Refusal, Refused};

/// The packed rows of a batch.
#[derive(Debug)]
pub(super) struct Packer {
    layout: Arc<RowLayout>,
    slots: Vec<Slot>,
    fixed: Vec<u8>,
    tail: Vec<u8>,
    /// Where the tail of each row ends.
    ends: Vec<usize>,
}

impl Packer {
    /// `slots`: of each column of the layout.
    pub(super) fn new(layout: Arc<RowLayout>, slots: Vec<Slot>) -> Packer {
        Packer {
            layout,
            slots,
            fixed: Vec::new(),
            tail: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Packs the given rows of a batch.
    pub(super) fn pack(&mut self, columns: &Columns, rows: &[u32]) -> Result<(), Refused> {
        let stride = self.layout.stride;
        self.fixed.clear();
        // The last row's last number is written as 8 bytes.
        self.fixed.resize(rows.len() * stride + 8, 0);
        for (column, slot) in self.layout.columns.iter().zip(&self.slots) {
            let mut fixed = &mut self.fixed[..];
            for row in rows {
                let written = pack_value(column, columns, *slot, *row as usize, fixed);
                let refused = |why| Refused {
                    row: *row as usize,
                    why,
                };
                written.ok_or(Refusal::Changed).map_err(refused)?;
                fixed = &mut fixed[stride..];
            }
        }
        self.pack_tails(columns, rows)
    }

    fn pack_tails(&mut self, columns: &Columns, rows: &[u32]) -> Result<(), Refused> {
        let layout = &self.layout;
        self.tail.clear();
        self.ends.clear();
        for (number, row) in rows.iter().enumerate() {
            let row = *row as usize;
            let start = self.tail.len();
            for column in &layout.tail {
                let Coding::Text { part, symbols } = &layout.columns[*column].coding else {
                    continue;
                };
                let slot = self.slots[*column];
                if columns.is_valid(slot, row) {
                    let text = columns.text(slot, row);
                    match symbols {
                        None => self.tail.extend_from_slice(text),
                        Some(symbols) => self.tail.extend(symbols.encode(text)),
                    }
                }
                let end = layout.stride + self.tail.len() - start;
                let fixed = &mut self.fixed[number * layout.stride..];
                part.end.write(fixed, end).ok_or(Refused {
                    row,
                    why: Refusal::Changed,
                })?;
            }
            self.ends.push(self.tail.len());
        }
        Ok(())
    }

    /// The fixed part and the tail of a row.
    pub(super) fn row(&self, number: usize) -> (&[u8], &[u8]) {
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        let stride = self.layout.stride;
        let fixed = &self.fixed[number * stride..][..stride];
        (fixed, &self.tail[start..self.ends[number]])
    }
}

/// Writes a value, or that it is NULL, to the fixed part of a row; `None` where the column's
/// coding cannot hold it.
#[inline(always)]
fn pack_value(
    column: &PackedColumn,
    columns: &Columns,
    slot: Slot,
    row: usize,
    fixed: &mut [u8],
) -> Option<()> {
    if !columns.is_valid(slot, row) {
        column.null?.write(fixed, 1);
        return Some(());
    }
    match &column.coding {
        Coding::Number(number) => {
            let value = whole(columns, slot, row)?;
            pack_number(*number, value, fixed)
        }
        Coding::Scaled { number, divisor } => {
            let (value, is_same): (i64, bool) = match slot.physical {
                Physical::F32 => {
                    let value: f32 = columns.get(slot, row);
                    let whole = unscaled(value.into(), *divisor)?;
                    let same = scaled(whole, *divisor) as f32;
                    (whole, same.to_bits() == value.to_bits())
                }
                _ => {
                    let value: f64 = columns.get(slot, row);
                    let whole = unscaled(value, *divisor)?;
                    (whole, scaled(whole, *divisor).to_bits() == value.to_bits())
                }
            };
            pack_number(*number, is_same.then_some(value)?, fixed)
        }
        Coding::Bits(number) => pack_number(*number, bits_of(columns, slot, row), fixed),
        Coding::Few { code, dictionary } => {
            let bits = bits_of(columns, slot, row).to_le_bytes();
            code.write(fixed, dictionary.find(&bits)?.into());
            Some(())
        }
        Coding::Instant { millis, nanos } => {
            let instant: Timestamp = columns.get(slot, row);
            pack_number(*millis, instant.millis, fixed)?;
            pack_number(*nanos, instant.nanos.into(), fixed)
        }
        Coding::Wide { low, high } => {
            let value = columns.get::<i128>(slot, row) as u128;
            low.write(fixed, value as u64);
            high.write(fixed, (value >> 64) as u64);
            Some(())
        }
        Coding::Dictionary { code, dictionary } => {
            let number = dictionary.find(columns.text(slot, row))?;
            code.write(fixed, number.into());
            Some(())
        }
        // Where it ends is known when the tail is written.
        Coding::Text { .. } => Some(()),
    }
}

#[inline(always)]
fn pack_number(number: Number, value: i64, fixed: &mut [u8]) -> Option<()> {
    number.field.write(fixed, number.code(value)?);
    Some(())
}
