//! Writing: the same bytes as Flink's `BinaryArrayWriter` and `BinaryRowWriter`.

use super::array_header;
use crate::binary_row::{Kind, MAX_INLINE, header_bytes, inline_word, shortest};
use crate::columns::MemoryError;
use crate::scalar::Scalar;
use crate::types::DataType;

/// Writes the bytes of an `ARRAY`, element by element.
#[derive(Debug)]
pub struct ArrayWriter {
    kind: Kind,
    next: usize,
    len: usize,
    cells: Cells,
}

impl ArrayWriter {
    /// An array of `len` elements, each a NULL as long as it is not pushed.
    pub fn new(element: &DataType, len: usize) -> Result<ArrayWriter, MemoryError> {
        ArrayWriter::reuse(Vec::new(), element, len)
    }

    /// The same in memory that is there; what it holds is lost.
    pub fn reuse(
        memory: Vec<u8>,
        element: &DataType,
        len: usize,
    ) -> Result<ArrayWriter, MemoryError> {
        if len > i32::MAX as usize {
            return Err(MemoryError::RowTooLarge(len));
        }
        let kind = Kind::of(element);
        let first = array_header(len);
        let fixed = first + len * kind.width();
        let mut cells = Cells::new(memory, 32, first, fixed.next_multiple_of(8))?;
        cells.bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
        Ok(ArrayWriter {
            kind,
            next: 0,
            len,
            cells,
        })
    }

    /// The next element; `None` is NULL.
    ///
    /// # Panics
    /// If all elements are there already.
    pub fn push(&mut self, value: Option<Scalar<&[u8]>>) -> Result<(), MemoryError> {
        assert!(self.next < self.len, "the array has {} elements", self.len);
        // Flink knows one NaN in arrays, and keeps each in rows.
        let value = value.map(|value| match value {
            Scalar::F32(value) if value.is_nan() => Scalar::F32(f32::NAN),
            Scalar::F64(value) if value.is_nan() => Scalar::F64(f64::NAN),
            value => value,
        });
        let width = self.kind.width();
        self.cells.put(self.next, self.kind, width, value)?;
        self.next += 1;
        Ok(())
    }

    /// The array's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.cells.bytes
    }
}

/// Writes the bytes of a `ROW` that does not lie in columns, field by field.
#[derive(Debug)]
pub struct RowBuilder {
    next: usize,
    cells: Cells,
}

impl RowBuilder {
    /// A row of `arity` fields.
    pub fn new(arity: usize) -> Result<RowBuilder, MemoryError> {
        let header = header_bytes(arity);
        Ok(RowBuilder {
            next: 0,
            cells: Cells::new(Vec::new(), 8, header, header + 8 * arity)?,
        })
    }

    /// The next field, of type `data_type`; `None` is NULL.
    pub fn push(
        &mut self,
        data_type: &DataType,
        value: Option<Scalar<&[u8]>>,
    ) -> Result<(), MemoryError> {
        self.cells.put(self.next, Kind::of(data_type), 8, value)?;
        self.next += 1;
        Ok(())
    }

    /// The row's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.cells.bytes
    }
}

/// The bytes of a `MAP` of the bytes of its keys and its values.
pub fn map_bytes(keys: &[u8], values: &[u8]) -> Result<Vec<u8>, MemoryError> {
    let mut bytes = Vec::new();
    grow(&mut bytes, 4 + keys.len() + values.len())?;
    let (length, rest) = bytes.split_at_mut(4);
    length.copy_from_slice(&(keys.len() as u32).to_le_bytes());
    let (of_keys, of_values) = rest.split_at_mut(keys.len());
    of_keys.copy_from_slice(keys);
    of_values.copy_from_slice(values);
    Ok(bytes)
}

/// Null bits, values of fixed width, and what they point to behind them.
#[derive(Debug)]
struct Cells {
    bytes: Vec<u8>,
    /// The number of the first null bit.
    nulls: usize,
    /// Where the values begin.
    first: usize,
}

impl Cells {
    fn new(
        mut bytes: Vec<u8>,
        nulls: usize,
        first: usize,
        fixed: usize,
    ) -> Result<Cells, MemoryError> {
        bytes.clear();
        grow(&mut bytes, fixed)?;
        Ok(Cells {
            bytes,
            nulls,
            first,
        })
    }

    fn put(
        &mut self,
        i: usize,
        kind: Kind,
        width: usize,
        value: Option<Scalar<&[u8]>>,
    ) -> Result<(), MemoryError> {
        let Some(value) = value else {
            let bit = self.nulls + i;
            self.bytes[bit / 8] |= 1 << (bit % 8);
            return Ok(());
        };
        let word = match (kind, value) {
            (_, Scalar::I8(value)) => value as u8 as u64,
            (_, Scalar::I16(value)) => value as u16 as u64,
            (_, Scalar::I32(value)) => value as u32 as u64,
            (_, Scalar::I64(value)) => value as u64,
            (_, Scalar::F32(value)) => u64::from(value.to_bits()),
            (_, Scalar::F64(value)) => value.to_bits(),
            (Kind::CompactTimestamp, Scalar::Timestamp(value)) => value.millis as u64,
            (_, Scalar::Timestamp(value)) => {
                self.push(&value.millis.to_le_bytes())? | value.nanos as u32 as u64
            }
            (Kind::CompactDecimal(_), Scalar::I128(value)) => value as u64,
            (_, Scalar::I128(value)) => {
                let (bytes, len) = shortest(value);
                self.push(&bytes)? | len as u64
            }
            (Kind::Bytes, Scalar::Bytes(bytes)) if bytes.len() <= MAX_INLINE => inline_word(bytes),
            (_, Scalar::Bytes(bytes)) => self.push(bytes)? | bytes.len() as u64,
        };
        let at = self.first + i * width;
        self.bytes[at..at + width].copy_from_slice(&word.to_le_bytes()[..width]);
        Ok(())
    }

    /// Adds bytes, and zeros to a multiple of 8. Returns their offset in the upper half.
    fn push(&mut self, value: &[u8]) -> Result<u64, MemoryError> {
        let start = self.bytes.len();
        grow(&mut self.bytes, value.len().next_multiple_of(8))?;
        self.bytes[start..start + value.len()].copy_from_slice(value);
        Ok((start as u64) << 32)
    }
}

/// Adds so many zeros.
fn grow(bytes: &mut Vec<u8>, by: usize) -> Result<(), MemoryError> {
    let len = bytes.len().saturating_add(by);
    if len > i32::MAX as usize {
        return Err(MemoryError::RowTooLarge(len));
    }
    bytes
        .try_reserve(by)
        .map_err(|_| MemoryError::Exhausted(by))?;
    bytes.resize(len, 0);
    Ok(())
}
