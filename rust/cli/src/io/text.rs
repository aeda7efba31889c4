//! Values as CSV has them: read strictly, written so that they read as the same value.

use std::fmt::Write;

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use pelton_data::DataType;
use pelton_data::columns::{Literal, Timestamp};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// What a value of a type looks like, for messages.
pub fn form(data_type: &DataType) -> String {
    let form = match data_type {
        DataType::Boolean => "true or false",
        DataType::Date => "yyyy-MM-dd",
        DataType::Timestamp(0) => "yyyy-MM-dd HH:mm:ss",
        DataType::Timestamp(precision) => {
            return format!("yyyy-MM-dd HH:mm:ss, with up to {precision} digits of a fraction");
        }
        DataType::Float | DataType::Double => "a number, NaN, Infinity or -Infinity",
        _ => "a whole number in its range",
    };
    form.to_owned()
}

/// Whether CSV files hold values of a type.
pub fn is_supported(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Boolean | Char(_) | Varchar(_) | Date | Timestamp(_) => true,
        Decimal { .. } => false,
        other => other.is_numeric(),
    }
}

/// Reads a value that is not a string. `None` where the text is none of that type.
pub fn parse(text: &str, data_type: &DataType) -> Option<Literal> {
    // As Flink's CSV format, which takes numbers between spaces.
    let text = text.trim_matches(' ');
    Some(match data_type {
        DataType::Boolean if text.eq_ignore_ascii_case("true") => Literal::I8(1),
        DataType::Boolean if text.eq_ignore_ascii_case("false") => Literal::I8(0),
        DataType::TinyInt => Literal::I8(text.parse().ok()?),
        DataType::SmallInt => Literal::I16(text.parse().ok()?),
        DataType::Int => Literal::I32(text.parse().ok()?),
        DataType::BigInt => Literal::I64(text.parse().ok()?),
        DataType::Float => Literal::F32(java_float(text)?.parse().ok()?),
        DataType::Double => Literal::F64(java_float(text)?.parse().ok()?),
        DataType::Date => Literal::I32(i32::try_from(days(text)?).ok()?),
        DataType::Timestamp(precision) => Literal::Timestamp(timestamp(text, *precision)?),
        _ => return None,
    })
}

/// Rust reads `inf` and `nan` in any case; Java knows `Infinity` and `NaN`.
fn java_float(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (number || digits == "Infinity" || text == "NaN").then_some(text)
}

/// Days since 1970-01-01 of a `yyyy-MM-dd`.
fn days(text: &str) -> Option<i64> {
    let [year, month, day] = digits(text, [4, 2, 2], '-')?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some((date - NaiveDate::default()).num_days())
}

/// `yyyy-MM-dd HH:mm:ss[.fraction]`, a `T` in the middle allowed. Digits that the precision does
/// not hold must be 0: nothing is rounded.
fn timestamp(text: &str, precision: u8) -> Option<Timestamp> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = digits(time, [2, 2, 2], ':')?;
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let seconds = (time - NaiveTime::default()).num_seconds();
    let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    if nanos % 10_i64.pow(9 - u32::from(precision.min(9))) != 0 {
        return None;
    }
    Some(Timestamp {
        millis: days(date)? * MILLIS_PER_DAY + seconds * 1000 + nanos / 1_000_000,
        nanos: (nanos % 1_000_000) as i32,
    })
}

/// Three numbers of fixed widths.
fn digits(text: &str, widths: [usize; 3], separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next()?;
        let plain = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = plain.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

/// Adds a value as a field: NULL is empty, the empty string is `""`. False for a date that no
/// calendar holds; nothing is added then.
pub fn write(value: &Literal, data_type: &DataType, out: &mut String) -> bool {
    match value {
        Literal::Null => {}
        Literal::I8(value) if *data_type == DataType::Boolean => {
            out.push_str(if *value != 0 { "true" } else { "false" });
        }
        Literal::I8(value) => push(out, value),
        Literal::I16(value) => push(out, value),
        Literal::I32(days) if *data_type == DataType::Date => return write_date(*days, out),
        Literal::I32(value) => push(out, value),
        Literal::I64(value) => push(out, value),
        Literal::F32(value) if value.is_infinite() => push_infinity(out, *value > 0.0),
        Literal::F64(value) if value.is_infinite() => push_infinity(out, *value > 0.0),
        // Debug is the shortest text that reads as the same float: `7.0`, `1e-7`, `NaN`.
        Literal::F32(value) => push(out, format_args!("{value:?}")),
        Literal::F64(value) => push(out, format_args!("{value:?}")),
        Literal::Timestamp(value) => return write_timestamp(*value, out),
        Literal::Bytes(text) => write_text(&String::from_utf8_lossy(text), out),
        Literal::I128(value) => push(out, value),
    }
    true
}

/// Adds a string, in quotes where it needs them.
pub fn write_text(text: &str, out: &mut String) {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return out.push_str(text);
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

fn write_date(days: i32, out: &mut String) -> bool {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let epoch = NaiveDate::default();
    let date = match days >= 0 {
        true => epoch.checked_add_days(distance),
        false => epoch.checked_sub_days(distance),
    };
    date.map(|date| push(out, date)).is_some()
}

fn write_timestamp(value: Timestamp, out: &mut String) -> bool {
    let Some(time) = DateTime::from_timestamp_millis(value.millis) else {
        return false;
    };
    push(out, time.format("%F %T"));
    let nanos = value.millis.rem_euclid(1000) * 1_000_000 + i64::from(value.nanos);
    if nanos != 0 {
        push(out, format_args!(".{nanos:09}"));
        out.truncate(out.trim_end_matches('0').len());
    }
    true
}

fn push_infinity(out: &mut String, positive: bool) {
    out.push_str(if positive { "Infinity" } else { "-Infinity" });
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use pelton_data::type_parser::parse_type;

    fn read(text: &str, data_type: &str) -> Option<Literal> {
        parse(text, &parse_type(data_type).unwrap().data_type)
    }

    fn written(value: &Literal, data_type: &str) -> String {
        let mut out = String::new();
        let data_type = parse_type(data_type).unwrap().data_type;
        assert!(write(value, &data_type, &mut out));
        out
    }

    #[test]
    fn values_are_written_as_they_are_read() {
        for (text, data_type) in [
            ("true", "BOOLEAN"),
            ("-128", "TINYINT"),
            ("-32768", "SMALLINT"),
            ("-2147483648", "INT"),
            ("9223372036854775807", "BIGINT"),
            ("0.1", "FLOAT"),
            ("-0.0", "DOUBLE"),
            ("14.0", "DOUBLE"),
            ("1e300", "DOUBLE"),
            ("5e-324", "DOUBLE"),
            ("0.30000000000000004", "DOUBLE"),
            ("Infinity", "FLOAT"),
            ("-Infinity", "DOUBLE"),
            ("1969-12-31", "DATE"),
            ("0001-01-01", "DATE"),
            ("2013-12-02 04:59:00", "TIMESTAMP(3)"),
            ("2013-12-02 04:59:00.12", "TIMESTAMP(3)"),
            ("1969-12-31 23:59:59.999999999", "TIMESTAMP(9)"),
            ("0001-01-01 00:00:00", "TIMESTAMP(0)"),
        ] {
            let value = read(text, data_type).unwrap_or_else(|| panic!("{text} as {data_type}"));
            assert_eq!(written(&value, data_type), text, "{data_type}");
        }
        assert_eq!(written(&read("NaN", "DOUBLE").unwrap(), "DOUBLE"), "NaN");
    }

    #[test]
    fn numbers_are_java_s() {
        assert_eq!(read("1.0E10", "DOUBLE"), Some(Literal::F64(1e10)));
        assert_eq!(read(" 7 ", "INT"), Some(Literal::I32(7)));
        assert_eq!(read(".5", "FLOAT"), Some(Literal::F32(0.5)));
        assert_eq!(read("TRUE", "BOOLEAN"), Some(Literal::I8(1)));
        // Read as FLOAT at once: by way of DOUBLE it would be 1.0000001.
        let between = "1.00000005960464477540";
        assert_eq!(read(between, "FLOAT"), Some(Literal::F32(1.0000001)));
        for text in ["inf", "nan", "infinity", "-NaN", "1_0", "0x1p3", "", "1,5"] {
            assert_eq!(read(text, "DOUBLE"), None, "{text}");
        }
        assert_eq!(read("2147483648", "INT"), None);
        assert_eq!(read("7.0", "INT"), None);
        assert_eq!(read("1", "BOOLEAN"), None);
    }

    #[test]
    fn timestamps_are_read_to_the_last_digit_or_not_at_all() {
        let value = Timestamp {
            millis: 1_385_960_340_123,
            nanos: 456_789,
        };
        for text in [
            "2013-12-02 04:59:00.123456789",
            "2013-12-02T04:59:00.123456789",
        ] {
            assert_eq!(read(text, "TIMESTAMP(9)"), Some(Literal::Timestamp(value)));
            assert_eq!(read(text, "TIMESTAMP(6)"), None, "no digit is dropped");
        }
        let before = read("1969-12-31 23:59:59.999", "TIMESTAMP(3)");
        let millis = Timestamp {
            millis: -1,
            nanos: 0,
        };
        assert_eq!(before, Some(Literal::Timestamp(millis)));
        assert!(read("2013-12-02 04:59:00.120000", "TIMESTAMP(3)").is_some());
        for text in [
            "2013-12-02",
            "2013-12-02 24:00:00",
            "2013-02-29 00:00:00",
            "2013-12-02 04:59",
            "2013-12-02 04:59:00.",
            "2013-12-02 04:59:00Z",
            "2013-12-02 +4:59:00",
            "13-12-02 04:59:00",
        ] {
            assert_eq!(read(text, "TIMESTAMP(3)"), None, "{text}");
        }
    }

    #[test]
    fn strings_are_quoted_where_they_must_be() {
        let texts = [
            ("a b", "a b"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("\"", "\"\"\"\""),
            ("\n", "\"\n\""),
        ];
        for (text, expected) in texts {
            assert_eq!(written(&Literal::text(text), "STRING"), expected);
        }
        assert_eq!(written(&Literal::Null, "STRING"), "");
    }

    #[test]
    fn a_date_that_no_calendar_holds_is_not_written() {
        let mut out = String::new();
        assert!(!write(&Literal::I32(i32::MAX), &DataType::Date, &mut out));
        let value = Timestamp {
            millis: i64::MAX,
            nanos: 0,
        };
        assert!(!write(
            &Literal::Timestamp(value),
            &DataType::Timestamp(3),
            &mut out
        ));
        assert_eq!(out, "");
    }
}
