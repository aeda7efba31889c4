//! Strings: UPPER LOWER CHAR_LENGTH || and the lengths of CHAR and VARCHAR, in code points.

use pelton_data::DataType;
use pelton_data::columns::View;
use pelton_data::report::Diagnostic;
use pelton_data::types::MAX_LENGTH;

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::Typed;
use super::kernel::{for_rows, map_text, write_text};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("UPPER", "UPPER(string)", |args| change_case(args, UPPER)),
    function("LOWER", "LOWER(string)", |args| change_case(args, LOWER)),
    function("CHAR_LENGTH", "CHAR_LENGTH(string)", length),
    function("CHARACTER_LENGTH", "CHARACTER_LENGTH(string)", length),
    function("||", "string || string", concatenation),
];

const UPPER: Kernel = |frame, call| {
    map_characters(frame, call, |string, text| {
        push_all(text, string.chars().flat_map(char::to_uppercase));
    })
};

const LOWER: Kernel = |frame, call| {
    map_characters(frame, call, |string, text| match string.contains('Σ') {
        // A sigma at the end of a word has a form of its own, which the standard library knows.
        true => text.extend_from_slice(string.to_lowercase().as_bytes()),
        false => push_all(text, string.chars().flat_map(char::to_lowercase)),
    })
};

/// The text as `f` writes it; bytes that are not UTF-8 stay as they are.
fn map_characters(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&str, &mut Vec<u8>),
) -> Result<(), Failure> {
    write_text(frame, call, |columns, view: View, _, text| {
        for chunk in columns.bytes(view).utf8_chunks() {
            f(chunk.valid(), text);
            text.extend_from_slice(chunk.invalid());
        }
        Ok(())
    })
}

fn push_all(text: &mut Vec<u8>, chars: impl Iterator<Item = char>) {
    for c in chars {
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn change_case(args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    match a.data_type.is_string() {
        true => Ok(Typed::call(a.data_type.clone(), span, kernel, vec![a])),
        false => Err(mismatch),
    }
}

fn length(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    if !a.data_type.is_string() {
        return Err(mismatch);
    }
    let kernel: Kernel =
        |frame, call| map_text(frame, call, |text, _| Ok(code_points(text) as i32));
    Ok(Typed::call(DataType::Int, span, kernel, vec![a]))
}

/// Bytes that begin a character.
pub(super) fn code_points(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// Lengths add up; the result is a CHAR only of two CHARs.
fn concatenation(args: Args<'_>) -> Result<Typed, Diagnostic> {
    use DataType::{Char, Varchar};
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a, b] = args.exactly()?;
    let sum = |m: u32, n: u32| m.saturating_add(n).min(MAX_LENGTH);
    let data_type = match (&a.data_type, &b.data_type) {
        (Char(m), Char(n)) => Char(sum(*m, *n)),
        (Char(m) | Varchar(m), Char(n) | Varchar(n)) => Varchar(sum(*m, *n)),
        _ => return Err(mismatch),
    };
    let kernel: Kernel = |frame, call| {
        for_rows(frame, call, |columns, row| {
            let [a, b, _] = call.args;
            let view = match (columns.value(a, row), columns.value(b, row)) {
                (Some(a), Some(b)) => Some(columns.push_concat(&[a, b])?),
                _ => None,
            };
            columns.put(call.out, row, view);
            Ok(())
        })
    };
    Ok(Typed::call(data_type, span, kernel, vec![a, b]))
}

/// A string as a value of a CHAR or VARCHAR: cut or, for CHAR, padded with blanks.
pub(super) fn fit(value: Typed, to: &DataType) -> Typed {
    use DataType::{Char, Varchar};
    let (kernel, length): (Kernel, u32) = match (&value.data_type, to) {
        (Char(have) | Varchar(have), Varchar(want)) if have <= want => {
            let data_type = to.clone();
            return Typed { data_type, ..value };
        }
        (_, Varchar(want)) => (|frame, call| cut(frame, call), *want),
        (_, Char(want)) => (PAD, *want),
        _ => unreachable!("called for strings"),
    };
    let call = Typed::call(to.clone(), value.span.clone(), kernel, vec![value]);
    call.with_parameter(i64::from(length))
}

/// The first characters, as many as the parameter says; a shorter view of the same bytes.
fn cut(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let view = columns.value(a, row).map(|view: View| {
            let len = prefix(columns.bytes(view), call.parameter as usize);
            view.start(len as u32)
        });
        columns.put(call.out, row, view);
        Ok(())
    })
}

const PAD: Kernel = |frame, call| {
    write_text(frame, call, |columns, view: View, length, text| {
        let bytes = columns.bytes(view);
        let length = length as usize;
        let kept = &bytes[..prefix(bytes, length)];
        text.extend_from_slice(kept);
        let blanks = length - code_points(kept);
        text.try_reserve(blanks)
            .map_err(|_| pelton_data::columns::MemoryError::Exhausted(blanks))?;
        text.resize(text.len() + blanks, b' ');
        Ok(())
    })
};

/// The bytes of the first `length` characters.
pub(super) fn prefix(text: &[u8], length: usize) -> usize {
    let starts = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte & 0xC0 != 0x80);
    starts.map(|(at, _)| at).nth(length).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn characters_are_code_points() {
        let known = [
            ("UPPER(s)", "STRING 'STRASSE'"),
            ("LOWER('ΟΔΟΣ')", "CHAR(4) 'οδος'"),
            ("CHAR_LENGTH(s)", "INT 6"),
            ("CHARACTER_LENGTH('😀')", "INT 1"),
            ("c || 'x'", "CHAR(4) 'abcx'"),
            ("c || s", "STRING 'abcStraße'"),
            ("CAST(s AS VARCHAR(5)) || 'x'", "VARCHAR(6) 'Straßx'"),
            ("'it''s' || ''", "CHAR(4) 'it''s'"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected.replace("''s", "'s"), "{text}");
        }
    }

    #[test]
    fn other_types_are_refused() {
        assert_eq!(
            typed("i || 'a'").unwrap_err(),
            "|| does not take (INT, CHAR(1))"
        );
        assert_eq!(typed("UPPER(i)").unwrap_err(), "UPPER does not take (INT)");
    }
}
