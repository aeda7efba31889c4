//! `+ - * / %` and signs. Integers wrap around as in Java; integer division by zero is an error.

use pelton_data::DataType;
use pelton_data::columns::Native;
use pelton_data::report::Diagnostic;

use super::super::ast::Decimal;
use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Typed, common_type, exact};
use super::cast::cast;
use super::decimal::{self, Digits};
use super::kernel::{map1, map2, try_map2};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("+", "number + number", sum),
    function("-", "number - number", difference),
    function("*", "number * number", product),
    function("/", "number / number", quotient),
    function("%", "integer % integer", remainder),
    function("MOD", "MOD(integer, integer)", remainder),
    function("unary -", "-number", negate),
    function("unary +", "+number", plus),
];

/// The kernels of a binary operator, by the type of its result.
struct Kernels {
    i8: Kernel,
    i16: Kernel,
    i32: Kernel,
    i64: Kernel,
    f32: Kernel,
    f64: Kernel,
    decimal: decimal::Operator,
    fallible: bool,
}

/// The same operation on all number types: wrapping on integers, IEEE 754 on floats.
macro_rules! kernels {
    ($wrapping:ident, $operator:tt, $decimal:expr) => {
        Kernels {
            i8: |frame, call| map2(frame, call, |a: i8, b: i8| a.$wrapping(b)),
            i16: |frame, call| map2(frame, call, |a: i16, b: i16| a.$wrapping(b)),
            i32: |frame, call| map2(frame, call, |a: i32, b: i32| a.$wrapping(b)),
            i64: |frame, call| map2(frame, call, |a: i64, b: i64| a.$wrapping(b)),
            f32: |frame, call| map2(frame, call, |a: f32, b: f32| a $operator b),
            f64: |frame, call| map2(frame, call, |a: f64, b: f64| a $operator b),
            decimal: $decimal,
            fallible: false,
        }
    };
}

fn sum(args: Args<'_>) -> Result<Typed, Diagnostic> {
    binary(args, kernels!(wrapping_add, +, decimal::SUM))
}

fn difference(args: Args<'_>) -> Result<Typed, Diagnostic> {
    binary(args, kernels!(wrapping_sub, -, decimal::DIFFERENCE))
}

fn product(args: Args<'_>) -> Result<Typed, Diagnostic> {
    binary(args, kernels!(wrapping_mul, *, decimal::PRODUCT))
}

fn quotient(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let kernels = Kernels {
        i8: |frame, call| divide(frame, call, i8::wrapping_div),
        i16: |frame, call| divide(frame, call, i16::wrapping_div),
        i32: |frame, call| divide(frame, call, i32::wrapping_div),
        i64: |frame, call| divide(frame, call, i64::wrapping_div),
        f32: |frame, call| map2(frame, call, |a: f32, b: f32| a / b),
        f64: |frame, call| map2(frame, call, |a: f64, b: f64| a / b),
        decimal: decimal::QUOTIENT,
        fallible: true,
    };
    binary(args, kernels)
}

fn divide<T: Native + PartialEq>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: fn(T, T) -> T,
) -> Result<(), Failure> {
    try_map2(frame, call, |a: T, b: T| match b == T::default() {
        true => Err(Failure::failed("division by zero")),
        false => Ok(f(a, b)),
    })
}

/// Both sides are brought to their common type, which is the result's; not those of DECIMALs.
fn binary(args: Args<'_>, kernels: Kernels) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a, b] = args.exactly()?;
    if !a.data_type.is_numeric() || !b.data_type.is_numeric() {
        return Err(mismatch);
    }
    let common = common_type(&[a.data_type.clone(), b.data_type.clone()]).ok_or(mismatch)?;
    if let DataType::Decimal { .. } = common {
        return decimal::binary(&kernels.decimal, a, b, span);
    }
    let kernel = match common {
        DataType::TinyInt => kernels.i8,
        DataType::SmallInt => kernels.i16,
        DataType::Int => kernels.i32,
        DataType::BigInt => kernels.i64,
        DataType::Float => kernels.f32,
        _ => kernels.f64,
    };
    let fallible = kernels.fallible && common.is_integer();
    let args = vec![cast(a, &common)?, cast(b, &common)?];
    let call = Typed::call(common, span, kernel, args);
    Ok(if fallible { call.fallible() } else { call })
}

/// The result has the type of the divisor, and the dividend is brought to it only afterwards: as
/// in Flink, `BIGINT % INT` is an INT.
fn remainder(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a, b] = args.exactly()?;
    let is_exact = |value: &Typed| Digits::of(&value.data_type).is_some();
    if !is_exact(&a) || !is_exact(&b) {
        return Err(mismatch.help("expected exact numbers, as in Flink; for others use CAST"));
    }
    let whole = |value: &Typed| Digits::of(&value.data_type).is_some_and(|d| d.scale == 0);
    if !b.data_type.is_integer() || !whole(&a) {
        return decimal::remainder(a, b, span);
    }
    let a = match a.data_type.is_integer() {
        true => a,
        false => cast(a, &DataType::BigInt)?,
    };
    let result = b.data_type.clone();
    let common = common_type(&[a.data_type.clone(), b.data_type.clone()]).ok_or(mismatch)?;
    let kernel: Kernel = match common {
        DataType::TinyInt => |frame, call| divide(frame, call, i8::wrapping_rem),
        DataType::SmallInt => |frame, call| divide(frame, call, i16::wrapping_rem),
        DataType::Int => |frame, call| divide(frame, call, i32::wrapping_rem),
        _ => |frame, call| divide(frame, call, i64::wrapping_rem),
    };
    let args = vec![cast(a, &common)?, cast(b, &common)?];
    cast(Typed::call(common, span, kernel, args).fallible(), &result)
}

fn negate(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    if let Some(decimal) = a.as_decimal() {
        let unscaled = -decimal.unscaled;
        return Ok(exact(
            Decimal {
                unscaled,
                ..decimal
            },
            span,
        ));
    }
    let kernel: Kernel = match a.data_type {
        DataType::TinyInt => |frame, call| map1(frame, call, i8::wrapping_neg),
        DataType::SmallInt => |frame, call| map1(frame, call, i16::wrapping_neg),
        DataType::Int => |frame, call| map1(frame, call, i32::wrapping_neg),
        DataType::BigInt => |frame, call| map1(frame, call, i64::wrapping_neg),
        DataType::Float => |frame, call| map1(frame, call, |a: f32| -a),
        DataType::Double => |frame, call| map1(frame, call, |a: f64| -a),
        DataType::Decimal { .. } => decimal::NEGATE,
        _ => return Err(mismatch),
    };
    Ok(Typed::call(a.data_type.clone(), span, kernel, vec![a]))
}

fn plus(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    match a.data_type.is_numeric() {
        true => Ok(Typed { span, ..a }),
        false => Err(mismatch),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn integers_wrap_around_and_floats_do_not_fail() {
        assert_eq!(value("b + 1"), "BIGINT -9223372036854775808");
        assert_eq!(value("-ti"), "TINYINT -128");
        assert_eq!(value("ti * ti"), "TINYINT 0");
        assert_eq!(value("ti / -1"), "INT 128");
        assert_eq!(value("d / 0"), "DOUBLE -inf");
        assert_eq!(value("-7 / 2"), "INT -3");
        assert_eq!(value("-7 % 3"), "INT -1");
        assert_eq!(value("i / 0"), "error: division by zero");
        assert_eq!(value("i % 0"), "error: division by zero");
    }

    #[test]
    fn results_have_the_types_of_flink() {
        let known = [
            ("i + b", "BIGINT 9223372036854775806"),
            ("b % i", "INT 0"),
            ("i % b", "BIGINT 7"),
            ("f * i", "FLOAT 10.5"),
            ("f + d", "FLOAT -1.0"),
            ("d + f", "DOUBLE -1.0"),
            ("f + 0.5", "DOUBLE 2.0"),
            ("- -2147483648 + 0", "INT -2147483648"),
            ("-9223372036854775808", "BIGINT -9223372036854775808"),
            ("1e3 + i", "DOUBLE 1007.0"),
        ];
        for (text, expected) in known {
            let expected = expected.replace("9223372036854775806", "-9223372036854775802");
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn other_types_are_refused() {
        assert_eq!(typed("s + 1").unwrap_err(), "+ does not take (STRING, INT)");
        assert_eq!(typed("d % 2").unwrap_err(), "% does not take (DOUBLE, INT)");
        assert_eq!(
            typed("-yes").unwrap_err(),
            "unary - does not take (BOOLEAN)"
        );
        assert_eq!(typed("da + 1").unwrap_err(), "+ does not take (DATE, INT)");
    }
}
