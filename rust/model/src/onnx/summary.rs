//! What an ONNX file says about itself, whether or not it can be run.

use std::collections::BTreeMap;

use prost::Message;

use super::node::CORE;
use super::proto::{GraphProto, ModelProto};
use crate::error::ModelError;

/// What stands in an ONNX file, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The program that wrote it, with its version; may be empty.
    pub producer: String,
    /// The version of the format.
    pub ir_version: i64,
    /// The versions of the operator sets, by domain.
    pub opsets: BTreeMap<String, i64>,
    /// How often each operator stands in the graph and its branches.
    pub operators: BTreeMap<String, usize>,
    /// The strings that nodes look for in their inputs: categories, keys, words. Each one once.
    pub strings: Vec<String>,
}

/// The attributes that hold such strings.
const LOOKED_FOR: [&str; 5] = [
    "cats_strings",
    "keys_strings",
    "keys_tensor",
    "pool_strings",
    "string_vocabulary",
];

impl Summary {
    /// Reads an ONNX file.
    ///
    /// # Errors
    ///
    /// [`ModelError`] when the bytes are not an ONNX file.
    pub fn of(bytes: &[u8]) -> Result<Summary, ModelError> {
        let model = ModelProto::decode(bytes)
            .map_err(|cause| ModelError::corrupt(format!("not an ONNX file: {cause}")))?;
        let producer = [model.producer_name, model.producer_version].map(Option::unwrap_or_default);
        let mut summary = Summary {
            producer: producer.join(" ").trim().to_owned(),
            ir_version: model.ir_version.unwrap_or_default(),
            ..Summary::default()
        };
        for opset in model.opset_import {
            let domain = opset.domain.filter(|domain| !domain.is_empty());
            let domain = domain.unwrap_or_else(|| CORE.to_owned());
            summary
                .opsets
                .insert(domain, opset.version.unwrap_or_default());
        }
        summary.add(&model.graph.unwrap_or_default());
        summary.strings.sort_unstable();
        summary.strings.dedup();
        Ok(summary)
    }

    fn add(&mut self, graph: &GraphProto) {
        for node in &graph.node {
            let operator = node.op_type.clone().unwrap_or_default();
            *self.operators.entry(operator).or_default() += 1;
            for attribute in &node.attribute {
                if LOOKED_FOR.contains(&attribute.name.as_deref().unwrap_or_default()) {
                    let of_tensor = attribute.t.iter().flat_map(|tensor| &tensor.string_data);
                    let of_tensor = of_tensor.map(Vec::as_slice);
                    let strings = attribute.strings.iter().chain(of_tensor);
                    let strings = strings.filter_map(|text| String::from_utf8(text.to_vec()).ok());
                    self.strings.extend(strings);
                }
                if let Some(branch) = &attribute.g {
                    self.add(branch);
                }
            }
        }
    }
}
