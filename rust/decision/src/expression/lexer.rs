//! From text to tokens, by Flink's lexical rules.

use pelton_data::report::{Diagnostic, Span};

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name or a keyword; what it means depends on where it stands.
    Word(String),
    /// A name in backticks, never a keyword.
    Quoted(String),
    /// `12`, `0.8`, `.5`, `1e3`, as written.
    Number(String),
    /// `'text'`, without quotes.
    Text(String),
    /// `X'616263'`
    Bytes(Vec<u8>),
    /// An operator or a parenthesis.
    Symbol(&'static str),
    /// Behind the last character.
    End,
}

/// Operators, the longer ones first.
const SYMBOLS: [&str; 19] = [
    "<>", "<=", ">=", "||", "=>", "<", ">", "=", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",",
    ".",
];

/// Operators that Flink does not have, and what to write instead.
const FOREIGN: [(&str, &str); 4] = [
    ("!=", "write `<>`"),
    ("==", "write `=`"),
    ("&&", "write `AND`"),
    ("::", "write `CAST(value AS type)`"),
];

/// The tokens of a text, the last one is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Diagnostic> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks_and_comments()?;
        let start = lexer.at;
        let kind = lexer.next()?;
        let end = kind == TokenKind::End;
        tokens.push(Token {
            kind,
            span: start..lexer.at,
        });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), Diagnostic> {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start().len();
            self.at += blanks;
            let rest = self.rest();
            if rest.starts_with("--") || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let start = self.at;
                self.at += rest.find("*/").ok_or_else(|| {
                    Diagnostic::at(start..start + 2, "this comment has no end").help("end it: `*/`")
                })? + 2;
            } else if blanks == 0 {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<TokenKind, Diagnostic> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        let after = rest[first.len_utf8()..].chars().next();
        match first {
            '\'' => self.delimited('\'', "string").map(TokenKind::Text),
            '`' => self.delimited('`', "name").map(TokenKind::Quoted),
            '0'..='9' => self.number(),
            '.' if after.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ if first.is_alphabetic() || first == '_' => self.word(),
            _ => self.symbol(),
        }
    }

    /// Text between two delimiters; the delimiter twice stands for itself.
    fn delimited(&mut self, quote: char, what: &str) -> Result<String, Diagnostic> {
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.text[start + 1..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                value.push(c);
            } else if chars.next_if(|(_, next)| *next == quote).is_some() {
                value.push(quote);
            } else {
                self.at = start + 1 + at + 1;
                return Ok(value);
            }
        }
        Err(
            Diagnostic::at(start..self.text.len(), format!("this {what} has no end")).help(
                format!("end it with {quote}; {quote}{quote} stands for one {quote}"),
            ),
        )
    }

    fn number(&mut self) -> Result<TokenKind, Diagnostic> {
        let start = self.at;
        self.skip_digits();
        if self.rest().starts_with('.') {
            self.at += 1;
            self.skip_digits();
        }
        let exponent = self.rest().trim_start_matches(['e', 'E']);
        if exponent.len() + 1 == self.rest().len() {
            let digits = exponent.trim_start_matches(['+', '-']);
            if digits.starts_with(|c: char| c.is_ascii_digit())
                && exponent.len() - digits.len() <= 1
            {
                self.at = self.text.len() - digits.len();
                self.skip_digits();
            }
        }
        if self
            .rest()
            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            let end = self.text.len() - self.rest().trim_start_matches(is_word).len();
            let message = format!("`{}` is not a number", &self.text[start..end]);
            return Err(Diagnostic::at(start..end, message));
        }
        Ok(TokenKind::Number(self.text[start..self.at].to_string()))
    }

    fn skip_digits(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    }

    fn word(&mut self) -> Result<TokenKind, Diagnostic> {
        let start = self.at;
        self.at = self.text.len() - self.rest().trim_start_matches(is_word).len();
        let word = self.text[start..self.at].to_string();
        let upper = word.to_uppercase();
        if self.rest().starts_with('\'') && upper == "X" {
            let digits = self.delimited('\'', "string")?;
            let written = &self.text[start..self.at];
            return match bytes_of(&digits) {
                Some(bytes) => Ok(TokenKind::Bytes(bytes)),
                None if digits.len() % 2 == 1 => {
                    let message = format!("`{written}` has no whole number of bytes");
                    Err(Diagnostic::at(start..self.at, message).help("a byte is two digits"))
                }
                None => {
                    let message = format!("`{written}` has other characters than 0-9 and A-F");
                    Err(Diagnostic::at(start..self.at, message))
                }
            };
        }
        let prefix = ["N", "B", "E", "R", "_UTF8", "_UTF16", "_LATIN1"];
        if self.rest().starts_with('\'') && prefix.contains(&upper.as_str()) {
            let message = format!("strings with the prefix {word} are not supported");
            return Err(Diagnostic::at(start..self.at + 1, message).help("write '...'"));
        }
        if upper == "U" && self.rest().starts_with("&'") {
            return Err(
                Diagnostic::at(start..self.at + 2, "U&'...' strings are not supported")
                    .help("write the characters themselves: text is UTF-8"),
            );
        }
        Ok(TokenKind::Word(word))
    }

    fn symbol(&mut self) -> Result<TokenKind, Diagnostic> {
        let rest = self.rest();
        if let Some((foreign, help)) = FOREIGN.iter().find(|(f, _)| rest.starts_with(f)) {
            let span = self.at..self.at + foreign.len();
            return Err(Diagnostic::at(span, format!("Flink SQL has no `{foreign}`")).help(*help));
        }
        if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            self.at += symbol.len();
            return Ok(TokenKind::Symbol(symbol));
        }
        let first = rest.chars().next().unwrap_or(' ');
        let span = self.at..self.at + first.len_utf8();
        let diagnostic = Diagnostic::at(span, format!("`{first}` means nothing here"));
        Err(match first {
            '"' => diagnostic.help("strings stand in 'single quotes', names in `backticks`"),
            ';' => diagnostic.help("an expression has no end mark"),
            _ => diagnostic,
        })
    }
}

/// The bytes that hexadecimal digits stand for.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let nibbles: Option<Vec<u8>> = digits
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    let nibbles = nibbles.filter(|nibbles| nibbles.len() % 2 == 0)?;
    Some(
        nibbles
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).unwrap().into_iter().map(|t| t.kind).collect()
    }

    fn error(text: &str) -> String {
        tokens(text).unwrap_err().message
    }

    #[test]
    fn words_numbers_strings_and_comments_are_told_apart() {
        use TokenKind::*;
        assert_eq!(
            kinds("a.`b``c` /* no */ >= 1.5e-3 -- no\n || 'it''s' .5"),
            vec![
                Word("a".into()),
                Symbol("."),
                Quoted("b`c".into()),
                Symbol(">="),
                Number("1.5e-3".into()),
                Symbol("||"),
                Text("it's".into()),
                Number(".5".into()),
                End
            ]
        );
    }

    #[test]
    fn what_flink_does_not_have_is_refused_with_the_way_out() {
        assert_eq!(error("a != 1"), "Flink SQL has no `!=`");
        assert_eq!(error("U&'a'"), "U&'...' strings are not supported");
        assert_eq!(error("'abc"), "this string has no end");
        assert_eq!(error("a /* b"), "this comment has no end");
        assert_eq!(error("12ab"), "`12ab` is not a number");
        assert_eq!(error("a ? b"), "`?` means nothing here");
    }

    #[test]
    fn spans_are_bytes_of_the_text() {
        let tokens = tokens("'ä' + b").unwrap();
        assert_eq!(tokens[0].span, 0..4);
        assert_eq!(tokens[2].span, 7..8);
    }
}
