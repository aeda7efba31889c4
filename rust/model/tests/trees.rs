//! Random tree ensembles against a plain evaluator that follows the arrays node by node. Bits are compared, for every
//! kernel, number of rows and stride.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod onnx_file;

use std::collections::HashMap;
use std::process::Command;

use onnx_file::{DOUBLE, FLOAT, INT32, INT64, Node, Random, matrix};
use pelton_model::{Memory, Model};

/// An ensemble as arrays, with ids that are neither dense nor in order.
struct Arrays {
    width: usize,
    targets: usize,
    element: i32,
    aggregate: &'static str,
    base_values: Vec<f32>,
    nodes: Vec<Listed>,
    weights: Vec<Weight>,
}

struct Listed {
    tree: i64,
    id: i64,
    feature: i64,
    mode: &'static str,
    value: f64,
    on_true: i64,
    on_false: i64,
    missing_to_true: bool,
}

struct Weight {
    tree: i64,
    node: i64,
    target: i64,
    weight: f64,
}

/// How leaves spread over targets.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    OneTarget,
    TargetByTree,
    Any,
}

/// Thresholds and features from one small set hit each other often.
const NUMBERS: [f64; 13] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    2.0,
    -3.0,
    1e-40,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    16_777_217.0,
    40.0,
];
/// What chains of `==` look for.
const CATEGORIES: [f64; 10] = [0.0, -0.0, 1.0, 2.0, 5.0, 40.0, 0.5, -1.0, 2047.0, 2048.0];
const MODES: [&str; 6] = [
    "BRANCH_LEQ",
    "BRANCH_LT",
    "BRANCH_GTE",
    "BRANCH_GT",
    "BRANCH_EQ",
    "BRANCH_NEQ",
];

impl Arrays {
    fn random(random: &mut Random) -> Self {
        let width = random.pick(&[1, 3, 12, 1500]);
        let element = random.pick(&[FLOAT, FLOAT, FLOAT, DOUBLE, INT64, INT32]);
        let spread = random.pick(&[Spread::OneTarget, Spread::TargetByTree, Spread::Any]);
        let targets = if spread == Spread::OneTarget {
            1
        } else {
            1 + random.below(4)
        };
        let with_base = random.once_in(2);
        let base_values = (0..if with_base { targets } else { 0 })
            .map(|_| random.unit() as f32)
            .collect();
        let mut arrays = Self {
            width,
            targets,
            element,
            aggregate: random.pick(&["SUM", "SUM", "SUM", "AVERAGE", "MIN", "MAX"]),
            base_values,
            nodes: Vec::new(),
            weights: Vec::new(),
        };
        let modes = if random.once_in(3) {
            MODES.to_vec()
        } else {
            vec![random.pick(&MODES)]
        };
        let missing = random.pick(&[0, 1, 2]);
        let shared = random.once_in(4);
        for tree in 0..1 + random.below(40) as i64 {
            let target = random.below(targets) as i64;
            let size = random.below(20) + usize::from(random.once_in(8)) * 60;
            arrays.grow(random, 7 * tree - 30, size, &modes, missing, shared);
            arrays.weigh(random, 7 * tree - 30, spread, target);
        }
        arrays
    }

    /// Adds a tree of `branches` branches, grown at random leaves; with `shared`, some children have several parents.
    fn grow(
        &mut self,
        random: &mut Random,
        tree: i64,
        branches: usize,
        modes: &[&'static str],
        missing: usize,
        shared: bool,
    ) {
        let leaf = |id| Listed {
            tree,
            id,
            feature: 0,
            mode: "LEAF",
            value: 0.25,
            on_true: 0,
            on_false: 0,
            missing_to_true: false,
        };
        let mut nodes = vec![leaf(5)];
        for _ in 0..branches {
            let leaves: Vec<usize> = (0..nodes.len())
                .filter(|&i| nodes[i].mode == "LEAF")
                .collect();
            let at = random.pick(&leaves);
            let id = nodes.len() as i64 * 3 + 5;
            if shared && modes.contains(&"BRANCH_EQ") && random.once_in(2) {
                // A categorical split: a chain of branches with one true child.
                let feature = random.below(self.width) as i64;
                nodes.push(leaf(id));
                let mut link = at;
                for next in (id + 3..).step_by(3).take(1 + random.below(5)) {
                    nodes[link] = Listed {
                        mode: "BRANCH_EQ",
                        feature,
                        value: random.pick(&CATEGORIES),
                        on_true: id,
                        on_false: next,
                        missing_to_true: missing == 2 || (missing == 1 && random.once_in(4)),
                        ..leaf(nodes[link].id)
                    };
                    link = nodes.len();
                    nodes.push(leaf(next));
                }
                continue;
            }
            let children = if shared && leaves.len() > 1 && random.once_in(2) {
                // A child that exists: another leaf.
                let other = nodes[random.pick(&leaves)].id;
                if other == nodes[at].id {
                    [id, id + 3]
                } else {
                    [id, other]
                }
            } else {
                [id, id + 3]
            };
            nodes.push(leaf(id));
            if children[1] == id + 3 {
                nodes.push(leaf(id + 3));
            }
            let mut value = random.pick(&NUMBERS);
            if self.element != DOUBLE {
                value = f64::from(value as f32);
            }
            let feature = random.below(self.width) as i64;
            let missing_to_true = missing == 2 || (missing == 1 && random.once_in(2));
            let node = &mut nodes[at];
            (node.mode, node.value, node.feature) = (random.pick(modes), value, feature);
            (node.on_true, node.on_false, node.missing_to_true) =
                (children[0], children[1], missing_to_true);
        }
        // Listed in any order, but for the root.
        for i in (2..nodes.len()).rev() {
            nodes.swap(i, 1 + random.below(i));
        }
        self.nodes.extend(nodes);
    }

    fn weigh(&mut self, random: &mut Random, tree: i64, spread: Spread, target: i64) {
        let leaves: Vec<i64> = self
            .nodes
            .iter()
            .filter(|node| node.tree == tree && node.mode == "LEAF")
            .map(|node| node.id)
            .collect();
        for node in leaves {
            let count = if spread == Spread::Any {
                random.below(4)
            } else {
                1
            };
            for _ in 0..count {
                let target = if spread == Spread::Any {
                    random.below(self.targets) as i64
                } else {
                    target
                };
                let weight = f64::from(random.unit() as f32);
                self.weights.push(Weight {
                    tree,
                    node,
                    target,
                    weight,
                });
            }
        }
    }

    fn onnx(&self) -> Vec<u8> {
        let ints = |of: fn(&Listed) -> i64| self.nodes.iter().map(of).collect::<Vec<_>>();
        let weights = |of: fn(&Weight) -> i64| self.weights.iter().map(of).collect::<Vec<_>>();
        let modes: Vec<&str> = self.nodes.iter().map(|node| node.mode).collect();
        let node = Node::ml("TreeEnsembleRegressor", &["x"], &["y"])
            .int("n_targets", self.targets as i64)
            .text("aggregate_function", self.aggregate)
            .floats("base_values", &self.base_values)
            .ints("nodes_treeids", &ints(|node| node.tree))
            .ints("nodes_nodeids", &ints(|node| node.id))
            .ints("nodes_featureids", &ints(|node| node.feature))
            .ints("nodes_truenodeids", &ints(|node| node.on_true))
            .ints("nodes_falsenodeids", &ints(|node| node.on_false))
            .ints(
                "nodes_missing_value_tracks_true",
                &ints(|node| node.missing_to_true.into()),
            )
            .texts("nodes_modes", &modes)
            .ints("target_treeids", &weights(|weight| weight.tree))
            .ints("target_nodeids", &weights(|weight| weight.node))
            .ints("target_ids", &weights(|weight| weight.target));
        let values: Vec<f64> = self.nodes.iter().map(|node| node.value).collect();
        let amounts: Vec<f64> = self.weights.iter().map(|weight| weight.weight).collect();
        let floats = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let node = if self.element == DOUBLE {
            node.doubles("nodes_values_as_tensor", &values)
                .doubles("target_weights_as_tensor", &amounts)
        } else {
            node.floats("nodes_values", &floats(&values))
                .floats("target_weights", &floats(&amounts))
        };
        let node = if self.base_values.is_empty() {
            node.without("base_values")
        } else {
            node
        };
        onnx_file::model(
            &[node],
            &[matrix("x", self.element, self.width as i64)],
            &[matrix("y", FLOAT, self.targets as i64)],
        )
    }

    /// What the standard says, in the words of ONNX Runtime where it says nothing: the outputs of one row.
    fn evaluate<V: Number>(&self, index: &HashMap<(i64, i64), &Listed>, x: &[V]) -> Vec<f32> {
        let mut scores: Vec<Option<V>> = vec![None; self.targets];
        let mut trees = 0;
        for (i, root) in self.nodes.iter().enumerate() {
            if i > 0 && self.nodes[i - 1].tree == root.tree {
                continue;
            }
            trees += 1;
            let mut node = root;
            while node.mode != "LEAF" {
                let (x, value) = (x[node.feature as usize], V::of(node.value));
                let holds = match node.mode {
                    "BRANCH_LEQ" => x <= value,
                    "BRANCH_LT" => x < value,
                    "BRANCH_GTE" => x >= value,
                    "BRANCH_GT" => x > value,
                    "BRANCH_EQ" => x == value,
                    _ => x != value,
                };
                let nan = x.partial_cmp(&x).is_none();
                let child = if holds || (nan && node.missing_to_true) {
                    node.on_true
                } else {
                    node.on_false
                };
                node = index[&(node.tree, child)];
            }
            let mut weights: Vec<(usize, V)> = (self.weights.iter())
                .filter(|weight| (weight.tree, weight.node) == (node.tree, node.id))
                .map(|weight| (weight.target as usize, V::of(weight.weight)))
                .collect();
            if self.targets == 1 {
                weights.truncate(1);
                if weights.is_empty() {
                    weights.push((0, V::of(node.value)));
                }
            }
            for (target, weight) in weights {
                scores[target] = Some(match (scores[target], self.aggregate) {
                    (None, "SUM" | "AVERAGE") => V::of(0.0) + weight,
                    (None, _) => weight,
                    (Some(score), "MIN") => {
                        if weight < score {
                            weight
                        } else {
                            score
                        }
                    }
                    (Some(score), "MAX") => {
                        if weight > score {
                            weight
                        } else {
                            score
                        }
                    }
                    (Some(score), _) => score + weight,
                });
            }
        }
        let finished = |(target, score): (usize, Option<V>)| {
            let Some(score) = score else { return 0.0 };
            let score = if self.aggregate == "AVERAGE" {
                score / V::of(f64::from(trees))
            } else {
                score
            };
            (score + V::of(self.base_values.get(target).copied().unwrap_or(0.0).into())).narrow()
        };
        scores.into_iter().enumerate().map(finished).collect()
    }
}

trait Number: Copy + PartialOrd + std::ops::Add<Output = Self> + std::ops::Div<Output = Self> {
    fn of(x: f64) -> Self;
    fn narrow(self) -> f32;
}

impl Number for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }
    fn narrow(self) -> f32 {
        self
    }
}

impl Number for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn narrow(self) -> f32 {
        self as f32
    }
}

/// More than a tile of rows of any kernel.
const ROWS: usize = 150;

#[test]
fn every_kernel_gives_the_bits_of_the_plain_evaluator() {
    let mut kernels = HashMap::new();
    for seed in 0..600 {
        let random = &mut Random(seed);
        let arrays = Arrays::random(random);
        let model = Model::from_onnx(&arrays.onnx(), &|_| None)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let kernel = model.steps()[0]
            .kernel
            .split(',')
            .next()
            .unwrap()
            .to_owned();
        *kernels.entry(kernel).or_insert(0) += 1;
        let x: Vec<f64> = (0..ROWS * arrays.width)
            .map(|_| random.pick(&NUMBERS))
            .collect();
        let x: Vec<f64> = match arrays.element {
            FLOAT => x.iter().map(|&x| f64::from(x as f32)).collect(),
            DOUBLE => x,
            INT32 => x.iter().map(|&x| f64::from(x as i32)).collect(),
            _ => x
                .iter()
                .map(|&x| x.clamp(-1e15, 1e15) as i64 as f64)
                .collect(),
        };
        let index: HashMap<_, _> = arrays
            .nodes
            .iter()
            .map(|node| ((node.tree, node.id), node))
            .collect();
        let expected: Vec<Vec<f32>> = (x.chunks_exact(arrays.width))
            .map(|row| match arrays.element {
                DOUBLE => arrays.evaluate(&index, row),
                _ => arrays.evaluate(&index, &row.iter().map(|&x| x as f32).collect::<Vec<_>>()),
            })
            .collect();
        for (group, stride) in [
            (1, 1),
            (1, 3),
            (2, 2),
            (7, 9),
            (8, 8),
            (9, 9),
            (16, 16),
            (17, 20),
            (64, 64),
            (75, 100),
            (150, 160),
        ] {
            let ours = run(&model, &arrays, &x, group, stride);
            for row in 0..ROWS {
                for target in 0..arrays.targets {
                    let (ours, expected) =
                        (ours[row * arrays.targets + target], expected[row][target]);
                    assert!(
                        ours.to_bits() == expected.to_bits()
                            || (ours.is_nan() && expected.is_nan()),
                        "seed {seed}, {}: {ours} instead of {expected} in row {row} with (rows, stride) {:?}",
                        model.steps()[0].kernel,
                        (group, stride),
                    );
                }
            }
        }
    }
    // The generator reaches every kernel often.
    for kernel in ["ranked", "at-most f32", "table f32", "table f64"] {
        assert!(
            kernels.get(kernel).is_some_and(|&count| count > 20),
            "{kernels:?}"
        );
    }
}

/// The kernels are chosen for the processor, and the environment may ask for less than it has.
#[test]
fn kernels_for_lesser_processors_give_the_same_bits() {
    for cpu in ["portable", "avx2"] {
        let again = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "every_kernel_gives_the_bits_of_the_plain_evaluator",
            ])
            .env("PELTON_CPU", cpu)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(
            again.status.success() && said.contains("1 passed"),
            "{cpu}: {said}"
        );
    }
}

#[test]
fn an_unknown_processor_is_refused() {
    let test = "an_unknown_processor_is_refused";
    if std::env::var("PELTON_CPU").is_err() {
        let again = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("PELTON_CPU", "sse9")
            .status();
        assert!(again.unwrap().success());
        return;
    }
    if std::env::var("PELTON_CPU").as_deref() != Ok("sse9") {
        return;
    }
    let mut random = Random(1);
    let mut arrays = Arrays::random(&mut random);
    while arrays.element != FLOAT {
        arrays = Arrays::random(&mut random);
    }
    let error = Model::from_onnx(&arrays.onnx(), &|_| None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("PELTON_CPU is \"sse9\", expected portable, avx2 or avx512"),
        "{error}"
    );
}

fn run(model: &Model, arrays: &Arrays, x: &[f64], group: usize, stride: usize) -> Vec<f32> {
    let size = model.memory();
    let mut f32 = vec![f32::NAN; size.f32 * stride];
    let mut f64 = vec![f64::NAN; size.f64 * stride];
    let mut i64 = vec![-1; size.i64 * stride];
    let mut outputs = Vec::new();
    for start in (0..ROWS).step_by(group) {
        let n = group.min(ROWS - start);
        for row in 0..n {
            for column in 0..arrays.width {
                let value = x[(start + row) * arrays.width + column];
                let at = (model.inputs()[0].first + column) * stride + row;
                match arrays.element {
                    FLOAT => f32[at] = value as f32,
                    DOUBLE => f64[at] = value,
                    _ => i64[at] = value as i64,
                }
            }
        }
        model
            .run(
                n,
                &mut Memory {
                    f32: &mut f32,
                    f64: &mut f64,
                    i64: &mut i64,
                    text: &mut Vec::new(),
                    stride,
                },
            )
            .unwrap();
        for row in 0..n {
            for target in 0..arrays.targets {
                outputs.push(f32[(model.outputs()[0].first + target) * stride + row]);
            }
        }
    }
    outputs
}
