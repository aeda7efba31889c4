//! `pelton model compare`: are the outputs of a model what somebody else made of the same rows?

use std::path::PathBuf;
use std::process::ExitCode;

use pelton_decision::Error;
use pelton_model::Tensor;
use serde_json::{Value, json};

use super::array::{Array, Values, shape_of};
use super::calls::Output;
use super::inputs::Inputs;
use super::npz::Npz;
use super::run::Runs;
use super::{Opened, show};
use crate::progress::thousands;

/// Run a model, and compare its outputs with arrays of another program
///
/// A float may differ by the tolerance, relative to the expected value where that is larger than 1; NaN is equal to NaN.
/// Integers, bools and strings have to be equal. Outputs that the file does not hold are not compared. The exit code is 1
/// when something differs.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton model compare delay.onnx --inputs in.npz --expected onnxruntime.npz"
)]
pub struct Compare {
    /// ONNX file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Arrays that np.savez wrote, one for each input
    #[arg(long, value_name = "FILE.npz")]
    inputs: PathBuf,
    /// Arrays with the names of outputs
    #[arg(long, value_name = "FILE.npz")]
    expected: PathBuf,
    /// How far a float may be off
    #[arg(long, value_name = "NUMBER", default_value_t = 1e-6, value_parser = tolerance)]
    tolerance: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number >= 0.0 => Ok(number),
        _ => Err("expected a number that is not negative".to_owned()),
    }
}

impl Compare {
    pub fn run(&self) -> Result<ExitCode, Error> {
        let opened = Opened::open(&self.model)?;
        let inputs = Inputs::read(&self.inputs, &opened.model)?;
        let expected = self.read_expected(opened.model.outputs(), inputs.rows)?;
        let runs = Runs {
            model: &opened.model,
            inputs: &inputs,
            file: &self.inputs,
            batch: 256,
        };
        let outputs = runs.run()?;
        let compared = outputs.iter().zip(expected).map(|(output, expected)| {
            let found = expected.map(|expected| differences(&output.array, &expected));
            (output, found)
        });
        let compared: Vec<(&Output, Option<Differences>)> = compared.collect();
        match self.json {
            true => say!("{}", self.as_json(&compared)),
            false => self.print(&compared),
        }
        let mut found = compared.iter().filter_map(|(_, found)| found.as_ref());
        Ok(match found.all(|found| found.fits(self.tolerance)) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// What is expected of each output, where it is; an array that is no output is a mistake.
    fn read_expected(&self, outputs: &[Tensor], rows: usize) -> Result<Vec<Option<Array>>, Error> {
        let mut npz = Npz::open(&self.expected)?;
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        let mut errors: Vec<String> = (npz.names.iter())
            .filter(|name| !names.contains(&name.as_str()))
            .map(|name| {
                let near = pelton_data::report::nearest(name, names.iter().copied());
                let near = near
                    .map(|near| format!("; is it `{near}`?"))
                    .unwrap_or_default();
                let there = names.join(", ");
                format!("the array `{name}` is no output of the model, which has {there}{near}")
            })
            .collect();
        let mut expected = Vec::new();
        for output in outputs {
            let name = &output.name;
            if !npz.names.contains(name) {
                expected.push(None);
                continue;
            }
            let array = npz.read(name)?;
            let shape = shape_of(output, rows);
            let kinds = [&array, &Output::new(output, 1).array].map(|array| kind(&array.values));
            if array.shape != shape || kinds[0] != kinds[1] {
                errors.push(format!(
                    "the array `{name}` is {}, the output of {rows} rows is {} {shape:?}",
                    array.show(),
                    output.element.name()
                ));
            }
            expected.push(Some(array));
        }
        if npz.names.is_empty() {
            errors.push("there is no array to compare with".to_owned());
        }
        match errors.is_empty() {
            true => Ok(expected),
            false => Err(npz.invalid(&errors)),
        }
    }

    fn print(&self, compared: &[(&Output, Option<Differences>)]) {
        let names = compared
            .iter()
            .map(|(output, _)| output.tensor.name.chars().count());
        let width = names.max().unwrap_or(0);
        for (Output { tensor, array, .. }, found) in compared {
            let head = format!("{:<width$}  {}", tensor.name, array.show());
            let Some(found) = found else {
                say!(
                    "{head}: not compared, it is not in {}",
                    self.expected.display()
                );
                continue;
            };
            let Some(worst) = &found.worst else {
                say!("{head}: equal");
                continue;
            };
            let Worst {
                difference,
                place,
                ours,
                expected,
            } = worst;
            let verdict = match found.fits(self.tolerance) {
                true => format!("fits {:e}", self.tolerance),
                false => format!("DIFFERS, more than {:e}", self.tolerance),
            };
            let (other, all) = (
                thousands(found.other as u64),
                thousands(found.values as u64),
            );
            let by = difference
                .map(|by| format!(" by {by:.3e}"))
                .unwrap_or_default();
            say!(
                "{head}: {verdict}; {other} of {all} values are not the same, most{by} at {place:?}: {ours}, expected {expected}"
            );
        }
    }

    fn as_json(&self, compared: &[(&Output, Option<Differences>)]) -> Value {
        let outputs = compared.iter().map(|(output, found)| {
            let found = found.as_ref();
            let worst = found.and_then(|found| found.worst.as_ref());
            json!({
                "name": output.tensor.name,
                "type": show(&output.tensor),
                "fits": found.map(|found| found.fits(self.tolerance)),
                "values": found.map(|found| found.values),
                "not_the_same": found.map(|found| found.other),
                // JSON has no infinity.
                "difference": worst.and_then(|worst| worst.difference).filter(|by| by.is_finite()),
                "at": worst.map(|worst| &worst.place),
                "ours": worst.map(|worst| &worst.ours),
                "expected": worst.map(|worst| &worst.expected),
            })
        });
        json!({"tolerance": self.tolerance, "outputs": outputs.collect::<Vec<_>>()})
    }
}

/// Floats, integers and strings are compared among themselves.
fn kind(values: &Values) -> usize {
    match values {
        Values::F32(_) | Values::F64(_) => 0,
        Values::I64(_) => 1,
        Values::Text(_) => 2,
    }
}

/// What differs in two arrays of the same shape.
struct Differences {
    values: usize,
    /// How many values are not the same; NaN is the same as NaN, 0.0 as -0.0.
    other: usize,
    worst: Option<Worst>,
}

/// The values that differ most.
struct Worst {
    /// Relative to the expected value where that is larger than 1; `None` for what has to be equal.
    difference: Option<f64>,
    /// The index along each axis.
    place: Vec<usize>,
    ours: String,
    expected: String,
}

impl Differences {
    fn fits(&self, tolerance: f64) -> bool {
        match &self.worst {
            None => true,
            Some(worst) => worst.difference.is_some_and(|by| by <= tolerance),
        }
    }
}

fn differences(ours: &Array, expected: &Array) -> Differences {
    let shape = &ours.shape;
    match (&ours.values, &expected.values) {
        (Values::I64(a), Values::I64(b)) => exact(shape, a, b),
        (Values::Text(a), Values::Text(b)) => exact(shape, a, b),
        (a, b) => floats(shape, &as_f64(a), &as_f64(b)),
    }
}

fn as_f64(values: &Values) -> Vec<f64> {
    match values {
        Values::F32(all) => all.iter().map(|x| f64::from(*x)).collect(),
        Values::F64(all) => all.clone(),
        _ => Vec::new(),
    }
}

fn exact<T: PartialEq + std::fmt::Debug>(
    shape: &[usize],
    ours: &[T],
    expected: &[T],
) -> Differences {
    let mut others = (0..ours.len()).filter(|at| ours[*at] != expected[*at]);
    let first = others.next();
    Differences {
        values: ours.len(),
        other: usize::from(first.is_some()) + others.count(),
        worst: first.map(|at| Worst {
            difference: None,
            place: index(shape, at),
            ours: format!("{:?}", ours[at]),
            expected: format!("{:?}", expected[at]),
        }),
    }
}

fn floats(shape: &[usize], ours: &[f64], expected: &[f64]) -> Differences {
    let same = |at: usize| ours[at] == expected[at] || ours[at].is_nan() && expected[at].is_nan();
    let by = |at: usize| {
        let by = (ours[at] - expected[at]).abs() / expected[at].abs().max(1.0);
        // A NaN or an infinity beside a number.
        if by.is_nan() { f64::INFINITY } else { by }
    };
    let others: Vec<usize> = (0..ours.len()).filter(|at| !same(*at)).collect();
    let worst = others
        .iter()
        .map(|at| (by(*at), *at))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Differences {
        values: ours.len(),
        other: others.len(),
        worst: worst.map(|(difference, at)| Worst {
            difference: Some(difference),
            place: index(shape, at),
            ours: ours[at].to_string(),
            expected: expected[at].to_string(),
        }),
    }
}

/// The index along each axis of value number `at`.
fn index(shape: &[usize], mut at: usize) -> Vec<usize> {
    let mut index: Vec<usize> = (shape.iter().rev())
        .map(|dim| {
            let own = at % dim;
            at /= dim;
            own
        })
        .collect();
    index.reverse();
    index
}
