//! JSON lines, and every type in every format that holds it.

use crate::harness::{Place, read_parquet};

/// A decision that gives back what it takes, of every type.
const ECHO: &str = r#"
name   = "echo"
input  = """
  a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(38, 10), i DECIMAL(5, 2),
  j STRING, k CHAR(2), l BYTES, m DATE, n TIME(3), o TIMESTAMP(3), p TIMESTAMP(9), q TIMESTAMP_LTZ(3),
  r ARRAY<INT>, s MAP<STRING, DOUBLE>, t ROW<x INT, y ROW<z STRING>>, u ARRAY<ROW<x DECIMAL(5, 2)>>
"""
output = "LIST"
"#;

const NAMES: &str = "abcdefghijklmnopqrstu";
const FLAT: usize = 17;

/// Values, NULLs, and what is odd about each type.
const ROWS: [&str; 3] = [
    r#"{"a":true,"b":-128,"c":-32768,"d":2147483647,"e":-9223372036854775808,"f":0.1,"g":5e-324,"h":-1234567890123456789012345678.0123456789,"i":0.05,"j":"Zoë, \"the\nboss\"","k":"ab","l":"AAH/","m":"0001-01-01","n":"23:59:59.999","o":"1969-12-31 23:59:59.999","p":"2013-12-02 04:59:00.123456789","q":"2013-12-02 04:59:00Z","r":[1,null,-3],"s":{"a":1.5,"b":null},"t":{"x":1,"y":{"z":"é"}},"u":[{"x":1.25},null]}"#,
    r#"{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":null,"k":null,"l":null,"m":null,"n":null,"o":null,"p":null,"q":null,"r":null,"s":null,"t":null,"u":null}"#,
    r#"{"a":false,"b":0,"c":0,"d":0,"e":0,"f":"NaN","g":"-Infinity","h":0.0000000000,"i":-999.99,"j":"","k":"ü ","l":"","m":"9999-12-31","n":"00:00:00","o":"2013-12-02 00:00:00","p":"1970-01-01 00:00:00","q":"1969-12-31 23:59:59.5Z","r":[],"s":{},"t":{"x":null,"y":null},"u":[]}"#,
];

fn echo(columns: usize) -> Place {
    let place = Place::new();
    let list: Vec<String> = NAMES.chars().take(columns).map(String::from).collect();
    place.write(
        "echo/decision.toml",
        &ECHO.replace("LIST", &list.join(", ")),
    );
    place.write("in.jsonl", &format!("{}\n", ROWS.join("\n")));
    place
}

fn run(place: &Place, from: &str, to: &str) {
    place.succeed(&format!("run --decision echo --input {from} --output {to}"));
}

#[test]
fn every_type_passes_through_json_lines_unchanged() {
    let place = echo(21);
    for name in ["out.jsonl", "out.ndjson", "out.json"] {
        run(&place, "in.jsonl", name);
        assert_eq!(place.read(name), place.read("in.jsonl"));
    }
}

#[test]
fn every_type_passes_through_parquet_unchanged() {
    let place = echo(21);
    run(&place, "in.jsonl", "out.parquet");
    run(&place, "out.parquet", "back.jsonl");
    assert_eq!(place.read("back.jsonl"), place.read("in.jsonl"));
    assert_eq!(read_parquet(&place.path("out.parquet")).num_columns(), 21);
}

#[test]
fn every_type_that_is_not_nested_passes_through_csv_unchanged() {
    let place = echo(FLAT);
    let flat = |text: &str| -> String {
        let lines = text.lines().map(|line| {
            let end = line.find(",\"r\":").unwrap_or(line.len() - 1);
            format!("{}}}\n", &line[..end])
        });
        lines.collect()
    };
    run(&place, "in.jsonl", "out.csv");
    // The nested columns are no outputs here, and NULL where the file does not have them.
    let toml = place.read("echo/decision.toml");
    let (head, _) = toml.split_once("  r ARRAY").unwrap();
    let output = &toml[toml.find("output").unwrap()..];
    let head = head.trim_end().trim_end_matches(',');
    place.write("echo/decision.toml", &format!("{head}\n\"\"\"\n{output}"));
    run(&place, "out.csv", "back.jsonl");
    assert_eq!(place.read("back.jsonl"), flat(&place.read("in.jsonl")));
}

#[test]
fn nested_columns_in_csv_are_refused_by_name_with_the_way_out() {
    let place = echo(21);
    let error = place.fail("run --decision echo --input in.jsonl --output out.csv");
    let expected =
        "out.csv: column `r`: CSV files do not hold ARRAY<INT>; use a .jsonl or .parquet file";
    assert!(error.contains(expected), "{error}");
    let header: Vec<String> = NAMES.chars().map(String::from).collect();
    place.write("in.csv", &format!("{}\n", header.join(",")));
    let error = place.fail("run --decision echo --input in.csv --output out.jsonl");
    assert!(
        error.contains("in.csv: column `r`: CSV files do not hold ARRAY<INT>"),
        "{error}"
    );
}

#[test]
fn keys_that_are_left_out_are_null_and_others_are_passed_over() {
    let place = echo(5);
    place.write(
        "in.jsonl",
        "\u{feff}{\"e\": 7, \"more\": [1]}\r\n\n{\"a\":true}",
    );
    run(&place, "in.jsonl", "out.jsonl");
    let expected = r#"{"a":null,"b":null,"c":null,"d":null,"e":7}
{"a":true,"b":null,"c":null,"d":null,"e":null}
"#;
    assert_eq!(place.read("out.jsonl"), expected);
    place.succeed("run --decision echo --input in.jsonl --output one.jsonl --threads 1 --batch 1");
    assert_eq!(place.read("one.jsonl"), expected);
}

#[test]
fn declared_columns_of_json_lines_are_kept() {
    let place = echo(1);
    place.write("in.jsonl", "{\"a\": true, \"note\": \"x\", \"at\": 7}\n");
    let arguments = "run --decision echo --input in.jsonl --output out.jsonl --keep --columns";
    let toml = place.read("echo/decision.toml");
    let (_, after) = toml.split_once("a BOOLEAN").unwrap();
    let (_, output) = after.split_once("output = \"a").unwrap();
    let toml = format!("name = 'echo'\ninput = 'a BOOLEAN'\noutput = \"a AS b{output}");
    place.write("echo/decision.toml", &toml);
    let output = place.pelton_with(arguments.split(' ').chain(["note STRING, a BOOLEAN"]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        place.read("out.jsonl"),
        "{\"note\":\"x\",\"a\":true,\"b\":true}\n"
    );
}

#[test]
fn json_that_is_no_record_is_named_with_line_row_and_value() {
    for (line, message) in [
        ("{\"a\": 1,}", "it is not a JSON object: "),
        ("[1]", "it is not a JSON object: "),
        ("{\"d\": \"7\"}", "`d` is \"7\"; expected a INT"),
        (
            "{\"u\": [{\"x\": 1.255}]}",
            "`u[0].x` is 1.255; expected a DECIMAL(5, 2)",
        ),
        (
            "{\"t\": {\"xx\": 1}}",
            "`t` has no field `xx`; did you mean `x`?",
        ),
    ] {
        let place = echo(21);
        place.write("in.jsonl", &format!("{{}}\n\n{line}\n"));
        let error = place.fail("run --decision echo --input in.jsonl --output out.jsonl");
        let place_of_it = "pelton: ARGUMENT_MISMATCH: in.jsonl:3: row 2: ";
        assert!(
            error.starts_with(&format!("{place_of_it}{message}")),
            "{error}"
        );
        assert!(!place.path("out.jsonl").exists());
    }
}
