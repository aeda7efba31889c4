//! What becomes of a record that has no decision.

use std::fmt;
use std::str::FromStr;

use pelton_data::DataType;
use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Literal, MemoryError, Physical, Slot};
use pelton_data::nested::RowBuilder;
use pelton_data::scalar::Scalar;

use crate::error::{Error, ErrorCode};
use crate::generation::Generation;
use crate::plan::NamedColumn;
use crate::reserved::Reserved;

/// What a job wants for a record that fails: `fail`, `null` or `emit`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// The job fails.
    #[default]
    Fail,
    /// Every output is NULL, but for the version and the Hive partitions.
    Null,
    /// As `Null`, and `pelton.error` says why; the output must have it.
    Emit,
}

impl OnError {
    const ALL: [OnError; 3] = [OnError::Fail, OnError::Null, OnError::Emit];
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnError::Fail => "fail",
            OnError::Null => "null",
            OnError::Emit => "emit",
        })
    }
}

impl FromStr for OnError {
    type Err = String;

    fn from_str(text: &str) -> Result<OnError, String> {
        let mut all = OnError::ALL.into_iter();
        all.find(|known| known.to_string() == text)
            .ok_or_else(|| format!("`{text}` is none of fail, null, emit"))
    }
}

/// The output row of a record that failed: made once, and set for each.
#[derive(Debug)]
pub struct FailedRow {
    /// Of one row: what a generation gives to every record, and NULLs.
    columns: Columns,
    output: Vec<NamedColumn>,
    writer: RowWriter,
    /// Where `pelton.error` stands, if it is to be given.
    error: Option<Slot>,
}

impl FailedRow {
    /// The row of the records that fail in `generation`; `None` where they fail the job.
    pub fn new(generation: &Generation, on_error: OnError) -> Result<Option<FailedRow>, Error> {
        let plan = &generation.decision.plan;
        let place = match (on_error, plan.reserved.get(&Reserved::Error)) {
            (OnError::Fail, _) => return Ok(None),
            (OnError::Null, _) => None,
            (OnError::Emit, Some(column)) => Some(column.slot),
            (OnError::Emit, None) => return Err(needs_error(&generation.decision.name)),
        };
        let mut layout = Layout::default();
        let error = place.map(|_| layout.add(Physical::View));
        let given = generation.reserved_values().map_err(Error::out_of_memory)?;
        let output = plan.output.iter().map(|column| {
            let slot = match error {
                Some(error) if place == Some(column.slot) => error,
                _ => {
                    let value = given.iter().find(|(slot, _)| *slot == column.slot);
                    let value = value.map_or(Literal::Null, |(_, value)| value.clone());
                    layout.add_literal(column.slot.physical, value)
                }
            };
            let column = column.clone();
            NamedColumn { slot, ..column }
        });
        let output: Vec<NamedColumn> = output.collect();
        let fields = output.iter().map(|c| (c.data_type.clone(), c.slot));
        let writer = RowWriter::new(&fields.collect::<Vec<_>>());
        Ok(Some(FailedRow {
            columns: Columns::new(&layout, 1).map_err(Error::out_of_memory)?,
            writer,
            output,
            error,
        }))
    }

    /// Makes it the row of a record that failed with `error`.
    pub fn set(&mut self, error: &Error) -> Result<(), Error> {
        self.columns.clear();
        let Some(slot) = self.error else {
            return Ok(());
        };
        let view = error_bytes(error).and_then(|bytes| self.columns.push_text(&bytes));
        let view = view.map_err(Error::out_of_memory)?;
        self.columns.put(slot, 0, Some(view));
        Ok(())
    }

    /// Writes the row as a BinaryRow and returns its length; if `target` is shorter, nothing is
    /// written.
    pub fn write(&self, target: &mut [u8]) -> Result<usize, Error> {
        let written = self.writer.write(&self.columns, 0, target);
        written.map_err(Error::out_of_memory)
    }

    /// The row's columns, and which of them are the output.
    pub fn output(&self) -> (&Columns, &[NamedColumn]) {
        (&self.columns, &self.output)
    }
}

/// The bytes of `pelton.error`.
fn error_bytes(error: &Error) -> Result<Vec<u8>, MemoryError> {
    let mut row = RowBuilder::new(2)?;
    for text in [error.code.as_str(), &error.message] {
        row.push(&DataType::STRING, Some(Scalar::Bytes(text.as_bytes())))?;
    }
    Ok(row.finish())
}

fn needs_error(decision: &str) -> Error {
    let message = format!(
        "`{decision}`: on-error = emit needs a column for the error; add `pelton.error AS error` \
         to the `output` of its decision.toml and publish it, or use on-error = null"
    );
    Error::new(ErrorCode::DecisionInvalid, message)
}
