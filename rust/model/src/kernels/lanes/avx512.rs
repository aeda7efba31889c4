//! Registers of AVX-512. Every method is an instruction or a few, which its user has asked the processor for.

use std::arch::x86_64::*;

use super::avx2::F32x8;
use super::{Floats, Lanes};

/// 16 floats of AVX-512.
#[derive(Clone, Copy)]
pub(crate) struct F32x16(__m512);

/// The first `len` numbers of 16.
#[inline(always)]
fn first(len: usize) -> __mmask16 {
    ((1u32 << len) - 1) as __mmask16
}

impl Lanes for F32x16 {
    type Item = f32;
    const LEN: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, len: usize) -> Self {
        // SAFETY: what is masked is not read.
        Self(unsafe { _mm512_maskz_loadu_ps(first(len), from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, len: usize) {
        // SAFETY: what is masked is not written.
        unsafe { _mm512_mask_storeu_ps(to, first(len), self.0) }
    }
    #[inline(always)]
    unsafe fn store_turned(rows: [Self; 4], to: *mut f32, stride: usize, len: usize) {
        // SAFETY: the caller's: columns below `len` are written, four numbers of each.
        unsafe {
            let [Self(a), Self(b), Self(c), Self(d)] = rows;
            let (low, high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let (low2, high2) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            let (x, y) = (_mm512_castps_pd(low), _mm512_castps_pd(low2));
            let (z, w) = (_mm512_castps_pd(high), _mm512_castps_pd(high2));
            // Quarter q of the register c: column 4 q + c.
            let columns = [
                _mm512_castpd_ps(_mm512_unpacklo_pd(x, y)),
                _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)),
                _mm512_castpd_ps(_mm512_unpacklo_pd(z, w)),
                _mm512_castpd_ps(_mm512_unpackhi_pd(z, w)),
            ];
            for (c, column) in columns.into_iter().enumerate() {
                let quarters = [
                    _mm512_castps512_ps128(column),
                    _mm512_extractf32x4_ps(column, 1),
                    _mm512_extractf32x4_ps(column, 2),
                    _mm512_extractf32x4_ps(column, 3),
                ];
                for (q, quarter) in quarters.into_iter().enumerate() {
                    if 4 * q + c < len {
                        _mm_storeu_ps(to.add((4 * q + c) * stride), quarter);
                    }
                }
            }
        }
    }

    instructions! {
        plus(other) = _mm512_add_ps;
        minus(other) = _mm512_sub_ps;
        times(other) = _mm512_mul_ps;
        fused(weight, sum) = _mm512_fmadd_ps;
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        // The second operand where one of them is NaN.
        // SAFETY: see the module.
        Self(unsafe { _mm512_max_ps(floor.0, self.0) })
    }
    #[inline(always)]
    fn joined(self) -> f32 {
        // SAFETY: see the module.
        let halves = unsafe {
            let high = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0));
            (_mm512_castps512_ps256(self.0), _mm256_castpd_ps(high))
        };
        F32x8(halves.0).plus(F32x8(halves.1)).joined()
    }
    #[inline(always)]
    fn nonzero(self) -> u32 {
        // SAFETY: see the module.
        unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, _mm512_setzero_ps()).into() }
    }
}

impl Floats for F32x16 {
    instructions! {
        over(other) = _mm512_div_ps;
        root() = _mm512_sqrt_ps;
    }
    #[inline(always)]
    fn at_most(self, top: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm512_min_ps(top.0, self.0) })
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        // SAFETY: see the module.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: see the module.
        let (low, high) = unsafe {
            let high = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0));
            (_mm512_castps512_ps256(self.0), _mm256_castpd_ps(high))
        };
        F32x8(low).at_least(F32x8(high)).largest()
    }
    #[inline(always)]
    fn if_negative(self, negative: Self, other: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe {
            let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, _mm512_setzero_ps());
            _mm512_mask_blend_ps(below, other.0, negative.0)
        })
    }
    #[inline(always)]
    fn signed(self, sign: Self) -> Self {
        // SAFETY: see the module.
        Self(unsafe {
            let bit = _mm512_set1_epi32(i32::MIN);
            let sign = _mm512_and_epi32(_mm512_castps_si512(sign.0), bit);
            _mm512_castsi512_ps(_mm512_or_epi32(_mm512_castps_si512(self.0), sign))
        })
    }
    instructions! { scaled(k) = _mm512_scalef_ps; }
}
