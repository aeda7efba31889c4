//! The Hive partitions that a metastore knows: those are ready.

use std::collections::HashMap;

use super::value::texts_of;
use super::{HivePartition, Tree, most, parse_path, sort};
use crate::definition::{Choice, Definition, Format};
use crate::error::Error;
use crate::metastore::{Descriptor, Metastore, Partition, Session, Table};
use crate::storage::Location;

/// What is chosen of them, the greatest values first.
pub(super) fn choose(
    definition: &Definition,
    metastore: &Metastore,
    tree: &Tree<'_>,
) -> Result<Vec<HivePartition>, Error> {
    let mut session = metastore.connect()?;
    let table = session.table()?;
    check_table(definition, metastore, &table)?;
    if definition.partition.is_empty() {
        let found = with_files(definition, tree, HivePartition::root(), &table.descriptor)?;
        return Ok(vec![found]);
    }
    let mut chosen = Vec::new();
    for name in session.names()? {
        let values = parse_path(&name, &definition.partition)
            .map_err(|cause| Error::Invalid(format!("{cause}, in {metastore}")))?;
        let partition = HivePartition {
            path: name.clone(),
            name,
            values,
            files: Vec::new(),
        };
        let is_chosen = match &definition.choice {
            Choice::Pinned(values) => *values == partition.values,
            Choice::AsOf(_) => partition.time().is_some(),
            Choice::Latest | Choice::All => true,
        };
        if is_chosen {
            chosen.push(partition);
        }
    }
    sort(&mut chosen);
    chosen.truncate(most(&definition.choice));
    let found = located(definition, &mut session, tree, chosen)?;
    // What was taken away between two questions is not there.
    Ok(found.into_iter().flatten().collect())
}

/// The same Hive partitions as they are now; `None` for what is not there any more.
pub(super) fn again(
    definition: &Definition,
    metastore: &Metastore,
    tree: &Tree<'_>,
    partitions: &[HivePartition],
) -> Result<Vec<Option<HivePartition>>, Error> {
    let mut session = metastore.connect()?;
    if definition.partition.is_empty() {
        let descriptor = session.table()?.descriptor;
        let now = partitions.iter().cloned();
        let now = now.map(|one| with_files(definition, tree, one, &descriptor).map(Some));
        return now.collect();
    }
    located(definition, &mut session, tree, partitions.to_vec())
}

/// Hive partitions with their files, where the metastore says that they lie.
fn located(
    definition: &Definition,
    session: &mut Session<'_>,
    tree: &Tree<'_>,
    partitions: Vec<HivePartition>,
) -> Result<Vec<Option<HivePartition>>, Error> {
    let names: Vec<&str> = partitions.iter().map(|one| one.name.as_str()).collect();
    let mut places = HashMap::new();
    for Partition { values, descriptor } in session.partitions(&names)? {
        if values.len() != definition.partition.len() {
            let count = values.len();
            let message = format!("the metastore has a Hive partition of {count} values");
            return Err(Error::Invalid(message));
        }
        places.insert(values, descriptor);
    }
    let located = partitions.into_iter().map(|partition| {
        // As text: of values that are equal in the declared type each may have its own place.
        let place = places.get(&texts_of(&partition.name));
        place
            .map(|descriptor| with_files(definition, tree, partition, descriptor))
            .transpose()
    });
    located.collect()
}

fn with_files(
    definition: &Definition,
    tree: &Tree<'_>,
    partition: HivePartition,
    descriptor: &Descriptor,
) -> Result<HivePartition, Error> {
    let name = match partition.name.as_str() {
        "" => "the table",
        name => name,
    };
    check_format(definition, name, descriptor)?;
    let path = path_of(tree, name, &descriptor.location)?;
    let found = tree.with_files(
        HivePartition {
            path,
            files: Vec::new(),
            ..partition
        },
        None,
    )?;
    Ok(found.expect("without a marker it is ready"))
}

/// Where a place lies for the connection, if it is allowed to read there.
fn path_of(tree: &Tree<'_>, name: &str, location: &str) -> Result<String, Error> {
    let place = Location::of_hadoop(location).map_err(|wrong| {
        let message = format!(
            "the metastore says that {name} lies at {location:?}: {}",
            wrong.message
        );
        Error::Invalid(message)
    })?;
    tree.connection.path_of(&place).ok_or_else(|| {
        Error::Invalid(format!(
            "the metastore says that {name} lies at {location}, which is outside of {}; to read there, \
             add a directory above it to `locations`",
            tree.connection.show("")
        ))
    })
}

fn check_format(definition: &Definition, name: &str, descriptor: &Descriptor) -> Result<(), Error> {
    let class = descriptor.input_format.as_str();
    let format = match class.rsplit('.').next().unwrap_or_default() {
        "MapredParquetInputFormat" | "DeprecatedParquetInputFormat" => Some(Format::Parquet),
        "OrcInputFormat" => Some(Format::Orc),
        _ => None,
    };
    if format == Some(definition.format) {
        return Ok(());
    }
    let expected = match definition.format {
        Format::Parquet => "parquet",
        Format::Orc => "orc",
    };
    Err(Error::Invalid(format!(
        "the metastore says that {name} is read by {class}, which does not fit `format = {expected:?}`"
    )))
}

/// Whether the files of a table are its rows, in the levels that are declared.
fn check_table(definition: &Definition, metastore: &Metastore, table: &Table) -> Result<(), Error> {
    let refused = |why: String| Err(Error::Invalid(format!("{metastore} {why}")));
    let parameter = |name: &str| {
        let mut parameters = table.parameters.iter();
        let found = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    };
    if table.kind.ends_with("VIEW") {
        return refused(format!("is a view ({}), which has no files", table.kind));
    }
    if parameter("transactional").eq_ignore_ascii_case("true") {
        return refused(
            "is transactional, which is not supported: its files hold changes".to_owned(),
        );
    }
    // Iceberg, Hudi, Paimon; Spark's Delta.
    let others = [
        parameter("table_type"),
        parameter("spark.sql.sources.provider"),
    ];
    let is_other = |name: &&str| !["", "parquet", "orc", "hive"].contains(name);
    if let Some(other) = others.iter().find(|name| is_other(name)) {
        return refused(format!(
            "is a table of {other}, which is not supported: not every file is part of it"
        ));
    }
    let declared: Vec<&str> = definition
        .partition
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    if table.levels != declared {
        return refused(format!(
            "has the levels ({}), but `partition` declares ({})",
            table.levels.join(", "),
            declared.join(", ")
        ));
    }
    Ok(())
}
