//! A tree ensemble as the file means it, checked: every child exists, nothing is listed twice, no path is endless.
//!
//! A node may have several parents: exporters of categorical splits share the leaf of a chain of `BRANCH_EQ`.

use std::collections::{HashMap, HashSet};

use super::node::{Question, Test, Value};
use super::row::{Row, View};

/// The arrays of a tree operator, one entry a node, in the order of the file.
pub(crate) struct Arrays<V> {
    pub tree_ids: Vec<i64>,
    pub node_ids: Vec<i64>,
    pub features: Vec<i64>,
    pub modes: Vec<String>,
    pub values: Vec<V>,
    pub on_true: Vec<i64>,
    pub on_false: Vec<i64>,
    /// Empty, or 1 where NaN goes to the true child.
    pub missing_to_true: Vec<i64>,
    pub weights: WeightArrays<V>,
}

/// The arrays of leaf weights, one entry a weight; a leaf may have none, one or several.
pub(crate) struct WeightArrays<V> {
    /// How the attributes begin, `target` or `class`, for errors.
    pub prefix: &'static str,
    pub tree_ids: Vec<i64>,
    pub node_ids: Vec<i64>,
    pub targets: Vec<i64>,
    pub weights: Vec<V>,
}

/// How a branch compares its feature with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
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
    /// To `children[0]` when the test holds for the value that `view` reads, which is at `feature` in the row.
    Branch {
        view: View,
        feature: u32,
        test: Test<V>,
        children: [u32; 2],
    },
    /// `weights[first..end]`, in the order of the file. `value` is what the file lists as the node's own value.
    Leaf { first: u32, end: u32, value: V },
}

impl Mode {
    fn parse(name: &str) -> Result<Self, String> {
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
        let index = self.index()?;
        let roots = self.roots()?;
        let mut nodes = (0..self.node_ids.len())
            .map(|i| self.node(i, width, &index))
            .collect::<Result<Vec<_>, _>>()?;
        let weights = self.attach_weights(&mut nodes, targets, &index)?;
        join_categories(&mut nodes);
        let row = place_views(&mut nodes, width);
        let depths = depths(&nodes, &roots).map_err(|node| {
            let (tree, id) = (self.tree_ids[node], self.node_ids[node]);
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
    fn index(&self) -> Result<HashMap<(i64, i64), u32>, String> {
        let mut index = HashMap::with_capacity(self.node_ids.len());
        for (i, (&tree, &node)) in (0..).zip(self.tree_ids.iter().zip(&self.node_ids)) {
            if index.insert((tree, node), i).is_some() {
                return Err(format!("node {node} of tree {tree} is listed twice"));
            }
        }
        Ok(index)
    }

    /// The first listed node of a tree is its root; the nodes of a tree stand together.
    fn roots(&self) -> Result<Vec<u32>, String> {
        let mut seen = HashMap::new();
        let mut roots = Vec::new();
        for (i, tree) in (0..).zip(&self.tree_ids) {
            if roots.is_empty() || self.tree_ids[i as usize - 1] != *tree {
                if seen.insert(*tree, i).is_some() {
                    return Err(format!("the nodes of tree {tree} do not stand together"));
                }
                roots.push(i);
            }
        }
        Ok(roots)
    }

    fn node(
        &self,
        i: usize,
        width: usize,
        index: &HashMap<(i64, i64), u32>,
    ) -> Result<Listed<V>, String> {
        let (tree, id, value) = (self.tree_ids[i], self.node_ids[i], self.values[i]);
        let mode = Mode::parse(&self.modes[i])?;
        if mode == Mode::Leaf {
            return Ok(Listed::Leaf {
                first: 0,
                end: 0,
                value,
            });
        }
        let column = match u32::try_from(self.features[i]) {
            Ok(column) if (column as usize) < width => column,
            _ => {
                let feature = self.features[i];
                return Err(format!(
                    "node {id} of tree {tree} reads feature {feature} of an input of width {width}"
                ));
            }
        };
        let child = |which: &str, child: i64| match index.get(&(tree, child)) {
            Some(&at) if at as usize != i => Ok(at),
            Some(_) => Err(format!("node {id} of tree {tree} is its own {which} child")),
            None => Err(format!(
                "node {id} of tree {tree} has the {which} child {child}, which is not listed"
            )),
        };
        let (on_true, on_false) = (
            child("true", self.on_true[i])?,
            child("false", self.on_false[i])?,
        );
        let missing_to_true = self
            .missing_to_true
            .get(i)
            .is_some_and(|&tracks| tracks == 1);
        let Question {
            test,
            view,
            swapped,
        } = Question::of(mode, column, value, missing_to_true);
        let children = if swapped {
            [on_false, on_true]
        } else {
            [on_true, on_false]
        };
        Ok(Listed::Branch {
            view,
            feature: 0,
            test,
            children,
        })
    }

    /// Orders the weights by leaf. Weights of branches, which old exporters wrote, mean nothing.
    fn attach_weights(
        &self,
        nodes: &mut [Listed<V>],
        targets: usize,
        index: &HashMap<(i64, i64), u32>,
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
            let (tree, node) = (tree_ids[i], node_ids[i]);
            let Some(&at) = index.get(&(tree, node)) else {
                return Err(format!(
                    "{prefix}_nodeids names node {node} of tree {tree}, which is not listed"
                ));
            };
            let target = match u32::try_from(ids[i]) {
                Ok(target) if (target as usize) < targets => target,
                _ => {
                    return Err(format!(
                        "{prefix}_ids has {}, expected 0 to {}",
                        ids[i],
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
            view,
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
            view: next_view,
            test: next_test,
            children: next_children,
            ..
        } = nodes[children[1] as usize]
            && next_view == view
            && next_children[0] == children[0]
            && let Some(joined) = next_test.category().and_then(|next| categories.with(next))
        {
            categories = joined;
            children[1] = next_children[1];
        }
        nodes[at] = Listed::Branch {
            view,
            test: Test::OneOf(categories),
            children,
            feature,
        };
    }
}

/// Finds out what the row holds, and where each branch reads in it.
fn place_views<V>(nodes: &mut [Listed<V>], width: usize) -> Row {
    let views = nodes.iter().filter_map(|node| match node {
        Listed::Branch { view, .. } => Some(*view),
        Listed::Leaf { .. } => None,
    });
    let distinct: HashSet<View> = views.collect();
    let row = Row::new(distinct.into_iter().collect(), width);
    for node in nodes {
        if let Listed::Branch { view, feature, .. } = node {
            *feature = row
                .place(*view)
                .expect("the row holds the view of every branch");
        }
    }
    row
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
