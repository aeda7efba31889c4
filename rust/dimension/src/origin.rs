//! Where the images of a dimension come from: what its definition chooses, and the load of it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::definition::Definition;
use crate::error::Error;
use crate::groups::Groups;
use crate::hive::{self, HivePartition, Value};
use crate::image::Image;
use crate::snapshot::{Part, Snapshot};

/// What is to be loaded: two that are equal have the same images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub(crate) definition: Definition,
    /// What relative paths begin at.
    pub(crate) root: PathBuf,
    pub(crate) columns: Vec<String>,
}

/// The Hive partition of one image, as it was listed: equal where nothing has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    partition: HivePartition,
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

/// What a refresh has found.
#[derive(Debug)]
pub(crate) enum Found {
    /// What is there is what is loaded.
    Unchanged,
    /// Another snapshot.
    Changed(Snapshot),
}

impl Origin {
    /// Lists, and loads what is not loaded yet: other Hive partitions, files that changed, key
    /// groups that `wanted` has and `old` has not.
    pub(crate) fn refresh(&self, old: Option<&Snapshot>, wanted: &Groups) -> Result<Found, Error> {
        let chosen = self.choose()?;
        let known = old.map_or(&[][..], Snapshot::parts);
        let mut changed = chosen.len() != known.len();
        let mut parts = Vec::with_capacity(chosen.len());
        for chosen in chosen {
            let same = known.iter().find(|part| part.chosen == chosen);
            match same {
                Some(part) if part.groups.covers(wanted) => parts.push(part.clone()),
                Some(part) => {
                    changed = true;
                    parts.push(self.grown(part, wanted)?);
                }
                None => {
                    changed = true;
                    parts.push(self.loaded(chosen, wanted.clone())?);
                }
            }
        }
        Ok(match changed {
            true => Found::Changed(Snapshot::new(parts)),
            false => Found::Unchanged,
        })
    }

    fn choose(&self) -> Result<Vec<Chosen>, Error> {
        let partition = hive::choose(&self.definition, &self.root)?;
        let file = |path: &PathBuf| {
            let meta = fs::metadata(path).map_err(|error| {
                Error::Unavailable(format!("cannot read {}: {error}", path.display()))
            })?;
            Ok((path.clone(), meta.len(), meta.modified().ok()))
        };
        let files = partition
            .files
            .iter()
            .map(file)
            .collect::<Result<_, Error>>()?;
        Ok(vec![Chosen { partition, files }])
    }

    fn loaded(&self, chosen: Chosen, groups: Groups) -> Result<Part, Error> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let image = Image::load(&self.definition, &self.root, &columns)?;
        Ok(Part {
            chosen,
            groups,
            image: Arc::new(image),
        })
    }

    /// The part with the key groups that it has not: the others are shared with it.
    fn grown(&self, part: &Part, wanted: &Groups) -> Result<Part, Error> {
        self.loaded(part.chosen.clone(), wanted.plus(&part.groups))
    }
}

impl Chosen {
    /// When the Hive partition begins, in milliseconds since 1970: its first level that is a
    /// `DATE`. Without one, its first level that is an integer, as it is; else 0.
    pub(crate) fn epoch(&self) -> i64 {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let levels = || self.partition.values.iter().flatten();
        let date = levels().find_map(|value| match value {
            Value::Date(days) => Some(i64::from(*days) * DAY),
            _ => None,
        });
        let integer = levels().find_map(|value| match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        });
        date.or(integer).unwrap_or(0)
    }
}
