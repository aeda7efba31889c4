//! What moves values to other places, known at load: `Slice`, `Transpose`, `Trilu`, `DepthToSpace`, `SpaceToDepth`,
//! `ReverseSequence`, `Compress`. (`Concat`, `Expand` and `Pad` have files of their own.)

use super::Operator;
use crate::element::Region;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Place, Size, Value};
use crate::kernels::moves::{Gather, NONE};
use crate::memory::Columns;
use crate::onnx::node::{CORE, Node};
use crate::operators::constant::Fill;
use crate::shape::{Shape, strides, walk};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Compress", load_compress),
    (CORE, "DepthToSpace", load_depth_to_space),
    (CORE, "ReverseSequence", load_reverse_sequence),
    (CORE, "Slice", load_slice),
    (CORE, "SpaceToDepth", load_space_to_depth),
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
