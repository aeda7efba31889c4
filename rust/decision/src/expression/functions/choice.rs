//! IF IFNULL NULLIF GREATEST LEAST: functions that choose one of their values.

use std::cmp::Ordering;

use pelton_data::DataType;
use pelton_data::columns::{Timestamp, View};
use pelton_data::report::Diagnostic;

use super::super::parser::check_size;
use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed};
use super::comparison::{equal, java_order};
use super::conditional::{case, coalesce, same_type, widened};
use super::kernel::{for_rows, map2};
use super::{Args, Function, function, is_unit, untyped_null};

pub(super) const FUNCTIONS: &[Function] = &[
    function("IF", "IF(condition, value, otherwise)", if_else),
    function("IFNULL", "IFNULL(value, otherwise)", if_null),
    function("NULLIF", "NULLIF(value, not this)", null_if),
    function("GREATEST", "GREATEST(value, ...)", |args| {
        extreme(args, true)
    }),
    function("LEAST", "LEAST(value, ...)", |args| extreme(args, false)),
];

/// A CASE of one condition; its values need types of their own.
fn if_else(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let [condition, value, otherwise] = args.exactly()?;
    if let (DataType::Timestamp(m), DataType::Timestamp(n)) =
        (&value.data_type, &otherwise.data_type)
        && m != n
    {
        let message = "IF of timestamps of different precisions: Flink cuts one of them off";
        return Err(Diagnostic::at(span, message).help("bring them to one type with CAST"));
    }
    case(span, vec![condition], vec![value, otherwise])
}

/// COALESCE of two; a value that is never NULL keeps its type.
fn if_null(args: Args<'_>) -> Result<Typed, Diagnostic> {
    if args.values.len() != 2 {
        return Err(args.mismatch());
    }
    match args.values[0].nullable {
        true => coalesce(args),
        false => Ok(Typed {
            span: args.span,
            ..args.values[0].clone()
        }),
    }
}

/// `CASE WHEN a = b THEN NULL ELSE a END`
fn null_if(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a, b] = <[Typed; 2]>::try_from(args.values).map_err(|_| mismatch)?;
    if a.is_null_literal() {
        return Err(untyped_null(&a));
    }
    if b.is_null_literal() {
        return Ok(Typed { span, ..a });
    }
    check_size(a.cost(), 2, &span)?;
    let equal = equal(span.clone(), a.clone(), b)?;
    let null = Typed::new(DataType::Boolean, true, span.clone(), Node::Null);
    case(span, vec![equal], vec![null, a])
}

/// NULL where one of them is.
fn extreme(args: Args<'_>, greatest: bool) -> Result<Typed, Diagnostic> {
    let mismatch = args.mismatch();
    if args.values.is_empty() || args.values.iter().any(is_unit) {
        return Err(mismatch);
    }
    if let Some(null) = args.values.iter().find(|value| value.is_null_literal()) {
        return Err(untyped_null(null));
    }
    let values = same_type(args.name, &args.span, widened(args.values)?)?;
    let mut values = values.into_iter();
    let first = values.next().ok_or_else(|| mismatch.clone())?;
    let kernel = extreme_kernel(&first.data_type, greatest).ok_or(mismatch)?;
    let extreme = values.fold(first, |one, other| {
        let data_type = one.data_type.clone();
        Typed::call(data_type, args.span.clone(), kernel, vec![one, other])
    });
    Ok(Typed {
        span: args.span,
        ..extreme
    })
}

/// The greater or lesser of two values. Of floats -0.0 is before 0.0, and NaN behind everything.
fn extreme_kernel(data_type: &DataType, greatest: bool) -> Option<Kernel> {
    macro_rules! pick {
        ($native:ty, $order:expr) => {
            match greatest {
                true => |f, c| {
                    map2(
                        f,
                        c,
                        |a: $native, b: $native| {
                            if $order(&a, &b).is_lt() { b } else { a }
                        },
                    )
                },
                false => |f, c| {
                    map2(
                        f,
                        c,
                        |a: $native, b: $native| {
                            if $order(&a, &b).is_gt() { b } else { a }
                        },
                    )
                },
            }
        };
    }
    Some(match data_type {
        DataType::Boolean | DataType::TinyInt => pick!(i8, Ord::cmp),
        DataType::SmallInt => pick!(i16, Ord::cmp),
        DataType::Int | DataType::Date => pick!(i32, Ord::cmp),
        DataType::BigInt => pick!(i64, Ord::cmp),
        DataType::Float => {
            pick!(f32, |a: &f32, b: &f32| java_order((*a).into(), (*b).into()))
        }
        DataType::Double => pick!(f64, |a: &f64, b: &f64| java_order(*a, *b)),
        DataType::Timestamp(_) => pick!(Timestamp, Ord::cmp),
        DataType::Char(_) | DataType::Varchar(_) => match greatest {
            true => |f, c| extreme_text(f, c, Ordering::Greater),
            false => |f, c| extreme_text(f, c, Ordering::Less),
        },
        _ => return None,
    })
}

fn extreme_text(frame: &mut Frame<'_>, call: &Call, wanted: Ordering) -> Result<(), Failure> {
    let [a, b, _] = call.args;
    for_rows(frame, call, |columns, row| {
        let views: (Option<View>, Option<View>) = (columns.value(a, row), columns.value(b, row));
        let view = match views {
            (Some(one), Some(other)) => {
                let ordering = columns.bytes(other).cmp(columns.bytes(one));
                Some(if ordering == wanted { other } else { one })
            }
            _ => None,
        };
        columns.put(call.out, row, view);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn one_of_the_values() {
        let known = [
            ("IF(yes, i, 0)", "INT 7"),
            ("IF(maybe, 'a', 'bcd')", "VARCHAR(3) 'bcd'"),
            ("IF(i <> 7, 1 / (i - 7), 0)", "INT 0"),
            ("IF(yes, d, f)", "DOUBLE -2.5"),
            ("IFNULL(void, i)", "INT 7"),
            ("IFNULL(f, d)", "DOUBLE 1.5"),
            ("IFNULL('x', s)", "CHAR(1) 'x'"),
            ("IFNULL(NULL, i)", "INT 7"),
            ("IFNULL(i, 1 / (i - 7))", "error: division by zero"),
            ("NULLIF(i, 7)", "INT NULL"),
            ("NULLIF(i, void)", "INT 7"),
            ("NULLIF(i, NULL)", "INT 7"),
            ("NULLIF(nan, nan)", "DOUBLE NULL"),
            ("GREATEST(i, b)", "BIGINT 9223372036854775807"),
            ("GREATEST(nan, d)", "DOUBLE NaN"),
            ("LEAST(nan, d)", "DOUBLE -2.5"),
            ("LEAST(f, d)", "DOUBLE -2.5"),
            ("LEAST(0e0, -0e0)", "DOUBLE -0.0"),
            ("GREATEST(s, c, 'z')", "STRING 'z'"),
            ("LEAST(s, c, 'z')", "STRING 'Straße'"),
            ("GREATEST(i, void)", "INT NULL"),
            ("LEAST(i)", "INT 7"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_flink_refuses_is_refused() {
        let known = [
            ("IF(i, 1, 2)", "a condition is a BOOLEAN, not INT"),
            ("IF(yes, i, NULL)", "NULL has no type here"),
            ("IF(yes, i, s)", "CASE: no common type of INT, STRING"),
            ("NULLIF(NULL, i)", "NULL has no type here"),
            ("GREATEST(i, s)", "GREATEST: no common type of INT, STRING"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn distinct_from_knows_null() {
        let known = [
            ("i IS DISTINCT FROM 7", 0),
            ("i IS NOT DISTINCT FROM 7", 1),
            ("void IS DISTINCT FROM NULL", 0),
            ("void IS NOT DISTINCT FROM NULL", 1),
            ("i IS DISTINCT FROM void", 1),
            ("NULL IS DISTINCT FROM NULL", 0),
            ("d IS DISTINCT FROM 0.5", 1),
            ("NOT i IS DISTINCT FROM 7", 1),
            ("nan IS NOT DISTINCT FROM nan", 1),
            ("maybe IS DISTINCT FROM TRUE AND yes", 1),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), format!("BOOLEAN {expected}"), "{text}");
        }
        assert_eq!(
            typed("i IS DISTINCT FROM s").unwrap_err(),
            "= does not compare INT with STRING"
        );
    }
}
