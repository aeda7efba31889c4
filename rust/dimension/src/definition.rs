//! `dimensions/NAME.toml`: where a dimension's files lie, what their columns are, and its key.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use pelton_data::document::{Document, Section, Text};
use pelton_data::report::{Diagnostic, Report, Source};
use pelton_data::type_parser::parse_columns;
use pelton_data::{DataType, Field};

use crate::hive::{self, Value};

/// A dimension as its file defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// The directory of its Hive partitions, relative to the metadata directory or absolute.
    pub path: PathBuf,
    /// The directory levels below `path`, outermost first.
    pub partition: Vec<Field>,
    /// Everything that can be read: the columns of the files, then the directory levels.
    pub columns: Vec<Field>,
    /// The names of the key's columns, in the key's order.
    pub key: Vec<String>,
    /// Which Hive partition is loaded.
    pub choice: Choice,
    /// The name of the file that marks a Hive partition as complete.
    pub ready: String,
    /// A Hive partition with fewer rows is refused.
    pub min_rows: u64,
}

/// Which Hive partition is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The ready one whose values are the greatest.
    Latest,
    /// The one with these values, one a directory level; `None` is Hive's NULL.
    Pinned(Vec<Option<Value>>),
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
        pinned.choice = match self.partition.is_empty() && hive_partition.is_empty() {
            true => Choice::Latest,
            false => Choice::Pinned(hive::parse_path(hive_partition, &self.partition)?),
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
    let path = read_path(root, report);
    read_format(root, report);
    let partition = read_partition(root, report);
    let columns = read_columns(root, report);
    let choice = read_choice(root, partition.as_deref(), report);
    let key = read_key(root, columns.as_deref(), partition.as_deref(), report);
    let ready = read_ready(root, report);
    let min_rows = read_min_rows(root, report);
    refuse_what_is_not_there(root, report);

    let (mut columns, partition) = (columns?, partition?);
    columns.extend(partition.iter().cloned());
    let name = Path::new(&source.name).file_stem().unwrap_or_default();
    Some(Definition {
        name: name.to_string_lossy().into_owned(),
        path: path?,
        partition,
        columns,
        key: key?,
        choice: choice?,
        ready: ready?,
        min_rows: min_rows?,
    })
}

/// A path below the metadata directory, an absolute path, or a `file:` URI.
fn read_path(root: &mut Section<'_>, report: &mut Report) -> Option<PathBuf> {
    let what = "the directory of the files: a path below the metadata directory, or a URI";
    let text = root.required_text("path", what, report)?;
    report.keep(parse_path(text))
}

fn parse_path(text: &Text) -> Result<PathBuf, Diagnostic> {
    let value = text.value.as_str();
    if value.is_empty() {
        return Err(at(text, "`path` is empty"));
    }
    if let Some(path) = value.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if !path.starts_with('/') {
            return Err(
                at(text, format!("`path`: {value:?} names no local directory"))
                    .help("a local directory as a URI: \"file:///data/weather\""),
            );
        }
        return Ok(PathBuf::from(hive::unescape(path)));
    }
    if let Some((scheme, _)) = value.split_once("://") {
        return Err(at(
            text,
            format!("`path`: files at {scheme}:// are not supported yet"),
        )
        .help("expected a local directory: a path or a file:// URI"));
    }
    let path = PathBuf::from(value);
    if path.is_relative() && path.components().any(|c| c == Component::ParentDir) {
        return Err(at(
            text,
            format!("`path`: {value:?} leaves the metadata directory"),
        )
        .help("a directory elsewhere is named by its absolute path or URI"));
    }
    Ok(path)
}

fn read_format(root: &mut Section<'_>, report: &mut Report) {
    if let Some(text) = root.required_text("format", "\"parquet\"", report) {
        report.keep(one_of("format", text, &["parquet"], &["orc"]));
    }
}

fn read_partition(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<Field>> {
    let Some(text) = root.text("partition", report) else {
        return Some(Vec::new());
    };
    let levels = parse_fields(text, report)?;
    for Field {
        name, data_type, ..
    } in &levels
    {
        if !Value::is_supported(data_type) {
            report.push(
                at(text, format!("`partition`: `{name}` cannot be {data_type}"))
                    .help("directory levels are STRING, DATE or TINYINT to BIGINT"),
            );
        }
    }
    Some(levels)
}

fn read_columns(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<Field>> {
    let what = "the column list of the files: \"tailnum STRING, seats INT\"";
    let text = root.required_text("columns", what, report)?;
    parse_fields(text, report)
}

fn parse_fields(text: &Text, report: &mut Report) -> Option<Vec<Field>> {
    match parse_columns(&text.value) {
        Ok(columns) => Some(columns.into_iter().map(|(field, _)| field).collect()),
        Err(errors) => {
            errors
                .into_iter()
                .for_each(|error| report.push(text.diagnostic(error)));
            None
        }
    }
}

fn read_key(
    root: &mut Section<'_>,
    columns: Option<&[Field]>,
    partition: Option<&[Field]>,
    report: &mut Report,
) -> Option<Vec<String>> {
    let node = root.required("key", "names of columns: [\"tailnum\"]", report)?;
    let names = root.texts("key", report)?;
    if names.is_empty() {
        report.push(Diagnostic::at(node.span.clone(), "`key` names no column"));
    }
    let (columns, partition) = (columns?, partition?);
    for (i, name) in names.iter().enumerate() {
        report.keep(check_key_column(name, &names[..i], columns, partition));
    }
    for level in partition
        .iter()
        .filter(|level| columns.iter().any(|c| c.name == level.name))
    {
        let message = format!("`{}` is a column and a directory level", level.name);
        report.push(Diagnostic::of_file(message).help("take it out of `columns` or `partition`"));
    }
    Some(names.into_iter().map(|name| name.value.clone()).collect())
}

fn check_key_column(
    name: &Text,
    before: &[&Text],
    columns: &[Field],
    partition: &[Field],
) -> Result<(), Diagnostic> {
    let Text { value, .. } = name;
    if before.iter().any(|other| other.value == *value) {
        return Err(at(name, format!("`key` names `{value}` twice")));
    }
    if partition.iter().any(|level| level.name == *value) {
        let message = format!("`key`: `{value}` is a directory level, which is not supported yet");
        return Err(at(name, message).help("the key is made of columns of the files"));
    }
    let Some(column) = columns.iter().find(|column| column.name == *value) else {
        let names = columns.iter().map(|column| column.name.as_str());
        return Err(at(name, format!("`key`: there is no column `{value}`")).suggest(value, names));
    };
    let data_type = &column.data_type;
    if matches!(data_type, DataType::Float | DataType::Double) {
        return Err(at(name, format!("`key`: `{value}` cannot be {data_type}"))
            .help("keys are compared by their bytes, which differ for 0.0 and -0.0"));
    }
    if matches!(
        data_type,
        DataType::Array(_) | DataType::Map(..) | DataType::Row(_)
    ) {
        return Err(at(name, format!("`key`: `{value}` cannot be {data_type}"))
            .help("a key is made of numbers, strings, bytes and times"));
    }
    Ok(())
}

fn read_choice(
    root: &mut Section<'_>,
    partition: Option<&[Field]>,
    report: &mut Report,
) -> Option<Choice> {
    const HELP: &str = "expected \"latest\", or a Hive partition as in \"dt=2013-01-02\"";
    let Some(text) = root.text("choice", report) else {
        return Some(Choice::Latest);
    };
    let choice = match text.value.as_str() {
        "latest" => Ok(Choice::Latest),
        later @ ("all" | "as_of") => Err(format!("`choice = {later:?}` is not supported yet")),
        pinned => hive::parse_path(pinned, partition?)
            .map(Choice::Pinned)
            .map_err(|error| format!("`choice`: {error}")),
    };
    report.keep(choice.map_err(|message| at(text, message).help(HELP)))
}

/// The name of the marker file.
fn read_ready(root: &mut Section<'_>, report: &mut Report) -> Option<String> {
    let Some(text) = root.text("ready", report) else {
        return Some(hive::SUCCESS.to_owned());
    };
    let name = text.value.as_str();
    let mut components = Path::new(name).components();
    let is_plain = matches!(components.next(), Some(Component::Normal(only)) if only == name);
    let checked = match name {
        "metastore" => Err("`ready = \"metastore\"` is not supported yet".to_owned()),
        _ if !is_plain => Err(format!("`ready`: {name:?} is no name of a file")),
        _ => Ok(name.to_owned()),
    };
    report.keep(checked.map_err(|message| {
        at(text, message).help("expected the name of a marker file: \"_SUCCESS\"")
    }))
}

fn read_min_rows(root: &mut Section<'_>, report: &mut Report) -> Option<u64> {
    let node = root.node("min_rows");
    let rows = match node {
        Some(_) => root.integer("min_rows", report)?,
        None => 0,
    };
    let Ok(rows) = u64::try_from(rows) else {
        report.push(node?.expected("min_rows", "a number of rows"));
        return None;
    };
    Some(rows)
}

/// Keys that stand in the design of dimensions, and cannot be kept to yet.
fn refuse_what_is_not_there(root: &mut Section<'_>, report: &mut Report) {
    const ONCE: &str = "a dimension is loaded once, when it is opened";
    const CHOICES: &str = "only choice = \"latest\" and a pinned Hive partition are supported";
    for (key, help) in [
        ("budget", "an image takes the memory that its rows need"),
        ("refresh", ONCE),
        ("max_staleness", ONCE),
        ("max_shrink", ONCE),
        ("period", CHOICES),
        ("available_after", CHOICES),
        ("keep", CHOICES),
        ("late", CHOICES),
    ] {
        if let Some(node) = root.node(key) {
            let message = format!("`{key}` is not supported yet");
            report.push(Diagnostic::at(node.span.clone(), message).help(help));
        }
    }
    for (key, supported, later) in [
        ("initial", ["fail"].as_slice(), ["wait 10 min"].as_slice()),
        ("duplicates", &["error"], &["first", "last"]),
    ] {
        if let Some(text) = root.text(key, report) {
            report.keep(one_of(key, text, supported, later));
        }
    }
}

/// An error unless the value is one of `supported`; `later` are those that will be.
fn one_of(key: &str, text: &Text, supported: &[&str], later: &[&str]) -> Result<(), Diagnostic> {
    let value = text.value.as_str();
    if supported.contains(&value) {
        return Ok(());
    }
    let message = match later.contains(&value) {
        true => format!("`{key} = {value:?}` is not supported yet"),
        false => format!("`{key}` cannot be {value:?}"),
    };
    let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
    Err(at(text, message).help(format!("expected {}", supported.join(" or "))))
}

fn at(text: &Text, message: impl Into<String>) -> Diagnostic {
    Diagnostic::at(text.span.clone(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEATHER: &str = r#"
path      = "weather"
format    = "parquet"
partition = "dt DATE"
columns   = "origin STRING, obs_hour TIMESTAMP(3), wind_speed DOUBLE"
key       = ["origin", "obs_hour"]
"#;

    fn parse(text: &str) -> Result<Definition, String> {
        let source = Source::new("metadata/dimensions/weather.toml", text);
        Definition::parse(&source).map_err(|report| report.to_string())
    }

    /// The definition with one more line.
    fn with(line: &str) -> Result<Definition, String> {
        parse(&format!("{WEATHER}{line}\n"))
    }

    /// The definition with one line of it changed.
    fn changed(from: &str, to: &str) -> Result<Definition, String> {
        assert!(WEATHER.contains(from));
        parse(&WEATHER.replace(from, to))
    }

    #[test]
    fn a_definition_is_read_with_its_defaults() {
        let definition = parse(WEATHER).unwrap();
        assert_eq!(definition.name, "weather");
        assert_eq!(definition.path, Path::new("weather"));
        assert_eq!(definition.key, ["origin", "obs_hour"]);
        let columns: Vec<String> = definition.columns.iter().map(Field::to_string).collect();
        let expected = [
            "`origin` STRING",
            "`obs_hour` TIMESTAMP(3)",
            "`wind_speed` DOUBLE",
            "`dt` DATE",
        ];
        assert_eq!(columns, expected);
        assert_eq!(definition.choice, Choice::Latest);
        assert_eq!(definition.ready, "_SUCCESS");
        assert_eq!(definition.min_rows, 0);
        let keys: Vec<_> = definition
            .key_columns()
            .map(|field| &field.data_type)
            .collect();
        assert_eq!(keys, [&DataType::STRING, &DataType::Timestamp(3)]);
    }

    #[test]
    fn all_errors_of_a_file_are_in_one_report() {
        let text = r#"
path      = "../weather"
fromat    = "parquet"
partition = "dt FLOAT"
columns   = "origin STRNG, wind_speed DOUBLE, x"
key       = [7]
choice    = "all"
budget    = "2 GiB"
"#;
        let report = parse(text).unwrap_err();
        for part in [
            "weather.toml:2:13: `path`: \"../weather\" leaves the metadata directory",
            "weather.toml: `format` is missing",
            "weather.toml:3:1: unknown key `fromat`",
            "did you mean `format`?",
            "weather.toml:4:13: `partition`: `dt` cannot be FLOAT",
            "weather.toml:5:21: unknown type `STRNG`",
            "weather.toml:5:47: column `x` has no type",
            "weather.toml:6:14: `key` is the integer 7",
            "weather.toml:7:13: `choice = \"all\"` is not supported yet",
            "weather.toml:8:13: `budget` is not supported yet",
        ] {
            assert!(report.contains(part), "{part} in\n{report}");
        }
    }

    #[test]
    fn the_key_is_made_of_columns_that_can_be_compared() {
        for (key, message) in [
            ("[\"orgin\"]", "`key`: there is no column `orgin`"),
            ("[\"orgin\"]", "did you mean `origin`?"),
            ("[\"origin\", \"origin\"]", "`key` names `origin` twice"),
            (
                "[\"dt\"]",
                "`key`: `dt` is a directory level, which is not supported yet",
            ),
            ("[\"wind_speed\"]", "`key`: `wind_speed` cannot be DOUBLE"),
            ("[]", "`key` names no column"),
            ("\"origin\"", "`key` is the string \"origin\""),
        ] {
            let error = changed("[\"origin\", \"obs_hour\"]", key).unwrap_err();
            assert!(error.contains(message), "{message} in\n{error}");
        }
        let error = changed("wind_speed DOUBLE", "dt DATE").unwrap_err();
        assert!(
            error.contains("`dt` is a column and a directory level"),
            "{error}"
        );
        let error = changed("origin STRING", "origin ARRAY<INT>").unwrap_err();
        assert!(
            error.contains("`key`: `origin` cannot be ARRAY<INT>"),
            "{error}"
        );
    }

    #[test]
    fn a_path_is_local_and_leaves_the_metadata_only_by_its_absolute_name() {
        let path = |text: &str| changed("\"weather\"", &format!("{text:?}")).map(|d| d.path);
        assert_eq!(path("file:///data/a%20b").unwrap(), Path::new("/data/a b"));
        assert_eq!(path("file:/data").unwrap(), Path::new("/data"));
        assert_eq!(path("/data/../x").unwrap(), Path::new("/data/../x"));
        for (text, message) in [
            ("a/../../b", "\"a/../../b\" leaves the metadata directory"),
            (
                "s3://bucket/weather",
                "files at s3:// are not supported yet",
            ),
            (
                "file://host/weather",
                "\"file://host/weather\" names no local directory",
            ),
            ("", "`path` is empty"),
        ] {
            let error = path(text).unwrap_err();
            assert!(error.contains(message), "{message} in\n{error}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_refused_by_name() {
        for line in [
            "refresh = \"60 s\"",
            "max_staleness = \"3 d\"",
            "max_shrink = \"50 %\"",
            "keep = 3",
            "late = \"fail\"",
        ] {
            let key = line.split(' ').next().unwrap();
            let error = with(line).unwrap_err();
            assert!(
                error.contains(&format!("`{key}` is not supported yet")),
                "{error}"
            );
        }
        for (line, message) in [
            (
                "initial = \"wait 10 min\"",
                "`initial = \"wait 10 min\"` is not supported yet",
            ),
            (
                "duplicates = \"first\"",
                "`duplicates = \"first\"` is not supported yet",
            ),
            (
                "choice = \"as_of\"",
                "`choice = \"as_of\"` is not supported yet",
            ),
            (
                "ready = \"metastore\"",
                "`ready = \"metastore\"` is not supported yet",
            ),
            ("ready = \"../x\"", "`ready`: \"../x\" is no name of a file"),
            ("min_rows = -1", "`min_rows` is the integer -1"),
        ] {
            let error = with(line).unwrap_err();
            assert!(error.contains(message), "{message} in\n{error}");
        }
        let error = changed("\"parquet\"", "\"orc\"").unwrap_err();
        assert!(
            error.contains("`format = \"orc\"` is not supported yet"),
            "{error}"
        );
    }

    #[test]
    fn what_we_do_can_be_said() {
        let lines = "initial = \"fail\"\nduplicates = \"error\"\nmin_rows = 1\n\
                     ready = \"DONE\"\nchoice = \"dt=2013-01-02\"";
        let definition = with(lines).unwrap();
        assert_eq!(
            definition.choice,
            Choice::Pinned(vec![Some(Value::Date(15_707))])
        );
        assert_eq!(
            (definition.min_rows, definition.ready.as_str()),
            (1, "DONE")
        );
        for (choice, message) in [
            (
                "dt=2013-02-30",
                "`dt=2013-02-30`: \"2013-02-30\" is no DATE",
            ),
            ("newest", "`newest` is no Hive partition `dt=<DATE>`"),
            ("dt=2013-01-02/hour=1", "does not have the levels `dt=...`"),
        ] {
            let error = with(&format!("choice = {choice:?}")).unwrap_err();
            assert!(error.contains(message), "{message} in\n{error}");
        }
    }
}
