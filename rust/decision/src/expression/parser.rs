//! From tokens to an [`Expr`]: operator precedence as in Flink (Calcite), refusals by name.

use std::ops::ControlFlow;

use pelton_data::report::{Diagnostic, Span, nearest};
use pelton_data::type_parser::parse_type;

use super::ast::{Constant, Decimal, Expr, Kind, SelectItem, UNITS, Unit};
use super::calendar;
use super::functions;
use super::lexer::{Token, TokenKind, tokens};
use super::reserved::is_reserved;

/// Levels of nesting that an expression may have. Every walk over one recurses, so this is what
/// keeps them from running out of stack.
const MAX_DEPTH: usize = 200;

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

/// Reserved words that nobody means as a name.
const GRAMMAR: [&str; 12] = [
    "AND", "AS", "BETWEEN", "ELSE", "END", "FROM", "IN", "IS", "OR", "THEN", "TO", "WHEN",
];

/// Words that begin something that expressions of a decision do not have, and what it is.
const REFUSED: [(&str, &str); 18] = [
    ("SELECT", "subqueries"),
    ("EXISTS", "subqueries"),
    ("WITH", "subqueries"),
    ("INTERVAL", "intervals"),
    ("TIME", "TIME literals"),
    ("ROW", "ROW values"),
    ("ARRAY", "ARRAY values"),
    ("MAP", "MAP values"),
    ("MULTISET", "MULTISET values"),
    ("PERIOD", "periods"),
    ("CURRENT_DATE", "functions of the current time"),
    ("CURRENT_TIME", "functions of the current time"),
    ("CURRENT_TIMESTAMP", "functions of the current time"),
    ("CURRENT_ROW_TIMESTAMP", "functions of the current time"),
    ("LOCALTIME", "functions of the current time"),
    ("LOCALTIMESTAMP", "functions of the current time"),
    ("NEXT", "sequences"),
    ("CURSOR", "cursors"),
];

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

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Calls of [`Parser::expression`] that are under way.
    level: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Parser<'a>, Diagnostic> {
        Ok(Parser {
            text,
            tokens: tokens(text)?,
            at: 0,
            level: 0,
        })
    }

    // ---- tokens ----

    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        // The end stays where it is.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Whether the token `ahead` places further on is the keyword `word`.
    fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        matches!(token.map(|t| &t.kind), Some(TokenKind::Word(w)) if w.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        matches!(token.map(|t| &t.kind), Some(TokenKind::Symbol(s)) if *s == symbol)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Diagnostic> {
        let found = self.take_word(word);
        found
            .then_some(())
            .ok_or_else(|| self.unexpected(&format!("`{word}`")))
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), Diagnostic> {
        let found = self.take_symbol(symbol);
        found
            .then_some(())
            .ok_or_else(|| self.unexpected(&format!("`{symbol}`")))
    }

    fn expect_end(&self, expected: &str) -> Result<(), Diagnostic> {
        match self.peek().kind {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected(expected)),
        }
    }

    /// The error that something else than `expected` stands here.
    fn unexpected(&self, expected: &str) -> Diagnostic {
        let token = self.peek();
        if let Some(refused) = self.refused() {
            return refused;
        }
        let found = match token.kind {
            TokenKind::End => "the end of the text".to_string(),
            _ => format!("`{}`", &self.text[token.span.clone()]),
        };
        Diagnostic::at(
            token.span.clone(),
            format!("expected {expected}, found {found}"),
        )
    }

    /// The refusal of what begins here, where it is known and not supported.
    fn refused(&self) -> Option<Diagnostic> {
        let token = self.peek();
        let TokenKind::Word(word) = &token.kind else {
            return None;
        };
        let (name, what) = REFUSED.iter().find(|(w, _)| w.eq_ignore_ascii_case(word))?;
        let message = format!("`{name}`: {what} are not supported in expressions of a decision");
        Some(Diagnostic::at(token.span.clone(), message))
    }

    fn span_from(&self, start: usize) -> Span {
        start..self.tokens[self.at - 1].span.end
    }

    // ---- nodes ----

    fn node(&self, start: usize, kind: Kind) -> Result<Expr, Diagnostic> {
        let deepest = |exprs: &[Expr]| exprs.iter().map(|e| e.depth).max().unwrap_or(0);
        let below = match &kind {
            Kind::Name(_) | Kind::Constant(_) | Kind::Unit(_) => 0,
            Kind::Call(_, args) => deepest(args),
            Kind::Cast(value, _) => value.depth,
            Kind::Case {
                branches,
                otherwise,
            } => {
                let both = branches.iter().map(|(c, v)| c.depth.max(v.depth));
                let otherwise = otherwise.as_ref().map_or(0, |e| e.depth);
                both.max().unwrap_or(0).max(otherwise)
            }
        };
        let expr = Expr {
            span: self.span_from(start),
            kind,
            depth: below + 1,
        };
        if expr.depth > MAX_DEPTH {
            return Err(too_deep(expr.span));
        }
        Ok(expr)
    }

    fn call(&self, start: usize, name: &str, args: Vec<Expr>) -> Result<Expr, Diagnostic> {
        self.node(start, Kind::Call(name.to_string(), args))
    }

    /// `left AND right`, where a chain of the same operator is one call: it nests no deeper.
    fn chain(&self, name: &str, left: Expr, right: Expr) -> Result<Expr, Diagnostic> {
        let start = left.span.start;
        match left.kind {
            // A chain in parentheses starts before its first operand, and stays a call of its own.
            Kind::Call(same, mut args) if same == name && args[0].span.start == start => {
                args.push(right);
                self.call(start, name, args)
            }
            kind => self.call(start, name, vec![Expr { kind, ..left }, right]),
        }
    }

    // ---- grammar ----

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
        for word in ["LIKE", "SIMILAR", "RLIKE", "ILIKE", "OVERLAPS", "CONTAINS"] {
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
            if self.is_word(0, "DISTINCT") {
                let span = self.peek().span.clone();
                return Err(Diagnostic::at(span, "`IS DISTINCT FROM` is not supported"));
            }
            return Err(self.unexpected("`NULL`, `TRUE`, `FALSE` or `UNKNOWN`"));
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

    /// A value with the operators before it.
    fn prefix(&mut self) -> Result<Expr, Diagnostic> {
        let token = self.peek().clone();
        let start = token.span.start;
        match &token.kind {
            TokenKind::Number(_) => self.number(start, false),
            TokenKind::Text(text) => {
                self.at += 1;
                self.node(start, Kind::Constant(Constant::Text(text.clone())))
            }
            TokenKind::Quoted(_) => self.name(),
            TokenKind::Symbol("(") => self.parenthesis(),
            TokenKind::Symbol(sign @ ("+" | "-")) => {
                self.at += 1;
                if let TokenKind::Number(_) = self.peek().kind {
                    return self.number(start, *sign == "-");
                }
                let value = self.expression(power::SIGN)?;
                let name = if *sign == "-" { "unary -" } else { "unary +" };
                self.call(start, name, vec![value])
            }
            TokenKind::Word(word) => self.word(&word.to_uppercase()),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// A number with its sign: only so is -9223372036854775808 one.
    fn number(&mut self, start: usize, negative: bool) -> Result<Expr, Diagnostic> {
        let token = self.next();
        let text = &self.text[token.span.clone()];
        let constant = match number(text).map_err(|m| Diagnostic::at(token.span.clone(), m))? {
            Constant::Double(value) if negative => Constant::Double(-value),
            Constant::Decimal(decimal) if negative => Constant::Decimal(Decimal {
                unscaled: -decimal.unscaled,
                ..decimal
            }),
            constant => constant,
        };
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

    /// What begins with a word: a keyword's own form, a function or a name.
    fn word(&mut self, word: &str) -> Result<Expr, Diagnostic> {
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
            "CAST" => self.cast(),
            "DATE" | "TIMESTAMP" => self.temporal_literal(word),
            "EXTRACT" => self.extract(),
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
        while self.take_word("WHEN") {
            let mut conditions = vec![self.condition(operand.as_ref())?];
            // `CASE x WHEN 1, 2 THEN` is either of them; the searched form has no list.
            while operand.is_some() && self.take_symbol(",") {
                conditions.push(self.condition(operand.as_ref())?);
            }
            self.expect_word("THEN")?;
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

    fn cast(&mut self) -> Result<Expr, Diagnostic> {
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
        self.node(start, Kind::Cast(Box::new(value), to.data_type))
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

    fn unit(&mut self) -> Result<Expr, Diagnostic> {
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

    fn name(&mut self) -> Result<Expr, Diagnostic> {
        let start = self.peek().span.start;
        let mut path = vec![self.identifier()?];
        while self.take_symbol(".") {
            path.push(self.identifier()?);
        }
        self.node(start, Kind::Name(path))
    }

    fn identifier(&mut self) -> Result<String, Diagnostic> {
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

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::at(span, format!("more than {MAX_DEPTH} levels of nesting"))
        .help("give a part of it a name of its own under [features]")
}

/// The value of a number as written: DOUBLE with an exponent, else exact.
fn number(text: &str) -> Result<Constant, String> {
    if text.contains(['e', 'E']) {
        let value: f64 = text
            .parse()
            .map_err(|_| format!("`{text}` is not a number"))?;
        return match value.is_finite() {
            true => Ok(Constant::Double(value)),
            false => Err(format!("`{text}` is larger than any DOUBLE")),
        };
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.len() > 38 || fraction.len() > 38 {
        return Err(format!("`{text}` has more than the 38 digits of a DECIMAL"));
    }
    let unscaled = if digits.is_empty() { "0" } else { digits };
    Ok(Constant::Decimal(Decimal {
        unscaled: unscaled
            .parse()
            .map_err(|_| format!("`{text}` is not a number"))?,
        scale: fraction.len() as u8,
    }))
}

/// `name` with the nearest of `known`, for errors about functions.
pub(super) fn unknown_function<'a>(
    span: Span,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let diagnostic = Diagnostic::at(span, format!("unknown function `{name}`"));
    match nearest(name, known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}
