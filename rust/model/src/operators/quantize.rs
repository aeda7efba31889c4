//! `QuantizeLinear`, `DequantizeLinear`, `DynamicQuantizeLinear`, `MatMulInteger`, `QLinearMatMul`.

use super::Operator;
use super::elementwise::{mapped, refuse, zip, zipped};
use super::matmul::matmul;
use super::reduce::{Reduction, reduce};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::memory::Data;
use crate::onnx::node::{CORE, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "DequantizeLinear", load_dequantize),
    (CORE, "DynamicQuantizeLinear", load_dynamic),
    (CORE, "MatMulInteger", load_matmul),
    (CORE, "QLinearMatMul", load_quantized_matmul),
    (CORE, "QuantizeLinear", load_quantize),
];

/// A scale or zero point brought to the shape of what it goes with: one for all, one for each place along `axis`, or
/// one for each block of places.
fn spread(
    node: &Node,
    graph: &mut Builder,
    factor: Value,
    value: &Value,
    axis: i64,
    block: i64,
) -> Result<Value, ModelError> {
    if factor.width() == 1 {
        return Ok(factor.reshaped(Shape::fixed(vec![])));
    }
    let rank = value.shape.rank();
    let axis = value.shape.axis(axis).map_err(|e| e.at(&node.place()))?;
    if factor.shape.rank() == 1 {
        let mut dims = vec![1; rank];
        dims[axis] = factor.width();
        return Ok(factor.reshaped(Shape::fixed(dims)));
    }
    let block = usize::try_from(block).ok().filter(|block| *block > 0);
    let block = block.ok_or_else(|| node.invalid(format!("the scale is {}", factor.shape)))?;
    let shape = Shape {
        dims: value.shape.dims.clone(),
        batch: factor.shape.batch,
    };
    let fits = factor.shape.rank() == rank
        && (0..rank).all(|a| {
            factor.shape.dims[a]
                == if a == axis {
                    shape.dims[a].div_ceil(block)
                } else {
                    shape.dims[a]
                }
        });
    if !fits {
        return Err(node.invalid(format!("the scale is {} for {}", factor.shape, value.shape)));
    }
    let index = super::moves::places(&factor.shape, &shape, |a, i| {
        Some(if a == axis { i / block } else { i })
    });
    let to = graph.scratch(factor.element, index.len())?;
    super::moves::push_gather(node, graph, &factor, index, to);
    Ok(Value::columns(factor.element, shape, to))
}

/// Rounded to the nearest, ties to even, plus the zero point, as far as the type reaches.
fn quantized(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    scale: &Value,
    zero: &Value,
) -> Result<Value, ModelError> {
    let element = zero.element;
    if !matches!(
        element,
        Element::Int8 | Element::Uint8 | Element::Int16 | Element::Uint16
    ) {
        return Err(node.not_supported(format!(
            "quantizing to {} is not supported; int8, uint8, int16 and uint16 are",
            element.name()
        )));
    }
    if value.element != Element::Float || scale.element != Element::Float {
        return Err(refuse(node, value.element, "float, with a scale of float"));
    }
    let steps = zipped(
        node,
        graph,
        (value, scale),
        Element::Float,
        |x: f32, scale: f32| (x / scale).round_ties_even(),
    )?;
    let (least, most) = element.range();
    zipped(
        node,
        graph,
        (&steps, zero),
        element,
        move |x: f32, zero: i64| {
            // The cast stops at the ends of i64, and NaN becomes 0.
            (x as i64).saturating_add(zero).clamp(least, most)
        },
    )
}

fn zero_of(element: Element) -> Value {
    Value::constant(element, vec![], Data::I64(vec![0]))
}

fn load_quantize(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, scale) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let zero = graph.optional(node, 2)?;
    let (axis, block) = (
        node.int("axis")?.unwrap_or(1),
        node.int("block_size")?.unwrap_or(0),
    );
    node.ignore("saturate");
    node.ignore("precision");
    let asked = match node.int("output_dtype")? {
        Some(number) if number != 0 => {
            Element::of_onnx(i32::try_from(number).ok()).map_err(|e| e.at(&node.place()))?
        }
        _ => Element::Uint8,
    };
    let zero = zero.unwrap_or_else(|| zero_of(asked));
    let scale = spread(node, graph, scale, &value, axis, block)?;
    let zero = spread(node, graph, zero, &value, axis, block)?;
    let made = quantized(node, graph, &value, &scale, &zero)?;
    graph.alias(node, 0, made)
}

fn load_dequantize(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, scale) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let zero = graph
        .optional(node, 2)?
        .unwrap_or_else(|| zero_of(value.element));
    let (axis, block) = (
        node.int("axis")?.unwrap_or(1),
        node.int("block_size")?.unwrap_or(0),
    );
    node.ignore("output_dtype");
    if !value.element.is_integer() || scale.element != Element::Float {
        return Err(refuse(
            node,
            value.element,
            "an integer, with a scale of float",
        ));
    }
    let scale = spread(node, graph, scale, &value, axis, block)?;
    let zero = spread(node, graph, zero, &value, axis, block)?;
    let centered = zipped(
        node,
        graph,
        (&value, &zero),
        Element::Int64,
        |x: i64, zero: i64| x - zero,
    )?;
    zip(
        node,
        graph,
        (&centered, &scale),
        Element::Float,
        |x: i64, scale: f32| x as f32 * scale,
    )
}

/// The scale is that of the whole tensor: of the rows together, where there are several.
fn load_dynamic(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    if value.shape.batch.is_some() {
        return Err(node.not_supported("the scale of all rows together mixes them"));
    }
    let axes: Vec<i64> = (0..value.shape.rank() as i64).collect();
    let scalar = |value: Value| value.reshaped(Shape::fixed(vec![]));
    let least = scalar(reduce(node, graph, &value, &axes, Reduction::Min)?);
    let most = scalar(reduce(node, graph, &value, &axes, Reduction::Max)?);
    let least = mapped(node, graph, &least, Element::Float, |x: f32| x.min(0.0))?;
    let scale = zipped(
        node,
        graph,
        (&most, &least),
        Element::Float,
        |most: f32, least: f32| (most.max(0.0) - least) / 255.0,
    )?;
    let zero = zipped(
        node,
        graph,
        (&least, &scale),
        Element::Uint8,
        |least: f32, scale: f32| (-least / scale).round_ties_even().clamp(0.0, 255.0) as i64,
    )?;
    let made = quantized(node, graph, &value, &scale, &zero)?;
    graph.alias(node, 0, made)?;
    graph.alias(node, 1, scale)?;
    graph.alias(node, 2, zero)
}

/// A quantized matrix without its zero point, as int64; the zero point is one for all, or one for each row (`axis` -2)
/// or column (-1).
fn centered(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    zero: Option<Value>,
    axis: i64,
) -> Result<Value, ModelError> {
    if !value.element.is_integer() {
        return Err(refuse(node, value.element, "an integer"));
    }
    let zero = zero.unwrap_or_else(|| zero_of(value.element));
    let zero = by_place(zero, value, axis);
    if let (Some(values), Some([zero])) = (value.values::<i64>(), zero.values::<i64>()) {
        let data = Data::I64(values.iter().map(|x| x - zero).collect());
        return Ok(Value::constant(
            Element::Int64,
            value.shape.dims.clone(),
            data,
        ));
    }
    zipped(
        node,
        graph,
        (value, &zero),
        Element::Int64,
        |x: i64, zero: i64| x - zero,
    )
}

/// A factor for each row or column of a matrix, shaped to go with it; others as they are.
fn by_place(factor: Value, value: &Value, axis: i64) -> Value {
    match (factor.width(), factor.shape.rank()) {
        (1, _) => factor.reshaped(Shape::fixed(vec![])),
        (width, 1) if axis == -2 && value.shape.rank() > 1 => {
            factor.reshaped(Shape::fixed(vec![width, 1]))
        }
        _ => factor,
    }
}

fn load_matmul(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (a, b) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let (a_zero, b_zero) = (graph.optional(node, 2)?, graph.optional(node, 3)?);
    let a = centered(node, graph, &a, a_zero, -2)?;
    let b = centered(node, graph, &b, b_zero, -1)?;
    let made = matmul(node, graph, &a, &b)?;
    let wrap = Element::Int32.wrap();
    let made = mapped(node, graph, &made, Element::Int32, move |x: i64| {
        wrap.apply(x)
    })?;
    graph.alias(node, 0, made)
}

fn load_quantized_matmul(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let inputs: Vec<Value> = (0..8)
        .map(|index| graph.operand(node, index))
        .collect::<Result<_, _>>()?;
    let [a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero] = &inputs[..] else {
        return Err(node.invalid("has not eight inputs"));
    };
    if [a_scale, b_scale, y_scale]
        .iter()
        .any(|scale| scale.element != Element::Float)
    {
        return Err(node.not_supported("supported are scales of float"));
    }
    let (a_scale, b_scale) = (
        by_place(a_scale.clone(), a, -2),
        by_place(b_scale.clone(), b, -1),
    );
    let a = centered(node, graph, a, Some(a_zero.clone()), -2)?;
    let b = centered(node, graph, b, Some(b_zero.clone()), -1)?;
    let sums = matmul(node, graph, &a, &b)?;
    let sums = zipped(
        node,
        graph,
        (&sums, &a_scale),
        Element::Float,
        |x: i64, scale: f32| x as f32 * scale,
    )?;
    let sums = zipped(
        node,
        graph,
        (&sums, &b_scale),
        Element::Float,
        |x: f32, scale: f32| x * scale,
    )?;
    let y_scale = by_place(y_scale.clone(), &sums, -2);
    let y_zero = by_place(y_zero.clone(), &sums, -2);
    let made = quantized(node, graph, &sums, &y_scale, &y_zero)?;
    graph.alias(node, 0, made)
}
