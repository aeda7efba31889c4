//! Sums, largest values and the like along some axes of a tensor.

use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// `to[l] = f(... f(f(start, line l's first), its second) ...)`, always in this order.
pub(crate) struct Fold<T, F> {
    pub lines: Lines,
    pub from: Columns,
    pub to: Columns,
    pub start: T,
    pub f: F,
}

impl<T: Cell, F: Fn(T, T) -> T + Send + Sync> Step for Fold<T, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        let from = self.from.of(T::older(&older), stride);
        let Lines { starts, steps } = &self.lines;
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
