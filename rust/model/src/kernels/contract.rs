//! Sums of products of two computed tensors: matrix products within a row, and every Einsum of two operands.

use super::dense::Number;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;
use crate::shape::Lines;

/// Sums that are computed side by side, so that none waits for another.
const SIDE: usize = 8;

/// `to[i] = sum over s of a[a.starts[i] + a.steps[s]] * b[b.starts[i] + b.steps[s]]`, in the order of `s`.
pub(crate) struct Contract<T> {
    pub a: (Columns, Lines),
    pub b: (Columns, Lines),
    pub to: Columns,
    pub zero: T,
}

impl<T: Number> Step for Contract<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        let (a, b) = (
            self.a.0.of(T::older(&older), stride),
            self.b.0.of(T::older(&older), stride),
        );
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            #[allow(
                unsafe_code,
                reason = "the processor was asked for it on the line above"
            )]
            // SAFETY: see above.
            return unsafe { self.run_avx2(n, stride, a, b, to) };
        }
        self.run_portable(n, stride, a, b, to);
    }
}

impl<T: Number> Contract<T> {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&self, n: usize, stride: usize, a: &[T], b: &[T], to: &mut [T]) {
        self.run_portable(n, stride, a, b, to);
    }

    #[inline(always)]
    fn run_portable(&self, n: usize, stride: usize, a: &[T], b: &[T], to: &mut [T]) {
        let ((_, a_lines), (_, b_lines)) = (&self.a, &self.b);
        let steps = || a_lines.steps.iter().zip(&b_lines.steps);
        if n == 1 {
            for first in (0..self.to.width).step_by(SIDE) {
                let count = SIDE.min(self.to.width - first);
                let mut sums = [self.zero; SIDE];
                let mut starts = [(0, 0); SIDE];
                for (side, start) in starts.iter_mut().take(count).enumerate() {
                    *start = (a_lines.starts[first + side], b_lines.starts[first + side]);
                }
                for (a_step, b_step) in steps() {
                    for (sum, start) in sums.iter_mut().zip(&starts) {
                        let x = a[(start.0 + a_step) as usize * stride];
                        *sum = x.fused(b[(start.1 + b_step) as usize * stride], *sum);
                    }
                }
                for (side, sum) in sums[..count].iter().enumerate() {
                    to[(first + side) * stride] = *sum;
                }
            }
            return;
        }
        for (i, (a_start, b_start)) in a_lines.starts.iter().zip(&b_lines.starts).enumerate() {
            let to = &mut to[i * stride..][..n];
            to.fill(self.zero);
            for (a_step, b_step) in steps() {
                let a = &a[(a_start + a_step) as usize * stride..][..n];
                let b = &b[(b_start + b_step) as usize * stride..][..n];
                for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                    *to = a.fused(*b, *to);
                }
            }
        }
    }
}
