//! Parts of strings: SUBSTRING LEFT RIGHT TRIM. Each is a view of the same bytes. Positions are
//! those of code points, from 1.

use pelton_data::DataType;
use pelton_data::columns::{Literal, View};
use pelton_data::report::Diagnostic;

use super::super::compile::fold;
use super::super::program::Kernel;
use super::super::typing::Typed;
use super::strings::{Row, Takes, arguments, char_len, map, varying};
use super::text::{code_points, prefix};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "SUBSTRING",
        "SUBSTRING(string, start), SUBSTRING(string, start, length) or SUBSTRING(string FROM start FOR length)",
        substring,
    ),
    function(
        "SUBSTR",
        "SUBSTR(string, start) or SUBSTR(string, start, length)",
        substring,
    ),
    function("LEFT", "LEFT(string, length)", |args| end(args, LEFT)),
    function("RIGHT", "RIGHT(string, length)", |args| end(args, RIGHT)),
    function(
        "TRIM BOTH",
        "TRIM(string) or TRIM(BOTH characters FROM string)",
        |args| trim(args, BOTH),
    ),
    function(
        "TRIM LEADING",
        "TRIM(LEADING characters FROM string)",
        |args| trim(args, LEADING),
    ),
    function(
        "TRIM TRAILING",
        "TRIM(TRAILING characters FROM string)",
        |args| trim(args, TRAILING),
    ),
    function(
        "LTRIM",
        "LTRIM(string) or LTRIM(string, characters)",
        |args| trim(args, LEADING),
    ),
    function(
        "RTRIM",
        "RTRIM(string) or RTRIM(string, characters)",
        |args| trim(args, TRAILING),
    ),
    function(
        "BTRIM",
        "BTRIM(string) or BTRIM(string, characters)",
        |args| {
            let trimmed = trim(args, BOTH)?;
            let data_type = DataType::STRING;
            Ok(Typed {
                data_type,
                ..trimmed
            })
        },
    ),
];

/// A start from the end where it is negative, 0 is 1; NULL for a negative length.
fn substring(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let takes: &[Takes] = match args.values.len() {
        2 => &[Takes::Text, Takes::Int],
        _ => &[Takes::Text, Takes::Int, Takes::Int],
    };
    let values = arguments(args, takes)?;
    let kernel: Kernel = match values.len() {
        2 => |f, c| {
            map(f, c, |row| {
                Ok(Some(part(row.text(0), row.view(0), row.int(1), i32::MAX)))
            })
        },
        _ => |f, c| {
            map(f, c, |row| {
                let (start, length) = (row.int(1), row.int(2));
                Ok((length >= 0).then(|| part(row.text(0), row.view(0), start, length)))
            })
        },
    };
    let data_type = varying(&values[0].data_type);
    let call = Typed::call(data_type, span, kernel, values);
    Ok(Typed {
        nullable: true,
        ..call
    })
}

fn part(text: &[u8], view: View, start: i32, length: i32) -> View {
    let count = code_points(text) as i64;
    let first = match i64::from(start) {
        start @ 1.. => start - 1,
        0 => 0,
        back => count + back,
    };
    if first < 0 || first >= count {
        return view.start(0);
    }
    let from = prefix(text, first as usize);
    let len = prefix(&text[from..], length as usize);
    view.part(View::new(from as u32, len as u32))
}

const LEFT: Kernel = |frame, call| {
    map(frame, call, |row| {
        Ok(Some(part(row.text(0), row.view(0), 1, row.int(1).max(0))))
    })
};

const RIGHT: Kernel = |frame, call| {
    map(frame, call, |row| {
        let (text, view, length) = (row.text(0), row.view(0), row.int(1));
        Ok(Some(match length {
            ..=0 => view.start(0),
            _ if length as usize >= code_points(text) => view,
            _ => part(text, view, -length, i32::MAX),
        }))
    })
};

fn end(args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let values = arguments(args, &[Takes::Text, Takes::Int])?;
    let data_type = varying(&values[0].data_type);
    Ok(Typed::call(data_type, span, kernel, values))
}

const LEADING: Kernel = |frame, call| map(frame, call, |row| Ok(Some(trimmed(row, true, false))));
const TRAILING: Kernel = |frame, call| map(frame, call, |row| Ok(Some(trimmed(row, false, true))));
const BOTH: Kernel = |frame, call| map(frame, call, |row| Ok(Some(trimmed(row, true, true))));

/// `(string)`, which is trimmed of blanks, or `(string, characters)`.
fn trim(mut args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    if args.values.len() == 1 {
        let blank = Literal::text(" ");
        args.values
            .push(Typed::literal(DataType::Char(1), span.clone(), blank));
    }
    let values = arguments(args, &[Takes::Text, Takes::Text])?;
    if fold(&values[1]).is_none() {
        let message = "the characters that are trimmed are a constant";
        return Err(Diagnostic::at(values[1].span.clone(), message).help(
            "of a string that begins with a blank Flink trims blanks alone, or not, as it was made",
        ));
    }
    let data_type = varying(&values[0].data_type);
    Ok(Typed::call(data_type, span, kernel, values))
}

/// Without the characters at its ends that stand among those of the second argument.
fn trimmed(row: &Row<'_>, leading: bool, trailing: bool) -> View {
    let (mut text, characters, view) = (row.text(0), row.text(1), row.view(0));
    let among = |c: &[u8]| characters.windows(c.len()).any(|other| other == c);
    let mut start = 0;
    while let (true, Some(first)) = (leading, text.first()) {
        let len = char_len(*first).min(text.len());
        if !among(&text[..len]) {
            break;
        }
        text = &text[len..];
        start += len as u32;
    }
    while trailing && !text.is_empty() {
        let last = text
            .iter()
            .rposition(|byte| byte & 0xC0 != 0x80)
            .unwrap_or(0);
        if !among(&text[last..]) {
            break;
        }
        text = &text[..last];
    }
    view.part(View::new(start, text.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn parts_are_found_by_code_points() {
        let known = [
            ("SUBSTRING(s FROM 5)", "STRING 'ße'"),
            ("SUBSTRING(s, 5, 1)", "STRING 'ß'"),
            ("SUBSTR(s, -2)", "STRING 'ße'"),
            ("SUBSTR(s, 0, 2)", "STRING 'St'"),
            ("SUBSTR(s, -100, 3)", "STRING ''"),
            ("SUBSTR(s, 7)", "STRING ''"),
            ("SUBSTR(s, 1, -1)", "STRING NULL"),
            ("SUBSTRING(c FROM 2 FOR 1)", "VARCHAR(3) 'b'"),
            ("LEFT(s, 2)", "STRING 'St'"),
            ("LEFT(s, -1)", "STRING ''"),
            ("RIGHT(s, 2)", "STRING 'ße'"),
            ("RIGHT(s, 100)", "STRING 'Straße'"),
            ("LEFT(nos, 2)", "STRING NULL"),
            ("RIGHT('😀😀', 1)", "VARCHAR(2) '😀'"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn trim_takes_a_set_of_characters() {
        let known = [
            ("TRIM('  a ')", "VARCHAR(4) 'a'"),
            ("TRIM(LEADING FROM '  a ')", "VARCHAR(4) 'a '"),
            ("TRIM(TRAILING 'eß' FROM s)", "STRING 'Stra'"),
            ("TRIM('S' FROM s)", "STRING 'traße'"),
            ("TRIM(BOTH '' FROM s)", "STRING 'Straße'"),
            ("LTRIM(c, 'ba')", "VARCHAR(3) 'c'"),
            ("RTRIM('aaa', 'a')", "VARCHAR(3) ''"),
            ("BTRIM(c)", "STRING 'abc'"),
            ("TRIM(nos)", "STRING NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(
            typed("LTRIM(s, c)").unwrap_err(),
            "the characters that are trimmed are a constant"
        );
    }

    #[test]
    fn other_types_are_refused() {
        assert_eq!(
            typed("SUBSTR(s, b)").unwrap_err(),
            "SUBSTR does not take (STRING, BIGINT)"
        );
        assert_eq!(
            typed("LEFT(i, 1)").unwrap_err(),
            "LEFT does not take (INT, INT)"
        );
    }
}
