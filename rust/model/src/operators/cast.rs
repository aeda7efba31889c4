//! `Cast`, between all numeric elements and bool.
//!
//! A float outside the range of the integer, or NaN, becomes the integer's smallest value: what ONNX Runtime does on
//! x86-64, here on every processor. Integers wrap; every number but zero is true, NaN included.

use super::Step;
use crate::error::ModelError;
use crate::graph::{self, Builder, Made};
use crate::memory::{Columns, Element, Memory, map_columns};
use crate::onnx::node::Node;

#[derive(Debug)]
pub(crate) struct Cast {
    from: (Element, Columns),
    to: (Element, Columns),
}

pub(super) fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let number = node
        .int("to")?
        .ok_or_else(|| node.invalid("attribute \"to\" is missing"))?;
    // These say how numbers become 8-bit floats, which no cast here makes.
    node.int("saturate")?;
    node.string("round_mode")?;
    let to = i32::try_from(number).map_err(|_| {
        node.invalid(format!(
            "attribute \"to\" is {number}, which is no element type"
        ))
    })?;
    let element =
        graph::element(Some(to)).map_err(|e| e.at("attribute \"to\"").at(&node.place()))?;
    if element == value.element {
        return graph.alias(node, value);
    }
    if element == Element::String || value.element == Element::String {
        let (from, to) = (value.element.name(), element.name());
        return Err(node.not_supported(format!(
            "a cast from {from} to {to} is not supported; casts of numbers are"
        )));
    }
    let columns = graph.make(node, 0, Made::like(&value, element))?;
    let cast = Cast {
        from: (value.element, value.columns),
        to: (element, columns),
    };
    graph.push(
        node,
        format!("{} to {}", value.element.name(), element.name()),
        Step::Cast(cast),
    );
    Ok(())
}

impl Cast {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        use Element::{Bool, Double, Float, Int32, Int64, String};
        let (stride, width) = (memory.stride, self.to.1.width);
        let ((from, old), (to, new)) = (self.from, self.to);
        macro_rules! cast {
            ($old:ident to $new:ident, $cast:expr) => {{
                let (from, to) = (old.of(memory.$old, stride), new.of_mut(memory.$new, stride));
                map_columns(n, stride, width, from, to, |_, x| $cast(x))
            }};
        }
        match (from, to) {
            (Float, Double) => cast!(f32 to f64, f64::from),
            (Float, Int64) => cast!(f32 to i64, |x| to_i64(f64::from(x))),
            (Float, Int32) => cast!(f32 to i64, |x| to_i32(f64::from(x))),
            (Float, Bool) => cast!(f32 to i64, |x| i64::from(x != 0.0)),
            (Double, Float) => cast!(f64 to f32, |x| x as f32),
            (Double, Int64) => cast!(f64 to i64, to_i64),
            (Double, Int32) => cast!(f64 to i64, to_i32),
            (Double, Bool) => cast!(f64 to i64, |x| i64::from(x != 0.0)),
            (Int64 | Int32 | Bool, Float) => cast!(i64 to f32, |x| x as f32),
            (Int64 | Int32 | Bool, Double) => cast!(i64 to f64, |x| x as f64),
            (Int64 | Int32 | Bool, Int64 | Int32 | Bool) => {
                let (from, to_columns) = old.and_younger(new, memory.i64, stride);
                map_columns(n, stride, width, from, to_columns, |_, x| match to {
                    Int32 => i64::from(x as i32),
                    Bool => i64::from(x != 0),
                    _ => x,
                });
            }
            (Float, Float) | (Double, Double) | (String, _) | (_, String) => {
                unreachable!("load makes no cast from {from:?} to {to:?}")
            }
        }
    }
}

fn to_i64(x: f64) -> i64 {
    // -2^63 <= x < 2^63; false for NaN
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

fn to_i32(x: f64) -> i64 {
    let x = x.trunc();
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) {
        x as i64
    } else {
        i32::MIN.into()
    }
}
