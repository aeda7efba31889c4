//! Where the images of a dimension come from: what its definition chooses, and the load of it.

use std::path::PathBuf;
use std::sync::Arc;

use pelton_data::calendar::DAY;

use crate::definition::{Choice, Definition};
use crate::error::Error;
use crate::groups::Groups;
use crate::hive::{self, HivePartition, Value};
use crate::image::Image;
use crate::load::{Wanted, load};
use crate::snapshot::{Part, Snapshot};
use crate::storage::{Connection, Settings, Storage};

/// What is to be loaded: two that are equal have the same images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origin {
    pub(crate) definition: Definition,
    /// What relative paths begin at.
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) columns: Vec<String>,
}

/// The Hive partitions of one image, as they were listed: equal where nothing has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    partitions: Vec<HivePartition>,
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
        let connection = self.connect()?;
        let chosen = self.choose(&connection)?;
        let known = old.map_or(&[][..], Snapshot::parts);
        let mut changed = chosen.len() != known.len();
        let mut parts = Vec::with_capacity(chosen.len());
        for chosen in chosen {
            let same = known.iter().find(|part| part.chosen == chosen);
            match same {
                Some(part) if part.groups.covers(wanted) => parts.push(part.clone()),
                Some(part) => {
                    changed = true;
                    parts.push(self.grown(&connection, part, wanted)?);
                }
                None => {
                    changed = true;
                    parts.push(self.loaded(&connection, chosen, wanted.clone(), 0)?);
                }
            }
        }
        Ok(match changed {
            true => Found::Changed(Snapshot::new(parts, &self.definition.choice)),
            false => Found::Unchanged,
        })
    }

    fn connect(&self) -> Result<Connection, Error> {
        Storage::of(&self.definition, &self.root, self.settings.clone())?.connect()
    }

    /// What the definition chooses, the newest last.
    pub(crate) fn listed(&self) -> Result<Vec<Chosen>, Error> {
        self.choose(&self.connect()?)
    }

    /// The image of what was listed.
    pub(crate) fn image(&self, chosen: &Chosen, groups: Groups) -> Result<Arc<Image>, Error> {
        let part = self.loaded(&self.connect()?, chosen.clone(), groups, 0)?;
        Ok(part.image)
    }

    fn choose(&self, connection: &Connection) -> Result<Vec<Chosen>, Error> {
        let partitions = hive::choose(&self.definition, connection)?;
        Ok(match self.definition.choice {
            Choice::All => vec![Chosen { partitions }],
            _ => partitions
                .into_iter()
                .map(|partition| Chosen {
                    partitions: vec![partition],
                })
                .collect(),
        })
    }

    fn loaded(
        &self,
        connection: &Connection,
        chosen: Chosen,
        groups: Groups,
        held: u64,
    ) -> Result<Part, Error> {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let wanted = Wanted {
            columns: &columns,
            groups: &groups,
            held,
        };
        let image = load(&self.definition, connection, &chosen.partitions, &wanted)?;
        Ok(Part {
            chosen,
            groups,
            image: Arc::new(image),
        })
    }

    /// The part with the key groups that it has not: the others are shared with it.
    fn grown(&self, connection: &Connection, part: &Part, wanted: &Groups) -> Result<Part, Error> {
        let missing = wanted.minus(&part.groups);
        let (chosen, held) = (part.chosen.clone(), part.image.bytes());
        let added = match self.loaded(connection, chosen, missing, held) {
            // What nobody claims any more makes room.
            Err(Error::TooLarge(_)) if !wanted.covers(&part.groups) => {
                return self.loaded(connection, part.chosen.clone(), wanted.clone(), 0);
            }
            added => added?,
        };
        Ok(Part {
            chosen: added.chosen,
            groups: wanted.plus(&part.groups),
            image: Arc::new(part.image.merge(&added.image)),
        })
    }
}

impl Chosen {
    /// The values of its newest Hive partition.
    pub(crate) fn values(&self) -> Option<&[Option<Value>]> {
        self.partitions.last().map(|newest| &newest.values[..])
    }

    /// The name of its newest Hive partition.
    pub(crate) fn name(&self) -> &str {
        self.partitions.last().map_or("", |newest| &newest.name)
    }

    /// When its newest Hive partition begins, in milliseconds since 1970; `None` where its levels
    /// are no time.
    pub(crate) fn time(&self) -> Option<i64> {
        self.partitions.last()?.time()
    }

    /// When the Hive partition begins, in milliseconds since 1970: its first level that is a
    /// `DATE`. Without one, its first level that is an integer, as it is; else 0.
    pub(crate) fn epoch(&self) -> i64 {
        let newest = self.partitions.last();
        let levels = || {
            newest
                .iter()
                .flat_map(|newest| newest.values.iter().flatten())
        };
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
