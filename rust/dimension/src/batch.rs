//! Rows on their way from a file to an image.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, Int32Array, StringArray};
use pelton_data::columns::{Columns, Slot};

/// The first rows of some columns.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The values; of the strings that are coded, which are NULL.
    pub columns: &'a Columns,
    /// How many rows there are.
    pub rows: usize,
    /// The strings that are coded, by the number of their slot.
    coded: &'a [Option<Coded>],
}

/// Strings as a file has coded them: each stands once in a dictionary, rows hold its number. What is
/// asked of a string is asked once a dictionary.
#[derive(Debug, Clone)]
pub struct Coded {
    codes: Int32Array,
    texts: StringArray,
}

impl<'a> Batch<'a> {
    /// Rows whose strings all stand in the columns.
    pub fn new(columns: &'a Columns, rows: usize) -> Batch<'a> {
        Batch::with_coded(columns, rows, &[])
    }

    /// Rows of which some strings are coded, given by [`Slot::id`]; of `rows` rows each, and none of them
    /// of the key, whose bytes are hashed where they stand in the columns.
    pub fn with_coded(columns: &'a Columns, rows: usize, coded: &'a [Option<Coded>]) -> Batch<'a> {
        Batch {
            columns,
            rows,
            coded,
        }
    }

    /// The strings of a slot, where they are coded.
    pub fn coded(&self, slot: Slot) -> Option<&'a Coded> {
        self.coded.get(slot.id())?.as_ref()
    }
}

impl Coded {
    /// The strings of a `DictionaryArray` of `Int32` keys and `Utf8` values; `None` for other arrays, and
    /// where values are missing or NULL: not every key would be a string.
    pub fn of(array: &dyn Array) -> Option<Coded> {
        let array = array.as_dictionary_opt::<Int32Type>()?;
        let texts = array.values().as_string_opt::<i32>()?;
        let is_usable = !texts.is_empty() && texts.null_count() == 0;
        is_usable.then(|| Coded {
            codes: array.keys().clone(),
            texts: texts.clone(),
        })
    }

    /// The number of a row's string in the dictionary. Of a NULL it means nothing.
    #[inline(always)]
    pub(crate) fn code(&self, row: usize) -> usize {
        self.codes.values()[row] as usize
    }

    /// A string of the dictionary.
    #[inline(always)]
    pub(crate) fn text(&self, code: usize) -> &[u8] {
        self.texts.value(code).as_bytes()
    }

    /// The bytes from a string's first on, and how many are the string.
    #[inline(always)]
    pub(crate) fn text_onwards(&self, code: usize) -> (&[u8], usize) {
        let start = self.texts.value_offsets()[code] as usize;
        (&self.texts.value_data()[start..], self.length(code))
    }

    /// The length of a string of the dictionary in bytes.
    #[inline(always)]
    pub(crate) fn length(&self, code: usize) -> usize {
        self.texts.value_length(code) as usize
    }

    /// The dictionary.
    pub(crate) fn texts(&self) -> &StringArray {
        &self.texts
    }
}
