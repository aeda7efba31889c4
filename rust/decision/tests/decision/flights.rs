//! The decision that comes with the project, and real flights for it: for tests and benchmarks.

use std::path::PathBuf;

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Literal, Physical};
use pelton_decision::Generation;
use pelton_decision::expression::constant;
use pelton_decision::metadata::Metadata;

/// The flights, models and dimensions that come with the project.
pub fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// The metadata directory that holds the dimensions.
pub fn metadata() -> Metadata {
    Metadata::open(models().join("metadata").to_str().unwrap()).unwrap()
}

/// A version of the decision, from its own directory.
pub fn open(version: &str) -> Generation {
    let directory = models().join("arrival_delay").join(version);
    Generation::open_directory(&directory, Some(&metadata())).unwrap()
}

/// The first `count` flights of December as BinaryRows of the decision's input. Its columns
/// stand in the file in the same order, but for the flight's number (second) and truth (last).
pub fn flights(generation: &Generation, count: usize) -> Vec<Vec<u8>> {
    let input = &generation.decision.plan.input;
    let mut layout = Layout::default();
    let fields: Vec<_> = input
        .iter()
        .map(|column| {
            let data_type = column.field.data_type.clone();
            let slot = layout.add(Physical::of(&data_type));
            (data_type, slot)
        })
        .collect();
    let mut columns = Columns::new(&layout, 1).unwrap();
    let writer = RowWriter::new(&fields);
    let text = std::fs::read_to_string(models().join("flights/2013-12.csv")).unwrap();
    let rows = text.lines().take(count).map(|line| {
        let mut values: Vec<&str> = line.split(',').collect();
        values.remove(1);
        values.pop();
        columns.clear();
        for ((data_type, slot), value) in fields.iter().zip(values) {
            let literal = match value {
                "" => Literal::Null,
                value => constant(value, data_type).unwrap(),
            };
            columns.put_literal(*slot, 0, &literal).unwrap();
        }
        let mut bytes = Vec::new();
        writer.write_to_vec(&columns, 0, &mut bytes).unwrap();
        bytes
    });
    rows.collect()
}
