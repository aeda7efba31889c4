//! Blocks of a table, copied to where ids ask for them: a named kernel module.
#![allow(
    unsafe_code,
    reason = "columns of a block, which are compared with the slice before"
)]

use super::lanes::{Kernel, Lanes, Number};

/// Asks the processor to bring a block of a table close, which is read soon.
#[inline(always)]
pub(crate) fn prefetch<T>(table: &[T], place: usize, block: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = 64 / size_of::<T>();
        for at in (place..place + block).step_by(line) {
            // SAFETY: nothing is read; the address is only guessed at.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(table.as_ptr().wrapping_add(at).cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (table, place, block);
}

/// Blocks of `block` values that begin at `places` of a table, one behind the other.
pub(crate) struct Copied<'m, T> {
    pub table: &'m [T],
    pub places: &'m [usize],
    pub block: usize,
    pub to: &'m mut [T],
}

impl<T: Number> Kernel<T> for Copied<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Item = T>>(self) {
        for (to, &place) in self.to.chunks_exact_mut(self.block).zip(self.places) {
            let from = &self.table[place..place + self.block];
            for (to, from) in to.chunks_mut(V::LEN).zip(from.chunks(V::LEN)) {
                V::read(from).write(to);
            }
        }
    }
}

/// The same column by column: value `k` of block `r` goes to `k * stride + r`.
pub(crate) struct Turned<'m, T> {
    pub table: &'m [T],
    pub places: &'m [usize],
    pub block: usize,
    pub to: &'m mut [T],
    pub stride: usize,
}

impl<T: Number> Kernel<T> for Turned<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Item = T>>(self) {
        let (block, stride, rows) = (self.block, self.stride, self.places.len());
        if block == 0 || rows == 0 {
            return;
        }
        assert!((block - 1) * stride + rows <= self.to.len());
        // Four rows are turned in registers, unless there is next to nothing to turn.
        let turned = if block < 4 { 0 } else { rows / 4 * 4 };
        for r in (0..turned).step_by(4) {
            for k in (0..block).step_by(V::LEN) {
                let len = V::LEN.min(block - k);
                let read = |r: usize| V::read(&self.table[self.places[r] + k..][..len]);
                let four = [read(r), read(r + 1), read(r + 2), read(r + 3)];
                // SAFETY: columns `k..k + len` and rows `r..r + 4` are below `block` and `rows`; see the assertion.
                unsafe {
                    V::store_turned(four, self.to.as_mut_ptr().add(k * stride + r), stride, len)
                };
            }
        }
        for r in turned..rows {
            let from = &self.table[self.places[r]..][..block];
            for (k, value) in from.iter().enumerate() {
                self.to[k * stride + r] = *value;
            }
        }
    }
}
