//! `pelton model run`: the outputs of a model for the rows of a file.

use std::path::{Path, PathBuf};

use pelton_decision::{Error, ErrorCode};
use pelton_model::{Model, RunError};

use super::array::Array;
use super::calls::{Call, Output, Workplace};
use super::inputs::Inputs;
use super::{Opened, npz};
use crate::progress::Progress;

/// Run a model over arrays of NumPy
///
/// Arrays are found by the names of the model's inputs; others are passed over. The rows stand along the first axis.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton model run delay.onnx --inputs in.npz --outputs out.npz"
)]
pub struct Run {
    /// ONNX file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Arrays that np.savez wrote, one for each input
    #[arg(long, value_name = "FILE.npz")]
    inputs: PathBuf,
    /// File to write, with an array for each output
    #[arg(long, value_name = "FILE.npz")]
    outputs: PathBuf,
    /// Rows that run together; changes no result
    #[arg(long, value_name = "ROWS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1 << 16))]
    batch: u32,
}

impl Run {
    pub fn run(&self) -> Result<(), Error> {
        let opened = Opened::open(&self.model)?;
        let outputs = Runs {
            model: &opened.model,
            inputs: &Inputs::read(&self.inputs, &opened.model)?,
            file: &self.inputs,
            batch: self.batch as usize,
        }
        .run()?;
        let arrays: Vec<(String, Array)> = outputs
            .into_iter()
            .map(|output| (output.tensor.name, output.array))
            .collect();
        npz::write(&self.outputs, &arrays)
    }
}

/// A model, and rows for it.
pub struct Runs<'a> {
    pub model: &'a Model,
    pub inputs: &'a Inputs,
    /// Where the rows come from, for messages.
    pub file: &'a Path,
    /// Rows that run together.
    pub batch: usize,
}

impl Runs<'_> {
    /// Runs all rows, and says how long it took.
    pub fn run(&self) -> Result<Vec<Output>, Error> {
        let rows = self.inputs.rows;
        let stride = self.batch.min(rows);
        let outputs = self.model.outputs().iter();
        let mut outputs: Vec<Output> = outputs.map(|tensor| Output::new(tensor, rows)).collect();
        let mut place = Workplace::new(self.model, stride);
        let mut progress = Progress::start();
        for start in (0..rows).step_by(stride) {
            let end = rows.min(start + stride);
            let call = Call::new(self.inputs, start, end - start, stride);
            place
                .run(&call)
                .map_err(|cause| failed(self.file, start, &cause))?;
            for output in &mut outputs {
                output.take(&place, start, end - start);
            }
            progress.advance(end - start, (end as u64, rows as u64));
        }
        eprintln!("{}", progress.finish());
        Ok(outputs)
    }
}

/// The error of a row of a file, in a call whose first row is row `start`.
pub fn failed(file: &Path, start: usize, cause: &RunError) -> Error {
    let message = format!("row {}, counted from 0: {cause}", start + cause.row);
    Error::new(ErrorCode::EvaluationFailed, message).context(file.display())
}
