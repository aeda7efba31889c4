//! Reductions: `ReduceSum`, `ReduceMean`, `ReduceMax`, ...; `Softmax`, `LogSoftmax`; what normalisations are made of.

use super::Operator;
use super::activation::applied;
use super::elementwise::{mapped, refuse, zipped};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::fold::Fold;
use crate::kernels::functions::Function;
use crate::kernels::softmax::Softmax;
use crate::math;
use crate::memory::Cell;
use crate::onnx::node::{CORE, Node};
use crate::shape::{Lines, Shape};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "LogSoftmax", |node, graph| {
        load_softmax(node, graph, true)
    }),
    (CORE, "ReduceL1", |node, graph| {
        load(node, graph, Reduction::L1)
    }),
    (CORE, "ReduceL2", |node, graph| {
        load(node, graph, Reduction::L2)
    }),
    (CORE, "ReduceLogSum", |node, graph| {
        load(node, graph, Reduction::LogSum)
    }),
    (CORE, "ReduceLogSumExp", |node, graph| {
        load(node, graph, Reduction::LogSumExp)
    }),
    (CORE, "ReduceMax", |node, graph| {
        load(node, graph, Reduction::Max)
    }),
    (CORE, "ReduceMean", |node, graph| {
        load(node, graph, Reduction::Mean)
    }),
    (CORE, "ReduceMin", |node, graph| {
        load(node, graph, Reduction::Min)
    }),
    (CORE, "ReduceProd", |node, graph| {
        load(node, graph, Reduction::Product)
    }),
    (CORE, "ReduceSum", |node, graph| {
        load(node, graph, Reduction::Sum)
    }),
    (CORE, "ReduceSumSquare", |node, graph| {
        load(node, graph, Reduction::SumSquare)
    }),
    (CORE, "Softmax", |node, graph| {
        load_softmax(node, graph, false)
    }),
];

/// What becomes of the values along the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Product,
    Sum,
    SumSquare,
}

fn load(node: &mut Node, graph: &mut Builder, reduction: Reduction) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let keep = node.flag("keepdims", true)?;
    let none_is_none = node.flag("noop_with_empty_axes", false)?;
    let axes = match node.has("axes") {
        true => node.ints("axes")?,
        false => graph.ints(node, 1)?.unwrap_or_default(),
    };
    let axes: Vec<i64> = match (axes.is_empty(), none_is_none) {
        (true, true) => return load_of_each(node, graph, value, reduction),
        (true, false) => (0..value.shape.rank() as i64).collect(),
        _ => axes,
    };
    let made = reduce(node, graph, &value, &axes, reduction)?;
    let made = if keep { made } else { squeezed(made, &axes) };
    graph.alias(node, 0, made)
}

/// Without axes every value is a line of its own.
fn load_of_each(
    node: &Node,
    graph: &mut Builder,
    value: Value,
    reduction: Reduction,
) -> Result<(), ModelError> {
    let mut alone = value.clone();
    alone.shape.dims.push(1);
    let axis = value.shape.rank() as i64;
    let made = reduce(node, graph, &alone, &[axis], reduction)?;
    graph.alias(node, 0, made.reshaped(value.shape))
}

/// The value without the axes, which are 1 long.
pub(super) fn squeezed(value: Value, axes: &[i64]) -> Value {
    let rank = value.shape.rank() as i64;
    let gone = |axis: usize| {
        axes.iter()
            .any(|&a| (if a < 0 { a + rank } else { a }) == axis as i64)
    };
    let kept: Vec<usize> = (0..value.shape.rank())
        .filter(|&axis| !gone(axis))
        .collect();
    let shape = Shape {
        dims: kept.iter().map(|&axis| value.shape.dims[axis]).collect(),
        batch: kept
            .iter()
            .position(|&axis| value.shape.batch == Some(axis)),
    };
    value.reshaped(shape)
}

/// The reduction of `value` along `axes`, which stay with the length 1.
pub(super) fn reduce(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[i64],
    reduction: Reduction,
) -> Result<Value, ModelError> {
    let axes: Vec<usize> = (axes.iter())
        .map(|&axis| value.shape.own_axis(axis, "reducing"))
        .collect::<Result<_, _>>()
        .map_err(|e| e.at(&node.place()))?;
    match value.element.region() {
        _ if value.element == Element::String => Err(refuse(node, value.element, "a number")),
        Region::F32 => floats(node, graph, value, &axes, reduction, F32),
        Region::F64 => floats(node, graph, value, &axes, reduction, F64),
        Region::I64 => integers(node, graph, value, &axes, reduction),
    }
}

fn fold<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
    start: T,
    f: impl Fn(T, T) -> T + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    let from = graph.columns(node, value)?;
    let mut shape = value.shape.clone();
    axes.iter().for_each(|&axis| shape.dims[axis] = 1);
    let to = graph.scratch(value.element, shape.width())?;
    let lines = Lines::new(&value.shape, axes);
    let kernel = format!("{} lines of {}", lines.starts.len(), lines.steps.len());
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step = Fold::new(cpu, lines, (from, to), start, f);
    graph.push(node, kernel, Box::new(step));
    Ok(Value::columns(value.element, shape, to))
}

/// The functions of a float type that reductions need.
#[derive(Clone, Copy)]
pub(super) struct Functions<T> {
    pub of: fn(f64) -> T,
    pub exp: fn(T) -> T,
    pub ln: fn(T) -> T,
    pub sqrt: fn(T) -> T,
    pub abs: fn(T) -> T,
}

pub(super) const F32: Functions<f32> = Functions {
    of: |x| x as f32,
    exp: math::exp,
    ln: math::ln,
    sqrt: f32::sqrt,
    abs: f32::abs,
};
pub(super) const F64: Functions<f64> = Functions {
    of: |x| x,
    exp: libm::exp,
    ln: libm::log,
    sqrt: f64::sqrt,
    abs: f64::abs,
};

/// f32 or f64, with the operators of both.
pub(super) trait Float:
    Cell
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
{
}
impl Float for f32 {}
impl Float for f64 {}

#[allow(clippy::eq_op, reason = "NaN is not equal to itself")]
fn floats<T: Float>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
    reduction: Reduction,
    functions: Functions<T>,
) -> Result<Value, ModelError> {
    let Functions {
        of, ln, sqrt, abs, ..
    } = functions;
    let element = value.element;
    let zero = of(0.0);
    match reduction {
        Reduction::Sum => fold(node, graph, value, axes, zero, |sum: T, x| sum + x),
        Reduction::Product => fold(node, graph, value, axes, of(1.0), |product: T, x| {
            product * x
        }),
        Reduction::SumSquare => fold(node, graph, value, axes, zero, |sum: T, x| sum + x * x),
        Reduction::L1 => fold(node, graph, value, axes, zero, move |sum: T, x| {
            sum + abs(x)
        }),
        Reduction::Max => fold(
            node,
            graph,
            value,
            axes,
            of(f64::NEG_INFINITY),
            |max: T, x| {
                if x > max || x != x { x } else { max }
            },
        ),
        Reduction::Min => fold(node, graph, value, axes, of(f64::INFINITY), |min: T, x| {
            if x < min || x != x { x } else { min }
        }),
        Reduction::Mean => {
            let sum = floats(node, graph, value, axes, Reduction::Sum, functions)?;
            let count: usize = axes.iter().map(|&axis| value.shape.dims[axis]).product();
            let count = of(count as f64);
            mapped(node, graph, &sum, element, move |x: T| x / count)
        }
        Reduction::L2 => {
            let sum = floats(node, graph, value, axes, Reduction::SumSquare, functions)?;
            mapped(node, graph, &sum, element, sqrt)
        }
        Reduction::LogSum => {
            let sum = floats(node, graph, value, axes, Reduction::Sum, functions)?;
            mapped(node, graph, &sum, element, ln)
        }
        Reduction::LogSumExp => {
            let (max, sum) = shifted_exp(node, graph, value, axes, functions)?;
            zipped(node, graph, (&max, &sum), element, move |max: T, sum: T| {
                max + ln(sum)
            })
        }
    }
}

/// The largest value of every line (0 where it is infinite), and the sum of e to what lies below it.
fn shifted_exp<T: Float>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
    functions: Functions<T>,
) -> Result<(Value, Value), ModelError> {
    let element = value.element;
    let max = floats(node, graph, value, axes, Reduction::Max, functions)?;
    let (zero, infinity, least) = (
        (functions.of)(0.0),
        (functions.of)(f64::INFINITY),
        (functions.of)(f64::NEG_INFINITY),
    );
    let finite = move |x: T| if x == infinity || x == least { zero } else { x };
    let max = mapped(node, graph, &max, element, finite)?;
    let powers = exp_of_difference(node, graph, value, &max, functions)?;
    let sum = floats(node, graph, &powers, axes, Reduction::Sum, functions)?;
    Ok((max, sum))
}

/// e to the power of what `value` is above `max`.
fn exp_of_difference<T: Float>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    max: &Value,
    functions: Functions<T>,
) -> Result<Value, ModelError> {
    let element = value.element;
    let below = zipped(node, graph, (value, max), element, |x: T, max: T| x - max)?;
    match element {
        Element::Float => applied(node, graph, &below, Function::Exp),
        _ => mapped(node, graph, &below, element, functions.exp),
    }
}

fn integers(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
    reduction: Reduction,
) -> Result<Value, ModelError> {
    let (wrap, (least, most)) = (value.element.wrap(), value.element.range());
    let (least, most) = if value.element == Element::Bool {
        (0, 1)
    } else {
        (least, most)
    };
    match reduction {
        Reduction::Sum => fold(node, graph, value, axes, 0, move |sum: i64, x| {
            wrap.apply(sum.wrapping_add(x))
        }),
        Reduction::Product => fold(node, graph, value, axes, 1, move |product: i64, x| {
            wrap.apply(product.wrapping_mul(x))
        }),
        Reduction::SumSquare => fold(node, graph, value, axes, 0, move |sum: i64, x| {
            wrap.apply(sum.wrapping_add(x.wrapping_mul(x)))
        }),
        Reduction::L1 => fold(node, graph, value, axes, 0, move |sum: i64, x: i64| {
            wrap.apply(sum.wrapping_add(x.wrapping_abs()))
        }),
        Reduction::Max => fold(node, graph, value, axes, least, i64::max),
        Reduction::Min => fold(node, graph, value, axes, most, i64::min),
        Reduction::Mean => {
            let sum = integers(node, graph, value, axes, Reduction::Sum)?;
            let count: usize = axes.iter().map(|&axis| value.shape.dims[axis]).product();
            mapped(node, graph, &sum, value.element, move |x: i64| {
                x / count.max(1) as i64
            })
        }
        Reduction::L2 | Reduction::LogSum | Reduction::LogSumExp => {
            Err(node.not_supported(format!(
                "input is of type {}, supported are float and double",
                value.element.name()
            )))
        }
    }
}

/// Before opset 13 all axes from `axis` on are one.
fn load_softmax(node: &mut Node, graph: &mut Builder, log: bool) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let old = graph.opset(node) < 13;
    let axis = node.int("axis")?.unwrap_or(if old { 1 } else { -1 });
    let first = value
        .shape
        .own_axis(axis, "Softmax")
        .map_err(|e| e.at(&node.place()))?;
    let axes: Vec<usize> = if old {
        (first..value.shape.rank()).collect()
    } else {
        vec![first]
    };
    if value.shape.batch.is_some_and(|batch| axes.contains(&batch)) {
        return Err(node.not_supported("Softmax along the rows mixes them"));
    }
    let made = match value.element {
        Element::Float if !log => shares(node, graph, &value, &axes)?,
        Element::Float => softmax(node, graph, &value, &axes, log, F32)?,
        Element::Double => softmax(node, graph, &value, &axes, log, F64)?,
        other => return Err(refuse(node, other, "float or double")),
    };
    graph.alias(node, 0, made)
}

/// The softmax of floats, in one step.
fn shares(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
) -> Result<Value, ModelError> {
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let from = graph.columns(node, value)?;
    let to = graph.scratch(value.element, value.width())?;
    let lines = Lines::new(&value.shape, axes);
    let kernel = format!("{} lines of {}", lines.starts.len(), lines.steps.len());
    let step = Softmax::new(cpu, lines, (from, to));
    graph.push(node, kernel, Box::new(step));
    Ok(Value::columns(value.element, value.shape.clone(), to))
}

pub(super) fn softmax<T: Float>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    axes: &[usize],
    log: bool,
    functions: Functions<T>,
) -> Result<Value, ModelError> {
    let element = value.element;
    if log {
        let (max, sum) = shifted_exp(node, graph, value, axes, functions)?;
        let below = zipped(node, graph, (value, &max), element, |x: T, max: T| x - max)?;
        let ln = functions.ln;
        return zipped(node, graph, (&below, &sum), element, move |x: T, sum: T| {
            x - ln(sum)
        });
    }
    let max = floats(node, graph, value, axes, Reduction::Max, functions)?;
    let powers = exp_of_difference(node, graph, value, &max, functions)?;
    let sum = floats(node, graph, &powers, axes, Reduction::Sum, functions)?;
    zipped(node, graph, (&powers, &sum), element, |x: T, sum: T| {
        x / sum
    })
}
