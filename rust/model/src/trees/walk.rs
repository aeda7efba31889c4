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

    /// Walks the first rows of `x` through the trees, as many as are faster together; returns how many.
    /// `leaf(row, tree, slot)` hears of the leaves of each row in the order of the trees.
    fn walk_rows(&self, x: &[Self::Value], leaf: impl FnMut(usize, usize, usize)) -> usize;

    /// Adds the weights of the leaves of the first rows of `x` to their `scores`, for as many rows as are faster
    /// together; returns how many. Each score is summed in the order of the trees.
    fn sum_rows(
        &self,
        x: &[Self::Value],
        weights: &[Self::Value],
        targets: &[u32],
        scores: &mut [Self::Value],
    ) -> usize {
        let count = scores.len() / (x.len() / self.width());
        self.walk_rows(x, |row, tree, slot| {
            scores[row * count + targets[tree] as usize] += weights[slot];
        })
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
        for (group, &steps) in self.group_steps.iter().enumerate() {
            let first = group * TREES;
            match self.trees - first {
                1 => self.walk_trees::<1>(x, first, steps, &mut leaf),
                2..=4 => self.walk_trees::<4>(x, first, steps, &mut leaf),
                _ => self.walk_trees::<TREES>(x, first, steps, &mut leaf),
            }
        }
    }

    /// Groups of rows go through one tree after the other. A group that is not full costs as much as a full one, and so
    /// does one of trees.
    #[inline(always)]
    fn walk_rows(&self, x: &[N::Value], mut leaf: impl FnMut(usize, usize, usize)) -> usize {
        let rows = x.len() / self.width;
        let rest = rows % ROWS;
        let together = if self.trees <= rest * self.group_steps.len() {
            rows
        } else {
            rows - rest
        };
        let blocks = x[..together * self.width].chunks(BLOCK * self.width);
        for (block, x) in blocks.enumerate() {
            for tree in 0..self.trees {
                for (group, x) in x.chunks(ROWS * self.width).enumerate() {
                    let slots = self.walk_group(tree, x);
                    let first = block * BLOCK + group * ROWS;
                    for (row, slot) in slots.iter().enumerate().take(x.len() / self.width) {
                        leaf(first + row, tree, *slot as usize);
                    }
                }
            }
        }
        together
    }
}

impl<N: Node> Packed<N> {
    /// Walks `x` through up to `LANES` trees at once.
    #[inline(always)]
    fn walk_trees<const LANES: usize>(
        &self,
        x: &[N::Value],
        first: usize,
        steps: u32,
        leaf: &mut impl FnMut(usize, usize),
    ) {
        let mut at = [0; LANES];
        at.copy_from_slice(&self.roots[first..][..LANES]);
        for _ in 0..steps {
            for at in &mut at {
                // SAFETY: `at` is a root or comes from `step`; `x` has the row's width.
                *at = unsafe { self.step(*at, x) };
            }
        }
        for (tree, at) in (first..self.trees).zip(at) {
            leaf(tree, at as usize);
        }
    }

    /// Walks up to [`ROWS`] rows, which stand one after the other in `x`, through `tree`; gives the slots of their leaves.
    #[inline(always)]
    fn walk_group(&self, tree: usize, x: &[N::Value]) -> [u32; ROWS] {
        let last = x.len() / self.width - 1;
        let row = |k: usize| &x[k.min(last) * self.width..][..self.width];
        let rows: [&[N::Value]; ROWS] = std::array::from_fn(row);
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
