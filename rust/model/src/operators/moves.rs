//! What moves values to other places, known at load: `Concat`, `Split`, `Slice`, `Transpose`, `Expand`, `Tile`, `Trilu`,
//! `DepthToSpace`, `SpaceToDepth`, `ReverseSequence`, `Compress`. (`Pad` has a file of its own.)

use std::sync::OnceLock;

use super::Operator;
use super::merged::Merged;
use super::strings::unified;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Made, Place, Size, Value};
use crate::kernels::moves::{Blocks, Gather, NONE};
use crate::memory::Columns;
use crate::onnx::node::{CORE, Node};
use crate::operators::constant::Fill;
use crate::shape::{Shape, strides, walk};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Compress", load_compress),
    (CORE, "Concat", load_concat),
    (CORE, "DepthToSpace", load_depth_to_space),
    (CORE, "Expand", load_expand),
    (CORE, "ReverseSequence", load_reverse_sequence),
    (CORE, "Slice", load_slice),
    (CORE, "SpaceToDepth", load_space_to_depth),
    (CORE, "Split", load_split),
    (CORE, "Tile", load_tile),
    (CORE, "Transpose", load_transpose),
    (CORE, "Trilu", load_trilu),
];

/// The shape that numbers mean.
pub(super) fn shape_of(node: &Node, sizes: &[Size]) -> Result<Shape, ModelError> {
    let mut shape = Shape::default();
    for (axis, size) in sizes.iter().enumerate() {
        let dim = usize::try_from(size.value)
            .map_err(|_| node.invalid(format!("a dimension is {}", size.value)))?;
        shape.dims.push(dim);
        match (size.grows, shape.batch) {
            (true, Some(_)) => {
                return Err(node.not_supported("two dimensions grow with the rows"));
            }
            (true, None) => shape.batch = Some(axis),
            _ => {}
        }
    }
    Ok(shape)
}

/// Makes output number `output` of `node` the values `index` of `value`.
pub(super) fn gather(
    node: &Node,
    graph: &mut Builder,
    output: usize,
    value: &Value,
    shape: Shape,
    index: Vec<u32>,
) -> Result<(), ModelError> {
    if let (Place::Columns(columns), Some(&first)) = (&value.place, index.first())
        && index
            .iter()
            .zip(first..)
            .all(|(at, expected)| *at == expected)
    {
        // They stand together: the same columns by another name.
        let part = columns.part(first as usize, index.len());
        let part = Value::columns(value.element, shape, part);
        return graph.alias(node, output, part.with_dictionary(value.dictionary.clone()));
    }
    let mut made = Made::new(value.element, shape);
    made.dictionary = value.dictionary.clone();
    let to = graph.make(node, output, made)?;
    push_gather(node, graph, value, index, to);
    Ok(())
}

/// Copies the values `index` of `value` into `to`.
pub(super) fn push_gather(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    index: Vec<u32>,
    to: Columns,
) {
    let kernel = format!("{} values", index.len());
    if let (Region::I64, Place::Columns(from)) = (value.element.region(), &value.place) {
        for (k, &place) in index
            .iter()
            .enumerate()
            .filter(|(_, place)| **place != NONE)
        {
            graph.ids.copied(from.first + place as usize, to.first + k);
        }
    }
    let step = match value.element.region() {
        Region::F32 => Gather::<f32>::step(value, index, to),
        Region::F64 => Gather::<f64>::step(value, index, to),
        Region::I64 => Gather::<i64>::step(value, index, to),
    };
    graph.push(node, kernel, step);
}

/// Like [`gather`], but values without a number are `fill`, a constant of one value; zero by default.
pub(super) fn gather_or_fill(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    fill: Option<Value>,
    shape: Shape,
    index: Vec<u32>,
) -> Result<(), ModelError> {
    use crate::memory::Data;
    let width = shape.width();
    let to = graph.make(node, 0, Made::new(value.element, shape))?;
    let data = match (fill.as_ref().and_then(Value::data), value.element.region()) {
        (Some(Data::F32(fill)), Region::F32) if fill.len() == 1 => Data::F32(vec![fill[0]; width]),
        (Some(Data::F64(fill)), Region::F64) if fill.len() == 1 => Data::F64(vec![fill[0]; width]),
        (Some(Data::I64(fill)), Region::I64) if fill.len() == 1 => Data::I64(vec![fill[0]; width]),
        _ if fill.as_ref().is_some_and(|fill| fill.data().is_none()) => {
            return Err(
                node.not_supported("the value to fill with is computed, expected a constant")
            );
        }
        (None, Region::F32) => Data::F32(vec![0.0; width]),
        (None, Region::F64) => Data::F64(vec![0.0; width]),
        (None, Region::I64) => Data::I64(vec![0; width]),
        _ => return Err(node.invalid("the value to fill with is not one of the tensor's type")),
    };
    if let Place::Constant(constant) = Value::constant(value.element, vec![width], data).place {
        graph.push(node, "fills".to_owned(), Fill::step(to, constant));
    }
    push_gather(node, graph, value, index, to);
    Ok(())
}

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

fn load_transpose(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rank = value.shape.rank();
    let order: Vec<usize> = if node.has("perm") {
        let order = node.ints("perm")?;
        order
            .iter()
            .map(|&axis| value.shape.axis(axis))
            .collect::<Result<_, _>>()
            .map_err(|e| e.at(&node.place()))?
    } else {
        (0..rank).rev().collect()
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return Err(node.invalid(format!(
            "attribute \"perm\" is {order:?} for a tensor of rank {rank}"
        )));
    }
    let steps = value.shape.strides();
    let shape = Shape {
        dims: order.iter().map(|&axis| value.shape.dims[axis]).collect(),
        batch: order
            .iter()
            .position(|&axis| value.shape.batch == Some(axis)),
    };
    let steps: Vec<usize> = order.iter().map(|&axis| steps[axis]).collect();
    let index = walk(&shape.dims, &steps);
    gather(node, graph, 0, &value, shape, index)
}

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

/// For every value of `to`, the number of that value of `from` whose index along each axis `of` gives.
pub(super) fn places(
    from: &Shape,
    to: &Shape,
    of: impl Fn(usize, usize) -> Option<usize>,
) -> Vec<u32> {
    let steps = strides(&from.dims);
    let mut places = vec![0u32];
    for (axis, &dim) in to.dims.iter().enumerate() {
        let along: Vec<Option<u32>> = (0..dim)
            .map(|i| of(axis, i).map(|i| (i * steps[axis]) as u32))
            .collect();
        places = (places.iter())
            .flat_map(|&place| {
                along.iter().map(move |step| match step {
                    Some(step) if place != NONE => place + step,
                    _ => NONE,
                })
            })
            .collect();
    }
    places
}

fn load_slice(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rank = value.shape.rank();
    let (starts, ends, axes, steps) = if node.has("starts") {
        let axes = node.has("axes").then(|| node.ints("axes")).transpose()?;
        (node.ints("starts")?, node.ints("ends")?, axes, None)
    } else {
        let starts = graph.ints(node, 1)?.unwrap_or_default();
        let ends = graph.ints(node, 2)?.unwrap_or_default();
        (starts, ends, graph.ints(node, 3)?, graph.ints(node, 4)?)
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(node.invalid("starts, ends, axes and steps have different lengths"));
    }
    let mut taken: Vec<(i64, i64)> = vec![(0, 1); rank];
    let mut shape = value.shape.clone();
    for i in 0..starts.len() {
        let axis = value.shape.axis(axes[i]).map_err(|e| e.at(&node.place()))?;
        let (start, end, step) = (starts[i], ends[i], steps[i]);
        if shape.batch == Some(axis) {
            if (start, step) == (0, 1) && end >= i64::from(i32::MAX) {
                continue;
            }
            return Err(node.not_supported("slicing along the rows mixes them"));
        }
        let dim = shape.dims[axis] as i64;
        let from_end = |at: i64| if at < 0 { at.saturating_add(dim) } else { at };
        let (start, end) = match step {
            0 => return Err(node.invalid("a step is 0")),
            1.. => (from_end(start).clamp(0, dim), from_end(end).clamp(0, dim)),
            _ => (
                from_end(start).clamp(0, dim - 1),
                from_end(end).clamp(-1, dim - 1),
            ),
        };
        let span = if step > 0 { end - start } else { start - end };
        let count = span.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
        shape.dims[axis] = if dim == 0 { 0 } else { count as usize };
        taken[axis] = (start, step);
    }
    let index = places(&value.shape, &shape, |axis, i| {
        let (start, step) = taken[axis];
        Some((start + step * i as i64) as usize)
    });
    gather(node, graph, 0, &value, shape, index)
}

fn load_trilu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let upper = node.flag("upper", true)?;
    let offset = graph
        .ints(node, 1)?
        .and_then(|k| k.first().copied())
        .unwrap_or(0);
    let rank = value.shape.rank();
    if rank < 2 || value.shape.batch.is_some_and(|axis| axis + 2 >= rank) {
        return Err(node.not_supported(format!("input is {}, expected matrices", value.shape)));
    }
    let (rows, columns) = (value.shape.dims[rank - 2], value.shape.dims[rank - 1]);
    let kept = |place: u32| {
        let (row, column) = (place as usize / columns % rows, place as usize % columns);
        let above = (column as i64).saturating_sub(row as i64);
        if upper {
            above >= offset
        } else {
            above <= offset
        }
    };
    let all = 0..value.width() as u32;
    let index = all
        .map(|place| if kept(place) { place } else { NONE })
        .collect();
    let shape = value.shape.clone();
    gather_or_fill(node, graph, &value, None, shape, index)
}

fn load_depth_to_space(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let column_first = match node.string("mode")?.as_deref() {
        None | Some("DCR") => false,
        Some("CRD") => true,
        Some(other) => {
            return Err(node.invalid(format!(
                "attribute \"mode\" is {other:?}, expected DCR or CRD"
            )));
        }
    };
    space(node, graph, true, column_first)
}

fn load_space_to_depth(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    space(node, graph, false, false)
}

/// Blocks of an image to channels and back: a transpose between two shapes.
fn space(
    node: &mut Node,
    graph: &mut Builder,
    to_space: bool,
    column_first: bool,
) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let block = node
        .int("blocksize")?
        .and_then(|block| usize::try_from(block).ok())
        .unwrap_or(0);
    let ([count, channels, height, width], batch) = match (&value.shape.dims[..], value.shape.batch)
    {
        (&[n, c, h, w], batch @ (None | Some(0))) => ([n, c, h, w], batch),
        _ => {
            return Err(node.not_supported(format!(
                "input is {}, expected [n, channels, height, width]",
                value.shape
            )));
        }
    };
    let square = block.saturating_mul(block);
    let fits = if to_space {
        square > 0 && channels % square == 0
    } else {
        block > 0 && height % block == 0 && width % block == 0
    };
    if !fits {
        return Err(node.invalid(format!(
            "attribute \"blocksize\" is {block} for {}",
            value.shape
        )));
    }
    let (dims, order, out) = if to_space {
        let rest = channels / square;
        let out = [count, rest, height * block, width * block];
        match column_first {
            true => (
                [count, rest, block, block, height, width],
                [0, 1, 4, 2, 5, 3],
                out,
            ),
            false => (
                [count, block, block, rest, height, width],
                [0, 3, 4, 1, 5, 2],
                out,
            ),
        }
    } else {
        let (h, w) = (height / block, width / block);
        (
            [count, channels, h, block, w, block],
            [0, 3, 5, 1, 2, 4],
            [count, channels * square, h, w],
        )
    };
    let steps = strides(&dims);
    let index = walk(
        &order.map(|axis| dims[axis]),
        &order.map(|axis| steps[axis]),
    );
    let shape = Shape {
        dims: out.to_vec(),
        batch,
    };
    gather(node, graph, 0, &value, shape, index)
}

fn load_reverse_sequence(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let along =
        |axis: Option<i64>, default, what| value.shape.own_axis(axis.unwrap_or(default), what);
    let sequences =
        along(node.int("batch_axis")?, 1, "reversing").map_err(|e| e.at(&node.place()))?;
    let time = along(node.int("time_axis")?, 0, "reversing").map_err(|e| e.at(&node.place()))?;
    let lengths = graph.ints(node, 1)?.unwrap_or_default();
    let (dims, steps) = (&value.shape.dims, value.shape.strides());
    let fits = |length: &i64| (0..=dims[time] as i64).contains(length);
    if lengths.len() != dims[sequences] || !lengths.iter().all(fits) {
        return Err(node.invalid(format!("has the lengths {lengths:?} for {}", value.shape)));
    }
    let reversed = |place: u32| {
        let at = |axis: usize| place as usize / steps[axis] % dims[axis];
        let length = lengths[at(sequences)] as usize;
        match at(time) {
            t if t < length => {
                place - (t * steps[time]) as u32 + ((length - 1 - t) * steps[time]) as u32
            }
            _ => place,
        }
    };
    let index = (0..value.width() as u32).map(reversed).collect();
    let shape = value.shape.clone();
    gather(node, graph, 0, &value, shape, index)
}

fn load_compress(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let mut value = graph.operand(node, 0)?;
    let kept = graph.constant::<i64>(node, 1)?.unwrap_or_default();
    let axis = match node.int("axis")? {
        Some(axis) => value
            .shape
            .own_axis(axis, "choosing")
            .map_err(|e| e.at(&node.place()))?,
        None if value.shape.batch.is_some() => {
            return Err(node.not_supported("choosing among all rows mixes them"));
        }
        None => {
            let width = value.width();
            value = value.reshaped(Shape::fixed(vec![width]));
            0
        }
    };
    let chosen: Vec<usize> = (0..kept.len().min(value.shape.dims[axis]))
        .filter(|i| kept[*i] != 0)
        .collect();
    let mut shape = value.shape.clone();
    shape.dims[axis] = chosen.len();
    let index = places(&value.shape, &shape, |at, i| {
        Some(if at == axis { chosen[i] } else { i })
    });
    gather(node, graph, 0, &value, shape, index)
}
