//! What the leaves of an ensemble add to the scores of a row.

use super::forest::{Listed, Listing};
use super::node::Value;
use super::scores::{Aggregate, Scores};

/// The weights of the leaves of a packed ensemble.
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

/// A layout and its leaves; `None` when the forest does not fit.
pub(super) type Fitting<W, V> = Result<Option<(W, Leaves<V>)>, String>;

/// No leaf of a tree.
pub(super) const NO_LEAF: u32 = u32::MAX;

/// [`Leaves`], while they grow tree by tree.
pub(super) struct Weighing<V> {
    /// There is one target: the first weight of a leaf is all that counts, and a leaf without one weighs what the file
    /// lists as its own value.
    single: bool,
    /// The first slot of each tree.
    trees: Vec<usize>,
    leaves: Leaves<V>,
}

/// The weights of a leaf.
enum Weights<V> {
    /// Some of those of the tree.
    Listed(u32, u32),
    /// One, for the only target.
    Own(V),
}

impl<V: Value> Weighing<V> {
    /// For so many slots.
    pub fn new(scores: &Scores<V>, slots: usize) -> Self {
        let sums = matches!(scores.aggregate, Aggregate::Sum | Aggregate::Average);
        let leaves = if sums {
            Leaves::One {
                weights: Vec::with_capacity(slots),
                targets: Vec::new(),
            }
        } else {
            Leaves::Many {
                spans: Vec::with_capacity(slots),
                weights: Vec::new(),
            }
        };
        Self {
            single: scores.targets == 1,
            trees: Vec::new(),
            leaves,
        }
    }

    /// Slots of no tree, before the first one.
    pub fn skip(&mut self, slots: usize) {
        match &mut self.leaves {
            Leaves::One { weights, .. } => weights.resize(slots, V::ZERO),
            Leaves::Many { spans, .. } => spans.resize(slots, (0, 0)),
        }
    }

    /// A tree, whose slots hold the leaves `slots`, or [`NO_LEAF`].
    pub fn add(&mut self, tree: &Listing<V>, slots: &[u32]) {
        let single = self.single;
        let leaf = |leaf: &u32| match tree.nodes.get(*leaf as usize) {
            Some(&Listed::Leaf { first, end, value }) => Some(match end - first {
                0 if single => Weights::Own(value),
                _ if single => Weights::Listed(first, first + 1),
                _ => Weights::Listed(first, end),
            }),
            _ => None,
        };
        let slots = slots.iter().map(leaf);
        if let Leaves::One { weights, targets } = &mut self.leaves {
            let first = weights.len();
            if let Some(target) = add_one(&tree.weights, slots.clone(), weights) {
                self.trees.push(first);
                targets.push(target);
                return;
            }
            weights.truncate(first);
            self.become_many();
        }
        if let Leaves::Many { spans, weights } = &mut self.leaves {
            add_many(&tree.weights, slots, spans, weights);
        }
    }

    /// Until now every slot has had one weight.
    fn become_many(&mut self) {
        let Leaves::One { weights, targets } = &mut self.leaves else {
            return;
        };
        let mut tree = 0;
        let weights = weights.iter().enumerate().map(|(slot, weight)| {
            while self.trees.get(tree + 1).is_some_and(|next| *next <= slot) {
                tree += 1;
            }
            (targets.get(tree).copied().unwrap_or(0), *weight)
        });
        let weights: Vec<_> = weights.collect();
        let spans = (0..weights.len() as u32).map(|slot| (slot, slot + 1));
        self.leaves = Leaves::Many {
            spans: spans.collect(),
            weights,
        };
    }

    pub fn finish(self) -> Leaves<V> {
        self.leaves
    }
}

/// Appends a weight for each slot, and gives the target that all of them are for; `None` when some leaf has other weights.
fn add_one<V: Value>(
    listed: &[(u32, V)],
    slots: impl Iterator<Item = Option<Weights<V>>>,
    to: &mut Vec<V>,
) -> Option<u32> {
    let mut only = None;
    for leaf in slots {
        let (target, weight) = match leaf {
            None => {
                to.push(V::ZERO);
                continue;
            }
            Some(Weights::Own(value)) => (0, value),
            Some(Weights::Listed(first, end)) if first + 1 == end => listed[first as usize],
            Some(Weights::Listed(..)) => return None,
        };
        if *only.get_or_insert(target) != target {
            return None;
        }
        to.push(weight);
    }
    Some(only.unwrap_or(0))
}

fn add_many<V: Value>(
    listed: &[(u32, V)],
    slots: impl Iterator<Item = Option<Weights<V>>>,
    spans: &mut Vec<(u32, u32)>,
    weights: &mut Vec<(u32, V)>,
) {
    let base = weights.len() as u32;
    weights.extend_from_slice(listed);
    for leaf in slots {
        spans.push(match leaf {
            None => (0, 0),
            Some(Weights::Listed(first, end)) => (base + first, base + end),
            Some(Weights::Own(value)) => {
                weights.push((0, value));
                (weights.len() as u32 - 1, weights.len() as u32)
            }
        });
    }
}
