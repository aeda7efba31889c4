//! The product of one row many of whose numbers are zero, as behind a `Relu`: a named kernel module of [`super::dense`].
//!
//! One row reads every weight once, which is what it takes its time for: the weights of zeros are not read. Their terms
//! change no sum but the sign of one that is zero, and no sum in panels ends as -0, so other rows need not do this.
#![allow(
    unsafe_code,
    reason = "whole registers at places that `Dense::run` has compared with the slices"
)]

use super::dense::Job;
use super::lanes::Lanes;
use super::panels::{PANEL, begin, end, weights};

/// The row of a job, whose numbers lie side by side; its sums are whole.
#[inline(always)]
pub(super) fn run<V: Lanes>(job: &Job<V::Item>) {
    let mut first = 0;
    while first < job.targets {
        let vectors = (job.targets - first).div_ceil(V::LEN);
        // SAFETY: the first target of a register, below those of the job.
        unsafe {
            match vectors {
                5.. => targets::<V, 8>(job, first),
                3.. => targets::<V, 4>(job, first),
                _ => targets::<V, 2>(job, first),
            }
        }
        first += V::LEN
            * match vectors {
                5.. => 8,
                3.. => 4,
                _ => 2,
            };
    }
}

/// # Safety
/// `first` is the first target of a register.
#[inline(always)]
unsafe fn targets<V: Lanes, const VECTORS: usize>(job: &Job<V::Item>, first: usize) {
    // SAFETY: inputs and targets of the job; weights are whole panels.
    unsafe {
        let y = job.to.add(first * job.to_places.column);
        let weights = weights::<V, VECTORS>(job, first);
        let mut sums = [[[V::splat(V::Item::default()); VECTORS]; 1]; 1];
        begin(job, &mut sums, first, y);
        for first in (0..job.inputs).step_by(64) {
            let x = job.from.add(first);
            let mut left = nonzero::<V>(x, (job.inputs - first).min(64));
            while left != 0 {
                let input = left.trailing_zeros() as usize;
                left &= left - 1;
                let x = V::splat(*x.add(input));
                for v in 0..VECTORS {
                    let weights = V::load(weights[v].add((first + input) * PANEL));
                    sums[0][0][v] = x.fused(weights, sums[0][0][v]);
                }
            }
        }
        end(job, &sums, first, y);
    }
}

/// A bit for each of the first numbers, at most 64, that is not zero.
///
/// # Safety
/// There are so many numbers at `x`.
#[inline(always)]
unsafe fn nonzero<V: Lanes>(x: *const V::Item, count: usize) -> u64 {
    let mut bits = 0;
    for at in (0..count).step_by(V::LEN) {
        // SAFETY: the caller's.
        let part = unsafe {
            match count - at >= V::LEN {
                true => V::load(x.add(at)),
                false => V::load_part(x.add(at), count - at),
            }
        };
        bits |= u64::from(part.nonzero()) << at;
    }
    bits
}
