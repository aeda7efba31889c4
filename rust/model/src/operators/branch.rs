//! `If` whose condition is known when the model loads: the branch that is taken takes its place.

use super::Operator;
use crate::error::ModelError;
use crate::graph::Builder;
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[(CORE, "If", load)];

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let condition = graph.constant::<i64>(node, 0)?;
    let condition = condition.and_then(|condition| condition.first().copied());
    let condition = condition.ok_or_else(|| node.invalid("has no condition"))?;
    let (taken, other) = match condition != 0 {
        true => ("then_branch", "else_branch"),
        false => ("else_branch", "then_branch"),
    };
    node.ignore(other);
    let branch = node.graph(taken)?;
    let branch = branch.ok_or_else(|| node.invalid(format!("attribute {taken:?} is missing")))?;
    for (index, value) in graph.inline(branch)?.into_iter().enumerate() {
        graph.alias(node, index, value)?;
    }
    Ok(())
}
