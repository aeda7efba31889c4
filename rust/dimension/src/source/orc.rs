//! ORC files: the footer first, then the wanted columns of one stripe after another.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType as ArrowType, Fields, Schema};
use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use orc_rust::ArrowReaderBuilder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;

use super::orc_lengths::Streams;
use super::timestamp::NANOS;
use super::{BATCH, broken, orc_footer};
use crate::definition::Format;
use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// The reader asks for a few bytes after another, most of them next to the last: what is read from
/// the store at once, in bytes, at the least.
const WINDOW: u64 = 1 << 20;

/// An ORC file whose footer was read.
pub(super) struct OrcFile<'a> {
    builder: ArrowReaderBuilder<Chunks<'a>>,
    chunks: Chunks<'a>,
    schema: Schema,
    name: String,
}

/// Why the store could not be read: the reader knows it only as text.
type Failure = Rc<RefCell<Option<Error>>>;

/// The bytes of a file, for the reader.
#[derive(Clone)]
struct Chunks<'a> {
    connection: &'a Connection,
    file: &'a DataFile,
    /// The bytes that were read last, and where they begin.
    window: Rc<RefCell<(u64, Bytes)>>,
    failure: Failure,
}

impl<'a> OrcFile<'a> {
    pub(super) fn open(
        connection: &'a Connection,
        file: &'a DataFile,
        name: &str,
    ) -> Result<OrcFile<'a>, Error> {
        let chunks = Chunks {
            connection,
            file,
            window: Rc::default(),
            failure: Failure::default(),
        };
        orc_footer::check(&chunks).map_err(|why| chunks.failed(name, &why))?;
        let builder = ArrowReaderBuilder::try_new(chunks.clone());
        let builder = builder.map_err(|error| chunks.failed(name, &error))?;
        Ok(OrcFile {
            schema: builder.schema().as_ref().clone(),
            builder,
            chunks,
            name: name.to_owned(),
        })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn rows(&self) -> u64 {
        self.builder.file_metadata().number_of_rows()
    }

    /// Decodes the columns of these numbers.
    pub(super) fn read(
        self,
        numbers: &[usize],
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let OrcFile {
            builder,
            chunks,
            schema,
            name,
        } = self;
        let metadata = builder.file_metadata();
        let names: Vec<&str> = numbers
            .iter()
            .map(|n| schema.field(*n).name().as_str())
            .collect();
        let mask = ProjectionMask::named_roots(metadata.root_data_type(), &names);
        check_stripes(&chunks, metadata, &mask).map_err(|why| chunks.failed(&name, &why))?;
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let exact = Arc::new(with_all_digits(&builder.schema()));
        for batch in builder.with_schema(exact).build() {
            each(&batch.map_err(|error| chunks.failed(&name, &error))?)?;
        }
        Ok(())
    }
}

/// What the reader trusts: the sizes that stripes tell of the columns that are to be read.
fn check_stripes(
    chunks: &Chunks<'_>,
    metadata: &FileMetadata,
    mask: &ProjectionMask,
) -> Result<(), String> {
    let root = metadata.root_data_type().project(mask);
    let compression = metadata.compression();
    for stripe in metadata.stripe_metadatas() {
        let streams = Streams {
            file: chunks,
            footer: &orc_footer::stripe(chunks, stripe, compression)?,
            compression,
        };
        for column in root.children() {
            streams.check(column.data_type())?;
        }
    }
    Ok(())
}

impl Chunks<'_> {
    /// What the reader could not do: because of the store, or of the file.
    fn failed(&self, name: &str, why: &dyn std::fmt::Display) -> Error {
        let of_store = self.failure.borrow_mut().take();
        of_store.unwrap_or_else(|| broken(name, Format::Orc, why))
    }
}

/// The schema with timestamps as numbers of nanoseconds of any size: 64 bits are too few for years
/// as far as 9999, which the reader would make NULLs.
fn with_all_digits(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        ArrowType::Timestamp(..) => Arc::new(field.as_ref().clone().with_data_type(NANOS)),
        _ => field.clone(),
    });
    Schema::new(fields.collect::<Fields>())
}

impl ChunkReader for Chunks<'_> {
    type T = Reader<Bytes>;

    fn len(&self) -> u64 {
        self.file.size
    }

    fn get_read(&self, start: u64) -> io::Result<Reader<Bytes>> {
        let rest = self.file.size.saturating_sub(start);
        Ok(self.get_bytes(start, rest)?.reader())
    }

    fn get_bytes(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let end = start
            .checked_add(length)
            .filter(|end| *end <= self.file.size);
        let end = end.ok_or_else(|| io::Error::other("it asks for bytes behind the file's end"))?;
        let mut window = self.window.borrow_mut();
        let (first, bytes) = &*window;
        if start < *first || end > first + bytes.len() as u64 {
            let range = start..end.max(start.saturating_add(WINDOW).min(self.file.size));
            let read = self
                .connection
                .read(self.file, std::slice::from_ref(&range));
            let mut read = read.map_err(|error| {
                let text = error.to_string();
                self.failure.borrow_mut().replace(error);
                io::Error::other(text)
            })?;
            *window = (start, read.pop().unwrap_or_default());
        }
        let (first, bytes) = &*window;
        let offset = (start - first) as usize;
        Ok(bytes.slice(offset..offset + length as usize))
    }
}
