//! One value among the bytes of a row or an array.

use super::{DECIMAL_BYTES, INLINE, Kind, MAX_INLINE};
use crate::columns::{Timestamp, View};
use crate::scalar::Scalar;

/// The own bytes of a value, and those that it may point to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// The whole row or array: what offsets count from. Less than 4 GiB.
    pub bytes: &'a [u8],
    /// Where the value's own bytes begin.
    pub at: usize,
    /// The value's own bytes, 1 to 8, as a number.
    pub word: u64,
}

/// Bytes that are no value of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// The value lies, or ends, behind what holds it.
    #[error("lies at bytes {offset} to {end}, but there are {len}")]
    OutOfBounds {
        /// First byte of the value.
        offset: usize,
        /// The byte behind the value.
        end: usize,
        /// Bytes of the row or array.
        len: usize,
    },
    /// Bytes that lie in the value itself are marked as more than fit.
    #[error("holds a value of {0} bytes in 7")]
    InlineLength(usize),
    /// The nanoseconds of a timestamp are not part of a millisecond.
    #[error("is a timestamp with {0} nanoseconds of a millisecond")]
    Nanoseconds(u32),
    /// A DECIMAL's unscaled value is not 1 to 16 bytes long.
    #[error("is a DECIMAL of {0} bytes, not 1 to 16")]
    DecimalLength(usize),
    /// A DECIMAL has more digits than its type.
    #[error("is a DECIMAL of more than {0} digits")]
    Digits(u8),
}

impl<'a> Cell<'a> {
    /// The value; bytes are counted from the first of the row or array.
    #[inline]
    pub fn scalar(self, kind: Kind) -> Result<Scalar<View>, CellError> {
        let word = self.word;
        Ok(match kind {
            Kind::Boolean => Scalar::I8(i8::from(word as u8 != 0)),
            Kind::I8 => Scalar::I8(word as i8),
            Kind::I16 => Scalar::I16(word as i16),
            Kind::I32 => Scalar::I32(word as i32),
            Kind::I64 => Scalar::I64(word as i64),
            Kind::F32 => Scalar::F32(f32::from_bits(word as u32)),
            Kind::F64 => Scalar::F64(f64::from_bits(word)),
            Kind::CompactTimestamp => Scalar::Timestamp(Timestamp {
                millis: word as i64,
                nanos: 0,
            }),
            Kind::Timestamp => Scalar::Timestamp(self.timestamp()?),
            Kind::CompactDecimal(precision) => Scalar::I128(self.compact_decimal(precision)?),
            Kind::Decimal(precision) => Scalar::I128(self.decimal(precision)?),
            Kind::Bytes => Scalar::Bytes(self.text()?),
            Kind::Nested => Scalar::Bytes(self.nested()?),
        })
    }

    pub fn timestamp(self) -> Result<Timestamp, CellError> {
        let nanos = self.word as u32;
        if nanos > 999_999 {
            return Err(CellError::Nanoseconds(nanos));
        }
        let millis = self.of(self.variable(8)?);
        Ok(Timestamp {
            millis: word(millis, 0) as i64,
            nanos: nanos as i32,
        })
    }

    pub fn compact_decimal(self, precision: u8) -> Result<i128, CellError> {
        checked(i128::from(self.word as i64), precision)
    }

    pub fn decimal(self, precision: u8) -> Result<i128, CellError> {
        let len = self.word as u32 as usize;
        if !(1..=DECIMAL_BYTES).contains(&len) {
            return Err(CellError::DecimalLength(len));
        }
        let digits = self.of(self.variable(len)?);
        let sign = if digits[0] & 0x80 == 0 { 0 } else { 0xff };
        let mut value = [sign; DECIMAL_BYTES];
        value[DECIMAL_BYTES - len..].copy_from_slice(digits);
        checked(i128::from_be_bytes(value), precision)
    }

    /// A string or binary: in the value itself, or where it points to.
    #[inline]
    pub fn text(self) -> Result<View, CellError> {
        let mark = (self.word >> 56) as u8;
        if mark & INLINE == 0 {
            return self.nested();
        }
        let len = usize::from(mark & !INLINE);
        if len > MAX_INLINE {
            return Err(CellError::InlineLength(len));
        }
        Ok(View::new(self.at as u32, len as u32))
    }

    /// What the value points to.
    #[inline]
    pub fn nested(self) -> Result<View, CellError> {
        self.variable(self.word as u32 as usize)
    }

    /// The bytes of a part. It lies within: the view was made here.
    #[inline]
    pub fn of(self, view: View) -> &'a [u8] {
        view.of(self.bytes)
    }

    /// `len` bytes, less than 4 GiB, at the offset that the upper half holds.
    #[inline]
    fn variable(self, len: usize) -> Result<View, CellError> {
        let offset = (self.word >> 32) as usize;
        let end = offset + len;
        if end > self.bytes.len() {
            let len = self.bytes.len();
            return Err(CellError::OutOfBounds { offset, end, len });
        }
        Ok(View::new(offset as u32, len as u32))
    }
}

/// The value, if it has no more digits than its type.
fn checked(value: i128, precision: u8) -> Result<i128, CellError> {
    match value.unsigned_abs() < 10_u128.pow(u32::from(precision)) {
        true => Ok(value),
        false => Err(CellError::Digits(precision)),
    }
}

/// The 8 bytes at `offset` as a number. They are there: the caller looked.
#[inline(always)]
pub(crate) fn word(bytes: &[u8], offset: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(word)
}
