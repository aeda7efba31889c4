//! Rows by key: an arena of records and an index on their keys.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Bytes of a segment. Only what is written of it takes memory.
const SEGMENT: usize = 4 << 20;

/// Bytes of both lengths before a key.
const LENGTHS: usize = 8;

/// Rows by key.
#[derive(Debug, Default)]
pub(crate) struct Store {
    arena: Arena,
    index: HashTable<Place>,
    hash: DefaultHashBuilder,
}

/// Where a record begins in the arena, in units of 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(u32);

/// Why a row was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The key is there already.
    Duplicate,
    /// There is no memory for it.
    Memory,
    /// Places count in 32 bits.
    Full,
}

impl Store {
    /// Room in the index for so many rows.
    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), Refused> {
        let (arena, hash) = (&self.arena, &self.hash);
        self.index
            .try_reserve(rows, |place| hash.hash_one(arena.key(*place)))
            .map_err(|_| Refused::Memory)
    }

    /// Adds a row.
    pub(crate) fn insert(&mut self, key: &[u8], row: &[u8]) -> Result<(), Refused> {
        if self.find(key).is_some() {
            return Err(Refused::Duplicate);
        }
        self.reserve(1)?;
        let place = self.arena.push(key, row)?;
        let (arena, hash) = (&self.arena, &self.hash);
        let hashed = hash.hash_one(key);
        self.index
            .insert_unique(hashed, place, |place| hash.hash_one(arena.key(*place)));
        Ok(())
    }

    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<&[u8]> {
        let hash = self.hash.hash_one(key);
        let place = self
            .index
            .find(hash, |place| self.arena.key(*place) == key)?;
        Some(self.arena.row(*place))
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.arena.bytes() + self.index.allocation_size()
    }
}

/// Records one behind the other, in segments that never move: growing copies nothing.
#[derive(Debug, Default)]
struct Arena {
    segments: Vec<Vec<u8>>,
}

impl Arena {
    fn push(&mut self, key: &[u8], row: &[u8]) -> Result<Place, Refused> {
        let len = (LENGTHS + key.len() + row.len()).next_multiple_of(8);
        let key_len = u32::try_from(key.len()).map_err(|_| Refused::Full)?;
        let row_len = u32::try_from(row.len()).map_err(|_| Refused::Full)?;
        let segment = match self.segments.last_mut() {
            Some(last) if has_room(last, len) => last,
            _ => self.add_segment(len)?,
        };
        let offset = segment.len();
        segment.extend_from_slice(&key_len.to_le_bytes());
        segment.extend_from_slice(&row_len.to_le_bytes());
        segment.extend_from_slice(key);
        segment.extend_from_slice(row);
        segment.resize(offset + len, 0);
        let place = ((self.segments.len() - 1) * SEGMENT + offset) / 8;
        Ok(Place(u32::try_from(place).map_err(|_| Refused::Full)?))
    }

    /// A longer record than a segment gets one of its own length.
    fn add_segment(&mut self, len: usize) -> Result<&mut Vec<u8>, Refused> {
        let mut segment = Vec::new();
        segment
            .try_reserve_exact(len.max(SEGMENT))
            .map_err(|_| Refused::Memory)?;
        let last = self.segments.len();
        self.segments.push(segment);
        Ok(&mut self.segments[last])
    }

    #[inline]
    fn key(&self, place: Place) -> &[u8] {
        let record = self.record(place);
        &record[LENGTHS..LENGTHS + length(record, 0)]
    }

    #[inline]
    fn row(&self, place: Place) -> &[u8] {
        let record = self.record(place);
        let start = LENGTHS + length(record, 0);
        &record[start..start + length(record, 4)]
    }

    #[inline]
    fn record(&self, Place(place): Place) -> &[u8] {
        let byte = place as usize * 8;
        &self.segments[byte / SEGMENT][byte % SEGMENT..]
    }

    fn bytes(&self) -> usize {
        self.segments.iter().map(Vec::len).sum()
    }
}

/// Every record begins within the first `SEGMENT` bytes of its segment, so that its place tells
/// both.
fn has_room(segment: &Vec<u8>, len: usize) -> bool {
    segment.len() < SEGMENT && segment.capacity() - segment.len() >= len
}

#[inline]
fn length(record: &[u8], at: usize) -> usize {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[at..at + 4]);
    u32::from_le_bytes(bytes) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_longer_than_a_segment_are_found_beside_short_ones() {
        let mut store = Store::default();
        let lengths = [8, SEGMENT, 8, 3 * SEGMENT, SEGMENT - 24, 8, 16];
        for (i, len) in lengths.iter().enumerate() {
            store.insert(&[i as u8; 8], &vec![i as u8; *len]).unwrap();
        }
        for (i, len) in lengths.iter().enumerate() {
            let row = store.find(&[i as u8; 8]).unwrap();
            assert_eq!((row.len(), row[len - 1]), (*len, i as u8));
        }
    }

    #[test]
    fn many_rows_fill_many_segments() {
        let mut store = Store::default();
        let row = [7; 1000];
        for key in 0..20_000_u64 {
            store.insert(&key.to_le_bytes(), &row).unwrap();
        }
        assert!(store.arena.segments.len() > 4);
        assert_eq!(store.len(), 20_000);
        assert!((0..20_000_u64).all(|key| store.find(&key.to_le_bytes()) == Some(&row)));
        assert_eq!(store.find(&20_000_u64.to_le_bytes()), None);
        assert!(store.bytes() > 20_000 * 1016);
    }

    proptest! {
        #[test]
        fn a_store_finds_what_a_hash_map_finds(
            rows in proptest::collection::vec((0u64..50, 0u64..9), 0..100)
        ) {
            let mut store = Store::default();
            let mut expected = HashMap::new();
            for (key, row) in &rows {
                let inserted = store.insert(&key.to_le_bytes(), &row.to_le_bytes());
                prop_assert_eq!(inserted.is_err(), expected.contains_key(key));
                expected.entry(*key).or_insert(*row);
            }
            for key in 0u64..60 {
                let found = store.find(&key.to_le_bytes()).map(<[u8]>::to_vec);
                prop_assert_eq!(found, expected.get(&key).map(|row| row.to_le_bytes().to_vec()));
            }
        }
    }
}
