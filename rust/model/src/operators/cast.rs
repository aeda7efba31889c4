//! `Cast`, between all numeric elements and bool.
//!
//! A float outside the range of the integer, or NaN, becomes the integer's smallest value: what ONNX Runtime does on
//! x86-64, here on every processor. Integers wrap; every number but zero is true, NaN included.

use super::Step;
use crate::error::ModelError;
use crate::graph::{self, Builder, Made};
use crate::memory::{Columns, Element, Memory};
use crate::onnx::node::Node;

#[derive(Debug)]
pub(crate) struct Cast {
    from: (Element, Columns),
    to: (Element, Columns),
}

pub(super) fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let number = node.int("to")?.ok_or_else(|| node.invalid("attribute \"to\" is missing"))?;
    // These say how numbers become 8-bit floats, which no cast here makes.
    node.int("saturate")?;
    node.string("round_mode")?;
    let to = i32::try_from(number).ok();
    let element = graph::element(to).map_err(|e| e.at("attribute \"to\"").at(&node.place()))?;
    if element == value.element {
        return graph.alias(node, value);
    }
    if element == Element::String || value.element == Element::String {
        let (from, to) = (value.element.name(), element.name());
        return Err(node.not_supported(format!("a cast from {from} to {to} is not supported; casts of numbers are")));
    }
    let columns = graph.make(node, 0, Made::like(&value, element))?;
    let cast = Cast { from: (value.element, value.columns), to: (element, columns) };
    graph.push(node, format!("{} to {}", value.element.name(), element.name()), Step::Cast(cast));
    Ok(())
}

impl Cast {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        use Element::{Bool, Double, Float, Int32, Int64, String};
        let stride = memory.stride;
        let ((from, old), (to, new)) = (self.from, self.to);
        match (from, to) {
            (Float, Double) => {
                apply(n, stride, old.of(memory.f32, stride), new.of_mut(memory.f64, stride), f64::from);
            }
            (Float, Int64) => {
                apply(n, stride, old.of(memory.f32, stride), new.of_mut(memory.i64, stride), |x| to_i64(x.into()));
            }
            (Float, Int32) => {
                apply(n, stride, old.of(memory.f32, stride), new.of_mut(memory.i64, stride), |x| to_i32(x.into()));
            }
            (Float, Bool) => {
                apply(n, stride, old.of(memory.f32, stride), new.of_mut(memory.i64, stride), |x| i64::from(x != 0.0));
            }
            (Double, Float) => {
                apply(n, stride, old.of(memory.f64, stride), new.of_mut(memory.f32, stride), |x| x as f32);
            }
            (Double, Int64) => {
                apply(n, stride, old.of(memory.f64, stride), new.of_mut(memory.i64, stride), to_i64);
            }
            (Double, Int32) => {
                apply(n, stride, old.of(memory.f64, stride), new.of_mut(memory.i64, stride), to_i32);
            }
            (Double, Bool) => {
                apply(n, stride, old.of(memory.f64, stride), new.of_mut(memory.i64, stride), |x| i64::from(x != 0.0));
            }
            (Int64 | Int32 | Bool, Float) => {
                apply(n, stride, old.of(memory.i64, stride), new.of_mut(memory.f32, stride), |x| x as f32);
            }
            (Int64 | Int32 | Bool, Double) => {
                apply(n, stride, old.of(memory.i64, stride), new.of_mut(memory.f64, stride), |x| x as f64);
            }
            (Int64 | Int32 | Bool, to) => {
                let (old, new) = old.and_younger(new, memory.i64, stride);
                match to {
                    Int32 => apply(n, stride, old, new, |x| i64::from(x as i32)),
                    Bool => apply(n, stride, old, new, |x| i64::from(x != 0)),
                    _ => apply(n, stride, old, new, |x| x),
                }
            }
            (Float, Float | String) | (Double, Double | String) | (String, _) => {
                unreachable!("load makes no such cast: {from:?} to {to:?}")
            }
        }
    }
}

fn apply<T: Copy, U>(n: usize, stride: usize, from: &[T], to: &mut [U], cast: impl Fn(T) -> U) {
    for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
        for (from, to) in from[..n].iter().zip(to) {
            *to = cast(*from);
        }
    }
}

fn to_i64(x: f64) -> i64 {
    // -2^63 <= x < 2^63; false for NaN
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) { x as i64 } else { i64::MIN }
}

fn to_i32(x: f64) -> i64 {
    let x = x.trunc();
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) { x as i64 } else { i32::MIN.into() }
}
