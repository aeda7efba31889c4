//! Numbers side by side in a register, so that a kernel is written once for every processor: a named kernel module.
//!
//! A kernel is a generic function that is always inlined into one that asks for the instructions of its [`Lanes`]:
//! [`dispatch`] chooses that by the processor. All kinds of lanes compute the same bits.
#![allow(
    unsafe_code,
    reason = "instructions that the processor is asked for first, and loads and stores of whole registers"
)]

/// Methods that are one instruction each; that the processor has it is the condition of the registers' module.
#[cfg(target_arch = "x86_64")]
macro_rules! instructions {
    ($($name:ident($($arg:ident),*) = $instruction:ident;)*) => {
        $(
            #[inline(always)]
            fn $name(self $(, $arg: Self)*) -> Self {
                // SAFETY: see the module.
                instructions!(@call $instruction, self $(, $arg)*)
            }
        )*
    };
    (@call $instruction:ident, $first:expr $(, $arg:ident)*) => {
        Self(unsafe { $instruction($first.0 $(, $arg.0)*) })
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod number;
mod plain;

#[cfg(target_arch = "x86_64")]
use avx2::F32x8;
#[cfg(target_arch = "x86_64")]
use avx512::F32x16;
pub(crate) use number::Number;
use plain::Plain;

use crate::cpu::Cpu;

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
    kernel.run::<F32x16>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn floats_avx2(kernel: impl FloatKernel) {
    kernel.run::<F32x8>();
}
