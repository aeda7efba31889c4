//! Products of matrices with many targets, packed in panels: a named kernel module of [`super::dense`].
#![allow(
    unsafe_code,
    reason = "whole registers at places that `Dense::run` has compared with the slices"
)]

use super::dense::{BLOCK, Begin, Job};
use super::lanes::{Lanes, Number};

/// Targets of a panel: two lines of the processor's cache.
pub(super) const PANEL: usize = 32;

/// So many inputs are worth it that their terms are summed once, where they are the same in all rows.
const ALIKE: usize = 16;

/// All rows of a job, with one sum for each target. The first inputs may be the same in all rows, as a user's are beside
/// candidates: the sum of their terms is where all rows begin.
#[inline(always)]
pub(super) fn run_alike<V: Lanes>(job: &Job<V::Item>) {
    let columns = job.from_places.row == 1 && job.to_places.row == 1;
    let looked_at = columns && job.begin == Begin::Bias && job.rows > V::LEN / 2;
    // SAFETY: rows of the job.
    let alike = match looked_at {
        true => unsafe { alike::<V>(job) },
        false => 0,
    };
    let parts = [
        Job {
            rows: 1,
            terms: (0, alike),
            floor: V::Item::LEAST,
            ..*job
        },
        Job {
            terms: (alike, job.inputs),
            begin: if alike > 0 { Begin::There } else { job.begin },
            ..*job
        },
    ];
    for part in &parts[usize::from(alike == 0)..] {
        run::<V, 1>(part);
        if part.rows < job.rows {
            // SAFETY: rows and targets of the job.
            unsafe { spread::<V>(job) };
        }
    }
}

/// The first inputs that are the same in all rows; none where they are few.
///
/// # Safety
/// Rows of the job stand together.
#[inline(always)]
unsafe fn alike<V: Lanes>(job: &Job<V::Item>) -> usize {
    let mut count = 0;
    // SAFETY: the caller's.
    unsafe {
        while count < job.inputs {
            let x = job.from.add(count * job.from_places.column);
            let first = V::splat(*x);
            let mut differ = 0;
            for row in (0..job.rows).step_by(V::LEN) {
                let here = V::LEN.min(job.rows - row);
                let others = load::<V>(x.add(row), 0, here);
                // What is not finite differs from itself.
                differ |= others.minus(first).nonzero() & (u32::MAX >> (32 - here));
            }
            if differ != 0 {
                break;
            }
            count += 1;
        }
    }
    if count < ALIKE { 0 } else { count }
}

/// Copies the sums of the first row to all others.
///
/// # Safety
/// Rows of the job stand together.
#[inline(always)]
unsafe fn spread<V: Lanes>(job: &Job<V::Item>) {
    for target in 0..job.targets {
        // SAFETY: the caller's.
        unsafe {
            let y = job.to.add(target * job.to_places.column);
            let sum = V::splat(*y);
            for row in (0..job.rows).step_by(V::LEN) {
                match job.rows - row {
                    here if here < V::LEN => sum.store_part(y.add(row), here),
                    _ => sum.store(y.add(row)),
                }
            }
        }
    }
}

/// All rows of a job; `SPLIT` sums become one, and -0 becomes 0.
///
/// Tiles are as large as the registers allow: one more row or target costs a load less for each product.
#[inline(always)]
pub(super) fn run<V: Lanes, const SPLIT: usize>(job: &Job<V::Item>) {
    // Columns of rows that stand together fill registers.
    let together = job.from_places.row == 1 && job.to_places.row == 1;
    let mut row = 0;
    // SAFETY: rows of the job.
    unsafe {
        while together && job.rows - row > V::LEN / 2 {
            let rows = job.rows - row;
            row += match (V::REGISTERS, SPLIT) {
                (32, 1) if rows > V::LEN => by_row::<V, 2, 8, SPLIT>(job, row),
                (32, 1) => by_row::<V, 1, 8, SPLIT>(job, row),
                (32, _) => by_row::<V, 1, 4, SPLIT>(job, row),
                (16, 1) if rows > V::LEN => by_row::<V, 2, 4, SPLIT>(job, row),
                (16, 1) => by_row::<V, 1, 8, SPLIT>(job, row),
                _ => by_row::<V, 1, 2, SPLIT>(job, row),
            };
        }
        while row < job.rows {
            row += match (V::REGISTERS, SPLIT, job.rows - row) {
                (32, 1, 8..) => by_target::<V, 4, true, 2, SPLIT>(job, row),
                (16 | 32, 1, 4..) => by_target::<V, 4, false, 2, SPLIT>(job, row),
                (32, _, 4..) => by_target::<V, 4, false, 1, SPLIT>(job, row),
                (16 | 32, 1, 2 | 3) => by_target::<V, 2, false, 4, SPLIT>(job, row),
                (32, _, 2 | 3) => by_target::<V, 2, false, 2, SPLIT>(job, row),
                (16, _, 2..) => by_target::<V, 2, false, 1, SPLIT>(job, row),
                (16 | 32, 1, _) => by_target::<V, 1, false, 8, SPLIT>(job, row),
                (32, _, _) => by_target::<V, 1, false, 4, SPLIT>(job, row),
                (16, _, _) => by_target::<V, 1, false, 2, SPLIT>(job, row),
                _ => by_target::<V, 1, false, 1, SPLIT>(job, row),
            };
        }
    }
}

/// The sums of a split become one: the second half is added to the first.
#[inline(always)]
fn joined<V: Lanes, const SPLIT: usize>(mut sums: [V; SPLIT]) -> V {
    let mut half = SPLIT / 2;
    while half > 0 {
        for s in 0..half {
            sums[s] = sums[s].plus(sums[s + half]);
        }
        half /= 2;
    }
    sums[0]
}

/// `ROWS` rows, or twice as many: registers hold targets, up to `VECTORS` registers at once. Gives the number of rows.
///
/// # Safety
/// The rows are rows of the job.
#[inline(always)]
unsafe fn by_target<
    V: Lanes,
    const ROWS: usize,
    const TWICE: bool,
    const VECTORS: usize,
    const SPLIT: usize,
>(
    job: &Job<V::Item>,
    row: usize,
) -> usize {
    let mut first = 0;
    // SAFETY: targets below those of the job.
    unsafe {
        while first < job.targets {
            let vectors = (job.targets - first).div_ceil(V::LEN);
            if VECTORS > 4 && vectors > 4 {
                targets::<V, ROWS, TWICE, VECTORS, SPLIT>(job, row, first);
                first += VECTORS * V::LEN;
            } else if VECTORS > 2 && vectors > 2 {
                targets::<V, ROWS, TWICE, 4, SPLIT>(job, row, first);
                first += 4 * V::LEN;
            } else if VECTORS > 1 && vectors > 1 {
                targets::<V, ROWS, TWICE, 2, SPLIT>(job, row, first);
                first += 2 * V::LEN;
            } else {
                targets::<V, ROWS, TWICE, 1, SPLIT>(job, row, first);
                first += V::LEN;
            }
        }
    }
    ROWS * if TWICE { 2 } else { 1 }
}

/// # Safety
/// The rows are rows of the job, and `first` is the first target of a register.
#[inline(always)]
unsafe fn targets<
    V: Lanes,
    const ROWS: usize,
    const TWICE: bool,
    const VECTORS: usize,
    const SPLIT: usize,
>(
    job: &Job<V::Item>,
    row: usize,
    first: usize,
) {
    let (x_row, x_column) = (job.from_places.row, job.from_places.column);
    let (y_row, y_column) = (job.to_places.row, job.to_places.column);
    let zero = V::splat(V::Item::default());
    // SAFETY: all places are of rows and targets of the job; weights and biases are whole panels, of which there are as
    // many as targets begin in; a register behind them repeats the last panel and is not stored.
    unsafe {
        let (x, y) = (
            job.from.add(row * x_row),
            job.to.add(row * y_row + first * y_column),
        );
        let weights = weights::<V, VECTORS>(job, first);
        let mut sums = [[[zero; VECTORS]; SPLIT]; ROWS];
        let mut more = [[[zero; VECTORS]; SPLIT]; ROWS];
        begin(job, &mut sums, first, y);
        if TWICE {
            begin(job, &mut more, first, y.add(ROWS * y_row));
        }
        let (mut k, last) = job.terms;
        while k < last {
            for s in 0..SPLIT {
                if SPLIT > 1 && k + s >= last {
                    break;
                }
                let mut w = [zero; VECTORS];
                for v in 0..VECTORS {
                    w[v] = V::load(weights[v].add((k + s) * PANEL));
                }
                let x = x.add((k + s) * x_column);
                add(&mut sums, s, x, x_row, w);
                // Two loops of half the length: the compiler keeps their sums in registers.
                if TWICE {
                    add(&mut more, s, x.add(ROWS * x_row), x_row, w);
                }
            }
            k += SPLIT;
        }
        end(job, &sums, first, y);
        if TWICE {
            end(job, &more, first, y.add(ROWS * y_row));
        }
    }
}

/// Where the weights of registers of targets begin.
///
/// # Safety
/// `first` is the first target of a register.
#[inline(always)]
pub(super) unsafe fn weights<V: Lanes, const VECTORS: usize>(
    job: &Job<V::Item>,
    first: usize,
) -> [*const V::Item; VECTORS] {
    let panels = job.bias.len() / PANEL;
    let mut weights = [job.weights; VECTORS];
    for v in 0..VECTORS {
        let target = first + v * V::LEN;
        let panel = (target / PANEL).min(panels - 1) * job.inputs * PANEL;
        // SAFETY: there are so many panels.
        weights[v] = unsafe { weights[v].add(panel + target % PANEL) };
    }
    weights
}

/// What the sums of rows begin with, whose targets from `first` on go to `y`.
///
/// # Safety
/// Rows and first target are those of the job.
#[inline(always)]
pub(super) unsafe fn begin<
    V: Lanes,
    const ROWS: usize,
    const VECTORS: usize,
    const SPLIT: usize,
>(
    job: &Job<V::Item>,
    sums: &mut [[[V; VECTORS]; SPLIT]; ROWS],
    first: usize,
    y: *const V::Item,
) {
    let (row, column) = (job.to_places.row, job.to_places.column);
    for v in 0..VECTORS {
        let target = first + v * V::LEN;
        let count = V::LEN.min(job.targets.saturating_sub(target));
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: biases are whole panels; only targets of the job are read.
            sums[0][v] = unsafe {
                match job.begin {
                    Begin::Bias => {
                        let target = target.min(job.bias.len() - V::LEN);
                        V::load(job.bias.as_ptr().add(target))
                    }
                    Begin::There => V::gather(y.add(r * row + v * V::LEN * column), column, count),
                }
            };
        }
    }
}

/// An input of rows, times weights.
///
/// # Safety
/// There are the rows at `x`.
#[inline(always)]
unsafe fn add<V: Lanes, const ROWS: usize, const VECTORS: usize, const SPLIT: usize>(
    sums: &mut [[[V; VECTORS]; SPLIT]; ROWS],
    s: usize,
    x: *const V::Item,
    x_row: usize,
    w: [V; VECTORS],
) {
    for r in 0..ROWS {
        // SAFETY: the caller's.
        let x = V::splat(unsafe { *x.add(r * x_row) });
        for v in 0..VECTORS {
            sums[r][s][v] = x.fused(w[v], sums[r][s][v]);
        }
    }
}

/// Stores what has become of sums.
///
/// # Safety
/// Rows and first target are those of the job.
#[inline(always)]
pub(super) unsafe fn end<V: Lanes, const ROWS: usize, const VECTORS: usize, const SPLIT: usize>(
    job: &Job<V::Item>,
    sums: &[[[V; VECTORS]; SPLIT]; ROWS],
    first: usize,
    y: *mut V::Item,
) {
    let zero = V::splat(V::Item::default());
    let (floor, column) = (V::splat(job.floor), job.to_places.column);
    for v in 0..VECTORS {
        let target = first + v * V::LEN;
        if target >= job.targets {
            break;
        }
        let mut rows = [zero; ROWS];
        for r in 0..ROWS {
            let mut split = [zero; SPLIT];
            for s in 0..SPLIT {
                split[s] = sums[r][s][v];
            }
            rows[r] = joined(split).at_least(floor).plus(zero);
        }
        let count = V::LEN.min(job.targets - target);
        // SAFETY: only targets of the job are written.
        unsafe {
            store(
                rows,
                y.add(v * V::LEN * column),
                (job.to_places.row, column),
                count,
            )
        };
    }
}

/// Stores the first `count` targets of rows.
///
/// # Safety
/// There is room for them.
#[inline(always)]
unsafe fn store<V: Lanes, const ROWS: usize>(
    rows: [V; ROWS],
    y: *mut V::Item,
    (y_row, y_column): (usize, usize),
    count: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        if y_column == 1 {
            for (r, row) in rows.into_iter().enumerate() {
                match count == V::LEN {
                    true => row.store(y.add(r * y_row)),
                    false => row.store_part(y.add(r * y_row), count),
                }
            }
        } else if y_row == 1 && ROWS.is_multiple_of(4) {
            for r in (0..ROWS).step_by(4) {
                let four = [rows[r], rows[r + 1], rows[r + 2], rows[r + 3]];
                V::store_turned(four, y.add(r), y_column, count);
            }
        } else {
            for (r, row) in rows.into_iter().enumerate() {
                row.scatter(y.add(r * y_row), y_column, count);
            }
        }
    }
}

/// `VECTORS` registers of rows, or what is left: registers hold rows, `TARGETS` targets at once. Gives the number of rows.
///
/// # Safety
/// The rows are rows of the job; numbers of a column stand together.
#[inline(always)]
unsafe fn by_row<V: Lanes, const VECTORS: usize, const TARGETS: usize, const SPLIT: usize>(
    job: &Job<V::Item>,
    row: usize,
) -> usize {
    let rows = (VECTORS * V::LEN).min(job.rows - row);
    let (x_column, y_column) = (job.from_places.column, job.to_places.column);
    let zero = V::splat(V::Item::default());
    // SAFETY: all places are of rows and targets of the job; a panel has room for whole tiles of targets.
    unsafe {
        let (x, y) = (job.from.add(row), job.to.add(row));
        let mut first = 0;
        while first < job.targets {
            let weights = job.weights;
            let weights = weights.add(first / PANEL * job.inputs * PANEL + first % PANEL);
            let mut sums = [[[zero; VECTORS]; SPLIT]; TARGETS];
            for (t, sums) in sums.iter_mut().enumerate() {
                let target = first + t;
                for v in 0..VECTORS {
                    sums[0][v] = match job.begin {
                        Begin::Bias => V::splat(job.bias[target]),
                        Begin::There if target < job.targets => {
                            load(y.add(target * y_column), v, rows)
                        }
                        Begin::There => zero,
                    };
                }
            }
            let (mut k, last) = job.terms;
            while k < last {
                for s in 0..SPLIT {
                    if SPLIT > 1 && k + s >= last {
                        break;
                    }
                    let (x, weights) = (x.add((k + s) * x_column), weights.add((k + s) * PANEL));
                    let mut now = [zero; VECTORS];
                    for v in 0..VECTORS {
                        now[v] = load(x, v, rows);
                    }
                    for t in 0..TARGETS {
                        let w = V::splat(*weights.add(t));
                        for v in 0..VECTORS {
                            sums[t][s][v] = now[v].fused(w, sums[t][s][v]);
                        }
                    }
                }
                k += SPLIT;
            }
            let floor = V::splat(job.floor);
            for t in 0..TARGETS {
                if first + t < job.targets {
                    let y = y.add((first + t) * y_column);
                    for v in 0..VECTORS {
                        let mut split = [zero; SPLIT];
                        for s in 0..SPLIT {
                            split[s] = sums[t][s][v];
                        }
                        let sum = joined(split).at_least(floor).plus(zero);
                        let here = rows.saturating_sub(v * V::LEN);
                        match here >= V::LEN {
                            true => sum.store(y.add(v * V::LEN)),
                            false => sum.store_part(y.wrapping_add(v * V::LEN), here),
                        }
                    }
                }
            }
            first += TARGETS;
        }
    }
    rows
}

/// Register `v` of `rows` numbers.
///
/// # Safety
/// There are the numbers at `from`.
#[inline(always)]
unsafe fn load<V: Lanes>(from: *const V::Item, v: usize, rows: usize) -> V {
    let here = rows.saturating_sub(v * V::LEN);
    // SAFETY: no more than `rows` numbers are read.
    unsafe {
        match here >= V::LEN {
            true => V::load(from.add(v * V::LEN)),
            false => V::load_part(from.wrapping_add(v * V::LEN), here),
        }
    }
}

const _: () = assert!(PANEL.is_multiple_of(BLOCK));
