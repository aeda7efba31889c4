//! Checking a decision, and making it a version of a metadata directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::activation::{self, Activation, create_if_absent};
use crate::decision::Decision;
use crate::error::{Error, ErrorCode};
use crate::examples;
use crate::generation::{Generation, compile_directory, manifest_of, published, read_file};
use crate::manifest::{self, Files};
use crate::metadata::{DecisionHome, Metadata};

/// A decision that compiles and whose examples come out as they say.
#[derive(Debug)]
pub struct Checked {
    /// The decision.
    pub decision: Arc<Decision>,
    /// How many examples were run.
    pub examples: usize,
}

/// A decision that was published.
#[derive(Debug)]
pub struct Published {
    /// The decision's name.
    pub name: String,
    /// The new version.
    pub version: u64,
    /// Its directory.
    pub directory: PathBuf,
    /// The record that makes it the active one.
    pub activation: Activation,
    /// The record that counted before; an error where there was none, or it cannot be read.
    pub before: Result<Activation, Error>,
    /// How many examples were run.
    pub examples: usize,
}

/// Compiles the decision of a directory and runs its examples. `metadata` is needed where the
/// decision looks things up in dimensions.
pub fn check(directory: &Path, metadata: Option<&Metadata>) -> Result<Checked, Error> {
    let files = published(directory)?.map(|(_, files)| files);
    let mut decision = compile_directory(directory, files.as_ref(), metadata)?;
    if !directory.join(examples::FILE).exists() {
        return Ok(Checked {
            decision: Arc::new(decision),
            examples: 0,
        });
    }
    let bytes = read_file(directory, examples::FILE)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let shown = directory.join(examples::FILE).display().to_string();
    decision.files.insert(examples::FILE.to_owned(), bytes);
    let mut generation = Generation::with_rows(decision, Vec::new());
    let examples = examples::run(&mut generation, &shown, &text)?;
    Ok(Checked {
        decision: generation.decision,
        examples,
    })
}

/// Checks the decision of a directory, copies it into the next version of `metadata`, and
/// activates that. Readers see the version whole or not at all: its manifest is written last.
pub fn publish(directory: &Path, metadata: &Metadata) -> Result<Published, Error> {
    let checked = check(directory, Some(metadata))?;
    let name = checked.decision.name.clone();
    let home = metadata.decision(&name);
    let (version, target) = next_version(&home)?;
    write_files(&target, &checked.decision.files)?;
    write_manifest(&target, &checked.decision, version)?;
    Ok(Published {
        version,
        before: activation::current(&home),
        directory: target,
        activation: activation::activate(&home, version)?,
        examples: checked.examples,
        name,
    })
}

/// Creates the directory of the next version. Of two that publish at once, each gets its own.
fn next_version(home: &DecisionHome) -> Result<(u64, PathBuf), Error> {
    let versions = home.path().join("versions");
    fs::create_dir_all(&versions).map_err(|cause| Error::io("create", &versions, &cause))?;
    let mut version = home.versions()?.last().map_or(1, |last| last + 1);
    loop {
        let target = home.version(version);
        match fs::create_dir(&target) {
            Ok(()) => return Ok((version, target)),
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => version += 1,
            Err(cause) => return Err(Error::io("create", &target, &cause)),
        }
    }
}

fn write_files(target: &Path, files: &Files) -> Result<(), Error> {
    for (name, bytes) in files {
        let path = target.join(name);
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(path.parent().unwrap_or(target))?;
            let mut file = File::create_new(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|cause| Error::io("write", &path, &cause))?;
    }
    Ok(())
}

fn write_manifest(target: &Path, decision: &Decision, version: u64) -> Result<(), Error> {
    let path = target.join(manifest::FILE);
    let mut json = serde_json::to_string_pretty(&manifest_of(decision, version))
        .map_err(|cause| Error::new(ErrorCode::Io, format!("cannot write a manifest: {cause}")))?;
    json.push('\n');
    match create_if_absent(&path, json.as_bytes())? {
        true => Ok(()),
        false => {
            let message = format!("{} is there already", path.display());
            Err(Error::new(ErrorCode::ManifestMismatch, message))
        }
    }
}
