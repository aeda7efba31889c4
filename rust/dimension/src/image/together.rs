//! Lookups of many rows at once, in steps that each do the same to all of them: what waits for
//! memory waits together, and what a column is has to be asked once.
//!
//! ```text
//! hash all keys | fetch all buckets | guess all rows from their tags | fetch all rows | compare | read
//! ```
//!
//! A fetch is a loop of loads and nothing else, so that a core has as many of them under way as it can.
//! Hints are no match for it: a core drops those that are too many, and waits for the address
//! translation of the others, too.

use std::ops::Range;

use pelton_data::columns::{Columns, MemoryError};

use super::memory::{LINE, fetch};
use super::shard::{Shard, first_word};
use super::{Image, KeyColumns, NotLoaded, Projection};

/// The most rows that are looked up at once: some more than the lines of memory that a core waits for.
pub const TOGETHER: usize = 32;

/// Why the rows of keys were not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The image holds other key groups.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// No memory for strings.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Lookups of rows that stand one behind the other. Sets of them are bits, the first row's the lowest.
struct Lookups<'a> {
    shard: &'a Shard,
    hashes: [u64; TOGETHER],
    /// Where each is sought.
    buckets: [usize; TOGETHER],
    /// The rows whose place the tag of their key tells, and their bytes from there on.
    guessed: u32,
    packed: [&'a [u8]; TOGETHER],
    /// The byte of a row that is farthest from its first, of those that are read.
    last: usize,
}

impl Image {
    /// Looks up some rows, at most [`TOGETHER`], by their keys in one key group: reads the first row
    /// of each key into the same columns. Returns a bit for each row whose key was found, the first
    /// row's the lowest. What then stands in the columns of the others means nothing.
    ///
    /// # Panics
    /// If there are more rows.
    pub fn read_all(
        &self,
        group: u32,
        keys: &KeyColumns,
        rows: Range<usize>,
        projection: &Projection,
        columns: &mut Columns,
    ) -> Result<u32, ReadError> {
        let shard = self.shard(group)?;
        let whole = keys.whole(columns, rows.clone());
        let mut lookups = Lookups {
            shard,
            hashes: [0; TOGETHER],
            buckets: [0; TOGETHER],
            guessed: 0,
            packed: [&[]; TOGETHER],
            last: last_byte(shard, projection),
        };
        keys.hash_all(columns, rows.start, whole, &mut lookups.hashes);
        lookups.find_buckets();
        lookups.guess_all(whole);
        let mut found = lookups.compare(keys, columns, rows.start);
        let rest = whole & !found;
        if rest != 0 {
            found |= lookups.seek(rest, keys, columns, rows.start);
        }
        lookups.read(found, rows, projection, columns)?;
        Ok(found)
    }
}

impl<'a> Lookups<'a> {
    /// Fetches the buckets of the hashes.
    #[inline(always)]
    fn find_buckets(&mut self) {
        let index = &self.shard.index;
        for (bucket, hash) in self.buckets.iter_mut().zip(&self.hashes) {
            *bucket = index.first(*hash);
        }
        index.fetch(&self.buckets);
    }

    /// Guesses where rows are, and fetches them.
    #[inline(always)]
    fn guess_all(&mut self, whole: u32) {
        let mut sought = whole;
        while sought != 0 {
            sought = self.guess(sought);
        }
        self.fetch();
    }

    /// Guesses where some rows are, whose buckets have come: where the first key is that has their
    /// tag. Asks for the rows of the others. Returns the rows that the next bucket tells of.
    #[inline(always)]
    fn guess(&mut self, sought: u32) -> u32 {
        let Shard { index, arena, .. } = self.shard;
        let mut further = 0;
        for i in bits(sought) {
            let mut guesses = index.guesses(self.buckets[i], self.hashes[i]);
            if let Some(place) = guesses.next() {
                self.guessed |= 1 << i;
                self.packed[i] = arena.row(place);
                for place in guesses {
                    arena.approach(place, self.last + 1);
                }
            } else if guesses.are_further() {
                further |= 1 << i;
                self.buckets[i] = index.next(self.buckets[i]);
                index.prefetch(self.buckets[i]);
            }
        }
        further
    }

    /// Fetches the rows, as much of two lines as is read of each.
    #[inline(always)]
    fn fetch(&self) {
        let last = self.last.min(LINE);
        let packed = self.packed.iter();
        fetch(packed.filter_map(|row| Some(row.first()? ^ row.get(last)?)));
    }

    /// Which of the guesses are right.
    #[inline(always)]
    fn compare(&self, keys: &KeyColumns, columns: &Columns, first: usize) -> u32 {
        let layout = &*self.shard.layout;
        let key = layout.key.iter().zip(keys.slots());
        key.fold(self.guessed, |same, (column, slot)| {
            let column = &layout.columns[*column];
            same & column.are_same(&self.packed, same, *slot, columns, first)
        })
    }

    /// Finds the rows of keys that no guess was right for; returns those that are there.
    #[cold]
    fn seek(&mut self, rest: u32, keys: &KeyColumns, columns: &Columns, first: usize) -> u32 {
        let shard = self.shard;
        bits(rest).fold(0, |found, i| {
            let key = keys.key(columns, first + i);
            let place = key.and_then(|key| shard.find_place(self.hashes[i], &key));
            let Some(place) = place else { return found };
            self.packed[i] = shard.arena.row(place);
            found | 1 << i
        })
    }

    /// Reads the rows that were found.
    #[inline(always)]
    fn read(
        &mut self,
        found: u32,
        rows: Range<usize>,
        projection: &Projection,
        columns: &mut Columns,
    ) -> Result<(), MemoryError> {
        if found == 0 {
            return Ok(());
        }
        let Shard { layout, arena, .. } = self.shard;
        // What stands one behind the other is read fastest: rows that were not found are some other.
        let some = self.packed[found.trailing_zeros() as usize];
        for i in bits(!found) {
            self.packed[i] = some;
        }
        if layout.is_linked {
            let rows = self.packed.map(|last| arena.row(first_word(last)));
            self.packed = rows;
            self.fetch();
        }
        let packed = &self.packed[..rows.len()];
        for (number, slot) in &projection.chosen {
            layout.columns[*number as usize].read_each(packed, *slot, columns, rows.start)?;
        }
        Ok(())
    }
}

/// The byte of a row that is farthest from its first, of those that are needed to compare its key and
/// to read the chosen columns, about.
fn last_byte(shard: &Shard, projection: &Projection) -> usize {
    let chosen = projection.chosen.iter();
    let chosen = chosen.map(|(number, _)| *number as usize);
    let read = shard.layout.key.iter().copied().chain(chosen);
    let reach = read.map(|number| shard.layout.columns[number].reach);
    reach.max().unwrap_or_default().saturating_sub(1)
}

/// The numbers of the bits that are set, the lowest first.
#[inline(always)]
pub(super) fn bits(mut set: u32) -> impl Iterator<Item = usize> + Clone {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros() as usize;
        let is_one = set != 0;
        set &= set.wrapping_sub(1);
        is_one.then_some(lowest)
    })
}
