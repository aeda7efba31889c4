//! Reads types and column lists as they stand in a `CREATE TABLE` of Flink SQL.
//!
//! The types are those of [`DataType`], with Flink's aliases and default precisions; what it
//! writes of itself reads back the same. A type that Flink knows and Pelton does not is refused
//! by name.

#[cfg(test)]
mod tests;
mod tokens;

use std::ops::RangeInclusive;

use crate::report::{Diagnostic, Span};
use crate::types::{DataType, Element, Field, MAX_LENGTH};
use tokens::{Token, tokenize};

/// How deep types may be nested: far more than anyone writes, far less than the stack holds.
const MAX_DEPTH: usize = 64;

/// Every word that a type may begin with, for suggestions.
const KNOWN: [&str; 24] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "NUMERIC",
    "DEC",
    "CHAR",
    "VARCHAR",
    "STRING",
    "BINARY",
    "VARBINARY",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "ARRAY",
    "MAP",
    "ROW",
];

/// Words that begin another part of a `CREATE TABLE` than a column.
const NOT_A_COLUMN: [&str; 5] = ["PRIMARY", "CONSTRAINT", "UNIQUE", "WATERMARK", "PERIOD"];

/// Reads one type with its nullability: `STRING`, `ARRAY<INT NOT NULL> NOT NULL`.
pub fn parse_type(text: &str) -> Result<Element, Diagnostic> {
    let mut parser = Parser::new(text)?;
    let element = parser.element(0)?;
    match parser.peek() {
        Token::End => Ok(element),
        _ => Err(parser.unexpected("the end of the type")),
    }
}

/// Reads a column list: ``tailnum STRING, `order` INT NOT NULL``. Each column comes with the place
/// of its name. All errors are found that can be told apart: one a column.
pub fn parse_columns(text: &str) -> Result<Vec<(Field, Span)>, Vec<Diagnostic>> {
    let mut parser = Parser::new(text).map_err(|error| vec![error])?;
    let mut columns: Vec<(Field, Span)> = Vec::new();
    let mut errors = Vec::new();
    loop {
        let start = parser.next;
        match parser.column() {
            Ok((field, span)) => match duplicate(&columns, &field.name, &span) {
                Some(error) => errors.push(error),
                None => columns.push((field, span)),
            },
            Err(error) => {
                errors.push(error);
                parser.skip_column(start);
            }
        }
        if !parser.symbol(',') {
            break;
        }
    }
    if errors.is_empty() {
        Ok(columns)
    } else {
        Err(errors)
    }
}

fn duplicate(columns: &[(Field, Span)], name: &str, span: &Span) -> Option<Diagnostic> {
    let known = columns.iter().any(|(field, _)| field.name == name);
    known.then(|| {
        Diagnostic::at(span.clone(), format!("column `{name}` is declared twice"))
            .help("every column has a name of its own")
    })
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token<'a>, Span)>,
    /// The place of the next token; the last one is `End`, and stays.
    next: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Parser<'a>, Diagnostic> {
        let tokens = tokenize(text)?;
        Ok(Parser {
            text,
            tokens,
            next: 0,
        })
    }

    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next].0
    }

    fn span(&self) -> Span {
        self.tokens[self.next].1.clone()
    }

    fn take(&mut self) -> (Token<'a>, Span) {
        let token = self.tokens[self.next].clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let found = *self.peek() == Token::Symbol(symbol);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, symbol: char) -> Result<(), Diagnostic> {
        match self.symbol(symbol) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{symbol}`"))),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.take();
        }
        found
    }

    fn keywords(&mut self, keywords: &[&str]) -> Result<(), Diagnostic> {
        for keyword in keywords {
            if !self.keyword(keyword) {
                return Err(self.unexpected(&format!("`{keyword}`")));
            }
        }
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> Diagnostic {
        let message = match self.peek() {
            Token::End => format!("expected {expected}, but the text ends here"),
            _ => format!("expected {expected}, found `{}`", &self.text[self.span()]),
        };
        Diagnostic::at(self.span(), message)
    }

    /// `name TYPE [NOT NULL] [COMMENT '...']`
    fn column(&mut self) -> Result<(Field, Span), Diagnostic> {
        if let Token::Word(word) = *self.peek()
            && NOT_A_COLUMN.iter().any(|w| w.eq_ignore_ascii_case(word))
        {
            let message = format!("`{word}` begins no column");
            return Err(Diagnostic::at(self.span(), message).help(format!(
                "only columns, `name TYPE`, stand here; a column of that name is written `{word}` \
                 in backticks"
            )));
        }
        let column = self.field(0)?;
        if self.keyword("COMMENT") {
            if *self.peek() != Token::Text {
                return Err(self.unexpected("a comment in single quotes"));
            }
            self.take();
        }
        match self.peek() {
            Token::End | Token::Symbol(',') => Ok(column),
            _ => Err(self.unexpected("`,` or the end of the columns")),
        }
    }

    /// Goes to the `,` behind the column that begins at token `start`, after an error in it.
    fn skip_column(&mut self, start: usize) {
        let mut depth = 0;
        for (i, (token, _)) in self.tokens.iter().enumerate().skip(start) {
            match token {
                Token::Symbol('<' | '(') => depth += 1,
                Token::Symbol('>' | ')') => depth -= 1,
                Token::Symbol(',') if depth <= 0 && i >= self.next => {
                    self.next = i;
                    return;
                }
                _ => {}
            }
        }
        self.next = self.tokens.len() - 1;
    }

    fn field(&mut self, depth: usize) -> Result<(Field, Span), Diagnostic> {
        let span = self.span();
        let name = match self.peek() {
            Token::Word(word) => word.to_string(),
            Token::Quoted(name) => name.clone(),
            _ => return Err(self.unexpected("a column's name")),
        };
        self.take();
        if *self.peek() == Token::End || *self.peek() == Token::Symbol(',') {
            return Err(Diagnostic::at(span, format!("column `{name}` has no type"))
                .help(format!("write its type behind it: `{name} STRING`")));
        }
        let Element {
            data_type,
            nullable,
        } = self.element(depth)?;
        let field = Field {
            name,
            data_type,
            nullable,
        };
        Ok((field, span))
    }

    /// A type and its nullability.
    fn element(&mut self, depth: usize) -> Result<Element, Diagnostic> {
        if depth > MAX_DEPTH {
            let message = format!("types are nested deeper than {MAX_DEPTH} times");
            return Err(Diagnostic::at(self.span(), message));
        }
        let start = self.span().start;
        let data_type = self.data_type(depth)?;
        let element = Element {
            data_type,
            nullable: self.nullability()?,
        };
        if let Token::Word(word) = *self.peek()
            && ["ARRAY", "MULTISET"].contains(&word.to_ascii_uppercase().as_str())
        {
            let message = format!("`{element} {word}` is not supported");
            let end = self.span().end;
            return Err(Diagnostic::at(start..end, message)
                .help(format!("an array is written `ARRAY<{element}>`")));
        }
        Ok(element)
    }

    fn nullability(&mut self) -> Result<bool, Diagnostic> {
        if self.keyword("NOT") {
            self.keywords(&["NULL"])?;
            return Ok(false);
        }
        self.keyword("NULL");
        Ok(true)
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, Diagnostic> {
        let Token::Word(word) = *self.peek() else {
            return Err(self.unexpected("a type"));
        };
        let (_, span) = self.take();
        Ok(match word.to_ascii_uppercase().as_str() {
            "BOOLEAN" => DataType::Boolean,
            "TINYINT" => DataType::TinyInt,
            "SMALLINT" => DataType::SmallInt,
            "INT" | "INTEGER" => DataType::Int,
            "BIGINT" => DataType::BigInt,
            "FLOAT" => DataType::Float,
            "DOUBLE" => {
                self.keyword("PRECISION");
                DataType::Double
            }
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal()?,
            "CHAR" => DataType::Char(self.length()?),
            "VARCHAR" => DataType::Varchar(self.length()?),
            "STRING" => DataType::STRING,
            "BINARY" => DataType::Binary(self.length()?),
            "VARBINARY" => DataType::Varbinary(self.length()?),
            "BYTES" => DataType::Varbinary(MAX_LENGTH),
            "DATE" => DataType::Date,
            "TIME" => self.time()?,
            "TIMESTAMP" => self.timestamp(span)?,
            "TIMESTAMP_LTZ" => DataType::TimestampLtz(self.precision(6)?),
            "ARRAY" => {
                self.expect('<')?;
                let element = self.element(depth + 1)?;
                self.expect('>')?;
                DataType::Array(Box::new(element))
            }
            "MAP" => {
                self.expect('<')?;
                let key = self.element(depth + 1)?;
                self.expect(',')?;
                let value = self.element(depth + 1)?;
                self.expect('>')?;
                DataType::Map(Box::new(key), Box::new(value))
            }
            "ROW" => self.row(depth)?,
            "MULTISET" | "INTERVAL" | "RAW" | "NULL" | "STRUCTURED" | "VARIANT" | "BITMAP" => {
                return Err(Diagnostic::at(
                    span,
                    format!("type `{word}` is not supported"),
                ));
            }
            _ => {
                let error = Diagnostic::at(span, format!("unknown type `{word}`"));
                return Err(error.suggest(word, KNOWN));
            }
        })
    }

    fn decimal(&mut self) -> Result<DataType, Diagnostic> {
        let (mut precision, mut scale) = (10, 0);
        if self.symbol('(') {
            precision = self.number("precision", 1..=38)?;
            if self.symbol(',') {
                scale = self.number("scale", 0..=precision)?;
            }
            self.expect(')')?;
        }
        Ok(DataType::Decimal {
            precision: precision as u8,
            scale: scale as u8,
        })
    }

    fn time(&mut self) -> Result<DataType, Diagnostic> {
        let precision = self.precision(0)?;
        if self.keyword("WITHOUT") {
            self.keywords(&["TIME", "ZONE"])?;
        }
        Ok(DataType::Time(precision))
    }

    fn timestamp(&mut self, start: Span) -> Result<DataType, Diagnostic> {
        let precision = self.precision(6)?;
        if self.keyword("WITHOUT") {
            self.keywords(&["TIME", "ZONE"])?;
        } else if self.keyword("WITH") {
            if self.keyword("LOCAL") {
                self.keywords(&["TIME", "ZONE"])?;
                return Ok(DataType::TimestampLtz(precision));
            }
            let span = start.start..self.span().end;
            let message = "type `TIMESTAMP WITH TIME ZONE` is not supported";
            return Err(Diagnostic::at(span, message)
                .help("a point in time is a TIMESTAMP_LTZ (TIMESTAMP WITH LOCAL TIME ZONE)"));
        }
        Ok(DataType::Timestamp(precision))
    }

    /// `ROW<a INT, b STRING>` or `ROW(a INT, b STRING)`
    fn row(&mut self, depth: usize) -> Result<DataType, Diagnostic> {
        let end = if self.symbol('(') {
            ')'
        } else {
            self.expect('<')?;
            '>'
        };
        let mut fields: Vec<(Field, Span)> = Vec::new();
        while !self.symbol(end) {
            if !fields.is_empty() {
                self.expect(',')?;
            }
            let (field, span) = self.field(depth + 1)?;
            if let Some(error) = duplicate(&fields, &field.name, &span) {
                return Err(error);
            }
            fields.push((field, span));
            // A field's comment, as Flink writes it.
            if *self.peek() == Token::Text {
                self.take();
            }
        }
        Ok(DataType::Row(fields.into_iter().map(|(f, _)| f).collect()))
    }

    fn length(&mut self) -> Result<u32, Diagnostic> {
        self.parameter("length", 1..=MAX_LENGTH, 1)
    }

    /// Digits behind the second.
    fn precision(&mut self, default: u32) -> Result<u8, Diagnostic> {
        Ok(self.parameter("precision", 0..=9, default)? as u8)
    }

    fn parameter(
        &mut self,
        what: &str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, Diagnostic> {
        if !self.symbol('(') {
            return Ok(default);
        }
        let value = self.number(what, range)?;
        self.expect(')')?;
        Ok(value)
    }

    fn number(&mut self, what: &str, range: RangeInclusive<u32>) -> Result<u32, Diagnostic> {
        let (low, high) = (range.start(), range.end());
        let expected = format!("a {what} from {low} to {high}");
        let Token::Number(digits) = *self.peek() else {
            return Err(self.unexpected(&expected));
        };
        let value = digits.parse().ok().filter(|value| range.contains(value));
        let value = value.ok_or_else(|| self.unexpected(&expected))?;
        self.take();
        Ok(value)
    }
}
