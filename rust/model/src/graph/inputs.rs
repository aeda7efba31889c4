//! The inputs of a graph: their types and shapes.

use std::sync::Arc;

use super::builder::Builder;
use super::value::Value;
use super::{name_of, tensor_of};
use crate::element::Element;
use crate::error::ModelError;
use crate::memory::{Keys, Tensor};
use crate::onnx::node::Node;
use crate::onnx::proto::tensor_shape_proto::Dimension as DimensionProto;
use crate::onnx::proto::tensor_shape_proto::dimension::Value as Dimension;
use crate::onnx::proto::type_proto::Value as TypeValue;
use crate::onnx::proto::{NodeProto, TypeProto, ValueInfoProto};
use crate::shape::Shape;

/// The widest input; checked before anybody allocates for it.
const MAX_WIDTH: usize = 1 << 16;

impl Builder<'_> {
    /// Gives a graph input its columns. `nodes` are all of the graph: those that read a map say its keys.
    pub(super) fn input(
        &mut self,
        input: &ValueInfoProto,
        nodes: &[NodeProto],
    ) -> Result<Tensor, ModelError> {
        let name = name_of(input);
        let refused =
            |message: String| ModelError::not_supported(format!("input {name:?} {message}"));
        let (element, shape, keys) = match input.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(TypeValue::TensorType(tensor)) => {
                let element = Element::of_onnx(tensor.elem_type)
                    .map_err(|e| e.at(&format!("input {name:?}")))?;
                let shape = tensor.shape.as_ref().ok_or_else(|| {
                    refused("has no shape, expected [n, width] or [n]".to_owned())
                })?;
                (element, shape_of(&shape.dim).map_err(refused)?, None)
            }
            Some(TypeValue::MapType(map)) => {
                let element = value_element(map.value_type.as_deref())
                    .map_err(|e| e.at(&format!("input {name:?}")))?;
                let keys = keys_of(name, nodes)?.ok_or_else(|| {
                    refused("is a map whose keys no DictVectorizer names".to_owned())
                })?;
                let shape = Shape {
                    dims: vec![1, keys.len()],
                    batch: Some(0),
                };
                (element, shape, Some(Arc::new(keys)))
            }
            _ => return Err(refused("is not a tensor".to_owned())),
        };
        let columns = self.scratch(element, shape.width())?;
        let mut value = Value::columns(element, shape, columns);
        value.keys = keys;
        let tensor = tensor_of(name, &value, columns.first);
        self.define(name, value)?;
        Ok(tensor)
    }
}

/// `[n, ...]` where the first dimension is not a number, and otherwise what every row has for itself.
fn shape_of(dims: &[DimensionProto]) -> Result<Shape, String> {
    let mut shape = Shape::default();
    for (axis, dim) in dims.iter().enumerate() {
        let fixed = match dim.value {
            Some(Dimension::DimValue(value)) => Some(value),
            _ => None,
        };
        match (axis, fixed) {
            (0, None) => {
                shape.batch = Some(0);
                shape.dims.push(1);
            }
            (_, Some(value)) => {
                let least = if shape.batch.is_some() { 1 } else { 0 };
                let width = usize::try_from(value).ok();
                let width = width.filter(|width| (least..=MAX_WIDTH).contains(width));
                shape.dims.push(
                    width.ok_or_else(|| {
                        format!("has the width {value}, expected 1 to {MAX_WIDTH}")
                    })?,
                );
            }
            (_, None) => {
                let place = match axis {
                    1 => "second".to_owned(),
                    2 => "third".to_owned(),
                    axis => format!("{}th", axis + 1),
                };
                return Err(format!(
                    "has a dynamic {place} dimension: export the model with the number of columns fixed, [None, k]"
                ));
            }
        }
    }
    let width = (shape.dims.iter()).try_fold(1usize, |width, dim| width.checked_mul(*dim));
    match width {
        Some(width) if width <= MAX_WIDTH => Ok(shape),
        _ => Err(format!(
            "has the shape {shape}, expected at most {MAX_WIDTH} values a row"
        )),
    }
}

/// The element type of a map's values.
fn value_element(value: Option<&TypeProto>) -> Result<Element, ModelError> {
    match value.and_then(|value| value.value.as_ref()) {
        Some(TypeValue::TensorType(tensor)) => Element::of_onnx(tensor.elem_type),
        _ => Err(ModelError::not_supported(
            "is a map of something else than numbers or strings",
        )),
    }
}

/// The keys of a map: those that the node names that reads it.
fn keys_of(name: &str, nodes: &[NodeProto]) -> Result<Option<Keys>, ModelError> {
    let readers = nodes
        .iter()
        .filter(|node| node.input.iter().any(|input| input == name));
    for reader in readers {
        let mut node = Node::new(reader.clone());
        let keys = match node.operator.as_str() {
            "DictVectorizer" => crate::operators::vocabulary(&mut node)?,
            "CastMap" => crate::operators::sparse_keys(&mut node)?,
            _ => None,
        };
        if keys.is_some() {
            return Ok(keys);
        }
    }
    Ok(None)
}
