//! From the summed leaves of a row to its outputs, exactly as ONNX Runtime does it.
//!
//! Of one target, no post-transform but PROBIT is known. Of several, a target that no leaf gave a score counts as 0, with
//! or without a base value. Of two classes, everything hangs on whether leaves gave class 1 a score. Where ONNX Runtime
//! leaves an output unwritten (one score for two classes, with PROBIT or a single base value), it is 0 here.

use super::forest::WeightArrays;
use super::node::Value;
use crate::math::logistic;
use crate::operators::post_transform::{PostTransform, RowScores};

/// How the weights of the leaves of a row become a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// What follows the leaves.
#[derive(Debug)]
pub(crate) struct Scores<V> {
    /// Targets of a regressor, classes of a classifier.
    pub targets: usize,
    pub aggregate: Aggregate,
    /// One value for each target, or none; of two classes, also a single one.
    pub base_values: Vec<V>,
    pub post_transform: PostTransform,
    /// `None` for a regressor.
    pub classes: Option<Classes>,
}

/// The labels of a classifier.
#[derive(Debug)]
pub(crate) struct Classes {
    /// One for each class: the label, or the code of a string.
    pub labels: Vec<i64>,
    /// There are two classes, and all weights are for the same one.
    pub binary: bool,
    /// No weight is below zero.
    pub positive: bool,
}

impl Classes {
    pub fn new<V: Value>(labels: Vec<i64>, weights: &WeightArrays<V>) -> Self {
        let first = weights.targets.get(0);
        let same = weights.targets.iter().all(|target| Some(target) == first);
        let binary = labels.len() == 2 && same && first.is_some();
        Self {
            labels,
            binary,
            positive: !weights.weights.iter().any(|&weight| weight < V::ZERO),
        }
    }
}

/// How the only score of two classes becomes two; with LOGISTIC, `[logistic(-s), logistic(s)]` takes the place of both.
enum SecondClass {
    /// `[1 - s, s]`
    Complement,
    /// `[-s, s]`
    Negation,
    /// `[s, 0]`, and no post-transform
    Absent,
}

impl<V: Value> Scores<V> {
    /// Writes the outputs of a row and returns its label, which means nothing for a regressor. `scores` has a value for
    /// each target, zero where there is none, and `has` says where there is one.
    pub fn finish(
        &self,
        trees: usize,
        scores: &mut [V],
        has: impl Fn(usize) -> bool,
        out: RowScores,
    ) -> i64 {
        match &self.classes {
            None => {
                self.finish_targets(trees, scores, has, out);
                0
            }
            Some(_) if self.targets == 1 => self.finish_one_class(scores[0], out),
            Some(classes) if self.targets == 2 => {
                self.finish_two_classes(classes, scores, has, out)
            }
            Some(classes) => self.finish_classes(classes, scores, has, out),
        }
    }

    fn finish_targets(
        &self,
        trees: usize,
        scores: &mut [V],
        has: impl Fn(usize) -> bool,
        mut out: RowScores,
    ) {
        let single = self.targets == 1;
        for (target, score) in scores.iter_mut().enumerate() {
            if self.aggregate == Aggregate::Average {
                *score = score.divided_by(V::from_count(trees));
            }
            *score += self.base_values.get(target).copied().unwrap_or(V::ZERO);
            *out.at(target) = if single || has(target) {
                score.to_f32()
            } else {
                0.0
            };
        }
        self.transform(scores.len(), out);
    }

    fn finish_one_class(&self, mut score: V, mut out: RowScores) -> i64 {
        if let Some(&base) = self.base_values.first() {
            score += base;
        }
        *out.at(0) = score.to_f32();
        self.transform(1, out);
        // ONNX Runtime does not look at the label of a single class.
        i64::from(score > V::ZERO)
    }

    fn finish_two_classes(
        &self,
        classes: &Classes,
        scores: &mut [V],
        has: impl Fn(usize) -> bool,
        mut out: RowScores,
    ) -> i64 {
        let (mut first, mut second) = (scores[0], scores[1]);
        let mut two_scores = has(1);
        match *self.base_values {
            [_, base] if has(1) => {
                // ONNX Runtime takes both base values to be the same here.
                second = base;
                second += first;
                first = -second;
            }
            [base, other] => {
                first += base;
                second += other;
                two_scores = true;
            }
            [base] => first += base,
            _ => {}
        }
        let first = if has(0) { first } else { V::ZERO };
        let second = if has(1) { second } else { V::ZERO };
        let decisive = if has(1) { second } else { first };
        let (label, added) = if classes.binary {
            let above = if classes.positive { V::HALF } else { V::ZERO };
            let added = if classes.positive {
                SecondClass::Complement
            } else {
                SecondClass::Negation
            };
            (classes.labels[usize::from(decisive > above)], added)
        } else {
            let added = if self.base_values.is_empty() {
                SecondClass::Negation
            } else {
                SecondClass::Absent
            };
            // ONNX Runtime says 0 or 1 here, whatever the labels are.
            (i64::from(decisive > V::ZERO), added)
        };
        if two_scores {
            (*out.at(0), *out.at(1)) = (first.to_f32(), second.to_f32());
            self.transform(2, out);
        } else {
            (*out.at(0), *out.at(1)) = self.both(first, added);
        }
        label
    }

    fn both(&self, score: V, added: SecondClass) -> (f32, f32) {
        let s = score.to_f32();
        match (self.post_transform, added) {
            (PostTransform::Probit, _) => (PostTransform::Probit.apply_to_one(s), 0.0),
            (_, SecondClass::Absent) => (s, 0.0),
            (PostTransform::Logistic, _) => (logistic(-s), logistic(s)),
            (_, SecondClass::Negation) => (-s, s),
            (_, SecondClass::Complement) => (V::ONE.minus(score).to_f32(), s),
        }
    }

    fn finish_classes(
        &self,
        classes: &Classes,
        scores: &mut [V],
        has: impl Fn(usize) -> bool,
        mut out: RowScores,
    ) -> i64 {
        let mut best: Option<(usize, V)> = None;
        for (class, score) in scores.iter_mut().enumerate() {
            match self.base_values.get(class) {
                Some(&base) if has(class) => *score += base,
                Some(&base) => *score = base,
                None => {}
            }
            let counts = has(class) || !self.base_values.is_empty();
            if counts && best.is_none_or(|(_, most)| *score > most) {
                best = Some((class, *score));
            }
            *out.at(class) = score.to_f32();
        }
        self.transform(scores.len(), out);
        // Without any score ONNX Runtime fails; a run cannot.
        classes.labels[best.map_or(0, |(class, _)| class)]
    }

    fn transform(&self, scores: usize, mut out: RowScores) {
        match scores {
            1 => *out.at(0) = self.post_transform.apply_to_one(*out.at(0)),
            _ => self.post_transform.apply(out),
        }
    }
}
