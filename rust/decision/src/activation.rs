//! Activations: numbered records of which version is active; the highest number counts.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use pelton_data::document::{Document, Section, Value};
use pelton_data::report::{Diagnostic, Report, Source};

use crate::error::{Error, ErrorCode};
use crate::metadata::{DecisionHome, activation_file, read_text};

/// One record: from here on, this version is active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// Its number, counted from 1.
    pub number: u64,
    /// The active version.
    pub version: u64,
}

/// The activation that counts.
pub fn current(home: &DecisionHome) -> Result<Activation, Error> {
    let numbers = home.activations()?;
    let Some(number) = numbers.last().copied() else {
        let message = format!("the decision `{}` has no active version", home.name);
        let help = "publish one: pelton publish DIR --to METADATA";
        let code = ErrorCode::DecisionNotFound;
        return Err(Error::new(code, format!("{message}; {help}")));
    };
    let path = path_of(home, number);
    let source = Source::new(path.display().to_string(), read_text(&path)?);
    let version = parse(&source)
        .map_err(|report| Error::new(ErrorCode::DecisionInvalid, report.to_string()))?;
    Ok(Activation { number, version })
}

/// Makes a version the active one, under the next number that is free.
pub fn activate(home: &DecisionHome, version: u64) -> Result<Activation, Error> {
    let directory = home.path().join("activations");
    fs::create_dir_all(&directory).map_err(|cause| Error::io("create", &directory, &cause))?;
    loop {
        let number = home.activations()?.last().map_or(1, |last| last + 1);
        let text = format!("version = {version}\n");
        if create_if_absent(&path_of(home, number), text.as_bytes())? {
            return Ok(Activation { number, version });
        }
        // Somebody else took the number: both records stay, ours comes behind theirs.
    }
}

/// Writes a whole file under a name that nobody has taken, or says that somebody has. Nobody
/// sees half of it: it is staged beside, synced, and gets its name by a hard link.
pub fn create_if_absent(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let stage = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = staging().tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let staged = stage().map_err(|cause| Error::io("write beside", path, &cause))?;
    match staged.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(Error::io("write", path, &failed.error)),
    }
}

/// Staged files are readable by everyone, as the files they become: Flink may run as another user.
fn staging() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".staged-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder
}

fn path_of(home: &DecisionHome, number: u64) -> std::path::PathBuf {
    home.path()
        .join("activations")
        .join(activation_file(number))
}

fn parse(source: &std::sync::Arc<Source>) -> Result<u64, Report> {
    let mut report = Report::new(source.clone());
    let document = Document::parse(source, &mut report);
    let mut section = Section::new(&document.root, "");
    let version = section.required("version", "the number of a version", &mut report);
    let version = version.and_then(|node| match node.value {
        Value::Integer(version) if version > 0 => Some(version as u64),
        _ => {
            report.push(node.expected("version", "the number of a version"));
            None
        }
    });
    section.text("note", &mut report);
    section.node("at");
    for key in ["canary", "shadow"] {
        if let Some(node) = section.node(key) {
            let message = format!("`{key}` is not supported yet");
            let diagnostic = Diagnostic::at(node.span.clone(), message);
            report.push(diagnostic.help("activate one version for all records"));
        }
    }
    section.finish(&mut report);
    report.finish(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;

    fn home(directory: &Path) -> DecisionHome {
        let metadata = Metadata::open(directory.to_str().unwrap()).unwrap();
        metadata.decision("fraud")
    }

    #[test]
    fn the_highest_number_counts() {
        let directory = tempfile::tempdir().unwrap();
        let home = home(directory.path());
        assert_eq!(activate(&home, 1).unwrap().number, 1);
        assert_eq!(activate(&home, 2).unwrap().number, 2);
        assert_eq!(activate(&home, 1).unwrap().number, 3);
        let expected = Activation {
            number: 3,
            version: 1,
        };
        assert_eq!(current(&home).unwrap(), expected);
        let left = fs::read_dir(home.path().join("activations")).unwrap();
        assert_eq!(left.count(), 3, "no staged file is left behind");
    }

    #[test]
    fn a_number_that_is_taken_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("000001.toml");
        assert!(create_if_absent(&path, b"one").unwrap());
        assert!(!create_if_absent(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn what_an_activation_cannot_do_yet_is_refused_by_name() {
        let text = "version = 2\ncanary = { version = 3, percent = 5 }\nshadwo = [4]\n";
        let report = parse(&Source::new("000001.toml", text)).unwrap_err();
        let report = report.to_string();
        assert!(report.contains("000001.toml:2:10: `canary` is not supported yet"));
        assert!(report.contains("did you mean `shadow`?"), "{report}");
    }
}
