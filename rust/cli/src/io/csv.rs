//! CSV by RFC 4180. NULL is an empty field without quotes, the empty string is `""`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use pelton_data::arrow::{ConvertError, from_arrow, load, store, to_arrow};
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_data::{DataType, Field};
use pelton_decision::{Error, ErrorCode};
use tempfile::NamedTempFile;

use super::records::{Record, RecordError, Records};
use super::{Batches, Table, Writer, invalid, stage, text, unstage};

/// Reads are large: a file is read from front to back.
const BUFFER_BYTES: usize = 1 << 18;

/// A CSV file whose columns are known.
pub struct CsvTable {
    path: PathBuf,
    records: Records<BufReader<File>>,
    bytes: u64,
    fields: Vec<Field>,
    schema: SchemaRef,
}

impl CsvTable {
    /// Opens a file with the declared columns, or with a header whose names have the types of
    /// `input`, and are strings where they are no input.
    pub fn open(
        path: &Path,
        declared: Option<Vec<Field>>,
        input: &[Field],
    ) -> Result<CsvTable, Error> {
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|cause| Error::io("read", path, &cause))?;
        let mut records = Records::new(BufReader::with_capacity(BUFFER_BYTES, file));
        let fields = match declared {
            Some(fields) => fields,
            None => header(path, &mut records, input)?,
        };
        let schema = schema_of(path, &fields)?;
        Ok(CsvTable {
            path: path.to_owned(),
            records,
            bytes,
            fields,
            schema,
        })
    }
}

fn header(
    path: &Path,
    records: &mut Records<BufReader<File>>,
    input: &[Field],
) -> Result<Vec<Field>, Error> {
    let mut record = Record::default();
    let found = records.read(&mut record);
    if !found.map_err(|error| record_error(path, 1, error))? {
        let help = "expected a header with the columns' names, or --columns";
        return Err(invalid(path, format!("the file is empty; {help}")));
    }
    let names = (0..record.len()).map(|i| record.get(i).unwrap_or_default());
    let fields = names.map(|name| {
        let known = input.iter().find(|field| field.name == name);
        let data_type = known.map_or(DataType::STRING, |field| field.data_type.clone());
        Field::new(name, data_type)
    });
    Ok(fields.collect())
}

fn schema_of(path: &Path, fields: &[Field]) -> Result<SchemaRef, Error> {
    let fields: Result<Vec<ArrowField>, Error> = fields
        .iter()
        .map(
            |Field {
                 name, data_type, ..
             }| {
                let arrow = to_arrow(data_type);
                let arrow = arrow.map_err(|cause| invalid(path, format!("`{name}`: {cause}")))?;
                Ok(ArrowField::new(name, arrow, true))
            },
        )
        .collect();
    Ok(Arc::new(Schema::new(fields?)))
}

impl Table for CsvTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn read(self: Box<Self>, columns: &[usize], rows: usize) -> Result<Box<dyn Batches>, Error> {
        let selected = columns.iter().map(|i| &self.fields[*i]);
        let (memory, slots) = memory(selected.map(|field| &field.data_type), rows)?;
        let schema = self.schema.project(columns);
        Ok(Box::new(CsvBatches {
            schema: Arc::new(schema.expect("the numbers are those of the schema")),
            columns: columns.iter().copied().zip(slots).collect(),
            memory,
            record: Record::default(),
            row: 0,
            failed: None,
            table: *self,
        }))
    }
}

struct CsvBatches {
    table: CsvTable,
    schema: SchemaRef,
    /// The number of each column in the file, and where its values are gathered.
    columns: Vec<(usize, Slot)>,
    memory: Columns,
    record: Record,
    /// How many rows were read.
    row: u64,
    /// The error of the row behind the last batch.
    failed: Option<Error>,
}

impl Batches for CsvBatches {
    fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        self.memory.clear();
        let mut rows = 0;
        while rows < self.memory.capacity() && self.failed.is_none() {
            match self.next_row(rows) {
                Ok(true) => rows += 1,
                Ok(false) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        if rows == 0 {
            return self.failed.take().map_or(Ok(None), Err);
        }
        let arrays: Result<Vec<ArrayRef>, Error> = self
            .columns
            .iter()
            .map(|(i, slot)| {
                let field = &self.table.fields[*i];
                let array = store(&self.memory, *slot, &field.data_type, rows);
                array.map_err(|cause| {
                    let first = self.row - rows as u64 + 1;
                    self.column_error(field, &cause, first)
                })
            })
            .collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays?);
        Ok(Some(batch.expect("the arrays are of the schema's types")))
    }

    fn progress(&self) -> (u64, u64) {
        (self.table.records.bytes(), self.table.bytes)
    }
}

impl CsvBatches {
    /// Reads the next record into a row of the memory; false where there is none.
    fn next_row(&mut self, row: usize) -> Result<bool, Error> {
        let is_there = self.next_record()?;
        if is_there {
            self.row += 1;
            self.put_record(row)?;
        }
        Ok(is_there)
    }

    /// Reads the next record. An empty line is a record only where there is one column: it is
    /// how a NULL is written there.
    fn next_record(&mut self) -> Result<bool, Error> {
        let table = &mut self.table;
        loop {
            let read = table.records.read(&mut self.record);
            let line = table.records.line();
            if !read.map_err(|error| record_error(&table.path, line, error))? {
                return Ok(false);
            }
            if self.record.len() == table.fields.len() {
                return Ok(true);
            }
            if !self.record.is_blank() {
                let (found, expected) = (self.record.len(), table.fields.len());
                let hint = match found {
                    1 => separator_hint(self.record.get(0).unwrap_or_default()),
                    _ => None,
                };
                let row = self.row + 1;
                let what = format!("row {row} has {found} fields, not {expected}");
                let hint = hint.unwrap_or_default();
                return Err(at_line(&table.path, line, &format!("{what}{hint}")));
            }
        }
    }

    fn put_record(&mut self, row: usize) -> Result<(), Error> {
        for (i, slot) in &self.columns {
            let field = &self.table.fields[*i];
            match self.record.get(*i) {
                None => self.memory.set_valid(*slot, row, false),
                Some(text) if field.data_type.is_string() => {
                    let view = self.memory.push_text(text.as_bytes());
                    let view = view.map_err(|cause| out_of_memory(&cause))?;
                    self.memory.put(*slot, row, Some(view));
                }
                Some(text) => {
                    let value = text::parse(text, &field.data_type)
                        .ok_or_else(|| self.value_error(field, text))?;
                    let put = self.memory.put_literal(*slot, row, &value);
                    put.map_err(|cause| out_of_memory(&cause))?;
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn value_error(&self, field: &Field, text: &str) -> Error {
        let Field {
            name, data_type, ..
        } = field;
        let (row, form) = (self.row, text::form(data_type));
        let what =
            format!("row {row}, column `{name}`: {text:?} is not a {data_type}; expected {form}");
        at_line(&self.table.path, self.table.records.line(), &what)
    }

    #[cold]
    fn column_error(&self, field: &Field, cause: &ConvertError, first_row: u64) -> Error {
        let name = &field.name;
        let what = match cause {
            ConvertError::Value { row, value, wanted } => {
                let row = first_row + *row as u64;
                format!("row {row}, column `{name}`: {value} does not fit {wanted}")
            }
            cause => format!("column `{name}`: {cause}"),
        };
        invalid(&self.table.path, what)
    }
}

/// Columns for values of the given types.
fn memory<'a>(
    types: impl Iterator<Item = &'a DataType>,
    rows: usize,
) -> Result<(Columns, Vec<Slot>), Error> {
    let mut layout = Layout::default();
    let physical = types.map(|data_type| match text::is_supported(data_type) {
        true => Ok(Physical::of(data_type)),
        false => {
            let cause = format!("values of type {data_type} are not supported in CSV files");
            Err(Error::new(ErrorCode::NotSupported, cause))
        }
    });
    let slots: Result<Vec<Slot>, Error> = physical.map(|p| Ok(layout.add(p?))).collect();
    let columns = Columns::new(&layout, rows).map_err(|cause| out_of_memory(&cause))?;
    Ok((columns, slots?))
}

/// A CSV file that is being written.
pub struct CsvWriter {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    columns: Vec<(String, DataType, Slot)>,
    memory: Columns,
    line: String,
}

impl CsvWriter {
    /// Begins a file with a header, for batches of up to `rows` rows.
    pub fn create(path: &Path, schema: &SchemaRef, rows: usize) -> Result<CsvWriter, Error> {
        let fields = schema.fields().iter().map(|field| {
            let (name, arrow) = (field.name(), field.data_type());
            let data_type = from_arrow(arrow).ok_or_else(|| {
                let what = format!("`{name}` holds Arrow {arrow}, which CSV has no form for");
                Error::new(ErrorCode::NotSupported, what).context(path.display())
            })?;
            Ok((name.clone(), data_type))
        });
        let fields: Vec<(String, DataType)> = fields.collect::<Result<_, Error>>()?;
        let (memory, slots) = memory(fields.iter().map(|(_, data_type)| data_type), rows)?;
        let columns = fields.into_iter().zip(slots);
        let mut writer = CsvWriter {
            path: path.to_owned(),
            file: BufWriter::with_capacity(BUFFER_BYTES, stage(path)?),
            columns: columns
                .map(|((name, data_type), slot)| (name, data_type, slot))
                .collect(),
            memory,
            line: String::new(),
        };
        writer.write_header()?;
        Ok(writer)
    }

    fn write_header(&mut self) -> Result<(), Error> {
        for (i, (name, ..)) in self.columns.iter().enumerate() {
            self.line.push_str(if i == 0 { "" } else { "," });
            text::write_text(name, &mut self.line);
        }
        self.write_line()
    }

    fn write_row(&mut self, row: usize) -> Result<(), Error> {
        for (i, (name, data_type, slot)) in self.columns.iter().enumerate() {
            self.line.push_str(if i == 0 { "" } else { "," });
            let value = self.memory.literal(*slot, row);
            if !text::write(&value, data_type, &mut self.line) {
                let what = format!("`{name}`: {value:?} lies outside the calendar of CSV files");
                return Err(invalid(&self.path, what));
            }
        }
        self.write_line()
    }

    fn write_line(&mut self) -> Result<(), Error> {
        self.line.push('\n');
        let written = self.file.write_all(self.line.as_bytes());
        self.line.clear();
        written.map_err(|cause| Error::io("write", &self.path, &cause))
    }
}

impl Writer for CsvWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.memory.clear();
        for (array, (name, data_type, slot)) in batch.columns().iter().zip(&self.columns) {
            let loaded = load(array, data_type, *slot, &mut self.memory);
            loaded.map_err(|cause| invalid(&self.path, format!("`{name}`: {cause}")))?;
        }
        (0..batch.num_rows()).try_for_each(|row| self.write_row(row))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let file = self.file.into_inner();
        let file = file.map_err(|cause| Error::io("write", &self.path, cause.error()))?;
        unstage(file, &self.path)
    }
}

/// What to say of a line that is one field: that its fields may be separated by something else.
pub fn separator_hint(line: &str) -> Option<String> {
    let other = [(';', "`;`"), ('\t', "a tab"), ('|', "`|`")];
    let (_, shown) = other.into_iter().find(|(other, _)| line.contains(*other))?;
    Some(format!(
        "\nare its fields separated by {shown}? They must be by `,`"
    ))
}

fn record_error(path: &Path, line: u64, error: RecordError) -> Error {
    match error {
        RecordError::Io(cause) => Error::io("read", path, &cause),
        RecordError::Malformed(what) => at_line(path, line, &what),
    }
}

fn at_line(path: &Path, line: u64, what: &str) -> Error {
    let place = format!("{}:{line}", path.display());
    Error::new(ErrorCode::ArgumentMismatch, what).context(place)
}

fn out_of_memory(cause: &dyn std::error::Error) -> Error {
    Error::new(ErrorCode::OutOfMemory, cause.to_string())
}
