//! The walk from roots to leaves: a named kernel module.
//!
//! A step waits for its node, then for its feature: one path alone leaves the processor idle. So many paths are walked
//! at once, [`TREES`] trees of one row or [`ROWS`] rows of one tree, all of them as many steps as the longest needs.

use super::node::Node;
use super::packed::Packed;

/// Trees that are walked at once for one row.
pub(super) const TREES: usize = 16;
/// Rows that are walked at once in one tree.
pub(super) const ROWS: usize = 8;

impl<N: Node> Packed<N> {
    /// Walks the row `x` through every tree; `leaf(tree, slot)` hears of the leaves in the order of the trees.
    #[inline(always)]
    pub fn walk_row(&self, x: &[N::Value], mut leaf: impl FnMut(usize, usize)) {
        let x = &x[..self.width];
        let mut tree = 0;
        for (roots, &steps) in self.roots.chunks_exact(TREES).zip(&self.group_steps) {
            let mut at: [usize; TREES] = std::array::from_fn(|k| roots[k] as usize);
            for _ in 0..steps {
                for at in &mut at {
                    *at = self.step(*at, x);
                }
            }
            for at in at {
                leaf(tree, at);
                tree += 1;
            }
        }
        for tree in tree..self.roots.len() {
            let mut at = self.roots[tree] as usize;
            for _ in 0..self.steps[tree] {
                at = self.step(at, x);
            }
            leaf(tree, at);
        }
    }

    /// Walks [`ROWS`] rows of `width` features each, which stand one after the other in `x`, through `tree`.
    #[inline(always)]
    pub fn walk_rows(&self, tree: usize, x: &[N::Value]) -> [usize; ROWS] {
        let rows: [&[N::Value]; ROWS] = std::array::from_fn(|k| &x[k * self.width..][..self.width]);
        let mut at = [self.roots[tree] as usize; ROWS];
        for _ in 0..self.steps[tree] {
            for (at, x) in at.iter_mut().zip(rows) {
                *at = self.step(*at, x);
            }
        }
        at
    }

    #[inline(always)]
    fn step(&self, at: usize, x: &[N::Value]) -> usize {
        let node = self.nodes[at];
        node.next(x[node.reads().0])
    }
}
