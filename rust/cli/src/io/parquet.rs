//! Parquet, read and written through Arrow.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use pelton_decision::{Error, ErrorCode};
use tempfile::NamedTempFile;

use super::{Chunk, Decoded, Encode, Reader, Table, Writer, invalid, stage, unstage};

/// A row group is held in memory, encoded, until it is full: whichever of the two comes first.
const ROW_GROUP_ROWS: usize = 1 << 17;
const ROW_GROUP_BYTES: usize = 64 << 20;

/// A Parquet file whose columns are known.
pub struct ParquetTable {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl ParquetTable {
    /// Opens a file and reads its footer.
    pub fn open(path: &Path) -> Result<ParquetTable, Error> {
        let file = File::open(path).map_err(|cause| Error::io("read", path, &cause))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(|cause| invalid(path, cause))?;
        Ok(ParquetTable {
            path: path.to_owned(),
            builder,
        })
    }
}

impl Table for ParquetTable {
    fn schema(&self) -> &SchemaRef {
        self.builder.schema()
    }

    fn read(self: Box<Self>, columns: &[usize], rows: usize) -> Result<Box<dyn Reader>, Error> {
        let ParquetTable { path, builder } = *self;
        let total = builder.metadata().file_metadata().num_rows();
        let columns = columns.iter().copied();
        let columns = ProjectionMask::roots(builder.parquet_schema(), columns);
        let reader = builder.with_projection(columns).with_batch_size(rows);
        let reader = reader.build().map_err(|cause| invalid(&path, cause))?;
        Ok(Box::new(ParquetBatches {
            path,
            reader,
            row: 0,
            total: u64::try_from(total).unwrap_or(0),
        }))
    }
}

struct ParquetBatches {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// How many rows were read.
    row: u64,
    total: u64,
}

impl Reader for ParquetBatches {
    fn next(&mut self) -> Result<Option<Box<dyn Chunk>>, Error> {
        let batch = self.reader.next().transpose();
        let batch = batch.map_err(|cause| {
            let what = format!("behind row {}: {cause}", self.row);
            invalid(&self.path, what)
        })?;
        let before = self.row;
        self.row += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        let chunk = batch.map(|batch| ParquetChunk { before, batch });
        Ok(chunk.map(|chunk| Box::new(chunk) as Box<dyn Chunk>))
    }

    fn progress(&self) -> (u64, u64) {
        (self.row, self.total)
    }
}

/// Its columns are decoded already: the reader owns what that takes.
struct ParquetChunk {
    before: u64,
    batch: RecordBatch,
}

impl Chunk for ParquetChunk {
    fn decode(self: Box<Self>) -> Decoded {
        Decoded {
            before: self.before,
            batch: self.batch,
            failed: None,
        }
    }
}

/// A Parquet file that is being written.
struct ParquetWriter {
    path: PathBuf,
    writer: ArrowWriter<NamedTempFile>,
}

/// Begins a file.
pub fn create(path: &Path, schema: &SchemaRef) -> Result<Box<dyn Writer>, Error> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .build();
    let writer = ArrowWriter::try_new(stage(path)?, schema.clone(), Some(properties));
    Ok(Box::new(ParquetWriter {
        path: path.to_owned(),
        writer: writer.map_err(|cause| write_error(path, &cause))?,
    }))
}

/// There is no text in a Parquet file.
struct NoText;

impl Encode for NoText {
    fn encode(&self, _: &RecordBatch) -> Result<String, Error> {
        Ok(String::new())
    }
}

impl Writer for ParquetWriter {
    fn encoder(&self) -> Arc<dyn Encode> {
        Arc::new(NoText)
    }

    fn write(&mut self, batch: &RecordBatch, _: &str) -> Result<(), Error> {
        let written = self.writer.write(batch);
        written.map_err(|cause| write_error(&self.path, &cause))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let file = self.writer.into_inner();
        unstage(
            file.map_err(|cause| write_error(&self.path, &cause))?,
            &self.path,
        )
    }
}

fn write_error(path: &Path, cause: &ParquetError) -> Error {
    Error::new(
        ErrorCode::Io,
        format!("cannot write {}: {cause}", path.display()),
    )
}
