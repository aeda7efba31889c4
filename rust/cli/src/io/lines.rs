//! The records of a text, one a line, with what other splitters drop: in CSV a line end within
//! quotes belongs to the record. Finding them is all that is done one after the other.

use std::io::{self, BufRead, Read};

/// A longer record is more likely a quote that was never closed.
const MAX_RECORD_BYTES: usize = 16 << 20;
/// Fewer rows are taken at once where they are long.
const BATCH_BYTES: usize = 16 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The records of a text.
pub struct Lines<R> {
    input: R,
    /// Whether a record goes on behind the line while a quote is open.
    quotes: bool,
    lines: u64,
    bytes: u64,
}

/// Records that follow one another, without their line ends.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// Where each ends in `bytes`, and the line on which it began, counted from 1.
    ends: Vec<(usize, u64)>,
}

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The record that begins on a line is too long.
    #[error("a record of more than {} MiB; is a quote never closed?", MAX_RECORD_BYTES >> 20)]
    TooLong {
        /// The line, counted from 1.
        line: u64,
    },
}

impl<R: BufRead> Lines<R> {
    /// The records of `input`; with `quotes` those of CSV.
    pub fn new(input: R, quotes: bool) -> Lines<R> {
        Lines {
            input,
            quotes,
            lines: 0,
            bytes: 0,
        }
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds the next record; false where there is none.
    pub fn read(&mut self, records: &mut Records) -> Result<bool, LineError> {
        let (start, line) = (records.bytes.len(), self.lines + 1);
        let mut quotes = 0;
        loop {
            let before = records.bytes.len();
            let limit = (MAX_RECORD_BYTES + 1 - (before - start)) as u64;
            let mut limited = self.input.by_ref().take(limit);
            let read = limited.read_until(b'\n', &mut records.bytes)?;
            self.lines += u64::from(read > 0);
            self.bytes += read as u64;
            if records.bytes.len() - start > MAX_RECORD_BYTES {
                return Err(LineError::TooLong { line });
            }
            let is_quote = |byte: &&u8| self.quotes && **byte == b'"';
            quotes += records.bytes[before..].iter().filter(is_quote).count();
            // A quote that is still open at the end is found, and named, when the record is split.
            if read == 0 || quotes % 2 == 0 {
                break;
            }
        }
        if records.bytes.len() == start {
            return Ok(false);
        }
        if line == 1 && records.bytes[start..].starts_with(BYTE_ORDER_MARK) {
            records.bytes.drain(start..start + BYTE_ORDER_MARK.len());
        }
        for end in [b'\n', b'\r'] {
            if records.bytes.len() > start && records.bytes.ends_with(&[end]) {
                records.bytes.pop();
            }
        }
        records.ends.push((records.bytes.len(), line));
        Ok(true)
    }

    /// Adds up to `rows` records to none. Empty lines count as `blank` says.
    pub fn fill(
        &mut self,
        records: &mut Records,
        rows: usize,
        blank: bool,
    ) -> Result<(), LineError> {
        while records.len() < rows && records.bytes.len() < BATCH_BYTES && self.read(records)? {
            if !blank && records.last_is_blank() {
                records.ends.pop();
            }
        }
        Ok(())
    }
}

impl Records {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The records, each with the line on which it began.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = [0].into_iter().chain(self.ends.iter().map(|(end, _)| *end));
        let records = starts.zip(&self.ends);
        records.map(|(start, (end, line))| (*line, &self.bytes[start..*end]))
    }

    fn last_is_blank(&self) -> bool {
        let [.., (start, _), (end, _)] = self.ends[..] else {
            return self.bytes.is_empty();
        };
        start == end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], quotes: bool, blank: bool) -> Result<Vec<(u64, String)>, LineError> {
        // A small buffer: records cross its borders.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, bytes), quotes);
        let mut all = Vec::new();
        loop {
            let mut records = Records::default();
            lines.fill(&mut records, 2, blank)?;
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            all.extend(records.iter().map(|(line, bytes)| (line, text(bytes))));
            if records.len() == 0 {
                assert_eq!(lines.bytes(), bytes.len() as u64);
                return Ok(all);
            }
        }
    }

    #[test]
    fn records_know_the_line_they_began_on() {
        let text = b"a\r\n\"b\nb\"\n\nc";
        let record = |line, text: &str| (line, text.to_owned());
        let csv = [record(1, "a"), record(2, "\"b\nb\""), record(5, "c")];
        assert_eq!(all(text, true, false).unwrap(), csv);
        let blank = [&csv[..2], &[record(4, "")], &csv[2..]].concat();
        assert_eq!(all(text, true, true).unwrap(), blank);
        let lines = [record(2, "\"b"), record(3, "b\""), record(5, "c")];
        assert_eq!(all(text, false, false).unwrap()[1..], lines);
        assert_eq!(all(b"", true, true).unwrap(), []);
        assert_eq!(all(b"\r\n\n", true, false).unwrap(), []);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        let text = "\u{feff}a\n\u{feff}b";
        let found = all(text.as_bytes(), true, false).unwrap();
        assert_eq!(found, [(1, "a".to_owned()), (2, "\u{feff}b".to_owned())]);
    }

    #[test]
    fn a_record_without_an_end_is_not_read_into_memory() {
        for quotes in [true, false] {
            let long = vec![b'x'; MAX_RECORD_BYTES + 1];
            let error = all(&long, quotes, false).unwrap_err().to_string();
            assert!(error.starts_with("a record of more than 16 MiB"), "{error}");
            assert!(all(&long[1..], quotes, false).is_ok());
        }
    }
}
