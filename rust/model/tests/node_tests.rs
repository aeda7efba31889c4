//! The ONNX project's node tests that pass: `models/node_tests/cases.pack`.

mod node_case;

use std::collections::HashSet;
use std::path::Path;

use node_case::{Outcome, read};

#[test]
fn every_packed_case_gives_what_the_onnx_project_says_where_it_ran_before() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/node_tests");
    let suite = std::fs::read_to_string(directory.join("suite.tsv")).expect("the list");
    let on_tract: HashSet<&str> = (suite.lines())
        .filter_map(|line| line.strip_suffix("\ttract")?.split('\t').next())
        .collect();
    let path = directory.join("cases.pack");
    let cases = read(&std::fs::read(&path).expect("the packed cases"));
    assert!(
        cases.len() > 900,
        "{} has {} cases",
        path.display(),
        cases.len()
    );
    let failures: Vec<String> = (cases.iter())
        .filter_map(|case| match case.run() {
            // What our kernels run, they go on running.
            Outcome::Passed { tract, .. } if tract == on_tract.contains(&case.name[..]) => None,
            other => Some(format!("{}: {other:?}", case.name)),
        })
        .collect();
    assert_none(&failures, cases.len());
}

#[test]
fn rows_of_every_packed_case_have_the_same_bits_together_and_alone() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/node_tests/cases.pack");
    let cases = read(&std::fs::read(&path).expect("the packed cases"));
    let (mut failures, mut with_rows) = (Vec::new(), 0);
    for case in &cases {
        match case.run_many() {
            Ok(rows) => with_rows += usize::from(rows > 1),
            Err(message) => failures.push(format!("{}: {message}", case.name)),
        }
    }
    assert_none(&failures, cases.len());
    assert!(with_rows > 700, "only {with_rows} cases have several rows");
}

fn assert_none(failures: &[String], of: usize) {
    assert!(
        failures.is_empty(),
        "{} of {of} cases fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
