//! From Arrow arrays into columns.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Decimal32Type, Decimal64Type,
    Decimal128Type, DecimalType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayAccessor, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow_buffer::Buffer;
use arrow_data::{ByteView, MAX_INLINE_VIEW_LEN};
use arrow_schema::{DataType as ArrowType, TimeUnit};

use super::{ConvertError, nested, unit_name};
use crate::calendar::DAY;
use crate::columns::{Columns, Native, Slot, Timestamp, View};
use crate::types::{DataType, MAX_LENGTH};

/// Whether arrays of type `found` can be loaded as `wanted`, but for values.
pub fn fits(found: &ArrowType, wanted: &DataType) -> Result<(), ConvertError> {
    loader(found, wanted).map(drop)
}

/// Copies an array into the first rows of a slot that holds `wanted`. Points in time (timestamps
/// with a zone, `TIMESTAMP_LTZ`) and dates with a time of day become each other in UTC.
///
/// # Panics
/// If the array is longer than the columns' capacity.
pub fn load(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let rows = array.len();
    assert!(rows <= columns.capacity(), "{rows} rows for the columns");
    let load = loader(array.data_type(), wanted)?;
    load(array, wanted, slot, columns)
}

pub(super) type Load = fn(&dyn Array, &DataType, Slot, &mut Columns) -> Result<(), ConvertError>;

fn loader(found: &ArrowType, wanted: &DataType) -> Result<Load, ConvertError> {
    if let Some(load) = widening(found, wanted) {
        return Ok(load);
    }
    let load: Option<Load> = match (found, wanted) {
        (ArrowType::Boolean, DataType::Boolean) => Some(load_boolean),
        (ArrowType::Timestamp(unit, _), DataType::Timestamp(_) | DataType::TimestampLtz(_)) => {
            Some(match unit {
                TimeUnit::Second => load_timestamp::<TimestampSecondType>,
                TimeUnit::Millisecond => load_timestamp::<TimestampMillisecondType>,
                TimeUnit::Microsecond => load_timestamp::<TimestampMicrosecondType>,
                TimeUnit::Nanosecond => load_timestamp::<TimestampNanosecondType>,
            })
        }
        (found, DataType::Time(_)) => time_loader(found),
        (found, DataType::Decimal { precision, scale }) => {
            decimal_loader(found, *precision, *scale)
        }
        (found, DataType::Char(_) | DataType::Varchar(_)) => text_loader(found),
        (found, DataType::Binary(_) | DataType::Varbinary(_)) => binary_loader(found),
        (found, wanted) => nested::loader(found, wanted)?,
    };
    load.ok_or_else(|| ConvertError::Type {
        found: found.clone(),
        wanted: wanted.clone(),
    })
}

/// The loaders of numbers and dates: `From` between the native types exists only without loss.
macro_rules! widening {
    ($($found:ident $arrow:ident: $($wanted:ident $native:ty),+;)*) => {
        fn widening(found: &ArrowType, wanted: &DataType) -> Option<Load> {
            match (found, wanted) {
                $($((ArrowType::$found, DataType::$wanted) => Some(load_number::<$arrow, $native>),)+)*
                _ => None,
            }
        }
    };
}
widening! {
    Int8 Int8Type: TinyInt i8, SmallInt i16, Int i32, BigInt i64, Float f32, Double f64;
    Int16 Int16Type: SmallInt i16, Int i32, BigInt i64, Float f32, Double f64;
    Int32 Int32Type: Int i32, BigInt i64, Double f64;
    Int64 Int64Type: BigInt i64;
    UInt8 UInt8Type: SmallInt i16, Int i32, BigInt i64, Float f32, Double f64;
    UInt16 UInt16Type: Int i32, BigInt i64, Float f32, Double f64;
    UInt32 UInt32Type: BigInt i64, Double f64;
    Float32 Float32Type: Float f32, Double f64;
    Float64 Float64Type: Double f64;
    Date32 Date32Type: Date i32;
}

fn load_number<A, T>(
    array: &dyn Array,
    _: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError>
where
    A: ArrowPrimitiveType,
    T: Native + From<A::Native>,
{
    let values = array.as_primitive::<A>().values();
    let out = columns.values_mut::<T>(slot, values.len());
    for (out, value) in out.iter_mut().zip(values) {
        *out = T::from(*value);
    }
    load_validity(array, slot, columns);
    Ok(())
}

fn load_boolean(
    array: &dyn Array,
    _: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    for (row, value) in array.as_boolean().values().iter().enumerate() {
        columns.set(slot, row, i8::from(value));
    }
    load_validity(array, slot, columns);
    Ok(())
}

/// Sets only which of the first rows of a slot are NULL.
///
/// # Panics
/// If the array is longer than the columns' capacity.
pub fn load_validity(array: &dyn Array, slot: Slot, columns: &mut Columns) {
    match array.nulls() {
        Some(nulls) => {
            let words = nulls.inner().bit_chunks();
            for (first, valid) in (0..nulls.len()).step_by(64).zip(words.iter_padded()) {
                columns.set_valid_bits(slot, first..nulls.len().min(first + 64), valid);
            }
        }
        None => columns.set_valid_rows(slot, array.len(), true),
    }
}

fn load_timestamp<A: ArrowTimestampType>(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let precision = match wanted {
        DataType::Timestamp(precision) | DataType::TimestampLtz(precision) => *precision,
        _ => 9,
    };
    let array = array.as_primitive::<A>();
    for row in 0..array.len() {
        let timestamp = if array.is_valid(row) {
            let value = array.value(row);
            let timestamp = timestamp(A::UNIT, value).filter(|t| is_exact(*t, precision));
            Some(timestamp.ok_or_else(|| ConvertError::Value {
                row,
                value: format!("{value} {} since 1970", unit_name(A::UNIT)),
                wanted: wanted.to_string(),
            })?)
        } else {
            None
        };
        columns.set::<Timestamp>(slot, row, timestamp.unwrap_or_default());
    }
    load_validity(array, slot, columns);
    Ok(())
}

/// `None` where milliseconds do not fit 64 bits.
fn timestamp(unit: TimeUnit, value: i64) -> Option<Timestamp> {
    let split = |per_milli: i64, nanos_each: i64| Timestamp {
        millis: value.div_euclid(per_milli),
        nanos: (value.rem_euclid(per_milli) * nanos_each) as i32,
    };
    Some(match unit {
        TimeUnit::Second => Timestamp {
            millis: value.checked_mul(1000)?,
            nanos: 0,
        },
        TimeUnit::Millisecond => split(1, 0),
        TimeUnit::Microsecond => split(1_000, 1_000),
        TimeUnit::Nanosecond => split(1_000_000, 1),
    })
}

/// Whether a timestamp has no more digits behind the second than `precision`.
fn is_exact(timestamp: Timestamp, precision: u8) -> bool {
    let precision = u32::from(precision);
    if precision < 3 {
        return timestamp.nanos == 0 && timestamp.millis % 10_i64.pow(3 - precision) == 0;
    }
    timestamp.nanos % 10_i32.pow(9 - precision) == 0
}

fn time_loader(found: &ArrowType) -> Option<Load> {
    Some(match found {
        ArrowType::Time32(TimeUnit::Second) => load_time::<Time32SecondType>,
        ArrowType::Time32(TimeUnit::Millisecond) => load_time::<Time32MillisecondType>,
        ArrowType::Time64(TimeUnit::Microsecond) => load_time::<Time64MicrosecondType>,
        ArrowType::Time64(TimeUnit::Nanosecond) => load_time::<Time64NanosecondType>,
        _ => return None,
    })
}

/// Flink keeps the milliseconds of a time of day, whatever its precision.
fn load_time<A>(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError>
where
    A: ArrowPrimitiveType,
    i64: From<A::Native>,
{
    let unit = match A::DATA_TYPE {
        ArrowType::Time32(unit) | ArrowType::Time64(unit) => unit,
        _ => TimeUnit::Millisecond,
    };
    let precision = match wanted {
        DataType::Time(precision) => (*precision).min(3),
        _ => 3,
    };
    let array = array.as_primitive::<A>();
    for row in 0..array.len() {
        let time = array.is_valid(row).then(|| i64::from(array.value(row)));
        let time = time.map(|value| {
            let time = timestamp(unit, value).filter(|time| is_exact(*time, precision));
            let time = time.filter(|time| (0..DAY).contains(&time.millis));
            time.ok_or_else(|| ConvertError::Value {
                row,
                value: format!("{value} {} of the day", unit_name(unit)),
                wanted: wanted.to_string(),
            })
        });
        let time = time.transpose()?.map(|time| time.millis as i32);
        columns.put(slot, row, time);
    }
    Ok(())
}

/// Every digit before and behind the point has a place.
fn decimal_loader(found: &ArrowType, precision: u8, scale: u8) -> Option<Load> {
    let (load, digits, behind): (Load, u8, i8) = match found {
        ArrowType::Decimal32(digits, behind) => (load_decimal::<Decimal32Type>, *digits, *behind),
        ArrowType::Decimal64(digits, behind) => (load_decimal::<Decimal64Type>, *digits, *behind),
        ArrowType::Decimal128(digits, behind) => (load_decimal::<Decimal128Type>, *digits, *behind),
        _ => return None,
    };
    let before = i16::from(digits) - i16::from(behind);
    let fits = behind <= scale as i8 && before <= i16::from(precision) - i16::from(scale);
    fits.then_some(load)
}

fn load_decimal<A>(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError>
where
    A: DecimalType,
    i128: From<A::Native>,
{
    let (precision, scale) = match wanted {
        DataType::Decimal { precision, scale } => (*precision, *scale),
        _ => (38, 0),
    };
    let array = array.as_primitive::<A>();
    let factor = 10_i128.checked_pow((i32::from(scale) - i32::from(array.scale())) as u32);
    for row in 0..array.len() {
        let value = array.is_valid(row).then(|| i128::from(array.value(row)));
        let value = value.map(|value| {
            let scaled = factor.and_then(|factor| value.checked_mul(factor));
            let most = 10_u128.pow(u32::from(precision));
            // A file may hold more digits than it says.
            let scaled = scaled.filter(|scaled| scaled.unsigned_abs() < most);
            scaled.ok_or_else(|| ConvertError::Value {
                row,
                value: format!("{value}E{}", -i32::from(array.scale())),
                wanted: wanted.to_string(),
            })
        });
        columns.put(slot, row, value.transpose()?);
    }
    Ok(())
}

fn binary_loader(found: &ArrowType) -> Option<Load> {
    Some(match found {
        ArrowType::Binary => |a, wanted, s, c| load_bytes(a.as_binary::<i32>(), wanted, s, c),
        ArrowType::LargeBinary => |a, wanted, s, c| load_bytes(a.as_binary::<i64>(), wanted, s, c),
        ArrowType::BinaryView => |a, wanted, s, c| load_bytes(a.as_binary_view(), wanted, s, c),
        ArrowType::FixedSizeBinary(_) => {
            |a, wanted, s, c| load_bytes(a.as_fixed_size_binary(), wanted, s, c)
        }
        _ => return None,
    })
}

fn load_bytes<'a>(
    array: impl ArrayAccessor<Item = &'a [u8]>,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    for row in 0..array.len() {
        let bytes = array.is_valid(row).then(|| array.value(row));
        let view = match (bytes, wanted) {
            (None, _) => None,
            (Some(bytes), DataType::Binary(length) | DataType::Varbinary(length))
                if bytes.len() > *length as usize =>
            {
                return Err(ConvertError::Value {
                    row,
                    value: format!("of {} bytes", bytes.len()),
                    wanted: wanted.to_string(),
                });
            }
            (Some(bytes), _) => Some(columns.push_text(bytes)?),
        };
        columns.put(slot, row, view);
    }
    Ok(())
}

fn text_loader(found: &ArrowType) -> Option<Load> {
    Some(match found {
        ArrowType::Utf8 => |a, wanted, s, c| load_texts(a.as_string::<i32>(), wanted, s, c),
        ArrowType::LargeUtf8 => |a, wanted, s, c| load_texts(a.as_string::<i64>(), wanted, s, c),
        ArrowType::Utf8View => |a, wanted, s, c| load_views(a.as_string_view(), wanted, s, c),
        ArrowType::Dictionary(_, values) if values.is_string() => load_dictionary,
        _ => return None,
    })
}

fn load_texts<O: OffsetSizeTrait>(
    array: &GenericStringArray<O>,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    check_lengths(array, wanted)?;
    let (ends, bytes) = (array.value_offsets(), array.value_data());
    let texts = ends.windows(2).zip(0..).map(|(ends, row)| {
        let (start, end) = (ends[0].as_usize(), ends[1].as_usize());
        let len = if array.is_valid(row) { end - start } else { 0 };
        (&bytes[start..], len)
    });
    // The array may be a part of a larger one.
    let all_bytes = (ends[array.len()] - ends[0]).as_usize();
    columns.set_texts(slot, all_bytes, texts)?;
    load_validity(array, slot, columns);
    Ok(())
}

fn load_views(
    array: &StringViewArray,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    check_lengths(array, wanted)?;
    let views = array.views().iter().zip(0..);
    // Without a value it may be anything.
    let views = views.map(|(view, row)| if array.is_valid(row) { *view } else { 0 });
    let all_bytes: usize = views.clone().map(|view| view as u32 as usize).sum();
    // A short string stands in its view: the views are the first buffer.
    let buffers = array.data_buffers().iter().map(Buffer::as_slice);
    let inline = array.views().inner().as_slice();
    let buffers: Vec<&[u8]> = [inline].into_iter().chain(buffers).collect();
    let texts = views.zip(0..).map(|(view, row)| {
        let view = ByteView::from(view);
        let is_inline = view.length <= MAX_INLINE_VIEW_LEN;
        let (buffer, offset) = match is_inline {
            true => (0, row * size_of::<u128>() + size_of::<u32>()),
            false => (view.buffer_index as usize + 1, view.offset as usize),
        };
        (&buffers[buffer][offset..], view.length as usize)
    });
    columns.set_texts(slot, all_bytes, texts)?;
    load_validity(array, slot, columns);
    Ok(())
}

/// `CHAR(n)` and `VARCHAR(n)` have up to `n` characters.
fn most_characters(wanted: &DataType) -> Option<usize> {
    match wanted {
        DataType::Char(most @ 0..MAX_LENGTH) | DataType::Varchar(most @ 0..MAX_LENGTH) => {
            Some(*most as usize)
        }
        _ => None,
    }
}

fn check_lengths<'a>(
    array: impl ArrayAccessor<Item = &'a str>,
    wanted: &DataType,
) -> Result<(), ConvertError> {
    if most_characters(wanted).is_none() {
        return Ok(());
    }
    let mut rows = (0..array.len()).filter(|row| array.is_valid(*row));
    rows.try_for_each(|row| check_length(array.value(row), row, wanted))
}

fn check_length(text: &str, row: usize, wanted: &DataType) -> Result<(), ConvertError> {
    let is_longer = |most| text.chars().nth(most).is_some();
    match most_characters(wanted).is_some_and(is_longer) {
        false => Ok(()),
        true => Err(ConvertError::Value {
            row,
            value: format!("{text:?}"),
            wanted: wanted.to_string(),
        }),
    }
}

/// Every value that a row has is copied once; what no row has is not looked at.
fn load_dictionary(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    let mut views: Vec<Option<View>> = vec![None; values.len()];
    // Without values, every row is NULL, and keys cannot be normalized.
    let keys = match views.is_empty() {
        true => Vec::new(),
        false => dictionary.normalized_keys(),
    };
    for row in 0..array.len() {
        let key = array.is_valid(row).then(|| keys[row]);
        let Some(key) = key.filter(|key| values.is_valid(*key)) else {
            columns.set_valid(slot, row, false);
            continue;
        };
        if views[key].is_none() {
            let text = text_at(values, key);
            check_length(text, row, wanted)?;
            views[key] = Some(columns.push_text(text.as_bytes())?);
        }
        columns.put(slot, row, views[key]);
    }
    Ok(())
}

/// A value of a string array that is not NULL.
fn text_at(array: &dyn Array, row: usize) -> &str {
    match array.data_type() {
        ArrowType::Utf8 => array.as_string::<i32>().value(row),
        ArrowType::LargeUtf8 => array.as_string::<i64>().value(row),
        _ => array.as_string_view().value(row),
    }
}
