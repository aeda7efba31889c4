//! Registers of every other processor, and of numbers that networks are not made of: arrays.

use super::{Floats, Lanes, Number, WHOLE};

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
