//! Nodes whose operators Pelton does not have: those that stand together become one step on tract.
//!
//! A node joins the group that makes what it reads, and the group waits until a node of ours, or the end, reads what it
//! makes. So a group reads only what stands before it, and all of it is read behind it.

use std::collections::{HashMap, HashSet};

use prost::Message;

use super::builder::Builder;
use super::value::Value;
use crate::element::Element;
use crate::error::ModelError;
use crate::memory::{Columns, Data};
use crate::model::StepInfo;
use crate::onnx::node::Node;
use crate::onnx::proto::tensor_shape_proto::Dimension;
use crate::onnx::proto::tensor_shape_proto::dimension::Value as Size;
use crate::onnx::proto::type_proto::{Tensor, Value as TypeValue};
use crate::onnx::proto::{
    GraphProto, ModelProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};
use crate::operators::foreign;
use crate::shape::Shape;
use crate::tract::{self, OnTract, Port};

/// The groups that wait.
#[derive(Default)]
pub(super) struct Groups {
    waiting: Vec<Vec<Node>>,
}

/// Nodes that run as one step, and the names of what others read of it.
pub(crate) struct Group {
    pub nodes: Vec<Node>,
    pub exports: Vec<String>,
}

impl Group {
    fn new(nodes: Vec<Node>, readers: &HashMap<String, usize>) -> Self {
        let mut inside: HashMap<&str, usize> = HashMap::new();
        for name in nodes.iter().flat_map(|node| &node.inputs) {
            *inside.entry(name).or_default() += 1;
        }
        let made = nodes.iter().flat_map(|node| &node.outputs);
        let exports = made.filter(|name| {
            let all = readers.get(*name).copied().unwrap_or(0);
            all > inside.get(name.as_str()).copied().unwrap_or(0)
        });
        let exports = exports.cloned().collect();
        Self { nodes, exports }
    }
}

impl From<Node> for Group {
    fn from(node: Node) -> Self {
        let made = node.outputs.iter().filter(|name| !name.is_empty());
        Self {
            exports: made.cloned().collect(),
            nodes: vec![node],
        }
    }
}

impl Groups {
    /// Whether a group that waits makes one of these.
    pub fn make_any(&self, names: &[String]) -> bool {
        self.waiting.iter().any(|group| makes_any(group, names))
    }

    /// Lets a node wait, with those that make what it reads.
    pub fn add(&mut self, node: Node) {
        let (joined, others) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|group| makes_any(group, &node.inputs));
        self.waiting = others;
        let mut group: Vec<Node> = joined.into_iter().flatten().collect();
        group.push(node);
        self.waiting.push(group);
    }

    /// The groups that make what a node reads: they wait no longer. `readers` counts those of every name.
    pub fn before(&mut self, node: &Node, readers: &HashMap<String, usize>) -> Vec<Group> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let read: Vec<String> = node.reads().map(str::to_owned).collect();
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|group| makes_any(group, &read));
        self.waiting = waiting;
        ready
            .into_iter()
            .map(|nodes| Group::new(nodes, readers))
            .collect()
    }

    /// All that still wait.
    pub fn rest(self, readers: &HashMap<String, usize>) -> Vec<Group> {
        let waiting = self.waiting.into_iter();
        waiting.map(|nodes| Group::new(nodes, readers)).collect()
    }
}

fn makes_any(group: &[Node], names: &[String]) -> bool {
    let mut made = group.iter().flat_map(|node| &node.outputs);
    made.any(|name| !name.is_empty() && names.contains(name))
}

/// What tract gets of a group.
#[derive(Default)]
struct Parts {
    graph: GraphProto,
    /// Where the rows are in every value.
    shapes: HashMap<String, Shape>,
    ports: Vec<Port>,
}

impl Builder<'_> {
    /// Adds a group as one step.
    pub(crate) fn foreign(&mut self, group: Group) -> Result<(), ModelError> {
        let Group { nodes, exports } = group;
        if exports.is_empty() {
            return Ok(());
        }
        let mut parts = self.parts(&nodes)?;
        // The names that are read come first; of the others only the shapes are asked.
        let made = nodes.iter().flat_map(|node| &node.outputs);
        let inner = made.filter(|name| !name.is_empty() && !exports.contains(name));
        let names: Vec<String> = exports.iter().chain(inner).cloned().collect();
        let output = |name: &String| ValueInfoProto {
            name: Some(name.clone()),
            ..Default::default()
        };
        parts.graph.output = names.iter().map(output).collect();
        parts.graph.node = nodes.iter().cloned().map(Node::into_proto).collect();
        let file = self.file(parts.graph).encode_to_vec();
        let limit = self.limit.max(file.len());
        let refused = |reason: String| {
            let this = if nodes.len() == 1 {
                "this operator is"
            } else {
                "these operators are"
            };
            ModelError::not_supported(format!(
                "{this} none of Pelton's own, and tract, which would run it, refuses: {reason}"
            ))
            .at(&places(&nodes))
        };
        let (plan, made) = tract::load(file, exports.len(), limit).map_err(refused)?;
        let mut elements = HashMap::new();
        for (name, made) in names.into_iter().zip(made) {
            elements.insert(name.clone(), made.element);
            parts.shapes.insert(name, Shape::fixed(made.dims));
        }
        place_rows(&nodes, &mut parts.shapes)?;
        let mut outputs = Vec::new();
        for name in exports {
            let (element, shape) = (elements[&name], parts.shapes[&name].clone());
            let columns = self.scratch(element, shape.width())?;
            outputs.push(Port {
                element,
                dims: shape.dims.clone(),
                columns,
                ids: None,
            });
            self.define(&name, Value::columns(element, shape, columns))?;
        }
        let operators: Vec<&str> = nodes.iter().map(|node| node.operator.as_str()).collect();
        let info = StepInfo {
            operator: operators.join(", "),
            node: nodes[0].name.clone(),
            kernel: format!("tract, {} nodes in {} steps", nodes.len(), plan.steps),
            tract: Some(match nodes.len() {
                1 => "the operator is none of Pelton's own".to_owned(),
                _ => "the operators are none of Pelton's own".to_owned(),
            }),
        };
        let step = OnTract::new(plan, parts.ports, outputs);
        self.steps.push((info, Box::new(step)));
        Ok(())
    }

    /// What nodes read from outside, as inputs and constants of a graph of their own.
    fn parts(&mut self, nodes: &[Node]) -> Result<Parts, ModelError> {
        let made: HashSet<&String> = nodes.iter().flat_map(|node| &node.outputs).collect();
        let mut parts = Parts::default();
        for node in nodes {
            let foreign = foreign::find(node).expect("only such nodes wait");
            foreign.check(node)?;
            let mut sizes = 1i64;
            for (index, name) in node.inputs.iter().enumerate() {
                if name.is_empty() || made.contains(name) {
                    continue;
                }
                let value = self.operand(node, index)?;
                if value.element == Element::String {
                    return Err(node.not_supported(format!("input {name:?} holds strings")));
                }
                let constant = value.data().filter(|_| !foreign.data.contains(&index));
                if foreign.is_table() && constant.is_none() {
                    return Err(node.not_supported(foreign::SHAPE));
                }
                if value.depends_on_rows() && foreign.sizes != Some(index) {
                    return Err(node.not_supported(
                        "computes with the number of rows; every row is computed alone",
                    ));
                }
                if let Some(Data::I64(values)) = constant.filter(|_| foreign.is_table()) {
                    sizes = values
                        .iter()
                        .fold(sizes, |all, size| all.saturating_mul(*size));
                }
                let known = parts.shapes.contains_key(name);
                match constant {
                    Some(data) if !known => {
                        parts.graph.initializer.push(stored(name, &value, data))
                    }
                    None if !known => {
                        let columns = self.columns(node, &value)?;
                        let ids = self.table(node, index, foreign)?;
                        parts.input(name, &value, columns, ids);
                    }
                    _ => {}
                }
                parts.shapes.insert(name.clone(), value.shape);
            }
            if foreign.is_table() && !(0..=self.limit as i64).contains(&sizes) {
                let limit = self.limit;
                return Err(node.not_supported(format!(
                    "makes a table of {sizes} values, more than {limit}"
                )));
            }
        }
        Ok(parts)
    }

    /// How many ids there are, where input number `index` holds some.
    fn table(
        &mut self,
        node: &Node,
        index: usize,
        foreign: &foreign::Foreign,
    ) -> Result<Option<usize>, ModelError> {
        match foreign.ids {
            Some((ids, table)) if ids == index => {
                let table = self.operand(node, table)?;
                Ok(table.shape.dims.first().copied())
            }
            _ => Ok(None),
        }
    }

    /// A file with a graph, for the operator sets of ours.
    fn file(&self, graph: GraphProto) -> ModelProto {
        let sets = self
            .opsets
            .iter()
            .map(|(domain, version)| OperatorSetIdProto {
                domain: Some(domain.clone()),
                version: Some(*version),
            });
        ModelProto {
            ir_version: Some(8),
            opset_import: sets.collect(),
            graph: Some(graph),
            ..Default::default()
        }
    }
}

impl Parts {
    fn input(&mut self, name: &str, value: &Value, columns: Columns, ids: Option<usize>) {
        let dims = &value.shape.dims;
        let dim = dims.iter().map(|dim| Dimension {
            value: Some(Size::DimValue(*dim as i64)),
            ..Default::default()
        });
        let tensor = Tensor {
            elem_type: Some(value.element.to_onnx()),
            shape: Some(TensorShapeProto { dim: dim.collect() }),
        };
        self.graph.input.push(ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: Some(TypeProto {
                value: Some(TypeValue::TensorType(tensor)),
                ..Default::default()
            }),
            ..Default::default()
        });
        self.ports.push(Port {
            element: value.element,
            dims: dims.clone(),
            columns,
            ids,
        });
    }
}

/// Says where the rows are in what nodes make.
fn place_rows(nodes: &[Node], shapes: &mut HashMap<String, Shape>) -> Result<(), ModelError> {
    for node in nodes {
        let foreign = foreign::find(node).expect("only such nodes wait");
        let inputs: Vec<_> = node
            .inputs
            .iter()
            .map(|name| shapes.get(name).cloned())
            .collect();
        let dims = |name| shapes.get(name).map(|shape: &Shape| shape.dims.clone());
        let outputs: Vec<_> = node.outputs.iter().map(dims).collect();
        let rows = foreign.rows(node, &inputs, &outputs)?;
        for (name, rows) in node.outputs.iter().zip(rows) {
            if let Some(shape) = shapes.get_mut(name) {
                shape.batch = rows;
            }
        }
    }
    Ok(())
}

fn places(nodes: &[Node]) -> String {
    let places: Vec<String> = nodes.iter().map(Node::place).collect();
    places.join(", ")
}

/// A constant as a file stores it.
fn stored(name: &str, value: &Value, data: &Data) -> TensorProto {
    let raw = match (data, value.element) {
        (Data::F32(values), _) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        (Data::F64(values), _) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        (Data::I64(values), element) => {
            let bytes = (element.bits() / 8) as usize;
            let low = |x: &i64| x.to_le_bytes().into_iter().take(bytes);
            values.iter().flat_map(low).collect()
        }
    };
    TensorProto {
        name: Some(name.to_owned()),
        dims: value.shape.dims.iter().map(|dim| *dim as i64).collect(),
        data_type: Some(value.element.to_onnx()),
        raw_data: Some(raw),
        ..Default::default()
    }
}
