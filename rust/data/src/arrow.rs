//! Columns to and from Arrow arrays: how files are read and written.
//!
//! Reading never loses anything: a file's column goes into a type that holds all its values
//! (`Int32` into `BIGINT`), or, where that depends on the value (`Timestamp(µs)` into
//! `TIMESTAMP(3)`), each value is checked. Anything else is an error that names both types.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayAccessor, ArrayRef, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType as ArrowType, TimeUnit};

use crate::columns::{Columns, MemoryError, Native, Slot, Timestamp, View};
use crate::types::{DataType, MAX_LENGTH};

/// Why an Arrow array does not become a column, or a column no array.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Some values of the array's type have no place in the column's type.
    #[error(
        "it holds {}, which does not fit {wanted} without loss",
        FileType(found)
    )]
    Type {
        /// The array's type.
        found: ArrowType,
        /// The column's type.
        wanted: DataType,
    },
    /// A value has no place in the column's type.
    #[error("the value {value} in row {row} does not fit {wanted} without loss")]
    Value {
        /// The row of the array, counted from 0.
        row: usize,
        /// The value.
        value: String,
        /// The type it should have.
        wanted: String,
    },
    /// There is no Arrow type for it.
    #[error("values of type {0} are not supported in files")]
    NotSupported(DataType),
    /// No memory for the strings.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl ConvertError {
    /// The same error of an array that begins at row `first` of something longer.
    pub fn in_rows_from(self, first: usize) -> ConvertError {
        match self {
            ConvertError::Value { row, value, wanted } => ConvertError::Value {
                row: first + row,
                value,
                wanted,
            },
            other => other,
        }
    }
}

/// A file's type as SQL says it, where it does, and as Arrow says it.
struct FileType<'a>(&'a ArrowType);

impl fmt::Display for FileType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match from_arrow(self.0) {
            Some(data_type) => write!(f, "{data_type} (Arrow {})", self.0),
            None => write!(f, "Arrow {}", self.0),
        }
    }
}

/// The Arrow type that columns of `data_type` are written as.
pub fn to_arrow(data_type: &DataType) -> Result<ArrowType, ConvertError> {
    Ok(match data_type {
        DataType::Boolean => ArrowType::Boolean,
        DataType::TinyInt => ArrowType::Int8,
        DataType::SmallInt => ArrowType::Int16,
        DataType::Int => ArrowType::Int32,
        DataType::BigInt => ArrowType::Int64,
        DataType::Float => ArrowType::Float32,
        DataType::Double => ArrowType::Float64,
        DataType::Char(_) | DataType::Varchar(_) => ArrowType::Utf8,
        DataType::Date => ArrowType::Date32,
        DataType::Timestamp(precision) => ArrowType::Timestamp(unit(*precision), None),
        other => return Err(ConvertError::NotSupported(other.clone())),
    })
}

/// The type that holds the values of an Arrow type, if there is one that columns hold.
pub fn from_arrow(arrow: &ArrowType) -> Option<DataType> {
    Some(match arrow {
        ArrowType::Boolean => DataType::Boolean,
        ArrowType::Int8 => DataType::TinyInt,
        ArrowType::Int16 | ArrowType::UInt8 => DataType::SmallInt,
        ArrowType::Int32 | ArrowType::UInt16 => DataType::Int,
        ArrowType::Int64 | ArrowType::UInt32 => DataType::BigInt,
        ArrowType::Float32 => DataType::Float,
        ArrowType::Float64 => DataType::Double,
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::STRING,
        ArrowType::Dictionary(_, value) => return from_arrow(value),
        ArrowType::Date32 => DataType::Date,
        ArrowType::Timestamp(TimeUnit::Second, _) => DataType::Timestamp(0),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => DataType::Timestamp(3),
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => DataType::Timestamp(6),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => DataType::Timestamp(9),
        _ => return None,
    })
}

/// The coarsest unit that Parquet has, too, with all digits of a precision.
fn unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// Whether arrays of type `found` can be loaded as `wanted`, but for values.
pub fn fits(found: &ArrowType, wanted: &DataType) -> Result<(), ConvertError> {
    loader(found, wanted).map(drop)
}

/// Copies an array into the first rows of a slot that holds `wanted`. Points in time (timestamps
/// with a zone) become the date and time of day that they are in UTC.
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

type Load = fn(&dyn Array, &DataType, Slot, &mut Columns) -> Result<(), ConvertError>;

fn loader(found: &ArrowType, wanted: &DataType) -> Result<Load, ConvertError> {
    if let Some(load) = widening(found, wanted) {
        return Ok(load);
    }
    let load: Option<Load> = match (found, wanted) {
        (ArrowType::Boolean, DataType::Boolean) => Some(load_boolean),
        (ArrowType::Timestamp(unit, _), DataType::Timestamp(_)) => Some(match unit {
            TimeUnit::Second => load_timestamp::<TimestampSecondType>,
            TimeUnit::Millisecond => load_timestamp::<TimestampMillisecondType>,
            TimeUnit::Microsecond => load_timestamp::<TimestampMicrosecondType>,
            TimeUnit::Nanosecond => load_timestamp::<TimestampNanosecondType>,
        }),
        (found, DataType::Char(_) | DataType::Varchar(_)) => text_loader(found),
        _ => None,
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

fn load_validity(array: &dyn Array, slot: Slot, columns: &mut Columns) {
    for row in 0..array.len() {
        columns.set_valid(slot, row, array.is_valid(row));
    }
}

fn load_timestamp<A: ArrowTimestampType>(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let precision = match wanted {
        DataType::Timestamp(precision) => *precision,
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
        columns.put(slot, row, timestamp);
    }
    Ok(())
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    }
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

fn text_loader(found: &ArrowType) -> Option<Load> {
    Some(match found {
        ArrowType::Utf8 => |a, wanted, s, c| load_texts(a.as_string::<i32>(), wanted, s, c),
        ArrowType::LargeUtf8 => |a, wanted, s, c| load_texts(a.as_string::<i64>(), wanted, s, c),
        ArrowType::Utf8View => |a, wanted, s, c| load_texts(a.as_string_view(), wanted, s, c),
        ArrowType::Dictionary(_, values) if values.is_string() => load_dictionary,
        _ => return None,
    })
}

fn load_texts<'a>(
    array: impl ArrayAccessor<Item = &'a str>,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    for row in 0..array.len() {
        let text = array.is_valid(row).then(|| array.value(row));
        let view = push_text(text, row, wanted, columns)?;
        columns.put(slot, row, view);
    }
    Ok(())
}

/// Every value of the dictionary is copied once.
fn load_dictionary(
    array: &dyn Array,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    let mut views = Vec::with_capacity(values.len());
    for i in 0..values.len() {
        let text = values.is_valid(i).then(|| text_at(values, i));
        views.push(push_text(text, i, wanted, columns)?);
    }
    // Without values, every row is NULL, and keys cannot be normalized.
    let keys = match views.is_empty() {
        true => Vec::new(),
        false => dictionary.normalized_keys(),
    };
    for row in 0..array.len() {
        let key = array.is_valid(row).then(|| keys[row]);
        columns.put(slot, row, key.and_then(|key| views[key]));
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

fn push_text(
    text: Option<&str>,
    row: usize,
    wanted: &DataType,
    columns: &mut Columns,
) -> Result<Option<View>, ConvertError> {
    let Some(text) = text else {
        return Ok(None);
    };
    if let DataType::Char(length @ 0..MAX_LENGTH) | DataType::Varchar(length @ 0..MAX_LENGTH) =
        wanted
        && text.chars().nth(*length as usize).is_some()
    {
        return Err(ConvertError::Value {
            row,
            value: format!("{text:?}"),
            wanted: wanted.to_string(),
        });
    }
    Ok(Some(columns.push_text(text.as_bytes())?))
}

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
        DataType::Timestamp(precision) => match unit(*precision) {
            TimeUnit::Microsecond => {
                store_timestamps::<TimestampMicrosecondType>(columns, slot, rows, 1_000)?
            }
            TimeUnit::Nanosecond => {
                store_timestamps::<TimestampNanosecondType>(columns, slot, rows, 1_000_000)?
            }
            _ => store_timestamps::<TimestampMillisecondType>(columns, slot, rows, 1)?,
        },
        DataType::Char(_) | DataType::Varchar(_) => store_texts(columns, slot, rows)?,
        other => return Err(ConvertError::NotSupported(other.clone())),
    })
}

fn nulls(columns: &Columns, slot: Slot, rows: usize) -> Option<NullBuffer> {
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
    per_milli: i64,
) -> Result<ArrayRef, ConvertError> {
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
    Ok(Arc::new(PrimitiveArray::<A>::new(values.into(), nulls)))
}

fn store_texts(columns: &Columns, slot: Slot, rows: usize) -> Result<ArrayRef, ConvertError> {
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

#[cfg(test)]
mod tests {
    use arrow_array::types::Int8Type as Key;
    use arrow_array::{
        DictionaryArray, Float32Array, Int32Array, Int64Array, LargeStringArray, RecordBatch,
        StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray,
        TimestampNanosecondArray, TimestampSecondArray, UInt32Array,
    };

    use super::*;
    use crate::columns::{Layout, Physical};
    use crate::type_parser::parse_type;

    /// Loads an array as a type, and what `store` makes of it.
    fn through(array: &dyn Array, wanted: &str) -> Result<ArrayRef, ConvertError> {
        let wanted = parse_type(wanted).unwrap().data_type;
        fits(array.data_type(), &wanted)?;
        let mut layout = Layout::default();
        let slot = layout.add(Physical::of(&wanted).unwrap());
        let mut columns = Columns::new(&layout, array.len().max(1)).unwrap();
        load(array, &wanted, slot, &mut columns)?;
        store(&columns, slot, &wanted, array.len())
    }

    #[track_caller]
    fn refused(array: &dyn Array, wanted: &str, message: &str) {
        assert_eq!(through(array, wanted).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_column_that_was_stored_loads_as_the_same() {
        let arrays: [(ArrayRef, &str); 7] = [
            (
                Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
                "BOOLEAN",
            ),
            (
                Arc::new(Int32Array::from(vec![Some(i32::MIN), None])),
                "INT",
            ),
            (
                Arc::new(Float32Array::from(vec![
                    Some(-0.0),
                    None,
                    Some(f32::MIN_POSITIVE),
                ])),
                "FLOAT",
            ),
            (
                Arc::new(StringArray::from(vec![Some("né"), None, Some("")])),
                "STRING",
            ),
            (
                Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None])),
                "TIMESTAMP(3)",
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), Some(1_001)])),
                "TIMESTAMP(6)",
            ),
            (
                Arc::new(TimestampNanosecondArray::from(vec![
                    Some(i64::MIN),
                    Some(1),
                ])),
                "TIMESTAMP(9)",
            ),
        ];
        for (array, wanted) in arrays {
            assert_eq!(&through(&array, wanted).unwrap(), &array, "{wanted}");
            let data_type = parse_type(wanted).unwrap().data_type;
            assert_eq!(&to_arrow(&data_type).unwrap(), array.data_type());
            assert_eq!(from_arrow(array.data_type()), Some(data_type));
        }
    }

    #[test]
    fn numbers_widen_and_never_narrow() {
        let ints = Int32Array::from(vec![Some(7), None]);
        let wide = through(&ints, "BIGINT").unwrap();
        assert_eq!(
            wide.as_primitive::<Int64Type>(),
            &Int64Array::from(vec![Some(7), None])
        );
        let unsigned = UInt32Array::from(vec![u32::MAX]);
        let wide = through(&unsigned, "BIGINT").unwrap();
        assert_eq!(
            wide.as_primitive::<Int64Type>().value(0),
            i64::from(u32::MAX)
        );
        refused(
            &Int64Array::from(vec![1]),
            "INT",
            "it holds BIGINT (Arrow Int64), which does not fit INT without loss",
        );
        refused(
            &ints,
            "FLOAT",
            "it holds INT (Arrow Int32), which does not fit FLOAT without loss",
        );
        refused(
            &ints,
            "STRING",
            "it holds INT (Arrow Int32), which does not fit STRING without loss",
        );
        refused(
            &ints,
            "BYTES",
            "it holds INT (Arrow Int32), which does not fit BYTES without loss",
        );
    }

    #[test]
    fn all_string_arrays_load_as_strings() {
        let texts = vec![Some("LGA"), None, Some("longer than seven"), Some("LGA")];
        let expected: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let dictionary: DictionaryArray<Key> = texts.iter().copied().collect();
        let nothing: DictionaryArray<Key> = vec![None::<&str>; 2].into_iter().collect();
        for array in [
            &LargeStringArray::from(texts.clone()) as &dyn Array,
            &StringViewArray::from(texts),
            &dictionary,
        ] {
            assert_eq!(&through(array, "STRING").unwrap(), &expected);
            assert_eq!(&through(array, "VARCHAR(17)").unwrap(), &expected);
        }
        assert_eq!(through(&nothing, "STRING").unwrap().null_count(), 2);
        refused(
            &dictionary,
            "VARCHAR(16)",
            "the value \"longer than seven\" in row 1 does not fit VARCHAR(16) without loss",
        );
    }

    #[test]
    fn timestamps_of_any_unit_load_where_no_digit_is_lost() {
        let seconds = TimestampSecondArray::from(vec![Some(-1), None]);
        let millis: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![Some(-1000), None]));
        assert_eq!(&through(&seconds, "TIMESTAMP(0)").unwrap(), &millis);
        let micros = TimestampMicrosecondArray::from(vec![Some(-1_000_000), None]);
        assert_eq!(
            &through(&micros.with_timezone("UTC"), "TIMESTAMP(3)").unwrap(),
            &millis
        );
        refused(
            &TimestampMicrosecondArray::from(vec![1_000, 1_001]),
            "TIMESTAMP(3)",
            "the value 1001 µs since 1970 in row 1 does not fit TIMESTAMP(3) without loss",
        );
        assert!(through(&TimestampMillisecondArray::from(vec![-10]), "TIMESTAMP(1)").is_err());
        assert!(through(&TimestampMillisecondArray::from(vec![-100]), "TIMESTAMP(1)").is_ok());
        assert!(through(&TimestampSecondArray::from(vec![i64::MAX]), "TIMESTAMP(3)").is_err());
        refused(
            &TimestampMillisecondArray::from(vec![i64::MAX]),
            "TIMESTAMP(9)",
            "the value 9223372036854775807 ms since 1970 in row 0 does not fit 64 bits of ns \
             without loss",
        );
    }

    #[test]
    fn a_sliced_array_loads_its_own_rows() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let batch = RecordBatch::try_from_iter([("x", array)])
            .unwrap()
            .slice(1, 2);
        let expected: ArrayRef = Arc::new(StringArray::from(vec![None, Some("c")]));
        assert_eq!(&through(batch.column(0), "STRING").unwrap(), &expected);
    }
}
