//! A forest in the node layout of a kernel.
//!
//! Trees lie one after the other, each breadth-first, so that the top of a tree shares cache lines. A child with several
//! parents lies beside its sibling of the first; the other parents get a node that leads there.

use std::collections::VecDeque;

use super::forest::{Forest, Listed, Listing};
use super::leaves::{Fitting, NO_LEAF, Weighing};
use super::node::{Node, Value};
use super::scores::Scores;
use super::walk::TREES;

/// The nodes of an ensemble. Every root is a slot of `nodes`, every child and the slot after it are, and every feature is
/// below `width`: [`Packed::assert_in_bounds`] checks it once, and the walk relies on it.
#[derive(Debug)]
pub(crate) struct Packed<N> {
    pub(super) nodes: Vec<N>,
    /// Filled up with roots of nothing to whole groups of [`TREES`].
    pub(super) roots: Vec<u32>,
    pub(super) trees: usize,
    /// The steps that reach a leaf from the root of each tree.
    pub(super) steps: Vec<u32>,
    /// The same for each group of trees.
    pub(super) group_steps: Vec<u32>,
    /// Values in a row.
    pub(super) width: usize,
}

/// A node that leads to itself, and the first that is there: a root of nothing, and the slot that leaves need before them.
const NOTHING: u32 = 1;
/// The slots before the first tree.
const BEFORE: usize = 2;

impl<N: Node> Packed<N> {
    /// Whether the layout holds the nodes of a forest.
    pub fn fits(forest: &Forest<N::Value>) -> bool {
        let features = u32::try_from(forest.row.width());
        match (features, u32::try_from(slots(forest))) {
            (Ok(features), Ok(slots)) => {
                N::branch(features.saturating_sub(1), forest.asked, slots).is_some()
            }
            _ => false,
        }
    }

    /// The packed forest and its leaves; `None` when it does not fit.
    pub fn pack(
        forest: &mut Forest<N::Value>,
        scores: &Scores<N::Value>,
    ) -> Fitting<Self, N::Value> {
        let Some(mut packing) = Packing::new(forest) else {
            return Ok(None);
        };
        let mut leaves = Weighing::new(scores, slots(forest));
        leaves.skip(BEFORE);
        for number in 0..forest.len() {
            let tree = forest.tree(number)?;
            forest.forget(number);
            match packing.add(&tree) {
                Some(slots) => leaves.add(&tree, slots),
                None => return Ok(None),
            }
        }
        Ok(Some((packing.finish(), leaves.finish())))
    }

    fn assert_in_bounds(&self) {
        let slots = self.nodes.len();
        let roots_in_bounds = self.roots.iter().all(|&root| (root as usize) < slots);
        let in_bounds =
            |node: &N| node.feature() < self.width && (node.child() as usize) < slots - 1;
        assert!(
            roots_in_bounds && self.nodes.iter().all(in_bounds),
            "a packed ensemble is within its bounds"
        );
    }
}

/// Slots that a forest takes at most.
fn slots<V: Value>(forest: &Forest<V>) -> usize {
    BEFORE + forest.len() + 2 * forest.branches
}

/// A packed forest that grows tree by tree.
pub(super) struct Packing<N> {
    packed: Packed<N>,
    nothing: N,
    /// The leaf of each slot of the last tree, or [`NO_LEAF`].
    leaves: Vec<u32>,
    /// Where a node of the last tree lies, 0 for nowhere yet.
    at: Vec<u32>,
}

impl<N: Node> Packing<N> {
    /// For a forest that fits.
    pub fn new(forest: &Forest<N::Value>) -> Option<Self> {
        let nothing = N::goto(NOTHING)?;
        let mut nodes = Vec::with_capacity(slots(forest));
        nodes.extend([nothing; BEFORE]);
        let packed = Packed {
            nodes,
            roots: Vec::with_capacity(forest.len().next_multiple_of(TREES)),
            trees: forest.len(),
            steps: Vec::with_capacity(forest.len()),
            group_steps: Vec::new(),
            width: forest.row.width(),
        };
        Some(Self {
            packed,
            nothing,
            leaves: Vec::new(),
            at: Vec::new(),
        })
    }

    /// Slots until now.
    pub fn slots(&self) -> usize {
        self.packed.nodes.len()
    }

    /// Appends a tree; gives the leaf of each of its slots, or [`NO_LEAF`].
    pub fn add(&mut self, tree: &Listing<N::Value>) -> Option<&[u32]> {
        self.leaves.clear();
        self.at.clear();
        self.at.resize(tree.nodes.len(), 0);
        let gotos = self.add_nodes(tree)?;
        // A goto may follow every branch of a path.
        let steps = if gotos == 0 { 1 } else { 2 };
        self.packed.steps.push(tree.depth.checked_mul(steps)?);
        Some(&self.leaves)
    }

    /// Appends the nodes of a tree, and counts those that only lead to another.
    fn add_nodes(&mut self, tree: &Listing<N::Value>) -> Option<usize> {
        let mut gotos = 0;
        let root = self.take()?;
        self.packed.roots.push(root);
        let mut queue = VecDeque::from([(0, root)]);
        while let Some((listed, slot)) = queue.pop_front() {
            let taken = self.at[listed as usize];
            self.packed.nodes[slot as usize] = if taken != 0 {
                gotos += 1;
                N::goto(taken)?
            } else {
                self.at[listed as usize] = slot;
                match tree.nodes[listed as usize] {
                    Listed::Branch {
                        feature,
                        test,
                        children,
                        ..
                    } => {
                        let child = self.take()?;
                        queue.push_back((children[0], child));
                        queue.push_back((children[1], self.take()?));
                        N::branch(feature, test, child)?
                    }
                    Listed::Leaf { .. } => {
                        self.leaves[(slot - root) as usize] = listed;
                        N::goto(slot)?
                    }
                }
            };
        }
        Some(gotos)
    }

    fn take(&mut self) -> Option<u32> {
        let slot = u32::try_from(self.packed.nodes.len()).ok()?;
        self.packed.nodes.push(self.nothing);
        self.leaves.push(NO_LEAF);
        Some(slot)
    }

    pub fn finish(self) -> Packed<N> {
        let mut packed = self.packed;
        packed.nodes.shrink_to_fit();
        packed
            .roots
            .resize(packed.trees.next_multiple_of(TREES), NOTHING);
        let longest = |group: &[u32]| group.iter().copied().max().unwrap_or(0);
        packed.group_steps = packed.steps.chunks(TREES).map(longest).collect();
        packed.assert_in_bounds();
        packed
    }
}
