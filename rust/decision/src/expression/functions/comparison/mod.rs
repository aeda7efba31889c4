//! `= <> < <= > >=`, IS DISTINCT FROM, BETWEEN, IN. Numbers compare as Java's primitives do after promotion: NaN
//! with nothing, -0.0 as 0.0. Strings compare byte by byte.

mod kernels;
mod lists;

use pelton_data::DataType;
use pelton_data::columns::Literal;
use pelton_data::report::{Diagnostic, Span};

use super::super::ast::Decimal;
use super::super::compile::value_of;
use super::super::parser::check_size;
use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed, common_type, exact};
use super::cast::cast;
use super::decimal::{self, Digits, number};
use super::kernel::for_rows;
use super::{Args, Function, function};
use kernels::Comparison;
pub(in super::super) use kernels::equal_kernel;
pub(super) use kernels::java_order;
use lists::{between, between_symmetric, in_list, not_in_list};

pub(super) const FUNCTIONS: &[Function] = &[
    function("=", "value = value", |args| {
        operator(args, Comparison::Equal)
    }),
    function("<>", "value <> value", |args| {
        operator(args, Comparison::NotEqual)
    }),
    function("<", "value < value", |args| {
        operator(args, Comparison::Less)
    }),
    function("<=", "value <= value", |args| {
        operator(args, Comparison::LessOrEqual)
    }),
    function(">", "value > value", |args| {
        operator(args, Comparison::Greater)
    }),
    function(">=", "value >= value", |args| {
        operator(args, Comparison::GreaterOrEqual)
    }),
    function("BETWEEN", "value BETWEEN low AND high", between),
    function(
        "BETWEEN SYMMETRIC",
        "value BETWEEN SYMMETRIC a AND b",
        between_symmetric,
    ),
    function("IS DISTINCT FROM", "value IS DISTINCT FROM value", |args| {
        distinct(args, true)
    }),
    function(
        "IS NOT DISTINCT FROM",
        "value IS NOT DISTINCT FROM value",
        |args| distinct(args, false),
    ),
    function("IN", "value IN (value, ...)", in_list),
    function("NOT IN", "value NOT IN (value, ...)", not_in_list),
];

fn operator(args: Args<'_>, comparison: Comparison) -> Result<Typed, Diagnostic> {
    let name = args.name.to_string();
    let span = args.span.clone();
    let [a, b] = args.exactly()?;
    compare(&name, span, comparison, a, b)
}

fn compare(
    name: &str,
    span: Span,
    comparison: Comparison,
    a: Typed,
    b: Typed,
) -> Result<Typed, Diagnostic> {
    let mismatch = || {
        let message = format!(
            "{name} does not compare {} with {}",
            a.data_type, b.data_type
        );
        Diagnostic::at(span.clone(), message)
    };
    if let (Node::Column(left), Node::Column(right)) = (&a.node, &b.node)
        && left == right
        && a.data_type == b.data_type
    {
        return with_itself(comparison, a, span);
    }
    if let (Some(decimal), true) = (b.as_decimal(), a.data_type.is_integer()) {
        return with_exact_integer(comparison, a, decimal, span);
    }
    if let (Some(decimal), true) = (a.as_decimal(), b.data_type.is_integer()) {
        return with_exact_integer(comparison.mirrored(), b, decimal, span);
    }
    if is_decimal(&a) && b.data_type.is_numeric() || is_decimal(&b) && a.data_type.is_numeric() {
        return with_decimal(comparison, a, b, span);
    }
    let common = match (&a.data_type, &b.data_type) {
        (text, other) if text.is_string() && !other.is_string() => {
            compared_with_text(other, &a, comparison).map_err(|help| mismatch().help(help))?
        }
        (other, text) if text.is_string() && !other.is_string() => {
            compared_with_text(other, &b, comparison).map_err(|help| mismatch().help(help))?
        }
        // An order is found on the values as they are, promoted as Java promotes them.
        (left, right) if !comparison.is_equality() && left.is_numeric() && right.is_numeric() => {
            promoted(left, right).ok_or_else(mismatch)?
        }
        (left, right) => common_type(&[left.clone(), right.clone()])
            .ok_or_else(|| mismatch().help("bring them to one type with CAST"))?,
    };
    let kernel = |comparison: Comparison| comparison.kernel(&common).ok_or_else(mismatch);
    let (kernel, negated) = (kernel(comparison)?, kernel(comparison.negated())?);
    let args = vec![readable(cast(a, &common)?)?, readable(cast(b, &common)?)?];
    Ok(Typed::call(DataType::Boolean, span, kernel, args).with_negation(negated))
}

/// `a = b`
pub(super) fn equal(span: Span, a: Typed, b: Typed) -> Result<Typed, Diagnostic> {
    compare("=", span, Comparison::Equal, a, b)
}

/// `IS [NOT] DISTINCT FROM`: as `=`, but NULL is what NULL is, and nothing else is.
fn distinct(args: Args<'_>, answer: bool) -> Result<Typed, Diagnostic> {
    const SAME: Kernel = |frame, call| {
        let [equal, a, b] = call.args;
        for_rows(frame, call, |columns, row| {
            let same = match (columns.is_valid(a, row), columns.is_valid(b, row)) {
                (true, true) => columns.is_true(equal, row),
                (a, b) => a == b,
            };
            columns.put(call.out, row, Some(i8::from(same) ^ call.parameter as i8));
            Ok(())
        })
    };
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a, b] = <[Typed; 2]>::try_from(args.values).map_err(|_| mismatch.clone())?;
    if super::is_unit(&a) || super::is_unit(&b) {
        return Err(mismatch);
    }
    check_size(a.cost() + b.cost(), 2, &span)?;
    let held = |value: &Typed| match value.node {
        Node::Null => Typed::literal(DataType::Boolean, span.clone(), Literal::Null),
        _ => value.clone(),
    };
    let (left, right) = (held(&a), held(&b));
    let equal = match a.is_null_literal() || b.is_null_literal() {
        true => Typed::boolean(false, span.clone()),
        false => equal(span.clone(), a, b)?,
    };
    let call = Typed::call(DataType::Boolean, span, SAME, vec![equal, left, right]);
    let call = call.with_parameter(i64::from(answer));
    Ok(Typed {
        nullable: false,
        ..call
    })
}

/// A text literal compared with a date has to be one, as in Flink: that is known before any record.
fn readable(value: Typed) -> Result<Typed, Diagnostic> {
    if value.is_constant() && is_time_point(&value.data_type) {
        value_of(&value).map_err(|error| Diagnostic::at(value.span.clone(), error.message))?;
    }
    Ok(value)
}

/// DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ.
fn is_time_point(data_type: &DataType) -> bool {
    use DataType::{Date, Time, Timestamp, TimestampLtz};
    matches!(data_type, Date | Time(_) | Timestamp(_) | TimestampLtz(_))
}

/// The type in which Java compares two numbers.
fn promoted(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (DataType::Double, _) | (_, DataType::Double) => Some(DataType::Double),
        _ => common_type(&[a.clone(), b.clone()]),
    }
}

/// Flink takes a column to be equal to itself without a look at it: NaN as well.
fn with_itself(comparison: Comparison, a: Typed, span: Span) -> Result<Typed, Diagnostic> {
    use Comparison::{Equal, GreaterOrEqual, LessOrEqual};
    let always = matches!(comparison, Equal | LessOrEqual | GreaterOrEqual);
    Ok(always_or_never(always, a, span))
}

/// One answer wherever `a` is not NULL.
fn always_or_never(always: bool, a: Typed, span: Span) -> Typed {
    const ALWAYS: Kernel = |frame, call| where_valid(frame, call, 1);
    const NEVER: Kernel = |frame, call| where_valid(frame, call, 0);
    let (kernel, negated) = if always {
        (ALWAYS, NEVER)
    } else {
        (NEVER, ALWAYS)
    };
    Typed::call(DataType::Boolean, span, kernel, vec![a]).with_negation(negated)
}

fn where_valid(frame: &mut Frame<'_>, call: &Call, answer: i8) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let answer = columns.is_valid(a, row).then_some(answer);
        columns.put(call.out, row, answer);
        Ok(())
    })
}

/// The type that a string becomes when it is compared with a value of type `other`.
fn compared_with_text(
    other: &DataType,
    text: &Typed,
    comparison: Comparison,
) -> Result<DataType, &'static str> {
    let literal = matches!(text.node, Node::Literal(_));
    match other {
        _ if is_time_point(other) && (literal || !comparison.is_equality()) => Ok(other.clone()),
        _ if is_time_point(other) => {
            Err("Flink answers NULL for text that does not parse; use CAST on the string")
        }
        _ if other.is_numeric() && comparison.is_equality() => {
            Err("Flink refuses it as well; use CAST on one side")
        }
        _ if other.is_numeric() => Ok(match other {
            DataType::Float | DataType::Double => DataType::Double,
            DataType::Decimal { .. } => other.clone(),
            _ => DataType::BigInt,
        }),
        _ => Err("Flink answers FALSE always, which nobody means; use CAST on one side"),
    }
}

fn is_decimal(typed: &Typed) -> bool {
    matches!(typed.data_type, DataType::Decimal { .. })
}

/// A DECIMAL compared with a number. Flink brings both to one type where it asks for equality
/// alone. An order it finds on the values as they are; with FLOAT and DOUBLE it is the one of
/// `Double.compare`, for which NaN is greater than `0.5`, though it is not greater than `5E-1`.
fn with_decimal(
    comparison: Comparison,
    a: Typed,
    b: Typed,
    span: Span,
) -> Result<Typed, Diagnostic> {
    let types = [&a, &b].map(|side| side.data_type.clone());
    let (Some(left), Some(right)) = (Digits::of(&types[0]), Digits::of(&types[1])) else {
        let args = vec![cast(a, &DataType::Double)?, cast(b, &DataType::Double)?];
        return Ok(ordered(
            comparison,
            args,
            span,
            |comparison| match comparison.is_equality() {
                true => comparison.of::<f64>(),
                false => comparison.total_order(),
            },
        ));
    };
    let (left, right) = match comparison.is_equality() {
        true => (left.common(right), left.common(right)),
        false => (left, right),
    };
    let args = vec![cast(a, &left.data_type())?, cast(b, &right.data_type())?];
    if left.scale == right.scale {
        return Ok(ordered(comparison, args, span, Comparison::of::<i128>));
    }
    let parameter = decimal::scales(left, right);
    Ok(ordered(comparison, args, span, Comparison::decimals).with_parameter(parameter))
}

/// The call of a comparison's kernel, with that of its negation.
fn ordered(
    comparison: Comparison,
    args: Vec<Typed>,
    span: Span,
    kernel: fn(Comparison) -> Kernel,
) -> Typed {
    let call = Typed::call(DataType::Boolean, span, kernel(comparison), args);
    call.with_negation(kernel(comparison.negated()))
}

/// `i > 0.5` is `i > 0`. Where no integer equals the number, only its floor matters: `i < 0.5` is
/// `i <= 0`.
fn with_exact_integer(
    comparison: Comparison,
    a: Typed,
    decimal: Decimal,
    span: Span,
) -> Result<Typed, Diagnostic> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let floor = number::floor(decimal.unscaled, decimal.scale);
    let whole = number::ceil(decimal.unscaled, decimal.scale) == floor;
    let comparison = match comparison {
        _ if whole => comparison,
        Equal | NotEqual => return Ok(always_or_never(comparison == NotEqual, a, span)),
        Less | LessOrEqual => LessOrEqual,
        Greater | GreaterOrEqual => Greater,
    };
    let bound = Decimal {
        unscaled: floor,
        scale: 0,
        ..decimal
    };
    let bound = exact(bound, span.clone());
    compare("comparison", span, comparison, a, bound)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    pub(super) fn truth(text: &str) -> String {
        value(text).replace("BOOLEAN ", "")
    }

    #[test]
    fn nan_is_equal_to_nothing_but_its_own_column() {
        assert_eq!(truth("nan = nan + 0"), "0");
        assert_eq!(truth("nan = nan"), "1");
        assert_eq!(truth("nan <> nan"), "0");
        assert_eq!(truth("nan > 5E-1"), "0");
        assert_eq!(truth("NOT nan > 5E-1"), "0");
    }

    #[test]
    fn beside_an_exact_number_floats_have_a_total_order() {
        assert_eq!(truth("nan > 0.5"), "1");
        assert_eq!(truth("d * 0 < 0.0"), "1");
        assert_eq!(truth("d * 0 = 0.0"), "1");
    }

    #[test]
    fn integers_compare_with_exact_numbers_exactly() {
        let known = [
            ("i > 6.5", "1"),
            ("i > 7.5", "0"),
            ("i < 7.5", "1"),
            ("i <= 6.5", "0"),
            ("-i < -6.5", "1"),
            ("-i >= -6.5", "0"),
            ("i = 7.0", "1"),
            ("i = 7.5", "0"),
            ("i <> 7.5", "1"),
            ("7.5 > i", "1"),
            ("void > 0.5", "NULL"),
            ("void = 0.5", "NULL"),
            ("0.5 < 1.5", "1"),
        ];
        for (text, expected) in known {
            assert_eq!(truth(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_compare_by_bytes_and_with_dates_as_dates() {
        assert_eq!(truth("s > 'Strasse'"), "1");
        assert_eq!(truth("c = 'abc '"), "0");
        assert_eq!(truth("da = '2013-12-24'"), "1");
        assert_eq!(truth("t > '2013-12-24'"), "1");
        assert_eq!(value("s > 1"), "error: 'Straße' cannot be cast to BIGINT");
    }

    #[test]
    fn what_flink_refuses_or_answers_oddly_is_refused() {
        let known = [
            ("i = '7'", "= does not compare INT with CHAR(1)"),
            ("yes = 'true'", "= does not compare BOOLEAN with CHAR(4)"),
            ("yes = 1", "= does not compare BOOLEAN with INT"),
            ("da < t", "< does not compare DATE with TIMESTAMP(9)"),
            ("da = 'xyz'", "'xyz' cannot be cast to DATE"),
            ("da = s", "= does not compare DATE with STRING"),
            ("i IN (b, 3)", "IN: BIGINT in a list for INT"),
            ("ti IN (300, 1)", "IN: INT in a list for TINYINT"),
            ("i IN (1.5, 3)", "IN: DECIMAL(2, 1) in a list for INT"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
