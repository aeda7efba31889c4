//! How the values of a column lie in a packed row, and how they are read from it.
//!
//! ```text
//! Number      integers, dates, times, timestamps, decimals: base + code x step, a code of few bits
//! Scaled      floats that are decimals: (base + code x step) / 10^digits, the same bits
//! Bits        other floats: 32 or 64 bits
//! Instant     timestamps with nanoseconds: a number of milliseconds, a number of nanoseconds
//! Wide        decimals of more than 64 bits: 16 bytes
//! Dictionary  strings that return often: their number
//! Text        strings, bytes, nested values: where they end in the tail; as they are, or as codes
//! ```

use std::sync::Arc;

use pelton_data::columns::{Columns, MemoryError, Physical, Slot, Timestamp, View};

use super::bits::BitField;
use super::dictionary::Dictionary;
use super::symbols::Symbols;

/// A column of packed rows.
#[derive(Debug)]
pub(super) struct PackedColumn {
    pub(super) physical: Physical,
    /// 1 where the row is NULL; columns without NULLs have no such bit.
    pub(super) null: Option<BitField>,
    pub(super) coding: Coding,
}

#[derive(Debug)]
pub(super) enum Coding {
    Number(Number),
    Scaled {
        number: Number,
        digits: u8,
    },
    Bits(BitField),
    Instant {
        millis: Number,
        nanos: Number,
    },
    Wide {
        low: BitField,
        high: BitField,
    },
    Dictionary {
        code: BitField,
        dictionary: Arc<Dictionary>,
    },
    Text {
        part: Part,
        symbols: Option<Arc<Symbols>>,
    },
}

/// `base + code * step`
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) field: BitField,
    pub(super) base: i64,
    pub(super) step: u64,
}

/// A part of a row's tail: it begins where the one before it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Where the tail begins in the row, in bytes.
    pub(super) tail: usize,
    pub(super) start: Option<BitField>,
    pub(super) end: BitField,
}

/// The powers of ten that scale floats.
pub(super) const TENS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

impl Number {
    #[inline(always)]
    pub(super) fn read(self, row: &[u8]) -> i64 {
        let code = self.field.read(row);
        self.base.wrapping_add(code.wrapping_mul(self.step) as i64)
    }

    /// The code of a value; `None` where it has none.
    #[inline(always)]
    pub(super) fn code(self, value: i64) -> Option<u64> {
        let mut code = value.abs_diff(self.base);
        if self.step != 1 {
            if !code.is_multiple_of(self.step) {
                return None;
            }
            code /= self.step;
        }
        (value >= self.base && self.field.holds(code)).then_some(code)
    }
}

impl Part {
    #[inline(always)]
    pub(super) fn of(self, row: &[u8]) -> &[u8] {
        let (start, end) = self.ends(row);
        &row[start..end]
    }

    /// Where it begins and ends in the row.
    #[inline(always)]
    fn ends(self, row: &[u8]) -> (usize, usize) {
        let start = self.start.map_or(0, |field| field.read(row) as usize);
        let end = self.end.read(row) as usize;
        (self.tail + start, self.tail + end)
    }
}

impl PackedColumn {
    /// Reads the value of a packed row into row `at` of a slot.
    #[inline(always)]
    pub(super) fn read(
        &self,
        row: &[u8],
        slot: Slot,
        columns: &mut Columns,
        at: usize,
    ) -> Result<(), MemoryError> {
        let valid = match self.null {
            Some(null) => null.read(row) == 0,
            None => true,
        };
        columns.set_valid(slot, at, valid);
        match &self.coding {
            Coding::Number(number) => {
                let value = number.read(row);
                match self.physical {
                    Physical::I8 => columns.set(slot, at, value as i8),
                    Physical::I16 => columns.set(slot, at, value as i16),
                    Physical::I32 => columns.set(slot, at, value as i32),
                    Physical::I64 => columns.set(slot, at, value),
                    Physical::I128 => columns.set(slot, at, i128::from(value)),
                    _ => {
                        let timestamp = Timestamp {
                            millis: value,
                            nanos: 0,
                        };
                        columns.set(slot, at, timestamp);
                    }
                }
            }
            Coding::Scaled { number, digits } => {
                let value = scaled(number.read(row), *digits);
                match self.physical {
                    Physical::F32 => columns.set(slot, at, value as f32),
                    _ => columns.set(slot, at, value),
                }
            }
            Coding::Bits(field) => match self.physical {
                Physical::F32 => columns.set(slot, at, f32::from_bits(field.read(row) as u32)),
                _ => columns.set(slot, at, f64::from_bits(field.read(row))),
            },
            Coding::Instant { millis, nanos } => {
                let (millis, nanos) = (millis.read(row), nanos.read(row) as i32);
                columns.set(slot, at, Timestamp { millis, nanos });
            }
            Coding::Wide { low, high } => columns.set(slot, at, wide(row, *low, *high)),
            Coding::Dictionary { .. } | Coding::Text { .. } if !valid => {
                columns.set(slot, at, View::default());
            }
            Coding::Dictionary { code, dictionary } => {
                let (bytes, len) = dictionary.padded(code.read(row) as u32);
                let view = columns.push_prefix(bytes, len)?;
                columns.set(slot, at, view);
            }
            Coding::Text { part, symbols } => {
                let (start, end) = part.ends(row);
                let view = match symbols {
                    None => columns.push_prefix(&row[start..], end - start)?,
                    Some(symbols) => symbols.decode(&row[start..end], columns)?,
                };
                columns.set(slot, at, view);
            }
        }
        Ok(())
    }

    /// Whether the value of a packed row is the one that stands in row `at` of a slot. Keys have no
    /// NULLs, and their strings no symbols.
    #[inline(always)]
    pub(super) fn is_same(&self, row: &[u8], slot: Slot, columns: &Columns, at: usize) -> bool {
        match &self.coding {
            Coding::Number(number) => whole(columns, slot, at) == Some(number.read(row)),
            Coding::Scaled { number, digits } => {
                let value = scaled(number.read(row), *digits);
                let bits = match self.physical {
                    Physical::F32 => (value as f32).to_bits().into(),
                    _ => value.to_bits(),
                };
                bits_of(columns, slot, at) == bits
            }
            Coding::Bits(field) => bits_of(columns, slot, at) == field.read(row),
            Coding::Instant { millis, nanos } => {
                let (millis, nanos) = (millis.read(row), nanos.read(row) as i32);
                columns.get::<Timestamp>(slot, at) == Timestamp { millis, nanos }
            }
            Coding::Wide { low, high } => columns.get::<i128>(slot, at) == wide(row, *low, *high),
            Coding::Dictionary { code, dictionary } => {
                is_same_text(columns.text(slot, at), dictionary.get(code.read(row) as u32))
            }
            Coding::Text { part, .. } => is_same_text(columns.text(slot, at), part.of(row)),
        }
    }
}

/// A decimal as the float that is nearest to it: both parts are exact, and so the quotient is.
#[inline(always)]
pub(super) fn scaled(value: i64, digits: u8) -> f64 {
    value as f64 / TENS[usize::from(digits)]
}

#[inline(always)]
fn wide(row: &[u8], low: BitField, high: BitField) -> i128 {
    (u128::from(high.read(row)) << 64 | u128::from(low.read(row))) as i128
}

/// The value of a row as a whole number of 64 bits, where it is one.
#[inline(always)]
pub(super) fn whole(columns: &Columns, slot: Slot, row: usize) -> Option<i64> {
    Some(match slot.physical {
        Physical::I8 => columns.get::<i8>(slot, row).into(),
        Physical::I16 => columns.get::<i16>(slot, row).into(),
        Physical::I32 => columns.get::<i32>(slot, row).into(),
        Physical::I64 => columns.get::<i64>(slot, row),
        Physical::I128 => i64::try_from(columns.get::<i128>(slot, row)).ok()?,
        _ => {
            let Timestamp { millis, nanos } = columns.get(slot, row);
            (nanos == 0).then_some(millis)?
        }
    })
}

/// The bits of a row's float.
#[inline(always)]
pub(super) fn bits_of(columns: &Columns, slot: Slot, row: usize) -> u64 {
    match slot.physical {
        Physical::F32 => columns.get::<f32>(slot, row).to_bits().into(),
        _ => columns.get::<f64>(slot, row).to_bits(),
    }
}

/// Equality of strings. Keys are short: two words of each, which overlap, hold up to 16 bytes.
#[inline(always)]
fn is_same_text(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<([u8; N], [u8; N])> {
        Some((*text.first_chunk()?, *text.last_chunk()?))
    }
    a.len() == b.len()
        && match a.len() {
            4..8 => ends::<4>(a) == ends::<4>(b),
            8..=16 => ends::<8>(a) == ends::<8>(b),
            _ => a == b,
        }
}
