//! `pelton run --pin`: rows that were decided once are decided again, each by the version and the
//! Hive partitions that it names, and compared to the bit.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;
use pelton_data::arrow::load;
use pelton_data::columns::{Columns, Layout, Physical};
use pelton_data::type_parser::parse_type;
use pelton_data::value::Value;
use pelton_data::{DataType, Field};
use pelton_decision::batch::{BatchError, BatchRunner};
use pelton_decision::images::History;
use pelton_decision::manifest::{Column, Manifest};
use pelton_decision::metadata::DecisionHome;
use pelton_decision::reserved::Reserved;
use pelton_decision::{Error, ErrorCode, Generation, OnError, Pin};

use crate::in_order::in_order;
use crate::io::{Chunk, Decoded, Format, Table, invalid};
use crate::progress::Progress;

/// More differences than this are counted, not shown.
const SHOWN: u64 = 10;

/// What is to be decided again.
pub struct Replay<'a> {
    /// The decision.
    pub home: DecisionHome,
    /// A version whose input and output are columns of the file.
    pub manifest: Manifest,
    /// Rows with the decision's input columns and its output columns.
    pub file: &'a Path,
    /// The columns of a file that does not say what they are.
    pub declared: Option<Vec<Field>>,
    /// What became of the rows that failed; `None`: they said why where the output has a column for
    /// it, and were NULL where not.
    pub on_error: Option<OnError>,
    /// Rows in memory at once, for each thread.
    pub rows: usize,
    /// How many threads.
    pub threads: usize,
}

/// How a replay went.
pub struct Replayed {
    /// How many rows were decided again.
    pub rows: u64,
    /// How many output values are not what they were.
    pub differences: u64,
}

/// A value that is not what it was, as a line to print.
type Difference = String;

/// The rows of one pin come to one runner; each thread has its own.
type Runners<'g> = BTreeMap<Pin, BatchRunner<'g>>;

impl Replay<'_> {
    /// Decides every row again, and prints the first differences.
    pub fn run(&self) -> Result<Replayed, Error> {
        let pins = self.pins()?;
        let table = self.table()?;
        let schema = table.schema().clone();
        let columns: Vec<usize> = (0..schema.fields().len()).collect();
        let mut reader = table.read(&columns, self.rows)?;
        let generations = self.open(pins, &schema)?;
        let mut progress = Progress::start();
        let (mut rows, mut differences) = (0, 0);
        let read = || {
            let chunk = reader.next()?;
            let position = reader.progress();
            Ok(chunk.map(|chunk| (chunk, position)))
        };
        let decide = |_| {
            let mut runners = Runners::new();
            let (schema, generations) = (&schema, &generations);
            move |(chunk, position): (Box<dyn Chunk>, (u64, u64))| {
                let decoded = chunk.decode();
                let different = self.again(&decoded, schema, generations, &mut runners)?;
                decoded.failed.map_or(Ok(()), Err)?;
                Ok((decoded.batch.num_rows(), different, position))
            }
        };
        let write = |(more, different, position): (usize, Vec<Difference>, (u64, u64))| {
            for difference in different {
                differences += 1;
                if differences <= SHOWN {
                    say!("{difference}");
                }
            }
            rows += more as u64;
            progress.advance(more, position);
            Ok(())
        };
        in_order((0..self.threads).map(decide).collect(), read, write)?;
        if differences > SHOWN {
            say!("... and {} more", differences - SHOWN);
        }
        eprintln!("{}", progress.finish());
        Ok(Replayed { rows, differences })
    }

    fn table(&self) -> Result<Box<dyn Table>, Error> {
        let columns = self.manifest.input.iter().chain(&self.manifest.output);
        let known = columns.map(field).collect::<Result<Vec<Field>, Error>>()?;
        let format = Format::of(self.file)?;
        format.open(self.file, self.declared.clone(), &known)
    }

    /// Every version with its Hive partitions that a row names, and the first such row.
    fn pins(&self) -> Result<BTreeMap<Pin, u64>, Error> {
        let version = self.reserved(Reserved::Version).ok_or_else(|| {
            let (name, version) = (&self.manifest.decision, self.manifest.version);
            let what = "does not say in its output which version decided";
            let help = "add `pelton.version AS model_version` to `output` and publish it";
            let message = format!("version {version} of `{name}` {what}; {help}");
            Error::new(ErrorCode::ArgumentMismatch, message)
        })?;
        let table = self.table()?;
        let names = [Some(version), self.reserved(Reserved::Partitions)];
        let columns: Result<Vec<usize>, Error> = names
            .into_iter()
            .flatten()
            .map(|name| {
                let found = table.schema().index_of(name);
                found.map_err(|_| invalid(self.file, missing(name)))
            })
            .collect();
        let mut reader = table.read(&columns?, self.rows)?;
        let mut pins = BTreeMap::new();
        while let Some(chunk) = reader.next()? {
            let decoded = chunk.decode();
            for (row, pin) in (decoded.before + 1..).zip(self.pins_of(&decoded)?) {
                pins.entry(pin).or_insert(row);
            }
            decoded.failed.map_or(Ok(()), Err)?;
        }
        Ok(pins)
    }

    /// Opens each pin once. What it gives must be in the file, and it must say what it has read.
    fn open(
        &self,
        pins: BTreeMap<Pin, u64>,
        schema: &SchemaRef,
    ) -> Result<BTreeMap<Pin, Generation>, Error> {
        let history = History::new(&self.home);
        let generations = pins.into_iter().map(|(pin, row)| {
            let opened = history.open(&pin);
            let checked = opened.and_then(|generation| {
                check(&generation, &pin, schema)?;
                Ok(generation)
            });
            let generation = checked.map_err(|error| self.row_error(row, error))?;
            Ok((pin, generation))
        });
        generations.collect()
    }

    /// Decides the rows of a chunk again: those of one pin that follow one another, together.
    fn again<'g>(
        &self,
        decoded: &Decoded,
        schema: &SchemaRef,
        generations: &'g BTreeMap<Pin, Generation>,
        runners: &mut Runners<'g>,
    ) -> Result<Vec<Difference>, Error> {
        let pins = self.pins_of(decoded)?;
        let mut different = Vec::new();
        let mut start = 0;
        for same in pins.chunk_by(|a, b| a == b) {
            let first = decoded.before + start as u64 + 1;
            let rows = decoded.batch.slice(start, same.len());
            start += same.len();
            let Some((pin, generation)) = generations.get_key_value(&same[0]) else {
                let changed = invalid(self.file, "the file changes while it is read");
                return Err(changed);
            };
            let runner = match runners.entry(pin.clone()) {
                Entry::Occupied(runner) => runner.into_mut(),
                Entry::Vacant(place) => place.insert(self.runner(generation, schema)?),
            };
            let decided = runner.decide(&rows);
            let decided = decided
                .map_err(|BatchError { row, error }| self.row_error(first + row as u64, error))?;
            different.extend(self.compare(&rows, &decided, generation, first)?);
        }
        Ok(different)
    }

    fn runner<'g>(
        &self,
        generation: &'g Generation,
        schema: &SchemaRef,
    ) -> Result<BatchRunner<'g>, Error> {
        let says_why = generation
            .decision
            .plan
            .reserved
            .contains_key(&Reserved::Error);
        let on_error = self.on_error.unwrap_or(match says_why {
            true => OnError::Emit,
            false => OnError::Null,
        });
        let runner = BatchRunner::new(generation, schema, self.rows, on_error);
        runner.map_err(|error| error.context(self.file.display()))
    }

    /// The values that are not what they were, row by row.
    fn compare(
        &self,
        was: &RecordBatch,
        is: &RecordBatch,
        generation: &Generation,
        first: u64,
    ) -> Result<Vec<Difference>, Error> {
        let mut different = Vec::new();
        for column in &generation.decision.plan.output {
            let was = self.values(was, &column.name, &column.data_type, first)?;
            let is = self.values(is, &column.name, &column.data_type, first)?;
            for (row, (was, is)) in (first..).zip(was.iter().zip(&is)) {
                if !same(was, is) {
                    let (name, was, is) = (
                        &column.name,
                        was.show(&column.data_type),
                        is.show(&column.data_type),
                    );
                    different.push((row, format!("row {row}: `{name}` was {was}, is {is}")));
                }
            }
        }
        different.sort_by_key(|(row, _)| *row);
        Ok(different.into_iter().map(|(_, shown)| shown).collect())
    }

    /// The pin of every row.
    fn pins_of(&self, decoded: &Decoded) -> Result<Vec<Pin>, Error> {
        let first = decoded.before + 1;
        let column = |reserved: Reserved| {
            let name = self.reserved(reserved)?;
            let values = self.values(&decoded.batch, name, &reserved.data_type(), first);
            Some(values.map(|values| (name, values)))
        };
        let versions = column(Reserved::Version).transpose()?;
        let partitions = column(Reserved::Partitions).transpose()?;
        let pins = (0..decoded.batch.num_rows()).map(|row| {
            let null = |name: &str| {
                let help = "only what a published version has decided can be decided again";
                let error = Error::new(
                    ErrorCode::ArgumentMismatch,
                    format!("`{name}` is NULL; {help}"),
                );
                self.row_error(first + row as u64, error)
            };
            let version = match versions.as_ref().map(|(name, values)| (name, &values[row])) {
                Some((_, Value::BigInt(version))) => *version as u64,
                Some((name, _)) => return Err(null(name)),
                None => self.manifest.version,
            };
            let partitions = match partitions
                .as_ref()
                .map(|(name, values)| (name, &values[row]))
            {
                Some((_, Value::Map(pairs))) => pairs.iter().filter_map(texts).collect(),
                Some((name, _)) => return Err(null(name)),
                None => BTreeMap::new(),
            };
            Ok(Pin {
                version,
                partitions,
            })
        });
        pins.collect()
    }

    /// The values of a column of the batch that begins at row `first` of the file.
    fn values(
        &self,
        batch: &RecordBatch,
        name: &str,
        data_type: &DataType,
        first: u64,
    ) -> Result<Vec<Value>, Error> {
        let array = batch.column_by_name(name);
        let array = array.ok_or_else(|| invalid(self.file, missing(name)))?;
        let failed = |cause: &dyn std::error::Error| {
            let rows = format!("rows from {first} on");
            invalid(self.file, format!("{rows}: column `{name}`: {cause}"))
        };
        let mut layout = Layout::default();
        let slot = layout.add(Physical::of(data_type));
        let mut columns = Columns::new(&layout, array.len()).map_err(|e| failed(&e))?;
        load(array, data_type, slot, &mut columns).map_err(|e| failed(&e))?;
        let values = (0..array.len()).map(|row| Value::of(&columns, slot, row, data_type));
        values.map(|value| value.map_err(|e| failed(&e))).collect()
    }

    fn reserved(&self, reserved: Reserved) -> Option<&str> {
        self.manifest
            .reserved
            .get(reserved.name())
            .map(String::as_str)
    }

    fn row_error(&self, row: u64, error: Error) -> Error {
        error.context(format!("{}: row {row}", self.file.display()))
    }
}

/// Whether the rows of a pin can be compared with what it gives.
fn check(generation: &Generation, pin: &Pin, schema: &SchemaRef) -> Result<(), Error> {
    let plan = &generation.decision.plan;
    let version = pin.version;
    let mut output = plan.output.iter();
    let message = if let Some(column) = output.find(|c| schema.index_of(&c.name).is_err()) {
        format!("version {version}: {}", missing(&column.name))
    } else if !generation.partitions().is_empty() && pin.partitions.is_empty() {
        let what = format!("version {version} looks things up, but the row does not say where");
        format!("{what}; add `pelton.partitions AS partitions` to `output` and publish it")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::ArgumentMismatch, message))
}

fn missing(column: &str) -> String {
    let help = "it needs all columns of the input and of the decision, as `SELECT r.*, d.*`";
    format!("the file has no column `{column}`; {help}")
}

fn field(column: &Column) -> Result<Field, Error> {
    let parsed = parse_type(&column.data_type).map_err(|_| {
        let message = format!(
            "the type `{}` of `{}` is unknown",
            column.data_type, column.name
        );
        Error::new(ErrorCode::ManifestInvalid, message)
    })?;
    Ok(Field::new(column.name.clone(), parsed.data_type))
}

fn texts((key, value): &(Value, Value)) -> Option<(String, Option<String>)> {
    match (key, value) {
        (Value::Text(key), Value::Text(value)) => Some((key.clone(), Some(value.clone()))),
        (Value::Text(key), Value::Null) => Some((key.clone(), None)),
        _ => None,
    }
}

/// Equality to the bit; but one NaN is as another, since text has only one, and a map has no order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        (Value::Double(a), Value::Double(b)) => {
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        (Value::Array(a), Value::Array(b)) | (Value::Row(a), Value::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let has = |(key, value): &(Value, Value)| {
                b.iter().any(|(k, v)| same(key, k) && same(value, v))
            };
            a.len() == b.len() && a.iter().all(has)
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_their_bits() {
        let (nan, other) = (f32::NAN, f32::from_bits(0xffc0_0001));
        assert!(same(&Value::Float(nan), &Value::Float(other)));
        assert!(!same(&Value::Double(0.0), &Value::Double(-0.0)));
        assert!(!same(&Value::Float(0.0), &Value::Null));
        let row = |value: f64| Value::Row(vec![Value::Array(vec![Value::Double(value)])]);
        assert!(same(&row(f64::NAN), &row(f64::NAN)));
        assert!(!same(&row(0.0), &row(-0.0)));
        let pair = |key: &str| (Value::Text(key.to_owned()), Value::Double(f64::NAN));
        let map = |keys: &[&str]| Value::Map(keys.iter().map(|key| pair(key)).collect());
        assert!(same(&map(&["a", "b"]), &map(&["b", "a"])));
        assert!(!same(&map(&["a", "b"]), &map(&["a", "c"])));
    }
}
