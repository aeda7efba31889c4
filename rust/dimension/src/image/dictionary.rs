//! Strings that return often: each stands once, rows hold its number. So do floats, as 8 bytes.

use std::ptr;

use arrow_array::{Array, StringArray};
use hashbrown::HashTable;
use pelton_data::columns::PADDING;

use super::Refusal;
use super::hash::{hash, is_same};
use crate::batch::Coded;

/// Strings by number, and while rows are packed numbers by string.
#[derive(Debug)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each ends, behind a 0.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Default for Dictionary {
    fn default() -> Dictionary {
        Dictionary {
            bytes: Vec::new(),
            ends: vec![0],
            numbers: HashTable::new(),
        }
    }
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
        let number = u32::try_from(ends.len() - 1).map_err(|_| Refusal::Full)?;
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
        let (start, end) = ends_of(&self.ends, number);
        (&self.bytes[start..], end - start)
    }

    /// Adds bytes behind the last string, so that it is copied like the others.
    pub(super) fn pad(&mut self) {
        self.bytes.resize(self.bytes.len() + PADDING, 0);
    }

    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len() - 1
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
    /// The file's dictionary that they belong to. It is known by its address, which is its own only as
    /// long as it is held here.
    texts: Option<StringArray>,
    /// By code; `None` was not sought yet.
    numbers: Vec<Option<u32>>,
}

impl Numbers {
    /// Forgets all where strings have another dictionary than those before.
    pub(super) fn follow(&mut self, coded: &Coded) -> Result<(), Refusal> {
        let texts = coded.texts();
        let is_known = |known: &StringArray| {
            ptr::eq(known.value_data(), texts.value_data())
                && ptr::eq(known.value_offsets(), texts.value_offsets())
        };
        if !self.texts.as_ref().is_some_and(is_known) {
            self.numbers.clear();
            let memory = self.numbers.try_reserve(texts.len());
            memory.map_err(|_| Refusal::Memory)?;
            self.numbers.resize(texts.len(), None);
            self.texts = Some(texts.clone());
        }
        Ok(())
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
    let (start, end) = ends_of(ends, number);
    &bytes[start..end]
}

/// Where a string begins and ends.
#[inline(always)]
fn ends_of(ends: &[u32], number: u32) -> (usize, usize) {
    let ends = &ends[number as usize..][..2];
    (ends[0] as usize, ends[1] as usize)
}
