//! `dimensions/NAME.toml`: where a dimension's files lie, what their columns are, its key, which
//! Hive partitions are loaded, and how they are kept fresh.

mod choice;
mod columns;
mod life;
mod ready;
#[cfg(test)]
mod tests;
mod units;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use pelton_data::Field;
use pelton_data::document::{Document, Section, Text};
use pelton_data::report::{Diagnostic, Report, Source};

use crate::hive::{self, Value};
use crate::image::Duplicates;
use crate::metastore::Metastore;
use crate::policy::Policy;
use crate::storage::Location;

/// A dimension as its file defines it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// The directory of its Hive partitions.
    pub path: Location,
    /// Directories where Hive partitions may lie as well, where a metastore says so.
    pub locations: Vec<Location>,
    /// The format of its files.
    pub format: Format,
    /// The zone whose time of day files mean where they hold points in time and a column is a
    /// `TIMESTAMP`.
    pub time_zone: Tz,
    /// The directory levels below `path`, outermost first.
    pub partition: Vec<Field>,
    /// Everything that can be read: the columns of the files, then the directory levels.
    pub columns: Vec<Field>,
    /// The names of the key's columns, in the key's order.
    pub key: Vec<String>,
    /// What becomes of rows with the same key, which are in the order of their Hive partitions,
    /// files (by name) and places.
    pub duplicates: Duplicates,
    /// The names of the columns whose strings are compressed by FSST.
    pub fsst: Vec<String>,
    /// Which Hive partitions are loaded.
    pub choice: Choice,
    /// How a Hive partition is known to be complete.
    pub ready: Ready,
    /// When it is renewed, and what is refused then.
    pub policy: Policy,
    /// The most bytes that an image may take.
    pub budget: Option<u64>,
    /// Hive partitions with fewer rows in all are refused.
    pub min_rows: u64,
}

/// The format of a dimension's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `"parquet"`
    Parquet,
    /// `"orc"`
    Orc,
}

/// Which Hive partitions are loaded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The ready one whose values are the greatest.
    Latest,
    /// All that are ready, as one table.
    All,
    /// The newest that are ready; a record sees the newest that was valid at its time.
    AsOf(AsOf),
    /// The one with these values, one a directory level; `None` is Hive's NULL.
    Pinned(Vec<Option<Value>>),
}

/// When the rows of a Hive partition may be seen: it covers `[value, value + period)`, and is
/// valid from `value + period + available_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AsOf {
    /// The time that one Hive partition covers.
    pub period: Duration,
    /// The time after its end until it may be used.
    pub available_after: Duration,
    /// How many Hive partitions are held.
    pub keep: usize,
    /// What a record gets whose Hive partition is not there yet.
    pub late: Late,
}

/// What a record gets whose Hive partition is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Late {
    /// It waits.
    Wait,
    /// The row of the newest Hive partition that is there.
    Previous,
    /// An error.
    Fail,
}

/// How a Hive partition is known to be complete.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ready {
    /// It holds a file of this name.
    Marker(String),
    /// A Hive metastore knows it.
    Metastore(Metastore),
}

impl Definition {
    /// Parses a definition; the source's name is its path, which names the dimension.
    pub fn parse(source: &Arc<Source>) -> Result<Definition, Report> {
        let mut report = Report::new(source.clone());
        let document = Document::parse(source, &mut report);
        let mut root = Section::new(&document.root, "");
        let definition = read(source, &mut root, &mut report);
        root.finish(&mut report);
        report.finish(definition)
    }

    /// The same dimension, with its Hive partition pinned: `dt=2013-12-01`, as
    /// [`Image::hive_partition`](crate::Image::hive_partition) names it.
    pub fn pinned(&self, hive_partition: &str) -> Result<Definition, String> {
        let mut pinned = self.clone();
        pinned.choice = match hive_partition {
            "" if self.partition.is_empty() => Choice::Latest,
            hive::ALL => Choice::All,
            _ => Choice::Pinned(hive::parse_path(hive_partition, &self.partition)?),
        };
        Ok(pinned)
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&Field> {
        self.columns.iter().find(|field| field.name == name)
    }

    /// The columns of the key, in its order.
    pub fn key_columns(&self) -> impl Iterator<Item = &Field> {
        self.key.iter().filter_map(|name| self.column(name))
    }
}

/// Every key of the file is read before the first missing one ends it, so that all errors show.
fn read(source: &Source, root: &mut Section<'_>, report: &mut Report) -> Option<Definition> {
    let path = columns::path(root, report);
    let format = columns::format(root, report);
    let time_zone = columns::time_zone(root, report);
    let partition = columns::partition(root, report);
    let columns = columns::columns(root, report);
    let choice = choice::choice(root, partition.as_deref(), report);
    let levels = partition.as_deref();
    let key = columns::key(root, columns.as_deref(), levels, choice.as_ref(), report);
    let fsst = columns::fsst(root, columns.as_deref(), report);
    let duplicates = columns::duplicates(root, report);
    let ready = ready::ready(root, report);
    let locations = ready::locations(root, report);
    let policy = life::policy(root, report);
    let budget = life::budget(root, report);
    let min_rows = life::min_rows(root, report);

    let (mut columns, partition) = (columns?, partition?);
    columns.extend(partition.iter().cloned());
    let name = Path::new(&source.name).file_stem().unwrap_or_default();
    Some(Definition {
        name: name.to_string_lossy().into_owned(),
        path: path?,
        locations: locations?,
        format: format?,
        time_zone: time_zone?,
        partition,
        columns,
        key: key?,
        duplicates: duplicates?,
        fsst: fsst?,
        choice: choice?,
        ready: ready?,
        policy: policy?,
        budget: budget?,
        min_rows: min_rows?,
    })
}

/// The value that a string stands for; an error lists what it may be.
fn one_of<T: Copy>(key: &str, text: &Text, values: &[(&str, T)]) -> Result<T, Diagnostic> {
    let found = values.iter().find(|(name, _)| *name == text.value);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = values.iter().map(|(name, _)| format!("{name:?}")).collect();
        at(text, format!("`{key}` cannot be {:?}", text.value))
            .help(format!("expected {}", names.join(" or ")))
    })
}

fn at(text: &Text, message: impl Into<String>) -> Diagnostic {
    Diagnostic::at(text.span.clone(), message)
}
