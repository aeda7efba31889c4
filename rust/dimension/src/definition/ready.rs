//! The keys about how a complete Hive partition is known: by a marker file, or by a Hive metastore.

use std::path::{Component, Path};

use pelton_data::document::{Section, Text};
use pelton_data::report::{Diagnostic, Report};

use super::{Ready, at, one_of};
use crate::hive;
use crate::metastore::{Metastore, Server, Transport};
use crate::storage::Location;

/// The keys that only `ready = "metastore"` has.
const OF_METASTORE: [&str; 4] = ["metastore", "table", "transport", "locations"];

pub(super) fn ready(root: &mut Section<'_>, report: &mut Report) -> Option<Ready> {
    let text = match root.node("ready") {
        Some(_) => Some(root.text("ready", report)?),
        None => None,
    };
    if text.is_some_and(|text| text.value == "metastore") {
        return metastore(root, report).map(Ready::Metastore);
    }
    for key in OF_METASTORE {
        if let Some(node) = root.node(key) {
            let message = format!("`{key}` belongs to `ready = \"metastore\"`");
            report.push(Diagnostic::at(node.span.clone(), message));
        }
    }
    match text {
        Some(text) => marker(text, report),
        None => Some(Ready::Marker(hive::SUCCESS.to_owned())),
    }
}

/// The name of the marker file.
fn marker(text: &Text, report: &mut Report) -> Option<Ready> {
    let name = text.value.as_str();
    let mut components = Path::new(name).components();
    let is_plain = matches!(components.next(), Some(Component::Normal(only)) if only == name);
    let checked = is_plain.then(|| Ready::Marker(name.to_owned()));
    report.keep(checked.ok_or_else(|| {
        at(text, format!("`ready`: {name:?} is no name of a file"))
            .help("expected the name of a marker file, \"_SUCCESS\", or \"metastore\"")
    }))
}

fn metastore(root: &mut Section<'_>, report: &mut Report) -> Option<Metastore> {
    let what = "where the metastore listens: \"thrift://host:9083\"";
    let servers = root.required_text("metastore", what, report);
    let servers = servers.and_then(|text| servers_of(text, report));
    let table = root.required_text("table", "the table's name: \"database.table\"", report);
    let table = table.and_then(|text| table_of(text, report));
    let transport = match root.node("transport") {
        None => Some(Transport::Buffered),
        Some(_) => root
            .text("transport", report)
            .and_then(|text| transport(text, report)),
    };
    let (database, table) = table?;
    Some(Metastore {
        servers: servers?,
        database,
        table,
        transport: transport?,
    })
}

/// Several are separated by commas, as in Hive's own `hive.metastore.uris`.
fn servers_of(text: &Text, report: &mut Report) -> Option<Vec<Server>> {
    let servers = text.value.split(',').map(|one| {
        Server::parse(one).ok_or_else(|| {
            at(text, format!("`metastore`: {one:?} is no metastore"))
                .help("expected \"thrift://HOST:PORT\", or several with commas between them")
        })
    });
    report.keep(servers.collect())
}

fn table_of(text: &Text, report: &mut Report) -> Option<(String, String)> {
    let parts = text.value.split_once('.');
    let parts = parts.filter(|(database, table)| {
        !database.is_empty() && !table.is_empty() && !table.contains('.')
    });
    report.keep(
        parts
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .ok_or_else(|| {
                at(
                    text,
                    format!("`table`: {:?} is no name of a table", text.value),
                )
                .help("expected \"database.table\"")
            }),
    )
}

fn transport(text: &Text, report: &mut Report) -> Option<Transport> {
    let is_kerberos = ["sasl", "kerberos"].contains(&text.value.to_lowercase().as_str());
    if is_kerberos {
        let message = format!("`transport`: {:?} is not supported", text.value);
        report.push(at(text, message).help(
            "a metastore with Kerberos (SASL) cannot be asked; use one without it, or a marker file",
        ));
        return None;
    }
    let values = [
        ("buffered", Transport::Buffered),
        ("framed", Transport::Framed),
    ];
    report.keep(one_of("transport", text, &values))
}

/// Directories beside `path`.
pub(super) fn locations(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<Location>> {
    if root.node("locations").is_none() {
        return Some(Vec::new());
    }
    let texts = root.texts("locations", report)?;
    let locations = texts.into_iter().map(|text| {
        Location::parse(&text.value)
            .map_err(|wrong| at(text, format!("`locations`: {}", wrong.message)).help(wrong.help))
    });
    let kept: Vec<Option<Location>> = locations.map(|location| report.keep(location)).collect();
    kept.into_iter().collect()
}
