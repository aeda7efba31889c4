//! Many records at once: a batch of Arrow columns in, Arrow columns out, row by row the same as
//! if each record came alone.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use pelton_data::arrow::{ConvertError, fits, load, store, to_arrow};
use pelton_data::report::nearest;

use crate::error::{Error, ErrorCode};
use crate::generation::Generation;
use crate::plan::run::Scratch;

/// Decides batches of one schema.
pub struct BatchRunner<'g> {
    generation: &'g Generation,
    scratch: Scratch,
    output: SchemaRef,
}

/// Why a batch has no decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// The first row that fails, counted from 0 within the batch; `None` where every row has a
    /// decision alone, but all together do not fit into memory.
    pub row: Option<usize>,
    /// What failed.
    pub error: Error,
}

impl<'g> BatchRunner<'g> {
    /// A runner for batches of up to `capacity` rows with the columns of `schema`: among them
    /// each input column by its name, of a type that fits. All that do not are in the error.
    pub fn new(
        generation: &'g Generation,
        schema: &Schema,
        capacity: usize,
    ) -> Result<BatchRunner<'g>, Error> {
        check_input(generation, schema)?;
        Ok(BatchRunner {
            generation,
            scratch: generation.scratch(capacity)?,
            output: output_schema(generation)?,
        })
    }

    /// The columns that come out.
    pub fn output_schema(&self) -> &SchemaRef {
        &self.output
    }

    /// Decides each row of a batch. The outputs are in the order of the rows.
    ///
    /// # Panics
    /// If the batch has more rows than the capacity, or not the columns of the schema.
    pub fn decide(&mut self, batch: &RecordBatch) -> Result<RecordBatch, BatchError> {
        let arrays = match self.decide_rows(batch) {
            Ok(arrays) => arrays,
            Err(error) => return Err(self.first_failure(batch, error)),
        };
        let output = RecordBatch::try_new(self.output.clone(), arrays);
        Ok(output.expect("the arrays are of the schema's types, and all as long as the batch"))
    }

    /// A failure of a batch belongs to a row: the rows run singly, up to the first that fails.
    #[cold]
    fn first_failure(&mut self, batch: &RecordBatch, error: Error) -> BatchError {
        for row in 0..batch.num_rows() {
            if let Err(error) = self.decide_rows(&batch.slice(row, 1)) {
                let row = Some(row);
                return BatchError { row, error };
            }
        }
        BatchError { row: None, error }
    }

    fn decide_rows(&mut self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, Error> {
        let plan = &self.generation.decision.plan;
        let columns = &mut self.scratch.columns;
        columns.clear();
        for column in &plan.input {
            let field = &column.field;
            let array = batch.column_by_name(&field.name);
            let array = array.expect("the runner was made for these columns");
            if !field.nullable && array.logical_null_count() > 0 {
                let message = format!("`{}` is NULL, and declared NOT NULL", field.name);
                return Err(Error::new(ErrorCode::NullRefused, message));
            }
            if let Some(slot) = column.slot {
                load(array, &field.data_type, slot, columns)
                    .map_err(|cause| convert_error(&field.name, &cause))?;
            }
        }
        let rows = batch.num_rows();
        self.generation.decide(&mut self.scratch, rows)?;
        let columns = &self.scratch.columns;
        let arrays = plan.output.iter().map(|column| {
            store(columns, column.slot, &column.data_type, rows)
                .map_err(|cause| convert_error(&column.name, &cause))
        });
        arrays.collect()
    }
}

/// Whether a schema has every input column once, with a type that fits.
fn check_input(generation: &Generation, schema: &Schema) -> Result<(), Error> {
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let input = generation.decision.plan.input.iter();
    let errors: Vec<String> = input
        .filter_map(|column| {
            let name = &column.field.name;
            let mut found = schema.fields().iter().filter(|field| field.name() == name);
            match (found.next(), found.next()) {
                (Some(field), None) => fits(field.data_type(), &column.field.data_type)
                    .map_err(|cause| format!("`{name}`: {cause}"))
                    .err(),
                (Some(_), Some(_)) => Some(format!("there are two columns `{name}`")),
                (None, _) => Some(missing(name, &names)),
            }
        })
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => {
            let there = format!("the columns there: {}", names.join(", "));
            let message = format!("{}\n{there}", errors.join("\n"));
            Err(Error::new(ErrorCode::ArgumentMismatch, message))
        }
    }
}

fn missing(name: &str, names: &[&str]) -> String {
    let near = nearest(name, names.iter().copied());
    let near = near.map(|near| format!("; is it `{near}`?"));
    format!(
        "the input column `{name}` is missing{}",
        near.unwrap_or_default()
    )
}

/// Every output is nullable, as in Flink.
fn output_schema(generation: &Generation) -> Result<SchemaRef, Error> {
    let output = generation.decision.plan.output.iter();
    let fields: Result<Vec<ArrowField>, Error> = output
        .map(|column| {
            let data_type = to_arrow(&column.data_type)
                .map_err(|cause| Error::new(ErrorCode::NotSupported, cause.to_string()))?;
            Ok(ArrowField::new(&column.name, data_type, true))
        })
        .collect();
    Ok(Arc::new(Schema::new(fields?)))
}

/// The row is not named here: it is that of the batch, which the caller knows.
fn convert_error(column: &str, cause: &ConvertError) -> Error {
    match cause {
        ConvertError::Value { value, wanted, .. } => {
            let message =
                format!("`{column}`: the value {value} does not fit {wanted} without loss");
            Error::new(ErrorCode::ArgumentMismatch, message)
        }
        ConvertError::Type { .. } | ConvertError::NotSupported(_) => {
            Error::new(ErrorCode::ArgumentMismatch, format!("`{column}`: {cause}"))
        }
        ConvertError::Memory(_) => Error::new(ErrorCode::OutOfMemory, cause.to_string()),
    }
}
