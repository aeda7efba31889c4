//! From the bytes of a row into columns.

use super::cell::{Cell, CellError, word};
use super::{Kind, MAX_INLINE, header_bytes};
use crate::columns::{Columns, MemoryError, Native, Physical, Slot, Timestamp, View};
use crate::types::DataType;

/// Reads chosen fields of rows into columns.
#[derive(Debug, Clone)]
pub struct RowReader {
    fields: Vec<Field>,
    arity: usize,
    /// Row kind, null bits and 8 bytes a field.
    fixed_bytes: usize,
    /// Whether one of the fields stays a part of the row.
    has_views: bool,
}

#[derive(Debug, Clone)]
struct Field {
    index: usize,
    /// The byte of the row that holds its null bit, and the bit.
    null: (usize, u8),
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
    /// A field holds no value of its type.
    #[error("field {index} of the row {cause}")]
    Field {
        /// The field's number, counted from 0.
        index: usize,
        /// What is wrong with it.
        cause: CellError,
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
            debug_assert_eq!(slot.physical, Physical::of(data_type));
            Field {
                index: *index,
                null: (1 + index / 8, 1 << (index % 8)),
                offset: header + 8 * index,
                kind: Kind::of(data_type),
                slot: *slot,
            }
        });
        let fields: Vec<Field> = fields.collect();
        RowReader {
            has_views: fields
                .iter()
                .any(|field| field.slot.physical == Physical::View),
            fields,
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
        // One copy of all bytes costs less than one of each long string.
        let whole = match self.has_views && bytes.len() > self.fixed_bytes {
            true => Some(columns.push_text(bytes)?),
            false => None,
        };
        // The case that counts stands alone: what the compiler knows of it makes it short.
        match columns.is_single() {
            true => self.read_fields(bytes, whole, columns, 0),
            false => self.read_fields(bytes, whole, columns, row),
        }
    }

    /// `whole` is where the row stands in the heap, if it does.
    #[inline(always)]
    fn read_fields(
        &self,
        bytes: &[u8],
        whole: Option<View>,
        columns: &mut Columns,
        row: usize,
    ) -> Result<(), RowError> {
        for field in &self.fields {
            field.read(bytes, whole, columns, row)?;
        }
        Ok(())
    }
}

impl Field {
    #[inline(always)]
    fn read(
        &self,
        bytes: &[u8],
        whole: Option<View>,
        columns: &mut Columns,
        row: usize,
    ) -> Result<(), RowError> {
        let (null_byte, null_bit) = self.null;
        let is_null = bytes[null_byte] & null_bit != 0;
        let (at, word) = (self.offset, word(bytes, self.offset));
        let cell = || Cell { bytes, at, word };
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
            Kind::Timestamp => self.put_cell(columns, row, cell().timestamp())?,
            Kind::CompactDecimal(_) | Kind::Decimal(_) if is_null => {
                columns.put::<i128>(self.slot, row, None);
            }
            Kind::CompactDecimal(precision) => {
                self.put_cell(columns, row, cell().compact_decimal(precision))?;
            }
            Kind::Decimal(precision) => self.put_cell(columns, row, cell().decimal(precision))?,
            Kind::Bytes | Kind::Nested if is_null => columns.put::<View>(self.slot, row, None),
            Kind::Bytes => self.put_part(columns, row, whole, cell(), cell().text())?,
            Kind::Nested => self.put_part(columns, row, whole, cell(), cell().nested())?,
        }
        Ok(())
    }

    #[inline(always)]
    fn put<T: Native>(&self, columns: &mut Columns, row: usize, is_null: bool, value: T) {
        columns.set_valid(self.slot, row, !is_null);
        columns.set(self.slot, row, value);
    }

    fn put_cell<T: Native>(
        &self,
        columns: &mut Columns,
        row: usize,
        value: Result<T, CellError>,
    ) -> Result<(), RowError> {
        let value = value.map_err(|cause| self.broken(cause))?;
        columns.put(self.slot, row, Some(value));
        Ok(())
    }

    /// A part of the row, which stands in the heap as `whole`. Where it does not, the part is
    /// copied: most often a few bytes of the field itself, which are at hand as a number.
    #[inline(always)]
    fn put_part(
        &self,
        columns: &mut Columns,
        row: usize,
        whole: Option<View>,
        cell: Cell<'_>,
        part: Result<View, CellError>,
    ) -> Result<(), RowError> {
        let part = part.map_err(|cause| self.broken(cause))?;
        let view = match whole {
            Some(whole) => whole.part(part),
            None if part.offset() as usize == cell.at && part.len() as usize <= MAX_INLINE => {
                columns.push_word(cell.word, part.len())?
            }
            None => columns.push_text(cell.of(part))?,
        };
        columns.put(self.slot, row, Some(view));
        Ok(())
    }

    #[cold]
    fn broken(&self, cause: CellError) -> RowError {
        let index = self.index;
        RowError::Field { index, cause }
    }
}
