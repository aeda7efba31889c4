//! CASE and COALESCE. Of a CASE only the branch that a record takes is evaluated for it.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Native, Physical, Slot, Timestamp, View};
use pelton_data::report::{Diagnostic, Span};

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::{Node, Typed, common_type};
use super::cast::cast;
use super::kernel::for_rows;
use super::{Args, Function, cast_all};

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "COALESCE",
    form: "COALESCE(value, value, ...)",
    check: coalesce,
}];

/// A CASE of conditions and values; one value more than conditions is the ELSE.
pub(in super::super) fn case(
    span: Span,
    conditions: Vec<Typed>,
    mut values: Vec<Typed>,
) -> Result<Typed, Diagnostic> {
    for condition in &conditions {
        if condition.data_type != DataType::Boolean || condition.is_null_literal() {
            let message = format!("a condition is a BOOLEAN, not {}", condition.data_type);
            return Err(Diagnostic::at(condition.span.clone(), message));
        }
    }
    if values.len() == conditions.len() {
        values.push(Typed::new(
            DataType::Boolean,
            true,
            span.clone(),
            Node::Null,
        ));
    }
    let values = same_type("CASE", &span, values)?;
    let nullable = values.iter().any(|value| value.nullable);
    let mut values = values.into_iter();
    let branches: Vec<(Typed, Typed)> = conditions.into_iter().zip(values.by_ref()).collect();
    let otherwise = values
        .next()
        .expect("there is one value more than conditions");
    let data_type = otherwise.data_type.clone();
    let node = Node::Case {
        branches,
        otherwise: Box::new(otherwise),
    };
    Ok(Typed::new(data_type, nullable, span, node))
}

/// All values are computed, as Flink computes them: one that fails fails the record, even where an
/// earlier one is not NULL. Of FLOAT and DOUBLE the result is a DOUBLE here.
pub(super) fn coalesce(args: Args<'_>) -> Result<Typed, Diagnostic> {
    if args.values.is_empty() || args.values.iter().any(super::is_unit) {
        return Err(args.mismatch());
    }
    let span = args.span;
    let values = same_type(args.name, &span, widened(args.values)?)?;
    let mut values = values.into_iter().rev();
    let mut coalesced = values.next().expect("there is one value at least");
    while let Some(value) = values.next() {
        // From the end, as many as a kernel takes.
        let args = match values.next() {
            Some(first) => vec![first, value, coalesced],
            None => vec![value, coalesced],
        };
        let nullable = args.iter().all(|arg| arg.nullable);
        let (data_type, kernel) = (args[0].data_type.clone(), first_kernel(args[0].physical()));
        let call = Typed::call(data_type, span.clone(), kernel, args);
        coalesced = Typed { nullable, ..call };
    }
    Ok(coalesced)
}

/// One of two values: the first where a condition is TRUE, else the second.
pub(in super::super) fn choose_kernel(physical: Physical) -> Kernel {
    match physical {
        Physical::I8 => choose::<i8>,
        Physical::I16 => choose::<i16>,
        Physical::I32 => choose::<i32>,
        Physical::I64 => choose::<i64>,
        Physical::F32 => choose::<f32>,
        Physical::F64 => choose::<f64>,
        Physical::Timestamp => choose::<Timestamp>,
        Physical::View => choose::<View>,
        Physical::I128 => choose::<i128>,
    }
}

fn choose<T: Native>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    take::<T>(frame, call, |columns, row| {
        let [condition, a, b] = call.args;
        if columns.is_true(condition, row) {
            a
        } else {
            b
        }
    })
}

/// The value and validity of one of the arguments. Which one cannot be foretold: a place is chosen,
/// without a jump, and not a value, since floats would be chosen by jumps.
#[inline(always)]
fn take<T: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    chosen: impl Fn(&Columns, usize) -> Slot,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let from = chosen(columns, row);
        columns.set(call.out, row, columns.get::<T>(from, row));
        columns.set_valid(call.out, row, columns.is_valid(from, row));
        Ok(())
    })
}

/// With FLOATs as DOUBLEs where there is a DOUBLE.
pub(super) fn widened(values: Vec<Typed>) -> Result<Vec<Typed>, Diagnostic> {
    let double = values
        .iter()
        .any(|value| value.data_type == DataType::Double);
    let widen = |value: Typed| match value.data_type {
        DataType::Float if double => cast(value, &DataType::Double),
        _ => Ok(value),
    };
    values.into_iter().map(widen).collect()
}

/// The first of two or three values that is not NULL.
fn first_kernel(physical: Physical) -> Kernel {
    match physical {
        Physical::I8 => first::<i8>,
        Physical::I16 => first::<i16>,
        Physical::I32 => first::<i32>,
        Physical::I64 => first::<i64>,
        Physical::F32 => first::<f32>,
        Physical::F64 => first::<f64>,
        Physical::Timestamp => first::<Timestamp>,
        Physical::View => first::<View>,
        Physical::I128 => first::<i128>,
    }
}

fn first<T: Native>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    take::<T>(frame, call, |columns, row| {
        // Of two values the third is the first again, which is then NULL.
        let [a, b, c] = call.args;
        let rest = if columns.is_valid(b, row) { b } else { c };
        if columns.is_valid(a, row) { a } else { rest }
    })
}

/// The values cast to their common type; NULLs take it.
pub(super) fn same_type(
    name: &str,
    span: &Span,
    values: Vec<Typed>,
) -> Result<Vec<Typed>, Diagnostic> {
    let typed = values.iter().filter(|value| !value.is_null_literal());
    let types: Vec<DataType> = typed.map(|value| value.data_type.clone()).collect();
    if types.is_empty() {
        let message = format!("the values of this {name} are all NULL: it has no type");
        return Err(Diagnostic::at(span.clone(), message).help("write CAST(NULL AS type)"));
    }
    match common_type(&types) {
        Some(common) => cast_all(values, &common),
        None => {
            let names: Vec<String> = types.iter().map(DataType::to_string).collect();
            let message = format!("{name}: no common type of {}", names.join(", "));
            Err(Diagnostic::at(span.clone(), message).help("bring them to one type with CAST"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn branches_take_their_common_type() {
        let known = [
            ("CASE WHEN yes THEN 'a' ELSE 'bcd' END", "VARCHAR(3) 'a'"),
            ("CASE WHEN yes THEN 'abc' ELSE 'bcd' END", "CHAR(3) 'abc'"),
            (
                "CASE WHEN nay THEN i ELSE b END",
                "BIGINT 9223372036854775807",
            ),
            ("CASE WHEN yes THEN f ELSE d END", "FLOAT 1.5"),
            ("CASE WHEN yes THEN d ELSE f END", "DOUBLE -2.5"),
            ("CASE WHEN nay THEN i ELSE f END", "FLOAT 1.5"),
            ("CASE WHEN nay THEN 0.5 ELSE d END", "DOUBLE -2.5"),
            ("CASE WHEN maybe THEN i END", "INT NULL"),
            (
                "CASE i WHEN 6 THEN 'x' WHEN 7 THEN 'yy' END",
                "VARCHAR(2) 'yy'",
            ),
            ("CASE WHEN yes THEN NULL ELSE i END", "INT NULL"),
            ("COALESCE(void, i, 5)", "INT 7"),
            ("COALESCE(f, d)", "DOUBLE 1.5"),
            ("COALESCE(NULL, i)", "INT 7"),
            ("COALESCE(void, NULL)", "INT NULL"),
            ("COALESCE(void, 0.5)", "DECIMAL(11, 1) 5"),
            ("CASE WHEN nay THEN 1.5 ELSE 0.25 END", "DECIMAL(3, 2) 25"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn coalesce_computes_all_its_values_as_flink_does() {
        assert_eq!(value("COALESCE(i, 1 / (i - 7))"), "error: division by zero");
    }

    #[test]
    fn values_without_a_common_type_are_refused() {
        let known = [
            (
                "CASE WHEN yes THEN i ELSE s END",
                "CASE: no common type of INT, STRING",
            ),
            (
                "CASE WHEN i THEN 1 END",
                "a condition is a BOOLEAN, not INT",
            ),
            (
                "CASE WHEN yes THEN NULL END",
                "the values of this CASE are all NULL: it has no type",
            ),
            (
                "COALESCE(da, t)",
                "COALESCE: no common type of DATE, TIMESTAMP(9)",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
