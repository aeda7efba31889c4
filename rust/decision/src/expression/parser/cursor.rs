//! The tokens that are still to be read, and the nodes that are made of them.

use pelton_data::report::{Diagnostic, Span};

use super::super::ast::{Expr, Kind};
use super::super::lexer::{Token, TokenKind, tokens};

/// Levels of nesting that an expression may have. Every walk over one recurses, so this is what
/// keeps them from running out of stack.
pub(super) const MAX_DEPTH: usize = 200;

/// Words that begin something that expressions of a decision do not have, and what it is.
const REFUSED: [(&str, &str); 17] = [
    ("SELECT", "subqueries"),
    ("EXISTS", "subqueries"),
    ("WITH", "subqueries"),
    (
        "INTERVAL",
        "intervals that are not added to a DATE or TIMESTAMP",
    ),
    ("ROW", "constructors of ROW values"),
    ("ARRAY", "constructors of ARRAY values"),
    ("MAP", "constructors of MAP values"),
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

/// A text on its way through the grammar.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    /// Calls of [`Parser::expression`] that are under way.
    pub(super) level: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Parser<'a>, Diagnostic> {
        Ok(Parser {
            text,
            tokens: tokens(text)?,
            at: 0,
            level: 0,
        })
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        // The end stays where it is.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Whether the token `ahead` places further on is the keyword `word`.
    pub(super) fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        matches!(token.map(|t| &t.kind), Some(TokenKind::Word(w)) if w.eq_ignore_ascii_case(word))
    }

    pub(super) fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        matches!(token.map(|t| &t.kind), Some(TokenKind::Symbol(s)) if *s == symbol)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), Diagnostic> {
        let found = self.take_word(word);
        found
            .then_some(())
            .ok_or_else(|| self.unexpected(&format!("`{word}`")))
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), Diagnostic> {
        let found = self.take_symbol(symbol);
        found
            .then_some(())
            .ok_or_else(|| self.unexpected(&format!("`{symbol}`")))
    }

    pub(super) fn expect_end(&self, expected: &str) -> Result<(), Diagnostic> {
        match self.peek().kind {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected(expected)),
        }
    }

    /// The error that something else than `expected` stands here.
    pub(super) fn unexpected(&self, expected: &str) -> Diagnostic {
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
    pub(super) fn refused(&self) -> Option<Diagnostic> {
        let token = self.peek();
        let TokenKind::Word(word) = &token.kind else {
            return None;
        };
        let (name, what) = REFUSED.iter().find(|(w, _)| w.eq_ignore_ascii_case(word))?;
        let message = format!("`{name}`: {what} are not supported in expressions of a decision");
        Some(Diagnostic::at(token.span.clone(), message))
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        start..self.tokens[self.at - 1].span.end
    }

    pub(super) fn node(&self, start: usize, kind: Kind) -> Result<Expr, Diagnostic> {
        let deepest = |exprs: &[Expr]| exprs.iter().map(|e| e.depth).max().unwrap_or(0);
        let below = match &kind {
            Kind::Name(_) | Kind::Constant(_) | Kind::Unit(_) => 0,
            Kind::Call(_, args) => deepest(args),
            Kind::Cast { value, .. } | Kind::Field(value, _) => value.depth,
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

    pub(super) fn call(
        &self,
        start: usize,
        name: &str,
        args: Vec<Expr>,
    ) -> Result<Expr, Diagnostic> {
        self.node(start, Kind::Call(name.to_string(), args))
    }

    /// `left AND right`, where a chain of the same operator is one call: it nests no deeper.
    pub(super) fn chain(&self, name: &str, left: Expr, right: Expr) -> Result<Expr, Diagnostic> {
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
}

/// Some forms repeat a part of theirs: `CASE x WHEN`, `x IN (...)`, `x BETWEEN`. Nested in each
/// other they would grow without end; this many parts are more than anyone writes.
const MAX_PARTS: usize = 10_000;

/// An error if `copies` copies of something of `parts` parts are too many.
pub(in super::super) fn check_size(
    parts: usize,
    copies: usize,
    span: &Span,
) -> Result<(), Diagnostic> {
    match parts.saturating_mul(copies) <= MAX_PARTS {
        true => Ok(()),
        false => Err(Diagnostic::at(
            span.clone(),
            format!("this is repeated {copies} times, which makes more than {MAX_PARTS} parts"),
        )
        .help("give it a name of its own under [features]")),
    }
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::at(span, format!("more than {MAX_DEPTH} levels of nesting"))
        .help("give a part of it a name of its own under [features]")
}
