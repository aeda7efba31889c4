//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`, versions 1 and 3.
//!
//! Float, int64 and int32 inputs compare and sum in f32, double inputs in f64, as in ONNX Runtime. The kernels want the
//! features of a row side by side, so the columns are gathered into rows first; a single row with a stride of 1 may lie
//! that way already.

use super::Step;
use super::post_transform::PostTransform;
use crate::cpu::Cpu;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::memory::{Columns, Element, Memory};
use crate::onnx::node::Node;
use crate::onnx::tensor::Stored;
use crate::trees::{self, Aggregate, Arrays, Classes, Ensemble, Kernel, Scores, WeightArrays};

#[derive(Debug)]
pub(crate) struct TreeEnsemble {
    kernel: Kernel,
    from: (Element, Columns),
    /// What branches read of all rows, row after row, in the kernel's region.
    rows: Columns,
    /// What the kernel keeps of each row, in the kernel's region.
    scratch: Columns,
    scores: Columns,
    labels: Option<Columns>,
}

pub(super) fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
    let targets = match node.int("n_targets")? {
        Some(targets @ 1..=0xFFFF) => targets as usize,
        Some(other) => {
            return Err(node.invalid(format!(
                "attribute \"n_targets\" is {other}, expected 1 to 65535"
            )));
        }
        None => return Err(node.invalid("attribute \"n_targets\" is missing")),
    };
    let aggregate = match node.string("aggregate_function")?.as_deref() {
        None | Some("SUM") => Aggregate::Sum,
        Some("AVERAGE") => Aggregate::Average,
        Some("MIN") => Aggregate::Min,
        Some("MAX") => Aggregate::Max,
        Some(other) => {
            let expected = "SUM, AVERAGE, MIN or MAX";
            return Err(node.invalid(format!(
                "attribute \"aggregate_function\" is {other:?}, expected {expected}"
            )));
        }
    };
    let parts = Parts {
        weights: "target",
        targets,
        aggregate,
        labels: None,
    };
    let kernel = load_kernel(node, graph, &value, parts)?;
    let scores = graph.make(node, 0, Made::matrix(Element::Float, targets))?;
    push(node, graph, &value, kernel, scores, None)
}

pub(super) fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
    let (ints, strings) = (
        node.ints("classlabels_int64s")?,
        node.strings("classlabels_strings")?,
    );
    let (values, dictionary) = match (ints.len(), strings.len()) {
        (0, 0) => {
            return Err(node.invalid("has neither classlabels_int64s nor classlabels_strings"));
        }
        (_, 0) => (ints, None),
        (0, 1) => {
            return Err(node.not_supported("has a single string label, expected at least two"));
        }
        (0, _) => ((0..).take(strings.len()).collect(), Some(strings)),
        _ => {
            return Err(node.invalid(
                "has both classlabels_int64s and classlabels_strings, expected one of them",
            ));
        }
    };
    let classes = values.len();
    let parts = Parts {
        weights: "class",
        targets: classes,
        aggregate: Aggregate::Sum,
        labels: Some(values),
    };
    let kernel = load_kernel(node, graph, &value, parts)?;
    let labels = graph.make(node, 0, Made::label(dictionary))?;
    let scores = graph.make(node, 1, Made::matrix(Element::Float, classes))?;
    push(node, graph, &value, kernel, scores, Some(labels))
}

fn push(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    kernel: Kernel,
    scores: Columns,
    labels: Option<Columns>,
) -> Result<(), ModelError> {
    let element = if matches!(kernel, Kernel::Double(_)) {
        Element::Double
    } else {
        Element::Float
    };
    let rows = graph.scratch(element, kernel.row().width())?;
    let scratch = graph.scratch(element, kernel.scratch())?;
    let name = kernel.to_string();
    let from = (value.element, value.columns);
    let ensemble = TreeEnsemble {
        kernel,
        from,
        rows,
        scratch,
        scores,
        labels,
    };
    graph.push(node, name, Step::TreeEnsemble(Box::new(ensemble)));
    Ok(())
}

/// Where the two operators differ.
struct Parts {
    /// How the attributes of the leaf weights begin.
    weights: &'static str,
    targets: usize,
    aggregate: Aggregate,
    /// The labels of a classifier.
    labels: Option<Vec<i64>>,
}

fn load_kernel(
    node: &mut Node,
    graph: &Builder,
    value: &Value,
    parts: Parts,
) -> Result<Kernel, ModelError> {
    let width = value.columns.width;
    let kernel = match value.element {
        Element::Float | Element::Int64 | Element::Int32 => {
            let (arrays, scores) = read::<f32>(node, graph, parts)?;
            let forest = arrays
                .check(width, scores.targets)
                .map_err(|e| node.invalid(e))?;
            let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
            Kernel::floats(forest, scores, cpu)
        }
        Element::Double => {
            let (arrays, scores) = read::<f64>(node, graph, parts)?;
            let forest = arrays
                .check(width, scores.targets)
                .map_err(|e| node.invalid(e))?;
            Kernel::doubles(forest, scores)
        }
        Element::Bool | Element::String => {
            return Err(node.invalid(format!(
                "input is of type {}, expected a number",
                value.element.name()
            )));
        }
    };
    kernel.ok_or_else(|| {
        node.not_supported(
            "the ensemble has more than 2^32 nodes, or reads more than 2^22 features",
        )
    })
}

/// The attributes that both operators have.
fn read<V>(
    node: &mut Node,
    graph: &Builder,
    parts: Parts,
) -> Result<(Arrays<V>, Scores<V>), ModelError>
where
    V: trees::Value + Stored + From<f32>,
{
    let Parts {
        weights: prefix,
        targets,
        aggregate,
        labels,
    } = parts;
    // Hit rates describe the training.
    node.floats("nodes_hitrates")?;
    node.tensor::<V>("nodes_hitrates_as_tensor", graph.external)?;
    let arrays = Arrays {
        tree_ids: node.ints("nodes_treeids")?,
        node_ids: node.ints("nodes_nodeids")?,
        features: node.ints("nodes_featureids")?,
        modes: node.strings("nodes_modes")?,
        values: floats_or_tensor(node, graph, "nodes_values")?,
        on_true: node.ints("nodes_truenodeids")?,
        on_false: node.ints("nodes_falsenodeids")?,
        missing_to_true: node.ints("nodes_missing_value_tracks_true")?,
        weights: WeightArrays {
            prefix,
            tree_ids: node.ints(&format!("{prefix}_treeids"))?,
            node_ids: node.ints(&format!("{prefix}_nodeids"))?,
            targets: node.ints(&format!("{prefix}_ids"))?,
            weights: floats_or_tensor(node, graph, &format!("{prefix}_weights"))?,
        },
    };
    let base_values: Vec<V> = floats_or_tensor(node, graph, "base_values")?;
    let post_transform = PostTransform::load(node)?;
    let found = base_values.len();
    let allowed =
        found == 0 || found == targets || (labels.is_some() && targets == 2 && found == 1);
    if !allowed {
        return Err(node.invalid(format!(
            "has {found} base_values, expected none or {targets}"
        )));
    }
    let classes = labels.map(|labels| Classes::new(labels, &arrays.weights));
    Ok((
        arrays,
        Scores {
            targets,
            aggregate,
            base_values,
            post_transform,
            classes,
        },
    ))
}

/// The list of floats `name`, or the tensor `name_as_tensor`, which has the type of the input.
fn floats_or_tensor<V>(node: &mut Node, graph: &Builder, name: &str) -> Result<Vec<V>, ModelError>
where
    V: Stored + From<f32>,
{
    let floats = node.floats(name)?;
    let tensor = node.tensor::<V>(&format!("{name}_as_tensor"), graph.external)?;
    match (floats.is_empty(), tensor.is_empty()) {
        (false, false) => Err(node.invalid(format!(
            "has both {name} and {name}_as_tensor, expected one of them"
        ))),
        (true, _) => Ok(tensor),
        (false, _) => Ok(floats.into_iter().map(V::from).collect()),
    }
}

impl TreeEnsemble {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        match &self.kernel {
            Kernel::Ranked(ensemble) => self.run_floats(ensemble, n, memory),
            Kernel::AtMost(ensemble) => self.run_floats(ensemble, n, memory),
            Kernel::Table(ensemble) => self.run_floats(ensemble, n, memory),
            Kernel::Double(ensemble) => self.run_doubles(ensemble, n, memory),
        }
    }

    fn run_floats<W: trees::Walk<Value = f32>>(
        &self,
        ensemble: &Ensemble<W>,
        n: usize,
        memory: &mut Memory,
    ) {
        let Memory {
            ref mut f32,
            ref mut i64,
            stride,
            ..
        } = *memory;
        let (element, from) = self.from;
        let rows = match element {
            Element::Float if n == 1 && stride == 1 && ensemble.row.is_plain() => from,
            Element::Float => {
                let (from, to) = from.and_younger(self.rows, f32, stride);
                ensemble.row.gather(n, stride, from, to, |x| x);
                self.rows
            }
            _ => {
                ensemble.row.gather(
                    n,
                    stride,
                    from.of(i64, stride),
                    self.rows.of_mut(f32, stride),
                    |x| x as f32,
                );
                self.rows
            }
        };
        let (x, scratch) = rows.and_younger(self.scratch, f32, stride);
        ensemble.accumulate(n, x, scratch);
        let (older, scratch) = f32.split_at_mut(self.scratch.first * stride);
        let labels = self.labels.map(|labels| labels.of_mut(i64, stride));
        ensemble.finish(
            n,
            stride,
            scratch,
            self.scores.of_mut(older, stride),
            labels,
        );
    }

    fn run_doubles<W: trees::Walk<Value = f64>>(
        &self,
        ensemble: &Ensemble<W>,
        n: usize,
        memory: &mut Memory,
    ) {
        let Memory {
            ref mut f32,
            ref mut f64,
            ref mut i64,
            stride,
        } = *memory;
        let (from, to) = self.from.1.and_younger(self.rows, f64, stride);
        ensemble.row.gather(n, stride, from, to, |x| x);
        let (x, scratch) = self.rows.and_younger(self.scratch, f64, stride);
        ensemble.accumulate(n, x, scratch);
        let labels = self.labels.map(|labels| labels.of_mut(i64, stride));
        ensemble.finish(n, stride, scratch, self.scores.of_mut(f32, stride), labels);
    }
}
