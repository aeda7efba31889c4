//! Lookups of many rows at once, column by column: what waits for memory waits together, and what a
//! column is has to be asked once for all rows.
//!
//! ```text
//! hash every key, ask for its bucket | ask for its row | compare its key, read its columns
//! ```

use std::ops::Range;

use pelton_data::columns::{Columns, MemoryError};

use super::arena::Place;
use super::shard::{Shard, first_word};
use super::{Image, KeyColumns, NotLoaded, Projection};

/// The most rows that are looked up at once: about as many lines of memory as a core asks for.
pub const TOGETHER: usize = 32;

/// Lookups of rows that stand one behind the other, in one key group of an image.
///
/// `let mut probes = image.probe_all(group, &keys, &columns, rows)?; image.approach_all(&mut probes, &projection)?;
/// image.read_all(&probes, &keys, &projection, &mut columns)?`
#[derive(Debug, Clone)]
pub struct Probes {
    group: u32,
    first: usize,
    /// A bit for each row whose key has no NULL.
    keys: u32,
    hashes: [u64; TOGETHER],
    /// A bit for each row whose place the tag of its key tells, and where that is.
    guessed: u32,
    places: [Place; TOGETHER],
}

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

impl Image {
    /// Begins lookups of some rows, at most [`TOGETHER`]: asks for the parts of the index that know
    /// their keys.
    ///
    /// # Panics
    /// If there are more rows.
    #[inline]
    pub fn probe_all(
        &self,
        group: u32,
        keys: &KeyColumns,
        columns: &Columns,
        rows: Range<usize>,
    ) -> Result<Probes, NotLoaded> {
        let shard = self.shard(group)?;
        let mut probes = Probes {
            group,
            first: rows.start,
            keys: keys.whole(columns, rows.clone()),
            hashes: [0; TOGETHER],
            guessed: 0,
            places: [Place(0); TOGETHER],
        };
        keys.hash_all(columns, rows.start, probes.keys, &mut probes.hashes);
        for i in bits(probes.keys) {
            shard.index.prefetch(probes.hashes[i]);
        }
        Ok(probes)
    }

    /// Goes on with lookups that this image began: asks for the rows, whose places the index knows
    /// by now.
    #[inline]
    pub fn approach_all(
        &self,
        probes: &mut Probes,
        projection: &Projection,
    ) -> Result<(), NotLoaded> {
        let shard = self.shard(probes.group)?;
        let columns = &shard.layout.columns;
        let chosen = projection.chosen.iter();
        let chosen = chosen.map(|(number, _)| *number as usize);
        let read = shard.layout.key.iter().copied().chain(chosen);
        let reach = read.map(|number| columns[number].reach).max().unwrap_or(1);
        for i in bits(probes.keys) {
            if let Some(place) = shard.index.guess(probes.hashes[i]) {
                shard.arena.prefetch(place, reach);
                probes.places[i] = place;
                probes.guessed |= 1 << i;
            }
        }
        Ok(())
    }

    /// Ends lookups that this image began, of the same keys: reads the first row of each key into the
    /// columns. Returns a bit for each row whose key was found, the first row's the lowest.
    #[inline]
    pub fn read_all(
        &self,
        probes: &Probes,
        keys: &KeyColumns,
        projection: &Projection,
        columns: &mut Columns,
    ) -> Result<u32, ReadError> {
        let shard = self.shard(probes.group)?;
        let layout = &*shard.layout;
        let mut rows: [&[u8]; TOGETHER] = [&[]; TOGETHER];
        for i in bits(probes.guessed) {
            rows[i] = shard.arena.row(probes.places[i]);
        }
        let mut found = probes.guessed;
        for (column, slot) in layout.key.iter().zip(keys.slots()) {
            let same = layout.columns[*column].are_same(&rows, found, *slot, columns, probes.first);
            found &= same;
        }
        // Another key has the tag, or none.
        for i in bits(probes.keys & !found) {
            if let Some(row) = find(shard, probes, i, keys, columns) {
                rows[i] = row;
                found |= 1 << i;
            }
        }
        if layout.is_linked {
            for i in bits(found) {
                rows[i] = shard.arena.row(first_word(rows[i]));
            }
        }
        for (number, slot) in &projection.chosen {
            let column = &layout.columns[*number as usize];
            let rows = bits(found).map(|i| (probes.first + i, rows[i]));
            column.read_each(rows, *slot, columns)?;
        }
        Ok(found)
    }
}

/// The last row of a key.
#[cold]
fn find<'a>(
    shard: &'a Shard,
    probes: &Probes,
    number: usize,
    keys: &KeyColumns,
    columns: &Columns,
) -> Option<&'a [u8]> {
    let key = keys.key(columns, probes.first + number)?;
    let place = shard.find_place(probes.hashes[number], &key)?;
    Some(shard.arena.row(place))
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
