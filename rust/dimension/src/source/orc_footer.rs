//! What is asked of an ORC file's footer before the reader, which trusts it, gets to see it: that
//! its sizes are those of the file, and that its types are a tree of no great depth.
//!
//! ```text
//! ... | metadata | footer | postscript | length of the postscript u8
//! ```

use std::collections::HashMap;
use std::io::{self, Read};

use bytes::Bytes;
use chrono_tz::Tz;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::read_metadata;
use orc_rust::stripe::StripeMetadata;

use super::orc_blocks::{self, BLOCK};

/// Types within types, at the most.
const DEPTH: usize = 64;

/// The most bytes that a footer, or the metadata before it, may have when it is unpacked.
const FOOTER: u64 = 64 << 20;

/// Which dates a file's days before October 15, 1582 are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    /// Those of the Julian calendar, as Java's older classes have them; of a file that does not say,
    /// too.
    Julian,
    /// Ours, as if it had always been.
    Proleptic,
}

/// Why a file is none of ORC, if so; else its calendar.
pub(super) fn check(file: &impl ChunkReader) -> Result<Calendar, String> {
    let read = |start, length| {
        file.get_bytes(start, length)
            .map_err(|error| error.to_string())
    };
    let size = file.len();
    let last = read(size.checked_sub(1).ok_or("it is empty")?, 1)?;
    let end = size - 1;
    let length = u64::from(last[0]);
    let start = end
        .checked_sub(length)
        .ok_or("its postscript begins before it")?;
    let postscript = Postscript::parse(&read(start, length)?)?;
    let sizes = postscript.footer.checked_add(postscript.metadata);
    if sizes.is_none_or(|sizes| sizes > start) {
        return Err("its footer is longer than the file".to_owned());
    }
    if postscript.block.is_some_and(|block| block > BLOCK) {
        return Err(format!("its blocks have more than {BLOCK} bytes"));
    }
    // The reader reads both.
    let compression = postscript.compression()?;
    let metadata = start - postscript.footer - postscript.metadata;
    check_size(read(metadata, postscript.metadata)?, compression)?;
    let packed = read(start - postscript.footer, postscript.footer)?;
    let footer = unpack(packed, compression)?;
    check_types(&footer)?;
    calendar(&footer)
}

fn calendar(footer: &[u8]) -> Result<Calendar, String> {
    const CALENDAR: u64 = 11;
    const PROLEPTIC: u64 = 2;
    for part in Parts(footer) {
        if let (CALENDAR, Part::Number(PROLEPTIC)) = part? {
            return Ok(Calendar::Proleptic);
        }
    }
    Ok(Calendar::Julian)
}

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
pub(super) fn stripe(
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

fn unpack(packed: Bytes, compression: Option<Compression>) -> Result<Vec<u8>, String> {
    check_size(packed.clone(), compression)?;
    let mut footer = Vec::new();
    Decompressor::new(packed, compression, Vec::new())
        .read_to_end(&mut footer)
        .map_err(|error| error.to_string())?;
    Ok(footer)
}

/// Whether a footer, or what is beside it, is no longer than it may be. Nothing is kept of it.
fn check_size(packed: Bytes, compression: Option<Compression>) -> Result<(), String> {
    orc_blocks::room(&packed, compression)?;
    let mut unpacked = Decompressor::new(packed, compression, Vec::new()).take(FOOTER + 1);
    let size = io::copy(&mut unpacked, &mut io::sink());
    match size.map_err(|error| error.to_string())? > FOOTER {
        true => Err(format!(
            "its footer or metadata has more than {FOOTER} bytes"
        )),
        false => Ok(()),
    }
}

struct Postscript {
    footer: u64,
    metadata: u64,
    /// The number of the compression's kind.
    kind: u64,
    block: Option<u64>,
}

impl Postscript {
    fn parse(bytes: &[u8]) -> Result<Postscript, String> {
        let (mut footer, mut metadata, mut kind, mut block) = (None, None, 0, None);
        for part in Parts(bytes) {
            match part? {
                (1, Part::Number(value)) => footer = Some(value),
                (2, Part::Number(value)) => kind = value,
                (3, Part::Number(value)) => block = Some(value),
                (5, Part::Number(value)) => metadata = Some(value),
                _ => {}
            }
        }
        Ok(Postscript {
            footer: footer.ok_or("its postscript names no footer")?,
            metadata: metadata.ok_or("its postscript names no metadata")?,
            kind,
            block,
        })
    }

    /// The reader tells a compression only of a file: of one without columns, here.
    fn compression(&self) -> Result<Option<Compression>, String> {
        const STRUCT: [u8; 4] = [4 << 3 | 2, 2, 1 << 3, 12];
        const LZO: u64 = 3;
        if self.kind == LZO {
            return Err("it is compressed by LZO, which is not supported".to_owned());
        }
        let mut file = Vec::new();
        if self.kind != 0 {
            // The header of a block that is not compressed.
            file.extend([(STRUCT.len() as u8) << 1 | 1, 0, 0]);
        }
        file.extend(STRUCT);
        let footer = file.len() as u64;
        let mut postscript = Vec::new();
        let numbers = [
            (1, Some(footer)),
            (2, Some(self.kind)),
            (3, self.block),
            (5, Some(0)),
        ];
        for (field, number) in numbers {
            let Some(mut number) = number else { continue };
            postscript.push(field << 3);
            while number >= 0x80 {
                postscript.push(number as u8 | 0x80);
                number >>= 7;
            }
            postscript.push(number as u8);
        }
        file.extend(&postscript);
        file.push(postscript.len() as u8);
        let metadata = read_metadata(&mut Bytes::from(file)).map_err(|error| error.to_string())?;
        Ok(metadata.compression())
    }
}

/// Every type has one parent, which stands before it: so says the format, and the reader descends
/// without an end if it is not so.
fn check_types(footer: &[u8]) -> Result<(), String> {
    const TYPES: u64 = 4;
    const SUBTYPES: u64 = 2;
    let mut children = Vec::new();
    for part in Parts(footer) {
        let (TYPES, Part::Bytes(of_type)) = part? else {
            continue;
        };
        let mut subtypes = Vec::new();
        for part in Parts(of_type) {
            match part? {
                (SUBTYPES, Part::Number(one)) => subtypes.push(one),
                (SUBTYPES, Part::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        subtypes.push(number(&mut packed)?);
                    }
                }
                _ => {}
            }
        }
        children.push(subtypes);
    }
    let mut depths = vec![None; children.len()];
    if let Some(root) = depths.first_mut() {
        *root = Some(0);
    }
    for (parent, subtypes) in children.iter().enumerate() {
        for child in subtypes {
            let depth = depths[parent].unwrap_or(0) + 1;
            let place = usize::try_from(*child).ok().filter(|child| *child > parent);
            match place.and_then(|child| depths.get_mut(child)) {
                Some(known @ None) if depth <= DEPTH => *known = Some(depth),
                Some(None) => return Err(format!("its types are nested deeper than {DEPTH}")),
                _ => return Err(format!("its type {parent} cannot contain type {child}")),
            }
        }
    }
    Ok(())
}

/// The parts of a protobuf message, with their numbers.
struct Parts<'a>(&'a [u8]);

enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<(u64, Part<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.0.is_empty()).then(|| self.part())
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Result<(u64, Part<'a>), String> {
        let result = self.read();
        if result.is_err() {
            self.0 = &[];
        }
        result
    }

    fn read(&mut self) -> Result<(u64, Part<'a>), String> {
        let tag = number(&mut self.0)?;
        let part = match tag & 7 {
            0 => Part::Number(number(&mut self.0)?),
            1 => self.take(8).map(|_| Part::Fixed)?,
            2 => {
                let length = number(&mut self.0)?;
                Part::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Part::Fixed)?,
            wire => return Err(format!("its footer is no protobuf: wire type {wire}")),
        };
        Ok((tag >> 3, part))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or("its footer is cut off")?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A number of 7 bits a byte.
fn number(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or("its footer is cut off")?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("its footer is no protobuf: a number has more than 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer of types with these children.
    fn footer(types: &[&[u8]]) -> Vec<u8> {
        let mut footer = Vec::new();
        for children in types {
            footer.extend([
                4 << 3 | 2,
                children.len() as u8 + 2,
                2 << 3 | 2,
                children.len() as u8,
            ]);
            footer.extend(*children);
        }
        footer
    }

    #[test]
    fn types_are_a_tree() {
        assert_eq!(check_types(&footer(&[&[1, 2], &[], &[3], &[]])), Ok(()));
        for types in [
            [&[1, 2][..], &[], &[0]],
            [&[1, 2], &[], &[2]],
            [&[1, 1], &[], &[]],
            [&[1, 2], &[], &[3]],
            [&[2], &[], &[1]],
        ] {
            let error = check_types(&footer(&types)).unwrap_err();
            assert!(error.contains("cannot contain type"), "{error}");
        }
        let chain: Vec<[u8; 1]> = (1..100).map(|i| [i]).collect();
        let mut chain: Vec<&[u8]> = chain.iter().map(|i| &i[..]).collect();
        chain.push(&[]);
        let error = check_types(&footer(&chain)).unwrap_err();
        assert_eq!(error, "its types are nested deeper than 64");
    }
}
