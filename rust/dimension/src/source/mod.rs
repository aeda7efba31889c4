//! The rows of Hive partitions, batch by batch, from their Parquet or ORC files.
//!
//! A [`Selection`] says which columns are wanted; a [`Scan`] decodes those and no others into a
//! [`Batch`], as often as it is asked to. It holds a batch, and the wanted columns of a stripe of ORC
//! or a row group of Parquet, compressed; of a local Parquet file, pieces of these columns.

mod orc;
mod orc_blocks;
mod orc_footer;
mod orc_lengths;
mod orc_runs;
mod orc_stripe;
mod parquet;
mod parquet_footer;
mod parquet_pages;
mod parquet_values;
mod selection;
mod thrift;
mod timestamp;
mod varint;
mod windows;
mod worker;

pub(crate) use worker::caught;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

pub use selection::Selection;

use crate::batch::Batch;
use crate::definition::{Definition, Format};
use crate::error::Error;
use crate::hive::HivePartition;
use crate::storage::{Connection, DataFile};
use orc::OrcFile;
use parquet::ParquetFile;
use selection::Buffers;

/// Rows that are decoded at a time.
pub const BATCH: usize = 1024;

/// The rows of some Hive partitions of a dimension, in the order of the Hive partitions, their
/// files and the files' rows.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    definition: &'a Definition,
    connection: &'a Connection,
    partitions: &'a [HivePartition],
}

/// Where the rows of a batch come from.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The Hive partition.
    pub partition: &'a HivePartition,
    /// The file.
    pub file: &'a DataFile,
    /// Its whole name, for messages.
    pub name: &'a str,
    /// The number of the batch's first row in the file, from 0.
    pub first: u64,
}

/// What a file says about its rows before they are read.
struct Opened {
    reader: Reader,
    schema: Schema,
    rows: u64,
}

enum Reader {
    Parquet(ParquetFile),
    Orc(OrcFile),
}

impl<'a> Scan<'a> {
    /// The rows of `partitions`, as they were listed.
    pub fn new(
        definition: &'a Definition,
        connection: &'a Connection,
        partitions: &'a [HivePartition],
    ) -> Scan<'a> {
        Scan {
            definition,
            connection,
            partitions,
        }
    }

    /// Decodes the selected columns of all rows once: `see` gets them, at most [`BATCH`] rows at a
    /// time, and where they come from. It runs on a thread of its own.
    pub fn pass(
        &self,
        selection: &Selection,
        see: impl FnMut(Batch<'_>, &At<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        worker::run(|| {
            let mut see = see;
            let mut buffers = selection.buffers(BATCH)?;
            for partition in self.partitions {
                for file in &partition.files {
                    let name = self.connection.show(&file.path);
                    caught(&name, || {
                        self.file(selection, partition, file, &name, &mut buffers, &mut see)
                    })?;
                }
            }
            Ok(())
        })
    }

    fn open(&self, file: &DataFile, name: &str) -> Result<Opened, Error> {
        Ok(match self.definition.format {
            Format::Parquet => {
                let reader = ParquetFile::open(self.connection, file, name)?;
                let (schema, rows) = (reader.schema().clone(), reader.rows()?);
                Opened {
                    reader: Reader::Parquet(reader),
                    schema,
                    rows,
                }
            }
            Format::Orc => {
                let reader = OrcFile::open(self.connection, file, name)?;
                let (schema, rows) = (reader.schema().clone(), reader.rows());
                Opened {
                    reader: Reader::Orc(reader),
                    schema,
                    rows,
                }
            }
        })
    }

    fn file(
        &self,
        selection: &Selection,
        partition: &HivePartition,
        file: &DataFile,
        name: &str,
        buffers: &mut Buffers,
        see: &mut impl FnMut(Batch<'_>, &At<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let opened = self.open(file, name)?;
        let found = selection.find(&opened.schema, self.definition, name)?;
        let zone = self.definition.time_zone;
        let mut first = 0;
        let each = &mut |batch: &RecordBatch| {
            let rows = batch.num_rows();
            selection.load(&found, batch, zone, name, first, buffers)?;
            selection.load_levels(partition, rows, buffers)?;
            let at = At {
                partition,
                file,
                name,
                first,
            };
            see(buffers.batch(rows), &at)?;
            first += rows as u64;
            Ok(())
        };
        match opened.reader {
            Reader::Parquet(reader) => reader.read(&found, each)?,
            Reader::Orc(reader) => reader.read(&found, each)?,
        }
        if first != opened.rows {
            let message = format!("{first} of {} rows are there", opened.rows);
            return Err(broken(name, self.definition.format, &message));
        }
        Ok(())
    }
}

impl At<'_> {
    /// How messages name a row of the batch.
    pub fn row(&self, row: usize) -> String {
        format!("row {} of {}", self.first + row as u64, self.name)
    }
}

/// A file that does not hold what it says.
fn broken(name: &str, format: Format, why: &dyn std::fmt::Display) -> Error {
    let format = match format {
        Format::Parquet => "Parquet",
        Format::Orc => "ORC",
    };
    Error::Unavailable(format!(
        "cannot read {name} as {format}: {why}; it has to be written again"
    ))
}
