//! A key where it stands, in the columns of a batch: nothing is copied to look it up.

use std::ops::Range;

use pelton_data::columns::{Columns, Physical, Slot, Timestamp};

use super::coding::{bits_of, whole};
use super::hash::Hasher;
use super::together::{TOGETHER, bits};

/// The columns of a key, in the dimension's order and of its declared types. Neither an image nor
/// its codings are needed, so that a plan keeps them while images come and go.
#[derive(Debug, Clone)]
pub struct KeyColumns {
    slots: Box<[Slot]>,
}

/// The key of one row: no column of it is NULL.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    pub(super) slots: &'a [Slot],
    pub(super) columns: &'a Columns,
    pub(super) row: usize,
}

impl KeyColumns {
    /// Where the key's columns stand.
    pub fn new(slots: impl IntoIterator<Item = Slot>) -> KeyColumns {
        KeyColumns {
            slots: slots.into_iter().collect(),
        }
    }

    /// Where the key's columns stand.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The key of a row; `None` where one of its columns is NULL: such a row has no key.
    #[inline]
    pub fn key<'a>(&'a self, columns: &'a Columns, row: usize) -> Option<Key<'a>> {
        let slots = &self.slots;
        let is_whole = slots.iter().all(|slot| columns.is_valid(*slot, row));
        is_whole.then_some(Key {
            slots,
            columns,
            row,
        })
    }

    /// A bit for each of some rows that has a key, the first row's the lowest.
    ///
    /// # Panics
    /// If there are more than [`TOGETHER`] rows, or rows beyond the columns' capacity.
    pub(super) fn whole(&self, columns: &Columns, rows: Range<usize>) -> u32 {
        assert!(rows.len() <= TOGETHER, "{} rows at once", rows.len());
        assert!(rows.end <= columns.capacity(), "{rows:?} of the columns");
        let all = (1_u64 << rows.len()) - 1;
        let slots = self.slots.iter();
        let whole = slots.fold(all, |whole, slot| {
            whole & columns.valid_bits(*slot, rows.clone())
        });
        whole as u32
    }

    /// Sets the hashes of the keys of some rows from `first` on, a bit of `rows` for each. Those of
    /// others mean nothing.
    #[inline(always)]
    pub(super) fn hash_all(
        &self,
        columns: &Columns,
        first: usize,
        rows: u32,
        hashes: &mut [u64; TOGETHER],
    ) {
        hashes.fill(Hasher::new().0);
        for slot in &self.slots {
            // What keys are made of mostly is asked once for all rows.
            match slot.physical {
                Physical::I64 => each(hashes, rows, |hasher, i| {
                    hash_with(hasher, columns, *slot, Physical::I64, first + i)
                }),
                Physical::I32 => each(hashes, rows, |hasher, i| {
                    hash_with(hasher, columns, *slot, Physical::I32, first + i)
                }),
                Physical::View => each(hashes, rows, |hasher, i| {
                    hash_with(hasher, columns, *slot, Physical::View, first + i)
                }),
                other => each(hashes, rows, |hasher, i| {
                    hash_with(hasher, columns, *slot, other, first + i)
                }),
            }
        }
    }
}

impl Key<'_> {
    /// Whether it has the values of another key, which has the same types.
    pub fn is_same(&self, other: &Key<'_>) -> bool {
        let mut slots = self.slots.iter().zip(other.slots);
        let (mine, theirs) = (self.columns, other.columns);
        slots.all(|(a, b)| match a.physical {
            Physical::View => mine.text(*a, self.row) == theirs.text(*b, other.row),
            Physical::Timestamp => {
                let instant: Timestamp = mine.get(*a, self.row);
                instant == theirs.get(*b, other.row)
            }
            Physical::I128 => {
                let number: i128 = mine.get(*a, self.row);
                number == theirs.get(*b, other.row)
            }
            Physical::F32 | Physical::F64 => {
                bits_of(mine, *a, self.row) == bits_of(theirs, *b, other.row)
            }
            physical => {
                whole(mine, *a, physical, self.row) == whole(theirs, *b, physical, other.row)
            }
        })
    }

    /// The same for the same values, whatever batch they stand in.
    #[inline(always)]
    pub(super) fn hash(&self) -> u64 {
        let Key {
            slots,
            columns,
            row,
        } = *self;
        let hasher = slots.iter().fold(Hasher::new(), |hasher, slot| {
            hash_with(hasher, columns, *slot, slot.physical, row)
        });
        hasher.0
    }
}

/// Goes on with the hashes of some rows, a bit for each.
#[inline(always)]
fn each(hashes: &mut [u64; TOGETHER], rows: u32, next: impl Fn(Hasher, usize) -> Hasher) {
    for i in bits(rows) {
        hashes[i] = next(Hasher(hashes[i]), i).0;
    }
}

/// Goes on with a column of a key. `physical` is the slot's: given apart, it may be a constant.
#[inline(always)]
fn hash_with(
    hasher: Hasher,
    columns: &Columns,
    slot: Slot,
    physical: Physical,
    row: usize,
) -> Hasher {
    match physical {
        Physical::View => hasher.text(columns.text(slot, row)),
        Physical::Timestamp => {
            let Timestamp { millis, nanos } = columns.get(slot, row);
            hasher.words(millis as u64, nanos as u64)
        }
        Physical::I128 => {
            let value: i128 = columns.get(slot, row);
            hasher.words(value as u64, (value >> 64) as u64)
        }
        Physical::F32 | Physical::F64 => hasher.words(bits_of(columns, slot, row) as u64, 0),
        physical => {
            let number = whole(columns, slot, physical, row).unwrap_or_default();
            hasher.words(number as u64, 0)
        }
    }
}
