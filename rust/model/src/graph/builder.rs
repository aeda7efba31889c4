//! What the operators read from and write to while the graph is walked.

use std::collections::HashMap;
use std::sync::Arc;

use super::ids::Ids;
use super::value::{Constant, Place, Size, Value};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::memory::{Cell, Columns, MemorySize};
use crate::model::StepInfo;
use crate::onnx::node::{CORE, Node};
use crate::onnx::proto::TensorProto;
use crate::onnx::{External, tensor};
use crate::operators::Step;
use crate::operators::constant::Fill;
use crate::shape::Shape;

/// The plan while it grows.
pub(crate) struct Builder<'a> {
    pub external: External<'a>,
    /// The version of every operator set that the file imports.
    pub opsets: HashMap<String, i64>,
    pub values: HashMap<String, Value>,
    /// Constants of the file that no node has read yet.
    pub initializers: HashMap<String, TensorProto>,
    /// How many nodes read each value, the graph's outputs included.
    pub readers: HashMap<String, usize>,
    pub memory: MemorySize,
    pub steps: Vec<(StepInfo, Box<dyn Step>)>,
    /// What is known of ids.
    pub ids: Ids,
    /// The most columns that each region may have: a few bytes of a file can declare any width.
    pub limit: usize,
    /// The most values that nodes of constants may make.
    pub fold_limit: usize,
}

/// What a node makes.
pub(crate) struct Made {
    pub element: Element,
    pub shape: Shape,
    pub dictionary: Option<Arc<[String]>>,
}

impl Made {
    pub fn new(element: Element, shape: Shape) -> Self {
        Self {
            element,
            shape,
            dictionary: None,
        }
    }

    /// One label for every row: an int64, or a code of the strings.
    pub fn label(rows: &RowShape, strings: Option<Vec<String>>) -> Self {
        let element = match strings {
            Some(_) => Element::String,
            None => Element::Int64,
        };
        Self {
            element,
            shape: rows.single(),
            dictionary: strings.map(Into::into),
        }
    }
}

/// A value as rows of `width` values: `lead` of them in each record's share.
///
/// Of a batched `[n, width]` there is one; of `[3, width]` that every record has for itself, there are three.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub element: Element,
    pub columns: Columns,
    pub lead: usize,
    pub width: usize,
    shape: RowShape,
}

/// A shape as rows along its last axis.
#[derive(Debug, Clone)]
pub(crate) struct RowShape {
    pub lead: usize,
    pub width: usize,
    shape: Shape,
}

impl RowShape {
    /// The shape of `width` values for every row.
    pub fn wide(&self, width: usize) -> Shape {
        let mut shape = self.shape.clone();
        *shape.dims.last_mut().expect("rows have a last axis") = width;
        shape
    }

    /// The shape of one value for every row.
    pub fn single(&self) -> Shape {
        let mut shape = self.shape.clone();
        if shape.rank() > 1 {
            shape.dims.pop();
            shape
        } else {
            self.wide(1)
        }
    }

    /// The columns of one of the `lead` rows, in a value of `width` columns for each.
    pub fn of(&self, index: usize, columns: Columns) -> Columns {
        // A division is a good part of what a small model takes.
        let width = match self.lead {
            1 => columns.width,
            lead => columns.width / lead,
        };
        columns.part(index * width, width)
    }
}

impl std::ops::Deref for Rows {
    type Target = RowShape;

    fn deref(&self) -> &RowShape {
        &self.shape
    }
}

impl Builder<'_> {
    /// The version of the operator set of the core operators.
    pub fn opset(&self, node: &Node) -> i64 {
        let domain = if node.domain == CORE {
            ""
        } else {
            &node.domain
        };
        self.opsets.get(domain).copied().unwrap_or(i64::MAX)
    }

    /// The value of a name, constants of the file included.
    pub fn value(&mut self, name: &str) -> Result<Option<Value>, ModelError> {
        if let Some(value) = self.values.get(name) {
            return Ok(Some(value.clone()));
        }
        let Some(stored) = self.initializers.remove(name) else {
            return Ok(None);
        };
        let value = tensor::constant(stored, self.external)
            .map_err(|e| e.at(&format!("constant {name:?}")))?;
        self.values.insert(name.to_owned(), value.clone());
        Ok(Some(value))
    }

    /// The value that a node reads as its input number `index`, if it has that input.
    pub fn optional(&mut self, node: &Node, index: usize) -> Result<Option<Value>, ModelError> {
        let value = self.peek(node, index)?;
        value.map(|value| self.made(value)).transpose()
    }

    /// The same where it may be deferred.
    pub fn peek(&mut self, node: &Node, index: usize) -> Result<Option<Value>, ModelError> {
        let Some(name) = node.inputs.get(index).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        match self.value(name).map_err(|e| e.at(&node.place()))? {
            Some(value) => Ok(Some(value)),
            None => Err(node.invalid(format!(
                "input {name:?} is made by no input and no earlier node"
            ))),
        }
    }

    /// A value that is deferred no longer.
    pub fn made(&mut self, mut value: Value) -> Result<Value, ModelError> {
        if let Place::Deferred(how) = &value.place {
            let columns = how.clone().make(self)?;
            value.place = Place::Columns(columns);
        }
        Ok(value)
    }

    /// The value that a node reads as its input number `index`; it may be deferred.
    pub fn deferred(&mut self, node: &Node, index: usize) -> Result<Value, ModelError> {
        self.peek(node, index)?.ok_or_else(|| missing(node, index))
    }

    /// The value that a node reads as its input number `index`.
    pub fn operand(&mut self, node: &Node, index: usize) -> Result<Value, ModelError> {
        self.optional(node, index)?
            .ok_or_else(|| missing(node, index))
    }

    /// Input number 0 as rows along its last axis.
    pub fn rows(&mut self, node: &Node) -> Result<Rows, ModelError> {
        let value = self.operand(node, 0)?;
        self.rows_of(node, 0, &value)
    }

    /// A value that is input number `index` as rows along its last axis.
    pub fn rows_of(
        &mut self,
        node: &Node,
        index: usize,
        value: &Value,
    ) -> Result<Rows, ModelError> {
        let shape = self.row_shape(node, index, value)?;
        Ok(Rows {
            element: value.element,
            columns: self.columns(node, value)?,
            lead: shape.lead,
            width: shape.width,
            shape,
        })
    }

    /// The shape of a value that is input number `index`, as rows along its last axis.
    pub fn row_shape(
        &self,
        node: &Node,
        index: usize,
        value: &Value,
    ) -> Result<RowShape, ModelError> {
        let shape = &value.shape;
        if shape.rank() == 0 || shape.batch == Some(shape.rank() - 1) {
            return Err(node.not_supported(format!(
                "input {:?} has the shape {shape}, expected [n, width]",
                node.inputs[index]
            )));
        }
        let width = shape.dims[shape.rank() - 1];
        let lead = shape.dims[..shape.rank() - 1].iter().product();
        if lead == 0 || width == 0 {
            return Err(node.not_supported(format!("the input {shape} is empty")));
        }
        Ok(RowShape {
            lead,
            width,
            shape: shape.clone(),
        })
    }

    /// Integers that must be known when the model loads: axes, starts, repeats.
    pub fn ints(&mut self, node: &Node, index: usize) -> Result<Option<Vec<i64>>, ModelError> {
        match self.optional(node, index)? {
            None => Ok(None),
            Some(value) => match value.values::<i64>() {
                Some(values) if value.element.is_integer() => Ok(Some(values.to_vec())),
                _ => Err(needs_constant(node, index)),
            },
        }
    }

    /// The numbers of a shape, which may grow with the rows.
    pub fn sizes(&mut self, node: &Node, index: usize) -> Result<Option<Vec<Size>>, ModelError> {
        match self.optional(node, index)? {
            None => Ok(None),
            Some(value) => match value.sizes(node)? {
                Some(sizes) if value.element.is_integer() => Ok(Some(sizes)),
                _ => Err(needs_constant(node, index)),
            },
        }
    }

    /// The values of an input that must be known when the model loads.
    pub fn constant<T: Cell>(
        &mut self,
        node: &Node,
        index: usize,
    ) -> Result<Option<Vec<T>>, ModelError> {
        match self.optional(node, index)? {
            None => Ok(None),
            Some(value) => match value.values::<T>() {
                Some(values) if value.element.region() == T::REGION => Ok(Some(values.to_vec())),
                _ => Err(needs_constant(node, index)),
            },
        }
    }

    /// The columns of a value; a constant is written into some at every run.
    pub fn columns(&mut self, node: &Node, value: &Value) -> Result<Columns, ModelError> {
        match &value.place {
            Place::Columns(columns) => Ok(*columns),
            Place::Deferred(how) => how.clone().make(self),
            Place::Constant(constant) => {
                let columns = self.scratch(value.element, value.width())?;
                let fill = Fill::step(columns, constant.clone());
                self.push(node, "constant".to_owned(), fill);
                Ok(columns)
            }
        }
    }

    /// Makes output number `index` of `node`; an output that the node leaves out gets columns, too, for the kernel.
    pub fn make(&mut self, node: &Node, index: usize, made: Made) -> Result<Columns, ModelError> {
        let columns = self
            .scratch(made.element, made.shape.width())
            .map_err(|e| e.at(&node.place()))?;
        let value = Value::columns(made.element, made.shape, columns);
        self.alias(node, index, value.with_dictionary(made.dictionary))?;
        Ok(columns)
    }

    /// Makes output number `index` of `node` another name of `value`. What not exactly one reader waits for is made now.
    pub fn alias(&mut self, node: &Node, index: usize, mut value: Value) -> Result<(), ModelError> {
        match node.outputs.get(index).filter(|name| !name.is_empty()) {
            Some(name) if self.readers.get(name) != Some(&1) && !value.is_free() => {
                value = self.made(value)?;
                self.define(name, value).map_err(|e| e.at(&node.place()))
            }
            Some(name) => self.define(name, value).map_err(|e| e.at(&node.place())),
            None => Ok(()),
        }
    }

    /// Whether somebody may read output number `index`.
    pub fn wants(&self, node: &Node, index: usize) -> bool {
        node.outputs.get(index).is_some_and(|name| !name.is_empty())
    }

    /// Columns that belong to one step alone.
    pub fn scratch(&mut self, element: Element, width: usize) -> Result<Columns, ModelError> {
        let used = match element.region() {
            Region::F32 => &mut self.memory.f32,
            Region::F64 => &mut self.memory.f64,
            Region::I64 => &mut self.memory.i64,
        };
        let first = *used;
        match first.checked_add(width) {
            Some(end) if end <= self.limit => *used = end,
            _ => {
                return Err(ModelError::not_supported(format!(
                    "the model needs more than {} columns",
                    self.limit
                )));
            }
        }
        Ok(Columns { first, width })
    }

    /// Refuses a shape that is too wide, before anything of its size is allocated.
    pub fn check_width(&self, node: &Node, dims: &[usize]) -> Result<(), ModelError> {
        let width = (dims.iter()).try_fold(1usize, |width, &dim| width.checked_mul(dim));
        if width.is_none_or(|width| width > self.limit) {
            let limit = self.limit;
            return Err(node.not_supported(format!(
                "makes a tensor {dims:?}, more than {limit} values a row"
            )));
        }
        Ok(())
    }

    pub fn push(&mut self, node: &Node, kernel: String, step: Box<dyn Step>) {
        let info = StepInfo {
            operator: node.operator.clone(),
            node: node.name.clone(),
            kernel,
            tract: None,
        };
        self.steps.push((info, step));
    }

    pub fn define(&mut self, name: &str, value: Value) -> Result<(), ModelError> {
        let twice = self.values.contains_key(name) || self.initializers.contains_key(name);
        if twice {
            return Err(ModelError::invalid(format!(
                "the value {name:?} is made twice"
            )));
        }
        self.values.insert(name.to_owned(), value);
        Ok(())
    }

    /// Makes output number 0 of `node` a constant that depends on the number of rows where `for_two` differs.
    pub fn known(
        &mut self,
        node: &Node,
        mut value: Value,
        for_two: Option<crate::memory::Data>,
    ) -> Result<(), ModelError> {
        if let (Place::Constant(constant), Some(for_two)) = (&value.place, for_two)
            && constant.data != for_two
        {
            value.place = Place::Constant(Arc::new(Constant {
                data: constant.data.clone(),
                for_two: Some(for_two),
            }));
        }
        self.alias(node, 0, value)
    }
}

fn missing(node: &Node, index: usize) -> ModelError {
    node.invalid(format!("input number {index} is missing"))
}

fn needs_constant(node: &Node, index: usize) -> ModelError {
    node.not_supported(format!(
        "input {:?} is computed, expected a constant: the shapes of a record must not depend on its values",
        node.inputs[index]
    ))
}
