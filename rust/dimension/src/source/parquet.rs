//! Parquet files: the footer first, then the wanted columns of one row group after another. Those of a
//! local file are read piece by piece, those of a store, where each request takes its time, at once.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, Decimal128Array, RecordBatch};
use arrow_schema::{DataType as ArrowType, Field, Fields, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{
    FieldLevels, ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema,
};
use parquet::basic::{ConvertedType, Encoding, Repetition, Type as PhysicalType};
use parquet::file::metadata::{
    ColumnChunkMetaData, FooterTail, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::schema::types::{SchemaDescriptor, Type};

use super::parquet_pages::RowGroup;
use super::selection::Found;
use super::timestamp::NANOS;
use super::windows::{Piece, Windows};
use super::{BATCH, broken, parquet_footer};
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
    metadata: ParquetMetaData,
    /// The columns as they are decoded, but for those that stay coded.
    decoded: Schema,
    schema: Schema,
}

impl ParquetFile {
    pub(super) fn open(
        connection: &Connection,
        file: &DataFile,
        name: &str,
    ) -> Result<ParquetFile, Error> {
        let metadata = footer(connection, file, name)?;
        check_rows(&metadata).map_err(|why| broken(name, Format::Parquet, &why))?;
        let parquet = metadata.file_metadata().schema_descr();
        // Files mean what Parquet's own types say, as for Flink: what Arrow adds is not looked at.
        let schema = parquet_to_arrow_schema(parquet, None);
        let schema = schema.map_err(|error| broken(name, Format::Parquet, &error))?;
        let schema = with_int96(&schema, parquet);
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
        let mut int96 = int96_columns(self.metadata.file_metadata().schema_descr());
        int96.retain(|number| numbers.contains(number));
        let nanos = match int96.is_empty() {
            true => None,
            false => Some(self.levels(&int96, None)?),
        };
        let mut decoding = (Vec::new(), self.decoding(&numbers, &[])?);
        for row_group in self.metadata.row_groups() {
            if row_group.num_rows() == 0 {
                continue;
            }
            self.file.open(self.chunks(row_group, &numbers)?)?;
            let coded = self.coded(row_group, &may_be_coded);
            if coded != decoding.0 {
                decoding = (coded.clone(), self.decoding(&numbers, &coded)?);
            }
            let batches = self.batches(&decoding.1, row_group)?;
            let mut digits = match &nanos {
                Some(levels) => Some(self.batches(levels, row_group)?),
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

    /// How the columns of these numbers are decoded, where some stay coded.
    fn decoding(&self, numbers: &[usize], coded: &[usize]) -> Result<FieldLevels, Error> {
        let mut fields: Vec<_> = self.decoded.fields().iter().cloned().collect();
        for number in coded {
            if let Some(field) = fields.get_mut(*number) {
                let coded = ArrowType::Dictionary(ArrowType::Int32.into(), ArrowType::Utf8.into());
                *field = Arc::new(field.as_ref().clone().with_data_type(coded));
            }
        }
        self.levels(numbers, Some(&fields.into()))
    }

    /// How the columns of these numbers are decoded: as those that are `wanted` of all.
    fn levels(&self, numbers: &[usize], wanted: Option<&Fields>) -> Result<FieldLevels, Error> {
        let parquet = self.metadata.file_metadata().schema_descr();
        let mask = ProjectionMask::roots(parquet, numbers.iter().copied());
        let levels = parquet_to_arrow_field_levels(parquet, mask, wanted);
        levels.map_err(|error| self.broken(&error))
    }

    /// Where the columns of these numbers lie in a row group. They take no more memory than the file, as
    /// none lies where another does.
    fn chunks(
        &self,
        row_group: &RowGroupMetaData,
        numbers: &[usize],
    ) -> Result<Vec<Range<u64>>, Error> {
        let schema = self.metadata.file_metadata().schema_descr();
        let leaves = (0..schema.num_columns())
            .filter(|leaf| numbers.contains(&schema.get_column_root_idx(*leaf)));
        let (mut chunks, mut bytes) = (Vec::new(), 0_u64);
        for leaf in leaves {
            let (start, length) = row_group.column(leaf).byte_range();
            bytes = bytes.saturating_add(length);
            chunks.push(start..start.saturating_add(length));
        }
        let size = self.file.size();
        match bytes <= size {
            true => Ok(chunks),
            false => Err(self.broken(&format!(
                "columns of a row group have {bytes} bytes, and the file {size}"
            ))),
        }
    }

    /// The batches of a row group.
    fn batches(
        &self,
        levels: &FieldLevels,
        row_group: &RowGroupMetaData,
    ) -> Result<ParquetRecordBatchReader, Error> {
        let row_group = RowGroup {
            file: &self.file,
            metadata: &self.metadata,
            row_group,
        };
        let batch = BATCH.min(row_group.num_rows());
        let batches =
            ParquetRecordBatchReader::try_new_with_row_groups(levels, &row_group, batch, None);
        batches.map_err(|error| self.failed(&error))
    }

    /// What the reader could not do: because of the store, or of the file.
    fn failed(&self, why: &dyn Display) -> Error {
        self.file.failed(|| self.broken(why))
    }

    fn broken(&self, why: &dyn Display) -> Error {
        broken(&self.name, Format::Parquet, why)
    }
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

/// The file's own description, once it was checked. Its length stands in the file's last bytes; all of
/// it lies in the file, or nothing is read.
fn footer(connection: &Connection, file: &DataFile, name: &str) -> Result<ParquetMetaData, Error> {
    let broken = |why: &dyn Display| broken(name, Format::Parquet, why);
    let read = |range: Range<u64>| -> Result<Bytes, Error> {
        let mut read = connection.read(file, std::slice::from_ref(&range))?;
        Ok(read.pop().unwrap_or_default())
    };
    let tail = read(file.size.saturating_sub(TAIL)..file.size)?;
    let last = tail.split_last_chunk::<8>();
    let (before, last) = last.ok_or_else(|| broken(&"it has no footer"))?;
    let end = FooterTail::try_new(last).map_err(|error| broken(&error))?;
    if end.is_encrypted_footer() {
        return Err(broken(&"its footer is encrypted, which is not supported"));
    }
    let length = end.metadata_length();
    let behind = file.size - last.len() as u64;
    let start = behind.checked_sub(length as u64);
    let start = start.ok_or_else(|| broken(&"its footer is longer than the file"))?;
    let footer = match before.len().checked_sub(length) {
        Some(start) => tail.slice(start..before.len()),
        None => read(start..behind)?,
    };
    parquet_footer::check(&footer).map_err(|why| broken(&why))?;
    ParquetMetaDataReader::decode_metadata(&footer).map_err(|error| broken(&error))
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
