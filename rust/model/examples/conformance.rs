//! Runs all node tests of the ONNX project: `conformance PACK SUITE TABLE [UPDATE]`.
//!
//! What became of every case is compared with the list SUITE, so that nothing slips back; with UPDATE the list is
//! written, and TABLE, which counts them by operator.

#[path = "../tests/node_case/mod.rs"]
mod node_case;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use node_case::{Outcome, read};

/// What may have become of a case, in the order of the table's columns.
const BECAME: [&str; 5] = [
    "passed",
    "passed with constants",
    "tract",
    "refused",
    "wrong",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pack, suite, table, update @ ..] = &arguments[..] else {
        eprintln!("usage: conformance PACK SUITE TABLE [UPDATE]");
        return ExitCode::FAILURE;
    };
    let mut list = String::new();
    let mut counts: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    for case in read(&std::fs::read(pack).expect("the packed file")) {
        let became = match case.run() {
            Outcome::Passed { tract: true, .. } => 2,
            Outcome::Passed { constants, .. } => usize::from(constants),
            Outcome::Refused(_) => 3,
            Outcome::Wrong(message) => {
                println!("{}: {message}", case.name);
                4
            }
        };
        counts.entry(case.operator.clone()).or_default()[became] += 1;
        let _ = writeln!(list, "{}\t{}\t{}", case.name, case.operator, BECAME[became]);
    }
    let mut all = [0; 5];
    for counts in counts.values() {
        all.iter_mut()
            .zip(counts)
            .for_each(|(all, count)| *all += count);
    }
    for (name, count) in BECAME.iter().zip(all) {
        println!("{count:5} {name}");
    }
    if !update.is_empty() {
        std::fs::write(suite, list).expect("the list is written");
        std::fs::write(table, page(&counts, &all)).expect("the table is written");
        return ExitCode::SUCCESS;
    }
    let before = std::fs::read_to_string(suite).expect("the list of what passed before");
    let changed: Vec<_> = (before.lines().zip(list.lines()))
        .filter(|(a, b)| a != b)
        .collect();
    for (before, now) in &changed {
        println!("was: {before}\nnow: {now}");
    }
    match changed.is_empty() && before.lines().count() == list.lines().count() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The counts by operator as a page.
fn page(counts: &BTreeMap<String, [usize; 5]>, all: &[usize; 5]) -> String {
    let mut page = String::from(
        "# Operators\n\n\
        What became of the ONNX project's node tests (onnx 1.20.1, the cases with tensors), by operator: written by\n\
        `make model-conformance UPDATE=1`, compared by `make model-conformance`.\n\n\
        - **passed**: on Pelton's own kernels, within the suite's tolerances;\n\
        - **with constants**: the same, with inputs that give shapes, axes or counts as constants of the file, as exporters\n  write them;\n\
        - **tract**: with a step on tract, since the operator is none of Pelton's own; beside 0, values may be\n  off by 1e-6 of the largest one;\n\
        - **refused**: by name, when the model loads: an operator, element type or shape that neither Pelton nor tract has, or a\n  shape that depends on values;\n\
        - **wrong**: an output differs. (Of `QLinearMatMul` over int8 the suite expects values that wrap where ONNX Runtime,\n  and Pelton, stop at the type's bounds.)\n\n\
        `several` are models of several nodes: functions that operators stand for, written out.\n\n\
        | operator | passed | with constants | tract | refused | wrong |\n|---|---|---|---|---|---|\n",
    );
    let mut row = |name: &str, counts: &[usize; 5]| {
        let counts = counts.map(|count| {
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        });
        let _ = writeln!(page, "| {name} | {} |", counts.join(" | "));
    };
    row("**all**", all);
    counts
        .iter()
        .for_each(|(operator, counts)| row(operator, counts));
    page
}
