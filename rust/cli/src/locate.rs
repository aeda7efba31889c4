//! Which decision is meant by a path.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;
use pelton_decision::metadata::{DecisionHome, Metadata, local_path};
use pelton_decision::{Error, Generation};

/// Opens a directory that holds a decision.toml, or a version of METADATA/decisions/NAME.
pub fn open(
    decision: &str,
    version: Option<u64>,
    metadata: Option<&str>,
) -> Result<Generation, Error> {
    let directory = local_path(decision)?;
    if !directory.join("decision.toml").is_file() {
        if metadata.is_some() {
            usage("--metadata goes with a directory that holds a decision.toml");
        }
        return Generation::open(decision, version);
    }
    if version.is_some() {
        usage("--version goes with METADATA/decisions/NAME, not with a directory of one version");
    }
    Generation::open_directory(&directory, metadata_of(&directory, metadata)?.as_ref())
}

/// The metadata directory that was named, or the one that a published version lies in.
pub fn metadata_of(directory: &Path, named: Option<&str>) -> Result<Option<Metadata>, Error> {
    if let Some(uri) = named {
        return Metadata::open(uri).map(Some);
    }
    let Ok(directory) = directory.canonicalize() else {
        return Ok(None); // What is wrong with it is said by whoever reads its files.
    };
    let number = directory.file_name().and_then(|name| name.to_str());
    let is_version = number.is_some_and(|number| number.parse::<u64>().is_ok());
    let versions = directory
        .parent()
        .filter(|parent| parent.ends_with("versions"));
    let home = versions.filter(|_| is_version).and_then(Path::parent);
    let home = home.and_then(Path::to_str).map(DecisionHome::open);
    Ok(home.and_then(Result::ok).map(|home| home.metadata))
}

/// Ends the process as clap does for arguments that do not go together.
fn usage(message: &str) -> ! {
    let mut command = crate::Pelton::command();
    command.error(ErrorKind::ArgumentConflict, message).exit()
}
