//! `LayerNormalization`, `RMSNormalization`, `BatchNormalization`, `InstanceNormalization`, `GroupNormalization`,
//! `MeanVarianceNormalization`, `LpNormalization`: reductions and arithmetic, step by step.

use super::Operator;
use super::elementwise::{arithmetic, mapped, zipped};
use super::reduce::{F32, F64, Float, Functions, Reduction, reduce};
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::standardize::{Standard, Standardize};
use crate::memory::Data;
use crate::onnx::node::{CORE, Node};
use crate::shape::{Lines, Shape};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "BatchNormalization", load_batch),
    (CORE, "GroupNormalization", load_group),
    (CORE, "InstanceNormalization", load_instance),
    (CORE, "LayerNormalization", load_layer),
    (CORE, "LpNormalization", load_lp),
    (CORE, "MeanVarianceNormalization", load_mean_variance),
    (CORE, "RMSNormalization", load_rms),
];

fn add(node: &Node, graph: &mut Builder, a: &Value, b: &Value) -> Result<Value, ModelError> {
    arithmetic(
        node,
        graph,
        (a, b),
        |a, b| a + b,
        |a, b| a + b,
        i64::wrapping_add,
    )
}

fn multiply(node: &Node, graph: &mut Builder, a: &Value, b: &Value) -> Result<Value, ModelError> {
    arithmetic(
        node,
        graph,
        (a, b),
        |a, b| a * b,
        |a, b| a * b,
        i64::wrapping_mul,
    )
}

/// What the mean and the variance along some axes make of a value.
struct Standardized {
    values: Value,
    mean: Value,
    inverse_deviation: Value,
}

fn standardized(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[i64],
    epsilon: f32,
) -> Result<Standardized, ModelError> {
    match value.element {
        Element::Float => standardized_as(node, graph, value, axes, epsilon.into(), F32),
        Element::Double => standardized_as(node, graph, value, axes, epsilon.into(), F64),
        other => Err(super::elementwise::refuse(node, other, "float or double")),
    }
}

fn standardized_as<T: Float>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[i64],
    epsilon: f64,
    functions: Functions<T>,
) -> Result<Standardized, ModelError> {
    let element = value.element;
    let mean = reduce(node, graph, value, axes, Reduction::Mean)?;
    let centered = zipped(node, graph, (value, &mean), element, |x: T, mean: T| {
        x - mean
    })?;
    let squares = mapped(node, graph, &centered, element, |x: T| x * x)?;
    let variance = reduce(node, graph, &squares, axes, Reduction::Mean)?;
    let inverse = inverse_root(functions, epsilon);
    let inverse_deviation = mapped(node, graph, &variance, element, inverse)?;
    let values = zipped(
        node,
        graph,
        (&centered, &inverse_deviation),
        element,
        |x: T, y: T| x * y,
    )?;
    Ok(Standardized {
        values,
        mean,
        inverse_deviation,
    })
}

fn inverse_root<T: Float>(functions: Functions<T>, epsilon: f64) -> impl Fn(T) -> T + Send + Sync {
    let (one, epsilon) = ((functions.of)(1.0), (functions.of)(epsilon));
    move |x| one / (functions.sqrt)(x + epsilon)
}

fn axes_from(node: &Node, value: &Value, axis: i64) -> Result<Vec<i64>, ModelError> {
    let first = value.shape.axis(axis).map_err(|e| e.at(&node.place()))?;
    Ok((first as i64..value.shape.rank() as i64).collect())
}

/// The lines of a value along `axes`, standardized and scaled in one step: of floats, where scale and bias are constants
/// with a value for each of a line. Lines are centered where there may be a bias.
fn in_one(
    node: &Node,
    graph: &mut Builder,
    (value, axes): (&Value, &[i64]),
    bias: Option<Option<&Value>>,
    scale: &Value,
    epsilon: f32,
) -> Result<Option<Value>, ModelError> {
    let axes: Vec<usize> = (axes.iter())
        .map(|&axis| value.shape.own_axis(axis, "reducing"))
        .collect::<Result<_, _>>()
        .map_err(|e| e.at(&node.place()))?;
    let dims: Vec<usize> = axes.iter().map(|&axis| value.shape.dims[axis]).collect();
    let of_line = |constant: &Value| {
        let fits = constant.element == Element::Float && constant.shape.dims == dims;
        constant
            .values::<f32>()
            .filter(|_| fits)
            .map(<[f32]>::to_vec)
    };
    let centered = bias.is_some();
    let bias = bias.flatten();
    let (Some(scale), of_bias) = (of_line(scale), bias.and_then(of_line)) else {
        return Ok(None);
    };
    if value.element != Element::Float || bias.is_some() != of_bias.is_some() {
        return Ok(None);
    }
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let from = graph.columns(node, value)?;
    let to = graph.scratch(value.element, value.width())?;
    let lines = Lines::new(&value.shape, &axes);
    let kernel = format!("{} lines of {}", lines.starts.len(), lines.steps.len());
    let standard = Standard {
        centered,
        epsilon,
        scale,
        bias: of_bias,
    };
    let step = Standardize::new(cpu, lines, standard, from, to);
    graph.push(node, kernel, Box::new(step));
    Ok(Some(Value::columns(value.element, value.shape.clone(), to)))
}

fn load_layer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let (scale, bias) = (graph.operand(node, 1)?, graph.optional(node, 2)?);
    let axis = node.int("axis")?.unwrap_or(-1);
    let axes = axes_from(node, &value, axis)?;
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    node.ignore("stash_type");
    if !graph.wants(node, 1)
        && !graph.wants(node, 2)
        && let Some(made) = in_one(
            node,
            graph,
            (&value, &axes),
            Some(bias.as_ref()),
            &scale,
            epsilon,
        )?
    {
        return graph.alias(node, 0, made);
    }
    let standard = standardized(node, graph, &value, &axes, epsilon)?;
    let mut made = multiply(node, graph, &standard.values, &scale)?;
    if let Some(bias) = bias {
        made = add(node, graph, &made, &bias)?;
    }
    graph.alias(node, 0, made)?;
    graph.alias(node, 1, standard.mean)?;
    graph.alias(node, 2, standard.inverse_deviation)
}

fn load_rms(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, scale) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let axis = node.int("axis")?.unwrap_or(-1);
    let axes = axes_from(node, &value, axis)?;
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    node.ignore("stash_type");
    if let Some(made) = in_one(node, graph, (&value, &axes), None, &scale, epsilon)? {
        return graph.alias(node, 0, made);
    }
    let epsilon = f64::from(epsilon);
    let squares = multiply(node, graph, &value, &value)?;
    let mean = reduce(node, graph, &squares, &axes, Reduction::Mean)?;
    let inverse = match value.element {
        Element::Float => mapped(
            node,
            graph,
            &mean,
            value.element,
            inverse_root(F32, epsilon),
        )?,
        _ => mapped(
            node,
            graph,
            &mean,
            value.element,
            inverse_root(F64, epsilon),
        )?,
    };
    let normal = multiply(node, graph, &value, &inverse)?;
    let made = multiply(node, graph, &normal, &scale)?;
    graph.alias(node, 0, made)
}

fn load_mean_variance(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axes = match node.has("axes") {
        true => node.ints("axes")?,
        false => vec![0, 2, 3],
    };
    let standard = standardized(node, graph, &value, &axes, 1e-9)?;
    graph.alias(node, 0, standard.values)
}

fn load_lp(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let axis = node.int("axis")?.unwrap_or(-1);
    let norm = match node.int("p")?.unwrap_or(2) {
        1 => Reduction::L1,
        2 => Reduction::L2,
        other => return Err(node.invalid(format!("attribute \"p\" is {other}, expected 1 or 2"))),
    };
    let norm = reduce(node, graph, &value, &[axis], norm)?;
    let made = arithmetic(
        node,
        graph,
        (&value, &norm),
        |x, norm| x / norm,
        |x, norm| x / norm,
        |x, _| x,
    )?;
    graph.alias(node, 0, made)
}

/// A value of one number a channel, which is axis 1, shaped to go with `rank` axes.
fn by_channel(value: Value, rank: usize) -> Value {
    let mut dims = vec![value.width()];
    dims.resize(rank.saturating_sub(1).max(1), 1);
    value.reshaped(Shape::fixed(dims))
}

/// What channels of floats that are constants are multiplied with, and what is added.
fn trained(channels: [&Value; 4], epsilon: f64) -> Option<(Value, Value)> {
    let [scale, bias, mean, variance] = channels.map(Value::values::<f32>);
    let (scale, bias, mean, variance) = (scale?, bias?, mean?, variance?);
    let (mut factors, mut offsets) = (Vec::new(), Vec::new());
    for (((scale, bias), mean), variance) in scale.iter().zip(bias).zip(mean).zip(variance) {
        let factor = f64::from(*scale) / (f64::from(*variance) + epsilon).sqrt();
        factors.push(factor as f32);
        offsets.push((f64::from(*bias) - f64::from(*mean) * factor) as f32);
    }
    let dims = &channels[0].shape.dims;
    let all_fit = factors.len() == channels[0].width()
        && channels
            .iter()
            .all(|channel| channel.element == Element::Float && channel.shape.dims == *dims);
    let constant = |values| Value::constant(Element::Float, dims.clone(), Data::F32(values));
    all_fit.then(|| (constant(factors), constant(offsets)))
}

fn load_batch(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    if node.flag("training_mode", false)? {
        return Err(node.not_supported("training mode is not supported"));
    }
    for attribute in ["momentum", "spatial", "is_test", "consumed_inputs"] {
        node.ignore(attribute);
    }
    let epsilon = f64::from(node.float("epsilon")?.unwrap_or(1e-5));
    let mut channels = Vec::new();
    for index in 1..5 {
        let channel = graph.operand(node, index)?;
        channels.push(by_channel(channel, value.shape.rank()));
    }
    let [scale, bias, mean, variance] = &channels[..] else {
        return Err(node.invalid("has not five inputs"));
    };
    if let Some((factor, offset)) = trained([scale, bias, mean, variance], epsilon) {
        let scaled = multiply(node, graph, &value, &factor)?;
        let made = add(node, graph, &scaled, &offset)?;
        return graph.alias(node, 0, made);
    }
    let f = |x, mean| x - mean;
    let centered = arithmetic(
        node,
        graph,
        (&value, mean),
        f,
        |x, mean| x - mean,
        i64::wrapping_sub,
    )?;
    let inverse = match value.element {
        Element::Float => mapped(
            node,
            graph,
            variance,
            value.element,
            inverse_root(F32, epsilon),
        )?,
        Element::Double => mapped(
            node,
            graph,
            variance,
            value.element,
            inverse_root(F64, epsilon),
        )?,
        other => return Err(super::elementwise::refuse(node, other, "float or double")),
    };
    let factor = multiply(node, graph, &inverse, scale)?;
    let scaled = multiply(node, graph, &centered, &factor)?;
    let made = add(node, graph, &scaled, bias)?;
    graph.alias(node, 0, made)
}

fn load_instance(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rank = value.shape.rank();
    let (scale, bias) = (graph.operand(node, 1)?, graph.operand(node, 2)?);
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    let axes: Vec<i64> = (2..rank as i64).collect();
    let standard = standardized(node, graph, &value, &axes, epsilon)?;
    let scaled = multiply(node, graph, &standard.values, &by_channel(scale, rank))?;
    let made = add(node, graph, &scaled, &by_channel(bias, rank))?;
    graph.alias(node, 0, made)
}

fn load_group(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rank = value.shape.rank();
    let (scale, bias) = (graph.operand(node, 1)?, graph.operand(node, 2)?);
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    node.ignore("stash_type");
    let groups = node
        .int("num_groups")?
        .and_then(|groups| usize::try_from(groups).ok())
        .unwrap_or(0);
    let channels = value.shape.dims.get(1).copied().unwrap_or(0);
    if groups == 0 || channels % groups != 0 || !matches!(value.shape.batch, None | Some(0)) {
        return Err(node.invalid(format!(
            "attribute \"num_groups\" is {groups} for {}",
            value.shape
        )));
    }
    let mut grouped = value.shape.clone();
    grouped.dims.splice(1..2, [groups, channels / groups]);
    let axes: Vec<i64> = (2..=rank as i64).collect();
    let standard = standardized(
        node,
        graph,
        &value.clone().reshaped(grouped),
        &axes,
        epsilon,
    )?;
    let normal = standard.values.reshaped(value.shape.clone());
    // Before opset 21 there is one scale a group.
    let per_channel = |factor: Value, graph: &mut Builder| -> Result<Value, ModelError> {
        if factor.width() == channels {
            return Ok(by_channel(factor, rank));
        }
        let index: Vec<u32> = (0..channels)
            .map(|c| (c * groups / channels) as u32)
            .collect();
        let to = graph.scratch(factor.element, channels)?;
        super::moves::push_gather(node, graph, &factor, index, to);
        let wide = Value::columns(factor.element, Shape::fixed(vec![channels]), to);
        Ok(by_channel(wide, rank))
    };
    let (scale, bias) = (per_channel(scale, graph)?, per_channel(bias, graph)?);
    let scaled = multiply(node, graph, &normal, &scale)?;
    let made = add(node, graph, &scaled, &bias)?;
    graph.alias(node, 0, made)
}
