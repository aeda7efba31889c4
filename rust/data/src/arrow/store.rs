//! From columns to Arrow arrays.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Decimal128Array, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType as ArrowType, TimeUnit};

use super::{ConvertError, nested, unit, unit_name};
use crate::columns::{Columns, MemoryError, Native, Slot, Timestamp, View};
use crate::types::DataType;

/// The first `rows` rows of a slot that holds `data_type`, as an array of type [`to_arrow`].
pub fn store(
    columns: &Columns,
    slot: Slot,
    data_type: &DataType,
    rows: usize,
) -> Result<ArrayRef, ConvertError> {
    Ok(match data_type {
        DataType::Boolean => {
            let values = columns.values::<i8>(slot, rows);
            let values = BooleanBuffer::collect_bool(rows, |row| values[row] != 0);
            Arc::new(BooleanArray::new(values, nulls(columns, slot, rows)))
        }
        DataType::TinyInt => store_numbers::<Int8Type>(columns, slot, rows),
        DataType::SmallInt => store_numbers::<Int16Type>(columns, slot, rows),
        DataType::Int => store_numbers::<Int32Type>(columns, slot, rows),
        DataType::BigInt => store_numbers::<Int64Type>(columns, slot, rows),
        DataType::Float => store_numbers::<Float32Type>(columns, slot, rows),
        DataType::Double => store_numbers::<Float64Type>(columns, slot, rows),
        DataType::Date => store_numbers::<Date32Type>(columns, slot, rows),
        DataType::Time(_) => store_numbers::<Time32MillisecondType>(columns, slot, rows),
        DataType::Decimal { precision, scale } => {
            let values = columns.values::<i128>(slot, rows).to_vec();
            let values = Decimal128Array::new(values.into(), nulls(columns, slot, rows));
            // What stands where a row is NULL is not looked at.
            let data_type = ArrowType::Decimal128(*precision, *scale as i8);
            Arc::new(values.with_data_type(data_type))
        }
        DataType::Timestamp(precision) | DataType::TimestampLtz(precision) => {
            let zone = matches!(data_type, DataType::TimestampLtz(_)).then_some("UTC");
            let store = match unit(*precision) {
                TimeUnit::Microsecond => store_timestamps::<TimestampMicrosecondType>,
                TimeUnit::Nanosecond => store_timestamps::<TimestampNanosecondType>,
                _ => store_timestamps::<TimestampMillisecondType>,
            };
            store(columns, slot, rows, zone)?
        }
        DataType::Char(_) | DataType::Varchar(_) => store_texts(columns, slot, rows)?,
        DataType::Binary(_) | DataType::Varbinary(_) => {
            check_bytes(columns, slot, rows)?;
            let values = (0..rows).map(|row| {
                let valid = columns.is_valid(slot, row);
                valid.then(|| columns.text(slot, row))
            });
            Arc::new(values.collect::<BinaryArray>())
        }
        DataType::Array(element) => nested::store_array(columns, slot, element, rows)?,
        DataType::Map(key, value) => nested::store_map(columns, slot, (key, value), rows)?,
        DataType::Row(fields) => nested::store_row(columns, slot, fields, rows)?,
    })
}

pub(super) fn nulls(columns: &Columns, slot: Slot, rows: usize) -> Option<NullBuffer> {
    let valid = BooleanBuffer::collect_bool(rows, |row| columns.is_valid(slot, row));
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

fn store_numbers<A>(columns: &Columns, slot: Slot, rows: usize) -> ArrayRef
where
    A: ArrowPrimitiveType,
    A::Native: Native,
{
    let values = columns.values::<A::Native>(slot, rows).to_vec();
    let nulls = nulls(columns, slot, rows);
    Arc::new(PrimitiveArray::<A>::new(values.into(), nulls))
}

fn store_timestamps<A: ArrowTimestampType>(
    columns: &Columns,
    slot: Slot,
    rows: usize,
    zone: Option<&str>,
) -> Result<ArrayRef, ConvertError> {
    let per_milli = match A::UNIT {
        TimeUnit::Nanosecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        _ => 1,
    };
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        let Timestamp { millis, nanos } = columns.value(slot, row).unwrap_or_default();
        let rest = i64::from(nanos) * per_milli / 1_000_000;
        let value = i128::from(millis) * i128::from(per_milli) + i128::from(rest);
        values.push(i64::try_from(value).map_err(|_| ConvertError::Value {
            row,
            value: format!("{millis} ms since 1970"),
            wanted: format!("64 bits of {}", unit_name(A::UNIT)),
        })?);
    }
    let nulls = nulls(columns, slot, rows);
    let array = PrimitiveArray::<A>::new(values.into(), nulls);
    Ok(Arc::new(array.with_timezone_opt(zone)))
}

/// The offsets of an array count in 31 bits. Rows may share bytes of the heap, in an array each has
/// its own.
fn check_bytes(columns: &Columns, slot: Slot, rows: usize) -> Result<(), MemoryError> {
    let views = (0..rows).filter_map(|row| columns.value::<View>(slot, row));
    match views.map(|view| view.len() as usize).sum::<usize>() <= i32::MAX as usize {
        true => Ok(()),
        false => Err(MemoryError::HeapFull),
    }
}

fn store_texts(columns: &Columns, slot: Slot, rows: usize) -> Result<ArrayRef, ConvertError> {
    check_bytes(columns, slot, rows)?;
    let mut builder = StringBuilder::new();
    for row in 0..rows {
        let bytes = columns.is_valid(slot, row).then(|| columns.text(slot, row));
        let text = bytes.map(|bytes| {
            std::str::from_utf8(bytes).map_err(|_| ConvertError::Value {
                row,
                value: format!("{:?}", String::from_utf8_lossy(bytes)),
                wanted: "UTF-8".to_owned(),
            })
        });
        builder.append_option(text.transpose()?);
    }
    Ok(Arc::new(builder.finish()))
}
