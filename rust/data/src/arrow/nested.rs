//! `ARRAY`, `MAP` and `ROW` to and from lists, maps and structs. What is inside goes through
//! columns of its own, one row an element, so that every type is converted in one place.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, OffsetSizeTrait, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType as ArrowType, Field as ArrowField, FieldRef, Fields};

use super::load::{Load, fits, load};
use super::store::nulls;
use super::{ConvertError, from_arrow, store, to_arrow};
use crate::binary_row::RowWriter;
use crate::columns::{Columns, Layout, MemoryError, Physical, Slot};
use crate::nested::{ArrayView, ArrayWriter, MapView, NestedError, RowView, map_bytes};
use crate::scalar::Scalar;
use crate::types::{DataType, Element, Field};

/// The field of a list's elements, or of a map's keys or values.
pub(super) fn element_field(name: &str, element: &Element) -> FieldRef {
    let data_type = to_arrow(&element.data_type);
    Arc::new(ArrowField::new(name, data_type, element.nullable))
}

/// The field of a map's pairs, under Parquet's names. A key is never NULL.
pub(super) fn entries_field(key: &Element, value: &Element) -> FieldRef {
    let pair = ArrowType::Struct(entry_fields(key, value));
    Arc::new(ArrowField::new("key_value", pair, false))
}

fn entry_fields(key: &Element, value: &Element) -> Fields {
    let key = ArrowField::new("key", to_arrow(&key.data_type), false);
    Fields::from(vec![Arc::new(key), element_field("value", value)])
}

pub(super) fn struct_fields(fields: &[Field]) -> Fields {
    let fields = fields.iter().map(|field| {
        let data_type = to_arrow(&field.data_type);
        ArrowField::new(&field.name, data_type, field.nullable)
    });
    fields.collect()
}

pub(super) fn element_of(field: &ArrowField) -> Option<Element> {
    Some(Element {
        data_type: from_arrow(field.data_type())?,
        nullable: field.is_nullable(),
    })
}

/// How an array is loaded as a nested type; `None` where it is another one. The error names what
/// does not fit inside.
pub(super) fn loader(found: &ArrowType, wanted: &DataType) -> Result<Option<Load>, ConvertError> {
    let load: Load = match (found, wanted) {
        (ArrowType::List(field), DataType::Array(element)) => {
            fits(field.data_type(), &element.data_type)?;
            load_list::<i32>
        }
        (ArrowType::LargeList(field), DataType::Array(element)) => {
            fits(field.data_type(), &element.data_type)?;
            load_list::<i64>
        }
        (ArrowType::FixedSizeList(field, _), DataType::Array(element)) => {
            fits(field.data_type(), &element.data_type)?;
            load_fixed_list
        }
        (ArrowType::Map(entries, _), DataType::Map(key, value)) => {
            let ArrowType::Struct(pair) = entries.data_type() else {
                return Ok(None);
            };
            let [keys, values] = &pair[..] else {
                return Ok(None);
            };
            fits(keys.data_type(), &key.data_type)?;
            fits(values.data_type(), &value.data_type)?;
            load_map
        }
        (ArrowType::Struct(found), DataType::Row(fields)) => {
            for field in fields {
                match found.find(&field.name) {
                    Some((_, inside)) => fits(inside.data_type(), &field.data_type)?,
                    None => return Ok(None),
                }
            }
            load_struct
        }
        _ => return Ok(None),
    };
    Ok(Some(load))
}

fn load_list<O: OffsetSizeTrait>(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let list = array.as_list::<O>();
    let offsets: Vec<usize> = list.offsets().iter().map(|end| end.as_usize()).collect();
    load_elements(list.values(), &offsets, array, wanted, slot, columns)
}

fn load_fixed_list(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let list = array.as_fixed_size_list();
    let offset = |row| list.value_offset(row) as usize;
    let offsets: Vec<usize> = (0..=list.len()).map(offset).collect();
    load_elements(list.values(), &offsets, array, wanted, slot, columns)
}

fn load_elements(
    values: &ArrayRef,
    offsets: &[usize],
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let DataType::Array(element) = wanted else {
        unreachable!("the loader of ARRAYs");
    };
    let inside = Inside::load(values, offsets, element)?;
    for row in 0..array.len() {
        let view = match array.is_valid(row) {
            true => Some(columns.push_text(&inside.array(row)?)?),
            false => None,
        };
        columns.put(slot, row, view);
    }
    Ok(())
}

fn load_map(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let DataType::Map(key, value) = wanted else {
        unreachable!("the loader of MAPs");
    };
    let map = array.as_map();
    let offsets: Vec<usize> = map.offsets().iter().map(|end| *end as usize).collect();
    let keys = Inside::load(map.keys(), &offsets, key)?;
    let values = Inside::load(map.values(), &offsets, value)?;
    for row in 0..array.len() {
        let view = match array.is_valid(row) {
            true => {
                let bytes = map_bytes(&keys.array(row)?, &values.array(row)?)?;
                Some(columns.push_text(&bytes)?)
            }
            false => None,
        };
        columns.put(slot, row, view);
    }
    Ok(())
}

/// The fields are found by their names; what the struct has beside them is left.
fn load_struct(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let DataType::Row(fields) = wanted else {
        unreachable!("the loader of ROWs");
    };
    let array = array.as_struct();
    let mut layout = Layout::default();
    let place = |field: &Field| {
        let slot = layout.add(Physical::of(&field.data_type));
        (field.data_type.clone(), slot)
    };
    let places: Vec<(DataType, Slot)> = fields.iter().map(place).collect();
    let mut inside = Columns::new(&layout, array.len())?;
    for (field, (data_type, place)) in fields.iter().zip(&places) {
        let Some(values) = array.column_by_name(&field.name) else {
            unreachable!("the loader found every field");
        };
        load(values, data_type, *place, &mut inside)?;
    }
    let writer = RowWriter::new(&places);
    let mut bytes = Vec::new();
    for row in 0..array.len() {
        let view = match array.is_valid(row) {
            true => {
                for (field, (_, place)) in fields.iter().zip(&places) {
                    if !field.nullable && !inside.is_valid(*place, row) {
                        return Err(null_inside(row, wanted));
                    }
                }
                writer.write_to_vec(&inside, row, &mut bytes)?;
                Some(columns.push_text(&bytes)?)
            }
            false => None,
        };
        columns.put(slot, row, view);
    }
    Ok(())
}

/// The elements of all lists of an array, one behind the other.
struct Inside<'a> {
    columns: Columns,
    slot: Slot,
    element: &'a Element,
    /// Where the elements of each row begin, and where the last end.
    offsets: &'a [usize],
}

impl<'a> Inside<'a> {
    fn load(
        values: &ArrayRef,
        offsets: &'a [usize],
        element: &'a Element,
    ) -> Result<Inside<'a>, ConvertError> {
        let (first, end) = (offsets[0], offsets[offsets.len() - 1]);
        let values = values.slice(first, end - first);
        let (mut columns, slot) = one_column(&element.data_type, values.len())?;
        load(&values, &element.data_type, slot, &mut columns)
            .map_err(|error| error.in_row(|i| row_of(offsets, first + i)))?;
        Ok(Inside {
            columns,
            slot,
            element,
            offsets,
        })
    }

    /// The bytes of a row's elements as an `ARRAY`.
    fn array(&self, row: usize) -> Result<Vec<u8>, ConvertError> {
        let first = self.offsets[0];
        let range: Range<usize> = self.offsets[row] - first..self.offsets[row + 1] - first;
        let mut array = ArrayWriter::new(&self.element.data_type, range.len())?;
        for i in range {
            let value = self.columns.scalar(self.slot, i);
            if value.is_none() && !self.element.nullable {
                return Err(null_inside(row, &self.element.data_type));
            }
            array.push(value.map(|value| value.map(|view| self.columns.bytes(view))))?;
        }
        Ok(array.finish())
    }
}

fn one_column(data_type: &DataType, rows: usize) -> Result<(Columns, Slot), MemoryError> {
    let mut layout = Layout::default();
    let slot = layout.add(Physical::of(data_type));
    Ok((Columns::new(&layout, rows)?, slot))
}

/// The row that the element `i` belongs to.
fn row_of<T: TryInto<usize> + Copy>(offsets: &[T], i: usize) -> usize {
    let before = |end: &T| (*end).try_into().is_ok_and(|end| end <= i);
    offsets.partition_point(before).saturating_sub(1)
}

#[cold]
fn null_inside(row: usize, wanted: &DataType) -> ConvertError {
    ConvertError::Value {
        row,
        value: "NULL".to_owned(),
        wanted: format!("{wanted} NOT NULL"),
    }
}

/// The first `rows` rows of a slot of `ARRAY`s, as a list.
pub(super) fn store_array(
    columns: &Columns,
    slot: Slot,
    element: &Element,
    rows: usize,
) -> Result<ArrayRef, ConvertError> {
    let mut lists = Lists::new(columns, slot, rows, |bytes| {
        Ok(ArrayView::new(bytes, &element.data_type)?.len())
    })?;
    let values = lists.store(element, |bytes| ArrayView::new(bytes, &element.data_type))?;
    let field = element_field("element", element);
    let nulls = nulls(columns, slot, rows);
    Ok(Arc::new(ListArray::new(
        field,
        lists.offsets(),
        values,
        nulls,
    )))
}

/// The first `rows` rows of a slot of `MAP`s, as a map.
pub(super) fn store_map(
    columns: &Columns,
    slot: Slot,
    (key, value): (&Element, &Element),
    rows: usize,
) -> Result<ArrayRef, ConvertError> {
    let map = |bytes| MapView::new(bytes, &key.data_type, &value.data_type);
    let mut lists = Lists::new(columns, slot, rows, |bytes| Ok(map(bytes)?.len()))?;
    let not_null = Element {
        nullable: false,
        ..key.clone()
    };
    let keys = lists.store(&not_null, |bytes| Ok(map(bytes)?.keys))?;
    let values = lists.store(value, |bytes| Ok(map(bytes)?.values))?;
    let pairs = StructArray::new(entry_fields(key, value), vec![keys, values], None);
    let (field, nulls) = (entries_field(key, value), nulls(columns, slot, rows));
    Ok(Arc::new(MapArray::new(
        field,
        lists.offsets(),
        pairs,
        nulls,
        false,
    )))
}

/// The first `rows` rows of a slot of `ROW`s, as a struct.
pub(super) fn store_row(
    columns: &Columns,
    slot: Slot,
    fields: &[Field],
    rows: usize,
) -> Result<ArrayRef, ConvertError> {
    let nulls = nulls(columns, slot, rows);
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(rows, nulls)));
    }
    let mut layout = Layout::default();
    let add = |field: &Field| layout.add(Physical::of(&field.data_type));
    let slots: Vec<Slot> = fields.iter().map(add).collect();
    let mut inside = Columns::new(&layout, rows)?;
    for row in 0..rows {
        if !columns.is_valid(slot, row) {
            slots
                .iter()
                .for_each(|slot| inside.set_valid(*slot, row, false));
            continue;
        }
        let broken = |cause| ConvertError::Broken { row, cause };
        let nested = RowView::new(columns.text(slot, row), fields.len()).map_err(broken)?;
        let mut places = slots.iter().zip(fields);
        nested
            .for_each(fields.iter().map(|field| &field.data_type), |value, _| {
                let Some((place, field)) = places.next() else {
                    return Ok(());
                };
                match value {
                    None if !field.nullable => Err(Inner::Null),
                    value => Ok(inside.push_scalar(*place, row, value)?),
                }
            })
            .map_err(|inner: Inner| inner.in_row(row, "a field"))?;
    }
    let arrays = fields.iter().zip(&slots);
    let arrays = arrays.map(|(field, slot)| store(&inside, *slot, &field.data_type, rows));
    let arrays: Vec<ArrayRef> = arrays.collect::<Result<_, _>>()?;
    Ok(Arc::new(StructArray::new(
        struct_fields(fields),
        arrays,
        nulls,
    )))
}

/// The lists of a column's rows.
struct Lists<'a> {
    columns: &'a Columns,
    slot: Slot,
    /// Where the elements of each row begin among all, and where the last end.
    offsets: Vec<i32>,
}

impl<'a> Lists<'a> {
    fn new(
        columns: &'a Columns,
        slot: Slot,
        rows: usize,
        len: impl Fn(&'a [u8]) -> Result<usize, NestedError>,
    ) -> Result<Lists<'a>, ConvertError> {
        let mut offsets = vec![0];
        let mut total = 0_usize;
        for row in 0..rows {
            if columns.is_valid(slot, row) {
                let broken = |cause| ConvertError::Broken { row, cause };
                total += len(columns.text(slot, row)).map_err(broken)?;
            }
            // Arrow counts in 31 bits.
            offsets.push(i32::try_from(total).map_err(|_| MemoryError::HeapFull)?);
        }
        Ok(Lists {
            columns,
            slot,
            offsets,
        })
    }

    fn offsets(&self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(self.offsets.clone().into())
    }

    /// The elements of all rows, as one array.
    fn store(
        &mut self,
        element: &Element,
        view: impl Fn(&'a [u8]) -> Result<ArrayView<'a>, NestedError>,
    ) -> Result<ArrayRef, ConvertError> {
        let rows = self.offsets.len() - 1;
        let total = self.offsets[rows] as usize;
        let (mut inside, slot) = one_column(&element.data_type, total)?;
        for row in (0..rows).filter(|row| self.columns.is_valid(self.slot, *row)) {
            let broken = |cause| ConvertError::Broken { row, cause };
            let array = view(self.columns.text(self.slot, row)).map_err(broken)?;
            let mut i = self.offsets[row] as usize;
            let each = |value: Option<Scalar<&[u8]>>| {
                if value.is_none() && !element.nullable {
                    return Err(Inner::Null);
                }
                inside.push_scalar(slot, i, value)?;
                i += 1;
                Ok(())
            };
            array
                .for_each(each)
                .map_err(|inner| inner.in_row(row, "an element"))?;
        }
        store(&inside, slot, &element.data_type, total)
            .map_err(|error| error.in_row(|i| row_of(&self.offsets, i)))
    }
}

/// What may be wrong inside a value, before its row is known.
enum Inner {
    Null,
    Nested(NestedError),
}

impl From<NestedError> for Inner {
    fn from(error: NestedError) -> Inner {
        Inner::Nested(error)
    }
}

impl From<MemoryError> for Inner {
    fn from(error: MemoryError) -> Inner {
        Inner::Nested(error.into())
    }
}

impl Inner {
    fn in_row(self, row: usize, what: &str) -> ConvertError {
        match self {
            Inner::Null => ConvertError::Value {
                row,
                value: format!("NULL of {what}"),
                wanted: "NOT NULL".to_owned(),
            },
            Inner::Nested(NestedError::Memory(error)) => ConvertError::Memory(error),
            Inner::Nested(cause) => ConvertError::Broken { row, cause },
        }
    }
}
