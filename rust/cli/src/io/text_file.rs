//! Files of text, a record a row. Only finding records and writing text is done by one thread at a
//! time; a [`Form`] turns records into rows and rows into records, on any number of threads.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use pelton_data::arrow::{ConvertError, from_arrow, load, store, to_arrow};
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_data::value::ValueError;
use pelton_data::{DataType, Field};
use pelton_decision::{Error, ErrorCode};
use tempfile::NamedTempFile;

use super::lines::{LineError, Lines, Records};
use super::{Chunk, Decoded, Encode, Reader, Writer, invalid, stage, unstage};

/// Files are read and written from front to back, in large pieces.
const BUFFER_BYTES: usize = 1 << 18;

/// How a format writes a row as a record, and reads it. It is made for certain columns.
pub trait Form: Send + Sync + 'static {
    /// What is reused from record to record of a chunk.
    type Scratch: Default;

    /// Puts the values of a record into a row of the slots, one a column. An error says what is
    /// wrong, not where.
    fn read(
        &self,
        record: &str,
        scratch: &mut Self::Scratch,
        slots: &[Slot],
        memory: &mut Columns,
        row: usize,
    ) -> Result<(), Error>;
    /// Adds a row as a record, without its line end. An error says what is wrong, not where.
    fn write(
        &self,
        slots: &[Slot],
        memory: &Columns,
        row: usize,
        out: &mut String,
    ) -> Result<(), Error>;
}

/// Columns of a text file, with the form of their records.
struct Shape<F> {
    path: PathBuf,
    form: F,
    fields: Vec<Field>,
    schema: SchemaRef,
}

/// A text file that is being read.
pub struct TextReader<F> {
    file: TextFile,
    shape: Arc<Shape<F>>,
    /// How many rows are read at once.
    rows: usize,
    /// Whether an empty line is a record.
    blank: bool,
    /// How many rows were read.
    before: u64,
    /// The error of the record behind the last chunk.
    failed: Option<Error>,
}

/// A text file whose records are not read yet.
pub struct TextFile {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    size: u64,
}

impl TextFile {
    /// Opens a file; `quotes` as for [`Lines::new`].
    pub fn open(path: &Path, quotes: bool) -> Result<TextFile, Error> {
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        };
        let (file, size) = open().map_err(|cause| Error::io("read", path, &cause))?;
        Ok(TextFile {
            path: path.to_owned(),
            lines: Lines::new(BufReader::with_capacity(BUFFER_BYTES, file), quotes),
            size,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next record, for a header; `None` where there is none.
    pub fn first(&mut self) -> Result<Option<String>, Error> {
        let mut records = Records::default();
        let found = self.lines.read(&mut records);
        found.map_err(|error| line_error(&self.path, error))?;
        let first = records.iter().next();
        let text = first.map(|(line, record)| utf8(record).map_err(|e| at(&self.path, line, e)));
        Ok(text.transpose()?.map(str::to_owned))
    }

    /// Reads rows of `fields` in a form that was made for them.
    pub fn read<F: Form>(
        self,
        form: F,
        fields: Vec<Field>,
        rows: usize,
        blank: bool,
    ) -> Result<Box<dyn Reader>, Error> {
        let shape = Arc::new(Shape {
            path: self.path.clone(),
            form,
            schema: schema_of(&fields),
            fields,
        });
        Ok(Box::new(TextReader {
            file: self,
            shape,
            rows,
            blank,
            before: 0,
            failed: None,
        }))
    }
}

impl<F: Form> Reader for TextReader<F> {
    fn next(&mut self) -> Result<Option<Box<dyn Chunk>>, Error> {
        let mut records = Records::default();
        if self.failed.is_none() {
            let filled = self.file.lines.fill(&mut records, self.rows, self.blank);
            self.failed = filled.err().map(|error| line_error(&self.file.path, error));
        }
        if records.len() == 0 {
            return self.failed.take().map_or(Ok(None), Err);
        }
        let before = self.before;
        self.before += records.len() as u64;
        let shape = self.shape.clone();
        Ok(Some(Box::new(TextChunk {
            before,
            records,
            shape,
        })))
    }

    fn progress(&self) -> (u64, u64) {
        (self.file.lines.bytes(), self.file.size)
    }
}

struct TextChunk<F> {
    /// The rows of the file before it.
    before: u64,
    records: Records,
    shape: Arc<Shape<F>>,
}

impl<F: Form> Chunk for TextChunk<F> {
    fn decode(self: Box<Self>) -> Decoded {
        let gathered = self.gather();
        let (batch, failed) = gathered.unwrap_or_else(|error| {
            (
                RecordBatch::new_empty(self.shape.schema.clone()),
                Some(error),
            )
        });
        Decoded {
            before: self.before,
            batch,
            failed,
        }
    }
}

impl<F: Form> TextChunk<F> {
    /// The rows up to the first that cannot be read, and what is wrong with that.
    fn gather(&self) -> Result<(RecordBatch, Option<Error>), Error> {
        let Shape { path, form, .. } = &*self.shape;
        let (mut memory, slots) = self.shape.memory(self.records.len())?;
        let mut scratch = F::Scratch::default();
        let mut rows = 0;
        let mut failed = None;
        for (line, record) in self.records.iter() {
            let read = utf8(record)
                .and_then(|text| form.read(text, &mut scratch, &slots, &mut memory, rows));
            if let Err(error) = read {
                let row = self.before + rows as u64 + 1;
                failed = Some(at(path, line, error.context(format!("row {row}"))));
                break;
            }
            rows += 1;
        }
        let columns = self.shape.fields.iter().zip(&slots);
        let arrays: Result<Vec<ArrayRef>, Error> = columns
            .map(|(field, slot)| {
                let array = store(&memory, *slot, &field.data_type, rows);
                array.map_err(|cause| self.column_error(field, &cause))
            })
            .collect();
        Ok((batch(&self.shape.schema, arrays?, rows), failed))
    }

    #[cold]
    fn column_error(&self, field: &Field, cause: &ConvertError) -> Error {
        let name = &field.name;
        let what = match cause {
            ConvertError::Value { row, value, wanted } => {
                let row = self.before + *row as u64 + 1;
                format!("row {row}: column `{name}`: {value} does not fit {wanted}")
            }
            cause => format!("column `{name}`: {cause}"),
        };
        invalid(&self.shape.path, what)
    }
}

impl<F> Shape<F> {
    fn memory(&self, rows: usize) -> Result<(Columns, Vec<Slot>), Error> {
        memory(self.fields.iter().map(|field| &field.data_type), rows)
    }
}

/// A text file that is being written.
pub struct TextWriter<F> {
    file: BufWriter<NamedTempFile>,
    shape: Arc<Shape<F>>,
}

impl<F: Form> TextWriter<F> {
    /// Begins a file with the columns of `schema`; `make` makes the form and the first line.
    pub fn create(
        path: &Path,
        schema: &SchemaRef,
        make: impl FnOnce(&[Field]) -> Result<(F, String), Error>,
    ) -> Result<Box<dyn Writer>, Error> {
        let fields = schema.fields().iter().map(|field| {
            let (name, arrow) = (field.name(), field.data_type());
            let data_type = from_arrow(arrow).ok_or_else(|| {
                let what = format!("`{name}` holds Arrow {arrow}, which has no form as text");
                Error::new(ErrorCode::NotSupported, what).context(path.display())
            })?;
            Ok(Field::new(name.clone(), data_type))
        });
        let fields: Vec<Field> = fields.collect::<Result<_, Error>>()?;
        let (form, head) = make(&fields).map_err(|error| error.context(path.display()))?;
        let shape = Shape {
            path: path.to_owned(),
            form,
            fields,
            schema: schema.clone(),
        };
        let mut writer = TextWriter {
            file: BufWriter::with_capacity(BUFFER_BYTES, stage(path)?),
            shape: Arc::new(shape),
        };
        writer.write_text(&head)?;
        Ok(Box::new(writer))
    }

    fn write_text(&mut self, text: &str) -> Result<(), Error> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|cause| Error::io("write", &self.shape.path, &cause))
    }
}

impl<F: Form> Writer for TextWriter<F> {
    fn encoder(&self) -> Arc<dyn Encode> {
        self.shape.clone()
    }

    fn write(&mut self, _: &RecordBatch, text: &str) -> Result<(), Error> {
        self.write_text(text)
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let path = &self.shape.path;
        let file = self.file.into_inner();
        let file = file.map_err(|cause| Error::io("write", path, cause.error()))?;
        unstage(file, path)
    }
}

impl<F: Form> Encode for Shape<F> {
    fn encode(&self, batch: &RecordBatch) -> Result<String, Error> {
        let rows = batch.num_rows();
        let (mut memory, slots) = self.memory(rows)?;
        for ((array, field), slot) in batch.columns().iter().zip(&self.fields).zip(&slots) {
            let loaded = load(array, &field.data_type, *slot, &mut memory);
            let name = &field.name;
            loaded.map_err(|cause| invalid(&self.path, format!("`{name}`: {cause}")))?;
        }
        let mut text = String::new();
        for row in 0..rows {
            let written = self.form.write(&slots, &memory, row, &mut text);
            written.map_err(|error| error.context(self.path.display()))?;
            text.push('\n');
        }
        Ok(text)
    }
}

/// Columns for values of the given types.
fn memory<'a>(
    types: impl Iterator<Item = &'a DataType>,
    rows: usize,
) -> Result<(Columns, Vec<Slot>), Error> {
    let mut layout = Layout::default();
    let slots = types.map(|data_type| layout.add(Physical::of(data_type)));
    let slots = slots.collect();
    let columns = Columns::new(&layout, rows);
    let columns = columns.map_err(|e| Error::new(ErrorCode::OutOfMemory, e.to_string()))?;
    Ok((columns, slots))
}

/// The Arrow schema of a file's columns.
pub fn schema_of(fields: &[Field]) -> SchemaRef {
    let fields = fields
        .iter()
        .map(|field| ArrowField::new(&field.name, to_arrow(&field.data_type), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch, which may have no columns.
fn batch(schema: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
    batch.expect("the arrays are of the schema's types")
}

fn utf8(record: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(record).map_err(|_| malformed("it is not UTF-8 text"))
}

fn line_error(path: &Path, error: LineError) -> Error {
    match error {
        LineError::Io(cause) => Error::io("read", path, &cause),
        LineError::TooLong { line } => at(path, line, malformed(error.to_string())),
    }
}

/// The error of a line of a file.
pub fn at(path: &Path, line: u64, error: Error) -> Error {
    error.context(format!("{}:{line}", path.display()))
}

/// The error of a record that is not what it should be.
pub fn malformed(what: impl Into<String>) -> Error {
    Error::new(ErrorCode::ArgumentMismatch, what)
}

/// The error of a value that has no place in a column, or none outside of it.
pub fn value_error(column: &str, cause: &ValueError) -> Error {
    let code = match cause {
        ValueError::Memory(_) => ErrorCode::OutOfMemory,
        _ => ErrorCode::ArgumentMismatch,
    };
    Error::new(code, format!("column `{column}`: {cause}"))
}
