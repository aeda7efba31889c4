//! A dimension for those who look inside: loaded once, not renewed; and the files' places of a
//! key's rows, which an image does not hold.

use std::path::Path;

use crate::definition::{Choice, Definition};
use crate::error::Error;
use crate::groups::Groups;
use crate::hive::{self, HivePartition};
use crate::image::{Duplicates, Image, Key, KeyColumns};
use crate::load::{Wanted, load};
use crate::source::{At, Scan, Selection};
use crate::storage::{Connection, DataFile, Settings, Storage};

/// What a definition chooses at one moment, as one image (as of a time: the newest Hive partition).
#[derive(Debug)]
pub struct Inspection<'a> {
    definition: &'a Definition,
    connection: Connection,
    partitions: Vec<HivePartition>,
}

/// Where a row of a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of its Hive partition; empty where there are no levels.
    pub hive_partition: String,
    /// The whole name of its file.
    pub name: String,
    /// The file, as it was listed.
    pub file: DataFile,
    /// Its number in the file, from 0.
    pub row: u64,
}

impl Inspection<'_> {
    /// Lists what is there. Relative paths begin at `metadata`.
    pub fn open<'a>(definition: &'a Definition, metadata: &Path) -> Result<Inspection<'a>, Error> {
        let storage = Storage::of(definition, metadata, Settings::default())?;
        let connection = storage.connect()?;
        let mut partitions = hive::choose(definition, &connection)?;
        if matches!(definition.choice, Choice::AsOf(_)) {
            partitions.drain(..partitions.len().saturating_sub(1));
        }
        Ok(Inspection {
            definition,
            connection,
            partitions,
        })
    }

    /// The image of all key groups with these columns, in their order.
    pub fn image(&self, columns: &[&str]) -> Result<Image, Error> {
        let wanted = Wanted {
            columns,
            groups: &Groups::whole(),
            held: 0,
        };
        load(self.definition, &self.connection, &self.partitions, &wanted)
    }

    /// Where the rows of a key stand, in the order in which an image finds them. Reads the columns of
    /// the key.
    pub fn places(&self, key: &Key<'_>) -> Result<Vec<Place>, Error> {
        let mut selection = Selection::new();
        let mut slots = Vec::new();
        for name in &self.definition.key {
            let (_, slot) = selection.add(self.definition, name)?;
            slots.push(slot);
        }
        let key_columns = KeyColumns::new(slots);
        let duplicates = self.definition.duplicates;
        let mut places = Vec::new();
        let scan = Scan::new(self.definition, &self.connection, &self.partitions);
        scan.pass(&selection, |batch, at| {
            let has_key = |row: &usize| {
                let other = key_columns.key(batch.columns, *row);
                other.is_some_and(|other| other.is_same(key))
            };
            places.extend((0..batch.rows).filter(has_key).map(|row| place(at, row)));
            match duplicates {
                Duplicates::First => places.truncate(1),
                Duplicates::Last => drop(places.drain(..places.len().saturating_sub(1))),
                Duplicates::Error | Duplicates::All => {}
            }
            Ok(())
        })?;
        Ok(places)
    }
}

fn place(at: &At<'_>, row: usize) -> Place {
    Place {
        hive_partition: at.partition.name.clone(),
        name: at.name.to_owned(),
        file: at.file.clone(),
        row: at.first + row as u64,
    }
}
