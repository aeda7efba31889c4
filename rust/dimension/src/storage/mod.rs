//! Where a dimension's files lie, and how they are listed and read.
//!
//! A [`Storage`] is what is known about the place: its URI and how to get in. A [`Connection`] is
//! a client of it that lives as long as one listing or one load, with the runtime that its
//! requests run on: no thread and no socket stays behind.

mod connection;
mod location;
mod settings;

use std::fmt;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;

pub use connection::{Connection, DataFile, Directory};
pub use location::{Location, WrongLocation};
pub use settings::Settings;

use crate::error::Error;

/// A directory of files, wherever it is.
#[derive(Debug, Clone)]
pub struct Storage {
    place: Place,
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
        if let Location::Relative(path) = &location {
            let message = format!("{path:?} is relative, and there is no metadata directory");
            return Err(Error::Invalid(message));
        }
        Ok(Storage {
            place: Place::At(location),
            settings,
        })
    }

    /// An empty directory in the memory of this process, for tests. Clones share it.
    pub fn in_memory() -> Storage {
        Storage {
            place: Place::Memory(Arc::new(InMemory::new())),
            settings: Settings::default(),
        }
    }

    /// A client of the directory.
    pub fn connect(&self) -> Result<Connection, Error> {
        let name = self.to_string();
        let failed = |cause: object_store::Error| {
            Error::Unavailable(format!("cannot open {name}: {}", connection::why(&cause)))
        };
        let mut secrets = Vec::new();
        let store: Arc<dyn ObjectStore> = match &self.place {
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
            Place::At(Location::Relative(_)) => unreachable!("`new` refused it"),
        };
        let prefix = match &self.place {
            Place::At(Location::S3 { path, .. }) => path.as_str(),
            _ => "",
        };
        Connection::new(store, prefix, name, secrets)
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
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
