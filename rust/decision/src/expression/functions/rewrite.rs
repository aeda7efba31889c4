//! Strings made anew: CONCAT CONCAT_WS REPLACE LPAD RPAD REPEAT REVERSE INITCAP OVERLAY CHR.
//! Lengths of LPAD, RPAD and OVERLAY are those of Java, where a character beyond U+FFFF counts twice.

use pelton_data::DataType;
use pelton_data::columns::{Literal, View};
use pelton_data::report::Diagnostic;
use pelton_data::types::MAX_LENGTH;

use super::super::parser::check_size;
use super::super::program::{Failure, Kernel};
use super::super::typing::Typed;
use super::kernel::for_rows;
use super::strings::{Takes, arguments, check_length, pair, push_char, push_units, units, write};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("CONCAT", "CONCAT(string, ...)", concat),
    function("CONCAT_WS", "CONCAT_WS(separator, string, ...)", concat_ws),
    function("REPLACE", "REPLACE(string, what, by what)", |args| {
        let call = string(args, &[Takes::Text, Takes::Text, Takes::Text], REPLACE)?;
        Ok(call.fallible())
    }),
    function("LPAD", "LPAD(string, length, with string)", |args| {
        pad(args, LPAD)
    }),
    function("RPAD", "RPAD(string, length, with string)", |args| {
        pad(args, RPAD)
    }),
    function("REPEAT", "REPEAT(string, times)", |args| {
        let call = string(args, &[Takes::Text, Takes::Int], REPEAT)?;
        Ok(call.fallible())
    }),
    function("REVERSE", "REVERSE(string)", |args| {
        string(args, &[Takes::Text], REVERSE)
    }),
    function("INITCAP", "INITCAP(string)", |args| {
        let data_type = args.values.first().map(|value| value.data_type.clone());
        let call = string(args, &[Takes::Text], INITCAP)?;
        Ok(Typed {
            data_type: data_type.unwrap_or(DataType::STRING),
            ..call
        })
    }),
    function(
        "OVERLAY",
        "OVERLAY(string PLACING string FROM start FOR length)",
        overlay,
    ),
    function("CHR", "CHR(integer)", |args| {
        string(args, &[Takes::Long], CHR)
    }),
];

/// A function that gives a STRING.
fn string(args: Args<'_>, takes: &[Takes], kernel: Kernel) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let values = arguments(args, takes)?;
    Ok(Typed::call(DataType::STRING, span, kernel, values))
}

fn concat(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let takes = vec![Takes::Text; args.values.len()];
    let values = arguments(args, &takes)?;
    const JOIN: Kernel = |frame, call| {
        let [a, b, c] = call.args;
        for_rows(frame, call, |columns, row| {
            let views: [Option<View>; 3] = [a, b, c].map(|slot| columns.value(slot, row));
            let view = match (views, call.parameter) {
                ([Some(a), Some(b), Some(c)], 3) => Some(columns.push_concat(&[a, b, c])?),
                ([Some(a), Some(b), _], 2) => Some(columns.push_concat(&[a, b])?),
                _ => None,
            };
            columns.put(call.out, row, view);
            Ok(())
        })
    };
    // Three at a time: an instruction has three arguments.
    let mut values = values.into_iter();
    let mut whole = values.next().ok_or(mismatch)?;
    while let Some(next) = values.next() {
        let parts: Vec<Typed> = [whole, next].into_iter().chain(values.next()).collect();
        let count = parts.len() as i64;
        whole = Typed::call(DataType::STRING, span.clone(), JOIN, parts).with_parameter(count);
    }
    let data_type = DataType::STRING;
    Ok(Typed {
        data_type,
        span,
        ..whole
    })
}

/// Leaves NULLs out. A chain of calls: the string so far is NULL until there is a first one.
fn concat_ws(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let takes = vec![Takes::Text; args.values.len()];
    let mut values = arguments(args, &takes)?.into_iter();
    let separator = values.next().ok_or(mismatch)?;
    check_size(separator.cost(), values.len(), &span)?;
    const JOIN: Kernel = |frame, call| {
        let [separator, so_far, next] = call.args;
        for_rows(frame, call, |columns, row| {
            let views: [Option<View>; 3] =
                [separator, so_far, next].map(|slot| columns.value(slot, row));
            let view = match views {
                [Some(separator), Some(so_far), Some(next)] => {
                    Some(columns.push_concat(&[so_far, separator, next])?)
                }
                [_, so_far, next] => so_far.or(next),
            };
            columns.put(call.out, row, view);
            Ok(())
        })
    };
    const FINISH: Kernel = |frame, call| {
        let [separator, whole, _] = call.args;
        for_rows(frame, call, |columns, row| {
            let view: Option<View> = match columns.is_valid(separator, row) {
                true => Some(columns.value(whole, row).unwrap_or_default()),
                false => None,
            };
            columns.put(call.out, row, view);
            Ok(())
        })
    };
    let null = Typed::literal(DataType::STRING, span.clone(), Literal::Null);
    let whole = values.fold(null, |so_far, next| {
        let parts = vec![separator.clone(), so_far, next];
        let call = Typed::call(DataType::STRING, span.clone(), JOIN, parts);
        Typed {
            nullable: true,
            ..call
        }
    });
    let nullable = separator.nullable;
    let call = Typed::call(DataType::STRING, span, FINISH, vec![separator, whole]);
    Ok(Typed { nullable, ..call })
}

const REPLACE: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let (string, what, by) = (row.text(0), row.text(1), row.text(2));
        if what.is_empty() {
            check_length((string.len() + 1).saturating_mul(by.len() + 1))?;
            let inner = units(string).flat_map(|unit| units(by).chain([unit]));
            push_units(text, inner.chain(units(by)));
            return Ok(true);
        }
        let mut rest = string;
        while let Some(at) = rest.windows(what.len()).position(|other| other == what) {
            check_length(text.len().saturating_add(at + by.len()))?;
            text.extend_from_slice(&rest[..at]);
            text.extend_from_slice(by);
            rest = &rest[at + what.len()..];
        }
        text.extend_from_slice(rest);
        Ok(true)
    })
};

/// NULL of a negative length, or where there is nothing to pad with.
fn pad(args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let call = string(args, &[Takes::Text, Takes::Int, Takes::Text], kernel)?;
    Ok(Typed {
        nullable: true,
        ..call.fallible()
    })
}

const LPAD: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let (string, length, with) = (row.text(0), row.int(1), row.text(2));
        let Some(length) = padded_length(length, with)? else {
            return Ok(false);
        };
        let missing = length.saturating_sub(units(string).count());
        let padding = units(with).cycle().take(missing);
        push_units(text, padding.chain(units(string)).take(length));
        Ok(true)
    })
};

const RPAD: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let (string, length, with) = (row.text(0), row.int(1), row.text(2));
        let Some(length) = padded_length(length, with)? else {
            return Ok(false);
        };
        push_units(text, units(string).chain(units(with).cycle()).take(length));
        Ok(true)
    })
};

fn padded_length(length: i32, with: &[u8]) -> Result<Option<usize>, Failure> {
    let length = usize::try_from(length).ok().filter(|_| !with.is_empty());
    check_length(length.unwrap_or(0))?;
    Ok(length)
}

const REPEAT: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let (string, times) = (row.text(0), row.int(1).max(0) as usize);
        check_length(string.len().saturating_mul(times))?;
        for _ in 0..times {
            text.extend_from_slice(string);
            if string.is_empty() {
                break;
            }
        }
        Ok(true)
    })
};

const REVERSE: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let mut rest = row.text(0);
        while !rest.is_empty() {
            let last = rest
                .iter()
                .rposition(|byte| byte & 0xC0 != 0x80)
                .unwrap_or(0);
            text.extend_from_slice(&rest[last..]);
            rest = &rest[..last];
        }
        Ok(true)
    })
};

/// Words are of the letters and digits of ASCII; every other character stands between words.
const INITCAP: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let mut inside = false;
        for byte in row.text(0) {
            text.push(match inside {
                true => byte.to_ascii_lowercase(),
                false => byte.to_ascii_uppercase(),
            });
            inside = byte.is_ascii_alphanumeric();
        }
        Ok(true)
    })
};

/// Lengths add up, as for `||`. Without a length it is that of the new part.
fn overlay(args: Args<'_>) -> Result<Typed, Diagnostic> {
    use DataType::{Char, Varchar};
    let span = args.span.clone();
    let takes = [Takes::Text, Takes::Text, Takes::Int, Takes::Int];
    let count = args.values.len().clamp(3, 4);
    let mut values = arguments(args, &takes[..count])?;
    let data_type = match (&values[0].data_type, &values[1].data_type) {
        (Char(m) | Varchar(m), Char(n) | Varchar(n)) => {
            Varchar(m.saturating_add(*n).min(MAX_LENGTH))
        }
        _ => DataType::STRING,
    };
    let kernel: Kernel = match count {
        3 => |frame, call| {
            write(frame, call, |row, text| {
                let length = units(row.text(1)).count() as i32;
                laid_over(row.text(0), row.text(1), row.int(2), length, text)
            })
        },
        _ => |frame, call| {
            write(frame, call, |row, text| {
                let (start, length) = row.pair(2);
                laid_over(row.text(0), row.text(1), start, length, text)
            })
        },
    };
    if count == 4 {
        let (length, start) = (values.pop(), values.pop());
        values.extend(start.zip(length).map(|(start, length)| pair(start, length)));
    }
    Ok(Typed::call(data_type, span, kernel, values).fallible())
}

/// `part` from `start` on; behind it what is left of `string` after `length` units, if that is
/// positive: else nothing.
fn laid_over(
    string: &[u8],
    part: &[u8],
    start: i32,
    length: i32,
    text: &mut Vec<u8>,
) -> Result<bool, Failure> {
    let count = units(string).count() as i64;
    if start <= 0 || i64::from(start) > count {
        text.extend_from_slice(string);
        return Ok(true);
    }
    let Some(next) = start.checked_add(length) else {
        return Err(Failure::failed(format!("OVERLAY: no length is {length}")));
    };
    let before = units(string).take(start as usize - 1);
    let behind = match length > 0 && i64::from(next) <= count {
        true => next as usize - 1,
        false => count as usize,
    };
    push_units(
        text,
        before.chain(units(part)).chain(units(string).skip(behind)),
    );
    Ok(true)
}

/// A character of Latin-1 by the lowest byte of its number; nothing for a negative one.
const CHR: Kernel = |frame, call| {
    write(frame, call, |row, text| {
        let number = row.long(0);
        if number >= 0 {
            push_char(text, char::from(number as u8));
        }
        Ok(true)
    })
};

#[cfg(test)]
mod tests {
    use super::super::super::testing::value;

    #[test]
    fn strings_are_joined() {
        let known = [
            ("CONCAT(s)", "STRING 'Straße'"),
            ("CONCAT(s, c, 'x', c, 'y', c)", "STRING 'Straßeabcxabcyabc'"),
            ("CONCAT(s, c, nos)", "STRING NULL"),
            ("CONCAT(c, '', 'z')", "STRING 'abcz'"),
            ("CONCAT_WS('-', s, nos, c, '')", "STRING 'Straße-abc-'"),
            ("CONCAT_WS('-', nos, nos)", "STRING ''"),
            ("CONCAT_WS('-')", "STRING ''"),
            ("CONCAT_WS(nos, s, c)", "STRING NULL"),
            ("CONCAT_WS('-', nos, '', nos, 'a')", "STRING '-a'"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn lengths_are_those_of_java() {
        let known = [
            ("LPAD('ab', 5, 'xyz')", "STRING 'xyzab'"),
            ("LPAD('ab', 6, 'xyz')", "STRING 'xyzxab'"),
            ("LPAD('ab', 1, 'xyz')", "STRING 'a'"),
            ("LPAD('ab', -1, 'xyz')", "STRING NULL"),
            ("LPAD('ab', 5, '')", "STRING NULL"),
            ("LPAD('a', 4, '😀')", "STRING '😀?a'"),
            ("RPAD('ab', 6, 'xyz')", "STRING 'abxyzx'"),
            ("RPAD('😀', 1, 'x')", "STRING '?'"),
            ("OVERLAY('hello' PLACING 'XX' FROM 2)", "VARCHAR(7) 'hXXlo'"),
            (
                "OVERLAY('hello' PLACING 'XX' FROM 2 FOR 1)",
                "VARCHAR(7) 'hXXllo'",
            ),
            (
                "OVERLAY('hello' PLACING 'XX' FROM 2 FOR 0)",
                "VARCHAR(7) 'hXX'",
            ),
            ("OVERLAY('hello' PLACING 'XX' FROM 9)", "VARCHAR(7) 'hello'"),
            ("OVERLAY('😀😀' PLACING '' FROM 2 FOR 2)", "VARCHAR(2) '😀'"),
            (
                "LPAD(s, 2147483647, 'a')",
                "error: a string of 2147483647 bytes: more than 16777216 are not made",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_are_changed() {
        let known = [
            ("REPLACE(s, 'ß', 'ss')", "STRING 'Strasse'"),
            ("REPLACE('aaa', 'aa', 'b')", "STRING 'ba'"),
            ("REPLACE('a😀', '', '-')", "STRING '-a-?-?-'"),
            ("REPEAT(c, 2)", "STRING 'abcabc'"),
            ("REPEAT(c, -2)", "STRING ''"),
            ("REPEAT('', 2147483647)", "STRING ''"),
            ("REVERSE(s)", "STRING 'eßartS'"),
            ("INITCAP('hELLO 1st wörld')", "CHAR(15) 'Hello 1st WöRld'"),
            ("CHR(65)", "STRING 'A'"),
            ("CHR(233)", "STRING 'é'"),
            ("CHR(-1)", "STRING ''"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
