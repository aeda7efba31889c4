//! What classifiers and regressors do to the scores of a row at the end.

use crate::error::ModelError;
use crate::math::{exp, ln, logistic};
use crate::onnx::node::Node;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostTransform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

/// The scores of one row of `width` columns.
pub(crate) struct RowScores<'a> {
    pub columns: &'a mut [f32],
    pub stride: usize,
    pub width: usize,
    pub row: usize,
}

impl RowScores<'_> {
    /// The score in column `column`.
    pub fn at(&mut self, column: usize) -> &mut f32 {
        &mut self.columns[self.row + column * self.stride]
    }

    fn for_each(&mut self, mut f: impl FnMut(&mut f32)) {
        for column in 0..self.width {
            f(self.at(column));
        }
    }
}

impl PostTransform {
    pub fn load(node: &mut Node) -> Result<Self, ModelError> {
        match node.string("post_transform")?.as_deref() {
            None | Some("NONE") => Ok(PostTransform::None),
            Some("LOGISTIC") => Ok(PostTransform::Logistic),
            Some("SOFTMAX") => Ok(PostTransform::Softmax),
            Some("SOFTMAX_ZERO") => Ok(PostTransform::SoftmaxZero),
            Some("PROBIT") => Ok(PostTransform::Probit),
            Some(other) => {
                let expected = "NONE, LOGISTIC, SOFTMAX, SOFTMAX_ZERO or PROBIT";
                Err(node.invalid(format!(
                    "attribute \"post_transform\" is {other:?}, expected {expected}"
                )))
            }
        }
    }

    /// Transforms the scores of a row that has at least two.
    pub fn apply(self, mut scores: RowScores) {
        match self {
            PostTransform::None => {}
            PostTransform::Logistic => scores.for_each(|x| *x = logistic(*x)),
            PostTransform::Probit => scores.for_each(|x| *x = probit(*x)),
            PostTransform::Softmax => softmax(scores),
            PostTransform::SoftmaxZero => softmax_zero(scores),
        }
    }

    /// Transforms the only score of a row: ONNX Runtime knows PROBIT there, and nothing else.
    pub fn apply_to_one(self, score: f32) -> f32 {
        if self == PostTransform::Probit {
            probit(score)
        } else {
            score
        }
    }
}

/// sqrt(2) erfinv(2 x - 1), with the approximation of the inverse error function that ONNX Runtime has.
pub(crate) fn probit(x: f32) -> f32 {
    const A: f32 = 0.147;
    let x = 2.0 * x - 1.0;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = ln((1.0 - x) * (1.0 + x));
    let v = 2.0 / (std::f32::consts::PI * A) + 0.5 * log;
    let v2 = 1.0 / A * log;
    std::f32::consts::SQRT_2 * (sign * (-v + (v * v - v2).sqrt()).sqrt())
}

fn softmax(mut scores: RowScores) {
    let max = largest(&mut scores);
    let mut sum = 0.0;
    scores.for_each(|x| {
        *x = exp(*x - max);
        sum += *x;
    });
    scores.for_each(|x| *x /= sum);
}

/// Like softmax, but scores of zero stay zero.
fn softmax_zero(mut scores: RowScores) {
    let max = largest(&mut scores);
    let exp_of_minus_max = exp(-max);
    let mut sum = 0.0;
    scores.for_each(|x| {
        if *x > 1e-7 || *x < -1e-7 {
            *x = exp(*x - max);
            sum += *x;
        } else {
            *x *= exp_of_minus_max;
        }
    });
    scores.for_each(|x| *x /= sum);
}

/// The largest score; NaN is never larger.
fn largest(scores: &mut RowScores) -> f32 {
    let mut max = f32::MIN;
    scores.for_each(|x| {
        if *x > max {
            max = *x;
        }
    });
    max
}
