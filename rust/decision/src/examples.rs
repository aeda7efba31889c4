//! examples.jsonl: records that a decision carries with it, with what must come out.
//!
//! ```json
//! {"input": {"tailnum": "N1", "dep_delay": 7.0}, "lookups": {"plane": {"seats": 20}}, "output": {"action": "none"}}
//! ```
//!
//! Values are in Flink's JSON format. A column that `input` leaves out is NULL; a lookup that is
//! left out or null is a miss; only the outputs that are named are compared, floats within
//! `tolerance` (relative, 1e-6 by default), all else exactly. Examples carry their lookup rows,
//! so that they never depend on live data.

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_data::report::nearest;
use pelton_data::value::Value;
use pelton_data::{Field, json};
use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorCode};
use crate::generation::Generation;
use crate::plan::LookupNeed;
use crate::plan::run::{Rows, Scratch};

/// The file's name.
pub const FILE: &str = "examples.jsonl";
/// How far a float may be from what an example says, relative to it.
const TOLERANCE: f64 = 1e-6;
/// More errors than this are counted, not shown.
const SHOWN: usize = 20;

/// Runs every example of a text and returns how many there are. All that do not come out as they
/// say are in the error, with file and line.
pub fn run(generation: &mut Generation, file: &str, text: &str) -> Result<usize, Error> {
    let mut scratch = generation.scratch(1)?;
    let mut count = 0;
    let mut errors = Vec::new();
    for (i, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        count += 1;
        let place = format!("{file}:{}", i + 1);
        match run_one(generation, &mut scratch, line) {
            Ok(wrong) => errors.extend(wrong.into_iter().map(|w| format!("{place}: {w}"))),
            Err(message) => errors.push(format!("{place}: {message}")),
        }
    }
    match errors.len() {
        0 => Ok(count),
        failed => {
            if failed > SHOWN {
                errors.truncate(SHOWN);
                errors.push(format!("... and {} more", failed - SHOWN));
            }
            Err(Error::new(ErrorCode::ExampleFailed, errors.join("\n")))
        }
    }
}

/// Runs one example. `Ok` holds what came out other than it says.
fn run_one(
    generation: &mut Generation,
    scratch: &mut Scratch,
    line: &str,
) -> Result<Vec<String>, String> {
    let example: Json = serde_json::from_str(line).map_err(|e| format!("not JSON: {e}"))?;
    let example = as_object("the example", &example)?;
    known_keys(
        "",
        example,
        &["input", "lookups", "output", "tolerance", "note"],
    )?;
    let rows = lookup_rows(generation, example)?;
    generation.set_rows(rows);
    set_input(generation, scratch, example)?;
    generation
        .decide(scratch, 1)
        .map_err(|error| error.to_string())?;
    compare(generation, scratch, example)
}

fn set_input(
    generation: &Generation,
    scratch: &mut Scratch,
    example: &Map<String, Json>,
) -> Result<(), String> {
    let columns = &generation.decision.plan.input;
    let values = object(example, "input")?.ok_or("`input` is missing")?;
    let names: Vec<&str> = columns.iter().map(|c| c.field.name.as_str()).collect();
    known_keys("input.", values, &names)?;
    scratch.columns.clear();
    for column in columns {
        let Field { name, .. } = &column.field;
        let value = json::read(values.get(name), &column.field, &format!("input.{name}"));
        let value = value.map_err(|e| e.to_string())?;
        if let Some(slot) = column.slot {
            put(&mut scratch.columns, slot, &value, &column.field)?;
        }
    }
    Ok(())
}

/// The packed row of each lookup, as the example gives it; that of one which no output needs is
/// not looked at.
fn lookup_rows(generation: &Generation, example: &Map<String, Json>) -> Result<Vec<Rows>, String> {
    let none = Map::new();
    let given = object(example, "lookups")?.unwrap_or(&none);
    let plan = &generation.decision.plan;
    let names: Vec<&str> = plan.lookup_names.iter().map(String::as_str).collect();
    known_keys("lookups.", given, &names)?;
    let rows = plan.lookups.iter().map(|need| {
        let Some(need) = need else {
            return Ok(Rows::Given(None));
        };
        match given.get(&need.name) {
            None | Some(Json::Null) => Ok(Rows::Given(None)),
            Some(row) => Ok(Rows::Given(Some(pack(need, row)?))),
        }
    });
    rows.collect()
}

/// A lookup's row as the bytes of its needed columns.
fn pack(need: &LookupNeed, row: &Json) -> Result<Vec<u8>, String> {
    let row = as_object(&format!("`lookups.{}`", need.name), row)?;
    let mut layout = Layout::default();
    let mut fields = Vec::new();
    for field in &need.columns {
        let physical = Physical::of(&field.data_type);
        fields.push((field.data_type.clone(), layout.add(physical)));
    }
    let mut columns = Columns::new(&layout, 1).map_err(|e| e.to_string())?;
    for (field, (_, slot)) in need.columns.iter().zip(&fields) {
        let path = format!("lookups.{}.{}", need.name, field.name);
        // One that is left out is NULL, whatever the dimension's files may hold.
        let nullable = Field::new(field.name.clone(), field.data_type.clone());
        let value = json::read(row.get(&field.name), &nullable, &path);
        put(
            &mut columns,
            *slot,
            &value.map_err(|e| e.to_string())?,
            field,
        )?;
    }
    let mut bytes = Vec::new();
    let writer = RowWriter::new(&fields);
    let written = writer.write_to_vec(&columns, 0, &mut bytes);
    written.map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn put(columns: &mut Columns, slot: Slot, value: &Value, field: &Field) -> Result<(), String> {
    let put = value.put(columns, slot, 0, &field.data_type);
    put.map_err(|e| e.to_string())
}

fn compare(
    generation: &Generation,
    scratch: &Scratch,
    example: &Map<String, Json>,
) -> Result<Vec<String>, String> {
    let columns = &generation.decision.plan.output;
    let expected = object(example, "output")?.ok_or("`output` is missing")?;
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    known_keys("output.", expected, &names)?;
    let tolerance = match example.get("tolerance") {
        None => TOLERANCE,
        Some(value) => value.as_f64().ok_or("`tolerance` is not a number")?,
    };
    let mut wrong = Vec::new();
    for column in columns
        .iter()
        .filter(|column| expected.contains_key(&column.name))
    {
        let name = &column.name;
        let json = &expected[name];
        let field = Field::new(name.clone(), column.data_type.clone());
        let expected = json::read(Some(json), &field, &format!("output.{name}"));
        let expected = expected.map_err(|e| e.to_string())?;
        let actual = Value::of(&scratch.columns, column.slot, 0, &field.data_type);
        let actual = actual.map_err(|e| format!("`{name}`: {e}"))?;
        if !equal(&actual, &expected, tolerance) {
            // Beside what the example says, in the same form.
            let actual = match json::write(&actual, &field.data_type, name) {
                Ok(json) => json.to_string(),
                Err(_) => actual.show(&field.data_type).to_string(),
            };
            wrong.push(format!(
                "`{name}` is {actual}, not {json} as the example says"
            ));
        }
    }
    Ok(wrong)
}

/// Floats within the tolerance, wherever they stand; all else exactly.
fn equal(actual: &Value, expected: &Value, tolerance: f64) -> bool {
    let all = |a: &[Value], b: &[Value]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, tolerance))
    };
    match (actual, expected) {
        (Value::Float(a), Value::Float(b)) => near(f64::from(*a), f64::from(*b), tolerance),
        (Value::Double(a), Value::Double(b)) => near(*a, *b, tolerance),
        (Value::Array(a), Value::Array(b)) | (Value::Row(a), Value::Row(b)) => all(a, b),
        // An object says nothing about the order of a map.
        (Value::Map(a), Value::Map(b)) => {
            let has = |(key, value): &(Value, Value)| {
                let found = b.iter().find(|(other, _)| key == other);
                found.is_some_and(|(_, other)| equal(value, other, tolerance))
            };
            a.len() == b.len() && a.iter().all(has)
        }
        (actual, expected) => actual == expected,
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance * b.abs()
}

fn object<'v>(
    map: &'v Map<String, Json>,
    key: &str,
) -> Result<Option<&'v Map<String, Json>>, String> {
    let value = map.get(key).filter(|value| !value.is_null());
    value
        .map(|value| as_object(&format!("`{key}`"), value))
        .transpose()
}

fn as_object<'v>(what: &str, value: &'v Json) -> Result<&'v Map<String, Json>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{what} is not an object: {value}"))
}

fn known_keys(prefix: &str, map: &Map<String, Json>, known: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let near = nearest(key, known.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?"));
            Err(format!(
                "unknown name `{prefix}{key}`{}",
                near.unwrap_or_default()
            ))
        }
    }
}
