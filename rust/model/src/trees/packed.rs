//! A forest in the node layout of a kernel.
//!
//! Trees lie one after the other, each breadth-first, so that the top of a tree shares cache lines. A child with several
//! parents lies beside its sibling of the first; the other parents get a node that leads there.

use std::collections::VecDeque;

use super::forest::{Forest, Listed};
use super::node::{Node, Value};
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

/// No leaf of the forest.
pub(super) const NO_LEAF: u32 = u32::MAX;
/// A node that leads to itself, and the first that is there: a root of nothing, and the slot that leaves need before them.
const NOTHING: u32 = 1;

impl<N: Node> Packed<N> {
    /// The packed forest and for each slot the listed leaf, or [`NO_LEAF`]; `None` when a node does not fit the layout.
    pub fn pack(forest: &Forest<N::Value>) -> Option<(Self, Vec<u32>)> {
        let nothing = N::goto(NOTHING)?;
        let mut slots = Slots {
            nodes: Vec::with_capacity(2 + forest.nodes.len()),
            leaves: Vec::with_capacity(2 + forest.nodes.len()),
            at: vec![0; forest.nodes.len()],
        };
        slots.nodes.resize(2, nothing);
        slots.leaves.resize(2, NO_LEAF);
        let mut roots = Vec::with_capacity(forest.roots.len());
        let mut steps = Vec::with_capacity(forest.roots.len());
        for (&root, &depth) in forest.roots.iter().zip(&forest.depths) {
            roots.push(u32::try_from(slots.nodes.len()).ok()?);
            let gotos = slots.pack_tree(forest, root)?;
            // A goto may follow every branch of a path.
            steps.push(if gotos == 0 {
                depth
            } else {
                depth.checked_mul(2)?
            });
        }
        let trees = roots.len();
        roots.resize(trees.next_multiple_of(TREES), NOTHING);
        let group_steps = steps
            .chunks(TREES)
            .map(|group| group.iter().copied().max().unwrap_or(0))
            .collect();
        let packed = Self {
            nodes: slots.nodes,
            roots,
            trees,
            steps,
            group_steps,
            width: forest.row.width(),
        };
        packed.assert_in_bounds();
        Some((packed, slots.leaves))
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

struct Slots<N> {
    nodes: Vec<N>,
    leaves: Vec<u32>,
    /// Where a listed node lies, 0 for nowhere yet.
    at: Vec<u32>,
}

impl<N: Node> Slots<N> {
    /// Appends a tree, and counts the nodes that only lead to another.
    fn pack_tree(&mut self, forest: &Forest<N::Value>, root: u32) -> Option<usize> {
        let mut gotos = 0;
        let mut queue = VecDeque::from([(root, self.take()?)]);
        while let Some((listed, slot)) = queue.pop_front() {
            let taken = self.at[listed as usize];
            self.nodes[slot as usize] = if taken != 0 {
                gotos += 1;
                N::goto(taken)?
            } else {
                self.at[listed as usize] = slot;
                match forest.nodes[listed as usize] {
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
                        self.leaves[slot as usize] = listed;
                        N::goto(slot)?
                    }
                }
            };
        }
        Some(gotos)
    }

    fn take(&mut self) -> Option<u32> {
        let slot = u32::try_from(self.nodes.len()).ok()?;
        self.nodes.push(N::goto(NOTHING)?);
        self.leaves.push(NO_LEAF);
        Some(slot)
    }
}

/// What the leaves of an ensemble add to the scores of a row.
#[derive(Debug)]
pub(crate) enum Leaves<V> {
    /// Every leaf has one weight, for one target a tree.
    One {
        /// By slot; zero for branches.
        weights: Vec<V>,
        /// By tree.
        targets: Vec<u32>,
    },
    /// Any number of weights for any targets.
    Many {
        /// By slot, where its weights begin and end.
        spans: Vec<(u32, u32)>,
        /// (target, weight)
        weights: Vec<(u32, V)>,
    },
}

impl<V: Value> Leaves<V> {
    /// The leaves of a packed forest, whose slots `leaves` names. With `single`, there is one target, the first weight
    /// of a leaf is all that counts, and a leaf without one weighs what the file lists as its own value.
    pub fn of(
        nodes: &[Listed<V>],
        mut weights: Vec<(u32, V)>,
        roots: &[u32],
        leaves: &[u32],
        single: bool,
        sum: bool,
    ) -> Self {
        let listed = |leaf: u32| match nodes.get(leaf as usize) {
            Some(&Listed::Leaf { first, end, value }) => Some((first, end, value)),
            _ => None,
        };
        if sum
            && let Some(one) = Self::one(
                &weights,
                roots,
                leaves.iter().map(|&leaf| listed(leaf)),
                single,
            )
        {
            return one;
        }
        let mut span = |leaf| match listed(leaf) {
            Some((first, end, value)) if single && first == end => {
                weights.push((0, value));
                (weights.len() as u32 - 1, weights.len() as u32)
            }
            Some((first, end, _)) => (first, if single { first + 1 } else { end }),
            None => (0, 0),
        };
        let spans = leaves.iter().map(|&leaf| span(leaf)).collect();
        Leaves::Many { spans, weights }
    }

    fn one(
        all: &[(u32, V)],
        roots: &[u32],
        leaves: impl Iterator<Item = Option<(u32, u32, V)>>,
        single: bool,
    ) -> Option<Self> {
        let mut targets = vec![None; roots.len()];
        let mut weights = Vec::with_capacity(leaves.size_hint().0);
        let mut tree = 0;
        for (slot, leaf) in leaves.enumerate() {
            while roots
                .get(tree + 1)
                .is_some_and(|&root| root as usize <= slot)
            {
                tree += 1;
            }
            let Some((first, end, value)) = leaf else {
                weights.push(V::ZERO);
                continue;
            };
            let (target, weight) = match end - first {
                0 if single => (0, value),
                1 => all[first as usize],
                _ if single => all[first as usize],
                _ => return None,
            };
            if *targets[tree].get_or_insert(target) != target {
                return None;
            }
            weights.push(weight);
        }
        let targets = targets
            .into_iter()
            .map(|target| target.unwrap_or(0))
            .collect();
        Some(Leaves::One { weights, targets })
    }
}
