//! Three-valued logic: AND, OR, NOT, IS [NOT] NULL, TRUE, FALSE, UNKNOWN.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Slot};
use pelton_data::report::{Diagnostic, Span};

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed};
use super::kernel::{for_rows, map1};
use super::{Args, Function, cast_all, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("AND", "BOOLEAN AND BOOLEAN", |args| {
        connect(args, Node::And)
    }),
    function("OR", "BOOLEAN OR BOOLEAN", |args| connect(args, Node::Or)),
    function("NOT", "NOT BOOLEAN", not),
    function("IS NULL", "value IS NULL", |args| is_null(args, NULL)),
    function("IS NOT NULL", "value IS NOT NULL", |args| {
        is_null(args, NOT_NULL)
    }),
    function("IS TRUE", "BOOLEAN IS TRUE", |args| test(args, TRUE)),
    function("IS NOT TRUE", "BOOLEAN IS NOT TRUE", |args| {
        test(args, NOT_TRUE)
    }),
    function("IS FALSE", "BOOLEAN IS FALSE", |args| test(args, FALSE)),
    function("IS NOT FALSE", "BOOLEAN IS NOT FALSE", |args| {
        test(args, NOT_FALSE)
    }),
    function("IS UNKNOWN", "BOOLEAN IS UNKNOWN", |args| test(args, NULL)),
    function("IS NOT UNKNOWN", "BOOLEAN IS NOT UNKNOWN", |args| {
        test(args, NOT_NULL)
    }),
];

/// FALSE where one is FALSE, else NULL where one is NULL, else TRUE.
pub(in super::super) const AND: Kernel = |frame, call| {
    three_valued(frame, call, |a, b| Truth {
        is_true: a.is_true & b.is_true,
        is_false: a.is_false | b.is_false,
    })
};

/// TRUE where one is TRUE, else NULL where one is NULL, else FALSE.
pub(in super::super) const OR: Kernel = |frame, call| {
    three_valued(frame, call, |a, b| Truth {
        is_true: a.is_true | b.is_true,
        is_false: a.is_false & b.is_false,
    })
};

/// A BOOLEAN that may be NULL: then it is neither. As two flags it needs no branches.
#[derive(Clone, Copy)]
struct Truth {
    is_true: bool,
    is_false: bool,
}

const NULL: Kernel = |frame, call| ask(frame, call, |columns, a, row| !columns.is_valid(a, row));
const NOT_NULL: Kernel = |frame, call| ask(frame, call, Columns::is_valid);
const TRUE: Kernel = |frame, call| ask(frame, call, |c, a, row| boolean(c, a, row) == Some(true));
const NOT_TRUE: Kernel =
    |frame, call| ask(frame, call, |c, a, row| boolean(c, a, row) != Some(true));
const FALSE: Kernel = |frame, call| ask(frame, call, |c, a, row| boolean(c, a, row) == Some(false));
const NOT_FALSE: Kernel =
    |frame, call| ask(frame, call, |c, a, row| boolean(c, a, row) != Some(false));

#[inline(always)]
fn boolean(columns: &Columns, slot: Slot, row: usize) -> Option<bool> {
    columns.value::<i8>(slot, row).map(|value| value != 0)
}

#[inline(always)]
fn three_valued(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(Truth, Truth) -> Truth,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, b, _] = call.args;
        let truth = |slot: Slot| {
            let (valid, value) = (
                columns.is_valid(slot, row),
                columns.get::<i8>(slot, row) != 0,
            );
            Truth {
                is_true: valid & value,
                is_false: valid & !value,
            }
        };
        let Truth { is_true, is_false } = f(truth(a), truth(b));
        columns.set(call.out, row, i8::from(is_true));
        columns.set_valid(call.out, row, is_true | is_false);
        Ok(())
    })
}

/// A question that NULL answers too.
#[inline(always)]
fn ask(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&Columns, Slot, usize) -> bool,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let value = i8::from(f(columns, a, row));
        columns.put(call.out, row, Some(value));
        Ok(())
    })
}

fn connect(args: Args<'_>, node: fn(Vec<Typed>) -> Node) -> Result<Typed, Diagnostic> {
    if let Some(null) = args.values.iter().find(|value| value.is_null_literal()) {
        return Err(super::untyped_null(null).help("or write UNKNOWN"));
    }
    if args.values.iter().any(|v| v.data_type != DataType::Boolean) {
        return Err(args.mismatch());
    }
    let nullable = args.values.iter().any(|value| value.nullable);
    Ok(Typed::new(
        DataType::Boolean,
        nullable,
        args.span,
        node(args.values),
    ))
}

fn not(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [a] = args.exactly()?;
    match a.data_type {
        DataType::Boolean => Ok(negation(a, span)),
        _ => Err(mismatch),
    }
}

/// `NOT a`, carried down to the comparisons as Flink does: `NOT (a < b)` is `a >= b`.
pub(super) fn negation(a: Typed, span: Span) -> Typed {
    const NOT: Kernel = |frame, call| map1(frame, call, |a: i8| a ^ 1);
    let inner = |args: Vec<Typed>| {
        let negated = args.into_iter().map(|arg| {
            let span = arg.span.clone();
            negation(arg, span)
        });
        negated.collect::<Vec<Typed>>()
    };
    match a.node {
        Node::And(args) => Typed::new(DataType::Boolean, a.nullable, span, Node::Or(inner(args))),
        Node::Or(args) => Typed::new(DataType::Boolean, a.nullable, span, Node::And(inner(args))),
        Node::Call(application) if application.negation.is_some() => Typed {
            span,
            node: Node::Call(Box::new(application.negated())),
            ..a
        },
        _ => Typed::call(DataType::Boolean, span, NOT, vec![a]),
    }
}

fn is_null(mut args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    if args.values.iter().any(Typed::is_null_literal) {
        // Of any type, NULL is NULL.
        args.values = cast_all(args.values, &DataType::Boolean)?;
    }
    let [a] = args.exactly()?;
    Ok(Typed {
        nullable: false,
        ..Typed::call(DataType::Boolean, span, kernel, vec![a])
    })
}

fn test(args: Args<'_>, kernel: Kernel) -> Result<Typed, Diagnostic> {
    match args.values.first().map(|value| &value.data_type) {
        Some(DataType::Boolean) => is_null(args, kernel),
        _ => Err(args.mismatch()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn null_is_neither_true_nor_false() {
        let known = [
            ("maybe AND yes", "NULL"),
            ("maybe AND nay", "0"),
            ("maybe OR yes", "1"),
            ("maybe OR nay", "NULL"),
            ("NOT maybe", "NULL"),
            ("UNKNOWN OR nay", "NULL"),
            ("maybe IS TRUE", "0"),
            ("maybe IS NOT TRUE", "1"),
            ("maybe IS FALSE", "0"),
            ("maybe IS NOT FALSE", "1"),
            ("maybe IS UNKNOWN", "1"),
            ("yes IS NOT UNKNOWN", "1"),
            ("void IS NULL", "1"),
            ("NULL IS NULL", "1"),
            ("i IS NOT NULL", "1"),
            ("NOT (yes AND maybe)", "NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), format!("BOOLEAN {expected}"), "{text}");
        }
    }

    #[test]
    fn the_right_side_is_computed_where_it_decides() {
        assert_eq!(
            value("maybe AND 1 / (i - 7) > 0"),
            "error: division by zero"
        );
        assert_eq!(value("maybe OR 1 / (i - 7) > 0"), "error: division by zero");
        assert_eq!(value("nay AND 1 / (i - 7) > 0"), "BOOLEAN 0");
        assert_eq!(value("nay AND 1 / (i - 7) > 0 AND maybe"), "BOOLEAN 0");
    }

    #[test]
    fn only_booleans_are_connected() {
        assert_eq!(
            typed("yes AND i").unwrap_err(),
            "AND does not take (BOOLEAN, INT)"
        );
        assert_eq!(typed("NOT i").unwrap_err(), "NOT does not take (INT)");
        assert_eq!(
            typed("i IS TRUE").unwrap_err(),
            "IS TRUE does not take (INT)"
        );
        assert_eq!(typed("yes AND NULL").unwrap_err(), "NULL has no type here");
    }
}
