//! A node of the graph and its attributes, taken one by one; what nobody took is refused.

use super::External;
use super::attribute::Attribute;
use super::ints::Ints;
use super::proto::attribute_proto::AttributeType;
use super::proto::{GraphProto, NodeProto};
use super::tensor;
use crate::error::ModelError;
use crate::graph::Value;

/// The domain of the core operators, however the file writes it.
pub(crate) const CORE: &str = "ai.onnx";
/// The domain of the classical machine learning operators.
pub(crate) const ML: &str = "ai.onnx.ml";

/// The domain of ONNX Runtime's own operators.
pub(crate) const CONTRIB: &str = "com.microsoft";

/// One node, with attributes that are moved out as they are read: an ensemble's arrays exist once.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub operator: String,
    pub domain: String,
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    attributes: Vec<Attribute>,
}

impl Node {
    pub fn new(node: NodeProto) -> Self {
        let domain = match node.domain.unwrap_or_default() {
            core if core.is_empty() => CORE.to_owned(),
            domain => domain,
        };
        Self {
            operator: node.op_type.unwrap_or_default(),
            domain,
            name: node.name.unwrap_or_default(),
            inputs: node.input,
            outputs: node.output,
            attributes: node.attribute,
        }
    }

    /// A node that the file does not have.
    pub fn named(operator: &str, name: &str) -> Self {
        Self {
            operator: operator.to_owned(),
            domain: CORE.to_owned(),
            name: name.to_owned(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// As in a file.
    pub fn into_proto(self) -> NodeProto {
        NodeProto {
            op_type: Some(self.operator),
            domain: Some(self.domain).filter(|domain| domain != CORE),
            name: Some(self.name),
            input: self.inputs,
            output: self.outputs,
            attribute: self.attributes,
            ..Default::default()
        }
    }

    /// The names and values of all attributes of integers.
    pub fn integers(&self) -> impl Iterator<Item = (&str, i64)> {
        self.attributes.iter().flat_map(|attribute| {
            let name = attribute.name.as_deref().unwrap_or_default();
            let values = attribute.i.into_iter().chain(attribute.ints.iter());
            values.map(move |value| (name, value))
        })
    }

    /// The names that the node reads, those inside its graphs included.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        reads(&self.inputs, &self.attributes)
    }

    /// A string, which stays where it is.
    pub fn peek(&self, name: &str) -> Option<&[u8]> {
        let attribute = (self.attributes.iter()).find(|a| a.name.as_deref() == Some(name))?;
        attribute.s.as_deref()
    }

    /// How errors call this node; nodes without a name are called by their first output.
    pub fn place(&self) -> String {
        let (what, name) = match self.outputs.first() {
            Some(output) if self.name.is_empty() => ("node that makes", output.as_str()),
            _ => ("node", self.name.as_str()),
        };
        format!("{what} {name:?} ({} {})", self.domain, self.operator)
    }

    pub fn invalid(&self, message: impl Into<String>) -> ModelError {
        ModelError::invalid(message).at(&self.place())
    }

    pub fn not_supported(&self, message: impl Into<String>) -> ModelError {
        ModelError::not_supported(message).at(&self.place())
    }

    /// An integer; `None` when the attribute is absent.
    pub fn int(&mut self, name: &str) -> Result<Option<i64>, ModelError> {
        Ok(self
            .take(name, AttributeType::Int)?
            .map(|a| a.i.unwrap_or_default()))
    }

    /// An integer that is 0 or 1.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool, ModelError> {
        Ok(self.int(name)?.map_or(default, |value| value != 0))
    }

    /// A float; `None` when the attribute is absent.
    pub fn float(&mut self, name: &str) -> Result<Option<f32>, ModelError> {
        Ok(self
            .take(name, AttributeType::Float)?
            .map(|a| a.f.unwrap_or_default()))
    }

    /// A graph; `None` when the attribute is absent.
    pub fn graph(&mut self, name: &str) -> Result<Option<GraphProto>, ModelError> {
        Ok(self
            .take(name, AttributeType::Graph)?
            .map(|a| *a.rest.g.unwrap_or_default()))
    }

    /// Whether the node has an attribute.
    pub fn has(&self, name: &str) -> bool {
        self.attributes
            .iter()
            .any(|a| a.name.as_deref() == Some(name))
    }

    /// Takes an attribute that changes nothing here.
    pub fn ignore(&mut self, name: &str) {
        self.attributes.retain(|a| a.name.as_deref() != Some(name));
    }

    /// A string; `None` when the attribute is absent.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::String)? else {
            return Ok(None);
        };
        self.utf8(name, attribute.rest.s.unwrap_or_default())
            .map(Some)
    }

    /// A list of integers; empty when the attribute is absent.
    pub fn ints(&mut self, name: &str) -> Result<Vec<i64>, ModelError> {
        self.small_ints(name).map(Ints::into_vec)
    }

    /// A list of integers, in as little memory as they need; empty when the attribute is absent.
    pub fn small_ints(&mut self, name: &str) -> Result<Ints, ModelError> {
        Ok(self
            .take(name, AttributeType::Ints)?
            .map(|a| a.ints)
            .unwrap_or_default())
    }

    /// A list of floats; empty when the attribute is absent.
    pub fn floats(&mut self, name: &str) -> Result<Vec<f32>, ModelError> {
        Ok(self
            .take(name, AttributeType::Floats)?
            .map(|a| a.rest.floats)
            .unwrap_or_default())
    }

    /// A list of strings; empty when the attribute is absent.
    pub fn strings(&mut self, name: &str) -> Result<Vec<String>, ModelError> {
        let strings = self
            .take(name, AttributeType::Strings)?
            .map(|a| a.strings)
            .unwrap_or_default();
        let strings = strings.into_vec().into_iter();
        strings.map(|s| self.utf8(name, s)).collect()
    }

    /// What each string of a list means; empty when the attribute is absent.
    pub fn words<T>(
        &mut self,
        name: &str,
        meaning: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::Strings)? else {
            return Ok(Vec::new());
        };
        let words = attribute.strings.iter().map(|word| {
            let word = std::str::from_utf8(word).map_err(|_| self.not_text(name))?;
            meaning(word).map_err(|message| self.invalid(message))
        });
        words.collect()
    }

    /// The values of a tensor; empty when the attribute is absent.
    pub fn tensor<T: tensor::Stored>(
        &mut self,
        name: &str,
        external: External,
    ) -> Result<Vec<T>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::Tensor)? else {
            return Ok(Vec::new());
        };
        let tensor = attribute.rest.t.unwrap_or_default();
        tensor::values(*tensor, external)
            .map_err(|e| e.at(&format!("attribute {name:?}")).at(&self.place()))
    }

    /// A tensor of any type; `None` when the attribute is absent.
    pub fn value(&mut self, name: &str, external: External) -> Result<Option<Value>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::Tensor)? else {
            return Ok(None);
        };
        tensor::constant(*attribute.rest.t.unwrap_or_default(), external)
            .map(Some)
            .map_err(|e| e.at(&format!("attribute {name:?}")).at(&self.place()))
    }

    /// Refuses what nobody asked for: an attribute that we do not know may change what the node means.
    pub fn finish(&self) -> Result<(), ModelError> {
        match self.attributes.first() {
            None => Ok(()),
            Some(unknown) => Err(self.not_supported(format!(
                "attribute {:?} is not known",
                unknown.name.as_deref().unwrap_or("")
            ))),
        }
    }

    fn take(&mut self, name: &str, wanted: AttributeType) -> Result<Option<Attribute>, ModelError> {
        let Some(at) = self
            .attributes
            .iter()
            .position(|a| a.name.as_deref() == Some(name))
        else {
            return Ok(None);
        };
        let attribute = self.attributes.swap_remove(at);
        // Files of the first IR version leave the type out.
        let found = AttributeType::try_from(attribute.r#type.unwrap_or_default())
            .unwrap_or(AttributeType::Undefined);
        if attribute.r#type.is_some() && found != wanted {
            let (wanted, found) = (wanted.as_str_name(), found.as_str_name());
            return Err(self.invalid(format!(
                "attribute {name:?} is of type {found}, expected {wanted}"
            )));
        }
        if attribute
            .ref_attr_name
            .as_deref()
            .is_some_and(|name| !name.is_empty())
        {
            return Err(self.not_supported(format!(
                "attribute {name:?} refers to an attribute of a function"
            )));
        }
        Ok(Some(attribute))
    }

    fn utf8(&self, name: &str, bytes: Vec<u8>) -> Result<String, ModelError> {
        String::from_utf8(bytes).map_err(|_| self.not_text(name))
    }

    fn not_text(&self, name: &str) -> ModelError {
        self.invalid(format!("attribute {name:?} holds text that is not UTF-8"))
    }
}

/// The names that nodes read, those inside their graphs included.
fn reads_of(nodes: &[NodeProto]) -> impl Iterator<Item = &str> {
    nodes
        .iter()
        .flat_map(|node| reads(&node.input, &node.attribute))
}

fn reads<'n>(
    inputs: &'n [String],
    attributes: &'n [Attribute],
) -> Box<dyn Iterator<Item = &'n str> + 'n> {
    let graphs = attributes.iter().filter_map(|a| a.g.as_deref());
    let inner = graphs.flat_map(|graph| {
        let outputs = graph.output.iter().filter_map(|o| o.name.as_deref());
        reads_of(&graph.node).chain(outputs)
    });
    Box::new(inputs.iter().map(String::as_str).chain(inner))
}
