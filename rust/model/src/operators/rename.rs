//! `Identity` and `ZipMap`: a value gets another name, and no work is done.
//!
//! `ZipMap` turns `[n, k]` scores into maps from label to score; nobody needs maps here, so its output stays the
//! `[n, k]` tensor, with the columns in the order of its labels.

use crate::error::ModelError;
use crate::graph::Builder;
use crate::memory::Element;
use crate::onnx::node::Node;

pub(super) fn load_identity(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    graph.alias(node, value)
}

pub(super) fn load_zip_map(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
    if value.element != Element::Float {
        return Err(node.invalid(format!(
            "input is of type {}, expected float",
            value.element.name()
        )));
    }
    let labels = match (
        node.ints("classlabels_int64s")?.len(),
        node.strings("classlabels_strings")?.len(),
    ) {
        (labels, 0) | (0, labels) => labels,
        _ => {
            return Err(node.invalid(
                "has both classlabels_int64s and classlabels_strings, expected one of them",
            ));
        }
    };
    if labels != value.columns.width {
        return Err(node.invalid(format!(
            "has {labels} labels for an input of width {}",
            value.columns.width
        )));
    }
    graph.alias(node, value)
}
