//! What the lookups of one user come to.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the lookups of one user come to. One thread counts, any may read.
#[derive(Debug, Default)]
pub struct Counts {
    lookups: AtomicU64,
    misses: AtomicU64,
    misrouted: AtomicU64,
    late: AtomicU64,
}

impl Counts {
    /// Lookups, whatever they found.
    pub fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::Relaxed)
    }

    /// Lookups without a row for their key.
    pub fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    /// Lookups in a key group that is not loaded where they were made.
    pub fn misrouted(&self) -> u64 {
        self.misrouted.load(Ordering::Relaxed)
    }

    /// Lookups as of a time whose Hive partition was not there yet.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// Counts lookups.
    #[inline]
    pub fn add_lookups(&self, count: u64) {
        add(&self.lookups, count);
    }

    /// Counts a lookup without a row.
    #[inline]
    pub fn add_miss(&self) {
        add(&self.misses, 1);
    }

    /// Counts a lookup of a key group that is not loaded.
    #[inline]
    pub fn add_misrouted(&self) {
        add(&self.misrouted, 1);
    }

    /// Counts a lookup that came before its Hive partition.
    #[inline]
    pub fn add_late(&self) {
        add(&self.late, 1);
    }
}

/// Only one thread writes, so that a load and a store are enough.
#[inline(always)]
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
}
