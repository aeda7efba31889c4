//! What is refused, and how: the message names file, row, column and value.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};

use crate::harness::{Place, TRIAGE_HEADER};

const RUN: &str = "run --decision triage --input in.csv --output out.csv";

/// A place with a decision and an input of 2,000 good rows, and then the given ones.
fn with_rows(rows: &str) -> Place {
    let place = Place::with_triage();
    let mut csv = TRIAGE_HEADER.to_owned();
    for id in 1..=2000 {
        writeln!(csv, "{id},,,,,,").unwrap();
    }
    place.write("in.csv", &(csv + rows));
    place
}

#[track_caller]
fn refused(place: &Place, arguments: &str, parts: &[&str]) {
    let error = place.fail(arguments);
    for part in parts {
        assert!(error.contains(part), "no {part:?} in\n{error}");
    }
}

#[test]
fn the_first_row_that_fails_is_named_and_no_output_is_left() {
    let place = with_rows("2001,,,1,,,\n2002,,,0,,,\n2003,,,0,,,\n");
    refused(
        &place,
        RUN,
        &[
            "pelton: EVALUATION_FAILED: in.csv: row 2002: ",
            "`share`",
            "by zero",
        ],
    );
    for options in ["--batch 1", "--threads 1", "--threads 7 --batch 10"] {
        refused(&place, &format!("{RUN} {options}"), &["in.csv: row 2002: "]);
    }
    assert_eq!(
        place.names(),
        ["in.csv", "triage"],
        "nothing half written is left behind"
    );
}

/// A batch ends before a row that cannot be read: the rows in front of it are decided first.
#[test]
fn a_row_that_fails_is_told_before_one_behind_it_that_cannot_be_read() {
    let place = with_rows("2001,,,0,,,\n2002,,,x,,,\n");
    for options in ["--threads 1", "--threads 3 --batch 9", "--batch 100000"] {
        refused(&place, &format!("{RUN} {options}"), &["in.csv: row 2001: "]);
    }
    let place = with_rows("2001,,,x,,,\n2002,,,0,,,\n");
    for options in ["--threads 1", "--threads 3 --batch 9", "--batch 1"] {
        refused(
            &place,
            &format!("{RUN} {options}"),
            &["in.csv:2002: row 2001, "],
        );
    }
}

#[test]
fn a_failed_run_leaves_the_last_output_as_it_was() {
    let place = with_rows("x,,,,,,\n");
    place.write("out.csv", "of the last run\n");
    place.fail(RUN);
    assert_eq!(place.read("out.csv"), "of the last run\n");
    assert_eq!(place.names(), ["in.csv", "out.csv", "triage"]);
}

#[test]
fn a_value_that_does_not_parse_is_named_with_its_place_and_type() {
    for (row, message) in [
        (
            "1,,1e,,,,",
            "column `amount`: \"1e\" is not a DOUBLE; expected a number",
        ),
        (
            "1,,,\"\",,,",
            "column `items`: \"\" is not a INT; expected a whole number in its range",
        ),
        (
            "1,,,,2013-12-02,,",
            "column `seen`: \"2013-12-02\" is not a TIMESTAMP(3); expected yyyy-MM-dd HH:mm:ss",
        ),
        (
            "1,,,,,2013-02-30,",
            "column `since`: \"2013-02-30\" is not a DATE; expected yyyy-MM-dd",
        ),
        (
            "1,,,,,,yes",
            "column `ok`: \"yes\" is not a BOOLEAN; expected true or false",
        ),
    ] {
        let place = with_rows(&format!("7,\"two\nlines\",,,,,\n{row}\n"));
        let place_of_it = "pelton: ARGUMENT_MISMATCH: in.csv:2004: row 2002, ";
        refused(&place, RUN, &[place_of_it, message]);
    }
}

#[test]
fn a_record_that_is_not_csv_is_named_with_its_line() {
    for (row, message) in [
        ("1,2,3", "row 2001 has 3 fields, not 7"),
        ("1,a\"b,,,,,", "a quote inside a field"),
        ("1,\"a,,,,,", "a quote is opened and never closed"),
    ] {
        refused(&with_rows(row), RUN, &["in.csv:2002: ", message]);
    }
}

#[test]
fn a_null_where_none_may_be_is_named_with_its_row() {
    let place = with_rows(",,,,,,\n");
    refused(
        &place,
        RUN,
        &["pelton: NULL_REFUSED: in.csv: row 2001: `id` is NULL, and declared NOT NULL"],
    );
}

#[test]
fn all_missing_columns_are_named_with_the_nearest() {
    let place = Place::with_triage();
    place.write("in.csv", "id,nmae,amount,ITEMS,seen,since,ok\n");
    let expected = [
        "in.csv: ",
        "`name` is missing; is it `nmae`?",
        "`items` is missing; is it `ITEMS`?",
    ];
    refused(&place, RUN, &expected);
    place.write("in.csv", "id,name,amount,items,seen,since,ok,id\n");
    refused(&place, RUN, &["there are two columns `id`"]);
}

#[test]
fn a_parquet_column_of_another_type_is_refused_with_both_types() {
    let place = Place::with_triage();
    let names = ["id", "name", "amount", "items", "seen", "since", "ok"];
    let columns = names.map(|name| (name, Arc::new(Int64Array::from(vec![1])) as ArrayRef));
    place.write_parquet("in.parquet", &RecordBatch::try_from_iter(columns).unwrap());
    let run = "run --decision triage --input in.parquet --output out.csv";
    refused(
        &place,
        run,
        &["`items`: it holds BIGINT (Arrow Int64), which does not fit INT without loss"],
    );
    place.write("in.parquet", "not Parquet at all");
    refused(&place, run, &["pelton: ARGUMENT_MISMATCH: in.parquet: "]);
    let output = place.pelton_with(run.split(' ').chain(["--columns", "a INT"]));
    let error = crate::harness::text(&output.stderr);
    assert!(
        error.contains("in.parquet: --columns is for CSV files without a header"),
        "{error}"
    );
}

#[test]
fn other_formats_are_refused_by_name() {
    let place = Place::with_triage();
    place.write("in.json", "{}");
    place.write("in.csv", TRIAGE_HEADER);
    let input = "run --decision triage --input in.json --output out.csv";
    refused(
        &place,
        input,
        &[
            "pelton: NOT_SUPPORTED: in.json: `.json` is not supported; expected `.csv` or `.parquet`",
        ],
    );
    refused(
        &place,
        "run --decision triage --input in.csv --output out",
        &["out: it has no extension"],
    );
}

#[test]
fn a_kept_column_with_the_name_of_an_output_is_refused() {
    let place = Place::with_triage();
    place.write("in.csv", &format!("share,{TRIAGE_HEADER}"));
    let message = "--keep: both the input and the decision have a column `share`";
    refused(&place, &format!("{RUN} --keep"), &[message, "AS name"]);
    place.succeed(RUN);
}

#[test]
fn a_missing_file_is_named() {
    let place = Place::with_triage();
    refused(&place, RUN, &["pelton: IO: cannot read in.csv: "]);
    place.write("in.csv", TRIAGE_HEADER);
    let nowhere = "run --decision triage --input in.csv --output none/out.csv";
    refused(
        &place,
        nowhere,
        &["pelton: IO: cannot write beside none/out.csv: "],
    );
}

#[test]
fn declared_columns_with_an_error_show_it_with_a_caret() {
    let place = with_rows("");
    let output = place.pelton_with(RUN.split(' ').chain(["--columns", "id BIGNT, name STRING"]));
    let error = crate::harness::text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        error.contains("--columns:1:4: unknown type `BIGNT`"),
        "{error}"
    );
    assert!(error.contains("did you mean `BIGINT`?"), "{error}");
}

#[test]
fn options_that_do_not_go_together_are_wrong_usage() {
    let place = with_rows("");
    for arguments in [
        format!("{RUN} --version 1"),
        format!("{RUN} --batch 0"),
        format!("{RUN} --threads 0"),
        "run".to_owned(),
    ] {
        assert_eq!(
            place.pelton(&arguments).status.code(),
            Some(2),
            "{arguments}"
        );
    }
}

#[test]
fn the_output_is_not_the_input() {
    let place = with_rows("");
    let arguments = "run --decision triage --input in.csv --output ./in.csv";
    refused(&place, arguments, &["./in.csv is the input"]);
    assert!(place.read("in.csv").starts_with(TRIAGE_HEADER));
}
