//! `Add`, `Sub`, `Mul`, `Div`, `Pow`, `Mod`, `Min`, `Max`, `Sum`, `Mean`, `Abs`, `Neg`, `Sign`, rounding, bits.
//!
//! Integers wrap; an integer divided by zero is 0, where ONNX leaves the result open.

use super::Operator;
use super::elementwise::{arithmetic, map, number, pair, real, refuse, zip};
use super::matmul::Product;
use super::paired::{Pairing, later};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::math;
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Abs", |node, graph| {
        number(node, graph, f32::abs, f64::abs, i64::wrapping_abs)
    }),
    (CORE, "Add", load_add),
    (CORE, "BitShift", load_shift),
    (CORE, "BitwiseAnd", |node, graph| {
        bits(node, graph, |a, b| a & b)
    }),
    (CORE, "BitwiseNot", load_bitwise_not),
    (CORE, "BitwiseOr", |node, graph| {
        bits(node, graph, |a, b| a | b)
    }),
    (CORE, "BitwiseXor", |node, graph| {
        bits(node, graph, |a, b| a ^ b)
    }),
    (CORE, "Ceil", |node, graph| {
        real(node, graph, f32::ceil, f64::ceil)
    }),
    (CORE, "Div", |node, graph| {
        two(node, graph, |a, b| a / b, |a, b| a / b, divided)
    }),
    (CORE, "Floor", |node, graph| {
        real(node, graph, f32::floor, f64::floor)
    }),
    (CORE, "Max", |node, graph| many(node, graph, max)),
    (CORE, "Mean", load_mean),
    (CORE, "Min", |node, graph| many(node, graph, min)),
    (CORE, "Mod", load_mod),
    (CORE, "Mul", |node, graph| {
        if later(node, graph, Pairing::Product)? {
            return Ok(());
        }
        two(node, graph, |a, b| a * b, |a, b| a * b, i64::wrapping_mul)
    }),
    (CORE, "Neg", |node, graph| {
        number(node, graph, |x| -x, |x| -x, i64::wrapping_neg)
    }),
    (CORE, "Pow", load_pow),
    (CORE, "Reciprocal", |node, graph| {
        real(node, graph, |x| 1.0 / x, |x| 1.0 / x)
    }),
    (CORE, "Round", |node, graph| {
        real(node, graph, f32::round_ties_even, f64::round_ties_even)
    }),
    (CORE, "Sign", |node, graph| {
        number(node, graph, sign, sign, i64::signum)
    }),
    (CORE, "Sqrt", |node, graph| {
        real(node, graph, f32::sqrt, f64::sqrt)
    }),
    (CORE, "Sub", |node, graph| {
        if later(node, graph, Pairing::Difference)? {
            return Ok(());
        }
        two(node, graph, |a, b| a - b, |a, b| a - b, i64::wrapping_sub)
    }),
    (CORE, "Sum", |node, graph| many(node, graph, sum)),
];

fn two(
    node: &mut Node,
    graph: &mut Builder,
    f: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
    d: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    i: impl Fn(i64, i64) -> i64 + Send + Sync + 'static,
) -> Result<(), ModelError> {
    // Old versions broadcast on demand only.
    let broadcast = node.int("broadcast")?;
    if node.has("axis") || broadcast.is_some_and(|asked| asked != 0) && graph.opset(node) < 7 {
        return Err(node.not_supported(
            "the broadcasting of opset 6 is not supported; export with opset 7 or later",
        ));
    }
    let (a, b) = pair(node, graph)?;
    let made = arithmetic(node, graph, (&a, &b), f, d, i)?;
    graph.alias(node, 0, made)
}

/// A constant that is added to each row of a product is where its sums begin.
fn load_add(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    if !node.has("broadcast") && !node.has("axis") {
        let (a, b) = (graph.deferred(node, 0)?, graph.deferred(node, 1)?);
        for (product, c) in [(&a, &b), (&b, &a)] {
            let rank = product.shape.rank();
            if let Some(sums) = product.deferred::<Product>()
                && let Some(sums) = sums.plus(c, rank)
            {
                let made = Value::later(product.element, product.shape.clone(), sums);
                return graph.alias(node, 0, made);
            }
        }
    }
    two(node, graph, |a, b| a + b, |a, b| a + b, i64::wrapping_add)
}

type Combine = fn(&Node, &mut Builder, &Value, &Value) -> Result<Value, ModelError>;

fn min(node: &Node, graph: &mut Builder, a: &Value, b: &Value) -> Result<Value, ModelError> {
    // NaN wins, as in numpy and ONNX Runtime.
    let f = |a: f32, b: f32| if a < b || a.is_nan() { a } else { b };
    let d = |a: f64, b: f64| if a < b || a.is_nan() { a } else { b };
    arithmetic(node, graph, (a, b), f, d, i64::min)
}

fn max(node: &Node, graph: &mut Builder, a: &Value, b: &Value) -> Result<Value, ModelError> {
    let f = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
    let d = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
    arithmetic(node, graph, (a, b), f, d, i64::max)
}

fn sum(node: &Node, graph: &mut Builder, a: &Value, b: &Value) -> Result<Value, ModelError> {
    arithmetic(
        node,
        graph,
        (a, b),
        |a, b| a + b,
        |a, b| a + b,
        i64::wrapping_add,
    )
}

/// Combines any number of inputs from the first to the last.
fn combined(node: &Node, graph: &mut Builder, combine: Combine) -> Result<Value, ModelError> {
    let mut all = graph.operand(node, 0)?;
    if !all.element.is_number() {
        return Err(refuse(node, all.element, "a number"));
    }
    for index in 1..node.inputs.len() {
        let next = graph.operand(node, index)?;
        all = combine(node, graph, &all, &next)?;
    }
    Ok(all)
}

fn many(node: &mut Node, graph: &mut Builder, combine: Combine) -> Result<(), ModelError> {
    let made = combined(node, graph, combine)?;
    graph.alias(node, 0, made)
}

fn load_mean(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let count = node.inputs.len();
    let all = combined(node, graph, sum)?;
    match all.element {
        Element::Float => map(node, graph, &all, Element::Float, move |x: f32| {
            x / count as f32
        }),
        Element::Double => map(node, graph, &all, Element::Double, move |x: f64| {
            x / count as f64
        }),
        other => Err(refuse(node, other, "float or double")),
    }
}

fn sign<T: PartialOrd + Default + From<i8>>(x: T) -> T {
    let zero = T::default();
    if x > zero {
        T::from(1)
    } else if x < zero {
        T::from(-1)
    } else {
        x
    }
}

fn divided(a: i64, b: i64) -> i64 {
    if b == 0 { 0 } else { a.wrapping_div(b) }
}

/// The remainder has the sign of the divisor, as in Python.
fn modulo(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest < 0) != (b < 0) {
        rest + b
    } else {
        rest
    }
}

fn load_mod(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let like_c = node.flag("fmod", false)?;
    let (a, b) = pair(node, graph)?;
    if a.element.is_float() && !like_c {
        return Err(node.invalid("floats need the attribute fmod = 1"));
    }
    let rest = move |a: i64, b: i64| match b {
        0 => 0,
        _ if like_c => a.wrapping_rem(b),
        _ => modulo(a, b),
    };
    let made = arithmetic(node, graph, (&a, &b), |a, b| a % b, |a, b| a % b, rest)?;
    graph.alias(node, 0, made)
}

fn load_shift(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let left = match node.string("direction")?.as_deref() {
        Some("LEFT") => true,
        Some("RIGHT") => false,
        other => {
            return Err(node.invalid(format!(
                "attribute \"direction\" is {other:?}, expected LEFT or RIGHT"
            )));
        }
    };
    let (a, b) = pair(node, graph)?;
    let (element, wrap) = (a.element, a.element.wrap());
    if !element.is_unsigned() {
        return Err(refuse(node, element, "an unsigned integer"));
    }
    zip(
        node,
        graph,
        (&a, &b),
        element,
        move |a: i64, b: i64| match (b, left) {
            (64.., _) => 0,
            (_, true) => wrap.apply(a << b),
            (_, false) => a >> b,
        },
    )
}

fn bits(node: &mut Node, graph: &mut Builder, f: fn(i64, i64) -> i64) -> Result<(), ModelError> {
    let (a, b) = pair(node, graph)?;
    if !a.element.is_integer() {
        return Err(refuse(node, a.element, "an integer"));
    }
    zip(node, graph, (&a, &b), a.element, f)
}

fn load_bitwise_not(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let wrap = value.element.wrap();
    if !value.element.is_integer() {
        return Err(refuse(node, value.element, "an integer"));
    }
    map(node, graph, &value, value.element, move |x: i64| {
        wrap.apply(!x)
    })
}

/// The result has the type of the base.
fn load_pow(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (base, power) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    let (element, both) = (base.element, (&base, &power));
    if !element.is_number() || !power.element.is_number() {
        return Err(refuse(node, element, "a number"));
    }
    // Squares are what scalers and norms have: the most common power is exact.
    let square =
        power.values::<f32>().is_some_and(|p| p == [2.0]) && power.element == Element::Float;
    match (element.region(), power.element.region()) {
        (Region::F32, Region::F32) if square => map(node, graph, &base, element, |x: f32| x * x),
        (Region::F32, Region::F32) => zip(node, graph, both, element, math::pow),
        (Region::F32, Region::F64) => zip(node, graph, both, element, |a: f32, b: f64| {
            math::pow64(a.into(), b) as f32
        }),
        (Region::F32, Region::I64) => zip(node, graph, both, element, |a: f32, b: i64| {
            math::pow64(a.into(), b as f64) as f32
        }),
        (Region::F64, Region::F32) => zip(node, graph, both, element, |a: f64, b: f32| {
            math::pow64(a, b.into())
        }),
        (Region::F64, Region::F64) => zip(node, graph, both, element, math::pow64),
        (Region::F64, Region::I64) => zip(node, graph, both, element, |a: f64, b: i64| {
            math::pow64(a, b as f64)
        }),
        (Region::I64, other) => {
            let wrap = element.wrap();
            match other {
                Region::F32 => zip(node, graph, both, element, move |a: i64, b: f32| {
                    wrap.apply(math::pow64(a as f64, b.into()) as i64)
                }),
                Region::F64 => zip(node, graph, both, element, move |a: i64, b: f64| {
                    wrap.apply(math::pow64(a as f64, b) as i64)
                }),
                Region::I64 => {
                    zip(
                        node,
                        graph,
                        both,
                        element,
                        move |a: i64, b: i64| match u32::try_from(b) {
                            Ok(b) => wrap.apply(a.wrapping_pow(b)),
                            Err(_) => wrap.apply(math::pow64(a as f64, b as f64) as i64),
                        },
                    )
                }
            }
        }
    }
}
