//! The same bits for one row, for many, and under a selection.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Literal, Slot};
use proptest::prelude::*;

use super::testing::Table;
use super::{
    Case, Compiler, NullAs, Program, SelectionId, Selections, TensorColumn, TensorColumns, Typed,
};
use super::{parse, type_check};

/// Expressions of every family; none fails.
const TEXTS: [&str; 20] = [
    "a + b * 2",
    "a / (b * b + 1) - b",
    "x / y",
    "x > y AND a < b",
    "x > 0.5 OR a IS NULL",
    "CASE WHEN a <> 0 THEN b / a ELSE CAST(x AS BIGINT) END",
    "CASE WHEN a > b THEN CASE WHEN x > y THEN s ELSE s || 'x' END WHEN a = b THEN UPPER(s) END",
    "CASE WHEN a <> 0 AND b / a > 1 THEN 1 WHEN a = 0 OR b / a < 0 THEN 2 ELSE 3 END",
    "COALESCE(a, b, 1)",
    "b IN (1, 2, a) IS TRUE",
    "EXP(x / 1e300)",
    "CAST(a AS STRING) || s",
    "CAST(x AS STRING)",
    "CHAR_LENGTH(s) > 3",
    "ABS(a) + CHAR_LENGTH(CAST(y AS STRING))",
    "a BETWEEN SYMMETRIC 10 AND b",
    "s IN ('a', 'bb', 'ccc')",
    "CASE a + b WHEN 1 THEN 'one' WHEN 2 THEN 'two' WHEN 0 THEN NULL ELSE 'many' END",
    "COALESCE(x, y, b, a, 0.5E0)",
    "x > 0.5 AND y <= 1.5",
];

type Row = (
    Option<i32>,
    Option<i64>,
    Option<f64>,
    Option<f64>,
    Option<String>,
);

fn rows(count: usize) -> impl Strategy<Value = Vec<Row>> {
    let small = prop::option::of(-3..4i32);
    let b = prop::option::of(-3..4i64);
    let float = || prop::option::of(prop_oneof![Just(0.0), Just(-0.0), any::<f64>()]);
    let text = prop::option::of("[a-cä]{0,6}");
    prop::collection::vec((small, b, float(), float(), text), count)
}

fn table() -> Table {
    Table::new(&[
        ("a", DataType::Int),
        ("b", DataType::BigInt),
        ("x", DataType::Double),
        ("y", DataType::Double),
        ("s", DataType::STRING),
    ])
}

/// All texts, plainly, and under the branches of a CASE that takes and leaves rows.
fn compile(table: &Table) -> (Program, pelton_data::columns::Layout, Vec<Slot>, u32) {
    let typed = |text: &str| type_check(&parse(text).unwrap(), table).unwrap();
    let mut compiler = Compiler::default();
    compiler.layout = table.layout.clone();
    let all: Vec<Typed> = TEXTS.iter().map(|text| typed(text)).collect();
    let cases = [
        Case {
            condition: typed("a > 0"),
            values: all.clone(),
        },
        Case {
            condition: typed("x > y"),
            values: all.clone(),
        },
    ];
    let mut slots = compiler.emit_cases(&cases, &all, SelectionId::ALL).values;
    slots.extend(
        all.iter()
            .map(|typed| compiler.emit(typed, SelectionId::ALL)),
    );
    let instructions = compiler.instructions() as u32;
    let (program, layout) = compiler.finish();
    (program, layout, slots, instructions)
}

fn fill(columns: &mut Columns, table: &Table, rows: &[Row]) {
    for (at, (a, b, x, y, s)) in rows.iter().enumerate() {
        columns.put(table.slot("a"), at, *a);
        columns.put(table.slot("b"), at, *b);
        columns.put(table.slot("x"), at, *x);
        columns.put(table.slot("y"), at, *y);
        let view = s.as_ref().map(|s| columns.push_text(s.as_bytes()).unwrap());
        columns.put(table.slot("s"), at, view);
    }
}

/// Every value of every row, with the bits of floats.
fn run(rows: &[Row], capacity: usize) -> Vec<Vec<String>> {
    let table = table();
    let (program, layout, slots, instructions) = compile(&table);
    let mut columns = Columns::new(&layout, capacity).unwrap();
    let mut selections = Selections::new(&program, capacity).unwrap();
    let mut results = Vec::new();
    for batch in rows.chunks(capacity) {
        columns.clear();
        fill(&mut columns, &table, batch);
        program
            .run(0..instructions, &mut columns, &mut selections, batch.len())
            .unwrap();
        for row in 0..batch.len() {
            results.push(
                slots
                    .iter()
                    .map(|slot| bits(columns.literal(*slot, row)))
                    .collect(),
            );
        }
    }
    results
}

fn bits(literal: Literal) -> String {
    match literal {
        Literal::F64(value) => format!("{:x}", value.to_bits()),
        other => format!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_row_many_rows_and_selections_give_the_same_bits(rows in rows(257)) {
        let singly = run(&rows, 1);
        prop_assert_eq!(&run(&rows, 257), &singly);
        prop_assert_eq!(&run(&rows, 64), &singly);
        for values in &singly {
            let (selected, plain) = values.split_at(TEXTS.len());
            prop_assert_eq!(selected, plain);
        }
    }
}

#[test]
fn tensors_take_numbers_and_nulls_by_policy() {
    let table = table();
    let typed = |text: &str| type_check(&parse(text).unwrap(), &table).unwrap();
    let mut compiler = Compiler::default();
    compiler.layout = table.layout.clone();
    let block = compiler
        .layout
        .add_block(pelton_data::columns::Physical::F32, 3);
    let whole = compiler.layout.add(pelton_data::columns::Physical::I64);
    let inputs = [
        ("x", block, NullAs::Nan),
        ("b", block.nth(1), NullAs::Value(-1.5)),
        ("a > 0", block.nth(2), NullAs::Nan),
        ("a", whole, NullAs::Error),
    ];
    let columns = inputs.map(|(text, into, null)| {
        let value = compiler.emit(&typed(text), SelectionId::ALL);
        TensorColumn::new(value, into, null, format!("model `m`: {text}"))
    });
    let tensor = TensorColumns::new(columns.into());
    let instructions = compiler.instructions() as u32;
    let (program, layout) = compiler.finish();
    let mut columns = Columns::new(&layout, 2).unwrap();
    let mut selections = Selections::new(&program, 2).unwrap();
    let rows = [
        (Some(1), None, Some(0.1), None, None),
        (Some(-2), Some(1 << 24 | 1), None, None, None),
    ];
    fill(&mut columns, &table, &rows);
    let mut run = |columns: &mut Columns, n| {
        program.run(0..instructions, columns, &mut selections, n)?;
        tensor.fill(columns, n)
    };
    run(&mut columns, 2).unwrap();
    assert_eq!(columns.values::<f32>(block, 1), [0.1f32]);
    assert!(columns.get::<f32>(block, 1).is_nan());
    assert_eq!(columns.values::<f32>(block.nth(1), 2), [-1.5, 16_777_216.0]);
    assert_eq!(columns.values::<f32>(block.nth(2), 2), [1.0, 0.0]);
    assert_eq!(columns.values::<i64>(whole, 2), [1, -2]);

    fill(&mut columns, &table, &[(None, None, None, None, None)]);
    let error = run(&mut columns, 1).unwrap_err();
    assert_eq!(error.kind, super::EvalErrorKind::NullRefused);
    let message = "NULL where the model refuses it (null = \"error\"), in model `m`: a";
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_occurs_twice_is_computed_once_and_constants_are_folded() {
    let table = table();
    let typed = |text: &str| type_check(&parse(text).unwrap(), &table).unwrap();
    let mut compiler = Compiler::default();
    compiler.layout = table.layout.clone();
    let first = compiler.emit(&typed("a * 3 + 1"), SelectionId::ALL);
    let before = compiler.instructions();
    assert_eq!(before, 2);
    let again = compiler.emit(&typed("a * (1 + 2) + 1"), SelectionId::ALL);
    assert_eq!(first, again);
    assert_eq!(compiler.instructions(), before);
    // Under a branch, what all rows have already is not computed again.
    let mut added = |text: &str| {
        let before = compiler.instructions();
        compiler.emit(&typed(text), SelectionId::ALL);
        compiler.instructions() - before
    };
    let cheap = added("CASE WHEN a > 0 THEN a * 3 + 1 END");
    assert_eq!(cheap, 2, "comparison, choice");
    let fallible = added("CASE WHEN a > 1 THEN (a * 3 + 1) / a END");
    assert_eq!(
        fallible, 7,
        "comparison, filter, skip, division, copy, skip, copy of NULL"
    );
}
