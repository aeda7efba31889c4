//! Where a dimension's files lie, and how they are listed and read.
//!
//! A [`Storage`] is what is known about the place: its URI, those of other directories that are allowed,
//! and how to get in. A [`Connection`] is
//! a client of it that lives as long as one listing or one load, with the runtime that its
//! requests run on: no thread and no socket stays behind.

mod connection;
mod hdfs;
mod location;
mod settings;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use tokio::runtime::{Builder, Handle};

use connection::Root;
pub use connection::{Connection, DataFile, Directory};
pub use location::{Location, WrongLocation};
pub use settings::Settings;

use crate::definition::Definition;
use crate::error::Error;

/// A directory of files, wherever it is, and other directories that its files may lie in.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The directory itself first.
    places: Vec<Place>,
    settings: Settings,
}

#[derive(Debug, Clone)]
enum Place {
    At(Location),
    /// Files that only this process has.
    Memory(Arc<InMemory>),
}

impl Storage {
    /// The directory at `location`, which is not relative. Nothing is opened yet.
    pub fn new(location: Location, settings: Settings) -> Result<Storage, Error> {
        Ok(Storage {
            places: vec![Place::at(location)?],
            settings,
        })
    }

    /// The directories of a dimension. Relative ones begin at `metadata`.
    pub fn of(
        definition: &Definition,
        metadata: &Path,
        settings: Settings,
    ) -> Result<Storage, Error> {
        // Messages and metastores name whole paths.
        let metadata = std::path::absolute(metadata).unwrap_or(metadata.to_owned());
        let metadata = Location::Local(metadata);
        let locations = std::iter::once(&definition.path).chain(&definition.locations);
        let places = locations.map(|location| Place::at(location.below(&metadata)));
        Ok(Storage {
            places: places.collect::<Result<_, _>>()?,
            settings,
        })
    }

    /// An empty directory in the memory of this process, for tests. Clones share it.
    pub fn in_memory() -> Storage {
        Storage {
            places: vec![Place::Memory(Arc::new(InMemory::new()))],
            settings: Settings::default(),
        }
    }

    /// A client of the directory.
    pub fn connect(&self) -> Result<Connection, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| {
            Error::Unavailable(format!("no runtime to read {self} with: {cause}"))
        })?;
        let roots = self.places.iter();
        let roots = roots.map(|place| self.open(place, runtime.handle()));
        Ok(Connection::new(roots.collect::<Result<_, _>>()?, runtime))
    }

    fn open(&self, place: &Place, runtime: &Handle) -> Result<Root, Error> {
        let name = place.to_string();
        let failed = |cause: object_store::Error| {
            Error::Unavailable(format!("cannot open {name}: {}", connection::why(&cause)))
        };
        let mut secrets = Vec::new();
        let store: Arc<dyn ObjectStore> = match place {
            Place::Memory(store) => store.clone(),
            Place::At(Location::S3 { bucket, .. }) => {
                let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
                let builder = self.settings.apply(builder);
                secrets = settings::secrets(&builder);
                Arc::new(builder.build().map_err(failed)?)
            }
            Place::At(Location::Local(path)) => {
                Arc::new(LocalFileSystem::new_with_prefix(path).map_err(failed)?)
            }
            Place::At(Location::Hdfs { name_node, .. }) => {
                hdfs::open(name_node, runtime).map_err(failed)?
            }
            Place::At(Location::Relative(_)) => unreachable!("`Place::at` refused it"),
        };
        let (location, prefix) = match place {
            Place::At(location) => (Some(location.clone()), location.path_in_store()),
            Place::Memory(_) => (None, ""),
        };
        Ok(Root {
            store,
            prefix: prefix.to_owned(),
            name,
            location,
            secrets,
        })
    }
}

impl Place {
    fn at(location: Location) -> Result<Place, Error> {
        if let Location::Relative(path) = &location {
            let message = format!("{path:?} is relative, and there is no metadata directory");
            return Err(Error::Invalid(message));
        }
        Ok(Place::At(location))
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.places[0].fmt(f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::At(location) => location.fmt(f),
            Place::Memory(_) => f.write_str("memory:"),
        }
    }
}

/// `directory/name`, where the outermost directory is empty.
fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{directory}/{name}"),
    }
}

fn object_path(path: &str) -> Result<ObjectPath, Error> {
    ObjectPath::parse(path).map_err(|cause| Error::Invalid(format!("{path:?} is no path: {cause}")))
}
