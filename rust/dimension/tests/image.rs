//! Images of random tables against a plain `HashMap`: every type, NULLs, every way with
//! duplicates, key groups.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{DictionaryArray, StringArray};
use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Physical, Slot, Timestamp, View};
use pelton_data::type_parser::parse_type;
use pelton_data::types::MAX_LENGTH;
use pelton_data::value::Value;
use pelton_data::{DataType, Field, key_group};
use pelton_dimension::Coded;
use pelton_dimension::groups::Groups;
use pelton_dimension::image::{
    Duplicates, Image, ImageBuilder, Projection, Refusal, Row, Shape, Survey, TOGETHER,
};
use proptest::prelude::*;

/// Types of columns; those before `ARRAY` may be keys, but for floats.
const TYPES: [&str; 22] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "DATE",
    "TIME(3)",
    "TIMESTAMP(3)",
    "TIMESTAMP(6)",
    "TIMESTAMP_LTZ(3)",
    "TIMESTAMP_LTZ(9)",
    "DECIMAL(5, 2)",
    "DECIMAL(18, 4)",
    "DECIMAL(38, 10)",
    "STRING",
    "CHAR(3)",
    "BYTES",
    "FLOAT",
    "DOUBLE",
    "ARRAY<INT>",
    "MAP<INT, STRING>",
    "ROW<a INT, b STRING>",
];
const KEYS: usize = 17;

/// Numbers at random, the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 29
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A value of a type; few kinds of them where `kinds` is small.
fn value(data_type: &DataType, kinds: u64, random: &mut Random) -> Value {
    let n = random.below(kinds);
    let wide = Random(n).next();
    let text = |n: u64| match n % 3 {
        0 => String::new(),
        1 => format!("näme {}", n % 1000),
        _ => format!("{n:x} {}", "longer ".repeat(n as usize % 5)),
    };
    match data_type {
        DataType::Boolean => Value::Boolean(n % 2 == 1),
        DataType::TinyInt => Value::TinyInt(wide as i8),
        DataType::SmallInt => Value::SmallInt(wide as i16),
        DataType::Int => Value::Int(if kinds.is_multiple_of(2) {
            n as i32 - 50
        } else {
            wide as i32
        }),
        DataType::BigInt => Value::BigInt(if kinds.is_multiple_of(2) {
            n as i64 * 1000
        } else {
            wide as i64
        }),
        DataType::Date => Value::Date(15_000 + n as i32),
        DataType::Time(_) => Value::Time((wide % 86_400_000) as i32),
        DataType::Timestamp(p) | DataType::TimestampLtz(p) => Value::Timestamp(Timestamp {
            millis: if kinds.is_multiple_of(2) {
                n as i64 * 3_600_000
            } else {
                wide as i64 >> 8
            },
            nanos: match p {
                0..=3 => 0,
                4..=6 => (wide % 1000) as i32 * 1000,
                _ => (wide % 1_000_000) as i32,
            },
        }),
        DataType::Decimal { precision: 5, .. } => Value::Decimal(i128::from(wide % 99_999) - 5_000),
        DataType::Decimal { precision: 18, .. } => {
            Value::Decimal(i128::from(wide >> 8) - (1 << 50))
        }
        DataType::Decimal { .. } if kinds.is_multiple_of(3) => Value::Decimal(i128::from(wide)),
        DataType::Decimal { .. } => Value::Decimal(i128::from(wide as i64) << 50),
        DataType::Char(_) => Value::Text(format!("{:03}", n % 1000)),
        DataType::Varchar(_) => Value::Text(text(wide % (kinds * 3))),
        DataType::Binary(_) | DataType::Varbinary(_) => {
            Value::Bytes(wide.to_le_bytes()[..(n % 9) as usize].to_vec())
        }
        DataType::Float => Value::Float(match kinds % 4 {
            0 => (n as f32) / 10.0,
            1 => f32::from_bits(wide as u32),
            2 => (wide >> 40) as f32 / (1 << 24) as f32 - 0.5,
            _ => n as f32,
        }),
        DataType::Double => Value::Double(match (kinds % 4, n) {
            (0, _) => n as f64 / 100.0,
            (1, 0) => -0.0,
            (1, 1) => f64::NAN,
            (1, 2) => f64::NEG_INFINITY,
            (1, _) => f64::from_bits(wide),
            (2, _) => (wide >> 11) as f64 / (1_u64 << 53) as f64 * 180.0 - 90.0,
            _ => n as f64 - 7.0,
        }),
        DataType::Array(_) => {
            Value::Array((0..n % 4).map(|i| Value::Int((n + i) as i32)).collect())
        }
        DataType::Map(..) => Value::Map(
            (0..n % 3)
                .map(|i| (Value::Int(i as i32), Value::Text(text(n))))
                .collect(),
        ),
        DataType::Row(_) => Value::Row(vec![Value::Int(n as i32), Value::Text(text(n))]),
    }
}

/// A table whose first `keys` columns are the key.
#[derive(Debug)]
struct Table {
    fields: Vec<Field>,
    keys: usize,
    rows: Vec<Vec<Value>>,
}

/// What the test compares: NaN is NaN, and -0.0 is not 0.0.
fn shown(values: &[Value]) -> String {
    format!("{values:?}")
}

fn field(number: usize, data_type: &str) -> Field {
    Field::new(
        format!("c{number}"),
        parse_type(data_type).unwrap().data_type,
    )
}

impl Table {
    fn random(keys: &[usize], values: &[usize], rows: usize, kinds: u64, seed: u64) -> Table {
        let mut random = Random(seed);
        let types = keys.iter().chain(values).map(|i| TYPES[*i]);
        let fields: Vec<Field> = types.enumerate().map(|(i, t)| field(i, t)).collect();
        let mut cell = |(i, field): (usize, &Field)| {
            // NULLs in one column of three, in keys too.
            match i % 3 == 1 && random.below(6) == 0 {
                true => Value::Null,
                false => value(&field.data_type, kinds, &mut random),
            }
        };
        let rows = (0..rows)
            .map(|_| fields.iter().enumerate().map(&mut cell).collect())
            .collect();
        Table {
            fields,
            keys: keys.len(),
            rows,
        }
    }

    /// What each key finds.
    fn expected(&self, duplicates: Duplicates) -> Result<HashMap<String, Vec<String>>, Refusal> {
        let mut expected: HashMap<String, Vec<String>> = HashMap::new();
        for row in &self.rows {
            let key = &row[..self.keys];
            if key.contains(&Value::Null) {
                continue;
            }
            let found = expected.entry(shown(key)).or_default();
            match duplicates {
                Duplicates::Error if !found.is_empty() => return Err(Refusal::Duplicate),
                Duplicates::First if !found.is_empty() => {}
                Duplicates::Last => *found = vec![shown(row)],
                _ => found.push(shown(row)),
            }
        }
        Ok(expected)
    }
}

/// A batch of rows, and the columns of an image of them.
struct Batch {
    types: Vec<DataType>,
    slots: Vec<Slot>,
    columns: Columns,
    coded: Vec<Option<Coded>>,
    shape: Shape,
}

impl Batch {
    fn new(table: &Table, capacity: usize, duplicates: Duplicates, groups: Groups) -> Batch {
        let mut layout = Layout::default();
        let types: Vec<DataType> = table.fields.iter().map(|f| f.data_type.clone()).collect();
        let slots: Vec<Slot> = types.iter().map(|t| layout.add(Physical::of(t))).collect();
        let pairs = || types.iter().cloned().zip(slots.iter().copied());
        Batch {
            columns: Columns::new(&layout, capacity).unwrap(),
            coded: Vec::new(),
            shape: Shape {
                columns: table
                    .fields
                    .iter()
                    .cloned()
                    .zip(slots.iter().copied())
                    .collect(),
                key: pairs().take(table.keys).collect(),
                duplicates,
                symbols: slots.clone(),
                groups,
            },
            types,
            slots,
        }
    }

    fn fill(&mut self, rows: &[Vec<Value>]) {
        self.columns.clear();
        self.coded.clear();
        for (number, row) in rows.iter().enumerate() {
            self.put(number, row);
        }
    }

    /// Fills it, of three times once with strings that are coded, but for those of the key. A file's
    /// dictionary may have strings that no row has, and one of them twice, so that rows have either code.
    fn fill_coded(&mut self, number: usize, rows: &[Vec<Value>], keys: usize) {
        self.fill(rows);
        if (number + rows.len()) % 3 != 1 {
            return;
        }
        self.coded.resize(self.slots.len(), None);
        for column in keys..self.slots.len() {
            if self.types[column] != (DataType::Varchar(MAX_LENGTH)) {
                continue;
            }
            let texts: Vec<Option<&str>> = rows
                .iter()
                .map(|row| match &row[column] {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            let kinds = ["in no row"]
                .into_iter()
                .chain(texts.iter().rev().copied().flatten());
            let kinds: Vec<&str> = kinds.collect();
            let codes = texts.iter().zip(0..).map(|(text, row)| {
                let is_text = |kind: &&str| Some(*kind) == *text;
                let code = match row % 2 {
                    0 => kinds.iter().position(is_text),
                    _ => kinds.iter().rposition(is_text),
                };
                code.map(|code| code as i32)
            });
            let array = DictionaryArray::<Int32Type>::new(
                codes.collect(),
                Arc::new(StringArray::from(kinds.clone())),
            );
            let slot = self.slots[column];
            self.coded[slot.id()] = Coded::of(&array);
            // Nobody looks for them here.
            (0..rows.len()).for_each(|row| self.columns.set(slot, row, View::new(u32::MAX, 1)));
        }
    }

    fn rows(&self, rows: usize) -> pelton_dimension::Batch<'_> {
        pelton_dimension::Batch::with_coded(&self.columns, rows, &self.coded)
    }

    fn put(&mut self, number: usize, row: &[Value]) {
        for (value, (data_type, slot)) in row.iter().zip(self.types.iter().zip(&self.slots)) {
            value
                .put(&mut self.columns, *slot, number, data_type)
                .unwrap();
        }
    }

    fn values(&self, number: usize) -> Vec<Value> {
        let columns = self.types.iter().zip(&self.slots);
        columns
            .map(|(t, slot)| Value::of(&self.columns, *slot, number, t).unwrap())
            .collect()
    }
}

fn build(table: &Table, duplicates: Duplicates, groups: Groups) -> Result<Image, Refusal> {
    const BATCH: usize = 64;
    let mut batch = Batch::new(table, BATCH, duplicates, groups);
    let mut survey = Survey::new(batch.shape.clone());
    for (number, rows) in table.rows.chunks(BATCH).enumerate() {
        batch.fill_coded(number, rows, table.keys);
        survey
            .add(batch.rows(rows.len()))
            .map_err(|refused| refused.why)?;
    }
    let mut builder = survey.into_builder()?;
    add_all(&mut builder, &mut batch, table, BATCH)?;
    builder.finish()
}

fn add_all(
    builder: &mut ImageBuilder,
    batch: &mut Batch,
    table: &Table,
    size: usize,
) -> Result<(), Refusal> {
    for (number, rows) in table.rows.chunks(size).enumerate() {
        batch.fill_coded(number, rows, table.keys);
        builder
            .add(batch.rows(rows.len()))
            .map_err(|refused| refused.why)?;
    }
    Ok(())
}

/// Looks every key of the table up, and some that are not there, one by one and all at once.
fn check(image: &Image, table: &Table, expected: &HashMap<String, Vec<String>>, missing: &Table) {
    let mut batch = Batch::new(table, 1, Duplicates::Error, Groups::whole());
    let slots = batch.slots.clone();
    let chosen: Vec<_> = slots.iter().copied().enumerate().collect();
    let projection = Projection::new(image.columns(), &chosen);
    let key_columns = batch.shape.key_columns();
    let writer = RowWriter::new(&batch.shape.key);
    let mut binary_row = Vec::new();
    for row in table.rows.iter().chain(&missing.rows) {
        batch.fill(std::slice::from_ref(row));
        let key = key_columns.key(&batch.columns, 0);
        assert_eq!(key.is_some(), !row[..table.keys].contains(&Value::Null));
        let Some(key) = key else {
            continue;
        };
        writer
            .write_to_vec(&batch.columns, 0, &mut binary_row)
            .unwrap();
        let group = match image.max_parallelism() {
            1 => 0,
            groups => key_group::group(key_group::hash(&binary_row), groups),
        };
        let mut probe = image.probe(group, &key).unwrap();
        image.approach(&mut probe);
        for rows in [
            image.find(group, &key).unwrap(),
            image.rows_of(&probe, &key).unwrap(),
        ] {
            let mut found = Vec::new();
            for row in rows {
                batch.columns.clear();
                row.read(&projection, &mut batch.columns, 0).unwrap();
                found.push(shown(&batch.values(0)));
            }
            let wanted = expected.get(&shown(&row[..table.keys]));
            assert_eq!(&found, wanted.unwrap_or(&Vec::new()), "{row:?}");
        }
    }
}

/// Looks the same keys up, some at once: each finds its first row, the others become NULL, and other
/// rows stay as they are.
fn check_together(
    image: &Image,
    table: &Table,
    expected: &HashMap<String, Vec<String>>,
    missing: &Table,
) {
    let capacity = 2 * TOGETHER + 32;
    let mut batch = Batch::new(table, capacity, Duplicates::Error, Groups::whole());
    let chosen: Vec<_> = batch.slots.iter().copied().enumerate().collect();
    let projection = Projection::new(image.columns(), &chosen);
    let keys = batch.shape.key_columns();
    let rows: Vec<&Vec<Value>> = table
        .rows
        .iter()
        .zip(missing.rows.iter().cycle())
        .flat_map(|(a, b)| [a, b])
        .chain(&missing.rows)
        .collect();
    let other = &missing.rows[0];
    for (number, some) in rows.chunks(TOGETHER - table.rows.len() % 7).enumerate() {
        // Those of the batch begin at its second row, or so that they pass a word of validity.
        let first = [1, 50][number % 2];
        batch.columns.clear();
        let looked_up = first..first + some.len();
        for (i, row) in some.iter().enumerate() {
            batch.put(first + i, row);
        }
        let others = [first - 1, looked_up.end];
        others.iter().for_each(|at| batch.put(*at, other));
        let found = image.read_all(0, &keys, looked_up, &projection, &mut batch.columns);
        let found = found.unwrap();
        for (i, row) in some.iter().enumerate() {
            let wanted = expected.get(&shown(&row[..table.keys]));
            let first_row = wanted.and_then(|rows| rows.first());
            assert_eq!(found >> i & 1 == 1, first_row.is_some(), "{row:?}");
            let read = batch.values(first + i);
            match first_row {
                Some(first_row) => assert_eq!(&shown(&read), first_row),
                None => assert_eq!(read, vec![Value::Null; read.len()], "{row:?}"),
            }
        }
        assert_eq!(u64::from(found) >> some.len(), 0);
        for at in others {
            assert_eq!(shown(&batch.values(at)), shown(other));
        }
    }
    let none = image.read_all(0, &keys, 7..7, &projection, &mut batch.columns);
    assert_eq!(none, Ok(0));
}

fn any_table() -> impl Strategy<Value = (Table, Table)> {
    let keys = proptest::collection::vec(0..KEYS, 1..4);
    let values = proptest::collection::vec(0..TYPES.len(), 0..12);
    (keys, values, 0..300_usize, 1..400_u64, any::<u64>()).prop_map(
        |(keys, values, rows, kinds, seed)| {
            let missing = Table::random(&keys, &values, 30, kinds * 7 + 1, !seed);
            (Table::random(&keys, &values, rows, kinds, seed), missing)
        },
    )
}

const ALL_DUPLICATES: [Duplicates; 4] = [
    Duplicates::Error,
    Duplicates::First,
    Duplicates::Last,
    Duplicates::All,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_image_finds_what_a_hash_map_finds(
        (table, missing) in any_table(),
        duplicates in proptest::sample::select(ALL_DUPLICATES.as_slice()),
        groups in proptest::sample::select([1_u32, 3, 128].as_slice()),
    ) {
        let expected = table.expected(duplicates);
        let image = build(&table, duplicates, Groups::range(groups, 0..groups));
        match (expected, image) {
            (Err(expected), image) => prop_assert_eq!(image.unwrap_err(), expected),
            (Ok(expected), image) => {
                let image = image.unwrap();
                let rows: usize = expected.values().map(Vec::len).sum();
                prop_assert_eq!(image.rows(), rows as u64);
                let nulls = table.rows.iter().filter(|row| row[..table.keys].contains(&Value::Null));
                prop_assert_eq!(image.skipped(), nulls.count() as u64);
                let all = table.rows.len() as u64 - image.skipped();
                prop_assert_eq!(image.rows() + image.duplicates(), all);
                check(&image, &table, &expected, &missing);
                if image.max_parallelism() == 1 {
                    check_together(&image, &table, &expected, &missing);
                }
            }
        }
    }

    /// Key groups that are loaded one after the other are as good as all at once, though each
    /// load chooses its own codings.
    #[test]
    fn merged_key_groups_find_what_a_hash_map_finds((table, missing) in any_table(), end in 0..129_u32) {
        let expected = table.expected(Duplicates::All).unwrap();
        let groups = Groups::range(128, 0..end);
        let rest = Groups::range(128, 0..128).minus(&groups);
        let first = build(&table, Duplicates::All, groups).unwrap();
        for group in 0..128 {
            prop_assert_eq!(first.has_group(group), group < end);
        }
        let whole = first.merge(&build(&table, Duplicates::All, rest).unwrap());
        check(&whole, &table, &expected, &missing);
    }

    /// The second pass meets other rows than the first: an error, or what they are.
    #[test]
    fn values_that_the_first_pass_did_not_see_are_refused_or_right(
        (table, missing) in any_table(),
        kinds in 1..500_u64,
    ) {
        let types: Vec<String> = table.fields.iter().map(|f| f.data_type.to_string()).collect();
        let numbers: Vec<usize> = types
            .iter()
            .map(|t| TYPES.iter().position(|known| parse_type(known).unwrap().data_type.to_string() == *t).unwrap())
            .collect();
        let (keys, values) = numbers.split_at(table.keys);
        let other = Table::random(keys, values, table.rows.len(), kinds, 7);
        let mut batch = Batch::new(&table, 1000, Duplicates::Last, Groups::whole());
        let mut survey = Survey::new(batch.shape.clone());
        batch.fill(&table.rows);
        survey.add(batch.rows(table.rows.len())).unwrap();
        let mut builder = survey.into_builder().unwrap();
        match add_all(&mut builder, &mut batch, &other, 1000) {
            Ok(()) => check(&builder.finish().unwrap(), &other, &other.expected(Duplicates::Last).unwrap(), &missing),
            Err(refusal) => prop_assert!(matches!(refusal, Refusal::Changed | Refusal::Full)),
        }
    }
}

/// The bits that a column of these doubles takes in a row, once all of them were read again.
fn coded(values: &[f64]) -> String {
    let rows = values
        .iter()
        .zip(0..)
        .map(|(value, i)| vec![Value::Int(i), Value::Double(*value)]);
    let table = Table {
        fields: vec![field(0, "INT"), field(1, "DOUBLE")],
        keys: 1,
        rows: rows.collect(),
    };
    let image = build(&table, Duplicates::Error, Groups::whole()).unwrap();
    let missing = Table::random(&[3], &[18], 5, 1 << 40, 1);
    check(
        &image,
        &table,
        &table.expected(Duplicates::Error).unwrap(),
        &missing,
    );
    image.column_statistics()[1].coding.clone()
}

#[test]
fn floats_take_the_bits_of_what_they_are_multiples_of() {
    let mut random = Random(1);
    let mut unit = || (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut drawn = |scale: f64, offset: f64| (0..3000).map(|_| unit() * scale + offset).collect();
    let (units, latitudes): (Vec<f64>, Vec<f64>) = (drawn(1.0, 0.0), drawn(180.0, -90.0));
    assert_eq!(coded(&units), "multiple of 2^-53, 53 bits");
    assert_eq!(coded(&latitudes), "multiple of 2^-47, 55 bits");
    // Far apart, or what no number is a multiple of.
    for other in [
        f64::MIN_POSITIVE / 2.0,
        1e-200,
        -0.0,
        f64::NAN,
        f64::INFINITY,
    ] {
        let mut values = units.clone();
        values.push(other);
        assert!(coded(&values).starts_with("float"), "{other}");
    }
    // Zero is a multiple of all.
    let zeros: Vec<f64> = units.iter().copied().chain([0.0]).collect();
    assert_eq!(coded(&zeros), "multiple of 2^-53, 53 bits");
    // As large as numbers can be, and as small.
    let halves = |scale: f64| {
        (0..3000)
            .map(|i| (f64::from(i) + 0.5) * scale)
            .collect::<Vec<f64>>()
    };
    let huge = halves(2_f64.powi(50));
    coded(&huge);
    let tiny = halves(2_f64.powi(-990));
    assert_eq!(coded(&tiny), "multiple of 2^-991, 13 bits");
}

#[test]
fn a_group_that_is_not_loaded_is_an_error_and_not_a_miss() {
    let table = Table::random(&[4], &[4], 10, 100, 1);
    let image = build(&table, Duplicates::All, Groups::range(128, 5..6)).unwrap();
    let mut batch = Batch::new(&table, 1, Duplicates::All, Groups::whole());
    batch.fill(&table.rows[..1]);
    let key_columns = batch.shape.key_columns();
    let key = key_columns.key(&batch.columns, 0).unwrap();
    assert!(image.find(5, &key).is_ok());
    let error = image.find(6, &key).unwrap_err();
    assert_eq!(error.to_string(), "key group 6 of 128 is not loaded here");
    assert!(image.find(128, &key).is_err());
}

/// Each row is far longer than a segment of the arena.
#[test]
fn rows_longer_than_a_segment_are_found_beside_short_ones() {
    let fields = vec![field(0, "INT"), field(1, "STRING")];
    let text = |i: i32| "x".repeat(if i % 3 == 0 { 40 << 20 } else { 7 } + i as usize);
    let rows = (0..6)
        .map(|i| vec![Value::Int(i), Value::Text(text(i))])
        .collect();
    let table = Table {
        fields,
        keys: 1,
        rows,
    };
    for duplicates in [Duplicates::Error, Duplicates::All] {
        let image = build(&table, duplicates, Groups::whole()).unwrap();
        let expected = table.expected(duplicates).unwrap();
        check(
            &image,
            &table,
            &expected,
            &Table::random(&[3], &[14], 5, 100, 1),
        );
    }
}

#[test]
fn a_key_with_many_rows_finds_them_all_in_their_order() {
    let fields = vec![field(0, "STRING"), field(1, "INT")];
    let key = |i: i32| {
        Value::Text(if i % 4 == 0 {
            format!("{i}")
        } else {
            "one".to_owned()
        })
    };
    let rows = (0..134_000).map(|i| vec![key(i), Value::Int(i)]).collect();
    let table = Table {
        fields,
        keys: 1,
        rows,
    };
    let image = build(&table, Duplicates::All, Groups::whole()).unwrap();
    let mut batch = Batch::new(&table, 1, Duplicates::All, Groups::whole());
    let projection = Projection::new(image.columns(), &[(1, batch.slots[1])]);
    let key_columns = batch.shape.key_columns();
    let mut found = |key: &str| {
        batch.fill(&[vec![Value::Text(key.to_owned()), Value::Null]]);
        let key = key_columns.key(&batch.columns, 0).unwrap();
        let rows = image.find(0, &key).unwrap();
        let read = |row: Row| {
            row.read(&projection, &mut batch.columns, 0).unwrap();
            batch.columns.get::<i32>(batch.slots[1], 0)
        };
        rows.map(read).collect::<Vec<_>>()
    };
    let expected: Vec<i32> = (0..134_000).filter(|i| i % 4 != 0).collect();
    assert_eq!(found("one"), expected);
    assert_eq!(found("4"), [4]);
}

#[test]
fn a_row_of_2000_columns_is_whole() {
    let values: Vec<usize> = (0..1999).map(|i| i % TYPES.len()).collect();
    let table = Table::random(&[4], &values, 200, 100, 3);
    let image = build(&table, Duplicates::Last, Groups::range(3, 0..3)).unwrap();
    let missing = Table::random(&[4], &values, 2, 1001, 4);
    check(
        &image,
        &table,
        &table.expected(Duplicates::Last).unwrap(),
        &missing,
    );
}
