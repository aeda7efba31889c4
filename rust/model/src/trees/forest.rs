//! A tree ensemble as the file means it, checked: every child exists, nothing is listed twice, no path is endless.
//!
//! What concerns all trees is checked first, `Forest`; then kernels read tree by tree. So all nodes are never there at
//! once, beside the arrays of the file and the packed nodes.
//!
//! A node may have several parents: exporters of categorical splits share the leaf of a chain of `BRANCH_EQ`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::node::{Question, Test, Value};
use super::row::Row;
use crate::onnx::ints::Ints;

/// The arrays of a tree operator, one entry a node, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Arrays<V> {
    pub tree_ids: Ints,
    pub node_ids: Ints,
    pub features: Ints,
    pub modes: Vec<Mode>,
    pub values: Vec<V>,
    pub on_true: Ints,
    pub on_false: Ints,
    /// Empty, or 1 where NaN goes to the true child.
    pub missing_to_true: Ints,
    pub weights: WeightArrays<V>,
}

/// The arrays of leaf weights, one entry a weight; a leaf may have none, one or several.
#[derive(Debug, Default)]
pub(crate) struct WeightArrays<V> {
    /// How the attributes begin, `target` or `class`, for errors.
    pub prefix: &'static str,
    pub tree_ids: Ints,
    pub node_ids: Ints,
    pub targets: Ints,
    pub weights: Vec<V>,
}

/// How a branch compares its feature with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Leq,
    Lt,
    Gte,
    Gt,
    Eq,
    Neq,
    Leaf,
}

/// The checked ensemble, whose trees are read one by one: the nodes of all of them together would take more memory than
/// what becomes of them.
#[derive(Debug)]
pub(crate) struct Forest<V> {
    arrays: Arrays<V>,
    /// Columns of the input.
    width: usize,
    /// Where the nodes of each tree stand.
    trees: Vec<Range<usize>>,
    order: Order,
    /// What branches read.
    pub row: Row,
    /// What some branch asks: `x <= threshold`, or for a set, only if all do or ask less.
    pub asked: Test<V>,
    /// Branches of all trees.
    pub branches: usize,
}

/// Which weights belong to which tree.
#[derive(Debug)]
struct Order {
    /// Where the weights of each tree begin, and where the last ones end.
    starts: Vec<usize>,
    /// The weights by tree; `None` where the file has them so.
    by_tree: Option<Vec<usize>>,
}

/// One tree; its nodes are numbered as they stand in the file, the root first.
#[derive(Debug)]
pub(crate) struct Listing<V> {
    pub nodes: Vec<Listed<V>>,
    /// The longest path, in branches.
    pub depth: u32,
    /// The weights of all leaves as (target, weight), leaf by leaf.
    pub weights: Vec<(u32, V)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Listed<V> {
    /// To `children[0]` when the test holds for the value at `feature` in the row.
    Branch {
        feature: u32,
        test: Test<V>,
        children: [u32; 2],
    },
    /// `weights[first..end]`, in the order of the file. `value` is what the file lists as the node's own value.
    Leaf { first: u32, end: u32, value: V },
}

/// Where the nodes of a tree are listed.
enum Index {
    /// So many, numbered 0, 1, 2 and so on, as exporters write them.
    Counted(u32),
    Listed(HashMap<i64, u32>),
}

impl Index {
    fn place(&self, node: i64) -> Option<u32> {
        match self {
            Index::Counted(count) => u32::try_from(node).ok().filter(|node| node < count),
            Index::Listed(places) => places.get(&node).copied(),
        }
    }
}

impl Mode {
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            "BRANCH_LEQ" => Mode::Leq,
            "BRANCH_LT" => Mode::Lt,
            "BRANCH_GTE" => Mode::Gte,
            "BRANCH_GT" => Mode::Gt,
            "BRANCH_EQ" => Mode::Eq,
            "BRANCH_NEQ" => Mode::Neq,
            "LEAF" => Mode::Leaf,
            other => {
                let expected =
                    "BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ or LEAF";
                return Err(format!(
                    "attribute \"nodes_modes\" has {other:?}, expected {expected}"
                ));
            }
        })
    }
}

impl<V: Value> Arrays<V> {
    /// The ensemble over an input of `width` columns, with weights for `targets` targets.
    pub fn check(self, width: usize, targets: usize) -> Result<Forest<V>, String> {
        self.check_lengths()?;
        let trees = self.trees()?;
        let order = self.order(&trees, targets)?;
        let mut views = HashSet::new();
        let (mut branches, mut asked) = (0, Test::AtMost(V::ZERO));
        for i in (0..self.modes.len()).filter(|&i| self.modes[i] != Mode::Leaf) {
            let question = self.question(i, width)?;
            views.insert(question.view);
            asked = match (asked, question.test) {
                (Test::Table(..), _) | (Test::OneOf(_), Test::AtMost(_)) => asked,
                (_, test) => test,
            };
            branches += 1;
        }
        Ok(Forest {
            arrays: self,
            width,
            trees,
            order,
            row: Row::new(views.into_iter().collect(), width),
            asked,
            branches,
        })
    }

    fn check_lengths(&self) -> Result<(), String> {
        let nodes = self.node_ids.len();
        if nodes == 0 {
            return Err("attribute \"nodes_nodeids\" is missing or empty".to_owned());
        }
        if u32::try_from(nodes).is_err() {
            return Err(format!("has {nodes} nodes, more than 2^32"));
        }
        for (name, found) in [
            ("nodes_treeids", self.tree_ids.len()),
            ("nodes_featureids", self.features.len()),
            ("nodes_modes", self.modes.len()),
            ("nodes_values", self.values.len()),
            ("nodes_truenodeids", self.on_true.len()),
            ("nodes_falsenodeids", self.on_false.len()),
        ] {
            if found != nodes {
                return Err(format!(
                    "attribute {name:?} has {found} values, nodes_nodeids has {nodes}"
                ));
            }
        }
        let missing = self.missing_to_true.len();
        if missing != 0 && missing != nodes {
            let name = "nodes_missing_value_tracks_true";
            return Err(format!(
                "attribute {name:?} has {missing} values, nodes_nodeids has {nodes}"
            ));
        }
        let WeightArrays {
            prefix,
            tree_ids,
            node_ids,
            targets,
            weights,
        } = &self.weights;
        for (name, found) in [
            ("treeids", tree_ids.len()),
            ("ids", targets.len()),
            ("weights", weights.len()),
        ] {
            if found != node_ids.len() {
                let expected = node_ids.len();
                return Err(format!(
                    "attribute {prefix}_{name} has {found} values, {prefix}_nodeids has {expected}"
                ));
            }
        }
        Ok(())
    }

    /// The nodes of a tree stand together, and the first one is its root.
    fn trees(&self) -> Result<Vec<Range<usize>>, String> {
        let mut seen = HashSet::new();
        let mut trees: Vec<Range<usize>> = Vec::new();
        let mut last = None;
        for (i, tree) in self.tree_ids.iter().enumerate() {
            match trees.last_mut() {
                Some(range) if last == Some(tree) => range.end = i + 1,
                _ if !seen.insert(tree) => {
                    return Err(format!("the nodes of tree {tree} do not stand together"));
                }
                _ => trees.push(i..i + 1),
            }
            last = Some(tree);
        }
        Ok(trees)
    }

    fn order(&self, trees: &[Range<usize>], targets: usize) -> Result<Order, String> {
        let WeightArrays {
            prefix,
            tree_ids,
            node_ids,
            targets: ids,
            ..
        } = &self.weights;
        let ids_of_trees = trees.iter().map(|tree| self.tree_ids.at(tree.start));
        let numbers: HashMap<i64, usize> = ids_of_trees.zip(0..).collect();
        let (mut starts, mut last, mut sorted) = (vec![0; trees.len() + 1], 0, true);
        for (i, tree) in tree_ids.iter().enumerate() {
            let Some(&number) = numbers.get(&tree) else {
                return Err(self.weight_of_nobody(tree, node_ids.at(i)));
            };
            let target = ids.at(i);
            if !(0..targets as i64).contains(&target) {
                let most = targets - 1;
                return Err(format!("{prefix}_ids has {target}, expected 0 to {most}"));
            }
            starts[number + 1] += 1;
            sorted &= last <= number;
            last = number;
        }
        for number in 0..trees.len() {
            starts[number + 1] += starts[number];
        }
        let by_tree = (!sorted).then(|| {
            let mut by_tree: Vec<usize> = (0..ids.len()).collect();
            by_tree.sort_by_key(|&i| numbers[&tree_ids.at(i)]);
            by_tree
        });
        Ok(Order { starts, by_tree })
    }

    fn weight_of_nobody(&self, tree: i64, node: i64) -> String {
        let prefix = self.weights.prefix;
        format!("{prefix}_nodeids names node {node} of tree {tree}, which is not listed")
    }

    /// What a branch asks.
    fn question(&self, i: usize, width: usize) -> Result<Question<V>, String> {
        let feature = self.features.at(i);
        let column = match u32::try_from(feature) {
            Ok(column) if (column as usize) < width => column,
            _ => {
                let (tree, id) = (self.tree_ids.at(i), self.node_ids.at(i));
                return Err(format!(
                    "node {id} of tree {tree} reads feature {feature} of an input of width {width}"
                ));
            }
        };
        let missing_to_true = self.missing_to_true.get(i) == Some(1);
        Ok(Question::of(
            self.modes[i],
            column,
            self.values[i],
            missing_to_true,
        ))
    }
}

impl<V: Value> Forest<V> {
    /// Trees.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// Branches and leaves, as listed.
    pub fn nodes(&self) -> usize {
        self.arrays.modes.len()
    }

    pub fn tree(&self, number: usize) -> Result<Listing<V>, String> {
        let index = self.index(number)?;
        let range = self.trees[number].clone();
        let nodes = range.clone().map(|i| self.node(i, range.start, &index));
        let mut nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        let weights = self.attach_weights(number, &mut nodes, &index)?;
        join_categories(&mut nodes);
        let depth = depth(&nodes).map_err(|node| {
            let (tree, id) = self.name(range.start + node);
            format!("node {id} of tree {tree} is its own descendant")
        })?;
        Ok(Listing {
            nodes,
            depth,
            weights,
        })
    }

    /// Gives back what the file says of the trees up to this one. Nobody asks for them any more.
    pub fn forget(&mut self, number: usize) {
        let end = self.trees[number].end;
        let arrays = &mut self.arrays;
        for read in [
            &mut arrays.tree_ids,
            &mut arrays.node_ids,
            &mut arrays.features,
            &mut arrays.on_true,
            &mut arrays.on_false,
            &mut arrays.missing_to_true,
        ] {
            read.forget(end);
        }
        if self.order.by_tree.is_none() {
            let (end, weights) = (self.order.starts[number + 1], &mut arrays.weights);
            for read in [
                &mut weights.tree_ids,
                &mut weights.node_ids,
                &mut weights.targets,
            ] {
                read.forget(end);
            }
        }
    }

    /// The ids of a node's tree and its own.
    fn name(&self, i: usize) -> (i64, i64) {
        (self.arrays.tree_ids.at(i), self.arrays.node_ids.at(i))
    }

    fn index(&self, number: usize) -> Result<Index, String> {
        let range = self.trees[number].clone();
        let ids = range.clone().map(|i| self.arrays.node_ids.at(i));
        if ids.clone().eq(0..range.len() as i64) {
            return Ok(Index::Counted(range.len() as u32));
        }
        let mut index = HashMap::with_capacity(range.len());
        for (place, node) in (0..).zip(ids) {
            if index.insert(node, place).is_some() {
                let (tree, _) = self.name(range.start);
                return Err(format!("node {node} of tree {tree} is listed twice"));
            }
        }
        Ok(Index::Listed(index))
    }

    /// The node at `i`, in a tree that begins at `first`.
    fn node(&self, i: usize, first: usize, index: &Index) -> Result<Listed<V>, String> {
        let arrays = &self.arrays;
        if arrays.modes[i] == Mode::Leaf {
            return Ok(Listed::Leaf {
                first: 0,
                end: 0,
                value: arrays.values[i],
            });
        }
        let child = |which: &str, child: i64| match index.place(child) {
            Some(at) if first + at as usize != i => Ok(at),
            found => {
                let (tree, id) = self.name(i);
                Err(match found {
                    Some(_) => format!("node {id} of tree {tree} is its own {which} child"),
                    None => format!(
                        "node {id} of tree {tree} has the {which} child {child}, which is not listed"
                    ),
                })
            }
        };
        let (on_true, on_false) = (
            child("true", arrays.on_true.at(i))?,
            child("false", arrays.on_false.at(i))?,
        );
        let Question {
            test,
            view,
            swapped,
        } = arrays.question(i, self.width)?;
        let children = if swapped {
            [on_false, on_true]
        } else {
            [on_true, on_false]
        };
        let feature = self.row.place(view);
        Ok(Listed::Branch {
            feature: feature.expect("the row holds the view of every branch"),
            test,
            children,
        })
    }

    /// Orders the weights of a tree by leaf. Weights of branches, which old exporters wrote, mean nothing.
    fn attach_weights(
        &self,
        number: usize,
        nodes: &mut [Listed<V>],
        index: &Index,
    ) -> Result<Vec<(u32, V)>, String> {
        let Order { starts, by_tree } = &self.order;
        let WeightArrays {
            node_ids,
            targets,
            weights,
            ..
        } = &self.arrays.weights;
        let all = starts[number]..starts[number + 1];
        let mut by_leaf = Vec::with_capacity(all.len());
        for i in all {
            let i = by_tree.as_ref().map_or(i, |by_tree| by_tree[i]);
            let node = node_ids.at(i);
            let Some(at) = index.place(node) else {
                let (tree, _) = self.name(self.trees[number].start);
                return Err(self.arrays.weight_of_nobody(tree, node));
            };
            if matches!(nodes[at as usize], Listed::Leaf { .. }) {
                by_leaf.push((at, targets.at(i) as u32, weights[i]));
            }
        }
        by_leaf.sort_by_key(|&(leaf, _, _)| leaf);
        for (i, &(leaf, _, _)) in (0..).zip(&by_leaf) {
            if let Listed::Leaf { first, end, .. } = &mut nodes[leaf as usize] {
                if *end == 0 {
                    *first = i;
                }
                *end = i + 1;
            }
        }
        let by_leaf = by_leaf.into_iter();
        Ok(by_leaf
            .map(|(_, target, weight)| (target, weight))
            .collect())
    }
}

/// Makes one branch of a chain of `==` whose first children are the same, from each of its branches on. What then nobody
/// leads to is not packed.
fn join_categories<V: Value>(nodes: &mut [Listed<V>]) {
    for at in 0..nodes.len() {
        let Listed::Branch {
            test: Test::OneOf(mut set),
            mut children,
            feature,
        } = nodes[at]
        else {
            continue;
        };
        // Ends, even where the chain does not: a category joins once.
        while let Listed::Branch {
            feature: next_feature,
            test: Test::OneOf(next),
            children: next_children,
        } = nodes[children[1] as usize]
            && next_feature == feature
            && next_children[0] == children[0]
            && set & next == 0
        {
            set |= next;
            children[1] = next_children[1];
        }
        nodes[at] = Listed::Branch {
            test: Test::OneOf(set),
            children,
            feature,
        };
    }
}

/// The longest path from the first node, in branches; the error is a node that is its own descendant.
fn depth<V>(nodes: &[Listed<V>]) -> Result<u32, usize> {
    const UNSEEN: u32 = u32::MAX;
    const OPEN: u32 = u32::MAX - 1;
    let mut depth = vec![UNSEEN; nodes.len()];
    // An explicit stack: a path may be as long as the file.
    let mut stack = vec![0];
    while let Some(&node) = stack.last() {
        let Listed::Branch { children, .. } = nodes[node] else {
            depth[node] = 0;
            stack.pop();
            continue;
        };
        let children = children.map(|child| child as usize);
        if depth[node] == UNSEEN {
            depth[node] = OPEN;
            for child in children {
                match depth[child] {
                    OPEN => return Err(child),
                    UNSEEN => stack.push(child),
                    _ => {}
                }
            }
        } else {
            if depth[node] == OPEN {
                // All that was pushed above this node is done, unless it met this node again.
                if let Some(&open) = children.iter().find(|&&child| depth[child] >= OPEN) {
                    return Err(open);
                }
                depth[node] = 1 + depth[children[0]].max(depth[children[1]]);
            }
            stack.pop();
        }
    }
    Ok(depth[0])
}
