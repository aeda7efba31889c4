//! Maps: `ZipMap`, `DictVectorizer`, `CastMap`.
//!
//! A map is held as the tensor `[n, keys]` of its values, with keys that are known at load: a `ZipMap` names them, and so
//! does the operator that reads a map which the caller gives. There, a key that a record does not have is 0.

use std::sync::Arc;

use super::Operator;
use super::cast::cast;
use super::moves::gather_or_fill;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::Builder;
use crate::kernels::moves::NONE;
use crate::memory::Keys;
use crate::onnx::node::{ML, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "CastMap", load_cast_map),
    (ML, "DictVectorizer", load_dict_vectorizer),
    (ML, "ZipMap", load_zip_map),
];

fn load_zip_map(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let mut value = graph.operand(node, 0)?;
    if value.element != Element::Float {
        return Err(node.invalid(format!(
            "input is of type {}, expected float",
            value.element.name()
        )));
    }
    let keys = match (
        node.ints("classlabels_int64s")?,
        node.strings("classlabels_strings")?,
    ) {
        (labels, strings) if strings.is_empty() => Keys::Ints(labels),
        (labels, strings) if labels.is_empty() => Keys::Strings(strings),
        _ => {
            return Err(node.invalid(
                "has both classlabels_int64s and classlabels_strings, expected one of them",
            ));
        }
    };
    let (labels, width) = (keys.len(), value.shape.dims.last().copied().unwrap_or(1));
    if labels != width {
        return Err(node.invalid(format!("has {labels} labels for an input of width {width}")));
    }
    value.keys = Some(Arc::new(keys));
    graph.alias(node, 0, value)
}

/// The keys that a `DictVectorizer` knows.
pub(crate) fn vocabulary(node: &mut Node) -> Result<Option<Keys>, ModelError> {
    let (ints, strings) = (
        node.ints("int64_vocabulary")?,
        node.strings("string_vocabulary")?,
    );
    Ok(match (ints.is_empty(), strings.is_empty()) {
        (false, true) => Some(Keys::Ints(ints)),
        (true, false) => Some(Keys::Strings(strings)),
        _ => None,
    })
}

/// The keys that a `CastMap` to a tensor of fixed width knows: the columns' numbers.
pub(crate) fn sparse_keys(node: &mut Node) -> Result<Option<Keys>, ModelError> {
    let sparse = node.string("map_form")?.as_deref() == Some("SPARSE");
    let most = node.int("max_map")?.unwrap_or(1);
    Ok((sparse && (1..=1 << 16).contains(&most)).then(|| Keys::Ints((0..most).collect())))
}

fn load_dict_vectorizer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let wanted = vocabulary(node)?.ok_or_else(|| node.invalid("has no vocabulary, or two"))?;
    let keys = value
        .keys
        .clone()
        .ok_or_else(|| node.invalid("input is no map"))?;
    if *keys == wanted {
        let mut value = value;
        value.keys = None;
        return graph.alias(node, 0, value);
    }
    let index = match (&*keys, &wanted) {
        (Keys::Ints(keys), Keys::Ints(wanted)) => places(keys, wanted),
        (Keys::Strings(keys), Keys::Strings(wanted)) => places(keys, wanted),
        _ => {
            return Err(node.invalid("the keys of the map are of another type than the vocabulary"));
        }
    };
    let mut shape = value.shape.clone();
    let last = shape.rank() - 1;
    shape.dims[last] = index.len();
    gather_or_fill(node, graph, &value, None, shape, index)
}

fn places<K: PartialEq>(keys: &[K], wanted: &[K]) -> Vec<u32> {
    let place = |key: &K| keys.iter().position(|known| known == key);
    wanted
        .iter()
        .map(|key| place(key).map_or(NONE, |place| place as u32))
        .collect()
}

/// The values in the order of their keys: side by side, or each in the column of its key.
fn load_cast_map(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let keys = value
        .keys
        .clone()
        .ok_or_else(|| node.invalid("input is no map"))?;
    let Keys::Ints(keys) = &*keys else {
        return Err(node.invalid("the keys of the map are strings, expected int64"));
    };
    let to = match node.string("cast_to")?.as_deref() {
        None | Some("TO_FLOAT") => Element::Float,
        Some("TO_INT64") => Element::Int64,
        Some("TO_STRING") => Element::String,
        Some(other) => {
            return Err(node.invalid(format!(
                "attribute \"cast_to\" is {other:?}, expected TO_FLOAT, TO_INT64 or TO_STRING"
            )));
        }
    };
    let form = node.string("map_form")?;
    let most = node.int("max_map")?.unwrap_or(1);
    let wanted: Vec<i64> = match form.as_deref() {
        None | Some("DENSE") => {
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            sorted
        }
        Some("SPARSE") if (1..=1 << 16).contains(&most) => (0..most).collect(),
        other => {
            return Err(node.invalid(format!(
                "attribute \"map_form\" is {other:?} with max_map {most}"
            )));
        }
    };
    let cast = cast(node, graph, &value, to)?;
    if *keys == wanted {
        return graph.alias(node, 0, cast);
    }
    if to == Element::String {
        return Err(node.not_supported("sparse maps to strings are not supported"));
    }
    let index = places(keys, &wanted);
    let batch = cast.shape.batch;
    let mut dims = cast.shape.dims.clone();
    let last = dims.len() - 1;
    dims[last] = wanted.len();
    gather_or_fill(node, graph, &cast, None, Shape { dims, batch }, index)
}
