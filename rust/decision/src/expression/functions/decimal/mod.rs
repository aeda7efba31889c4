//! DECIMAL: what operators and functions do with it. The types of results are Flink's: those of
//! SQL Server, where digits behind the point give way, down to six, when 38 are not enough.

pub mod number;
mod wide;

use std::cmp::Ordering;

use pelton_data::DataType;
use pelton_data::columns::Native;
use pelton_data::report::{Diagnostic, Span};

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::Typed;
use super::cast::{cast, unreadable};
use super::kernel::{for_rows, map_text, map1, map2, write_text};
pub use number::Digits;
use number::{MAX_PRECISION, NotFinite, TooManyTimes};

/// `+ - * / %` of exact numbers, one of them a DECIMAL.
pub(super) struct Operator {
    kernel: Kernel,
    result: fn(Digits, Digits) -> Digits,
    fallible: bool,
}

pub(super) const SUM: Operator = Operator {
    kernel: |f, c| map_decimals(f, c, |a, b, from, to| Ok(number::add(a, b, from, to))),
    result: sum_digits,
    fallible: false,
};

pub(super) const DIFFERENCE: Operator = Operator {
    kernel: |f, c| map_decimals(f, c, |a, b, from, to| Ok(number::add(a, -b, from, to))),
    result: sum_digits,
    fallible: false,
};

pub(super) const PRODUCT: Operator = Operator {
    kernel: |f, c| map_decimals(f, c, |a, b, from, to| Ok(number::multiply(a, b, from, to))),
    result: |a, b| {
        let scale = a.scale + b.scale;
        adjusted(a.precision + b.precision + 1, scale)
    },
    fallible: false,
};

pub(super) const QUOTIENT: Operator = Operator {
    kernel: |f, c| {
        map_decimals(f, c, |a, b, from, to| match b {
            0 => Err(Failure::failed("division by zero")),
            _ => Ok(number::divide(a, b, from, to)),
        })
    },
    result: |a, b| {
        let scale = (a.scale + b.precision + 1).max(6);
        adjusted(a.precision - a.scale + b.scale + scale, scale)
    },
    fallible: true,
};

const REMAINDER: Operator = Operator {
    kernel: |f, c| {
        map_decimals(f, c, |a, b, from, to| match b {
            0 => Err(Failure::failed("division by zero")),
            _ => number::remainder(a, b, from, to).map_err(|TooManyTimes| {
                Failure::failed("a remainder whose quotient has more than 38 digits")
            }),
        })
    },
    result: |a, b| {
        let scale = a.scale.max(b.scale);
        let whole = (a.precision - a.scale).min(b.precision - b.scale);
        adjusted(whole + scale, scale)
    },
    fallible: true,
};

fn sum_digits(a: Digits, b: Digits) -> Digits {
    let scale = a.scale.max(b.scale);
    let whole = (a.precision - a.scale).max(b.precision - b.scale);
    adjusted(whole + scale + 1, scale)
}

/// Of more than 38 digits those behind the point are dropped, down to six.
fn adjusted(precision: u8, scale: u8) -> Digits {
    if precision <= MAX_PRECISION {
        return Digits { precision, scale };
    }
    let whole = precision - scale;
    let scale = MAX_PRECISION.saturating_sub(whole).max(scale.min(6));
    Digits {
        precision: MAX_PRECISION,
        scale,
    }
}

/// The operator's call; integers count as DECIMALs of their width.
pub(super) fn binary(
    operator: &Operator,
    a: Typed,
    b: Typed,
    span: Span,
) -> Result<Typed, Diagnostic> {
    let (a, b) = (exact(a)?, exact(b)?);
    let digits = [&a, &b].map(|arg| Digits::of(&arg.data_type).expect("it was made a DECIMAL"));
    let to = (operator.result)(digits[0], digits[1]);
    let from = digits.map(|digits| digits.scale);
    let call = Typed::call(to.data_type(), span, operator.kernel, vec![a, b]);
    let call = may_overflow(call).with_parameter(pack(from, to));
    Ok(if operator.fallible {
        call.fallible()
    } else {
        call
    })
}

/// The remainder of exact numbers; of whole ones it has the type of the divisor.
pub(super) fn remainder(a: Typed, b: Typed, span: Span) -> Result<Typed, Diagnostic> {
    let divisor = Digits::of(&b.data_type).filter(|digits| digits.scale == 0);
    let whole = Digits::of(&a.data_type).is_some_and(|digits| digits.scale == 0);
    let rest = binary(&REMAINDER, a, b, span)?;
    match divisor {
        Some(divisor) if whole => cast(rest, &divisor.data_type()),
        _ => Ok(rest),
    }
}

/// An exact number as a DECIMAL.
fn exact(value: Typed) -> Result<Typed, Diagnostic> {
    let digits = Digits::of(&value.data_type).expect("called for exact numbers");
    cast(value, &digits.data_type())
}

/// NULL may come of what is not.
fn may_overflow(call: Typed) -> Typed {
    Typed {
        nullable: true,
        ..call
    }
}

impl Digits {
    /// Of a DECIMAL; of an integer those that it takes as one.
    pub fn of(data_type: &DataType) -> Option<Digits> {
        let (precision, scale) = match data_type {
            DataType::Decimal { precision, scale } => (*precision, *scale),
            DataType::TinyInt => (3, 0),
            DataType::SmallInt => (5, 0),
            DataType::Int => (10, 0),
            DataType::BigInt => (19, 0),
            _ => return None,
        };
        Some(Digits { precision, scale })
    }

    pub fn data_type(self) -> DataType {
        let Digits { precision, scale } = self;
        DataType::Decimal { precision, scale }
    }

    /// Digits that hold both: behind the point as many as the whole parts leave room for.
    pub fn common(self, other: Digits) -> Digits {
        let whole = (self.precision - self.scale).max(other.precision - other.scale);
        let scale = self.scale.max(other.scale).min(MAX_PRECISION - whole);
        Digits {
            precision: whole + scale,
            scale,
        }
    }
}

/// The scales of the arguments and the shape of the result, as a call's parameter.
fn pack(from: [u8; 2], to: Digits) -> i64 {
    i64::from_le_bytes([from[0], from[1], to.precision, to.scale, 0, 0, 0, 0])
}

fn unpack(parameter: i64) -> ([u8; 2], Digits) {
    let [a, b, precision, scale, ..] = parameter.to_le_bytes();
    ([a, b], Digits { precision, scale })
}

#[inline(always)]
fn map_decimals(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(i128, i128, [u8; 2], Digits) -> Result<Option<i128>, Failure>,
) -> Result<(), Failure> {
    let [a, b, _] = call.args;
    let (from, to) = unpack(call.parameter);
    for_rows(frame, call, |columns, row| {
        let value = match (columns.value(a, row), columns.value(b, row)) {
            (Some(a), Some(b)) => f(a, b, from, to)?,
            _ => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// A function of one DECIMAL.
fn unary(value: Typed, to: Digits, span: Span, kernel: Kernel) -> Typed {
    let scale = Digits::of(&value.data_type).map_or(0, |digits| digits.scale);
    let call = Typed::call(to.data_type(), span, kernel, vec![value]);
    may_overflow(call).with_parameter(pack([scale, 0], to))
}

#[inline(always)]
fn map_decimal(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(i128, u8, Digits) -> Option<i128>,
) -> Result<(), Failure> {
    let [a, ..] = call.args;
    let ([scale, _], to) = unpack(call.parameter);
    for_rows(frame, call, |columns, row| {
        let value = columns.value(a, row).and_then(|value| f(value, scale, to));
        columns.put(call.out, row, value);
        Ok(())
    })
}

pub(super) const NEGATE: Kernel = |f, c| map1(f, c, |value: i128| -value);

pub(super) const ABSOLUTE: Kernel = |f, c| map1(f, c, i128::abs);

/// FLOOR and CEIL: whole numbers of as many digits.
pub(super) fn whole(value: Typed, digits: Digits, span: Span, up: bool) -> Typed {
    let kernel: Kernel = match up {
        false => |f, c| map_decimal(f, c, |value, scale, _| Some(number::floor(value, scale))),
        true => |f, c| map_decimal(f, c, |value, scale, _| Some(number::ceil(value, scale))),
    };
    unary(value, Digits { scale: 0, ..digits }, span, kernel)
}

/// ROUND to so many digits behind the point; a negative number of them counts before it.
pub(super) fn round(value: Typed, digits: Digits, places: i32, span: Span) -> Typed {
    at_places(value, digits, places, span, |f, c| {
        map_places(f, c, number::round_off)
    })
}

/// TRUNCATE: the digits behind that place are dropped.
pub(super) fn truncate(value: Typed, digits: Digits, places: i32, span: Span) -> Typed {
    at_places(value, digits, places, span, |f, c| {
        map_places(f, c, number::cut_off)
    })
}

/// Places that no DECIMAL has: all its digits are gone.
const BEFORE_ALL: i32 = -(MAX_PRECISION as i32) - 1;

fn at_places(value: Typed, digits: Digits, places: i32, span: Span, kernel: Kernel) -> Typed {
    if places >= i32::from(digits.scale) {
        return Typed { span, ..value };
    }
    let places = places.max(BEFORE_ALL);
    let scale = places.max(0) as u8;
    // A digit more, because of what rounds up.
    let precision = (1 + digits.precision - digits.scale + scale).min(MAX_PRECISION);
    let to = Digits { precision, scale };
    let call = Typed::call(to.data_type(), span, kernel, vec![value]);
    may_overflow(call).with_parameter(pack([digits.scale, places as i8 as u8], to))
}

/// `cut` takes the last `k` digits off a value; before the point, zeros come for them.
#[inline(always)]
fn map_places(
    frame: &mut Frame<'_>,
    call: &Call,
    cut: impl Fn(i128, u32) -> i128,
) -> Result<(), Failure> {
    let ([_, places], _) = unpack(call.parameter);
    let places = i32::from(places as i8);
    map_decimal(frame, call, |value, scale, to| {
        let k = (i32::from(scale) - places).unsigned_abs();
        number::fit(cut(value, k), places, to)
    })
}

/// SIGN: -1, 0 or 1 in the same type.
pub(super) fn sign(value: Typed, digits: Digits, span: Span) -> Typed {
    unary(value, digits, span, |f, c| {
        map_decimal(f, c, |value, _, to| number::fit(value.signum(), 0, to))
    })
}

/// The kernel of a CAST between a DECIMAL and another type that is no string, its parameter, and
/// whether it can fail.
pub(super) fn conversion(from: &DataType, to: &DataType) -> Option<(Kernel, i64, bool)> {
    use DataType::*;
    if let Decimal { precision, scale } = *to {
        let digits = Digits { precision, scale };
        let scale = Digits::of(from).map_or(0, |own| own.scale);
        let kernel: Kernel = match from {
            Boolean | TinyInt => |f, c| from_integer::<i8>(f, c),
            SmallInt => |f, c| from_integer::<i16>(f, c),
            Int => |f, c| from_integer::<i32>(f, c),
            BigInt => |f, c| from_integer::<i64>(f, c),
            Float => |f, c| from_float::<f32>(f, c),
            Double => |f, c| from_float::<f64>(f, c),
            Decimal { .. } => |f, c| map_decimal(f, c, |a, own, to| number::fit(a, own.into(), to)),
            _ => return None,
        };
        return Some((kernel, pack([scale, 0], digits), from.is_approximate()));
    }
    let Decimal { precision, scale } = *from else {
        return None;
    };
    let digits = Digits { precision, scale };
    let kernel: Kernel = match to {
        // As Java narrows: upper bits are dropped.
        Boolean => |f, c| map_out(f, c, |a, _| i8::from(a != 0)),
        TinyInt => |f, c| map_out(f, c, |a, own| number::truncate(a, own.scale) as i8),
        SmallInt => |f, c| map_out(f, c, |a, own| number::truncate(a, own.scale) as i16),
        Int => |f, c| map_out(f, c, |a, own| number::truncate(a, own.scale) as i32),
        BigInt => |f, c| map_out(f, c, |a, own| number::truncate(a, own.scale) as i64),
        Float => |f, c| map_out(f, c, |a, own| number::to_f64(a, own) as f32),
        Double => |f, c| map_out(f, c, number::to_f64),
        _ => return None,
    };
    Some((kernel, pack([0, 0], digits), false))
}

/// The CAST of a [`conversion`].
pub(super) fn converted(
    value: Typed,
    to: &DataType,
    (kernel, parameter, fallible): (Kernel, i64, bool),
) -> Typed {
    let call = Typed::call(to.clone(), value.span.clone(), kernel, vec![value]);
    let nullable = call.nullable || Digits::of(to).is_some();
    let call = Typed { nullable, ..call }.with_parameter(parameter);
    if fallible { call.fallible() } else { call }
}

fn from_integer<T: Native + Into<i64>>(f: &mut Frame<'_>, c: &Call) -> Result<(), Failure> {
    let ([..], to) = unpack(c.parameter);
    map_in(f, c, |a: T| Ok(number::fit(i128::from(a.into()), 0, to)))
}

fn from_float<T: Native + Into<f64>>(f: &mut Frame<'_>, c: &Call) -> Result<(), Failure> {
    let ([..], to) = unpack(c.parameter);
    map_in(f, c, |a: T| {
        number::from_f64(a.into(), to)
            .map_err(|NotFinite| Failure::failed("a number that is not finite is no DECIMAL"))
    })
}

/// A DECIMAL of a value that is not NULL.
#[inline(always)]
fn map_in<A: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A) -> Result<Option<i128>, Failure>,
) -> Result<(), Failure> {
    let [a, ..] = call.args;
    for_rows(frame, call, |columns, row| {
        let value = match columns.value(a, row) {
            Some(value) => f(value)?,
            None => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// Another value of a DECIMAL and its digits.
#[inline(always)]
fn map_out<R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(i128, Digits) -> R,
) -> Result<(), Failure> {
    let ([..], own) = unpack(call.parameter);
    map1(frame, call, |value: i128| f(value, own))
}

/// The kernel of `CAST(decimal AS STRING)`; its parameter is the scale.
pub(super) const WRITE: Kernel = |f, c| {
    write_text(f, c, |_, value: i128, scale, text| {
        number::write(value, scale as u8, text);
        Ok(())
    })
};

/// The kernel of `CAST(text AS DECIMAL)`, and its parameter.
pub(super) fn read(to: Digits) -> (Kernel, i64) {
    let kernel: Kernel = |f, c| {
        map_text(f, c, |text, parameter| {
            let ([..], to) = unpack(parameter);
            number::parse(text, to).ok_or_else(|| unreadable(text, &to.data_type().to_string()))
        })
    };
    (kernel, pack([0, 0], to))
}

/// The parameter of a comparison of two DECIMALs.
pub(super) fn scales(a: Digits, b: Digits) -> i64 {
    pack([a.scale, b.scale], a)
}

/// TRUE where the order of two DECIMALs is one that `holds`.
#[inline(always)]
pub(super) fn map_order(
    frame: &mut Frame<'_>,
    call: &Call,
    holds: impl Fn(Ordering) -> bool,
) -> Result<(), Failure> {
    let (from, _) = unpack(call.parameter);
    map2(frame, call, |a: i128, b: i128| {
        i8::from(holds(number::compare(a, b, from)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{instructions, typed, value};

    #[test]
    fn results_have_the_digits_of_flink() {
        let known = [
            ("0.5", "DECIMAL(2, 1) 5"),
            (".5", "DECIMAL(1, 1) 5"),
            ("00.50", "DECIMAL(4, 2) 50"),
            ("-0.5", "DECIMAL(2, 1) -5"),
            ("i + 0.5", "DECIMAL(12, 1) 75"),
            ("0.5 - i", "DECIMAL(12, 1) -65"),
            ("1.5 * i", "DECIMAL(13, 1) 105"),
            ("i / 2.0", "DECIMAL(17, 6) 3500000"),
            ("1.0 / 3", "DECIMAL(13, 12) 333333333333"),
            ("-i / 3.0", "DECIMAL(17, 6) -2333333"),
            ("b % CAST(7 AS DECIMAL(20, 0))", "DECIMAL(20, 0) 0"),
            ("CAST(i AS DECIMAL(20, 0)) % ti", "TINYINT 7"),
            ("d * 0.5", "DOUBLE -1.25"),
            ("f + 0.5", "DOUBLE 2.0"),
            ("i / 0.0", "error: division by zero"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_constant_beside_a_double_is_one() {
        assert_eq!(instructions("d * 0.5"), 1);
        assert_eq!(instructions("d > 0.5"), 1);
        assert_eq!(instructions("i > 0.5"), 1);
    }

    #[test]
    fn what_does_not_fit_is_null() {
        let known = [
            ("CAST(i AS DECIMAL(2, 1))", "DECIMAL(2, 1) 70"),
            ("CAST(b AS DECIMAL(10, 2))", "DECIMAL(10, 2) NULL"),
            (
                "CAST(b AS DECIMAL(38, 0)) * CAST(b AS DECIMAL(38, 0)) * b",
                "DECIMAL(38, 0) NULL",
            ),
            ("CAST('12.345' AS DECIMAL(10, 2))", "DECIMAL(10, 2) 1235"),
            ("CAST('1e3' AS DECIMAL(10, 2))", "DECIMAL(10, 2) 100000"),
            (
                "CAST('123456' AS DECIMAL(5, 2))",
                "error: '123456' cannot be cast to DECIMAL(5, 2)",
            ),
            (
                "CAST(nan AS DECIMAL(5, 2))",
                "error: a number that is not finite is no DECIMAL",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn roundings_and_casts_are_those_of_flink() {
        let known = [
            ("FLOOR(-0.5)", "DECIMAL(2, 0) -1"),
            ("CEIL(-0.5)", "DECIMAL(2, 0) 0"),
            ("ROUND(2.5)", "DECIMAL(2, 0) 3"),
            ("ROUND(-2.45, 1)", "DECIMAL(3, 1) -25"),
            ("ROUND(149.5, -2)", "DECIMAL(4, 0) 100"),
            ("ABS(-0.5)", "DECIMAL(2, 1) 5"),
            ("SIGN(-0.50)", "DECIMAL(3, 2) -100"),
            ("TRUNCATE(-2.49, 1)", "DECIMAL(3, 1) -24"),
            ("TRUNCATE(199.5, -2)", "DECIMAL(4, 0) 100"),
            ("CAST(1.5 * i AS STRING)", "STRING '10.5'"),
            ("CAST(-0.05 AS STRING)", "STRING '-0.05'"),
            ("CAST(300.7 AS TINYINT)", "TINYINT 44"),
            ("CAST(0.0 AS BOOLEAN)", "BOOLEAN 0"),
            ("CAST(1.5e0 AS DECIMAL(10, 2))", "DECIMAL(10, 2) 150"),
            ("1.50 = 1.5", "BOOLEAN 1"),
            ("i * 0.5 > 3.49", "BOOLEAN 1"),
            ("i * 0.5 IN (3.500, 1)", "BOOLEAN 1"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
        let refused = typed("9223372036854775806.5").unwrap_err();
        assert!(refused.contains("is out of range"), "{refused}");
    }
}
