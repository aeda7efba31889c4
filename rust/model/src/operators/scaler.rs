//! `Scaler`: `(x - offset) * scale` for each column. Double inputs compute in f64, all others in f32.

use super::Step;
use crate::error::ModelError;
use crate::graph::{Builder, Made};
use crate::memory::{Columns, Element, Memory};
use crate::onnx::node::Node;

#[derive(Debug)]
pub(crate) struct Scaler {
    /// One (offset, scale) for every column.
    columns: Vec<(f32, f32)>,
    from: (Element, Columns),
    to: Columns,
}

pub(super) fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
    if matches!(value.element, Element::Bool | Element::String) {
        return Err(node.invalid(format!("input is of type {}, expected a number", value.element.name())));
    }
    let width = value.columns.width;
    let mut per_column = |name: &str| match node.floats(name)? {
        one if one.len() == 1 => Ok(vec![one[0]; width]),
        all if all.len() == width => Ok(all),
        other => {
            let found = other.len();
            Err(node.invalid(format!("attribute {name:?} has {found} values, expected 1 or the input's width {width}")))
        }
    };
    let (offset, scale) = (per_column("offset")?, per_column("scale")?);
    let to = graph.make(node, 0, Made::matrix(Element::Float, width))?;
    let columns = offset.into_iter().zip(scale).collect();
    let scaler = Scaler { columns, from: (value.element, value.columns), to };
    graph.push(node, format!("{width} columns of {}", value.element.name()), Step::Scaler(scaler));
    Ok(())
}

impl Scaler {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        let stride = memory.stride;
        let (element, from) = self.from;
        match element {
            Element::Float => {
                let (from, to) = from.and_younger(self.to, memory.f32, stride);
                self.apply(n, stride, from, to, |x, offset, scale| (x - offset) * scale);
            }
            Element::Double => {
                let (from, to) = (from.of(memory.f64, stride), self.to.of_mut(memory.f32, stride));
                self.apply(n, stride, from, to, |x, offset, scale| ((x - f64::from(offset)) * f64::from(scale)) as f32);
            }
            Element::Int64 | Element::Int32 | Element::Bool | Element::String => {
                let (from, to) = (from.of(memory.i64, stride), self.to.of_mut(memory.f32, stride));
                self.apply(n, stride, from, to, |x, offset, scale| (x as f32 - offset) * scale);
            }
        }
    }

    fn apply<T: Copy>(&self, n: usize, stride: usize, from: &[T], to: &mut [f32], scaled: impl Fn(T, f32, f32) -> f32) {
        let columns = from.chunks_exact(stride).zip(to.chunks_exact_mut(stride));
        for (&(offset, scale), (from, to)) in self.columns.iter().zip(columns) {
            for (from, to) in from[..n].iter().zip(to) {
                *to = scaled(*from, offset, scale);
            }
        }
    }
}
