//! What stands between operators: names, functions, and the forms with keywords of their own.

use pelton_data::report::Diagnostic;
use pelton_data::type_parser::parse_type;

use super::super::ast::{Constant, Expr, Kind, UNITS, Unit};
use super::super::lexer::TokenKind;
use super::super::reserved::is_reserved;
use super::super::{calendar, functions};
use super::cursor::{Parser, check_size};
use super::power;

/// Reserved words that nobody means as a name.
const GRAMMAR: [&str; 12] = [
    "AND", "AS", "BETWEEN", "ELSE", "END", "FROM", "IN", "IS", "OR", "THEN", "TO", "WHEN",
];

impl Parser<'_> {
    /// What begins with a word: a keyword's own form, a function or a name.
    pub(super) fn word(&mut self, word: &str) -> Result<Expr, Diagnostic> {
        let start = self.peek().span.start;
        let constant = match word {
            "NULL" => Some(Constant::Null),
            "TRUE" => Some(Constant::Boolean(Some(true))),
            "FALSE" => Some(Constant::Boolean(Some(false))),
            "UNKNOWN" => Some(Constant::Boolean(None)),
            _ => None,
        };
        if let Some(constant) = constant {
            self.at += 1;
            return self.node(start, Kind::Constant(constant));
        }
        match word {
            "NOT" => {
                self.at += 1;
                let value = self.expression(power::NOT)?;
                self.call(start, "NOT", vec![value])
            }
            "CASE" => self.case(),
            "CAST" | "TRY_CAST" => self.cast(word == "TRY_CAST"),
            "DATE" | "TIME" | "TIMESTAMP" => self.temporal_literal(word),
            "EXTRACT" => self.extract(),
            "SUBSTRING" if self.is_symbol(1, "(") => self.substring(),
            "POSITION" if self.is_symbol(1, "(") => self.position(),
            "OVERLAY" if self.is_symbol(1, "(") => self.overlay(),
            "TRIM" if self.is_symbol(1, "(") => self.trim(),
            "TIMESTAMPADD" | "TIMESTAMPDIFF" if self.is_symbol(1, "(") => self.with_unit(word),
            "INTERVAL" if self.is_interval() => self.interval_first(),
            _ if self.refused().is_some() => Err(self.unexpected("a value")),
            _ if self.is_symbol(1, "(") => self.function(word),
            _ => self.name(),
        }
    }

    fn case(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        let operand = match self.is_word(0, "WHEN") {
            true => None,
            false => Some(self.expression(power::NONE)?),
        };
        let mut branches = Vec::new();
        let mut copies = 0;
        while self.take_word("WHEN") {
            let mut conditions = vec![self.condition(operand.as_ref())?];
            // `CASE x WHEN 1, 2 THEN` is either of them; the searched form has no list.
            while operand.is_some() && self.take_symbol(",") {
                conditions.push(self.condition(operand.as_ref())?);
            }
            self.expect_word("THEN")?;
            copies += conditions.len();
            if let Some(operand) = &operand {
                check_size(operand.size(), copies, &operand.span)?;
            }
            let condition = conditions
                .into_iter()
                .map(Ok)
                .reduce(|left, right| self.chain("OR", left?, right?))
                .expect("there is one condition at least")?;
            branches.push((condition, self.expression(power::NONE)?));
        }
        if branches.is_empty() {
            return Err(self.unexpected("`WHEN`"));
        }
        let otherwise = match self.take_word("ELSE") {
            true => Some(Box::new(self.expression(power::NONE)?)),
            false => None,
        };
        self.expect_word("END")?;
        let kind = Kind::Case {
            branches,
            otherwise,
        };
        self.node(start, kind)
    }

    fn condition(&mut self, operand: Option<&Expr>) -> Result<Expr, Diagnostic> {
        let start = self.peek().span.start;
        let value = self.expression(power::NONE)?;
        match operand {
            Some(operand) => self.call(start, "=", vec![operand.clone(), value]),
            None => Ok(value),
        }
    }

    fn cast(&mut self, or_null: bool) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        self.expect_symbol("(")?;
        let value = self.expression(power::NONE)?;
        self.expect_word("AS")?;
        let text_start = self.peek().span.start;
        let mut open = 0;
        while open > 0 || !self.is_symbol(0, ")") {
            match self.next().kind {
                TokenKind::Symbol("(") => open += 1,
                TokenKind::Symbol(")") => open -= 1,
                TokenKind::End => return Err(self.unexpected("`)`")),
                _ => {}
            }
        }
        let text = &self.text[text_start..self.peek().span.start];
        let to = parse_type(text).map_err(|mut diagnostic| {
            diagnostic.span = diagnostic
                .span
                .map(|s| s.start + text_start..s.end + text_start);
            diagnostic
        })?;
        if !to.nullable {
            let span = text_start..text_start + text.trim_end().len();
            return Err(Diagnostic::at(span, "a CAST has no NOT NULL"));
        }
        self.expect_symbol(")")?;
        let kind = Kind::Cast {
            value: Box::new(value),
            to: to.data_type,
            or_null,
        };
        self.node(start, kind)
    }

    fn temporal_literal(&mut self, word: &str) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        let token = self.peek().clone();
        let TokenKind::Text(text) = &token.kind else {
            return Err(self
                .unexpected(&format!("a string behind `{word}`"))
                .help(format!(
                    "as a name it is reserved: write `{}`",
                    word.to_lowercase()
                )));
        };
        self.at += 1;
        let (constant, form) = match word {
            "DATE" => (
                calendar::date_literal(text).map(Constant::Date),
                "DATE '2013-01-31'",
            ),
            "TIME" => (
                calendar::time_literal(text).map(|(t, p)| Constant::Time(t, p)),
                "TIME '23:59:59.123'",
            ),
            _ => (
                calendar::timestamp_literal(text).map(|(t, p)| Constant::Timestamp(t, p)),
                "TIMESTAMP '2013-01-31 23:59:59.123'",
            ),
        };
        let constant = constant.ok_or_else(|| {
            let message = format!("'{text}' is not a {word}");
            Diagnostic::at(token.span.clone(), message).help(format!("expected: {form}"))
        })?;
        self.node(start, Kind::Constant(constant))
    }

    fn extract(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        self.expect_symbol("(")?;
        let unit = self.unit()?;
        self.expect_word("FROM")?;
        let value = self.expression(power::NONE)?;
        self.expect_symbol(")")?;
        self.call(start, "EXTRACT", vec![unit, value])
    }

    pub(super) fn unit(&mut self) -> Result<Expr, Diagnostic> {
        let token = self.next();
        let word = self.text[token.span.clone()].to_uppercase();
        let found = UNITS.iter().find(|(name, _)| *name == word);
        let unit: Unit = found.map(|(_, unit)| *unit).ok_or_else(|| {
            let message = format!("`{}` is not a unit of time", &self.text[token.span.clone()]);
            Diagnostic::at(token.span.clone(), message)
                .suggest(&word, UNITS.iter().map(|(name, _)| *name))
        })?;
        self.node(token.span.start, Kind::Unit(unit))
    }

    fn function(&mut self, name: &str) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        self.expect_symbol("(")?;
        if self.is_word(0, "DISTINCT") || self.is_symbol(0, "*") {
            // Only aggregates take them: refused by their names.
            functions::find(name, &(start..start + name.len()))?;
            return Err(self.unexpected("a value"));
        }
        let mut args = Vec::new();
        if !self.take_symbol(")") {
            args.push(self.expression(power::NONE)?);
            if self.take_word("TO") {
                args.push(self.unit()?);
                self.expect_symbol(")")?;
            } else if self.take_symbol(",") {
                args.extend(self.arguments()?);
            } else {
                self.expect_symbol(")")?;
            }
        }
        for word in ["OVER", "FILTER", "WITHIN"] {
            if self.is_word(0, word) {
                let span = self.peek().span.clone();
                let message = format!("`{word}`: a decision sees one record, it has no windows");
                return Err(Diagnostic::at(span, message));
            }
        }
        self.call(start, name, args)
    }

    pub(super) fn name(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.peek().span.start;
        let mut path = vec![self.identifier()?];
        while self.take_symbol(".") {
            path.push(self.identifier()?);
        }
        self.node(start, Kind::Name(path))
    }

    pub(super) fn identifier(&mut self) -> Result<String, Diagnostic> {
        let token = self.peek().clone();
        match token.kind {
            TokenKind::Quoted(name) => {
                self.at += 1;
                Ok(name)
            }
            TokenKind::Word(word) if !is_reserved(&word) => {
                self.at += 1;
                Ok(word)
            }
            TokenKind::Word(word) => {
                let error = self.unexpected("a value");
                let grammar = GRAMMAR.iter().any(|known| word.eq_ignore_ascii_case(known));
                Err(match grammar {
                    true => error,
                    false => error.help(format!(
                        "`{word}` is reserved in Flink SQL; as a name it needs backticks"
                    )),
                })
            }
            _ => Err(self.unexpected("a name")),
        }
    }
}
