//! Models over the items of a record, sequences, vocabularies, ARRAY outputs.
//!
//! The outputs in the examples of `models/ranking` are those of ONNX Runtime, over features that its
//! script computes.

use std::path::PathBuf;

use pelton_data::report::Source;
use pelton_data::value::Value;
use pelton_data::{Field, json};
use pelton_decision::plan::run::{Rows, Scratch};
use pelton_decision::{Decision, Error, Generation, Sources, publish};
use serde_json::{Value as Json, json};

use super::flights::models;

fn ranking() -> PathBuf {
    models().join("ranking")
}

fn definition() -> String {
    std::fs::read_to_string(ranking().join("decision.toml")).unwrap()
}

/// Compiles a decision.toml beside the files of the ranking decision and the test vectors' models.
fn compile(text: &str) -> Result<Decision, String> {
    let file = |name: &str| {
        let vector = models().join("vectors").join(name).join("model.onnx");
        let paths = [ranking().join(name), vector];
        let read = paths.iter().find_map(|path| std::fs::read(path).ok());
        match name {
            "twice.txt" => Ok(b"a\nb\na\n".to_vec()),
            _ => read
                .ok_or_else(|| Error::io("read", &paths[0], &std::io::ErrorKind::NotFound.into())),
        }
    };
    let dimension = |_: &str| unreachable!("there are no lookups");
    let sources = Sources {
        file: &file,
        dimension: &dimension,
    };
    let source = Source::new("decision.toml", text);
    Decision::compile(&source, &sources).map_err(|report| report.to_string())
}

fn open(text: &str) -> Generation {
    Generation::with_rows(compile(text).unwrap(), Vec::<Rows>::new())
}

/// Puts records into the first rows of a scratch.
fn put(generation: &Generation, scratch: &mut Scratch, records: &[Json]) {
    scratch.columns.clear();
    for (row, record) in records.iter().enumerate() {
        for column in &generation.decision.plan.input {
            let Field {
                name, data_type, ..
            } = &column.field;
            let value = json::read(record.get(name), &column.field, name).unwrap();
            if let Some(slot) = column.slot {
                value
                    .put(&mut scratch.columns, slot, row, data_type)
                    .unwrap();
            }
        }
    }
}

/// The outputs of a row.
fn outputs(generation: &Generation, scratch: &Scratch, row: usize) -> Vec<Value> {
    let output = generation.decision.plan.output.iter();
    output
        .map(|column| Value::of(&scratch.columns, column.slot, row, &column.data_type).unwrap())
        .collect()
}

fn decide(text: &str, record: Json) -> Result<Vec<Value>, String> {
    let generation = open(text);
    let mut scratch = generation.scratch(1).unwrap();
    put(&generation, &mut scratch, &[record]);
    let decided = generation.decide(&mut scratch, 1);
    decided.map_err(|error| error.to_string())?;
    Ok(outputs(&generation, &scratch, 0))
}

/// The records of the examples.
fn records() -> Vec<Json> {
    let text = std::fs::read_to_string(ranking().join("examples.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines.map(|line| line["input"].clone()).collect()
}

fn says(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
}

#[test]
fn candidates_are_scored_as_by_onnx_runtime() {
    let checked = publish::check(&ranking(), None).unwrap();
    assert_eq!(checked.examples, 40);
    let names: Vec<&str> = checked.decision.files.keys().map(String::as_str).collect();
    let files = [
        "country.txt",
        "decision.toml",
        "examples.jsonl",
        "rank.onnx",
        "sku.txt",
    ];
    assert_eq!(names, files, "a vocabulary is part of the version");
    let types = checked.decision.plan.output_fields();
    let types: Vec<String> = types
        .iter()
        .map(|field| field.data_type.to_string())
        .collect();
    assert_eq!(
        types,
        ["BIGINT", "ARRAY<FLOAT>", "ARRAY<ARRAY<FLOAT>>", "INT"]
    );
}

#[test]
fn an_item_alone_and_records_together_give_the_same_bits() {
    let generation = open(&definition());
    let mut single = generation.scratch(1).unwrap();
    let mut decide = |records: &[Json], scratch: Option<&mut Scratch>| {
        let scratch = scratch.unwrap_or(&mut single);
        put(&generation, scratch, records);
        generation.decide(scratch, records.len()).unwrap();
        let rows = 0..records.len();
        rows.map(|row| outputs(&generation, scratch, row))
            .collect::<Vec<_>>()
    };
    let records = records();
    let mut many = generation.scratch(records.len()).unwrap();
    let together = decide(&records, Some(&mut many));
    let mut scored = 0;
    for (record, together) in records.iter().zip(&together) {
        let alone = decide(std::slice::from_ref(record), None).remove(0);
        assert_eq!(&alone, together);
        let (Value::Array(scores), Value::Array(places)) = (&alone[1], &alone[2]) else {
            assert!(record["items"].is_null(), "{alone:?}");
            continue;
        };
        assert_eq!(scores.len(), record["items"].as_array().unwrap().len());
        for (item, (score, place)) in scores.iter().zip(places).enumerate() {
            let mut one = record.clone();
            one["items"] = json!([record["items"][item]]);
            let one = decide(&[one], None).remove(0);
            let one = (&one[1], &one[2]);
            let expected = (
                &Value::Array(vec![score.clone()]),
                &Value::Array(vec![place.clone()]),
            );
            assert_eq!(one, expected);
            scored += 1;
        }
    }
    assert!(scored > 300, "{scored} items");
}

#[test]
fn a_record_with_items_allocates_nothing() {
    let generation = open(&definition());
    let mut scratch = generation.scratch(1).unwrap();
    let records = records();
    let mut output = vec![0; 1 << 16];
    let mut count = |record: &Json| {
        put(&generation, &mut scratch, std::slice::from_ref(record));
        let counted = allocation_counter::measure(|| {
            generation.decide(&mut scratch, 1).unwrap();
            generation.write_output(&scratch, 0, &mut output).unwrap();
        });
        counted.count_total
    };
    // Buffers grow to the size of their data once.
    for record in &records {
        count(record);
    }
    let counted: u64 = records.iter().map(count).sum();
    assert_eq!(counted, 0);
}

#[test]
fn more_items_than_max_items_are_an_error_and_no_items_are_none() {
    let text = definition().replace("max_items = 500", "max_items = 2");
    let record = |items: Json| json!({"age": 7, "avg_price": 1.5, "clicks": [], "items": items});
    let item = json!({"sku": "sku-001", "price": 1.5, "stock": 1});
    let none = decide(&text, record(json!([]))).unwrap();
    assert_eq!(
        none[1..],
        [Value::Array(vec![]), Value::Array(vec![]), Value::Int(0)]
    );
    let null = decide(&text, record(Json::Null)).unwrap();
    assert_eq!(null[1..], [Value::Null, Value::Null, Value::Null]);
    let two = decide(&text, record(json!([item, null]))).unwrap();
    assert_eq!(two[3], Value::Int(2), "a NULL item is an item");
    let error = decide(&text, record(json!([item, item, item]))).unwrap_err();
    says(
        &error,
        &[
            "EVALUATION_FAILED",
            "3 items, where `max_items` = 2",
            "model `rank`",
        ],
    );
}

#[test]
fn an_error_names_the_item() {
    let text = definition().replace("\"VOCAB('sku', item.sku)\"", "\"item.stock\"");
    let item = |stock: i32| json!({"sku": "a", "price": 1.5, "stock": stock});
    let record = json!({"age": 7, "avg_price": 1.5, "items": [item(1), item(62), item(63)]});
    let error = decide(&text, record).unwrap_err();
    says(
        &error,
        &["model `rank`, item 3", "the id 63 is outside of 0 to 62"],
    );
}

#[test]
fn an_id_outside_of_its_table_is_what_out_of_range_says() {
    let record = |stocks: [i64; 4], history: Json| {
        let item = |stock| json!({"sku": "a", "price": 1.5, "stock": stock});
        json!({"age": 7, "avg_price": 1.5, "clicks": history, "items": stocks.map(item)})
    };
    let click = |days: i64| json!({"sku": "a", "dwell": 1.5, "days": days});
    let text = definition()
        .replace(
            "\"VOCAB('sku', item.sku)\"], null = 0",
            "\"item.stock\"], out_of_range = 7",
        )
        .replace(
            "[\"VOCAB('sku', click.sku)\"]\nnull     = 0",
            "[\"click.days\"]\nout_of_range = 8",
        )
        .replace("\"click.days / 10e0\"", "\"0\"")
        .replace("\"item.stock > 0\"", "\"0\"");
    let replaced = decide(
        &text,
        record([62, 63, -1, 1 << 30], json!([click(63), click(5)])),
    )
    .unwrap();
    let within = decide(&text, record([62, 7, 7, 7], json!([click(8), click(5)]))).unwrap();
    assert_eq!(replaced, within);
    let other = decide(&text, record([62, 7, 7, 7], json!([click(9), click(5)]))).unwrap();
    assert_ne!(replaced, other);
    let report = |to: &str| compile(&text.replace("out_of_range = 7", to)).unwrap_err();
    says(
        &report("out_of_range = 63"),
        &["the id 63 is outside of its table, which has 0 to 62"],
    );
    says(
        &report("out_of_range = \"x\""),
        &["`models.rank.inputs.item_id.out_of_range` is the string"],
    );
    let text = definition().replace(
        "\"avg_price\"], null = 0.0",
        "\"avg_price\"], out_of_range = 0",
    );
    let report = compile(&text).unwrap_err();
    says(
        &report,
        &["the model reads no table by the values of `user`"],
    );
}

/// What a sequence puts into its tensor of 3, seen through a model that gives it back as `output`.
fn sequence(keys: &str, output: &str, columns: &str, record: Json) -> Result<Vec<Value>, String> {
    let text = format!(
        "name = \"d\"\ninput = \"{columns}\"\noutput = \"y\"\n\
         [models.m]\nfile = \"cast_float\"\noutputs.y = \"{output}\"\n\
         inputs.x = {{ {keys} }}\ninputs.finite = {{ {keys} }}\n"
    );
    decide(&text, record)
}

fn floats(values: [f32; 3]) -> Vec<Value> {
    vec![Value::Array(values.map(Value::Float).to_vec())]
}

#[test]
fn a_sequence_keeps_pads_and_converts() {
    let columns = "c ARRAY<INT>";
    let run = |keys: &str, elements: Json| {
        let keys = format!("columns = [\"c\"], length = 3, {keys}");
        sequence(&keys, "float", columns, json!({ "c": elements })).unwrap()
    };
    assert_eq!(run("", json!([1, 2, 3, 4, 5])), floats([3.0, 4.0, 5.0]));
    assert_eq!(
        run("keep = \"last\"", json!([1, 2, 3, 4])),
        floats([2.0, 3.0, 4.0])
    );
    assert_eq!(
        run("keep = \"first\"", json!([1, 2, 3, 4])),
        floats([1.0, 2.0, 3.0])
    );
    assert_eq!(run("keep = \"first\"", json!([7])), floats([7.0, 0.0, 0.0]));
    assert_eq!(run("pad = -1", json!([7, 8])), floats([7.0, 8.0, -1.0]));
    assert_eq!(
        run("pad = 0.5, null = 9", json!([null])),
        floats([9.0, 0.5, 0.5])
    );
    assert_eq!(run("", json!([])), floats([0.0; 3]));
    assert_eq!(run("pad = 2", Json::Null), floats([2.0; 3]));
    let error = sequence(
        "columns = [\"c\"], length = 3, null = \"error\"",
        "float",
        columns,
        json!({"c": [1, null]}),
    );
    says(
        &error.unwrap_err(),
        &["NULL_REFUSED", "input `x` of model `m`: c"],
    );
}

#[test]
fn an_element_of_a_sequence_may_have_several_columns_and_expressions() {
    let columns = "c ARRAY<INT>, d ARRAY<DOUBLE>, r ARRAY<ROW<a INT, b DOUBLE, t BOOLEAN>>, n INT";
    let record = json!({
        "c": [1, 2], "d": [0.5, 0.25], "n": 100,
        "r": [{"a": 5, "b": 0.5, "t": true}, {"a": 6, "b": null, "t": false}],
    });
    let run = |keys: &str| sequence(keys, "float", columns, record.clone());
    // One element of a ROW's three fields, the last one; then two arrays side by side.
    let fields = run("columns = [\"r\"], length = 1, null = 3").unwrap();
    assert_eq!(fields, floats([6.0, 3.0, 0.0]));
    let keys = "for_each = { e = \"r\" }, columns = [\"e.a * n\", \"e.b\", \"n\"], length = 1, keep = \"first\"";
    assert_eq!(run(keys).unwrap(), floats([500.0, 0.5, 100.0]));
    let keys = "for_each = { x1 = \"c\", y1 = \"d\" }, columns = [\"x1 + y1\"], length = 3";
    assert_eq!(run(keys).unwrap(), floats([1.5, 2.25, 0.0]));
    let keys = "columns = [\"c\", \"d\", \"c\"], length = 1";
    assert_eq!(run(keys).unwrap(), floats([2.0, 0.25, 2.0]));
}

#[test]
fn arrays_of_different_lengths_do_not_go_together() {
    let record = json!({"c": [1, 2], "d": [1]});
    let keys = "columns = [\"c\", \"d\", \"c\"], length = 1";
    let error = sequence(keys, "float", "c ARRAY<INT>, d ARRAY<INT>", record).unwrap_err();
    says(
        &error,
        &["arrays of 2 and 1 elements do not go together, in input `x` of model `m`"],
    );
}

#[test]
fn a_mask_says_where_elements_stand() {
    let text = "name = \"d\"\ninput = \"c ARRAY<INT>\"\noutput = \"x, mask\"\n\
                [models.m]\nfile = \"cast_float\"\noutputs.x = \"float\"\noutputs.mask = \"bool\"\n\
                inputs.x = { columns = [\"c\"], length = 3, mask = \"finite\" }\n";
    // Which of both inputs an output comes from does not matter: all are 3, 0 or 1.
    let out = decide(text, json!({"c": [0, 0]})).unwrap();
    assert_eq!(out[0], floats([0.0; 3])[0]);
    let text = text.replace("\"float\"", "\"int32\"");
    let out = decide(&text, json!({"c": [0, 0]})).unwrap();
    assert_eq!(out[0], Value::Array([1, 1, 0].map(Value::Int).to_vec()));
}

#[test]
fn strings_make_sequences_too_and_a_tensor_of_any_type_is_an_array() {
    let text = "name = \"d\"\ninput = \"c ARRAY<STRING>, s STRING\"\noutput = \"places, same\"\n\
                [models.m]\nfile = \"words.onnx\"\noutputs = { places = \"places\", same = \"same\" }\n\
                inputs.words = { columns = [\"c\"], length = 3, pad = \"c\" }\n";
    let array = |texts: [&str; 3]| Value::Array(texts.map(|t| Value::Text(t.to_owned())).to_vec());
    let places = |places: [i64; 3]| Value::Array(places.map(Value::BigInt).to_vec());
    let out = decide(text, json!({"c": ["nope", "a longer text", "b"]})).unwrap();
    assert_eq!(
        out,
        [places([-1, -1, 1]), array(["nope", "a longer text", "b"])]
    );
    assert_eq!(
        decide(text, json!({"c": ["b"]})).unwrap(),
        [places([1, 2, 2]), array(["b", "c", "c"])]
    );
    // Over items: the strings of the record, of the items, and those that come out.
    let text = text
        .replace(
            "[models.m]",
            "[models.m]\nfor_each = { item = \"c\" }\nmax_items = 9",
        )
        .replace(
            "[\"c\"], length = 3, pad = \"c\"",
            "[\"s\", \"item\", \"UPPER(item)\"]",
        );
    let out = decide(&text, json!({"c": ["b", "another long text"], "s": "a"})).unwrap();
    let expected = [
        Value::Array(vec![places([0, 1, -1]), places([0, -1, -1])]),
        Value::Array(vec![
            array(["a", "b", "B"]),
            array(["a", "another long text", "ANOTHER LONG TEXT"]),
        ]),
    ];
    assert_eq!(out, expected);
    let run = |output: &str| {
        let keys = "columns = [\"c\"], length = 3";
        sequence(
            keys,
            output,
            "c ARRAY<DOUBLE>",
            json!({"c": [-1.5, 0, 2.5]}),
        )
        .unwrap()
    };
    assert_eq!(
        run("double")[0],
        Value::Array([-1.5, 0.0, 2.5].map(Value::Double).to_vec())
    );
    assert_eq!(
        run("int32")[0],
        Value::Array([-1, 0, 2].map(Value::Int).to_vec())
    );
    assert_eq!(
        run("int64")[0],
        Value::Array([-1, 0, 2].map(Value::BigInt).to_vec())
    );
    let yes = Value::Boolean(true);
    assert_eq!(
        run("bool")[0],
        Value::Array(vec![yes.clone(), Value::Boolean(false), yes])
    );
}

#[test]
fn a_sequence_may_be_one_of_each_item() {
    let text = "name = \"d\"\ninput = \"items ARRAY<ROW<tags ARRAY<INT>>>, k INT\"\noutput = \"x\"\n\
                [models.m]\nfile = \"cast_float\"\nfor_each = { item = \"items\" }\nmax_items = 9\n\
                outputs.x = \"float\"\n\
                inputs.x = { for_each = { tag = \"item.tags\" }, columns = [\"tag + k\"], length = 3 }\n\
                inputs.finite = { for_each = { tag = \"item.tags\" }, columns = [\"tag + k\"], length = 3 }\n";
    let items = json!([{"tags": [1, 2, 3, 4]}, {"tags": null}, {"tags": [7]}]);
    let out = decide(text, json!({"items": items, "k": 10})).unwrap();
    let rows = [[12.0, 13.0, 14.0], [0.0; 3], [17.0, 0.0, 0.0]];
    assert_eq!(
        out,
        [Value::Array(rows.into_iter().flat_map(floats).collect())]
    );
}

/// A mistake in the ranking decision: what is replaced by what, and what is said of it.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    (
        "\"item.price\",",
        "\"item.prize\",",
        &["the ROW has no field `prize`", "did you mean `price`?"],
    ),
    (
        "\"item.price\",",
        "\"itm.price\",",
        &["unknown name `itm.price`", "did you mean `item.price`?"],
    ),
    (
        "\"item.price\",",
        "\"item.sku\",",
        &[
            "tensor `item` takes numbers, but this is STRING",
            "VOCAB('name', ...)",
        ],
    ),
    (
        "\"item.price\",",
        "\"clicks\",",
        &[
            "tensor `item` takes numbers, but this is ARRAY<ROW<",
            "`length = 50`",
        ],
    ),
    (
        "{ item = \"items\" }",
        "{ item = \"age\" }",
        &["expected an ARRAY, but this is INT"],
    ),
    (
        "{ item = \"items\" }",
        "{ age = \"items\" }",
        &[
            "the name `age` is given twice",
            "an input column in line 7 and an element of an array here",
        ],
    ),
    (
        "{ item = \"items\" }",
        "{}",
        &["`models.rank.for_each` is a table", "{ item = \"items\" }"],
    ),
    (
        "{ item = \"items\" }",
        "\"items\"",
        &["`models.rank.for_each` is the string", "expected a table"],
    ),
    (
        "max_items = 500",
        "",
        &["`models.rank.max_items` is missing", "1 to 65536"],
    ),
    (
        "max_items = 500",
        "max_items = 0",
        &["`models.rank.max_items` is the integer 0", "1 to 65536"],
    ),
    (
        "for_each  = { item = \"items\" }",
        "",
        &[
            "`models.rank.max_items` has no effect",
            "unknown name `item.sku`",
        ],
    ),
    (
        "length   = 10\nmask",
        "mask",
        &["`models.rank.inputs.hist.length` is missing", "1 to 65536"],
    ),
    (
        "length   = 10\nmask",
        "length = 9\nmask",
        &[
            "tensor `hist` is int64 [n, 10]",
            "`length` = 9 elements are [n, 9]",
            "the mask `hist_mask` is float [n, 10]",
        ],
    ),
    (
        "length   = 10\npad      = -1",
        "length = 5\npad = \"x\"",
        &["`pad` is the string \"x\", but tensor `visits` is float"],
    ),
    (
        "length   = 10\npad",
        "length = 5\npad",
        &[
            "tensor `visits` is float [n, 10, 2]",
            "`length` = 5 elements of 2 columns are [n, 5, 2]",
        ],
    ),
    (
        "length   = 10\npad",
        "keep = 1\nlength = 10\npad",
        &["`models.rank.inputs.visits.keep` is the integer 1"],
    ),
    (
        "hist_mask",
        "hist_msk",
        &[
            "the model has no tensor `hist_msk` here",
            "did you mean `hist_mask`?",
        ],
    ),
    (
        "mask     = \"hist_mask\"",
        "",
        &["has an input `hist_mask` that is not given"],
    ),
    (
        "VOCAB('sku', item.sku)",
        "VOCAB('skus', item.sku)",
        &["there is no vocabulary `skus`", "did you mean `sku`?"],
    ),
    (
        "VOCAB('sku', item.sku)",
        "VOCAB(item.sku, 'sku')",
        &["the name of a vocabulary is a constant"],
    ),
    (
        "VOCAB('sku', item.sku)",
        "VOCAB('sku', item.stock)",
        &["VOCAB does not take (CHAR(3), INT)", "CAST(... AS STRING)"],
    ),
    (
        "\"sku.txt\"",
        "\"twice.txt\"",
        &[
            "twice.txt:3: the entry `a` is given twice",
            "decision.toml:16:",
        ],
    ),
    (
        "\"sku.txt\"",
        "\"../sku.txt\"",
        &["`../sku.txt` does not lie beside decision.toml"],
    ),
    ("\"sku.txt\"", "\"gone.txt\"", &["gone.txt"]),
    (
        "unknown = 0",
        "unknown = \"x\"",
        &[
            "`vocabularies.sku.unknown` is the string \"x\"",
            "an integer",
        ],
    ),
    (
        "unknown = 0",
        "unknwon = 0",
        &["unknown key `vocabularies.sku.unknwon`", "`unknown`"],
    ),
    (
        "places = \"places\"",
        "places = \"places[3]\"",
        &[
            "tensor `places` has the columns 0 to 2",
            "all of them: `places`",
        ],
    ),
];

#[test]
fn mistakes_are_named_with_what_was_expected() {
    let mut missing = Vec::new();
    for (right, wrong, parts) in MISTAKES {
        let text = definition();
        assert!(text.contains(right), "{right}");
        let report = compile(&text.replace(right, wrong)).expect_err(wrong);
        let absent = parts.iter().filter(|part| !report.contains(**part));
        missing.extend(absent.map(|part| format!("{part:?} is not in:\n{report}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n\n"));
    // Three at once: each is found.
    let text = definition()
        .replace("\"item.price\",", "\"item.prize\",")
        .replace("click.dwell", "clikc.dwell")
        .replace("VOCAB('country', country)", "VOCAB('land', country)");
    let report = compile(&text).unwrap_err();
    says(
        &report,
        &["unknown name `clikc.dwell`", "did you mean `click.dwell`?"],
    );
    let report = compile(&text.replace("clikc", "click")).unwrap_err();
    says(
        &report,
        &[
            "the ROW has no field `prize`",
            "there is no vocabulary `land`",
        ],
    );
}

#[test]
fn a_vocabulary_gives_ids_and_null_without_an_unknown_one() {
    let text = "name = \"d\"\ninput = \"s STRING\"\n\
                output = \"VOCAB('sku', s) AS a, VOCAB('country', s) AS b, COALESCE(VOCAB('country', s), -1) AS c\"\n\
                [vocabularies]\nsku = { file = \"sku.txt\", first = 1, unknown = 0 }\n\
                country = { file = \"country.txt\" }\n";
    let run = |s: Json| decide(text, json!({ "s": s })).unwrap();
    let ids = |a: i64, b: Value, c: i64| vec![Value::BigInt(a), b, Value::BigInt(c)];
    assert_eq!(run(json!("sku-000")), ids(1, Value::Null, -1));
    assert_eq!(run(json!("")), ids(62, Value::Null, -1));
    assert_eq!(run(json!("Blumenkohl, weiß")), ids(61, Value::Null, -1));
    assert_eq!(run(json!("FR")), ids(0, Value::BigInt(3), 3));
    assert_eq!(
        run(Json::Null),
        vec![Value::Null, Value::Null, Value::BigInt(-1)]
    );
    let published: Vec<String> = compile(text).unwrap().files.into_keys().collect();
    assert_eq!(published, ["country.txt", "decision.toml", "sku.txt"]);
}
