//! Sums, largest values and the like along some axes of a tensor.

use super::lanes::{Loops, dispatch_loops};
use crate::cpu::Cpu;
use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// `to[l] = f(... f(f(start, line l's first), its second) ...)`, always in this order.
pub(crate) struct Fold<T, F> {
    cpu: Cpu,
    lines: Lines,
    /// Neighbours of lines begin side by side.
    together: bool,
    from: Columns,
    to: Columns,
    start: T,
    f: F,
}

impl<T: Cell, F: Fn(T, T) -> T + Send + Sync> Fold<T, F> {
    pub fn new(cpu: Cpu, lines: Lines, (from, to): (Columns, Columns), start: T, f: F) -> Self {
        let starts = &lines.starts;
        Self {
            cpu,
            together: starts.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            lines,
            from,
            to,
            start,
            f,
        }
    }
}

impl<T: Cell, F: Fn(T, T) -> T + Send + Sync> Step for Fold<T, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        let from = self.from.of(T::older(&older), stride);
        let Lines { starts, steps } = &self.lines;
        // What registers hold: lines that are neighbours, or the rows of each line.
        let (starts, count) = match n == 1 && stride == 1 && self.together {
            true => (&starts[..starts.len().min(1)], starts.len()),
            false => (&starts[..], n),
        };
        let (start, f) = (self.start, &self.f);
        let all = Beside {
            starts,
            steps,
            count,
            stride,
            from,
            to,
            start,
            f,
        };
        dispatch_loops(self.cpu, all);
    }
}

/// Lines of `count` neighbours each.
struct Beside<'m, T, F> {
    starts: &'m [u32],
    steps: &'m [u32],
    count: usize,
    stride: usize,
    from: &'m [T],
    to: &'m mut [T],
    start: T,
    f: &'m F,
}

impl<T: Cell, F: Fn(T, T) -> T> Loops for Beside<'_, T, F> {
    #[inline(always)]
    fn run(mut self) {
        for line in 0..self.starts.len() {
            let mut first = 0;
            while first < self.count {
                first += match self.count - first {
                    32.. => self.part::<32>(line, first),
                    8.. => self.part::<8>(line, first),
                    _ => self.part::<1>(line, first),
                };
            }
        }
    }
}

impl<T: Cell, F: Fn(T, T) -> T> Beside<'_, T, F> {
    /// `N` neighbours of a line from `first` on.
    #[inline(always)]
    fn part<const N: usize>(&mut self, line: usize, first: usize) -> usize {
        let mut folded = [self.start; N];
        for step in self.steps {
            let at = (self.starts[line] + step) as usize * self.stride + first;
            let from = &self.from[at..][..N];
            for (folded, from) in folded.iter_mut().zip(from) {
                *folded = (self.f)(*folded, *from);
            }
        }
        self.to[line * self.stride + first..][..N].copy_from_slice(&folded);
        N
    }
}
