//! What the footer of an ORC file's stripe says of its columns, as the reader, which trusts it, sees it.
//!
//! ```text
//! stripe  | streams of indexes | streams of values | footer
//! ```

use std::collections::HashMap;

use chrono_tz::Tz;
use orc_rust::compression::Compression;
use orc_rust::reader::ChunkReader;
use orc_rust::stripe::StripeMetadata;

use super::orc_footer::{Part, Parts, unpack};

/// What a stripe's footer says of its columns.
#[derive(Debug, Default)]
pub(super) struct StripeFooter {
    /// Where a stream begins in the file, and its bytes, by its column and kind.
    streams: HashMap<(u32, i32), (u64, u64)>,
    /// One a column.
    pub(super) encodings: Vec<Encoding>,
    /// The zone whose dates and times of day its timestamps are.
    pub(super) zone: Tz,
}

/// How the values of a column are coded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Encoding {
    kind: u32,
    /// The strings of its dictionary.
    dictionary: u64,
}

/// What a stream of a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Present = 0,
    Data = 1,
    Length = 2,
    DictionaryData = 3,
    Secondary = 5,
}

impl StripeFooter {
    /// Where a stream begins, and its length in bytes.
    pub(super) fn stream(&self, column: usize, kind: StreamKind) -> Option<(u64, u64)> {
        let column = u32::try_from(column).ok()?;
        self.streams.get(&(column, kind as i32)).copied()
    }

    /// Adds the stream from `start` on, and returns where it ends. Of two of the same column and kind the
    /// reader takes the last, which may be another than the one that was checked.
    fn add(&mut self, stream: &[u8], start: u64) -> Result<u64, String> {
        let [kind, column, length] = numbers(stream)?;
        let end = start.checked_add(length);
        let end = end.ok_or("a stream ends behind the file's end")?;
        let column = u32::try_from(column).map_err(|_| format!("a stream of column {column}"))?;
        let kind = match kind as i32 {
            // What it does not know is for the reader the first kind.
            known @ 0..=5 => known,
            6..=10 | 100 | 101 => return Ok(end),
            _ => StreamKind::Present as i32,
        };
        match self.streams.insert((column, kind), (start, length)) {
            None => Ok(end),
            Some(_) => Err(format!(
                "its column {column} has two streams of kind {kind}"
            )),
        }
    }
}

impl Encoding {
    pub(super) fn has_dictionary(self) -> bool {
        matches!(self.kind, 1 | 3)
    }

    pub(super) fn is_second_version(self) -> bool {
        matches!(self.kind, 2 | 3)
    }

    /// Whether a dictionary has no more strings than lengths, and than bytes: they differ, so that one may
    /// be empty. The reader takes the memory of a dictionary before it reads one.
    pub(super) fn check_dictionary(self, lengths: u64, bytes: u64) -> Result<(), String> {
        let most = lengths.min(bytes.saturating_add(1));
        match self.dictionary <= most {
            true => Ok(()),
            false => Err(format!(
                "a dictionary of {} strings has {lengths} lengths and {bytes} bytes",
                self.dictionary
            )),
        }
    }
}

/// A stripe's footer, or why it cannot be right.
pub(super) fn footer(
    file: &impl ChunkReader,
    stripe: &StripeMetadata,
    compression: Option<Compression>,
) -> Result<StripeFooter, String> {
    const STREAMS: u64 = 1;
    const COLUMNS: u64 = 2;
    const ZONE: u64 = 3;
    let packed = file
        .get_bytes(stripe.footer_offset(), stripe.footer_length())
        .map_err(|error| error.to_string())?;
    let mut footer = StripeFooter::default();
    let mut start = stripe.offset();
    for part in Parts(&unpack(packed, compression)?) {
        match part? {
            (STREAMS, Part::Bytes(stream)) => start = footer.add(stream, start)?,
            (COLUMNS, Part::Bytes(encoding)) => {
                let [kind, dictionary, _] = numbers(encoding)?;
                // The reader drops the other bits.
                let kind = kind as u32;
                footer.encodings.push(Encoding { kind, dictionary });
            }
            (ZONE, Part::Bytes(name)) => {
                let name = String::from_utf8_lossy(name);
                let zone = name.parse();
                footer.zone = zone.map_err(|_| format!("there is no time zone `{name}`"))?;
            }
            _ => {}
        }
    }
    Ok(footer)
}

/// The first three fields of a message, 0 where they are not there.
fn numbers(message: &[u8]) -> Result<[u64; 3], String> {
    let mut numbers = [0; 3];
    for part in Parts(message) {
        if let (field @ 1..=3, Part::Number(number)) = part? {
            numbers[field as usize - 1] = number;
        }
    }
    Ok(numbers)
}
