//! Nanoseconds a record of `Decision::run` at n = 1, split by step, on real flights:
//! `cargo bench -p pelton-decision --bench decide`. With a path as argument the figures are also
//! written there, as JSON.
//!
//! A clock costs more than most steps, so a step is never timed alone: the way up to it and the
//! way through it are timed over all rows, and the difference of their medians is the step.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use pelton_decision::Generation;

#[path = "../tests/decision/flights.rs"]
#[allow(clippy::unwrap_used, reason = "shared with the tests")]
mod flights;

/// Records of one measurement.
const RECORDS: usize = 4096;
/// Measurements of one way; the median counts.
const RUNS: usize = 15;

/// What is timed of a record, and what the last thing in it is called.
type Way<'a> = (String, Work<'a>);
/// What is done with a record.
type Work<'a> = Box<dyn FnMut(&[u8]) + 'a>;

fn main() {
    let file = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let mut json = String::new();
    for version in ["v1", "v2"] {
        let generation = flights::open(version);
        let rows = flights::flights(&generation, RECORDS);
        println!(
            "arrival_delay {version}: ns a record, n = 1, median of {RUNS} runs over {RECORDS} flights"
        );
        for (title, nanos) in figures(&generation, &rows) {
            println!("  {title:<28}{nanos:>9.1}");
            let comma = if json.is_empty() { "" } else { "," };
            write!(json, "{comma}\n  \"{version} {title}\": {nanos:.1}").expect("a string grows");
        }
        println!();
    }
    if let Some(file) = file {
        std::fs::write(&file, format!("{{{json}\n}}\n"))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

/// The time of each step, and of the whole record.
fn figures(generation: &Generation, rows: &[Vec<u8>]) -> Vec<(String, f64)> {
    let steps = &generation.decision.plan.steps;
    let mut ways = vec![("input row".to_owned(), until(generation, 0, false))];
    for (i, step) in steps.iter().enumerate() {
        ways.push((step.title.clone(), until(generation, i + 1, false)));
    }
    ways.push((
        "output row".to_owned(),
        until(generation, steps.len(), true),
    ));
    // Not their sum: the expressions of steps that follow one another run in one go.
    ways.push(("the whole record".to_owned(), whole(generation)));

    let mut before = 0.0;
    let mut figures: Vec<_> = medians(&mut ways, rows)
        .into_iter()
        .zip(ways)
        .map(|(median, (title, _))| {
            let step = median - before;
            before = median;
            (title, step)
        })
        .collect();
    if let Some((_, whole)) = figures.last_mut() {
        *whole = before;
    }
    figures
}

/// Decides a record as a job does.
fn whole(generation: &Generation) -> Work<'_> {
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let mut target = [0; 1024];
    Box::new(move |row| {
        let decided = generation.decide_row(&mut scratch, row);
        decided.expect("a flight is decided");
        let length = generation.write_output(&scratch, 0, &mut target);
        black_box(length.expect("it fits"));
    })
}

/// Takes a record through the first steps only.
fn until(generation: &Generation, steps: usize, output: bool) -> Work<'_> {
    let plan = &generation.decision.plan;
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let mut target = [0; 1024];
    Box::new(move |row| {
        scratch.columns.clear();
        plan.read_input(&mut scratch, 0, row).expect("a flight");
        for step in &plan.steps[..steps] {
            let done = plan.step(step, generation.rows(), &mut scratch, 1);
            done.expect("a flight is decided");
        }
        if output {
            let length = plan.write_output(&scratch, 0, &mut target);
            black_box(length.expect("it fits"));
        }
        black_box(&mut scratch);
    })
}

/// The median time of a record on each way. All ways are run in turn, so that what else the
/// machine does hits them alike; the first turn, with cold caches, does not count.
fn medians(ways: &mut [Way], rows: &[Vec<u8>]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(RUNS); ways.len()];
    for turn in 0..=RUNS {
        for ((_, way), times) in ways.iter_mut().zip(&mut times) {
            let start = Instant::now();
            rows.iter().for_each(|row| way(row));
            let nanos = start.elapsed().as_nanos() as f64 / rows.len() as f64;
            if turn > 0 {
                times.push(nanos);
            }
        }
    }
    times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[RUNS / 2]
        })
        .collect()
}
