//! `LinearClassifier` and `LinearRegressor`: rows times coefficients, plus intercepts.
//!
//! As in ONNX Runtime: a classifier with one row of coefficients gives the scores `[1 - s, s]`, or with LOGISTIC
//! `[logistic(-s), logistic(s)]`, and the second label above zero; with more rows, the label is that of the largest score
//! before the post-transform. A regressor with a single target knows no post-transform but PROBIT.

use super::Step;
use super::post_transform::{PostTransform, RowScores, logistic};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::multiply::multiply;
use crate::memory::{Columns, Element, Memory, map_columns};
use crate::onnx::node::Node;

#[derive(Debug)]
pub(crate) struct Linear {
    /// One row of coefficients for each target.
    coefficients: Vec<f32>,
    intercepts: Vec<f32>,
    post_transform: PostTransform,
    from: (Element, Columns),
    /// Inputs of other types as f32; unused for floats.
    narrowed: Option<Columns>,
    /// The targets, and one column more when a second class is added.
    to: Columns,
    labels: Option<Labels>,
}

#[derive(Debug)]
struct Labels {
    /// By target; of a single target, what is at most zero and what is above.
    values: Vec<i64>,
    to: Columns,
}

pub(super) fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
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
    check_coefficients(node, &coefficients, targets, &value)?;
    let (values, dictionary) = match (ints.len(), strings.len()) {
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
    let narrowed = narrowed(graph, &value)?;
    let labels = Labels {
        values,
        to: graph.make(node, 0, Made::label(dictionary))?,
    };
    let to = graph.make(node, 1, Made::matrix(Element::Float, targets.max(2)))?;
    let linear = Linear {
        coefficients,
        intercepts,
        post_transform,
        from: (value.element, value.columns),
        narrowed,
        to,
        labels: Some(labels),
    };
    push(node, graph, linear);
    Ok(())
}

pub(super) fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.matrix(node)?;
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
    check_coefficients(node, &coefficients, targets, &value)?;
    let intercepts = match intercepts.len() {
        0 => vec![0.0; targets],
        found if found == targets => intercepts,
        found => return Err(node.invalid(format!("has {found} intercepts for {targets} targets"))),
    };
    let narrowed = narrowed(graph, &value)?;
    let to = graph.make(node, 0, Made::matrix(Element::Float, targets))?;
    let from = (value.element, value.columns);
    push(
        node,
        graph,
        Linear {
            coefficients,
            intercepts,
            post_transform,
            from,
            narrowed,
            to,
            labels: None,
        },
    );
    Ok(())
}

fn push(node: &Node, graph: &mut Builder, linear: Linear) {
    let (element, from) = linear.from;
    let kernel = format!(
        "{} columns of {} to {} targets",
        from.width,
        element.name(),
        linear.intercepts.len()
    );
    graph.push(node, kernel, Step::Linear(linear));
}

fn check_coefficients(
    node: &Node,
    coefficients: &[f32],
    targets: usize,
    value: &Value,
) -> Result<(), ModelError> {
    if matches!(value.element, Element::Bool | Element::String) {
        return Err(node.invalid(format!(
            "input is of type {}, expected a number",
            value.element.name()
        )));
    }
    let (found, width) = (coefficients.len(), value.columns.width);
    if targets.checked_mul(width) == Some(found) {
        return Ok(());
    }
    let message =
        format!("has {found} coefficients for {targets} targets and an input of width {width}");
    Err(node.invalid(format!("{message}, expected {targets} x {width}")))
}

/// Columns for the input as f32, when it is of another type; older than the columns of the targets.
fn narrowed(graph: &mut Builder, value: &Value) -> Result<Option<Columns>, ModelError> {
    match value.element {
        Element::Float => Ok(None),
        _ => graph.scratch(Element::Float, value.columns.width).map(Some),
    }
}

impl Linear {
    pub fn run(&self, n: usize, memory: &mut Memory) {
        let stride = memory.stride;
        let (element, from) = self.from;
        if let Some(narrowed) = self.narrowed {
            let (to, width) = (narrowed.of_mut(memory.f32, stride), narrowed.width);
            match element {
                Element::Double => {
                    map_columns(n, stride, width, from.of(memory.f64, stride), to, |_, x| {
                        x as f32
                    })
                }
                _ => map_columns(n, stride, width, from.of(memory.i64, stride), to, |_, x| {
                    x as f32
                }),
            }
        }
        let (from, to) = self
            .narrowed
            .unwrap_or(from)
            .and_younger(self.to, memory.f32, stride);
        multiply(n, stride, from, &self.coefficients, &self.intercepts, to);
        if let Some(labels) = &self.labels {
            labels.choose(
                n,
                stride,
                self.intercepts.len(),
                to,
                labels.to.of_mut(memory.i64, stride),
            );
        }
        match (self.intercepts.len(), self.to.width) {
            (1, 1) => to[..n]
                .iter_mut()
                .for_each(|x| *x = self.post_transform.apply_to_one(*x)),
            (1, _) => self.add_second_class(n, stride, to),
            _ => {
                for row in 0..n {
                    self.post_transform.apply(RowScores {
                        columns: to,
                        stride,
                        width: self.to.width,
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
