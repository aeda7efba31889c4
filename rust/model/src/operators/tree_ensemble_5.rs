//! `TreeEnsemble` of `ai.onnx.ml` version 5: the arrays of the older operators by other names.
//!
//! Branches and leaves have numbers of their own, roots may be shared, and a branch may ask whether a value is a member
//! of a set: that becomes a chain of branches that ask for equality, with one true child.

use super::Operator;
use super::elementwise::refuse;
use super::post_transform::PostTransform;
use super::tree_ensemble::finish;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::Builder;
use crate::memory::Cell;
use crate::onnx::node::{ML, Node};
use crate::onnx::tensor::Stored;
use crate::trees::{self, Aggregate, Arrays, Kernel, Mode, Scores, WeightArrays};

pub(super) const OPERATORS: &[Operator] = &[(ML, "TreeEnsemble", load)];

const MODES: [Mode; 6] = [
    Mode::Leq,
    Mode::Lt,
    Mode::Gte,
    Mode::Gt,
    Mode::Eq,
    Mode::Neq,
];
const MEMBER: usize = 6;

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let from = graph.rows(node)?;
    let targets = match node.int("n_targets")? {
        Some(targets @ 1..=0xFFFF) => targets as usize,
        other => {
            return Err(node.invalid(format!(
                "attribute \"n_targets\" is {other:?}, expected 1 to 65535"
            )));
        }
    };
    let kernel = match from.element {
        Element::Float => {
            let (arrays, scores) = read::<f32>(node, graph, targets)?;
            let forest = arrays
                .check(from.width, targets)
                .map_err(|e| node.invalid(e))?;
            let cpu = crate::cpu::Cpu::of_process().map_err(|e| node.invalid(e))?;
            Kernel::floats(forest, scores, cpu)
        }
        Element::Double => {
            let (arrays, scores) = read::<f64>(node, graph, targets)?;
            let forest = arrays
                .check(from.width, targets)
                .map_err(|e| node.invalid(e))?;
            Kernel::doubles(forest, scores)
        }
        other => return Err(refuse(node, other, "float or double")),
    };
    let kernel = kernel.map_err(|e| node.invalid(e))?;
    let kernel =
        kernel.ok_or_else(|| node.not_supported("the ensemble has more than 2^32 nodes"))?;
    let element = from.element;
    let made = finish(node, graph, from, kernel, targets)?;
    let made = super::cast::cast(node, graph, &made, element)?;
    graph.alias(node, 0, made)
}

/// The arrays of the file.
struct File<V> {
    splits: Vec<V>,
    features: Vec<i64>,
    modes: Vec<i64>,
    /// For the true and the false side: a number, and whether it is a leaf's.
    children: [(Vec<i64>, Vec<i64>); 2],
    missing_to_true: Vec<i64>,
    /// The sets of the branches that ask for a member, in their order.
    sets: Vec<Vec<V>>,
    leaf_targets: Vec<i64>,
    leaf_weights: Vec<V>,
}

fn read<V>(
    node: &mut Node,
    graph: &Builder,
    targets: usize,
) -> Result<(Arrays<V>, Scores<V>), ModelError>
where
    V: trees::Value + Stored + Cell,
{
    let external = graph.external;
    let modes = node.value("nodes_modes", external)?;
    let modes = modes
        .and_then(|modes| modes.values::<i64>().map(<[i64]>::to_vec))
        .unwrap_or_default();
    node.value("nodes_hitrates", external)?;
    let members = node.tensor::<V>("membership_values", external)?;
    let file = File {
        splits: node.tensor::<V>("nodes_splits", external)?,
        features: node.ints("nodes_featureids")?,
        modes,
        children: [
            (
                node.ints("nodes_truenodeids")?,
                node.ints("nodes_trueleafs")?,
            ),
            (
                node.ints("nodes_falsenodeids")?,
                node.ints("nodes_falseleafs")?,
            ),
        ],
        missing_to_true: node.ints("nodes_missing_value_tracks_true")?,
        // NaN ends a set.
        sets: members
            .split(|member| trees::Value::is_nan(*member))
            .map(<[V]>::to_vec)
            .collect(),
        leaf_targets: node.ints("leaf_targetids")?,
        leaf_weights: node.tensor::<V>("leaf_weights", external)?,
    };
    let roots = node.ints("tree_roots")?;
    let aggregate = match node.int("aggregate_function")?.unwrap_or(1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => {
            return Err(node.invalid(format!(
                "attribute \"aggregate_function\" is {other}, expected 0 to 3"
            )));
        }
    };
    let post_transform = match node.int("post_transform")?.unwrap_or(0) {
        0 => PostTransform::None,
        1 => PostTransform::Softmax,
        2 => PostTransform::Logistic,
        3 => PostTransform::SoftmaxZero,
        4 => PostTransform::Probit,
        other => {
            return Err(node.invalid(format!(
                "attribute \"post_transform\" is {other}, expected 0 to 4"
            )));
        }
    };
    let arrays = file
        .arrays(&roots)
        .map_err(|message| node.invalid(message))?;
    let scores = Scores {
        targets,
        aggregate,
        base_values: Vec::new(),
        post_transform,
        classes: None,
    };
    Ok((arrays, scores))
}

impl<V: trees::Value> File<V> {
    fn check(&self) -> Result<(), String> {
        let nodes = self.splits.len();
        let lengths = [
            ("nodes_featureids", self.features.len()),
            ("nodes_modes", self.modes.len()),
            ("nodes_truenodeids", self.children[0].0.len()),
            ("nodes_trueleafs", self.children[0].1.len()),
            ("nodes_falsenodeids", self.children[1].0.len()),
            ("nodes_falseleafs", self.children[1].1.len()),
        ];
        if let Some((name, found)) = lengths.iter().find(|(_, found)| *found != nodes) {
            return Err(format!(
                "attribute {name:?} has {found} values, nodes_splits has {nodes}"
            ));
        }
        if self.leaf_targets.len() != self.leaf_weights.len() {
            return Err(format!(
                "has {} leaf_targetids and {} leaf_weights",
                self.leaf_targets.len(),
                self.leaf_weights.len()
            ));
        }
        let missing = self.missing_to_true.len();
        if missing != 0 && missing != nodes {
            return Err(format!(
                "attribute \"nodes_missing_value_tracks_true\" has {missing} values, nodes_splits has {nodes}"
            ));
        }
        Ok(())
    }

    /// The arrays of the older operators: one tree for each root, with the nodes that it reaches.
    fn arrays(self, roots: &[i64]) -> Result<Arrays<V>, String> {
        self.check()?;
        let mut trees = Trees::new(&self);
        for (tree, root) in (0..).zip(roots) {
            trees.add(tree, *root)?;
        }
        Ok(trees.arrays)
    }
}

/// The older arrays while they grow.
struct Trees<'f, V> {
    file: &'f File<V>,
    /// Which set a branch asks for.
    set_of: Vec<usize>,
    arrays: Arrays<V>,
}

impl<'f, V: trees::Value> Trees<'f, V> {
    fn new(file: &'f File<V>) -> Self {
        let mut sets = 0;
        let set_of = file.modes.iter().map(|mode| {
            let set = sets;
            sets += usize::from(*mode == MEMBER as i64);
            set
        });
        Self {
            set_of: set_of.collect(),
            file,
            arrays: Arrays {
                weights: WeightArrays {
                    prefix: "leaf",
                    ..WeightArrays::default()
                },
                ..Arrays::default()
            },
        }
    }

    fn push(
        &mut self,
        (tree, id): (i64, i64),
        feature: i64,
        mode: Mode,
        value: V,
        children: [i64; 2],
        missing: i64,
    ) {
        let arrays = &mut self.arrays;
        arrays.tree_ids.push(tree);
        arrays.node_ids.push(id);
        arrays.features.push(feature);
        arrays.modes.push(mode);
        arrays.values.push(value);
        arrays.on_true.push(children[0]);
        arrays.on_false.push(children[1]);
        arrays.missing_to_true.push(missing);
    }

    /// Lists what `root` reaches, itself first. Branches keep their numbers, leaves follow them, links of chains follow
    /// these.
    fn add(&mut self, tree: i64, root: i64) -> Result<(), String> {
        let file = self.file;
        let (branches, leaves) = (file.splits.len() as i64, file.leaf_targets.len() as i64);
        let mut links = branches + leaves;
        let mut listed = std::collections::HashSet::new();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if !listed.insert(id) {
                continue;
            }
            if (branches..branches + leaves).contains(&id) {
                let leaf = (id - branches) as usize;
                self.push((tree, id), 0, Mode::Leaf, V::ZERO, [0, 0], 0);
                let weights = &mut self.arrays.weights;
                weights.tree_ids.push(tree);
                weights.node_ids.push(id);
                weights.targets.push(file.leaf_targets[leaf]);
                weights.weights.push(file.leaf_weights[leaf]);
                continue;
            }
            let at = usize::try_from(id)
                .ok()
                .filter(|at| *at < file.splits.len());
            let at = at.ok_or_else(|| format!("tree {tree} reaches node {id} of {branches}"))?;
            let child = |side: usize| match file.children[side].1[at] {
                0 => file.children[side].0[at],
                _ => branches.saturating_add(file.children[side].0[at]),
            };
            let (on_true, on_false) = (child(0), child(1));
            let missing = file.missing_to_true.get(at).copied().unwrap_or(0);
            stack.extend([on_false, on_true]);
            let mode = usize::try_from(file.modes[at]).unwrap_or(usize::MAX);
            if mode != MEMBER {
                let mode = MODES.get(mode).ok_or_else(|| {
                    format!("nodes_modes has {}, expected 0 to 6", file.modes[at])
                })?;
                self.push(
                    (tree, id),
                    file.features[at],
                    *mode,
                    file.splits[at],
                    [on_true, on_false],
                    missing,
                );
                continue;
            }
            let set = file
                .sets
                .get(self.set_of[at])
                .ok_or("membership_values has too few sets")?;
            let mut link = id;
            for (i, member) in set.iter().enumerate() {
                let last = i + 1 == set.len();
                let next = if last { on_false } else { links };
                self.push(
                    (tree, link),
                    file.features[at],
                    Mode::Eq,
                    *member,
                    [on_true, next],
                    missing,
                );
                if !last {
                    link = links;
                    links += 1;
                }
            }
            if set.is_empty() {
                return Err(format!("node {id} asks for a member of an empty set"));
            }
        }
        Ok(())
    }
}
