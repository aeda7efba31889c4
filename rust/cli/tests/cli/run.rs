//! Values, formats, order, and the columns that are kept.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int32Array, LargeStringArray, PrimitiveArray, RecordBatch,
};

use crate::harness::{Place, TRIAGE_HEADER};

const ROWS: &str = "\
1,ann,100.0,4,2013-12-02 04:59:00.5,2013-12-02,true
2,,7.5,,,,
3,\"\",-0.0,-7,1969-12-31T23:59:59.999,0001-01-01,FALSE
4,\"Zoë, \"\"the\nboss\"\"\",NaN,3,2013-12-02 05:00:00,1969-12-31,true
";
const DECIDED: &str = "\
next_id,share,third,upper_name,seen_hour,on_day,not_ok,action,fired_rule
2,25,33.333333333333336,ANN,2013-12-02 04:00:00,2013-12-02,false,call,large
3,,2.5,,,,,ask,nobody
4,-14,-0.0,\"\",1969-12-31 23:00:00,0001-01-01,true,fix,blank
5,33,NaN,\"ZOË, \"\"THE\nBOSS\"\"\",2013-12-02 05:00:00,1969-12-31,false,,
";

#[test]
fn csv_values_are_read_in_the_declared_types_and_written_so_that_they_read_the_same() {
    let place = Place::with_triage();
    let decided = place.triage(&format!("{TRIAGE_HEADER}{ROWS}"), "");
    assert_eq!(decided, DECIDED);
}

#[test]
fn columns_are_found_by_name_and_others_are_left_out() {
    let place = Place::with_triage();
    let csv = "ok,since,seen,more,items,amount,name,id\r\ntrue,2013-12-02,,\"x,\"\"\r\n\",4,100,ann,1\r\n";
    let decided = place.triage(csv, "");
    let (_, row) = decided.split_once('\n').unwrap();
    assert_eq!(
        row,
        "2,25,33.333333333333336,ANN,,2013-12-02,false,call,large\n"
    );
}

#[test]
fn a_file_without_header_takes_declared_columns() {
    let place = Place::with_triage();
    place.write("in.csv", ROWS);
    let columns = "id BIGINT, name STRING, amount DOUBLE, items SMALLINT, seen TIMESTAMP(3), since DATE, ok BOOLEAN";
    let arguments = "run --decision triage --input in.csv --output out.csv --columns";
    let output = place.pelton_with(arguments.split(' ').chain([columns]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.read("out.csv"), DECIDED);
}

#[test]
fn parquet_gives_what_csv_gives() {
    let place = Place::with_triage();
    place.triage(&format!("{TRIAGE_HEADER}{ROWS}"), "");
    place.succeed("run --decision triage --input in.csv --output kept.parquet --keep");
    // The kept columns are the inputs with their types; the outputs beside them are not asked for.
    place.succeed("run --decision triage --input kept.parquet --output again.csv");
    assert_eq!(place.read("again.csv"), DECIDED);
    place.succeed("run --decision triage --input kept.parquet --output again.parquet");
    place.succeed("run --decision triage --input in.csv --output once.parquet");
    let read = |name: &str| crate::harness::read_parquet(&place.path(name));
    assert_eq!(
        format!("{:?}", read("again.parquet")),
        format!("{:?}", read("once.parquet"))
    );
}

#[test]
fn parquet_columns_of_narrower_types_are_widened() {
    let place = Place::with_triage();
    let columns: [(&str, ArrayRef); 7] = [
        ("id", Arc::new(Int32Array::from(vec![1, 2]))),
        (
            "name",
            Arc::new(LargeStringArray::from(vec![Some("ann"), None])),
        ),
        (
            "amount",
            Arc::new(Float32Array::from(vec![Some(100.5), None])),
        ),
        ("items", Arc::new(Int32Array::from(vec![Some(4), None]))),
        (
            "seen",
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from(vec![
                Some(1_000),
                None,
            ])),
        ),
        (
            "since",
            Arc::new(PrimitiveArray::<Date32Type>::from(vec![Some(-1), None])),
        ),
        ("ok", Arc::new(BooleanArray::from(vec![Some(false), None]))),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    place.write_parquet(
        "in.parquet",
        &RecordBatch::try_from_iter_with_nullable(columns).unwrap(),
    );
    place.succeed("run --decision triage --input in.parquet --output out.csv");
    let (_, rows) = place
        .read("out.csv")
        .split_once('\n')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(
        rows,
        "2,25,33.5,ANN,1970-01-01 00:00:00,1969-12-31,true,call,large\n3,,,,,,,ask,nobody\n"
    );
}

#[test]
fn rows_keep_their_order_over_many_batches_of_any_size_on_any_number_of_threads() {
    let place = Place::with_triage();
    let mut csv = TRIAGE_HEADER.to_owned();
    let mut next_ids = Vec::new();
    for row in 0..3000 {
        let id = (row * 7919) % 3000;
        writeln!(csv, "{id},n{id},{id}.25,{},,,", id % 9 + 1).unwrap();
        next_ids.push((id + 1).to_string());
    }
    let decided = place.triage(&csv, "");
    let found: Vec<&str> = decided
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(found, next_ids);
    for options in [
        " --batch 1",
        " --batch 7 --threads 1",
        " --batch 7 --threads 5",
        " --batch 1000 --threads 2",
        " --batch 100000",
    ] {
        assert_eq!(place.triage(&csv, options), decided, "{options}");
    }
}

#[test]
fn kept_columns_stand_in_front() {
    let place = Place::with_triage();
    let csv = "note,id,name,amount,items,seen,since,ok\n\"a,b\",1,,2.50,,,,\n";
    let decided = place.triage(csv, " --keep");
    let expected = "\
note,id,name,amount,items,seen,since,ok,next_id,share,third,upper_name,seen_hour,on_day,not_ok,action,fired_rule
\"a,b\",1,,2.5,,,,,2,,0.8333333333333334,,,,,ask,nobody
";
    assert_eq!(decided, expected);
}

#[cfg(unix)]
#[test]
fn an_output_that_is_a_symbolic_link_stays_one() {
    let place = Place::with_triage();
    for name in ["there.csv", "not_yet.csv"] {
        place.write("elsewhere/there.csv", "of the last run\n");
        let target = std::path::Path::new("elsewhere").join(name);
        std::os::unix::fs::symlink(&target, place.path("out.csv")).unwrap();
        place.triage(TRIAGE_HEADER, "");
        assert!(place.path("out.csv").is_symlink());
        let written = place.read(target.to_str().unwrap());
        assert!(written.starts_with("next_id,"), "{written}");
        std::fs::remove_file(place.path("out.csv")).unwrap();
    }
}

#[test]
fn rows_that_fail_are_null_where_that_is_asked_for() {
    let place = Place::with_triage();
    let csv = format!("{TRIAGE_HEADER}1,ann,,4,,,\n2,bob,,0,,,\n3,cyd,,5,,,\n");
    for options in ["", " --batch 1", " --threads 1 --keep"] {
        let decided = place.triage(&csv, &format!(" --on-error null{options}"));
        let rows: Vec<&str> = decided
            .lines()
            .map(|row| row.trim_end_matches(','))
            .collect();
        let failed = match options.contains("--keep") {
            true => "2,bob,,0",
            false => "",
        };
        assert_eq!(rows[2], failed, "{options}");
        assert!(
            rows[1].contains(",25,,ANN") && rows[3].contains(",20,,CYD"),
            "{decided}"
        );
    }
    let run = "run --decision triage --input in.csv --output out.csv --on-error";
    let (_, summary) = place.succeed(&format!("{run} null"));
    assert!(summary.contains("rows/s), 1 failed, triage"), "{summary}");
    let error = place.fail(&format!("{run} emit"));
    assert!(error.contains("add `pelton.error AS error`"), "{error}");
    assert_eq!(place.pelton(&format!("{run} nil")).status.code(), Some(2));
}

#[test]
fn a_file_without_rows_gives_a_file_without_rows() {
    let place = Place::with_triage();
    let header = "next_id,share,third,upper_name,seen_hour,on_day,not_ok,action,fired_rule\n";
    assert_eq!(place.triage(TRIAGE_HEADER, ""), header);
    place.succeed("run --decision triage --input in.csv --output none.parquet");
    place.write("in.csv", "");
    let error = place.fail("run --decision triage --input in.csv --output out.csv");
    assert!(error.contains("in.csv: the file is empty"), "{error}");
}

#[test]
fn a_single_column_holds_nulls_as_empty_lines() {
    let place = Place::new();
    let toml = "name = 'one'\ninput = 'a INT'\noutput = 'a + 1 AS b'\n";
    place.write("one/decision.toml", toml);
    place.write("in.csv", "a\n1\n\n3\n");
    let (_, summary) = place.succeed("run --decision one --input in.csv --output out.csv");
    assert_eq!(place.read("out.csv"), "b\n2\n\n4\n");
    assert!(summary.starts_with("3 rows in "), "{summary}");
    assert!(
        summary.ends_with(" rows/s), one, not published\n"),
        "{summary}"
    );
}
