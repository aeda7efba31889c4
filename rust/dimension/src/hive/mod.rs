//! Hive partitions: directories `name=value` below one another, and which of them are loaded.
//! [`registered`] are those that a Hive metastore knows, wherever they lie.

mod registered;
#[cfg(test)]
mod tests;
mod value;

use std::collections::HashMap;

use pelton_data::calendar::DAY;
use pelton_data::columns::Timestamp;

pub use value::{Value, parse_path, unescape};

use crate::definition::{Choice, Definition, Ready};
use crate::error::Error;
use crate::storage::{Connection, DataFile, Directory};
use value::parse_directory;

/// The marker file that Hadoop's committers write last.
pub const SUCCESS: &str = "_SUCCESS";

/// What all Hive partitions together are named.
pub(crate) const ALL: &str = "all";

const HOUR: i64 = DAY / 24;

/// A Hive partition that can be loaded. Two that are equal hold the same rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HivePartition {
    /// Its directories as they are named, joined by `/`: `dt=2013-01-02/hour=07`.
    pub name: String,
    /// Where it lies: below the dimension's directory as it is named, or where a metastore says, as
    /// [`Connection`] has it.
    pub path: String,
    /// The values of its levels, outermost first; `None` is Hive's NULL.
    pub values: Vec<Option<Value>>,
    /// Its data files, by name.
    pub files: Vec<DataFile>,
}

impl HivePartition {
    /// The time at which what it covers begins, of `choice = "as_of"`: milliseconds since
    /// 1970-01-01T00:00:00. `None` where a level is NULL.
    pub fn time(&self) -> Option<i64> {
        Some(match &self.values[..] {
            [Some(Value::Date(days))] => i64::from(*days) * DAY,
            [Some(Value::Timestamp(Timestamp { millis, .. }))] => *millis,
            [Some(Value::Date(days)), Some(Value::Integer(hour))] => hour
                .checked_mul(HOUR)?
                .checked_add(i64::from(*days) * DAY)?,
            _ => return None,
        })
    }

    /// The dimension's directory itself, above all levels.
    fn root() -> HivePartition {
        HivePartition {
            name: String::new(),
            path: String::new(),
            values: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The directory `name` of this one.
    fn below(&self, name: &str, value: Option<Value>) -> HivePartition {
        let mut values = self.values.clone();
        values.push(value);
        let name = match self.name.as_str() {
            "" => name.to_owned(),
            above => format!("{above}/{name}"),
        };
        HivePartition {
            path: name.clone(),
            name,
            values,
            files: Vec::new(),
        }
    }
}

/// The Hive partitions that the definition chooses, in the order of their values: at least one.
/// Values are compared as their types compare; NULL is the least.
pub fn choose(
    definition: &Definition,
    connection: &Connection,
) -> Result<Vec<HivePartition>, Error> {
    let tree = Tree::new(definition, connection)?;
    let mut found = match &definition.ready {
        Ready::Marker(marker) => {
            let mut search = Search {
                definition,
                tree,
                marker,
                found: Vec::new(),
            };
            search.visit(HivePartition::root())?;
            search.found
        }
        Ready::Metastore(metastore) => registered::choose(definition, metastore, &tree)?,
    };
    if found.is_empty() {
        let wanted = match definition.choice {
            Choice::Pinned(_) => "the pinned Hive partition is not there or not ready",
            _ => "no Hive partition is ready",
        };
        let directory = connection.show("");
        return Err(Error::Unavailable(match &definition.ready {
            Ready::Marker(marker) => {
                format!("{wanted} in {directory}: a ready one holds a file `{marker}`")
            }
            Ready::Metastore(metastore) => {
                format!("{wanted}: {metastore} has none that is chosen")
            }
        }));
    }
    found.reverse();
    Ok(found)
}

/// How many Hive partitions are wanted at the most.
fn most(choice: &Choice) -> usize {
    match choice {
        Choice::All => usize::MAX,
        Choice::AsOf(as_of) => as_of.keep,
        Choice::Latest | Choice::Pinned(_) => 1,
    }
}

/// Puts the greatest values first.
fn sort(partitions: &mut [HivePartition]) {
    partitions.sort_by(|a, b| (&b.values, &b.name).cmp(&(&a.values, &a.name)));
}

/// What an image of these Hive partitions is named by: [`Definition::pinned`] takes it.
pub(crate) fn name_of(definition: &Definition, partitions: &[HivePartition]) -> String {
    match (&definition.choice, partitions) {
        (Choice::All, _) => ALL.to_owned(),
        (_, [.., last]) => last.name.clone(),
        (_, []) => String::new(),
    }
}

/// An error if one of the Hive partitions is not any more what it was when it was chosen.
pub fn check_unchanged(
    definition: &Definition,
    connection: &Connection,
    partitions: &[HivePartition],
) -> Result<(), Error> {
    let tree = Tree::new(definition, connection)?;
    let now: Vec<Option<HivePartition>> = match &definition.ready {
        Ready::Marker(marker) => {
            let again = partitions.iter().cloned();
            let again = again.map(|one| tree.with_files(one, Some(marker)));
            again.collect::<Result<_, _>>()?
        }
        Ready::Metastore(metastore) => registered::again(definition, metastore, &tree, partitions)?,
    };
    for (partition, now) in partitions.iter().zip(now) {
        if now.as_ref() != Some(partition) {
            let message = format!(
                "{} changed while it was loaded",
                connection.show(&partition.path)
            );
            return Err(Error::Changed(message));
        }
    }
    Ok(())
}

/// A search for what is chosen of the Hive partitions that have a marker.
struct Search<'a> {
    definition: &'a Definition,
    tree: Tree<'a>,
    marker: &'a str,
    /// The greatest first.
    found: Vec<HivePartition>,
}

impl Search<'_> {
    /// Adds what is chosen at or below a directory, the greatest values first.
    fn visit(&mut self, at: HivePartition) -> Result<(), Error> {
        let depth = at.values.len();
        let Some(level) = self.definition.partition.get(depth) else {
            let has_no_time =
                matches!(self.definition.choice, Choice::AsOf(_)) && at.time().is_none();
            if !has_no_time {
                let marker = Some(self.marker);
                self.found.extend(self.tree.with_files(at, marker)?);
            }
            return Ok(());
        };
        let Directory { directories, files } = self.tree.directory(&at.path)?;
        let invalid = |error: String| {
            let message = format!("{error}, in {}", self.tree.connection.show(&at.path));
            Error::Invalid(message)
        };
        if let Some(file) = files.iter().find(|file| is_visible(file.file_name())) {
            let name = file.file_name();
            return Err(invalid(format!("`{name}` is a file among Hive partitions")));
        }
        let mut below = Vec::new();
        for name in directories.iter().filter(|name| is_visible(name)) {
            let value = parse_directory(name, level).map_err(invalid)?;
            match &self.definition.choice {
                Choice::Pinned(values) if values[depth] != value => continue,
                _ => below.push(at.below(name, value)),
            }
        }
        sort(&mut below);
        for next in below {
            if self.found.len() == most(&self.definition.choice) {
                break;
            }
            self.visit(next)?;
        }
        Ok(())
    }
}

/// The directories of a dimension. Where all are wanted, one listing of everything is cheaper than
/// one a directory; where one is wanted, it would list years in vain.
struct Tree<'a> {
    connection: &'a Connection,
    whole: Option<HashMap<String, Directory>>,
    /// How many there are above data.
    levels: usize,
}

impl<'a> Tree<'a> {
    fn new(definition: &Definition, connection: &'a Connection) -> Result<Tree<'a>, Error> {
        let whole = match definition.choice {
            Choice::All => Some(by_directory(connection.list_all()?)),
            Choice::Latest | Choice::AsOf(_) | Choice::Pinned(_) => None,
        };
        Ok(Tree {
            connection,
            whole,
            levels: definition.partition.len(),
        })
    }

    fn directory(&self, path: &str) -> Result<Directory, Error> {
        match &self.whole {
            Some(whole) if self.connection.is_inside(path) => {
                Ok(whole.get(path).cloned().unwrap_or_default())
            }
            _ => self.connection.list(path),
        }
    }

    /// A Hive partition with its data files, if its marker is there, where it has one.
    fn with_files(
        &self,
        at: HivePartition,
        marker: Option<&str>,
    ) -> Result<Option<HivePartition>, Error> {
        let Directory { directories, files } = self.directory(&at.path)?;
        let is_marker = |file: &DataFile| Some(file.file_name()) == marker;
        if marker.is_some() && !files.iter().any(is_marker) {
            return Ok(None);
        }
        if let Some(inner) = directories.iter().find(|name| is_visible(name)) {
            let message = format!(
                "{}/{inner} is a directory, but `partition` declares {} levels of them",
                self.connection.show(&at.path),
                self.levels
            );
            return Err(Error::Invalid(message));
        }
        let is_data = |file: &DataFile| is_visible(file.file_name()) && !is_marker(file);
        let mut files: Vec<DataFile> = files.into_iter().filter(is_data).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Some(HivePartition { files, ..at }))
    }
}

fn by_directory(files: Vec<DataFile>) -> HashMap<String, Directory> {
    let mut directories: HashMap<String, Directory> = HashMap::new();
    for file in files {
        let (mut directory, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        // Consoles of object stores make an empty object of a directory's name.
        if file.size == 0 && name.contains('=') {
            continue;
        }
        let mut is_known = directories.contains_key(directory);
        let of_file = directories.entry(directory.to_owned()).or_default();
        of_file.files.push(file.clone());
        while !is_known && !directory.is_empty() {
            let (above, name) = directory.rsplit_once('/').unwrap_or(("", directory));
            is_known = directories.contains_key(above);
            let of_name = directories.entry(above.to_owned()).or_default();
            of_name.directories.push(name.to_owned());
            directory = above;
        }
    }
    directories
}

/// Whether Hive sees a name: not those that begin with `_` or `.`, and not the files that stand
/// for directories in old S3 layouts.
fn is_visible(name: &str) -> bool {
    let is_hidden = name.starts_with('.')
        || name.starts_with('_') && !name.contains('=')
        || name.ends_with("_$folder$");
    !is_hidden
}
