use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type as Key, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float32Array, Int32Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    Time32MillisecondArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array,
};

use arrow_array::builder::StringViewBuilder;
use arrow_buffer::NullBuffer;
use proptest::prelude::*;

use super::*;
use crate::columns::{Columns, Layout, Physical};
use crate::testing::{any_type, any_value};
use crate::type_parser::parse_type;
use crate::value::Value;

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
        assert_eq!(&to_arrow(&data_type), array.data_type());
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
    refused(
        &ints,
        "ARRAY<INT>",
        "it holds INT (Arrow Int32), which does not fit ARRAY<INT> without loss",
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
        "the value \"longer than seven\" in row 2 does not fit VARCHAR(16) without loss",
    );
    // What no row has does no harm.
    let others = dictionary.slice(0, 2);
    assert_eq!(
        &through(&others, "VARCHAR(16)").unwrap(),
        &expected.slice(0, 2)
    );
}

/// Strings of all kinds of arrays: long and short, NULL over any bytes, parts of larger arrays.
fn any_strings() -> impl Strategy<Value = (Vec<Option<String>>, [ArrayRef; 3])> {
    let text = prop_oneof!["[a-zé]{0,14}", "[a-z]{11,13}", "[a-zé]{30,70}"];
    let rows = proptest::collection::vec((text, any::<bool>()), 1..80);
    (rows, any::<bool>(), 0..40_usize, 0..80_usize).prop_map(|(rows, nulls, first, length)| {
        let texts: Vec<&str> = rows.iter().map(|(text, _)| text.as_str()).collect();
        let valid = rows.iter().map(|(_, is_valid)| !nulls || *is_valid);
        let valid: Vec<bool> = valid.collect();
        let nulls = nulls.then(|| NullBuffer::from(valid.clone()));
        let (offsets, bytes, _) = StringArray::from(texts.clone()).into_parts();
        let strings = StringArray::new(offsets, bytes, nulls.clone());
        let (offsets, bytes, _) = LargeStringArray::from(texts.clone()).into_parts();
        let large = LargeStringArray::new(offsets, bytes, nulls.clone());
        let mut views = StringViewBuilder::new().with_fixed_block_size(100);
        texts.iter().for_each(|text| views.append_value(text));
        let (views, buffers, _) = views.finish().into_parts();
        let views = StringViewArray::new(views, buffers, nulls);
        let arrays: [ArrayRef; 3] = [Arc::new(strings), Arc::new(large), Arc::new(views)];
        let first = first.min(texts.len());
        let length = length.min(texts.len() - first);
        let wanted = texts.iter().zip(valid).skip(first).take(length);
        let wanted = wanted.map(|(text, is_valid)| is_valid.then(|| (*text).to_owned()));
        (
            wanted.collect(),
            arrays.map(|array| array.slice(first, length)),
        )
    })
}

proptest! {
    #[test]
    fn strings_of_any_array_load_as_they_are((wanted, arrays) in any_strings()) {
        let wanted = StringArray::from(wanted);
        for array in arrays {
            let loaded = through(&array, "STRING").unwrap();
            prop_assert_eq!(loaded.as_string::<i32>(), &wanted, "{}", array.data_type());
            let limited = through(&array, "VARCHAR(70)").unwrap();
            prop_assert_eq!(limited.as_string::<i32>(), &wanted, "{}", array.data_type());
        }
    }
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

/// A column of values, and where it lies.
fn column(data_type: &DataType, values: &[Value]) -> (Columns, crate::columns::Slot) {
    let mut layout = Layout::default();
    let slot = layout.add(Physical::of(data_type));
    let mut columns = Columns::new(&layout, values.len()).unwrap();
    for (row, value) in values.iter().enumerate() {
        value.put(&mut columns, slot, row, data_type).unwrap();
    }
    (columns, slot)
}

fn stored(data_type: &DataType, values: &[Value]) -> Result<ArrayRef, ConvertError> {
    let (columns, slot) = column(data_type, values);
    store(&columns, slot, data_type, values.len())
}

proptest! {
    #[test]
    fn values_of_any_type_come_back_from_arrow(
        (data_type, values) in any_type().prop_flat_map(|data_type| {
            let values = proptest::collection::vec(any_value(&data_type), 1..8);
            (Just(data_type), values)
        }),
        skip in 0_usize..3,
    ) {
        let array = stored(&data_type, &values).unwrap();
        prop_assert_eq!(array.data_type(), &to_arrow(&data_type));
        // As the rows of a batch that was cut.
        let skip = skip.min(values.len());
        let array = array.slice(skip, values.len() - skip);
        let mut layout = Layout::default();
        let slot = layout.add(Physical::of(&data_type));
        let mut columns = Columns::new(&layout, values.len()).unwrap();
        load(&array, &data_type, slot, &mut columns).unwrap();
        for (row, value) in values[skip..].iter().enumerate() {
            let read = Value::of(&columns, slot, row, &data_type).unwrap();
            prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
    }
}

#[test]
fn types_have_the_arrow_types_that_other_tools_expect() {
    for (data_type, arrow) in [
        ("DECIMAL(38, 10)", "Decimal128(38, 10)"),
        ("BYTES", "Binary"),
        ("TIME(3)", "Time32(ms)"),
        ("TIMESTAMP_LTZ(6)", "Timestamp(µs, \"UTC\")"),
    ] {
        let data_type = parse_type(data_type).unwrap().data_type;
        let found = to_arrow(&data_type);
        assert_eq!(found.to_string(), arrow);
        assert_eq!(from_arrow(&found), Some(data_type));
    }
    for data_type in [
        "ARRAY<INT NOT NULL>",
        "MAP<STRING NOT NULL, ARRAY<DOUBLE>>",
        "ROW<`a` INT NOT NULL, `b` ROW<`c` TIMESTAMP_LTZ(9)>>",
    ] {
        let parsed = parse_type(data_type).unwrap().data_type;
        let back = from_arrow(&to_arrow(&parsed)).unwrap();
        assert_eq!(back.to_string(), data_type);
    }
}

#[test]
fn what_is_inside_is_checked_as_outside() {
    let ints = parse_type("ARRAY<INT>").unwrap().data_type;
    let lists = [
        Value::Array(vec![Value::Int(1)]),
        Value::Null,
        Value::Array(vec![Value::Int(2), Value::Null]),
    ];
    let array = stored(&ints, &lists).unwrap();
    assert_eq!(through(&array, "ARRAY<BIGINT>").unwrap().len(), 3);
    refused(
        &array,
        "ARRAY<SMALLINT>",
        "it holds INT (Arrow Int32), which does not fit SMALLINT without loss",
    );
    refused(
        &array,
        "ARRAY<INT NOT NULL>",
        "the value NULL in row 2 does not fit INT NOT NULL without loss",
    );
    let texts = parse_type("ARRAY<STRING>").unwrap().data_type;
    let text = |text: &str| Value::Text(text.to_owned());
    let lists = [
        Value::Array(vec![text("a")]),
        Value::Array(vec![]),
        Value::Array(vec![text("b"), text("longer")]),
    ];
    let array = stored(&texts, &lists).unwrap();
    refused(
        &array,
        "ARRAY<VARCHAR(3)>",
        "the value \"longer\" in row 2 does not fit VARCHAR(3) without loss",
    );
    let row = parse_type("ROW<a INT, b STRING>").unwrap().data_type;
    let array = stored(&row, &[Value::Row(vec![Value::Int(7), text("x")])]).unwrap();
    let narrowed = through(&array, "ROW<b STRING>").unwrap();
    assert_eq!(
        narrowed.as_struct().column(0).as_string::<i32>().value(0),
        "x"
    );
    assert!(matches!(
        through(&array, "ROW<c INT>"),
        Err(ConvertError::Type { .. })
    ));
}

#[test]
fn a_null_that_the_type_does_not_allow_is_no_file() {
    let ints = parse_type("ARRAY<INT NOT NULL>").unwrap().data_type;
    let values = [Value::Null, Value::Array(vec![Value::Null])];
    assert_eq!(
        stored(&ints, &values).unwrap_err().to_string(),
        "the value NULL of an element in row 1 does not fit NOT NULL without loss"
    );
    let map = parse_type("MAP<STRING, INT>").unwrap().data_type;
    let values = [Value::Map(vec![(Value::Null, Value::Int(1))])];
    assert!(stored(&map, &values).is_err());
}

#[test]
fn damaged_nested_bytes_are_errors_with_their_row() {
    let ints = parse_type("ARRAY<INT>").unwrap().data_type;
    let mut layout = Layout::default();
    let slot = layout.add(Physical::View);
    let mut columns = Columns::new(&layout, 2).unwrap();
    columns.set_valid(slot, 0, false);
    let broken = columns.push_text(&[0xff; 16]).unwrap();
    columns.put(slot, 1, Some(broken));
    let error = store(&columns, slot, &ints, 2).unwrap_err().to_string();
    assert!(
        error.starts_with("the value in row 1 is broken: the ARRAY of"),
        "{error}"
    );
}

#[test]
fn decimals_load_where_every_digit_has_a_place() {
    let decimals = Decimal128Array::from(vec![Some(125), None, Some(-99999)])
        .with_precision_and_scale(5, 2)
        .unwrap();
    let wider: ArrayRef = Arc::new(
        Decimal128Array::from(vec![Some(1250), None, Some(-999_990)])
            .with_precision_and_scale(6, 3)
            .unwrap(),
    );
    assert_eq!(&through(&decimals, "DECIMAL(6, 3)").unwrap(), &wider);
    refused(
        &decimals,
        "DECIMAL(5, 3)",
        "it holds DECIMAL(5, 2) (Arrow Decimal128(5, 2)), which does not fit DECIMAL(5, 3) \
         without loss",
    );
    let false_digits =
        Decimal128Array::from(vec![1_000_000]).with_data_type(ArrowType::Decimal128(5, 2));
    refused(
        &false_digits,
        "DECIMAL(5, 2)",
        "the value 1000000E-2 in row 0 does not fit DECIMAL(5, 2) without loss",
    );
}

#[test]
fn times_load_to_the_millisecond() {
    let micros = Time64MicrosecondArray::from(vec![Some(86_399_999_000), None]);
    let millis: ArrayRef = Arc::new(Time32MillisecondArray::from(vec![Some(86_399_999), None]));
    assert_eq!(&through(&micros, "TIME(6)").unwrap(), &millis);
    refused(
        &Time64MicrosecondArray::from(vec![1]),
        "TIME(6)",
        "the value 1 µs of the day in row 0 does not fit TIME(6) without loss",
    );
    refused(
        &Time32MillisecondArray::from(vec![86_400_000]),
        "TIME(3)",
        "the value 86400000 ms of the day in row 0 does not fit TIME(3) without loss",
    );
}
