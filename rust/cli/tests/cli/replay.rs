//! `pelton run --pin`: what was decided is decided again, by what decided it.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};

use crate::harness::{Place, TRIAGE, TRIAGE_HEADER, text};

const PIN: &str = "run --decision meta/decisions/triage --pin decided.jsonl";

/// Two versions of the decision of [`TRIAGE`] that say who decided, and rows that both decided, by
/// turns: `decided.jsonl`. Some of them failed.
fn decided_by_two_versions() -> Place {
    let place = Place::new();
    let own = "share, pelton.version AS model_version, pelton.error AS error";
    let toml = TRIAGE.replace("share, amount", &format!("{own}, amount"));
    let mut csv = TRIAGE_HEADER.to_owned();
    for id in 0..40 {
        csv += &format!("{id},n{id},{id}.5,{},,,\n", id % 5);
    }
    place.write("in.csv", &csv);
    for (version, action) in [(1, "call"), (2, "ring")] {
        let toml = toml.replace("'call'", &format!("'{action}'"));
        place.write(
            "triage/decision.toml",
            &toml.replace("100 /", &format!("{version}00 /")),
        );
        place.succeed("publish triage --to meta");
        let run = "run --decision meta/decisions/triage --input in.csv --keep --on-error emit";
        let (_, summary) = place.succeed(&format!("{run} --output {version}.jsonl"));
        assert!(summary.contains(", 8 failed, version"), "{summary}");
    }
    let (first, second) = (place.read("1.jsonl"), place.read("2.jsonl"));
    let turns = first.lines().zip(second.lines());
    let turns: String = turns.map(|(a, b)| format!("{a}\n{b}\n")).collect();
    place.write("decided.jsonl", &turns);
    place
}

#[test]
fn every_row_is_decided_again_by_its_own_version_and_fails_again_as_it_failed() {
    let place = decided_by_two_versions();
    assert!(
        place
            .read("decided.jsonl")
            .contains(r#""error":{"code":"EVALUATION_FAILED","message":""#)
    );
    for options in ["", " --batch 7 --threads 3", " --on-error emit --version 1"] {
        let (printed, _) = place.succeed(&format!("{PIN}{options}"));
        assert_eq!(printed, "replayed: rows=80 differences=0\n", "{options}");
    }
}

#[test]
fn differences_are_counted_and_the_first_are_shown_with_row_and_column() {
    let place = decided_by_two_versions();
    let changed = place
        .read("decided.jsonl")
        .replacen("\"share\":100", "\"share\":99", 1)
        .replacen("\"action\":null", "\"action\":\"call\"", 1);
    place.write("decided.jsonl", &changed);
    let output = place.pelton(PIN);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("row 1: `action` was 'call', is NULL\n"),
        "{printed}"
    );
    assert!(
        printed.contains("row 3: `share` was 99, is 100\n"),
        "{printed}"
    );
    assert!(
        printed.ends_with("replayed: rows=80 differences=2\n"),
        "{printed}"
    );
    // As if every row had been decided by the other version: only ten are shown.
    let swapped = changed.replace("\"model_version\":2", "\"model_version\":1");
    place.write("decided.jsonl", &swapped);
    let printed = text(&place.pelton(PIN).stdout);
    assert_eq!(printed.matches("row ").count(), 10, "{printed}");
    assert!(
        printed.contains(" more\nreplayed: rows=80 differences="),
        "{printed}"
    );
}

#[test]
fn a_row_that_does_not_say_who_decided_it_is_refused_with_its_number() {
    let place = decided_by_two_versions();
    let decided = place.read("decided.jsonl");
    let replace =
        |from: &str, to: &str| place.write("decided.jsonl", &decided.replacen(from, to, 1));
    replace("\"model_version\":2", "\"model_version\":null");
    let error = place.fail(PIN);
    assert!(
        error.contains("decided.jsonl: row 2: `model_version` is NULL; only what"),
        "{error}"
    );
    replace("\"model_version\":2", "\"model_version\":7");
    let error = place.fail(PIN);
    assert!(
        error.contains("decided.jsonl: row 2: `triage`: there is no version 7"),
        "{error}"
    );
    place.write("decided.csv", TRIAGE_HEADER);
    let error = place.fail(&PIN.replace("jsonl", "csv"));
    assert!(
        error.contains("decided.csv: the file has no column `model_version`"),
        "{error}"
    );
    assert!(error.contains("SELECT r.*, d.*"), "{error}");
    place.write("triage/decision.toml", TRIAGE);
    place.succeed("publish triage --to meta");
    let error = place.fail(PIN);
    assert!(
        error.contains("add `pelton.version AS model_version` to `output`"),
        "{error}"
    );
}

#[test]
fn pin_stands_alone() {
    let place = decided_by_two_versions();
    for more in ["--input in.csv", "--output out.csv", "--keep"] {
        assert_eq!(
            place.pelton(&format!("{PIN} {more}")).status.code(),
            Some(2),
            "{more}"
        );
    }
    let nothing = place.pelton("run --decision meta/decisions/triage --input in.csv");
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn every_row_is_decided_again_with_its_own_hive_partitions() {
    let place = Place::new();
    let planes = "path = 'planes'\nformat = 'parquet'\npartition = 'dt DATE'\n\
                  columns = 'tail STRING, seats INT'\nkey = ['tail']\n";
    place.write("meta/dimensions/planes.toml", planes);
    let toml = "name = 'd'\ninput = 'id INT, tail STRING'\n\
                output = 'plane.seats AS seats, pelton.version AS v, pelton.partitions AS p'\n\
                [lookups.plane]\ndimension = 'planes'\nkey = ['tail']\n";
    place.write("d/decision.toml", toml);
    place.write("in.csv", "id,tail\n1,N1\n2,N2\n");
    let mut decided = String::new();
    for (day, seats) in [("2013-12-01", 10), ("2013-12-02", 20)] {
        let columns: [(&str, ArrayRef); 2] = [
            ("tail", Arc::new(StringArray::from(vec!["N1", "N3"]))),
            ("seats", Arc::new(Int32Array::from(vec![seats, 30]))),
        ];
        let directory = format!("meta/planes/dt={day}");
        place.write(&format!("{directory}/_SUCCESS"), "");
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        place.write_parquet(&format!("{directory}/planes.parquet"), &batch);
        if seats == 10 {
            place.succeed("publish d --to meta");
        }
        let run = "run --decision meta/decisions/d --input in.csv --output out.jsonl --keep";
        place.succeed(run);
        decided += &place.read("out.jsonl");
    }
    let rows: Vec<&str> = decided.lines().collect();
    let first = r#"{"id":1,"tail":"N1","seats":10,"v":1,"p":{"plane":"dt=2013-12-01"}}"#;
    assert_eq!((rows[0], rows.len()), (first, 4));
    assert!(
        rows[2].contains(r#""seats":20,"v":1,"p":{"plane":"dt=2013-12-02"}"#),
        "{decided}"
    );
    place.write("out.jsonl", &decided);
    let pin = "run --decision meta/decisions/d --pin out.jsonl";
    assert_eq!(place.succeed(pin).0, "replayed: rows=4 differences=0\n");
    place.write("out.jsonl", &decided.replace("12-01", "12-02"));
    let printed = text(&place.pelton(pin).stdout);
    assert_eq!(
        printed,
        "row 1: `seats` was 10, is 20\nreplayed: rows=4 differences=1\n"
    );
    place.write("out.jsonl", &decided.replace("12-01", "12-03"));
    let error = place.fail(pin);
    for part in ["out.jsonl: row 1: ", "dt=2013-12-03"] {
        assert!(error.contains(part), "no {part:?} in\n{error}");
    }
}
