//! Lookups of many rows at once, column by column: what waits for memory waits together, and what a
//! column is has to be asked once for several rows.
//!
//! ```text
//!         hash, ask for buckets    ask for rows    compare and read
//!         0-15
//! step 0  16-23                    0-7
//! step 1  24-31                    8-15            0-7, which have come meanwhile
//! step 2                           16-23           8-15
//! ```
//!
//! A core waits for some twenty lines of memory at a time, and drops what else is asked for in advance:
//! to ask for all rows and then to read all of them would have most of them asked for twice.

use std::ops::Range;

use pelton_data::columns::{Columns, MemoryError, Slot};

use super::index::Guesses;
use super::shard::{Shard, first_word};
use super::{Image, KeyColumns, NotLoaded, Projection};

/// The most rows that are looked up at once: about as many lines of memory as a core asks for.
pub const TOGETHER: usize = 32;

/// Rows of a step, and how many steps there are.
const STEP: usize = 8;
const STEPS: usize = TOGETHER / STEP;

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
    keys: &'a KeyColumns,
    first: usize,
    /// The rows whose key has no NULL.
    whole: u32,
    hashes: [u64; TOGETHER],
    /// Where each is sought, and those that the bucket before did not tell of.
    buckets: [usize; TOGETHER],
    further: u32,
    /// Those whose place the tag of their key tells, and the bytes from there on.
    guessed: u32,
    packed: [&'a [u8]; TOGETHER],
    /// The bytes of a row that are read, about.
    reach: usize,
}

impl Image {
    /// Looks up some rows, at most [`TOGETHER`], by their keys in one key group: reads the first row
    /// of each key into the same columns. Returns a bit for each row whose key was found, the first
    /// row's the lowest.
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
        let steps = rows.len().div_ceil(STEP);
        let mut lookups = Lookups::new(self.shard(group)?, keys, rows, projection, columns);
        let (mut found, mut come, mut step) = (0, 0, 0);
        lookups.hash(nth(0) | nth(1), columns);
        while step < steps || lookups.further | come != 0 {
            let asked = lookups.ask(nth(step));
            step += 1;
            lookups.hash(nth(step + 1), columns);
            if come != 0 {
                found |= lookups.read(come, &projection.chosen, columns)?;
            }
            come = asked;
        }
        let rest = lookups.whole & !found;
        if rest != 0 {
            found |= lookups.read_sought(rest, &projection.chosen, columns)?;
        }
        Ok(found)
    }
}

/// The rows of a step.
#[inline(always)]
fn nth(step: usize) -> u32 {
    match step {
        0..STEPS => ((1 << STEP) - 1) << (step * STEP),
        _ => 0,
    }
}

impl<'a> Lookups<'a> {
    #[inline(always)]
    fn new(
        shard: &'a Shard,
        keys: &'a KeyColumns,
        rows: Range<usize>,
        projection: &Projection,
        columns: &Columns,
    ) -> Lookups<'a> {
        Lookups {
            shard,
            keys,
            first: rows.start,
            whole: keys.whole(columns, rows),
            hashes: [0; TOGETHER],
            buckets: [0; TOGETHER],
            further: 0,
            guessed: 0,
            packed: [&[]; TOGETHER],
            reach: reach(shard, projection),
        }
    }

    /// Hashes the keys of some rows, and asks for their buckets.
    #[inline(always)]
    fn hash(&mut self, rows: u32, columns: &Columns) {
        let index = &self.shard.index;
        let rows = self.whole & rows;
        self.keys
            .hash_all(columns, self.first, rows, &mut self.hashes);
        for i in bits(rows) {
            self.buckets[i] = index.first(self.hashes[i]);
            index.prefetch(self.buckets[i]);
        }
    }

    /// Asks for some rows, whose buckets have come, and for earlier ones that a later bucket tells of.
    /// Returns which were asked for.
    #[inline(always)]
    fn ask(&mut self, rows: u32) -> u32 {
        let index = &self.shard.index;
        let before = self.guessed;
        for i in bits(self.whole & rows | std::mem::take(&mut self.further)) {
            let guesses = index.guesses(self.buckets[i], self.hashes[i]);
            self.guess(i, guesses);
            if guesses.are_further() {
                self.further |= 1 << i;
                self.buckets[i] = index.next(self.buckets[i]);
                index.prefetch(self.buckets[i]);
            }
        }
        self.guessed & !before
    }

    /// Asks for each row that may be the one of key `i`, and keeps the first.
    #[inline(always)]
    fn guess(&mut self, i: usize, guesses: Guesses<'_>) {
        for place in guesses {
            let row = self.shard.arena.approach(place, self.reach);
            if self.guessed >> i & 1 == 0 {
                self.guessed |= 1 << i;
                self.packed[i] = row;
            }
        }
    }

    /// Reads some rows that have come, but for those that turn out to be of another key.
    #[inline(always)]
    fn read(
        &mut self,
        come: u32,
        chosen: &[(u32, Slot)],
        columns: &mut Columns,
    ) -> Result<u32, MemoryError> {
        let layout = &*self.shard.layout;
        let key = layout.key.iter().zip(self.keys.slots());
        let found = key.fold(come, |found, (column, slot)| {
            let column = &layout.columns[*column];
            found & column.are_same(&self.packed, found, *slot, columns, self.first)
        });
        self.read_columns(found, chosen, columns)?;
        Ok(found)
    }

    /// Reads the rows of keys whose place no guess has told.
    #[cold]
    fn read_sought(
        &mut self,
        rest: u32,
        chosen: &[(u32, Slot)],
        columns: &mut Columns,
    ) -> Result<u32, MemoryError> {
        let mut found = 0;
        for i in bits(rest) {
            let key = self.keys.key(columns, self.first + i);
            if let Some(place) = key.and_then(|key| self.shard.find_place(self.hashes[i], &key)) {
                self.packed[i] = self.shard.arena.row(place);
                found |= 1 << i;
            }
        }
        self.read_columns(found, chosen, columns)?;
        Ok(found)
    }

    #[inline(always)]
    fn read_columns(
        &mut self,
        found: u32,
        chosen: &[(u32, Slot)],
        columns: &mut Columns,
    ) -> Result<(), MemoryError> {
        let Shard { layout, arena, .. } = self.shard;
        if layout.is_linked {
            for i in bits(found) {
                self.packed[i] = arena.row(first_word(self.packed[i]));
            }
        }
        for (number, slot) in chosen {
            let rows = bits(found).map(|i| (self.first + i, self.packed[i]));
            layout.columns[*number as usize].read_each(rows, *slot, columns)?;
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
