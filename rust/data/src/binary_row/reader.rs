//! From the bytes of a row into columns.

use super::{DECIMAL_BYTES, INLINE, Kind, MAX_INLINE, header_bytes};
use crate::columns::{Columns, MemoryError, Native, Slot, Timestamp, View};
use crate::types::DataType;

/// Reads chosen fields of rows into columns.
#[derive(Debug, Clone)]
pub struct RowReader {
    fields: Vec<Field>,
    arity: usize,
    /// Row kind, null bits and 8 bytes a field.
    fixed_bytes: usize,
}

#[derive(Debug, Clone)]
struct Field {
    index: usize,
    /// Of its 8 bytes in the row.
    offset: usize,
    kind: Kind,
    slot: Slot,
}

/// Bytes that are no row of the expected columns, or no memory for what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row ends before its last field.
    #[error("the row has {len} bytes, but rows of {arity} fields have at least {needed}")]
    TooShort {
        /// Bytes given.
        len: usize,
        /// Fields expected.
        arity: usize,
        /// Bytes that so many fields take at least.
        needed: usize,
    },
    /// A field's value lies, or ends, behind the row.
    #[error(
        "field {index} of the row lies at bytes {offset} to {end}, but the row has {len} bytes"
    )]
    OutOfBounds {
        /// The field's number, counted from 0.
        index: usize,
        /// First byte of the value.
        offset: usize,
        /// The byte behind the value.
        end: usize,
        /// Bytes of the row.
        len: usize,
    },
    /// Bytes that lie in the field are marked as more than fit.
    #[error("field {index} of the row holds a value of {len} bytes in 7")]
    InlineLength {
        /// The field's number, counted from 0.
        index: usize,
        /// The length as marked.
        len: usize,
    },
    /// The nanoseconds of a timestamp are not part of a millisecond.
    #[error("field {index} of the row is a timestamp with {nanos} nanoseconds of a millisecond")]
    Nanoseconds {
        /// The field's number, counted from 0.
        index: usize,
        /// The nanoseconds as read.
        nanos: u32,
    },
    /// A DECIMAL's unscaled value is not 1 to 16 bytes long.
    #[error("field {index} of the row is a DECIMAL of {len} bytes, not 1 to 16")]
    DecimalLength {
        /// The field's number, counted from 0.
        index: usize,
        /// The length as marked.
        len: usize,
    },
    /// A DECIMAL has more digits than its type.
    #[error("field {index} of the row is a DECIMAL of more than {precision} digits")]
    Digits {
        /// The field's number, counted from 0.
        index: usize,
        /// The digits that the type has.
        precision: u8,
    },
    /// No memory for what the row holds.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl RowReader {
    /// A reader of rows of `arity` fields that copies the given ones: the field's number, counted
    /// from 0, its type, and where it goes.
    ///
    /// # Panics
    /// If a field's number is not below `arity`.
    pub fn new(fields: &[(usize, DataType, Slot)], arity: usize) -> RowReader {
        let header = header_bytes(arity);
        let fields = fields.iter().map(|(index, data_type, slot)| {
            assert!(*index < arity, "field {index} of rows of {arity} fields");
            Field {
                index: *index,
                offset: header + 8 * index,
                kind: Kind::of(data_type, *slot),
                slot: *slot,
            }
        });
        RowReader {
            fields: fields.collect(),
            arity,
            fixed_bytes: header + 8 * arity,
        }
    }

    /// Reads a row into row `row` of the columns. After an error that row means nothing.
    #[inline]
    pub fn read(&self, bytes: &[u8], columns: &mut Columns, row: usize) -> Result<(), RowError> {
        if bytes.len() < self.fixed_bytes {
            return Err(RowError::TooShort {
                len: bytes.len(),
                arity: self.arity,
                needed: self.fixed_bytes,
            });
        }
        for field in &self.fields {
            field.read(bytes, columns, row)?;
        }
        Ok(())
    }
}

impl Field {
    #[inline]
    fn read(&self, bytes: &[u8], columns: &mut Columns, row: usize) -> Result<(), RowError> {
        let is_null = bytes[1 + self.index / 8] >> (self.index % 8) & 1 == 1;
        let word = word(bytes, self.offset);
        match self.kind {
            Kind::Boolean => self.put(columns, row, is_null, i8::from(word as u8 != 0)),
            Kind::I8 => self.put(columns, row, is_null, word as i8),
            Kind::I16 => self.put(columns, row, is_null, word as i16),
            Kind::I32 => self.put(columns, row, is_null, word as i32),
            Kind::I64 => self.put(columns, row, is_null, word as i64),
            Kind::F32 => self.put(columns, row, is_null, f32::from_bits(word as u32)),
            Kind::F64 => self.put(columns, row, is_null, f64::from_bits(word)),
            Kind::CompactTimestamp => {
                let millis = word as i64;
                let timestamp = Timestamp { millis, nanos: 0 };
                self.put(columns, row, is_null, timestamp);
            }
            // What a NULL's 8 bytes hold points nowhere.
            Kind::Timestamp if is_null => columns.put::<Timestamp>(self.slot, row, None),
            Kind::Timestamp => columns.put(self.slot, row, Some(self.timestamp(bytes, word)?)),
            Kind::Bytes | Kind::Nested if is_null => columns.put::<View>(self.slot, row, None),
            Kind::Bytes => {
                let view = columns.push_text(self.bytes(bytes, word)?)?;
                columns.put(self.slot, row, Some(view));
            }
            Kind::Nested => {
                let nested = self.variable(bytes, word, word as u32 as usize)?;
                let view = columns.push_text(nested)?;
                columns.put(self.slot, row, Some(view));
            }
            Kind::CompactDecimal(_) | Kind::Decimal(_) if is_null => {
                columns.put::<i128>(self.slot, row, None);
            }
            Kind::CompactDecimal(precision) => {
                let value = self.decimal(i128::from(word as i64), precision)?;
                columns.put(self.slot, row, Some(value));
            }
            Kind::Decimal(precision) => {
                let value = self.wide_decimal(bytes, word)?;
                columns.put(self.slot, row, Some(self.decimal(value, precision)?));
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn put<T: Native>(&self, columns: &mut Columns, row: usize, is_null: bool, value: T) {
        columns.set_valid(self.slot, row, !is_null);
        columns.set(self.slot, row, value);
    }

    fn timestamp(&self, bytes: &[u8], field: u64) -> Result<Timestamp, RowError> {
        let nanos = field as u32;
        if nanos > 999_999 {
            let index = self.index;
            return Err(RowError::Nanoseconds { index, nanos });
        }
        let millis = self.variable(bytes, field, 8)?;
        Ok(Timestamp {
            millis: word(millis, 0) as i64,
            nanos: nanos as i32,
        })
    }

    /// The value, if it has no more digits than the type.
    fn decimal(&self, value: i128, precision: u8) -> Result<i128, RowError> {
        match value.unsigned_abs() < 10_u128.pow(u32::from(precision)) {
            true => Ok(value),
            false => Err(RowError::Digits {
                index: self.index,
                precision,
            }),
        }
    }

    fn wide_decimal(&self, bytes: &[u8], field: u64) -> Result<i128, RowError> {
        let len = field as u32 as usize;
        if !(1..=DECIMAL_BYTES).contains(&len) {
            let index = self.index;
            return Err(RowError::DecimalLength { index, len });
        }
        let digits = self.variable(bytes, field, len)?;
        let sign = if digits[0] & 0x80 == 0 { 0 } else { 0xff };
        let mut value = [sign; DECIMAL_BYTES];
        value[DECIMAL_BYTES - len..].copy_from_slice(digits);
        Ok(i128::from_be_bytes(value))
    }

    fn bytes<'a>(&self, bytes: &'a [u8], field: u64) -> Result<&'a [u8], RowError> {
        let mark = (field >> 56) as u8;
        if mark & INLINE == 0 {
            return self.variable(bytes, field, field as u32 as usize);
        }
        let len = usize::from(mark & !INLINE);
        if len > MAX_INLINE {
            let index = self.index;
            return Err(RowError::InlineLength { index, len });
        }
        Ok(&bytes[self.offset..self.offset + len])
    }

    /// `len` bytes at the offset that the field's upper half holds.
    fn variable<'a>(&self, bytes: &'a [u8], field: u64, len: usize) -> Result<&'a [u8], RowError> {
        let offset = (field >> 32) as usize;
        bytes
            .get(offset..offset + len)
            .ok_or_else(|| RowError::OutOfBounds {
                index: self.index,
                offset,
                end: offset + len,
                len: bytes.len(),
            })
    }
}

/// The 8 bytes at `offset` as a number. They are there: the caller looked.
#[inline(always)]
fn word(bytes: &[u8], offset: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(word)
}
