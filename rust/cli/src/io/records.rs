//! The records of a CSV file by RFC 4180, with what other splitters drop: whether a field was
//! quoted. An empty field is NULL, `""` is the empty string.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// A longer record is more likely a quote that was never closed.
const MAX_RECORD_BYTES: usize = 16 << 20;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The records of a text, one at a time.
pub struct Records<R> {
    input: R,
    /// The bytes of the record at hand.
    raw: Vec<u8>,
    lines: u64,
    bytes: u64,
    first_line: u64,
}

/// The fields of one record. Reused from record to record.
#[derive(Debug, Default)]
pub struct Record {
    /// The fields one behind the other, without quotes and separators.
    text: String,
    /// Where each field stands in `text`; `None` is NULL.
    fields: Vec<Option<Range<usize>>>,
}

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are not CSV.
    #[error("{0}")]
    Malformed(String),
}

impl<R: BufRead> Records<R> {
    /// The records of `input`.
    pub fn new(input: R) -> Records<R> {
        Records {
            input,
            raw: Vec::new(),
            lines: 0,
            bytes: 0,
            first_line: 1,
        }
    }

    /// Reads the next record; false where there is none.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, RecordError> {
        if !self.read_raw()? {
            return Ok(false);
        }
        let raw = match self.first_line {
            1 => self.raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.raw),
            _ => &self.raw,
        };
        let line = raw.strip_suffix(b"\n").unwrap_or(raw);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| malformed("not UTF-8 text"))?;
        record.split(text)?;
        Ok(true)
    }

    /// The line, counted from 1, on which the last record began.
    pub fn line(&self) -> u64 {
        self.first_line
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads whole lines until every quote is closed: in RFC 4180 each has its partner.
    fn read_raw(&mut self) -> Result<bool, RecordError> {
        self.raw.clear();
        self.first_line = self.lines + 1;
        let mut quotes = 0;
        loop {
            let start = self.raw.len();
            let limit = (MAX_RECORD_BYTES + 1 - start) as u64;
            let mut limited = self.input.by_ref().take(limit);
            let read = limited.read_until(b'\n', &mut self.raw)?;
            self.lines += u64::from(read > 0);
            self.bytes += read as u64;
            quotes += self.raw[start..]
                .iter()
                .filter(|byte| **byte == b'"')
                .count();
            if self.raw.len() > MAX_RECORD_BYTES {
                let limit = MAX_RECORD_BYTES >> 20;
                let what = format!("a record of more than {limit} MiB; is a quote never closed?");
                return Err(malformed(&what));
            }
            match (read, quotes % 2) {
                // A quote that is still open now is found, and named, when the record is split.
                (0, _) => return Ok(!self.raw.is_empty()),
                (_, 0) => return Ok(true),
                _ => {}
            }
        }
    }
}

impl Record {
    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the record is an empty line.
    pub fn is_blank(&self) -> bool {
        self.fields == [None]
    }

    /// A field; `None` where it is NULL.
    pub fn get(&self, index: usize) -> Option<&str> {
        let field = self.fields[index].clone();
        field.map(|range| &self.text[range])
    }

    fn split(&mut self, line: &str) -> Result<(), RecordError> {
        self.text.clear();
        self.fields.clear();
        let mut rest = line;
        loop {
            rest = match rest.strip_prefix('"') {
                Some(quoted) => self.push_quoted(quoted)?,
                None => self.push_plain(rest)?,
            };
            rest = match rest.strip_prefix(',') {
                Some(next) => next,
                None if rest.is_empty() => return Ok(()),
                None => return Err(malformed("text behind a closing quote; expected `,`")),
            };
        }
    }

    /// Adds the field at the start of `rest` and returns what stands behind it.
    fn push_plain<'a>(&mut self, rest: &'a str) -> Result<&'a str, RecordError> {
        let (field, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
        if field.contains('"') {
            let help = "quote the whole field, and write the quote twice";
            return Err(malformed(&format!("a quote inside a field; {help}")));
        }
        let start = self.text.len();
        self.text.push_str(field);
        let value = start..self.text.len();
        self.fields
            .push(Some(value).filter(|value| !value.is_empty()));
        Ok(behind)
    }

    /// Adds the field whose opening quote stands before `rest`.
    fn push_quoted<'a>(&mut self, mut rest: &'a str) -> Result<&'a str, RecordError> {
        let start = self.text.len();
        loop {
            let Some((part, behind)) = rest.split_once('"') else {
                return Err(malformed("a quote is opened and never closed"));
            };
            self.text.push_str(part);
            let Some(next) = behind.strip_prefix('"') else {
                self.fields.push(Some(start..self.text.len()));
                return Ok(behind);
            };
            self.text.push('"');
            rest = next;
        }
    }
}

fn malformed(what: &str) -> RecordError {
    RecordError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<Option<String>>;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Fields)>, RecordError> {
        // A small buffer: fields cross its borders.
        let mut records = Records::new(io::BufReader::with_capacity(3, bytes));
        let mut record = Record::default();
        let mut all = Vec::new();
        while records.read(&mut record)? {
            let fields = (0..record.len()).map(|i| record.get(i).map(str::to_owned));
            all.push((records.line(), fields.collect()));
        }
        assert_eq!(records.bytes(), bytes.len() as u64);
        Ok(all)
    }

    fn fields(fields: &[Option<&str>]) -> Fields {
        fields
            .iter()
            .map(|field| field.map(str::to_owned))
            .collect()
    }

    #[track_caller]
    fn one(text: &str, expected: &[Option<&str>]) {
        assert_eq!(all(text.as_bytes()).unwrap(), [(1, fields(expected))]);
    }

    #[test]
    fn an_empty_field_is_null_and_a_quoted_one_is_not() {
        one("a,,\"\"\n", &[Some("a"), None, Some("")]);
        one(",", &[None, None]);
        one("\"\"", &[Some("")]);
        one("\n", &[None]);
    }

    #[test]
    fn quotes_hold_separators_quotes_and_newlines() {
        one(
            "\"a,b\",\"say \"\"hi\"\"\"",
            &[Some("a,b"), Some("say \"hi\"")],
        );
        one("\"a\nb\",c\n", &[Some("a\nb"), Some("c")]);
        one("\"a\r\nb\"\r\n", &[Some("a\r\nb")]);
        one("\"\"\"\"", &[Some("\"")]);
        one("é,\"ü\n\"", &[Some("é"), Some("ü\n")]);
    }

    #[test]
    fn records_know_the_line_they_began_on() {
        let found = all(b"a\r\n\"b\nb\"\n\nc").unwrap();
        let expected = [
            (1, fields(&[Some("a")])),
            (2, fields(&[Some("b\nb")])),
            (4, fields(&[None])),
            (5, fields(&[Some("c")])),
        ];
        assert_eq!(found, expected);
        assert_eq!(all(b"").unwrap(), []);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        one("\u{feff}a,b\n", &[Some("a"), Some("b")]);
        one("\u{feff}\"a\"", &[Some("a")]);
    }

    #[test]
    fn what_is_not_csv_says_what_it_is() {
        for (bytes, message) in [
            (&b"a,\"b\nc"[..], "a quote is opened and never closed"),
            (b"a\"b\",c", "a quote inside a field"),
            (b"a\"b,c\nd", "a quote inside a field"),
            (b"\"a\"b,c", "text behind a closing quote"),
            (b"\xff,c", "not UTF-8 text"),
        ] {
            let error = all(bytes).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let long = vec![b'x'; MAX_RECORD_BYTES + 1];
        let error = all(&long).unwrap_err().to_string();
        assert!(error.starts_with("a record of more than 16 MiB"), "{error}");
        assert!(all(&long[1..]).is_ok());
    }
}
