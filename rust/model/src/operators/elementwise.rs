//! How operators that compute value by value are loaded: by functions of f32, f64 and i64.

use std::marker::PhantomData;

use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::elementwise::{Map1, Map2, Operand};
use crate::memory::Cell;
use crate::onnx::node::Node;

/// Makes output 0 of `node` the function of every value of `value`.
pub(super) fn map<T: Cell, U: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    element: Element,
    f: impl Fn(T) -> U + Send + Sync + 'static,
) -> Result<(), ModelError> {
    let made = mapped(node, graph, value, element, f)?;
    graph.alias(node, 0, made)
}

/// The function of every value of `value`.
pub(super) fn mapped<T: Cell, U: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    element: Element,
    f: impl Fn(T) -> U + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    let from = graph.columns(node, value)?;
    let to = graph.scratch(element, value.width())?;
    let kernel = format!("{} {}", to.width, element.name());
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step = Map1 {
        cpu,
        from,
        to,
        f,
        types: PhantomData,
    };
    graph.push(node, kernel, Box::new(step));
    Ok(Value::columns(element, value.shape.clone(), to))
}

/// Makes output 0 of `node` the function of every value of two, broadcast.
pub(super) fn zip<A: Cell, B: Cell, U: Cell>(
    node: &Node,
    graph: &mut Builder,
    (a, b): (&Value, &Value),
    element: Element,
    f: impl Fn(A, B) -> U + Send + Sync + 'static,
) -> Result<(), ModelError> {
    let made = zipped(node, graph, (a, b), element, f)?;
    graph.alias(node, 0, made)
}

/// The function of every value of two, broadcast.
pub(super) fn zipped<A: Cell, B: Cell, U: Cell>(
    node: &Node,
    graph: &mut Builder,
    (a, b): (&Value, &Value),
    element: Element,
    f: impl Fn(A, B) -> U + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    let shape = (a.shape.broadcast(&b.shape)).map_err(|e| e.at(&node.place()))?;
    graph.check_width(node, &shape.dims)?;
    let to = graph.scratch(element, shape.width())?;
    let kernel = format!("{} {}", to.width, element.name());
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step = Map2 {
        cpu,
        a: Operand::new(a, &shape),
        b: Operand::new(b, &shape),
        to,
        f,
        made: PhantomData,
    };
    graph.push(node, kernel, Box::new(step));
    Ok(Value::columns(element, shape, to))
}

/// Two inputs of one element type.
pub(super) fn pair(node: &Node, graph: &mut Builder) -> Result<(Value, Value), ModelError> {
    let (a, b) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    same_element(node, &a, &b)?;
    Ok((a, b))
}

pub(super) fn same_element(node: &Node, a: &Value, b: &Value) -> Result<(), ModelError> {
    if a.element == b.element {
        return Ok(());
    }
    let (a, b) = (a.element.name(), b.element.name());
    Err(node.invalid(format!(
        "inputs are of types {a} and {b}, expected one type"
    )))
}

/// Refuses an element that an operator has no meaning for.
pub(super) fn refuse(node: &Node, element: Element, expected: &str) -> ModelError {
    node.invalid(format!(
        "input is of type {}, expected {expected}",
        element.name()
    ))
}

/// A function of two numbers in the arithmetic of each region; integers wrap at their width.
pub(super) fn arithmetic(
    node: &Node,
    graph: &mut Builder,
    (a, b): (&Value, &Value),
    f: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
    d: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    i: impl Fn(i64, i64) -> i64 + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    same_element(node, a, b)?;
    let element = a.element;
    if !element.is_number() {
        return Err(refuse(node, element, "a number"));
    }
    match element.region() {
        Region::F32 => zipped(node, graph, (a, b), element, f),
        Region::F64 => zipped(node, graph, (a, b), element, d),
        Region::I64 => {
            let wrap = element.wrap();
            zipped(node, graph, (a, b), element, move |a, b| {
                wrap.apply(i(a, b))
            })
        }
    }
}

/// A function of a float, in the arithmetic of its type.
pub(super) fn real(
    node: &Node,
    graph: &mut Builder,
    f: impl Fn(f32) -> f32 + Send + Sync + 'static,
    d: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    match value.element {
        Element::Float => map(node, graph, &value, Element::Float, f),
        Element::Double => map(node, graph, &value, Element::Double, d),
        other => Err(refuse(node, other, "float or double")),
    }
}

/// A function of a number, in the arithmetic of its region; integers wrap at their width.
pub(super) fn number(
    node: &Node,
    graph: &mut Builder,
    f: impl Fn(f32) -> f32 + Send + Sync + 'static,
    d: impl Fn(f64) -> f64 + Send + Sync + 'static,
    i: impl Fn(i64) -> i64 + Send + Sync + 'static,
) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let element = value.element;
    if !element.is_integer() {
        return real(node, graph, f, d);
    }
    let wrap = element.wrap();
    map(node, graph, &value, element, move |x| wrap.apply(i(x)))
}
