//! From the Parquet files of a Hive partition to packed rows, a batch at a time.

use std::any::Any;
use std::fmt::Display;
use std::fs::File;
use std::path::Path;
use std::thread;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pelton_data::arrow;
use pelton_data::columns::{Columns, Layout, Literal, MemoryError, Physical, Slot};
use pelton_data::report::nearest;
use pelton_data::{DataType, Field};

use crate::definition::Definition;
use crate::error::Error;
use crate::groups::Groups;
use crate::hive::HivePartition;
use crate::image::{Image, ImageBuilder, Refusal, Refused, Shape, Survey};

/// Rows that are decoded at a time: what a load holds beside the image is bounded by them.
const BATCH: usize = 1024;

/// The stack of the thread that runs the Parquet reader, in bytes.
const STACK: usize = 8 << 20;

/// Reads all files of a Hive partition.
pub(crate) fn load(
    definition: &Definition,
    partition: &HivePartition,
    wanted: &[&str],
) -> Result<Image, Error> {
    on_worker(&partition.directory, || {
        let (mut loader, shape) = Loader::new(definition, partition, wanted)?;
        let mut survey = Survey::new(shape);
        loader.pass(|columns, batch, _| {
            let seen = survey.add(columns, batch.num_rows());
            seen.map_err(|Refused { why, .. }| Error::Unavailable(why.to_string()))
        })?;
        let mut builder = survey.into_builder().map_err(|refusal| {
            Error::Unavailable(format!("{}: {refusal}", partition.directory.display()))
        })?;
        loader.pass(|columns, batch, path| {
            let added = builder.add(columns, batch.num_rows());
            added.map_err(|refused| refusal(definition, &builder, refused, batch, path))
        })?;
        builder
            .finish()
            .map_err(|refusal| Error::Unavailable(refusal.to_string()))
    })
}

/// The reader of Parquet is not ours: it runs on a thread with a stack of its own, and its panics
/// become errors.
fn on_worker<T: Send>(
    directory: &Path,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let unavailable = |what: &str, why: &dyn Display| {
        Error::Unavailable(format!(
            "{what} while reading {}: {why}",
            directory.display()
        ))
    };
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("pelton-load".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| unavailable("no thread", &error))?;
        worker
            .join()
            .unwrap_or_else(|panic| Err(unavailable("a panic", &panic_message(&*panic))))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// The columns that are needed, each once, and their places in the working memory.
struct Inputs<'a> {
    definition: &'a Definition,
    partition: &'a HivePartition,
    layout: Layout,
    /// The columns of the files.
    read: Vec<(&'a Field, Slot)>,
}

impl<'a> Inputs<'a> {
    /// The type and the place of a column; of a directory level, its value in every row.
    fn add(&mut self, field: &'a Field) -> Result<(DataType, Slot), Error> {
        let Field {
            name, data_type, ..
        } = field;
        if let Some((_, slot)) = self.read.iter().find(|(known, _)| known.name == *name) {
            return Ok((data_type.clone(), *slot));
        }
        let physical = Physical::of(data_type);
        let mut levels = self.definition.partition.iter().zip(&self.partition.values);
        if let Some((_, value)) = levels.find(|(level, _)| level.name == *name) {
            let literal = value.as_ref().map(|value| value.literal(physical));
            let literal = literal.unwrap_or(Literal::Null);
            return Ok((
                data_type.clone(),
                self.layout.add_literal(physical, literal),
            ));
        }
        let slot = self.layout.add(physical);
        self.read.push((field, slot));
        Ok((data_type.clone(), slot))
    }
}

struct Loader<'a> {
    partition: &'a HivePartition,
    /// The columns of the files that are read, and where they go.
    read: Vec<(&'a Field, Slot)>,
    columns: Columns,
}

impl<'a> Loader<'a> {
    fn new(
        definition: &'a Definition,
        partition: &'a HivePartition,
        wanted: &[&str],
    ) -> Result<(Loader<'a>, Shape), Error> {
        let mut inputs = Inputs {
            definition,
            partition,
            layout: Layout::default(),
            read: Vec::new(),
        };
        let mut key = Vec::new();
        for field in definition.key_columns() {
            key.push(inputs.add(field)?);
        }
        let mut columns = Vec::new();
        for name in wanted {
            let field = wanted_column(definition, name)?;
            let (_, slot) = inputs.add(field)?;
            columns.push((field.clone(), slot));
        }
        let loader = Loader {
            partition,
            columns: Columns::new(&inputs.layout, BATCH).map_err(no_memory)?,
            read: inputs.read,
        };
        let by_symbols = |(field, _): &&(Field, Slot)| definition.fsst.contains(&field.name);
        let symbols = columns.iter().filter(by_symbols).map(|(_, slot)| *slot);
        let shape = Shape {
            symbols: symbols.collect(),
            columns,
            key,
            duplicates: definition.duplicates,
            groups: Groups::whole(),
        };
        Ok((loader, shape))
    }

    /// Reads all files once; `see` gets every batch with its file.
    fn pass(
        &mut self,
        mut see: impl FnMut(&Columns, &RecordBatch, &Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let partition = self.partition;
        partition
            .files
            .iter()
            .try_for_each(|file| self.file(file, &mut see))
    }

    fn file(
        &mut self,
        path: &Path,
        see: &mut impl FnMut(&Columns, &RecordBatch, &Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let file = File::open(path).map_err(|error| broken(path, &error))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(path, &error))?;
        let rows = builder.metadata().file_metadata().num_rows();
        let promised = u64::try_from(rows).map_err(|_| broken(path, &format!("{rows} rows")))?;

        let numbers = self.find_columns(path, builder.schema())?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), numbers);
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let reader = builder.build().map_err(|error| broken(path, &error))?;

        let mut read = 0;
        for batch in reader {
            let batch = batch.map_err(|error| broken(path, &error))?;
            self.batch(path, &batch, read)?;
            see(&self.columns, &batch, path)?;
            read += batch.num_rows();
        }
        if read as u64 != promised {
            return Err(broken(
                path,
                &format!("{read} of {promised} rows are there"),
            ));
        }
        Ok(())
    }

    /// Where the columns stand in a file.
    fn find_columns(&self, path: &Path, schema: &Schema) -> Result<Vec<usize>, Error> {
        let file = path.display();
        let find = |(field, _): &(&Field, Slot)| {
            let Field {
                name, data_type, ..
            } = field;
            let Ok(column) = schema.index_of(name) else {
                let names = || schema.fields().iter().map(|field| field.name().as_str());
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
                };
                return Err(Error::Invalid(format!(
                    "{file} has no column `{name}`; {help}"
                )));
            };
            let found = schema.field(column).data_type();
            match arrow::fits(found, data_type) {
                Ok(()) => Ok(column),
                Err(error) => Err(Error::Invalid(format!(
                    "column `{name}` of {file}: {error}; `columns` has to declare what files hold"
                ))),
            }
        };
        self.read.iter().map(find).collect()
    }

    /// Takes the columns of a batch, the first row of which is row `first` of the file.
    fn batch(&mut self, path: &Path, batch: &RecordBatch, first: usize) -> Result<(), Error> {
        self.columns.clear();
        for (field, slot) in &self.read {
            let invalid = |error: &dyn Display| {
                let (name, file) = (&field.name, path.display());
                Error::Invalid(format!("column `{name}` of {file}: {error}"))
            };
            let array = batch
                .column_by_name(&field.name)
                .ok_or_else(|| invalid(&"it vanished while the file was read"))?;
            if !field.nullable && array.logical_null_count() > 0 {
                return Err(invalid(&"it is declared NOT NULL, and has NULLs"));
            }
            arrow::load(array, &field.data_type, *slot, &mut self.columns)
                .map_err(|error| invalid(&error.in_rows_from(first)))?;
        }
        Ok(())
    }
}

fn refusal(
    definition: &Definition,
    builder: &ImageBuilder,
    Refused { row, why }: Refused,
    batch: &RecordBatch,
    path: &Path,
) -> Error {
    if why != Refusal::Duplicate {
        let (rows, path) = (builder.rows(), path.display());
        return Error::Unavailable(format!("{why}: {rows} rows are loaded, at {path}"));
    }
    let parts = definition.key_columns().map(|field| {
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

fn no_memory(error: MemoryError) -> Error {
    Error::Unavailable(error.to_string())
}

fn broken(path: &Path, error: &dyn Display) -> Error {
    let file = path.display();
    Error::Unavailable(format!(
        "cannot read {file} as Parquet: {error}; it has to be written again"
    ))
}

fn wanted_column<'a>(definition: &'a Definition, name: &str) -> Result<&'a Field, Error> {
    definition.column(name).ok_or_else(|| {
        let names = definition.columns.iter().map(|field| field.name.as_str());
        let near = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
        let message = format!("it has no column `{name}`{}", near.unwrap_or_default());
        Error::Invalid(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_reader_becomes_an_error() {
        let result: Result<(), Error> = on_worker(Path::new("weather"), || panic!("page {}", 7));
        let message = "a panic while reading weather: page 7".to_owned();
        assert_eq!(result, Err(Error::Unavailable(message)));
    }
}
