//! Short strings with much in common, as codes of one byte: FSST, Fast Static Symbol Table. A
//! code stands for up to 8 bytes of text; 255 says that the next byte stands for itself.

use std::fmt;

use fsst::{Compressor, ESCAPE_CODE};
use pelton_data::columns::{Columns, MemoryError, View};

/// The most bytes that a code stands for.
const LONGEST: usize = 8;

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

    /// The codes of a string: at most twice as long.
    pub(super) fn encode(&self, text: &[u8]) -> Vec<u8> {
        self.compressor.compress(text)
    }

    /// Adds the string of these codes to the columns' heap.
    #[inline]
    pub(super) fn decode(&self, codes: &[u8], columns: &mut Columns) -> Result<View, MemoryError> {
        // A symbol is written whole; what it is too long, the next one overwrites.
        let most = LONGEST * (codes.len() + 1);
        columns.push_text_with(most, |heap| {
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
