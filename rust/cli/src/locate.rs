//! Which decision is meant by a path.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use pelton_decision::generation::{compile_directory, compile_home, published};
use pelton_decision::metadata::{DecisionHome, Metadata, activation_file, local_path};
use pelton_decision::{Decision, Error, ErrorCode, Generation, activation};

/// What a path names.
enum Place {
    /// `METADATA/decisions/NAME`
    Home(DecisionHome),
    /// A directory that holds a decision.toml, and its dimensions.
    Directory(PathBuf, Option<Metadata>),
}

/// Opens a directory that holds a decision.toml, or a version of METADATA/decisions/NAME.
pub fn open(
    decision: &str,
    version: Option<u64>,
    metadata: Option<&str>,
) -> Result<Generation, Error> {
    match place(decision, version, metadata)? {
        Place::Home(home) => Generation::open_home(&home, version),
        Place::Directory(directory, metadata) => {
            Generation::open_directory(&directory, metadata.as_ref())
        }
    }
}

/// Compiles the same, without loading its dimensions; with its version, if it is published.
pub fn compile(
    decision: &str,
    version: Option<u64>,
    metadata: Option<&str>,
) -> Result<(Option<u64>, Decision), Error> {
    match place(decision, version, metadata)? {
        Place::Home(home) => {
            let (version, decision) = compile_home(&home, version)?;
            Ok((Some(version), decision))
        }
        Place::Directory(directory, metadata) => {
            let (manifest, files) = published(&directory)?.unzip();
            let decision = compile_directory(&directory, files.as_ref(), metadata.as_ref())?;
            Ok((manifest.map(|manifest| manifest.version), decision))
        }
    }
}

fn place(decision: &str, version: Option<u64>, metadata: Option<&str>) -> Result<Place, Error> {
    let directory = local_path(decision)?;
    if !directory.join("decision.toml").is_file() {
        if metadata.is_some() {
            usage("--metadata goes with a directory that holds a decision.toml");
        }
        let home = home(decision)?;
        if version.is_none() {
            warn_of_ignored_activations(&home)?;
        }
        return Ok(Place::Home(home));
    }
    if version.is_some() {
        usage("--version goes with METADATA/decisions/NAME, not with a directory of one version");
    }
    let metadata = metadata_of(&directory, metadata)?;
    Ok(Place::Directory(directory, metadata))
}

/// `METADATA/decisions/NAME`, however it is written: from within it is `.`.
pub fn home(decision: &str) -> Result<DecisionHome, Error> {
    let directory = local_path(decision)?;
    let Ok(whole) = directory.canonicalize() else {
        return DecisionHome::open(decision);
    };
    match whole
        .parent()
        .is_some_and(|parent| parent.ends_with("decisions"))
    {
        true => Ok(DecisionHome::open(&whole.to_string_lossy())?),
        false => {
            let what = "holds no decision.toml, and is not METADATA/decisions/NAME";
            let help = "name a directory that is one of the two";
            let message = format!("{decision} {what}; {help}");
            Err(Error::new(ErrorCode::DecisionNotFound, message))
        }
    }
}

/// Whether a directory is that of one version: it holds a decision.toml.
pub fn expect_version(directory: &Path) -> Result<(), Error> {
    let shown = directory.display();
    let message = if directory.join("decision.toml").is_file() {
        return Ok(());
    } else if directory.join("versions").is_dir() {
        let home = home(&directory.to_string_lossy())?;
        let active = activation::current(&home).map(|active| active.version);
        let version = active.ok().or(home.versions()?.last().copied());
        let version = version.map_or("N".to_owned(), |version| version.to_string());
        format!("{shown} is all versions of a decision; name one: {shown}/versions/{version}")
    } else if directory.is_file() {
        format!("{shown} is a file; name the directory that holds decision.toml")
    } else if directory.is_dir() {
        format!("{shown} holds no decision.toml; name a directory that does")
    } else {
        format!("there is no directory {shown}; name one that holds a decision.toml")
    };
    Err(Error::new(ErrorCode::DecisionNotFound, message))
}

/// The metadata directory that was named, or the one that a published version lies in.
pub fn metadata_of(directory: &Path, named: Option<&str>) -> Result<Option<Metadata>, Error> {
    if let Some(uri) = named {
        let metadata = Metadata::open(uri)?;
        if !metadata.root().is_dir() {
            let help = "name the one that holds `dimensions`";
            let message = format!("--metadata: there is no directory {uri}; {help}");
            return Err(Error::new(ErrorCode::Io, message));
        }
        return Ok(Some(metadata));
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

/// A file that looks like an activation and is none may be a slip that changes what runs.
pub fn warn_of_ignored_activations(home: &DecisionHome) -> Result<(), Error> {
    for path in home.ignored_activations()? {
        let (path, example) = (path.display(), activation_file(3));
        let help = format!("activations are named by their number in six digits: {example}");
        eprintln!("pelton: warning: {path} is ignored; {help}");
    }
    Ok(())
}

/// Ends the process as clap does for arguments that do not go together.
pub fn usage(message: &str) -> ! {
    let mut command = crate::Pelton::command();
    command.error(ErrorKind::ArgumentConflict, message).exit()
}
