//! A loaded model.

use std::collections::HashMap;

use crate::blocks::Blocks;
use crate::error::ModelError;
use crate::graph;
use crate::memory::{Memory, MemorySize, RunError, Tensor, Workspace};
use crate::operators::Step;

/// An ONNX model as a flat plan of kernels. Immutable, and free to share between threads.
pub struct Model {
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    memory: MemorySize,
    steps: Vec<Box<dyn Step>>,
    infos: Vec<StepInfo>,
    /// How many rows run, where a step multiplies matrices.
    blocks: Option<Blocks>,
    /// The size of the table that an integer column holds ids of.
    tables: HashMap<usize, usize>,
}

/// What a step of a model is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepInfo {
    /// The ONNX operator, as in `TreeEnsembleClassifier`.
    pub operator: String,
    /// The name of the node in the graph; may be empty.
    pub node: String,
    /// The kernel that was chosen and the size of its work, as in `at-most f32, 300 trees, 37500 nodes`.
    pub kernel: String,
    /// Why the step runs on tract; `None` for one of our own kernels.
    pub tract: Option<String>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("memory", &self.memory)
            .field("steps", &self.infos)
            .finish()
    }
}

impl Model {
    /// Loads a model from the bytes of an ONNX file.
    ///
    /// `external` is asked for files of external data by their name relative to the model, which never contains `..`
    /// and is never absolute; it answers `None` when there is no such file.
    ///
    /// # Errors
    ///
    /// [`ModelError`] when the bytes are not a whole ONNX file, contradict themselves, or need what this crate does
    /// not have, such as another operator. Loading does not panic, and allocates no more than a fixed multiple of the
    /// size of the file.
    pub fn from_onnx(
        bytes: &[u8],
        external: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Model, ModelError> {
        graph::load(bytes, external)
    }

    pub(crate) fn new(
        inputs: Vec<Tensor>,
        outputs: Vec<Tensor>,
        mut memory: MemorySize,
        steps: Vec<(StepInfo, Box<dyn Step>)>,
        tables: HashMap<usize, usize>,
    ) -> Self {
        let (infos, steps): (_, Vec<Box<dyn Step>>) = steps.into_iter().unzip();
        let products = steps.iter().any(|step| step.is_product());
        let blocks = products.then(|| Blocks::new(&inputs, &outputs, &mut memory));
        Self {
            blocks,
            inputs,
            outputs,
            memory,
            steps,
            infos,
            tables,
        }
    }

    /// The tensors that the caller writes before a run, in the order of the file.
    pub fn inputs(&self) -> &[Tensor] {
        &self.inputs
    }

    /// The tensors that the caller reads after a run, in the order of the file.
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// How many columns of each region the model needs.
    pub fn memory(&self) -> MemorySize {
        self.memory
    }

    /// How many entries the table has that the values in column `k` of an input are ids of, the smallest of several;
    /// `None` where they are not known to be ids.
    pub fn table_size(&self, input: &Tensor, k: usize) -> Option<usize> {
        let is_integer = input.element.is_integer();
        let size = self.tables.get(&(input.first + k)).copied();
        size.filter(|_| is_integer && k < input.width)
    }

    /// What the model does, step by step.
    pub fn steps(&self) -> &[StepInfo] {
        &self.infos
    }

    /// Runs the model on rows `0..n`: reads the input columns, writes every other column. Allocates nothing, but for
    /// the strings that a model makes, and in steps that run on tract.
    ///
    /// # Errors
    ///
    /// [`RunError`] when a row cannot be computed: an id is outside its table, say. Other rows have no results, then.
    ///
    /// # Panics
    ///
    /// When `memory` is smaller than [`Model::memory`] asks for, or its stride is below `n`: a mistake of the caller.
    pub fn run(&self, n: usize, memory: &mut Memory<'_>) -> Result<(), RunError> {
        let MemorySize { f32, f64, i64 } = self.memory;
        let stride = memory.stride;
        assert!(
            n <= stride,
            "{n} rows need a stride of at least {n}, not {stride}"
        );
        for (region, columns, values) in [
            ("f32", f32, memory.f32.len()),
            ("f64", f64, memory.f64.len()),
            ("i64", i64, memory.i64.len()),
        ] {
            assert!(
                columns * stride <= values,
                "region {region} has {values} values, too few for {columns} x {stride}"
            );
        }
        if n == 0 {
            return Ok(());
        }
        if let Some(blocks) = &self.blocks
            && n > blocks.rows
            && blocks.fit(stride)
        {
            for first in (0..n).step_by(blocks.rows) {
                let rows = first..n.min(first + blocks.rows);
                let tensors = (&self.inputs[..], &self.outputs[..]);
                let ran = blocks.run(tensors, rows.clone(), memory, |workspace| {
                    self.run_steps(rows.len(), workspace)
                });
                ran.map_err(|error| RunError {
                    row: first + error.row,
                    ..error
                })?;
            }
            return Ok(());
        }
        self.run_steps(
            n,
            &mut Workspace {
                f32: memory.f32,
                f64: memory.f64,
                i64: memory.i64,
                text: memory.text,
                stride,
                failure: None,
            },
        )
    }

    fn run_steps(&self, n: usize, workspace: &mut Workspace<'_>) -> Result<(), RunError> {
        for (step, info) in self.steps.iter().zip(&self.infos) {
            step.run(n, workspace);
            if let Some((row, message)) = workspace.failure.take() {
                let step = format!("{} {:?}", info.operator, info.node);
                return Err(RunError { row, step, message });
            }
        }
        Ok(())
    }
}
