use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type as Key, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array,
};

use super::*;
use crate::columns::{Columns, Layout, Physical};
use crate::type_parser::parse_type;

/// Loads an array as a type, and what `store` makes of it.
fn through(array: &dyn Array, wanted: &str) -> Result<ArrayRef, ConvertError> {
    let wanted = parse_type(wanted).unwrap().data_type;
    fits(array.data_type(), &wanted)?;
    let mut layout = Layout::default();
    let slot = layout.add(Physical::of(&wanted));
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
