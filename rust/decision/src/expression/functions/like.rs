//! LIKE: `%` is any text, `_` is one character that ends no line, as in Flink.

use pelton_data::DataType;
use pelton_data::columns::Literal;
use pelton_data::report::Diagnostic;

use super::super::compile::fold;
use super::super::program::{Failure, Kernel};
use super::super::typing::Typed;
use super::strings::{Takes, arguments, char_len, map};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[function(
    "LIKE",
    "string LIKE pattern or string LIKE pattern ESCAPE character",
    like,
)];

fn like(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let takes = [Takes::Text; 3];
    let count = args.values.len().clamp(2, 3);
    let values = arguments(args, &takes[..count])?;
    check_constants(&values)?;
    let kernel: Kernel = match count {
        2 => |frame, call| {
            map(frame, call, |row| {
                Ok(Some(i8::from(matches(row.text(0), row.text(1), b""))))
            })
        },
        _ => |frame, call| {
            map(frame, call, |row| {
                let (text, pattern, escape) = (row.text(0), row.text(1), row.text(2));
                check(pattern, escape).map_err(Failure::failed)?;
                Ok(Some(i8::from(matches(text, pattern, escape))))
            })
        },
    };
    let call = Typed::call(DataType::Boolean, span, kernel, values);
    Ok(if count == 3 { call.fallible() } else { call })
}

/// What can be known of the pattern before any record; and what Flink 1.20 and 2.x take for
/// different things.
fn check_constants(values: &[Typed]) -> Result<(), Diagnostic> {
    let constant = |value: &Typed| match fold(value) {
        Some(Literal::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    let refuse = |value: &Typed, message: String| Diagnostic::at(value.span.clone(), message);
    let Some(pattern) = constant(&values[1]) else {
        return Ok(());
    };
    if pattern.is_empty() {
        let message = "LIKE '' is TRUE for any string in Flink 1.20, for the empty one in 2.x";
        return Err(refuse(&values[1], message.to_owned()).help("write = ''"));
    }
    let Some(escape) = values.get(2).and_then(constant) else {
        return Ok(());
    };
    if escape == b"\\" {
        let message = r"ESCAPE '\' is an error in Flink 1.20".to_owned();
        return Err(refuse(&values[2], message).help("take another character: ESCAPE '!'"));
    }
    check(&pattern, &escape).map_err(|message| {
        let refused = refuse(&values[1], message);
        refused.help("it stands before `%`, `_` or itself")
    })
}

/// Whether `escape` is a character, and stands only where it may.
fn check(pattern: &[u8], escape: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(escape);
    let is_character = escape
        .first()
        .is_some_and(|first| *first != 0 && char_len(*first) == escape.len() && escape.len() < 4);
    if !is_character {
        return Err(format!(
            "'{shown}' is not a character that LIKE can escape with"
        ));
    }
    let mut rest = pattern;
    while let Some((token, next)) = token(rest, escape) {
        if token == Token::Escape {
            let pattern = String::from_utf8_lossy(pattern);
            return Err(format!("'{pattern}': nothing to escape behind '{shown}'"));
        }
        rest = next;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// `%`
    Any,
    /// `_`
    One,
    /// A character that stands for itself.
    Character(&'a [u8]),
    /// An escape before nothing that it could escape.
    Escape,
}

/// The first token of a pattern, and what is behind it. An empty escape is none.
fn token<'a>(pattern: &'a [u8], escape: &[u8]) -> Option<(Token<'a>, &'a [u8])> {
    let character = |text: &'a [u8]| {
        let len = char_len(*text.first()?).min(text.len());
        Some(text.split_at(len))
    };
    let (first, rest) = character(pattern)?;
    if first == escape {
        return Some(match character(rest) {
            Some((next, rest)) if next == b"%" || next == b"_" || next == escape => {
                (Token::Character(next), rest)
            }
            _ => (Token::Escape, rest),
        });
    }
    let token = match first {
        b"%" => Token::Any,
        b"_" => Token::One,
        _ => Token::Character(first),
    };
    Some((token, rest))
}

/// Goes on behind the last `%` where it fails, one character further: no other `%` has to be
/// tried again.
fn matches(text: &[u8], pattern: &[u8], escape: &[u8]) -> bool {
    let (mut text, mut pattern) = (text, pattern);
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match token(pattern, escape) {
            Some((Token::Any, rest)) => {
                again = Some((text, rest));
                pattern = rest;
                continue;
            }
            Some((Token::One, rest)) => one(text).map(|text| (text, rest)),
            Some((Token::Character(c), rest)) => text.strip_prefix(c).map(|text| (text, rest)),
            Some((Token::Escape, _)) => None,
            None if text.is_empty() => return true,
            None => None,
        };
        match (step, again) {
            (Some(step), _) => (text, pattern) = step,
            (None, Some((from, rest))) if !from.is_empty() => {
                text = &from[char_len(from[0]).min(from.len())..];
                pattern = rest;
                again = Some((text, rest));
            }
            _ => return false,
        }
    }
}

/// What is behind one character, if that ends no line.
fn one(text: &[u8]) -> Option<&[u8]> {
    let len = char_len(*text.first()?).min(text.len());
    let (first, rest) = text.split_at(len);
    let ends_line = matches!(first, b"\n" | b"\r")
        || ["\u{85}", "\u{2028}", "\u{2029}"]
            .iter()
            .any(|c| c.as_bytes() == first);
    (!ends_line).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn patterns() {
        let yes = [
            "s LIKE 'Str%'",
            "s LIKE '%aß_'",
            "s LIKE '%r%e'",
            "s LIKE s",
            "s LIKE '%%%'",
            "'' LIKE '%'",
            "'abab' LIKE '%ab'",
            "'aXbXXc' LIKE 'a%X_'",
            "'a%c' LIKE 'a!%c' ESCAPE '!'",
            "'a_c' LIKE '%!_c' ESCAPE '!'",
            "'😀' LIKE '_'",
            "s NOT LIKE 'str%'",
            "CAST(s AS STRING) LIKE c || '%' OR s LIKE '%e'",
        ];
        for text in yes {
            assert_eq!(value(text), "BOOLEAN 1", "{text}");
        }
        let no = [
            "s LIKE 'Straße_'",
            "'abc' LIKE 'a!%c' ESCAPE '!'",
            "'\n' LIKE '_'",
            "'ab' LIKE 'ab%ab'",
            "s LIKE 'a.*'",
        ];
        for text in no {
            assert_eq!(value(text), "BOOLEAN 0", "{text}");
        }
        assert_eq!(value("nos LIKE '%'"), "BOOLEAN NULL");
        assert_eq!(value("s LIKE nos"), "BOOLEAN NULL");
    }

    #[test]
    fn what_versions_of_flink_answer_differently_is_refused() {
        let known = [
            (
                "s LIKE ''",
                "LIKE '' is TRUE for any string in Flink 1.20, for the empty one in 2.x",
            ),
            (
                r"s LIKE 'a' ESCAPE '\'",
                r"ESCAPE '\' is an error in Flink 1.20",
            ),
            (
                "s LIKE 'a!b' ESCAPE '!'",
                "'a!b': nothing to escape behind '!'",
            ),
            (
                "s LIKE 'a' ESCAPE 'ab'",
                "'ab' is not a character that LIKE can escape with",
            ),
            ("i LIKE 'a'", "LIKE does not take (INT, CHAR(1))"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(
            value("s LIKE c || '!' ESCAPE '!'"),
            "error: 'abc!': nothing to escape behind '!'"
        );
    }
}
