use super::*;
use crate::columns::{Columns, Layout, Physical};
use crate::scalar::Scalar;
use crate::type_parser::parse_type;
use crate::types::DataType;
use crate::value::{Value, ValueError};

fn parse(text: &str) -> DataType {
    parse_type(text).unwrap().data_type
}

fn value(bytes: &[u8], data_type: &str) -> Result<Value, ValueError> {
    Value::of_scalar(Some(Scalar::Bytes(bytes)), &parse(data_type))
}

fn text(text: &str) -> Option<Scalar<&[u8]>> {
    Some(Scalar::Bytes(text.as_bytes()))
}

#[test]
fn an_array_is_read_in_place_without_a_copy() {
    let string = DataType::STRING;
    let mut array = ArrayWriter::new(&string, 3).unwrap();
    array.push(text("longer than seven")).unwrap();
    array.push(None).unwrap();
    array.push(text("né")).unwrap();
    let mut layout = Layout::default();
    let out = layout.add(Physical::View);
    let mut columns = Columns::new(&layout, 1).unwrap();
    columns.push_text(b"before it").unwrap();
    let array = columns.push_text(&array.finish()).unwrap();
    let end = columns.push_text(b"").unwrap();
    let mut read = |i| {
        read_element(&mut columns, array, &string, i, out, 0).unwrap();
        let valid = columns.is_valid(out, 0);
        valid.then(|| String::from_utf8(columns.text(out, 0).to_vec()).unwrap())
    };
    assert_eq!(read(0).as_deref(), Some("longer than seven"));
    assert_eq!(read(1), None);
    assert_eq!(read(2).as_deref(), Some("né"));
    assert_eq!(read(3), None);
    assert_eq!(columns.push_text(b"").unwrap(), end);
}

#[test]
fn a_field_of_a_row_is_read_in_place() {
    let types = [DataType::Int, DataType::STRING];
    let mut row = RowBuilder::new(2).unwrap();
    row.push(&types[0], Some(Scalar::I32(7))).unwrap();
    row.push(&types[1], text("longer than seven")).unwrap();
    let mut layout = Layout::default();
    let out = layout.add(Physical::View);
    let mut columns = Columns::new(&layout, 1).unwrap();
    columns.push_text(b"before it").unwrap();
    let row = columns.push_text(&row.finish()).unwrap();
    FieldReader::new(2, 1, &types[1])
        .read(&mut columns, row, out, 0)
        .unwrap();
    assert_eq!(columns.text(out, 0), b"longer than seven");
}

#[test]
fn broken_bytes_are_errors_that_say_where() {
    let error = |bytes: &[u8], data_type| value(bytes, data_type).unwrap_err().to_string();
    assert_eq!(
        error(&[1, 0], "ARRAY<INT>"),
        "the ARRAY of 0 elements has 2 bytes, but needs 4"
    );
    assert_eq!(
        error(&[0xff; 16], "ARRAY<INT>"),
        "the ARRAY of 4294967295 elements has 16 bytes, but needs 17716740096"
    );
    let mut array = ArrayWriter::new(&DataType::STRING, 2).unwrap();
    array.push(text("x")).unwrap();
    array.push(text("longer than seven")).unwrap();
    let mut strings = array.finish();
    strings[8 + 8 + 4] += 8;
    assert_eq!(
        error(&strings, "ARRAY<STRING>"),
        "element 1 lies at bytes 32 to 49, but there are 48"
    );
    strings[8 + 7] = 0x88;
    assert_eq!(
        error(&strings, "ARRAY<STRING>"),
        "element 0 holds a value of 8 bytes in 7"
    );
    assert_eq!(
        error(&[0; 8], "ROW<x INT>"),
        "the ROW of 1 fields has 8 bytes, but needs 16"
    );
    let one = ArrayWriter::new(&DataType::Int, 1).unwrap().finish();
    let two = ArrayWriter::new(&DataType::Int, 2).unwrap().finish();
    let map = map_bytes(&one, &two).unwrap();
    assert_eq!(
        error(&map, "MAP<INT, INT>"),
        "the MAP has 1 keys and 2 values"
    );
    assert_eq!(
        error(&map[..12], "MAP<INT, INT>"),
        "the MAP has 12 bytes, but needs 20"
    );
    assert!(matches!(
        value(&strings[..0], "MAP<INT, INT>"),
        Err(ValueError::Nested(NestedError::TooShort { .. }))
    ));
}

/// A few bytes must not become gigabytes: here each of 1000 elements points to the same array.
#[test]
fn parts_that_lie_over_each_other_are_refused() {
    let inner = ArrayWriter::new(&DataType::Int, 1000).unwrap().finish();
    let ints = parse("ARRAY<INT>");
    let mut outer = ArrayWriter::new(&ints, 1000).unwrap();
    outer.push(Some(Scalar::Bytes(&inner))).unwrap();
    let mut outer = outer.finish();
    let header = 4 + 1000_usize.div_ceil(32) * 4;
    for i in 1..1000 {
        outer.copy_within(header..header + 8, header + 8 * i);
    }
    let error = value(&outer, "ARRAY<ARRAY<INT>>").unwrap_err().to_string();
    let len = outer.len();
    assert_eq!(
        error,
        format!("the parts of the ARRAY have more bytes than its own {len}")
    );
    // Reading one of them is all right.
    let view = ArrayView::new(&outer, &ints).unwrap();
    assert!(matches!(view.get(999), Ok(Some(Scalar::Bytes(_)))));
}

#[test]
fn values_show_as_sql() {
    let shown = |value: &Value, data_type: &str| value.show(&parse(data_type)).to_string();
    let text = |text: &str| Value::Text(text.to_owned());
    let row = Value::Row(vec![
        text("it's"),
        Value::Decimal(-5),
        Value::Bytes(vec![0, 255]),
        Value::Date(0),
        Value::Null,
    ]);
    assert_eq!(
        shown(
            &row,
            "ROW<a STRING, b DECIMAL(3, 2), c BYTES, d DATE, e INT>"
        ),
        "ROW('it''s', -0.05, X'00FF', DATE '1970-01-01', NULL)"
    );
    let map = Value::Map(vec![(text("k"), Value::Array(vec![Value::Boolean(true)]))]);
    assert_eq!(
        shown(&map, "MAP<STRING, ARRAY<BOOLEAN>>"),
        "MAP['k', ARRAY[TRUE]]"
    );
}

#[test]
fn a_value_of_another_type_is_refused() {
    let mut layout = Layout::default();
    let slot = layout.add(Physical::View);
    let mut columns = Columns::new(&layout, 1).unwrap();
    let value = Value::Array(vec![Value::Int(1), Value::Text("x".to_owned())]);
    let error = value.put(&mut columns, slot, 0, &parse("ARRAY<INT>"));
    assert_eq!(error.unwrap_err().to_string(), "Text(\"x\") is no INT");
}

#[test]
fn an_array_that_no_row_can_hold_is_refused_before_memory_is_taken() {
    let error = ArrayWriter::new(&DataType::BigInt, usize::MAX).unwrap_err();
    assert!(matches!(error, crate::columns::MemoryError::RowTooLarge(_)));
}
