//! `pelton dimension stats`: what a dimension takes in memory.

use std::path::PathBuf;
use std::time::Instant;

use pelton_decision::Error;
use pelton_dimension::Image;
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
        let image = opened.load()?;
        let seconds = start.elapsed().as_secs_f64();
        match self.json {
            true => print_json(&image, seconds),
            false => print(&opened.definition.name, &image, seconds),
        }
        Ok(())
    }
}

fn print(name: &str, image: &Image, seconds: f64) {
    let (rows, bytes) = (image.rows(), image.bytes());
    say!("{name}: {} rows, loaded in {seconds:.2} s", thousands(rows));
    if !image.hive_partition().is_empty() {
        say!("  Hive partition  {}", image.hive_partition());
    }
    if image.skipped() > 0 {
        say!(
            "  left out        {} rows with a NULL in their key",
            thousands(image.skipped())
        );
    }
    let each = bytes as f64 / rows.max(1) as f64;
    say!(
        "  memory          {} bytes, {each:.1} a row",
        thousands(bytes)
    );
}

fn print_json(image: &Image, seconds: f64) {
    let stats = json!({
        "hive_partition": image.hive_partition(),
        "rows": image.rows(),
        "skipped": image.skipped(),
        "bytes": image.bytes(),
        "load_seconds": seconds,
    });
    say!("{stats}");
}
