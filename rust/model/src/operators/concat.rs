//! Values one behind the other, and the way back: `Concat`, `Split`.

use super::Operator;
use super::merged::Merged;
use super::moves::gather;
use super::strings::unified;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Place, Value};
use crate::kernels::moves::{Blocks, Gather};
use crate::memory::Columns;
use crate::onnx::node::{CORE, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] =
    &[(CORE, "Concat", load_concat), (CORE, "Split", load_split)];

fn load_concat(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let axis = node
        .int("axis")?
        .ok_or_else(|| node.invalid("attribute \"axis\" is missing"))?;
    let values: Vec<Value> = (0..node.inputs.len())
        .map(|index| graph.deferred(node, index))
        .collect::<Result<_, _>>()?;
    let values = unified(node, graph, values)?;
    let first = values.first().ok_or_else(|| node.invalid("has no input"))?;
    let mut shape = first.shape.clone();
    let stacks = shape
        .axis(axis)
        .ok()
        .filter(|axis| shape.batch == Some(*axis));
    if let Some(axis) = stacks.filter(|_| values.iter().all(|value| value.shape == shape)) {
        return stack(node, graph, values, axis);
    }
    let axis = shape
        .own_axis(axis, "concatenation")
        .map_err(|e| e.at(&node.place()))?;
    shape.batch = values.iter().find_map(|value| value.shape.batch);
    shape.dims[axis] = 0;
    for value in &values {
        let fits = value.shape.rank() == shape.rank()
            && (0..shape.rank()).all(|a| a == axis || value.shape.dims[a] == shape.dims[a]);
        if !fits || value.element != first.element {
            return Err(node.invalid(format!(
                "{} {} does not go with {} {}",
                value.element.name(),
                value.shape,
                first.element.name(),
                first.shape
            )));
        }
        if shape.batch == Some(axis)
            || value.shape.batch.is_some() && value.shape.batch != shape.batch
        {
            return Err(node.not_supported("concatenation along the rows mixes them"));
        }
        shape.dims[axis] += value.shape.dims[axis];
    }
    graph.check_width(node, &shape.dims)?;
    let value = joined(node, graph, values, shape, axis)?;
    graph.alias(node, 0, value)
}

/// Values along the axis of their rows: all rows of the first one, then those of the next.
fn stack(
    node: &Node,
    graph: &mut Builder,
    mut values: Vec<Value>,
    axis: usize,
) -> Result<(), ModelError> {
    for value in &mut values {
        value.shape.dims.insert(axis, 1);
        value.shape.batch = Some(axis + 1);
    }
    let mut shape = values[0].shape.clone();
    shape.dims[axis] = values.len();
    graph.check_width(node, &shape.dims)?;
    let apart = joined(node, graph, values, shape, axis)?;
    let value = Merged::of(node, graph, apart, axis)?;
    graph.alias(node, 0, value)
}

/// Values one behind the other along an axis, which have a shape together.
fn joined(
    node: &Node,
    graph: &mut Builder,
    mut values: Vec<Value>,
    shape: Shape,
    axis: usize,
) -> Result<Value, ModelError> {
    let (element, dictionary) = (values[0].element, values[0].dictionary.clone());
    let depth = |value: &Value| value.deferred::<Joined>().map_or(0, |joined| joined.depth);
    if values.iter().any(|value| depth(value) >= MOST_DEPTH) {
        for value in &mut values {
            *value = graph.made(value.clone())?;
        }
    }
    let joined = Joined {
        node: Node::named(&node.operator, &node.name),
        element,
        around: shape.around(axis),
        depth: 1 + values.iter().map(depth).max().unwrap_or(0),
        parts: values,
    };
    Ok(Value::later(element, shape, joined).with_dictionary(dictionary))
}

/// Parts of parts are made when they are deeper, so that a file cannot exhaust the stack.
const MOST_DEPTH: usize = 16;

/// Values one behind the other that are not made yet: a sum takes the parts as they are.
#[derive(Debug)]
pub(super) struct Joined {
    node: Node,
    element: Element,
    /// The product of the dimensions before the axis, its length, and the product of those behind.
    pub around: (usize, usize, usize),
    /// How deep parts are of parts themselves.
    depth: usize,
    pub parts: Vec<Value>,
}

impl Deferred for Joined {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        let mut parts = Vec::new();
        for part in &self.parts {
            parts.push(graph.made(part.clone())?);
        }
        let (before, whole, behind) = self.around;
        let to = graph.scratch(self.element, before * whole * behind)?;
        let mut start = 0;
        for part in &parts {
            let blocks = Blocks {
                count: before,
                len: part.width() / before.max(1),
                to: start,
                step: whole * behind,
            };
            start += blocks.len;
            if part.width() > 0 {
                if let (Region::I64, Place::Columns(from)) = (self.element.region(), &part.place) {
                    for at in 0..from.width {
                        let (block, k) = (at / blocks.len, at % blocks.len);
                        let place = blocks.to + block * blocks.step + k;
                        graph.ids.copied(from.first + at, to.first + place);
                    }
                }
                let step = match self.element.region() {
                    Region::F32 => Gather::<f32>::blocks(part, blocks, to),
                    Region::F64 => Gather::<f64>::blocks(part, blocks, to),
                    Region::I64 => Gather::<i64>::blocks(part, blocks, to),
                };
                graph.push(&self.node, format!("{} values", part.width()), step);
            }
        }
        Ok(to)
    }
}

fn load_split(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axis = node.int("axis")?.unwrap_or(0);
    let axis = value
        .shape
        .own_axis(axis, "splitting")
        .map_err(|e| e.at(&node.place()))?;
    let (before, whole, behind) = value.shape.around(axis);
    let count = node.outputs.len();
    let given = if node.has("split") {
        Some(node.ints("split")?)
    } else {
        graph.ints(node, 1)?
    };
    node.ignore("num_outputs");
    let part = whole.div_ceil(count.max(1));
    let parts = match given {
        Some(parts) => parts,
        None => (0..count)
            .map(|i| part.min(whole.saturating_sub(i * part)) as i64)
            .collect(),
    };
    if parts.len() != count
        || parts.iter().any(|part| *part < 0)
        || parts.iter().sum::<i64>() != whole as i64
    {
        return Err(node.invalid(format!("splits {whole} into {parts:?} for {count} outputs")));
    }
    let mut start = 0;
    for (output, part) in parts.into_iter().enumerate() {
        let part = part as usize;
        let mut shape = value.shape.clone();
        shape.dims[axis] = part;
        let starts = (0..before).map(|block| (block * whole + start) * behind);
        let index = starts.flat_map(|start| start as u32..(start + part * behind) as u32);
        if graph.wants(node, output) {
            gather(node, graph, output, &value, shape, index.collect())?;
        }
        start += part;
    }
    Ok(())
}
