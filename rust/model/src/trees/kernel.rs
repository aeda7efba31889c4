//! One type for every ensemble, whatever kernel walks it.

use super::forest::Forest;
use super::leaves::Leaves;
use super::node::{AtMost, Mixed, Table, Value};
use super::packed::Packed;
use super::ranked::Ranked;
use super::row::Row;
use super::scores::{Aggregate, Scores};
use super::walk::Walk;

use crate::cpu::Cpu;
use crate::operators::post_transform::RowScores;

/// A kernel, chosen at load by the tests that the branches ask and by the size of the ensemble.
#[derive(Debug)]
pub(crate) enum Kernel {
    /// Floats, when all branches ask `x <= threshold`, and trees have few leaves and features few thresholds.
    Ranked(Ensemble<Ranked>),
    /// Floats, when all branches ask `x <= threshold` of at most 1024 views.
    AtMost(Ensemble<Packed<AtMost>>),
    /// The same, with sets of categories.
    Mixed(Ensemble<Packed<Mixed>>),
    /// Other floats.
    Table(Ensemble<Packed<Table<f32>>>),
    /// All doubles.
    Double(Ensemble<Packed<Table<f64>>>),
}

impl Kernel {
    /// The kernel for an ensemble of floats; `None` when it is too large for every layout.
    pub fn floats(
        mut forest: Forest<f32>,
        scores: Scores<f32>,
        cpu: Cpu,
    ) -> Result<Option<Self>, String> {
        if let Some(packed) = Ranked::pack(&forest, &scores, cpu)? {
            let ensemble = Ensemble::new(forest.row, packed, scores);
            return Ok(Some(Kernel::Ranked(ensemble)));
        }
        // Packing gives the forest back as it goes: only one layout is tried.
        if Packed::<AtMost>::fits(&forest) {
            let packed = Packed::pack(&mut forest, &scores)?;
            let ensemble = packed.map(|packed| Ensemble::new(forest.row, packed, scores));
            return Ok(ensemble.map(Kernel::AtMost));
        }
        if Packed::<Mixed>::fits(&forest) {
            let packed = Packed::pack(&mut forest, &scores)?;
            let ensemble = packed.map(|packed| Ensemble::new(forest.row, packed, scores));
            return Ok(ensemble.map(Kernel::Mixed));
        }
        let packed = Packed::pack(&mut forest, &scores)?;
        let ensemble = packed.map(|packed| Ensemble::new(forest.row, packed, scores));
        Ok(ensemble.map(Kernel::Table))
    }

    /// The kernel for an ensemble of doubles; `None` when it is too large.
    pub fn doubles(mut forest: Forest<f64>, scores: Scores<f64>) -> Result<Option<Self>, String> {
        let packed = Packed::pack(&mut forest, &scores)?;
        let ensemble = packed.map(|packed| Ensemble::new(forest.row, packed, scores));
        Ok(ensemble.map(Kernel::Double))
    }

    /// The row that `accumulate` wants.
    pub fn row(&self) -> &Row {
        match self {
            Kernel::Ranked(ensemble) => &ensemble.row,
            Kernel::AtMost(ensemble) => &ensemble.row,
            Kernel::Mixed(ensemble) => &ensemble.row,
            Kernel::Table(ensemble) => &ensemble.row,
            Kernel::Double(ensemble) => &ensemble.row,
        }
    }

    /// What `accumulate` wants of scratch, in values a row.
    pub fn scratch(&self) -> usize {
        match self {
            Kernel::Ranked(ensemble) => ensemble.scratch(),
            Kernel::AtMost(ensemble) => ensemble.scratch(),
            Kernel::Mixed(ensemble) => ensemble.scratch(),
            Kernel::Table(ensemble) => ensemble.scratch(),
            Kernel::Double(ensemble) => ensemble.scratch(),
        }
    }
}

impl std::fmt::Display for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kernel::Ranked(ensemble) => ensemble.fmt(f),
            Kernel::AtMost(ensemble) => ensemble.fmt(f),
            Kernel::Mixed(ensemble) => ensemble.fmt(f),
            Kernel::Table(ensemble) => ensemble.fmt(f),
            Kernel::Double(ensemble) => ensemble.fmt(f),
        }
    }
}

/// An ensemble in the layout of one kernel.
#[derive(Debug)]
pub(crate) struct Ensemble<W: Walk> {
    pub row: Row,
    packed: W,
    leaves: Leaves<W::Value>,
    scores: Scores<W::Value>,
    /// The targets that some tree has weights for; with [`Leaves::One`] every row has a score for these.
    has: Vec<bool>,
    /// The target of all trees, when it is the same.
    only_target: Option<usize>,
}

impl<W: Walk> std::fmt::Display for Ensemble<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {} trees, {} nodes",
            W::NAME,
            self.packed.roots().len(),
            self.packed.nodes()
        )
    }
}

impl<W: Walk> Ensemble<W> {
    fn new(row: Row, packed: (W, Leaves<W::Value>), scores: Scores<W::Value>) -> Self {
        let (packed, leaves) = packed;
        let mut has = vec![false; scores.targets];
        match &leaves {
            Leaves::One { targets, .. } => targets
                .iter()
                .for_each(|&target| has[target as usize] = true),
            Leaves::Many { weights, .. } => weights
                .iter()
                .for_each(|&(target, _)| has[target as usize] = true),
        }
        let targets: Vec<usize> = (0..has.len()).filter(|&target| has[target]).collect();
        let only_target = if let [target] = *targets {
            Some(target)
        } else {
            None
        };
        Self {
            row,
            packed,
            leaves,
            scores,
            has,
            only_target,
        }
    }

    /// A score for each target, and for [`Leaves::Many`] whether the row has it, as 0 or 1.
    fn scratch(&self) -> usize {
        match self.leaves {
            Leaves::One { .. } => self.scores.targets,
            Leaves::Many { .. } => 2 * self.scores.targets,
        }
    }

    /// Combines the leaves of `n` rows, whose features stand row after row in `x`, into `scratch`, row after row.
    pub fn accumulate(&self, n: usize, x: &[W::Value], scratch: &mut [W::Value]) {
        let x = &x[..n * self.packed.width()];
        let scratch = &mut scratch[..n * self.scratch()];
        scratch.fill(W::Value::ZERO);
        match &self.leaves {
            Leaves::One { weights, targets } => self.sum_one(x, scratch, weights, targets),
            Leaves::Many { spans, weights } => self.combine_many(x, scratch, spans, weights),
        }
    }

    /// A score is summed in the order of the trees, whichever way rows go.
    fn sum_one(
        &self,
        x: &[W::Value],
        scores: &mut [W::Value],
        weights: &[W::Value],
        targets: &[u32],
    ) {
        let (width, count) = (self.packed.width(), self.scores.targets);
        let summed = self.packed.sum_rows(x, weights, targets, scores);
        for (x, scores) in x[summed * width..]
            .chunks_exact(width)
            .zip(scores[summed * count..].chunks_exact_mut(count))
        {
            match self.only_target {
                // The sum of a single target stays in a register.
                Some(target) => {
                    let mut sum = W::Value::ZERO;
                    self.packed.walk_row(x, |_, slot| sum += weights[slot]);
                    scores[target] = sum;
                }
                None => self.packed.walk_row(x, |tree, slot| {
                    scores[targets[tree] as usize] += weights[slot]
                }),
            }
        }
    }

    fn combine_many(
        &self,
        x: &[W::Value],
        scratch: &mut [W::Value],
        spans: &[(u32, u32)],
        weights: &[(u32, W::Value)],
    ) {
        let (width, count) = (self.packed.width(), self.scratch());
        let mut combine = |row: usize, slot: usize| {
            let (first, end) = spans[slot];
            let scores = &mut scratch[row * count..][..count];
            self.combine(&weights[first as usize..end as usize], scores);
        };
        let together = self.packed.walk_rows(x, |row, _, slot| combine(row, slot));
        for (row, x) in x.chunks_exact(width).enumerate().skip(together) {
            self.packed.walk_row(x, |_, slot| combine(row, slot));
        }
    }

    /// Takes the weights of a leaf into the scores of a row.
    #[inline(always)]
    fn combine(&self, weights: &[(u32, W::Value)], scratch: &mut [W::Value]) {
        let (scores, has) = scratch.split_at_mut(self.scores.targets);
        let aggregate = self.scores.aggregate;
        for &(target, weight) in weights {
            let (score, has) = (&mut scores[target as usize], &mut has[target as usize]);
            let first = *has == W::Value::ZERO;
            match aggregate {
                Aggregate::Sum | Aggregate::Average => *score += weight,
                Aggregate::Min if first || weight < *score => *score = weight,
                Aggregate::Max if first || weight > *score => *score = weight,
                Aggregate::Min | Aggregate::Max => {}
            }
            *has = W::Value::ONE;
        }
    }

    /// Writes the outputs of `n` rows as columns of `stride` values, and their labels.
    pub fn finish(
        &self,
        n: usize,
        stride: usize,
        scratch: &mut [W::Value],
        out: &mut [f32],
        labels: Option<&mut [i64]>,
    ) {
        let trees = self.packed.roots().len();
        let mut label = |scratch: &mut [W::Value], row| {
            let (scores, has) = scratch.split_at_mut(self.scores.targets);
            let out = RowScores {
                columns: out,
                stride,
                width: self.scores.targets,
                row,
            };
            match self.leaves {
                Leaves::One { .. } => {
                    self.scores
                        .finish(trees, scores, |target| self.has[target], out)
                }
                Leaves::Many { .. } => {
                    self.scores
                        .finish(trees, scores, |target| has[target] != W::Value::ZERO, out)
                }
            }
        };
        let rows = scratch.chunks_exact_mut(self.scratch()).take(n).enumerate();
        match labels {
            Some(labels) => rows.for_each(|(row, scratch)| labels[row] = label(scratch, row)),
            None => rows.for_each(|(row, scratch)| _ = label(scratch, row)),
        }
    }
}
