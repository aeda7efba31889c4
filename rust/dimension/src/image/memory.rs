//! Zeroed memory of fixed length: large pieces are mapped, in huge pages where the kernel has
//! them, so that a lookup misses the TLB less.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use memmap2::MmapMut;

use super::Refusal;

/// Bytes of a huge page, and of a cache line.
const HUGE_PAGE: usize = 2 << 20;
pub(super) const LINE: usize = 64;

/// Zeroed memory of fixed length: at least as long as was asked for.
#[derive(Debug)]
pub(super) enum Memory {
    /// Too small for a mapping of its own: a process has few of them.
    Heap(Vec<u8>),
    /// Takes memory page by page, as it is written to.
    Mapped(MmapMut),
}

impl Memory {
    /// At least `len` bytes.
    pub(super) fn zeroed(len: usize) -> Result<Memory, Refusal> {
        if len < HUGE_PAGE {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(len).map_err(|_| Refusal::Memory)?;
            bytes.resize(len, 0);
            return Ok(Memory::Heap(bytes));
        }
        // The kernel aligns what is made of whole huge pages; what is not written to is not there.
        let pages = len
            .checked_next_multiple_of(HUGE_PAGE)
            .ok_or(Refusal::Memory)?;
        let mapped = MmapMut::map_anon(pages).map_err(|_| Refusal::Memory)?;
        // A kernel without huge pages says no, and gives small ones.
        #[cfg(target_os = "linux")]
        let _ = mapped.advise(memmap2::Advice::HugePage);
        Ok(Memory::Mapped(mapped))
    }
}

impl Deref for Memory {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        match self {
            Memory::Heap(bytes) => bytes,
            Memory::Mapped(bytes) => bytes,
        }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Memory::Heap(bytes) => bytes,
            Memory::Mapped(bytes) => bytes,
        }
    }
}

/// Asks for the cache line of `bytes[at]`, which will be read soon. Nothing where there is none.
#[inline(always)]
#[allow(unsafe_code, reason = "the intrinsic takes an address")]
pub(super) fn prefetch(bytes: &[u8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(byte) = bytes.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint that reads nothing into registers and faults on no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, at);
}

/// Lets the cache lines of bytes come, as many at a time as the core can have under way: by hints, and
/// goes on meanwhile, or by loads.
#[inline(always)]
pub(super) fn fetch<'a>(bytes: impl Iterator<Item = &'a u8>) {
    if *TAKES_HINTS {
        bytes.for_each(|byte| prefetch(std::slice::from_ref(byte), 0));
    } else {
        std::hint::black_box(bytes.fold(0, |all, byte| all ^ byte));
    }
}

/// Whether hints are what many lines are best fetched by. They are on Intel's cores, and on AMD's from
/// Zen 5 on. Those before drop hints that are too many, and wait for the address translation of the
/// others.
#[allow(
    unsafe_code,
    unused_unsafe,
    reason = "an intrinsic, which newer compilers take for safe"
)]
static TAKES_HINTS: LazyLock<bool> = LazyLock::new(|| {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        const ZEN_5: u32 = 26;
        // SAFETY: on registers only; every x86-64 has the instruction.
        let (vendor, version) = unsafe { (__cpuid(0), __cpuid(1).eax) };
        let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
        let family = (version >> 8 & 0xf) + (version >> 20 & 0xff);
        match name.as_flattened() {
            b"GenuineIntel" => true,
            b"AuthenticAMD" => family >= ZEN_5,
            _ => false,
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
});

/// A bit for every byte that is `wanted`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[allow(unsafe_code, reason = "intrinsics")]
pub(super) fn equal_bytes(bytes: [u8; 16], wanted: u8) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let bytes = u128::from_le_bytes(bytes);
    // SAFETY: on registers only; every x86-64 has SSE2.
    unsafe {
        let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted as i8))) as u32
    }
}

/// A bit for every byte that is `wanted`.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn equal_bytes(bytes: [u8; 16], wanted: u8) -> u32 {
    let bytes = bytes.iter().zip(0..);
    bytes.fold(0, |equal, (byte, i)| {
        equal | u32::from(*byte == wanted) << i
    })
}
