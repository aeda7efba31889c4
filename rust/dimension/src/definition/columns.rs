//! The keys about files, columns and the key.

use chrono_tz::Tz;
use pelton_data::document::{Section, Text};
use pelton_data::report::{Diagnostic, Report};
use pelton_data::type_parser::parse_columns;
use pelton_data::{DataType, Field};

use super::{Choice, Format, at, one_of};
use crate::hive;
use crate::image::Duplicates;
use crate::storage::Location;

/// A path below the metadata directory, an absolute path, or a URI.
pub(super) fn path(root: &mut Section<'_>, report: &mut Report) -> Option<Location> {
    let what = "the directory of the files: a path below the metadata directory, or a URI";
    let text = root.required_text("path", what, report)?;
    let location = Location::parse(&text.value);
    report.keep(
        location.map_err(|wrong| at(text, format!("`path`: {}", wrong.message)).help(wrong.help)),
    )
}

pub(super) fn format(root: &mut Section<'_>, report: &mut Report) -> Option<Format> {
    let text = root.required_text("format", "\"parquet\" or \"orc\"", report)?;
    let values = [("parquet", Format::Parquet), ("orc", Format::Orc)];
    report.keep(one_of("format", text, &values))
}

pub(super) fn time_zone(root: &mut Section<'_>, report: &mut Report) -> Option<Tz> {
    let text = match root.node("time_zone") {
        Some(_) => root.text("time_zone", report)?,
        None => return Some(Tz::UTC),
    };
    report.keep(text.value.parse().map_err(|_| {
        at(text, format!("`time_zone`: there is no {:?}", text.value))
            .help("expected a name of the time zone database, as in \"Europe/Berlin\"")
    }))
}

pub(super) fn partition(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<Field>> {
    let text = match root.node("partition") {
        Some(_) => root.text("partition", report)?,
        None => return Some(Vec::new()),
    };
    let levels = parse_fields(text, report)?;
    for Field {
        name, data_type, ..
    } in &levels
    {
        if !hive::Value::is_supported(data_type) {
            report.push(
                at(text, format!("`partition`: `{name}` cannot be {data_type}"))
                    .help("directory levels are STRING, DATE, TIMESTAMP or TINYINT to BIGINT"),
            );
        }
    }
    Some(levels)
}

pub(super) fn columns(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<Field>> {
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

pub(super) fn key(
    root: &mut Section<'_>,
    columns: Option<&[Field]>,
    partition: Option<&[Field]>,
    choice: Option<&Choice>,
    report: &mut Report,
) -> Option<Vec<String>> {
    let node = root.required("key", "names of columns: [\"tailnum\"]", report)?;
    let names = root.texts("key", report)?;
    if names.is_empty() {
        report.push(Diagnostic::at(node.span.clone(), "`key` names no column"));
    }
    let (columns, partition) = (columns?, partition?);
    for (i, name) in names.iter().enumerate() {
        report.keep(check_key_column(
            name,
            &names[..i],
            columns,
            partition,
            choice,
        ));
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
    choice: Option<&Choice>,
) -> Result<(), Diagnostic> {
    let Text { value, .. } = name;
    if before.iter().any(|other| other.value == *value) {
        return Err(at(name, format!("`key` names `{value}` twice")));
    }
    let is_level = partition.iter().any(|level| level.name == *value);
    if is_level && choice.is_some_and(|choice| *choice != Choice::All) {
        let message = format!("`key`: `{value}` is a directory level, the same in all rows");
        return Err(at(name, message).help(
            "it tells rows apart only where all Hive partitions are one table: choice = \"all\"",
        ));
    }
    let mut all = columns.iter().chain(partition);
    let Some(column) = all.find(|column| column.name == *value) else {
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

/// Columns of the files that hold strings.
pub(super) fn fsst(
    root: &mut Section<'_>,
    columns: Option<&[Field]>,
    report: &mut Report,
) -> Option<Vec<String>> {
    if root.node("fsst").is_none() {
        return Some(Vec::new());
    }
    let (names, columns) = (root.texts("fsst", report)?, columns?);
    for name in &names {
        let column = columns.iter().find(|column| column.name == name.value);
        let wrong = match column {
            None => {
                let names = columns.iter().map(|column| column.name.as_str());
                at(name, format!("`fsst`: there is no column `{}`", name.value))
                    .suggest(&name.value, names)
            }
            Some(column) if !column.data_type.is_string() => at(
                name,
                format!("`fsst`: `{}` cannot be {}", name.value, column.data_type),
            )
            .help("FSST compresses strings"),
            Some(_) => continue,
        };
        report.push(wrong);
    }
    Some(names.into_iter().map(|name| name.value.clone()).collect())
}

pub(super) fn duplicates(root: &mut Section<'_>, report: &mut Report) -> Option<Duplicates> {
    let text = match root.node("duplicates") {
        Some(_) => root.text("duplicates", report)?,
        None => return Some(Duplicates::Error),
    };
    let values = [
        ("error", Duplicates::Error),
        ("first", Duplicates::First),
        ("last", Duplicates::Last),
        ("all", Duplicates::All),
    ];
    report.keep(one_of("duplicates", text, &values))
}
