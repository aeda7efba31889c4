//! From the hash of a key to the place of its row: open addressing in buckets of one cache line.
//!
//! ```text
//! bucket, 64 bytes                                    hash of the key
//! | 12 tags u8 | passed u32 | 12 places u32 |         | bucket: hash x buckets / 2^64 | .. | tag |
//! ```
//!
//! A tag is 0 where the entry is empty. A key whose bucket is full goes into the next one that is
//! not; `passed` is not 0 where a key did, so that a search for one that is not there ends in its
//! first bucket nearly always. Any number of buckets will do: an index has as many as its keys
//! need, and no power of two.

use super::Refusal;
use super::arena::Place;
use super::memory::{LINE, Memory, equal_bytes, fetch, prefetch};

/// Entries of a bucket.
const ENTRIES: usize = 12;
const PASSED: usize = 12;
const PLACES: usize = 16;
/// Entries in use of a full index, of a thousand. More would save little and search long.
const LOAD: u64 = 850;

#[derive(Debug)]
pub(super) struct Index {
    memory: Memory,
    buckets: u64,
    keys: u64,
}

/// An entry of an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    bucket: usize,
    number: usize,
}

/// What a bucket says of a key, by the tag of its hash alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guess {
    /// It is nearly always here, if anywhere.
    At(Place),
    /// It may be in the next bucket.
    Further,
    Nowhere,
}

impl Index {
    /// An index with room for so many keys, and at the same load for no more.
    pub(super) fn new(keys: u64) -> Result<Index, Refusal> {
        let buckets = buckets(keys);
        let bytes = buckets.checked_mul(LINE as u64);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        Ok(Index {
            memory: Memory::zeroed(bytes.ok_or(Refusal::Memory)?)?,
            buckets,
            keys: 0,
        })
    }

    /// The entry of a key: the one with its hash whose place `is_same`.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is_same: impl Fn(Place) -> bool) -> Option<Entry> {
        let mut bucket = self.first(hash);
        loop {
            let line = self.line(bucket);
            let mut matches = matching(line, tag(hash));
            while matches != 0 {
                let number = matches.trailing_zeros() as usize;
                if is_same(place(line, number)) {
                    return Some(Entry { bucket, number });
                }
                matches &= matches - 1;
            }
            if word(line, PASSED) == 0 {
                return None;
            }
            bucket = self.next(bucket);
        }
    }

    /// Asks for a bucket.
    #[inline(always)]
    pub(super) fn prefetch(&self, bucket: usize) {
        prefetch(&self.memory, bucket * LINE);
    }

    /// Fetches buckets.
    #[inline(always)]
    pub(super) fn fetch(&self, buckets: &[usize]) {
        fetch(buckets.iter().map(|bucket| &self.memory[bucket * LINE]));
    }

    /// What a bucket says of a hash: the first entry with its tag.
    #[inline(always)]
    pub(super) fn guess(&self, bucket: usize, hash: u64) -> Guess {
        let line = self.line(bucket);
        let matches = matching(line, tag(hash));
        if matches != 0 {
            Guess::At(place(line, matches.trailing_zeros() as usize))
        } else if word(line, PASSED) != 0 {
            Guess::Further
        } else {
            Guess::Nowhere
        }
    }

    #[inline(always)]
    pub(super) fn place(&self, entry: Entry) -> Place {
        place(self.line(entry.bucket), entry.number)
    }

    pub(super) fn set_place(&mut self, Entry { bucket, number }: Entry, Place(place): Place) {
        let at = bucket * LINE + PLACES + 4 * number;
        self.memory[at..at + 4].copy_from_slice(&place.to_le_bytes());
    }

    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, place: Place) -> Result<(), Refusal> {
        if self.keys == self.entries() {
            return Err(Refusal::Full);
        }
        self.keys += 1;
        let mut bucket = self.first(hash);
        loop {
            let free = matching(self.line(bucket), 0);
            if free != 0 {
                let number = free.trailing_zeros() as usize;
                self.memory[bucket * LINE + number] = tag(hash);
                self.set_place(Entry { bucket, number }, place);
                return Ok(());
            }
            self.memory[bucket * LINE + PASSED] = 1;
            bucket = self.next(bucket);
        }
    }

    /// Every place of the index.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let lines = self.memory.chunks_exact(LINE).take(self.buckets as usize);
        lines.flat_map(|line| {
            let used = (0..ENTRIES).filter(|number| line[*number] != 0);
            used.map(|number| Place(word(line, PLACES + 4 * number)))
        })
    }

    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    /// Whether far fewer keys are there than there is room for.
    pub(super) fn is_roomy(&self) -> bool {
        buckets(self.keys) < self.buckets * 7 / 8
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buckets * LINE as u64
    }

    pub(super) fn entries(&self) -> u64 {
        self.buckets * ENTRIES as u64
    }

    /// The bucket that a hash is sought in first.
    #[inline(always)]
    pub(super) fn first(&self, hash: u64) -> usize {
        ((u128::from(hash) * u128::from(self.buckets)) >> 64) as usize
    }

    #[inline(always)]
    pub(super) fn next(&self, bucket: usize) -> usize {
        if bucket as u64 + 1 == self.buckets {
            0
        } else {
            bucket + 1
        }
    }

    #[inline(always)]
    fn line(&self, bucket: usize) -> &[u8] {
        &self.memory[bucket * LINE..][..LINE]
    }
}

fn buckets(keys: u64) -> u64 {
    (keys.saturating_mul(1000))
        .div_ceil(LOAD * ENTRIES as u64)
        .max(1)
}

/// Never 0.
#[inline(always)]
fn tag(hash: u64) -> u8 {
    (hash as u8).max(1)
}

/// A bit for every entry of the bucket whose tag is `tag`.
#[inline(always)]
fn matching(line: &[u8], tag: u8) -> u32 {
    const ALL: u32 = (1 << ENTRIES) - 1;
    let mut tags = [0; 16];
    tags.copy_from_slice(&line[..16]);
    equal_bytes(tags, tag) & ALL
}

#[inline(always)]
fn place(line: &[u8], number: usize) -> Place {
    Place(word(line, PLACES + 4 * number))
}

#[inline(always)]
fn word(line: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&line[at..at + 4]);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::hash::Hasher;
    use super::*;

    fn hash(key: u64) -> u64 {
        Hasher::new().words(key, 0).0
    }

    #[test]
    fn a_full_index_finds_every_key_and_no_other() {
        const KEYS: u64 = 100_000;
        let mut index = Index::new(KEYS).unwrap();
        for key in 0..KEYS {
            index.insert(hash(key), Place(key as u32)).unwrap();
        }
        for key in 0..2 * KEYS {
            let is_same = |place: Place| u64::from(place.0) == key;
            let found = index.find(hash(key), is_same);
            assert_eq!(found.is_some(), key < KEYS, "{key}");
        }
        assert_eq!(index.places().count() as u64, KEYS);
        assert!(index.bytes() < KEYS * 63 / 10, "{} bytes", index.bytes());
    }

    /// As few keys as of random hashes meet in a tag of their bucket, or go on to the next bucket: the
    /// bits that say which bucket say nothing of the tag.
    #[test]
    fn keys_in_a_row_are_told_apart_by_their_tags() {
        const KEYS: u64 = 100_000;
        for step in [1, 2, 16, 1000, 3_600_000, 1 << 32, 1 << 40] {
            let hash = |key: u64| hash(key.wrapping_mul(step));
            let mut index = Index::new(KEYS).unwrap();
            for key in 0..KEYS {
                index.insert(hash(key), Place(key as u32)).unwrap();
            }
            let (mut wrong, mut further) = (0, 0);
            for key in 0..KEYS {
                let mut asked = 0;
                let asked = Cell::from_mut(&mut asked);
                let entry = index.find(hash(key), |place| {
                    asked.set(asked.get() + 1);
                    u64::from(place.0) == key
                });
                wrong += asked.get() - 1;
                further += u64::from(entry.unwrap().bucket != index.first(hash(key)));
            }
            // Of random hashes about 2 and 8 in a hundred.
            assert!(wrong < KEYS * 3 / 100, "{step}: {wrong} wrong guesses");
            assert!(further < KEYS * 10 / 100, "{step}: {further} went on");
        }
    }

    /// All its keys have one hash, as bad as keys can be.
    #[test]
    fn keys_of_one_hash_fill_every_entry_and_no_more() {
        let mut index = Index::new(100).unwrap();
        let room = index.entries();
        for key in 0..room {
            index.insert(u64::MAX, Place(key as u32)).unwrap();
        }
        assert_eq!(index.insert(u64::MAX, Place(0)), Err(Refusal::Full));
        for key in 0..room {
            let entry = index
                .find(u64::MAX, |place| u64::from(place.0) == key)
                .unwrap();
            assert_eq!(u64::from(index.place(entry).0), key);
        }
    }
}
