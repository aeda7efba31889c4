//! Loading damaged files does not panic and does not allocate beyond a multiple of their size; running allocates nothing.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod onnx_file;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pelton_model::{Memory, MemorySize, Model};

/// Bytes that the process has allocated and not freed, and their peak: a model may load on a thread of its own, so the tests
/// take turns.
static USED: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// The number of allocations of this thread.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: isize) {
    let used = USED.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(used, Relaxed);
    ALLOCATIONS.set(ALLOCATIONS.get() + usize::from(bytes > 0));
}

#[allow(
    unsafe_code,
    reason = "the only way to see allocations; every call goes on to the system's allocator"
)]
// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The memory of a model, when it is small enough to reserve in a test.
struct Buffers {
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
    text: Vec<u8>,
    stride: usize,
}

impl Buffers {
    fn new(size: MemorySize, stride: usize) -> Self {
        let f32 = (0..size.f32 * stride)
            .map(|i| i as f32 * 0.37 - 5.0)
            .collect();
        Self {
            f32,
            f64: vec![0.5; size.f64 * stride],
            i64: vec![3; size.i64 * stride],
            text: Vec::new(),
            stride,
        }
    }

    fn memory(&mut self) -> Memory<'_> {
        Memory {
            f32: &mut self.f32,
            f64: &mut self.f64,
            i64: &mut self.i64,
            text: &mut self.text,
            stride: self.stride,
        }
    }
}

fn files() -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/vectors");
    let mut files: Vec<_> = (directory.read_dir().unwrap())
        .map(|entry| entry.unwrap().path().join("model.onnx"))
        .filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes)))
        .collect();
    files.sort();
    assert!(files.len() > 100);
    files
}

/// Loads, and runs what loads; the peak of the memory that loading took, in bytes.
fn load(bytes: &[u8]) -> isize {
    let before = USED.load(Relaxed);
    PEAK.store(before, Relaxed);
    let model = Model::from_onnx(bytes, &|_| None);
    let peak = PEAK.load(Relaxed) - before;
    if let Ok(model) = model {
        let mut buffers = Buffers::new(model.memory(), 3);
        let _ = model.run(2, &mut buffers.memory());
    }
    peak
}

/// A reproducible stream of numbers.
fn random(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn damaged_files_are_refused_or_run_without_panic_or_excess_memory() {
    let _turn = turn();
    let (mut loads, mut state) = (0, 1);
    for (path, whole) in files() {
        let check = |bytes: &[u8]| {
            let peak = load(bytes);
            // A node of a few bytes in the file is a message of some hundred bytes in memory, and a loop has some thousand.
            let loops = bytes.windows(4).any(|word| word == b"Scan");
            let free = if loops { 20_000_000 } else { 1_000_000 };
            let allowed = free + 64 * bytes.len() as isize;
            assert!(
                peak < allowed,
                "{}: {peak} bytes for a file of {}",
                path.display(),
                bytes.len()
            );
        };
        for _ in 0..40 {
            check(&whole[..random(&mut state) % whole.len()]);
        }
        for _ in 0..120 {
            let mut damaged = whole.clone();
            for _ in 0..1 + random(&mut state) % 3 {
                let at = random(&mut state) % damaged.len();
                damaged[at] = match random(&mut state) % 3 {
                    0 => damaged[at] ^ (1 << (random(&mut state) % 8)),
                    1 => 0xFF,
                    _ => random(&mut state) as u8,
                };
            }
            check(&damaged);
        }
        loads += 160;
    }
    assert!(loads > 15_000);
}

#[test]
fn a_file_made_to_be_large_in_memory_stays_within_a_multiple_of_its_size() {
    let _turn = turn();
    // graph { node { attribute {} attribute {} ... } }: two bytes an attribute.
    let count = 200_000;
    let field = |number: u8, content: &[u8]| {
        let mut field = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        [&field, content].concat()
    };
    let file = field(7, &field(1, &field(5, &[]).repeat(count)));
    let peak = load(&file);
    assert!(
        peak < 1024 * file.len() as isize,
        "{peak} bytes for a file of {}",
        file.len()
    );
}

#[test]
fn a_large_ensemble_takes_a_few_times_its_own_memory_while_it_loads() {
    let _turn = turn();
    // 60 complete trees of depth 10: as many nodes as just fit the capacity that lists double to.
    let (trees, inner) = (60, (1 << 10) - 1);
    let all = || (0..trees).flat_map(|tree| (0..2 * inner + 1).map(move |node| (tree, node)));
    let ints = |f: &dyn Fn(i64, i64) -> i64| all().map(|(t, n)| f(t, n)).collect::<Vec<i64>>();
    let leaves = |f: &dyn Fn(i64, i64) -> i64| {
        let leaves = all().filter(|(_, node)| *node >= inner);
        leaves.map(|(t, n)| f(t, n)).collect::<Vec<i64>>()
    };
    let branch = |node: i64, value: i64| if node < inner { value } else { 0 };
    let values: Vec<f32> = all()
        .map(|(tree, node)| (tree * 7919 + node * 31) as f32)
        .collect();
    let modes: Vec<&str> = all()
        .map(|(_, node)| if node < inner { "BRANCH_LEQ" } else { "LEAF" })
        .collect();
    let weights: Vec<f32> = leaves(&|tree, node| tree + node)
        .iter()
        .map(|x| *x as f32)
        .collect();
    let node = onnx_file::Node::ml("TreeEnsembleRegressor", &["x"], &["y"])
        .int("n_targets", 1)
        .ints("nodes_treeids", &ints(&|tree, _| tree))
        .ints("nodes_nodeids", &ints(&|_, node| node))
        .ints(
            "nodes_featureids",
            &ints(&|tree, node| branch(node, (tree + node) % 40)),
        )
        .ints(
            "nodes_truenodeids",
            &ints(&|_, node| branch(node, 2 * node + 1)),
        )
        .ints(
            "nodes_falsenodeids",
            &ints(&|_, node| branch(node, 2 * node + 2)),
        )
        .floats("nodes_values", &values)
        .texts("nodes_modes", &modes)
        .ints("target_treeids", &leaves(&|tree, _| tree))
        .ints("target_nodeids", &leaves(&|_, node| node))
        .ints("target_ids", &leaves(&|_, _| 0))
        .floats("target_weights", &weights);
    let inputs = [onnx_file::matrix("x", onnx_file::FLOAT, 40)];
    let file = onnx_file::model(
        &[node],
        &inputs,
        &[onnx_file::shapeless("y", onnx_file::FLOAT)],
    );
    drop((values, modes, weights));
    let before = USED.load(Relaxed);
    PEAK.store(before, Relaxed);
    let model = Model::from_onnx(&file, &|_| None).unwrap();
    let (peak, kept) = (PEAK.load(Relaxed) - before, USED.load(Relaxed) - before);
    println!("{} bytes of file: peak {peak}, kept {kept}", file.len());
    assert_eq!(model.steps().len(), 1);
    assert!(peak < 8 * kept, "peak {peak} bytes, {kept} kept");
}

#[test]
fn values_that_wait_for_their_reader_do_not_wait_for_each_other_without_end() {
    let _turn = turn();
    let names: Vec<String> = (0..50_000).map(|i| format!("v{i}")).collect();
    let nodes: Vec<_> = (1..names.len())
        .map(|i| onnx_file::Node::core("Concat", &[&names[i - 1]], &[&names[i]]).int("axis", 1))
        .collect();
    let inputs = [onnx_file::matrix("v0", onnx_file::FLOAT, 3)];
    let outputs = [onnx_file::shapeless(
        &names[names.len() - 1],
        onnx_file::FLOAT,
    )];
    let model = Model::from_onnx(&onnx_file::model(&nodes, &inputs, &outputs), &|_| None).unwrap();
    let mut buffers = Buffers::new(model.memory(), 2);
    model.run(2, &mut buffers.memory()).unwrap();
}

#[test]
fn a_run_on_our_own_kernels_allocates_nothing() {
    let _turn = turn();
    for (path, bytes) in files() {
        let external = |name: &str| std::fs::read(path.with_file_name(name)).ok();
        let model = Model::from_onnx(&bytes, &external).unwrap();
        if model.steps().iter().any(|step| step.tract.is_some()) {
            continue;
        }
        for (n, stride) in [(1, 1), (1, 4), (16, 16), (27, 64)] {
            let mut buffers = Buffers::new(model.memory(), stride);
            let before = ALLOCATIONS.get();
            model.run(n, &mut buffers.memory()).unwrap();
            assert_eq!(
                ALLOCATIONS.get(),
                before,
                "{} with {n} rows",
                path.display()
            );
        }
    }
}

#[test]
fn a_model_is_free_to_share_between_threads() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<Model>();
}

#[test]
#[should_panic(expected = "too few")]
fn memory_that_is_too_small_is_a_mistake_of_the_caller() {
    let _turn = turn();
    let (_, bytes) = files().remove(0);
    let model = Model::from_onnx(&bytes, &|_| None).unwrap();
    let mut buffers = Buffers::new(MemorySize::default(), 4);
    let _ = model.run(1, &mut buffers.memory());
}
