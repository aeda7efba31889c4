//! `pelton ddl`: what it refuses, and what differs between the lines of Flink. What it prints is
//! run by Flink itself in `DdlTest`.

use crate::harness::Place;

#[test]
fn models_are_printed_for_the_flink_that_has_them() {
    let place = Place::with_triage();
    place.succeed("publish triage --to meta");
    let (old, _) = place.succeed("ddl meta/decisions/triage --flink 1.20");
    let (new, _) = place.succeed("ddl meta/decisions/triage --flink 2.x --table a.b");
    assert!(!old.contains("MODEL"), "{old}");
    assert!(new.contains("CREATE MODEL IF NOT EXISTS triage\nINPUT (\n  id BIGINT NOT NULL,"));
    // The path is one that means the same from everywhere.
    let uri = place.path("meta/decisions/triage").canonicalize().unwrap();
    for (script, table) in [(&old, "FROM records AS r"), (&new, "FROM a.b AS r")] {
        assert!(
            script.contains(&format!("predict('{}',", uri.display())),
            "{script}"
        );
        assert!(script.contains(table), "{script}");
    }
}

#[test]
fn a_decision_that_is_not_published_and_a_flink_that_is_not_known_are_refused() {
    let place = Place::with_triage();
    let error = place.fail("ddl triage --flink 2.x");
    assert!(error.contains("METADATA/decisions/NAME"), "{error}");
    place.succeed("publish triage --to meta");
    let output = place.pelton("ddl meta/decisions/triage --flink 1.19");
    assert_eq!(output.status.code(), Some(2));
}
