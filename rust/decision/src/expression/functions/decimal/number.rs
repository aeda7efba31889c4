//! DECIMAL arithmetic: Java's `BigDecimal` to the digit, as Flink uses it.
//!
//! A value is an `i128`, the number times 10^scale; precision and scale stand in its type. What
//! does not fit a type's precision is `None`: Flink makes it NULL. Roundings are half away from
//! zero. Where 128 bits are not enough on the way, a [`Wide`] is.

use std::cmp::Ordering;
use std::io::Write;

use super::super::number_text::Shortest;
use super::wide::Wide;

/// The most digits of a DECIMAL.
pub const MAX_PRECISION: u8 = 38;

/// The shape of a DECIMAL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// In all, 1 to 38.
    pub precision: u8,
    /// Behind the point, 0 to `precision`.
    pub scale: u8,
}

/// The powers of ten that 128 bits hold.
const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut k = 1;
    while k < 39 {
        powers[k] = powers[k - 1] * 10;
        k += 1;
    }
    powers
};

/// `10^k`, k up to 38.
#[inline]
pub fn ten_to(k: u32) -> u128 {
    POWERS[k as usize]
}

/// `value / 10^k`, half away from zero.
pub fn round_off(value: i128, k: u32) -> i128 {
    match k {
        0 => value,
        // The digit behind the last one decides, whatever follows it.
        1..=39 => (cut_off(value, k - 1) + 5 * value.signum()) / 10,
        _ => 0,
    }
}

/// `value / 10^k`, towards zero.
pub fn cut_off(value: i128, k: u32) -> i128 {
    match k {
        0..=38 => value / ten_to(k) as i128,
        _ => 0,
    }
}

fn signed(negative: bool, magnitude: u128) -> Option<i128> {
    let value = i128::try_from(magnitude).ok()?;
    Some(if negative { -value } else { value })
}

/// `value / 10^scale` as a value of another shape; the scale may be any.
pub fn fit(value: i128, scale: i32, to: Digits) -> Option<i128> {
    let more = i32::from(to.scale).saturating_sub(scale);
    let scaled = match more {
        _ if value == 0 => 0,
        0 => value,
        1..=38 => value.checked_mul(ten_to(more as u32) as i128)?,
        39.. => return None,
        _ => round_off(value, more.unsigned_abs()),
    };
    (scaled.unsigned_abs() < ten_to(to.precision.into())).then_some(scaled)
}

/// The sum of two values of the scales `from`.
#[inline]
pub fn add(a: i128, b: i128, from: [u8; 2], to: Digits) -> Option<i128> {
    let scale = from[0].max(from[1]);
    let up = from.map(|own| ten_to((scale - own).into()));
    let sum = || {
        let a = a.checked_mul(up[0] as i128)?;
        a.checked_add(b.checked_mul(up[1] as i128)?)
    };
    if let Some(sum) = sum() {
        return fit(sum, scale.into(), to);
    }
    let (wide_a, wide_b) = (
        Wide::product(a.unsigned_abs(), up[0]),
        Wide::product(b.unsigned_abs(), up[1]),
    );
    let (negative, magnitude) = match ((a < 0) == (b < 0), wide_a >= wide_b) {
        (true, _) => (a < 0, wide_a.plus(wide_b)),
        (false, true) => (a < 0, wide_a.minus(wide_b)),
        (false, false) => (b < 0, wide_b.minus(wide_a)),
    };
    fit_wide(magnitude, negative, scale.into(), to)
}

/// The product of two values of the scales `from`.
#[inline]
pub fn multiply(a: i128, b: i128, from: [u8; 2], to: Digits) -> Option<i128> {
    let scale = i32::from(from[0]) + i32::from(from[1]);
    match a.checked_mul(b) {
        Some(product) => fit(product, scale, to),
        None => {
            let product = Wide::product(a.unsigned_abs(), b.unsigned_abs());
            fit_wide(product, (a < 0) != (b < 0), scale, to)
        }
    }
}

/// The quotient of two values of the scales `from`; `b` is not 0. It is rounded twice, as Flink
/// does: to 38 digits first.
#[inline]
pub fn divide(a: i128, b: i128, from: [u8; 2], to: Digits) -> Option<i128> {
    let negative = (a < 0) != (b < 0);
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    // In one step where 38 digits tell below half from half: the nearest that a remainder comes to
    // half is 1 / 2b.
    let more = i32::from(to.scale) + i32::from(from[1]) - i32::from(from[0]);
    if let Ok(more @ 0..=38) = u32::try_from(more)
        && let Some(a) = a.checked_mul(ten_to(more))
    {
        let (quotient, rest) = (a / b, a % b);
        if digits(quotient) + digits(b) <= 38 {
            let quotient = quotient + u128::from(rest >= b - rest);
            return fit(signed(negative, quotient)?, to.scale.into(), to);
        }
    }
    let shift = (38 + digits(b)).saturating_sub(digits(a));
    let (quotient, rest) = Wide::product_of_powers(a, shift).over(b);
    let scale = shift as i32 + i32::from(from[0]) - i32::from(from[1]);
    // 38 digits, or 39.
    match quotient.below_ten_to_38() {
        Some(quotient) => {
            let quotient = quotient + u128::from(rest >= b - rest);
            fit(signed(negative, quotient)?, scale, to)
        }
        None => {
            let quotient = quotient.rounded_off(1).below_ten_to_38()?;
            fit(signed(negative, quotient)?, scale - 1, to)
        }
    }
}

/// What is left of `a` when `b`, which is not 0, is taken off it as often as possible; it has the
/// sign of `a`. An `Err` if that is more than 10^38 times.
#[inline]
pub fn remainder(
    a: i128,
    b: i128,
    from: [u8; 2],
    to: Digits,
) -> Result<Option<i128>, TooManyTimes> {
    let (magnitude, divisor) = (a.unsigned_abs(), b.unsigned_abs());
    let scale = from[0].max(from[1]);
    let up = from.map(|own| u32::from(scale - own));
    let rest = match divisor.checked_mul(ten_to(up[1])) {
        Some(divisor) => match magnitude.checked_mul(ten_to(up[0])) {
            Some(magnitude) => magnitude % divisor,
            None => {
                let (times, rest) = Wide::product(magnitude, ten_to(up[0])).over(divisor);
                times.below_ten_to_38().ok_or(TooManyTimes)?;
                rest
            }
        },
        // Larger than any value of that scale.
        None => magnitude,
    };
    let rest = signed(a < 0, rest);
    Ok(rest.and_then(|rest| fit(rest, scale.into(), to)))
}

/// A quotient of more digits than a DECIMAL has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyTimes;

/// The order of two values of the scales `from`, exactly.
#[inline]
pub fn compare(a: i128, b: i128, from: [u8; 2]) -> Ordering {
    let scale = from[0].max(from[1]);
    let up = from.map(|own| ten_to((scale - own).into()));
    match (a.checked_mul(up[0] as i128), b.checked_mul(up[1] as i128)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // The one that does not fit is the larger by far.
        (None, _) => a.cmp(&0),
        (_, None) => 0.cmp(&b),
    }
}

/// The largest whole number that is not above a value.
pub fn floor(value: i128, scale: u8) -> i128 {
    value.div_euclid(ten_to(scale.into()) as i128)
}

/// The smallest whole number that is not below a value.
pub fn ceil(value: i128, scale: u8) -> i128 {
    -floor(-value, scale)
}

/// Without what stands behind the point.
pub fn truncate(value: i128, scale: u8) -> i128 {
    cut_off(value, scale.into())
}

/// As a DOUBLE. Up to 18 digits Flink divides two DOUBLEs; above, it is the nearest.
pub fn to_f64(value: i128, from: Digits) -> f64 {
    if from.precision <= 18 {
        return value as f64 / ten_to(from.scale.into()) as f64;
    }
    let mut buffer = [0u8; 48];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{value}e-{}", from.scale).map(|()| 48 - rest.len());
    let text = written
        .ok()
        .and_then(|len| std::str::from_utf8(&buffer[..len]).ok());
    text.and_then(|text| text.parse().ok())
        .expect("40 digits with an exponent are a number")
}

/// The number that a DOUBLE is written as, rounded to a shape. An `Err` if it is not finite.
pub fn from_f64(value: f64, to: Digits) -> Result<Option<i128>, NotFinite> {
    let shortest = Shortest::of_f64(value).ok_or(NotFinite)?;
    let mantissa = shortest.mantissa();
    let scale = shortest.digits().len() as i32 - shortest.exponent;
    Ok(fit(mantissa, scale, to))
}

/// A DOUBLE that is no number, or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite;

/// Appends the digits, all those behind the point included: `-0.50`.
pub fn write(value: i128, scale: u8, text: &mut Vec<u8>) {
    if value < 0 {
        text.push(b'-');
    }
    let one = ten_to(scale.into());
    let (whole, fraction) = (value.unsigned_abs() / one, value.unsigned_abs() % one);
    // Writing into a Vec cannot fail.
    let _ = match scale {
        0 => write!(text, "{whole}"),
        _ => write!(text, "{whole}.{fraction:0width$}", width = scale.into()),
    };
}

/// A number as text, `-12.5`, `1e3`, with blanks around it, rounded to a shape. `None` if it is no
/// number or does not fit.
pub fn parse(text: &[u8], to: Digits) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.trim_matches([' ', '\n', '\t']);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let negative = number.starts_with('-');
    let number = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut scale = i32::try_from(fraction.len()).ok()?.saturating_sub(exponent);
    let mut magnitude = 0u128;
    let mut rest = digits();
    // More digits than a DECIMAL has are cut off; only the first of them can still round it.
    for digit in rest.by_ref() {
        magnitude = magnitude * 10 + u128::from(digit - b'0');
        if magnitude >= ten_to(37) {
            break;
        }
    }
    let cut = rest.clone().count();
    scale = scale.saturating_sub(i32::try_from(cut).ok()?);
    if scale == i32::from(to.scale) && rest.next().is_some_and(|digit| digit >= b'5') {
        magnitude += 1;
    }
    fit(signed(negative, magnitude)?, scale, to)
}

/// How many digits a number has; 0 has one.
fn digits(magnitude: u128) -> u32 {
    magnitude.checked_ilog10().unwrap_or(0) + 1
}

/// A sum or a product as a value of a shape, whose scale is that or a smaller one.
fn fit_wide(wide: Wide, negative: bool, scale: i32, to: Digits) -> Option<i128> {
    let k = scale - i32::from(to.scale);
    let rounded = match k {
        0 => wide,
        _ => wide.rounded_off(k.unsigned_abs()),
    };
    let value = signed(negative, rounded.below_ten_to_38()?)?;
    fit(value, to.scale.into(), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(precision: u8, scale: u8) -> Digits {
        Digits { precision, scale }
    }

    #[test]
    fn a_number_far_out_of_range_does_not_fit() {
        assert_eq!(fit(1, -i32::MAX, digits(10, 2)), None);
        assert_eq!(fit(1, i32::MAX, digits(10, 2)), Some(0));
    }

    #[test]
    fn sums_and_products_pass_128_bits() {
        let nines = 10i128.pow(38) - 1;
        assert_eq!(add(nines, nines, [0, 38], digits(38, 6)), None);
        assert_eq!(
            add(10i128.pow(30), 5, [0, 38], digits(38, 6)),
            Some(10i128.pow(36))
        );
        assert_eq!(add(nines, -nines, [10, 10], digits(38, 9)), Some(0));
        // 0.999... * 0.999... = 0.999...8 000...1
        assert_eq!(
            multiply(nines, nines, [38, 38], digits(38, 37)),
            Some(10i128.pow(37))
        );
        assert_eq!(
            multiply(nines, -2, [38, 0], digits(38, 37)),
            Some(-2 * 10i128.pow(37))
        );
    }

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        assert_eq!(divide(1, 3, [0, 0], digits(38, 6)), Some(333_333));
        assert_eq!(divide(2, -3, [0, 0], digits(38, 6)), Some(-666_667));
        assert_eq!(divide(1, 2, [0, 0], digits(38, 0)), Some(1));
        let large = 10i128.pow(37);
        assert_eq!(divide(large, 3, [37, 0], digits(38, 37)), Some(large / 3));
        assert_eq!(divide(large, 7 * large, [0, 37], digits(38, 6)), None);
        assert_eq!(divide(7 * large, large, [37, 0], digits(38, 37)), Some(7));
    }

    #[test]
    fn orders_and_remainders_of_any_scale_are_exact() {
        let nines = 10i128.pow(38) - 1;
        assert_eq!(compare(nines, 1, [0, 38]), Ordering::Greater);
        assert_eq!(compare(-1, nines, [38, 0]), Ordering::Less);
        assert_eq!(compare(150, 15, [2, 1]), Ordering::Equal);
        assert_eq!(remainder(-75, 2, [1, 0], digits(38, 1)), Ok(Some(-15)));
        assert_eq!(
            remainder(nines, 7, [0, 38], digits(38, 38)),
            Err(TooManyTimes)
        );
    }

    #[test]
    fn texts_are_read_with_blanks_signs_and_exponents() {
        let to = digits(10, 2);
        let known = [
            (" 12.345\n", Some(1235)),
            ("-.5", Some(-50)),
            ("+5.", Some(500)),
            ("1e3", Some(100_000)),
            ("1E-1", Some(10)),
            ("1e-99", Some(0)),
            ("0e99", Some(0)),
            ("123456789", None),
            ("", None),
            (".", None),
            ("1e", None),
            ("1.2.3", None),
            ("--1", None),
        ];
        for (text, expected) in known {
            assert_eq!(parse(text.as_bytes(), to), expected, "{text}");
        }
        let long = "0.12345678901234567890123456789012345678501";
        let rounded = 12_345_678_901_234_567_890_123_456_789_012_345_679;
        assert_eq!(parse(long.as_bytes(), digits(38, 38)), Some(rounded));
    }
}
