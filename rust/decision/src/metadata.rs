//! The metadata directory: where decisions, versions, activations and dimensions lie.
//!
//! ```text
//! METADATA/decisions/NAME/versions/2/      MANIFEST.json, decision.toml, ...
//! METADATA/decisions/NAME/activations/     000001.toml, 000002.toml: the highest counts
//! METADATA/dimensions/planes.toml
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use pelton_data::report::{Source, nearest};
use pelton_dimension::Definition as Dimension;

use crate::definition::is_name;
use crate::error::{Error, ErrorCode};

/// A local metadata directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    root: PathBuf,
}

/// A decision in a metadata directory: `METADATA/decisions/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionHome {
    /// The directory it lies in.
    pub metadata: Metadata,
    /// Its name.
    pub name: String,
}

impl Metadata {
    /// A plain path or a `file:` URI. Other schemes are refused by name.
    pub fn open(uri: &str) -> Result<Metadata, Error> {
        Ok(Metadata {
            root: local_path(uri)?,
        })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads the definition of a dimension.
    pub fn dimension(&self, name: &str) -> Result<Dimension, Error> {
        read_dimension(&self.dimension_file(name)?)
    }

    /// The file that defines a dimension; it is there.
    pub fn dimension_file(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = self.root.join("dimensions");
        let path = directory.join(format!("{name}.toml"));
        if !is_name(name) || !path.is_file() {
            let known = names_in(&directory, ".toml");
            let message = format!("there is no dimension `{name}` in {}", directory.display());
            let code = ErrorCode::DimensionInvalid;
            return Err(Error::new(code, message + &suggestion(name, &known)));
        }
        Ok(path)
    }

    /// A decision of this directory, whether it exists or not.
    pub fn decision(&self, name: &str) -> DecisionHome {
        DecisionHome {
            metadata: self.clone(),
            name: name.to_owned(),
        }
    }
}

impl DecisionHome {
    /// `METADATA/decisions/NAME` as a plain path or a `file:` URI. The decision must exist.
    pub fn open(uri: &str) -> Result<DecisionHome, Error> {
        let path = local_path(uri.trim_end_matches('/'))?;
        let name = path.file_name().and_then(|name| name.to_str());
        let decisions = path.parent().filter(|parent| parent.ends_with("decisions"));
        let (Some(name), Some(decisions)) = (name, decisions) else {
            let message =
                format!("`{uri}` does not name a decision; expected METADATA/decisions/NAME");
            return Err(Error::new(ErrorCode::DecisionNotFound, message));
        };
        if !path.is_dir() {
            let known = names_in(decisions, "");
            let message = format!("there is no decision `{name}` in {}", decisions.display());
            let code = ErrorCode::DecisionNotFound;
            return Err(Error::new(code, message + &suggestion(name, &known)));
        }
        let root = decisions.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Metadata { root }.decision(name))
    }

    /// `METADATA/decisions/NAME`
    pub fn path(&self) -> PathBuf {
        self.metadata.root.join("decisions").join(&self.name)
    }

    /// The directory of a version.
    pub fn version(&self, version: u64) -> PathBuf {
        self.path().join("versions").join(version.to_string())
    }

    /// The numbers under `versions/`, in order, whether they are whole or not.
    pub fn versions(&self) -> Result<Vec<u64>, Error> {
        numbers_in(&self.path().join("versions"), |number| number.to_string())
    }

    /// The numbers of the activations, in order.
    pub fn activations(&self) -> Result<Vec<u64>, Error> {
        numbers_in(&self.path().join("activations"), activation_file)
    }

    /// Files beside the activations whose names are none of an activation, so that they do not
    /// count. Hidden ones are being written.
    pub fn ignored_activations(&self) -> Result<Vec<PathBuf>, Error> {
        let directory = self.path().join("activations");
        let known = self.activations()?.into_iter().map(activation_file);
        let known: Vec<String> = known.collect();
        let names = names_in(&directory, "").into_iter();
        let ignored = names.filter(|name| !name.starts_with('.') && !known.contains(name));
        Ok(ignored.map(|name| directory.join(name)).collect())
    }
}

/// The local path behind a plain path or a `file:` URI.
pub fn local_path(uri: &str) -> Result<PathBuf, Error> {
    let path = match uri.split_once(':') {
        Some(("file", rest)) => match rest.strip_prefix("//") {
            Some(path) => path,
            None => rest,
        },
        // One letter is a drive, not a scheme.
        Some((scheme, _)) if scheme.len() > 1 && scheme.chars().all(char::is_alphanumeric) => {
            let message = format!("`{uri}`: the scheme `{scheme}:` is not supported yet");
            let help = "expected a local path or a file: URI";
            let code = ErrorCode::NotSupported;
            return Err(Error::new(code, format!("{message}; {help}")));
        }
        _ => uri,
    };
    Ok(PathBuf::from(path))
}

/// Reads the definition of a dimension from its file.
pub fn read_dimension(path: &Path) -> Result<Dimension, Error> {
    let source = Source::new(path.display().to_string(), read_text(path)?);
    Dimension::parse(&source)
        .map_err(|report| Error::new(ErrorCode::DimensionInvalid, report.to_string()))
}

/// Reads a file as text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|cause| Error::io("read", path, &cause))
}

/// The file of an activation: `000002.toml`.
pub fn activation_file(number: u64) -> String {
    format!("{number:06}.toml")
}

/// The numbers that name entries of a directory, in order; entries that are not written as
/// `written` writes their number are none. No directory is no number.
fn numbers_in(directory: &Path, written: fn(u64) -> String) -> Result<Vec<u64>, Error> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(Error::io("list", directory, &cause)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| Error::io("list", directory, &cause))?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or("");
        let digits = name.split_once('.').map_or(name, |(digits, _)| digits);
        let number = digits.parse::<u64>().ok();
        numbers.extend(number.filter(|number| written(*number) == name));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The names of entries of a directory, for suggestions; none where it cannot be listed.
fn names_in(directory: &Path, suffix: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(suffix)?.to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn suggestion(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; there are none".to_owned(),
        None => format!("; there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_named_by_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("decisions/fraud");
        fs::create_dir_all(home.join("versions/2")).unwrap();
        fs::create_dir_all(home.join("versions/10")).unwrap();
        for uri in [
            home.display().to_string(),
            format!("file://{}/", home.display()),
        ] {
            let home = DecisionHome::open(&uri).unwrap();
            assert_eq!(home.name, "fraud");
            assert_eq!(home.metadata.root(), directory.path());
            assert_eq!(home.versions().unwrap(), [2, 10]);
            assert!(home.activations().unwrap().is_empty());
        }
    }

    #[test]
    fn an_unknown_decision_names_the_nearest() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("decisions/fraud")).unwrap();
        let uri = directory.path().join("decisions/fruad");
        let error = DecisionHome::open(uri.to_str().unwrap()).unwrap_err();
        assert_eq!(error.code, ErrorCode::DecisionNotFound);
        assert!(error.message.ends_with("did you mean `fraud`?"), "{error}");
    }

    #[test]
    fn a_scheme_that_is_not_supported_is_refused_by_name() {
        let error = DecisionHome::open("s3://bucket/decisions/fraud").unwrap_err();
        assert_eq!(error.code, ErrorCode::NotSupported);
        assert!(error.message.contains("`s3:`"), "{error}");
    }
}
