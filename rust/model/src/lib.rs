//! ONNX models as flat plans of kernels: loaded from bytes, run over memory that the caller owns.
//!
//! The way of the data, which is also the order to read the modules in:
//!
//! 1. [`Model::from_onnx`] decodes the file (`onnx/`: the generated protobuf messages, attributes and tensors with
//!    their errors) and walks the graph once, node by node (`graph.rs`). Shapes and element types are settled here.
//! 2. Every operator has one file in `operators/`, with what it reads from the file beside what it does to the data:
//!    `cast`, `scaler`, `normalizer`, `linear`, `tree_ensemble`. `Identity` and `ZipMap` only give a value another name.
//! 3. A tree ensemble is checked as a forest (`trees/forest.rs`) and packed into the node layout of a kernel
//!    (`trees/packed.rs`, `trees/node.rs`, or `trees/ranked.rs` where the processor can). A run gathers what the branches
//!    read (`trees/row.rs`), walks it to the leaves (`trees/walk.rs`, `trees/ranked_walk.rs`, `trees/ranked_rows.rs`), sums them
//!    (`trees/kernel.rs`), and makes scores and labels of the sums (`trees/scores.rs`).
//! 4. [`Model::run`] runs the steps in turn over [`Memory`]: no allocation, no lock, no failure.
//!
//! # Memory
//!
//! A model owns no buffers. The caller reserves as many columns of each region as [`Model::memory`] says, writes the
//! input tensors into the columns that [`Model::inputs`] name, calls [`Model::run`], and reads [`Model::outputs`].
//! All tensors are feature-major: see [`Tensor`].
//!
//! # Same bits
//!
//! Every float output accumulates in one fixed order, and transcendental functions are our own (`math.rs`), so the
//! bits of a row do not depend on how many rows run with it, on the stride, or on the processor. The environment variable
//! `PELTON_CPU` (`portable`, `avx2` or `avx512`) asks for kernels of a lesser processor when a model is loaded (`cpu.rs`).
//!
//! # Against ONNX Runtime
//!
//! Labels are equal; tree scores before the post-transform are equal to the bit, and within 1 ulp after it; linear
//! operators agree within 1e-6. Where the ONNX standard is silent or ONNX Runtime differs from it, this crate does
//! what ONNX Runtime does, and the operator's file says so.

mod blocks;
mod cpu;
mod element;
mod error;
mod graph;
mod kernels;
mod math;
mod memory;
mod model;
mod onnx;
mod operators;
mod shape;
mod tract;
mod trees;

pub use element::Element;
pub use error::{ErrorKind, ModelError};
pub use memory::{Keys, Memory, MemorySize, RunError, Tensor, Text};
pub use model::{Model, StepInfo};
pub use onnx::Summary;
pub use shape::Shape;
