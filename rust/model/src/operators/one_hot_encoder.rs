//! `OneHotEncoder`: a column for each category, 1 in that of the value.

use std::sync::Arc;

use super::elementwise::refuse;
use super::{Operator, Step};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::kernels::lookup::{Finder, Strings, Table};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[(ML, "OneHotEncoder", load)];

#[derive(Debug)]
enum Categories {
    Numbers(Table<i64>),
    Strings(Finder),
}

/// Columns of a category each that are not made yet: a sum takes the weight of the one that is 1.
#[derive(Debug, Clone)]
pub(super) struct OneHot {
    node: Node,
    categories: Arc<Categories>,
    pub count: usize,
    /// Whether an unknown category has zeros only; otherwise it fails its row.
    zeros: bool,
    pub from: Columns,
}

impl OneHot {
    /// The place of the category in a cell; a row fails where it must be known.
    #[inline]
    pub fn find(&self, column: usize, row: usize, memory: &mut Workspace) -> Option<usize> {
        let cell: i64 = memory.get(column, row);
        let found = match &*self.categories {
            Categories::Numbers(places) => places.get(&cell).copied(),
            Categories::Strings(finder) => finder.find(cell, memory.text),
        };
        if found.is_none() && !self.zeros {
            memory.fail(row, "a category is unknown, and zeros is 0".to_owned());
        }
        found.map(|place| place as usize)
    }
}

impl Deferred for OneHot {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        let to = graph.scratch(Element::Float, self.from.width * self.count)?;
        let kernel = format!("{} values of {} categories", self.from.width, self.count);
        let step = Columned {
            one_hot: self.clone(),
            to,
        };
        graph.push(&self.node, kernel, Box::new(step));
        Ok(to)
    }
}

struct Columned {
    one_hot: OneHot,
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
    let one_hot = OneHot {
        node: Node::named(&node.operator, &node.name),
        categories: Arc::new(categories),
        count,
        zeros,
        from,
    };
    graph.alias(node, 0, Value::later(Element::Float, shape, one_hot))
}

impl Step for Columned {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, one_hot) = (memory.stride, &self.one_hot);
        for k in 0..one_hot.from.width {
            let first = self.to.first + k * one_hot.count;
            for column in first..first + one_hot.count {
                memory.f32[column * stride..][..n].fill(0.0);
            }
            for row in 0..n {
                if let Some(place) = one_hot.find(one_hot.from.first + k, row, memory) {
                    memory.set(first + place, row, 1.0f32);
                }
            }
        }
    }
}
