//! Whether the lists and maps of a stripe have as many elements as they say, and its strings as many
//! bytes. The reader takes the memory of what they say before it reads any, so a damaged length could
//! end the process.
//!
//! ```text
//! column      streams                         values
//! list, map   PRESENT? LENGTH                 one length a value; their sum: values of each child
//! string      PRESENT? DATA LENGTH            one length a value; their sum: bytes of DATA
//!             PRESENT? DATA DICTIONARY LENGTH one length a string; their sum: bytes of DICTIONARY
//! others      PRESENT? DATA [SECONDARY]       bits of PRESENT, else those of one stream
//! ```

use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::reader::ChunkReader;
use orc_rust::schema::DataType;

use super::orc_runs::{Integers, Version, count_bytes};
use super::orc_stripe::{Encoding, StreamKind, StripeFooter};

/// Bytes that are promised, by where a stream begins and its length.
pub(super) type Promises = HashMap<(u64, u64), u64>;

/// A stripe's streams, to be read one by one.
pub(super) struct Streams<'a, R> {
    /// The file.
    pub(super) file: &'a R,
    /// Its footer.
    pub(super) footer: &'a StripeFooter,
    /// Of the file.
    pub(super) compression: Option<Compression>,
}

impl<R: ChunkReader> Streams<'_, R> {
    /// Why a column, or one within it, promises elements that are not there, if so.
    pub(super) fn check(&self, column: &DataType) -> Result<(), String> {
        let children = children(column);
        if matches!(column, DataType::List { .. } | DataType::Map { .. }) {
            let (_, promised) = self.lengths(column)?;
            for child in &children {
                let there = self.values(child)?;
                if promised > there {
                    return Err(format!(
                        "the lists or maps of its column {} promise {promised} elements, and \
                         {there} are there",
                        column.column_index()
                    ));
                }
            }
        }
        children.into_iter().try_for_each(|child| self.check(child))
    }

    /// Adds how many bytes the strings of a column, or of its dictionary, and of those within it promise,
    /// by where the stream of these bytes lies and its length. Only lengths are read for it.
    pub(super) fn promised(
        &self,
        column: &DataType,
        promises: &mut Promises,
    ) -> Result<(), String> {
        if is_text(column) {
            let encoding = self.encoding(column)?;
            let (count, bytes) = self.lengths(column)?;
            // The reader does not ask how binary values are coded.
            let is_binary = matches!(column, DataType::Binary { .. });
            let kind = match encoding.has_dictionary() && !is_binary {
                true => StreamKind::DictionaryData,
                false => StreamKind::Data,
            };
            if kind == StreamKind::DictionaryData {
                encoding.check_dictionary(count, bytes)?;
            }
            match self.footer.stream(column.column_index(), kind) {
                // Others may lie there, too, if they are empty, or in another stripe.
                Some(stream) => {
                    let known = promises.entry(stream).or_default();
                    *known = bytes.max(*known);
                }
                None => check_promise(bytes, 0)?,
            }
        }
        let mut children = children(column).into_iter();
        children.try_for_each(|child| self.promised(child, promises))
    }

    /// How many lengths a column has, and their sum.
    fn lengths(&self, column: &DataType) -> Result<(u64, u64), String> {
        let (mut count, mut sum) = (0, 0_u64);
        self.integers(column, StreamKind::Length, |values| {
            count += values.len() as u64;
            let values = values.iter();
            sum = values.fold(sum, |sum, value| sum.saturating_add(*value));
        })?;
        Ok((count, sum))
    }

    /// How many values a column holds, NULLs included; with NULLs up to 7 more.
    fn values(&self, column: &DataType) -> Result<u64, String> {
        if self.has(column, StreamKind::Present) {
            return Ok(self.bytes(column, StreamKind::Present)?.saturating_mul(8));
        }
        match column {
            DataType::Boolean { .. } => Ok(self.bytes(column, StreamKind::Data)?.saturating_mul(8)),
            DataType::Byte { .. } | DataType::Union { .. } => self.bytes(column, StreamKind::Data),
            DataType::Float { .. } => Ok(self.length(column, StreamKind::Data)? / 4),
            DataType::Double { .. } => Ok(self.length(column, StreamKind::Data)? / 8),
            DataType::Decimal { .. } => self.count(column, StreamKind::Secondary),
            DataType::List { .. } | DataType::Map { .. } | DataType::Binary { .. } => {
                self.count(column, StreamKind::Length)
            }
            DataType::String { .. } | DataType::Varchar { .. } | DataType::Char { .. } => {
                match self.encoding(column)?.has_dictionary() {
                    true => self.count(column, StreamKind::Data),
                    false => self.count(column, StreamKind::Length),
                }
            }
            DataType::Struct { .. } => {
                let values = children(column).into_iter().map(|child| self.values(child));
                Ok(values
                    .collect::<Result<Vec<_>, _>>()?
                    .into_iter()
                    .max()
                    .unwrap_or(0))
            }
            DataType::Short { .. }
            | DataType::Int { .. }
            | DataType::Long { .. }
            | DataType::Date { .. }
            | DataType::Timestamp { .. }
            | DataType::TimestampWithLocalTimezone { .. } => self.count(column, StreamKind::Data),
        }
    }

    /// The number of a stream's integers.
    fn count(&self, column: &DataType, kind: StreamKind) -> Result<u64, String> {
        let mut count = 0;
        self.integers(column, kind, |values| count += values.len() as u64)?;
        Ok(count)
    }

    /// Shows all integers of a stream, run by run.
    fn integers(
        &self,
        column: &DataType,
        kind: StreamKind,
        mut see: impl FnMut(&[u64]),
    ) -> Result<(), String> {
        let version = match self.encoding(column)?.is_second_version() {
            true => Version::Second,
            false => Version::First,
        };
        let mut integers = Integers::new(self.open(column, kind)?, version);
        while let Some(run) = integers.next_run().map_err(|error| error.to_string())? {
            see(run);
        }
        Ok(())
    }

    /// The number of bytes of a stream that is coded by runs of them.
    fn bytes(&self, column: &DataType, kind: StreamKind) -> Result<u64, String> {
        let count = count_bytes(self.open(column, kind)?);
        count.map_err(|error| error.to_string())
    }

    /// The number of bytes of a stream that is not coded.
    fn length(&self, column: &DataType, kind: StreamKind) -> Result<u64, String> {
        let length = io::copy(&mut self.open(column, kind)?, &mut io::sink());
        length.map_err(|error| error.to_string())
    }

    fn has(&self, column: &DataType, kind: StreamKind) -> bool {
        self.footer.stream(column.column_index(), kind).is_some()
    }

    /// A stream, unpacked as it is read. One that is not there is empty.
    fn open(&self, column: &DataType, kind: StreamKind) -> Result<impl Read, String> {
        let bytes = match self.footer.stream(column.column_index(), kind) {
            Some((start, length)) => self.file.get_bytes(start, length),
            None => Ok(Bytes::new()),
        };
        let bytes = bytes.map_err(|error| error.to_string())?;
        let unpacked = Decompressor::new(bytes, self.compression, Vec::new());
        Ok(BufReader::new(unpacked))
    }

    fn encoding(&self, column: &DataType) -> Result<Encoding, String> {
        let encodings = &self.footer.encodings;
        let encoding = encodings.get(column.column_index()).copied();
        encoding.ok_or_else(|| format!("its column {} has no encoding", column.column_index()))
    }
}

/// Why strings promise bytes that are not there, if so.
pub(super) fn check_promise(promised: u64, there: u64) -> Result<(), String> {
    match promised <= there {
        true => Ok(()),
        false => Err(format!(
            "the strings of a column promise {promised} bytes, and {there} are there"
        )),
    }
}

fn is_text(column: &DataType) -> bool {
    matches!(
        column,
        DataType::String { .. }
            | DataType::Varchar { .. }
            | DataType::Char { .. }
            | DataType::Binary { .. }
    )
}

fn children(column: &DataType) -> Vec<&DataType> {
    match column {
        DataType::List { child, .. } => vec![child],
        DataType::Map { key, value, .. } => vec![key, value],
        DataType::Struct { children, .. } => children.iter().map(|c| c.data_type()).collect(),
        DataType::Union { variants, .. } => variants.iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use orc_rust::reader::metadata::read_metadata;

    use super::*;
    use crate::source::orc_stripe;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/dimension");

    /// What ORC's C++ library writes: lengths in runs of every kind. Each column of the file is a
    /// list or a map whose children have no NULLs, so that sums and counts are equal.
    #[test]
    fn lengths_that_others_wrote_are_those_of_the_elements() {
        for name in ["lists.orc", "lists_v1.orc"] {
            let mut file = Bytes::from(std::fs::read(format!("{GOLDEN}/{name}")).unwrap());
            let metadata = read_metadata(&mut file).unwrap();
            let mut elements = 0;
            for stripe in metadata.stripe_metadatas() {
                let compression = metadata.compression();
                let footer = orc_stripe::footer(&file, stripe, compression).unwrap();
                let streams = Streams {
                    file: &file,
                    footer: &footer,
                    compression,
                };
                for column in metadata.root_data_type().children() {
                    let column = column.data_type();
                    streams.check(column).unwrap();
                    let lists = children(column);
                    for child in &lists {
                        let (_, sum) = streams.lengths(column).unwrap();
                        assert_eq!(streams.values(child), Ok(sum), "{name} {column}");
                        elements += sum;
                    }
                }
            }
            assert!(elements > 20_000, "{elements}");
        }
    }

    /// Runs of lengths that damage has made long: without the check the reader asks for the
    /// memory of thousands of millions of elements, and the process ends.
    #[test]
    fn lengths_without_elements_are_refused() {
        let whole = std::fs::read(format!("{GOLDEN}/lists.orc")).unwrap();
        let mut file = Bytes::from(whole.clone());
        let metadata = read_metadata(&mut file).unwrap();
        let stripe = &metadata.stripe_metadatas()[0];
        let footer = orc_stripe::footer(&file, stripe, None).unwrap();
        for column in metadata.root_data_type().children() {
            let column = column.data_type();
            let (start, length) = footer
                .stream(column.column_index(), StreamKind::Length)
                .unwrap();
            let (start, length) = (start as usize, length as usize);
            // Short repeats: of values of 4 bytes, and of as many of 1 byte as fill the stream.
            let small = length * 3 % 5;
            let mut runs = [0x18, 0x7f, 0xff, 0xff, 0xff].repeat((length - 2 * small) / 5);
            runs.extend([0x00, 0x01].repeat(small));
            let mut damaged = whole.clone();
            damaged[start..start + length].copy_from_slice(&runs);
            let streams = Streams {
                file: &Bytes::from(damaged),
                footer: &footer,
                compression: None,
            };
            let error = streams.check(column).unwrap_err();
            assert!(error.contains("elements, and"), "{error}");
        }
    }

    #[test]
    fn lengths_of_strings_without_bytes_are_refused() {
        let whole = std::fs::read(format!("{GOLDEN}/types_plain.orc")).unwrap();
        let metadata = read_metadata(&mut Bytes::from(whole.clone())).unwrap();
        let stripe = &metadata.stripe_metadatas()[0];
        let footer = orc_stripe::footer(&Bytes::from(whole.clone()), stripe, None).unwrap();
        let columns = metadata.root_data_type().children().iter();
        let texts = columns.map(|column| column.data_type());
        let mut refused = 0;
        for column in texts.filter(|column| is_text(column)) {
            let check = |bytes: &[u8]| {
                let streams = Streams {
                    file: &Bytes::copy_from_slice(bytes),
                    footer: &footer,
                    compression: None,
                };
                let mut promised = Promises::new();
                streams.promised(column, &mut promised)?;
                let mut promised = promised.into_iter();
                promised.try_for_each(|((_, there), bytes)| check_promise(bytes, there))
            };
            assert_eq!(check(&whole), Ok(()));
            let lengths = footer.stream(column.column_index(), StreamKind::Length);
            let (start, length) = lengths.unwrap();
            let (start, length) = (start as usize, length as usize);
            // Short repeats: of values of 2 bytes, and of as many of 1 byte as fill the stream.
            let small = length * 2 % 3;
            let mut runs = [0x08, 0x7f, 0xff].repeat((length - 2 * small) / 3);
            runs.extend([0x00, 0x01].repeat(small));
            let mut damaged = whole.clone();
            damaged[start..start + length].copy_from_slice(&runs);
            let error = check(&damaged).unwrap_err();
            assert!(error.contains("bytes, and"), "{error}");
            refused += 1;
        }
        assert!(refused > 0, "there are strings");
    }
}
