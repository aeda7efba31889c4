//! How the values of a column lie in a packed row, and how they are read from it.
//!
//! ```text
//! Number      integers, dates, times, timestamps, decimals: base + code x step, a code of few bits
//! Scaled      floats that are decimals: (base + code x step) / 10^digits, the same bits
//! Bits        other floats: their bits, turned into a number
//! Few         floats that return often: the number of these bits in a dictionary
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
    Bits(Number),
    Few {
        code: BitField,
        dictionary: Arc<Dictionary>,
    },
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
    pub(super) start: End,
    pub(super) end: End,
}

/// Where a part of the tail ends, in bytes of the row: at least at `base`.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) base: usize,
    pub(super) field: BitField,
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
        &row[self.start.read(row)..self.end.read(row)]
    }
}

impl End {
    #[inline(always)]
    fn read(self, row: &[u8]) -> usize {
        self.base + self.field.read(row) as usize
    }

    /// Sets the end in a row where zeros are; `None` where it cannot be so.
    #[inline(always)]
    pub(super) fn write(self, row: &mut [u8], end: usize) -> Option<()> {
        let code = end.checked_sub(self.base)? as u64;
        self.field.holds(code).then(|| self.field.write(row, code))
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
            Coding::Bits(number) => self.set_bits(number.read(row), slot, columns, at),
            // What stands where the row is NULL may be in no dictionary.
            Coding::Few { .. } if !valid => {}
            Coding::Few { code, dictionary } => {
                let bits = dictionary.word(code.read(row) as u32);
                self.set_bits(bits, slot, columns, at);
            }
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
                let (start, end) = (part.start.read(row), part.end.read(row));
                let view = match symbols {
                    None => columns.push_prefix(&row[start..], end - start)?,
                    Some(symbols) => symbols.decode(&row[start..end], columns)?,
                };
                columns.set(slot, at, view);
            }
        }
        Ok(())
    }

    /// Sets a float to what [`bits_of`] it is this.
    #[inline(always)]
    fn set_bits(&self, bits: i64, slot: Slot, columns: &mut Columns, at: usize) {
        match self.physical {
            Physical::F32 => columns.set(slot, at, float(bits)),
            _ => columns.set(slot, at, double(bits)),
        }
    }

    /// Whether the value of a packed row is the one that stands in row `at` of a slot. Keys have no
    /// NULLs, and their strings no symbols.
    #[inline(always)]
    pub(super) fn is_same(&self, row: &[u8], slot: Slot, columns: &Columns, at: usize) -> bool {
        match &self.coding {
            Coding::Number(number) => whole(columns, slot, at) == Some(number.read(row)),
            Coding::Scaled { number, digits } => {
                let value = scaled(number.read(row), *digits);
                let number = match self.physical {
                    Physical::F32 => of_float(value as f32),
                    _ => of_double(value),
                };
                bits_of(columns, slot, at) == number
            }
            Coding::Bits(number) => bits_of(columns, slot, at) == number.read(row),
            Coding::Few { code, dictionary } => {
                bits_of(columns, slot, at) == dictionary.word(code.read(row) as u32)
            }
            Coding::Instant { millis, nanos } => {
                let (millis, nanos) = (millis.read(row), nanos.read(row) as i32);
                columns.get::<Timestamp>(slot, at) == Timestamp { millis, nanos }
            }
            Coding::Wide { low, high } => columns.get::<i128>(slot, at) == wide(row, *low, *high),
            Coding::Dictionary { code, dictionary } => is_same_text(
                columns.text(slot, at),
                dictionary.get(code.read(row) as u32),
            ),
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

/// The bits of a row's float as a number: its exponent first, its sign last. Floats of a column
/// are of like size, so that these numbers are few; of those with few digits, multiples of many.
#[inline(always)]
pub(super) fn bits_of(columns: &Columns, slot: Slot, row: usize) -> i64 {
    match slot.physical {
        Physical::F32 => of_float(columns.get(slot, row)),
        _ => of_double(columns.get(slot, row)),
    }
}

#[inline(always)]
pub(super) fn of_float(value: f32) -> i64 {
    value.to_bits().rotate_left(1).into()
}

#[inline(always)]
fn float(bits: i64) -> f32 {
    f32::from_bits((bits as u32).rotate_right(1))
}

#[inline(always)]
pub(super) fn of_double(value: f64) -> i64 {
    // 0 in the middle: the greatest exponent would be below the least.
    value.to_bits().rotate_left(1) as i64 ^ i64::MIN
}

#[inline(always)]
fn double(bits: i64) -> f64 {
    f64::from_bits(((bits ^ i64::MIN) as u64).rotate_right(1))
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
