//! From the Parquet files of a Hive partition to packed rows, a batch at a time.

use std::fs::File;
use std::path::Path;
use std::thread;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pelton_data::arrow::{self, ConvertError};
use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Literal, Physical, Slot};
use pelton_data::report::nearest;
use pelton_data::{DataType, Field};

use crate::definition::Definition;
use crate::error::Error;
use crate::hive::{HivePartition, Value};
use crate::image::{Refused, Store};

/// Rows that are decoded at a time: what a load holds beside the image is bounded by them.
const BATCH: usize = 1024;

/// The stack of the thread that runs the Parquet reader, in bytes.
const STACK: usize = 8 << 20;

/// More rows than this a byte of a file are not believed, for reserving memory.
const ROWS_PER_BYTE: u64 = 8;

/// The rows of a Hive partition.
pub(crate) struct Loaded {
    pub(crate) store: Store,
    /// Of the wanted columns.
    pub(crate) types: Vec<DataType>,
    /// Rows without a whole key.
    pub(crate) skipped: u64,
}

/// Reads all files of a Hive partition. The reader of Parquet is not ours: it runs on a thread
/// with a stack of its own, and its panics become errors.
pub(crate) fn load(
    definition: &Definition,
    partition: &HivePartition,
    wanted: &[&str],
) -> Result<Loaded, Error> {
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("pelton-load".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || load_files(definition, partition, wanted))
            .map_err(|error| Error::Unavailable(format!("no thread to load it: {error}")))?;
        worker.join().unwrap_or_else(|panic| {
            let directory = partition.directory.display();
            let reason = panic_message(&*panic);
            Err(Error::Unavailable(format!("reading {directory} panicked: {reason}")))
        })
    })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn load_files(
    definition: &Definition,
    partition: &HivePartition,
    wanted: &[&str],
) -> Result<Loaded, Error> {
    let mut loader = Loader::new(definition, partition, wanted)?;
    for file in &partition.files {
        loader.file(file)?;
    }
    Ok(Loaded {
        store: loader.store,
        types: loader.types,
        skipped: loader.skipped,
    })
}

struct Loader<'a> {
    definition: &'a Definition,
    /// The columns of the files that are read, and where they go.
    inputs: Vec<(&'a Field, Slot)>,
    key: Vec<Slot>,
    types: Vec<DataType>,
    columns: Columns,
    key_writer: RowWriter,
    row_writer: RowWriter,
    store: Store,
    skipped: u64,
    /// The bytes of the row at hand.
    key_bytes: Vec<u8>,
    row_bytes: Vec<u8>,
}

impl<'a> Loader<'a> {
    fn new(
        definition: &'a Definition,
        partition: &HivePartition,
        wanted: &[&str],
    ) -> Result<Loader<'a>, Error> {
        let mut layout = Layout::default();
        let mut inputs: Vec<(&Field, Slot)> = Vec::new();
        let mut slot = |field: &'a Field| -> Result<Slot, Error> {
            if let Some((_, slot)) = inputs.iter().find(|(known, _)| known.name == field.name) {
                return Ok(*slot);
            }
            let physical = Physical::of(&field.data_type).ok_or_else(|| {
                let Field { name, data_type, .. } = field;
                let message = format!("column `{name}`: values of type {data_type} are not supported");
                Error::Invalid(message)
            })?;
            let level = definition.partition.iter().position(|level| level == field);
            if let Some(level) = level {
                let value = partition.values[level].as_ref();
                let literal = value.map_or(Literal::Null, |value| Value::literal(value, physical));
                return Ok(layout.add_literal(physical, literal));
            }
            let slot = layout.add(physical);
            inputs.push((field, slot));
            Ok(slot)
        };
        let mut key = Vec::new();
        for field in definition.key_columns() {
            key.push((field.data_type.clone(), slot(field)?));
        }
        let mut row = Vec::new();
        for name in wanted {
            let field = wanted_field(definition, name)?;
            row.push((field.data_type.clone(), slot(field)?));
        }
        let columns = Columns::new(&layout, BATCH)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let writer = |fields: &[(DataType, Slot)]| {
            RowWriter::new(fields).map_err(|error| Error::Invalid(error.to_string()))
        };
        Ok(Loader {
            definition,
            inputs,
            key_writer: writer(&key)?,
            row_writer: writer(&row)?,
            key: key.into_iter().map(|(_, slot)| slot).collect(),
            types: row.into_iter().map(|(data_type, _)| data_type).collect(),
            columns,
            store: Store::default(),
            skipped: 0,
            key_bytes: Vec::new(),
            row_bytes: Vec::new(),
        })
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let broken = |error: &dyn std::fmt::Display| {
            let message = format!("cannot read {} as Parquet: {error}", path.display());
            Error::Unavailable(message)
        };
        let file = File::open(path).map_err(|error| broken(&error))?;
        let bytes = file.metadata().map_err(|error| broken(&error))?.len();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(&error))?;
        let rows = builder.metadata().file_metadata().num_rows();
        let promised = u64::try_from(rows).map_err(|_| broken(&format!("it has {rows} rows")))?;

        let file_columns = self.find_columns(path, builder.schema())?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), file_columns.iter().copied());
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(|error| broken(&error))?;
        let believed = promised.min(bytes.saturating_mul(ROWS_PER_BYTE));
        let reserved = self.store.reserve(usize::try_from(believed).unwrap_or(usize::MAX));
        reserved.map_err(|refused| self.refused(refused, path))?;

        let mut read = 0;
        for batch in reader {
            let batch = batch.map_err(|error| {
                let message = format!("cannot read {} as Parquet: {error}", path.display());
                Error::Unavailable(message)
            })?;
            self.batch(path, &batch, read)?;
            read += batch.num_rows() as u64;
        }
        if read != promised {
            let message = format!("{} promises {promised} rows and has {read}", path.display());
            return Err(Error::Unavailable(message));
        }
        Ok(())
    }

    /// Where the read columns stand in a file.
    fn find_columns(
        &self,
        path: &Path,
        schema: &arrow_schema::Schema,
    ) -> Result<Vec<usize>, Error> {
        let path = path.display();
        let find = |(field, _): &(&Field, Slot)| {
            let Field { name, data_type, .. } = field;
            let Ok(column) = schema.index_of(name) else {
                let names = || schema.fields().iter().map(|field| field.name().as_str());
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
                };
                return Err(Error::Invalid(format!("{path} has no column `{name}`: {help}")));
            };
            arrow::fits(schema.field(column).data_type(), data_type).map_err(|error| {
                Error::Invalid(format!(
                    "column `{name}` of {path}: {error}; declare in `columns` what the files hold"
                ))
            })?;
            Ok(column)
        };
        self.inputs.iter().map(find).collect()
    }

    /// Adds the rows of a batch, the first of which is row `first` of the file.
    fn batch(&mut self, path: &Path, batch: &RecordBatch, first: u64) -> Result<(), Error> {
        self.columns.clear();
        for (field, slot) in &self.inputs {
            let array = batch.column_by_name(&field.name).ok_or_else(|| {
                Error::Unavailable(format!("{} lost column `{}`", path.display(), field.name))
            })?;
            if !field.nullable && array.null_count() > 0 {
                let name = &field.name;
                let message = format!("column `{name}` is NOT NULL, but {} has NULLs", path.display());
                return Err(Error::Invalid(message));
            }
            let loaded = arrow::load(array, &field.data_type, *slot, &mut self.columns);
            loaded.map_err(|error| {
                let error = match error {
                    ConvertError::Value { row, value, wanted } => ConvertError::Value {
                        row: row + first as usize,
                        value,
                        wanted,
                    },
                    other => other,
                };
                let message = format!("column `{}` of {}: {error}", field.name, path.display());
                Error::Invalid(message)
            })?;
        }
        for row in 0..batch.num_rows() {
            self.row(path, batch, row)?;
        }
        Ok(())
    }

    fn row(&mut self, path: &Path, batch: &RecordBatch, row: usize) -> Result<(), Error> {
        if !self.key.iter().all(|slot| self.columns.is_valid(*slot, row)) {
            self.skipped += 1;
            return Ok(());
        }
        let written = self
            .key_writer
            .write_to_vec(&self.columns, row, &mut self.key_bytes)
            .and_then(|()| self.row_writer.write_to_vec(&self.columns, row, &mut self.row_bytes));
        written.map_err(|error| Error::Unavailable(error.to_string()))?;
        match self.store.insert(&self.key_bytes, &self.row_bytes) {
            Ok(()) => Ok(()),
            Err(Refused::Duplicate) => Err(self.duplicate(path, batch, row)),
            Err(refused) => Err(self.refused(refused, path)),
        }
    }

    fn refused(&self, refused: Refused, path: &Path) -> Error {
        let why = match refused {
            Refused::Duplicate => "a key stands twice",
            Refused::Memory => "there is no memory for more rows",
            Refused::Full => "an image holds at most 32 GiB of rows",
        };
        let (rows, path) = (self.store.len(), path.display());
        Error::Unavailable(format!("{why}: {rows} rows are loaded, at {path}"))
    }

    fn duplicate(&self, path: &Path, batch: &RecordBatch, row: usize) -> Error {
        let parts = self.definition.key_columns().map(|field| {
            let value = batch.column_by_name(&field.name);
            let value = value.and_then(|array| array_value_to_string(array, row).ok());
            format!("{} = {}", field.name, value.unwrap_or_default())
        });
        let key = parts.collect::<Vec<_>>().join(", ");
        let path = path.display();
        Error::Invalid(format!(
            "the key {key} stands twice in the Hive partition, the second time in {path}; \
             `key` has to name columns that tell all rows apart"
        ))
    }
}

fn wanted_field<'a>(definition: &'a Definition, name: &str) -> Result<&'a Field, Error> {
    definition.column(name).ok_or_else(|| {
        let names = definition.columns.iter().map(|field| field.name.as_str());
        let near = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
        let message = format!("it has no column `{name}`{}", near.unwrap_or_default());
        Error::Invalid(message)
    })
}
