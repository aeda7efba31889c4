//! The walk from roots to leaves: a named kernel module.
//!
//! A step waits for its node, then for its feature: one path alone leaves the processor idle. So many paths are walked
//! at once, [`TREES`] trees of one row or [`ROWS`] rows of one tree, all of them as many steps as the longest needs.
#![allow(
    unsafe_code,
    reason = "bounds checks in `step`, done once when an ensemble is packed, would cost half the speed"
)]

use super::node::Node;
use super::packed::Packed;

/// Trees that are walked at once for one row.
pub(super) const TREES: usize = 16;
/// Rows that are walked at once through one tree.
pub(super) const ROWS: usize = 16;

impl<N: Node> Packed<N> {
    /// Walks the row `x` through every tree; `leaf(tree, slot)` hears of the leaves in the order of the trees.
    #[inline(always)]
    pub fn walk_row(&self, x: &[N::Value], mut leaf: impl FnMut(usize, usize)) {
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

    /// Walks [`ROWS`] rows, which stand one after the other in `x`, through `tree`; gives the slots of their leaves.
    #[inline(always)]
    pub fn walk_rows(&self, tree: usize, x: &[N::Value]) -> [u32; ROWS] {
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
