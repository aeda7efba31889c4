//! A key where it stands, in the columns of a batch: nothing is copied to look it up.

use pelton_data::columns::{Columns, Physical, Slot, Timestamp};

use super::coding::{bits_of, whole};
use super::hash::Hasher;

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
            _ => whole(mine, *a, self.row) == whole(theirs, *b, other.row),
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
        let hasher = slots
            .iter()
            .fold(Hasher::new(), |hasher, slot| match slot.physical {
                Physical::View => hasher.text(columns.text(*slot, row)),
                Physical::Timestamp => {
                    let Timestamp { millis, nanos } = columns.get(*slot, row);
                    hasher.words(millis as u64, nanos as u64)
                }
                Physical::I128 => {
                    let value: i128 = columns.get(*slot, row);
                    hasher.words(value as u64, (value >> 64) as u64)
                }
                Physical::F32 | Physical::F64 => {
                    hasher.words(bits_of(columns, *slot, row) as u64, 0)
                }
                _ => hasher.words(whole(columns, *slot, row).unwrap_or_default() as u64, 0),
            });
        hasher.finish()
    }
}
