//! Files of records: read and written batch by batch, so that memory is bounded by the batch.

pub mod csv;
mod json;
mod lines;
mod parquet;
mod record;
mod text_file;

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use pelton_data::Field;
use pelton_decision::{Error, ErrorCode};
use tempfile::NamedTempFile;

/// A format of files, told by the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.csv`
    Csv,
    /// `.jsonl`, `.ndjson`, `.json`: JSON lines
    Json,
    /// `.parquet`
    Parquet,
}

/// A file whose columns are known and whose rows are not read yet.
pub trait Table {
    /// All its columns.
    fn schema(&self) -> &SchemaRef;
    /// Reads the columns with the given numbers, in the order of the file, `rows` rows at a time.
    fn read(self: Box<Self>, columns: &[usize], rows: usize) -> Result<Box<dyn Reader>, Error>;
}

/// The rows of a file, in its order. One thread reads at a time; what else there is to do for a
/// chunk of rows is done by [`Chunk::decode`], beside others.
pub trait Reader: Send {
    /// The next rows; `None` behind the last.
    fn next(&mut self) -> Result<Option<Box<dyn Chunk>>, Error>;
    /// How far reading has come, and how far it goes, in a unit of the format's own.
    fn progress(&self) -> (u64, u64);
}

/// Rows that follow one another.
pub trait Chunk: Send {
    /// Makes a batch of them.
    fn decode(self: Box<Self>) -> Decoded;
}

/// What a chunk holds.
pub struct Decoded {
    /// How many rows of the file stand before it.
    pub before: u64,
    /// Its rows, up to the first that is not what it should be.
    pub batch: RecordBatch,
    /// What is wrong with that.
    pub failed: Option<Error>,
}

/// A file that is being written. It gets its name when it is finished, never before.
pub trait Writer: Send {
    /// Does what can be done for a batch beside others.
    fn encoder(&self) -> Arc<dyn Encode>;
    /// Adds rows: a batch, and what the encoder has made of it.
    fn write(&mut self, batch: &RecordBatch, text: &str) -> Result<(), Error>;
    /// Writes what is left, and gives the file its name.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Rows as text, for a file of text.
pub trait Encode: Send + Sync {
    /// The text of a batch.
    fn encode(&self, batch: &RecordBatch) -> Result<String, Error>;
}

impl Format {
    /// The format of a file by its extension.
    pub fn of(path: &Path) -> Result<Format, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Format::Csv),
            Some("jsonl" | "ndjson" | "json") => Ok(Format::Json),
            Some("parquet") => Ok(Format::Parquet),
            _ => {
                let found = extension.map(|extension| format!("`.{extension}` is not supported"));
                let found = found.unwrap_or("it has no extension".to_owned());
                let expected = "expected `.csv`, `.jsonl` (`.ndjson`, `.json`) or `.parquet`";
                let message = format!("{}: {found}; {expected}", path.display());
                Err(Error::new(ErrorCode::NotSupported, message))
            }
        }
    }

    /// Opens a file. `declared` are its columns, where it does not say what they are; `known` have
    /// their types in a CSV file with a header, whose others are strings, and are those of a JSON
    /// file.
    pub fn open(
        self,
        path: &Path,
        declared: Option<Vec<Field>>,
        known: &[Field],
    ) -> Result<Box<dyn Table>, Error> {
        Ok(match (self, declared) {
            (Format::Csv, declared) => Box::new(csv::CsvTable::open(path, declared, known)?),
            (Format::Json, declared) => Box::new(json::JsonTable::open(path, declared, known)?),
            (Format::Parquet, None) => Box::new(parquet::ParquetTable::open(path)?),
            (Format::Parquet, Some(_)) => {
                let message = "--columns is for CSV and JSON; a Parquet file has its own";
                return Err(Error::new(ErrorCode::NotSupported, message).context(path.display()));
            }
        })
    }

    /// Begins a file.
    pub fn create(self, path: &Path, schema: &SchemaRef) -> Result<Box<dyn Writer>, Error> {
        match self {
            Format::Csv => csv::create(path, schema),
            Format::Json => json::create(path, schema),
            Format::Parquet => parquet::create(path, schema),
        }
    }
}

/// A file beside `path` that goes away unless it is renamed.
pub fn stage(path: &Path) -> Result<NamedTempFile, Error> {
    let target = target(path);
    let directory = directory(&target);
    if !directory.is_dir() {
        let (path, directory) = (path.display(), directory.display());
        let help = format!("there is no directory {directory}; make it, or write elsewhere");
        let message = format!("cannot write {path}: {help}");
        return Err(Error::new(ErrorCode::Io, message));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pelton-").suffix(".unfinished");
    // As any new file; the process's umask takes away what it takes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let staged = builder.tempfile_in(directory);
    staged.map_err(|cause| Error::io("write beside", path, &cause))
}

/// Gives a staged file its name. A file that had it is replaced.
pub fn unstage(staged: NamedTempFile, path: &Path) -> Result<(), Error> {
    let renamed = staged.persist(target(path));
    renamed
        .map(drop)
        .map_err(|failed| Error::io("write", path, &failed.error))
}

/// Where a file comes to lie: a symbolic link stays one, and what it points to is written.
fn target(path: &Path) -> PathBuf {
    let whole = path.canonicalize().ok();
    let dangling = || Some(directory(path).join(fs::read_link(path).ok()?));
    whole.or_else(dangling).unwrap_or(path.to_owned())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// An error of a file that is not what it should be.
pub fn invalid(path: &Path, what: impl Display) -> Error {
    Error::new(ErrorCode::ArgumentMismatch, what.to_string()).context(path.display())
}
