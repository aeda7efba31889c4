//! Ranks and leaves of [`super::ranked`]: a named kernel module. Both forms of each give the same bytes; the plain ones
//! say what is meant, and are slower than other kernels.
#![allow(
    unsafe_code,
    reason = "instructions that the processor is asked for first, and loads of whole registers"
)]

use crate::cpu::Cpu;

/// Bytes in a register: trees, or views.
pub(super) const LANES: usize = 64;
/// The most views: two registers are shuffled as one.
pub(super) const MOST_VIEWS: usize = 2 * LANES;
/// Trees with more leaves are better walked when there is one row.
pub(super) const MOST_LEAVES: usize = 128;
/// Registers of trees that are walked at once: one alone would wait for its last instruction.
pub(super) const GROUPS: usize = 2;
/// Cuts in a register.
const BLOCK: usize = 16;

/// A byte for each tree of a register.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub [u8; LANES]);

/// The rank of each view of a row.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Ranks([u8; MOST_VIEWS]);

/// One branch of each tree of a register.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branches {
    /// What it reads.
    pub view: Lanes,
    /// Its test holds below this rank.
    pub rank: Lanes,
    /// The first leaf below it.
    pub leaf: Lanes,
    /// The first leaf below its second child.
    pub second: Lanes,
}

impl Branches {
    /// Of no tree.
    pub const NONE: Self = Self {
        view: Lanes([0; LANES]),
        rank: Lanes([0; LANES]),
        leaf: Lanes([u8::MAX; LANES]),
        second: Lanes([0; LANES]),
    };
}

/// The cuts of a view in ascending order, at most 255, filled up with infinity.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Cuts {
    /// The last of each block.
    last: [f32; BLOCK],
    blocks: [[f32; BLOCK]; BLOCK],
    count: usize,
}

impl Cuts {
    pub fn of(cuts: &[f32]) -> Self {
        let mut blocks = [[f32::INFINITY; BLOCK]; BLOCK];
        blocks.as_flattened_mut()[..cuts.len()].copy_from_slice(cuts);
        Self {
            last: blocks.map(|block| block[BLOCK - 1]),
            blocks,
            count: cuts.len(),
        }
    }

    /// All of them, where they are few.
    pub fn few(&self) -> Option<&[f32]> {
        self.blocks[0].get(..self.count)
    }

    /// How many cuts are below `x`, 255 for NaN.
    #[inline(always)]
    pub fn rank(&self, x: f32) -> u8 {
        let below = |cuts: &[f32; BLOCK]| cuts.iter().map(|&cut| u32::from(cut < x)).sum::<u32>();
        // The last cut of the last block is infinity, and nothing is above: there is a block.
        let block = below(&self.last) as usize;
        let rank = BLOCK as u32 * block as u32 + below(&self.blocks[block % BLOCK]);
        if x.is_nan() { u8::MAX } else { rank as u8 }
    }
}

/// The rank of each value of the row `x`, in the order of `cuts`.
pub(super) fn ranks(cpu: Cpu, cuts: &[Cuts], x: &[f32]) -> Ranks {
    #[cfg(target_arch = "x86_64")]
    if cpu == Cpu::Avx512 {
        // SAFETY: the processor has the instructions.
        return unsafe { x86::ranks(cuts, x) };
    }
    plain_ranks(cuts, x)
}

/// The leaf that each tree comes to, of a row of `views` views; `branches` in the order of the trees.
pub(super) fn leaves(
    cpu: Cpu,
    views: usize,
    ranks: &Ranks,
    branches: &[[Branches; GROUPS]],
) -> [Lanes; GROUPS] {
    #[cfg(target_arch = "x86_64")]
    if cpu == Cpu::Avx512 {
        // SAFETY: the processor has the instructions.
        return unsafe {
            if views <= LANES {
                x86::leaves::<false>(ranks, branches)
            } else {
                x86::leaves::<true>(ranks, branches)
            }
        };
    }
    plain_leaves(ranks, branches)
}

fn plain_ranks(cuts: &[Cuts], x: &[f32]) -> Ranks {
    let mut ranks = Ranks([0; MOST_VIEWS]);
    for ((rank, cuts), &x) in ranks.0.iter_mut().zip(cuts).zip(x) {
        *rank = cuts.rank(x);
    }
    ranks
}

fn plain_leaves(ranks: &Ranks, branches: &[[Branches; GROUPS]]) -> [Lanes; GROUPS] {
    let mut at = [Lanes([0; LANES]); GROUPS];
    for branches in branches {
        for (at, branch) in at.iter_mut().zip(branches) {
            for (lane, at) in at.0.iter_mut().enumerate() {
                let rank = ranks.0[usize::from(branch.view.0[lane])];
                if rank >= branch.rank.0[lane] && *at == branch.leaf.0[lane] {
                    *at = branch.second.0[lane];
                }
            }
        }
    }
    at
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Branches, Cuts, GROUPS, LANES, Lanes, MOST_VIEWS, Ranks};

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
    pub fn ranks(cuts: &[Cuts], x: &[f32]) -> Ranks {
        let mut ranks = Ranks([0; MOST_VIEWS]);
        for ((to, cuts), &x) in ranks.0.iter_mut().zip(cuts).zip(x) {
            *to = rank(cuts, x);
        }
        ranks
    }

    /// [`Cuts::rank`]
    #[inline]
    #[target_feature(enable = "avx512f,popcnt")]
    pub fn rank(cuts: &Cuts, x: f32) -> u8 {
        let block = count(&cuts.last, x) as usize;
        let below = BLOCK * block + count(&cuts.blocks[block % BLOCK], x) as usize;
        if x.is_nan() { u8::MAX } else { below as u8 }
    }

    /// How many cuts are below `x`.
    #[inline]
    #[target_feature(enable = "avx512f,popcnt")]
    fn count(cuts: &[f32; BLOCK], x: f32) -> u32 {
        // SAFETY: both are 64 bytes, and the load need not be aligned.
        let cuts = unsafe { _mm512_loadu_ps(cuts.as_ptr()) };
        _mm512_cmp_ps_mask::<_CMP_LT_OQ>(cuts, _mm512_set1_ps(x)).count_ones()
    }

    /// With `WIDE`, the second half of the ranks counts, too; that shuffle takes longer.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub fn leaves<const WIDE: bool>(
        ranks: &Ranks,
        branches: &[[Branches; GROUPS]],
    ) -> [Lanes; GROUPS] {
        let (first, second) = ranks.0.split_at(LANES);
        let (first, second) = (load(first), load(second));
        let mut at = [_mm512_setzero_si512(); GROUPS];
        for branches in branches {
            for (at, branch) in at.iter_mut().zip(branches) {
                let view = load(&branch.view.0);
                let rank = if WIDE {
                    _mm512_permutex2var_epi8(first, view, second)
                } else {
                    _mm512_permutexvar_epi8(view, first)
                };
                let fails = _mm512_cmpge_epu8_mask(rank, load(&branch.rank.0));
                let moves = _mm512_mask_cmpeq_epu8_mask(fails, *at, load(&branch.leaf.0));
                *at = _mm512_mask_mov_epi8(*at, moves, load(&branch.second.0));
            }
        }
        at.map(|at| {
            let mut leaves = Lanes([0; LANES]);
            // SAFETY: both are 64 bytes, and aligned.
            unsafe { _mm512_store_si512(leaves.0.as_mut_ptr().cast(), at) };
            leaves
        })
    }

    #[target_feature(enable = "avx512f")]
    fn load(bytes: &[u8]) -> __m512i {
        let bytes = &bytes[..LANES];
        // SAFETY: both are 64 bytes, and the load need not be aligned.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_give_the_same_ranks_and_leaves() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u8
        };
        for count in [0, 1, 15, 16, 17, 200, 255] {
            let mut cuts: Vec<f32> = (0..count).map(|i| i as f32 * 0.5 - 20.0).collect();
            if let Some(last) = cuts.last_mut() {
                *last = f32::INFINITY;
            }
            let cuts: Vec<Cuts> = (0..MOST_VIEWS).map(|_| Cuts::of(&cuts)).collect();
            let mut x: Vec<f32> = (0..MOST_VIEWS)
                .map(|_| f32::from(next()) * 0.5 - 20.0)
                .collect();
            x[..5].copy_from_slice(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-40]);
            let ranks = ranks(Cpu::detected(), &cuts, &x);
            assert_eq!(ranks.0, plain_ranks(&cuts, &x).0, "{count} cuts");
            for ((rank, cuts), &x) in ranks.0.iter().zip(&cuts).zip(&x) {
                let below = cuts.blocks.as_flattened().iter().filter(|&&cut| cut < x);
                let expected = if x.is_nan() { 255 } else { below.count() };
                assert_eq!(usize::from(*rank), expected, "{count} cuts, {x}");
            }

            for views in [LANES, MOST_VIEWS] {
                let mut lanes = |below: u8| Lanes(std::array::from_fn(|_| next() % below));
                let branches: Vec<[Branches; GROUPS]> = (0..count)
                    .map(|_| {
                        std::array::from_fn(|_| Branches {
                            view: lanes(views as u8),
                            rank: lanes(u8::MAX),
                            leaf: lanes(4),
                            second: lanes(4),
                        })
                    })
                    .collect();
                let ours = leaves(Cpu::detected(), views, &ranks, &branches);
                let plain = plain_leaves(&ranks, &branches);
                assert_eq!(
                    ours.map(|lanes| lanes.0),
                    plain.map(|lanes| lanes.0),
                    "{count} branches, {views} views"
                );
            }
        }
    }
}
