//! Sums of products of two computed tensors: matrix products within a row, and every Einsum of two operands.

use super::lanes::{Kernel, Lanes, Number, dispatch};
use crate::cpu::Cpu;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// Sums that are computed side by side, so that none waits for another.
const SIDE: usize = 8;

/// `to[i] = sum over s of a[a.starts[i] + a.steps[s]] * b[b.starts[i] + b.steps[s]]`, in the order of `s`.
pub(crate) struct Contract<T> {
    cpu: Cpu,
    a: (Columns, Lines),
    b: (Columns, Lines),
    to: Columns,
    zero: T,
    /// So many neighbours share their numbers of `a` and have neighbours of `b`: registers hold them.
    together: usize,
    /// So many of these runs share their numbers of `b`.
    sharing: usize,
}

impl<T: Number> Contract<T> {
    pub fn new(cpu: Cpu, a: (Columns, Lines), b: (Columns, Lines), to: Columns) -> Self {
        let (of_b, of_a) = (together(&a.1, &b.1), together(&b.1, &a.1));
        let (a, b) = match of_a > of_b {
            true => (b, a),
            false => (a, b),
        };
        let together = of_a.max(of_b);
        let runs: Vec<u32> = b.1.starts.iter().step_by(together).copied().collect();
        Self {
            cpu,
            a,
            b,
            to,
            zero: T::default(),
            together,
            sharing: sharing(&runs),
        }
    }
}

/// How many neighbours are equal, everywhere.
fn sharing(starts: &[u32]) -> usize {
    let equal = |part: &[u32]| part.iter().take_while(|start| **start == part[0]).count();
    let count = equal(starts).max(1);
    match starts.chunks(count).all(|part| equal(part) == count) {
        true => count,
        false => 1,
    }
}

/// The longest runs of which all lines are made whose starts are one in `a`, and neighbours in `b`.
fn together(a: &Lines, b: &Lines) -> usize {
    let pairs = || a.starts.iter().zip(&b.starts);
    let (Some(first), count) = (pairs().next(), a.starts.len()) else {
        return 1;
    };
    let run = pairs()
        .zip(0..)
        .take_while(|((a, b), i)| (*a, **b) == (first.0, first.1 + i));
    let run = run.count();
    let whole = |lines: &[u32], step: u32| {
        let runs = lines.chunks_exact(run);
        runs.flat_map(|run| run.iter().zip(0..).map(|(at, i)| *at == run[0] + i * step))
            .all(|fits| fits)
    };
    match count.is_multiple_of(run) && whole(&a.starts, 0) && whole(&b.starts, 1) {
        true => run,
        false => 1,
    }
}

impl<T: Number> Step for Contract<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        let (a, b) = (
            self.a.0.of(T::older(&older), stride),
            self.b.0.of(T::older(&older), stride),
        );
        if n == 1 && stride == 1 && self.together > 1 {
            let contract = self;
            return dispatch(self.cpu, Neighbours { contract, a, b, to });
        }
        if n > 1 {
            let rows = Rows {
                contract: self,
                n,
                stride,
                a,
                b,
                to,
            };
            return dispatch(self.cpu, rows);
        }
        #[cfg(target_arch = "x86_64")]
        if self.cpu != Cpu::Portable {
            #[allow(
                unsafe_code,
                reason = "the processor was asked for it when the model was loaded"
            )]
            // SAFETY: see above.
            return unsafe { self.run_avx2(stride, a, b, to) };
        }
        self.run_portable(stride, a, b, to);
    }

    fn is_product(&self) -> bool {
        true
    }
}

/// One row whose sums lie side by side.
struct Neighbours<'m, T> {
    contract: &'m Contract<T>,
    a: &'m [T],
    b: &'m [T],
    to: &'m mut [T],
}

impl<T: Number> Kernel<T> for Neighbours<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Item = T>>(mut self) {
        let Contract {
            together, sharing, ..
        } = *self.contract;
        let runs = self.contract.a.1.starts.len() / together;
        for first in (0..runs).step_by(sharing) {
            let last = first + sharing;
            let mut run = first;
            while run < last {
                run += match (last - run, together <= V::LEN) {
                    (8.., true) => self.runs::<V, 8, 1>(run),
                    (4.., true) => self.runs::<V, 4, 1>(run),
                    (4.., false) => self.runs::<V, 4, 2>(run),
                    (_, true) => self.runs::<V, 1, 1>(run),
                    (_, false) => self.runs::<V, 1, 4>(run),
                };
            }
        }
    }
}

impl<T: Number> Neighbours<'_, T> {
    /// `RUNS` runs from `run` on that share their numbers of `b`, `VECTORS` registers of each at once.
    #[inline(always)]
    fn runs<V: Lanes<Item = T>, const RUNS: usize, const VECTORS: usize>(
        &mut self,
        run: usize,
    ) -> usize {
        let ((_, a), (_, b)) = (&self.contract.a, &self.contract.b);
        let together = self.contract.together;
        let a_starts: [u32; RUNS] = std::array::from_fn(|r| a.starts[(run + r) * together]);
        let b_start = b.starts[run * together];
        for part in (0..together).step_by(VECTORS * V::LEN) {
            let count = (together - part).min(VECTORS * V::LEN);
            let mut sums = [[V::splat(T::default()); VECTORS]; RUNS];
            for (a_step, b_step) in a.steps.iter().zip(&b.steps) {
                let from = (b_start + b_step) as usize + part;
                let from = &self.b[from..from + count];
                let mut factors = [V::splat(T::default()); VECTORS];
                for v in 0..VECTORS {
                    if v * V::LEN < count {
                        factors[v] = V::read(&from[v * V::LEN..]);
                    }
                }
                for r in 0..RUNS {
                    let x = V::splat(self.a[(a_starts[r] + a_step) as usize]);
                    for v in 0..VECTORS {
                        sums[r][v] = x.fused(factors[v], sums[r][v]);
                    }
                }
            }
            for r in 0..RUNS {
                let to = &mut self.to[(run + r) * together + part..][..count];
                for v in 0..VECTORS {
                    if v * V::LEN < count {
                        sums[r][v].write(&mut to[v * V::LEN..]);
                    }
                }
            }
        }
        RUNS
    }
}

/// Many rows, which registers hold.
struct Rows<'m, T> {
    contract: &'m Contract<T>,
    n: usize,
    stride: usize,
    a: &'m [T],
    b: &'m [T],
    to: &'m mut [T],
}

impl<T: Number> Kernel<T> for Rows<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Item = T>>(self) {
        let Self {
            contract,
            n,
            stride,
            a,
            b,
            to,
        } = self;
        let ((_, a_lines), (_, b_lines)) = (&contract.a, &contract.b);
        let starts = a_lines.starts.iter().zip(&b_lines.starts);
        for ((a_start, b_start), to) in starts.zip(to.chunks_mut(stride)) {
            for (part, to) in to[..n].chunks_mut(2 * V::LEN).enumerate() {
                let (row, count) = (part * 2 * V::LEN, to.len());
                let mut sums = [V::splat(contract.zero); 2];
                for (a_step, b_step) in a_lines.steps.iter().zip(&b_lines.steps) {
                    let a = &a[(a_start + a_step) as usize * stride + row..][..count];
                    let b = &b[(b_start + b_step) as usize * stride + row..][..count];
                    sums[0] = V::read(a).fused(V::read(b), sums[0]);
                    if count > V::LEN {
                        sums[1] = V::read(&a[V::LEN..]).fused(V::read(&b[V::LEN..]), sums[1]);
                    }
                }
                sums[0].write(to);
                if count > V::LEN {
                    sums[1].write(&mut to[V::LEN..]);
                }
            }
        }
    }
}

impl<T: Number> Contract<T> {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&self, stride: usize, a: &[T], b: &[T], to: &mut [T]) {
        self.run_portable(stride, a, b, to);
    }

    /// One row.
    #[inline(always)]
    fn run_portable(&self, stride: usize, a: &[T], b: &[T], to: &mut [T]) {
        let ((_, a_lines), (_, b_lines)) = (&self.a, &self.b);
        for first in (0..self.to.width).step_by(SIDE) {
            let count = SIDE.min(self.to.width - first);
            let mut sums = [self.zero; SIDE];
            let mut starts = [(0, 0); SIDE];
            for (side, start) in starts.iter_mut().take(count).enumerate() {
                *start = (a_lines.starts[first + side], b_lines.starts[first + side]);
            }
            for (a_step, b_step) in a_lines.steps.iter().zip(&b_lines.steps) {
                for (sum, start) in sums.iter_mut().zip(&starts) {
                    let x = a[(start.0 + a_step) as usize * stride];
                    *sum = x.fused(b[(start.1 + b_step) as usize * stride], *sum);
                }
            }
            for (side, sum) in sums[..count].iter().enumerate() {
                to[(first + side) * stride] = *sum;
            }
        }
    }
}
