//! `Scaler`: `(x - offset) * scale` for each column. Double inputs compute in f64, all others in f32.

use super::{Operator, Step};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::memory::{Columns, Workspace, map_columns};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[(ML, "Scaler", load)];

struct Scaler {
    /// One (offset, scale) for every column.
    columns: Vec<(f32, f32)>,
    from: (Element, Columns),
    to: Columns,
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = graph.rows(node)?;
    if !rows.element.is_number() {
        return Err(super::elementwise::refuse(node, rows.element, "a number"));
    }
    let width = rows.width;
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
    let scales = offset.into_iter().zip(scale).cycle();
    let scaled = Scaled {
        node: Node::named(&node.operator, &node.name),
        element: rows.element,
        from: rows.columns,
        scales: scales.take(rows.columns.width).collect(),
    };
    let value = Value::later(Element::Float, rows.wide(width), scaled);
    graph.alias(node, 0, value)
}

/// Scaled columns that are not made yet: a sum takes the scales.
#[derive(Debug, Clone)]
pub(super) struct Scaled {
    node: Node,
    pub element: Element,
    pub from: Columns,
    /// One (offset, scale) for every column.
    pub scales: Vec<(f32, f32)>,
}

impl Deferred for Scaled {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        let to = graph.scratch(Element::Float, self.from.width)?;
        let kernel = format!("{} columns of {}", to.width, self.element.name());
        let step = Scaler {
            columns: self.scales.clone(),
            from: (self.element, self.from),
            to,
        };
        graph.push(&self.node, kernel, Box::new(step));
        Ok(to)
    }
}

impl Step for Scaler {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width) = (memory.stride, self.to.width);
        let (element, from) = self.from;
        let (older, to) = memory.split::<f32>(self.to);
        match element.region() {
            Region::F32 => {
                map_columns(
                    n,
                    stride,
                    width,
                    from.of(older.f32, stride),
                    to,
                    |column, x| {
                        let (offset, scale) = self.columns[column];
                        (x - offset) * scale
                    },
                );
            }
            Region::F64 => {
                map_columns(
                    n,
                    stride,
                    width,
                    from.of(older.f64, stride),
                    to,
                    |column, x| {
                        let (offset, scale) = self.columns[column];
                        ((x - f64::from(offset)) * f64::from(scale)) as f32
                    },
                );
            }
            Region::I64 => {
                map_columns(
                    n,
                    stride,
                    width,
                    from.of(older.i64, stride),
                    to,
                    |column, x| {
                        let (offset, scale) = self.columns[column];
                        (x as f32 - offset) * scale
                    },
                );
            }
        }
    }
}
