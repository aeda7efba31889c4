//! One record with 100 candidates beside ONNX Runtime at n = 100: part of `make bench-models`.
//!
//! Our side is the whole decision, from the record's bytes to the output row's; that of ONNX Runtime is
//! its call alone, with tensors that lie ready. Arguments as those of the benchmark of models.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Physical};
use pelton_data::report::Source;
use pelton_data::value::Value;
use pelton_decision::{Decision, Error, Generation, Sources};
use serde_json::json;

#[path = "../../model/benches/models/case.rs"]
#[allow(dead_code, reason = "shared with the benchmark of models")]
mod case;
#[path = "../../model/tests/onnx_file/mod.rs"]
#[allow(clippy::unwrap_used, reason = "shared with the tests of models")]
mod onnx_file;
#[path = "../../model/benches/models/onnx_runtime.rs"]
#[allow(dead_code, reason = "shared with the benchmark of models")]
mod onnx_runtime;

use case::{Input, Values};
use onnx_file::Random;
use onnx_runtime::Runtime;

const CANDIDATES: usize = 100;
const RECORDS: usize = 40;
const TURNS: usize = 21;

/// A model of `make bench-models` as a decision, and its records.
struct Ranking {
    name: &'static str,
    file: &'static str,
    input: String,
    inputs: String,
    records: Vec<Vec<Value>>,
    /// The same for ONNX Runtime: candidate after candidate of record after record.
    tensors: Vec<Input>,
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [models, library, report, only @ ..] = &arguments[..] else {
        println!(
            "rank: run by `make bench-models`, which says where the models and ONNX Runtime are"
        );
        return;
    };
    let (models, runtime) = (Path::new(models), Runtime::open(Path::new(library)));
    let only = only.first().map_or("", String::as_str);
    let mut lines = Vec::new();
    println!(
        "{:<48} {:>4} {:>10} {:>10} {:>7} {:>9}",
        "one record with its candidates", "n", "ours us", "peer us", "ratio", "max diff"
    );
    let all = [deepfm(), din()];
    for ranking in all.iter().filter(|ranking| ranking.name.contains(only)) {
        lines.push(run(ranking, models, &runtime));
    }
    let text = serde_json::to_string_pretty(&lines).expect("JSON has no errors");
    std::fs::write(report, text + "\n").unwrap_or_else(|error| panic!("{report}: {error}"));
}

/// Ten ids and ten numbers of the user, as many of each candidate.
fn deepfm() -> Ranking {
    let names = |prefix: &str, head: &str| {
        (0..10)
            .map(|k| format!("{head}{prefix}{k}"))
            .collect::<Vec<_>>()
    };
    let typed = |names: Vec<String>, data_type: &str| {
        let columns = names.into_iter().map(|name| format!("{name} {data_type}"));
        columns.collect::<Vec<_>>().join(", ")
    };
    let fields = [
        typed(names("i", ""), "BIGINT"),
        typed(names("d", ""), "FLOAT"),
    ]
    .join(", ");
    let user = [
        typed(names("ui", ""), "BIGINT"),
        typed(names("ud", ""), "FLOAT"),
    ]
    .join(", ");
    let columns = |user, item| quoted([names(user, ""), names(item, "item.")].concat());
    let mut random = Random(5);
    let mut tensors = (Vec::new(), Vec::new());
    let mut part = || {
        let ids: Vec<i64> = (0..10).map(|_| random.below(1000) as i64).collect();
        let numbers: Vec<f32> = (0..10).map(|_| random.unit() as f32).collect();
        (ids, numbers)
    };
    let values = |(ids, numbers): &(Vec<i64>, Vec<f32>)| -> Vec<Value> {
        let ids = ids.iter().map(|id| Value::BigInt(*id));
        ids.chain(numbers.iter().map(|number| Value::Float(*number)))
            .collect()
    };
    let records = (0..RECORDS).map(|_| {
        let user = part();
        let items = (0..CANDIDATES).map(|_| {
            let item = part();
            tensors.0.extend(user.0.iter().chain(&item.0));
            tensors.1.extend(user.1.iter().chain(&item.1));
            Value::Row(values(&item))
        });
        let items = Value::Array(items.collect());
        values(&user).into_iter().chain([items]).collect()
    });
    Ranking {
        name: "DeepFM-like, 10 ids and numbers each",
        file: "deepfm.onnx",
        input: format!("{user}, items ARRAY<ROW<{fields}>>"),
        inputs: format!(
            "inputs.ids = {{ columns = [{}] }}\ninputs.dense = {{ columns = [{}] }}",
            columns("ui", "i"),
            columns("ud", "d")
        ),
        records: records.collect(),
        tensors: vec![
            tensor("ids", 20, Values::Ids(tensors.0)),
            tensor("dense", 20, Values::Floats(tensors.1)),
        ],
    }
}

/// A history of the user, and candidates that are ids.
fn din() -> Ranking {
    let mut random = Random(5);
    let mut tensors = (Vec::new(), Vec::new());
    let mut ids = |n: usize| {
        (0..n)
            .map(|_| random.below(5000) as i64)
            .collect::<Vec<i64>>()
    };
    let array = |ids: &[i64]| Value::Array(ids.iter().map(|id| Value::BigInt(*id)).collect());
    let records = (0..RECORDS).map(|_| {
        let (history, items) = (ids(100), ids(CANDIDATES));
        (0..CANDIDATES).for_each(|_| tensors.0.extend(&history));
        tensors.1.extend(&items);
        vec![array(&history), array(&items)]
    });
    Ranking {
        name: "DIN-like, 100 x 32",
        file: "din.onnx",
        input: "history ARRAY<BIGINT>, items ARRAY<BIGINT>".to_owned(),
        inputs: "inputs.history = { columns = [\"history\"], length = 100 }\n\
                 inputs.candidate = { columns = [\"item\"] }"
            .to_owned(),
        records: records.collect(),
        tensors: vec![
            tensor("history", 100, Values::Ids(tensors.0)),
            tensor("candidate", 1, Values::Ids(tensors.1)),
        ],
    }
}

fn tensor(name: &str, width: usize, values: Values) -> Input {
    Input {
        name: name.to_owned(),
        shape: vec![width],
        values,
    }
}

fn quoted(expressions: Vec<String>) -> String {
    let quoted = expressions
        .iter()
        .map(|expression| format!("\"{expression}\""));
    quoted.collect::<Vec<_>>().join(", ")
}

fn run(ranking: &Ranking, models: &Path, runtime: &Runtime) -> serde_json::Value {
    let generation = open(ranking, models);
    let rows = rows(&generation, &ranking.records);
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let mut target = vec![0; 1 << 12];
    let mut ours = |call: usize| {
        let decided = generation.decide_row(&mut scratch, &rows[call % RECORDS]);
        decided.expect("a record is decided");
        let length = generation.write_output(&scratch, 0, &mut target);
        assert!(length.expect("memory") <= target.len());
        black_box(&target);
    };
    let session = runtime.session(&models.join(ranking.file), &ranking.tensors, "p");
    let mut calls = session.calls(&ranking.tensors, CANDIDATES, 1);
    let mut difference = 0f64;
    for call in 0..RECORDS {
        calls.run(call);
        let expected = calls.output(call);
        let decided = decided(&generation, &rows[call]);
        assert_eq!(decided.len(), expected.len());
        for (a, b) in decided.iter().zip(&expected) {
            difference = difference.max(f64::from((a - b).abs()));
        }
    }
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        our_times.push(time(&mut ours));
        peer_times.push(time(&mut |call| calls.run(call)));
    }
    let (ours, peer) = (median(our_times), median(peer_times));
    let name = ranking.name;
    println!(
        "{name:<48} {CANDIDATES:>4} {ours:>10.1} {peer:>10.1} {:>7.2} {difference:>9.1e}",
        peer / ours
    );
    json!({"case": format!("one record with {CANDIDATES} candidates: {name}"), "n": CANDIDATES, "ours": ours,
        "peer": peer, "unit": "us a record", "ratio": peer / ours, "max_difference": difference,
        "command": "make bench-models"})
}

fn open(ranking: &Ranking, models: &Path) -> Generation {
    let Ranking {
        input,
        inputs,
        file,
        ..
    } = ranking;
    let text = format!(
        "name = \"rank\"\ninput = \"{input}\"\noutput = \"p\"\n[models.rank]\nfile = \"{file}\"\n\
         for_each = {{ item = \"items\" }}\nmax_items = 500\noutputs.p = \"p\"\n{inputs}\n"
    );
    let file = |name: &str| {
        let path = models.join(name);
        std::fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))
    };
    let sources = Sources {
        file: &file,
        dimension: &|_| unreachable!("there are no lookups"),
    };
    let source: Arc<Source> = Source::new("decision.toml", text);
    let decision = Decision::compile(&source, &sources);
    let decision = decision.unwrap_or_else(|report| panic!("{report}"));
    Generation::with_rows(decision, Vec::new())
}

/// The records as a job hands them over.
fn rows(generation: &Generation, records: &[Vec<Value>]) -> Vec<Vec<u8>> {
    let input = &generation.decision.plan.input;
    let types: Vec<_> = input
        .iter()
        .map(|column| column.field.data_type.clone())
        .collect();
    let mut layout = Layout::default();
    let fields = types
        .iter()
        .map(|t| (t.clone(), layout.add(Physical::of(t))));
    let fields: Vec<_> = fields.collect();
    let mut columns = Columns::new(&layout, 1).expect("memory for one row");
    let writer = RowWriter::new(&fields);
    let rows = records.iter().map(|record| {
        columns.clear();
        for ((data_type, slot), value) in fields.iter().zip(record) {
            let put = value.put(&mut columns, *slot, 0, data_type);
            put.expect("a value of its type");
        }
        let mut bytes = Vec::new();
        let written = writer.write_to_vec(&columns, 0, &mut bytes);
        written.expect("memory");
        bytes
    });
    rows.collect()
}

/// The scores of a record.
fn decided(generation: &Generation, row: &[u8]) -> Vec<f32> {
    let mut scratch = generation.scratch(1).expect("memory for one row");
    let decided = generation.decide_row(&mut scratch, row);
    decided.expect("a record is decided");
    let output = &generation.decision.plan.output[0];
    let Ok(Value::Array(scores)) = Value::of(&scratch.columns, output.slot, 0, &output.data_type)
    else {
        panic!("the scores are an ARRAY");
    };
    let score = |value: &Value| match value {
        Value::Float(score) => *score,
        other => panic!("{other:?} is no FLOAT"),
    };
    scores.iter().map(score).collect()
}

/// Microseconds a record, over all of them.
fn time(run: &mut dyn FnMut(usize)) -> f64 {
    let started = Instant::now();
    (0..RECORDS).for_each(run);
    started.elapsed().as_secs_f64() * 1e6 / RECORDS as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
