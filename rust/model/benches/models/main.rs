//! Nanoseconds a record of whole models beside ONNX Runtime: `make bench-models`.
//!
//! Arguments: the directory of the models, ONNX Runtime's library, the JSON file to write, and optionally a part of the
//! name of the cases to run. Both sides take turns of a few milliseconds on the same thread, and every call sees other
//! rows; medians count.

mod case;
#[path = "../../tests/onnx_file/mod.rs"]
mod onnx_file;
mod onnx_runtime;
mod pelton;

use std::path::Path;
use std::time::Instant;

use pelton_model::Model;
use serde_json::{Value, json};

use case::Case;
use onnx_runtime::{Runtime, Session};

/// Rows of a call.
const ROWS: [usize; 4] = [1, 8, 32, 256];
/// Different rows that are fed.
const ALL_ROWS: usize = 4096;
const TURNS: usize = 41;
const NANOSECONDS_OF_A_TURN: f64 = 3e6;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [models, library, report, only @ ..] = &arguments[..] else {
        println!(
            "models: run by `make bench-models`, which says where the models and ONNX Runtime are"
        );
        return;
    };
    let (models, runtime) = (Path::new(models), Runtime::open(Path::new(library)));
    let only = only.first().map_or("", String::as_str);
    let mut lines = Vec::new();
    println!(
        "{:<48} {:>4} {:>10} {:>10} {:>7} {:>7} {:>9}",
        "case", "n", "ours ns", "peer ns", "ratio", "wanted", "max diff"
    );
    for case in case::read(models, ALL_ROWS)
        .iter()
        .filter(|case| case.name.contains(only))
    {
        lines.extend(run(case, models, &runtime));
    }
    if "large".contains(only) {
        lines.extend(load(&models.join("large.onnx")));
    }
    let text = serde_json::to_string_pretty(&lines).expect("JSON has no errors");
    std::fs::write(report, text + "\n").unwrap_or_else(|error| panic!("{report}: {error}"));
}

/// A line for each number of rows.
fn run(case: &Case, models: &Path, runtime: &Runtime) -> Vec<Value> {
    let path = models.join(&case.file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let session = runtime.session(&path, &case.inputs, &case.output.0);
    let model = Model::from_onnx(&bytes, &|_| None).map_err(|error| error.to_string());
    let line = |(i, n)| {
        let wanted = case.wanted.as_ref().map(|wanted| wanted[i]);
        let model = model.as_ref().map_err(String::clone);
        let figures = model.and_then(|model| compare(case, model, &session, n));
        let shown = |value: Option<f64>, digits| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let head = format!("{:<48} {n:>4}", case.name);
        let command = "make bench-models";
        match figures {
            Ok(Figures {
                ours,
                peer,
                difference,
            }) => {
                let ratio = peer / ours;
                println!(
                    "{head} {ours:>10.1} {peer:>10.1} {ratio:>7.2} {:>7} {difference:>9.1e}",
                    shown(wanted, 2)
                );
                json!({"case": case.name, "n": n, "ours": ours, "peer": peer, "unit": "ns a record", "ratio": ratio,
                    "wanted": wanted, "max_difference": difference, "command": command})
            }
            Err(reason) => {
                let peer = alone(case, &session, n);
                println!("{head} {:>10} {peer:>10.1}    not run: {reason}", "-");
                json!({"case": case.name, "n": n, "ours": null, "peer": peer, "unit": "ns a record", "ratio": null,
                    "wanted": wanted, "max_difference": null, "command": command, "reason": reason})
            }
        }
    };
    (0..).zip(ROWS).map(line).collect()
}

struct Figures {
    /// Nanoseconds a record.
    ours: f64,
    peer: f64,
    /// The largest difference of two outputs.
    difference: f64,
}

fn compare(case: &Case, model: &Model, session: &Session, n: usize) -> Result<Figures, String> {
    let (name, width) = &case.output;
    let mut peer = session.calls(&case.inputs, n, *width);
    let mut ours = pelton::Calls::new(model, &case.inputs, n, name)?;
    let mut difference = 0f64;
    for call in 0..ALL_ROWS / n {
        ours.run(call);
        peer.run(call);
        for (ours, peer) in ours.output().iter().zip(peer.output(call)) {
            // NaN where only one of them is: `max` would lose it.
            let apart = if ours.is_nan() && peer.is_nan() {
                0.0
            } else {
                f64::from((ours - peer).abs())
            };
            difference = if apart.is_nan() {
                apart
            } else {
                difference.max(apart)
            };
        }
    }
    let turns = (
        turn(n, &mut |call| ours.run(call)),
        turn(n, &mut |call| peer.run(call)),
    );
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        our_times.push(time(n, turns.0, &mut |call| ours.run(call)));
        peer_times.push(time(n, turns.1, &mut |call| peer.run(call)));
    }
    Ok(Figures {
        ours: median(our_times),
        peer: median(peer_times),
        difference,
    })
}

fn alone(case: &Case, session: &Session, n: usize) -> f64 {
    let mut peer = session.calls(&case.inputs, n, case.output.1);
    let mut run = |call| peer.run(call);
    let calls = turn(n, &mut run);
    median((0..TURNS).map(|_| time(n, calls, &mut run)).collect())
}

/// The calls of a turn.
fn turn(n: usize, run: &mut dyn FnMut(usize)) -> usize {
    let calls = 1 + 100 / n;
    time(n, calls, run);
    1 + (NANOSECONDS_OF_A_TURN / (time(n, calls, run) * n as f64)) as usize
}

/// Nanoseconds a record of so many calls.
fn time(n: usize, calls: usize, run: &mut dyn FnMut(usize)) -> f64 {
    let started = Instant::now();
    (0..calls).for_each(run);
    started.elapsed().as_nanos() as f64 / (calls * n) as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Time and memory of loading a large ensemble. The peer of the peak is what is wanted: twice the final size.
fn load(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut model = None;
    let started = Instant::now();
    let memory = allocation_counter::measure(|| model = Some(Model::from_onnx(&bytes, &|_| None)));
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    if let Some(Err(error)) = model {
        panic!("{}: {error}", path.display());
    }
    let (peak, kept) = (
        memory.bytes_max as f64 / 1e6,
        memory.bytes_current as f64 / 1e6,
    );
    println!(
        "load 500 trees of depth 10, a million nodes, from {:.1} MB: {milliseconds:.0} ms, peak {peak:.1} MB, kept {kept:.1} MB",
        bytes.len() as f64 / 1e6
    );
    let case = "load an ensemble of a million nodes";
    let command = "make bench-models";
    vec![
        json!({"case": case, "n": null, "ours": milliseconds, "peer": null, "unit": "ms", "ratio": null,
            "max_difference": null, "command": command}),
        json!({"case": format!("{case}, peak beside twice what is kept"), "n": null, "ours": peak, "peer": 2.0 * kept,
            "unit": "MB", "ratio": 2.0 * kept / peak, "max_difference": null, "command": command}),
    ]
}
