//! Values that stand in several places: `Expand`, `Tile`.

use std::sync::OnceLock;

use super::Operator;
use super::moves::{gather, places, push_gather, shape_of};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::memory::Columns;
use crate::onnx::node::{CORE, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] =
    &[(CORE, "Expand", load_expand), (CORE, "Tile", load_tile)];

fn load_expand(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let sizes = graph.sizes(node, 1)?.unwrap_or_default();
    let target = shape_of(node, &sizes)?;
    let shape = value
        .shape
        .broadcast(&target)
        .map_err(|e| e.at(&node.place()))?;
    graph.check_width(node, &shape.dims)?;
    match shape.broadcast_index(&value.shape) {
        Some(_) if value.element == Element::Float && value.data().is_none() => {
            let repeated = Repeated {
                node: Node::named(&node.operator, &node.name),
                value,
                shape: shape.clone(),
                made: OnceLock::new(),
            };
            let made = Value::later(Element::Float, shape, repeated);
            graph.alias(node, 0, made)
        }
        Some(index) => gather(node, graph, 0, &value, shape, index),
        None => graph.alias(node, 0, value.reshaped(shape)),
    }
}

/// A value that stands in several places and is not copied there yet: what broadcasts reads it once.
#[derive(Debug)]
pub(super) struct Repeated {
    node: Node,
    pub value: Value,
    shape: Shape,
    /// Its copies, once some reader has needed them.
    made: OnceLock<Columns>,
}

impl Deferred for Repeated {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        if let Some(columns) = self.made.get() {
            return Ok(*columns);
        }
        let index = self.shape.broadcast_index(&self.value.shape);
        let index = index.unwrap_or_else(|| (0..self.value.width() as u32).collect());
        let to = graph.scratch(Element::Float, index.len())?;
        push_gather(&self.node, graph, &self.value, index, to);
        Ok(*self.made.get_or_init(|| to))
    }

    fn is_free(&self) -> bool {
        true
    }
}

fn load_tile(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let repeats = graph.sizes(node, 1)?.unwrap_or_default();
    if repeats.len() != value.shape.rank() {
        return Err(node.invalid(format!("has {} repeats for {}", repeats.len(), value.shape)));
    }
    let repeats = shape_of(node, &repeats)?;
    let mut shape = value.shape.clone();
    for (axis, (dim, repeat)) in shape.dims.iter_mut().zip(&repeats.dims).enumerate() {
        let own = shape.batch == Some(axis) && *repeat != 1;
        let rows = repeats.batch == Some(axis) && (shape.batch.is_some() || *dim != 1);
        if own || rows {
            return Err(
                node.not_supported("repeating rows is not supported; every row is computed alone")
            );
        }
        *dim = dim.saturating_mul(*repeat);
    }
    shape.batch = shape.batch.or(repeats.batch);
    graph.check_width(node, &shape.dims)?;
    let index = places(&value.shape, &shape, |axis, i| {
        Some(i % value.shape.dims[axis].max(1))
    });
    gather(node, graph, 0, &value, shape, index)
}
