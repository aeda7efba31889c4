//! Decisions as their users write them: what comes out, and what is said when they are wrong.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod arrival_delay;
mod as_of;
mod error_matrix;
mod errors;
mod flights;
mod golden;
mod live;
mod provenance;
mod ranking;
mod robustness;
mod run;

use pelton_data::columns::Literal;
use pelton_data::report::Source;
use pelton_decision::metadata::Metadata;
use pelton_decision::plan::run::Rows;
use pelton_decision::{Decision, Error, ErrorCode, Generation, Sources};

use flights::models;

/// Compiles a decision.toml whose models are those of `models/vectors` and whose dimensions are
/// those of the flights. The error is the report as printed.
fn compile(text: &str) -> Result<Decision, String> {
    let metadata = Metadata::open(models().join("metadata").to_str().unwrap()).unwrap();
    let file = |name: &str| {
        if name == "corrupt.onnx" {
            return Ok(b"\x08\x07\x12\xff\xff\xff\xff".to_vec());
        }
        let path = models()
            .join("vectors")
            .join(name)
            .with_extension("")
            .join("model.onnx");
        std::fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))
    };
    let sources = Sources {
        file: &file,
        dimension: &|name| metadata.dimension(name),
    };
    let source = Source::new("decision.toml", text);
    Decision::compile(&source, &sources).map_err(|report| report.to_string())
}

/// A decision without lookups over rows of literals: the outputs of every row.
fn decide(text: &str, rows: &[&[Literal]]) -> Result<Vec<Vec<Literal>>, (ErrorCode, String)> {
    let decision = compile(text).unwrap();
    let lookups = decision.plan.lookups.iter().map(|_| Rows::Given(None));
    let lookups = lookups.collect();
    let generation = Generation::with_rows(decision, lookups);
    let plan = &generation.decision.plan;
    let mut scratch = generation.scratch(rows.len()).unwrap();
    for (r, row) in rows.iter().enumerate() {
        for (column, value) in plan.input.iter().zip(*row) {
            if let Some(slot) = column.slot {
                scratch.columns.put_literal(slot, r, value).unwrap();
            }
        }
    }
    let decided = generation.decide(&mut scratch, rows.len());
    decided.map_err(|error| (error.code, error.message))?;
    let row = |r| {
        let output = plan.output.iter();
        output
            .map(|column| scratch.columns.literal(column.slot, r))
            .collect()
    };
    Ok((0..rows.len()).map(row).collect())
}
