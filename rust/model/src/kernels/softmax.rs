//! `Softmax`: e to the power of what each value of a line is above its largest, divided by their sum.
//!
//! The powers of a line are dealt in turn to 16 sums; the second half is added to the first until one is left.

use std::ops::Range;

use super::dense::BLOCK;
use super::functions::exp;
use super::lanes::{FloatKernel, Floats, dispatch_floats};
use crate::cpu::Cpu;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// The lines of a tensor, and what of them fills registers.
pub(super) struct Along {
    pub lines: Lines,
    /// The values of a line lie side by side.
    along: bool,
    /// Neighbours of lines do.
    beside: bool,
}

impl Along {
    pub fn new(lines: Lines) -> Self {
        let neighbours = |places: &[u32]| places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        Self {
            along: neighbours(&lines.steps),
            beside: neighbours(&lines.starts),
            lines,
        }
    }

    /// Each line of a single row, where its values lie side by side.
    #[inline(always)]
    pub fn alone(&self, n: usize, stride: usize) -> Option<impl Iterator<Item = Range<usize>>> {
        let Lines { starts, steps } = &self.lines;
        let lines = starts
            .iter()
            .map(move |start| *start as usize..*start as usize + steps.len());
        (n == 1 && stride == 1 && self.along).then_some(lines)
    }

    /// Where lines begin, and how many have their values beside each other: those of several rows, or neighbours.
    #[inline(always)]
    pub fn neighbours(&self, n: usize, stride: usize) -> impl Iterator<Item = (u32, usize)> {
        let starts = &self.lines.starts;
        let (starts, count) = match n == 1 && stride == 1 && self.beside {
            true => (&starts[..starts.len().min(1)], starts.len()),
            false => (&starts[..], n),
        };
        starts.iter().map(move |start| (*start, count))
    }
}

/// The shares of the values of each line.
pub(crate) struct Softmax {
    cpu: Cpu,
    along: Along,
    from: Columns,
    to: Columns,
}

impl Softmax {
    pub fn new(cpu: Cpu, lines: Lines, (from, to): (Columns, Columns)) -> Self {
        Self {
            cpu,
            along: Along::new(lines),
            from,
            to,
        }
    }
}

impl Step for Softmax {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (from, to) = self.from.and_younger(self.to, memory.f32, stride);
        let along = &self.along;
        dispatch_floats(
            self.cpu,
            Run {
                along,
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
    n: usize,
    stride: usize,
    from: &'m [f32],
    to: &'m mut [f32],
}

impl FloatKernel for Run<'_> {
    #[inline(always)]
    fn run<V: Floats>(self) {
        let Self {
            along: lines,
            n,
            stride,
            from,
            to,
        } = self;
        if let Some(lines) = lines.alone(n, stride) {
            for line in lines {
                along::<V>(&from[line.clone()], &mut to[line]);
            }
            return;
        }
        let steps = &lines.lines.steps;
        for (start, count) in lines.neighbours(n, stride) {
            for first in (0..count).step_by(V::LEN) {
                let len = V::LEN.min(count - first);
                let at = |step: u32| (start + step) as usize * stride + first;
                beside::<V>(steps, |step| at(step)..at(step) + len, from, to);
            }
        }
    }
}

/// One line, whose values lie side by side.
#[inline(always)]
fn along<V: Floats>(from: &[f32], to: &mut [f32]) {
    let largest = V::splat(largest::<V>(from));
    for (to, from) in to.chunks_mut(V::LEN).zip(from.chunks(V::LEN)) {
        exp(V::read(from).minus(largest)).write(to);
    }
    let mut sums = [V::splat(0.0); 2];
    for block in to.chunks(BLOCK) {
        for (sum, part) in sums.iter_mut().zip(block.chunks(V::LEN)) {
            *sum = sum.plus(V::read(part));
        }
    }
    let all = match V::LEN {
        BLOCK => sums[0],
        _ => sums[0].plus(sums[1]),
    };
    let sum = V::splat(all.joined());
    for to in to.chunks_mut(V::LEN) {
        V::read(to).over(sum).write(to);
    }
}

/// NaN may be lost: where one is, all that comes out is NaN.
#[inline(always)]
fn largest<V: Floats>(from: &[f32]) -> f32 {
    let Some(last) = from.len().checked_sub(V::LEN) else {
        let more = |a: f32, b: &f32| if *b > a { *b } else { a };
        return from.iter().fold(f32::NEG_INFINITY, more);
    };
    // The last register may have some of those before it, too.
    let mut largest = V::read(&from[last..]);
    for part in from.chunks_exact(V::LEN) {
        largest = V::read(part).at_least(largest);
    }
    largest.largest()
}

/// As many lines as there are numbers in the range that `place` gives for each of their steps.
#[inline(always)]
fn beside<V: Floats>(
    steps: &[u32],
    place: impl Fn(u32) -> Range<usize>,
    from: &[f32],
    to: &mut [f32],
) {
    let mut largest = V::splat(f32::NEG_INFINITY);
    for step in steps {
        largest = V::read(&from[place(*step)]).at_least(largest);
    }
    let mut sums = [V::splat(0.0); BLOCK];
    for steps in steps.chunks(BLOCK) {
        for (sum, step) in sums.iter_mut().zip(steps) {
            let power = exp(V::read(&from[place(*step)]).minus(largest));
            power.write(&mut to[place(*step)]);
            *sum = sum.plus(power);
        }
    }
    let sum = halved(sums);
    for step in steps {
        let to = &mut to[place(*step)];
        V::read(to).over(sum).write(to);
    }
}

/// Sums become one: the second half is added to the first until one is left.
#[inline(always)]
pub(super) fn halved<V: Floats>(mut sums: [V; BLOCK]) -> V {
    let mut half = BLOCK / 2;
    while half > 0 {
        for s in 0..half {
            sums[s] = sums[s].plus(sums[s + half]);
        }
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{alike_in_every_form, run_alike};
    use super::*;
    use crate::shape::Shape;

    /// The shares of `dims` along `axis`, for `n` rows that are all alike.
    fn shares(cpu: Cpu, dims: &[usize], axis: usize, n: usize, stride: usize) -> Vec<f32> {
        let shape = Shape::fixed(dims.to_vec());
        let width = shape.width();
        let columns = |first| Columns { first, width };
        let softmax = Softmax::new(
            cpu,
            Lines::new(&shape, &[axis]),
            (columns(0), columns(width)),
        );
        run_alike(&softmax, width, n, stride)
    }

    #[test]
    fn shares_have_the_same_bits_in_every_form_and_their_sum_is_one() {
        for (dims, axis) in [
            ([1, 100], 1),
            ([3, 5], 1),
            ([3, 17], 0),
            ([37, 3], 0),
            ([2, 33], 1),
        ] {
            let expected = alike_in_every_form((dims, axis), |cpu, n, stride| {
                shares(cpu, &dims, axis, n, stride)
            });
            let lines = Lines::new(&Shape::fixed(dims.to_vec()), &[axis]);
            for start in &lines.starts {
                let line = lines
                    .steps
                    .iter()
                    .map(|step| expected[(start + step) as usize]);
                let sum: f32 = line.sum();
                assert!((sum - 1.0).abs() < 1e-6, "{dims:?}: {sum}");
            }
        }
    }
}
