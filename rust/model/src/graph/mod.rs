//! From the graph of an ONNX file to a flat list of steps: one walk, node by node.
//!
//! Every value of the graph becomes columns of a region, given out in the order of the nodes, or a constant. A value
//! never shares columns with another, and a step only writes columns that are younger than those it reads.

pub(crate) mod builder;
mod fold;
pub(crate) mod foreign;
mod ids;
mod inputs;
pub(crate) mod value;

use std::collections::HashMap;

use prost::Message;

pub(crate) use builder::{Builder, Made, RowShape, Rows};
pub(crate) use value::{Deferred, Place, Size, Value};

use self::foreign::Groups;
use crate::element::Element;
use crate::error::ModelError;
use crate::memory::{MemorySize, Tensor};
use crate::model::Model;
use crate::onnx::External;
use crate::onnx::node::Node;
use crate::onnx::proto::type_proto::Value as TypeValue;
use crate::onnx::proto::{GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto};
use crate::operators;

/// Protobuf's own limit; a larger model keeps its weights in external data.
const MAX_FILE_BYTES: usize = 1 << 31;
/// The most columns of a region.
const MAX_COLUMNS: usize = 1 << 20;

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
    let mut graph = model.graph.ok_or_else(|| {
        ModelError::corrupt(format!(
            "not an ONNX file, or not all of it ({} bytes): it has no graph",
            bytes.len()
        ))
    })?;
    open_sequences(&mut graph);
    let opsets = model.opset_import.into_iter();
    let named = std::mem::take(&mut graph.initializer).into_iter();
    let builder = Builder {
        external,
        opsets: opsets
            .map(|set| {
                (
                    set.domain.unwrap_or_default(),
                    set.version.unwrap_or_default(),
                )
            })
            .collect(),
        values: Default::default(),
        readers: readers(&graph),
        initializers: named
            .map(|tensor| (tensor.name.clone().unwrap_or_default(), tensor))
            .collect(),
        memory: MemorySize::default(),
        steps: Vec::new(),
        ids: Default::default(),
        limit: MAX_COLUMNS,
        fold_limit: fold::FREE_VALUES + 16 * bytes.len(),
    };
    builder.walk(graph)
}

impl Builder<'_> {
    fn walk(mut self, graph: GraphProto) -> Result<Model, ModelError> {
        let mut inputs = Vec::new();
        for input in &graph.input {
            // Files of IR version 3 list their constants as inputs, too.
            if !self.initializers.contains_key(name_of(input)) {
                inputs.push(self.input(input, &graph.node)?);
            }
        }
        self.nodes(graph.node)?;
        if graph.output.is_empty() {
            return Err(ModelError::invalid("the graph has no output"));
        }
        let outputs = (graph.output.iter())
            .map(|output| self.output(output))
            .collect::<Result<_, _>>()?;
        let ids = self.ids.into_sizes();
        Ok(Model::new(inputs, outputs, self.memory, self.steps, ids))
    }

    /// Adds what nodes do, in their order; those that run on tract wait for each other.
    fn nodes(&mut self, nodes: Vec<NodeProto>) -> Result<(), ModelError> {
        let mut groups = Groups::default();
        for node in nodes.into_iter().map(Node::new) {
            let waits = operators::foreign::find(&node).is_some();
            if waits && (groups.make_any(&node.inputs) || !self.is_constant(&node)?) {
                groups.add(node);
                continue;
            }
            for group in groups.before(&node, &self.readers) {
                self.foreign(group)?;
            }
            operators::load(node, self)?;
        }
        for group in groups.rest(&self.readers) {
            self.foreign(group)?;
        }
        Ok(())
    }

    /// Adds the nodes of a branch that is always taken, and gives the values of its outputs.
    pub fn inline(&mut self, branch: GraphProto) -> Result<Vec<Value>, ModelError> {
        for tensor in branch.initializer {
            let name = tensor.name.clone().unwrap_or_default();
            if self.initializers.insert(name.clone(), tensor).is_some() {
                return Err(ModelError::invalid(format!(
                    "the value {name:?} is made twice"
                )));
            }
        }
        self.nodes(branch.node)?;
        let outputs = branch.output.iter().map(|output| {
            let name = name_of(output);
            self.value(name)?.ok_or_else(|| {
                ModelError::invalid(format!("output {name:?} of a branch is made by no node"))
            })
        });
        outputs.collect()
    }

    fn output(&mut self, output: &ValueInfoProto) -> Result<Tensor, ModelError> {
        let name = name_of(output);
        let value = (self.value(name)?)
            .ok_or_else(|| ModelError::invalid(format!("output {name:?} is made by no node")))?;
        if let Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..
        }) = &output.r#type
        {
            let declared = Element::of_onnx(tensor.elem_type)
                .map_err(|e| e.at(&format!("output {name:?}")))?;
            if declared != value.element {
                let (declared, made) = (declared.name(), value.element.name());
                return Err(ModelError::invalid(format!(
                    "output {name:?} is declared {declared}, but is {made}"
                )));
            }
        }
        if value.depends_on_rows() {
            return Err(ModelError::not_supported(format!(
                "output {name:?} is computed from the number of rows; every row is computed alone"
            )));
        }
        let node = Node::named("Constant", name);
        let columns = self.columns(&node, &value)?;
        Ok(tensor_of(name, &value, columns.first))
    }
}

/// A sequence of tensors that comes out of the graph becomes outputs by their own names.
fn open_sequences(graph: &mut GraphProto) {
    let readers = readers(graph);
    let nodes = std::mem::take(&mut graph.node);
    let (sequences, nodes): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|node: &NodeProto| {
        let is_output = |name: &String| graph.output.iter().any(|output| name_of(output) == name);
        let only_read_there = |name: &String| is_output(name) && readers.get(name) == Some(&1);
        node.op_type.as_deref() == Some("SequenceConstruct")
            && node.output.iter().all(only_read_there)
    });
    graph.node = nodes;
    for sequence in sequences {
        let place = graph
            .output
            .iter()
            .position(|output| sequence.output.iter().any(|name| name == name_of(output)));
        let parts = sequence.input.into_iter().map(|name| ValueInfoProto {
            name: Some(name),
            ..Default::default()
        });
        if let Some(place) = place {
            graph.output.splice(place..=place, parts);
        }
    }
}

/// How many nodes, those of branches and loops included, and outputs read each value.
fn readers(graph: &GraphProto) -> HashMap<String, usize> {
    fn count(graph: &GraphProto, readers: &mut HashMap<String, usize>) {
        let outputs = graph
            .output
            .iter()
            .filter_map(|output| output.name.as_ref());
        let inputs = graph.node.iter().flat_map(|node| &node.input);
        for name in outputs.chain(inputs) {
            *readers.entry(name.clone()).or_default() += 1;
        }
        for node in &graph.node {
            // The body of a loop reads more than once.
            let times = if node.op_type.as_deref() == Some("Scan") {
                2
            } else {
                1
            };
            for branch in node.attribute.iter().flat_map(|attribute| &attribute.g) {
                (0..times).for_each(|_| count(branch, readers));
            }
        }
    }
    let mut readers = HashMap::new();
    count(graph, &mut readers);
    readers
}

fn name_of(value: &ValueInfoProto) -> &str {
    value.name.as_deref().unwrap_or_default()
}

fn tensor_of(name: &str, value: &Value, first: usize) -> Tensor {
    Tensor {
        name: name.to_owned(),
        element: value.element,
        shape: value.shape.clone(),
        width: value.width(),
        first,
        dictionary: value.dictionary.clone(),
        keys: value.keys.clone(),
    }
}
