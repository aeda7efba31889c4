//! From tokens to an [`Expr`]: operator precedence as in Flink (Calcite), refusals by name.

mod cursor;
mod forms;
mod keywords;

use std::ops::ControlFlow;

use pelton_data::report::Diagnostic;

use super::ast::{Constant, Decimal, Expr, Kind, SelectItem};
use super::lexer::{Token, TokenKind};
use super::reserved::is_reserved;
pub(super) use cursor::check_size;
use cursor::{MAX_DEPTH, Parser, too_deep};

/// How tightly operators bind, from Calcite's operator table.
mod power {
    pub const NONE: u8 = 0;
    pub const OR: u8 = 22;
    pub const AND: u8 = 24;
    pub const NOT: u8 = 26;
    pub const IS: u8 = 28;
    pub const COMPARISON: u8 = 30;
    pub const BETWEEN: u8 = 32;
    pub const SUM: u8 = 40;
    pub const PRODUCT: u8 = 60;
    pub const SIGN: u8 = 80;
}

/// Infix operators between two values, all of them left-associative.
const INFIX: [(&str, u8); 12] = [
    ("=", power::COMPARISON),
    ("<>", power::COMPARISON),
    ("<", power::COMPARISON),
    ("<=", power::COMPARISON),
    (">", power::COMPARISON),
    (">=", power::COMPARISON),
    ("+", power::SUM),
    ("-", power::SUM),
    ("*", power::PRODUCT),
    ("/", power::PRODUCT),
    ("%", power::PRODUCT),
    ("||", power::PRODUCT),
];

/// What follows `IS` or `IS NOT`.
const TESTS: [&str; 4] = ["NULL", "TRUE", "FALSE", "UNKNOWN"];

/// Reads one expression. Spans count in bytes of `text`.
pub fn parse(text: &str) -> Result<Expr, Diagnostic> {
    let mut parser = Parser::new(text)?;
    let expr = parser.expression(power::NONE)?;
    parser.expect_end("an operator or the end of the expression")?;
    Ok(expr)
}

/// Reads a SELECT list: `a, b + 1 AS c`. Spans count in bytes of `text`.
pub fn parse_select_list(text: &str) -> Result<Vec<SelectItem>, Diagnostic> {
    let mut parser = Parser::new(text)?;
    let mut items = vec![parser.select_item()?];
    while parser.take_symbol(",") {
        items.push(parser.select_item()?);
    }
    parser.expect_end("`,` or the end of the list")?;
    Ok(items)
}

impl Parser<'_> {
    /// An expression of operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expr, Diagnostic> {
        self.level += 1;
        if self.level > MAX_DEPTH {
            return Err(too_deep(self.peek().span.clone()));
        }
        let mut left = self.prefix()?;
        loop {
            match self.suffix(left, least)? {
                ControlFlow::Continue(next) => left = next,
                ControlFlow::Break(whole) => {
                    self.level -= 1;
                    return Ok(whole);
                }
            }
        }
    }

    /// What an operator makes of `left`, or `left` again if none follows that binds tightly enough.
    fn suffix(&mut self, left: Expr, least: u8) -> Result<ControlFlow<Expr, Expr>, Diagnostic> {
        let start = left.span.start;
        let infix = INFIX.iter().find(|(symbol, _)| self.is_symbol(0, symbol));
        if let Some((name, power)) = infix.filter(|(_, power)| *power >= least) {
            self.at += 1;
            if *power == power::SUM && self.is_word(0, "INTERVAL") {
                let interval = self.interval()?;
                return self
                    .shifted(left, name, interval)
                    .map(ControlFlow::Continue);
            }
            let right = self.expression(power + 1)?;
            return self
                .call(start, name, vec![left, right])
                .map(ControlFlow::Continue);
        }
        for (word, power) in [("AND", power::AND), ("OR", power::OR)] {
            if self.is_word(0, word) && power >= least {
                self.at += 1;
                let right = self.expression(power + 1)?;
                return self.chain(word, left, right).map(ControlFlow::Continue);
            }
        }
        if self.is_word(0, "IS") && power::IS >= least {
            return self.is_test(left).map(ControlFlow::Continue);
        }
        let not = usize::from(self.is_word(0, "NOT"));
        if power::BETWEEN >= least && self.is_word(not, "IN") {
            self.at += not + 1;
            return self.in_list(left, not == 1).map(ControlFlow::Continue);
        }
        if power::BETWEEN >= least && self.is_word(not, "BETWEEN") {
            self.at += not + 1;
            return self.between(left, not == 1).map(ControlFlow::Continue);
        }
        if power::BETWEEN >= least && self.is_word(not, "LIKE") {
            self.at += not + 1;
            return self.like(left, not == 1).map(ControlFlow::Continue);
        }
        for word in ["SIMILAR", "RLIKE", "ILIKE", "OVERLAPS", "CONTAINS"] {
            if self.is_word(not, word) {
                let span = self.tokens[self.at + not].span.clone();
                return Err(Diagnostic::at(span, format!("`{word}` is not supported")));
            }
        }
        Ok(ControlFlow::Break(left))
    }

    fn is_test(&mut self, left: Expr) -> Result<Expr, Diagnostic> {
        self.at += 1;
        let not = self.take_word("NOT");
        let Some(test) = TESTS.iter().find(|test| self.is_word(0, test)) else {
            if self.take_word("DISTINCT") {
                self.expect_word("FROM")?;
                let right = self.expression(power::IS + 1)?;
                let name = if not {
                    "IS NOT DISTINCT FROM"
                } else {
                    "IS DISTINCT FROM"
                };
                return self.call(left.span.start, name, vec![left, right]);
            }
            return Err(self.unexpected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`"));
        };
        self.at += 1;
        let name = format!("IS {}{test}", if not { "NOT " } else { "" });
        self.call(left.span.start, &name, vec![left])
    }

    fn in_list(&mut self, left: Expr, not: bool) -> Result<Expr, Diagnostic> {
        self.expect_symbol("(")?;
        let start = left.span.start;
        let mut args = vec![left];
        args.extend(self.arguments()?);
        let name = if not { "NOT IN" } else { "IN" };
        self.call(start, name, args)
    }

    fn like(&mut self, left: Expr, not: bool) -> Result<Expr, Diagnostic> {
        let start = left.span.start;
        let mut args = vec![left, self.expression(power::BETWEEN + 1)?];
        if self.take_word("ESCAPE") {
            args.push(self.expression(power::BETWEEN + 1)?);
        }
        let like = self.call(start, "LIKE", args)?;
        match not {
            true => self.call(start, "NOT", vec![like]),
            false => Ok(like),
        }
    }

    fn between(&mut self, left: Expr, not: bool) -> Result<Expr, Diagnostic> {
        let symmetric = self.take_word("SYMMETRIC");
        if !symmetric {
            self.take_word("ASYMMETRIC");
        }
        let low = self.expression(power::AND + 1)?;
        self.expect_word("AND")?;
        let high = self.expression(power::BETWEEN + 1)?;
        let start = left.span.start;
        let name = match symmetric {
            true => "BETWEEN SYMMETRIC",
            false => "BETWEEN",
        };
        let between = self.call(start, name, vec![left, low, high])?;
        match not {
            true => self.call(start, "NOT", vec![between]),
            false => Ok(between),
        }
    }

    /// Values up to the closing parenthesis.
    fn arguments(&mut self) -> Result<Vec<Expr>, Diagnostic> {
        let mut args = vec![self.expression(power::NONE)?];
        while self.take_symbol(",") {
            args.push(self.expression(power::NONE)?);
        }
        self.expect_symbol(")")?;
        Ok(args)
    }

    /// A value with the operators before it, and what is taken out of it.
    fn prefix(&mut self) -> Result<Expr, Diagnostic> {
        let token = self.peek().clone();
        let start = token.span.start;
        let TokenKind::Symbol(sign @ ("+" | "-")) = token.kind else {
            let value = self.value(token)?;
            return self.parts(value);
        };
        self.at += 1;
        if let TokenKind::Number(_) = self.peek().kind {
            return self.number(start, sign == "-");
        }
        let value = self.expression(power::SIGN)?;
        let name = if sign == "-" { "unary -" } else { "unary +" };
        self.call(start, name, vec![value])
    }

    fn value(&mut self, token: Token) -> Result<Expr, Diagnostic> {
        let start = token.span.start;
        match token.kind {
            TokenKind::Number(_) => self.number(start, false),
            TokenKind::Text(text) => {
                self.at += 1;
                self.node(start, Kind::Constant(Constant::Text(text)))
            }
            TokenKind::Bytes(bytes) => {
                self.at += 1;
                self.node(start, Kind::Constant(Constant::Bytes(bytes)))
            }
            TokenKind::Quoted(_) => self.name(),
            TokenKind::Symbol("(") => self.parenthesis(),
            TokenKind::Word(word) => self.word(&word.to_uppercase()),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// `value[1].name`: elements and fields behind a value.
    fn parts(&mut self, mut value: Expr) -> Result<Expr, Diagnostic> {
        loop {
            let start = value.span.start;
            if self.take_symbol("[") {
                let at = self.expression(power::NONE)?;
                self.expect_symbol("]")?;
                value = self.call(start, "ITEM", vec![value, at])?;
            } else if self.take_symbol(".") {
                let field = self.identifier()?;
                value = self.node(start, Kind::Field(Box::new(value), field))?;
            } else {
                return Ok(value);
            }
        }
    }

    /// A number with its sign: only so is -9223372036854775808 one.
    fn number(&mut self, start: usize, negative: bool) -> Result<Expr, Diagnostic> {
        let token = self.next();
        let text = &self.text[token.span.clone()];
        let constant = number(text, negative);
        let constant = constant.map_err(|message| Diagnostic::at(token.span.clone(), message))?;
        self.node(start, Kind::Constant(constant))
    }

    fn parenthesis(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.next().span.start;
        let inner = self.expression(power::NONE)?;
        if self.is_symbol(0, ",") {
            let message = "a list in parentheses is a ROW, which is not supported";
            return Err(Diagnostic::at(self.peek().span.clone(), message));
        }
        self.expect_symbol(")")?;
        Ok(Expr {
            span: self.span_from(start),
            ..inner
        })
    }

    fn select_item(&mut self) -> Result<SelectItem, Diagnostic> {
        if self.is_symbol(0, "*") {
            let message = "`*` is not supported: list the columns";
            return Err(Diagnostic::at(self.peek().span.clone(), message));
        }
        let start = self.peek().span.start;
        let expr = self.expression(power::NONE)?;
        let alias = matches!(&self.peek().kind,
            TokenKind::Word(word) if !is_reserved(word))
            || matches!(self.peek().kind, TokenKind::Quoted(_));
        let name = if self.take_word("AS") || alias {
            Some(self.identifier()?)
        } else if let Kind::Name(path) = &expr.kind {
            path.last().cloned()
        } else {
            None
        };
        Ok(SelectItem {
            expr,
            name,
            span: self.span_from(start),
        })
    }
}

/// The value of a number as written: DOUBLE with an exponent, else exact.
fn number(text: &str, negative: bool) -> Result<Constant, String> {
    let sign = if negative { "-" } else { "" };
    if text.contains(['e', 'E']) {
        let value: f64 = format!("{sign}{text}")
            .parse()
            .map_err(|_| format!("`{text}` is not a number"))?;
        return match value.is_finite() {
            true => Ok(Constant::Double(value)),
            false => Err(format!("`{text}` is larger than any DOUBLE")),
        };
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() > 38 {
        return Err(format!("`{text}` has more than the 38 digits of a DECIMAL"));
    }
    // Flink reads the digits as a BIGINT, wherever the point stands.
    let unscaled: i64 = format!("{sign}{digits}").parse().map_err(|_| {
        format!("`{text}` is out of range, as in Flink: write CAST('{text}' AS DECIMAL(38, ...))")
    })?;
    Ok(Constant::Decimal(Decimal {
        unscaled: unscaled.into(),
        precision: digits.len() as u8,
        scale: fraction.len() as u8,
    }))
}
