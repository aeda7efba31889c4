//! Values that change places: every column that comes out is one that went in, or a constant.

use crate::graph::Value;
use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;

/// Copies columns: `to[k]` is value `index[k]` of `from`.
pub(crate) struct Gather<T> {
    runs: Vec<Run>,
    /// The place of every value, where runs are short: of a transposed matrix, say.
    index: Option<Vec<u32>>,
    from: Columns,
    constant: Option<Vec<T>>,
    to: Columns,
}

/// Columns that stand together before and after.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: u32,
    to: u32,
    len: u32,
}

/// Runs of fewer values on average take longer than their values one by one.
const SHORT: usize = 4;

/// The number in an index that stands for nothing: the value stays what it was.
pub(crate) const NONE: u32 = u32::MAX;

/// Blocks of columns: the first ones of a value go to `to`, the next ones so many columns further, and so on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks {
    pub count: usize,
    pub len: usize,
    pub to: usize,
    pub step: usize,
}

impl<T: Cell> Gather<T> {
    pub fn step(value: &Value, index: impl IntoIterator<Item = u32>, to: Columns) -> Box<dyn Step> {
        let index: Vec<u32> = index.into_iter().collect();
        let runs = runs(index.iter().copied());
        let short = !index.contains(&NONE) && index.len() < SHORT * runs.len();
        Self::of_runs(value, runs, short.then_some(index), to)
    }

    pub fn blocks(value: &Value, blocks: Blocks, to: Columns) -> Box<dyn Step> {
        let run = |block: usize| Run {
            from: (block * blocks.len) as u32,
            to: (blocks.to + block * blocks.step) as u32,
            len: blocks.len as u32,
        };
        Self::of_runs(value, (0..blocks.count).map(run).collect(), None, to)
    }

    fn of_runs(
        value: &Value,
        runs: Vec<Run>,
        index: Option<Vec<u32>>,
        to: Columns,
    ) -> Box<dyn Step> {
        Box::new(Self {
            runs,
            index,
            from: value.own_columns(),
            constant: value.values::<T>().map(<[T]>::to_vec),
            to,
        })
    }
}

fn runs(index: impl IntoIterator<Item = u32>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (to, from) in (0..).zip(index) {
        match runs.last_mut() {
            _ if from == NONE => {}
            Some(run) if run.from + run.len == from && run.to + run.len == to => run.len += 1,
            _ => runs.push(Run { from, to, len: 1 }),
        }
    }
    runs
}

impl<T: Cell> Step for Gather<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        if let Some(values) = &self.constant {
            for run in &self.runs {
                for k in 0..run.len {
                    let value = values[(run.from + k) as usize];
                    to[(run.to + k) as usize * stride..][..n].fill(value);
                }
            }
            return;
        }
        let from = self.from.of(T::older(&older), stride);
        if let (Some(index), 1, 1) = (&self.index, n, stride) {
            for (to, place) in to.iter_mut().zip(index) {
                *to = from[*place as usize];
            }
            return;
        }
        for &Run {
            from: first,
            to: second,
            len,
        } in &self.runs
        {
            let (first, second, len) = (first as usize, second as usize, len as usize);
            if n == stride {
                let cells = len * stride;
                copy(
                    &from[first * stride..][..cells],
                    &mut to[second * stride..][..cells],
                );
                continue;
            }
            for k in 0..len {
                let (from, to) = (
                    &from[(first + k) * stride..],
                    &mut to[(second + k) * stride..],
                );
                if n == 1 {
                    to[0] = from[0];
                } else {
                    to[..n].copy_from_slice(&from[..n]);
                }
            }
        }
    }
}

/// Copies values that are mostly few: a call of the C library for each run would take longer.
#[inline(always)]
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    const TOGETHER: usize = 8;
    let (from, rest) = from.as_chunks::<TOGETHER>();
    let (to, rest_to) = to.as_chunks_mut::<TOGETHER>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in rest_to.iter_mut().zip(rest) {
        *to = *from;
    }
}
