//! Values that are not nested as text, as Flink's JSON and CSV formats write them. Reading is
//! strict: what the type cannot hold to the last digit is refused.

use std::fmt::Write;

use crate::calendar::{DAY, date, days, days_of_month};
use crate::columns::Timestamp;
use crate::types::DataType;
use crate::value::Value;

/// What a value of a type looks like, for messages.
pub fn form(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "true or false".to_owned(),
        DataType::Date => "a DATE, yyyy-MM-dd".to_owned(),
        DataType::Time(_) => format!("a {data_type}, HH:mm:ss[.fraction]"),
        DataType::Timestamp(_) => format!("a {data_type}, yyyy-MM-dd HH:mm:ss[.fraction]"),
        DataType::TimestampLtz(_) => format!("a {data_type}, yyyy-MM-dd HH:mm:ss[.fraction]Z"),
        DataType::Float | DataType::Double => {
            format!("a {data_type}, NaN, Infinity or -Infinity")
        }
        other => format!("a {other}"),
    }
}

/// The value of type `data_type` that a text is; `None` where it is none, and for `BINARY` and
/// nested types, which have no text of their own.
pub fn parse(text: &str, data_type: &DataType) -> Option<Value> {
    Some(match data_type {
        DataType::Boolean => match text {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => return None,
        },
        DataType::TinyInt => Value::TinyInt(text.parse().ok()?),
        DataType::SmallInt => Value::SmallInt(text.parse().ok()?),
        DataType::Int => Value::Int(text.parse().ok()?),
        DataType::BigInt => Value::BigInt(text.parse().ok()?),
        DataType::Float => {
            let value: f32 = java_float(text)?.parse().ok()?;
            Value::Float((value.is_finite() || !is_number(text)).then_some(value)?)
        }
        DataType::Double => {
            let value: f64 = java_float(text)?.parse().ok()?;
            Value::Double((value.is_finite() || !is_number(text)).then_some(value)?)
        }
        DataType::Decimal { precision, scale } => {
            Value::Decimal(decimal(text, *precision, *scale)?)
        }
        DataType::Char(length) | DataType::Varchar(length) => {
            let fits = text.chars().nth(*length as usize).is_none();
            Value::Text(fits.then(|| text.to_owned())?)
        }
        DataType::Date => Value::Date(i32::try_from(parse_date(text)?).ok()?),
        DataType::Time(precision) => {
            let nanos = parse_time(text)?;
            let unit = 10_i64.pow(9 - u32::from((*precision).min(3)));
            Value::Time((nanos % unit == 0).then_some((nanos / 1_000_000) as i32)?)
        }
        DataType::Timestamp(precision) => Value::Timestamp(timestamp(text, *precision)?),
        DataType::TimestampLtz(precision) => {
            Value::Timestamp(timestamp(text.strip_suffix('Z')?, *precision)?)
        }
        DataType::Binary(_) | DataType::Varbinary(_) => return None,
        DataType::Array(_) | DataType::Map(..) | DataType::Row(_) => return None,
    })
}

/// The text of a value of type `data_type`, which [`parse`] reads as the same value; `None` for
/// NULL, `BINARY` and nested values.
pub fn write(value: &Value, data_type: &DataType) -> Option<String> {
    Some(match value {
        Value::Boolean(value) => value.to_string(),
        Value::TinyInt(value) => value.to_string(),
        Value::SmallInt(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        // Debug is the shortest text that reads as the same float: `7.0`, `1e-7`, `NaN`.
        Value::Float(value) if value.is_finite() => format!("{value:?}"),
        Value::Double(value) if value.is_finite() => format!("{value:?}"),
        Value::Float(value) => not_finite(f64::from(*value)).to_owned(),
        Value::Double(value) => not_finite(*value).to_owned(),
        Value::Decimal(value) => write_decimal(*value, data_type),
        Value::Text(value) => value.clone(),
        Value::Date(value) => write_date(i64::from(*value)),
        Value::Time(value) => write_time(i64::from(*value) * 1_000_000),
        Value::Timestamp(value) => {
            let zone = match data_type {
                DataType::TimestampLtz(_) => "Z",
                _ => "",
            };
            let nanos = value.millis.rem_euclid(DAY) * 1_000_000 + i64::from(value.nanos);
            let date = write_date(value.millis.div_euclid(DAY));
            format!("{date} {}{zone}", write_time(nanos))
        }
        Value::Null | Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Row(_) => {
            return None;
        }
    })
}

/// Rust reads `inf` and `nan` in any case; Java knows `Infinity` and `NaN`.
fn java_float(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (is_number(text) || digits == "Infinity" || text == "NaN").then_some(text)
}

/// Not NaN and not infinite, if a float at all.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

fn not_finite(value: f64) -> &'static str {
    match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// The unscaled value of `-12.50` or `1.25E+1`, where no digit is lost.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = whole.len() + fraction.len() > 0
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit());
    if !is_number {
        return None;
    }
    // Zeros at either end are no digits of the value, however many there are.
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    let dropped = (digits.len() - digits.trim_end_matches('0').len()) as i64;
    if significant.is_empty() {
        return Some(0);
    }
    // The value is `significant` times 10^power, unscaled.
    let power = i64::from(exponent) - fraction.len() as i64 + dropped + i64::from(scale);
    let power = u32::try_from(power).ok()?;
    if significant.len() as i64 + i64::from(power) > i64::from(precision) {
        return None;
    }
    let value: i128 = significant.parse().ok()?;
    let value = value.checked_mul(10_i128.checked_pow(power)?)?;
    Some(if mantissa.starts_with('-') {
        -value
    } else {
        value
    })
}

fn write_decimal(value: i128, data_type: &DataType) -> String {
    let scale = match data_type {
        DataType::Decimal { scale, .. } => usize::from(*scale),
        _ => 0,
    };
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Days since 1970-01-01 of a `yyyy-MM-dd`; a year of more than four digits has a sign, as in
/// Java's `ISO_LOCAL_DATE`.
fn parse_date(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (year, rest) = unsigned.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let signed = unsigned.len() < text.len();
    let plain = text.starts_with('+') || !signed;
    let long = if signed {
        4 + usize::from(plain)..=9
    } else {
        4..=4
    };
    if !long.contains(&year.len()) {
        return None;
    }
    let (year, month, day) = (number(year)?, number2(month)?, number2(day)?);
    let year = if plain { year } else { -year };
    let known = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
    known.then(|| days(year, month, day))
}

/// Nanoseconds of the day of `HH:mm:ss[.fraction]`.
fn parse_time(text: &str) -> Option<i64> {
    let (time, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let (hour, minute, second) = (number2(hour)?, number2(minute)?, number2(second)?);
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let nanos = number(fraction)? * 10_i64.pow(9 - fraction.len() as u32);
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

/// `yyyy-MM-dd HH:mm:ss[.fraction]`, a `T` in the middle allowed.
fn timestamp(text: &str, precision: u8) -> Option<Timestamp> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let nanos = parse_time(time)?;
    if nanos % 10_i64.pow(9 - u32::from(precision.min(9))) != 0 {
        return None;
    }
    Some(Timestamp {
        millis: parse_date(date)?.checked_mul(DAY)? + nanos / 1_000_000,
        nanos: (nanos % 1_000_000) as i32,
    })
}

fn write_date(days: i64) -> String {
    let (year, month, day) = date(days);
    let sign = match year {
        ..0 => "-",
        10_000.. => "+",
        _ => "",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

/// With no more digits behind the second than there are.
fn write_time(nanos: i64) -> String {
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let mut text = format!("{:02}:{:02}:{second:02}", minutes / 60, minutes % 60);
    if nanos != 0 {
        let fraction = format!("{nanos:09}");
        let written = write!(text, ".{}", fraction.trim_end_matches('0'));
        written.expect("a String takes everything");
    }
    text
}

fn number2(text: &str) -> Option<i64> {
    (text.len() == 2).then(|| number(text)).flatten()
}

/// A number of digits only.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::type_parser::parse_type;

    #[test]
    fn texts_read_as_what_they_were_written_from() {
        for (text, data_type) in [
            ("true", "BOOLEAN"),
            ("-128", "TINYINT"),
            ("9223372036854775807", "BIGINT"),
            ("0.1", "FLOAT"),
            ("1e-7", "DOUBLE"),
            ("NaN", "FLOAT"),
            ("-Infinity", "DOUBLE"),
            ("-0.05", "DECIMAL(5, 2)"),
            ("0.000000000000000000", "DECIMAL(38, 18)"),
            ("99999999999999999999999999999999999999", "DECIMAL(38, 0)"),
            ("né", "VARCHAR(2)"),
            ("2000-02-29", "DATE"),
            ("-0001-12-31", "DATE"),
            ("+5881580-07-11", "DATE"),
            ("23:59:59.5", "TIME(3)"),
            ("00:00:00", "TIME(0)"),
            ("1969-12-31 23:59:59.999999999", "TIMESTAMP(9)"),
            ("9999-12-31 23:59:59.001Z", "TIMESTAMP_LTZ(3)"),
        ] {
            let data_type = parse_type(data_type).unwrap().data_type;
            let value = parse(text, &data_type).unwrap_or_else(|| panic!("{text} {data_type}"));
            assert_eq!(write(&value, &data_type).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_a_type_cannot_hold_is_no_text_of_it() {
        for (text, data_type) in [
            ("TRUE", "BOOLEAN"),
            ("128", "TINYINT"),
            ("1.0", "INT"),
            ("inf", "DOUBLE"),
            ("1e400", "DOUBLE"),
            ("1e39", "FLOAT"),
            ("1.005", "DECIMAL(5, 2)"),
            ("1000", "DECIMAL(5, 2)"),
            ("1e400000000000", "DECIMAL(5, 2)"),
            ("", "DECIMAL(5, 2)"),
            (".", "DECIMAL(5, 2)"),
            ("abc", "CHAR(2)"),
            ("2023-02-29", "DATE"),
            ("12023-01-01", "DATE"),
            ("2023-1-01", "DATE"),
            ("24:00:00", "TIME(0)"),
            ("00:00:00.1", "TIME(0)"),
            ("00:00:00.0001", "TIME(9)"),
            ("2023-01-01 00:00:00.0001", "TIMESTAMP(3)"),
            ("2023-01-01", "TIMESTAMP(3)"),
            ("2023-01-01 00:00:00", "TIMESTAMP_LTZ(3)"),
            ("AA==", "BYTES"),
        ] {
            let data_type = parse_type(data_type).unwrap().data_type;
            assert_eq!(parse(text, &data_type), None, "{text} {data_type}");
        }
    }

    #[test]
    fn a_decimal_has_the_digits_of_its_type_however_it_is_written() {
        let decimal = parse_type("DECIMAL(5, 2)").unwrap().data_type;
        for (text, value) in [
            ("1.2500", 125),
            ("125e-2", 125),
            ("0.00125E+3", 125),
            ("-0000000000000000000000000000000000000000000007", -700),
            ("0E-18", 0),
            ("0e99", 0),
            ("999.99", 99999),
        ] {
            assert_eq!(parse(text, &decimal), Some(Value::Decimal(value)), "{text}");
        }
    }
}
