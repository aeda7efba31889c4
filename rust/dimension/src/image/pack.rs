//! From the columns of a batch to packed rows, a column at a time.
//!
//! ```text
//! fixed: | row 0 | row 1 | ...  of `stride` bytes each      tail: | row 0 | row 1 | ...
//! ```
//!
//! A value that its coding cannot hold is one that the first pass did not see: the files changed
//! meanwhile, and the load is refused.

use std::sync::Arc;

use pelton_data::columns::{Columns, Native, Physical, Slot, Timestamp, View, extend_by_prefix};

use super::bits::BitField;
use super::coding::{Coding, Number, of_double, of_float, scaled};
use super::dictionary::{Dictionary, Numbers};
use super::layout::RowLayout;
use super::select::Chosen;
use super::statistics::unscaled;
use super::{Refusal, Refused};
use crate::batch::{Batch, Coded};

/// The packed rows of a batch.
#[derive(Debug)]
pub(super) struct Packer {
    layout: Arc<RowLayout>,
    slots: Vec<Slot>,
    /// Of strings that a file has coded, in the dictionary of each column.
    numbers: Vec<Numbers>,
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
            numbers: slots.iter().map(|_| Numbers::default()).collect(),
            slots,
            fixed: Vec::new(),
            tail: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Packs the given rows of a batch.
    pub(super) fn pack(&mut self, batch: Batch<'_>, rows: &[u32]) -> Result<(), Refused> {
        let stride = self.layout.stride;
        self.fixed.clear();
        // The last row's last number is written as 8 bytes.
        self.fixed.resize(rows.len() * stride + 8, 0);
        let columns = self.layout.columns.iter().zip(&self.slots);
        for ((column, slot), numbers) in columns.zip(&mut self.numbers) {
            let values = Chosen::new(batch.columns, *slot, rows);
            let coded = batch.coded(*slot).map(|coded| (coded, numbers));
            let to = Target {
                fixed: &mut self.fixed,
                stride,
                null: column.null,
                values,
            };
            to.pack(&column.coding, batch.columns, coded)?;
        }
        self.pack_tails(batch, rows)
    }

    fn pack_tails(&mut self, batch: Batch<'_>, rows: &[u32]) -> Result<(), Refused> {
        let layout = &self.layout;
        let parts = layout.tail.iter().filter_map(|number| {
            let (column, slot) = (&layout.columns[*number], self.slots[*number]);
            match &column.coding {
                Coding::Text { part, symbols } => Some((part, symbols, slot, batch.coded(slot))),
                _ => None,
            }
        });
        let parts: Vec<_> = parts.collect();
        self.tail.clear();
        self.ends.clear();
        for (number, row) in rows.iter().enumerate() {
            let row = *row as usize;
            let start = self.tail.len();
            for (part, symbols, slot, coded) in &parts {
                if batch.columns.is_valid(*slot, row) {
                    // The bytes from the string's first on, and how many are the string.
                    let (bytes, len) = match coded {
                        Some(coded) => coded.text_onwards(coded.code(row)),
                        None => batch.columns.text_onwards(*slot, row),
                    };
                    match symbols {
                        None => extend_by_prefix(&mut self.tail, bytes, len),
                        Some(symbols) => self.tail.extend(symbols.encode(&bytes[..len])),
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

/// The fixed parts of the rows of a batch, and the column whose values go there.
struct Target<'a> {
    fixed: &'a mut [u8],
    stride: usize,
    null: Option<BitField>,
    values: Chosen<'a>,
}

impl Target<'_> {
    fn pack(
        self,
        coding: &Coding,
        columns: &Columns,
        coded: Option<(&Coded, &mut Numbers)>,
    ) -> Result<(), Refused> {
        let is_single = self.values.physical() == Physical::F32;
        match *coding {
            Coding::Number(number) => self.pack_numbers(number),
            Coding::Scaled { number, divisor } if is_single => self.each(|value: f32, fixed| {
                let whole = unscaled(value.into(), divisor)?;
                let is_same = (scaled(whole, divisor) as f32).to_bits() == value.to_bits();
                pack_number(number, is_same.then_some(whole)?, fixed)
            }),
            Coding::Scaled { number, divisor } => self.each(|value: f64, fixed| {
                let whole = unscaled(value, divisor)?;
                let is_same = scaled(whole, divisor).to_bits() == value.to_bits();
                pack_number(number, is_same.then_some(whole)?, fixed)
            }),
            Coding::Bits(number) if is_single => {
                self.each(|value, fixed| pack_number(number, of_float(value), fixed))
            }
            Coding::Bits(number) => {
                self.each(|value, fixed| pack_number(number, of_double(value), fixed))
            }
            Coding::Few {
                code,
                ref dictionary,
            } if is_single => self.each(|value, fixed| {
                let bits = of_float(value).to_le_bytes();
                pack_code(code, dictionary.find(&bits), fixed)
            }),
            Coding::Few {
                code,
                ref dictionary,
            } => self.each(|value, fixed| {
                let bits = of_double(value).to_le_bytes();
                pack_code(code, dictionary.find(&bits), fixed)
            }),
            Coding::Instant { millis, nanos } => self.each(|instant: Timestamp, fixed| {
                pack_number(millis, instant.millis, fixed)?;
                pack_number(nanos, instant.nanos.into(), fixed)
            }),
            Coding::Wide { low, high } => self.each(|value: i128, fixed| {
                low.write(fixed, value as u64);
                high.write(fixed, (value >> 64) as u64);
                Some(())
            }),
            Coding::Dictionary {
                code,
                ref dictionary,
            } => match coded {
                None => self.each(|view, fixed| {
                    pack_code(code, dictionary.find(columns.bytes(view)), fixed)
                }),
                Some((coded, numbers)) => self.pack_coded(code, dictionary, coded, numbers),
            },
            // Where it ends is known when the tail is written.
            Coding::Text { .. } => self.each(|_: View, _| Some(())),
        }
    }

    fn pack_coded(
        self,
        code: BitField,
        dictionary: &Dictionary,
        coded: &Coded,
        numbers: &mut Numbers,
    ) -> Result<(), Refused> {
        let followed = numbers.follow(coded);
        followed.map_err(|why| Refused { row: 0, why })?;
        self.each_row(|row, _: View, fixed| {
            let kind = coded.code(row);
            let find = || dictionary.find(coded.text(kind)).ok_or(Refusal::Changed);
            pack_code(code, numbers.of(kind, find).ok(), fixed)
        })
    }

    fn pack_numbers(self, number: Number) -> Result<(), Refused> {
        match self.values.physical() {
            Physical::I8 => self.each(|v: i8, fixed| pack_number(number, v.into(), fixed)),
            Physical::I16 => self.each(|v: i16, fixed| pack_number(number, v.into(), fixed)),
            Physical::I32 => self.each(|v: i32, fixed| pack_number(number, v.into(), fixed)),
            Physical::I64 => self.each(|v: i64, fixed| pack_number(number, v, fixed)),
            Physical::I128 => {
                self.each(|v: i128, fixed| pack_number(number, i64::try_from(v).ok()?, fixed))
            }
            _ => self.each(|Timestamp { millis, nanos }, fixed| {
                pack_number(number, (nanos == 0).then_some(millis)?, fixed)
            }),
        }
    }

    #[inline(always)]
    fn each<T: Native>(self, write: impl Fn(T, &mut [u8]) -> Option<()>) -> Result<(), Refused> {
        self.each_row(|_, value, fixed| write(value, fixed))
    }

    /// Writes the value of every row, or that it is NULL. `write` has `None` for a value that the coding
    /// cannot hold.
    #[inline(always)]
    fn each_row<T: Native>(
        self,
        mut write: impl FnMut(usize, T, &mut [u8]) -> Option<()>,
    ) -> Result<(), Refused> {
        let mut fixed = self.fixed;
        for (row, value) in self.values.rows() {
            let written = match value {
                Some(value) => write(row, value, fixed),
                None => self.null.map(|null| null.write(fixed, 1)),
            };
            written.ok_or(Refused {
                row,
                why: Refusal::Changed,
            })?;
            fixed = &mut fixed[self.stride..];
        }
        Ok(())
    }
}

#[inline(always)]
fn pack_number(number: Number, value: i64, fixed: &mut [u8]) -> Option<()> {
    number.field.write(fixed, number.code(value)?);
    Some(())
}

#[inline(always)]
fn pack_code(field: BitField, code: Option<u32>, fixed: &mut [u8]) -> Option<()> {
    field.write(fixed, code?.into());
    Some(())
}
