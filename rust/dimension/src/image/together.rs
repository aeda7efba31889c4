//! Lookups of many rows at once, in steps that each do the same to all of them: what waits for
//! memory waits together, and what a column is has to be asked once.
//!
//! ```text
//! hash all keys | fetch all buckets | guess rows by tags | fetch all rows | compare, seek the rest | read
//! ```
//!
//! A fetch is a loop of hints or loads and nothing else, so that a core has as many of them under way as
//! it can.

use std::ops::Range;

use pelton_data::columns::{Columns, MemoryError};

use super::coding::NullBytes;
use super::index::Guess;
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
    /// The rows whose place the tag of their key tells.
    guessed: u32,
    /// The packed row of each, as far as it is known: the guessed one, then the right one.
    packed: [&'a [u8]; TOGETHER],
    /// The last byte of a packed row that is fetched.
    last: usize,
}

impl Image {
    /// Looks up some rows, at most [`TOGETHER`], by their keys in one key group: reads the first row
    /// of each key into the same columns. Returns a bit for each row whose key was found, the first
    /// row's the lowest. The others become NULL.
    ///
    /// # Errors
    /// If the key group is not loaded, or there is no memory for strings.
    ///
    /// # Panics
    /// If there are more rows, or rows beyond the columns' capacity.
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
            last: last_byte(reach(shard, projection)),
        };
        keys.hash_all(columns, rows.start, whole, &mut lookups.hashes);
        lookups.fetch_buckets();
        lookups.guess_all(whole);
        let mut found = lookups.compare(keys, columns, rows.start);
        // Keys that are nowhere have no guess; those of the rest share their tag with another.
        let rest = lookups.guessed & !found;
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
    fn fetch_buckets(&mut self) {
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
        self.fetch_rows();
    }

    /// Guesses where some rows are, whose buckets have come: where the first key is that has their
    /// tag. Returns the rows that the next bucket tells of.
    #[inline(always)]
    fn guess(&mut self, sought: u32) -> u32 {
        let Shard { index, arena, .. } = self.shard;
        let mut further = 0;
        for i in bits(sought) {
            match index.guess(self.buckets[i], self.hashes[i]) {
                Guess::At(place) => {
                    self.guessed |= 1 << i;
                    self.packed[i] = arena.row(place);
                }
                Guess::Further => {
                    further |= 1 << i;
                    self.buckets[i] = index.next(self.buckets[i]);
                    index.prefetch(self.buckets[i]);
                }
                Guess::Nowhere => {}
            }
        }
        further
    }

    /// Fetches the rows that were guessed; of the others there is nothing.
    #[inline(always)]
    fn fetch_rows(&self) {
        let packed = self.packed.iter();
        fetch(packed.flat_map(|row| row.first().into_iter().chain(row.get(self.last))));
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

    /// Finds the rows of keys whose guess was another's; returns those that are there.
    fn seek(&mut self, rest: u32, keys: &KeyColumns, columns: &Columns, first: usize) -> u32 {
        let shard = self.shard;
        let mut found = 0;
        for i in bits(rest) {
            let key = keys.key(columns, first + i);
            let place = key.and_then(|key| shard.find_place(self.hashes[i], &key));
            if let Some(place) = place {
                self.packed[i] = shard.arena.row(place);
                found |= 1 << i;
            }
        }
        found
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
        let Shard { layout, arena, .. } = self.shard;
        if found == 0 {
            for (_, slot) in &projection.chosen {
                columns.set_valid_bits(*slot, rows.clone(), 0);
            }
            return Ok(());
        }
        // To read every row is faster than to ask which: one that was not found is read as another.
        let some = self.packed[found.trailing_zeros() as usize];
        for i in bits(!found) {
            self.packed[i] = some;
        }
        if layout.is_linked {
            self.packed = self.packed.map(|row| arena.row(first_word(row)));
        }
        let packed = &self.packed[..rows.len()];
        let mut nulls = NullBytes::new();
        for (number, slot) in &projection.chosen {
            let column = &layout.columns[*number as usize];
            column.read_each(packed, &mut nulls, found.into(), *slot, columns, rows.start)?;
        }
        Ok(())
    }
}

/// The bytes of a row that have to be there to compare its key and to read the chosen columns, about.
fn reach(shard: &Shard, projection: &Projection) -> usize {
    let chosen = projection.chosen.iter();
    let chosen = chosen.map(|(number, _)| *number as usize);
    let read = shard.layout.key.iter().copied().chain(chosen);
    let reach = read.map(|number| shard.layout.columns[number].reach);
    reach.max().unwrap_or_default()
}

/// The last of so many bytes of a row that is worth to be asked for: two lines are, at most.
#[inline(always)]
pub(super) fn last_byte(reach: usize) -> usize {
    reach.saturating_sub(1).min(LINE)
}

/// The numbers of the bits that are set, the lowest first.
#[inline(always)]
pub(super) fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros() as usize;
        let is_one = set != 0;
        set &= set.wrapping_sub(1);
        is_one.then_some(lowest)
    })
}
