//! How far a run has come: a bar on a terminal, and nothing elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Rows so far, and since when.
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    rows: u64,
}

impl Progress {
    /// Starts the clock. Nothing is drawn where stderr is no terminal.
    pub fn start() -> Progress {
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {eta} left");
        let bar = ProgressBar::new(0);
        bar.set_style(style.expect("the template is well formed"));
        Progress {
            bar,
            start: Instant::now(),
            rows: 0,
        }
    }

    /// More rows are done; `position` and `length` are those of the file that is read.
    pub fn advance(&mut self, rows: usize, (position, length): (u64, u64)) {
        self.rows += rows as u64;
        if !self.bar.is_hidden() {
            self.bar.set_length(length);
            self.bar
                .set_message(format!("{} rows, {}", thousands(self.rows), self.rate()));
            self.bar.set_position(position);
        }
    }

    /// Takes the bar away and says how long it took: `28135 rows in 0.21 s (133,976 rows/s)`.
    pub fn finish(self) -> String {
        self.bar.finish_and_clear();
        let (rows, seconds) = (self.rows, self.start.elapsed().as_secs_f64());
        format!("{rows} rows in {seconds:.2} s ({})", self.rate())
    }

    fn rate(&self) -> String {
        let elapsed = self.start.elapsed().max(Duration::from_micros(1));
        let rate = self.rows as f64 / elapsed.as_secs_f64();
        format!("{} rows/s", thousands(rate as u64))
    }
}

/// `133,976`
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let numbers = [0, 999, 1_000, 133_976, 1_000_000];
        let written = numbers.map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "133,976", "1,000,000"]);
    }
}
