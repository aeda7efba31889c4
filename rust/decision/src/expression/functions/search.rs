//! Strings in strings: POSITION LOCATE INSTR SPLIT_INDEX STARTSWITH ENDSWITH ASCII. Positions are
//! those of code points, from 1; 0 is nowhere.

use pelton_data::DataType;
use pelton_data::columns::{Literal, View};
use pelton_data::report::Diagnostic;

use super::super::program::{Failure, Kernel};
use super::super::typing::Typed;
use super::strings::{Takes, arguments, map, pair};
use super::text::{code_points, prefix};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("POSITION", "POSITION(string IN string)", locate),
    function(
        "LOCATE",
        "LOCATE(string, in string) or LOCATE(string, in string, start)",
        locate,
    ),
    function(
        "INSTR",
        "INSTR(in string, string), then the start, then which occurrence",
        instr,
    ),
    function(
        "SPLIT_INDEX",
        "SPLIT_INDEX(string, separator, index from 0)",
        split_index,
    ),
    function("STARTSWITH", "STARTSWITH(string, string)", |args| {
        compare_end(args, |f, c| {
            map(f, c, |row| {
                Ok(Some(i8::from(row.text(0).starts_with(row.text(1)))))
            })
        })
    }),
    function("ENDSWITH", "ENDSWITH(string, string)", |args| {
        compare_end(args, |f, c| {
            map(f, c, |row| {
                Ok(Some(i8::from(row.text(0).ends_with(row.text(1)))))
            })
        })
    }),
    function("ASCII", "ASCII(string)", ascii),
];

fn int(value: i32, span: &std::ops::Range<usize>) -> Typed {
    Typed::literal(DataType::Int, span.clone(), Literal::I32(value))
}

fn locate(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    if args.values.len() == 2 {
        args.values.push(int(1, &span));
    }
    let values = arguments(args, &[Takes::Text, Takes::Text, Takes::Int])?;
    let kernel: Kernel = |frame, call| {
        map(frame, call, |row| {
            let from = row.int(2).wrapping_sub(1);
            Ok(Some(position(row.text(1), row.text(0), from)))
        })
    };
    Ok(Typed::call(DataType::Int, span, kernel, values))
}

/// Where `text` holds `part`, from the character `from` on. An empty one is always at 1.
fn position(text: &[u8], part: &[u8], from: i32) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let start = prefix(text, from.max(0) as usize);
    let found = text[start..]
        .windows(part.len())
        .position(|other| other == part);
    found.map_or(0, |at| code_points(&text[..start + at]) as i32 + 1)
}

fn instr(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    while (2..4).contains(&args.values.len()) {
        args.values.push(int(1, &span));
    }
    let takes = [Takes::Text, Takes::Text, Takes::Int, Takes::Int];
    let mut values = arguments(args, &takes)?;
    let (nth, start) = (values.pop(), values.pop());
    values.extend(start.zip(nth).map(|(start, nth)| pair(start, nth)));
    let kernel: Kernel = |frame, call| {
        map(frame, call, |row| {
            let (start, nth) = row.pair(2);
            nth_position(row.text(0), row.text(1), start, nth).map(Some)
        })
    };
    Ok(Typed::call(DataType::Int, span, kernel, values).fallible())
}

/// Where `text` holds `part` for the `nth` time; from the end where `start` is negative.
fn nth_position(text: &[u8], part: &[u8], start: i32, nth: i32) -> Result<i32, Failure> {
    if nth <= 0 {
        return Err(Failure::failed(format!(
            "INSTR: the occurrence is positive, not {nth}"
        )));
    }
    if start == i32::MIN {
        return Err(Failure::failed(format!("INSTR: {start} is no start")));
    }
    if start == 0 {
        return Ok(0);
    }
    if start > 0 {
        let mut from = start;
        for _ in 0..nth {
            match position(text, part, from - 1) {
                0 => return Ok(0),
                _ if part.is_empty() => return Ok(1),
                found => from = found + 1,
            }
        }
        return Ok(from - 1);
    }
    let count = code_points(text) as i64;
    if part.is_empty() {
        return Ok(count as i32 + 1);
    }
    // The first character of the last place where it may stand.
    let last = count + i64::from(start) + 1 - code_points(part) as i64;
    let mut left = nth;
    for at in (0..=last).rev() {
        left -= i32::from(text[prefix(text, at as usize)..].starts_with(part));
        if left == 0 {
            return Ok(at as i32 + 1);
        }
    }
    Ok(0)
}

/// The separator is a string or, as an INT, a character of Latin-1; of an empty one, white space.
fn split_index(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let by_number = args
        .values
        .get(1)
        .is_some_and(|value| value.data_type.is_integer());
    let separator = if by_number { Takes::Int } else { Takes::Text };
    let values = arguments(args, &[Takes::Text, separator, Takes::Int])?;
    let kernel: Kernel = match by_number {
        true => |frame, call| {
            map(frame, call, |row| {
                let Ok(separator @ 1..) = u8::try_from(row.int(1)) else {
                    return Ok(None);
                };
                let mut buffer = [0; 4];
                let separator = char::from(separator).encode_utf8(&mut buffer);
                Ok(token(
                    row.text(0),
                    row.view(0),
                    separator.as_bytes(),
                    row.int(2),
                ))
            })
        },
        false => |frame, call| {
            map(frame, call, |row| {
                Ok(token(row.text(0), row.view(0), row.text(1), row.int(2)))
            })
        },
    };
    let call = Typed::call(DataType::STRING, span, kernel, values);
    Ok(Typed {
        nullable: true,
        ..call
    })
}

/// The token of a number, from 0; an empty string has none.
fn token(text: &[u8], view: View, separator: &[u8], index: i32) -> Option<View> {
    let mut left = usize::try_from(index).ok()?;
    if text.is_empty() {
        return None;
    }
    let mut start = 0;
    loop {
        let (end, next) = match separator_in(&text[start..], separator) {
            Some((at, len)) => (start + at, Some(start + at + len)),
            None => (text.len(), None),
        };
        if left == 0 {
            let part = View::new(start as u32, (end - start) as u32);
            return Some(view.part(part));
        }
        left -= 1;
        start = next?;
    }
}

/// Where the next separator is, and its length.
fn separator_in(text: &[u8], separator: &[u8]) -> Option<(usize, usize)> {
    if !separator.is_empty() {
        let at = text
            .windows(separator.len())
            .position(|other| other == separator)?;
        return Some((at, separator.len()));
    }
    let mut start = 0;
    for chunk in text.utf8_chunks() {
        let mut chars = chunk.valid().char_indices();
        if let Some((at, c)) = chars.find(|(_, c)| is_java_blank(*c)) {
            return Some((start + at, c.len_utf8()));
        }
        start += chunk.valid().len() + chunk.invalid().len();
    }
    None
}

/// `Character.isWhitespace`: without the blanks that do not break a line.
fn is_java_blank(c: char) -> bool {
    let stays = matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{85}');
    matches!(c, '\u{1C}'..='\u{1F}') || c.is_whitespace() && !stays
}

fn compare_end(args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let values = arguments(args, &[Takes::Text, Takes::Text])?;
    Ok(Typed::call(DataType::Boolean, span, kernel, values))
}

/// The first byte, with its sign as in Java; 0 of an empty string.
fn ascii(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let values = arguments(args, &[Takes::Text])?;
    let kernel: Kernel = |frame, call| {
        map(frame, call, |row| {
            let first = row.text(0).first().copied().unwrap_or(0);
            Ok(Some(i32::from(first as i8)))
        })
    };
    Ok(Typed::call(DataType::Int, span, kernel, values))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::value;

    #[test]
    fn positions_are_those_of_code_points() {
        let known = [
            ("POSITION('e' IN s)", "INT 6"),
            ("POSITION('' IN s)", "INT 1"),
            ("POSITION('x' IN s)", "INT 0"),
            ("LOCATE('a', 'aßa', 2)", "INT 3"),
            ("LOCATE('a', 'aßa', -7)", "INT 1"),
            ("INSTR('hello', 'l')", "INT 3"),
            ("INSTR('hello', 'l', -1)", "INT 4"),
            ("INSTR('hello', 'l', 1, 2)", "INT 4"),
            ("INSTR('hello', 'l', -1, 2)", "INT 3"),
            ("INSTR('hello', 'l', -3)", "INT 3"),
            ("INSTR('hello', 'l', 0)", "INT 0"),
            ("INSTR('hello', '', -1)", "INT 6"),
            ("INSTR(nos, 'a')", "INT NULL"),
            (
                "INSTR(s, 'a', 1, i - 7)",
                "error: INSTR: the occurrence is positive, not 0",
            ),
            ("ASCII('ß')", "INT -61"),
            ("ASCII('')", "INT 0"),
            ("STARTSWITH(s, 'St')", "BOOLEAN 1"),
            ("ENDSWITH(s, 'St')", "BOOLEAN 0"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn tokens_between_separators() {
        let known = [
            ("SPLIT_INDEX('a,b,', ',', 1)", "STRING 'b'"),
            ("SPLIT_INDEX('a,b,', ',', 2)", "STRING ''"),
            ("SPLIT_INDEX('a,b,', ',', 3)", "STRING NULL"),
            ("SPLIT_INDEX('a,b', 44, 0)", "STRING 'a'"),
            ("SPLIT_INDEX('a,b', 256, 0)", "STRING NULL"),
            ("SPLIT_INDEX('', ',', 0)", "STRING NULL"),
            ("SPLIT_INDEX('ab cd', '', 1)", "STRING 'cd'"),
            ("SPLIT_INDEX('a--b', '--', 1)", "STRING 'b'"),
            ("SPLIT_INDEX('a', ',', -1)", "STRING NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
