//! BETWEEN, IN: comparisons with several values, joined by AND and OR.

use pelton_data::DataType;
use pelton_data::columns::Literal;
use pelton_data::report::{Diagnostic, Span};

use super::super::super::parser::check_size;
use super::super::super::program::Kernel;
use super::super::super::typing::{Node, Typed, common_type};
use super::super::binary::is_binary;
use super::super::cast::cast;
use super::super::decimal::Digits;
use super::super::kernel::map2;
use super::super::logic::negation;
use super::super::{Args, untyped_null};
use super::compare;
use super::kernels::{Comparison, java_order};

/// `low <= value AND value <= high`
pub(super) fn between(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let [value, low, high] = args.exactly()?;
    range(span, value, low, high)
}

fn range(span: Span, value: Typed, low: Typed, high: Typed) -> Result<Typed, Diagnostic> {
    check_size(value.cost(), 2, &value.span)?;
    let name = "BETWEEN";
    let above = compare(
        name,
        span.clone(),
        Comparison::GreaterOrEqual,
        value.clone(),
        low,
    )?;
    let below = compare(name, span.clone(), Comparison::LessOrEqual, value, high)?;
    Ok(connect(Node::And, span, vec![above, below]))
}

pub(super) fn between_symmetric(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let [value, a, b] = args.exactly()?;
    check_size(value.cost() + a.cost() + b.cost(), 4, &span)?;
    let forth = range(span.clone(), value.clone(), a.clone(), b.clone())?;
    let back = range(span.clone(), value, b, a)?;
    Ok(connect(Node::Or, span, vec![forth, back]))
}

/// `value = first OR value = second ...`; a NULL in the list makes the rest unknown.
pub(super) fn in_list(args: Args<'_>) -> Result<Typed, Diagnostic> {
    if args.values.len() < 2 {
        return Err(args.mismatch());
    }
    let span = args.span;
    let mut values = args.values.into_iter();
    let value = values.next().expect("there are two at least");
    if value.is_null_literal() {
        return Err(untyped_null(&value));
    }
    let items: Vec<Typed> = values.collect();
    if is_binary(&value.data_type) && items.len() > 1 {
        let message = format!("{} does not look for bytes in a list", args.name);
        return Err(Diagnostic::at(span, message)
            .help("Flink answers FALSE always, which nobody means; join comparisons with OR"));
    }
    check_size(value.cost(), items.len(), &value.span)?;
    let constant = items.len() > 1 && items.iter().all(Typed::is_constant);
    let equal = items.into_iter().map(|item| match constant {
        _ if item.is_null_literal() => {
            Ok(Typed::literal(DataType::Boolean, item.span, Literal::Null))
        }
        _ if !keeps_its_value(&item, &value.data_type) => Err(cut_off(&value, &item)),
        true => is_member(&value, item),
        false => compare(
            "IN",
            item.span.clone(),
            Comparison::Equal,
            value.clone(),
            item,
        ),
    });
    let equal: Vec<Typed> = equal.collect::<Result<_, _>>()?;
    Ok(connect(Node::Or, span, equal))
}

/// Whether a number means the same when it is cast to the type of the value that IN looks for.
fn keeps_its_value(item: &Typed, to: &DataType) -> bool {
    let from = &item.data_type;
    if !from.is_numeric() || !to.is_integer() {
        return true;
    }
    if common_type(&[to.clone(), from.clone()]).as_ref() == Some(to) {
        return true;
    }
    let exact = Digits::of(from).is_some() && item.is_constant();
    let cut = exact.then(|| cast(item.clone(), to).ok()).flatten();
    cut.is_some_and(|cut| cut.exact_value() == item.exact_value())
}

fn cut_off(value: &Typed, item: &Typed) -> Diagnostic {
    let (from, to) = (&item.data_type, &value.data_type);
    Diagnostic::at(item.span.clone(), format!("IN: {from} in a list for {to}")).help(format!(
        "Flink would cut it down to {to}; cast the value to the wider type"
    ))
}

/// Flink looks into a set of constants: a FLOAT or DOUBLE is in it by `Double.equals`, for which
/// -0.0 is not 0.0, and the constants take its type.
fn is_member(value: &Typed, item: Typed) -> Result<Typed, Diagnostic> {
    let span = item.span.clone();
    let kernel: Kernel = match value.data_type {
        DataType::Float if item.data_type.is_numeric() => |f, c| {
            map2(f, c, |a: f32, b: f32| {
                i8::from(java_order(a.into(), b.into()).is_eq())
            })
        },
        DataType::Double if item.data_type.is_numeric() => {
            |f, c| map2(f, c, |a: f64, b: f64| i8::from(java_order(a, b).is_eq()))
        }
        _ => return compare("IN", span, Comparison::Equal, value.clone(), item),
    };
    let item = cast(item, &value.data_type)?;
    let args = vec![value.clone(), item];
    Ok(Typed::call(DataType::Boolean, span, kernel, args))
}

pub(super) fn not_in_list(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    Ok(negation(in_list(args)?, span))
}

fn connect(node: fn(Vec<Typed>) -> Node, span: Span, mut args: Vec<Typed>) -> Typed {
    if args.len() == 1 {
        return args.remove(0);
    }
    let nullable = args.iter().any(|arg| arg.nullable);
    Typed::new(DataType::Boolean, nullable, span, node(args))
}

#[cfg(test)]
mod tests {
    use super::super::tests::truth;

    #[test]
    fn lists_and_ranges_know_null() {
        assert_eq!(truth("i IN (1, NULL, 7)"), "1");
        assert_eq!(truth("i IN (1, NULL)"), "NULL");
        assert_eq!(truth("i NOT IN (1, NULL)"), "NULL");
        assert_eq!(truth("i BETWEEN SYMMETRIC 9 AND 3"), "1");
        assert_eq!(truth("i BETWEEN void AND 3"), "0");
        assert_eq!(truth("i BETWEEN void AND 9"), "NULL");
        assert_eq!(truth("d * 0 IN (0, 1)"), "0");
        assert_eq!(truth("ti IN (1, -128)"), "1");
    }
}
