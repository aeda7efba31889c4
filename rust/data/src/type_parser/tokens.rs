//! The words, numbers and symbols of a column list.

use crate::report::{Diagnostic, Span};

/// A piece of a column list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
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
    /// Behind the last piece.
    End,
}

/// The pieces of a text with their places, `End` at the end; comments are left out.
pub(super) fn tokenize(text: &str) -> Result<Vec<(Token<'_>, Span)>, Diagnostic> {
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
