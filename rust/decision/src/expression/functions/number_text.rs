//! Numbers as text and back, as Java writes and reads them.

use std::io::Write;

/// Appends a DOUBLE as `Double.toString` writes it: at least one digit behind the point, with an
/// exponent below 1E-3 and from 1E7 on. Digits are the fewest that read back as the same number,
/// as Java writes them since 19; older ones write one digit too many for a few numbers.
pub(super) fn write_f64(value: f64, text: &mut Vec<u8>) {
    match Shortest::of_f64(value) {
        Some(digits) => digits.write_java(text),
        None => text.extend_from_slice(not_finite(value)),
    }
}

/// The same for a FLOAT, as `Float.toString`.
pub(super) fn write_f32(value: f32, text: &mut Vec<u8>) {
    match Shortest::of_f32(value) {
        Some(digits) => digits.write_java(text),
        None => text.extend_from_slice(not_finite(value.into())),
    }
}

fn not_finite(value: f64) -> &'static [u8] {
    match value {
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ => b"NaN",
    }
}

/// The fewest decimal digits that read back as a number: `0.d1d2d3... * 10^exponent`.
pub(super) struct Shortest {
    pub negative: bool,
    digits: [u8; 20],
    count: usize,
    /// Digits before the point; negative where zeros follow it.
    pub exponent: i32,
}

impl Shortest {
    /// `None` if the number is not finite.
    pub fn of_f64(value: f64) -> Option<Shortest> {
        // Java takes the nearest of two digits where one would do: 4.9E-324.
        let one = Shortest::read(value.is_finite(), format_args!("{value:e}"))?;
        match one.count {
            1 => Shortest::read(true, format_args!("{value:.1e}")),
            _ => Some(one),
        }
    }

    fn of_f32(value: f32) -> Option<Shortest> {
        let one = Shortest::read(value.is_finite(), format_args!("{value:e}"))?;
        match one.count {
            1 => Shortest::read(true, format_args!("{value:.1e}")),
            _ => Some(one),
        }
    }

    /// From Rust's scientific notation, `-1.25e-7`, written on the stack.
    fn read(finite: bool, scientific: std::fmt::Arguments<'_>) -> Option<Shortest> {
        if !finite {
            return None;
        }
        let mut buffer = [0u8; 40];
        let mut rest = &mut buffer[..];
        rest.write_fmt(scientific).ok()?;
        let written = 40 - rest.len();
        let (mantissa, exponent) = std::str::from_utf8(&buffer[..written])
            .ok()?
            .split_once('e')?;
        let mut shortest = Shortest {
            negative: mantissa.starts_with('-'),
            digits: [b'0'; 20],
            count: 0,
            exponent: exponent.parse::<i32>().ok()? + 1,
        };
        for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
            shortest.digits[shortest.count] = digit;
            shortest.count += 1;
        }
        while shortest.count > 1 && shortest.digits[shortest.count - 1] == b'0' {
            shortest.count -= 1;
        }
        Some(shortest)
    }

    /// The digits as a number, with the sign.
    pub fn mantissa(&self) -> i128 {
        let digits = self.digits().iter().map(|digit| i128::from(digit - b'0'));
        let mantissa = digits.fold(0, |value, digit| value * 10 + digit);
        if self.negative { -mantissa } else { mantissa }
    }

    /// The digits, from the first that is not 0.
    pub fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    fn write_java(&self, text: &mut Vec<u8>) {
        let digits = self.digits();
        if self.negative {
            text.push(b'-');
        }
        match self.exponent {
            _ if digits == b"0" => text.extend_from_slice(b"0.0"),
            -2..1 => {
                text.extend_from_slice(b"0.");
                text.extend((self.exponent..0).map(|_| b'0'));
                text.extend_from_slice(digits);
            }
            1..8 => {
                let whole = self.exponent as usize;
                text.extend((0..whole).map(|i| digits.get(i).copied().unwrap_or(b'0')));
                text.push(b'.');
                text.extend_from_slice(
                    digits
                        .get(whole..)
                        .filter(|f| !f.is_empty())
                        .unwrap_or(b"0"),
                );
            }
            exponent => {
                text.extend_from_slice(&digits[..1]);
                text.push(b'.');
                text.extend_from_slice(if self.count > 1 { &digits[1..] } else { b"0" });
                // Writing into a Vec cannot fail.
                let _ = write!(text, "E{}", exponent - 1);
            }
        }
    }
}

/// A whole number as Flink reads it: blanks around it, a sign, digits; behind a point digits are
/// allowed and dropped. `None` if it is none, or does not fit into a BIGINT.
pub(super) fn parse_i64(text: &[u8]) -> Option<i64> {
    let text = trim_blanks(text);
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let point = digits.iter().position(|b| *b == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[..0]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Counted down, since the lowest number has no positive twin.
    let mut value = 0i64;
    for digit in whole {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_sub(i64::from(digit - b'0'))?;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

/// The text of a DOUBLE or FLOAT if Java reads it as one: decimal, `NaN`, `Infinity`, with an
/// optional suffix `d` or `f`. Hexadecimal numbers are left out.
pub(super) fn parse_float<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.trim_matches(|c: char| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        // The sign of NaN has no meaning and is dropped, as in Java.
        let text = if unsigned == "NaN" { unsigned } else { text };
        return text.parse().ok();
    }
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let decimal = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    let decimal = text.bytes().all(decimal);
    decimal.then(|| text.parse().ok()).flatten()
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|b| *b != b' ').unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|b| *b != b' ')
        .map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f64_text(value: f64) -> String {
        let mut text = Vec::new();
        write_f64(value, &mut text);
        String::from_utf8(text).unwrap()
    }

    fn f32_text(value: f32) -> String {
        let mut text = Vec::new();
        write_f32(value, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn floats_are_written_as_java_writes_them() {
        let known = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (1_234_567.891, "1234567.891"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (-0.012_5, "-0.0125"),
            (4.9e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (0.1 + 0.2, "0.30000000000000004"),
        ];
        for (value, text) in known {
            assert_eq!(f64_text(value), text);
        }
        assert_eq!(f32_text(1e-45), "1.4E-45");
        assert_eq!(f32_text(f32::MAX), "3.4028235E38");
        assert_eq!(f32_text(123_456.79), "123456.79");
        assert_eq!(f32_text(1e10), "1.0E10");
    }

    #[test]
    fn whole_numbers_are_read_as_flink_reads_them() {
        assert_eq!(parse_i64(b" -7 "), Some(-7));
        assert_eq!(parse_i64(b"+12.99"), Some(12));
        assert_eq!(parse_i64(b"-9223372036854775808"), Some(i64::MIN));
        for refused in ["", "-", "9223372036854775808", "1e3", "\t1", "1.x", "--1"] {
            assert_eq!(parse_i64(refused.as_bytes()), None, "{refused}");
        }
    }

    #[test]
    fn floats_are_read_as_java_reads_them() {
        assert_eq!(parse_float(b" 1.5e3d "), Some(1500.0));
        assert_eq!(parse_float(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float(b".5f"), Some(0.5f32));
        for refused in ["", "inf", "nan", "1e", "0x1p3", "1,5", "."] {
            assert_eq!(parse_float::<f64>(refused.as_bytes()), None, "{refused}");
        }
    }
}
