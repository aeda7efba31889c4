//! `[vocabularies.*]`: files that give texts their ids.

use pelton_data::document::{Section, Text};
use pelton_data::report::Report;

use super::check_name;

/// `[vocabularies.NAME]`
#[derive(Debug)]
pub struct VocabularySection {
    /// Its name, for `VOCAB('NAME', ...)`.
    pub name: Text,
    /// The file beside decision.toml; `None` where it is missing, which is then in the report.
    pub file: Option<Text>,
    /// The id of the first entry; `None` where the decision leaves it to the file.
    pub first: Option<i64>,
    /// The id of what is no entry; `None` where that is NULL.
    pub unknown: Option<i64>,
}

pub fn read(root: &mut Section<'_>, report: &mut Report) -> Vec<VocabularySection> {
    let sections = root.tables("vocabularies", report);
    let vocabularies = sections.into_iter().map(|(name, mut section)| {
        check_name(name, report);
        let file = section.required_text("file", "the name of a file, an entry a line", report);
        let first = section.integer("first", report);
        let unknown = section.integer("unknown", report);
        section.finish(report);
        VocabularySection {
            name: name.clone(),
            file: file.cloned(),
            first,
            unknown,
        }
    });
    vocabularies.collect()
}
