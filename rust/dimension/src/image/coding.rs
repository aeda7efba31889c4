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

    /// Whether the value of a packed row is the one that stands at the front of `key`, as a
    /// [`KeyEncoder`](super::KeyEncoder) writes it; `key` is moved behind it. Keys have no NULLs,
    /// and their strings no symbols.
    #[inline(always)]
    pub(super) fn is_key(&self, row: &[u8], key: &mut &[u8]) -> bool {
        match &self.coding {
            Coding::Number(number) => {
                let value = number.read(row);
                match self.physical {
                    Physical::I8 => take(key) == Some((value as i8).to_le_bytes()),
                    Physical::I16 => take(key) == Some((value as i16).to_le_bytes()),
                    Physical::I32 => take(key) == Some((value as i32).to_le_bytes()),
                    Physical::I64 => take(key) == Some(value.to_le_bytes()),
                    Physical::I128 => take(key) == Some(i128::from(value).to_le_bytes()),
                    _ => is_instant(key, value, 0),
                }
            }
            Coding::Instant { millis, nanos } => {
                is_instant(key, millis.read(row), nanos.read(row) as i32)
            }
            Coding::Scaled { number, digits } => {
                self.is_float(scaled(number.read(row), *digits), key)
            }
            Coding::Bits(field) => match self.physical {
                Physical::F32 => take(key) == Some((field.read(row) as u32).to_le_bytes()),
                _ => take(key) == Some(field.read(row).to_le_bytes()),
            },
            Coding::Wide { low, high } => take(key) == Some(wide(row, *low, *high).to_le_bytes()),
            Coding::Dictionary { code, dictionary } => {
                take_text(key) == Some(dictionary.get(code.read(row) as u32))
            }
            Coding::Text { part, .. } => take_text(key) == Some(part.of(row)),
        }
    }

    fn is_float(&self, value: f64, key: &mut &[u8]) -> bool {
        match self.physical {
            Physical::F32 => take(key) == Some((value as f32).to_le_bytes()),
            _ => take(key) == Some(value.to_le_bytes()),
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

#[inline(always)]
fn is_instant(key: &mut &[u8], millis: i64, nanos: i32) -> bool {
    take(key) == Some(millis.to_le_bytes()) && take(key) == Some(nanos.to_le_bytes())
}

#[inline(always)]
fn take<const N: usize>(key: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, rest) = key.split_first_chunk::<N>()?;
    *key = rest;
    Some(*bytes)
}

#[inline(always)]
fn take_text<'k>(key: &mut &'k [u8]) -> Option<&'k [u8]> {
    let len = u32::from_le_bytes(take(key)?) as usize;
    let (text, rest) = key.split_at_checked(len)?;
    *key = rest;
    Some(text)
}
