//! `pelton model bench`: what a row costs.

use std::path::PathBuf;
use std::time::Instant;

use pelton_decision::Error;
use pelton_model::{Model, RunError};
use serde_json::json;

use super::Opened;
use super::calls::{Call, Workplace};
use super::inputs::Inputs;
use super::run::failed;
use super::sample::Sample;
use crate::progress::thousands;

/// Different rows that are fed, so that the branches of a row are not learned.
const ROWS: usize = 4096;
/// The median of so many turns counts.
const TURNS: usize = 21;
const NANOSECONDS_OF_A_TURN: f64 = 3e6;

/// Measure nanoseconds a row, on one thread: writing the inputs and running the model
///
/// The median of 21 turns of at least 3 milliseconds. Without --inputs the rows are random, and the same every time.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  pelton model bench delay.onnx --batch 1,100")]
pub struct Bench {
    /// ONNX file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Arrays that np.savez wrote, one for each input
    #[arg(long, value_name = "FILE.npz")]
    inputs: Option<PathBuf>,
    /// Rows that run together
    #[arg(long, value_name = "ROWS,...", value_delimiter = ',', default_values_t = [1u32, 8, 32, 256],
          value_parser = clap::value_parser!(u32).range(1..=1 << 16))]
    batch: Vec<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub fn run(&self) -> Result<(), Error> {
        let opened = Opened::open(&self.model)?;
        let Sample {
            inputs,
            description,
        } = match &self.inputs {
            Some(path) => {
                let inputs = Inputs::read(path, &opened.model)?;
                let description = format!("{} rows of {}", inputs.rows, path.display());
                Sample {
                    inputs,
                    description,
                }
            }
            None => Sample::new(&opened, 1024)?,
        };
        let mut figures = Vec::new();
        for &n in &self.batch {
            let measured = measure(&opened.model, &inputs, n as usize, TURNS);
            let file = self.inputs.as_deref().unwrap_or(&opened.path);
            figures.push((
                n,
                measured.map_err(|(start, cause)| failed(file, start, &cause))?,
            ));
        }
        match self.json {
            true => {
                let figures = figures
                    .iter()
                    .map(|(n, ns)| json!({"rows": n, "nanoseconds": ns}));
                let figures: Vec<_> = figures.collect();
                say!("{}", json!({"inputs": description, "batches": figures}));
            }
            false => {
                say!("{}: {description}", opened.name());
                say!(
                    "  {:>6}  {:>12}  {:>14}",
                    "rows",
                    "ns a row",
                    "rows a second"
                );
                for (n, ns) in figures {
                    say!("  {n:>6}  {ns:>12.1}  {:>14}", thousands((1e9 / ns) as u64));
                }
            }
        }
        Ok(())
    }
}

/// Nanoseconds a row in calls of `n` rows; the error is that of a row, with the first row of its call.
pub fn measure(
    model: &Model,
    inputs: &Inputs,
    n: usize,
    turns: usize,
) -> Result<f64, (usize, RunError)> {
    let all = inputs.rows.min(ROWS);
    let calls: Vec<Call> = (0..all.div_ceil(n))
        .map(|call| Call::new(inputs, call * n % inputs.rows, n, n))
        .collect();
    let mut place = Workplace::new(model, n);
    for (number, call) in calls.iter().enumerate() {
        place.run(call).map_err(|cause| (number * n, cause))?;
    }
    let mut turn = |count: usize| {
        let start = Instant::now();
        for call in 0..count {
            // Every call has run once without a failure.
            let _ = place.run(&calls[call % calls.len()]);
        }
        start.elapsed().as_nanos() as f64 / count as f64
    };
    let warm = turn(1 + 100 / n);
    let count = 1 + (NANOSECONDS_OF_A_TURN / warm) as usize;
    let mut times: Vec<f64> = (0..turns).map(|_| turn(count)).collect();
    times.sort_by(f64::total_cmp);
    Ok(times[turns / 2] / n as f64)
}
