//! ARRAY, MAP and ROW: elements, values and fields are read where they lie, nothing is copied.

use pelton_data::columns::{Columns, Literal, Slot, View};
use pelton_data::nested::{ArrayView, FieldReader, MapView, NestedError, read_element};
use pelton_data::report::{Diagnostic, Span};
use pelton_data::scalar::Scalar;
use pelton_data::{DataType, Element, Field};

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed, common_type};
use super::cast::cast;
use super::kernel::for_rows;
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("ITEM", "array[index] or map[key]", item),
    function("CARDINALITY", "CARDINALITY(array or map)", cardinality),
    function("ELEMENT", "ELEMENT(array)", element),
    function(
        "ARRAY_CONTAINS",
        "ARRAY_CONTAINS(array, value)",
        array_contains,
    ),
];

impl From<NestedError> for Failure {
    fn from(error: NestedError) -> Failure {
        match error {
            NestedError::Memory(error) => Failure::from(error),
            broken => Failure::failed(format!("a nested value is damaged: {broken}")),
        }
    }
}

/// `array[index]`, counted from 1, or `map[key]`; NULL where there is no such element.
fn item(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [value, at] = args.exactly()?;
    match value.data_type.clone() {
        DataType::Array(element) => {
            if at.data_type != DataType::Int {
                return Err(mismatch.help("an index is an INT, as in Flink"));
            }
            if let Node::Literal(Literal::I32(index @ ..1)) = at.node {
                let message = format!("{index} is no index: elements are counted from 1");
                return Err(Diagnostic::at(at.span, message));
            }
            let parameter = pack(&[layout_of(&element.data_type)]);
            Ok(part(element.data_type, span, ITEM, vec![value, at]).with_parameter(parameter))
        }
        DataType::Map(key, of_map) => {
            let at = as_key(at, &key, mismatch)?;
            let parameter = pack(&[layout_of(&of_map.data_type), layout_of(&key.data_type)]);
            Ok(part(of_map.data_type, span, GET, vec![value, at]).with_parameter(parameter))
        }
        _ => Err(mismatch),
    }
}

/// What may be NULL though nothing that it is read from is.
fn part(data_type: DataType, span: Span, kernel: Kernel, args: Vec<Typed>) -> Typed {
    let call = Typed::call(data_type, span, kernel, args);
    Typed {
        nullable: true,
        ..call
    }
    .fallible()
}

/// The value that keys or elements are compared with, in their type.
fn as_key(value: Typed, key: &Element, mismatch: Diagnostic) -> Result<Typed, Diagnostic> {
    let (own, wanted) = (&value.data_type, &key.data_type);
    let nested = matches!(
        wanted,
        DataType::Array(_) | DataType::Map(..) | DataType::Row(_)
    );
    if nested {
        let message = format!("{wanted} values are not looked for");
        return Err(Diagnostic::at(value.span, message));
    }
    if own.is_string() && wanted.is_string() {
        return Ok(value);
    }
    match common_type(&[wanted.clone(), own.clone()]) {
        Some(common) if common == *wanted => cast(value, wanted),
        _ => Err(mismatch.help(format!("write CAST(... AS {wanted})"))),
    }
}

const ITEM: Kernel = |frame, call| {
    let [array, index, _] = call.args;
    let [element, ..] = unpack(call.parameter);
    let element = data_type_of(element);
    for_rows(frame, call, |columns, row| {
        let place = (
            columns.value::<View>(array, row),
            columns.value::<i32>(index, row),
        );
        match place {
            // An index below 1 is behind every array.
            (Some(array), Some(index)) => {
                let index = index.wrapping_sub(1) as u32 as usize;
                read_element(columns, array, &element, index, call.out, row)?;
            }
            _ => columns.put_scalar(call.out, row, None),
        }
        Ok(())
    })
};

const GET: Kernel = |frame, call| {
    let [map, key, _] = call.args;
    let [of_map, of_key, ..] = unpack(call.parameter).map(data_type_of);
    for_rows(frame, call, |columns, row| {
        let value = match (columns.value::<View>(map, row), columns.scalar(key, row)) {
            (Some(map), Some(key)) => {
                let bytes = columns.bytes(map);
                let pairs = MapView::new(bytes, &of_key, &of_map)?;
                let key = key.map(|view| columns.bytes(view));
                let (keys, values) = halves(bytes);
                let found = position(&pairs.keys, keys.of(bytes), Some(key))?;
                let value = found.map(|at| pairs.values.get(at)).transpose()?.flatten();
                value.map(|value| value.map(|part| map.part(values.part(part))))
            }
            _ => None,
        };
        columns.put_scalar(call.out, row, value);
        Ok(())
    })
};

/// Where the keys and the values of a map lie in its bytes, which are those of a map.
fn halves(bytes: &[u8]) -> (View, View) {
    let mut length = [0; 4];
    length.copy_from_slice(&bytes[..4]);
    let keys = View::new(4, u32::from_le_bytes(length));
    let values = 4 + keys.len();
    (keys, View::new(values, bytes.len() as u32 - values))
}

/// The first element of an array, whose bytes are `bytes`, that is equal to a value; NULL is equal
/// to NULL here.
fn position(
    elements: &ArrayView<'_>,
    bytes: &[u8],
    wanted: Option<Scalar<&[u8]>>,
) -> Result<Option<usize>, NestedError> {
    for at in 0..elements.len() {
        let element = elements.get(at)?;
        let element = element.map(|element| element.map(|part| part.of(bytes)));
        if element == wanted {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// `row.field`
pub(in super::super) fn field(value: Typed, name: &str, span: Span) -> Result<Typed, Diagnostic> {
    let DataType::Row(fields) = value.data_type.clone() else {
        let message = format!("`{name}`: {} has no fields", value.data_type);
        return Err(Diagnostic::at(span, message));
    };
    let Some(at) = fields.iter().position(|field| field.name == name) else {
        let message = format!("the ROW has no field `{name}`");
        let names = fields.iter().map(|field| field.name.as_str());
        return Err(Diagnostic::at(span, message).suggest(name, names));
    };
    let Field { data_type, .. } = fields[at].clone();
    let parameter = pack(&[layout_of(&data_type), fields.len() as u16, at as u16]);
    Ok(part(data_type, span, FIELD, vec![value]).with_parameter(parameter))
}

const FIELD: Kernel = |frame, call| {
    let [nested, ..] = call.args;
    let [data_type, arity, at, _] = unpack(call.parameter);
    let field = FieldReader::new(arity.into(), at.into(), &data_type_of(data_type));
    for_rows(frame, call, |columns, row| {
        match columns.value::<View>(nested, row) {
            Some(nested) => field.read(columns, nested, call.out, row)?,
            None => columns.put_scalar(call.out, row, None),
        }
        Ok(())
    })
};

/// How many elements or pairs there are.
fn cardinality(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [value] = args.exactly()?;
    let (kernel, parameter): (Kernel, i64) = match &value.data_type {
        DataType::Array(element) => (
            |frame, call| {
                let [element, ..] = unpack(call.parameter);
                let element = data_type_of(element);
                count(frame, call, |bytes| {
                    Ok(ArrayView::new(bytes, &element)?.len())
                })
            },
            pack(&[layout_of(&element.data_type)]),
        ),
        DataType::Map(key, value) => (
            |frame, call| {
                let [key, value, ..] = unpack(call.parameter).map(data_type_of);
                count(frame, call, |bytes| {
                    Ok(MapView::new(bytes, &key, &value)?.len())
                })
            },
            pack(&[layout_of(&key.data_type), layout_of(&value.data_type)]),
        ),
        _ => return Err(mismatch),
    };
    let call = Typed::call(DataType::Int, span, kernel, vec![value]);
    Ok(call.with_parameter(parameter).fallible())
}

fn count(
    frame: &mut Frame<'_>,
    call: &Call,
    len: impl Fn(&[u8]) -> Result<usize, NestedError>,
) -> Result<(), Failure> {
    let [nested, ..] = call.args;
    for_rows(frame, call, |columns, row| {
        let count = match columns.value::<View>(nested, row) {
            Some(view) => Some(len(columns.bytes(view))? as i32),
            None => None,
        };
        columns.put(call.out, row, count);
        Ok(())
    })
}

/// The only element of an array; NULL of none, an error of several.
fn element(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [value] = args.exactly()?;
    let DataType::Array(element) = value.data_type.clone() else {
        return Err(mismatch);
    };
    let kernel: Kernel = |frame, call| {
        let [array, ..] = call.args;
        let [element, ..] = unpack(call.parameter);
        let element = data_type_of(element);
        for_rows(frame, call, |columns, row| {
            let Some(array) = columns.value::<View>(array, row) else {
                columns.put_scalar(call.out, row, None);
                return Ok(());
            };
            if ArrayView::new(columns.bytes(array), &element)?.len() > 1 {
                return Err(Failure::failed(
                    "ELEMENT of an array with more than one element",
                ));
            }
            Ok(read_element(columns, array, &element, 0, call.out, row)?)
        })
    };
    let parameter = pack(&[layout_of(&element.data_type)]);
    Ok(part(element.data_type, span, kernel, vec![value]).with_parameter(parameter))
}

/// Whether a value is among the elements; NULL only where the array is, since NULL is found too.
fn array_contains(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [array, wanted] = <[Typed; 2]>::try_from(args.values).map_err(|_| mismatch.clone())?;
    let DataType::Array(element) = array.data_type.clone() else {
        return Err(mismatch);
    };
    let wanted = match wanted.is_null_literal() {
        true => cast(wanted, &element.data_type)?,
        false => as_key(wanted, &element, mismatch)?,
    };
    let kernel: Kernel = |frame, call| {
        let [array, wanted, _] = call.args;
        let [element, ..] = unpack(call.parameter);
        let element = data_type_of(element);
        for_rows(frame, call, |columns, row| {
            let found = match columns.value::<View>(array, row) {
                Some(array) => {
                    let bytes = columns.bytes(array);
                    let elements = ArrayView::new(bytes, &element)?;
                    let wanted = bytes_of(columns, wanted, row);
                    Some(i8::from(position(&elements, bytes, wanted)?.is_some()))
                }
                None => None,
            };
            columns.put(call.out, row, found);
            Ok(())
        })
    };
    let nullable = array.nullable;
    let parameter = pack(&[layout_of(&element.data_type)]);
    let call = Typed::call(DataType::Boolean, span, kernel, vec![array, wanted]);
    let call = call.with_parameter(parameter).fallible();
    Ok(Typed { nullable, ..call })
}

/// The value of a row, with its bytes.
fn bytes_of(columns: &Columns, slot: Slot, row: usize) -> Option<Scalar<&[u8]>> {
    let value = columns.scalar(slot, row)?;
    Some(value.map(|view| columns.bytes(view)))
}

/// How values of a type lie in arrays and rows, in 16 bits of a call's parameter: a kind, and a
/// precision where it matters.
pub(super) fn layout_of(data_type: &DataType) -> u16 {
    use DataType::*;
    let (kind, precision) = match data_type {
        Boolean => (0, 0),
        TinyInt => (1, 0),
        SmallInt => (2, 0),
        Int | Date | Time(_) => (3, 0),
        BigInt => (4, 0),
        Float => (5, 0),
        Double => (6, 0),
        Decimal { precision, .. } => (7, *precision),
        Timestamp(precision) | TimestampLtz(precision) => (8, *precision),
        Char(_) | Varchar(_) | Binary(_) | Varbinary(_) => (9, 0),
        Array(_) | Map(..) | Row(_) => (10, 0),
    };
    u16::from_le_bytes([kind, precision])
}

/// A type that lies so.
pub(super) fn data_type_of(layout: u16) -> DataType {
    let [kind, precision] = layout.to_le_bytes();
    match kind {
        0 => DataType::Boolean,
        1 => DataType::TinyInt,
        2 => DataType::SmallInt,
        3 => DataType::Int,
        4 => DataType::BigInt,
        5 => DataType::Float,
        6 => DataType::Double,
        7 => DataType::Decimal {
            precision,
            scale: 0,
        },
        8 => DataType::Timestamp(precision),
        9 => DataType::STRING,
        _ => DataType::Row(Vec::new()),
    }
}

pub(super) fn pack(parts: &[u16]) -> i64 {
    let parts = parts.iter().rev();
    parts.fold(0, |parameter, part| parameter << 16 | i64::from(*part))
}

pub(super) fn unpack(parameter: i64) -> [u16; 4] {
    [0, 16, 32, 48].map(|shift| (parameter >> shift) as u16)
}

#[cfg(test)]
mod tests {
    use pelton_data::columns::{Columns, Literal};
    use pelton_data::nested::{ArrayWriter, RowBuilder, map_bytes};
    use pelton_data::scalar::Scalar;
    use pelton_data::type_parser::parse_type;

    use super::super::super::program::show;
    use super::super::super::testing::Table;
    use super::super::super::{Compiler, SelectionId, Selections, Typed, parse, type_check};

    const TYPES: [(&str, &str); 6] = [
        ("a", "ARRAY<INT>"),
        ("void", "ARRAY<INT>"),
        ("texts", "ARRAY<STRING>"),
        ("m", "MAP<STRING, DECIMAL(10, 2)>"),
        ("r", "ROW<x INT, y STRING, l ARRAY<INT>>"),
        ("i", "INT"),
    ];

    fn table() -> Table {
        let columns = TYPES.map(|(name, text)| (name, parse_type(text).unwrap().data_type));
        Table::new(&columns)
    }

    fn array(values: &[Option<Scalar<&[u8]>>], element: &str) -> Vec<u8> {
        let element = parse_type(element).unwrap().data_type;
        let mut writer = ArrayWriter::new(&element, values.len()).unwrap();
        values.iter().for_each(|value| writer.push(*value).unwrap());
        writer.finish()
    }

    /// `a` is [3, 7, NULL], `texts` ['abc', 'a longer text'], `m` {'k': 12.34, 'l': NULL}, `r`
    /// (5, 'a longer text', [3, 7, NULL]), `void` is NULL, `i` is 2.
    fn row() -> [Literal; 6] {
        let long = Scalar::Bytes(&b"a longer text"[..]);
        let numbers = array(&[Some(Scalar::I32(3)), Some(Scalar::I32(7)), None], "INT");
        let texts = array(&[Some(Scalar::Bytes(b"abc")), Some(long)], "STRING");
        let keys = array(
            &[Some(Scalar::Bytes(b"k")), Some(Scalar::Bytes(b"l"))],
            "STRING",
        );
        let values = array(&[Some(Scalar::I128(1234)), None], "DECIMAL(10, 2)");
        let mut fields = RowBuilder::new(3).unwrap();
        let types = ["INT", "STRING", "ARRAY<INT>"];
        let parts = [Scalar::I32(5), long, Scalar::Bytes(&numbers)];
        for (text, part) in types.iter().zip(parts) {
            let data_type = parse_type(text).unwrap().data_type;
            fields.push(&data_type, Some(part)).unwrap();
        }
        let fields = fields.finish();
        [
            Literal::Bytes(numbers.clone()),
            Literal::Null,
            Literal::Bytes(texts),
            Literal::Bytes(map_bytes(&keys, &values).unwrap()),
            Literal::Bytes(fields),
            Literal::I32(2),
        ]
    }

    fn typed(text: &str) -> Result<Typed, String> {
        let expr = parse(text).map_err(|error| error.message)?;
        type_check(&expr, &table()).map_err(|errors| errors[0].message.clone())
    }

    fn value(text: &str) -> String {
        let (table, typed) = (table(), typed(text).unwrap());
        let mut compiler = Compiler::default();
        compiler.layout = table.layout.clone();
        let slot = compiler.emit(&typed, SelectionId::ALL);
        let all = 0..compiler.instructions() as u32;
        let (program, layout) = compiler.finish();
        let mut columns = Columns::new(&layout, 1).unwrap();
        let mut selections = Selections::new(&program, 1).unwrap();
        for ((name, _), literal) in TYPES.iter().zip(row()) {
            columns.put_literal(table.slot(name), 0, &literal).unwrap();
        }
        match program.run(all, &mut columns, &mut selections, 1) {
            Ok(()) => format!("{} {}", typed.data_type, show(&columns.literal(slot, 0))),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn elements_values_and_fields_are_read_in_place() {
        let known = [
            ("a[1]", "INT 3"),
            ("a[i]", "INT 7"),
            ("a[3]", "INT NULL"),
            ("a[4]", "INT NULL"),
            ("a[i - 2]", "INT NULL"),
            ("a[i - 9]", "INT NULL"),
            ("void[1]", "INT NULL"),
            ("texts[1]", "STRING 'abc'"),
            ("texts[2]", "STRING 'a longer text'"),
            ("m['k']", "DECIMAL(10, 2) 1234"),
            ("m['l']", "DECIMAL(10, 2) NULL"),
            ("m['nope']", "DECIMAL(10, 2) NULL"),
            ("m['k'] + 1", "DECIMAL(13, 2) 1334"),
            ("r.x", "INT 5"),
            ("r.y", "STRING 'a longer text'"),
            ("r.l[2]", "INT 7"),
            ("(r).x", "INT 5"),
            ("-a[1] * 2", "INT -6"),
            ("CARDINALITY(a)", "INT 3"),
            ("CARDINALITY(m)", "INT 2"),
            ("CARDINALITY(void)", "INT NULL"),
            ("ARRAY_CONTAINS(a, 7)", "BOOLEAN 1"),
            ("ARRAY_CONTAINS(a, 8)", "BOOLEAN 0"),
            ("ARRAY_CONTAINS(a, NULL)", "BOOLEAN 1"),
            ("ARRAY_CONTAINS(texts, 'a longer text')", "BOOLEAN 1"),
            ("ARRAY_CONTAINS(void, 7)", "BOOLEAN NULL"),
            (
                "ELEMENT(a)",
                "error: ELEMENT of an array with more than one element",
            ),
            ("ELEMENT(void)", "INT NULL"),
            ("void IS NULL AND a IS NOT NULL", "BOOLEAN 1"),
            ("COALESCE(void, a)[2]", "INT 7"),
            ("CASE WHEN i > 5 THEN void ELSE a END[1]", "INT 3"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_flink_refuses_is_refused() {
        let known = [
            ("a[0]", "0 is no index: elements are counted from 1"),
            ("a['1']", "ITEM does not take (ARRAY<INT>, CHAR(1))"),
            (
                "a[CAST(i AS BIGINT)]",
                "ITEM does not take (ARRAY<INT>, BIGINT)",
            ),
            ("i[1]", "ITEM does not take (INT, INT)"),
            ("r.z", "the ROW has no field `z`"),
            ("i.z", "`z`: INT has no fields"),
            ("nope.z", "unknown name `nope.z`"),
            (
                "CARDINALITY(r)",
                "CARDINALITY does not take (ROW<`x` INT, `y` STRING, `l` ARRAY<INT>>)",
            ),
            ("a < a[1]", "< does not compare ARRAY<INT> with INT"),
            ("CAST(a AS STRING)", "ARRAY<INT> cannot be cast to STRING"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
