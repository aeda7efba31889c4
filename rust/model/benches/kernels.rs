//! Nanoseconds a record of the kernels, for one row and for many: `cargo bench -p pelton-model --profile release`.
//!
//! The ensembles are random, with the shapes of common exports; the median and the fastest of many runs are printed. With the path
//! of an ONNX file as argument, that model runs instead, on random floats.

#[path = "../tests/onnx_file/mod.rs"]
mod onnx_file;

use std::hint::black_box;
use std::time::Instant;

use onnx_file::{FLOAT, Node, Random, matrix, shapeless};
use pelton_model::{Element, Memory, Model};

/// Bins from 0 to 1, and as many below: LightGBM makes at most 255 of a feature, XGBoost 256.
const BINS: f64 = 127.0;

fn main() {
    let files: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let models: Vec<(String, Vec<u8>)> = if files.is_empty() {
        vec![
            (
                "LightGBM, 300 trees x 63 leaves, 40 features".to_owned(),
                leafwise(300, 63, 40, false),
            ),
            (
                "the same with NaN directions".to_owned(),
                leafwise(300, 63, 40, true),
            ),
            (
                "XGBoost, 500 trees, depth 6, 40 features".to_owned(),
                levelwise(500, 6, 40),
            ),
            (
                "scaler + logistic regression, 40 features".to_owned(),
                logistic(40),
            ),
        ]
    } else {
        files
            .into_iter()
            .map(|file| (file.clone(), std::fs::read(file).expect("a readable file")))
            .collect()
    };
    for (name, bytes) in models {
        let started = Instant::now();
        let model =
            Model::from_onnx(&bytes, &|_| None).unwrap_or_else(|error| panic!("{name}: {error}"));
        println!(
            "{name}: {} KiB, loaded in {:.1} ms",
            bytes.len() / 1024,
            started.elapsed().as_secs_f64() * 1e3
        );
        for step in model.steps() {
            println!("    {} ({})", step.operator, step.kernel);
        }
        for n in [1, 8, 256] {
            let (median, fastest) = measure(&model, n);
            println!("    n = {n:3}: {median:8.1} ns a record, {fastest:8.1} in the fastest run");
        }
    }
}

/// Nanoseconds a record in the median and in the fastest of many runs of a few milliseconds. On a busy machine the
/// second is the better measure. Every call sees other rows.
fn measure(model: &Model, n: usize) -> (f64, f64) {
    const BLOCKS: usize = 64;
    let size = model.memory();
    let mut random = Random(1);
    let mut f32 = vec![0.0; size.f32 * n];
    let mut f64 = vec![0.0; size.f64 * n];
    let mut i64 = vec![0; size.i64 * n];
    let inputs: Vec<_> = model
        .inputs()
        .iter()
        .filter(|tensor| tensor.element == Element::Float)
        .collect();
    let mut numbers = |count: usize| (0..count).map(|_| random.unit() as f32).collect::<Vec<_>>();
    let blocks: Vec<Vec<Vec<f32>>> = (0..BLOCKS)
        .map(|_| {
            inputs
                .iter()
                .map(|tensor| numbers(tensor.width * n))
                .collect()
        })
        .collect();
    let mut call = |block: usize| {
        for (tensor, values) in inputs.iter().zip(&blocks[block % BLOCKS]) {
            f32[tensor.first * n..][..values.len()].copy_from_slice(values);
        }
        model
            .run(
                n,
                &mut Memory {
                    f32: &mut f32,
                    f64: &mut f64,
                    i64: &mut i64,
                    text: &mut Vec::new(),
                    stride: n,
                },
            )
            .expect("rows that the model can compute");
        black_box(&mut f32);
    };
    let calls = 1 + 1_000 / n;
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let started = Instant::now();
            (0..calls).for_each(&mut call);
            started.elapsed().as_nanos() as f64 / (calls * n) as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// Trees that grow at the leaf with the most rows, as LightGBM's do.
fn leafwise(trees: usize, leaves: usize, width: usize, missing: bool) -> Vec<u8> {
    let mut random = Random(2);
    let mut arrays = TreeArrays::default();
    for tree in 0..trees {
        let mut nodes = vec![(0usize, 1.0f64)];
        let mut branches: Vec<Option<(usize, usize)>> = vec![None];
        for _ in 1..leaves {
            let largest = (0..nodes.len())
                .filter(|&i| branches[i].is_none())
                .max_by(|&a, &b| nodes[a].1.total_cmp(&nodes[b].1))
                .expect("a leaf");
            let share = 0.5 + 0.35 * random.unit();
            let (depth, rows) = nodes[largest];
            branches[largest] = Some((nodes.len(), nodes.len() + 1));
            nodes.extend([(depth + 1, rows * share), (depth + 1, rows * (1.0 - share))]);
            branches.extend([None, None]);
        }
        arrays.push(&mut random, tree, &branches, width, missing);
    }
    arrays.classifier("BRANCH_LEQ", width)
}

/// Complete trees of `depth` levels, as XGBoost's mostly are.
fn levelwise(trees: usize, depth: u32, width: usize) -> Vec<u8> {
    let mut random = Random(3);
    let mut arrays = TreeArrays::default();
    let inner = (1usize << depth) - 1;
    for tree in 0..trees {
        let branches: Vec<_> = (0..2 * inner + 1)
            .map(|i| (i < inner).then_some((2 * i + 1, 2 * i + 2)))
            .collect();
        arrays.push(&mut random, tree, &branches, width, false);
    }
    arrays.classifier("BRANCH_LT", width)
}

#[derive(Default)]
struct TreeArrays {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    values: Vec<f32>,
    on_true: Vec<i64>,
    on_false: Vec<i64>,
    missing: Vec<i64>,
    leaf: Vec<bool>,
}

impl TreeArrays {
    fn push(
        &mut self,
        random: &mut Random,
        tree: usize,
        branches: &[Option<(usize, usize)>],
        width: usize,
        missing: bool,
    ) {
        for (node, branch) in branches.iter().enumerate() {
            let (on_true, on_false) = branch.unwrap_or_default();
            self.trees.push(tree as i64);
            self.nodes.push(node as i64);
            self.features.push(random.below(width) as i64);
            // Training looks at the bins of a histogram, so a feature has few thresholds.
            self.values
                .push(((random.unit() * BINS).floor() / BINS) as f32);
            self.on_true.push(on_true as i64);
            self.on_false.push(on_false as i64);
            self.missing
                .push((missing && branch.is_some() && random.once_in(2)).into());
            self.leaf.push(branch.is_none());
        }
    }

    fn classifier(&self, mode: &str, width: usize) -> Vec<u8> {
        let leaves: Vec<usize> = (0..self.leaf.len()).filter(|&i| self.leaf[i]).collect();
        let of_leaves = |values: &[i64]| leaves.iter().map(|&i| values[i]).collect::<Vec<_>>();
        let modes: Vec<&str> = self
            .leaf
            .iter()
            .map(|&leaf| if leaf { "LEAF" } else { mode })
            .collect();
        let node = Node::ml(
            "TreeEnsembleClassifier",
            &["x"],
            &["label", "probabilities"],
        )
        .ints("nodes_treeids", &self.trees)
        .ints("nodes_nodeids", &self.nodes)
        .ints("nodes_featureids", &self.features)
        .floats("nodes_values", &self.values)
        .ints("nodes_truenodeids", &self.on_true)
        .ints("nodes_falsenodeids", &self.on_false)
        .ints("nodes_missing_value_tracks_true", &self.missing)
        .texts("nodes_modes", &modes)
        .ints("class_treeids", &of_leaves(&self.trees))
        .ints("class_nodeids", &of_leaves(&self.nodes))
        .ints("class_ids", &vec![0; leaves.len()])
        .floats(
            "class_weights",
            &leaves
                .iter()
                .map(|&i| self.values[i] * 0.1)
                .collect::<Vec<_>>(),
        )
        .ints("classlabels_int64s", &[0, 1])
        .text("post_transform", "LOGISTIC");
        onnx_file::model(
            &[node],
            &[matrix("x", FLOAT, width as i64)],
            &[shapeless("probabilities", FLOAT)],
        )
    }
}

fn logistic(width: usize) -> Vec<u8> {
    let mut random = Random(4);
    let mut numbers = |count: usize| (0..count).map(|_| random.unit() as f32).collect::<Vec<_>>();
    let scaler = Node::ml("Scaler", &["x"], &["scaled"])
        .floats("offset", &numbers(width))
        .floats("scale", &numbers(width));
    let classifier = Node::ml("LinearClassifier", &["scaled"], &["label", "scores"])
        .floats("coefficients", &numbers(2 * width))
        .floats("intercepts", &numbers(2))
        .ints("classlabels_ints", &[0, 1])
        .text("post_transform", "LOGISTIC");
    let outputs = [shapeless("label", 7), shapeless("scores", FLOAT)];
    onnx_file::model(
        &[scaler, classifier],
        &[matrix("x", FLOAT, width as i64)],
        &outputs,
    )
}
