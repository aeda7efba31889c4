//! Many rows through the ranked trees of [`super::ranked`], two trees at a time: a named kernel module.
//!
//! The registers hold rows here, a byte a row, where `ranked_walk.rs` has trees. Every branch of a tree is asked for all
//! rows of a tile at once; what changes from branch to branch is the same for all rows.
//!
//! ```text
//! ranks[view]   [r0 r1 r2 r3 ...]   of each row          branch: view, rank, leaf, second
//! at            [a0 a1 a2 a3 ...]   its leaf so far      at = second  where  ranks[view] >= rank  and  at == leaf
//! ```
//!
//! A branch costs two comparisons and a move a register of rows, whatever the rows are. Two trees side by side fill the
//! time in which one of them waits for its last instruction.
#![allow(
    unsafe_code,
    reason = "instructions that the processor was asked for, loads and stores of whole registers"
)]

use super::ranked_walk::Cuts;
use crate::cpu::Cpu;

/// Rows that go through the trees together.
pub(super) const TILE: usize = 128;
/// Rows in a register.
const LANES: usize = 64;
/// Leaves of a tree whose weights fit into registers.
pub(super) const FEW_LEAVES: usize = 64;
/// Leaves that a byte can number. The last number is nobody's.
pub(super) const MOST_LEAVES: usize = 255;

/// A byte for each row: the ranks of a view, or leaves.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Rows(pub [u8; TILE]);

impl Rows {
    pub const ZERO: Self = Self([0; TILE]);
}

/// A branch, its bytes four times each: as a word they are copied all over a register by the load itself.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub(super) struct Branch {
    view: u32,
    rank: u32,
    leaf: u32,
    second: u32,
}

impl Branch {
    /// No row stands at its leaf.
    pub const NONE: Self = Self::new(0, 0, u8::MAX, 0);

    /// The branch at `leaf` whose test holds below `rank`, and which otherwise leads to `second`.
    pub const fn new(view: u8, rank: u8, leaf: u8, second: u8) -> Self {
        Self {
            view: view as u32,
            rank: u32::from_ne_bytes([rank; 4]),
            leaf: u32::from_ne_bytes([leaf; 4]),
            second: u32::from_ne_bytes([second; 4]),
        }
    }
}

/// The weights of the leaves of a tree, filled up.
#[derive(Clone, Copy)]
pub(super) enum Weights<'a> {
    Few(&'a [f32; FEW_LEAVES]),
    Many(&'a [f32; MOST_LEAVES + 1]),
}

/// Ranks the rows of `x`, at most a tile, for each view.
pub(super) fn rank(cpu: Cpu, cuts: &[Cuts], x: &[f32], to: &mut [Rows]) {
    match cpu {
        // SAFETY: the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx512 => unsafe { x86::rank_avx512(cuts, x, to) },
        // SAFETY: the processor has the instructions.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx2 => unsafe { x86::rank_avx2(cuts, x, to) },
        _ => plain_rank(cuts, x, to),
    }
}

/// The leaves of two trees to which the first `n` rows of a tile come.
pub(super) fn walk(cpu: Cpu, n: usize, ranks: &[Rows], branches: &[[Branch; 2]]) -> [Rows; 2] {
    match cpu {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions.
        Cpu::Avx512 => unsafe {
            if n <= LANES {
                x86::walk_avx512::<1>(ranks, branches)
            } else {
                x86::walk_avx512::<2>(ranks, branches)
            }
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions.
        Cpu::Avx2 => unsafe { x86::walk_avx2(n, ranks, branches) },
        _ => plain_walk(n, ranks, branches),
    }
}

/// Adds the weights of the rows' leaves to their sums, for the first `n` rows of a tile.
pub(super) fn add(cpu: Cpu, n: usize, leaves: &Rows, weights: Weights, sums: &mut [f32; TILE]) {
    match (cpu, weights) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions.
        (Cpu::Avx512, Weights::Few(weights)) => unsafe {
            x86::add_avx512(n, leaves, weights, sums);
        },
        (_, Weights::Few(weights)) => {
            for (sum, &leaf) in sums.iter_mut().zip(&leaves.0).take(n) {
                *sum += weights[usize::from(leaf) % FEW_LEAVES];
            }
        }
        (_, Weights::Many(weights)) => {
            for (sum, &leaf) in sums.iter_mut().zip(&leaves.0).take(n) {
                *sum += weights[usize::from(leaf)];
            }
        }
    }
}

#[inline(always)]
fn plain_rank(cuts: &[Cuts], x: &[f32], to: &mut [Rows]) {
    let width = cuts.len();
    for (view, (cuts, to)) in cuts.iter().zip(to).enumerate() {
        for (x, to) in x.chunks_exact(width).zip(&mut to.0) {
            *to = cuts.rank(x[view]);
        }
    }
}

fn plain_walk(n: usize, ranks: &[Rows], branches: &[[Branch; 2]]) -> [Rows; 2] {
    /// What the compiler keeps in registers.
    const PART: usize = 32;
    let mut leaves = [Rows::ZERO; 2];
    for part in 0..n.div_ceil(PART) {
        let mut at = [[0u8; PART]; 2];
        for branches in branches {
            for (at, branch) in at.iter_mut().zip(branches) {
                let ranks = &ranks[branch.view as usize].0.as_chunks::<PART>().0[part];
                let [rank, leaf, second] =
                    [branch.rank, branch.leaf, branch.second].map(|word| word as u8);
                for (at, &r) in at.iter_mut().zip(ranks) {
                    let moves = (r >= rank) & (*at == leaf);
                    *at = if moves { second } else { *at };
                }
            }
        }
        for (leaves, at) in leaves.iter_mut().zip(at) {
            leaves.0.as_chunks_mut::<PART>().0[part] = at;
        }
    }
    leaves
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::ranked_walk::x86::rank;
    use super::{Branch, Cuts, FEW_LEAVES, LANES, Rows, TILE, plain_rank};

    #[target_feature(enable = "avx2")]
    pub fn rank_avx2(cuts: &[Cuts], x: &[f32], to: &mut [Rows]) {
        plain_rank(cuts, x, to);
    }

    /// Bytes in a register of AVX2.
    const HALF: usize = LANES / 2;

    #[target_feature(enable = "avx2")]
    pub fn walk_avx2(n: usize, ranks: &[Rows], branches: &[[Branch; 2]]) -> [Rows; 2] {
        let mut leaves = [Rows::ZERO; 2];
        for part in 0..n.div_ceil(LANES) {
            // More registers would not fit.
            let mut at = [[_mm256_setzero_si256(); 2]; 2];
            for branches in branches {
                for (at, branch) in at.iter_mut().zip(branches) {
                    let ranks = &ranks[branch.view as usize].0.as_chunks::<LANES>().0[part];
                    let rank = _mm256_set1_epi32(branch.rank as i32);
                    let leaf = _mm256_set1_epi32(branch.leaf as i32);
                    let second = _mm256_set1_epi32(branch.second as i32);
                    for (at, ranks) in at.iter_mut().zip(ranks.as_chunks::<HALF>().0) {
                        // SAFETY: both are 32 bytes.
                        let ranks = unsafe { _mm256_loadu_si256(ranks.as_ptr().cast()) };
                        let fails = _mm256_cmpeq_epi8(_mm256_max_epu8(ranks, rank), ranks);
                        let moves = _mm256_and_si256(fails, _mm256_cmpeq_epi8(*at, leaf));
                        *at = _mm256_blendv_epi8(*at, second, moves);
                    }
                }
            }
            for (leaves, at) in leaves.iter_mut().zip(at) {
                let leaves = &mut leaves.0.as_chunks_mut::<LANES>().0[part];
                for (leaves, at) in leaves.as_chunks_mut::<HALF>().0.iter_mut().zip(at) {
                    // SAFETY: both are 32 bytes.
                    unsafe { _mm256_storeu_si256(leaves.as_mut_ptr().cast(), at) };
                }
            }
        }
        leaves
    }

    #[target_feature(enable = "avx512f,avx512bw,popcnt")]
    pub fn rank_avx512(cuts: &[Cuts], x: &[f32], to: &mut [Rows]) {
        let width = cuts.len();
        for (view, (cuts, to)) in cuts.iter().zip(to).enumerate() {
            let ranked = match cuts.few() {
                Some(few) => rank_few(few, x, width, view, to),
                None => 0,
            };
            let rest = x.chunks_exact(width).zip(&mut to.0);
            for (x, to) in rest.skip(ranked) {
                *to = rank(cuts, x[view]);
            }
        }
    }

    /// Ranks 16 rows at once for a view with few cuts; says how many rows.
    #[target_feature(enable = "avx512f")]
    fn rank_few(cuts: &[f32], x: &[f32], width: usize, view: usize, to: &mut Rows) -> usize {
        const PART: usize = 16;
        assert!(view < width && x.len() <= TILE * width);
        let places: [i32; PART] = std::array::from_fn(|row| (row * width) as i32);
        // SAFETY: 16 integers are 64 bytes.
        let places = unsafe { _mm512_loadu_si512(places.as_ptr().cast()) };
        let parts = x
            .chunks_exact(PART * width)
            .zip(to.0.as_chunks_mut::<PART>().0);
        let mut ranked = 0;
        for (x, to) in parts {
            // SAFETY: `x` has 16 rows of `width` values, and `view` is one of them.
            let x = unsafe { _mm512_i32gather_ps::<4>(places, x.as_ptr().add(view)) };
            let mut rank = _mm512_setzero_si512();
            for cut in cuts {
                let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(_mm512_set1_ps(*cut), x);
                rank = _mm512_mask_add_epi32(rank, below, rank, _mm512_set1_epi32(1));
            }
            let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
            let rank = _mm512_mask_mov_epi32(rank, is_nan, _mm512_set1_epi32(u8::MAX.into()));
            // SAFETY: both are 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(rank)) };
            ranked += PART;
        }
        ranked
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn walk_avx512<const REGISTERS: usize>(
        ranks: &[Rows],
        branches: &[[Branch; 2]],
    ) -> [Rows; 2] {
        let mut at = [[_mm512_setzero_si512(); REGISTERS]; 2];
        for branches in branches {
            for (at, branch) in at.iter_mut().zip(branches) {
                let ranks = &ranks[branch.view as usize].0;
                let rank = _mm512_set1_epi32(branch.rank as i32);
                let leaf = _mm512_set1_epi32(branch.leaf as i32);
                let second = _mm512_set1_epi32(branch.second as i32);
                for (at, ranks) in at.iter_mut().zip(ranks.as_chunks::<LANES>().0) {
                    // SAFETY: both are 64 bytes.
                    let ranks = unsafe { _mm512_loadu_si512(ranks.as_ptr().cast()) };
                    let fails = _mm512_cmpge_epu8_mask(ranks, rank);
                    let moves = _mm512_mask_cmpeq_epu8_mask(fails, *at, leaf);
                    *at = _mm512_mask_mov_epi8(*at, moves, second);
                }
            }
        }
        at.map(|at| {
            let mut leaves = Rows::ZERO;
            for (at, leaves) in at.iter().zip(leaves.0.as_chunks_mut::<LANES>().0) {
                // SAFETY: both are 64 bytes.
                unsafe { _mm512_storeu_si512(leaves.as_mut_ptr().cast(), *at) };
            }
            leaves
        })
    }

    /// All weights are in registers: 16 rows take theirs with two shuffles.
    #[target_feature(enable = "avx512f")]
    pub fn add_avx512(
        n: usize,
        leaves: &Rows,
        weights: &[f32; FEW_LEAVES],
        sums: &mut [f32; TILE],
    ) {
        const PART: usize = 16;
        // SAFETY: 16 floats are 64 bytes.
        let load = |part: &[f32; PART]| unsafe { _mm512_loadu_ps(part.as_ptr()) };
        let weights = weights.as_chunks::<PART>().0;
        let (first, second) = (load(&weights[0]), load(&weights[1]));
        let (third, fourth) = (load(&weights[2]), load(&weights[3]));
        let parts = leaves
            .0
            .as_chunks::<PART>()
            .0
            .iter()
            .zip(sums.as_chunks_mut::<PART>().0);
        for (leaves, sums) in parts.take(n.div_ceil(PART)) {
            // SAFETY: both are 16 bytes.
            let leaves = unsafe { _mm_loadu_si128(leaves.as_ptr().cast()) };
            let leaves = _mm512_cvtepu8_epi32(leaves);
            let low = _mm512_permutex2var_ps(first, leaves, second);
            let high = _mm512_permutex2var_ps(third, leaves, fourth);
            let is_high = _mm512_test_epi32_mask(leaves, _mm512_set1_epi32(32));
            let weights = _mm512_mask_blend_ps(is_high, low, high);
            let sum = _mm512_add_ps(load(sums), weights);
            // SAFETY: both are 16 floats.
            unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), sum) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what [`walk`] means: row by row, tree by tree.
    fn leaf(row: usize, ranks: &[Rows], branches: &[[Branch; 2]], tree: usize) -> u8 {
        let mut at = 0;
        for branch in branches.iter().map(|branches| &branches[tree]) {
            let rank = ranks[branch.view as usize].0[row];
            if at == branch.leaf as u8 && rank >= branch.rank as u8 {
                at = branch.second as u8;
            }
        }
        at
    }

    #[test]
    fn every_form_comes_to_the_same_leaves_and_sums() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u8
        };
        for count in [0, 1, 2, 40, 254] {
            let ranks: Vec<Rows> = (0..256)
                .map(|_| Rows(std::array::from_fn(|_| next())))
                .collect();
            let branch = |i: usize, next: &mut dyn FnMut() -> u8| {
                // Somebody stands at these leaves: they have been a second one before.
                let leaf = if i == 0 { 0 } else { next() % i as u8 };
                Branch::new(next(), next(), leaf, i as u8 + 1)
            };
            let branches: Vec<[Branch; 2]> = (0..count)
                .map(|i| [branch(i, &mut next), branch(i, &mut next)])
                .collect();
            let few: [f32; FEW_LEAVES] = std::array::from_fn(|_| f32::from(next()) * 0.1);
            let many: [f32; MOST_LEAVES + 1] = std::array::from_fn(|_| f32::from(next()) * 0.1);
            for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
                if cpu > Cpu::detected() {
                    continue;
                }
                for n in [1, 31, 32, 33, 64, 65, TILE] {
                    let leaves = walk(cpu, n, &ranks, &branches);
                    for row in 0..n {
                        for tree in 0..2 {
                            let expected = leaf(row, &ranks, &branches, tree);
                            let ours = leaves[tree].0[row];
                            assert_eq!(
                                ours, expected,
                                "{cpu:?}, {count} branches, row {row} of {n}"
                            );
                        }
                    }
                    let start = 0.3;
                    let (mut of_few, mut of_many) = ([start; TILE], [start; TILE]);
                    let small = Rows(leaves[0].0.map(|leaf| leaf % FEW_LEAVES as u8));
                    add(cpu, n, &small, Weights::Few(&few), &mut of_few);
                    add(cpu, n, &leaves[0], Weights::Many(&many), &mut of_many);
                    for row in 0..n {
                        let expected = start + few[usize::from(small.0[row])];
                        assert_eq!(
                            of_few[row].to_bits(),
                            expected.to_bits(),
                            "{cpu:?}, {n} rows"
                        );
                        let expected = start + many[usize::from(leaves[0].0[row])];
                        assert_eq!(
                            of_many[row].to_bits(),
                            expected.to_bits(),
                            "{cpu:?}, {n} rows"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_form_ranks_alike() {
        let numbers = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
            0.0,
            1e-40,
            3.5,
            99.0,
        ];
        for count in [0, 1, 16, 200, 255] {
            let values: Vec<f32> = (0..count).map(|i| i as f32 * 0.5 - 20.0).collect();
            let cuts: Vec<Cuts> = (0..3).map(|_| Cuts::of(&values)).collect();
            for n in [1, 17, TILE] {
                let x: Vec<f32> = (0..3 * n)
                    .map(|i| {
                        if i % 3 == 0 {
                            numbers[i % 8]
                        } else {
                            i as f32 * 0.25 - 21.0
                        }
                    })
                    .collect();
                for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
                    if cpu > Cpu::detected() {
                        continue;
                    }
                    let mut ranks = [Rows::ZERO; 3];
                    rank(cpu, &cuts, &x, &mut ranks);
                    for (i, &x) in x.iter().enumerate() {
                        let below = values.iter().filter(|&&cut| cut < x).count();
                        let expected = if x.is_nan() { 255 } else { below };
                        let ours = ranks[i % 3].0[i / 3];
                        assert_eq!(usize::from(ours), expected, "{cpu:?}, {count} cuts, {x}");
                    }
                }
            }
        }
    }
}
