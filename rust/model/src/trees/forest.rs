//! A tree ensemble as the file means it, checked: every child exists, nothing is listed twice, no path is endless.
//!
//! A node may have several parents: exporters of categorical splits share the leaf of a chain of `BRANCH_EQ`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::node::{Question, Test, Value};
use super::row::Row;
use crate::onnx::attribute::Ints;

/// The arrays of a tree operator, one entry a node, in the order of the file.
#[derive(Default)]
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
#[derive(Default)]
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

/// The checked ensemble; nodes are numbered through all trees.
#[derive(Debug)]
pub(crate) struct Forest<V> {
    pub nodes: Vec<Listed<V>>,
    /// What branches read.
    pub row: Row,
    /// The root of each tree.
    pub roots: Vec<u32>,
    /// The longest path of each tree, in branches.
    pub depths: Vec<u32>,
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

/// Where the nodes of trees are listed.
enum Index {
    /// The nodes of each tree stand there, numbered 0, 1, 2 and so on, as exporters write them.
    Counted(HashMap<i64, Range<u32>>),
    /// Each (tree, node).
    Listed(HashMap<(i64, i64), u32>),
}

impl Index {
    fn place(&self, tree: i64, node: i64) -> Option<u32> {
        match self {
            Index::Counted(trees) => {
                let place = trees.get(&tree)?;
                let node = u32::try_from(node).ok()?;
                let at = place.start.checked_add(node)?;
                (at < place.end).then_some(at)
            }
            Index::Listed(places) => places.get(&(tree, node)).copied(),
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
    /// The ensemble over an input of `width` columns, with weights for `targets` targets. What is read is given back as soon
    /// as it was read: the arrays of a large ensemble are larger than what becomes of it.
    pub fn check(mut self, width: usize, targets: usize) -> Result<Forest<V>, String> {
        self.check_lengths()?;
        let index = self.index()?;
        let roots = self.roots()?;
        let row = self.row(width)?;
        let mut nodes = Vec::with_capacity(self.node_ids.len());
        for i in 0..self.node_ids.len() {
            nodes.push(self.node(i, width, &row, &index)?);
        }
        for read in [
            &mut self.features,
            &mut self.on_true,
            &mut self.on_false,
            &mut self.missing_to_true,
        ] {
            *read = Ints::default();
        }
        (self.modes, self.values) = (Vec::new(), Vec::new());
        let weights = self.attach_weights(&mut nodes, targets, &index)?;
        self.weights = WeightArrays::default();
        join_categories(&mut nodes);
        let depths = depths(&nodes, &roots).map_err(|node| {
            let (tree, id) = (self.tree_ids.at(node), self.node_ids.at(node));
            format!("node {id} of tree {tree} is its own descendant")
        })?;
        Ok(Forest {
            nodes,
            row,
            roots,
            depths,
            weights,
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

    /// Where (tree, node) is listed.
    fn index(&self) -> Result<Index, String> {
        if let Some(counted) = self.counted() {
            return Ok(Index::Counted(counted));
        }
        let mut index = HashMap::with_capacity(self.node_ids.len());
        for (i, (tree, node)) in (0..).zip(self.tree_ids.iter().zip(self.node_ids.iter())) {
            if index.insert((tree, node), i).is_some() {
                return Err(format!("node {node} of tree {tree} is listed twice"));
            }
        }
        Ok(Index::Listed(index))
    }

    /// The place of each tree, where the nodes of a tree stand together and are numbered as they stand.
    fn counted(&self) -> Option<HashMap<i64, Range<u32>>> {
        let mut trees: HashMap<i64, Range<u32>> = HashMap::new();
        let (mut last, mut place) = (None, 0..0);
        for (i, (tree, node)) in (0..).zip(self.tree_ids.iter().zip(self.node_ids.iter())) {
            if last != Some(tree) {
                if last.is_some_and(|last| trees.insert(last, place.clone()).is_some()) {
                    return None;
                }
                (last, place) = (Some(tree), i..i);
            }
            if node != i64::from(i - place.start) {
                return None;
            }
            place.end = i + 1;
        }
        let twice = last.is_some_and(|last| trees.insert(last, place).is_some());
        (!twice).then_some(trees)
    }

    /// The first listed node of a tree is its root; the nodes of a tree stand together.
    fn roots(&self) -> Result<Vec<u32>, String> {
        let mut seen = HashSet::new();
        let (mut roots, mut last) = (Vec::new(), None);
        for (i, tree) in (0..).zip(self.tree_ids.iter()) {
            if last != Some(tree) {
                if !seen.insert(tree) {
                    return Err(format!("the nodes of tree {tree} do not stand together"));
                }
                roots.push(i);
                last = Some(tree);
            }
        }
        Ok(roots)
    }

    /// What the branches read.
    fn row(&self, width: usize) -> Result<Row, String> {
        let mut views = HashSet::new();
        for i in (0..self.modes.len()).filter(|&i| self.modes[i] != Mode::Leaf) {
            views.insert(self.question(i, width)?.view);
        }
        Ok(Row::new(views.into_iter().collect(), width))
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

    fn node(&self, i: usize, width: usize, row: &Row, index: &Index) -> Result<Listed<V>, String> {
        if self.modes[i] == Mode::Leaf {
            return Ok(Listed::Leaf {
                first: 0,
                end: 0,
                value: self.values[i],
            });
        }
        let (tree, id) = (self.tree_ids.at(i), self.node_ids.at(i));
        let child = |which: &str, child: i64| match index.place(tree, child) {
            Some(at) if at as usize != i => Ok(at),
            Some(_) => Err(format!("node {id} of tree {tree} is its own {which} child")),
            None => Err(format!(
                "node {id} of tree {tree} has the {which} child {child}, which is not listed"
            )),
        };
        let (on_true, on_false) = (
            child("true", self.on_true.at(i))?,
            child("false", self.on_false.at(i))?,
        );
        let Question {
            test,
            view,
            swapped,
        } = self.question(i, width)?;
        let children = if swapped {
            [on_false, on_true]
        } else {
            [on_true, on_false]
        };
        let feature = row.place(view);
        Ok(Listed::Branch {
            feature: feature.expect("the row holds the view of every branch"),
            test,
            children,
        })
    }

    /// Orders the weights by leaf. Weights of branches, which old exporters wrote, mean nothing.
    fn attach_weights(
        &self,
        nodes: &mut [Listed<V>],
        targets: usize,
        index: &Index,
    ) -> Result<Vec<(u32, V)>, String> {
        let WeightArrays {
            prefix,
            tree_ids,
            node_ids,
            targets: ids,
            weights,
        } = &self.weights;
        let mut by_leaf = Vec::with_capacity(ids.len());
        for i in 0..ids.len() {
            let (tree, node) = (tree_ids.at(i), node_ids.at(i));
            let Some(at) = index.place(tree, node) else {
                return Err(format!(
                    "{prefix}_nodeids names node {node} of tree {tree}, which is not listed"
                ));
            };
            let target = match u32::try_from(ids.at(i)) {
                Ok(target) if (target as usize) < targets => target,
                _ => {
                    return Err(format!(
                        "{prefix}_ids has {}, expected 0 to {}",
                        ids.at(i),
                        targets - 1
                    ));
                }
            };
            if matches!(nodes[at as usize], Listed::Leaf { .. }) {
                by_leaf.push((at, target, weights[i]));
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
        Ok(by_leaf
            .into_iter()
            .map(|(_, target, weight)| (target, weight))
            .collect())
    }
}

/// Makes one branch of a chain of `==` whose first children are the same, from each of its branches on. What then nobody
/// leads to is not packed.
fn join_categories<V: Value>(nodes: &mut [Listed<V>]) {
    for at in 0..nodes.len() {
        let Listed::Branch {
            test,
            mut children,
            feature,
        } = nodes[at]
        else {
            continue;
        };
        let Some(mut categories) = test.category() else {
            continue;
        };
        // Ends, even where the chain does not: a category joins once.
        while let Listed::Branch {
            feature: next_feature,
            test: next_test,
            children: next_children,
        } = nodes[children[1] as usize]
            && next_feature == feature
            && next_children[0] == children[0]
            && let Some(joined) = next_test.category().and_then(|next| categories.with(next))
        {
            categories = joined;
            children[1] = next_children[1];
        }
        nodes[at] = Listed::Branch {
            test: Test::OneOf(categories),
            children,
            feature,
        };
    }
}

/// The longest path from each root, in branches; the error is a node that is its own descendant.
fn depths<V>(nodes: &[Listed<V>], roots: &[u32]) -> Result<Vec<u32>, usize> {
    const UNSEEN: u32 = u32::MAX;
    const OPEN: u32 = u32::MAX - 1;
    let mut depth = vec![UNSEEN; nodes.len()];
    // An explicit stack: a path may be as long as the file.
    let mut stack = Vec::new();
    for &root in roots {
        stack.push(root as usize);
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
    }
    Ok(roots.iter().map(|&root| depth[root as usize]).collect())
}
