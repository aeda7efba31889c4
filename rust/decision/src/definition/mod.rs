//! decision.toml as it stands: its sections, names and expressions, each with its place.
//!
//! Reading stops at what one section can know by itself. Whether names exist, types fit and
//! nothing goes round in a circle is for [`crate::plan`]. All errors go into one report.

mod expressions;
mod models;
mod rules;
mod sequences;
mod vocabularies;

use std::collections::HashSet;
use std::sync::Arc;

use pelton_data::Field;
use pelton_data::document::{Document, Section, Text};
use pelton_data::report::{Diagnostic, Report, Source, Span};
use pelton_data::type_parser::parse_columns;

pub use expressions::{Expression, OutputColumn};
pub use models::{ModelInput, ModelOutput, ModelSection};
pub use rules::{Hit, Rule, RulesSection};
pub use sequences::{ForEach, Keep, Sequence};
pub use vocabularies::VocabularySection;

/// A decision as its file says it.
#[derive(Debug)]
pub struct Definition {
    /// The file.
    pub source: Arc<Source>,
    /// `name`; `None` where it is missing, which is then in the report.
    pub name: Option<Text>,
    /// `input`: the columns of a record, in the order of the arguments.
    pub input: Vec<(Field, Span)>,
    /// `[lookups.*]`
    pub lookups: Vec<LookupSection>,
    /// `[features]`
    pub features: Vec<Feature>,
    /// `[vocabularies.*]`
    pub vocabularies: Vec<VocabularySection>,
    /// `[models.*]`
    pub models: Vec<ModelSection>,
    /// `[rules.*]`
    pub rules: Vec<RulesSection>,
    /// `output`: a SELECT list.
    pub output: Vec<OutputColumn>,
    /// The names of what could not be read.
    pub unread: Unread,
}

/// Names that something would give, had it no errors: who uses one is not told that it is unknown.
#[derive(Debug, Default)]
pub struct Unread {
    names: HashSet<String>,
    any: bool,
}

impl Unread {
    /// Whether `name` (its first part) may be one of them.
    pub fn may_be(&self, name: &str) -> bool {
        self.any || self.names.contains(name)
    }

    fn name(&mut self, name: &Text) {
        self.names.insert(name.value.clone());
    }
}

/// `[lookups.NAME]`: features from a dimension, under `NAME.column`.
#[derive(Debug)]
pub struct LookupSection {
    /// The name in the decision.
    pub name: Text,
    /// The dimension's name in the metadata directory.
    pub dimension: Text,
    /// One expression a key column, in the order of the dimension's key.
    pub key: Vec<Expression>,
    /// Where the key stands.
    pub key_span: Span,
    /// The time of the record, for a dimension with `choice = "as_of"`.
    pub as_of: Option<Expression>,
    /// What a miss gives.
    pub missing: Missing,
    /// Column and constant, for `missing = "default"`.
    pub defaults: Vec<(Text, Expression)>,
}

/// What a lookup gives where its key is not there, or holds a NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// NULL in every column.
    Null,
    /// The columns' defaults, NULL where a column has none.
    Default,
    /// The record fails.
    Error,
}

/// A named expression.
#[derive(Debug)]
pub struct Feature {
    /// Its name.
    pub name: Text,
    /// Its value.
    pub expression: Expression,
}

impl Definition {
    /// Reads a decision.toml. Errors go into `report`; a definition that comes with errors serves
    /// to find more of them.
    pub fn parse(source: &Arc<Source>, report: &mut Report) -> Definition {
        let before = report.diagnostics().len();
        let document = Document::parse(source, report);
        let mut unread = Unread {
            any: report.diagnostics().len() > before,
            ..Unread::default()
        };
        let mut root = Section::new(&document.root, "");
        let name = root.required_text("name", "the decision's name, such as \"fraud\"", report);
        if let Some(name) = name {
            check_name(name, report);
        }
        check_time_zone(root.text("time_zone", report), report);
        let input = read_input(&mut root, report);
        let lookups = read_lookups(&mut root, &mut unread, report);
        let features = read_features(&mut root, &mut unread, report);
        let vocabularies = vocabularies::read(&mut root, report);
        let models = models::read(&mut root, &mut unread, report);
        let rules = rules::read(&mut root, &mut unread, report);
        let output = expressions::read_output(&mut root, report);
        let before = report.diagnostics().len();
        root.finish(report);
        unread.any |= report.diagnostics().len() > before || input.is_none();
        Definition {
            source: source.clone(),
            name: name.cloned(),
            input: input.unwrap_or_default(),
            lookups,
            features,
            vocabularies,
            models,
            rules,
            output: output.unwrap_or_default(),
            unread,
        }
    }
}

/// Names become directories, SQL identifiers and metric names: letters, digits and underscores.
pub fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn check_name(name: &Text, report: &mut Report) {
    if !is_name(&name.value) {
        let message = format!("`{}` cannot be a name", name.value);
        let help = "expected letters, digits and underscores, not beginning with a digit";
        report.push(Diagnostic::at(name.span.clone(), message).help(help));
    }
}

fn check_time_zone(zone: Option<&Text>, report: &mut Report) {
    if let Some(zone) = zone.filter(|zone| zone.value != "UTC") {
        let message = format!("the time zone `{}` is not supported", zone.value);
        let help = "expected \"UTC\" (the default); give a local hour or date as an input column";
        report.push(Diagnostic::at(zone.span.clone(), message).help(help));
    }
}

fn read_input(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<(Field, Span)>> {
    let what = "the column list of a CREATE TABLE, such as \"id BIGINT, amount DOUBLE\"";
    let text = root.required_text("input", what, report)?;
    match parse_columns(&text.value) {
        Ok(columns) => Some(
            columns
                .into_iter()
                .map(|(field, span)| (field, text.place(&span)))
                .collect(),
        ),
        Err(errors) => {
            errors
                .into_iter()
                .for_each(|error| report.push(text.diagnostic(error)));
            None
        }
    }
}

fn read_lookups(
    root: &mut Section<'_>,
    unread: &mut Unread,
    report: &mut Report,
) -> Vec<LookupSection> {
    let sections = root.tables("lookups", report);
    let lookups = sections.into_iter().filter_map(|(name, mut section)| {
        check_name(name, report);
        let dimension = section.required_text("dimension", "a dimension's name", report);
        let key_node = section.required("key", "an array of expressions", report);
        let key = section.texts("key", report).unwrap_or_default();
        let path = section.path("key");
        let key = expressions::read_all(&path, &key, report);
        let missing = read_missing(&mut section, report);
        let defaults = section.table("defaults", report);
        if let Some(table) = defaults.filter(|_| missing != Missing::Default) {
            let message = format!("`{}` has no effect", section.path("defaults"));
            let diagnostic = Diagnostic::at(table.span.clone(), message);
            report.push(diagnostic.help("add `missing = \"default\"`"));
        }
        let defaults = defaults.map(|table| expressions::read_table(&name.value, table, report));
        let what = format!("`{}`", section.path("as_of"));
        let as_of = section.text("as_of", report);
        let as_of = as_of.map(|text| Expression::read(what, text, report));
        section.finish(report);
        let (Some(dimension), Some(key_node)) = (dimension, key_node) else {
            unread.name(name);
            return None;
        };
        Some(LookupSection {
            name: name.clone(),
            dimension: dimension.clone(),
            key,
            key_span: key_node.span.clone(),
            as_of,
            missing,
            defaults: defaults.unwrap_or_default(),
        })
    });
    lookups.collect()
}

fn read_missing(section: &mut Section<'_>, report: &mut Report) -> Missing {
    let Some(text) = section.text("missing", report) else {
        return Missing::Null;
    };
    match text.value.as_str() {
        "null" => Missing::Null,
        "default" => Missing::Default,
        "error" => Missing::Error,
        other => {
            let message = format!("`{}` cannot be `{other}`", section.path("missing"));
            let help = "expected \"null\" (the default), \"default\" or \"error\"";
            report.push(Diagnostic::at(text.span.clone(), message).help(help));
            Missing::Null
        }
    }
}

fn read_features(root: &mut Section<'_>, unread: &mut Unread, report: &mut Report) -> Vec<Feature> {
    let Some(table) = root.table("features", report) else {
        return Vec::new();
    };
    let features = expressions::read_table("features", table, report);
    // All of them: a name that was read is known, and that counts first.
    table.entries.iter().for_each(|(name, _)| unread.name(name));
    let features = features.into_iter().map(|(name, expression)| {
        check_name(&name, report);
        Feature { name, expression }
    });
    features.collect()
}
