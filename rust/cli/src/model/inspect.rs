//! `pelton model inspect`: what a model takes and gives, and what it is made of.

use std::path::PathBuf;

use pelton_decision::{Error, ErrorCode};
use pelton_model::{Keys, MemorySize, StepInfo, Summary, Tensor};
use serde_json::{Value, json};

use super::bench::measure;
use super::sample::Sample;
use super::{Opened, show};
use crate::progress::thousands;

/// Rows of the calls that are measured, and turns of 3 milliseconds.
const MEASURED: [usize; 2] = [1, 256];
const TURNS: usize = 5;

/// Print inputs, outputs, operators, steps, memory and cost of a model
///
/// The cost is measured over random rows, for some 40 milliseconds: `pelton model bench` measures longer.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  pelton model inspect models/arrival_delay/v2/delay.onnx")]
pub struct Inspect {
    /// ONNX file
    #[arg(value_name = "FILE")]
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub fn run(&self) -> Result<(), Error> {
        let opened = Opened::open(&self.model)?;
        let found = Found {
            summary: Summary::of(&opened.bytes)
                .map_err(|cause| Error::new(ErrorCode::ModelInvalid, cause.to_string()))?,
            cost: cost(&opened),
            opened,
        };
        match self.json {
            true => say!("{}", found.as_json()),
            false => found.print(),
        }
        Ok(())
    }
}

/// Nanoseconds a row for each of [`MEASURED`], with the inputs; or why they cannot be had.
fn cost(opened: &Opened) -> Result<(String, [f64; 2]), String> {
    let sample = Sample::new(opened, 1024).map_err(|error| error.message)?;
    let mut cost = [0.0; 2];
    for (n, cost) in MEASURED.into_iter().zip(&mut cost) {
        let measured = measure(&opened.model, &sample.inputs, n, TURNS);
        *cost = measured.map_err(|(_, cause)| cause.to_string())?;
    }
    Ok((sample.description, cost))
}

struct Found {
    opened: Opened,
    summary: Summary,
    cost: Result<(String, [f64; 2]), String>,
}

impl Found {
    fn print(&self) {
        let Found {
            opened, summary, ..
        } = self;
        let bytes = thousands(opened.bytes.len() as u64);
        let milliseconds = opened.seconds * 1e3;
        say!(
            "{}: {bytes} bytes, loaded in {milliseconds:.1} ms",
            opened.name()
        );
        say!("  made by    {}", made_by(summary));
        print_tensors("inputs", opened.model.inputs());
        print_tensors("outputs", opened.model.outputs());
        let operators = summary.operators.iter();
        let operators: Vec<String> = operators
            .map(|(name, count)| counted(name, *count))
            .collect();
        say!("  operators  {}", operators.join(", "));
        let steps = opened.model.steps();
        let on_tract = steps.iter().filter(|step| step.tract.is_some()).count();
        match on_tract {
            0 => say!("  steps      {}, all on Pelton's own kernels", steps.len()),
            some => say!("  steps      {}, {some} of them on tract", steps.len()),
        }
        for (number, step) in steps.iter().enumerate() {
            print_step(number + 1, step);
        }
        let memory = opened.model.memory();
        say!(
            "  memory     {} bytes a row: {}",
            thousands(row_bytes(memory)),
            columns(memory)
        );
        if let Some(resident) = opened.resident {
            say!(
                "             {} bytes that the process grew by while the model was loaded",
                thousands(resident)
            );
        }
        match &self.cost {
            Ok((inputs, [one, many])) => say!(
                "  cost       {one:.0} ns a row one by one, {many:.0} ns in calls of {}; measured, {inputs}",
                MEASURED[1]
            ),
            Err(why) => say!("  cost       not measured: {why}"),
        }
    }

    fn as_json(&self) -> Value {
        let Found {
            opened,
            summary,
            cost,
        } = self;
        let model = &opened.model;
        let steps = model.steps().iter().map(|step| {
            json!({"operator": step.operator, "node": step.node, "kernel": step.kernel, "tract": step.tract})
        });
        let memory = model.memory();
        let cost = match cost {
            Ok((inputs, figures)) => {
                let figures = MEASURED.iter().zip(figures);
                let figures = figures.map(|(n, ns)| json!({"rows": n, "nanoseconds": ns}));
                json!({"inputs": inputs, "batches": figures.collect::<Vec<_>>()})
            }
            Err(why) => json!({"error": why}),
        };
        json!({
            "bytes": opened.bytes.len(),
            "load_seconds": opened.seconds,
            "producer": summary.producer,
            "ir_version": summary.ir_version,
            "opsets": summary.opsets,
            "inputs": model.inputs().iter().map(tensor_json).collect::<Vec<_>>(),
            "outputs": model.outputs().iter().map(tensor_json).collect::<Vec<_>>(),
            "operators": summary.operators,
            "steps": steps.collect::<Vec<_>>(),
            "memory": {
                "row_bytes": row_bytes(memory),
                "columns": {"f32": memory.f32, "f64": memory.f64, "i64": memory.i64},
                "grown_bytes": opened.resident,
            },
            "cost": cost,
        })
    }
}

fn made_by(summary: &Summary) -> String {
    let opsets = summary.opsets.iter();
    let opsets: Vec<String> = opsets
        .map(|(domain, version)| format!("{domain} {version}"))
        .collect();
    let producer = match summary.producer.is_empty() {
        true => "unknown",
        false => &summary.producer,
    };
    format!("{producer}; operators of {}", opsets.join(", "))
}

fn counted(name: &str, count: usize) -> String {
    match count {
        1 => name.to_owned(),
        count => format!("{name} x {count}"),
    }
}

fn print_tensors(title: &str, tensors: &[Tensor]) {
    let names = tensors.iter().map(|tensor| tensor.name.chars().count());
    let width = names.max().unwrap_or(0);
    for (i, tensor) in tensors.iter().enumerate() {
        let title = if i == 0 { title } else { "" };
        let keys = tensor.keys.as_deref().map(show_keys).unwrap_or_default();
        say!(
            "  {title:<9}  {:<width$}  {}{keys}",
            tensor.name,
            show(tensor)
        );
    }
}

/// The keys of a map, in the order of its columns.
fn show_keys(keys: &Keys) -> String {
    const SHOWN: usize = 10;
    let mut names: Vec<String> = match keys {
        Keys::Ints(keys) => keys.iter().take(SHOWN).map(i64::to_string).collect(),
        Keys::Strings(keys) => keys
            .iter()
            .take(SHOWN)
            .map(|key| format!("{key:?}"))
            .collect(),
    };
    if keys.len() > SHOWN {
        names.push(format!("... {} in all", keys.len()));
    }
    format!(", a map of {}", names.join(", "))
}

fn print_step(number: usize, step: &StepInfo) {
    let node = match step.node.is_empty() {
        true => String::new(),
        false => format!(" {:?}", step.node),
    };
    say!("    {number:>3}  {}{node}: {}", step.operator, step.kernel);
    if let Some(why) = &step.tract {
        say!("         on tract: {why}");
    }
}

fn tensor_json(tensor: &Tensor) -> Value {
    let keys = tensor.keys.as_deref().map(|keys| match keys {
        Keys::Ints(keys) => json!(keys),
        Keys::Strings(keys) => json!(keys),
    });
    json!({
        "name": tensor.name,
        "element": tensor.element.name(),
        "shape": tensor.shape.to_string(),
        "width": tensor.width,
        "keys": keys,
    })
}

/// Bytes of all columns: inputs, outputs, and what lies between.
fn row_bytes(memory: MemorySize) -> u64 {
    4 * memory.f32 as u64 + 8 * (memory.f64 as u64 + memory.i64 as u64)
}

fn columns(memory: MemorySize) -> String {
    let MemorySize { f32, f64, i64 } = memory;
    let all = [("float", f32), ("double", f64), ("integer or string", i64)];
    let parts = all.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    format!("{} columns", parts.join(", "))
}
