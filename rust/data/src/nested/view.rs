//! Reading in place.

use super::{NestedError, array_header};
use crate::binary_row::{Cell, CellError, Kind, header_bytes, word};
use crate::columns::{Columns, Slot, View};
use crate::scalar::Scalar;
use crate::types::DataType;

/// The elements of an `ARRAY`.
#[derive(Debug, Clone, Copy)]
pub struct ArrayView<'a> {
    bytes: &'a [u8],
    len: usize,
    kind: Kind,
    /// Where the elements begin.
    first: usize,
}

impl<'a> ArrayView<'a> {
    /// The array of `element`s that `bytes` are.
    pub fn new(bytes: &'a [u8], element: &DataType) -> Result<ArrayView<'a>, NestedError> {
        let kind = Kind::of(element);
        let too_short = |len: usize, needed: usize| NestedError::TooShort {
            what: format!("ARRAY of {len} elements"),
            len: bytes.len(),
            needed,
        };
        let len = length(bytes).ok_or_else(|| too_short(0, 4))?;
        let first = array_header(len);
        let needed = first + len * kind.width();
        match needed > bytes.len() || u32::try_from(bytes.len()).is_err() {
            true => Err(too_short(len, needed)),
            false => Ok(ArrayView {
                bytes,
                len,
                kind,
                first,
            }),
        }
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether an element is NULL.
    ///
    /// # Panics
    /// If there is no element `i`.
    pub fn is_null(&self, i: usize) -> bool {
        assert!(i < self.len, "element {i} of {}", self.len);
        self.bytes[4 + i / 8] >> (i % 8) & 1 == 1
    }

    /// An element; `None` is NULL. Bytes are counted from the first of the array.
    ///
    /// # Panics
    /// If there is no element `i`.
    pub fn get(&self, i: usize) -> Result<Option<Scalar<View>>, NestedError> {
        if self.is_null(i) {
            return Ok(None);
        }
        let width = self.kind.width();
        let at = self.first + i * width;
        let mut word = [0; 8];
        word[..width].copy_from_slice(&self.bytes[at..at + width]);
        let cell = Cell {
            bytes: self.bytes,
            at,
            word: u64::from_le_bytes(word),
        };
        part("element", i, cell.scalar(self.kind))
    }

    /// Calls `each` with every element, `None` for a NULL one.
    pub fn for_each<E: From<NestedError>>(
        &self,
        mut each: impl FnMut(Option<Scalar<&'a [u8]>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut budget = Budget::new("ARRAY", self.bytes);
        (0..self.len).try_for_each(|i| each(budget.take(self.get(i)?)?))
    }
}

/// The pairs of a `MAP`: as many keys as values.
#[derive(Debug, Clone, Copy)]
pub struct MapView<'a> {
    /// The keys.
    pub keys: ArrayView<'a>,
    /// The values, in the order of the keys.
    pub values: ArrayView<'a>,
}

impl<'a> MapView<'a> {
    /// The map that `bytes` are.
    pub fn new(
        bytes: &'a [u8],
        key: &DataType,
        value: &DataType,
    ) -> Result<MapView<'a>, NestedError> {
        let too_short = |needed| NestedError::TooShort {
            what: "MAP".to_owned(),
            len: bytes.len(),
            needed,
        };
        let of_keys = length(bytes).ok_or_else(|| too_short(4))?;
        let rest = &bytes[4..];
        if of_keys > rest.len() {
            return Err(too_short(4 + of_keys));
        }
        let (keys, values) = rest.split_at(of_keys);
        let map = MapView {
            keys: ArrayView::new(keys, key)?,
            values: ArrayView::new(values, value)?,
        };
        match map.keys.len == map.values.len {
            true => Ok(map),
            false => Err(NestedError::Pairs {
                keys: map.keys.len,
                values: map.values.len,
            }),
        }
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.keys.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.len == 0
    }
}

/// The fields of a `ROW`.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'a> {
    bytes: &'a [u8],
    arity: usize,
}

impl<'a> RowView<'a> {
    /// The row of `arity` fields that `bytes` are.
    #[inline]
    pub fn new(bytes: &'a [u8], arity: usize) -> Result<RowView<'a>, NestedError> {
        let needed = header_bytes(arity) + 8 * arity;
        match bytes.len() < needed || u32::try_from(bytes.len()).is_err() {
            true => Err(RowView::too_short(bytes.len(), arity, needed)),
            false => Ok(RowView { bytes, arity }),
        }
    }

    #[cold]
    fn too_short(len: usize, arity: usize, needed: usize) -> NestedError {
        NestedError::TooShort {
            what: format!("ROW of {arity} fields"),
            len,
            needed,
        }
    }

    /// The field `i`, of type `data_type`; `None` is NULL. Bytes are counted from the row's first.
    ///
    /// # Panics
    /// If there is no field `i`.
    pub fn get(&self, i: usize, data_type: &DataType) -> Result<Option<Scalar<View>>, NestedError> {
        assert!(i < self.arity, "field {i} of {}", self.arity);
        match self.cell(i) {
            None => Ok(None),
            Some(cell) => part("field", i, cell.scalar(Kind::of(data_type))),
        }
    }

    /// The bytes of a field; `None` is NULL.
    #[inline]
    fn cell(&self, i: usize) -> Option<Cell<'a>> {
        if self.bytes[1 + i / 8] >> (i % 8) & 1 == 1 {
            return None;
        }
        let at = header_bytes(self.arity) + 8 * i;
        Some(Cell {
            bytes: self.bytes,
            at,
            word: word(self.bytes, at),
        })
    }

    /// Calls `each` with every field, in the order of `types`; `None` is NULL.
    pub fn for_each<'t, E: From<NestedError>>(
        &self,
        types: impl Iterator<Item = &'t DataType>,
        mut each: impl FnMut(Option<Scalar<&'a [u8]>>, &'t DataType) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut budget = Budget::new("ROW", self.bytes);
        let mut fields = types.enumerate();
        fields.try_for_each(|(i, data_type)| each(budget.take(self.get(i, data_type)?)?, data_type))
    }
}

/// Sets a row of `out` to the element `i` of an array in the heap; NULL where there is no such
/// element. Strings and nested elements stay where they are.
pub fn read_element(
    columns: &mut Columns,
    array: View,
    element: &DataType,
    i: usize,
    out: Slot,
    row: usize,
) -> Result<(), NestedError> {
    let elements = ArrayView::new(columns.bytes(array), element)?;
    let value = match i < elements.len() {
        true => elements.get(i)?,
        false => None,
    };
    columns.put_scalar(
        out,
        row,
        value.map(|value| value.map(|part| array.part(part))),
    );
    Ok(())
}

/// Reads a field of many `ROW`s.
#[derive(Debug, Clone, Copy)]
pub struct FieldReader {
    arity: usize,
    i: usize,
    kind: Kind,
}

impl FieldReader {
    /// Of the field `i`, of type `field`, of `ROW`s of `arity` fields.
    ///
    /// # Panics
    /// If there is no field `i`.
    pub fn new(arity: usize, i: usize, field: &DataType) -> FieldReader {
        assert!(i < arity, "field {i} of {arity}");
        let kind = Kind::of(field);
        FieldReader { arity, i, kind }
    }

    /// Sets a row of `out` to the field of a `ROW` in the heap. Strings and nested fields stay where
    /// they are.
    #[inline]
    pub fn read(
        &self,
        columns: &mut Columns,
        nested: View,
        out: Slot,
        row: usize,
    ) -> Result<(), NestedError> {
        let Some(cell) = RowView::new(columns.bytes(nested), self.arity)?.cell(self.i) else {
            columns.set_valid(out, row, false);
            return Ok(());
        };
        let word = cell.word;
        match self.kind {
            Kind::I32 => columns.put(out, row, Some(word as i32)),
            Kind::I64 => columns.put(out, row, Some(word as i64)),
            Kind::F32 => columns.put(out, row, Some(f32::from_bits(word as u32))),
            Kind::F64 => columns.put(out, row, Some(f64::from_bits(word))),
            kind => {
                let value = part("field", self.i, cell.scalar(kind))?;
                let value = value.map(|value| value.map(|part| nested.part(part)));
                columns.put_scalar(out, row, value);
            }
        }
        Ok(())
    }
}

/// The number in the first 4 bytes.
fn length(bytes: &[u8]) -> Option<usize> {
    let (first, _) = bytes.split_first_chunk::<4>()?;
    Some(u32::from_le_bytes(*first) as usize)
}

fn part(
    what: &'static str,
    index: usize,
    value: Result<Scalar<View>, CellError>,
) -> Result<Option<Scalar<View>>, NestedError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(cause) => Err(NestedError::Part { what, index, cause }),
    }
}

/// Damaged bytes may point to one large part many times over. What is read out of a value is
/// never larger than the value.
struct Budget<'a> {
    what: &'static str,
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Budget<'a> {
    fn new(what: &'static str, bytes: &'a [u8]) -> Budget<'a> {
        let left = bytes.len();
        Budget { what, bytes, left }
    }

    fn take(
        &mut self,
        value: Option<Scalar<View>>,
    ) -> Result<Option<Scalar<&'a [u8]>>, NestedError> {
        let Some(value) = value else {
            return Ok(None);
        };
        if let Scalar::Bytes(part) = value {
            let left = self.left.checked_sub(part.len() as usize);
            self.left = left.ok_or(NestedError::Overlap {
                what: self.what,
                len: self.bytes.len(),
            })?;
        }
        let bytes = self.bytes;
        Ok(Some(value.map(|part| part.of(bytes))))
    }
}
