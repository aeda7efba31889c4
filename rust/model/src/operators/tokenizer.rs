//! `Tokenizer` of ONNX Runtime, before a `TfIdfVectorizer`: the words or characters of a text.
//!
//! How many tokens there are depends on the text, and shapes must not. So there is no tensor of them: who counts them
//! looks for them itself.

use super::Operator;
use super::elementwise::refuse;
use super::strings::text;
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::memory::Columns;
use crate::onnx::node::{CONTRIB, Node};

pub(super) const OPERATORS: &[Operator] = &[(CONTRIB, "Tokenizer", load)];

/// The tokens of a text.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// The text.
    pub of: Value,
    /// What ONNX Runtime fills short rows with.
    pub pad: String,
    pub class: Class,
    place: String,
}

/// Characters of which a token is made.
#[derive(Debug, Clone)]
pub(super) struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
    /// A token is as long as it can be, or one character.
    many: bool,
    /// The fewest characters of a token.
    least: usize,
}

impl Deferred for Tokens {
    fn make(&self, _: &mut Builder) -> Result<Columns, ModelError> {
        let message =
            "makes as many tokens as a text has, which only Flatten and TfIdfVectorizer take";
        Err(ModelError::not_supported(message).at(&self.place))
    }

    fn is_free(&self) -> bool {
        true
    }
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    if value.element != Element::String {
        return Err(refuse(node, value.element, "string"));
    }
    let of = text(node, graph, &value)?;
    if node.int("mark")?.unwrap_or(0) != 0 {
        return Err(node.not_supported("marks where texts begin and end"));
    }
    let Some(pattern) = node.string("tokenexp")? else {
        return Err(node.not_supported("has no attribute \"tokenexp\""));
    };
    let least = node.int("mincharnum")?.unwrap_or(1);
    let Some(class) = Class::parse(&pattern, usize::try_from(least).unwrap_or(0)) else {
        return Err(node.not_supported(format!(
            "attribute \"tokenexp\" is {pattern:?}, supported are a class of characters, such as [a-zA-Z0-9_], or \
             the dot, once or with +"
        )));
    };
    let tokens = Tokens {
        of,
        pad: node.string("pad_value")?.unwrap_or_default(),
        class,
        place: node.place(),
    };
    let mut shape = value.shape.clone();
    shape.dims.push(1);
    graph.alias(node, 0, Value::later(Element::String, shape, tokens))
}

impl Class {
    /// What `[a-z0-9_]+`, `[^ ]`, `.` and such mean; `None` for other expressions.
    fn parse(pattern: &str, least: usize) -> Option<Self> {
        let (class, many) = match pattern.strip_suffix('+') {
            Some(class) => (class, true),
            None => (pattern, false),
        };
        let of = |ranges, negated| Self {
            ranges,
            negated,
            many,
            least,
        };
        if class == "." {
            return Some(of(vec![('\n', '\n')], true));
        }
        let inside = class.strip_prefix('[')?.strip_suffix(']')?;
        let (inside, negated) = match inside.strip_prefix('^') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        // What has a meaning of its own in a class is left to those who wrote it otherwise.
        if inside.is_empty() || inside.contains(['\\', '[', ']', '^', '&', '~']) {
            return None;
        }
        let mut ranges = Vec::new();
        let mut rest = inside.chars().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            if rest.peek() == Some(&'-') {
                rest.next();
                // A dash at the end stands for itself.
                match rest.next() {
                    Some(end) => last = end,
                    None => ranges.push(('-', '-')),
                }
            }
            if last < first {
                return None;
            }
            ranges.push((first, last));
        }
        Some(of(ranges, negated))
    }

    fn holds(&self, character: char) -> bool {
        let range = |(first, last): &(char, char)| (*first..=*last).contains(&character);
        self.ranges.iter().any(range) != self.negated
    }

    /// Calls `then` with each token of a text; what is not UTF-8 belongs to none.
    pub fn tokens(&self, text: &[u8], mut then: impl FnMut(&[u8])) {
        for text in text.utf8_chunks() {
            let text = text.valid();
            let (mut first, mut characters) = (0, 0);
            for (at, character) in text.char_indices() {
                let is_in = self.holds(character);
                if characters > 0 && !(is_in && self.many) {
                    self.token(&text[first..at], characters, &mut then);
                    characters = 0;
                }
                if is_in {
                    first = if characters == 0 { at } else { first };
                    characters += 1;
                }
            }
            self.token(&text[first..], characters, &mut then);
        }
    }

    fn token(&self, text: &str, characters: usize, then: &mut impl FnMut(&[u8])) {
        if characters >= self.least.max(1) {
            then(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Class;

    fn tokens(pattern: &str, least: usize, text: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        let class = Class::parse(pattern, least).unwrap_or_else(|| panic!("{pattern}"));
        class.tokens(text, |token| {
            found.push(String::from_utf8_lossy(token).into_owned())
        });
        found
    }

    #[test]
    fn a_class_finds_words_or_characters() {
        let words = "[a-zA-Z0-9_]+";
        assert_eq!(
            tokens(words, 1, "late, x_1 äb".as_bytes()),
            ["late", "x_1", "b"]
        );
        assert_eq!(tokens(words, 2, b"a bc d"), ["bc"]);
        assert_eq!(tokens(words, 1, b""), [""; 0]);
        assert_eq!(tokens(".", 1, "aä\nb".as_bytes()), ["a", "ä", "b"]);
        assert_eq!(tokens("[^ ]+", 1, "ä, b c".as_bytes()), ["ä,", "b", "c"]);
        assert_eq!(tokens("[a-]", 1, b"a-b"), ["a", "-"]);
        assert_eq!(tokens(".+", 1, b"ab\xFFc"), ["ab", "c"]);
    }

    #[test]
    fn other_expressions_are_nobody_s() {
        for pattern in [
            "", "a", "[", "[]+", "[z-a]", "\\w+", "[\\w]+", "[a-z]*", "(a|b)+",
        ] {
            assert!(Class::parse(pattern, 1).is_none(), "{pattern}");
        }
    }
}
