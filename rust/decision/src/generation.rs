//! A generation: one version of a decision with everything that it needs in memory. A record is
//! evaluated against one generation from its first step to its last.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use pelton_data::columns::{Literal, MemoryError, Slot};
use pelton_data::report::Source;

use crate::activation;
use crate::decision::{Decision, FILE, Sources};
use crate::error::{Error, ErrorCode};
use crate::images::{History, Images};
use crate::manifest::{self, Files, Manifest, is_inside};
use crate::metadata::{DecisionHome, Metadata, read_dimension};
use crate::plan::run::{Rows, RunError, Scratch};
use crate::plan::{LookupNeed, partitions};
use crate::reserved::Reserved;

/// One version with all its images.
#[derive(Debug)]
pub struct Generation {
    /// The version's number; `None` for a directory that is not published.
    pub version: Option<u64>,
    /// Of the generations of one version at work: who keeps what depends on one compares it.
    pub number: u64,
    /// The compiled decision, shared by all its generations.
    pub decision: Arc<Decision>,
    /// Where each lookup of the plan finds its rows, in the order of the file.
    pub(crate) rows: Vec<Rows>,
}

/// A version and Hive partitions as an output row names them in `pelton.version` and
/// `pelton.partitions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin {
    /// The version.
    pub version: u64,
    /// The Hive partition of each lookup, as [`Generation::partitions`] gives it; `None` where the
    /// record has seen none. A lookup that is not named takes what its dimension chooses.
    pub partitions: BTreeMap<String, Option<String>>,
}

impl Generation {
    /// Opens a version of `METADATA/decisions/NAME`, the active one where none is named, and
    /// loads its dimensions.
    pub fn open(uri: &str, version: Option<u64>) -> Result<Generation, Error> {
        Generation::open_home(&DecisionHome::open(uri)?, version)
    }

    /// The same, of a decision that was found.
    pub fn open_home(home: &DecisionHome, version: Option<u64>) -> Result<Generation, Error> {
        let version = version_or_active(home, version)?;
        let partitions = BTreeMap::new();
        Generation::open_pinned(
            home,
            &Pin {
                version,
                partitions,
            },
        )
    }

    /// Opens what once decided a record: the same version with the same Hive partitions.
    pub fn open_pinned(home: &DecisionHome, pin: &Pin) -> Result<Generation, Error> {
        History::new(home).open(pin)
    }

    /// Opens a directory that holds a decision.toml: a published version, whose manifest is then
    /// checked, or one that is still being written.
    pub fn open_directory(directory: &Path, metadata: Option<&Metadata>) -> Result<Self, Error> {
        let (manifest, files) = published(directory)?.unzip();
        let decision = compile_directory(directory, files.as_ref(), metadata)?;
        let rows = Images::default().rows(&decision, metadata, &BTreeMap::new())?;
        Ok(Generation {
            version: manifest.map(|manifest| manifest.version),
            number: 0,
            decision: Arc::new(decision),
            rows,
        })
    }

    /// A generation whose lookups find the given rows, whatever the key: for examples.
    pub fn with_rows(decision: impl Into<Arc<Decision>>, rows: Vec<Rows>) -> Generation {
        Generation {
            version: None,
            number: 0,
            decision: decision.into(),
            rows,
        }
    }

    /// Other rows for the same decision.
    pub fn set_rows(&mut self, rows: Vec<Rows>) {
        self.rows = rows;
    }

    /// What the columns of [`Plan::reserved`](crate::plan::Plan::reserved) hold, as far as it does
    /// not depend on the record.
    pub fn reserved_values(&self) -> Result<Vec<(Slot, Literal)>, MemoryError> {
        let columns = self.decision.plan.reserved.iter();
        let values = columns.map(|(reserved, column)| {
            let value = match (reserved, self.version) {
                (Reserved::Version, Some(version)) => Literal::I64(version as i64),
                (Reserved::Version, None) | (Reserved::Error, _) => Literal::Null,
                (Reserved::Partitions, _) => {
                    Literal::Bytes(partitions::map(&self.decision.plan, &self.rows, None)?)
                }
            };
            Ok((column.slot, value))
        });
        values.collect()
    }

    /// Those of them that are the same for every record: not the Hive partitions, where lookups
    /// are as of a time.
    fn constant_values(&self) -> Result<Vec<(Slot, Literal)>, MemoryError> {
        let plan = &self.decision.plan;
        let mut values = self.reserved_values()?;
        let by_row = plan.partitions_by_row();
        values.retain(|(slot, _)| by_row != Some(*slot));
        Ok(values)
    }

    /// The Hive partition of each lookup that the output needs: `dt=2013-12-01`.
    pub fn partitions(&self) -> BTreeMap<&str, &str> {
        let lookups = self.decision.plan.lookups.iter().zip(&self.rows);
        let used = lookups.filter_map(|(need, rows)| match (need, rows) {
            (Some(need), Rows::Image(image)) => Some((need.name.as_str(), image.hive_partition())),
            _ => None,
        });
        used.collect()
    }

    /// A scratch for up to `capacity` rows at once.
    pub fn scratch(&self, capacity: usize) -> Result<Scratch, Error> {
        let reserved = self.constant_values();
        reserved
            .and_then(|reserved| Scratch::new(&self.decision.plan, capacity, &reserved))
            .map_err(Error::out_of_memory)
    }

    /// Decides one record, a BinaryRow of the input columns. The output stands in the scratch
    /// until the next call, for [`Generation::write_output`].
    pub fn decide_row(&self, scratch: &mut Scratch, row: &[u8]) -> Result<(), Error> {
        let plan = &self.decision.plan;
        plan.run_row(&self.rows, scratch, row)
            .map_err(|e| self.failed(&e))
    }

    /// Decides the first `n` rows of the scratch, whose input columns are set. An error is that
    /// of some row: run the rows singly to know which.
    pub fn decide(&self, scratch: &mut Scratch, n: usize) -> Result<(), Error> {
        let plan = &self.decision.plan;
        plan.run(&self.rows, scratch, n)
            .map_err(|e| self.failed(&e))
    }

    /// Where the lookups find their rows, in the order of the file.
    pub fn rows(&self) -> &[Rows] {
        &self.rows
    }

    /// Writes the decided output of a row as a BinaryRow and returns its length; if `target` is
    /// shorter, what it holds means nothing.
    pub fn write_output(
        &self,
        scratch: &Scratch,
        row: usize,
        target: &mut [u8],
    ) -> Result<usize, Error> {
        let plan = &self.decision.plan;
        plan.write_output(scratch, row, target)
            .map_err(|e| self.failed(&e))
    }

    /// The error as users see it: a code, the decision, what failed.
    #[cold]
    pub fn failed(&self, error: &RunError) -> Error {
        Error::new(error.code(), format!("`{}`: {error}", self.decision.name))
    }
}

/// The manifest of a directory and the files that it lists, checked; `None` for a directory that
/// is not published.
pub fn published(directory: &Path) -> Result<Option<(Manifest, Files)>, Error> {
    if !directory.join(manifest::FILE).exists() {
        return Ok(None);
    }
    let manifest = Manifest::read(directory)?;
    let files = manifest.read_files(directory)?;
    Ok(Some((manifest, files)))
}

/// Compiles a version of a decision, the active one where none is named, and returns its number
/// with it. No dimension is loaded.
pub fn compile_home(home: &DecisionHome, version: Option<u64>) -> Result<(u64, Decision), Error> {
    let version = version_or_active(home, version)?;
    let decision = compile_version(home, version);
    let decision = decision.map_err(|error| error.context(format!("`{}`", home.name)))?;
    Ok((version, decision))
}

fn version_or_active(home: &DecisionHome, version: Option<u64>) -> Result<u64, Error> {
    match version {
        Some(version) => Ok(version),
        None => Ok(activation::current(home)?.version),
    }
}

pub(crate) fn compile_version(home: &DecisionHome, version: u64) -> Result<Decision, Error> {
    let directory = home.version(version);
    if !directory.is_dir() {
        let known: Vec<String> = home.versions()?.iter().map(u64::to_string).collect();
        let message = format!(
            "there is no version {version}; there are: {}",
            known.join(", ")
        );
        return Err(Error::new(ErrorCode::DecisionNotFound, message));
    }
    let manifest = Manifest::read(&directory)?;
    if manifest.decision != home.name || manifest.version != version {
        let (name, number) = (&manifest.decision, manifest.version);
        let shown = directory.join(manifest::FILE);
        let message = format!("{} is that of `{name}`, version {number}", shown.display());
        return Err(Error::new(ErrorCode::ManifestMismatch, message));
    }
    let files = manifest.read_files(&directory)?;
    let decision = compile_directory(&directory, Some(&files), Some(&home.metadata))?;
    check_signature(&decision, &manifest)?;
    Ok(decision)
}

/// The planner knows only the manifest: what runs must be what it says.
fn check_signature(decision: &Decision, manifest: &Manifest) -> Result<(), Error> {
    let now = manifest_of(decision, manifest.version);
    if (&now.input, &now.output) != (&manifest.input, &manifest.output) {
        let message = "the manifest's signature is not that of its decision.toml; publish again";
        return Err(Error::new(ErrorCode::ManifestMismatch, message));
    }
    for (name, then) in &manifest.dimensions {
        if now.dimensions.get(name) != Some(then) {
            let message = format!(
                "the dimension `{name}` is not what it was when this version was published"
            );
            let help = "publish the decision again";
            return Err(Error::new(
                ErrorCode::DimensionInvalid,
                format!("{message}; {help}"),
            ));
        }
    }
    Ok(())
}

/// The manifest of a compiled decision as a version.
pub fn manifest_of(decision: &Decision, version: u64) -> Manifest {
    let plan = &decision.plan;
    let input: Vec<_> = plan
        .input
        .iter()
        .map(|column| column.field.clone())
        .collect();
    let lookups: Vec<LookupNeed> = plan.lookups.iter().flatten().cloned().collect();
    let reserved = plan.reserved.iter();
    let reserved = reserved.map(|(reserved, column)| (reserved.name(), column.name.as_str()));
    let mut manifest = Manifest::new(
        &decision.name,
        version,
        &input,
        &plan.output_fields(),
        &lookups,
        &decision.files,
    );
    manifest.reserved = reserved
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    manifest
}

/// Compiles the decision.toml of a directory, from `files` where they were read already.
pub fn compile_directory(
    directory: &Path,
    files: Option<&Files>,
    metadata: Option<&Metadata>,
) -> Result<Decision, Error> {
    let path = directory.join(FILE);
    let read = |name: &str| match files {
        Some(files) => files.get(name).cloned().ok_or_else(|| {
            let message = format!("`{name}` is not a file of this version");
            Error::new(ErrorCode::ManifestMismatch, message)
        }),
        None => read_file(directory, name),
    };
    let text = String::from_utf8(read(FILE)?).map_err(|_| {
        let message = format!("{} is not UTF-8 text", path.display());
        Error::new(ErrorCode::DecisionInvalid, message)
    })?;
    // The errors of a dimension's file are those of that file, and come in front.
    let broken: RefCell<Vec<Error>> = RefCell::default();
    let dimension = |name: &str| {
        let Some(metadata) = metadata else {
            let message = format!("the dimension `{name}` is not known; add --metadata METADATA");
            return Err(Error::new(ErrorCode::DimensionInvalid, message));
        };
        read_dimension(&metadata.dimension_file(name)?).map_err(|error| {
            let message = format!("the dimension `{name}` cannot be read: see above");
            let code = error.code;
            // Two lookups of one dimension have the same errors.
            if !broken.borrow().contains(&error) {
                broken.borrow_mut().push(error);
            }
            Error::new(code, message)
        })
    };
    let sources = Sources {
        file: &read,
        dimension: &dimension,
    };
    let source = Source::new(path.display().to_string(), text);
    Decision::compile(&source, &sources).map_err(|report| {
        let mut errors = broken.take();
        errors.push(Error::new(ErrorCode::DecisionInvalid, report.to_string()));
        let texts: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        Error::new(errors[0].code, texts.join("\n\n"))
    })
}

/// Reads a file of a directory that is not published.
pub fn read_file(directory: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let path = directory.join(name);
    if !is_inside(name) {
        let message = format!("`{name}` lies outside {}", directory.display());
        return Err(Error::new(ErrorCode::DecisionInvalid, message));
    }
    fs::read(&path).map_err(|cause| Error::io("read", &path, &cause))
}

/// Why a dimension has no rows, as users see it.
pub fn dimension_error(name: &str, cause: &pelton_dimension::Error) -> Error {
    let message = format!("dimension `{name}`: {cause}");
    Error::new(dimension_code(cause), message)
}

/// The code of an error of a dimension.
pub(crate) fn dimension_code(cause: &pelton_dimension::Error) -> ErrorCode {
    match cause {
        pelton_dimension::Error::Invalid(_) => ErrorCode::DimensionInvalid,
        _ => ErrorCode::DimensionUnavailable,
    }
}
