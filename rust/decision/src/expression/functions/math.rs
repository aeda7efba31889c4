//! ABS FLOOR CEIL ROUND TRUNCATE SIGN EXP.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Native};
use pelton_data::report::Diagnostic;

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed};
use super::cast::cast;
use super::decimal::{self, Digits};
use super::kernel::{map1, try_map1};
use super::number_text::Shortest;
use super::{Args, Function, function, temporal};

pub(super) const FUNCTIONS: &[Function] = &[
    function("ABS", "ABS(number)", abs),
    function(
        "FLOOR",
        "FLOOR(number) or FLOOR(timestamp TO unit)",
        |args| floor(args, false),
    ),
    function("CEIL", "CEIL(number) or CEIL(timestamp TO unit)", |args| {
        floor(args, true)
    }),
    function(
        "CEILING",
        "CEILING(number) or CEILING(timestamp TO unit)",
        |args| floor(args, true),
    ),
    function("ROUND", "ROUND(number) or ROUND(number, digits)", round),
    function("EXP", "EXP(number)", exponential),
    function("SIGN", "SIGN(number)", sign),
    function(
        "TRUNCATE",
        "TRUNCATE(number) or TRUNCATE(number, digits)",
        truncate,
    ),
];

/// The lowest integer is its own absolute value, as in Java.
fn abs(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    let kernel: Kernel = match a.data_type {
        DataType::TinyInt => |frame, call| map1(frame, call, i8::wrapping_abs),
        DataType::SmallInt => |frame, call| map1(frame, call, i16::wrapping_abs),
        DataType::Int => |frame, call| map1(frame, call, i32::wrapping_abs),
        DataType::BigInt => |frame, call| map1(frame, call, i64::wrapping_abs),
        DataType::Float => |frame, call| map1(frame, call, f32::abs),
        DataType::Double => |frame, call| map1(frame, call, f64::abs),
        DataType::Decimal { .. } => decimal::ABSOLUTE,
        _ => return Err(mismatch),
    };
    Ok(Typed::call(a.data_type.clone(), span, kernel, vec![a]))
}

fn floor(args: Args<'_>, up: bool) -> Result<Typed, Diagnostic> {
    if args.values.len() == 2 {
        return temporal::round_to(args, up);
    }
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    let kernel: Kernel = match (&a.data_type, up) {
        (DataType::Float, false) => |frame, call| map1(frame, call, f32::floor),
        (DataType::Float, true) => |frame, call| map1(frame, call, f32::ceil),
        (DataType::Double, false) => |frame, call| map1(frame, call, f64::floor),
        (DataType::Double, true) => |frame, call| map1(frame, call, f64::ceil),
        (DataType::Decimal { precision, scale }, _) => {
            let (precision, scale) = (*precision, *scale);
            return Ok(decimal::whole(a, Digits { precision, scale }, span, up));
        }
        (integer, _) if integer.is_integer() => return Ok(Typed { span, ..a }),
        _ => return Err(mismatch),
    };
    Ok(Typed::call(a.data_type.clone(), span, kernel, vec![a]))
}

/// Half away from zero, on the decimal digits of the number as Java writes it.
fn round(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let (a, digits) = with_digits(args)?;
    if let DataType::Decimal { precision, scale } = a.data_type {
        let own = Digits { precision, scale };
        return Ok(decimal::round(a, own, digits, span));
    }
    let kernel: Kernel = match a.data_type {
        DataType::TinyInt => |f, c| round_integers(f, c, |a: i8| a.into(), |a| a as i8),
        DataType::SmallInt => |f, c| round_integers(f, c, |a: i16| a.into(), |a| a as i16),
        DataType::Int => |f, c| round_integers(f, c, |a: i32| a.into(), |a| a as i32),
        DataType::BigInt => |f, c| round_integers(f, c, |a: i64| a.into(), |a| a as i64),
        DataType::Float => {
            |f, c| try_map1(f, c, |a: f32, digits| round_float::<f32>(a.into(), digits))
        }
        DataType::Double => |f, c| try_map1(f, c, |a: f64, digits| round_float::<f64>(a, digits)),
        _ => return Err(mismatch),
    };
    let fallible = a.data_type.is_approximate();
    let call = Typed::call(a.data_type.clone(), span, kernel, vec![a]);
    let call = call.with_parameter(i64::from(digits));
    Ok(if fallible { call.fallible() } else { call })
}

/// A number, and how many digits of it stay behind the point.
fn with_digits(args: Args<'_>) -> Result<(Typed, i32), Diagnostic> {
    let mismatch = args.mismatch();
    if args.values.len() != 2 {
        let [a] = args.exactly()?;
        return Ok((a, 0));
    }
    let [a, digits] = args.exactly()?;
    match digits.node {
        Node::Literal(Literal::I32(digits)) => Ok((a, digits)),
        _ => Err(mismatch.help("the digits are an INT literal")),
    }
}

fn sign(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    let kernel: Kernel = match a.data_type {
        DataType::Int => |frame, call| map1(frame, call, i32::signum),
        DataType::BigInt => |frame, call| map1(frame, call, i64::signum),
        // Of zero, Java's is that zero.
        DataType::Float => {
            |frame, call| map1(frame, call, |x: f32| if x == 0.0 { x } else { x.signum() })
        }
        DataType::Double => {
            |frame, call| map1(frame, call, |x: f64| if x == 0.0 { x } else { x.signum() })
        }
        DataType::Decimal { precision, scale } => {
            return Ok(decimal::sign(a, Digits { precision, scale }, span));
        }
        _ => return Err(mismatch.help(SMALL_INTEGERS)),
    };
    Ok(Typed::call(a.data_type.clone(), span, kernel, vec![a]))
}

const SMALL_INTEGERS: &str = "on a TINYINT or SMALLINT Flink fails: write CAST(... AS INT)";

/// Towards zero. Floats are brought to 18 digits behind the point first, as Flink does: what has
/// more than 20 before it is an error.
fn truncate(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let (a, digits) = with_digits(args)?;
    if let DataType::Decimal { precision, scale } = a.data_type {
        let own = Digits { precision, scale };
        return Ok(decimal::truncate(a, own, digits, span));
    }
    if !(-18..=18).contains(&digits) {
        return Err(mismatch.help("the digits are -18 to 18"));
    }
    let kernel: Kernel = match a.data_type {
        DataType::Int => |f, c| try_map1(f, c, |a: i32, digits| Ok(cut(a.into(), digits) as i32)),
        DataType::BigInt => |f, c| try_map1(f, c, |a: i64, digits| Ok(cut(a, digits))),
        DataType::Float => |f, c| {
            try_map1(f, c, |a: f32, digits| {
                Ok(truncate_float(a.into(), digits)? as f32)
            })
        },
        DataType::Double => |f, c| try_map1(f, c, truncate_float),
        _ => return Err(mismatch.help(SMALL_INTEGERS)),
    };
    let fallible = a.data_type.is_approximate();
    let call = Typed::call(a.data_type.clone(), span, kernel, vec![a]);
    let call = call.with_parameter(i64::from(digits));
    Ok(if fallible { call.fallible() } else { call })
}

fn cut(value: i64, digits: i64) -> i64 {
    let unit = 10i64.pow(digits.min(0).unsigned_abs() as u32);
    value / unit * unit
}

fn truncate_float(value: f64, digits: i64) -> Result<f64, Failure> {
    const SCALE: i64 = 18;
    let too_large = || Failure::failed("TRUNCATE of a number that is not finite or beyond 1E20");
    let shortest = Shortest::of_f64(value).ok_or_else(too_large)?;
    let mut mantissa = 0i128;
    for digit in shortest.digits() {
        mantissa = mantissa * 10 + i128::from(digit - b'0');
    }
    // The value is mantissa * 10^exponent; as an integer of SCALE digits behind the point:
    let exponent = i64::from(shortest.exponent) - shortest.digits().len() as i64;
    let unscaled = match exponent + SCALE {
        more @ 0..=37 => mantissa
            .checked_mul(10i128.pow(more as u32))
            .ok_or_else(too_large)?,
        38.. if mantissa == 0 => 0,
        38.. => return Err(too_large()),
        less @ -37..0 => {
            let unit = 10i128.pow(less.unsigned_abs() as u32);
            (mantissa + unit / 2) / unit
        }
        _ => 0,
    };
    if unscaled >= 10i128.pow(38) {
        return Err(too_large());
    }
    let unit = 10i128.pow((SCALE - digits) as u32);
    let cut = unscaled / unit * unit;
    read_scientific(if shortest.negative { -cut } else { cut }, -SCALE)
}

/// What does not fit wraps around, as in Java.
fn round_integers<T: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    widen: fn(T) -> i128,
    narrow: fn(i128) -> T,
) -> Result<(), Failure> {
    try_map1(frame, call, |value: T, digits| {
        if digits >= 0 {
            return Ok(value);
        }
        if digits < -20 {
            return Ok(T::default());
        }
        let unit = 10i128.pow(digits.unsigned_abs() as u32);
        let value = widen(value);
        let half = unit / 2 * value.signum();
        Ok(narrow((value + half) / unit * unit))
    })
}

fn round_float<T: Native + std::str::FromStr>(value: f64, digits: i64) -> Result<T, Failure> {
    let Some(shortest) = Shortest::of_f64(value) else {
        return Err(Failure::failed("ROUND of a number that is not finite"));
    };
    // Digits that stay, from the first.
    let kept = i64::from(shortest.exponent) + digits.clamp(-1000, 1000);
    let all = shortest.digits();
    if kept < 0 || all == b"0" {
        return Ok(T::default());
    }
    let kept = (kept as usize).min(all.len());
    let mut mantissa = 0i128;
    for digit in &all[..kept] {
        mantissa = mantissa * 10 + i128::from(digit - b'0');
    }
    mantissa += i128::from(all.get(kept).is_some_and(|next| *next >= b'5'));
    let mantissa = if shortest.negative {
        -mantissa
    } else {
        mantissa
    };
    read_scientific(mantissa, i64::from(shortest.exponent) - kept as i64)
}

/// `mantissa * 10^exponent`, nearest; read from text on the stack.
fn read_scientific<T: std::str::FromStr>(mantissa: i128, exponent: i64) -> Result<T, Failure> {
    use std::io::Write;
    let mut buffer = [0u8; 64];
    let mut rest = &mut buffer[..];
    let written = write!(rest, "{mantissa}e{exponent}").map(|()| 64 - rest.len());
    let text = written
        .ok()
        .and_then(|len| std::str::from_utf8(&buffer[..len]).ok());
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| Failure::failed("ROUND of a number that has no digits"))
}

fn exponential(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    if !a.data_type.is_numeric() {
        return Err(mismatch);
    }
    let kernel: Kernel = |frame, call| map1(frame, call, exp);
    let a = cast(a, &DataType::Double)?;
    Ok(Typed::call(DataType::Double, span, kernel, vec![a]))
}

/// e to the power of `x`, to less than one unit in the last place, with the same bits on every
/// CPU: sums and products in one order, no fused operations.
fn exp(x: f64) -> f64 {
    // ln 2 in two parts; the first has few enough bits that k times it is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    if x.is_nan() {
        return x;
    }
    if x > 709.782_712_893_384 {
        return f64::INFINITY;
    }
    if x < -745.133_219_101_941_2 {
        return 0.0;
    }
    // x = k ln 2 + r - error, |r| < 0.35
    let k = (x * std::f64::consts::LOG2_E).round();
    let high = x - k * LN2_HIGH;
    let low = k * LN2_LOW;
    let r = high - low;
    let error = (high - r) - low;
    // e^r = 1 + (r + r^2 (1/2 + r/6 + ...)); of 1/14! on, nothing reaches the last place.
    let mut series = 0.0;
    for n in (2..=13).rev() {
        series = series * r + RECIPROCAL_FACTORIALS[n];
    }
    let result = 1.0 + (r + (r * r * series + error + error * r));
    scale(result, k as i32)
}

/// 1 / n!
const RECIPROCAL_FACTORIALS: [f64; 14] = {
    let mut values = [1.0; 14];
    let mut factorial = 1.0;
    let mut n = 1;
    while n < 14 {
        factorial *= n as f64;
        values[n] = 1.0 / factorial;
        n += 1;
    }
    values
};

/// `value * 2^k`, in two steps, so that neither power is out of range.
fn scale(value: f64, k: i32) -> f64 {
    let power = |k: i32| f64::from_bits(((k + 1023) as u64) << 52);
    let half = k / 2;
    value * power(half) * power(k - half)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};
    use super::exp;

    #[test]
    fn roundings_are_those_of_flink() {
        let known = [
            ("ABS(ti)", "TINYINT -128"),
            ("ABS(d)", "DOUBLE 2.5"),
            ("FLOOR(d)", "DOUBLE -3.0"),
            ("CEIL(d)", "DOUBLE -2.0"),
            ("CEILING(f)", "FLOAT 2.0"),
            ("ROUND(d)", "DOUBLE -3.0"),
            ("ROUND(1.005e0, 2)", "DOUBLE 1.01"),
            ("ROUND(-0.4e0)", "DOUBLE 0.0"),
            ("ROUND(123456e0, -3)", "DOUBLE 123000.0"),
            ("ROUND(5e0, -1)", "DOUBLE 10.0"),
            ("ROUND(4e0, -1)", "DOUBLE 0.0"),
            ("ROUND(i, -1)", "INT 10"),
            ("ROUND(ti, -1)", "TINYINT 126"),
            ("ROUND(b, -1)", "BIGINT -9223372036854775806"),
            ("ROUND(nan)", "error: ROUND of a number that is not finite"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        let known = [
            ("SIGN(d)", "DOUBLE -1.0"),
            ("SIGN(-0e0)", "DOUBLE -0.0"),
            ("SIGN(nan)", "DOUBLE NaN"),
            ("SIGN(b)", "BIGINT 1"),
            ("TRUNCATE(d)", "DOUBLE -2.0"),
            ("TRUNCATE(1.999e0, 2)", "DOUBLE 1.99"),
            ("TRUNCATE(-0.5e0)", "DOUBLE 0.0"),
            ("TRUNCATE(f, 0)", "FLOAT 1.0"),
            ("TRUNCATE(123456e0, -3)", "DOUBLE 123000.0"),
            ("TRUNCATE(4.9e-324, 18)", "DOUBLE 0.0"),
            ("TRUNCATE(i, -1)", "INT 0"),
            ("TRUNCATE(b, -2)", "BIGINT 9223372036854775800"),
            (
                "TRUNCATE(1e20)",
                "error: TRUNCATE of a number that is not finite or beyond 1E20",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(
            typed("SIGN(ti)").unwrap_err(),
            "SIGN does not take (TINYINT)"
        );
        assert_eq!(
            typed("ROUND(d, i)").unwrap_err(),
            "ROUND does not take (DOUBLE, INT)"
        );
    }

    #[test]
    fn exp_is_within_one_unit_in_the_last_place() {
        for step in -7_000..7_100 {
            let x = f64::from(step) * 0.1003;
            let (ours, theirs) = (exp(x), x.exp());
            let apart = (ours.to_bits() as i64 - theirs.to_bits() as i64).abs();
            assert!(apart <= 1, "exp({x}) is {ours}, not {theirs}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(1.0), std::f64::consts::E);
        assert!(exp(f64::NAN).is_nan());
        assert!(exp(-745.1) > 0.0);
    }
}
