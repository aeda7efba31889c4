//! Strings that return often: each stands once, rows hold its number. So do floats, as 8 bytes.

use hashbrown::HashTable;
use pelton_data::columns::PADDING;

use super::Refusal;
use super::hash::{hash, is_same};
use crate::batch::Coded;

/// Strings by number, and while rows are packed numbers by string.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Dictionary {
    /// The number of a string, a new one where it was not there.
    pub(super) fn intern(&mut self, text: &[u8]) -> Result<u32, Refusal> {
        let hashed = hash(text);
        let Dictionary {
            bytes,
            ends,
            numbers,
        } = self;
        let known = numbers.find(hashed, |number| is_same(part(bytes, ends, *number), text));
        if let Some(number) = known {
            return Ok(*number);
        }
        let memory = |_| Refusal::Memory;
        bytes.try_reserve(text.len()).map_err(memory)?;
        ends.try_reserve(1).map_err(memory)?;
        let number = u32::try_from(ends.len()).map_err(|_| Refusal::Full)?;
        bytes.extend_from_slice(text);
        ends.push(u32::try_from(bytes.len()).map_err(|_| Refusal::Full)?);
        let hash_of = |number: &u32| hash(part(bytes, ends, *number));
        numbers
            .try_reserve(1, hash_of)
            .map_err(|_| Refusal::Memory)?;
        numbers.insert_unique(hashed, number, hash_of);
        Ok(number)
    }

    /// The number of a string.
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        let is_text = |number: &u32| is_same(self.get(*number), text);
        self.numbers.find(hash(text), is_text).copied()
    }

    /// The string of a number.
    #[inline(always)]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        part(&self.bytes, &self.ends, number)
    }

    /// A string's 8 bytes, where all have so many.
    #[inline(always)]
    pub(super) fn word(&self, number: u32) -> i64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[8 * number as usize..][..8]);
        i64::from_le_bytes(word)
    }

    /// The bytes from a string's first on, and how many are the string.
    #[inline(always)]
    pub(super) fn padded(&self, number: u32) -> (&[u8], usize) {
        let number = number as usize;
        let start = if number == 0 {
            0
        } else {
            self.ends[number - 1]
        };
        let len = self.ends[number] - start;
        (&self.bytes[start as usize..], len as usize)
    }

    /// Adds bytes behind the last string, so that it is copied like the others.
    pub(super) fn pad(&mut self) {
        self.bytes.resize(self.bytes.len() + PADDING, 0);
    }

    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The memory that strings and their ends take.
    pub(super) fn bytes(&self) -> u64 {
        (self.bytes.len() + size_of_val(&self.ends[..])) as u64
    }
}

/// The numbers in a [`Dictionary`] of the strings that a file has coded, each sought once a dictionary
/// of the file.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// With the file's dictionary that they belong to.
    coded: Option<Coded>,
    /// By code; `None` was not sought yet.
    numbers: Vec<Option<u32>>,
}

impl Numbers {
    /// Forgets all where strings have another dictionary than those before.
    pub(super) fn follow(&mut self, coded: &Coded) {
        let is_known = |known: &Coded| known.has_dictionary_of(coded);
        if !self.coded.as_ref().is_some_and(is_known) {
            self.numbers.clear();
            self.numbers.resize(coded.kinds(), None);
            self.coded = Some(coded.clone());
        }
    }

    /// The number for a code of the strings that were followed last.
    #[inline(always)]
    pub(super) fn of(
        &mut self,
        code: usize,
        seek: impl FnOnce() -> Result<u32, Refusal>,
    ) -> Result<u32, Refusal> {
        match self.numbers[code] {
            Some(number) => Ok(number),
            None => Ok(*self.numbers[code].insert(seek()?)),
        }
    }
}

#[inline(always)]
fn part<'a>(bytes: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start as usize..ends[number] as usize]
}
