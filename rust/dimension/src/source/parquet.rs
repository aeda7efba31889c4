//! Parquet files: the footer first, then the wanted columns of one row group after another.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType as ArrowType, Field, Fields, Schema, TimeUnit};
use bytes::Bytes;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::push_decoder::ParquetPushDecoderBuilder;
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataPushDecoder};
use parquet::schema::types::SchemaDescriptor;

use super::{BATCH, broken};
use crate::definition::Format;
use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// What is read of a file's end at once: most footers are shorter.
const TAIL: u64 = 64 << 10;

/// A Parquet file whose footer was read.
pub(super) struct ParquetFile<'a> {
    connection: &'a Connection,
    file: &'a DataFile,
    name: String,
    metadata: ArrowReaderMetadata,
    schema: Schema,
}

impl<'a> ParquetFile<'a> {
    pub(super) fn open(
        connection: &'a Connection,
        file: &'a DataFile,
        name: &str,
    ) -> Result<ParquetFile<'a>, Error> {
        let metadata = Arc::new(footer(connection, file, name)?);
        let broken = |error: ParquetError| broken(name, Format::Parquet, &error);
        // Files mean what Parquet's own types say, as for Flink: what Arrow adds is not looked at.
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let arrow =
            ArrowReaderMetadata::try_new(metadata.clone(), plain.clone()).map_err(broken)?;
        let schema = with_int96(arrow.schema(), arrow.parquet_schema());
        let options = plain.with_schema(Arc::new(with_views(&schema)));
        Ok(ParquetFile {
            connection,
            file,
            name: name.to_owned(),
            schema: as_points(&schema),
            metadata: ArrowReaderMetadata::try_new(metadata, options).map_err(broken)?,
        })
    }

    /// Its columns. Flink takes all timestamps of Parquet as points in time, whether they say so
    /// or not: so do these.
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn rows(&self) -> Result<u64, Error> {
        let rows = self.metadata.metadata().file_metadata().num_rows();
        u64::try_from(rows).map_err(|_| self.broken(&format!("{rows} rows")))
    }

    /// Decodes the columns of these numbers.
    pub(super) fn read(
        self,
        numbers: &[usize],
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let parquet = |error: ParquetError| self.broken(&error);
        let builder = ParquetPushDecoderBuilder::new_with_metadata(self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), numbers.iter().copied());
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let mut decoder = builder.build().map_err(parquet)?;
        loop {
            match decoder.try_next_reader().map_err(parquet)? {
                DecodeResult::NeedsData(ranges) => {
                    let bytes = self.connection.read(self.file, &ranges)?;
                    decoder.push_ranges(ranges, bytes).map_err(parquet)?;
                }
                DecodeResult::Data(row_group) => {
                    for batch in row_group {
                        each(&batch.map_err(|error| self.broken(&error))?)?;
                    }
                }
                DecodeResult::Finished => return Ok(()),
            }
        }
    }

    fn broken(&self, why: &dyn std::fmt::Display) -> Error {
        broken(&self.name, Format::Parquet, why)
    }
}

/// The file's own description. Its length stands in the file's last bytes; all of it lies in the
/// file, or nothing is read.
fn footer(connection: &Connection, file: &DataFile, name: &str) -> Result<ParquetMetaData, Error> {
    let parquet = |error: ParquetError| broken(name, Format::Parquet, &error);
    let mut decoder = ParquetMetaDataPushDecoder::try_new(file.size).map_err(parquet)?;
    let tail = file.size.saturating_sub(TAIL)..file.size;
    let read = |range: &Range<u64>| -> Result<Bytes, Error> {
        let mut read = connection.read(file, std::slice::from_ref(range))?;
        Ok(read.pop().unwrap_or_default())
    };
    decoder
        .push_range(tail.clone(), read(&tail)?)
        .map_err(parquet)?;
    loop {
        match decoder.try_decode().map_err(parquet)? {
            DecodeResult::NeedsData(ranges) => {
                for range in ranges {
                    let bytes = read(&range)?;
                    decoder.push_range(range, bytes).map_err(parquet)?;
                }
            }
            DecodeResult::Data(metadata) => return Ok(metadata),
            DecodeResult::Finished => {
                return Err(broken(name, Format::Parquet, &"its footer was read twice"));
            }
        }
    }
}

/// The schema with INT96 as microseconds. Nanoseconds since 1970 do not fit 64 bits for years as far
/// as 9999, and would wrap around.
fn with_int96(schema: &Schema, parquet: &SchemaDescriptor) -> Schema {
    let mut has_int96 = vec![false; schema.fields().len()];
    for leaf in 0..parquet.num_columns() {
        if parquet.column(leaf).physical_type() == PhysicalType::INT96 {
            has_int96[parquet.get_column_root_idx(leaf)] = true;
        }
    }
    let fields = schema.fields().iter().zip(&has_int96);
    let fields = fields.map(|(field, has_int96)| match has_int96 {
        true => Arc::new(in_micros(field)),
        false => field.clone(),
    });
    Schema::new(fields.collect::<Fields>())
}

/// The schema with strings as views of what was decompressed, which are not copied to be checked.
fn with_views(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        ArrowType::Utf8 => {
            let field = field.as_ref().clone();
            Arc::new(field.with_data_type(ArrowType::Utf8View))
        }
        _ => field.clone(),
    });
    Schema::new(fields.collect::<Fields>())
}

fn in_micros(field: &Field) -> Field {
    let inner = |field: &Arc<Field>| Arc::new(in_micros(field));
    let data_type = match field.data_type() {
        ArrowType::Timestamp(TimeUnit::Nanosecond, zone) => {
            ArrowType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        ArrowType::List(element) => ArrowType::List(inner(element)),
        ArrowType::Map(entries, sorted) => ArrowType::Map(inner(entries), *sorted),
        ArrowType::Struct(fields) => ArrowType::Struct(fields.iter().map(inner).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

fn as_points(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        ArrowType::Timestamp(unit, None) => {
            let data_type = ArrowType::Timestamp(*unit, Some("UTC".into()));
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        }
        _ => field.clone(),
    });
    Schema::new(fields.collect::<Fields>())
}
