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
            &["in.csv:2002: row 2001: "],
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
            "column `amount`: \"1e\" is not a DOUBLE, NaN, Infinity or -Infinity",
        ),
        ("1,,,\"\",,,", "column `items`: \"\" is not a INT"),
        (
            "1,,,,2013-12-02,,",
            "column `seen`: \"2013-12-02\" is not a TIMESTAMP(3), yyyy-MM-dd HH:mm:ss[.fraction]",
        ),
        (
            "1,,,,2013-12-02 04:59:00.1234,,",
            "04:59:00.1234\" is not a TIMESTAMP(3): it has more than 3 digits behind the second, and none is dropped",
        ),
        (
            "1,,,,,2013-02-30,",
            "column `since`: \"2013-02-30\" is not a DATE, yyyy-MM-dd",
        ),
        ("1,,,,,,yes", "column `ok`: \"yes\" is not true or false"),
    ] {
        let place = with_rows(&format!("7,\"two\nlines\",,,,,\n{row}\n"));
        let place_of_it = "pelton: ARGUMENT_MISMATCH: in.csv:2004: row 2002: ";
        refused(&place, RUN, &[place_of_it, message]);
    }
}

#[test]
fn a_record_that_is_not_csv_is_named_with_its_line() {
    for (row, message) in [
        ("1,2,3", "row 2001: it has 3 fields, not 7"),
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
        error.contains("in.parquet: --columns is for CSV and JSON"),
        "{error}"
    );
}

#[test]
fn other_formats_are_refused_by_name() {
    let place = Place::with_triage();
    place.write("in.orc", "{}");
    place.write("in.csv", TRIAGE_HEADER);
    let input = "run --decision triage --input in.orc --output out.csv";
    refused(
        &place,
        input,
        &[
            "pelton: NOT_SUPPORTED: in.orc: `.orc` is not supported; expected `.csv`, `.jsonl` (`.ndjson`, `.json`) or `.parquet`",
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
        &["pelton: IO: cannot write none/out.csv: there is no directory none; make it"],
    );
}

#[test]
fn a_csv_file_with_another_separator_is_told_so() {
    let place = Place::with_triage();
    for (separator, shown) in [(";", "`;`"), ("\t", "a tab")] {
        let header = TRIAGE_HEADER.replace(',', separator);
        place.write("in.csv", &header);
        let hint = format!("are its fields separated by {shown}? They must be by `,`");
        refused(&place, RUN, &["`id` is missing", &hint]);
        place.write("in.csv", &format!("{TRIAGE_HEADER}{header}"));
        refused(&place, RUN, &["row 1: it has 1 fields, not 7", &hint]);
    }
}

#[test]
fn a_decision_that_is_not_there_says_what_is_expected() {
    let place = with_rows("");
    place.succeed("publish triage --to meta");
    place.succeed("publish triage --to meta");
    let run = |decision: &str| RUN.replace("triage", decision);
    for (arguments, parts) in [
        (
            run("."),
            [". holds no decision.toml", "METADATA/decisions/NAME"],
        ),
        (
            run("nowhere"),
            [
                "`nowhere` does not name a decision",
                "METADATA/decisions/NAME",
            ],
        ),
        (
            format!("{RUN} --metadata nowhere"),
            ["--metadata: there is no directory nowhere", "`dimensions`"],
        ),
        (
            "check .".to_owned(),
            [". holds no decision.toml", "name a directory that does"],
        ),
        (
            "check nowhere".to_owned(),
            ["there is no directory nowhere", "decision.toml"],
        ),
        (
            "check triage/decision.toml".to_owned(),
            ["is a file", "name the directory"],
        ),
        (
            "check meta/decisions/triage".to_owned(),
            [
                "is all versions of a decision",
                "meta/decisions/triage/versions/2",
            ],
        ),
        (
            "publish meta/decisions/triage --to meta".to_owned(),
            [
                "is all versions of a decision",
                "meta/decisions/triage/versions/2",
            ],
        ),
    ] {
        refused(&place, &arguments, &parts);
    }
    place.succeed("check meta/decisions/triage/versions/1");
}

#[test]
fn errors_of_a_dimension_s_file_are_its_own_and_hide_none_of_the_decision() {
    let place = Place::new();
    place.write(
        "meta/dimensions/planes.toml",
        "path = 'planes'\nformat = 'csv'\n",
    );
    let lookup = |name: &str| format!("[lookups.{name}]\ndimension = 'planes'\nkey = ['tail']\n");
    let toml = format!(
        "name = 'd'\ninput = 'tail STRING'\noutput = 'a.seats AS seats, nope'\n{}{}",
        lookup("a"),
        lookup("b")
    );
    place.write("d/decision.toml", &toml);
    let error = place.fail("check d --metadata meta");
    assert!(
        error.starts_with("pelton: DIMENSION_INVALID: meta/dimensions/planes.toml:"),
        "{error}"
    );
    for part in [
        "`columns` is missing",
        "decision.toml:5:13",
        "unknown name `nope`",
    ] {
        assert_eq!(error.matches(part).count(), 1, "{part:?} once in\n{error}");
    }
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
