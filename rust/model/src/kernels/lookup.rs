//! From strings and numbers to the places that a model gives them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use crate::memory::Text;

/// FNV-1a: short strings, no keys to protect against.
#[derive(Clone)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
    // The length of a string adds nothing to its bytes.
    fn write_usize(&mut self, _: usize) {}
    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }
    fn write_u64(&mut self, value: u64) {
        // The bits of neighbours must reach the top of the hash, where tables look.
        self.0 = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 32;
    }
}

pub(crate) type Table<K> = HashMap<K, u32, BuildHasherDefault<Fnv>>;

/// The place of every key of a list; of a key that stands there twice, the first one.
pub(crate) fn first_places<K: Hash + Eq>(keys: impl IntoIterator<Item = K>) -> Table<K> {
    let mut places = Table::default();
    for (key, place) in keys.into_iter().zip(0..) {
        places.entry(key).or_insert(place);
    }
    places
}

/// The place of every string of a list; of a string that stands there twice, the last one.
#[derive(Debug, Clone)]
pub(crate) struct Strings {
    places: Table<Box<[u8]>>,
}

impl Strings {
    pub fn new<'s>(strings: impl IntoIterator<Item = &'s str>) -> Self {
        let strings = strings.into_iter().map(|s| Box::from(s.as_bytes()));
        Self {
            places: strings.zip(0..).collect(),
        }
    }

    /// Of a string that stands there twice, the first place.
    pub fn first(strings: &[String]) -> Self {
        Self {
            places: first_places(strings.iter().map(|s| Box::from(s.as_bytes()))),
        }
    }

    pub fn find(&self, bytes: &[u8]) -> Option<u32> {
        self.places.get(bytes).copied()
    }

    /// How cells of a tensor find their place: codes of a dictionary by number, text by its bytes.
    pub fn finder(self, dictionary: Option<&Arc<[String]>>) -> Finder {
        match dictionary {
            None => Finder::Text(self),
            Some(dictionary) => {
                let codes = dictionary.iter().map(|s| self.find(s.as_bytes()));
                Finder::Codes(codes.collect())
            }
        }
    }
}

/// From a cell of a string tensor to a place in a list.
#[derive(Debug, Clone)]
pub(crate) enum Finder {
    Text(Strings),
    Codes(Vec<Option<u32>>),
}

impl Finder {
    #[inline]
    pub fn find(&self, cell: i64, text: &[u8]) -> Option<u32> {
        match self {
            Finder::Text(strings) => strings.find(Text::of(cell).bytes(text)),
            Finder::Codes(codes) => codes.get(cell as usize).copied().flatten(),
        }
    }
}
