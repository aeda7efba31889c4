//! What is in a register: floats, doubles or integers, one at a time.

#[cfg(target_arch = "x86_64")]
use super::{F32x8, F32x16, Lanes, Plain};
use crate::memory::Cell;

/// A number that products are summed of.
pub(crate) trait Number: Cell {
    /// Nothing is below.
    const LEAST: Self;
    /// Registers of AVX-512 and of AVX2. What networks are not made of has arrays, in which the compiler finds them.
    #[cfg(target_arch = "x86_64")]
    type Lanes512: Lanes<Item = Self>;
    #[cfg(target_arch = "x86_64")]
    type Lanes256: Lanes<Item = Self>;

    /// `self * weight + sum`, rounded once; integers wrap.
    fn fused(self, weight: Self, sum: Self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

impl Number for f32 {
    const LEAST: Self = f32::NEG_INFINITY;
    #[cfg(target_arch = "x86_64")]
    type Lanes512 = F32x16;
    #[cfg(target_arch = "x86_64")]
    type Lanes256 = F32x8;

    #[inline(always)]
    fn fused(self, weight: f32, sum: f32) -> f32 {
        fused(self, weight, sum)
    }
    #[inline(always)]
    fn plus(self, other: f32) -> f32 {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: f32) -> f32 {
        self - other
    }
    #[inline(always)]
    fn times(self, other: f32) -> f32 {
        self * other
    }
}

/// `a * b + c`, rounded once, without a call of the C library, which is what `mul_add` is in portable builds.
///
/// A product of two floats is exact in f64. The sum is rounded to odd there, so that rounding it once more is right.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "aarch64") {
        // Every processor of this architecture has the instruction.
        return a.mul_add(b, c);
    }
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    let back = sum - product;
    let lost = (product - (sum - back)) + (c - back);
    // The last bit says that something was lost; where it has the other sign, the sum is one step too far from zero.
    let (above, below) = (lost > 0.0, lost < 0.0);
    let inexact = u64::from(above | below);
    let too_far = inexact & (u64::from(below) ^ sum.to_bits() >> 63);
    f64::from_bits(sum.to_bits().wrapping_sub(too_far) | inexact) as f32
}

impl Number for f64 {
    const LEAST: Self = f64::NEG_INFINITY;
    #[cfg(target_arch = "x86_64")]
    type Lanes512 = Plain<f64>;
    #[cfg(target_arch = "x86_64")]
    type Lanes256 = Plain<f64>;

    #[inline(always)]
    fn fused(self, weight: f64, sum: f64) -> f64 {
        self.mul_add(weight, sum)
    }
    #[inline(always)]
    fn plus(self, other: f64) -> f64 {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: f64) -> f64 {
        self - other
    }
    #[inline(always)]
    fn times(self, other: f64) -> f64 {
        self * other
    }
}

impl Number for i64 {
    const LEAST: Self = i64::MIN;
    #[cfg(target_arch = "x86_64")]
    type Lanes512 = Plain<i64>;
    #[cfg(target_arch = "x86_64")]
    type Lanes256 = Plain<i64>;

    #[inline(always)]
    fn fused(self, weight: i64, sum: i64) -> i64 {
        self.wrapping_mul(weight).wrapping_add(sum)
    }
    #[inline(always)]
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn minus(self, other: i64) -> i64 {
        self.wrapping_sub(other)
    }
    #[inline(always)]
    fn times(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portable_fused_product_is_rounded_once() {
        let mut state = 1u64;
        let mut next = |mask: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f32::from_bits((state >> 32) as u32 & mask)
        };
        for mask in [u32::MAX, 0xBFFF_FFFF, 0xC3FF_FFFF, 0x807F_FFFF, 0xBFFF_F000] {
            for _ in 0..400_000 {
                let (a, b, c) = (next(mask), next(mask), next(mask));
                let (ours, exact) = (fused(a, b, c), a.mul_add(b, c));
                assert!(
                    ours.to_bits() == exact.to_bits() || ours.is_nan() && exact.is_nan(),
                    "{a:e} * {b:e} + {c:e} is {exact:e}, not {ours:e}"
                );
            }
        }
        let tiny = f32::MIN_POSITIVE;
        for (a, b, c) in [
            (1.0, 0.0, -0.0),
            (-1.0, 0.0, -0.0),
            (tiny, tiny, 1.0),
            (tiny, -tiny, 1.0),
            (1.5, 1.5, -2.25),
        ] {
            assert_eq!(fused(a, b, c).to_bits(), a.mul_add(b, c).to_bits());
        }
    }
}
