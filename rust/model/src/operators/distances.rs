//! Distances to constant vectors: the `Scan` that exporters make of nearest neighbours and kernels, as one step.
//!
//! Its body takes a vector, `next`, and all rows, which go round as they are, and gives `ReduceSumSquare(rows - next)`.

use std::collections::HashMap;

use super::Step;
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::machine::{Term, Vectors};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::Node;
use crate::onnx::proto::GraphProto;
use crate::shape::Shape;

/// Loads a `Scan` whose body is such a one, over `rows` and `vectors`; `false` where it is another.
pub(super) fn load(
    node: &Node,
    graph: &mut Builder,
    body: &GraphProto,
    rows: &Value,
    vectors: &Value,
) -> Result<bool, ModelError> {
    let Some(values) = vectors.values::<f32>() else {
        return Ok(false);
    };
    let is_matrix = rows.shape.rank() == 2 && rows.shape.batch == Some(0) && rows.width() > 0;
    let fits = rows.element == Element::Float && vectors.element == Element::Float;
    let [count, width] = vectors.shape.dims[..] else {
        return Ok(false);
    };
    if !is_matrix || !fits || width != rows.width() || !is_distance(body)? {
        return Ok(false);
    }
    if node.outputs.first().is_some_and(|name| !name.is_empty()) {
        graph.alias(node, 0, rows.clone())?;
    }
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let from = graph.columns(node, rows)?;
    let of_row = graph.scratch(Element::Float, count)?;
    let shape = Shape {
        dims: vec![count, 1],
        batch: Some(1),
    };
    graph.make(node, 1, Made::new(Element::Float, shape))?;
    let distances = Distances {
        vectors: Vectors::new(cpu, values, width, count),
        from,
        of_row,
    };
    let kernel = format!("squared distances to {count} vectors of {width}");
    graph.push(node, kernel, Box::new(distances));
    Ok(true)
}

/// Whether a body gives its first input, and the sums of squares of its difference from the second.
fn is_distance(body: &GraphProto) -> Result<bool, ModelError> {
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let mut same: HashMap<String, String> = HashMap::new();
    let mut nodes = Vec::new();
    for node in body.node.iter().cloned().map(Node::new) {
        match (node.operator.as_str(), &node.inputs[..], &node.outputs[..]) {
            ("Identity", [from], [to]) => {
                let from = same.get(from).unwrap_or(from).clone();
                same.insert(to.clone(), from);
            }
            _ => nodes.push(node),
        }
    }
    let origin = |name: &str| same.get(name).map_or(name, String::as_str).to_owned();
    let (inputs, outputs): (Vec<_>, Vec<_>) = (
        body.input.iter().map(|input| name(&input.name)).collect(),
        body.output
            .iter()
            .map(|output| origin(&name(&output.name)))
            .collect(),
    );
    let ([rows, next], [round, sums]) = (&inputs[..], &outputs[..]) else {
        return Ok(false);
    };
    let Ok([difference, mut squares]) = <[Node; 2]>::try_from(nodes) else {
        return Ok(false);
    };
    let read: Vec<String> = difference.inputs.iter().map(|name| origin(name)).collect();
    let subtracts = difference.operator == "Sub"
        && (read == [rows.clone(), next.clone()] || read == [next.clone(), rows.clone()]);
    let axes = match squares.inputs.get(1) {
        None => squares.ints("axes")?,
        Some(axes) => {
            let stored = body
                .initializer
                .iter()
                .find(|tensor| name(&tensor.name) == *axes);
            let stored = stored
                .cloned()
                .map(|tensor| crate::onnx::tensor::values(tensor, &|_| None));
            stored.transpose()?.unwrap_or_default()
        }
    };
    Ok(subtracts
        && round == rows
        && squares.operator == "ReduceSumSquare"
        && squares.inputs.first().map(|name| origin(name)).as_ref() == difference.outputs.first()
        && squares.outputs.first() == Some(sums)
        && axes == [1]
        && !squares.flag("keepdims", true)?)
}

struct Distances {
    vectors: Vectors,
    from: Columns,
    /// Those of one row after the other. What is made stands behind them.
    of_row: Columns,
}

impl Step for Distances {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let count = self.vectors.count();
        for row in 0..n {
            let (older, made) = memory.split::<f32>(self.of_row);
            let from = &self.from.of(older.f32, stride)[row..];
            let (of_row, to) = made.split_at_mut(count * stride);
            let to = &mut to[..count * stride];
            if stride == 1 {
                self.vectors
                    .compare(Term::SquaredDifference, from, stride, to);
                return;
            }
            let of_row = &mut of_row[..count];
            self.vectors
                .compare(Term::SquaredDifference, from, stride, of_row);
            for (to, distance) in to.chunks_exact_mut(stride).zip(of_row) {
                to[row] = *distance;
            }
        }
    }
}
