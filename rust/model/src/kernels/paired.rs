//! Many rows beside one that they share, times a constant matrix: what attention computes for each item of a history
//! and the candidate. A named kernel module.
//!
//! Every input of a sum is `alpha h + beta` of a number `h` of the row and numbers `alpha`, `beta` of the shared row `c`:
//! `h`, `c`, `h - c`, `h c`. So all of them together are `h W + b`, whose matrix `W = H + diag(c) M` and start
//! `b = bias + c C` are computed once for all rows: a quarter of the products for `[c, h, c - h, c h]`.
#![allow(
    unsafe_code,
    reason = "a matrix in memory of the run, whose size is compared with what tiles read"
)]

use super::dense::{Begin, Block, Dense, Job, Places, Split, panels};
use super::lanes::{Kernel, Lanes, dispatch};
use super::panels::PANEL;
use crate::cpu::Cpu;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;

/// A product of `rows` rows that share one.
pub(crate) struct Paired {
    cpu: Cpu,
    /// Of the shared row, with the bias.
    shared: Dense<f32>,
    /// Of the rows, and of their products with the shared one.
    own: Vec<Block<f32>>,
    both: Vec<Block<f32>>,
    floor: f32,
    pub rows: usize,
    pub inputs: usize,
    pub targets: usize,
    pub from: Columns,
    pub from_shared: Columns,
    /// Where the matrix is computed.
    pub matrix: Columns,
    pub to: Columns,
}

/// The matrices of [`Paired`], input by input.
#[derive(Debug)]
pub(crate) struct Matrices {
    pub shared: Vec<f32>,
    pub own: Vec<f32>,
    pub both: Vec<f32>,
}

impl Paired {
    /// So many numbers of the region are needed for the matrix and the start of its sums.
    pub fn matrix_width(inputs: usize, targets: usize) -> usize {
        (inputs + 1) * targets.next_multiple_of(PANEL)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one step")]
    pub fn new(
        cpu: Cpu,
        (inputs, targets): (usize, usize),
        matrices: &Matrices,
        bias: Vec<f32>,
        floor: f32,
        rows: usize,
        [from, from_shared, matrix, to]: [Columns; 4],
    ) -> Self {
        let packed = |matrix: &[f32]| {
            panels(inputs, targets, |input, target| {
                matrix[input * targets + target]
            })
        };
        let shared = &matrices.shared;
        Self {
            cpu,
            shared: Dense::new(cpu, inputs, bias, |i, t| shared[i * targets + t]),
            own: packed(&matrices.own),
            both: packed(&matrices.both),
            floor,
            rows,
            inputs,
            targets,
            from,
            from_shared,
            matrix,
            to,
        }
    }
}

impl Step for Paired {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, young) = memory.f32.split_at_mut(self.matrix.first * stride);
        let (matrix, to) = young.split_at_mut((self.to.first - self.matrix.first) * stride);
        let matrix = &mut matrix[..Self::matrix_width(self.inputs, self.targets)];
        let from = self.from.of(older, stride);
        let shared = self.from_shared.of(older, stride);
        for record in 0..n {
            let record = Record {
                paired: self,
                stride,
                shared: &shared[record..],
                from: &from[record..],
                to: &mut to[record..],
                matrix,
            };
            record.run();
        }
    }

    fn is_product(&self) -> bool {
        true
    }
}

/// The rows of one record.
struct Record<'m> {
    paired: &'m Paired,
    stride: usize,
    shared: &'m [f32],
    from: &'m [f32],
    to: &'m mut [f32],
    matrix: &'m mut [f32],
}

impl Record<'_> {
    fn run(self) {
        let (paired, stride) = (self.paired, self.stride);
        let (inputs, targets) = (paired.inputs, paired.targets);
        let (bias, matrix) = self.matrix.split_at_mut(targets.next_multiple_of(PANEL));
        bias.fill(0.0);
        let start = (&mut *bias, Places::of_rows(targets, 1));
        let shared = (self.shared, Places::of_columns(stride));
        paired.shared.run(1, shared, start, Begin::Bias);
        dispatch(
            paired.cpu,
            Mixed {
                paired,
                shared: self.shared,
                stride,
                to: matrix,
            },
        );
        let places = |width: usize| Places::of_rows(width, stride);
        let last = |width: usize| (paired.rows * width - 1) * stride;
        assert!(
            last(inputs) < self.from.len()
                && last(targets) < self.to.len()
                && matrix.len() == inputs * targets.next_multiple_of(PANEL),
            "{} rows of {inputs} to {targets}",
            paired.rows
        );
        let job = Job {
            inputs,
            terms: (0, inputs),
            targets,
            weights: matrix.as_ptr(),
            bias,
            scales: None,
            floor: paired.floor,
            split: Split::of(targets),
            zeros: false,
            rows: paired.rows,
            from: self.from.as_ptr(),
            from_places: places(inputs),
            to: self.to.as_mut_ptr(),
            to_places: places(targets),
            begin: Begin::Bias,
        };
        dispatch(paired.cpu, &job);
    }
}

/// `own + diag(shared) both`, in panels.
struct Mixed<'m> {
    paired: &'m Paired,
    shared: &'m [f32],
    stride: usize,
    to: &'m mut [f32],
}

impl Kernel<f32> for Mixed<'_> {
    #[inline(always)]
    fn run<V: Lanes<Item = f32>>(self) {
        let blocks = PANEL / self.paired.own[0].0.len();
        let panels = self
            .to
            .chunks_exact_mut(self.paired.inputs * PANEL)
            .enumerate();
        for (panel, to) in panels {
            for (input, to) in to.chunks_exact_mut(PANEL).enumerate() {
                let factor = V::splat(self.shared[input * self.stride]);
                let first = (panel * self.paired.inputs + input) * blocks;
                for (block, to) in to.chunks_exact_mut(PANEL / blocks).enumerate() {
                    let own = &self.paired.own[first + block].0;
                    let both = &self.paired.both[first + block].0;
                    for part in (0..own.len()).step_by(V::LEN) {
                        let both = V::read(&both[part..]);
                        factor
                            .fused(both, V::read(&own[part..]))
                            .write(&mut to[part..]);
                    }
                }
            }
        }
    }
}
