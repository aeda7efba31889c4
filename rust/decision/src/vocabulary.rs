//! A vocabulary: the ids of texts, from a file beside decision.toml.
//!
//! ```text
//! B6            an entry a line; ids count from `first`          EV <tab> 7      or each with its own id
//! EV
//! ```
//!
//! The entries lie one behind the other in one text; a table of their numbers finds them.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// More errors than this are counted, not shown.
const SHOWN: usize = 20;

/// The ids of texts.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// The numbers of the entries.
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    texts: Vec<u8>,
    /// Where each entry's text ends.
    ends: Vec<u32>,
    ids: Ids,
    unknown: Option<i64>,
}

#[derive(Debug)]
enum Ids {
    /// They count from this one.
    From(i64),
    /// As the file has them.
    Given(Vec<i64>),
}

impl Default for Ids {
    fn default() -> Ids {
        Ids::From(0)
    }
}

impl Vocabulary {
    /// Reads a file: `first` is the id of the first entry where the file has no ids, `unknown` that of
    /// any text that is not there. All errors of the file are in the message.
    pub fn parse(
        name: &str,
        bytes: &[u8],
        first: Option<i64>,
        unknown: Option<i64>,
    ) -> Result<Vocabulary, String> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(format!(
                "{name} has {} bytes, expected less than 4 GiB",
                bytes.len()
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|broken| {
            let before = &bytes[..broken.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("{name}:{line}: this line is not UTF-8")
        })?;
        let mut lines = Lines {
            vocabulary: Vocabulary {
                ids: Ids::From(first.unwrap_or(0)),
                unknown,
                ..Vocabulary::default()
            },
            errors: Vec::new(),
        };
        // Editors of some systems put a mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.lines().next().is_some_and(|line| line.contains('\t')) {
            lines.vocabulary.ids = Ids::Given(Vec::new());
            if first.is_some() {
                lines.errors.push((
                    1,
                    "it has ids of its own, so `first` has no effect".to_owned(),
                ));
            }
        }
        for (line, number) in text.lines().zip(1..) {
            lines.read(number, line);
        }
        lines.finish(name)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of a text that is no entry; `None` where it has none.
    pub fn unknown(&self) -> Option<i64> {
        self.unknown
    }

    /// The id of a text; of one that is no entry, the unknown id.
    #[inline]
    pub fn id(&self, text: &[u8]) -> Option<i64> {
        match self.find(text) {
            Some(number) => Some(self.id_of(number)),
            None => self.unknown,
        }
    }

    fn id_of(&self, number: usize) -> i64 {
        match &self.ids {
            Ids::From(first) => first + number as i64,
            Ids::Given(ids) => ids[number],
        }
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        let hash = self.hasher.hash_one(text);
        let is_equal = |number: &u32| self.text(*number) == text;
        self.table
            .find(hash, is_equal)
            .map(|number| *number as usize)
    }

    fn text(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start as usize..self.ends[number] as usize]
    }

    fn add(&mut self, text: &[u8]) {
        let number = self.ends.len() as u32;
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len() as u32);
        let hash = self.hasher.hash_one(text);
        let Vocabulary {
            table,
            hasher,
            texts,
            ends,
            ..
        } = self;
        let hash_of = |number: &u32| {
            let number = *number as usize;
            let start = number.checked_sub(1).map_or(0, |before| ends[before]);
            hasher.hash_one(&texts[start as usize..ends[number] as usize])
        };
        table.insert_unique(hash, number, hash_of);
    }
}

/// A file while it is read.
struct Lines {
    vocabulary: Vocabulary,
    /// Each with its line.
    errors: Vec<(usize, String)>,
}

impl Lines {
    fn read(&mut self, number: usize, line: &str) {
        let (entry, id) = match (line.rsplit_once('\t'), &self.vocabulary.ids) {
            (None, Ids::From(first)) => match first.checked_add(self.vocabulary.len() as i64) {
                Some(id) => (line, id),
                None => return self.error(number, "its id does not fit a BIGINT"),
            },
            (Some((entry, id)), Ids::Given(_)) => match id.trim().parse() {
                Ok(id) => (entry, id),
                Err(_) => {
                    return self.error(number, &format!("the id `{id}` is no whole number"));
                }
            },
            (None, Ids::Given(_)) => {
                let expected = "it has no id; expected the entry, a TAB and its id, as in line 1";
                return self.error(number, expected);
            }
            (Some(_), Ids::From(_)) => {
                return self.error(number, "it has a TAB, but line 1 has no id behind a TAB");
            }
        };
        if self.vocabulary.find(entry.as_bytes()).is_some() {
            return self.error(number, &format!("the entry `{entry}` is given twice"));
        }
        self.vocabulary.add(entry.as_bytes());
        if let Ids::Given(ids) = &mut self.vocabulary.ids {
            ids.push(id);
        }
    }

    fn error(&mut self, line: usize, message: &str) {
        self.errors.push((line, message.to_owned()));
    }

    fn finish(self, name: &str) -> Result<Vocabulary, String> {
        if self.errors.is_empty() {
            return Ok(self.vocabulary);
        }
        let shown = self.errors.iter().take(SHOWN);
        let shown = shown.map(|(line, message)| format!("{name}:{line}: {message}"));
        let mut shown: Vec<String> = shown.collect();
        if self.errors.len() > SHOWN {
            shown.push(format!("... and {} more", self.errors.len() - SHOWN));
        }
        Err(shown.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    fn ids(
        file: &str,
        first: Option<i64>,
        unknown: Option<i64>,
        texts: &[&str],
    ) -> Vec<Option<i64>> {
        let vocabulary = Vocabulary::parse("v.txt", file.as_bytes(), first, unknown).unwrap();
        let ids = texts.iter().map(|text| vocabulary.id(text.as_bytes()));
        ids.collect()
    }

    #[test]
    fn ids_count_from_the_first_or_are_given() {
        let texts = ["a", "b c", "", "é", "nope"];
        let known = [Some(0), Some(1), Some(2), Some(3), None];
        assert_eq!(ids("a\nb c\n\né\n", None, None, &texts), known);
        let known = [Some(1), Some(2), Some(3), Some(4), Some(0)];
        assert_eq!(
            ids("\u{feff}a\r\nb c\r\n\r\né", Some(1), Some(0), &texts),
            known
        );
        let known = [Some(7), Some(-1), Some(7), Some(9), Some(3)];
        assert_eq!(
            ids("a\t7\nb c\t-1\n\t7\né\t 9\n", None, Some(3), &texts),
            known
        );
        assert_eq!(ids("", None, None, &["a"]), [None]);
    }

    #[test]
    fn many_entries_are_found() {
        let file: Vec<String> = (0..5000).map(|i| format!("entry {i}")).collect();
        let texts: Vec<&str> = file.iter().map(String::as_str).collect();
        let expected: Vec<Option<i64>> = (0..5000).map(Some).collect();
        assert_eq!(ids(&file.join("\n"), None, Some(-1), &texts), expected);
    }

    #[test]
    fn every_error_names_its_line() {
        let error = |file: &[u8], first| Vocabulary::parse("v.txt", file, first, None).unwrap_err();
        assert_eq!(
            error(b"a\nb\na\nc\t1\nb\n", None),
            "v.txt:3: the entry `a` is given twice\n\
             v.txt:4: it has a TAB, but line 1 has no id behind a TAB\n\
             v.txt:5: the entry `b` is given twice"
        );
        assert_eq!(
            error(b"a\t1\nb\nc\tx\n", Some(1)),
            "v.txt:1: it has ids of its own, so `first` has no effect\n\
             v.txt:2: it has no id; expected the entry, a TAB and its id, as in line 1\n\
             v.txt:3: the id `x` is no whole number"
        );
        assert_eq!(
            error(b"a\nb\xff\n", None),
            "v.txt:2: this line is not UTF-8"
        );
        assert_eq!(
            error(b"a\nb\n", Some(i64::MAX)),
            "v.txt:2: its id does not fit a BIGINT"
        );
        let many = error("a\n".repeat(30).as_bytes(), None);
        assert!(many.ends_with("\n... and 9 more"), "{many}");
    }
}
