//! The rows that one load has brought, of some key groups or of all: an arena, an index on the key,
//! and the layout of the rows.

use std::sync::Arc;

use super::arena::{Arena, Place};
use super::index::{Entry, Index};
use super::layout::RowLayout;
use super::{Duplicates, Key, Refusal, Row, Rows};

#[derive(Debug)]
pub(super) struct Shard {
    pub(super) layout: Arc<RowLayout>,
    pub(super) arena: Arena,
    pub(super) index: Index,
    pub(super) rows: u64,
}

impl Shard {
    /// The rows of a key with this hash.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, key: &Key<'_>) -> Rows<'_> {
        let Some(place) = self.find_place(hash, key) else {
            return Rows {
                shard: self,
                next: None,
                last: Place(0),
            };
        };
        Rows::of(self, place)
    }

    /// The place that the index has for a key with this hash: that of its last row.
    #[inline(always)]
    pub(super) fn find_place(&self, hash: u64, key: &Key<'_>) -> Option<Place> {
        Some(self.index.place(self.entry(hash, key)?))
    }

    /// Whether a row has this key.
    #[inline(always)]
    pub(super) fn is_key(&self, place: Place, key: &Key<'_>) -> bool {
        self.layout.is_key(self.arena.row(place), key)
    }

    #[inline(always)]
    fn entry(&self, hash: u64, key: &Key<'_>) -> Option<Entry> {
        self.index.find(hash, |place| self.is_key(place, key))
    }

    /// Adds a row to those of its key, as `duplicates` has it.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: &Key<'_>,
        (fixed, tail): (&[u8], &[u8]),
        duplicates: Duplicates,
    ) -> Result<Inserted, Refusal> {
        let Some(entry) = self.entry(hash, key) else {
            let place = self.arena.push(fixed, tail)?;
            if self.layout.is_linked {
                self.arena.set_first(place, place.0);
            }
            self.index.insert(hash, place)?;
            self.rows += 1;
            return Ok(Inserted::New);
        };
        match duplicates {
            Duplicates::Error => return Err(Refusal::Duplicate),
            Duplicates::First => {}
            Duplicates::Last => {
                let place = self.arena.push(fixed, tail)?;
                self.index.set_place(entry, place);
            }
            Duplicates::All => {
                let last = self.index.place(entry);
                let first = first_word(self.arena.row(last));
                let place = self.arena.push(fixed, tail)?;
                self.arena.set_first(place, first.0);
                self.arena.set_first(last, place.0);
                self.index.set_place(entry, place);
                self.rows += 1;
            }
        }
        Ok(Inserted::Again)
    }

    /// The memory of rows, index and dictionaries.
    pub(super) fn bytes(&self) -> u64 {
        self.arena.bytes() + self.index.bytes() + self.layout.bytes()
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// Its key is new.
    New,
    /// Its key was there.
    Again,
}

impl<'a> Rows<'a> {
    /// The rows of a key whose place in the index is given: that of its last row.
    #[inline(always)]
    pub(super) fn of(shard: &'a Shard, last: Place) -> Rows<'a> {
        let next = match shard.layout.is_linked {
            true => first_word(shard.arena.row(last)),
            false => last,
        };
        let next = Some(next);
        Rows { shard, next, last }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Row<'a>> {
        let place = self.next?;
        let shard = self.shard;
        let bytes = shard.arena.row(place);
        self.next = (place != self.last).then(|| first_word(bytes));
        let layout = &shard.layout;
        Some(Row { layout, bytes })
    }
}

/// The place that a linked row begins with.
#[inline(always)]
pub(super) fn first_word(row: &[u8]) -> Place {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&row[..4]);
    Place(u32::from_le_bytes(bytes))
}
