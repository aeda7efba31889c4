//! `SVMClassifier` and `SVMRegressor`.
//!
//! A row is compared with every support vector by the kernel function; pairs of classes vote on sums of these. With
//! `prob_a` the sums become probabilities, by libsvm's coupling of pairs. Labels come from the votes, also then. Without
//! support vectors both are linear, as in ONNX Runtime.

use std::ops::Range;

use super::elementwise::refuse;
use super::post_transform::{PostTransform, RowScores};
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Rows, Value};
use crate::kernels::functions::{Function, OfValues};
use crate::kernels::machine::{self, Term, Vectors};
use crate::math::{logistic, pow};
use crate::memory::{Columns, Workspace};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "SVMClassifier", load_classifier),
    (ML, "SVMRegressor", load_regressor),
];

/// The kernel function, with its parameters.
#[derive(Debug, Clone, Copy)]
enum Kernel {
    Linear,
    Poly {
        gamma: f32,
        constant: f32,
        degree: f32,
    },
    Rbf {
        gamma: f32,
    },
    Sigmoid {
        gamma: f32,
        constant: f32,
    },
}

impl Kernel {
    fn load(node: &mut Node, vectors: usize) -> Result<Self, ModelError> {
        let name = node.string("kernel_type")?;
        let parameters = node.floats("kernel_params")?;
        let parameter = |i: usize| parameters.get(i).copied().unwrap_or(0.0);
        let (gamma, constant, degree) = (parameter(0), parameter(1), parameter(2));
        Ok(match name.as_deref() {
            _ if vectors == 0 => Kernel::Linear,
            None | Some("LINEAR") => Kernel::Linear,
            Some("POLY") => Kernel::Poly {
                gamma,
                constant,
                degree,
            },
            Some("RBF") => Kernel::Rbf { gamma },
            Some("SIGMOID") => Kernel::Sigmoid { gamma, constant },
            Some(other) => {
                return Err(node.invalid(format!(
                    "attribute \"kernel_type\" is {other:?}, expected LINEAR, POLY, RBF or SIGMOID"
                )));
            }
        })
    }

    /// What is summed over the features.
    fn term(self) -> Term {
        match self {
            Kernel::Rbf { .. } => Term::SquaredDifference,
            _ => Term::Product,
        }
    }

    /// What becomes of the sums.
    fn finish(self, cpu: Cpu, sums: &mut [f32]) {
        match self {
            Kernel::Linear => {}
            Kernel::Poly {
                gamma,
                constant,
                degree,
            } => (sums.iter_mut()).for_each(|sum| *sum = pow(gamma * *sum + constant, degree)),
            Kernel::Rbf { gamma } => {
                sums.iter_mut().for_each(|sum| *sum *= -gamma);
                machine::exp(cpu, sums);
            }
            Kernel::Sigmoid { gamma, constant } => {
                sums.iter_mut()
                    .for_each(|sum| *sum = gamma * *sum + constant);
                Function::Tanh.apply(cpu, sums);
            }
        }
    }
}

/// Rows compared with vectors.
struct Machine {
    cpu: Cpu,
    kernel: Kernel,
    vectors: Vectors,
    rows: Rows,
    /// The comparisons of a row with all vectors, row after row.
    kernels: Columns,
    decide: Decide,
    post_transform: PostTransform,
    scores: Columns,
    labels: Option<Columns>,
}

/// What comparisons become.
enum Decide {
    /// One score: coefficients times comparisons, plus a constant; its sign for a single class.
    Regress {
        coefficients: Vec<f32>,
        rho: f32,
        sign: bool,
    },
    /// The comparison with the coefficients of each class is its score.
    Linear {
        rho: f32,
        labels: Vec<i64>,
        positive: bool,
    },
    /// Votes of pairs.
    Vote(Vote),
}

struct Vote {
    /// `[classes - 1][vectors]`
    coefficients: Vec<f32>,
    /// Where the vectors of each class begin, and where the last end.
    starts: Vec<usize>,
    rho: Vec<f32>,
    /// The two numbers of every pair's logistic function; empty without probabilities.
    probabilities: Vec<(f32, f32)>,
    labels: Vec<i64>,
    /// Columns for pairs, votes and the coupling.
    scratch: Columns,
}

fn load_regressor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = float_rows(node, graph)?;
    let count = node.int("n_supports")?.unwrap_or(0);
    let coefficients = node.floats("coefficients")?;
    let vectors = node.floats("support_vectors")?;
    let rho = node.floats("rho")?.first().copied();
    let rho = rho.ok_or_else(|| node.invalid("attribute \"rho\" is missing"))?;
    let sign = node.flag("one_class", false)?;
    let post_transform = PostTransform::load(node)?;
    if post_transform != PostTransform::None {
        return Err(node.not_supported("a post_transform is not supported"));
    }
    let count = usize::try_from(count).unwrap_or(0);
    let kernel = Kernel::load(node, count)?;
    let (count, vectors, coefficients) = match count {
        0 => (1, coefficients, vec![1.0]),
        count => (count, vectors, coefficients),
    };
    if coefficients.len() != count {
        return Err(node.invalid(format!(
            "has {} coefficients for {count} vectors",
            coefficients.len()
        )));
    }
    let decide = Decide::Regress {
        coefficients,
        rho,
        sign,
    };
    push(
        node,
        graph,
        rows,
        kernel,
        (vectors, count),
        decide,
        post_transform,
        1,
        None,
    )
}

fn load_classifier(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let rows = float_rows(node, graph)?;
    let (coefficients, vectors) = (
        node.floats("coefficients")?,
        node.floats("support_vectors")?,
    );
    let (rho, per_class) = (node.floats("rho")?, node.ints("vectors_per_class")?);
    let (prob_a, prob_b) = (node.floats("prob_a")?, node.floats("prob_b")?);
    let (ints, strings) = (
        node.ints("classlabels_ints")?,
        node.strings("classlabels_strings")?,
    );
    let post_transform = PostTransform::load(node)?;
    let (labels, dictionary) = match strings.is_empty() {
        true => (ints, None),
        false => ((0..strings.len() as i64).collect(), Some(strings)),
    };
    let classes = labels.len();
    let pairs = classes * classes.saturating_sub(1) / 2;
    let per_class: Vec<usize> = per_class
        .iter()
        .map(|count| usize::try_from(*count).unwrap_or(0))
        .collect();
    let count: usize = per_class
        .iter()
        .try_fold(0usize, |sum, count| sum.checked_add(*count))
        .unwrap_or(usize::MAX);
    let kernel = Kernel::load(node, count)?;
    if classes < 2 || rho.is_empty() || prob_a.len() != prob_b.len() {
        return Err(node.invalid(format!("has {classes} labels and {} rho", rho.len())));
    }
    if count == 0 {
        let positive = coefficients.iter().all(|x| *x >= 0.0);
        let decide = Decide::Linear {
            rho: rho[0],
            labels,
            positive,
        };
        return push(
            node,
            graph,
            rows,
            kernel,
            (coefficients, classes),
            decide,
            post_transform,
            classes,
            Some(dictionary),
        );
    }
    let probabilities: Vec<(f32, f32)> = prob_a.into_iter().zip(prob_b).collect();
    let fits = per_class.len() == classes
        && coefficients.len() == (classes - 1).saturating_mul(count)
        && rho.len() >= pairs
        && (probabilities.is_empty() || probabilities.len() >= pairs);
    if !fits {
        return Err(node.invalid(format!(
            "has {} coefficients, {} rho and {} probabilities for {classes} classes and {count} vectors",
            coefficients.len(), rho.len(), probabilities.len()
        )));
    }
    let mut starts = vec![0];
    for count in &per_class {
        starts.push(starts[starts.len() - 1] + count);
    }
    let scratch = graph.scratch(Element::Float, pairs + classes + 2 * classes * classes)?;
    let scores = match (probabilities.is_empty(), classes) {
        (true, 2) => 2,
        (true, _) => pairs,
        (false, _) => classes,
    };
    let decide = Decide::Vote(Vote {
        coefficients,
        starts,
        rho,
        probabilities,
        labels,
        scratch,
    });
    push(
        node,
        graph,
        rows,
        kernel,
        (vectors, count),
        decide,
        post_transform,
        scores,
        Some(dictionary),
    )
}

fn float_rows(node: &mut Node, graph: &mut Builder) -> Result<Rows, ModelError> {
    let value: Value = graph.operand(node, 0)?;
    if !value.element.is_number() {
        return Err(refuse(node, value.element, "a number"));
    }
    graph.rows_of(node, 0, &value)?;
    let value = super::cast::cast(node, graph, &value, Element::Float)?;
    graph.rows_of(node, 0, &value)
}

#[allow(clippy::too_many_arguments, reason = "the parts of one step")]
fn push(
    node: &Node,
    graph: &mut Builder,
    rows: Rows,
    kernel: Kernel,
    (vectors, count): (Vec<f32>, usize),
    decide: Decide,
    post_transform: PostTransform,
    width: usize,
    dictionary: Option<Option<Vec<String>>>,
) -> Result<(), ModelError> {
    if count.checked_mul(rows.width) != Some(vectors.len()) {
        return Err(node.invalid(format!(
            "has {} values for {count} vectors and an input of width {}",
            vectors.len(),
            rows.width
        )));
    }
    let kernels = graph.scratch(Element::Float, count)?;
    let labels = match dictionary {
        None => None,
        Some(strings) => {
            let element = if strings.is_some() {
                Element::String
            } else {
                Element::Int64
            };
            let made = Made {
                element,
                shape: rows.single(),
                dictionary: strings.map(Into::into),
            };
            Some(graph.make(node, 0, made)?)
        }
    };
    let output = if labels.is_some() { 1 } else { 0 };
    let scores = graph.make(node, output, Made::new(Element::Float, rows.wide(width)))?;
    let name = format!("{kernel:?}, {count} vectors of {}", rows.width);
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let machine = Machine {
        cpu,
        kernel,
        vectors: Vectors::new(cpu, &vectors, rows.width, count),
        rows,
        kernels,
        decide,
        post_transform,
        scores,
        labels,
    };
    graph.push(node, name, Box::new(machine));
    Ok(())
}

impl Step for Machine {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for lead in 0..self.rows.lead {
            let from = self.rows.of(lead, self.rows.columns);
            let scores = self.rows.of(lead, self.scores);
            let label = self.labels.map(|labels| self.rows.of(lead, labels));
            for row in 0..n {
                let compared = self.compare(memory, from, row);
                let code = self.decide(memory, row, compared, scores);
                if let Some(label) = label {
                    memory.set(label.first, row, code);
                }
            }
        }
    }
}

impl Machine {
    /// Compares a row with all vectors; says where the comparisons stand.
    fn compare(&self, memory: &mut Workspace, from: Columns, row: usize) -> Range<usize> {
        let (stride, count) = (memory.stride, self.vectors.count());
        let (older, to) = memory.split::<f32>(self.kernels);
        let to = &mut to[row * count..][..count];
        let from = &from.of(older.f32, stride)[row..];
        self.vectors.compare(self.kernel.term(), from, stride, to);
        self.kernel.finish(self.cpu, to);
        let first = self.kernels.first * stride + row * count;
        first..first + count
    }

    /// Writes the scores of a row and gives its label.
    fn decide(
        &self,
        memory: &mut Workspace,
        row: usize,
        compared: Range<usize>,
        scores: Columns,
    ) -> i64 {
        let stride = memory.stride;
        let at = |column: usize| column * stride + row;
        match &self.decide {
            Decide::Regress {
                coefficients,
                rho,
                sign,
            } => {
                let sum = weighed(coefficients, &memory.f32[compared]) + f64::from(*rho);
                let sum = sum as f32;
                let one_class = if sum > 0.0 { 1.0 } else { -1.0 };
                memory.f32[at(scores.first)] = if *sign { one_class } else { sum };
                0
            }
            Decide::Linear {
                rho,
                labels,
                positive,
            } => {
                let mut best = (0, f32::NEG_INFINITY);
                for class in 0..labels.len() {
                    let score = memory.f32[compared.start + class] + rho;
                    memory.f32[at(scores.first + class)] = score;
                    if score > best.1 {
                        best = (class, score);
                    }
                }
                self.transform(memory, row, scores);
                // Of two classes, a high score of either means the second one.
                let second = labels.len() == 2
                    && if *positive {
                        best.1 >= 0.5
                    } else {
                        best.1 > 0.0
                    };
                labels[if second { 1 } else { best.0 }]
            }
            Decide::Vote(vote) => {
                let class = vote.run(memory, row, compared);
                let (pairs, classes) = (vote.scratch.first, vote.labels.len());
                if !vote.probabilities.is_empty() {
                    vote.couple(memory, row, scores);
                    self.transform(memory, row, scores);
                } else if classes == 2 {
                    let score = memory.f32[at(pairs)];
                    let both = match self.post_transform {
                        PostTransform::None => (-score, score),
                        PostTransform::Logistic => (logistic(-score), logistic(score)),
                        _ => (1.0 - score, score),
                    };
                    (
                        memory.f32[at(scores.first)],
                        memory.f32[at(scores.first + 1)],
                    ) = both;
                } else {
                    for pair in 0..scores.width {
                        memory.f32[at(scores.first + pair)] = memory.f32[at(pairs + pair)];
                    }
                    self.transform(memory, row, scores);
                }
                vote.labels[class]
            }
        }
    }

    fn transform(&self, memory: &mut Workspace, row: usize, scores: Columns) {
        let stride = memory.stride;
        self.post_transform.apply(RowScores {
            columns: scores.of_mut(memory.f32, stride),
            stride,
            width: scores.width,
            row,
        });
    }
}

/// The sum of products of floats in doubles: four sums, so that none waits for itself.
fn weighed(coefficients: &[f32], compared: &[f32]) -> f64 {
    let mut sums = [0.0; 4];
    let ((coefficients, rest), (compared, behind)) =
        (coefficients.as_chunks::<4>(), compared.as_chunks::<4>());
    for (coefficients, compared) in coefficients.iter().zip(compared) {
        for ((sum, a), b) in sums.iter_mut().zip(coefficients).zip(compared) {
            *sum += f64::from(a * b);
        }
    }
    let rest = rest.iter().zip(behind).map(|(a, b)| f64::from(a * b));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

impl Vote {
    /// Sums for every pair of classes, into the scratch; the class with the most votes.
    fn run(&self, memory: &mut Workspace, row: usize, compared: Range<usize>) -> usize {
        let classes = self.labels.len();
        let votes = self.scratch.first + classes * (classes - 1) / 2;
        for class in 0..classes {
            memory.set(votes + class, row, 0.0f32);
        }
        let count = compared.len();
        let mut pair = 0;
        for i in 0..classes - 1 {
            for j in i + 1..classes {
                let mut sum = f64::from(self.rho[pair]);
                for (coefficients, class) in [(j - 1, i), (i, j)] {
                    let vectors = self.starts[class]..self.starts[class + 1];
                    let coefficients = &self.coefficients[coefficients * count..][vectors.clone()];
                    sum += weighed(coefficients, &memory.f32[compared.clone()][vectors]);
                }
                memory.set(self.scratch.first + pair, row, sum as f32);
                let winner = votes + if sum > 0.0 { i } else { j };
                let won: f32 = memory.get(winner, row);
                memory.set(winner, row, won + 1.0);
                pair += 1;
            }
        }
        let most = |best: usize, class: usize| {
            if memory.get::<f32>(votes + class, row) > memory.get::<f32>(votes + best, row) {
                class
            } else {
                best
            }
        };
        (1..classes).fold(0, most)
    }

    /// Probabilities of the classes from those of the pairs (Wu, Lin and Weng, 2004, the second method).
    fn couple(&self, memory: &mut Workspace, row: usize, scores: Columns) {
        let classes = self.labels.len();
        let base = self.scratch.first + classes * (classes - 1) / 2 + classes;
        let pairwise = |i: usize, j: usize| base + i * classes + j;
        let quadratic = |i: usize, j: usize| base + classes * classes + i * classes + j;
        let mut pair = 0;
        for i in 0..classes - 1 {
            for j in i + 1..classes {
                let (a, b) = self.probabilities[pair];
                let score: f32 = memory.get(self.scratch.first + pair, row);
                let wins = (1.0 - logistic(score * a + b)).clamp(1e-7, 1.0 - 1e-7);
                memory.set(pairwise(i, j), row, wins);
                memory.set(pairwise(j, i), row, 1.0 - wins);
                pair += 1;
            }
        }
        let get = |memory: &Workspace, column: usize| memory.get::<f32>(column, row);
        for t in 0..classes {
            let mut diagonal = 0.0;
            for j in (0..classes).filter(|j| *j != t) {
                let lost = get(memory, pairwise(j, t));
                diagonal += lost * lost;
                memory.set(quadratic(t, j), row, -lost * get(memory, pairwise(t, j)));
            }
            memory.set(quadratic(t, t), row, diagonal);
            memory.set(scores.first + t, row, 1.0 / classes as f32);
        }
        for _ in 0..100.max(classes) {
            let product = |memory: &Workspace, t: usize| {
                (0..classes).fold(0.0, |sum, j| {
                    sum + get(memory, quadratic(t, j)) * get(memory, scores.first + j)
                })
            };
            let total = (0..classes).fold(0.0, |sum, t| {
                sum + get(memory, scores.first + t) * product(memory, t)
            });
            let error = (0..classes).fold(0.0f32, |most, t| {
                most.max((product(memory, t) - total).abs())
            });
            if error < 0.005 / classes as f32 {
                break;
            }
            let mut total = total;
            for t in 0..classes {
                let own = product(memory, t);
                let diagonal = get(memory, quadratic(t, t));
                let step = (total - own) / diagonal;
                memory.set(scores.first + t, row, get(memory, scores.first + t) + step);
                total =
                    (total + step * (step * diagonal + 2.0 * own)) / (1.0 + step) / (1.0 + step);
                for j in 0..classes {
                    memory.set(
                        scores.first + j,
                        row,
                        get(memory, scores.first + j) / (1.0 + step),
                    );
                }
            }
        }
    }
}
