//! All branches of a tree are asked, instead of those on one path, for 64 trees or 64 rows an instruction.
//!
//! A walk waits for memory at every step. Here nothing waits: every branch is asked, one byte a tree for one row
//! (`ranked_walk.rs`), or one byte a row for many (`ranked_rows.rs`). Three things make that possible.
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

use super::forest::{Forest, Listed, Listing};
use super::leaves::{Fitting, NO_LEAF, Weighing};
use super::node::{AtMost, Test};
use super::packed::{Packed, Packing};
use super::ranked_rows::{self, FEW_LEAVES, MOST_LEAVES, Rows, TILE, Weights};
use super::ranked_walk::{self, Branches, Cuts, GROUPS, LANES, leaves, ranks};
use super::scores::Scores;
use super::walk::{TREES, Walk};
use crate::cpu::Cpu;

/// Views beyond this would leave no room for anything else in the first level cache: their ranks of a tile of rows.
const MOST_VIEWS: usize = 256;

/// An ensemble whose trees have few leaves, whose branches ask `x <= threshold`, of few views with few cuts.
#[derive(Debug)]
pub(crate) struct Ranked {
    cpu: Cpu,
    /// One for each view.
    cuts: Vec<Cuts>,
    one: OneRow,
    /// The branches of two trees each, for many rows.
    pairs: Vec<Vec<[ranked_rows::Branch; 2]>>,
    nodes: usize,
    /// Slots of a tree: its leaves, filled up.
    leaves: usize,
    /// The first slot of each tree.
    roots: Vec<u32>,
}

/// The form for one row.
#[derive(Debug)]
enum OneRow {
    /// The branches of [`GROUPS`] registers of trees each.
    Groups(Vec<Vec<[Branches; GROUPS]>>),
    /// Where a register of trees cannot be shuffled, or would have to be asked too much. Its slots lead to ours.
    Walk(Packed<AtMost>, Vec<u32>),
}

impl Ranked {
    /// The packed forest and its leaves; `None` when the forest does not fit.
    pub fn pack(forest: &Forest<f32>, scores: &Scores<f32>, cpu: Cpu) -> Fitting<Self, f32> {
        if forest.row.width() > MOST_VIEWS || !matches!(forest.asked, Test::AtMost(_)) {
            return Ok(None);
        }
        let Some(cuts) = cuts(forest)? else {
            return Ok(None);
        };
        let mut trees = Vec::with_capacity(forest.len());
        for number in 0..forest.len() {
            match Tree::of(&forest.tree(number)?, &cuts, most_leaves(cpu)) {
                Some(tree) => trees.push(tree),
                None => return Ok(None),
            }
        }
        let most = trees
            .iter()
            .map(|tree| tree.leaves.len())
            .max()
            .unwrap_or(0);
        let leaves = if most <= FEW_LEAVES {
            FEW_LEAVES
        } else {
            MOST_LEAVES + 1
        };
        let slots = leaves * trees.len();
        if u32::try_from(slots).is_err() {
            return Ok(None);
        }
        let in_groups = cpu == Cpu::Avx512
            && cuts.len() <= ranked_walk::MOST_VIEWS
            && most <= ranked_walk::MOST_LEAVES
            && in_groups_costs(&trees) < walk_costs(&trees);
        let mut walked = if in_groups {
            None
        } else {
            match Walked::new(forest) {
                Some(walked) => Some(walked),
                None => return Ok(None),
            }
        };
        let mut weighing = Weighing::new(scores, slots);
        for (number, tree) in trees.iter().enumerate() {
            let listed = forest.tree(number)?;
            let mut slots = [NO_LEAF; MOST_LEAVES + 1];
            slots[..tree.leaves.len()].copy_from_slice(&tree.leaves);
            weighing.add(&listed, &slots[..leaves]);
            if let Some(walked) = &mut walked
                && walked.add(&listed, &tree.leaves, leaves * number).is_none()
            {
                return Ok(None);
            }
        }
        let one = match walked {
            None => OneRow::Groups(trees.chunks(GROUPS * LANES).map(pack_groups).collect()),
            Some(Walked { packing, slots }) => OneRow::Walk(packing.finish(), slots),
        };
        let ranked = Self {
            cpu,
            cuts: cuts.iter().map(|cuts| Cuts::of(cuts)).collect(),
            one,
            pairs: trees.chunks(2).map(pack_pair).collect(),
            nodes: forest.nodes(),
            leaves,
            roots: (0..).step_by(leaves).take(trees.len()).collect(),
        };
        Ok(Some((ranked, weighing.finish())))
    }

    /// Fewer rows than this are faster one by one: a tile costs the same however full it is.
    fn least_rows(&self) -> usize {
        match self.cpu {
            Cpu::Avx512 => 12,
            Cpu::Avx2 | Cpu::Portable => 16,
        }
    }

    /// Adds the leaves of at most a tile of rows to their scores. `VIEWS` are no fewer than there are: what is not there
    /// need not be cleared.
    fn sum_tile<const VIEWS: usize>(
        &self,
        x: &[f32],
        weights: &[f32],
        targets: &[u32],
        scores: &mut [f32],
    ) {
        let n = x.len() / self.cuts.len();
        let count = scores.len() / n;
        let mut ranks = [Rows::ZERO; VIEWS];
        ranked_rows::rank(self.cpu, &self.cuts, x, &mut ranks);
        let only_target = targets.iter().all(|target| *target == targets[0]);
        let mut sums = [0.0; TILE];
        let trees = targets.chunks(2).zip(weights.chunks(2 * self.leaves));
        for (pair, (targets, weights)) in self.pairs.iter().zip(trees) {
            let leaves = ranked_rows::walk(self.cpu, n, &ranks, pair);
            let trees = targets
                .iter()
                .zip(weights.chunks_exact(self.leaves))
                .zip(&leaves);
            for ((&target, weights), leaves) in trees {
                if only_target {
                    let weights = match weights.first_chunk() {
                        Some(many) => Weights::Many(many),
                        None => Weights::Few(weights.first_chunk().expect("slots are filled up")),
                    };
                    ranked_rows::add(self.cpu, n, leaves, weights, &mut sums);
                } else {
                    for (scores, &leaf) in scores.chunks_exact_mut(count).zip(&leaves.0) {
                        scores[target as usize] += weights[usize::from(leaf)];
                    }
                }
            }
        }
        if only_target {
            for (scores, sum) in scores.chunks_exact_mut(count).zip(sums) {
                scores[targets[0] as usize] = sum;
            }
        }
    }
}

/// Trees beyond this are better walked: a walk asks few of their branches.
fn most_leaves(cpu: Cpu) -> usize {
    match cpu {
        Cpu::Portable => 128,
        Cpu::Avx2 | Cpu::Avx512 => MOST_LEAVES,
    }
}

/// The thresholds of each view, ascending and different; `None` when there are too many.
fn cuts(forest: &Forest<f32>) -> Result<Option<Vec<Vec<f32>>>, String> {
    let mut cuts: Vec<Vec<f32>> = vec![Vec::new(); forest.row.width()];
    for number in 0..forest.len() {
        for node in forest.tree(number)?.nodes {
            // Nothing is at most NaN: that is no cut, but rank 0 as a bound.
            if let Listed::Branch { test, feature, .. } = node
                && let Test::AtMost(threshold) = test
                && !threshold.is_nan()
            {
                let cuts = &mut cuts[feature as usize];
                if let Err(place) = cuts.binary_search_by(|cut| cut.total_cmp(&threshold)) {
                    cuts.insert(place, threshold);
                }
                if cuts.len() > usize::from(u8::MAX) {
                    return Ok(None);
                }
            }
        }
    }
    Ok(Some(cuts))
}

/// What a row costs that asks all branches, in branches of a register.
fn in_groups_costs(trees: &[Tree]) -> usize {
    let groups = trees.chunks(GROUPS * LANES);
    let most = |trees: &[Tree]| {
        trees
            .iter()
            .map(|tree| tree.branches.len())
            .max()
            .unwrap_or(0)
    };
    groups.map(|trees| GROUPS * most(trees)).sum()
}

/// What it costs where each tree is walked, in steps, which take about as long.
fn walk_costs(trees: &[Tree]) -> usize {
    let groups = trees.chunks(TREES);
    let most = |trees: &[Tree]| trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
    groups.map(|trees| trees.len() * most(trees)).sum()
}

/// A tree, its branches and leaves in order.
#[derive(Default)]
struct Tree {
    depth: usize,
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
    fn of(listed: &Listing<f32>, cuts: &[Vec<f32>], most: usize) -> Option<Self> {
        let mut tree = Self {
            depth: listed.depth as usize,
            ..Self::default()
        };
        tree.add(listed, 0, cuts, most)?;
        Some(tree)
    }

    /// Appends `node` and all below it; a node with several parents once for each. The limits also bound the recursion.
    fn add(
        &mut self,
        listed: &Listing<f32>,
        node: u32,
        cuts: &[Vec<f32>],
        most: usize,
    ) -> Option<()> {
        if self.leaves.len() == most || self.branches.len() == most {
            return None;
        }
        match listed.nodes[node as usize] {
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
                self.add(listed, children[0], cuts, most)?;
                self.branches[at].second = self.leaves.len() as u8;
                self.add(listed, children[1], cuts, most)
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

/// The branches of two trees side by side, the shorter one filled up.
fn pack_pair(trees: &[Tree]) -> Vec<[ranked_rows::Branch; 2]> {
    let most = trees.iter().map(|tree| tree.branches.len()).max();
    let mut packed = vec![[ranked_rows::Branch::NONE; 2]; most.unwrap_or(0)];
    for (lane, tree) in trees.iter().enumerate() {
        for (branch, packed) in tree.branches.iter().zip(&mut packed) {
            let Branch {
                view,
                rank,
                leaf,
                second,
            } = *branch;
            packed[lane] = ranked_rows::Branch::new(view, rank, leaf, second);
        }
    }
    packed
}

/// The walked form while it grows, and the slot of ours to which each of its slots leads. A listed leaf that has several
/// slots of a tree weighs the same in all of them.
struct Walked {
    packing: Packing<AtMost>,
    slots: Vec<u32>,
}

impl Walked {
    fn new(forest: &Forest<f32>) -> Option<Self> {
        let packing = Packing::new(forest)?;
        let slots = vec![0; packing.slots()];
        Some(Self { packing, slots })
    }

    /// Adds a tree, whose leaves stand in our slots from `first` on.
    fn add(&mut self, listed: &Listing<f32>, leaves: &[u32], first: usize) -> Option<()> {
        let mut slot_of = vec![0; listed.nodes.len()];
        for (slot, leaf) in (first as u32..).zip(leaves) {
            slot_of[*leaf as usize] = slot;
        }
        let walked = self.packing.add(listed)?.iter();
        let ours = walked.map(|&leaf| slot_of.get(leaf as usize).copied().unwrap_or(0));
        self.slots.extend(ours);
        Some(())
    }
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
        let groups = match &self.one {
            OneRow::Groups(groups) => groups,
            OneRow::Walk(packed, slots) => {
                packed.walk_row(x, |tree, at| leaf(tree, slots[at] as usize));
                return;
            }
        };
        let ranks = ranks(self.cpu, &self.cuts, x);
        let mut first = 0;
        let mut slot = 0;
        for branches in groups {
            let leaves = leaves(self.cpu, self.cuts.len(), &ranks, branches);
            let trees = (self.roots.len() - first).min(GROUPS * LANES);
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

    #[inline(always)]
    fn walk_rows(&self, x: &[f32], mut leaf: impl FnMut(usize, usize, usize)) -> usize {
        let width = self.cuts.len();
        let mut walked = 0;
        let tiles = x.chunks(TILE * width);
        for x in tiles.filter(|x| x.len() / width >= self.least_rows()) {
            let n = x.len() / width;
            let mut ranks = [Rows::ZERO; MOST_VIEWS];
            ranked_rows::rank(self.cpu, &self.cuts, x, &mut ranks);
            for (pair, (branches, roots)) in self.pairs.iter().zip(self.roots.chunks(2)).enumerate()
            {
                let leaves = ranked_rows::walk(self.cpu, n, &ranks, branches);
                for (tree, (root, leaves)) in roots.iter().zip(&leaves).enumerate() {
                    for (row, at) in leaves.0[..n].iter().enumerate() {
                        leaf(
                            walked + row,
                            2 * pair + tree,
                            *root as usize + usize::from(*at),
                        );
                    }
                }
            }
            walked += n;
        }
        walked
    }

    /// Tiles of rows go through all trees.
    fn sum_rows(&self, x: &[f32], weights: &[f32], targets: &[u32], scores: &mut [f32]) -> usize {
        let width = self.cuts.len();
        let count = scores.len() / (x.len() / width);
        let tiles = x.chunks(TILE * width).zip(scores.chunks_mut(TILE * count));
        let mut summed = 0;
        for (x, scores) in tiles.filter(|(x, _)| x.len() / width >= self.least_rows()) {
            match width {
                0..=16 => self.sum_tile::<16>(x, weights, targets, scores),
                17..=64 => self.sum_tile::<64>(x, weights, targets, scores),
                _ => self.sum_tile::<MOST_VIEWS>(x, weights, targets, scores),
            }
            summed += x.len() / width;
        }
        summed
    }
}
