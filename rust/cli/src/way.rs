//! The way of all rows from file to file.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use pelton_decision::Error;
use pelton_decision::batch::{BatchError, BatchRunner};

use crate::in_order::in_order;
use crate::io::{Chunk, Decoded, Reader, Writer};
use crate::progress::Progress;

/// From file to file.
pub struct Way<'a> {
    pub input: &'a Path,
    pub reader: Box<dyn Reader>,
    /// One a thread.
    pub runners: Vec<BatchRunner<'a>>,
    pub writer: Box<dyn Writer>,
    /// The schema of the output with the columns of the input in front, if they are kept.
    pub keep: Option<SchemaRef>,
}

/// Rows that are to be decided.
struct ToDo {
    chunk: Box<dyn Chunk>,
    /// How far reading has come with them.
    position: (u64, u64),
}

/// Rows that are decided.
struct Done {
    batch: RecordBatch,
    text: String,
    /// How many of them failed, where that does not end the run.
    failures: u64,
    position: (u64, u64),
}

impl<'a> Way<'a> {
    /// Decides all rows, finishes the output and returns a line that says how fast.
    pub fn run(self) -> Result<String, Error> {
        let Way {
            input,
            mut reader,
            runners,
            mut writer,
            keep,
        } = self;
        let mut progress = Progress::start();
        let mut failures = 0;
        let read = || {
            let chunk = reader.next()?;
            let position = reader.progress();
            Ok(chunk.map(|chunk| ToDo { chunk, position }))
        };
        let encoder = writer.encoder();
        let decide = |mut runner: BatchRunner<'a>| {
            let (keep, encoder) = (keep.as_ref(), &encoder);
            move |ToDo { chunk, position }| {
                let Decoded {
                    before,
                    batch,
                    failed,
                } = chunk.decode();
                let failures_before = runner.failures();
                let decided = runner.decide(&batch);
                let decided = decided.map_err(|error| row_error(input, error, before))?;
                // Only now: the rows in front of one that cannot be read are the first to fail.
                failed.map_or(Ok(()), Err)?;
                let batch = match keep {
                    None => decided,
                    Some(schema) => join(schema, &batch, &decided),
                };
                Ok(Done {
                    text: encoder.encode(&batch)?,
                    batch,
                    failures: runner.failures() - failures_before,
                    position,
                })
            }
        };
        let write = |done: Done| {
            writer.write(&done.batch, &done.text)?;
            failures += done.failures;
            progress.advance(done.batch.num_rows(), done.position);
            Ok(())
        };
        in_order(runners.into_iter().map(decide).collect(), read, write)?;
        writer.finish()?;
        let failed = match failures {
            0 => String::new(),
            failures => format!(", {failures} failed"),
        };
        Ok(progress.finish() + &failed)
    }
}

#[cold]
fn row_error(input: &Path, BatchError { row, error }: BatchError, before: u64) -> Error {
    let input = input.display();
    error.context(format!("{input}: row {}", before + row as u64 + 1))
}

fn join(schema: &SchemaRef, kept: &RecordBatch, decided: &RecordBatch) -> RecordBatch {
    let columns = kept.columns().iter().chain(decided.columns()).cloned();
    let joined = RecordBatch::try_new(schema.clone(), columns.collect());
    joined.expect("both have as many rows, and the schema is made of theirs")
}
