//! What a benchmark has measured, beside what it is compared with: for people, and as JSON.

use std::fmt::Write;
use std::{fs, io};

/// One figure, and what it is compared with.
pub struct Figure {
    pub case: String,
    /// Rows of the table.
    pub n: u64,
    pub ours: f64,
    pub peer: f64,
    pub unit: &'static str,
    /// Whether less is better.
    pub is_cost: bool,
}

impl Figure {
    /// Above 1: ours is better.
    fn ratio(&self) -> f64 {
        match self.is_cost {
            true => self.peer / self.ours,
            false => self.ours / self.peer,
        }
    }

    fn json(&self, command: &str) -> String {
        let Figure {
            case,
            n,
            ours,
            peer,
            unit,
            ..
        } = self;
        let ratio = self.ratio();
        format!(
            "{{\"case\": \"{case}\", \"n\": {n}, \"ours\": {ours:.2}, \"peer\": {peer:.2}, \
             \"unit\": \"{unit}\", \"ratio\": {ratio:.3}, \"command\": \"{command}\"}}"
        )
    }
}

/// Prints figures, and writes them to a file if there is one.
pub fn report(figures: &[Figure], command: &str, file: Option<&str>) -> io::Result<()> {
    let mut json = String::new();
    for figure in figures {
        let Figure {
            case,
            n,
            ours,
            peer,
            unit,
            ..
        } = figure;
        let ratio = figure.ratio();
        println!("  {case:<64}{n:>9}{ours:>14.2}{peer:>14.2}{ratio:>8.2}  {unit}");
        let comma = if json.is_empty() { "" } else { "," };
        let _ = write!(json, "{comma}\n  {}", figure.json(command)); // a string grows
    }
    match file {
        Some(file) => fs::write(file, format!("[{json}\n]\n")),
        None => Ok(()),
    }
}
