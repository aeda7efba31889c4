//! Comparison, logic, `Where`, `Clip`, `IsNaN`, `IsInf`.

use super::Operator;
use super::elementwise::{arithmetic, map, pair, refuse, same_element, zip};
use super::strings::unified;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::elementwise::{Choose, Operand};
use crate::memory::{Cell, Data};
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "And", |node, graph| logic(node, graph, |a, b| a & b)),
    (CORE, "Clip", load_clip),
    (CORE, "Equal", load_equal),
    (CORE, "Greater", |node, graph| {
        compare(node, graph, |a, b| a > b, |a, b| a > b, |a, b| a > b)
    }),
    (CORE, "GreaterOrEqual", |node, graph| {
        compare(node, graph, |a, b| a >= b, |a, b| a >= b, |a, b| a >= b)
    }),
    (CORE, "IsInf", load_is_inf),
    (CORE, "IsNaN", load_is_nan),
    (CORE, "Less", |node, graph| {
        compare(node, graph, |a, b| a < b, |a, b| a < b, |a, b| a < b)
    }),
    (CORE, "LessOrEqual", |node, graph| {
        compare(node, graph, |a, b| a <= b, |a, b| a <= b, |a, b| a <= b)
    }),
    (CORE, "Not", load_not),
    (CORE, "Or", |node, graph| logic(node, graph, |a, b| a | b)),
    (CORE, "Where", load_where),
    (CORE, "Xor", |node, graph| logic(node, graph, |a, b| a ^ b)),
];

fn compare(
    node: &mut Node,
    graph: &mut Builder,
    f: fn(f32, f32) -> bool,
    d: fn(f64, f64) -> bool,
    i: fn(i64, i64) -> bool,
) -> Result<(), ModelError> {
    node.ignore("broadcast");
    let (a, b) = pair(node, graph)?;
    compared(node, graph, &a, &b, f, d, i)
}

fn compared(
    node: &Node,
    graph: &mut Builder,
    a: &Value,
    b: &Value,
    f: fn(f32, f32) -> bool,
    d: fn(f64, f64) -> bool,
    i: fn(i64, i64) -> bool,
) -> Result<(), ModelError> {
    match a.element.region() {
        _ if a.element == Element::String => Err(refuse(node, a.element, "a number")),
        Region::F32 => zip(node, graph, (a, b), Element::Bool, move |a, b| {
            i64::from(f(a, b))
        }),
        Region::F64 => zip(node, graph, (a, b), Element::Bool, move |a, b| {
            i64::from(d(a, b))
        }),
        Region::I64 => zip(node, graph, (a, b), Element::Bool, move |a, b| {
            i64::from(i(a, b))
        }),
    }
}

/// Strings are equal where their codes are, once they are of one dictionary.
fn load_equal(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    node.ignore("broadcast");
    let (a, b) = pair(node, graph)?;
    if a.element != Element::String {
        return compared(
            node,
            graph,
            &a,
            &b,
            |a, b| a == b,
            |a, b| a == b,
            |a, b| a == b,
        );
    }
    let (a, b) = super::strings::coded(node, graph, a, b)?;
    zip(node, graph, (&a, &b), Element::Bool, |a: i64, b: i64| {
        i64::from(a == b)
    })
}

fn logic(node: &mut Node, graph: &mut Builder, f: fn(i64, i64) -> i64) -> Result<(), ModelError> {
    node.ignore("broadcast");
    let (a, b) = pair(node, graph)?;
    if a.element != Element::Bool {
        return Err(refuse(node, a.element, "bool"));
    }
    zip(node, graph, (&a, &b), Element::Bool, f)
}

fn load_not(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    if value.element != Element::Bool {
        return Err(refuse(node, value.element, "bool"));
    }
    map(node, graph, &value, Element::Bool, |x: i64| x ^ 1)
}

fn load_is_nan(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    match value.element {
        Element::Float => map(node, graph, &value, Element::Bool, |x: f32| {
            i64::from(x.is_nan())
        }),
        Element::Double => map(node, graph, &value, Element::Bool, |x: f64| {
            i64::from(x.is_nan())
        }),
        other => Err(refuse(node, other, "float or double")),
    }
}

fn load_is_inf(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let (positive, negative) = (
        node.flag("detect_positive", true)?,
        node.flag("detect_negative", true)?,
    );
    let is_inf = move |x: f64| {
        i64::from(x == f64::INFINITY && positive || x == f64::NEG_INFINITY && negative)
    };
    match value.element {
        Element::Float => map(node, graph, &value, Element::Bool, move |x: f32| {
            is_inf(x.into())
        }),
        Element::Double => map(node, graph, &value, Element::Bool, is_inf),
        other => Err(refuse(node, other, "float or double")),
    }
}

fn load_where(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let choice = graph.operand(node, 0)?;
    if choice.element != Element::Bool {
        return Err(refuse(node, choice.element, "bool"));
    }
    let (a, b) = (graph.operand(node, 1)?, graph.operand(node, 2)?);
    let values = unified(node, graph, vec![a, b])?;
    let (a, b) = (&values[0], &values[1]);
    same_element(node, a, b)?;
    match a.element.region() {
        Region::F32 => choose::<f32>(node, graph, &choice, a, b),
        Region::F64 => choose::<f64>(node, graph, &choice, a, b),
        Region::I64 => choose::<i64>(node, graph, &choice, a, b),
    }
}

fn choose<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    choice: &Value,
    a: &Value,
    b: &Value,
) -> Result<(), ModelError> {
    let shape = (choice.shape.broadcast(&a.shape))
        .and_then(|shape| shape.broadcast(&b.shape))
        .map_err(|e| e.at(&node.place()))?;
    graph.check_width(node, &shape.dims)?;
    let mut made = Made::new(a.element, shape.clone());
    made.dictionary = a.dictionary.clone();
    let to = graph.make(node, 0, made)?;
    let step = Choose::<T> {
        choice: Operand::new(choice, &shape),
        a: Operand::new(a, &shape),
        b: Operand::new(b, &shape),
        to,
    };
    graph.push(
        node,
        format!("{} {}", to.width, a.element.name()),
        Box::new(step),
    );
    Ok(())
}

/// Bounds are attributes in old versions, inputs in new ones; the upper one wins.
fn load_clip(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let bound = |bound: Option<f32>| {
        bound.map(|bound| Value::constant(Element::Float, vec![], Data::F32(vec![bound])))
    };
    let (low, high) = match (node.float("min")?, node.float("max")?) {
        (None, None) => (graph.optional(node, 1)?, graph.optional(node, 2)?),
        (low, high) => (bound(low), bound(high)),
    };
    let mut clipped = value;
    if let Some(low) = low {
        clipped = arithmetic(
            node,
            graph,
            (&clipped, &low),
            |x, low| if x < low { low } else { x },
            |x, low| if x < low { low } else { x },
            i64::max,
        )?;
    }
    if let Some(high) = high {
        clipped = arithmetic(
            node,
            graph,
            (&clipped, &high),
            |x, high| if x > high { high } else { x },
            |x, high| if x > high { high } else { x },
            i64::min,
        )?;
    }
    graph.alias(node, 0, clipped)
}
