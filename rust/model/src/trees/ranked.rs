//! All branches of 128 trees at once, for processors that shuffle 64 bytes.
//!
//! A walk waits for memory at every step. Here nothing waits: every branch of every tree is asked, 64 trees an
//! instruction, one byte a tree. Three things make that possible.
//!
//! **Ranks.** The thresholds of a view, sorted, are its cuts, at most 255. The rank of `x` is the number of cuts below
//! it, 255 for NaN, so `x <= cuts[k]` is `rank <= k`: branches compare bytes.
//!
//! **Leaves in order.** The leaves of a tree are numbered as they stand, first children first. A walk is the number of
//! the first leaf below the node that it has come to.
//!
//! **Branches in order**, parents first, and what lies below the first child before the second. When the turn of a
//! branch comes, the walk has come to it exactly if it stands at the branch's first leaf: it either stays, or goes on
//! to the first leaf of the second child.
//!
//! ```text
//!        a            branches a, b, c     first leaves 0, 0, 2     second children's first leaves 2, 1, 3
//!      b   c          a does not hold: 0 -> 2;   b: stands at 2, not at 0;   c does not hold: 2 -> 3
//!     0 1 2 3         the leaf is 3
//! ```

use super::forest::{Forest, Listed};
use super::node::Test;
use super::ranked_walk::{Branches, Cuts, GROUPS, LANES, MOST_VIEWS, is_fast, leaves, ranks};
use super::walk::Walk;

/// Trees beyond this are better walked: a walk asks few of their branches.
const MOST_LEAVES: usize = 128;

/// An ensemble whose trees have few leaves, whose branches ask `x <= threshold`, of few views with few cuts.
#[derive(Debug)]
pub(crate) struct Ranked {
    /// One for each view.
    cuts: Vec<Cuts>,
    /// The branches of [`GROUPS`] registers of trees each.
    groups: Vec<Vec<[Branches; GROUPS]>>,
    trees: usize,
    nodes: usize,
    /// Slots of a tree: its leaves, filled up to those of the largest.
    leaves: usize,
    /// The first slot of each tree.
    roots: Vec<u32>,
}

impl Ranked {
    /// The packed forest and for each slot the listed leaf, if it is one; `None` when the forest does not fit, or the
    /// processor lacks the instructions.
    pub fn pack(forest: &Forest<f32>) -> Option<(Self, Vec<Option<u32>>)> {
        if !is_fast() || forest.row.width() > MOST_VIEWS {
            return None;
        }
        let cuts = cuts(forest)?;
        let trees = forest
            .roots
            .iter()
            .map(|&root| Tree::of(forest, root, &cuts))
            .collect::<Option<Vec<_>>>()?;
        let leaves = trees.iter().map(|tree| tree.leaves.len()).max()?;
        u32::try_from(leaves * trees.len()).ok()?;
        let mut slots = vec![None; leaves * trees.len()];
        for (tree, slots) in trees.iter().zip(slots.chunks_exact_mut(leaves)) {
            for (&leaf, slot) in tree.leaves.iter().zip(slots) {
                *slot = Some(leaf);
            }
        }
        let ranked = Self {
            cuts: cuts.iter().map(|cuts| Cuts::of(cuts)).collect(),
            groups: trees.chunks(GROUPS * LANES).map(pack_groups).collect(),
            trees: trees.len(),
            nodes: forest.nodes.len(),
            leaves,
            roots: (0..).step_by(leaves).take(trees.len()).collect(),
        };
        Some((ranked, slots))
    }
}

/// The thresholds of each view, ascending and different.
fn cuts(forest: &Forest<f32>) -> Option<Vec<Vec<f32>>> {
    let mut cuts = vec![Vec::new(); forest.row.width()];
    for node in &forest.nodes {
        match *node {
            Listed::Leaf { .. } => {}
            Listed::Branch {
                test: Test::AtMost(threshold),
                feature,
                ..
            } => cuts[feature as usize].push(threshold),
            Listed::Branch { .. } => return None,
        }
    }
    for cuts in &mut cuts {
        // Nothing is at most NaN: that is no cut, but rank 0 as a bound.
        cuts.retain(|cut| !cut.is_nan());
        cuts.sort_unstable_by(f32::total_cmp);
        cuts.dedup();
        if cuts.len() > usize::from(u8::MAX) {
            return None;
        }
    }
    Some(cuts)
}

/// A tree, its branches and leaves in order.
#[derive(Default)]
struct Tree {
    branches: Vec<Branch>,
    /// As the file lists them.
    leaves: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Branch {
    view: u8,
    rank: u8,
    leaf: u8,
    second: u8,
}

impl Tree {
    fn of(forest: &Forest<f32>, root: u32, cuts: &[Vec<f32>]) -> Option<Self> {
        let mut tree = Self::default();
        tree.add(forest, root, cuts)?;
        Some(tree)
    }

    /// Appends `node` and all below it; a node with several parents once for each. The limits also bound the recursion.
    fn add(&mut self, forest: &Forest<f32>, node: u32, cuts: &[Vec<f32>]) -> Option<()> {
        if self.leaves.len() == MOST_LEAVES || self.branches.len() == MOST_LEAVES {
            return None;
        }
        match forest.nodes[node as usize] {
            Listed::Branch {
                test: Test::AtMost(threshold),
                feature,
                children,
                ..
            } => {
                let at = self.branches.len();
                let cuts_below = cuts[feature as usize].partition_point(|&cut| cut < threshold);
                self.branches.push(Branch {
                    view: feature as u8,
                    rank: if threshold.is_nan() {
                        0
                    } else {
                        cuts_below as u8 + 1
                    },
                    leaf: self.leaves.len() as u8,
                    second: 0,
                });
                self.add(forest, children[0], cuts)?;
                self.branches[at].second = self.leaves.len() as u8;
                self.add(forest, children[1], cuts)
            }
            Listed::Branch { .. } => None,
            Listed::Leaf { .. } => {
                self.leaves.push(node);
                Some(())
            }
        }
    }
}

/// The branches of up to [`GROUPS`] times [`LANES`] trees.
fn pack_groups(trees: &[Tree]) -> Vec<[Branches; GROUPS]> {
    let most = trees.iter().map(|tree| tree.branches.len()).max();
    let mut packed = vec![[Branches::NONE; GROUPS]; most.unwrap_or(0)];
    for (i, tree) in trees.iter().enumerate() {
        let (group, lane) = (i / LANES, i % LANES);
        for (branch, packed) in tree.branches.iter().zip(&mut packed) {
            let packed = &mut packed[group];
            packed.view.0[lane] = branch.view;
            packed.rank.0[lane] = branch.rank;
            packed.leaf.0[lane] = branch.leaf;
            packed.second.0[lane] = branch.second;
        }
    }
    packed
}

impl Walk for Ranked {
    type Value = f32;
    const NAME: &'static str = "ranked";

    fn width(&self) -> usize {
        self.cuts.len()
    }

    fn roots(&self) -> &[u32] {
        &self.roots
    }

    fn nodes(&self) -> usize {
        self.nodes
    }

    #[inline(always)]
    fn walk_row(&self, x: &[f32], mut leaf: impl FnMut(usize, usize)) {
        let ranks = ranks(&self.cuts, x);
        let mut first = 0;
        let mut slot = 0;
        for branches in &self.groups {
            let leaves = leaves(self.cuts.len(), &ranks, branches);
            let trees = (self.trees - first).min(GROUPS * LANES);
            for (lane, &at) in leaves
                .iter()
                .flat_map(|lanes| &lanes.0)
                .take(trees)
                .enumerate()
            {
                leaf(first + lane, slot + usize::from(at));
                slot += self.leaves;
            }
            first += trees;
        }
    }
}
