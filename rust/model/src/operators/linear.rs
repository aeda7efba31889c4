//! `LinearClassifier` and `LinearRegressor`: rows times coefficients, plus intercepts.
//!
//! As in ONNX Runtime: a classifier with one row of coefficients gives the scores `[1 - s, s]`, or with LOGISTIC
//! `[logistic(-s), logistic(s)]`, and the second label above zero; with more rows, the label is that of the largest score
//! before the post-transform. A regressor with a single target knows no post-transform but PROBIT.

use super::elementwise::refuse;
use super::post_transform::{PostTransform, RowScores};
use super::{Operator, Step};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Rows};
use crate::kernels::dense::Dense;
use crate::math::logistic;
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "LinearClassifier", load_classifier),
    (ML, "LinearRegressor", load_regressor),
];

struct Linear {
    dense: Dense<f32>,
    post_transform: PostTransform,
    rows: Rows,
    /// The targets, and one column more when a second class is added.
    to: Columns,
    labels: Option<Labels>,
}

struct Labels {
    /// By target; of a single target, what is at most zero and what is above.
    values: Vec<i64>,
    to: Columns,
}

fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = rows(node, graph)?;
    let coefficients = node.floats("coefficients")?;
    let intercepts = node.floats("intercepts")?;
    // Says how the coefficients were trained; the scores do not depend on it.
    node.int("multi_class")?;
    let post_transform = PostTransform::load(node)?;
    let (ints, strings) = (
        node.ints("classlabels_ints")?,
        node.strings("classlabels_strings")?,
    );
    let targets = intercepts.len();
    if targets == 0 {
        return Err(
            node.invalid("attribute \"intercepts\" is missing, expected one value for each class")
        );
    }
    check_coefficients(node, &coefficients, targets, rows.width)?;
    let (values, strings) = match (ints.len(), strings.len()) {
        (labels, 0) if labels == targets.max(2) => (ints, None),
        (0, labels) if labels == targets.max(2) => ((0..).take(labels).collect(), Some(strings)),
        (ints, strings) => {
            let labels = format!("{ints} classlabels_ints and {strings} classlabels_strings");
            let expected = targets.max(2);
            return Err(node.invalid(format!(
                "has {labels} for {targets} intercepts, expected {expected} of one kind"
            )));
        }
    };
    if targets == 1 && post_transform == PostTransform::Probit {
        return Err(node
            .not_supported("post_transform PROBIT is not supported for one row of coefficients"));
    }
    let label = Made::label(&rows, strings);
    let labels = Labels {
        values,
        to: graph.make(node, 0, label)?,
    };
    let shape = rows.wide(targets.max(2));
    let to = graph.make(node, 1, Made::new(Element::Float, shape))?;
    push(
        node,
        graph,
        (coefficients, intercepts),
        post_transform,
        rows,
        to,
        Some(labels),
    );
    Ok(())
}

fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = rows(node, graph)?;
    let coefficients = node.floats("coefficients")?;
    let intercepts = node.floats("intercepts")?;
    let targets = match node.int("targets")?.unwrap_or(1) {
        targets if targets >= 1 && targets <= coefficients.len() as i64 => targets as usize,
        other => {
            let found = coefficients.len();
            return Err(node.invalid(format!(
                "attribute \"targets\" is {other} with {found} coefficients"
            )));
        }
    };
    let post_transform = PostTransform::load(node)?;
    check_coefficients(node, &coefficients, targets, rows.width)?;
    let intercepts = match intercepts.len() {
        0 => vec![0.0; targets],
        found if found == targets => intercepts,
        found => return Err(node.invalid(format!("has {found} intercepts for {targets} targets"))),
    };
    let to = graph.make(node, 0, Made::new(Element::Float, rows.wide(targets)))?;
    push(
        node,
        graph,
        (coefficients, intercepts),
        post_transform,
        rows,
        to,
        None,
    );
    Ok(())
}

/// The input as rows of floats.
fn rows(node: &Node, graph: &mut Builder) -> Result<Rows, ModelError> {
    let value = graph.operand(node, 0)?;
    if !value.element.is_number() {
        return Err(refuse(node, value.element, "a number"));
    }
    // What is no matrix is refused as it is, before it is cast.
    graph.rows_of(node, 0, &value)?;
    let value = super::cast::cast(node, graph, &value, Element::Float)?;
    graph.rows_of(node, 0, &value)
}

fn push(
    node: &Node,
    graph: &mut Builder,
    (coefficients, intercepts): (Vec<f32>, Vec<f32>),
    post_transform: PostTransform,
    rows: Rows,
    to: Columns,
    labels: Option<Labels>,
) {
    let kernel = format!("{} columns to {} targets", rows.width, intercepts.len());
    let width = rows.width;
    let dense = Dense::new(width, intercepts, |input, target| {
        coefficients[target * width + input]
    });
    let linear = Linear {
        dense,
        post_transform,
        rows,
        to,
        labels,
    };
    graph.push(node, kernel, Box::new(linear));
}

fn check_coefficients(
    node: &Node,
    coefficients: &[f32],
    targets: usize,
    width: usize,
) -> Result<(), ModelError> {
    let found = coefficients.len();
    if targets.checked_mul(width) == Some(found) {
        return Ok(());
    }
    let message =
        format!("has {found} coefficients for {targets} targets and an input of width {width}");
    Err(node.invalid(format!("{message}, expected {targets} x {width}")))
}

impl Step for Linear {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for lead in 0..self.rows.lead {
            self.run_rows(n, memory, lead);
        }
    }
}

impl Linear {
    fn run_rows(&self, n: usize, memory: &mut Workspace, lead: usize) {
        let stride = memory.stride;
        let targets = self.dense.targets();
        let columns = self.rows.of(lead, self.to);
        let (older, young) = memory.f32.split_at_mut(columns.first * stride);
        let from = self.rows.of(lead, self.rows.columns).of(older, stride);
        let to = &mut young[..columns.width * stride];
        self.dense.run(n, stride, from, to);
        if let Some(labels) = &self.labels {
            let place = self.rows.of(lead, labels.to);
            labels.choose(n, stride, targets, to, place.of_mut(memory.i64, stride));
        }
        match (targets, columns.width) {
            (1, 1) => to[..n]
                .iter_mut()
                .for_each(|x| *x = self.post_transform.apply_to_one(*x)),
            (1, _) => self.add_second_class(n, stride, to),
            (_, width) => {
                for row in 0..n {
                    self.post_transform.apply(RowScores {
                        columns: to,
                        stride,
                        width,
                        row,
                    });
                }
            }
        }
    }

    /// One score becomes those of two classes.
    fn add_second_class(&self, n: usize, stride: usize, to: &mut [f32]) {
        let (first, second) = to.split_at_mut(stride);
        for (first, second) in first[..n].iter_mut().zip(second) {
            let score = *first;
            (*first, *second) = match self.post_transform {
                PostTransform::Logistic => (logistic(-score), logistic(score)),
                _ => (1.0 - score, score),
            };
        }
    }
}

impl Labels {
    fn choose(&self, n: usize, stride: usize, targets: usize, scores: &[f32], labels: &mut [i64]) {
        for row in 0..n {
            let score = |target: usize| scores[target * stride + row];
            let class = match targets {
                1 => usize::from(score(0) > 0.0),
                _ => (1..targets).fold(0, |best, target| {
                    if score(target) > score(best) {
                        target
                    } else {
                        best
                    }
                }),
            };
            labels[row] = self.values[class];
        }
    }
}
