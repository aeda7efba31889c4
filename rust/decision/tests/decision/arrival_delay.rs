//! The decision that comes with the project, on real flights.

use pelton_decision::{Generation, publish};

use super::flights::{flights, metadata, models, open};

fn examples_hold(version: &str) {
    let directory = models().join("arrival_delay").join(version);
    let checked = publish::check(&directory, Some(&metadata())).unwrap();
    assert!(checked.examples >= 12, "{} examples", checked.examples);
}

#[test]
fn the_examples_of_version_1_hold() {
    examples_hold("v1");
}

#[test]
fn the_examples_of_version_2_hold() {
    examples_hold("v2");
}

#[test]
fn a_record_allocates_nothing() {
    for version in ["v1", "v2"] {
        let generation = open(version);
        let rows = flights(&generation, 500);
        let mut scratch = generation.scratch(1).unwrap();
        let mut output = vec![0; 1024];
        let mut decide_all = || {
            for row in &rows {
                generation.decide_row(&mut scratch, row).unwrap();
                generation.write_output(&scratch, 0, &mut output).unwrap();
            }
        };
        // Buffers grow to the size of their data once.
        decide_all();
        let counted = allocation_counter::measure(decide_all);
        assert_eq!(counted.count_total, 0, "allocations in {version}");
    }
}

#[test]
fn one_row_and_many_give_the_same_bits() {
    for version in ["v1", "v2"] {
        let generation = open(version);
        let plan = &generation.decision.plan;
        let rows = flights(&generation, 300);
        let mut single = generation.scratch(1).unwrap();
        for n in [2, 7, 64, 300] {
            let mut batch = generation.scratch(n).unwrap();
            for chunk in rows.chunks(n) {
                batch.columns.clear();
                for (r, row) in chunk.iter().enumerate() {
                    plan.read_input(&mut batch, r, row).unwrap();
                }
                generation.decide(&mut batch, chunk.len()).unwrap();
                for (r, row) in chunk.iter().enumerate() {
                    generation.decide_row(&mut single, row).unwrap();
                    let (mut one, mut many) = ([0; 256], [0; 256]);
                    let len = generation.write_output(&single, 0, &mut one).unwrap();
                    let written = generation.write_output(&batch, r, &mut many);
                    assert_eq!(written.unwrap(), len);
                    assert_eq!(one, many, "row {r} of {n} in {version}");
                }
            }
        }
    }
}

#[test]
fn a_corrupt_row_is_an_error_and_the_next_one_is_decided() {
    let generation = open("v1");
    let row = &flights(&generation, 1)[0];
    let mut scratch = generation.scratch(1).unwrap();
    let error = generation.decide_row(&mut scratch, &row[..20]).unwrap_err();
    assert!(error.message.contains("the input row"), "{error}");
    generation.decide_row(&mut scratch, row).unwrap();
}

#[test]
fn the_published_versions_are_their_sources() {
    let uri = models().join("metadata/decisions/arrival_delay");
    for version in [1, 2] {
        let published = Generation::open(uri.to_str().unwrap(), Some(version)).unwrap();
        let source = publish::check(
            &models().join(format!("arrival_delay/v{version}")),
            Some(&metadata()),
        );
        let files = &source.unwrap().decision.files;
        assert!(files.len() == 3, "decision.toml, model and examples");
        for (name, bytes) in files {
            let copy = uri.join(format!("versions/{version}")).join(name);
            assert!(
                std::fs::read(&copy).unwrap() == *bytes,
                "{}: publish it again",
                copy.display()
            );
        }
        assert_eq!(published.version, Some(version));
    }
    assert_eq!(
        Generation::open(uri.to_str().unwrap(), None)
            .unwrap()
            .version,
        Some(2)
    );
}
