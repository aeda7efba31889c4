//! Sums, largest values and the like along some axes of a tensor.

use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// `to[l] = f(... f(f(start, line l's first), its second) ...)`, always in this order.
pub(crate) struct Fold<T, F> {
    lines: Lines,
    /// Whether there are several lines, and neighbours begin side by side.
    together: bool,
    from: Columns,
    to: Columns,
    start: T,
    f: F,
}

impl<T: Cell, F: Fn(T, T) -> T + Send + Sync> Fold<T, F> {
    pub fn new(lines: Lines, (from, to): (Columns, Columns), start: T, f: F) -> Self {
        let starts = &lines.starts;
        let side_by_side = starts.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        Self {
            together: starts.len() > 1 && side_by_side,
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
        if n == 1 && stride == 1 && self.together {
            // Lines side by side: what a register holds is of neighbours.
            let to = &mut to[..starts.len()];
            to.fill(self.start);
            for step in steps {
                let from = &from[(starts[0] + step) as usize..][..to.len()];
                for (to, from) in to.iter_mut().zip(from) {
                    *to = (self.f)(*to, *from);
                }
            }
            return;
        }
        for (line, &start) in starts.iter().enumerate() {
            if n == 1 {
                let sum = steps.iter().fold(self.start, |sum, step| {
                    (self.f)(sum, from[(start + step) as usize * stride])
                });
                to[line * stride] = sum;
                continue;
            }
            let to = &mut to[line * stride..][..n];
            to.fill(self.start);
            for step in steps {
                let from = &from[(start + step) as usize * stride..][..n];
                for (to, from) in to.iter_mut().zip(from) {
                    *to = (self.f)(*to, *from);
                }
            }
        }
    }
}
