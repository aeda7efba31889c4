//! Rows that Flink wrote, passed from input to output.

use std::fs;
use std::path::PathBuf;

use pelton_data::type_parser::parse_columns;
use pelton_decision::Generation;

use super::compile;

#[test]
fn a_column_of_any_type_is_passed_on_to_the_byte() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/binary_row");
    let mut rows = 0;
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        // A NULL that Flink writes with unused bytes goes out without them.
        if path.to_string_lossy().ends_with("reserved_null.json") {
            continue;
        }
        let golden: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let columns = golden["columns"].as_str().unwrap();
        let generation = pass_on(columns);
        let mut scratch = generation.scratch(1).unwrap();
        let mut output = vec![0; 1 << 20];
        for row in golden["rows"].as_array().unwrap() {
            let hex = row["hex"].as_str().unwrap();
            let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
            let input: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            generation.decide_row(&mut scratch, &input).unwrap();
            let len = generation.write_output(&scratch, 0, &mut output).unwrap();
            assert_eq!(output[..len], input, "{}: {row}", path.display());
            rows += 1;
        }
    }
    assert!(rows > 100, "{rows} rows");
}

/// A decision whose output is its input.
fn pass_on(columns: &str) -> Generation {
    let names = parse_columns(columns).unwrap();
    let names: Vec<String> = names.into_iter().map(|(field, _)| field.name).collect();
    let output = names.join(", ");
    let text = format!("name = \"d\"\ninput = \"{columns}\"\noutput = \"{output}\"\n");
    Generation::with_rows(compile(&text).unwrap(), Vec::new())
}
