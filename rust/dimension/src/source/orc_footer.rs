//! What is asked of an ORC file's footer before the reader, which trusts it, gets to see it: that
//! its sizes are those of the file, and that its types are a tree of no great depth.
//!
//! ```text
//! ... | metadata | footer | postscript | length of the postscript u8
//! ```

use std::io::{self, Read};

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::read_metadata;

use super::orc_blocks::{self, BLOCK};
use super::varint::{TOO_LONG, varint};

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

pub(super) fn unpack(packed: Bytes, compression: Option<Compression>) -> Result<Vec<u8>, String> {
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
pub(super) struct Parts<'a>(pub(super) &'a [u8]);

pub(super) enum Part<'a> {
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
    let number = varint(|| {
        let (first, rest) = bytes.split_first().ok_or("its footer is cut off")?;
        *bytes = rest;
        Ok::<u8, String>(*first)
    });
    number?.ok_or_else(|| format!("its footer is no protobuf: {TOO_LONG}"))
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
