//! What gives a value another name or shape, and moves nothing: `Identity`, `Dropout`, `Reshape`, `Flatten`, `Squeeze`,
//! `Unsqueeze`.

use super::Operator;
use super::merged::Merged;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Size, Value};
use crate::memory::Data;
use crate::onnx::node::{CORE, Node};
use crate::shape::{Shape, axis_of};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Dropout", load_dropout),
    (CORE, "Flatten", load_flatten),
    (CORE, "Identity", load_identity),
    (CORE, "Reshape", load_reshape),
    (CORE, "Squeeze", load_squeeze),
    (CORE, "Unsqueeze", load_unsqueeze),
];

fn load_identity(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    graph.alias(node, 0, value)
}

/// A trained model drops nothing.
fn load_dropout(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    for attribute in ["seed", "ratio", "is_test", "consumed_inputs"] {
        node.ignore(attribute);
    }
    let training = graph.constant::<i64>(node, 2)?;
    if training.is_some_and(|training| training != [0]) {
        return Err(node.not_supported("training mode is not supported"));
    }
    if graph.wants(node, 1) {
        let Shape { dims, batch } = value.shape.clone();
        let ones = Data::I64(vec![1; value.width()]);
        let mask = Value::constant(Element::Bool, dims.clone(), ones);
        graph.alias(node, 1, mask.reshaped(Shape { dims, batch }))?;
    }
    graph.alias(node, 0, value)
}

fn load_reshape(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let mut value = graph.deferred(node, 0)?;
    let keep_zero = node.flag("allowzero", false)?;
    let sizes = if node.has("shape") {
        fixed(node.ints("shape")?)
    } else {
        graph
            .sizes(node, 1)?
            .ok_or_else(|| node.invalid("input number 1 is missing"))?
    };
    let keeps_some = !keep_zero && sizes.iter().any(|size| size.value == 0);
    if let Some(merged) = value.deferred::<Merged>().filter(|_| !keeps_some) {
        value = merged.apart.clone();
    }
    let (shape, merged) = reshaped(node, &value.shape, &sizes, keep_zero)?;
    let mut value = value.reshaped(shape);
    if let Some(axis) = merged {
        value = Merged::of(node, graph, value, axis)?;
    }
    graph.alias(node, 0, value)
}

fn fixed(values: Vec<i64>) -> Vec<Size> {
    let size = |value| Size {
        value,
        grows: false,
    };
    values.into_iter().map(size).collect()
}

/// The shape that `sizes` make of `from`: 0 keeps a dimension, -1 is what remains. With a number it is the shape that keeps
/// rows apart, and this axis is to be merged with theirs.
fn reshaped(
    node: &Node,
    from: &Shape,
    sizes: &[Size],
    keep_zero: bool,
) -> Result<(Shape, Option<usize>), ModelError> {
    let unfit = || {
        let sizes: Vec<i64> = sizes.iter().map(|size| size.value).collect();
        node.invalid(format!("the shape {from} cannot become {sizes:?}"))
    };
    let (mut dims, mut rest, mut rows) = (Vec::new(), None, None);
    for (axis, size) in sizes.iter().enumerate() {
        match size.value {
            -1 if rest.is_none() => {
                rest = Some(axis);
                dims.push(1);
            }
            0 if !keep_zero => {
                dims.push(*from.dims.get(axis).ok_or_else(unfit)?);
                if from.batch == Some(axis) {
                    rows = Some(axis);
                }
            }
            value => dims.push(usize::try_from(value).map_err(|_| unfit())?),
        }
        if size.grows {
            rows = Some(axis);
        }
    }
    let made: usize = (dims.iter())
        .try_fold(1usize, |made, dim| made.checked_mul(*dim))
        .ok_or_else(unfit)?;
    if let Some(axis) = rest {
        dims[axis] = from.width().checked_div(made).ok_or_else(unfit)?;
    }
    if dims.iter().product::<usize>() != from.width() {
        return Err(unfit());
    }
    let Some(batch) = from.batch else {
        return Ok((Shape::fixed(dims), None));
    };
    // Rows stay rows where as many values stand before them as did.
    let before: usize = from.dims[..batch].iter().product();
    let lead = |axis: usize| dims[..axis].iter().product::<usize>();
    match rows.or(rest) {
        Some(axis) if lead(axis) == before => {
            let batch = Some(axis);
            Ok((Shape { dims, batch }, None))
        }
        Some(axis) => {
            // Of the axis a part stands before the rows, and a part behind them.
            let times = before.checked_div(lead(axis)).unwrap_or(0);
            if times * lead(axis) != before || times == 0 || dims[axis] % times != 0 {
                return Err(node.not_supported(format!(
                    "reshaping {from} mixes rows; every row is computed alone"
                )));
            }
            dims[axis] /= times;
            dims.insert(axis, times);
            let batch = Some(axis + 1);
            Ok((Shape { dims, batch }, Some(axis)))
        }
        None => {
            let shape = Shape::fixed(dims);
            Err(node.not_supported(format!(
                "the shape {shape} fixes the number of rows of {from}: export the model with a dynamic batch"
            )))
        }
    }
}

fn load_flatten(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    let (shape, rank) = (&value.shape, value.shape.rank());
    let axis = match node.int("axis")?.unwrap_or(1) {
        axis if axis == rank as i64 => rank,
        axis => shape.axis(axis).map_err(|e| e.at(&node.place()))?,
    };
    let side = |dims: &[usize]| dims.iter().product();
    let dims = vec![side(&shape.dims[..axis]), side(&shape.dims[axis..])];
    let batch = match shape.batch {
        // Rows are the outermost of their side, or they would be mixed with what stands before them.
        Some(batch) if batch < axis && shape.dims[..batch].iter().all(|dim| *dim == 1) => Some(0),
        Some(batch) if batch >= axis && shape.dims[axis..batch].iter().all(|dim| *dim == 1) => {
            Some(1)
        }
        None => None,
        Some(_) => return Err(node.not_supported(format!("flattening {shape} mixes rows"))),
    };
    graph.alias(node, 0, value.reshaped(Shape { dims, batch }))
}

/// Axes from the attribute of old versions or the input of new ones.
fn axes(node: &mut Node, graph: &mut Builder) -> Result<Option<Vec<i64>>, ModelError> {
    if node.has("axes") {
        return node.ints("axes").map(Some);
    }
    graph.ints(node, 1)
}

fn load_squeeze(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    let Shape { dims, batch } = &value.shape;
    let gone: Vec<usize> = match axes(node, graph)? {
        Some(axes) => (axes.iter())
            .map(|&axis| value.shape.own_axis(axis, "squeezing"))
            .collect::<Result<_, _>>()
            .map_err(|e| e.at(&node.place()))?,
        None => (0..dims.len())
            .filter(|&axis| dims[axis] == 1 && *batch != Some(axis))
            .collect(),
    };
    if let Some(axis) = gone.iter().find(|axis| dims[**axis] != 1) {
        return Err(node.invalid(format!("axis {axis} of {} is not 1 long", value.shape)));
    }
    let kept: Vec<usize> = (0..dims.len())
        .filter(|axis| !gone.contains(axis))
        .collect();
    let shape = Shape {
        dims: kept.iter().map(|&axis| dims[axis]).collect(),
        batch: kept.iter().position(|&axis| *batch == Some(axis)),
    };
    graph.alias(node, 0, value.reshaped(shape))
}

fn load_unsqueeze(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    let axes = axes(node, graph)?.unwrap_or_default();
    let rank = value.shape.rank() + axes.len();
    let axes: Vec<usize> = (axes.iter())
        .map(|&axis| axis_of(axis, rank))
        .collect::<Result<_, _>>()
        .map_err(|e| e.at(&node.place()))?;
    let mut old = value.shape.dims.iter().enumerate();
    let mut shape = Shape::default();
    for axis in 0..rank {
        if axes.contains(&axis) {
            shape.dims.push(1);
        } else if let Some((from, dim)) = old.next() {
            if value.shape.batch == Some(from) {
                shape.batch = Some(axis);
            }
            shape.dims.push(*dim);
        }
    }
    if old.next().is_some() {
        return Err(node.invalid("an axis stands twice in axes"));
    }
    graph.alias(node, 0, value.reshaped(shape))
}
