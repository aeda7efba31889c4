//! Rows inside of an axis: `[3 * N, 4]` with all rows three times, one time behind the other.
//!
//! A shape has its rows outermost on their axis. Exporters make the other kind where they compute with a matrix between
//! two reshapes. So such a value is known by the shape that keeps rows apart, `[3, N, 4]`: it can be reshaped to that,
//! and what treats every row of a matrix alike computes with it.

use super::Load;
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::memory::Columns;
use crate::onnx::node::{CORE, Node};

/// What treats every row of a matrix alike.
const ALIKE: [&str; 12] = [
    "Add", "Cast", "Div", "Erf", "Gelu", "Gemm", "MatMul", "Mul", "Relu", "Sigmoid", "Sub", "Tanh",
];

/// A value whose rows are merged with the axis before theirs.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    /// Its values by the shape that keeps rows apart.
    pub apart: Value,
    /// The axis that is merged with that of the rows behind it.
    axis: usize,
    /// Who made it.
    place: String,
}

impl Deferred for Merged {
    fn make(&self, _: &mut Builder) -> Result<Columns, ModelError> {
        Err(self.mixes())
    }

    fn is_free(&self) -> bool {
        true
    }
}

impl Merged {
    /// A value of the shape that keeps rows apart, `axis` before theirs, with both axes in one.
    pub fn of(
        node: &Node,
        graph: &mut Builder,
        apart: Value,
        axis: usize,
    ) -> Result<Value, ModelError> {
        let apart = graph.made(apart)?;
        let mut shape = apart.shape.clone();
        let behind = shape.dims.remove(axis + 1);
        shape.dims[axis] *= behind;
        shape.batch = Some(axis);
        let (element, dictionary) = (apart.element, apart.dictionary.clone());
        let place = node.place();
        let merged = Self { apart, axis, place };
        Ok(Value::later(element, shape, merged).with_dictionary(dictionary))
    }

    /// How many times the rows are there.
    fn times(&self) -> usize {
        self.apart.shape.dims[self.axis]
    }

    fn mixes(&self) -> ModelError {
        let message = format!(
            "makes one axis of {} that mixes rows; every row is computed alone",
            self.apart.shape
        );
        ModelError::not_supported(message).at(&self.place)
    }
}

/// Loads a node that treats merged rows alike; `false` where it reads none.
pub(super) fn load(node: &mut Node, graph: &mut Builder, load: Load) -> Result<bool, ModelError> {
    if node.domain != CORE || !ALIKE.contains(&node.operator.as_str()) {
        return Ok(false);
    }
    let (mut all, mut rows) = (Vec::new(), 0);
    for index in 0..node.inputs.len() {
        if let Some(value) = graph.peek(node, index)? {
            rows += usize::from(value.shape.batch.is_some());
            if let Some(merged) = value.deferred::<Merged>() {
                all.push((node.inputs[index].clone(), merged.clone(), value.clone()));
            }
        }
    }
    let Some((_, merged, _)) = all.first().cloned() else {
        return Ok(false);
    };
    let same = all
        .iter()
        .all(|(_, other, _)| other.times() == merged.times());
    if !same || all.len() < rows {
        return Err(merged.mixes());
    }
    for (name, merged, value) in &all {
        let plain = merged.apart.clone().reshaped(value.shape.clone());
        graph.values.insert(name.clone(), plain);
    }
    load(node, graph)?;
    for (name, _, value) in all {
        graph.values.insert(name, value);
    }
    for output in &node.outputs {
        if let Some(mut value) = graph.values.remove(output)
            && let Some(axis) = value.shape.batch
        {
            value = graph.made(value)?;
            let dim = &mut value.shape.dims[axis];
            if *dim % merged.times() != 0 {
                return Err(merged.mixes());
            }
            *dim /= merged.times();
            value.shape.dims.insert(axis, merged.times());
            value.shape.batch = Some(axis + 1);
            let value = Merged::of(node, graph, value, axis)?;
            graph.values.insert(output.clone(), value);
        }
    }
    Ok(true)
}
