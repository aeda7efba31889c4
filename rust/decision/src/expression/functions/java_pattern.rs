//! Java's regular expressions, written for the `regex` family of crates where both mean the same.
//!
//! What Java reads in another way, or depends on its version, is refused by name: `\b` and named
//! classes, flags other than `(?i)` at the start, lookaround, references, possessive quantifiers,
//! and a repetition of what may be empty.

/// A pattern for `fancy_regex`.
#[derive(Debug, PartialEq)]
pub(super) struct Translated {
    pub pattern: String,
    /// Whether it matches the empty text.
    pub may_be_empty: bool,
}

/// The pattern, or what is not supported in it.
pub(super) fn translate(pattern: &str) -> Result<Translated, String> {
    let (ignore_case, rest) = match pattern.strip_prefix("(?i)") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut translator = Translator {
        rest,
        out: String::new(),
        ignore_case,
        depth: 0,
    };
    let may_be_empty = translator.alternatives()?;
    match translator.rest.is_empty() {
        true => Ok(Translated {
            pattern: translator.out,
            may_be_empty,
        }),
        false => Err("a `)` without its `(`".to_owned()),
    }
}

/// Groups in groups; every level recurses.
const MAX_DEPTH: usize = 50;

/// The most that `{n}` may repeat: the pattern is written out that often.
const MAX_COUNT: u32 = 1000;

struct Translator<'a> {
    rest: &'a str,
    out: String,
    ignore_case: bool,
    depth: usize,
}

impl Translator<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// `a|b`; whether it may be empty.
    fn alternatives(&mut self) -> Result<bool, String> {
        let mut may_be_empty = self.sequence()?;
        while self.take("|") {
            self.out.push('|');
            may_be_empty |= self.sequence()?;
        }
        Ok(may_be_empty)
    }

    fn sequence(&mut self) -> Result<bool, String> {
        let mut may_be_empty = true;
        while let Some(c) = self.peek().filter(|c| !"|)".contains(*c)) {
            self.next();
            let atom = self.atom(c)?;
            may_be_empty &= self.repeated(atom)?;
        }
        Ok(may_be_empty)
    }

    /// One thing that a quantifier may stand behind; whether it may be empty.
    fn atom(&mut self, first: char) -> Result<bool, String> {
        match first {
            '(' => return self.group(),
            '[' => self.class()?,
            '.' => self.out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            '^' => {
                self.out.push_str(r"\A");
                return Ok(true);
            }
            // At the end, or before a line's end that is the last.
            '$' => {
                let end = r"(?=(?:\r\n|(?<!\r)\n|[\r\x{85}\x{2028}\x{2029}])?\z)";
                self.out.push_str(end);
                return Ok(true);
            }
            '\\' => return self.escape(),
            '*' | '+' | '?' | '{' => return Err(format!("nothing to repeat before `{first}`")),
            c => self.literal(c),
        }
        Ok(false)
    }

    fn group(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels of groups"));
        }
        if self.take("?:") {
            self.out.push_str("(?:");
        } else if self.peek() == Some('?') {
            let shown: String = self.rest.chars().take(3).collect();
            return Err(format!("`({shown}` is not supported"));
        } else {
            self.out.push('(');
        }
        let may_be_empty = self.alternatives()?;
        if !self.take(")") {
            return Err("a `(` without its `)`".to_owned());
        }
        self.out.push(')');
        self.depth -= 1;
        Ok(may_be_empty)
    }

    /// The quantifier behind an atom, if there is one; whether the whole may be empty.
    fn repeated(&mut self, atom_may_be_empty: bool) -> Result<bool, String> {
        let before = self.rest;
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => self.counts()?,
            _ => return Ok(atom_may_be_empty),
        };
        if !before.starts_with('{') {
            self.next();
        }
        if atom_may_be_empty && most != Some(1) {
            return Err("what may be empty is repeated".to_owned());
        }
        let quantifier = &before[..before.len() - self.rest.len()];
        self.out.push_str(quantifier);
        match self.peek() {
            Some('?') => {
                self.next();
                self.out.push('?');
            }
            Some('+') => return Err(format!("`{quantifier}+` is not supported")),
            _ => {}
        }
        match self.peek() {
            Some(c @ ('*' | '+' | '?' | '{')) => Err(format!("nothing to repeat before `{c}`")),
            _ => Ok(atom_may_be_empty || least == 0),
        }
    }

    /// `{2}`, `{2,}`, `{2,3}`
    fn counts(&mut self) -> Result<(u32, Option<u32>), String> {
        let end = self.rest.find('}').ok_or("a `{` without its `}`")?;
        let text = &self.rest[1..end];
        self.rest = &self.rest[end + 1..];
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let number = digits.parse().ok().filter(|n| is_number && *n <= MAX_COUNT);
            number.ok_or_else(|| format!("`{{{text}}}` is no count up to {MAX_COUNT}"))
        };
        let (least, most) = match text.split_once(',') {
            None => (number(text)?, Some(number(text)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        match most.is_some_and(|most| most < least || most == 0) {
            true => Err(format!("`{{{text}}}` counts nothing")),
            false => Ok((least, most)),
        }
    }

    /// Behind a backslash, outside of a class.
    fn escape(&mut self) -> Result<bool, String> {
        let c = self.next().ok_or("nothing behind the last `\\`")?;
        match c {
            'A' | 'z' => {
                self.out.extend(['\\', c]);
                return Ok(true);
            }
            _ => match (class_of(c), character_of(c)) {
                (Some(class), _) => self.out.push_str(class),
                (None, Some(c)) => self.literal(c),
                (None, None) => return Err(format!("`\\{c}` is not supported")),
            },
        }
        Ok(false)
    }

    /// A character that stands for itself.
    fn literal(&mut self, c: char) {
        if self.ignore_case && c.is_ascii_alphabetic() {
            let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
            self.out.extend(['[', lower, upper, ']']);
        } else {
            push_literal(&mut self.out, c);
        }
    }

    /// `[a-z]`, behind its bracket.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.next().ok_or("a `[` without its `]`")?;
            match c {
                ']' if first => return Err("an empty class".to_owned()),
                ']' => break,
                '[' => return Err("a class in a class".to_owned()),
                '&' if self.peek() == Some('&') => return Err("`&&` in a class".to_owned()),
                '-' if !first && self.peek() != Some(']') => {
                    return Err("a `-` inside a class".to_owned());
                }
                _ => self.class_item(c)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn class_item(&mut self, first: char) -> Result<(), String> {
        let from = match first {
            '\\' => {
                let c = self.next().ok_or("nothing behind the last `\\`")?;
                if let Some(class) = class_of(c) {
                    self.out.push_str(class);
                    return Ok(());
                }
                character_of(c).ok_or_else(|| format!("`\\{c}` is not supported"))?
            }
            c => c,
        };
        let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
        let to = match is_range {
            true => {
                self.next();
                match self.next().ok_or("a `[` without its `]`")? {
                    '\\' => {
                        let c = self.next().ok_or("nothing behind the last `\\`")?;
                        character_of(c).ok_or_else(|| format!("`\\{c}` ends no range"))?
                    }
                    '[' => return Err("a class in a class".to_owned()),
                    c => c,
                }
            }
            false => from,
        };
        // Java may find half of a character beyond U+FFFF in such a range.
        if to < from || (from < '\u{E000}' && to > '\u{D7FF}') {
            return Err(format!("the range `{from}-{to}`"));
        }
        self.push_range(from, to);
        if self.ignore_case {
            for (low, high, swap) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
                let (from, to) = (from.max(low), to.min(high));
                if from <= to {
                    let swapped = |c: char| char::from(c as u8 - low as u8 + swap as u8);
                    self.push_range(swapped(from), swapped(to));
                }
            }
        }
        Ok(())
    }

    fn push_range(&mut self, from: char, to: char) {
        push_literal(&mut self.out, from);
        if from != to {
            self.out.push('-');
            push_literal(&mut self.out, to);
        }
    }
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !"<>_".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// Classes of ASCII, as they are in Java without flags.
fn class_of(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[a-zA-Z_0-9]",
        'W' => "[^a-zA-Z_0-9]",
        's' => r"[ \t\n\x0B\f\r]",
        'S' => r"[^ \t\n\x0B\f\r]",
        _ => return None,
    })
}

/// The character that an escape stands for.
fn character_of(c: char) -> Option<char> {
    Some(match c {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\u{C}',
        'a' => '\u{7}',
        'e' => '\u{1B}',
        _ if c.is_ascii_alphanumeric() => return None,
        _ => c,
    })
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_both_read_alike_is_translated() {
        let known = [
            ("a|b+?", "a|b+?"),
            (r"\d{2,3}\.", r"[0-9]{2,3}\."),
            ("[^a-c\\-]*x", r"[^a-c\-]*x"),
            ("(?:ab)?c", "(?:ab)?c"),
            ("(?i)aB1", "[aA][bB]1"),
            ("(?i)[x-z]", "[x-zX-Z]"),
            ("^[-a]", r"\A[\-a]"),
            ("}", r"\}"),
        ];
        for (java, expected) in known {
            assert_eq!(translate(java).unwrap().pattern, expected, "{java}");
        }
        for (java, may_be_empty) in [("a*", true), ("a|", true), ("ab?", false), ("^$", true)] {
            assert_eq!(
                translate(java).unwrap().may_be_empty,
                may_be_empty,
                "{java}"
            );
        }
    }

    #[test]
    fn what_they_do_not_is_refused_by_name() {
        let known = [
            (r"\bW", r"`\b` is not supported"),
            (r"\p{Lu}", r"`\p` is not supported"),
            (r"(a)\1", r"`\1` is not supported"),
            ("(?=a)", "`(?=a` is not supported"),
            ("(?<n>a)", "`(?<n` is not supported"),
            ("a*+", "`*+` is not supported"),
            ("(a*)*", "what may be empty is repeated"),
            ("a**", "nothing to repeat before `*`"),
            ("*a", "nothing to repeat before `*`"),
            ("a{2,1}", "`{2,1}` counts nothing"),
            ("a{x}", "`{x}` is no count up to 1000"),
            ("(", "a `(` without its `)`"),
            (")", "a `)` without its `(`"),
            ("[a", "a `[` without its `]`"),
            ("[]a]", "an empty class"),
            ("[a&&b]", "`&&` in a class"),
            ("[a[b]]", "a class in a class"),
            ("[z-a]", "the range `z-a`"),
            ("a\\", "nothing behind the last `\\`"),
        ];
        for (java, expected) in known {
            assert_eq!(translate(java).unwrap_err(), expected, "{java}");
        }
    }
}
