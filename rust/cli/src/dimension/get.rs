//! `pelton dimension get`: the rows of a key, where they come from, and where Flink sends it.

use std::fmt::Display;
use std::path::PathBuf;

use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Physical, Slot, Timestamp};
use pelton_data::value::Value;
use pelton_data::{DataType, Field, key_group, text};
use pelton_decision::{Error, ErrorCode};
use pelton_dimension::{Definition, Image, KeyColumns, Projection, image, inspection};
use serde_json::{Map, json};

use super::Opened;
use crate::signature;

/// Print the rows of a key with their files, and the key group that Flink puts it into
///
/// Values of the key are written as in CSV: numbers, text, yyyy-MM-dd, yyyy-MM-dd HH:mm:ss.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton dimension get models/metadata/dimensions/weather.toml EWR '2013-01-01 12:00:00' --parallelism 4"
)]
pub struct Get {
    /// METADATA/dimensions/NAME.toml
    #[arg(value_name = "PATH")]
    definition: PathBuf,
    /// A value for each column of the key, in the key's order
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    key: Vec<String>,
    /// Subtasks of the job that looks the key up: prints which of them has it, where each holds its share
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(key_group::MOST)))]
    parallelism: Option<u32>,
    /// Key groups of that job, where it sets pipeline.max-parallelism [default: Flink's, 128 or more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(key_group::MOST)))]
    max_parallelism: Option<u32>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Get {
    pub fn run(&self) -> Result<(), Error> {
        let opened = Opened::open(&self.definition)?;
        let key = Key::parse(&opened.definition, &self.key)?;
        let place = self.place(&key)?;
        let inspection = opened.inspect()?;
        let image = opened.load(&inspection)?;
        let key_columns = KeyColumns::new(key.slots.iter().map(|(_, slot)| *slot));
        // A key with a NULL finds nothing.
        let rows = match key_columns.key(&key.columns, 0) {
            Some(looked_up) => {
                let places = inspection.places(&looked_up);
                let places = places.map_err(|cause| opened.failed(&cause))?;
                rows(&image, &looked_up)?.into_iter().zip(places).collect()
            }
            None => Vec::new(),
        };
        match self.json {
            true => print_json(&image, &place, &rows),
            false => print(&opened.definition.name, &key, &image, &place, &rows),
        }
        Ok(())
    }

    /// Where Flink sends the key.
    fn place(&self, key: &Key) -> Result<Place, Error> {
        let default = key_group::default_max_parallelism(self.parallelism.unwrap_or(1));
        let groups = self.max_parallelism.unwrap_or(default);
        let group = key_group::group(key_group::hash(&key.binary_row()?), groups);
        let subtask = |parallelism| (key_group::subtask(groups, parallelism, group), parallelism);
        Ok(Place {
            group,
            groups,
            subtask: self.parallelism.map(subtask),
        })
    }
}

/// The share of the keys that one belongs to.
struct Place {
    group: u32,
    groups: u32,
    /// Its number from 0, and how many there are.
    subtask: Option<(u32, u32)>,
}

/// A row, by the names of its columns.
type Row = Map<String, serde_json::Value>;

/// A row, and where it comes from.
type Found = (Row, inspection::Place);

/// The values of a key, in columns of one row.
struct Key {
    fields: Vec<Field>,
    values: Vec<Value>,
    slots: Vec<(DataType, Slot)>,
    columns: Columns,
}

impl Key {
    fn parse(definition: &Definition, texts: &[String]) -> Result<Key, Error> {
        let fields: Vec<Field> = definition.key_columns().cloned().collect();
        if texts.len() != fields.len() {
            let message = format!(
                "the key of dimension `{}` is ({}): {} values, not {}",
                definition.name,
                signature::list(&fields),
                fields.len(),
                texts.len()
            );
            return Err(mismatch(message));
        }
        let mut layout = Layout::default();
        let slot = |Field { data_type, .. }: &Field| {
            (data_type.clone(), layout.add(Physical::of(data_type)))
        };
        let slots: Vec<(DataType, Slot)> = fields.iter().map(slot).collect();
        let mut columns = Columns::new(&layout, 1).map_err(Error::out_of_memory)?;
        let mut values = Vec::new();
        for ((field, text), (data_type, slot)) in fields.iter().zip(texts).zip(&slots) {
            let value = parse(field, text)?;
            let put = value.put(&mut columns, *slot, 0, data_type);
            put.map_err(|cause| mismatch(format!("`{}`: {cause}", field.name)))?;
            values.push(value);
        }
        Ok(Key {
            fields,
            values,
            slots,
            columns,
        })
    }

    /// The key as Flink lays it out, which tells where it sends it.
    fn binary_row(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let writer = RowWriter::new(&self.slots);
        let written = writer.write_to_vec(&self.columns, 0, &mut bytes);
        written.map(|()| bytes).map_err(Error::out_of_memory)
    }

    /// `origin = 'EWR', hour = 12`
    fn show(&self) -> String {
        let parts = self.fields.iter().zip(&self.values);
        let parts = parts.map(
            |(
                Field {
                    name, data_type, ..
                },
                value,
            )| { format!("{name} = {}", value.show(data_type)) },
        );
        parts.collect::<Vec<_>>().join(", ")
    }
}

fn parse(
    Field {
        name, data_type, ..
    }: &Field,
    text: &str,
) -> Result<Value, Error> {
    text::parse(text, data_type).ok_or_else(|| {
        let form = text::form(data_type);
        mismatch(format!("key column `{name}`: {text:?} is not {form}"))
    })
}

fn mismatch(message: String) -> Error {
    Error::new(ErrorCode::ArgumentMismatch, message)
}

/// The rows of the key, with all columns.
fn rows(image: &Image, key: &image::Key<'_>) -> Result<Vec<Row>, Error> {
    let mut layout = Layout::default();
    let fields = image.columns();
    let slots: Vec<Slot> = fields
        .iter()
        .map(|field| layout.add(Physical::of(&field.data_type)))
        .collect();
    let mut columns = Columns::new(&layout, 1).map_err(Error::out_of_memory)?;
    let numbered: Vec<(usize, Slot)> = slots.iter().copied().enumerate().collect();
    let projection = Projection::new(fields, &numbered);

    let panic = |cause: &dyn Display| Error::new(ErrorCode::Panic, cause.to_string());
    let mut rows = Vec::new();
    for row in image.find(0, key).map_err(|cause| panic(&cause))? {
        columns.clear();
        let read = row.read(&projection, &mut columns, 0);
        read.map_err(|cause| panic(&cause))?;
        rows.push(json_row(fields, &slots, &columns)?);
    }
    Ok(rows)
}

fn json_row(fields: &[Field], slots: &[Slot], columns: &Columns) -> Result<Row, Error> {
    let mut row = Row::new();
    for (
        Field {
            name, data_type, ..
        },
        slot,
    ) in fields.iter().zip(slots)
    {
        let value = Value::of(columns, *slot, 0, data_type);
        let value = value.map_err(|cause| mismatch(format!("`{name}`: {cause}")))?;
        let value = pelton_data::json::write(&value, data_type, name);
        row.insert(
            name.clone(),
            value.map_err(|cause| mismatch(cause.to_string()))?,
        );
    }
    Ok(row)
}

fn print(name: &str, key: &Key, image: &Image, place: &Place, rows: &[Found]) {
    let count = match rows.len() {
        0 => "no row".to_owned(),
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    };
    say!("{name}: {count} for {}", key.show());
    let Place {
        group,
        groups,
        subtask,
    } = place;
    let subtask = subtask.map(|(subtask, of)| format!(", subtask {subtask} of 0 to {}", of - 1));
    say!(
        "  key group       {group} of {groups}{}",
        subtask.unwrap_or_default()
    );
    if !image.hive_partition().is_empty() {
        say!("  Hive partition  {}", image.hive_partition());
    }
    for (row, from) in rows {
        say!("  file            {}, row {}", from.name, from.row);
        say!("  written         {}", written(from));
        let names = row.keys().map(|name| name.chars().count());
        let width = names.max().unwrap_or(0);
        for (name, value) in row {
            say!("    {name:<width$}  {value}");
        }
    }
}

fn print_json(image: &Image, place: &Place, rows: &[Found]) {
    let files = rows.iter().map(|(_, from)| {
        json!({
            "hive_partition": from.hive_partition,
            "file": from.name,
            "row": from.row,
            "written": written(from),
        })
    });
    let found = json!({
        "key_group": place.group,
        "max_parallelism": place.groups,
        "subtask": place.subtask.map(|(subtask, _)| subtask),
        "hive_partition": image.hive_partition(),
        "rows": rows.iter().map(|(row, _)| row).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    });
    say!("{found}");
}

/// When a row's file was written last, in UTC.
fn written(from: &inspection::Place) -> String {
    let micros = from.file.modified;
    let at = Timestamp {
        millis: micros.div_euclid(1000),
        nanos: micros.rem_euclid(1000) as i32 * 1000,
    };
    text::write(&Value::Timestamp(at), &DataType::TimestampLtz(6)).unwrap_or_default()
}
