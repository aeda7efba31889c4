//! Numbers side by side in a register, so that a kernel is written once for every processor: a named kernel module.
//!
//! A kernel is a generic function that is always inlined into one that asks for the instructions of its [`Lanes`]:
//! [`dispatch`] chooses that by the processor. All kinds of lanes compute the same bits.
#![allow(
    unsafe_code,
    reason = "instructions that the processor is asked for first, and loads and stores of whole registers"
)]

use crate::cpu::Cpu;
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
    type Lanes512 = x86::F32x16;
    #[cfg(target_arch = "x86_64")]
    type Lanes256 = x86::F32x8;

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
pub(crate) fn fused(a: f32, b: f32, c: f32) -> f32 {
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

/// Numbers side by side: 8 or 16.
pub(crate) trait Lanes: Copy {
    type Item: Number;
    const LEN: usize;
    /// How many the processor has; 0 where the compiler decides.
    const REGISTERS: usize;

    fn splat(x: Self::Item) -> Self;
    /// # Safety
    /// There are [`Self::LEN`] numbers at `from`.
    unsafe fn load(from: *const Self::Item) -> Self;
    /// Zero behind the first `len`, at most [`Self::LEN`].
    /// # Safety
    /// There are `len` numbers at `from`.
    unsafe fn load_part(from: *const Self::Item, len: usize) -> Self;
    /// # Safety
    /// There is room for [`Self::LEN`] numbers at `to`.
    unsafe fn store(self, to: *mut Self::Item);
    /// # Safety
    /// There is room for `len` numbers at `to`, at most [`Self::LEN`].
    unsafe fn store_part(self, to: *mut Self::Item, len: usize);
    /// Stores column after column: number `i` of `rows[r]` at `i * stride + r`, for `i` below `len`.
    /// # Safety
    /// There is room for that.
    #[inline(always)]
    unsafe fn store_turned(rows: [Self; 4], to: *mut Self::Item, stride: usize, len: usize) {
        for (r, row) in rows.into_iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { row.scatter(to.add(r), stride, len) };
        }
    }
    /// Stores number `i` at `i * stride`, for `i` below `len`.
    /// # Safety
    /// There is room for that.
    #[inline(always)]
    unsafe fn scatter(self, to: *mut Self::Item, stride: usize, len: usize) {
        let mut numbers = [Self::Item::default(); 16];
        // SAFETY: no lanes are more than 16; the caller's.
        unsafe {
            self.store(numbers.as_mut_ptr());
            for (i, number) in numbers[..len].iter().enumerate() {
                *to.add(i * stride) = *number;
            }
        }
    }
    /// Loads number `i` from `i * stride`, for `i` below `len`; zero behind.
    /// # Safety
    /// There are such numbers.
    #[inline(always)]
    unsafe fn gather(from: *const Self::Item, stride: usize, len: usize) -> Self {
        let mut numbers = [Self::Item::default(); 16];
        // SAFETY: no lanes are more than 16; the caller's.
        unsafe {
            for (i, number) in numbers[..len].iter_mut().enumerate() {
                *number = *from.add(i * stride);
            }
            Self::load(numbers.as_ptr())
        }
    }

    /// The first numbers of a slice, at most [`Self::LEN`]; zeros behind them.
    #[inline(always)]
    fn read(from: &[Self::Item]) -> Self {
        // SAFETY: no more is read than there is.
        match from.len() >= Self::LEN {
            true => unsafe { Self::load(from.as_ptr()) },
            false => unsafe { Self::load_part(from.as_ptr(), from.len()) },
        }
    }
    /// Writes as many numbers as the slice has room for, at most [`Self::LEN`].
    #[inline(always)]
    fn write(self, to: &mut [Self::Item]) {
        // SAFETY: no more is written than there is.
        match to.len() >= Self::LEN {
            true => unsafe { self.store(to.as_mut_ptr()) },
            false => unsafe { self.store_part(to.as_mut_ptr(), to.len()) },
        }
    }

    /// `self * weight + sum`, rounded once.
    fn fused(self, weight: Self, sum: Self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// `floor` where this is less; NaN stays.
    fn at_least(self, floor: Self) -> Self;
    /// The sum of all: the second half is added to the first until one is left.
    fn joined(self) -> Self::Item;
    /// A bit for each number that is not zero.
    fn nonzero(self) -> u32;
}

/// What functions of floats need beside.
pub(crate) trait Floats: Lanes<Item = f32> {
    fn over(self, other: Self) -> Self;
    /// The square root.
    fn root(self) -> Self;
    /// `top` where this is more; NaN stays.
    fn at_most(self, top: Self) -> Self;
    fn magnitude(self) -> Self;
    /// The largest of all, unless one is NaN.
    fn largest(self) -> f32;
    /// `negative` where this is below zero, `other` elsewhere, NaN included.
    fn if_negative(self, negative: Self, other: Self) -> Self;
    /// With the sign of `sign`; this has none.
    fn signed(self, sign: Self) -> Self;
    /// This, from a half to 2, times 2^k for a whole `k` from -252 to 254; rounded once.
    fn scaled(self, k: Self) -> Self;
}

/// 1.5 * 2^23: adding it to a whole number of a few bits leaves that in the low bits.
const WHOLE: f32 = 12_582_912.0;

/// Lanes that the compiler makes of what it may use.
#[derive(Clone, Copy)]
pub(crate) struct Plain<T>([T; 8]);

impl<T: Number> Plain<T> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        let mut made = self.0;
        for (x, y) in made.iter_mut().zip(&other.0) {
            *x = f(*x, *y);
        }
        Self(made)
    }
}

impl<T: Number> Lanes for Plain<T> {
    type Item = T;
    const LEN: usize = 8;
    const REGISTERS: usize = 0;

    #[inline(always)]
    fn splat(x: T) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's; an array is aligned as its numbers.
        Self(unsafe { *from.cast() })
    }
    #[inline(always)]
    unsafe fn load_part(from: *const T, len: usize) -> Self {
        let mut numbers = [T::default(); 8];
        for (i, number) in numbers[..len].iter_mut().enumerate() {
            // SAFETY: the caller's.
            *number = unsafe { *from.add(i) };
        }
        Self(numbers)
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's.
        unsafe { *to.cast() = self.0 }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut T, len: usize) {
        for (i, number) in self.0[..len].iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { *to.add(i) = *number };
        }
    }
    #[inline(always)]
    fn fused(self, weight: Self, sum: Self) -> Self {
        let mut made = sum.0;
        for ((sum, x), weight) in made.iter_mut().zip(&self.0).zip(&weight.0) {
            *sum = x.fused(*weight, *sum);
        }
        Self(made)
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.zip(other, T::plus)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.zip(other, T::minus)
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.zip(other, T::times)
    }
    #[inline(always)]
    fn at_least(self, floor: Self) -> Self {
        self.zip(floor, |x, floor| if x < floor { floor } else { x })
    }
    #[inline(always)]
    fn joined(self) -> T {
        let mut sums = self.0;
        for half in [4, 2, 1] {
            for s in 0..half {
                sums[s] = sums[s].plus(sums[s + half]);
            }
        }
        sums[0]
    }
    #[inline(always)]
    fn nonzero(self) -> u32 {
        let bits = self.0.iter().zip(0..);
        bits.map(|(x, i)| u32::from(*x != T::default()) << i).sum()
    }
}

impl Floats for Plain<f32> {
    #[inline(always)]
    fn over(self, other: Self) -> Self {
        self.zip(other, |x, y| x / y)
    }
    #[inline(always)]
    fn root(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    fn at_most(self, top: Self) -> Self {
        self.zip(top, |x, top| if x > top { top } else { x })
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        Self(self.0.map(f32::abs))
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        let more = |a: f32, b: &f32| if *b > a { *b } else { a };
        self.0.iter().fold(f32::NEG_INFINITY, more)
    }
    #[inline(always)]
    fn if_negative(self, negative: Self, other: Self) -> Self {
        let mut made = other.0;
        for ((made, x), negative) in made.iter_mut().zip(&self.0).zip(&negative.0) {
            *made = if *x < 0.0 { *negative } else { *made };
        }
        Self(made)
    }
    #[inline(always)]
    fn signed(self, sign: Self) -> Self {
        self.zip(sign, f32::copysign)
    }
    #[inline(always)]
    fn scaled(self, k: Self) -> Self {
        let c = Self::splat;
        let power =
            |k: Self| Self(k.0.map(|k| f32::from_bits(k.to_bits().wrapping_add(127) << 23)));
        let half = k.times(c(0.5)).plus(c(WHOLE));
        let rest = k.minus(half.minus(c(WHOLE))).plus(c(WHOLE));
        self.times(power(half)).times(power(rest))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    //! Every method is one instruction or two, which its user has asked the processor for.
    use std::arch::x86_64::*;

    use super::{Floats, Lanes, WHOLE};

    /// 16 floats of AVX-512.
    #[derive(Clone, Copy)]
    pub(crate) struct F32x16(__m512);
    /// 8 floats of AVX2.
    #[derive(Clone, Copy)]
    pub(crate) struct F32x8(__m256);

    /// What is written the same for both; that the processor has the instructions is the module's condition.
    macro_rules! common {
        ($lanes:ident, $($name:ident($($arg:ident),*) = $instruction:ident;)*) => {
            $(
                #[inline(always)]
                fn $name(self $(, $arg: Self)*) -> Self {
                    // SAFETY: see the module.
                    common!(@call $instruction, self $(, $arg)*)
                }
            )*
        };
        (@call $instruction:ident, $first:expr $(, $arg:ident)*) => {
            Self(unsafe { $instruction($first.0 $(, $arg.0)*) })
        };
    }

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

        common! { F32x16,
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
        common! { F32x16,
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
        common! { F32x16, scaled(k) = _mm512_scalef_ps; }
    }

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

        common! { F32x8,
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
        common! { F32x8,
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
}

/// What is written once for all lanes of a number.
pub(crate) trait Kernel<T: Number> {
    /// Always inlined into a function that has the instructions of `V`.
    fn run<V: Lanes<Item = T>>(self);
}

/// What is written once for all lanes of floats.
pub(crate) trait FloatKernel {
    /// Always inlined into a function that has the instructions of `V`.
    fn run<V: Floats>(self);
}

/// Loops in which the compiler finds registers: those of AVX2 where there are such.
pub(crate) trait Loops {
    /// Always inlined into a function that has the instructions.
    fn run(self);
}

/// Runs loops with the registers of a processor.
#[inline(always)]
pub(crate) fn dispatch_loops(cpu: Cpu, loops: impl Loops) {
    match cpu {
        // SAFETY: a processor of this level has the instructions.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx2 | Cpu::Avx512 => unsafe { loops_avx2(loops) },
        _ => loops.run(),
    }
}

/// Runs a kernel with the lanes of a processor.
#[inline(always)]
pub(crate) fn dispatch<T: Number>(cpu: Cpu, kernel: impl Kernel<T>) {
    match cpu {
        // SAFETY: a processor of this level has the instructions.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx512 if T::Lanes512::LEN == 16 => unsafe { avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx2 | Cpu::Avx512 => unsafe { avx2(kernel) },
        _ => kernel.run::<Plain<T>>(),
    }
}

/// Runs a kernel with the lanes of a processor.
#[inline(always)]
pub(crate) fn dispatch_floats(cpu: Cpu, kernel: impl FloatKernel) {
    match cpu {
        // SAFETY: a processor of this level has the instructions.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx512 => unsafe { floats_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Cpu::Avx2 => unsafe { floats_avx2(kernel) },
        _ => kernel.run::<Plain<f32>>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx2,fma")]
fn avx512<T: Number>(kernel: impl Kernel<T>) {
    kernel.run::<T::Lanes512>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Number>(kernel: impl Kernel<T>) {
    kernel.run::<T::Lanes256>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn loops_avx2(loops: impl Loops) {
    loops.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx2,fma")]
fn floats_avx512(kernel: impl FloatKernel) {
    kernel.run::<x86::F32x16>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn floats_avx2(kernel: impl FloatKernel) {
    kernel.run::<x86::F32x8>();
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
