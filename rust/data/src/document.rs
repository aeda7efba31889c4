//! A TOML file as a tree that knows where everything stands, so that every error of it can be
//! shown at its place, all at once.
//!
//! A [`Section`] is asked for the keys that its table may have. Wrong types and missing keys go
//! into the [`Report`]; [`Section::finish`] reports the keys that nobody asked for, with the
//! nearest of those that somebody did.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::report::{Diagnostic, Report, Source, Span};

/// A parsed file. What could not be parsed is in the report and left out of the tree.
#[derive(Debug)]
pub struct Document {
    /// The file's outermost table.
    pub root: Table,
}

/// A table, with its entries in the order of the file.
#[derive(Debug, Clone)]
pub struct Table {
    /// Where the table stands: its header, or its braces.
    pub span: Span,
    /// Its keys and values.
    pub entries: Vec<(Text, Node)>,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The bytes of the file that hold the value.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(Text),
    /// An integer that fits 64 bits.
    Integer(i64),
    /// A float, `nan` and `inf` included.
    Float(f64),
    /// `true` or `false`
    Boolean(bool),
    /// A date, a time or both, as written.
    Datetime(String),
    /// An array.
    Array(Vec<Node>),
    /// A table, inline or under a header.
    Table(Table),
}

/// A string of the file, or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The string without its quotes, escapes resolved.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Where its first character stands, if the file holds the string letter by letter.
    content: Option<usize>,
}

impl Text {
    /// A range of bytes of the string as a range of the file: exact where the file holds the
    /// string without escapes, else the whole string.
    pub fn place(&self, within: &Span) -> Span {
        match self.content {
            Some(start) => start + within.start..start + within.end,
            None => self.span.clone(),
        }
    }

    /// A diagnostic about a part of the string, moved to its place in the file.
    pub fn diagnostic(&self, diagnostic: Diagnostic) -> Diagnostic {
        let span = match &diagnostic.span {
            Some(within) => self.place(within),
            None => self.span.clone(),
        };
        Diagnostic {
            span: Some(span),
            ..diagnostic
        }
    }

    fn new(source: &Source, value: &str, span: Span) -> Text {
        let raw = source.text.get(span.clone()).unwrap_or("");
        let content = raw.find(value).map(|at| span.start + at);
        Text {
            value: value.to_owned(),
            content,
            span,
        }
    }
}

impl Document {
    /// Parses a file; syntax errors, keys given twice included, go into the report.
    pub fn parse(source: &Arc<Source>, report: &mut Report) -> Document {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let message = error.message().to_owned();
            report.push(match error.span() {
                Some(span) => Diagnostic::at(span, message),
                None => Diagnostic::of_file(message),
            });
        }
        let root = convert_table(source, table.get_ref(), 0..0, report);
        Document { root }
    }
}

fn convert_table(source: &Source, table: &DeTable<'_>, span: Span, report: &mut Report) -> Table {
    let entries = table
        .iter()
        .filter_map(|(key, value)| {
            let key = Text::new(source, key.get_ref(), key.span());
            Some((key, convert(source, value, report)?))
        })
        .collect();
    Table { span, entries }
}

fn convert(source: &Source, node: &Spanned<DeValue<'_>>, report: &mut Report) -> Option<Node> {
    let span = node.span();
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Text(Text::new(source, text, span.clone())),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(value) => Value::Datetime(value.to_string()),
        DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(value) => Value::Integer(value),
            Err(_) => {
                let message = format!("the integer {value} does not fit 64 bits");
                report.push(Diagnostic::at(span, message));
                return None;
            }
        },
        DeValue::Float(value) => Value::Float(value.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Array(values) => Value::Array(
            values
                .iter()
                .filter_map(|value| convert(source, value, report))
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(convert_table(source, table, span.clone(), report)),
    };
    Some(Node { span, value })
}

impl Node {
    /// What the value is, in words, for errors.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the string {:?}", text.value),
            Value::Integer(value) => format!("the integer {value}"),
            Value::Float(value) => format!("the float {value}"),
            Value::Boolean(value) => format!("{value}"),
            Value::Datetime(value) => format!("the date {value}"),
            Value::Array(values) => format!("an array of {} values", values.len()),
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// The error that this value is not what was expected.
    pub fn expected(&self, path: &str, expected: &str) -> Diagnostic {
        let message = format!("`{path}` is {}", self.describe());
        Diagnostic::at(self.span.clone(), message).help(format!("expected {expected}"))
    }
}

/// A table while it is read: which keys it may have becomes known by asking for them.
pub struct Section<'a> {
    table: &'a Table,
    path: String,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The table at `path` (dotted, empty for the file's outermost table).
    pub fn new(table: &'a Table, path: impl Into<String>) -> Section<'a> {
        Section {
            table,
            path: path.into(),
            known: Vec::new(),
        }
    }

    /// Where the table stands.
    pub fn span(&self) -> Span {
        self.table.span.clone()
    }

    /// The dotted path of one of its keys.
    pub fn path(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// The value of a key, of whatever type.
    pub fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        let mut entries = self.table.entries.iter();
        let found = entries.find(|(name, _)| name.value == key);
        found.map(|(_, node)| node)
    }

    /// A string, if the key is there.
    pub fn text(&mut self, key: &'static str, report: &mut Report) -> Option<&'a Text> {
        let node = self.node(key)?;
        self.as_text(key, node, report)
    }

    /// A string that must be there; `what` says in the error what it is for.
    pub fn required_text(
        &mut self,
        key: &'static str,
        what: &str,
        report: &mut Report,
    ) -> Option<&'a Text> {
        let node = self.required(key, what, report)?;
        self.as_text(key, node, report)
    }

    /// A value that must be there; `what` says in the error what it is for.
    pub fn required(
        &mut self,
        key: &'static str,
        what: &str,
        report: &mut Report,
    ) -> Option<&'a Node> {
        let node = self.node(key);
        if node.is_none() {
            report.push(self.missing(key, what));
        }
        node
    }

    /// An array of strings, if the key is there.
    pub fn texts(&mut self, key: &'static str, report: &mut Report) -> Option<Vec<&'a Text>> {
        let node = self.node(key)?;
        let path = self.path(key);
        let Value::Array(values) = &node.value else {
            report.push(node.expected(&path, "an array of strings"));
            return None;
        };
        let texts = values.iter().filter_map(|value| match &value.value {
            Value::Text(text) => Some(text),
            _ => {
                report.push(value.expected(&path, "an array of strings"));
                None
            }
        });
        Some(texts.collect())
    }

    /// An integer, if the key is there.
    pub fn integer(&mut self, key: &'static str, report: &mut Report) -> Option<i64> {
        let node = self.node(key)?;
        match node.value {
            Value::Integer(value) => Some(value),
            _ => {
                report.push(node.expected(&self.path(key), "an integer"));
                None
            }
        }
    }

    /// A table, if the key is there.
    pub fn table(&mut self, key: &'static str, report: &mut Report) -> Option<&'a Table> {
        let node = self.node(key)?;
        as_table(&self.path(key), node, report)
    }

    /// The named tables below a key: `[lookups.plane]`, `[lookups.weather]`.
    pub fn tables(
        &mut self,
        key: &'static str,
        report: &mut Report,
    ) -> Vec<(&'a Text, Section<'a>)> {
        let Some(table) = self.table(key, report) else {
            return Vec::new();
        };
        let path = self.path(key);
        let sections = table.entries.iter().filter_map(|(name, node)| {
            let path = format!("{path}.{}", name.value);
            let table = as_table(&path, node, report)?;
            Some((name, Section::new(table, path)))
        });
        sections.collect()
    }

    /// Reports the keys that nobody asked for.
    pub fn finish(self, report: &mut Report) {
        for (name, _) in &self.table.entries {
            if !self.known.contains(&name.value.as_str()) {
                let message = format!("unknown key `{}`", self.path(&name.value));
                let diagnostic = Diagnostic::at(name.span.clone(), message);
                report.push(diagnostic.suggest(&name.value, self.known.iter().copied()));
            }
        }
    }

    /// The error that a key is not there.
    fn missing(&self, key: &str, what: &str) -> Diagnostic {
        let message = format!("`{}` is missing", self.path(key));
        let diagnostic = match self.path.as_str() {
            "" => Diagnostic::of_file(message),
            _ => Diagnostic::at(self.span(), message),
        };
        diagnostic.help(format!("expected {what}"))
    }

    fn as_text(&self, key: &str, node: &'a Node, report: &mut Report) -> Option<&'a Text> {
        match &node.value {
            Value::Text(text) => Some(text),
            _ => {
                report.push(node.expected(&self.path(key), "a string"));
                None
            }
        }
    }
}

/// The table that a value is, or an error.
pub fn as_table<'a>(path: &str, node: &'a Node, report: &mut Report) -> Option<&'a Table> {
    match &node.value {
        Value::Table(table) => Some(table),
        _ => {
            report.push(node.expected(path, "a table"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, walk: impl FnOnce(&mut Section<'_>, &mut Report)) -> String {
        let source = Source::new("d.toml", text);
        let mut report = Report::new(source.clone());
        let document = Document::parse(&source, &mut report);
        let mut section = Section::new(&document.root, "");
        walk(&mut section, &mut report);
        section.finish(&mut report);
        report.to_string()
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let text = read("nmae = 'a'\n", |section, report| {
            section.text("name", report);
        });
        assert!(text.starts_with("d.toml:1:1: unknown key `nmae`"), "{text}");
        assert!(text.ends_with("did you mean `name`?"), "{text}");
    }

    #[test]
    fn wrong_types_missing_keys_and_syntax_come_in_one_report() {
        let text = read(
            "name = 7\n[lookups]\nplane = 1\nx = = 2\n",
            |section, report| {
                section.text("name", report);
                section.required_text("input", "the column list", report);
                section.tables("lookups", report);
            },
        );
        for part in [
            "`input` is missing",
            "`name` is the integer 7",
            "`lookups.plane` is the integer 1",
            "d.toml:4:",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_key_given_twice_is_an_error_at_the_second() {
        let text = read("name = 'a'\nname = 'b'\n", |section, report| {
            section.text("name", report);
        });
        assert!(text.starts_with("d.toml:2:1: duplicate key"), "{text}");
    }

    #[test]
    fn places_inside_a_string_are_places_in_the_file() {
        let text = "a = \"\"\"\n  x + y\"\"\"\nb = \"q\\\"r\"\n";
        let source = Source::new("d.toml", text);
        let mut report = Report::new(source.clone());
        let document = Document::parse(&source, &mut report);
        let mut section = Section::new(&document.root, "");
        let plain = section.text("a", &mut report).unwrap();
        let y = plain.value.find('y').unwrap();
        assert_eq!(&text[plain.place(&(y..y + 1))], "y");
        let escaped = section.text("b", &mut report).unwrap();
        assert_eq!(escaped.place(&(1..2)), escaped.span);
    }

    #[test]
    fn entries_keep_the_order_of_the_file() {
        let source = Source::new("d.toml", "b = 1\na = 2\n");
        let mut report = Report::new(source.clone());
        let document = Document::parse(&source, &mut report);
        let keys: Vec<_> = document
            .root
            .entries
            .iter()
            .map(|(k, _)| &k.value)
            .collect();
        assert_eq!(keys, ["b", "a"]);
    }
}
