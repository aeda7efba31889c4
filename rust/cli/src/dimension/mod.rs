//! `pelton dimension`: what a dimension holds, and what a key finds in it.

mod get;
mod stats;

use std::path::{Path, PathBuf};

use pelton_decision::generation::dimension_error;
use pelton_decision::metadata::read_dimension;
use pelton_decision::{Error, ErrorCode};
use pelton_dimension::{Definition, Image, Inspection};

/// Look inside a dimension: its size in memory, the row of a key
#[derive(Debug, clap::Args)]
pub struct Dimension {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Stats(stats::Stats),
    Get(get::Get),
}

impl Dimension {
    /// Loads what is needed of the dimension, and prints what was asked for.
    pub fn run(&self) -> Result<(), Error> {
        match &self.command {
            Command::Stats(stats) => stats.run(),
            Command::Get(get) => get.run(),
        }
    }
}

/// A dimension as its file defines it.
struct Opened {
    definition: Definition,
    /// What a relative `path` is relative to.
    metadata: PathBuf,
}

impl Opened {
    /// Reads METADATA/dimensions/NAME.toml.
    fn open(path: &Path) -> Result<Opened, Error> {
        let definition = read_dimension(path)?;
        let whole = path
            .canonicalize()
            .map_err(|cause| Error::io("find", path, &cause))?;
        let dimensions = whole
            .parent()
            .filter(|parent| parent.ends_with("dimensions"));
        match dimensions.and_then(Path::parent) {
            Some(metadata) => Ok(Opened {
                definition,
                metadata: metadata.to_owned(),
            }),
            None => Err(Error::new(
                ErrorCode::DimensionInvalid,
                format!(
                    "{} does not lie in a directory `dimensions`; name METADATA/dimensions/NAME.toml",
                    path.display()
                ),
            )),
        }
    }

    /// Lists what the definition chooses.
    fn inspect(&self) -> Result<Inspection<'_>, Error> {
        Inspection::open(&self.definition, &self.metadata).map_err(|cause| self.failed(&cause))
    }

    /// Loads all columns.
    fn load(&self, inspection: &Inspection<'_>) -> Result<Image, Error> {
        let columns = self.definition.columns.iter();
        let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        let image = inspection.image(&columns);
        image.map_err(|cause| self.failed(&cause))
    }

    fn failed(&self, cause: &pelton_dimension::Error) -> Error {
        dimension_error(&self.definition.name, cause)
    }
}
