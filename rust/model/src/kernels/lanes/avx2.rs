//! Registers of AVX2. Every method is an instruction or a few, which its user has asked the processor for.

use std::arch::x86_64::*;

use super::{Floats, Lanes, WHOLE};

/// 8 floats of AVX2.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(pub(super) __m256);

/// The first `len` numbers of 8.
#[inline(always)]
fn mask(len: usize) -> __m256i {
    const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    debug_assert!(len <= 8);
    // SAFETY: eight numbers from a place between the first and the ninth.
    unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - len).cast()) }
}

impl Lanes for F32x8 {
    type Item = f32;
    const LEN: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm256_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, len: usize) -> Self {
        // SAFETY: what is masked is not read.
        Self(unsafe { _mm256_maskload_ps(from, mask(len)) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, len: usize) {
        // SAFETY: what is masked is not written.
        unsafe { _mm256_maskstore_ps(to, mask(len), self.0) }
    }
    #[inline(always)]
    unsafe fn store_turned(rows: [Self; 4], to: *mut f32, stride: usize, len: usize) {
        // SAFETY: the caller's: columns below `len` are written, four numbers of each.
        unsafe {
            let [Self(a), Self(b), Self(c), Self(d)] = rows;
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (low2, high2) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let (x, y) = (_mm256_castps_pd(low), _mm256_castps_pd(low2));
            let (z, w) = (_mm256_castps_pd(high), _mm256_castps_pd(high2));
            // Half h of the register c: column 4 h + c.
            let columns = [
                _mm256_castpd_ps(_mm256_unpacklo_pd(x, y)),
                _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)),
                _mm256_castpd_ps(_mm256_unpacklo_pd(z, w)),
                _mm256_castpd_ps(_mm256_unpackhi_pd(z, w)),
            ];
            for (c, column) in columns.into_iter().enumerate() {
                if c < len {
                    _mm_storeu_ps(to.add(c * stride), _mm256_castps256_ps128(column));
                }
                if 4 + c < len {
                    let high = _mm256_extractf128_ps(column, 1);
                    _mm_storeu_ps(to.add((4 + c) * stride), high);
                }
            }
        }
    }

    instructions! {
        plus(other) = _mm256_add_ps;
        minus(other) = _mm256_sub_ps;
        times(other) = _mm256_mul_ps;
        fused(weight, sum) = _mm256_fmadd_ps;
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        // The second operand where one of them is NaN.
        // SAFETY: see the module.
        Self(unsafe { _mm256_max_ps(floor.0, self.0) })
    }
    #[inline(always)]
    fn joined(self) -> f32 {
        // SAFETY: see the module.
        unsafe {
            let high = _mm256_extractf128_ps(self.0, 1);
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), high);
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn nonzero(self) -> u32 {
        // SAFETY: see the module.
        unsafe {
            let differ = _mm256_cmp_ps::<_CMP_NEQ_UQ>(self.0, _mm256_setzero_ps());
            _mm256_movemask_ps(differ) as u32
        }
    }
}

impl Floats for F32x8 {
    instructions! {
        over(other) = _mm256_div_ps;
        root() = _mm256_sqrt_ps;
    }
    #[inline(always)]
    fn at_most(self, top: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm256_min_ps(top.0, self.0) })
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see the module.
        unsafe {
            let high = _mm256_extractf128_ps(self.0, 1);
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), high);
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn if_negative(self, negative: Self, other: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe {
            let below = _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, _mm256_setzero_ps());
            _mm256_blendv_ps(other.0, negative.0, below)
        })
    }
    #[inline(always)]
    fn signed(self, sign: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe {
            let bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(self.0, _mm256_and_ps(sign.0, bit))
        })
    }
    #[inline(always)]
    fn scaled(self, k: Self) -> Self {
        // In two factors: 2^-150 is no float.
        let c = Self::splat;
        let half = k.times(c(0.5)).plus(c(WHOLE));
        let rest = k.minus(half.minus(c(WHOLE))).plus(c(WHOLE));
        // SAFETY: see the module.
        let power = |k: Self| unsafe {
            let biased = _mm256_add_epi32(_mm256_castps_si256(k.0), _mm256_set1_epi32(127));
            Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
        };
        self.times(power(half)).times(power(rest))
    }
}
