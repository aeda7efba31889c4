//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of `ai.onnx.ml`, versions 1 and 3.
//!
//! Float, int64 and int32 inputs compare and sum in f32, double inputs in f64, as in ONNX Runtime. The kernels want the
//! features of a row side by side, so the columns are gathered into rows first; a single row with a stride of 1 may lie
//! that way already.

use super::post_transform::PostTransform;
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Rows, Value};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};
use crate::onnx::tensor::Stored;
use crate::trees::{
    self, Aggregate, Arrays, Classes, Ensemble, Kernel, Mode, Scores, WeightArrays,
};

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "TreeEnsembleClassifier", load_classifier),
    (ML, "TreeEnsembleRegressor", load_regressor),
];

struct TreeEnsemble {
    kernel: Kernel,
    from: Rows,
    /// What branches read of all rows, row after row, in the kernel's region.
    rows: Columns,
    /// What the kernel keeps of each row, in the kernel's region.
    scratch: Columns,
    scores: Columns,
    labels: Option<Columns>,
}

fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let from = graph.rows(node)?;
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
    let kernel = load_kernel(node, graph, &from, parts)?;
    let scores = graph.make(node, 0, Made::new(Element::Float, from.wide(targets)))?;
    push(node, graph, from, kernel, scores, None)
}

fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let from = graph.rows(node)?;
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
    let kernel = load_kernel(node, graph, &from, parts)?;
    let labels = graph.make(node, 0, Made::label(&from, dictionary))?;
    let scores = graph.make(node, 1, Made::new(Element::Float, from.wide(classes)))?;
    push(node, graph, from, kernel, scores, Some(labels))
}

/// The scores of an ensemble without labels, as floats.
pub(super) fn finish(
    node: &Node,
    graph: &mut Builder,
    from: Rows,
    kernel: Kernel,
    targets: usize,
) -> Result<Value, ModelError> {
    let shape = from.wide(targets);
    let scores = graph.scratch(Element::Float, shape.width())?;
    push(node, graph, from, kernel, scores, None)?;
    Ok(Value::columns(Element::Float, shape, scores))
}

fn push(
    node: &Node,
    graph: &mut Builder,
    from: Rows,
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
    let ensemble = TreeEnsemble {
        kernel,
        from,
        rows,
        scratch,
        scores,
        labels,
    };
    graph.push(node, name, Box::new(ensemble));
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
    from: &Rows,
    parts: Parts,
) -> Result<Kernel, ModelError> {
    let width = from.width;
    let kernel = match from.element {
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
        other => return Err(super::elementwise::refuse(node, other, "a number")),
    };
    kernel.map_err(|e| node.invalid(e))?.ok_or_else(|| {
        node.not_supported(
            "the ensemble has more than 2^32 nodes, or reads more than 2^28 features",
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
        tree_ids: node.small_ints("nodes_treeids")?,
        node_ids: node.small_ints("nodes_nodeids")?,
        features: node.small_ints("nodes_featureids")?,
        modes: node.words("nodes_modes", Mode::parse)?,
        values: floats_or_tensor(node, graph, "nodes_values")?,
        on_true: node.small_ints("nodes_truenodeids")?,
        on_false: node.small_ints("nodes_falsenodeids")?,
        missing_to_true: node.small_ints("nodes_missing_value_tracks_true")?,
        weights: WeightArrays {
            prefix,
            tree_ids: node.small_ints(&format!("{prefix}_treeids"))?,
            node_ids: node.small_ints(&format!("{prefix}_nodeids"))?,
            targets: node.small_ints(&format!("{prefix}_ids"))?,
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

impl Step for TreeEnsemble {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for lead in 0..self.from.lead {
            match &self.kernel {
                Kernel::Ranked(ensemble) => self.run_floats(ensemble, n, memory, lead),
                Kernel::AtMost(ensemble) => self.run_floats(ensemble, n, memory, lead),
                Kernel::Mixed(ensemble) => self.run_floats(ensemble, n, memory, lead),
                Kernel::Table(ensemble) => self.run_floats(ensemble, n, memory, lead),
                Kernel::Double(ensemble) => self.run_doubles(ensemble, n, memory, lead),
            }
        }
    }
}

impl TreeEnsemble {
    fn run_floats<W: trees::Walk<Value = f32>>(
        &self,
        ensemble: &Ensemble<W>,
        n: usize,
        memory: &mut Workspace,
        lead: usize,
    ) {
        let Workspace {
            ref mut f32,
            ref mut i64,
            stride,
            ..
        } = *memory;
        let from = self.from.of(lead, self.from.columns);
        let rows = match self.from.element {
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
        let labels = self.labels.map(|labels| self.from.of(lead, labels));
        let labels = labels.map(|labels| labels.of_mut(i64, stride));
        let scores = self.from.of(lead, self.scores);
        ensemble.finish(n, stride, scratch, scores.of_mut(older, stride), labels);
    }

    fn run_doubles<W: trees::Walk<Value = f64>>(
        &self,
        ensemble: &Ensemble<W>,
        n: usize,
        memory: &mut Workspace,
        lead: usize,
    ) {
        let Workspace {
            ref mut f32,
            ref mut f64,
            ref mut i64,
            stride,
            ..
        } = *memory;
        let from = self.from.of(lead, self.from.columns);
        let (from, to) = from.and_younger(self.rows, f64, stride);
        ensemble.row.gather(n, stride, from, to, |x| x);
        let (x, scratch) = self.rows.and_younger(self.scratch, f64, stride);
        ensemble.accumulate(n, x, scratch);
        let labels = self.labels.map(|labels| self.from.of(lead, labels));
        let labels = labels.map(|labels| labels.of_mut(i64, stride));
        let scores = self.from.of(lead, self.scores);
        ensemble.finish(n, stride, scratch, scores.of_mut(f32, stride), labels);
    }
}
