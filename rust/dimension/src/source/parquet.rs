//! Parquet files: the footer first, then the wanted columns of one row group after another. Those of a
//! local file are read piece by piece, those of a store, where each request takes its time, at once.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, Decimal128Array, RecordBatch};
use arrow_schema::{DataType as ArrowType, Field, Fields, Schema, TimeUnit};
use bytes::Bytes;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{ConvertedType, Encoding, Repetition, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder,
    RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::{SchemaDescriptor, Type};

use super::selection::Found;
use super::timestamp::NANOS;
use super::windows::{Piece, Reader, Windows};
use super::{BATCH, broken};
use crate::definition::Format;
use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// What is read of a file's end at once: most footers are shorter.
const TAIL: u64 = 64 << 10;

/// What is read at once of a column in a local file: some pages of most.
const PIECE: Piece = Piece::Bytes(512 << 10);

/// A Parquet file whose footer was read.
pub(super) struct ParquetFile {
    file: Arc<Windows>,
    name: String,
    metadata: Arc<ParquetMetaData>,
    /// The columns as they are decoded, but for those that stay coded.
    decoded: Schema,
    /// How columns are decoded with INT96 as nanoseconds, where a column is one.
    nanos: Option<ArrowReaderMetadata>,
    schema: Schema,
}

/// The bytes of a file, for the reader.
struct FileBytes(Arc<Windows>);

impl ParquetFile {
    pub(super) fn open(
        connection: &Connection,
        file: &DataFile,
        name: &str,
    ) -> Result<ParquetFile, Error> {
        let metadata = Arc::new(footer(connection, file, name)?);
        check_rows(&metadata).map_err(|why| broken(name, Format::Parquet, &why))?;
        let broken = |error: ParquetError| broken(name, Format::Parquet, &error);
        let arrow = ArrowReaderMetadata::try_new(metadata.clone(), options()).map_err(broken)?;
        let schema = with_int96(arrow.schema(), arrow.parquet_schema());
        let is_int96 = !int96_columns(arrow.parquet_schema()).is_empty();
        let piece = match connection.is_local(file) {
            true => PIECE,
            false => Piece::All,
        };
        Ok(ParquetFile {
            file: Arc::new(Windows::new(connection, file, piece)),
            name: name.to_owned(),
            metadata,
            decoded: with_views(&schema),
            schema: as_points(&schema),
            nanos: is_int96.then_some(arrow),
        })
    }

    /// Its columns. Flink takes all timestamps of Parquet as points in time, whether they say so
    /// or not: so do these.
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn rows(&self) -> Result<u64, Error> {
        let rows = self.metadata.file_metadata().num_rows();
        u64::try_from(rows).map_err(|_| self.broken(&format!("{rows} rows")))
    }

    /// Decodes some columns.
    pub(super) fn read(
        self,
        found: &[Found],
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let numbers: Vec<usize> = found.iter().map(|found| found.number).collect();
        let mut may_be_coded = vec![false; self.decoded.fields().len()];
        for column in found {
            may_be_coded[column.number] = column.may_be_coded;
        }
        let nanos = self.nanos.as_ref().map(|metadata| {
            let mut int96 = int96_columns(metadata.parquet_schema());
            int96.retain(|number| numbers.contains(number));
            (metadata, int96)
        });
        let nanos = nanos.filter(|(_, int96)| !int96.is_empty());
        let mut decoding = (Vec::new(), self.decoding(&[])?);
        for (number, row_group) in self.metadata.row_groups().iter().enumerate() {
            if row_group.num_rows() == 0 {
                continue;
            }
            self.file.open(self.chunks(row_group, &numbers))?;
            let coded = self.coded(row_group, &may_be_coded);
            if coded != decoding.0 {
                decoding = (coded.clone(), self.decoding(&coded)?);
            }
            let batches = self.batches(&decoding.1, number, &numbers)?;
            let mut digits = match &nanos {
                Some((metadata, int96)) => Some(self.batches(metadata, number, int96)?),
                None => None,
            };
            for batch in batches {
                let batch = batch.map_err(|error| self.failed(&error))?;
                let digits = digits.as_mut().and_then(Iterator::next).transpose();
                match digits.map_err(|error| self.failed(&error))? {
                    Some(digits) => each(&with_all_digits(&batch, &digits))?,
                    None => each(&batch)?,
                }
            }
        }
        Ok(())
    }

    /// The columns of a row group, of those that may stay coded, of which all strings are.
    fn coded(&self, row_group: &RowGroupMetaData, may_be_coded: &[bool]) -> Vec<usize> {
        let schema = self.metadata.file_metadata().schema_descr();
        let leaves = (0..schema.num_columns()).map(|leaf| (leaf, schema.get_column_root_idx(leaf)));
        let coded = leaves.filter(|(leaf, number)| {
            may_be_coded.get(*number) == Some(&true) && is_coded(row_group.column(*leaf))
        });
        coded.map(|(_, number)| number).collect()
    }

    /// How columns are decoded, where these stay coded.
    fn decoding(&self, coded: &[usize]) -> Result<ArrowReaderMetadata, Error> {
        let mut fields: Vec<_> = self.decoded.fields().iter().cloned().collect();
        for number in coded {
            if let Some(field) = fields.get_mut(*number) {
                let coded = ArrowType::Dictionary(ArrowType::Int32.into(), ArrowType::Utf8.into());
                *field = Arc::new(field.as_ref().clone().with_data_type(coded));
            }
        }
        let options = options().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::try_new(self.metadata.clone(), options);
        metadata.map_err(|error| self.broken(&error))
    }

    /// Where the columns of these numbers lie in a row group.
    fn chunks(&self, row_group: &RowGroupMetaData, numbers: &[usize]) -> Vec<Range<u64>> {
        let schema = self.metadata.file_metadata().schema_descr();
        let leaves = (0..schema.num_columns())
            .filter(|leaf| numbers.contains(&schema.get_column_root_idx(*leaf)));
        let chunks = leaves.map(|leaf| {
            let (start, length) = row_group.column(leaf).byte_range();
            start..start.saturating_add(length)
        });
        chunks.collect()
    }

    /// The batches of a row group, of the columns of these numbers.
    fn batches(
        &self,
        metadata: &ArrowReaderMetadata,
        row_group: usize,
        numbers: &[usize],
    ) -> Result<ParquetRecordBatchReader, Error> {
        let bytes = FileBytes(self.file.clone());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), numbers.iter().copied());
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let batches = builder.with_row_groups(vec![row_group]).build();
        batches.map_err(|error| self.failed(&error))
    }

    /// What the reader could not do: because of the store, or of the file.
    fn failed(&self, why: &dyn std::fmt::Display) -> Error {
        self.file.failed(|| self.broken(why))
    }

    fn broken(&self, why: &dyn std::fmt::Display) -> Error {
        broken(&self.name, Format::Parquet, why)
    }
}

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

/// Files mean what Parquet's own types say, as for Flink: what Arrow adds is not looked at.
fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

/// Whether all values of a column are strings that stand in its dictionary, as far as the file says so:
/// if it does not, they are decoded one by one.
fn is_coded(column: &ColumnChunkMetaData) -> bool {
    let encodings = column.page_encoding_stats_mask();
    // Of JSON, which are strings for Arrow, too, the reader makes a dictionary of bytes.
    column.column_descr().converted_type() == ConvertedType::UTF8
        && column.dictionary_page_offset().is_some()
        && encodings.is_some_and(|mask| {
            mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
        })
}

/// Row groups tell how many rows they have, and all of them together those of the file.
fn check_rows(metadata: &ParquetMetaData) -> Result<(), String> {
    let rows = metadata.file_metadata().num_rows();
    let row_groups = metadata.row_groups().iter();
    let sum = row_groups
        .map(RowGroupMetaData::num_rows)
        .try_fold(0, |sum: i64, rows| {
            sum.checked_add(rows).filter(|_| rows >= 0)
        });
    match sum == Some(rows) {
        true => Ok(()),
        false => Err(format!(
            "its row groups do not have the {rows} rows of the file"
        )),
    }
}

/// The file's own description. Its length stands in the file's last bytes; all of it lies in the
/// file, or nothing is read.
fn footer(connection: &Connection, file: &DataFile, name: &str) -> Result<ParquetMetaData, Error> {
    let parquet = |error: ParquetError| broken(name, Format::Parquet, &error);
    let decoder = ParquetMetaDataPushDecoder::try_new(file.size).map_err(parquet)?;
    // All pages are read, one behind the other.
    let mut decoder = decoder.with_page_index_policy(PageIndexPolicy::Skip);
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
/// as 9999, and wrap around: [`with_all_digits`] adds them.
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

/// The columns that are INT96, by their numbers; not those with INT96 inside.
fn int96_columns(parquet: &SchemaDescriptor) -> Vec<usize> {
    let columns = parquet.root_schema().get_fields().iter().enumerate();
    let is_int96 = |field: &Type| {
        let is_list = field.get_basic_info().repetition() == Repetition::REPEATED;
        field.is_primitive() && !is_list && field.get_physical_type() == PhysicalType::INT96
    };
    let columns = columns.filter(|(_, field)| is_int96(field));
    columns.map(|(number, _)| number).collect()
}

/// The batch with its columns of INT96 as [`NANOS`]. `digits` has the same as nanoseconds that have
/// wrapped around: what lies behind the microsecond is right.
fn with_all_digits(batch: &RecordBatch, digits: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, micros)| {
        let name = field.name();
        let Some(nanos) = digits.column_by_name(name) else {
            return (name, micros.clone(), field.is_nullable());
        };
        let micros = micros.as_primitive::<TimestampMicrosecondType>();
        let nanos = nanos.as_primitive::<TimestampNanosecondType>();
        let whole = |(micros, nanos): (&i64, &i64)| {
            let digits = nanos.wrapping_sub(micros.wrapping_mul(1000));
            i128::from(*micros) * 1000 + i128::from(digits)
        };
        let values = micros.values().iter().zip(nanos.values()).map(whole);
        let values = Decimal128Array::new(values.collect(), micros.nulls().cloned());
        let values: ArrayRef = Arc::new(values.with_data_type(NANOS));
        (name, values, field.is_nullable())
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
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
