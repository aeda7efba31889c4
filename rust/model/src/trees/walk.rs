//! The walk from roots to leaves: a named kernel module.
//!
//! A step waits for its node, then for its feature: one path alone leaves the processor idle. So many paths are walked
//! at once, [`TREES`] trees of one row or [`ROWS`] rows of one tree, all of them as many steps as the longest needs.
#![allow(
    unsafe_code,
    reason = "bounds checks in `step`, done once when an ensemble is packed, would cost half the speed"
)]

use super::node::{Node, Value};
use super::packed::Packed;

/// Trees that are walked at once for one row.
pub(super) const TREES: usize = 16;
/// Rows that are walked at once through one tree.
const ROWS: usize = 16;
/// Rows that go through a tree before the next tree: their features stay in the first level cache.
const BLOCK: usize = 64;

/// A packed ensemble: how rows get from its roots to its leaves.
pub(crate) trait Walk: std::fmt::Debug {
    type Value: Value;
    /// For people.
    const NAME: &'static str;
    /// Values in a row.
    fn width(&self) -> usize;
    /// The first slot of each tree. A tree's other slots follow.
    fn roots(&self) -> &[u32];
    /// Branches and leaves.
    fn nodes(&self) -> usize;
    /// Walks the row `x` through every tree; `leaf(tree, slot)` hears of the leaves in the order of the trees.
    fn walk_row(&self, x: &[Self::Value], leaf: impl FnMut(usize, usize));

    /// Adds the weights of the leaves of the first rows of `x` to their `scores`, for as many rows as are faster
    /// together; returns how many. Each score is summed in the order of the trees.
    fn sum_rows(
        &self,
        _x: &[Self::Value],
        _weights: &[Self::Value],
        _targets: &[u32],
        _scores: &mut [Self::Value],
    ) -> usize {
        0
    }
}

impl<N: Node> Walk for Packed<N> {
    type Value = N::Value;
    const NAME: &'static str = N::NAME;

    fn width(&self) -> usize {
        self.width
    }

    fn roots(&self) -> &[u32] {
        &self.roots[..self.trees]
    }

    fn nodes(&self) -> usize {
        self.nodes.len() - 2
    }

    #[inline(always)]
    fn walk_row(&self, x: &[N::Value], mut leaf: impl FnMut(usize, usize)) {
        let x = &x[..self.width];
        let groups = self.roots.chunks_exact(TREES).zip(&self.group_steps);
        for (tree, (roots, &steps)) in (0..).step_by(TREES).zip(groups) {
            let mut at = [0; TREES];
            at.copy_from_slice(roots);
            for _ in 0..steps {
                for at in &mut at {
                    // SAFETY: `at` is a root or comes from `step`; `x` has the row's width.
                    *at = unsafe { self.step(*at, x) };
                }
            }
            for (tree, at) in (tree..self.trees).zip(at) {
                leaf(tree, at as usize);
            }
        }
    }

    /// Groups of rows go through one tree after the other.
    fn sum_rows(
        &self,
        x: &[N::Value],
        weights: &[N::Value],
        targets: &[u32],
        scores: &mut [N::Value],
    ) -> usize {
        let rows = x.len() / self.width;
        let (width, count) = (self.width, scores.len() / rows);
        let grouped = rows / ROWS * ROWS;
        for (x, scores) in x[..grouped * width]
            .chunks(BLOCK * width)
            .zip(scores.chunks_mut(BLOCK * count))
        {
            for (tree, &target) in targets.iter().enumerate() {
                for (x, scores) in x
                    .chunks_exact(ROWS * width)
                    .zip(scores.chunks_exact_mut(ROWS * count))
                {
                    let slots = self.walk_rows(tree, x);
                    for (scores, slot) in scores.chunks_exact_mut(count).zip(slots) {
                        scores[target as usize] += weights[slot as usize];
                    }
                }
            }
        }
        grouped
    }
}

impl<N: Node> Packed<N> {
    /// Walks [`ROWS`] rows, which stand one after the other in `x`, through `tree`; gives the slots of their leaves.
    #[inline(always)]
    fn walk_rows(&self, tree: usize, x: &[N::Value]) -> [u32; ROWS] {
        let rows: [&[N::Value]; ROWS] = std::array::from_fn(|k| &x[k * self.width..][..self.width]);
        let mut at = [self.roots[tree]; ROWS];
        for _ in 0..self.steps[tree] {
            for (at, x) in at.iter_mut().zip(rows) {
                // SAFETY: `at` is a root or comes from `step`; `x` has the row's width.
                *at = unsafe { self.step(*at, x) };
            }
        }
        at
    }

    /// Goes from the slot `at` to the next.
    ///
    /// # Safety
    ///
    /// `at` must be a root or the result of a step, and `x` must have `self.width` values. Then both reads are in
    /// bounds, and the result is a slot: [`Packed::pack`] has checked every root, child and feature.
    #[inline(always)]
    unsafe fn step(&self, at: u32, x: &[N::Value]) -> u32 {
        debug_assert!((at as usize) < self.nodes.len() && x.len() == self.width);
        // SAFETY: the caller's promise.
        let node = unsafe { self.nodes.get_unchecked(at as usize) };
        // SAFETY: the caller's promise.
        node.next(unsafe { *x.get_unchecked(node.feature()) })
    }
}
