//! Nanoseconds a record of `Decision::run` at n = 1, split by step, on real flights:
//! `cargo bench -p pelton-decision --bench decide`.
//!
//! A clock costs more than most steps, so a step is never timed alone: the way up to it and the
//! way through it are timed over all rows, and the difference of their medians is the step.

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

fn main() {
    for version in ["v1", "v2"] {
        let generation = flights::open(version);
        let rows = flights::flights(&generation, RECORDS);
        report(version, &generation, &rows);
    }
}

fn report(version: &str, generation: &Generation, rows: &[Vec<u8>]) {
    let steps = &generation.decision.plan.steps;
    println!(
        "arrival_delay {version}: ns a record, n = 1, median of {RUNS} runs over {RECORDS} flights"
    );
    let mut before = 0.0;
    let mut line = |title: &str, until: f64| {
        println!("  {title:<28}{:>9.1}", until - before);
        before = until;
    };
    line("input row", nanos(generation, rows, 0, false));
    for (i, step) in steps.iter().enumerate() {
        line(&step.title, nanos(generation, rows, i + 1, false));
    }
    line("output row", nanos(generation, rows, steps.len(), true));
    // Not their sum: the expressions of steps that follow one another run in one go.
    let whole = median(rows, whole(generation));
    println!("  {:<28}{whole:>9.1}\n", "the whole record");
}

/// Decides a record as a job does.
fn whole(generation: &Generation) -> impl FnMut(&[u8]) {
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let mut target = [0; 1024];
    move |row| {
        let decided = generation.decide_row(&mut scratch, row);
        decided.expect("a flight is decided");
        black_box(
            generation
                .write_output(&scratch, 0, &mut target)
                .expect("it fits"),
        );
    }
}

/// The median time of a record that goes through the first steps only.
fn nanos(generation: &Generation, rows: &[Vec<u8>], steps: usize, output: bool) -> f64 {
    let plan = &generation.decision.plan;
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let mut target = [0; 1024];
    median(rows, |row| {
        scratch.columns.clear();
        plan.read_input(&mut scratch, 0, row).expect("a flight");
        for step in &plan.steps[..steps] {
            let done = plan.step(step, generation.rows(), &mut scratch, 1);
            done.expect("a flight is decided");
        }
        if output {
            black_box(
                plan.write_output(&scratch, 0, &mut target)
                    .expect("it fits"),
            );
        }
        black_box(&mut scratch);
    })
}

/// The median of the time of a record, over runs of all rows.
fn median(rows: &[Vec<u8>], mut each: impl FnMut(&[u8])) -> f64 {
    let mut run = || rows.iter().for_each(|row| each(row));
    run();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / rows.len() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}
