//! Which columns are decoded, and where they go.

use std::fmt::Display;

use arrow_array::{Array, RecordBatch};
use arrow_schema::Schema;
use chrono_tz::Tz;
use pelton_data::columns::{Columns, Layout, Literal, MemoryError, Physical, Slot};
use pelton_data::report::nearest;
use pelton_data::types::MAX_LENGTH;
use pelton_data::{DataType, Field, arrow};

use super::timestamp::{self, is_shifted};
use crate::batch::{Batch, Coded};
use crate::definition::{Definition, Format};
use crate::error::Error;
use crate::hive::HivePartition;

const HAS_NULLS: &str = "it is declared NOT NULL, and has NULLs";

/// The columns that a pass decodes, each once, and their places.
#[derive(Debug, Clone)]
pub struct Selection {
    layout: Layout,
    /// The columns of the files.
    read: Vec<Read>,
    /// The directory levels: their numbers, types and places.
    levels: Vec<(usize, Field, Slot)>,
}

impl Selection {
    /// Selects nothing yet.
    pub fn new() -> Selection {
        Selection {
            layout: Layout::default(),
            read: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Lets the strings of a column stay coded, where a file has them so.
    pub fn keep_coded(&mut self, slot: Slot) {
        let mut read = self.read.iter_mut();
        if let Some(read) = read.find(|read| read.slot == slot) {
            // Of others the lengths are checked, row by row.
            read.may_be_coded = read.field.data_type == DataType::Varchar(MAX_LENGTH);
        }
    }

    /// Selects the column `name`, if it is not selected, and tells its declaration and its place.
    pub fn add<'a>(
        &mut self,
        definition: &'a Definition,
        name: &str,
    ) -> Result<(&'a Field, Slot), Error> {
        let field = definition.column(name).ok_or_else(|| {
            let names = definition.columns.iter().map(|field| field.name.as_str());
            let near = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
            let message = format!("it has no column `{name}`{}", near.unwrap_or_default());
            Error::Invalid(message)
        })?;
        let known = self.read.iter().map(|read| (&read.field, &read.slot));
        let mut known = known.chain(self.levels.iter().map(|(_, field, slot)| (field, slot)));
        if let Some((_, slot)) = known.find(|(known, _)| known.name == name) {
            return Ok((field, *slot));
        }
        let slot = self.layout.add(Physical::of(&field.data_type));
        match definition
            .partition
            .iter()
            .position(|level| level.name == name)
        {
            Some(level) => self.levels.push((level, field.clone(), slot)),
            None => self.read.push(Read {
                field: field.clone(),
                slot,
                may_be_coded: false,
            }),
        }
        Ok((field, slot))
    }

    /// Places for everything that is selected.
    pub(super) fn buffers(&self, capacity: usize) -> Result<Buffers, Error> {
        Ok(Buffers {
            columns: Columns::new(&self.layout, capacity).map_err(no_memory)?,
            coded: vec![None; self.read.len() + self.levels.len()],
        })
    }

    /// Where the columns stand in a file, which has to have them all.
    pub(super) fn find(
        &self,
        schema: &Schema,
        definition: &Definition,
        file: &str,
    ) -> Result<Vec<Found>, Error> {
        let find = |read: &Read| {
            let Field {
                name, data_type, ..
            } = &read.field;
            let Ok(number) = schema.index_of(name) else {
                let names = || schema.fields().iter().map(|field| field.name().as_str());
                let help = match nearest(name, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", first_of(names())),
                };
                return Err(Error::Invalid(format!(
                    "{file} has no column `{name}`; {help}"
                )));
            };
            let found = schema.field(number).data_type();
            let why = match arrow::fits(found, data_type) {
                Err(error) => format!("{error}; `columns` has to declare what files hold"),
                Ok(()) => match refused_inside(data_type, definition) {
                    Some(why) => why,
                    None => {
                        let is_shifted = is_shifted(found, data_type, definition.time_zone);
                        return Ok(Found {
                            number,
                            is_shifted,
                            may_be_coded: read.may_be_coded,
                        });
                    }
                },
            };
            Err(invalid(name, file, &why))
        };
        self.read.iter().map(find).collect()
    }

    /// Fills the buffers with a batch, whose first row is row `first` of the file.
    pub(super) fn load(
        &self,
        found: &[Found],
        batch: &RecordBatch,
        zone: Tz,
        file: &str,
        first: u64,
        Buffers { columns, coded }: &mut Buffers,
    ) -> Result<(), Error> {
        columns.clear();
        for (Read { field, slot, .. }, found) in self.read.iter().zip(found) {
            let Field {
                name, data_type, ..
            } = field;
            let array = batch
                .column_by_name(name)
                .ok_or_else(|| invalid(name, file, &"it vanished while the file was read"))?;
            if !field.nullable && array.logical_null_count() > 0 {
                return Err(invalid(name, file, &HAS_NULLS));
            }
            if found.may_be_coded {
                let coded = &mut coded[slot.id()];
                *coded = Coded::of(array);
                if coded.is_some() {
                    arrow::load_validity(array, *slot, columns);
                    continue;
                }
            }
            let is_time = matches!(
                data_type,
                DataType::Timestamp(_) | DataType::TimestampLtz(_)
            );
            let loaded = match is_time && *array.data_type() == timestamp::NANOS {
                true => timestamp::load_nanos(array, data_type, *slot, columns),
                false => arrow::load(array, data_type, *slot, columns),
            };
            let shifted = loaded.and_then(|()| match found.is_shifted {
                true => timestamp::shift(zone, *slot, batch.num_rows(), columns),
                false => Ok(()),
            });
            shifted.map_err(|error| invalid(name, file, &error.in_rows_from(first as usize)))?;
        }
        Ok(())
    }

    /// Fills the columns of the directory levels with their values.
    pub(super) fn load_levels(
        &self,
        partition: &HivePartition,
        rows: usize,
        Buffers { columns, .. }: &mut Buffers,
    ) -> Result<(), Error> {
        for (level, field, slot) in &self.levels {
            let value = partition.values[*level].as_ref();
            match value.map(|value| value.literal(Physical::of(&field.data_type))) {
                Some(Literal::Bytes(bytes)) => {
                    let view = columns.push_text(&bytes).map_err(no_memory)?;
                    (0..rows).for_each(|row| columns.put(*slot, row, Some(view)));
                }
                Some(literal) => (0..rows)
                    .try_for_each(|row| columns.put_literal(*slot, row, &literal))
                    .map_err(no_memory)?,
                None if !field.nullable => {
                    return Err(invalid(&field.name, &partition.name, &HAS_NULLS));
                }
                None => (0..rows).for_each(|row| columns.set_valid(*slot, row, false)),
            }
        }
        Ok(())
    }
}

/// A column of the files.
#[derive(Debug, Clone)]
struct Read {
    field: Field,
    slot: Slot,
    may_be_coded: bool,
}

/// The same in one file.
pub(super) struct Found {
    /// Its number.
    pub(super) number: usize,
    /// Whether its points in time become those of the dimension's zone.
    is_shifted: bool,
    /// Whether its strings may stay as the file has coded them.
    pub(super) may_be_coded: bool,
}

/// Where the rows of a batch go.
pub(super) struct Buffers {
    columns: Columns,
    /// By the number of the slot.
    coded: Vec<Option<Coded>>,
}

impl Buffers {
    /// What they hold.
    pub(super) fn batch(&self, rows: usize) -> Batch<'_> {
        Batch::with_coded(&self.columns, rows, &self.coded)
    }
}

/// Why `TIMESTAMP`s inside a type are not read, if they are not.
fn refused_inside(data_type: &DataType, definition: &Definition) -> Option<String> {
    if !timestamp::is_inside(data_type) {
        return None;
    }
    match (definition.format, definition.time_zone) {
        (Format::Orc, _) => Some(format!("{data_type} is not supported in ORC files")),
        (Format::Parquet, Tz::UTC) => None,
        (Format::Parquet, zone) => Some(format!(
            "{data_type} is not supported with `time_zone = \"{zone}\"`"
        )),
    }
}

/// A column that cannot be what is declared.
pub(super) fn invalid(name: &str, file: &str, why: &dyn Display) -> Error {
    Error::Invalid(format!("column `{name}` of {file}: {why}"))
}

impl Default for Selection {
    fn default() -> Selection {
        Selection::new()
    }
}

/// Some of many names.
fn first_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const LISTED: usize = 12;
    let mut names: Vec<&str> = names.take(LISTED + 1).collect();
    if names.len() > LISTED {
        names[LISTED] = "...";
    }
    names.join(", ")
}

fn no_memory(error: MemoryError) -> Error {
    Error::Unavailable(error.to_string())
}
