//! The fields of a CSV record by RFC 4180, with what other splitters drop: whether a field was
//! quoted. An empty field is NULL, `""` is the empty string.

use std::ops::Range;

use pelton_decision::Error;

use super::text_file::malformed;

/// The fields of one record. Reused from record to record.
#[derive(Debug, Default)]
pub struct Record {
    /// The fields one behind the other, without quotes and separators.
    text: String,
    /// Where each field stands in `text`; `None` is NULL.
    fields: Vec<Option<Range<usize>>>,
}

impl Record {
    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field; `None` where it is NULL.
    pub fn get(&self, index: usize) -> Option<&str> {
        let field = self.fields[index].clone();
        field.map(|range| &self.text[range])
    }

    /// Splits a line into its fields.
    pub fn split(&mut self, line: &str) -> Result<(), Error> {
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
    fn push_plain<'a>(&mut self, rest: &'a str) -> Result<&'a str, Error> {
        let (field, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
        if field.contains('"') {
            let help = "quote the whole field, and write the quote twice";
            return Err(malformed(format!("a quote inside a field; {help}")));
        }
        let start = self.text.len();
        self.text.push_str(field);
        let value = start..self.text.len();
        self.fields
            .push(Some(value).filter(|value| !value.is_empty()));
        Ok(behind)
    }

    /// Adds the field whose opening quote stands before `rest`.
    fn push_quoted<'a>(&mut self, mut rest: &'a str) -> Result<&'a str, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<Option<String>>, String> {
        let mut record = Record::default();
        record.split(line).map_err(|error| error.message)?;
        let fields = (0..record.len()).map(|i| record.get(i).map(str::to_owned));
        Ok(fields.collect())
    }

    #[track_caller]
    fn one(line: &str, expected: &[Option<&str>]) {
        let fields = expected.iter().map(|field| field.map(str::to_owned));
        assert_eq!(split(line).unwrap(), fields.collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_field_is_null_and_a_quoted_one_is_not() {
        one("a,,\"\"", &[Some("a"), None, Some("")]);
        one(",", &[None, None]);
        one("\"\"", &[Some("")]);
        one("", &[None]);
    }

    #[test]
    fn quotes_hold_separators_quotes_and_line_ends() {
        one(
            "\"a,b\",\"say \"\"hi\"\"\"",
            &[Some("a,b"), Some("say \"hi\"")],
        );
        one("\"a\nb\",c", &[Some("a\nb"), Some("c")]);
        one("\"a\r\nb\"", &[Some("a\r\nb")]);
        one("\"\"\"\"", &[Some("\"")]);
        one("é,\"ü\n\"", &[Some("é"), Some("ü\n")]);
    }

    #[test]
    fn what_is_not_csv_says_what_it_is() {
        for (line, message) in [
            ("a,\"b\nc", "a quote is opened and never closed"),
            ("a\"b\",c", "a quote inside a field"),
            ("a\"b,c", "a quote inside a field"),
            ("\"a\"b,c", "text behind a closing quote"),
        ] {
            let error = split(line).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
