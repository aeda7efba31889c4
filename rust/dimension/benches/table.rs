//! Writes what the benchmarks of dimensions read:
//!
//! - `table DIR ROWS`: a metadata directory with the table of [`tables`], as Parquet, and two
//!   dimensions over it, `by_id` and `by_code`. A second edition of the data lies beside it, hidden,
//!   for those that measure a refresh.
//! - `table DEFINITION PARQUET OUT`: the rows of a Parquet file as Flink holds them, for peers.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use pelton_data::binary_row::RowWriter;
use pelton_data::columns::{Columns, Layout, Physical};
use pelton_data::report::Source;
use pelton_data::{DataType, Field};
use pelton_dimension::Definition;

mod tables;

/// Rows that are made or read at a time.
const BATCH: u64 = 8192;

/// As writers of 128 MB row groups have them.
const ROW_GROUP: usize = 500_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [definition, parquet, out] => write_rows(definition, parquet, out),
        [directory, rows] => write_table(Path::new(directory), rows.parse()?),
        [] => Ok(()), // `cargo bench` of the whole workspace
        _ => Err("expected: DIR ROWS, or: DEFINITION PARQUET OUT".into()),
    }
}

fn write_table(directory: &Path, rows: u64) -> Result<(), Box<dyn Error>> {
    for (name, key, data_type) in [("by_id", "id", "BIGINT"), ("by_code", "code", "STRING")] {
        let columns = tables::COLUMNS;
        let definition = format!(
            "path      = \"measured\"\nformat    = \"parquet\"\npartition = \"dt DATE\"\n\
             columns   = \"\"\"\n  {key} {data_type},\n{columns}\n\"\"\"\nkey       = [\"{key}\"]\n"
        );
        let dimensions = directory.join("dimensions");
        fs::create_dir_all(&dimensions)?;
        fs::write(dimensions.join(format!("{name}.toml")), definition)?;
    }
    for (edition, partition) in ["dt=2013-01-01", ".dt=2013-01-02"].iter().enumerate() {
        let partition = directory.join("measured").join(partition);
        fs::create_dir_all(&partition)?;
        write_parquet(&partition.join("part-0.parquet"), rows, edition as u64)?;
        fs::write(partition.join("_SUCCESS"), "")?;
    }
    Ok(())
}

fn write_parquet(path: &Path, rows: u64, edition: u64) -> Result<(), Box<dyn Error>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let schema = tables::batch(0, 0, edition).schema();
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?;
    for first in (0..rows).step_by(BATCH as usize) {
        writer.write(&tables::batch(first, BATCH.min(rows - first), edition))?;
    }
    writer.close()?;
    Ok(())
}

/// Every number big-endian, every text behind its length in 2 bytes, as Java's `DataInput` reads
/// them: the row type and the names of the key; each row behind its length in 4 bytes, and -1 behind
/// the last; the bytes of all values.
fn write_rows(definition: &str, parquet: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let source = Source::new(definition, fs::read_to_string(definition)?);
    let definition = Definition::parse(&source).map_err(|report| report.to_string())?;
    let in_partition = |field: &&Field| definition.partition.contains(field);
    let fields = definition
        .columns
        .iter()
        .filter(|field| !in_partition(field));
    let fields: Vec<Field> = fields.cloned().collect();

    let mut layout = Layout::default();
    let place = |field: &Field| {
        let Field {
            name, data_type, ..
        } = field;
        let slot = layout.add(Physical::of(data_type));
        (name.clone(), data_type.clone(), slot)
    };
    let places: Vec<_> = fields.iter().map(place).collect();
    let mut columns = Columns::new(&layout, BATCH as usize)?;
    let written: Vec<_> = places
        .iter()
        .map(|(_, t, slot)| (t.clone(), *slot))
        .collect();
    let (writer, mut row_bytes, mut value_bytes) = (RowWriter::new(&written), Vec::new(), 0);

    let mut out = BufWriter::new(File::create(out)?);
    write_text(&mut out, &DataType::Row(fields.clone()).to_string())?;
    write_text(&mut out, &definition.key.join(","))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(parquet)?)?;
    for batch in reader.with_batch_size(BATCH as usize).build()? {
        let batch = batch?;
        tables::load(&batch, &places, &mut columns)?;
        for row in 0..batch.num_rows() {
            value_bytes += tables::value_bytes(&places, &columns, row);
            writer.write_to_vec(&columns, row, &mut row_bytes)?;
            out.write_all(&i32::try_from(row_bytes.len())?.to_be_bytes())?;
            out.write_all(&row_bytes)?;
        }
    }
    out.write_all(&(-1_i32).to_be_bytes())?;
    out.write_all(&value_bytes.to_be_bytes())?;
    Ok(out.flush()?)
}

fn write_text(out: &mut impl Write, text: &str) -> Result<(), Box<dyn Error>> {
    out.write_all(&u16::try_from(text.len())?.to_be_bytes())?;
    Ok(out.write_all(text.as_bytes())?)
}
