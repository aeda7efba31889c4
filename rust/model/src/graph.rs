//! From the graph of an ONNX file to a flat list of steps: one walk, node by node.
//!
//! Every value of the graph becomes columns of a region, given out in the order of the nodes. A value never shares
//! columns with another, and a step only writes columns that are younger than those it reads.

use std::collections::{HashMap, HashSet};

use prost::Message;

use crate::error::ModelError;
use crate::memory::{Columns, Element, MemorySize, Tensor};
use crate::model::{Model, StepInfo};
use crate::onnx::External;
use crate::onnx::node::Node;
use crate::onnx::proto::type_proto::Value as TypeValue;
use crate::onnx::proto::{GraphProto, ModelProto, TypeProto, ValueInfoProto};
use crate::onnx::proto::{
    tensor_proto::DataType, tensor_shape_proto::dimension::Value as Dimension,
};
use crate::operators::{self, Step};

/// Protobuf's own limit; a larger model keeps its weights in external data.
const MAX_FILE_BYTES: usize = 1 << 31;
/// A few bytes of a file can declare any width, so widths are bounded before anybody allocates for them.
const MAX_WIDTH: usize = 1 << 16;
const MAX_COLUMNS: usize = 1 << 20;

/// A value of the graph while it loads.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub element: Element,
    pub columns: Columns,
    pub scalar: bool,
    pub dictionary: Option<Vec<String>>,
}

/// What the operators write to while the graph is walked.
pub(crate) struct Builder<'a> {
    pub external: External<'a>,
    values: HashMap<String, Value>,
    constants: HashSet<String>,
    memory: MemorySize,
    steps: Vec<(StepInfo, Step)>,
}

pub(crate) fn load(bytes: &[u8], external: External) -> Result<Model, ModelError> {
    if bytes.len() >= MAX_FILE_BYTES {
        return Err(ModelError::not_supported(format!(
            "the file has {} bytes, 2 GiB is the limit",
            bytes.len()
        )));
    }
    let model = ModelProto::decode(bytes).map_err(|e| {
        ModelError::corrupt(format!(
            "not an ONNX file, or not all of it ({} bytes): {e}",
            bytes.len()
        ))
    })?;
    let graph = model.graph.ok_or_else(|| {
        ModelError::corrupt(format!(
            "not an ONNX file, or not all of it ({} bytes): it has no graph",
            bytes.len()
        ))
    })?;
    let builder = Builder {
        external,
        values: HashMap::new(),
        constants: graph
            .initializer
            .iter()
            .filter_map(|tensor| tensor.name.clone())
            .collect(),
        memory: MemorySize::default(),
        steps: Vec::new(),
    };
    builder.walk(graph)
}

impl Builder<'_> {
    fn walk(mut self, graph: GraphProto) -> Result<Model, ModelError> {
        let mut inputs = Vec::new();
        for input in &graph.input {
            // Files of IR version 3 list their constants as inputs, too.
            if !self.constants.contains(name_of(input)) {
                inputs.push(self.input(input)?);
            }
        }
        for node in graph.node {
            operators::load(Node::new(node), &mut self)?;
        }
        if graph.output.is_empty() {
            return Err(ModelError::invalid("the graph has no output"));
        }
        let outputs = graph
            .output
            .iter()
            .map(|output| self.output(output))
            .collect::<Result<_, _>>()?;
        Ok(Model::new(inputs, outputs, self.memory, self.steps))
    }

    /// Gives a graph input its columns: `[n, width]` with a known width, or `[n]`.
    fn input(&mut self, input: &ValueInfoProto) -> Result<Tensor, ModelError> {
        let name = name_of(input);
        let invalid =
            |message: &str| ModelError::not_supported(format!("input {name:?} {message}"));
        let tensor = match input.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(TypeValue::TensorType(tensor)) => tensor,
            _ => return Err(invalid("is not a tensor")),
        };
        let element = element(tensor.elem_type).map_err(|e| e.at(&format!("input {name:?}")))?;
        let shape = tensor
            .shape
            .as_ref()
            .ok_or_else(|| invalid("has no shape, expected [n, width] or [n]"))?;
        let (width, scalar) = match shape.dim.as_slice() {
            [_rows] => (1, true),
            [_rows, columns] => match columns.value {
                Some(Dimension::DimValue(width)) => match usize::try_from(width) {
                    Ok(width) if (1..=MAX_WIDTH).contains(&width) => (width, false),
                    _ => {
                        return Err(invalid(&format!(
                            "has the width {width}, expected 1 to {MAX_WIDTH}"
                        )));
                    }
                },
                _ => {
                    return Err(invalid(
                        "has a dynamic second dimension: export the model with the number of columns fixed, [None, k]",
                    ));
                }
            },
            dims => {
                return Err(invalid(&format!(
                    "has {} dimensions, expected [n, width] or [n]",
                    dims.len()
                )));
            }
        };
        let columns = self.reserve(element, width)?;
        let dictionary = (element == Element::String).then(Vec::new);
        let value = Value {
            element,
            columns,
            scalar,
            dictionary,
        };
        let tensor = tensor_of(name, &value);
        self.define(name, value)?;
        Ok(tensor)
    }

    fn output(&self, output: &ValueInfoProto) -> Result<Tensor, ModelError> {
        let name = name_of(output);
        let value = (self.values.get(name))
            .ok_or_else(|| ModelError::invalid(format!("output {name:?} is made by no node")))?;
        if let Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..
        }) = &output.r#type
        {
            let declared =
                element(tensor.elem_type).map_err(|e| e.at(&format!("output {name:?}")))?;
            if declared != value.element {
                let (declared, made) = (declared.name(), value.element.name());
                return Err(ModelError::invalid(format!(
                    "output {name:?} is declared {declared}, but is {made}"
                )));
            }
        }
        Ok(tensor_of(name, value))
    }

    /// The value that a node reads as its input number `index`.
    pub fn operand(&self, node: &Node, index: usize) -> Result<Value, ModelError> {
        let name = match node.inputs.get(index) {
            Some(name) if !name.is_empty() => name,
            _ => return Err(node.invalid(format!("input number {index} is missing"))),
        };
        if self.constants.contains(name) {
            return Err(node.not_supported(format!(
                "input {name:?} is a constant of the file, expected a computed value"
            )));
        }
        (self.values.get(name).cloned()).ok_or_else(|| {
            node.invalid(format!(
                "input {name:?} is made by no input and no earlier node"
            ))
        })
    }

    /// The `[n, width]` value that a node reads as its input number 0.
    pub fn matrix(&self, node: &Node) -> Result<Value, ModelError> {
        let value = self.operand(node, 0)?;
        if value.scalar {
            return Err(node.not_supported(format!(
                "input {:?} has the shape [n], expected [n, width]",
                node.inputs[0]
            )));
        }
        Ok(value)
    }

    /// Makes output number `index` of `node`; an output that the node leaves out gets columns, too, for the kernel.
    pub fn make(&mut self, node: &Node, index: usize, made: Made) -> Result<Columns, ModelError> {
        let columns = self
            .reserve(made.element, made.width)
            .map_err(|e| e.at(&node.place()))?;
        if let Some(name) = node.outputs.get(index).filter(|name| !name.is_empty()) {
            let Made {
                element,
                scalar,
                dictionary,
                ..
            } = made;
            self.define(
                name,
                Value {
                    element,
                    columns,
                    scalar,
                    dictionary,
                },
            )
            .map_err(|e| e.at(&node.place()))?;
        }
        Ok(columns)
    }

    /// Makes output number 0 of `node` another name of `value`.
    pub fn alias(&mut self, node: &Node, value: Value) -> Result<(), ModelError> {
        match node.outputs.first() {
            Some(name) => self.define(name, value).map_err(|e| e.at(&node.place())),
            None => Ok(()),
        }
    }

    /// Columns that belong to one step alone.
    pub fn scratch(&mut self, element: Element, width: usize) -> Result<Columns, ModelError> {
        self.reserve(element, width)
    }

    pub fn push(&mut self, node: &Node, kernel: String, step: Step) {
        let info = StepInfo {
            operator: node.operator.clone(),
            node: node.name.clone(),
            kernel,
        };
        self.steps.push((info, step));
    }

    fn reserve(&mut self, element: Element, width: usize) -> Result<Columns, ModelError> {
        let used = match element {
            Element::Float => &mut self.memory.f32,
            Element::Double => &mut self.memory.f64,
            Element::Int64 | Element::Int32 | Element::Bool | Element::String => {
                &mut self.memory.i64
            }
        };
        let first = *used;
        match first.checked_add(width) {
            Some(end) if end <= MAX_COLUMNS => *used = end,
            _ => {
                return Err(ModelError::not_supported(format!(
                    "the model needs more than {MAX_COLUMNS} columns"
                )));
            }
        }
        Ok(Columns { first, width })
    }

    fn define(&mut self, name: &str, value: Value) -> Result<(), ModelError> {
        if self.values.insert(name.to_owned(), value).is_some() || self.constants.contains(name) {
            return Err(ModelError::invalid(format!(
                "the value {name:?} is made twice"
            )));
        }
        Ok(())
    }
}

/// What a node makes: an element type and a shape, `[n, width]` or `[n]`.
pub(crate) struct Made {
    element: Element,
    width: usize,
    scalar: bool,
    dictionary: Option<Vec<String>>,
}

impl Made {
    pub fn matrix(element: Element, width: usize) -> Self {
        Self {
            element,
            width,
            scalar: false,
            dictionary: None,
        }
    }

    pub fn like(value: &Value, element: Element) -> Self {
        Self {
            element,
            width: value.columns.width,
            scalar: value.scalar,
            dictionary: None,
        }
    }

    /// One label a row: an int64, or a code of the dictionary.
    pub fn label(dictionary: Option<Vec<String>>) -> Self {
        let element = if dictionary.is_some() {
            Element::String
        } else {
            Element::Int64
        };
        Self {
            element,
            width: 1,
            scalar: true,
            dictionary,
        }
    }
}

/// The element type of a number of ONNX's `TensorProto.DataType`.
pub(crate) fn element(number: Option<i32>) -> Result<Element, ModelError> {
    match DataType::try_from(number.unwrap_or_default()) {
        Ok(DataType::Float) => Ok(Element::Float),
        Ok(DataType::Double) => Ok(Element::Double),
        Ok(DataType::Int64) => Ok(Element::Int64),
        Ok(DataType::Int32) => Ok(Element::Int32),
        Ok(DataType::Bool) => Ok(Element::Bool),
        Ok(DataType::String) => Ok(Element::String),
        other => {
            let name = other.map_or("unknown", |t| t.as_str_name());
            let known = "FLOAT, DOUBLE, INT64, INT32, BOOL and STRING";
            Err(ModelError::not_supported(format!(
                "element type {name} is not supported; {known} are"
            )))
        }
    }
}

fn name_of(value: &ValueInfoProto) -> &str {
    value.name.as_deref().unwrap_or_default()
}

fn tensor_of(name: &str, value: &Value) -> Tensor {
    let Value {
        element,
        columns,
        scalar,
        ref dictionary,
    } = *value;
    let Columns { first, width } = columns;
    Tensor {
        name: name.to_owned(),
        element,
        width,
        scalar,
        first,
        dictionary: dictionary.clone(),
    }
}
