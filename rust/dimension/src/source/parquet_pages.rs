//! The column chunks of a Parquet file, page by page, for the reader. It takes memory for what a page
//! promises before it sees whether that is there: so each header is checked before the page is unpacked,
//! and each page before it is decoded.
//!
//! ```text
//! column chunk   | header: one struct of Thrift | page | header | page | ...
//! ```

use std::io::{self, BufReader, Read};
use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::RowGroups;
use parquet::basic::{Compression, PageType};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::parquet_values;
use super::thrift::Kind::{Bool, Number, Struct};
use super::thrift::{Fields, STRUCT, Thrift, is_number};
use super::windows::{Reader, Windows};

/// The most bytes of a page, unpacked. Most writers end pages at one MiB, some with the column chunk.
pub(super) const PAGE: u64 = 512 << 20;

/// The most bytes that a byte of GZIP stands for.
const GZIP: u64 = 1032;

/// What is read of a header at once, in bytes.
const PIECE: usize = 64;

/// A row group that is to be decoded.
pub(super) struct RowGroup<'a> {
    pub(super) file: &'a Arc<Windows>,
    pub(super) metadata: &'a ParquetMetaData,
    pub(super) row_group: &'a RowGroupMetaData,
}

impl RowGroups for RowGroup<'_> {
    fn num_rows(&self) -> usize {
        self.row_group.num_rows() as usize
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>, ParquetError> {
        let column = self.row_group.column(leaf);
        let bytes = Arc::new(FileBytes(self.file.clone()));
        let (at, left) = column.byte_range();
        let pages = Pages {
            reader: SerializedPageReader::new(bytes, column, self.num_rows(), None)?,
            file: self.file.clone(),
            column: column.clone(),
            at,
            left,
        };
        Ok(Box::new(Chunk(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(iter::once(self.row_group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

/// A column chunk, once.
struct Chunk(Option<Pages>);

impl PageIterator for Chunk {}

impl Iterator for Chunk {
    type Item = Result<Box<dyn PageReader>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages: Box<dyn PageReader> = Box::new(self.0.take()?);
        Some(Ok(pages))
    }
}

/// The pages of a column chunk, each checked before it is the reader's.
struct Pages {
    reader: SerializedPageReader<FileBytes>,
    file: Arc<Windows>,
    column: ColumnChunkMetaData,
    /// Where the header of the next one begins.
    at: u64,
    /// How many bytes of the column chunk follow from there.
    left: u64,
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        self.pass().map_err(ParquetError::General)?;
        let page = self.reader.get_next_page()?;
        if let Some(page) = &page {
            let column = self.column.column_descr();
            parquet_values::check(page, column).map_err(ParquetError::General)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.header().map_err(ParquetError::General)?;
        self.reader.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.pass().map_err(ParquetError::General)?;
        self.reader.skip_next_page()
    }
}

impl Iterator for Pages {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl Pages {
    /// Moves behind the next page, unless the reader must not get it.
    fn pass(&mut self) -> Result<(), String> {
        if let Some(header) = self.header()? {
            self.check_room(&header)?;
            let length = header.length + header.packed;
            self.at += length;
            self.left -= length;
        }
        Ok(())
    }

    /// The header of the next page; `None` behind the last.
    fn header(&self) -> Result<Option<Header>, String> {
        if self.left == 0 {
            return Ok(None);
        }
        let bytes = BufReader::with_capacity(PIECE, self.file.reader(self.at));
        let header = Header::read(bytes, self.left);
        let header = header.map_err(|why| format!("the header of a page is broken: {why}"))?;
        // There are no others but in the format's definition.
        let kinds = [
            PageType::DATA_PAGE,
            PageType::DICTIONARY_PAGE,
            PageType::DATA_PAGE_V2,
        ];
        if !kinds.iter().any(|kind| *kind as i32 == header.kind) {
            return Err(format!("a page is of kind {}", header.kind));
        }
        match header.length.saturating_add(header.packed) <= self.left {
            true => Ok(Some(header)),
            false => Err("a page is cut off".to_owned()),
        }
    }

    /// Whether a page unpacks to no more than its bytes can stand for, and than any page may have.
    fn check_room(&self, header: &Header) -> Result<(), String> {
        let Header {
            packed, unpacked, ..
        } = header;
        let Some(most) = most(self.column.compression()) else {
            return Ok(());
        };
        let room = packed.saturating_mul(most);
        if *unpacked > room.min(PAGE) {
            return Err(format!("a page of {packed} bytes unpacks to {unpacked}"));
        }
        // The reader unpacks GZIP to its end, whatever the header says.
        let is_gzip = most == GZIP;
        match is_gzip && room > PAGE && self.unzipped(header)? > PAGE {
            true => Err(format!(
                "a page of {packed} bytes unpacks to more than {PAGE}"
            )),
            false => Ok(()),
        }
    }

    /// The bytes that a page unpacks to, as far as they matter. Nothing is kept of them.
    fn unzipped(&self, header: &Header) -> Result<u64, String> {
        let page = self.file.bytes(self.at + header.length, header.packed)?;
        let zipped = page.get(header.levels as usize..).unwrap_or_default();
        let mut unzipped = MultiGzDecoder::new(zipped).take(PAGE + 1);
        // The error is the reader's to tell.
        let _ = io::copy(&mut unzipped, &mut io::sink());
        Ok(PAGE + 1 - unzipped.limit())
    }
}

/// The most bytes that a packed byte stands for; `None` where the reader takes pages as they are.
fn most(compression: Compression) -> Option<u64> {
    match compression {
        Compression::UNCOMPRESSED => None,
        // A copy of 64 bytes has 3.
        Compression::SNAPPY => Some(22),
        // Each byte of a length counts 255 at the most.
        Compression::LZ4 | Compression::LZ4_RAW => Some(255),
        Compression::GZIP(_) => Some(GZIP),
        // A block of 4 bytes repeats one 128 Ki times. The reader has no others.
        _ => Some(32 << 10),
    }
}

/// What the header of a page says.
#[derive(Default)]
struct Header {
    /// Its own bytes.
    length: u64,
    kind: i32,
    /// The bytes of the page, and those that they unpack to.
    packed: u64,
    unpacked: u64,
    /// The bytes of levels that stand before what is packed.
    levels: u64,
}

impl Header {
    /// The first of `left` bytes.
    fn read(bytes: impl Read, left: u64) -> Result<Header, String> {
        let mut header = Header::default();
        let mut thrift = Thrift::new(bytes, left);
        thrift.each_field(|thrift, id, written| {
            match (id, written) {
                (KIND, _) if is_number(written) => header.kind = thrift.int()?,
                (UNPACKED, _) if is_number(written) => header.unpacked = size(thrift.int()?),
                (PACKED, _) if is_number(written) => header.packed = size(thrift.int()?),
                (SECOND, STRUCT) => header.levels = levels(thrift)?,
                _ => thrift.field(HEADER, id, written)?,
            }
            Ok(())
        })?;
        header.length = left - thrift.left();
        Ok(header)
    }
}

/// The bytes of the levels of a data page of the second version.
fn levels(thrift: &mut Thrift<impl Read>) -> Result<u64, String> {
    let mut levels = 0_u64;
    thrift.each_field(|thrift, id, written| {
        match id {
            DEFINITION | REPETITION if is_number(written) => levels += size(thrift.int()?),
            _ => thrift.field(SECOND_VERSION, id, written)?,
        }
        Ok(())
    })?;
    Ok(levels)
}

/// A size, which the reader refuses if it is less than 0.
fn size(number: i32) -> u64 {
    u64::try_from(number).unwrap_or(u64::from(u32::MAX))
}

const HEADER: Fields = &[
    (KIND, Number),
    (UNPACKED, Number),
    (PACKED, Number),
    (4, Number),
    (
        5,
        Struct(&[(1, Number), (2, Number), (3, Number), (4, Number)]),
    ),
    (6, Struct(&[])),
    (7, Struct(&[(1, Number), (2, Number), (3, Bool)])),
    (SECOND, Struct(SECOND_VERSION)),
];
const KIND: i16 = 1;
const UNPACKED: i16 = 2;
const PACKED: i16 = 3;
const SECOND: i16 = 8;

const SECOND_VERSION: Fields = &[
    (1, Number),
    (2, Number),
    (3, Number),
    (4, Number),
    (DEFINITION, Number),
    (REPETITION, Number),
    (7, Bool),
];
const DEFINITION: i16 = 5;
const REPETITION: i16 = 6;

/// The bytes of a file, for the reader.
struct FileBytes(Arc<Windows>);

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for FileBytes {
    type T = Reader;

    fn get_read(&self, start: u64) -> Result<Reader, ParquetError> {
        Ok(self.0.reader(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.0.bytes(start, length as u64);
        bytes.map_err(ParquetError::General)
    }
}
