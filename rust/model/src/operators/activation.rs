//! Activations and other functions of one float.
//!
//! What networks apply to every value has kernels for floats (`kernels/functions.rs`). Other floats go through f64 and
//! round once: the nearest float but for about one value of a million.

use super::Operator;
use super::elementwise::{arithmetic, mapped, real, refuse};
use super::matmul::Product;
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::functions::{Apply, Function, OfValues};
use crate::kernels::smooth::Smooth;
use crate::onnx::node::{CORE, Node};

/// An operator whose function is computed in f64, whatever the type.
macro_rules! in_f64 {
    ($($f:tt)*) => {
        |node, graph| real(node, graph, |x| ($($f)*)(f64::from(x)) as f32, $($f)*)
    };
}

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Acos", in_f64!(libm::acos)),
    (CORE, "Acosh", in_f64!(libm::acosh)),
    (CORE, "Asin", in_f64!(libm::asin)),
    (CORE, "Asinh", in_f64!(libm::asinh)),
    (CORE, "Atan", in_f64!(libm::atan)),
    (CORE, "Atanh", in_f64!(libm::atanh)),
    (CORE, "Celu", load_celu),
    (CORE, "Cos", in_f64!(libm::cos)),
    (CORE, "Cosh", in_f64!(libm::cosh)),
    (CORE, "Elu", load_elu),
    (CORE, "Erf", |node, graph| {
        function(node, graph, Smooth::Erf, libm::erf)
    }),
    (CORE, "Exp", |node, graph| {
        function(node, graph, Function::Exp, libm::exp)
    }),
    (CORE, "Gelu", load_gelu),
    (CORE, "HardSigmoid", load_hard_sigmoid),
    (CORE, "HardSwish", |node, graph| {
        real(
            node,
            graph,
            |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        )
    }),
    (CORE, "LeakyRelu", load_leaky_relu),
    (CORE, "Log", |node, graph| {
        function(node, graph, Smooth::Log, libm::log)
    }),
    (CORE, "Mish", |node, graph| {
        function(node, graph, Smooth::Mish, |x| x * libm::tanh(softplus(x)))
    }),
    (CORE, "PRelu", load_prelu),
    (CORE, "Relu", load_relu),
    (CORE, "Selu", load_selu),
    (CORE, "Shrink", load_shrink),
    (CORE, "Sigmoid", |node, graph| {
        function(node, graph, Function::Sigmoid, logistic)
    }),
    (CORE, "Sin", in_f64!(libm::sin)),
    (CORE, "Sinh", in_f64!(libm::sinh)),
    (CORE, "Softplus", |node, graph| {
        function(node, graph, Smooth::Softplus, softplus)
    }),
    (CORE, "Softsign", |node, graph| {
        real(
            node,
            graph,
            |x| x / (1.0 + x.abs()),
            |x| x / (1.0 + x.abs()),
        )
    }),
    (CORE, "Swish", load_swish),
    (CORE, "Tan", in_f64!(libm::tan)),
    (CORE, "Tanh", |node, graph| {
        function(node, graph, Function::Tanh, libm::tanh)
    }),
    (CORE, "ThresholdedRelu", load_thresholded_relu),
];

/// A function that has a kernel for floats.
fn function(
    node: &Node,
    graph: &mut Builder,
    function: impl OfValues + 'static,
    d: impl Fn(f64) -> f64 + Send + Sync + 'static,
) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let made = match value.element {
        Element::Float => applied(node, graph, &value, function)?,
        Element::Double => mapped(node, graph, &value, Element::Double, d)?,
        other => return Err(refuse(node, other, "float or double")),
    };
    graph.alias(node, 0, made)
}

/// A function of every float.
pub(super) fn applied(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    function: impl OfValues + 'static,
) -> Result<Value, ModelError> {
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let from = graph.columns(node, value)?;
    let to = graph.scratch(Element::Float, value.width())?;
    let step = Apply {
        cpu,
        function,
        from,
        to,
    };
    graph.push(node, format!("{} float", to.width), Box::new(step));
    Ok(Value::columns(Element::Float, value.shape.clone(), to))
}

/// A function that has parameters, in f64.
fn real64(
    node: &Node,
    graph: &mut Builder,
    f: impl Fn(f64) -> f64 + Send + Sync + Copy + 'static,
) -> Result<(), ModelError> {
    real(node, graph, move |x| f(x.into()) as f32, f)
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

fn parameter(node: &mut Node, name: &str, default: f32) -> Result<f64, ModelError> {
    Ok(node.float(name)?.unwrap_or(default).into())
}

fn load_celu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = parameter(node, "alpha", 1.0)?;
    real64(node, graph, move |x| {
        x.max(0.0) + (alpha * libm::expm1(x / alpha)).min(0.0)
    })
}

fn load_elu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = parameter(node, "alpha", 1.0)?;
    function(node, graph, Smooth::Elu(alpha as f32), move |x| {
        if x < 0.0 { alpha * libm::expm1(x) } else { x }
    })
}

fn load_gelu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    match node.string("approximate")?.as_deref() {
        None | Some("none") => function(node, graph, Smooth::Gelu, |x| {
            0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
        }),
        Some("tanh") => real64(node, graph, |x| {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            0.5 * x * (1.0 + libm::tanh(inner))
        }),
        Some(other) => Err(node.invalid(format!(
            "attribute \"approximate\" is {other:?}, expected none or tanh"
        ))),
    }
}

fn load_hard_sigmoid(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (alpha, beta) = (
        node.float("alpha")?.unwrap_or(0.2),
        node.float("beta")?.unwrap_or(0.5),
    );
    let (wide_alpha, wide_beta) = (f64::from(alpha), f64::from(beta));
    let f = move |x: f32| (alpha * x + beta).clamp(0.0, 1.0);
    real(node, graph, f, move |x| {
        (wide_alpha * x + wide_beta).clamp(0.0, 1.0)
    })
}

fn load_leaky_relu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = node.float("alpha")?.unwrap_or(0.01);
    let wide = f64::from(alpha);
    let f = move |x: f32| if x < 0.0 { alpha * x } else { x };
    real(node, graph, f, move |x| if x < 0.0 { wide * x } else { x })
}

fn load_prelu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, slope) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let f = |x: f32, slope: f32| if x < 0.0 { slope * x } else { x };
    let d = |x: f64, slope: f64| if x < 0.0 { slope * x } else { x };
    let i = |x: i64, slope: i64| if x < 0 { slope.wrapping_mul(x) } else { x };
    let made = arithmetic(node, graph, (&value, &slope), f, d, i)?;
    graph.alias(node, 0, made)
}

/// Sums of a product are at least zero themselves.
fn load_relu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.deferred(node, 0)?;
    if let Some(product) = value.deferred::<Product>() {
        let product = product.at_least_zero();
        let made = Value::later(value.element, value.shape.clone(), product);
        return graph.alias(node, 0, made);
    }
    super::elementwise::number(
        node,
        graph,
        |x| if x < 0.0 { 0.0 } else { x },
        |x| if x < 0.0 { 0.0 } else { x },
        |x| x.max(0),
    )
}

fn load_selu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = parameter(node, "alpha", 1.673_263_2)?;
    let gamma = parameter(node, "gamma", 1.050_701)?;
    real64(node, graph, move |x| {
        gamma * if x > 0.0 { x } else { alpha * libm::expm1(x) }
    })
}

fn load_shrink(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (bias, bound) = (
        parameter(node, "bias", 0.0)?,
        parameter(node, "lambd", 0.5)?,
    );
    real64(node, graph, move |x| match x {
        _ if x < -bound => x + bias,
        _ if x > bound => x - bias,
        _ => 0.0,
    })
}

fn load_swish(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = parameter(node, "alpha", 1.0)?;
    real64(node, graph, move |x| x * logistic(alpha * x))
}

fn load_thresholded_relu(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let alpha = parameter(node, "alpha", 1.0)?;
    let value = graph.operand(node, 0)?;
    match value.element {
        Element::Float | Element::Double => {
            real64(node, graph, move |x| if x > alpha { x } else { 0.0 })
        }
        other => Err(super::elementwise::refuse(node, other, "float or double")),
    }
}
