//! Reads types and column lists as they stand in a `CREATE TABLE` of Flink SQL.
//!
//! The types are those of [`DataType`], with Flink's aliases and default precisions; what it
//! writes of itself reads back the same. A type that Flink knows and Pelton does not is refused
//! by name.

use std::ops::RangeInclusive;

use crate::report::{Diagnostic, Span};
use crate::types::{DataType, Element, Field, MAX_LENGTH};

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

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    /// A keyword or a plain name.
    Word(&'a str),
    /// A name in backticks, without them.
    Quoted(String),
    /// Digits.
    Number(&'a str),
    /// A comment in single quotes.
    Text,
    /// One of `< > ( ) ,`.
    Symbol(char),
    End,
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

fn tokenize(text: &str) -> Result<Vec<(Token<'_>, Span)>, Diagnostic> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (token, len) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => match rest.find("*/") {
                Some(end) => (None, end + 2),
                None => {
                    return Err(Diagnostic::at(
                        start..text.len(),
                        "a comment without an end",
                    ));
                }
            },
            '`' => {
                let (name, len) = quoted(text, start, '`')?;
                if name.is_empty() {
                    return Err(Diagnostic::at(start..start + len, "an empty name"));
                }
                (Some(Token::Quoted(name)), len)
            }
            '\'' => (Some(Token::Text), quoted(text, start, '\'')?.1),
            '<' | '>' | '(' | ')' | ',' => (Some(Token::Symbol(first)), 1),
            '0'..='9' => {
                let len = run(rest, |c| c.is_ascii_digit());
                (Some(Token::Number(&rest[..len])), len)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let len = run(rest, |c| c.is_alphanumeric() || c == '_' || c == '$');
                (Some(Token::Word(&rest[..len])), len)
            }
            _ => {
                let span = start..start + first.len_utf8();
                return Err(Diagnostic::at(span, format!("unexpected character `{first}`"))
                    .help("names with other characters than letters, digits and `_` stand in backticks"));
            }
        };
        tokens.extend(token.map(|token| (token, start..start + len)));
        start += len;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// The length of the characters at the start that `belongs` accepts, in bytes.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// What stands between two `quote`s, doubled ones undoubled, and its length with them.
fn quoted(text: &str, start: usize, quote: char) -> Result<(String, usize), Diagnostic> {
    let mut content = String::new();
    let mut chars = text[start + 1..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, at + 2));
        }
    }
    let message = format!("`{quote}` is not closed");
    Err(Diagnostic::at(start..text.len(), message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Flink's own LogicalTypeParserTest expects, for the types that we know.
    #[test]
    fn types_are_read_as_flink_reads_them() {
        for (text, expected) in [
            ("CHAR", "CHAR(1)"),
            ("CHAR   NOT \t\nNULL", "CHAR(1) NOT NULL"),
            ("char not null", "CHAR(1) NOT NULL"),
            ("CHAR NULL", "CHAR(1)"),
            ("CHAR(33)", "CHAR(33)"),
            ("VARCHAR", "VARCHAR(1)"),
            ("VARCHAR(33)", "VARCHAR(33)"),
            ("VARCHAR(2147483647)", "STRING"),
            ("STRING", "STRING"),
            ("BOOLEAN", "BOOLEAN"),
            ("BINARY", "BINARY(1)"),
            ("VARBINARY(33)", "VARBINARY(33)"),
            ("BYTES", "BYTES"),
            ("DECIMAL", "DECIMAL(10, 0)"),
            ("DEC", "DECIMAL(10, 0)"),
            ("NUMERIC(10)", "DECIMAL(10, 0)"),
            ("DEC(10, 3)", "DECIMAL(10, 3)"),
            ("TINYINT", "TINYINT"),
            ("SMALLINT", "SMALLINT"),
            ("INTEGER", "INT"),
            ("BIGINT", "BIGINT"),
            ("FLOAT", "FLOAT"),
            ("DOUBLE PRECISION", "DOUBLE"),
            ("DATE", "DATE"),
            ("TIME", "TIME(0)"),
            ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
            ("TIMESTAMP", "TIMESTAMP(6)"),
            ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
            ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"),
            ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
            ("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)"),
            ("ARRAY<INT NOT NULL>", "ARRAY<INT NOT NULL>"),
            ("MAP<BIGINT, BOOLEAN>", "MAP<BIGINT, BOOLEAN>"),
            ("ROW<>", "ROW<>"),
            (
                "ROW<f0 INT NOT NULL, f1 BOOLEAN>",
                "ROW<`f0` INT NOT NULL, `f1` BOOLEAN>",
            ),
            (
                "ROW<`f``0` INT 'a comment '' quoted', f1 BOOLEAN 'x'>",
                "ROW<`f``0` INT, `f1` BOOLEAN>",
            ),
            ("ROW(a ARRAY<ARRAY<INT>>)", "ROW<`a` ARRAY<ARRAY<INT>>>"),
        ] {
            assert_eq!(parse_type(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[track_caller]
    fn refused(text: &str, place: &str, message: &str) {
        let error = parse_type(text).unwrap_err();
        let all = format!("{} {}", error.message, error.help.join(" "));
        assert!(all.contains(message), "{text}: {all}");
        assert_eq!(&text[error.span.unwrap()], place, "{text}");
    }

    #[test]
    fn a_wrong_type_is_refused_at_its_place() {
        refused("STRNG", "STRNG", "did you mean `STRING`?");
        refused(
            "VARCHAR(0)",
            "0",
            "a length from 1 to 2147483647, found `0`",
        );
        refused("CHAR(99999999999)", "99999999999", "a length from 1");
        refused("DECIMAL(39, 0)", "39", "a precision from 1 to 38");
        refused("DECIMAL(4, 5)", "5", "a scale from 0 to 4");
        refused("TIMESTAMP(10)", "10", "a precision from 0 to 9");
        refused("MULTISET<INT>", "MULTISET", "`MULTISET` is not supported");
        refused(
            "INT NOT NULL ARRAY",
            "INT NOT NULL ARRAY",
            "written `ARRAY<INT NOT NULL>`",
        );
        refused(
            "TIMESTAMP(3) WITH TIME ZONE",
            "TIMESTAMP(3) WITH TIME",
            "is not supported",
        );
        refused("ARRAY<INT", "", "expected `>`, but the text ends here");
        refused(
            "INT INT",
            "INT",
            "expected the end of the type, found `INT`",
        );
        refused("ROW<a INT, a INT>", "a", "`a` is declared twice");
        refused("`INT`", "`INT`", "expected a type");
        refused("ROW<`a INT>", "`a INT>", "is not closed");
        refused("", "", "expected a type, but the text ends here");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n| format!("{}INT{}", "ARRAY<".repeat(n), ">".repeat(n));
        assert!(parse_type(&deep(MAX_DEPTH)).is_ok());
        refused(&deep(100_000), "ARRAY", "nested deeper than 64 times");
    }

    #[test]
    fn a_column_list_reads_as_in_create_table() {
        let text = "
            tailnum STRING, -- the plane
            `da``te` DATE NOT NULL COMMENT 'of the flight', /* of no zone */
            sched_dep TIMESTAMP(3)";
        let columns = parse_columns(text).unwrap();
        let written: Vec<String> = columns.iter().map(|(f, _)| f.to_string()).collect();
        let expected = [
            "`tailnum` STRING",
            "`da``te` DATE NOT NULL",
            "`sched_dep` TIMESTAMP(3)",
        ];
        assert_eq!(written, expected);
        assert_eq!(&text[columns[1].1.clone()], "`da``te`");
    }

    #[test]
    fn all_errors_of_a_column_list_come_at_once() {
        let text =
            "a STRNG, b ROW<x INT, y FLOT, z INT>, c INT, c DATE, d, PRIMARY KEY (a), e INT f";
        let errors = parse_columns(text).unwrap_err();
        let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "unknown type `STRNG`",
                "unknown type `FLOT`",
                "column `c` is declared twice",
                "column `d` has no type",
                "`PRIMARY` begins no column",
                "expected `,` or the end of the columns, found `f`",
            ]
        );
        assert!(parse_columns(" ").is_err());
        assert!(parse_columns("a INT,").is_err());
    }

    fn data_type() -> impl Strategy<Value = DataType> {
        let decimal = (1u8..=38).prop_flat_map(|precision| {
            (0..=precision).prop_map(move |scale| DataType::Decimal { precision, scale })
        });
        let leaf = prop_oneof![
            Just(DataType::Boolean),
            Just(DataType::TinyInt),
            Just(DataType::SmallInt),
            Just(DataType::Int),
            Just(DataType::BigInt),
            Just(DataType::Float),
            Just(DataType::Double),
            Just(DataType::STRING),
            Just(DataType::Varbinary(MAX_LENGTH)),
            Just(DataType::Date),
            decimal,
            (1..=MAX_LENGTH).prop_map(DataType::Char),
            (1..=MAX_LENGTH).prop_map(DataType::Varchar),
            (1..=MAX_LENGTH).prop_map(DataType::Binary),
            (0u8..=9).prop_map(DataType::Time),
            (0u8..=9).prop_map(DataType::Timestamp),
            (0u8..=9).prop_map(DataType::TimestampLtz),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let element = (inner.clone(), any::<bool>()).prop_map(|(data_type, nullable)| {
                Box::new(Element {
                    data_type,
                    nullable,
                })
            });
            prop_oneof![
                element.clone().prop_map(DataType::Array),
                (element.clone(), element).prop_map(|(k, v)| DataType::Map(k, v)),
                fields(inner).prop_map(DataType::Row),
            ]
        })
    }

    fn fields(inner: impl Strategy<Value = DataType>) -> impl Strategy<Value = Vec<Field>> {
        let names = proptest::collection::btree_set("[a-zä` ,<>'-]{1,6}", 1..4);
        let types = proptest::collection::vec((inner, any::<bool>()), 4);
        (names, types).prop_map(|(names, types)| {
            let zipped = names.into_iter().zip(types);
            zipped
                .map(|(name, (data_type, nullable))| Field {
                    name,
                    data_type,
                    nullable,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_a_type_writes_of_itself_reads_back(data_type in data_type(), nullable: bool) {
            let element = Element { data_type, nullable };
            prop_assert_eq!(parse_type(&element.to_string()), Ok(element));
        }

        #[test]
        fn what_columns_write_of_themselves_reads_back(fields in fields(data_type())) {
            let text: Vec<String> = fields.iter().map(Field::to_string).collect();
            let read = parse_columns(&text.join(", ")).unwrap();
            let read: Vec<Field> = read.into_iter().map(|(field, _)| field).collect();
            prop_assert_eq!(read, fields);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[A-Z<>(),`'0-9 ä/*-]{0,40}") {
            let _ = parse_type(&text);
            let _ = parse_columns(&text);
        }
    }
}
