//! Values that change places: every column that comes out is one that went in, or a constant.

use crate::graph::{Place, Value};
use crate::memory::{Cell, Columns, Workspace};
use crate::operators::Step;

/// Copies columns: `to[k]` is value `index[k]` of `from`.
pub(crate) struct Gather<T> {
    runs: Vec<Run>,
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

/// The number in an index that stands for nothing: the value stays what it was.
pub(crate) const NONE: u32 = u32::MAX;

impl<T: Cell> Gather<T> {
    pub fn step(value: &Value, index: impl IntoIterator<Item = u32>, to: Columns) -> Box<dyn Step> {
        let (from, constant) = match &value.place {
            Place::Columns(columns) => (*columns, None),
            Place::Constant(constant) => {
                let columns = Columns {
                    first: 0,
                    width: value.width(),
                };
                (columns, Some(T::constant(&constant.data).to_vec()))
            }
        };
        let runs = runs(index);
        Box::new(Self {
            runs,
            from,
            constant,
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
        for &Run {
            from: first,
            to: second,
            len,
        } in &self.runs
        {
            let (first, second, len) = (first as usize, second as usize, len as usize);
            if n == stride {
                let cells = len * stride;
                to[second * stride..][..cells].copy_from_slice(&from[first * stride..][..cells]);
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
