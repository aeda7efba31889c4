//! Many records at once: a batch of Arrow columns in, Arrow columns out, row by row the same as
//! if each record came alone.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use pelton_data::arrow::{ConvertError, fits, load, store, to_arrow};
use pelton_data::columns::Columns;
use pelton_data::report::nearest;

use crate::error::{Error, ErrorCode};
use crate::failed::{FailedRow, OnError};
use crate::generation::Generation;
use crate::plan::NamedColumn;
use crate::plan::run::Scratch;

/// Decides batches of one schema.
pub struct BatchRunner<'g> {
    generation: &'g Generation,
    scratch: Scratch,
    output: SchemaRef,
    /// For the records that fail; `None` where they fail the batch.
    failed: Option<FailedRow>,
    failures: u64,
}

/// Why a batch has no decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// The first row that fails, counted from 0 within the batch.
    pub row: usize,
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
        on_error: OnError,
    ) -> Result<BatchRunner<'g>, Error> {
        check_input(generation, schema)?;
        Ok(BatchRunner {
            generation,
            scratch: generation.scratch(capacity)?,
            output: output_schema(generation),
            failed: FailedRow::new(generation, on_error)?,
            failures: 0,
        })
    }

    /// The columns that come out.
    pub fn output_schema(&self) -> &SchemaRef {
        &self.output
    }

    /// Rows that failed so far, where that does not fail their batch.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Decides each row of a batch. The outputs are in the order of the rows.
    ///
    /// # Panics
    /// If the batch has more rows than the capacity, or not the columns of the schema.
    pub fn decide(&mut self, batch: &RecordBatch) -> Result<RecordBatch, BatchError> {
        let mut parts = Vec::new();
        self.decide_part(batch, 0, &mut parts)?;
        match parts.len() {
            1 => Ok(parts.remove(0)),
            // Parts of one schema: what they may be is too large for one array.
            _ => concat_batches(&self.output, &parts).map_err(|cause| {
                let message = format!("{cause}; use a smaller batch");
                let error = Error::new(ErrorCode::OutOfMemory, message);
                BatchError { row: 0, error }
            }),
        }
    }

    /// A failure of several rows belongs to one of them: both halves run, until it is found. So
    /// rows that fit into memory alone need not fit together.
    fn decide_part(
        &mut self,
        part: &RecordBatch,
        first: usize,
        parts: &mut Vec<RecordBatch>,
    ) -> Result<(), BatchError> {
        let rows = part.num_rows();
        let arrays = match self.decide_rows(part) {
            Ok(arrays) => arrays,
            Err(_) if rows > 1 => {
                let half = rows / 2;
                self.decide_part(&part.slice(0, half), first, parts)?;
                return self.decide_part(&part.slice(half, rows - half), first + half, parts);
            }
            Err(error) => {
                let failed = self.failed_row(error);
                failed.map_err(|error| BatchError { row: first, error })?
            }
        };
        let part = RecordBatch::try_new(self.output.clone(), arrays);
        parts.push(part.expect("the arrays are of the schema's types, and of one length"));
        Ok(())
    }

    /// The outputs of one row that failed.
    fn failed_row(&mut self, error: Error) -> Result<Vec<ArrayRef>, Error> {
        let Some(failed) = &mut self.failed else {
            return Err(error);
        };
        self.failures += 1;
        failed.set(&error)?;
        let (columns, output) = failed.output();
        arrays(columns, output, 1)
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
        arrays(&self.scratch.columns, &plan.output, rows)
    }
}

fn arrays(columns: &Columns, output: &[NamedColumn], rows: usize) -> Result<Vec<ArrayRef>, Error> {
    let arrays = output.iter().map(|column| {
        store(columns, column.slot, &column.data_type, rows)
            .map_err(|cause| convert_error(&column.name, &cause))
    });
    arrays.collect()
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
fn output_schema(generation: &Generation) -> SchemaRef {
    let output = generation.decision.plan.output.iter();
    let fields: Vec<ArrowField> = output
        .map(|column| ArrowField::new(&column.name, to_arrow(&column.data_type), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The row is not named here: it is that of the batch, which the caller knows.
fn convert_error(column: &str, cause: &ConvertError) -> Error {
    match cause {
        ConvertError::Value { value, wanted, .. } => {
            let message =
                format!("`{column}`: the value {value} does not fit {wanted} without loss");
            Error::new(ErrorCode::ArgumentMismatch, message)
        }
        ConvertError::Type { .. } | ConvertError::Broken { .. } => {
            Error::new(ErrorCode::ArgumentMismatch, format!("`{column}`: {cause}"))
        }
        ConvertError::Memory(_) => Error::new(ErrorCode::OutOfMemory, cause.to_string()),
    }
}
