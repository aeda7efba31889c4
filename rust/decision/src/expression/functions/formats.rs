//! Times as text and back: DATE_FORMAT, TO_DATE, TO_TIMESTAMP.

use std::io::Write;

use pelton_data::DataType;
use pelton_data::columns::{Literal, Timestamp};
use pelton_data::report::Diagnostic;

use super::super::calendar::{DAY, date, days};
use super::super::compile::fold;
use super::super::typing::Typed;
use super::cast::try_cast;
use super::strings::{Takes, arguments, write};
use super::temporal;
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "DATE_FORMAT",
        "DATE_FORMAT(timestamp, 'yyyy-MM-dd')",
        date_format,
    ),
    function("TO_DATE", "TO_DATE(string)", to_date),
    function("TO_TIMESTAMP", "TO_TIMESTAMP(string)", to_timestamp),
];

/// A part of a format, as Java's DateTimeFormatter reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// A letter and how often it stands there.
    Field(char, usize),
    /// Text as it is.
    Text(&'a str),
}

/// The parts of a format, or what is not supported in it.
fn parts(format: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let same = rest.len() - rest.trim_start_matches(first).len();
        if first == '\'' {
            let end = rest[1..].find('\'').ok_or("a quote has no end")?;
            // Two of them stand for one.
            let text = if end == 0 { "'" } else { &rest[1..=end] };
            parts.push(Part::Text(text));
            rest = &rest[end + 2..];
        } else if first.is_ascii_alphabetic() {
            let count = same / first.len_utf8();
            check_field(first, count)?;
            parts.push(Part::Field(first, count));
            rest = &rest[same..];
        } else if "[]{}#".contains(first) {
            return Err(format!("`{first}` is reserved"));
        } else {
            parts.push(Part::Text(&rest[..first.len_utf8()]));
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(parts)
}

fn check_field(letter: char, count: usize) -> Result<(), String> {
    let known = match letter {
        'y' | 'u' => matches!(count, 1 | 2 | 4),
        'M' | 'd' | 'H' | 'h' | 'k' | 'K' | 'm' | 's' => count <= 2,
        'S' => count <= 9,
        'D' => matches!(count, 1 | 3),
        _ => false,
    };
    let field = letter.to_string().repeat(count);
    match letter {
        _ if known => Ok(()),
        'a' | 'e' | 'c' | 'E' | 'L' | 'B' | 'w' | 'W' | 'Y' | 'G' | 'M' => {
            Err(format!("`{field}` depends on the language of the process"))
        }
        _ => Err(format!("`{field}` is not supported")),
    }
}

/// A format that is not a constant would be read anew for each record.
fn date_format(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [value, format] = args.exactly()?;
    if value.data_type.is_string() {
        return Err(mismatch.help("DATE_FORMAT(TO_TIMESTAMP(string), format)"));
    }
    if !matches!(value.data_type, DataType::Timestamp(_)) || !format.data_type.is_string() {
        return Err(mismatch);
    }
    let text = match fold(&format) {
        Some(Literal::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => {
            let message = "the format of DATE_FORMAT is a constant";
            return Err(Diagnostic::at(format.span, message));
        }
    };
    parts(&text).map_err(|why| {
        let help = "y, u, M, d, H, h, k, K, m, s, S and D are, up to MM; other text in 'quotes'";
        Diagnostic::at(format.span.clone(), format!("the format '{text}': {why}")).help(help)
    })?;
    let call = Typed::call(
        DataType::STRING,
        span,
        |frame, call| {
            write(frame, call, |row, text| {
                let format = String::from_utf8_lossy(row.text(1));
                let parts = parts(&format).unwrap_or_default();
                parts
                    .iter()
                    .for_each(|part| write_part(text, row.timestamp(0), *part));
                Ok(true)
            })
        },
        vec![value, format],
    );
    Ok(call)
}

fn write_part(text: &mut Vec<u8>, value: Timestamp, part: Part<'_>) {
    let (letter, count) = match part {
        Part::Text(literal) => return text.extend_from_slice(literal.as_bytes()),
        Part::Field(letter, count) => (letter, count),
    };
    let number = value.millis.div_euclid(DAY);
    let (year, month, day) = date(number);
    let of_day = value.millis.rem_euclid(DAY);
    let hour = of_day / 3_600_000;
    let field = match letter {
        'y' | 'u' => {
            return write_year(
                text,
                if letter == 'u' || year > 0 {
                    year
                } else {
                    1 - year
                },
                count,
            );
        }
        'S' => {
            let nanos = of_day % 1000 * 1_000_000 + i64::from(value.nanos);
            nanos / 10i64.pow(9 - count as u32)
        }
        'M' => month,
        'd' => day,
        'D' => number - days(year, 1, 1) + 1,
        'H' => hour,
        'k' => (hour + 23) % 24 + 1,
        'K' => hour % 12,
        'h' => (hour + 11) % 12 + 1,
        'm' => of_day / 60_000 % 60,
        _ => of_day / 1000 % 60,
    };
    // Writing into a Vec cannot fail.
    let _ = write!(text, "{field:0count$}");
}

/// Two digits are the last two; of more than four, with the sign.
fn write_year(text: &mut Vec<u8>, year: i64, count: usize) {
    let _ = match count {
        2 => write!(text, "{:02}", year.abs() % 100),
        4 if year > 9999 => write!(text, "+{year}"),
        4 if year < 0 => write!(text, "-{:04}", -year),
        4 => write!(text, "{year:04}"),
        _ => write!(text, "{year}"),
    };
}

/// As CAST reads it; NULL where it does not parse.
fn to_date(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let [text] = text_alone(
        args,
        "CAST(TO_TIMESTAMP(...) AS DATE), or the parts put together",
    )?;
    try_cast(Typed { span, ..text }, &DataType::Date)
}

/// `2013-1-31 1:2:3.5`; the 30th of February is its last day, and 24:00:00 the next midnight.
fn to_timestamp(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let [text] = text_alone(args, "put the parts together: yyyy-MM-dd HH:mm:ss")?;
    let call = Typed::call(
        DataType::Timestamp(3),
        span,
        temporal::READ_SMARTLY,
        vec![text],
    );
    Ok(call.fallible().or_null(1))
}

fn text_alone(args: Args<'_>, instead: &str) -> Result<[Typed; 1], Diagnostic> {
    if args.values.len() == 2 {
        let message = format!("{} with a format is not supported", args.name);
        return Err(Diagnostic::at(args.span, message).help(format!(
            "Flink reads formats leniently, and by the process's time zone; {instead}"
        )));
    }
    let mismatch = args.mismatch();
    <[Typed; 1]>::try_from(arguments(args, &[Takes::Text])?).map_err(|_| mismatch)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn formats_are_those_of_java() {
        let known = [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2013-12-24 18:30:15.123"),
            ("SSSSSSSSS S", "123456789 1"),
            ("yy/M/d ''''u", "13/12/24 '2013"),
            ("''u''", "u"),
            ("h K k D", "6 6 18 358"),
            ("hh:mm", "06:30"),
            ("uuuuMMdd ä", "20131224 ä"),
        ];
        for (format, expected) in known {
            let text = format!("DATE_FORMAT(t, '{format}')");
            assert_eq!(value(&text), format!("STRING '{expected}'"), "{text}");
        }
        let known = [
            (
                "EEE",
                "the format 'EEE': `EEE` depends on the language of the process",
            ),
            ("yyy", "the format 'yyy': `yyy` is not supported"),
            ("[yy]", "the format '[yy]': `[` is reserved"),
        ];
        for (format, expected) in known {
            let text = format!("DATE_FORMAT(t, '{format}')");
            assert_eq!(typed(&text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_time_is_null() {
        let known = [
            ("TO_DATE('2013-12-24')", "DATE 16063"),
            ("TO_DATE(s)", "DATE NULL"),
            (
                "TO_TIMESTAMP('2013-12-24')",
                "TIMESTAMP(3) 1387843200000ms 0ns",
            ),
            (
                "TO_TIMESTAMP('1970-1-1 0:0:1.5')",
                "TIMESTAMP(3) 1500ms 0ns",
            ),
            (
                "TO_TIMESTAMP('1970-01-01 24:00:00')",
                "TIMESTAMP(3) 86400000ms 0ns",
            ),
            (
                "TO_TIMESTAMP('1970-02-30 00:00:00')",
                "TIMESTAMP(3) 5011200000ms 0ns",
            ),
            ("TO_TIMESTAMP('1970-02-32')", "TIMESTAMP(3) NULL"),
            ("TO_TIMESTAMP('')", "TIMESTAMP(3) NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(
            typed("TO_TIMESTAMP(s, 'yyyy')").unwrap_err(),
            "TO_TIMESTAMP with a format is not supported"
        );
    }
}
