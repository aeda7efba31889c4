//! One value of any type, on its way between bytes, columns and files.

use crate::columns::{Columns, Literal, MemoryError, Native, Physical, Slot, Timestamp, View};

/// A value that is not NULL, as it lies in a column. `B` tells where its bytes are, if it is one
/// of no fixed length: a [`View`], or the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<B> {
    /// `BOOLEAN` as 0 or 1, `TINYINT`
    I8(i8),
    /// `SMALLINT`
    I16(i16),
    /// `INT`, `DATE`, `TIME(p)`
    I32(i32),
    /// `BIGINT`
    I64(i64),
    /// `FLOAT`
    F32(f32),
    /// `DOUBLE`
    F64(f64),
    /// `TIMESTAMP(p)`, `TIMESTAMP_LTZ(p)`
    Timestamp(Timestamp),
    /// What [`Physical::View`] holds.
    Bytes(B),
    /// `DECIMAL(p, s)`: the value times 10^s
    I128(i128),
}

impl<B> Scalar<B> {
    /// The same value with its bytes elsewhere.
    #[inline]
    pub fn map<C>(self, bytes: impl FnOnce(B) -> C) -> Scalar<C> {
        match self {
            Scalar::I8(value) => Scalar::I8(value),
            Scalar::I16(value) => Scalar::I16(value),
            Scalar::I32(value) => Scalar::I32(value),
            Scalar::I64(value) => Scalar::I64(value),
            Scalar::F32(value) => Scalar::F32(value),
            Scalar::F64(value) => Scalar::F64(value),
            Scalar::Timestamp(value) => Scalar::Timestamp(value),
            Scalar::Bytes(value) => Scalar::Bytes(bytes(value)),
            Scalar::I128(value) => Scalar::I128(value),
        }
    }
}

impl Literal {
    /// The constant as a value; `None` is NULL.
    pub fn scalar(&self) -> Option<Scalar<&[u8]>> {
        Some(match self {
            Literal::Null => return None,
            Literal::I8(value) => Scalar::I8(*value),
            Literal::I16(value) => Scalar::I16(*value),
            Literal::I32(value) => Scalar::I32(*value),
            Literal::I64(value) => Scalar::I64(*value),
            Literal::F32(value) => Scalar::F32(*value),
            Literal::F64(value) => Scalar::F64(*value),
            Literal::Timestamp(value) => Scalar::Timestamp(*value),
            Literal::Bytes(value) => Scalar::Bytes(value),
            Literal::I128(value) => Scalar::I128(*value),
        })
    }
}

impl Columns {
    /// The value of a row; `None` is NULL.
    #[inline]
    pub fn scalar(&self, slot: Slot, row: usize) -> Option<Scalar<View>> {
        if !self.is_valid(slot, row) {
            return None;
        }
        Some(match slot.physical {
            Physical::I8 => Scalar::I8(self.get(slot, row)),
            Physical::I16 => Scalar::I16(self.get(slot, row)),
            Physical::I32 => Scalar::I32(self.get(slot, row)),
            Physical::I64 => Scalar::I64(self.get(slot, row)),
            Physical::F32 => Scalar::F32(self.get(slot, row)),
            Physical::F64 => Scalar::F64(self.get(slot, row)),
            Physical::Timestamp => Scalar::Timestamp(self.get(slot, row)),
            Physical::View => Scalar::Bytes(self.get(slot, row)),
            Physical::I128 => Scalar::I128(self.get(slot, row)),
        })
    }

    /// Sets value and validity of a row. The value is of the slot's physical type.
    #[inline]
    pub fn put_scalar(&mut self, slot: Slot, row: usize, value: Option<Scalar<View>>) {
        let Some(value) = value else {
            return self.set_valid(slot, row, false);
        };
        match value {
            Scalar::I8(value) => self.put_valid(slot, row, value),
            Scalar::I16(value) => self.put_valid(slot, row, value),
            Scalar::I32(value) => self.put_valid(slot, row, value),
            Scalar::I64(value) => self.put_valid(slot, row, value),
            Scalar::F32(value) => self.put_valid(slot, row, value),
            Scalar::F64(value) => self.put_valid(slot, row, value),
            Scalar::Timestamp(value) => self.put_valid(slot, row, value),
            Scalar::Bytes(value) => self.put_valid(slot, row, value),
            Scalar::I128(value) => self.put_valid(slot, row, value),
        }
    }

    /// The same for a value that does not lie in the heap yet: its bytes are added to it.
    pub fn push_scalar(
        &mut self,
        slot: Slot,
        row: usize,
        value: Option<Scalar<&[u8]>>,
    ) -> Result<(), MemoryError> {
        let value = match value {
            Some(Scalar::Bytes(bytes)) => Some(Scalar::Bytes(self.push_text(bytes)?)),
            // There are no bytes: the view is never made.
            other => other.map(|value| value.map(|_| View::default())),
        };
        self.put_scalar(slot, row, value);
        Ok(())
    }

    /// Sets the first `n` rows of a slot to one value.
    pub fn repeat(
        &mut self,
        slot: Slot,
        n: usize,
        value: Option<Scalar<&[u8]>>,
    ) -> Result<(), MemoryError> {
        self.set_valid_rows(slot, n, value.is_some());
        match value {
            None => {}
            Some(Scalar::I8(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::I16(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::I32(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::I64(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::F32(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::F64(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::Timestamp(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::I128(value)) => self.values_mut(slot, n).fill(value),
            Some(Scalar::Bytes(bytes)) => {
                let view = self.push_text(bytes)?;
                self.values_mut(slot, n).fill(view);
            }
        }
        Ok(())
    }

    fn put_valid<T: Native>(&mut self, slot: Slot, row: usize, value: T) {
        self.put(slot, row, Some(value));
    }
}
