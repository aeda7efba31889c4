//! `pelton dimension stats`: what a dimension takes in memory.

use std::path::PathBuf;
use std::time::Instant;

use pelton_decision::Error;
use pelton_dimension::Image;
use pelton_dimension::image::ColumnStatistics;
use serde_json::json;

use super::Opened;
use crate::progress::thousands;

/// Load a dimension with all its columns, and print what it holds and takes in memory
///
/// A job holds only the columns that it reads.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  pelton dimension stats models/metadata/dimensions/planes.toml"
)]
pub struct Stats {
    /// METADATA/dimensions/NAME.toml
    #[arg(value_name = "PATH")]
    definition: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Stats {
    pub fn run(&self) -> Result<(), Error> {
        let opened = Opened::open(&self.definition)?;
        let start = Instant::now();
        let image = opened.load(&opened.inspect()?)?;
        let seconds = start.elapsed().as_secs_f64();
        match self.json {
            true => print_json(&image, seconds),
            false => print(&opened.definition.name, &image, seconds),
        }
        Ok(())
    }
}

fn print(name: &str, image: &Image, seconds: f64) {
    let rows = image.rows();
    let each = |bytes: u64| bytes as f64 / rows.max(1) as f64;
    say!("{name}: {} rows, loaded in {seconds:.2} s", thousands(rows));
    if !image.hive_partition().is_empty() {
        say!("  Hive partition  {}", image.hive_partition());
    }
    for (count, why) in [
        (image.skipped(), "with a NULL in their key"),
        (image.duplicates(), "of keys that stand twice"),
    ] {
        if count > 0 {
            say!("  left out        {} rows {why}", thousands(count));
        }
    }
    let (bytes, index) = (image.bytes(), image.index_bytes());
    let load = 100.0 * image.index_load();
    say!(
        "  memory          {} bytes, {:.1} a row",
        thousands(bytes),
        each(bytes)
    );
    say!(
        "  index           {:.1} bytes a row, {load:.0} % of its entries in use",
        each(index)
    );
    let columns = image.column_statistics();
    let names = columns.iter().map(|column| name_of(column).chars().count());
    let width = names.max().unwrap_or(0);
    for column in &columns {
        let (name, bytes) = (name_of(column), each(column.bytes));
        say!("    {name:<width$}  {bytes:>7.2}  {}", column.coding);
    }
}

/// A key of several columns is found by all of them together.
fn name_of(column: &ColumnStatistics) -> &str {
    column.name.as_deref().unwrap_or("(key)")
}

fn print_json(image: &Image, seconds: f64) {
    let columns = image.column_statistics().into_iter();
    let columns = columns
        .map(|column| json!({"name": column.name, "coding": column.coding, "bytes": column.bytes}));
    let stats = json!({
        "hive_partition": image.hive_partition(),
        "rows": image.rows(),
        "skipped": image.skipped(),
        "duplicates": image.duplicates(),
        "bytes": image.bytes(),
        "index_bytes": image.index_bytes(),
        "index_load": image.index_load(),
        "columns": columns.collect::<Vec<_>>(),
        "load_seconds": seconds,
    });
    say!("{stats}");
}
