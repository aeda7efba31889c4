//! What rows are combined with when all of them share it: a history of items beside the candidate.
//!
//! `Concat` of `[c, h, c - h, c h]` into a `MatMul`, where `c` is repeated for each row of `h`, is one step
//! (`kernels/paired.rs`). Differences and products with repeated values wait for that; others read what is not repeated,
//! which broadcasting allows.

use super::concat::Joined;
use super::elementwise::zipped;
use super::expand::Repeated;
use super::matmul::bias_or_zeros;
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::kernels::paired::{Matrices, Paired};
use crate::memory::Columns;
use crate::onnx::node::Node;

/// How two values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairing {
    Difference,
    Product,
}

/// Floats, one of them repeated, that are not combined yet.
#[derive(Debug)]
struct Combined {
    node: Node,
    pairing: Pairing,
    a: Value,
    b: Value,
}

/// Defers the node if one of its two inputs is repeated, and the other is as large as that.
pub(super) fn later(
    node: &mut Node,
    graph: &mut Builder,
    pairing: Pairing,
) -> Result<bool, ModelError> {
    if node.has("broadcast") || node.has("axis") {
        return Ok(false);
    }
    let (a, b) = (graph.deferred(node, 0)?, graph.deferred(node, 1)?);
    let floats = a.element == Element::Float && b.element == Element::Float;
    let repeated = |value: &Value| value.deferred::<Repeated>().is_some();
    if !floats || a.shape != b.shape || repeated(&a) == repeated(&b) {
        return Ok(false);
    }
    let shape = a.shape.clone();
    let other = match repeated(&a) {
        true => graph.made(b.clone())?,
        false => graph.made(a.clone())?,
    };
    let (a, b) = match repeated(&a) {
        true => (a, other),
        false => (other, b),
    };
    let node_later = Node::named(&node.operator, &node.name);
    let combined = Combined {
        node: node_later,
        pairing,
        a,
        b,
    };
    graph.alias(node, 0, Value::later(Element::Float, shape, combined))?;
    Ok(true)
}

/// A repeated value as it is before, another as it is.
fn once(value: &Value) -> &Value {
    value
        .deferred::<Repeated>()
        .map_or(value, |repeated| &repeated.value)
}

impl Deferred for Combined {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        let both = (once(&self.a), once(&self.b));
        let made = match self.pairing {
            Pairing::Difference => {
                zipped(&self.node, graph, both, Element::Float, |a: f32, b: f32| {
                    a - b
                })
            }
            Pairing::Product => {
                zipped(&self.node, graph, both, Element::Float, |a: f32, b: f32| {
                    a * b
                })
            }
        }?;
        Ok(made.own_columns())
    }
}

/// Whether a value is one row of so many numbers.
fn along_rows(value: &Value, inputs: usize) -> bool {
    value.shape.dims.last() == Some(&inputs)
}

/// Rows beside a shared one, times a constant matrix.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    own: Columns,
    shared: Columns,
    rows: usize,
    inputs: usize,
    targets: usize,
    matrices: std::sync::Arc<Matrices>,
}

/// Fewer targets are no panels.
const LEAST_TARGETS: usize = 8;

impl Pairs {
    /// Of a concatenation along the last axis, times weights of so many targets.
    pub fn of(value: &Value, weights: &[f32], targets: usize) -> Option<Self> {
        let joined = value.deferred::<Joined>()?;
        let (rows, _, behind) = joined.around;
        let inputs = joined.parts.first()?.width() / rows.max(1);
        if behind != 1 || rows < 2 || targets < LEAST_TARGETS || inputs == 0 {
            return None;
        }
        let zeros = || vec![0.0f64; inputs * targets];
        let (mut of_shared, mut of_own, mut of_both) = (zeros(), zeros(), zeros());
        let (mut shared, mut own) = (None, None);
        // All parts must be of one row that is shared, and of the same rows.
        let same = |place: &mut Option<Columns>, value: &Value, width: usize| {
            let columns = value.own_columns();
            let known = *place.get_or_insert(columns);
            known == columns && value.width() == width
        };
        for (part, weights) in joined.parts.iter().zip(weights.chunks(inputs * targets)) {
            let add = |to: &mut [f64], sign: f64| {
                let pairs = to.iter_mut().zip(weights);
                pairs.for_each(|(to, weight)| *to += sign * f64::from(*weight));
            };
            let fits = if let Some(repeated) = part.deferred::<Repeated>() {
                add(&mut of_shared, 1.0);
                along_rows(&repeated.value, inputs) && same(&mut shared, &repeated.value, inputs)
            } else if let Some(combined) = part.deferred::<Combined>() {
                let (a, b) = (&combined.a, &combined.b);
                let first = a.deferred::<Repeated>().is_some();
                let (one, many) = if first { (once(a), b) } else { (once(b), a) };
                match combined.pairing {
                    Pairing::Product => add(&mut of_both, 1.0),
                    Pairing::Difference => {
                        let sign = if first { 1.0 } else { -1.0 };
                        add(&mut of_shared, sign);
                        add(&mut of_own, -sign);
                    }
                }
                along_rows(one, inputs)
                    && same(&mut shared, one, inputs)
                    && same(&mut own, many, inputs * rows)
            } else {
                let columns = matches!(part.place, crate::graph::Place::Columns(_));
                add(&mut of_own, 1.0);
                columns && same(&mut own, part, inputs * rows)
            };
            if !fits {
                return None;
            }
        }
        let narrow = |wide: Vec<f64>| wide.into_iter().map(|x| x as f32).collect();
        Some(Self {
            own: own?,
            shared: shared?,
            rows,
            inputs,
            targets,
            matrices: std::sync::Arc::new(Matrices {
                shared: narrow(of_shared),
                own: narrow(of_own),
                both: narrow(of_both),
            }),
        })
    }

    /// Pushes the step.
    pub fn make(
        &self,
        node: &Node,
        graph: &mut Builder,
        bias: Option<&[f32]>,
        floor: f32,
    ) -> Result<Columns, ModelError> {
        let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
        let (rows, inputs, targets) = (self.rows, self.inputs, self.targets);
        let matrix = graph.scratch(Element::Float, Paired::matrix_width(inputs, targets))?;
        let to = graph.scratch(Element::Float, rows * targets)?;
        let step = Paired::new(
            cpu,
            (inputs, targets),
            &self.matrices,
            bias_or_zeros(bias, targets),
            floor,
            rows,
            [self.own, self.shared, matrix, to],
        );
        let kernel = format!("{rows} rows of {inputs} beside a shared one to {targets} float");
        graph.push(node, kernel, Box::new(step));
        Ok(to)
    }
}
