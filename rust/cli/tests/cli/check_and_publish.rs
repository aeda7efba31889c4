//! `pelton check` and `pelton publish`.

use crate::harness::{Place, TRIAGE, TRIAGE_HEADER};

#[test]
fn check_prints_signature_and_examples() {
    let place = Place::with_triage();
    let example = r#"{"input": {"id": 1, "name": "ann", "amount": 300}, "output": {"third": 100, "action": "call"}}"#;
    place.write("triage/examples.jsonl", &format!("{example}\n{example}\n"));
    let (printed, _) = place.succeed("check triage");
    let expected = "\
triage: no errors
  input     id BIGINT NOT NULL, name STRING, amount DOUBLE, items INT, seen TIMESTAMP(3), since DATE, ok BOOLEAN
  output    next_id BIGINT, share INT, third DOUBLE, upper_name STRING, seen_hour TIMESTAMP(3), on_day DATE, not_ok BOOLEAN, action CHAR(4), fired_rule STRING
  examples  2 passed
";
    let kinds = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.chars().take(60).collect())
            .collect()
    };
    assert_eq!(kinds(&printed), kinds(expected), "{printed}");
}

#[test]
fn check_shows_every_error_of_a_file_with_its_caret() {
    let place = Place::new();
    let toml = TRIAGE
        .replace("UPPER(name)", "UPER(name)")
        .replace("100 / items", "100 / itmes");
    place.write("triage/decision.toml", &toml);
    for command in [
        "check triage",
        "run --decision triage --input in.csv --output out.csv",
    ] {
        place.write("in.csv", TRIAGE_HEADER);
        let error = place.fail(command);
        assert!(error.starts_with("pelton: DECISION_INVALID: "), "{error}");
        for part in [
            "decision.toml:7:",
            "UPER",
            "decision.toml:11:",
            "did you mean `items`?",
            "^^^^^",
        ] {
            assert!(error.contains(part), "no {part:?} in\n{error}");
        }
    }
}

#[test]
fn an_example_that_comes_out_otherwise_stops_check_and_publish() {
    let place = Place::with_triage();
    place.write(
        "triage/examples.jsonl",
        r#"{"input": {"id": 1, "items": 4}, "output": {"share": 24}}"#,
    );
    for command in ["check triage", "publish triage --to meta"] {
        let error = place.fail(command);
        assert!(error.contains("EXAMPLE_FAILED"), "{error}");
        assert!(
            error.contains("examples.jsonl:1: `share` is 25, not 24"),
            "{error}"
        );
    }
    assert!(!place.path("meta/decisions/triage/activations").exists());
}

#[test]
fn each_publish_is_a_version_and_an_activation() {
    let place = Place::with_triage();
    let (first, _) = place.succeed("publish triage --to meta");
    assert!(
        first.starts_with("triage: version 1 is active\n"),
        "{first}"
    );
    assert!(first.contains("first version"), "{first}");
    assert!(
        first.contains("pelton ddl meta/decisions/triage --flink 2.x"),
        "{first}"
    );
    place.write("triage/decision.toml", &TRIAGE.replace("'call'", "'ring'"));
    let (second, _) = place.succeed("publish triage --to meta");
    assert!(
        second.starts_with("triage: version 2 is active\n"),
        "{second}"
    );
    assert!(second.contains("  activation  2\n"), "{second}");
    assert!(second.contains("same signature as version 1"), "{second}");
    place.write(
        "triage/decision.toml",
        &TRIAGE.replace("id + 1 AS next_id, share", "share AS part"),
    );
    let (third, _) = place.succeed("publish triage --to meta");
    for line in [
        "output `next_id` BIGINT is gone",
        "output `share` INT is gone",
        "output `part` INT is new",
    ] {
        assert!(third.contains(line), "no {line:?} in\n{third}");
    }
}

#[test]
fn a_published_decision_runs_by_name_version_and_directory() {
    let place = Place::with_triage();
    place.succeed("publish triage --to meta");
    place.write("triage/decision.toml", &TRIAGE.replace("'call'", "'ring'"));
    place.succeed("publish triage --to meta");
    place.write("in.csv", &format!("{TRIAGE_HEADER}1,ann,100,,,,\n"));
    for (decision, version, action) in [
        ("meta/decisions/triage", 2, "ring"),
        ("meta/decisions/triage --version 1", 1, "call"),
        ("meta/decisions/triage/versions/1", 1, "call"),
    ] {
        let run = format!("run --input in.csv --output out.csv --decision {decision}");
        let (_, summary) = place.succeed(&run);
        assert!(
            summary.ends_with(&format!(", version {version} of triage\n")),
            "{summary}"
        );
        assert!(
            place.read("out.csv").contains(&format!(",{action},large")),
            "{decision}"
        );
    }
    let unknown =
        place.fail("run --input in.csv --output out.csv --decision meta/decisions/triaeg");
    assert!(unknown.contains("DECISION_NOT_FOUND"), "{unknown}");
    assert!(unknown.contains("did you mean `triage`?"), "{unknown}");
    let unknown = place
        .fail("run --input in.csv --output out.csv --version 9 --decision meta/decisions/triage");
    assert!(
        unknown.contains("there is no version 9; there are: 1, 2"),
        "{unknown}"
    );
}

#[test]
fn a_decision_is_found_from_within_its_directory() {
    let place = Place::with_triage();
    place.succeed("publish triage --to meta");
    place.write("meta/decisions/triage/in.csv", TRIAGE_HEADER);
    let run = "run --decision . --input in.csv --output out.csv";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pelton"));
    command
        .args(run.split(' '))
        .current_dir(place.path("meta/decisions/triage"));
    assert!(command.output().unwrap().status.success());
}

#[test]
fn a_file_that_is_no_activation_by_its_name_is_told() {
    let place = Place::with_triage();
    place.succeed("publish triage --to meta");
    place.write("meta/decisions/triage/activations/2.toml", "version = 1\n");
    place.write("in.csv", TRIAGE_HEADER);
    let run = "run --decision meta/decisions/triage --input in.csv --output out.csv";
    for command in [run, "publish triage --to meta"] {
        let (_, stderr) = place.succeed(command);
        assert!(
            stderr.contains("activations/2.toml is ignored; "),
            "{stderr}"
        );
        assert!(stderr.contains("000003.toml"), "{stderr}");
    }
}

/// Examples may come from records that hold more than this version looks at.
#[test]
fn an_example_may_name_a_lookup_that_no_output_needs() {
    let place = Place::new();
    let planes =
        "path = 'planes'\nformat = 'parquet'\ncolumns = 'tail STRING, seats INT'\nkey = ['tail']\n";
    place.write("meta/dimensions/planes.toml", planes);
    let toml = "name = 'd'\ninput = 'tail STRING'\noutput = 'tail'\n\
                [lookups.plane]\ndimension = 'planes'\nkey = ['tail']\n";
    place.write("d/decision.toml", toml);
    let example = |lookup: &str| {
        format!(
            r#"{{"input": {{"tail": "N1"}}, "lookups": {{"{lookup}": {{"seats": 2}}}}, "output": {{"tail": "N1"}}}}"#
        )
    };
    place.write("d/examples.jsonl", &example("plane"));
    place.succeed("check d --metadata meta");
    place.write("d/examples.jsonl", &example("plan"));
    let error = place.fail("check d --metadata meta");
    assert!(error.contains("did you mean `plane`?"), "{error}");
}

#[test]
fn a_version_that_was_changed_does_not_run() {
    let place = Place::with_triage();
    place.succeed("publish triage --to meta");
    place.write(
        "meta/decisions/triage/versions/1/decision.toml",
        &TRIAGE.replace("'call'", "'ring'"),
    );
    place.write("in.csv", TRIAGE_HEADER);
    let error = place.fail("run --input in.csv --output out.csv --decision meta/decisions/triage");
    assert!(error.contains("MANIFEST_MISMATCH"), "{error}");
    assert!(
        error.contains("is not the file that was published"),
        "{error}"
    );
}
