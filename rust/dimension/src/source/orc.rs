//! ORC files: the footer first, then the wanted columns of one stripe after another.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_schema::{DataType as ArrowType, FieldRef, Fields, Schema};
use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use chrono_tz::Tz;
use orc_rust::ArrowReaderBuilder;
use orc_rust::compression::Compression;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;

use super::orc_footer::Calendar;
use super::orc_lengths::{Promises, Streams, check_promise};
use super::selection::{Found, invalid};
use super::timestamp::{self, NANOS};
use super::windows::{Piece, Windows};
use super::{BATCH, broken, orc_blocks, orc_footer, orc_stripe};
use crate::definition::Format;
use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// The reader asks for a few bytes after another, most of them next to the last: what is read from
/// the store at once, in bytes, at the least.
const PIECE: Piece = Piece::Bytes(1 << 20);

/// An ORC file whose footer was read.
pub(super) struct OrcFile {
    builder: ArrowReaderBuilder<Chunks>,
    chunks: Chunks,
    schema: Schema,
    calendar: Calendar,
    name: String,
}

/// The rows of a stripe, and the zone whose dates and times of day its timestamps are.
struct Stripe {
    rows: u64,
    zone: Tz,
}

/// The bytes of a file, for the reader.
#[derive(Clone)]
struct Chunks {
    file: Arc<Windows>,
    /// Of what is asked for, once the file's end was read: streams, and footers of stripes.
    compression: Rc<Cell<Option<Compression>>>,
    /// Of the streams that hold strings, once the lengths of these were read.
    promises: Rc<RefCell<Promises>>,
}

impl OrcFile {
    pub(super) fn open(
        connection: &Connection,
        file: &DataFile,
        name: &str,
    ) -> Result<OrcFile, Error> {
        let chunks = Chunks {
            file: Arc::new(Windows::new(connection, file, PIECE)),
            compression: Rc::default(),
            promises: Rc::default(),
        };
        let calendar = orc_footer::check(&chunks).map_err(|why| chunks.failed(name, &why))?;
        let builder = ArrowReaderBuilder::try_new(chunks.clone());
        let builder = builder.map_err(|error| chunks.failed(name, &error))?;
        let compression = builder.file_metadata().compression();
        chunks.compression.set(compression);
        Ok(OrcFile {
            schema: builder.schema().as_ref().clone(),
            builder,
            chunks,
            calendar,
            name: name.to_owned(),
        })
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn rows(&self) -> u64 {
        self.builder.file_metadata().number_of_rows()
    }

    /// Decodes some columns.
    pub(super) fn read(
        self,
        found: &[Found],
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let OrcFile {
            builder,
            chunks,
            schema,
            calendar,
            name,
        } = self;
        let metadata = builder.file_metadata();
        let names: Vec<&str> = found
            .iter()
            .map(|found| schema.field(found.number).name().as_str())
            .collect();
        let mask = ProjectionMask::named_roots(metadata.root_data_type(), &names);
        let stripes = check_stripes(&chunks, metadata, &mask);
        let stripes = stripes.map_err(|why| chunks.failed(&name, &why))?;
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let read = builder.schema();
        let exact = Arc::new(with_all_digits(&read));
        let mut first = 0;
        for batch in builder.with_schema(exact).build() {
            let batch = batch.map_err(|error| chunks.failed(&name, &error))?;
            let zone = zone_at(&stripes, first);
            each(&as_java(&batch, &read, (zone, calendar), &name, first)?)?;
            first += batch.num_rows() as u64;
        }
        Ok(())
    }
}

/// The zone of the stripe that a row lies in. No batch has rows of two.
fn zone_at(stripes: &[Stripe], row: u64) -> Tz {
    let mut end = 0;
    let stripe = stripes.iter().find(|stripe| {
        end += stripe.rows;
        row < end
    });
    stripe.map_or(Tz::UTC, |stripe| stripe.zone)
}

/// The batch with its timestamps that are no points in time as Java reads them. `read` has the types
/// of the file; row 0 of the batch is row `first` of the file.
fn as_java(
    batch: &RecordBatch,
    read: &Schema,
    (zone, calendar): (Tz, Calendar),
    file: &str,
    first: u64,
) -> Result<RecordBatch, Error> {
    let is_local = |field: &FieldRef| matches!(field.data_type(), ArrowType::Timestamp(_, None));
    if !read.fields().iter().any(is_local) {
        return Ok(batch.clone());
    }
    let mut columns = batch.columns().to_vec();
    for (column, field) in columns.iter_mut().zip(read.fields()) {
        if is_local(field) {
            let nanos = column.as_primitive::<Decimal128Type>();
            let nanos = timestamp::as_java(nanos, zone, calendar == Calendar::Julian);
            let nanos = nanos.map_err(|error| {
                invalid(field.name(), file, &error.in_rows_from(first as usize))
            })?;
            *column = Arc::new(nanos.with_data_type(NANOS));
        }
    }
    let whole = RecordBatch::try_new(batch.schema(), columns);
    whole.map_err(|error| broken(file, Format::Orc, &error))
}

/// The stripes, once it is seen that what the reader trusts is true: the sizes that stripes tell of the
/// columns that are to be read.
fn check_stripes(
    chunks: &Chunks,
    metadata: &FileMetadata,
    mask: &ProjectionMask,
) -> Result<Vec<Stripe>, String> {
    let root = metadata.root_data_type().project(mask);
    let compression = metadata.compression();
    let stripes = metadata.stripe_metadatas().iter().map(|stripe| {
        let streams = Streams {
            file: chunks,
            footer: &orc_stripe::footer(chunks, stripe, compression)?,
            compression,
        };
        for column in root.children() {
            streams.check(column.data_type())?;
            let mut promises = chunks.promises.take();
            streams.promised(column.data_type(), &mut promises)?;
            chunks.promises.replace(promises);
        }
        Ok(Stripe {
            rows: stripe.number_of_rows(),
            zone: streams.footer.zone,
        })
    });
    stripes.collect()
}

impl Chunks {
    /// What the reader could not do: because of the store, or of the file.
    fn failed(&self, name: &str, why: &dyn std::fmt::Display) -> Error {
        self.file.failed(|| broken(name, Format::Orc, why))
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

impl ChunkReader for Chunks {
    type T = Reader<Bytes>;

    fn len(&self) -> u64 {
        self.file.size()
    }

    fn get_read(&self, start: u64) -> io::Result<Reader<Bytes>> {
        let rest = self.file.size().saturating_sub(start);
        Ok(self.get_bytes(start, rest)?.reader())
    }

    fn get_bytes(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let bytes = self.file.bytes(start, length).map_err(io::Error::other)?;
        let room = orc_blocks::room(&bytes, self.compression.get()).map_err(io::Error::other)?;
        if let Some(promised) = self.promises.borrow().get(&(start, length)) {
            check_promise(*promised, room).map_err(io::Error::other)?;
        }
        Ok(bytes)
    }
}
