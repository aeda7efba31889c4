//! Hive partitions: directories `name=value` below one another, and which of them is loaded.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pelton_data::columns::{Literal, Physical, Timestamp};
use pelton_data::value::Value as Parsed;
use pelton_data::{DataType, Field, text};

use crate::definition::{Choice, Definition, Ready};
use crate::error::Error;
use crate::storage::Location;

/// The marker file that Hadoop's committers write last.
pub const SUCCESS: &str = "_SUCCESS";

/// How Hive writes a NULL as a directory's value.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The value of a directory level, as its declared type orders it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `TINYINT` to `BIGINT`
    Integer(i64),
    /// `DATE`, days since 1970-01-01
    Date(i32),
    /// `TIMESTAMP(p)`
    Timestamp(Timestamp),
    /// `CHAR`, `VARCHAR`, `STRING`
    Text(String),
}

/// A Hive partition that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HivePartition {
    /// Its directories as they are named, joined by `/`: `dt=2013-01-02/hour=07`.
    pub name: String,
    /// The values of its levels, outermost first; `None` is Hive's NULL.
    pub values: Vec<Option<Value>>,
    /// Where it lies.
    pub directory: PathBuf,
    /// Its data files, by name.
    pub files: Vec<PathBuf>,
}

impl Value {
    /// Whether a directory level can have this type.
    pub fn is_supported(data_type: &DataType) -> bool {
        data_type.is_string()
            || data_type.is_integer()
            || matches!(data_type, DataType::Date | DataType::Timestamp(_))
    }

    /// The value of a directory's name, unescaped. `None` is Hive's NULL.
    fn parse(text: &str, data_type: &DataType) -> Result<Option<Value>, String> {
        if text == HIVE_NULL {
            return Ok(None);
        }
        let value = match text::parse(text, data_type) {
            Some(Parsed::TinyInt(value)) => Value::Integer(value.into()),
            Some(Parsed::SmallInt(value)) => Value::Integer(value.into()),
            Some(Parsed::Int(value)) => Value::Integer(value.into()),
            Some(Parsed::BigInt(value)) => Value::Integer(value),
            Some(Parsed::Date(days)) => Value::Date(days),
            Some(Parsed::Timestamp(timestamp)) => Value::Timestamp(timestamp),
            Some(Parsed::Text(text)) => Value::Text(text),
            _ => return Err(format!("{text:?} is no {data_type}")),
        };
        Ok(Some(value))
    }

    /// The value as a constant of a column of `physical` type.
    pub(crate) fn literal(&self, physical: Physical) -> Literal {
        match (self, physical) {
            (Value::Integer(value), Physical::I8) => Literal::I8(*value as i8),
            (Value::Integer(value), Physical::I16) => Literal::I16(*value as i16),
            (Value::Integer(value), Physical::I32) => Literal::I32(*value as i32),
            (Value::Integer(value), _) => Literal::I64(*value),
            (Value::Date(days), _) => Literal::I32(*days),
            (Value::Timestamp(timestamp), _) => Literal::Timestamp(*timestamp),
            (Value::Text(text), _) => Literal::text(text),
        }
    }
}

/// A name as Hive escapes it in paths: `%3A` is a colon. What is no escape stays.
pub fn unescape(text: &str) -> String {
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        unescaped.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &rest[3..] } else { tail };
    }
    String::from_utf8_lossy(&unescaped).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

/// The values of a path as `dt=2013-01-02/hour=7`, which has to have the given levels.
pub fn parse_path(path: &str, levels: &[Field]) -> Result<Vec<Option<Value>>, String> {
    let directories: Vec<&str> = path.split('/').collect();
    if directories.len() != levels.len() {
        let expected: Vec<String> = levels.iter().map(|l| format!("{}=...", l.name)).collect();
        return Err(format!(
            "{path:?} does not have the levels `{}`",
            expected.join("/")
        ));
    }
    let pairs = directories.iter().zip(levels);
    pairs
        .map(|(directory, level)| parse_directory(directory, level))
        .collect()
}

fn parse_directory(name: &str, level: &Field) -> Result<Option<Value>, String> {
    let Field {
        name: wanted,
        data_type,
        ..
    } = level;
    match name.split_once('=') {
        Some((found, value)) if unescape(found) == *wanted => {
            Value::parse(&unescape(value), data_type).map_err(|error| format!("`{name}`: {error}"))
        }
        _ => Err(format!(
            "`{name}` is no Hive partition `{wanted}=<{data_type}>`"
        )),
    }
}

/// The Hive partition that the definition chooses: of `latest`, the ready one whose values are
/// the greatest, compared as their types compare.
pub fn choose(definition: &Definition, metadata: &Path) -> Result<HivePartition, Error> {
    let base = Location::Local(metadata.to_owned());
    let Location::Local(directory) = definition.path.below(&base) else {
        let message = format!("{} is not supported yet", definition.path);
        return Err(Error::Invalid(message));
    };
    let top = HivePartition {
        name: String::new(),
        values: Vec::new(),
        directory: directory.clone(),
        files: Vec::new(),
    };
    search(definition, top)?.ok_or_else(|| {
        let wanted = match definition.choice {
            Choice::Latest | Choice::All | Choice::AsOf(_) => "no Hive partition is ready",
            Choice::Pinned(_) => "the pinned Hive partition is not there or not ready",
        };
        let Ready::Marker(ready) = &definition.ready;
        let directory = directory.display();
        let message = format!("{wanted} in {directory}: a ready one holds a file `{ready}`");
        Error::Unavailable(message)
    })
}

/// The chosen Hive partition at or below `at`, whose files are not listed yet.
fn search(definition: &Definition, at: HivePartition) -> Result<Option<HivePartition>, Error> {
    let depth = at.values.len();
    let Some(level) = definition.partition.get(depth) else {
        return with_files(definition, at);
    };
    let mut below = Vec::new();
    for (name, path) in visible(&at.directory)? {
        let value = match path.is_dir() {
            true => parse_directory(&name, level),
            false => Err(format!("`{name}` is a file among Hive partitions")),
        };
        let value = value.map_err(|error| {
            let message = format!("{error}, in {}", at.directory.display());
            Error::Invalid(message)
        })?;
        match &definition.choice {
            Choice::Pinned(values) if values[depth] != value => continue,
            _ => below.push(at.below(name, value, path)),
        }
    }
    below.sort_by(|a, b| b.values.cmp(&a.values));
    for next in below {
        if let Some(found) = search(definition, next)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A Hive partition with its data files, if it is ready.
fn with_files(definition: &Definition, at: HivePartition) -> Result<Option<HivePartition>, Error> {
    let Ready::Marker(ready) = &definition.ready;
    if !at.directory.join(ready).is_file() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for (name, path) in visible(&at.directory)? {
        if path.is_dir() {
            let message = format!(
                "{} is a directory, but `partition` declares {} levels of them",
                path.display(),
                definition.partition.len()
            );
            return Err(Error::Invalid(message));
        }
        if name != *ready {
            files.push(path);
        }
    }
    files.sort();
    Ok(Some(HivePartition { files, ..at }))
}

/// What a directory holds, but for what Hive hides: names that begin with `_` or `.`.
fn visible(directory: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let unavailable = |error: io::Error| {
        let message = format!("cannot list {}: {error}", directory.display());
        Error::Unavailable(message)
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(unavailable)? {
        let entry = entry.map_err(unavailable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_hidden = name.starts_with('.') || name.starts_with('_') && !name.contains('=');
        if !is_hidden {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

impl HivePartition {
    /// The directory `name` of this one.
    fn below(&self, name: String, value: Option<Value>, directory: PathBuf) -> HivePartition {
        let mut values = self.values.clone();
        values.push(value);
        HivePartition {
            name: match self.name.as_str() {
                "" => name,
                above => format!("{above}/{name}"),
            },
            values,
            directory,
            files: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pelton_data::report::Source;
    use pelton_data::type_parser::parse_type;

    use super::*;

    fn field(name: &str, data_type: &str) -> Field {
        Field::new(name, parse_type(data_type).unwrap().data_type)
    }

    fn definition(partition: Vec<Field>, choice: Choice) -> Definition {
        let text = "path = 'weather'\nformat = 'parquet'\ncolumns = 'id INT'\nkey = ['id']\n";
        let whole = Definition::parse(&Source::new("weather.toml", text)).unwrap();
        Definition {
            partition,
            choice,
            ..whole
        }
    }

    /// A metadata directory with the given files and directories (those that end with `/`).
    fn metadata(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let at = root.path().join("weather").join(path);
            fs::create_dir_all(if path.ends_with('/') {
                &at
            } else {
                at.parent().unwrap()
            })
            .unwrap();
            if !path.ends_with('/') {
                fs::write(at, "").unwrap();
            }
        }
        root
    }

    #[track_caller]
    fn latest(levels: &[(&str, &str)], paths: &[&str]) -> Result<HivePartition, Error> {
        let levels = levels
            .iter()
            .map(|(name, data_type)| field(name, data_type));
        let root = metadata(paths);
        choose(&definition(levels.collect(), Choice::Latest), root.path())
    }

    #[test]
    fn the_newest_is_the_greatest_value_not_the_last_name() {
        let paths = ["n=9/_SUCCESS", "n=10/_SUCCESS", "n=-11/_SUCCESS"];
        assert_eq!(latest(&[("n", "INT")], &paths).unwrap().name, "n=10");
        assert_eq!(latest(&[("n", "STRING")], &paths).unwrap().name, "n=9");
    }

    #[test]
    fn only_a_ready_hive_partition_is_chosen() {
        let paths = [
            "dt=2013-01-01/hour=7/_SUCCESS",
            "dt=2013-01-01/hour=23/_SUCCESS",
            "dt=2013-01-02/hour=0/part-0",
            "dt=__HIVE_DEFAULT_PARTITION__/hour=24/_SUCCESS",
        ];
        let levels = [("dt", "DATE"), ("hour", "INT")];
        let found = latest(&levels, &paths).unwrap();
        assert_eq!(found.name, "dt=2013-01-01/hour=23");
        assert_eq!(
            found.values,
            [Some(Value::Date(15_706)), Some(Value::Integer(23))]
        );
        let error = latest(&levels, &["dt=2013-01-02/hour=0/part-0"]).unwrap_err();
        assert_eq!(error.code(), "DIMENSION_UNAVAILABLE");
        let text = error.to_string();
        assert!(text.starts_with("no Hive partition is ready in "), "{text}");
        assert!(
            text.ends_with("a ready one holds a file `_SUCCESS`"),
            "{text}"
        );
    }

    #[test]
    fn hidden_files_are_no_data() {
        let paths = [
            "n=1/_SUCCESS",
            "n=1/b",
            "n=1/a",
            "n=1/.a.crc",
            "n=1/_temporary/x",
            "_tmp/x",
        ];
        let found = latest(&[("n", "INT")], &paths).unwrap();
        let names: Vec<_> = found.files.iter().map(|f| f.file_name().unwrap()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_table_without_levels_is_one_hive_partition() {
        let found = latest(&[], &["_SUCCESS", "part-0"]).unwrap();
        assert_eq!((found.name.as_str(), found.files.len()), ("", 1));
    }

    #[test]
    fn escaped_values_are_compared_unescaped() {
        let paths = ["city=S%C3%A3o%3A1/_SUCCESS", "city=100%/_SUCCESS"];
        let found = latest(&[("city", "STRING")], &paths).unwrap();
        assert_eq!(found.values, [Some(Value::Text("São:1".to_owned()))]);
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%4"), "%4");
    }

    #[test]
    fn the_pinned_hive_partition_is_chosen_by_value() {
        let levels = vec![field("dt", "DATE"), field("hour", "INT")];
        let values = parse_path("dt=2013-01-01/hour=7", &levels).unwrap();
        let definition = definition(levels, Choice::Pinned(values));
        let root = metadata(&[
            "dt=2013-01-01/hour=07/_SUCCESS",
            "dt=2013-01-02/hour=07/_SUCCESS",
        ]);
        assert_eq!(
            choose(&definition, root.path()).unwrap().name,
            "dt=2013-01-01/hour=07"
        );
        let root = metadata(&["dt=2013-01-02/hour=07/_SUCCESS"]);
        let error = choose(&definition, root.path()).unwrap_err().to_string();
        assert!(
            error.contains("the pinned Hive partition is not there"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_hive_partition_is_named() {
        for (paths, message) in [
            (
                ["dt=hello/_SUCCESS"],
                "`dt=hello`: \"hello\" is no DATE, in ",
            ),
            (
                ["day=2013-01-01/_SUCCESS"],
                "`day=2013-01-01` is no Hive partition `dt=<DATE>`, in ",
            ),
            (["part-0"], "`part-0` is a file among Hive partitions, in "),
            (
                ["dt=2013-01-01/hour=1/_SUCCESS"],
                "no Hive partition is ready",
            ),
        ] {
            let error = latest(&[("dt", "DATE")], &paths).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let paths = ["dt=2013-01-01/_SUCCESS", "dt=2013-01-01/hour=1/x"];
        let error = latest(&[("dt", "DATE")], &paths).unwrap_err().to_string();
        assert!(
            error.ends_with("is a directory, but `partition` declares 1 levels of them"),
            "{error}"
        );
        let error = latest(&[("dt", "TINYINT")], &["dt=200/x"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"200\" is no TINYINT"), "{error}");
    }
}
