//! `Scaler`: `(x - offset) * scale` for each column. Double inputs compute in f64, all others in f32.

use super::Step;
use crate::error::ModelError;
use crate::graph::{Builder, Made};
use crate::memory::{Columns, Element, Memory, map_columns};
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
        return Err(node.invalid(format!(
            "input is of type {}, expected a number",
            value.element.name()
        )));
    }
    let width = value.columns.width;
    let mut per_column = |name: &str| match node.floats(name)? {
        one if one.len() == 1 => Ok(vec![one[0]; width]),
        all if all.len() == width => Ok(all),
        other => {
            let found = other.len();
            Err(node.invalid(format!(
                "attribute {name:?} has {found} values, expected 1 or the input's width {width}"
            )))
        }
    };
    let (offset, scale) = (per_column("offset")?, per_column("scale")?);
    let to = graph.make(node, 0, Made::matrix(Element::Float, width))?;
    let columns = offset.into_iter().zip(scale).collect();
    let scaler = Scaler {
        columns,
        from: (value.element, value.columns),
        to,
    };
    graph.push(
        node,
        format!("{width} columns of {}", value.element.name()),
        Step::Scaler(scaler),
    );
    Ok(())
}

impl Scaler {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        let (stride, width) = (memory.stride, self.to.width);
        let (element, from) = self.from;
        match element {
            Element::Float => {
                let (from, to) = from.and_younger(self.to, memory.f32, stride);
                map_columns(n, stride, width, from, to, |column, x| {
                    let (offset, scale) = self.columns[column];
                    (x - offset) * scale
                });
            }
            Element::Double => {
                let (from, to) = (
                    from.of(memory.f64, stride),
                    self.to.of_mut(memory.f32, stride),
                );
                map_columns(n, stride, width, from, to, |column, x| {
                    let (offset, scale) = self.columns[column];
                    ((x - f64::from(offset)) * f64::from(scale)) as f32
                });
            }
            Element::Int64 | Element::Int32 | Element::Bool | Element::String => {
                let (from, to) = (
                    from.of(memory.i64, stride),
                    self.to.of_mut(memory.f32, stride),
                );
                map_columns(n, stride, width, from, to, |column, x| {
                    let (offset, scale) = self.columns[column];
                    (x as f32 - offset) * scale
                });
            }
        }
    }
}
