//! Short strings with much in common, as codes of one byte: FSST, Fast Static Symbol Table. A
//! code stands for up to 8 bytes of text; 255 says that the next byte stands for itself. Strings that
//! codes would make longer stand as they are, behind 255 twice.

use std::fmt;

use fsst::{Compressor, ESCAPE_CODE};
use pelton_data::columns::{Columns, MemoryError, View};

/// The most bytes that a code stands for.
const LONGEST: usize = 8;
/// What stands before a string that is as it is.
const PLAIN: [u8; 2] = [ESCAPE_CODE; 2];
/// The most bytes by which codes are longer than their string.
pub(super) const LONGER: u64 = PLAIN.len() as u64;

/// What the codes of a column stand for.
pub(super) struct Symbols {
    compressor: Compressor,
    /// The bytes of every code, little-endian, and how many they are.
    bytes: [u64; 256],
    lengths: [u8; 256],
}

impl Symbols {
    /// The symbols that make these strings shortest.
    pub(super) fn train(sample: &[&[u8]]) -> Symbols {
        let compressor = Compressor::train(&sample.to_vec());
        let (mut bytes, mut lengths) = ([0; 256], [0; 256]);
        for (code, symbol) in compressor.symbol_table().iter().enumerate() {
            bytes[code] = symbol.to_u64();
        }
        lengths[..compressor.symbol_lengths().len()].copy_from_slice(compressor.symbol_lengths());
        Symbols {
            compressor,
            bytes,
            lengths,
        }
    }

    /// The codes of a string: at most [`LONGER`] than it.
    pub(super) fn encode(&self, text: &[u8]) -> Vec<u8> {
        let codes = self.compressor.compress(text);
        match codes.len() > text.len() + PLAIN.len() || codes.starts_with(&PLAIN) {
            true => [&PLAIN, text].concat(),
            false => codes,
        }
    }

    /// Adds the string of these codes to the columns' heap.
    #[inline]
    pub(super) fn decode(&self, codes: &[u8], columns: &mut Columns) -> Result<View, MemoryError> {
        // A symbol is written whole; what it is too long, the next one overwrites.
        let most = LONGEST * (codes.len() + 1);
        columns.push_text_with(most, |heap| {
            if let Some(text) = codes.strip_prefix(&PLAIN) {
                return heap.extend_from_slice(text);
            }
            let mut codes = codes.iter();
            while let Some(code) = codes.next() {
                if *code == ESCAPE_CODE {
                    heap.extend(codes.next());
                    continue;
                }
                let end = heap.len() + usize::from(self.lengths[usize::from(*code)]);
                heap.extend_from_slice(&self.bytes[usize::from(*code)].to_le_bytes());
                heap.truncate(end);
            }
        })
    }
}

impl fmt::Debug for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} symbols", self.compressor.symbol_table().len())
    }
}

#[cfg(test)]
mod tests {
    use pelton_data::columns::Layout;

    use super::*;

    #[test]
    fn what_symbols_would_make_longer_stands_as_it_is() {
        let sample = ["Beethovenstrasse"; 100].map(str::as_bytes);
        let symbols = Symbols::train(&sample);
        assert!(symbols.encode(b"Beethovenstrasse").len() < 8);
        let mut columns = Columns::new(&Layout::default(), 1).unwrap();
        let texts: [&[u8]; 6] = [
            b"",
            b"B",
            b"Beethoven",
            &[ESCAPE_CODE],
            &[ESCAPE_CODE; 3],
            &[7; 100],
        ];
        for text in texts {
            let codes = symbols.encode(text);
            let most = text.len() + LONGER as usize;
            assert!(codes.len() <= most, "{text:?} as {codes:?}");
            let view = symbols.decode(&codes, &mut columns).unwrap();
            assert_eq!(columns.bytes(view), text);
        }
    }
}
