//! MANIFEST.json: what a version consists of. It is written last; a version whose manifest is
//! missing, or does not match its files, does not exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pelton_data::{DataType, Field};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode};
use crate::plan::LookupNeed;

/// The file's name.
pub const FILE: &str = "MANIFEST.json";
/// The format that this code reads and writes.
const FORMAT: u32 = 1;

/// The files of a version, by their names relative to its directory.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a version consists of, and what it takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the manifest: 1.
    pub format: u32,
    /// The decision's name.
    pub decision: String,
    /// The version's number.
    pub version: u64,
    /// The Pelton version that published it.
    pub pelton: String,
    /// The arguments in their order.
    pub input: Vec<Column>,
    /// The output columns in their order.
    pub output: Vec<Column>,
    /// The output columns that Pelton itself gives, by their names under `pelton.`: version,
    /// partitions, error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reserved: BTreeMap<String, String>,
    /// What the decision needs of each dimension.
    pub dimensions: BTreeMap<String, Needs>,
    /// Every other file of the version.
    pub files: BTreeMap<String, FileEntry>,
}

/// A column of the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as Flink writes it, with `NOT NULL` where it is declared so.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// What is used of a dimension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Columns and their types.
    pub columns: Vec<Column>,
    /// The types of the key, in order.
    pub key: Vec<String>,
}

/// A file as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Hexadecimal SHA-256 of the content.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl Manifest {
    /// The manifest of a version that is about to be published.
    pub fn new(
        decision: &str,
        version: u64,
        input: &[Field],
        output: &[Field],
        lookups: &[LookupNeed],
        files: &Files,
    ) -> Manifest {
        let files = files.iter().map(|(name, bytes)| {
            let entry = FileEntry {
                sha256: sha256(bytes),
                bytes: bytes.len() as u64,
            };
            (name.clone(), entry)
        });
        Manifest {
            format: FORMAT,
            decision: decision.to_owned(),
            version,
            pelton: env!("CARGO_PKG_VERSION").to_owned(),
            input: input.iter().map(Column::of).collect(),
            output: output.iter().map(Column::of).collect(),
            reserved: BTreeMap::new(),
            dimensions: needs(lookups),
            files: files.collect(),
        }
    }

    /// Reads the manifest of a version's directory.
    pub fn read(directory: &Path) -> Result<Manifest, Error> {
        let path = directory.join(FILE);
        let shown = path.display();
        let invalid = |what: String| Error::new(ErrorCode::ManifestInvalid, what);
        if !path.is_file() {
            let help = "the version is not whole; publish it again";
            return Err(invalid(format!("{shown} is missing; {help}")));
        }
        let bytes = fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|cause| invalid(format!("{shown} cannot be read: {cause}; publish again")))?;
        match manifest.format {
            FORMAT => Ok(manifest),
            other => {
                let help = format!("this Pelton reads format {FORMAT}; use a newer one");
                Err(invalid(format!("{shown} has format {other}; {help}")))
            }
        }
    }

    /// Reads every file that the manifest lists, and checks size and SHA-256.
    pub fn read_files(&self, directory: &Path) -> Result<Files, Error> {
        let files = self.files.iter().map(|(name, entry)| {
            let bytes = read_listed(directory, name, entry)?;
            Ok((name.clone(), bytes))
        });
        files.collect()
    }
}

impl Column {
    fn of(field: &Field) -> Column {
        let not_null = if field.nullable { "" } else { " NOT NULL" };
        Column {
            name: field.name.clone(),
            data_type: format!("{}{not_null}", field.data_type),
        }
    }
}

/// What all lookups together need of each dimension.
fn needs(lookups: &[LookupNeed]) -> BTreeMap<String, Needs> {
    let mut all: BTreeMap<String, Needs> = BTreeMap::new();
    for lookup in lookups {
        let needs = all.entry(lookup.dimension.clone()).or_default();
        needs.key = lookup.key.iter().map(DataType::to_string).collect();
        for field in &lookup.columns {
            let column = Column::of(field);
            if !needs.columns.contains(&column) {
                needs.columns.push(column);
            }
        }
    }
    all
}

fn read_listed(directory: &Path, name: &str, entry: &FileEntry) -> Result<Vec<u8>, Error> {
    if !is_inside(name) {
        let message = format!("{FILE} lists `{name}`, which lies outside its directory");
        return Err(Error::new(ErrorCode::ManifestInvalid, message));
    }
    let path = directory.join(name);
    let mismatch = |what: String| {
        let shown = path.display();
        let help = "the version is not whole; publish it again";
        Error::new(
            ErrorCode::ManifestMismatch,
            format!("{shown} {what}; {help}"),
        )
    };
    let size = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(cause) => return Err(mismatch(format!("cannot be read: {cause}"))),
    };
    // The size is checked first: a file that has grown is not read into memory.
    if size != entry.bytes {
        let expected = entry.bytes;
        return Err(mismatch(format!(
            "has {size} bytes, not {expected} as published"
        )));
    }
    let bytes = fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))?;
    match sha256(&bytes) == entry.sha256 {
        true => Ok(bytes),
        false => Err(mismatch("is not the file that was published".to_owned())),
    }
}

/// Whether a name of a file stays in its directory: plain parts, none of them `..`.
pub fn is_inside(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    !name.contains(['\\', ':', '\0']) && name.split('/').all(part)
}

/// Hexadecimal SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(directory: &Path) -> Manifest {
        let files = BTreeMap::from([("decision.toml".to_owned(), b"name = 'a'".to_vec())]);
        fs::write(directory.join("decision.toml"), &files["decision.toml"]).unwrap();
        let field = Field {
            nullable: false,
            ..Field::new("a", DataType::STRING)
        };
        Manifest::new("a", 1, &[field], &[], &[], &files)
    }

    #[test]
    fn sha256_is_that_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn types_are_flinks_and_say_not_null() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = published(directory.path());
        assert_eq!(manifest.input[0].data_type, "STRING NOT NULL");
    }

    #[test]
    fn a_changed_file_is_a_mismatch_and_a_grown_one_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = published(directory.path());
        assert!(manifest.read_files(directory.path()).is_ok());
        for (content, part) in [
            ("name = 'b'", "is not the file"),
            ("name = 'ab'", "11 bytes"),
        ] {
            fs::write(directory.path().join("decision.toml"), content).unwrap();
            let error = manifest.read_files(directory.path()).unwrap_err();
            assert_eq!(error.code, ErrorCode::ManifestMismatch);
            assert!(error.message.contains(part), "{error}");
        }
    }

    #[test]
    fn a_missing_or_torn_manifest_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let error = Manifest::read(directory.path()).unwrap_err();
        assert!(
            error.message.contains("MANIFEST.json is missing"),
            "{error}"
        );
        fs::write(directory.path().join(FILE), "{\"format\": 1, \"deci").unwrap();
        let error = Manifest::read(directory.path()).unwrap_err();
        assert_eq!(error.code, ErrorCode::ManifestInvalid);
        assert!(error.message.contains("cannot be read"), "{error}");
    }

    #[test]
    fn files_outside_the_version_are_refused() {
        for name in ["../x", "/etc/passwd", "a/../../x", "", "a//b", "C:\\x", "."] {
            assert!(!is_inside(name), "{name}");
        }
        assert!(is_inside("delay.onnx") && is_inside("data/weights.bin"));
    }
}
