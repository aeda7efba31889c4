//! `LayerNormalization` and `RMSNormalization` of floats: lines less their mean, over their deviation, scaled.
//!
//! Values and squares of a line are dealt in turn to 16 sums; the second half is added to the first until one is left.

use super::dense::BLOCK;
use super::lanes::{FloatKernel, Floats, dispatch_floats};
use super::softmax::{Along, halved};
use crate::cpu::Cpu;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// What becomes of each line.
pub(crate) struct Standard {
    /// Whether the mean is taken away.
    pub centered: bool,
    pub epsilon: f32,
    /// One for each value of a line.
    pub scale: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

/// Lines that are standardized.
pub(crate) struct Standardize {
    cpu: Cpu,
    along: Along,
    standard: Standard,
    from: Columns,
    to: Columns,
}

impl Standardize {
    pub fn new(cpu: Cpu, lines: Lines, standard: Standard, from: Columns, to: Columns) -> Self {
        Self {
            cpu,
            along: Along::new(lines),
            standard,
            from,
            to,
        }
    }
}

impl Step for Standardize {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (from, to) = self.from.and_younger(self.to, memory.f32, stride);
        let (along, standard) = (&self.along, &self.standard);
        dispatch_floats(
            self.cpu,
            Run {
                along,
                standard,
                n,
                stride,
                from,
                to,
            },
        );
    }
}

struct Run<'m> {
    along: &'m Along,
    standard: &'m Standard,
    n: usize,
    stride: usize,
    from: &'m [f32],
    to: &'m mut [f32],
}

impl FloatKernel for Run<'_> {
    #[inline(always)]
    fn run<V: Floats>(self) {
        let Self {
            along,
            standard,
            n,
            stride,
            from,
            to,
        } = self;
        if let Some(lines) = along.alone(n, stride) {
            for line in lines {
                standard.along::<V>(&from[line.clone()], &mut to[line]);
            }
            return;
        }
        let steps = &along.lines.steps;
        for (start, count) in along.neighbours(n, stride) {
            for first in (0..count).step_by(V::LEN) {
                let len = V::LEN.min(count - first);
                let at = |step: u32| (start + step) as usize * stride + first;
                standard.beside::<V>(steps, |step| at(step)..at(step) + len, from, to);
            }
        }
    }
}

impl Standard {
    /// One line, whose values lie side by side.
    #[inline(always)]
    fn along<V: Floats>(&self, from: &[f32], to: &mut [f32]) {
        let count = from.len() as f32;
        let mean = match self.centered {
            true => V::splat(sum_of::<V, false>(from) / count),
            false => V::splat(0.0),
        };
        for (to, from) in to.chunks_mut(V::LEN).zip(from.chunks(V::LEN)) {
            V::read(from).minus(mean).write(to);
        }
        let variance = sum_of::<V, true>(to) / count;
        let inverse = V::splat(1.0 / (variance + self.epsilon).sqrt());
        for (part, to) in to.chunks_mut(V::LEN).enumerate() {
            let own = part * V::LEN..part * V::LEN + to.len();
            let mut made = V::read(to).times(inverse);
            made = made.times(V::read(&self.scale[own.clone()]));
            if let Some(bias) = &self.bias {
                made = made.plus(V::read(&bias[own]));
            }
            made.write(to);
        }
    }

    /// As many lines as there are numbers in the range that `place` gives for each of their steps.
    #[inline(always)]
    fn beside<V: Floats>(
        &self,
        steps: &[u32],
        place: impl Fn(u32) -> std::ops::Range<usize>,
        from: &[f32],
        to: &mut [f32],
    ) {
        let count = V::splat(steps.len() as f32);
        let mut mean = V::splat(0.0);
        if self.centered {
            let mut sums = [V::splat(0.0); BLOCK];
            for steps in steps.chunks(BLOCK) {
                for (sum, step) in sums.iter_mut().zip(steps) {
                    *sum = sum.plus(V::read(&from[place(*step)]));
                }
            }
            mean = halved(sums).over(count);
        }
        let mut sums = [V::splat(0.0); BLOCK];
        for steps in steps.chunks(BLOCK) {
            for (sum, step) in sums.iter_mut().zip(steps) {
                let value = V::read(&from[place(*step)]).minus(mean);
                value.write(&mut to[place(*step)]);
                *sum = sum.plus(value.times(value));
            }
        }
        let deviation = halved(sums).over(count).plus(V::splat(self.epsilon)).root();
        let inverse = V::splat(1.0).over(deviation);
        for (k, step) in steps.iter().enumerate() {
            let to = &mut to[place(*step)];
            let mut made = V::read(to).times(inverse);
            made = made.times(V::splat(self.scale[k]));
            if let Some(bias) = &self.bias {
                made = made.plus(V::splat(bias[k]));
            }
            made.write(to);
        }
    }
}

/// The sum of numbers, or of their squares.
#[inline(always)]
fn sum_of<V: Floats, const SQUARES: bool>(values: &[f32]) -> f32 {
    let mut sums = [V::splat(0.0); 2];
    for block in values.chunks(BLOCK) {
        for (sum, part) in sums.iter_mut().zip(block.chunks(V::LEN)) {
            let x = V::read(part);
            *sum = sum.plus(if SQUARES { x.times(x) } else { x });
        }
    }
    match V::LEN {
        BLOCK => sums[0].joined(),
        _ => sums[0].plus(sums[1]).joined(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{alike_in_every_form, number, run_alike};
    use super::*;
    use crate::shape::Shape;

    fn standardized(cpu: Cpu, dims: &[usize], n: usize, stride: usize, centered: bool) -> Vec<f32> {
        let shape = Shape::fixed(dims.to_vec());
        let (width, length) = (shape.width(), dims[dims.len() - 1]);
        let standard = Standard {
            centered,
            epsilon: 1e-5,
            scale: (0..length).map(|k| number(k + 5)).collect(),
            bias: centered.then(|| (0..length).map(|k| number(k + 3)).collect()),
        };
        let columns = |first| Columns { first, width };
        let lines = Lines::new(&shape, &[dims.len() - 1]);
        let step = Standardize::new(cpu, lines, standard, columns(0), columns(width));
        run_alike(&step, width, n, stride)
    }

    #[test]
    fn lines_have_the_same_bits_in_every_form() {
        for dims in [[1, 100], [3, 5], [20, 32], [37, 3], [2, 33]] {
            for centered in [true, false] {
                alike_in_every_form((dims, centered), |cpu, n, stride| {
                    standardized(cpu, &dims, n, stride, centered)
                });
            }
        }
    }
}
