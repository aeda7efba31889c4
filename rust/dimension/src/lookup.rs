//! The lookups of a table that stands for a dimension: rows of keys in, rows of columns out.
//!
//! ```text
//! BinaryRow of the key -> columns -> key group: is it ours? -> the image, by the record's time
//! where the dimension is chosen by it -> Image::find -> per row: columns -> BinaryRow
//! ```
//!
//! The columns of the key are not kept in the image a second time: what was asked for is what was
//! found. So is the record's time, a column `as_of` that only the table has. Other columns that a
//! key row compares are compared with what was found.

use pelton_data::binary_row::{RowError, RowReader, RowWriter};
use pelton_data::columns::{Columns, Layout, MemoryError, Physical, Slot, Timestamp};
use pelton_data::report::nearest;
use pelton_data::scalar::Scalar;
use pelton_data::{DataType, Field, key_group};

use crate::definition::{Choice, Definition};
use crate::error::Error;
use crate::groups::Groups;
use crate::image::{Image, KeyColumns, NotLoaded, Projection, Row, Rows};
use crate::snapshot::View;
use crate::timeline::{At, Timeline};

/// Bytes before each row of the output: its length, as a word.
const HEADER: usize = 8;

/// The column of the record's time, where a dimension's rows are chosen by it.
const AS_OF: &str = "as_of";

/// Which keys a subtask looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The subtask's number, from 0 on.
    pub subtask: u32,
    /// How many subtasks share the keys.
    pub subtasks: u32,
}

/// The lookups of one thread: everything but the image, which may change from call to call.
#[derive(Debug)]
pub struct Lookup {
    reader: RowReader,
    key_columns: KeyColumns,
    /// Where the record's time is read to, if it is given.
    time: Option<Slot>,
    share: Option<ShareOfKeys>,
    /// The columns that an image has to have, in their order.
    wanted: Vec<String>,
    projection: Projection,
    /// Given and found, of the columns that are compared and do not belong to the key.
    equal: Vec<(Slot, Slot)>,
    writer: RowWriter,
    columns: Columns,
}

/// Tells whether a key is the subtask's.
#[derive(Debug)]
struct ShareOfKeys {
    share: Share,
    max_parallelism: u32,
    /// Writes the key as Flink hashes it.
    writer: RowWriter,
    row: Vec<u8>,
}

/// What a lookup has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// The bytes of all rows with their headers; 0 for a key without a row.
    pub bytes: usize,
    /// Whether newer rows should have been there at the record's time.
    pub late: bool,
}

/// Why a key was not looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The key belongs to another subtask.
    #[error(
        "a key of subtask {belongs} of {subtasks} came to subtask {came}: what sends keys here \
         does not do it by the key's group. In Flink SQL 2.x write /*+ LOOKUP('table'='...', \
         'shuffle'='true') */; before a join in Flink 1.20 use partitionCustom with \
         org.pelton.flink.KeyGroupPartitioner, over exactly the dimension's key, in its order and \
         types"
    )]
    Misrouted {
        /// The subtask that has the key.
        belongs: u32,
        /// The subtask that was asked.
        came: u32,
        /// How many there are.
        subtasks: u32,
    },
    /// The image holds other key groups.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// The bytes hold no row of the expected columns.
    #[error(transparent)]
    Row(#[from] RowError),
    /// No memory for the rows, or more bytes than Flink's rows have.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The rows of the record's time are not there yet: ask again after the next refresh.
    #[error("{0}")]
    NotYet(Error),
    /// The rows of the record's time are not there.
    #[error("{0}")]
    NotThere(Error),
}

impl Lookup {
    /// Lookups by rows of `given`, which hold the key and perhaps more columns to compare, that
    /// give rows of `output`. An error where they are not what the dimension has.
    pub fn new(
        definition: &Definition,
        given: &[Field],
        output: &[Field],
        share: Option<Share>,
    ) -> Result<Lookup, Error> {
        let by_time = matches!(definition.choice, Choice::AsOf(_));
        if by_time {
            check_time(definition, given)?;
        }
        let is_time = |field: &Field| by_time && field.name == AS_OF;
        for field in given.iter().chain(output).filter(|field| !is_time(field)) {
            check_column(definition, field)?;
        }
        let mut layout = Layout::default();
        let given = place(given, &mut layout);
        let key = key_slots(definition, &given)?;
        let time = given.iter().find(|(field, _)| is_time(field));

        // What says which rows are looked up, and is not looked up itself.
        let asks = |field: &Field| is_time(field) || definition.key.contains(&field.name);
        let compared: Vec<_> = given.iter().filter(|(field, _)| !asks(field)).collect();
        for (field, _) in &compared {
            check_comparable(field)?;
        }
        // What an image has to have: what is compared, and the output but for what asks.
        let is_compared =
            |field: &Field| compared.iter().any(|(other, _)| other.name == field.name);
        let only_output = output.iter().filter(|f| !asks(f) && !is_compared(f));
        let fields: Vec<Field> = compared
            .iter()
            .map(|(field, _)| *field)
            .chain(only_output)
            .cloned()
            .collect();
        let found = place(&fields, &mut layout);
        let equal = compared
            .iter()
            .zip(&found)
            .map(|((_, a), (_, b))| (*a, *b))
            .collect();
        // What asks first, and each name once but for what is compared: there it is found, too.
        let sources = given.iter().filter(|(field, _)| asks(field)).chain(&found);
        let sources: Vec<_> = sources.collect();
        let row = output.iter().filter_map(|field| {
            let source = sources.iter().find(|(other, _)| other.name == field.name);
            source.map(|(_, slot)| (field.data_type.clone(), *slot))
        });
        let row: Vec<_> = row.collect();

        let numbered = given.iter().enumerate();
        let read: Vec<_> = numbered
            .map(|(i, (field, slot))| (i, field.data_type.clone(), *slot))
            .collect();
        let chosen: Vec<_> = found.iter().map(|(_, slot)| *slot).enumerate().collect();
        Ok(Lookup {
            reader: RowReader::new(&read, given.len()),
            key_columns: KeyColumns::new(key.iter().map(|(_, slot)| *slot)),
            time: time.map(|(_, slot)| *slot),
            share: share.map(|share| ShareOfKeys::new(share, &key)),
            wanted: fields.iter().map(|field| field.name.clone()).collect(),
            projection: Projection::new(&fields, &chosen),
            equal,
            writer: RowWriter::new(&row),
            columns: Columns::new(&layout, 1).map_err(|e| Error::Unavailable(e.to_string()))?,
        })
    }

    /// The columns that the image has to have, in their order.
    pub fn wanted(&self) -> &[String] {
        &self.wanted
    }

    /// The key groups that are looked up.
    pub fn groups(&self) -> Groups {
        self.share.as_ref().map_or_else(Groups::whole, |share| {
            let Share { subtask, subtasks } = share.share;
            let range = key_group::range(share.max_parallelism, subtasks, subtask);
            Groups::range(share.max_parallelism, range)
        })
    }

    /// Looks up a key, the BinaryRow of what is given, and writes its rows to the start of `out`,
    /// each behind a word with its length. Where their bytes are more than `out` has, call again
    /// with so many.
    #[inline]
    pub fn find(
        &mut self,
        view: View<'_>,
        key: &[u8],
        out: &mut [u8],
    ) -> Result<Found, LookupError> {
        self.columns.clear();
        self.reader.read(key, &mut self.columns, 0)?;
        let Some(looked_up) = self.key_columns.key(&self.columns, 0) else {
            return Ok(Found::default());
        };
        let group = match &mut self.share {
            Some(share) => share.group(&self.columns)?,
            None => 0,
        };
        let (image, late) = match view {
            View::Newest(image) => (&**image, false),
            View::AsOf(timeline) => match self.as_of(timeline)? {
                Some(at) => at,
                None => return Ok(Found::default()),
            },
        };
        // An image that is not sharded has one group, with all keys.
        let group = group.min(image.max_parallelism() - 1);
        let rows = image.find(group, &looked_up)?;
        let bytes = self.write_rows(rows, key, out)?;
        Ok(Found { bytes, late })
    }

    /// The image that was valid at the record's time, and whether a newer one should have been
    /// there; `None` before all that are held, and for a NULL.
    fn as_of<'t>(&self, timeline: &'t Timeline) -> Result<Option<(&'t Image, bool)>, LookupError> {
        let time = self.time.and_then(|slot| self.columns.value(slot, 0));
        let Some(Timestamp { millis, .. }) = time else {
            return Ok(None);
        };
        match timeline.at(millis) {
            Ok(At::Rows { image, late, .. }) => Ok(Some((image, late))),
            Ok(At::Older) => Ok(None),
            Ok(At::NotYet(cause)) => Err(LookupError::NotYet(cause)),
            Err(cause) => Err(LookupError::NotThere(cause)),
        }
    }

    /// Writes all rows of the key that was read. Returns their bytes.
    #[inline]
    fn write_rows(
        &mut self,
        mut rows: Rows<'_>,
        key: &[u8],
        out: &mut [u8],
    ) -> Result<usize, LookupError> {
        let mut at = 0;
        let mut next = rows.next();
        while let Some(row) = next {
            at += self.write(row, out.get_mut(at..).unwrap_or_default())?;
            next = rows.next();
            if next.is_some() {
                // The strings of a row go when it is written: a key may have many rows.
                self.columns.clear();
                self.reader.read(key, &mut self.columns, 0)?;
            }
        }
        if at > i32::MAX as usize {
            return Err(MemoryError::RowTooLarge(at).into());
        }
        Ok(at)
    }

    /// Writes a row with its length, where both fit. Returns their bytes; 0 for a row whose other
    /// columns are not those that were given.
    #[inline]
    fn write(&mut self, row: Row<'_>, out: &mut [u8]) -> Result<usize, LookupError> {
        row.read(&self.projection, &mut self.columns, 0)?;
        let columns = &self.columns;
        if !self.equal.iter().all(|(a, b)| is_equal(columns, *a, *b)) {
            return Ok(0);
        }
        let (header, body) = out.split_at_mut(HEADER.min(out.len()));
        let len = self.writer.write(columns, 0, body)?;
        if header.len() == HEADER {
            header.copy_from_slice(&(len as u64).to_le_bytes());
        }
        Ok(HEADER + len)
    }
}

impl ShareOfKeys {
    fn new(share: Share, key: &[(DataType, Slot)]) -> ShareOfKeys {
        ShareOfKeys {
            share,
            max_parallelism: key_group::default_max_parallelism(share.subtasks),
            writer: RowWriter::new(key),
            row: Vec::new(),
        }
    }

    /// The group of the key in the columns, where it is one of the subtask's.
    #[inline]
    fn group(&mut self, columns: &Columns) -> Result<u32, LookupError> {
        self.writer.write_to_vec(columns, 0, &mut self.row)?;
        let group = key_group::group(key_group::hash(&self.row), self.max_parallelism);
        let Share { subtask, subtasks } = self.share;
        let belongs = key_group::subtask(self.max_parallelism, subtasks, group);
        match belongs == subtask {
            true => Ok(group),
            false => Err(LookupError::Misrouted {
                belongs,
                came: subtask,
                subtasks,
            }),
        }
    }
}

/// A slot for each column.
fn place<'a>(fields: &'a [Field], layout: &mut Layout) -> Vec<(&'a Field, Slot)> {
    let slot = |field: &'a Field| (field, layout.add(Physical::of(&field.data_type)));
    fields.iter().map(slot).collect()
}

/// The columns of the dimension's key, in its order, where they are given.
fn key_slots(
    definition: &Definition,
    given: &[(&Field, Slot)],
) -> Result<Vec<(DataType, Slot)>, Error> {
    let slot = |column: &Field| {
        let found = given.iter().find(|(field, _)| field.name == column.name);
        found
            .map(|(_, slot)| (column.data_type.clone(), *slot))
            .ok_or_else(|| {
                let name = &column.name;
                Error::Invalid(format!("the column `{name}` of the key is not compared"))
            })
    };
    definition.key_columns().map(slot).collect()
}

/// The record's time has to be given, and to be a time.
fn check_time(definition: &Definition, given: &[Field]) -> Result<(), Error> {
    if definition.column(AS_OF).is_some() {
        return Err(Error::Invalid(format!(
            "the dimension has a column `{AS_OF}`, which in a table stands for the record's time; \
             look it up in a decision, with `[lookups.NAME] as_of = \"event_time\"`"
        )));
    }
    let Some(field) = given.iter().find(|field| field.name == AS_OF) else {
        return Err(Error::Invalid(format!(
            "`choice = \"as_of\"` needs the record's time, but the column `{AS_OF}` is not compared"
        )));
    };
    match field.data_type {
        DataType::Timestamp(_) | DataType::TimestampLtz(_) => Ok(()),
        _ => Err(Error::Invalid(format!(
            "the table declares {field}, expected a TIMESTAMP or TIMESTAMP_LTZ: it is the record's \
             time"
        ))),
    }
}

/// A column of the table has to be one of the dimension, of the same type.
fn check_column(definition: &Definition, field: &Field) -> Result<(), Error> {
    let Some(column) = definition.column(&field.name) else {
        let names = || definition.columns.iter().map(|column| column.name.as_str());
        let help = match nearest(&field.name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
        };
        let name = &field.name;
        return Err(Error::Invalid(format!(
            "the dimension has no column `{name}`, which the table declares; {help}"
        )));
    };
    let promises = !field.nullable && column.nullable && !definition.key.contains(&column.name);
    if column.data_type != field.data_type || promises {
        return Err(Error::Invalid(format!(
            "the table declares {field}, the dimension has {column}; both have to be the same"
        )));
    }
    Ok(())
}

fn check_comparable(field: &Field) -> Result<(), Error> {
    match field.data_type {
        DataType::Array(_) | DataType::Map(..) | DataType::Row(_) => Err(Error::Invalid(format!(
            "the join compares {field}, which is no column of the key; values of this type cannot \
             be compared"
        ))),
        _ => Ok(()),
    }
}

/// Whether two columns hold the same value. A NULL is equal to nothing.
fn is_equal(columns: &Columns, a: Slot, b: Slot) -> bool {
    match (columns.scalar(a, 0), columns.scalar(b, 0)) {
        (Some(Scalar::Bytes(a)), Some(Scalar::Bytes(b))) => columns.bytes(a) == columns.bytes(b),
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
