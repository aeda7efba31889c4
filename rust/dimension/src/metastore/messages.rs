//! The parts of the metastore's messages that are needed here, by the numbers of `hive_metastore.thrift`.
//! All others are passed over.

use thrift::protocol::{TFieldIdentifier, TInputProtocol, TType};
use thrift::{ProtocolError, ProtocolErrorKind};

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its own files, without levels those of its rows.
    pub(crate) descriptor: Descriptor,
    /// The names of its levels, outermost first.
    pub(crate) levels: Vec<String>,
    /// `MANAGED_TABLE`, `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, ...
    pub(crate) kind: String,
    /// `transactional`, `table_type`, ...
    pub(crate) parameters: Vec<(String, String)>,
}

/// A Hive partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Partition {
    /// One a level, not escaped.
    pub(crate) values: Vec<String>,
    /// Its files.
    pub(crate) descriptor: Descriptor,
}

/// Where files lie, and how they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// As Hadoop writes a path: with its scheme, not escaped.
    pub(crate) location: String,
    /// The name of a Java class.
    pub(crate) input_format: String,
}

/// Something that a message holds.
pub(super) trait Read: Sized {
    /// Its type in the protocol.
    const TYPE: TType;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self>;
}

impl Read for String {
    const TYPE: TType = TType::String;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<String> {
        input.read_string()
    }
}

impl<T: Read> Read for Vec<T> {
    const TYPE: TType = TType::List;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Vec<T>> {
        let list = input.read_list_begin()?;
        if list.size > 0 {
            expect(list.element_type, T::TYPE)?;
        }
        // It grows as elements come: a size alone takes no memory.
        let mut all = Vec::new();
        for _ in 0..list.size {
            all.push(T::read(input)?);
        }
        input.read_list_end()?;
        Ok(all)
    }
}

impl Read for Table {
    const TYPE: TType = TType::Struct;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Table> {
        let mut table = Table::default();
        fields(input, |input, field| {
            match field.id {
                Some(7) => table.descriptor = value(input, field)?,
                Some(8) => {
                    let levels: Vec<Column> = value(input, field)?;
                    table.levels = levels.into_iter().map(|level| level.name).collect();
                }
                Some(9) => table.parameters = pairs(input, field)?,
                Some(12) => table.kind = value(input, field)?,
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })?;
        Ok(table)
    }
}

/// What `get_table_req` gives.
pub(super) struct TableResult {
    pub(super) table: Table,
}

impl Read for TableResult {
    const TYPE: TType = TType::Struct;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<TableResult> {
        let mut table = Table::default();
        fields(input, |input, field| {
            match field.id {
                Some(1) => table = value(input, field)?,
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })?;
        Ok(TableResult { table })
    }
}

impl Read for Partition {
    const TYPE: TType = TType::Struct;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Partition> {
        let mut partition = Partition::default();
        fields(input, |input, field| {
            match field.id {
                Some(1) => partition.values = value(input, field)?,
                Some(6) => partition.descriptor = value(input, field)?,
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })?;
        Ok(partition)
    }
}

impl Read for Descriptor {
    const TYPE: TType = TType::Struct;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Descriptor> {
        let mut descriptor = Descriptor::default();
        fields(input, |input, field| {
            match field.id {
                Some(2) => descriptor.location = value(input, field)?,
                Some(3) => descriptor.input_format = value(input, field)?,
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })?;
        Ok(descriptor)
    }
}

/// A column, or a level.
struct Column {
    name: String,
}

impl Read for Column {
    const TYPE: TType = TType::Struct;

    fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Column> {
        let mut name = String::new();
        fields(input, |input, field| {
            match field.id {
                Some(1) => name = value(input, field)?,
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })?;
        Ok(Column { name })
    }
}

/// The outcome of a call: its value, or why there is none.
pub(super) enum Outcome<T> {
    Value(T),
    /// The message of an exception that the call declares.
    Exception(String),
    Nothing,
}

impl<T: Read> Outcome<T> {
    pub(super) fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Outcome<T>> {
        let mut outcome = Outcome::Nothing;
        fields(input, |input, field| {
            outcome = match field.id {
                Some(0) => Outcome::Value(value(input, field)?),
                _ => {
                    expect(field.field_type, TType::Struct)?;
                    Outcome::Exception(exception(input)?)
                }
            };
            Ok(())
        })?;
        Ok(outcome)
    }
}

/// The message of an exception: all of the metastore's have it in one place.
fn exception(input: &mut dyn TInputProtocol) -> thrift::Result<String> {
    let mut message = String::new();
    fields(input, |input, field| {
        match field.id {
            Some(1) => message = value(input, field)?,
            _ => input.skip(field.field_type)?,
        }
        Ok(())
    })?;
    Ok(message)
}

/// Shows each field of a struct, to be read or skipped.
fn fields(
    input: &mut dyn TInputProtocol,
    mut each: impl FnMut(&mut dyn TInputProtocol, &TFieldIdentifier) -> thrift::Result<()>,
) -> thrift::Result<()> {
    input.read_struct_begin()?;
    loop {
        let field = input.read_field_begin()?;
        if field.field_type == TType::Stop {
            return input.read_struct_end();
        }
        each(input, &field)?;
        input.read_field_end()?;
    }
}

fn value<T: Read>(input: &mut dyn TInputProtocol, field: &TFieldIdentifier) -> thrift::Result<T> {
    expect(field.field_type, T::TYPE)?;
    T::read(input)
}

fn pairs(
    input: &mut dyn TInputProtocol,
    field: &TFieldIdentifier,
) -> thrift::Result<Vec<(String, String)>> {
    expect(field.field_type, TType::Map)?;
    let map = input.read_map_begin()?;
    let mut pairs = Vec::new();
    for _ in 0..map.size {
        pairs.push((input.read_string()?, input.read_string()?));
    }
    input.read_map_end()?;
    Ok(pairs)
}

fn expect(found: TType, expected: TType) -> thrift::Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(thrift::Error::Protocol(ProtocolError::new(
            ProtocolErrorKind::InvalidData,
            format!("{found} where {expected} should be"),
        ))),
    }
}
