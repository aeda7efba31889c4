//! `LinearClassifier` and `LinearRegressor`: rows times coefficients, plus intercepts.
//!
//! As in ONNX Runtime: a classifier with one row of coefficients gives the scores `[1 - s, s]`, or with LOGISTIC
//! `[logistic(-s), logistic(s)]`, and the second label above zero; with more rows, the label is that of the largest score
//! before the post-transform. A regressor with a single target knows no post-transform but PROBIT.

use std::ops::Range;

use super::concat::Joined;
use super::elementwise::refuse;
use super::one_hot_encoder::OneHot;
use super::post_transform::{PostTransform, RowScores};
use super::scaler::Scaled;
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, RowShape, Value};
use crate::kernels::dense::{Begin, Dense, Places};
use crate::kernels::functions::{Function, OfValues};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "LinearClassifier", load_classifier),
    (ML, "LinearRegressor", load_regressor),
];

struct Linear {
    cpu: Cpu,
    /// What is summed, in this order; the first begins with the intercepts.
    sums: Vec<(Dense<f32>, Columns)>,
    categories: Vec<Category>,
    post_transform: PostTransform,
    rows: RowShape,
    targets: usize,
    /// The targets, and one column more when a second class is added.
    to: Columns,
    labels: Option<Labels>,
}

/// A one-hot encoded column: the weights of its category are added.
struct Category {
    one_hot: OneHot,
    column: usize,
    /// The weights of the first category for each target, of the second, and so on.
    weights: Vec<f32>,
}

struct Labels {
    /// By target; of a single target, what is at most zero and what is above.
    values: Vec<i64>,
    to: Columns,
}

fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, rows) = rows(node, graph)?;
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
    let terms = Terms::of(node, graph, value, &rows, targets)?;
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
        (&coefficients, intercepts),
        post_transform,
        (terms, rows),
        to,
        Some(labels),
    )
}

fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, rows) = rows(node, graph)?;
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
    let terms = Terms::of(node, graph, value, &rows, targets)?;
    let to = graph.make(node, 0, Made::new(Element::Float, rows.wide(targets)))?;
    push(
        node,
        graph,
        (&coefficients, intercepts),
        post_transform,
        (terms, rows),
        to,
        None,
    )
}

/// The input as rows of numbers; it may be deferred.
fn rows(node: &Node, graph: &mut Builder) -> Result<(Value, RowShape), ModelError> {
    let value = graph.deferred(node, 0)?;
    if !value.element.is_number() {
        return Err(refuse(node, value.element, "a number"));
    }
    let rows = graph.row_shape(node, 0, &value)?;
    Ok((value, rows))
}

fn push(
    node: &Node,
    graph: &mut Builder,
    (coefficients, intercepts): (&[f32], Vec<f32>),
    post_transform: PostTransform,
    (terms, rows): (Terms, RowShape),
    to: Columns,
    labels: Option<Labels>,
) -> Result<(), ModelError> {
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let (width, targets) = (rows.width, intercepts.len());
    let mut kernel = format!("{width} columns to {targets} targets");
    if terms.numbers.iter().any(|(_, _, scales)| scales.is_some()) {
        kernel += ", scaled on the way";
    }
    if !terms.categories.is_empty() {
        kernel += &format!(", {} looked up", terms.categories.len());
    }
    let zeros = vec![0.0; targets];
    let mut begins = std::iter::once(intercepts).chain(std::iter::repeat(zeros));
    let sums = (terms.numbers.into_iter()).map(|(first, from, scales)| {
        let inputs = from.width / rows.lead;
        let bias = begins.next().unwrap_or_default();
        let dense = Dense::new(cpu, inputs, bias, |input, target| {
            coefficients[target * width + first + input]
        });
        match scales {
            Some(scales) => (dense.scaled(scales), from),
            None => (dense, from),
        }
    });
    let sums = sums.collect();
    let categories = terms
        .categories
        .into_iter()
        .map(|(first, one_hot, column)| {
            let weight = |place: usize| {
                let targets = 0..targets;
                targets.map(move |target| coefficients[target * width + first + place])
            };
            Category {
                weights: (0..one_hot.count).flat_map(weight).collect(),
                one_hot,
                column,
            }
        });
    let linear = Linear {
        cpu,
        sums,
        categories: categories.collect(),
        post_transform,
        rows,
        targets,
        to,
        labels,
    };
    graph.push(node, kernel, Box::new(linear));
    Ok(())
}

/// Offset and factor of every column.
type Scales = Vec<(f32, f32)>;

/// What a sum is made of, each with the number of its first coefficient.
#[derive(Default)]
struct Terms {
    numbers: Vec<(usize, Columns, Option<Scales>)>,
    categories: Vec<(usize, OneHot, usize)>,
}

impl Terms {
    fn of(
        node: &Node,
        graph: &mut Builder,
        value: Value,
        rows: &RowShape,
        targets: usize,
    ) -> Result<Self, ModelError> {
        let mut terms = Self::default();
        // Of a record with several rows, each takes its part of the columns.
        let value = match rows.lead {
            1 => value,
            _ => graph.made(value)?,
        };
        terms.take(node, graph, value, 0, targets)?;
        if terms.numbers.is_empty() {
            // Nothing but the intercepts, which sums begin with.
            let none = Columns { first: 0, width: 0 };
            terms.numbers.push((0, none, None));
        }
        Ok(terms)
    }

    /// Takes a value apart as far as it is deferred.
    fn take(
        &mut self,
        node: &Node,
        graph: &mut Builder,
        value: Value,
        first: usize,
        targets: usize,
    ) -> Result<(), ModelError> {
        if let Some(joined) = value.deferred::<Joined>()
            && joined.around.0 == 1
        {
            let mut first = first;
            for part in &joined.parts {
                self.take(node, graph, part.clone(), first, targets)?;
                first += part.width();
            }
        } else if let Some(one_hot) = value.deferred::<OneHot>() {
            for k in 0..one_hot.from.width {
                let column = one_hot.from.first + k;
                let first = first + k * one_hot.count;
                self.categories.push((first, one_hot.clone(), column));
            }
        } else if let Some(scaled) = value.deferred::<Scaled>()
            && scaled.element == Element::Float
            && Dense::<f32>::takes_scales(targets)
        {
            let scales = Some(scaled.scales.clone());
            self.numbers.push((first, scaled.from, scales));
        } else {
            let value = graph.made(value)?;
            let value = super::cast::cast(node, graph, &value, Element::Float)?;
            self.numbers
                .push((first, graph.columns(node, &value)?, None));
        }
        Ok(())
    }
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
        let (stride, targets) = (memory.stride, self.targets);
        let columns = self.rows.of(lead, self.to);
        let (older, young) = memory.f32.split_at_mut(columns.first * stride);
        let to = &mut young[..columns.width * stride];
        let places = Places::of_columns(stride);
        let mut begin = Begin::Bias;
        for (dense, from) in &self.sums {
            let from = match from.width {
                0 => &[],
                _ => self.rows.of(lead, *from).of(older, stride),
            };
            dense.run(n, (from, places), (to, places), begin);
            begin = Begin::There;
        }
        for category in &self.categories {
            category.add(n, targets, columns, memory);
        }
        let to = columns.of_mut(memory.f32, stride);
        if let Some(labels) = &self.labels {
            let place = self.rows.of(lead, labels.to);
            labels.choose(n, stride, targets, to, place.of_mut(memory.i64, stride));
        }
        match (targets, columns.width) {
            (1, 1) => to[..n]
                .iter_mut()
                .for_each(|x| *x = self.post_transform.apply_to_one(*x)),
            (1, _) => self.add_second_class(n, stride, to),
            _ if self.post_transform == PostTransform::Logistic => self.sigmoid(n, stride, to),
            _ if self.post_transform == PostTransform::Softmax => self.softmax(n, stride, to),
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
        let logistic = self.post_transform == PostTransform::Logistic;
        let (first, second) = to.split_at_mut(stride);
        for (first, second) in first[..n].iter_mut().zip(second) {
            let score = *first;
            *second = score;
            *first = if logistic { -score } else { 1.0 - score };
        }
        if logistic {
            self.sigmoid(n, stride, to);
        }
    }

    fn sigmoid(&self, n: usize, stride: usize, to: &mut [f32]) {
        self.apply(Function::Sigmoid, n, stride, to);
    }

    fn apply(&self, function: Function, n: usize, stride: usize, to: &mut [f32]) {
        if n == stride {
            return function.apply(self.cpu, to);
        }
        for column in to.chunks_exact_mut(stride) {
            function.apply(self.cpu, &mut column[..n]);
        }
    }

    /// Each row's shares of e to the power of what lies below its largest score; NaN is never larger.
    fn softmax(&self, n: usize, stride: usize, to: &mut [f32]) {
        /// Rows whose largest scores and sums are held at once.
        const PART: usize = 64;
        let each = |to: &mut [f32],
                    kept: &mut [f32; PART],
                    rows: Range<usize>,
                    f: fn(&mut f32, &mut f32)| {
            for column in to.chunks_exact_mut(stride) {
                (column[rows.clone()].iter_mut().zip(&mut *kept)).for_each(|(x, kept)| f(x, kept));
            }
        };
        let parts = || (0..n).step_by(PART).map(|first| first..n.min(first + PART));
        for rows in parts() {
            let mut largest = [f32::MIN; PART];
            each(to, &mut largest, rows.clone(), |x, most| {
                *most = if *x > *most { *x } else { *most }
            });
            each(to, &mut largest, rows, |x, most| *x -= *most);
        }
        self.apply(Function::Exp, n, stride, to);
        for rows in parts() {
            let mut sums = [0.0; PART];
            each(to, &mut sums, rows.clone(), |x, sum| *sum += *x);
            each(to, &mut sums, rows, |x, sum| *x /= *sum);
        }
    }
}

impl Category {
    fn add(&self, n: usize, targets: usize, to: Columns, memory: &mut Workspace) {
        let stride = memory.stride;
        for row in 0..n {
            if let Some(place) = self.one_hot.find(self.column, row, memory) {
                let weights = &self.weights[place * targets..][..targets];
                for (target, weight) in weights.iter().enumerate() {
                    memory.f32[(to.first + target) * stride + row] += weight;
                }
            }
        }
    }
}

impl Labels {
    fn choose(&self, n: usize, stride: usize, targets: usize, scores: &[f32], labels: &mut [i64]) {
        for row in 0..n {
            let score = |target: usize| scores[target * stride + row];
            let class = match targets {
                1 => usize::from(score(0) > 0.0),
                _ => largest(targets, score),
            };
            labels[row] = self.values[class];
        }
    }
}

/// The first of the largest scores; without jumps, which nobody can foretell.
fn largest(targets: usize, score: impl Fn(usize) -> f32) -> usize {
    let (mut best, mut top) = (0, score(0));
    for target in 1..targets {
        let more = score(target) > top;
        best += (target - best) * usize::from(more);
        top = if more { score(target) } else { top };
    }
    best
}
