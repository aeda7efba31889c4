//! `pelton run`: a decision over a file, with the same bits as in Flink.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use pelton_data::Field;
use pelton_data::report::{Report, Source};
use pelton_data::type_parser::parse_columns;
use pelton_decision::batch::BatchRunner;
use pelton_decision::manifest::Manifest;
use pelton_decision::{Error, ErrorCode, Generation, OnError, activation};

use crate::io::Format;
use crate::io::csv::separator_hint;
use crate::locate::{self, usage};
use crate::replay::{Replay, Replayed};
use crate::way::Way;

const EXAMPLES: &str = r#"Examples:
  pelton run --decision /data/pelton/decisions/arrival_delay --input flights.parquet --output decided.parquet
  pelton run --decision /data/pelton/decisions/arrival_delay --pin decided.jsonl
  pelton run --decision models/arrival_delay/v2 --metadata models/metadata --keep \
      --columns "$(cat models/flights/flights.columns)" --input models/flights/2013-12.csv --output decided.jsonl

CSV files:
  NULL is an empty field, "" is the empty string. TIMESTAMP is yyyy-MM-dd HH:mm:ss[.fraction],
  DATE yyyy-MM-dd, BOOLEAN true or false; numbers may be NaN, Infinity and -Infinity.

JSON files:
  One object a line, in Flink's JSON format with SQL timestamps. A key that is left out is NULL."#;

/// Decide every row of a file; rows keep their order
///
/// The first row that fails ends the run, with its number, and no output file is left behind;
/// --on-error says otherwise. A row that cannot be read always ends the run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Run {
    /// METADATA/decisions/NAME, or a directory that holds a decision.toml, published or not
    #[arg(long, value_name = "PATH")]
    decision: String,
    /// Version of METADATA/decisions/NAME [default: the active one]
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// Metadata directory with the dimensions, for a directory that is not METADATA/decisions/NAME/versions/N
    #[arg(long)]
    metadata: Option<String>,
    /// File with the records: .csv, .parquet or .jsonl (.ndjson, .json); its columns are found by name
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// File for the decisions, of one of these formats; replaced when the run is complete
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Columns of a CSV file without a header, as in CREATE TABLE: "a STRING, b TIMESTAMP(3)"; of a
    /// JSON file those to be kept beside the decision's own
    #[arg(long)]
    columns: Option<String>,
    /// Write all columns of the input in front of the decision's
    #[arg(long)]
    keep: bool,
    /// Instead of --input and --output: rows that hold the columns of the input and of the output,
    /// with `pelton.version` and `pelton.partitions`. Each is decided again by the version and the
    /// Hive partitions that it names; values that differ are shown, and the exit code is 1
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "output", "keep", "metadata"])]
    pin: Option<PathBuf>,
    /// What becomes of a row that has no decision: fail (the run ends), null (its outputs are NULL),
    /// emit (as null, and `pelton.error` in the output says why) [default: fail; with --pin emit,
    /// or null where the output has no `pelton.error`]
    #[arg(long, value_name = "fail|null|emit")]
    on_error: Option<OnError>,
    /// Rows in memory at once, for each thread; changes no result
    #[arg(long, value_name = "ROWS", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    batch: u32,
    /// Threads that read, decide and write; changes no result [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Run {
    /// Runs the decision over the file, or decides again. Values that differ then are a failure.
    pub fn run(&self) -> Result<ExitCode, Error> {
        match (&self.pin, &self.input, &self.output) {
            (Some(pin), ..) => self.replay(pin),
            (None, Some(input), Some(output)) => {
                self.decide(input, output).map(|()| ExitCode::SUCCESS)
            }
            _ => usage("--input and --output are needed, or --pin"),
        }
    }

    fn decide(&self, input: &Path, output: &Path) -> Result<(), Error> {
        let (from, to) = (Format::of(input)?, Format::of(output)?);
        check_files_differ(input, output)?;
        let generation = locate::open(&self.decision, self.version, self.metadata.as_deref())?;
        let rows = self.batch as usize;
        let known: Vec<Field> = input_fields(&generation);
        let table = from.open(input, self.declared()?, &known)?;
        let schema = table.schema().clone();
        let on_error = self.on_error.unwrap_or_default();
        let runners = (0..self.thread_count())
            .map(|_| BatchRunner::new(&generation, &schema, rows, on_error))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.with_hint(from, &schema, error.context(input.display())))?;
        let columns = self.columns_to_read(&schema, &known);
        let decided = runners[0].output_schema();
        let all = match self.keep {
            true => kept_schema(&schema, decided)?,
            false => decided.clone(),
        };
        let way = Way {
            input,
            reader: table.read(&columns, rows)?,
            runners,
            writer: to.create(output, &all)?,
            keep: self.keep.then_some(all),
        };
        let summary = way.run()?;
        eprintln!("{summary}, {}", describe(&generation));
        Ok(())
    }

    fn replay(&self, file: &Path) -> Result<ExitCode, Error> {
        let home = locate::home(&self.decision)?;
        let version = match self.version {
            Some(version) => version,
            None => activation::current(&home)?.version,
        };
        let replay = Replay {
            manifest: Manifest::read(&home.version(version))?,
            home,
            file,
            declared: self.declared()?,
            on_error: self.on_error,
            rows: self.batch as usize,
            threads: self.thread_count(),
        };
        let Replayed { rows, differences } = replay.run()?;
        say!("replayed: rows={rows} differences={differences}");
        Ok(match differences {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        })
    }

    fn declared(&self) -> Result<Option<Vec<Field>>, Error> {
        self.columns.as_deref().map(declared_columns).transpose()
    }

    /// Columns that are missing in a CSV file are often those of a file without a header.
    fn with_hint(&self, format: Format, schema: &Schema, mut error: Error) -> Error {
        let is_missing = error.code == ErrorCode::ArgumentMismatch;
        if format == Format::Csv && self.columns.is_none() && is_missing {
            let hint = match schema.fields().as_ref() {
                [only] => separator_hint(only.name()),
                _ => None,
            };
            let no_header = "\nif its first line is no header, name its columns in order: \
                             --columns \"a STRING, b INT, ...\"";
            error.message += &hint.unwrap_or(no_header.to_owned());
        }
        error
    }

    fn thread_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }

    /// The numbers of the columns that are decided on, or of all that are kept.
    fn columns_to_read(&self, schema: &Schema, input: &[Field]) -> Vec<usize> {
        let names = schema.fields().iter().map(|field| field.name()).enumerate();
        let is_read = |name: &str| self.keep || input.iter().any(|field| field.name == name);
        names
            .filter(|(_, name)| is_read(name))
            .map(|(i, _)| i)
            .collect()
    }
}

/// An output in the place of its input would be the end of the input.
fn check_files_differ(input: &Path, output: &Path) -> Result<(), Error> {
    let same = match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    match same {
        false => Ok(()),
        true => {
            let message = format!("{} is the input; give another --output", output.display());
            Err(Error::new(ErrorCode::Io, message))
        }
    }
}

fn declared_columns(text: &str) -> Result<Vec<Field>, Error> {
    let columns = parse_columns(text).map_err(|diagnostics| {
        let mut report = Report::new(Source::new("--columns", text));
        diagnostics
            .into_iter()
            .for_each(|diagnostic| report.push(diagnostic));
        Error::new(ErrorCode::ArgumentMismatch, report.to_string())
    })?;
    Ok(columns.into_iter().map(|(field, _)| field).collect())
}

fn input_fields(generation: &Generation) -> Vec<Field> {
    let input = generation.decision.plan.input.iter();
    input.map(|column| column.field.clone()).collect()
}

/// The columns of the input and those of the decision, which must have other names.
fn kept_schema(input: &Schema, decided: &Schema) -> Result<SchemaRef, Error> {
    for field in decided.fields() {
        let name = field.name();
        if input.column_with_name(name).is_some() {
            let help = "give the output another name (`... AS name`), or leave out --keep";
            let message = format!("--keep: both the input and the decision have a column `{name}`");
            return Err(Error::new(
                ErrorCode::ArgumentMismatch,
                format!("{message}; {help}"),
            ));
        }
    }
    let fields = input.fields().iter().chain(decided.fields()).cloned();
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn describe(generation: &Generation) -> String {
    let name = &generation.decision.name;
    match generation.version {
        Some(version) => format!("version {version} of {name}"),
        None => format!("{name}, not published"),
    }
}
