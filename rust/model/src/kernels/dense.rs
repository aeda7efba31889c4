//! Rows times a constant matrix, plus a bias, with fused multiply-add.
//!
//! ```text
//! weights, packed: panels of 64 targets, one row of 64 for every input      one row:   64 targets at once
//!   panel 0: | k = 0: w0 ... w63 | k = 1: w0 ... w63 | ...                  many rows: 8 targets x 16 rows at once
//! ```
//!
//! Every sum begins with the bias and takes its terms in the order of the inputs, each with one rounding, whatever the
//! tile: the bits are the same for every number of rows and every processor. `mul_add` is one instruction where the
//! processor has it and the build may use it, and a correct but slow library call elsewhere; builds are for the oldest
//! processor of the architecture, so the instructions are asked for here, at run time.

use crate::memory::Cell;

/// Targets of a panel.
const PANEL: usize = 64;
/// Targets and rows of a tile.
const TARGETS: usize = 8;
const ROWS: usize = 16;

/// A number that products are summed of.
pub(crate) trait Number: Cell {
    /// `self * weight + sum`, rounded once; integers wrap.
    fn fused(self, weight: Self, sum: Self) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn fused(self, weight: f32, sum: f32) -> f32 {
        self.mul_add(weight, sum)
    }
}
impl Number for f64 {
    #[inline(always)]
    fn fused(self, weight: f64, sum: f64) -> f64 {
        self.mul_add(weight, sum)
    }
}
impl Number for i64 {
    #[inline(always)]
    fn fused(self, weight: i64, sum: i64) -> i64 {
        self.wrapping_mul(weight).wrapping_add(sum)
    }
}

/// A matrix in panels, and what the sums begin with.
pub(crate) struct Dense<T> {
    panels: Vec<T>,
    bias: Vec<T>,
    inputs: usize,
}

impl<T: Number> Dense<T> {
    /// `weight(input, target)` for every input and target; one bias for every target.
    pub fn new(inputs: usize, bias: Vec<T>, weight: impl Fn(usize, usize) -> T) -> Self {
        let mut panels = Vec::with_capacity(bias.len().div_ceil(PANEL) * PANEL * inputs);
        for first in (0..bias.len()).step_by(PANEL) {
            for input in 0..inputs {
                let targets = first..first + PANEL;
                panels.extend(targets.map(|target| match target < bias.len() {
                    true => weight(input, target),
                    false => T::default(),
                }));
            }
        }
        Self {
            panels,
            bias,
            inputs,
        }
    }

    pub fn targets(&self) -> usize {
        self.bias.len()
    }

    /// Writes all targets of rows `0..n`; `from` and `to` are columns of `stride` values.
    pub fn run(&self, n: usize, stride: usize, from: &[T], to: &mut [T]) {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                #[allow(
                    unsafe_code,
                    reason = "the processor was asked for it on the line above"
                )]
                // SAFETY: see above.
                return unsafe { self.run_avx512(n, stride, from, to) };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                #[allow(
                    unsafe_code,
                    reason = "the processor was asked for it on the line above"
                )]
                // SAFETY: see above.
                return unsafe { self.run_avx2(n, stride, from, to) };
            }
        }
        self.run_portable(n, stride, from, to);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,fma")]
    fn run_avx512(&self, n: usize, stride: usize, from: &[T], to: &mut [T]) {
        self.run_portable(n, stride, from, to);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&self, n: usize, stride: usize, from: &[T], to: &mut [T]) {
        self.run_portable(n, stride, from, to);
    }

    #[inline(always)]
    fn run_portable(&self, n: usize, stride: usize, from: &[T], to: &mut [T]) {
        for (panel, first) in (0..self.targets()).step_by(PANEL).enumerate() {
            let count = PANEL.min(self.targets() - first);
            let weights = &self.panels[panel * PANEL * self.inputs..][..PANEL * self.inputs];
            let bias = &self.bias[first..first + count];
            let to = &mut to[first * stride..];
            match (n, count) {
                (1, 0..=8) => self.one_row::<8>(stride, from, to, weights, bias),
                (1, 9..=16) => self.one_row::<16>(stride, from, to, weights, bias),
                (1, 17..=32) => self.one_row::<32>(stride, from, to, weights, bias),
                (1, _) => self.one_row::<PANEL>(stride, from, to, weights, bias),
                _ => self.tiles(n, stride, from, to, weights, bias),
            }
        }
    }

    /// One row: the sums of `WIDE` targets stay in registers.
    #[inline(always)]
    fn one_row<const WIDE: usize>(
        &self,
        stride: usize,
        from: &[T],
        to: &mut [T],
        weights: &[T],
        bias: &[T],
    ) {
        let mut sums = [T::default(); WIDE];
        sums[..bias.len()].copy_from_slice(bias);
        for (input, weights) in weights.chunks_exact(PANEL).enumerate() {
            let x = from[input * stride];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = x.fused(*weight, *sum);
            }
        }
        for (target, sum) in sums[..bias.len()].iter().enumerate() {
            to[target * stride] = *sum;
        }
    }

    #[inline(always)]
    fn tiles(&self, n: usize, stride: usize, from: &[T], to: &mut [T], weights: &[T], bias: &[T]) {
        for first in (0..bias.len()).step_by(TARGETS) {
            let count = TARGETS.min(bias.len() - first);
            for row in (0..n).step_by(ROWS) {
                let rows = ROWS.min(n - row);
                let mut sums = [[T::default(); ROWS]; TARGETS];
                for (sums, bias) in sums.iter_mut().zip(&bias[first..first + count]) {
                    sums.fill(*bias);
                }
                if rows == ROWS {
                    for (input, weights) in weights.chunks_exact(PANEL).enumerate() {
                        let x = &from[input * stride + row..][..ROWS];
                        add_tile(&mut sums, x, &weights[first..first + TARGETS]);
                    }
                } else {
                    for (input, weights) in weights.chunks_exact(PANEL).enumerate() {
                        let mut x = [T::default(); ROWS];
                        x[..rows].copy_from_slice(&from[input * stride + row..][..rows]);
                        add_tile(&mut sums, &x, &weights[first..first + TARGETS]);
                    }
                }
                for (target, sums) in (first..first + count).zip(&sums) {
                    to[target * stride + row..][..rows].copy_from_slice(&sums[..rows]);
                }
            }
        }
    }
}

#[inline(always)]
fn add_tile<T: Number>(sums: &mut [[T; ROWS]; TARGETS], x: &[T], weights: &[T]) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = x.fused(*weight, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with many significant bits, so that every rounding shows.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 1.3e6 - 6.1
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn every_form_gives_the_bits_of_a_plain_loop_for_every_number_of_rows_and_stride() {
        let shapes = [
            (1, 1),
            (1, 9),
            (2, 2),
            (7, 8),
            (16, 16),
            (17, 64),
            (64, 64),
            (256, 300),
        ];
        for (width, targets) in [
            (13, 3),
            (5, 64),
            (7, 70),
            (1, 9),
            (40, 1),
            (3, 130),
            (9, 24),
        ] {
            let (weights, start) = (numbers(width * targets, 2), numbers(targets, 3));
            let dense = Dense::new(width, start.clone(), |input, target| {
                weights[target * width + input]
            });
            for (n, stride) in shapes {
                let from = numbers(width * stride, 1);
                let (mut fast, mut portable) =
                    (vec![0.0; targets * stride], vec![0.0; targets * stride]);
                dense.run(n, stride, &from, &mut fast);
                dense.run_portable(n, stride, &from, &mut portable);
                for target in 0..targets {
                    for row in 0..n {
                        let expected = (0..width).fold(start[target], |sum, input| {
                            from[input * stride + row].mul_add(weights[target * width + input], sum)
                        });
                        for found in [&fast, &portable] {
                            let found = found[target * stride + row];
                            assert_eq!(
                                found.to_bits(),
                                expected.to_bits(),
                                "n {n}, stride {stride}, row {row}"
                            );
                        }
                    }
                }
            }
        }
    }
}
