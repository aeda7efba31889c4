//! Products of matrices with few targets, each a sum of its own: a named kernel module of [`super::dense`].
#![allow(
    unsafe_code,
    reason = "whole registers at places that `Dense::run` has compared with the slices"
)]

use super::dense::{BLOCK, Begin, Job, Scales};
use super::lanes::{Lanes, Number};

/// All rows of a job; 16 sums become one.
#[inline(always)]
pub(super) fn run<V: Lanes>(job: &Job<V::Item>) {
    let together = job.from_places.row == 1 && job.to_places.row == 1;
    // SAFETY: rows and targets below those of the job.
    unsafe {
        if job.rows == 1 || !together {
            for row in 0..job.rows {
                let mut target = 0;
                while target < job.targets {
                    match job.targets - target {
                        1 => by_input::<V, 1>(job, row, target),
                        2 | 3 => by_input::<V, 2>(job, row, target),
                        _ => by_input::<V, 4>(job, row, target),
                    }
                    target += match job.targets - target {
                        1 => 1,
                        2 | 3 => 2,
                        _ => 4,
                    };
                }
            }
            return;
        }
        for row in (0..job.rows).step_by(V::LEN) {
            let rows = V::LEN.min(job.rows - row);
            for target in 0..job.targets {
                match (job.scales, rows == V::LEN) {
                    (None, true) => by_row::<V, false, true>(job, row, rows, target),
                    (None, false) => by_row::<V, false, false>(job, row, rows, target),
                    (Some(_), true) => by_row::<V, true, true>(job, row, rows, target),
                    (Some(_), false) => by_row::<V, true, false>(job, row, rows, target),
                }
            }
        }
    }
}

/// One row: registers hold inputs.
///
/// # Safety
/// Row and targets are those of the job.
#[inline(always)]
unsafe fn by_input<V: Lanes, const TARGETS: usize>(job: &Job<V::Item>, row: usize, first: usize) {
    let zero = V::splat(V::Item::default());
    let parts = BLOCK / V::LEN;
    let blocks = job.inputs.div_ceil(BLOCK);
    // SAFETY: as for the places of the job; weights and scales are whole blocks.
    unsafe {
        let column = job.from_places.column;
        let x = job.from.add(row * job.from_places.row);
        let y = job
            .to
            .add(row * job.to_places.row + first * job.to_places.column);
        let weights = job.weights.add(first * blocks * BLOCK);
        // Two registers of 8 are as good as one of 16.
        let mut sums = [[zero; 2]; TARGETS];
        for block in 0..blocks {
            for part in 0..parts {
                let at = block * BLOCK + part * V::LEN;
                let here = job.inputs.saturating_sub(at).min(V::LEN);
                if here == 0 {
                    break;
                }
                let mut x = match column {
                    1 if here == V::LEN => V::load(x.add(at)),
                    1 => V::load_part(x.add(at), here),
                    _ => V::gather(x.add(at * column), column, here),
                };
                if let Some(Scales { offsets, factors }) = job.scales {
                    let offset = V::load(offsets.as_ptr().cast::<V::Item>().add(at));
                    let factor = V::load(factors.as_ptr().cast::<V::Item>().add(at));
                    x = x.minus(offset).times(factor);
                }
                for t in 0..TARGETS {
                    let w = V::load(weights.add(t * blocks * BLOCK + at));
                    sums[t][part] = x.fused(w, sums[t][part]);
                }
            }
        }
        for t in 0..TARGETS {
            let y = y.add(t * job.to_places.column);
            let all = match parts {
                1 => sums[t][0],
                _ => sums[t][0].plus(sums[t][1]),
            };
            let begin = match job.begin {
                Begin::Bias => job.bias[first + t],
                Begin::There => *y,
            };
            let sum = all.joined().plus(begin);
            *y = if sum < job.floor { job.floor } else { sum };
        }
    }
}

/// Rows of one target: registers hold rows.
///
/// # Safety
/// The rows are rows of the job; numbers of a column stand together.
#[inline(always)]
unsafe fn by_row<V: Lanes, const SCALED: bool, const WHOLE: bool>(
    job: &Job<V::Item>,
    row: usize,
    rows: usize,
    target: usize,
) {
    let zero = V::splat(V::Item::default());
    let blocks = job.inputs.div_ceil(BLOCK);
    // SAFETY: as for the places of the job; weights and scales are whole blocks.
    unsafe {
        let column = job.from_places.column;
        let x = job.from.add(row);
        let y = job.to.add(row + target * job.to_places.column);
        let weights = job.weights.add(target * blocks * BLOCK);
        let mut sums = [zero; BLOCK];
        let mut k = 0;
        while k < job.inputs {
            for s in 0..BLOCK {
                if k + s >= job.inputs {
                    break;
                }
                let at = x.add((k + s) * column);
                let mut x = match WHOLE {
                    true => V::load(at),
                    false => V::load_part(at, rows),
                };
                if SCALED && let Some(Scales { offsets, factors }) = job.scales {
                    let offset = V::splat(*offsets.as_ptr().cast::<V::Item>().add(k + s));
                    let factor = V::splat(*factors.as_ptr().cast::<V::Item>().add(k + s));
                    x = x.minus(offset).times(factor);
                }
                sums[s] = x.fused(V::splat(*weights.add(k + s)), sums[s]);
            }
            k += BLOCK;
        }
        for half in [8, 4, 2, 1] {
            for s in 0..half {
                sums[s] = sums[s].plus(sums[s + half]);
            }
        }
        let begin = match (job.begin, WHOLE) {
            (Begin::Bias, _) => V::splat(job.bias[target]),
            (Begin::There, true) => V::load(y),
            (Begin::There, false) => V::load_part(y, rows),
        };
        let sum = sums[0].plus(begin).at_least(V::splat(job.floor));
        match WHOLE {
            true => sum.store(y),
            false => sum.store_part(y, rows),
        }
    }
}
