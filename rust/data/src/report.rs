//! All errors of a text in one report, each with its place, what was expected and what to do.
//!
//! ```text
//! decision.toml:14:21: unknown name `pane.build_year`
//!    |
//! 14 | plane_age = "2013 - pane.build_year"
//!    |                     ^^^^^^^^^^^^^^^
//!    = did you mean `plane.build_year`?
//! ```

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that errors point into: its name as the user knows it, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name, as printed.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How many names an error lists at the most.
const LISTED: usize = 12;

/// A range of bytes of a [`Source`].
pub type Span = Range<usize>;

/// One error: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The bytes that are wrong; `None` where the error is about the text as a whole.
    pub span: Option<Span>,
    /// What is wrong, naming the field and the value.
    pub message: String,
    /// What was expected, or what to do; one line each.
    pub help: Vec<String>,
}

/// The errors of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    source: Arc<Source>,
    diagnostics: Vec<Diagnostic>,
}

impl Source {
    /// A named text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source {
            name: name.into(),
            text: text.into(),
        })
    }

    /// Line and column of a byte, both counted from 1, columns in characters.
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..self.boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// The nearest start of a character at or before `byte`.
    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

impl Diagnostic {
    /// An error at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            span: Some(span),
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// An error of the text as a whole.
    pub fn of_file(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            span: None,
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Adds a line on what was expected or what to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Adds `did you mean ...?` where one of `candidates` is near to `name`; else lists them, as
    /// far as they are few enough to be read.
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        if let Some(near) = nearest(name, candidates.iter().copied()) {
            return self.help(format!("did you mean `{near}`?"));
        }
        let listed: Vec<String> = candidates
            .iter()
            .take(LISTED)
            .map(|c| format!("`{c}`"))
            .collect();
        match candidates.len().saturating_sub(LISTED) {
            _ if candidates.is_empty() => self,
            0 => self.help(format!("known here: {}", listed.join(", "))),
            more => self.help(format!("known here: {} and {more} more", listed.join(", "))),
        }
    }
}

impl Report {
    /// A report without errors so far.
    pub fn new(source: Arc<Source>) -> Report {
        Report {
            source,
            diagnostics: Vec::new(),
        }
    }

    /// The text that the errors are about.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Adds an error. The same error twice is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Keeps the value, or the error.
    pub fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// The errors in the order of the text.
    pub fn diagnostics(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.diagnostics.iter().collect();
        sorted.sort_by_key(|d| d.span.as_ref().map_or(0, |span| span.start));
        sorted
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// `value` where there are no errors, else the report.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Report> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics().into_iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            render(f, &self.source, diagnostic)?;
        }
        Ok(())
    }
}

fn render(f: &mut fmt::Formatter<'_>, source: &Source, diagnostic: &Diagnostic) -> fmt::Result {
    let Some(span) = &diagnostic.span else {
        write!(f, "{}: {}", source.name, diagnostic.message)?;
        return diagnostic
            .help
            .iter()
            .try_for_each(|help| write!(f, "\n  = {help}"));
    };
    let (line, column) = source.position(span.start);
    let text = source.text.lines().nth(line - 1).unwrap_or("");
    // Carets stay on the first line of a span that runs over several.
    let carets = source
        .text
        .get(source.boundary(span.start)..source.boundary(span.end))
        .map_or(1, |s| s.lines().next().unwrap_or("").chars().count())
        .max(1);
    // Tabs are kept, so that the caret stands below its character on any terminal.
    let indent: String = text
        .chars()
        .take(column - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let margin = " ".repeat(line.to_string().len());
    let name = &source.name;
    writeln!(f, "{name}:{line}:{column}: {}", diagnostic.message)?;
    writeln!(f, "{margin} |")?;
    writeln!(f, "{line} | {text}")?;
    write!(f, "{margin} | {indent}{}", "^".repeat(carets))?;
    diagnostic
        .help
        .iter()
        .try_for_each(|help| write!(f, "\n{margin} = {help}"))
}

/// The candidate that `name` was probably meant to be, if any is near enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_line_a_caret_and_the_nearest_name() {
        let source = Source::new("d.toml", "a = 1\nage = \"ä - pane.year\"\n");
        let start = source.text.find("pane").unwrap();
        let mut report = Report::new(source);
        report.push(
            Diagnostic::at(start..start + 9, "unknown name `pane.year`")
                .suggest("pane.year", ["plane.year", "origin"]),
        );
        let expected = "d.toml:2:12: unknown name `pane.year`\n  |\n\
                        2 | age = \"ä - pane.year\"\n  |            ^^^^^^^^^\n  \
                        = did you mean `plane.year`?";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn errors_are_printed_in_the_order_of_the_text() {
        let mut report = Report::new(Source::new("d.toml", "one\ntwo\n"));
        report.push(Diagnostic::at(4..7, "second"));
        report.push(Diagnostic::at(0..3, "first"));
        report.push(Diagnostic::at(0..3, "first"));
        let text = report.to_string();
        assert!(text.find("first").unwrap() < text.find("second").unwrap());
        assert_eq!(text.matches("first").count(), 1);
    }

    #[test]
    fn a_span_outside_the_text_does_not_panic() {
        let mut report = Report::new(Source::new("d.toml", "ä"));
        report.push(Diagnostic::at(1..90, "odd"));
        assert!(report.to_string().contains("d.toml:1:1"));
    }
}
