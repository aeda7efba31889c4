//! `OneHotEncoder`: a column for each category, 1 in that of the value.

use super::elementwise::refuse;
use super::{Operator, Step};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made};
use crate::kernels::lookup::{Finder, Strings, Table};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[(ML, "OneHotEncoder", load)];

enum Categories {
    Numbers(Table<i64>),
    Strings(Finder),
}

struct OneHot {
    categories: Categories,
    count: usize,
    /// Whether an unknown category has zeros only; otherwise it fails its row.
    zeros: bool,
    from: Columns,
    to: Columns,
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let (numbers, strings) = (node.ints("cats_int64s")?, node.strings("cats_strings")?);
    let zeros = node.flag("zeros", true)?;
    let (count, categories, value) = match value.element {
        Element::String => {
            let finder =
                Strings::new(strings.iter().map(String::as_str)).finder(value.dictionary.as_ref());
            (strings.len(), Categories::Strings(finder), value)
        }
        Element::Bool => return Err(refuse(node, value.element, "a number or string")),
        _ => {
            let places = numbers.iter().copied().zip(0..).collect();
            let value = super::cast::cast(node, graph, &value, Element::Int64)?;
            (numbers.len(), Categories::Numbers(places), value)
        }
    };
    if count == 0 {
        return Err(node.invalid("has no categories of the input's type"));
    }
    let from = graph.columns(node, &value)?;
    let mut shape = value.shape.clone();
    shape.dims.push(count);
    graph.check_width(node, &shape.dims)?;
    let to = graph.make(node, 0, Made::new(Element::Float, shape))?;
    let kernel = format!("{} values of {count} categories", from.width);
    graph.push(
        node,
        kernel,
        Box::new(OneHot {
            categories,
            count,
            zeros,
            from,
            to,
        }),
    );
    Ok(())
}

impl Step for OneHot {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        for k in 0..self.from.width {
            let first = self.to.first + k * self.count;
            for column in first..first + self.count {
                memory.f32[column * stride..][..n].fill(0.0);
            }
            for row in 0..n {
                let cell: i64 = memory.get(self.from.first + k, row);
                let found = match &self.categories {
                    Categories::Numbers(places) => places.get(&cell).copied(),
                    Categories::Strings(finder) => finder.find(cell, memory.text),
                };
                match found {
                    Some(place) => memory.set(first + place as usize, row, 1.0f32),
                    None if self.zeros => {}
                    None => memory.fail(row, "a category is unknown, and zeros is 0".to_owned()),
                }
            }
        }
    }
}
