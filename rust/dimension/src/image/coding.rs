//! How the values of a column lie in a packed row, and how they are read from it.
//!
//! ```text
//! Number      integers, dates, times, timestamps, decimals: base + code x step, a code of few bits
//! Scaled      floats that are decimals, or multiples of a power of two: (base + code x step) / divisor,
//!             the same bits
//! Bits        other floats: their bits, turned into a number
//! Few         floats that return often: the number of these bits in a dictionary
//! Instant     timestamps with nanoseconds: a number of milliseconds, a number of nanoseconds
//! Wide        decimals of more than 64 bits: 16 bytes
//! Dictionary  strings that return often: their number
//! Text        strings, bytes, nested values: where they end in the tail; as they are, or as codes
//! ```

use std::sync::Arc;

use pelton_data::columns::{Columns, MemoryError, Native, Physical, Slot, Timestamp, View};

use super::bits::BitField;
use super::dictionary::Dictionary;
use super::hash::is_same;
use super::memory::equal_bytes;
use super::symbols::Symbols;
use super::together::{TOGETHER, bits};

/// A column of packed rows.
#[derive(Debug)]
pub(super) struct PackedColumn {
    pub(super) physical: Physical,
    /// 1 where the row is NULL; columns without NULLs have no such bit.
    pub(super) null: Option<BitField>,
    pub(super) coding: Coding,
    /// Bytes of a row from its first on that have to be there to read the column, about.
    pub(super) reach: usize,
}

#[derive(Debug)]
pub(super) enum Coding {
    Number(Number),
    Scaled {
        number: Number,
        divisor: f64,
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

/// Packed rows, and where their values go: one behind the other, from a row of a slot on.
struct Target<'a> {
    packed: &'a [&'a [u8]],
    slot: Slot,
    first: usize,
}

/// The bytes of packed rows in which their NULL bits stand: those of several columns share one mostly.
pub(super) struct NullBytes {
    at: Option<usize>,
    bytes: [u8; u64::BITS as usize],
}

impl Target<'_> {
    /// Sets values of fixed length. Of one that is NULL something is set, too: no branch has to be
    /// guessed.
    #[inline(always)]
    fn set<T: Native>(&self, columns: &mut Columns, value: impl Fn(&[u8]) -> T) {
        let values = columns.values_mut(self.slot, columns.capacity());
        let values = &mut values[self.first..][..self.packed.len()];
        for (to, row) in values.iter_mut().zip(self.packed) {
            *to = value(row);
        }
    }

    /// Sets strings, which `push` adds to the heap of the columns. `valid`: a bit for each row.
    #[inline(always)]
    fn push(
        &self,
        columns: &mut Columns,
        valid: u64,
        push: impl Fn(&[u8], &mut Columns) -> Result<View, MemoryError>,
    ) -> Result<(), MemoryError> {
        for (i, row) in self.packed.iter().enumerate() {
            let view = match valid >> i & 1 {
                0 => View::default(),
                _ => push(row, columns)?,
            };
            columns.set(self.slot, self.first + i, view);
        }
        Ok(())
    }
}

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

impl NullBytes {
    #[inline(always)]
    pub(super) fn new() -> NullBytes {
        NullBytes {
            at: None,
            bytes: [0; u64::BITS as usize],
        }
    }

    /// Which of packed rows are not NULL, a bit for each.
    #[inline(always)]
    fn valid(&mut self, null: BitField, packed: &[&[u8]]) -> u64 {
        if let [row] = packed {
            return null.read(row) ^ 1;
        }
        let (at, mask) = null.bit();
        if self.at != Some(at) {
            self.at = Some(at);
            for (byte, row) in self.bytes.iter_mut().zip(packed) {
                *byte = row[at];
            }
        }
        let blocks = &self.bytes.as_chunks::<16>().0[..packed.len().div_ceil(16)];
        let valid = |block: &[u8; 16]| u64::from(equal_bytes(block.map(|byte| byte & mask), 0));
        let blocks = blocks.iter().map(valid).zip(0..);
        blocks.fold(0, |valid, (block, i)| valid | block << (16 * i))
    }
}

impl PackedColumn {
    /// Reads the values of packed rows, at most 64, into the rows of a slot from `first` on. Those
    /// without a bit in `wanted` become NULL. `nulls` are those of these rows.
    #[inline(always)]
    pub(super) fn read_each(
        &self,
        packed: &[&[u8]],
        nulls: &mut NullBytes,
        wanted: u64,
        slot: Slot,
        columns: &mut Columns,
        first: usize,
    ) -> Result<(), MemoryError> {
        let valid = self
            .null
            .map_or(wanted, |null| nulls.valid(null, packed) & wanted);
        columns.set_valid_bits(slot, first..first + packed.len(), valid);
        let to = Target {
            packed,
            slot,
            first,
        };
        // Codings are copied out: what is written to the columns cannot be them, as the compiler sees.
        match self.coding {
            Coding::Number(number) => self.read_numbers(number, &to, columns),
            Coding::Scaled { number, divisor } => {
                let value = |row: &[u8]| scaled(number.read(row), divisor);
                match self.physical {
                    Physical::F32 => to.set(columns, |row| value(row) as f32),
                    _ => to.set(columns, value),
                }
            }
            Coding::Bits(number) => match self.physical {
                Physical::F32 => to.set(columns, |row| float(number.read(row))),
                _ => to.set(columns, |row| double(number.read(row))),
            },
            Coding::Few {
                code,
                ref dictionary,
            } => {
                let bits = |row: &[u8]| dictionary.word(code.read(row) as u32);
                match self.physical {
                    Physical::F32 => to.set(columns, |row| float(bits(row))),
                    _ => to.set(columns, |row| double(bits(row))),
                }
            }
            Coding::Instant { millis, nanos } => to.set(columns, |row| Timestamp {
                millis: millis.read(row),
                nanos: nanos.read(row) as i32,
            }),
            Coding::Wide { low, high } => to.set(columns, |row| wide(row, low, high)),
            Coding::Dictionary {
                code,
                ref dictionary,
            } => {
                return to.push(columns, valid, |row, columns| {
                    let (bytes, len) = dictionary.padded(code.read(row) as u32);
                    columns.push_prefix(bytes, len)
                });
            }
            Coding::Text { part, ref symbols } => {
                return to.push(columns, valid, |row, columns| {
                    let (start, end) = (part.start.read(row), part.end.read(row));
                    match symbols {
                        None => columns.push_prefix(&row[start..], end - start),
                        Some(symbols) => symbols.decode(&row[start..end], columns),
                    }
                });
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn read_numbers(&self, number: Number, to: &Target<'_>, columns: &mut Columns) {
        match self.physical {
            Physical::I8 => to.set(columns, |row| number.read(row) as i8),
            Physical::I16 => to.set(columns, |row| number.read(row) as i16),
            Physical::I32 => to.set(columns, |row| number.read(row) as i32),
            Physical::I64 => to.set(columns, |row| number.read(row)),
            Physical::I128 => to.set(columns, |row| i128::from(number.read(row))),
            _ => to.set(columns, |row| Timestamp {
                millis: number.read(row),
                nanos: 0,
            }),
        }
    }

    /// Reads the value of a packed row into row `at` of a slot.
    #[inline(always)]
    pub(super) fn read(
        &self,
        row: &[u8],
        slot: Slot,
        columns: &mut Columns,
        at: usize,
    ) -> Result<(), MemoryError> {
        self.read_each(&[row], &mut NullBytes::new(), u64::MAX, slot, columns, at)
    }

    /// Which of some packed rows, a bit for each, hold the value that stands in the same row of a slot
    /// from `first` on.
    #[inline(always)]
    pub(super) fn are_same(
        &self,
        packed: &[&[u8]; TOGETHER],
        rows: u32,
        slot: Slot,
        columns: &Columns,
        first: usize,
    ) -> u32 {
        let Coding::Number(number) = self.coding else {
            return same_of(rows, |i| self.is_same(packed[i], slot, columns, first + i));
        };
        // What keys are made of mostly is asked once for all rows.
        match slot.physical {
            Physical::I64 => {
                let values = columns.values::<i64>(slot, columns.capacity());
                same_of(rows, |i| values[first + i] == number.read(packed[i]))
            }
            Physical::I32 => {
                let values = columns.values::<i32>(slot, columns.capacity());
                same_of(rows, |i| {
                    i64::from(values[first + i]) == number.read(packed[i])
                })
            }
            _ => same_of(rows, |i| self.is_same(packed[i], slot, columns, first + i)),
        }
    }

    /// Whether the value of a packed row is the one that stands in row `at` of a slot. Keys have no
    /// NULLs, and their strings no symbols.
    #[inline(always)]
    pub(super) fn is_same(&self, row: &[u8], slot: Slot, columns: &Columns, at: usize) -> bool {
        match &self.coding {
            Coding::Number(number) => {
                whole(columns, slot, slot.physical, at) == Some(number.read(row))
            }
            Coding::Scaled { number, divisor } => {
                let value = scaled(number.read(row), *divisor);
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
            Coding::Dictionary { code, dictionary } => is_same(
                columns.text(slot, at),
                dictionary.get(code.read(row) as u32),
            ),
            Coding::Text { part, .. } => is_same(columns.text(slot, at), part.of(row)),
        }
    }
}

/// Those of some rows, a bit for each, that are the same as something.
#[inline(always)]
fn same_of(rows: u32, is_same: impl Fn(usize) -> bool) -> u32 {
    bits(rows).fold(0, |same, i| same | u32::from(is_same(i)) << i)
}

/// The float that is nearest to a quotient: both parts are exact.
#[inline(always)]
pub(super) fn scaled(value: i64, divisor: f64) -> f64 {
    value as f64 / divisor
}

#[inline(always)]
fn wide(row: &[u8], low: BitField, high: BitField) -> i128 {
    (u128::from(high.read(row)) << 64 | u128::from(low.read(row))) as i128
}

/// The value of a row as a whole number of 64 bits, where it is one. `physical` is the slot's: given
/// apart, it may be a constant.
#[inline(always)]
pub(super) fn whole(columns: &Columns, slot: Slot, physical: Physical, row: usize) -> Option<i64> {
    Some(match physical {
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
