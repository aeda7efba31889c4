//! From the files of Hive partitions to an image: two passes over the same rows, one to see what
//! the columns hold, one to pack them.

use pelton_data::Field;
use pelton_data::columns::{Columns, Slot};
use pelton_data::value::Value;

use crate::definition::Definition;
use crate::error::Error;
use crate::groups::Groups;
use crate::hive::{self, HivePartition};
use crate::image::{Image, ImageBuilder, Refusal, Refused, Shape, Survey};
use crate::source::{At, Scan, Selection};
use crate::storage::Connection;

/// What of a dimension is loaded.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The columns of the rows, in their order; directory levels count as columns.
    pub columns: &'a [&'a str],
    /// The key groups whose rows are kept.
    pub groups: &'a Groups,
    /// Bytes of other key groups that are held already: `budget` is for all together.
    pub held: u64,
}

/// Loads Hive partitions as one image. What is not any more as it was listed when the load ends is
/// an error, and so are fewer rows than `min_rows` and more bytes than `budget`.
pub fn load(
    definition: &Definition,
    connection: &Connection,
    partitions: &[HivePartition],
    wanted: &Wanted<'_>,
) -> Result<Image, Error> {
    let (selection, shape) = select(definition, wanted)?;
    let key: Vec<(&Field, Slot)> = definition
        .key_columns()
        .zip(shape.key.iter().map(|(_, slot)| *slot))
        .collect();
    let scan = Scan::new(definition, connection, partitions);

    let mut survey = Survey::new(shape);
    let mut rows = 0;
    scan.pass(&selection, |batch, _| {
        rows += batch.rows as u64;
        let seen = survey.add(batch);
        seen.map_err(|Refused { why, .. }| Error::Unavailable(why.to_string()))
    })?;
    if rows < definition.min_rows {
        return Err(too_few(definition, connection, partitions, rows));
    }
    let unavailable = |why: Refusal| Error::Unavailable(format!("{}: {why}", connection.show("")));
    let mut builder = survey.into_builder().map_err(unavailable)?;
    scan.pass(&selection, |batch, at| {
        check_budget(definition, connection, &builder, wanted.held)?;
        let added = builder.add(batch);
        added.map_err(|refused| refusal(&key, builder.rows(), refused, batch.columns, at))
    })?;
    check_budget(definition, connection, &builder, wanted.held)?;
    hive::check_unchanged(definition, connection, partitions)?;
    let mut image = builder.finish().map_err(unavailable)?;
    image.hive_partition = hive::name_of(definition, partitions);
    image.file_rows = rows;
    Ok(image)
}

fn select(definition: &Definition, wanted: &Wanted<'_>) -> Result<(Selection, Shape), Error> {
    let mut selection = Selection::new();
    let mut key = Vec::new();
    for name in &definition.key {
        let (field, slot) = selection.add(definition, name)?;
        key.push((field.data_type.clone(), slot));
    }
    let mut columns = Vec::new();
    for name in wanted.columns {
        let (field, slot) = selection.add(definition, name)?;
        columns.push((field.clone(), slot));
        // Keys are hashed from the bytes of each row, and symbols learnt.
        let mut from_bytes = definition.key.iter().chain(&definition.fsst);
        if from_bytes.all(|other| other != name) {
            selection.keep_coded(slot);
        }
    }
    let by_symbols = |(field, _): &&(Field, Slot)| definition.fsst.contains(&field.name);
    let symbols = columns.iter().filter(by_symbols).map(|(_, slot)| *slot);
    let shape = Shape {
        symbols: symbols.collect(),
        columns,
        key,
        duplicates: definition.duplicates,
        groups: wanted.groups.clone(),
    };
    Ok((selection, shape))
}

fn too_few(
    definition: &Definition,
    connection: &Connection,
    partitions: &[HivePartition],
    rows: u64,
) -> Error {
    let place = match partitions {
        [one] => connection.show(&one.path),
        _ => connection.show(""),
    };
    let least = definition.min_rows;
    Error::TooFew(format!(
        "{place} has {rows} rows, fewer than `min_rows = {least}`"
    ))
}

fn check_budget(
    definition: &Definition,
    connection: &Connection,
    builder: &ImageBuilder,
    held: u64,
) -> Result<(), Error> {
    let (bytes, rows) = (builder.bytes(), builder.rows());
    match definition.budget {
        Some(budget) if bytes.saturating_add(held) > budget => {
            let held = match held {
                0 => String::new(),
                held => format!(" beside the {held} of other key groups"),
            };
            Err(Error::TooLarge(format!(
                "{} takes more than `budget` allows: {bytes} bytes for {rows} rows so far{held}, of \
                 {budget}",
                connection.show("")
            )))
        }
        _ => Ok(()),
    }
}

fn refusal(
    key: &[(&Field, Slot)],
    rows: u64,
    Refused { row, why }: Refused,
    columns: &Columns,
    at: &At<'_>,
) -> Error {
    if why != Refusal::Duplicate {
        let at = at.row(row);
        return Error::Unavailable(format!("{why}: {rows} rows are loaded, at {at}"));
    }
    let parts = key.iter().map(
        |(
            Field {
                name, data_type, ..
            },
            slot,
        )| {
            match Value::of(columns, *slot, row, data_type) {
                Ok(value) => format!("{name} = {}", value.show(data_type)),
                Err(error) => format!("{name} ({error})"),
            }
        },
    );
    let (key, at) = (parts.collect::<Vec<_>>().join(", "), at.row(row));
    Error::Invalid(format!(
        "the key {key} stands twice, the second time in {at}; `key` has to name columns that tell \
         all rows apart, or `duplicates` has to say which are kept"
    ))
}
