//! Listing and reading, until it is done.

use std::error::Error as _;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, coalesce_ranges,
};
use tokio::runtime::{Builder, Runtime};

use super::{join, object_path};
use crate::error::Error;

/// Ranges that are nearer than this many bytes are read by one request: a request to a store
/// costs as much time as some hundred kilobytes.
const GAP: u64 = 256 << 10;

/// A client of a [`Storage`](super::Storage).
///
/// Calls block, and are made from threads that run no async code.
pub struct Connection {
    store: Arc<dyn ObjectStore>,
    /// Where the directory lies in the store.
    prefix: String,
    /// How messages name the directory.
    name: String,
    runtime: Runtime,
    /// What messages must not show.
    secrets: Vec<String>,
}

/// What a directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The names of the directories in it.
    pub directories: Vec<String>,
    /// The files in it.
    pub files: Vec<DataFile>,
}

/// A file, as it was when it was listed. Two that are equal hold the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataFile {
    /// Below the directory of the storage.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When it was last written: microseconds since 1970-01-01T00:00:00Z.
    pub modified: i64,
    /// The store's name for these bytes, if it has one.
    pub etag: Option<String>,
}

impl DataFile {
    /// The file's name, without its directories.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Connection {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        prefix: &str,
        name: String,
        secrets: Vec<String>,
    ) -> Result<Connection, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| {
            Error::Unavailable(format!("no runtime to read {name} with: {cause}"))
        })?;
        Ok(Connection {
            store,
            prefix: prefix.to_owned(),
            name,
            runtime,
            secrets,
        })
    }

    /// How messages name a path below the directory.
    pub fn show(&self, path: &str) -> String {
        join(&self.name, path)
    }

    /// What the directory at `path` holds, in no order.
    pub fn list(&self, path: &str) -> Result<Directory, Error> {
        let prefix = self.locate(path)?;
        let listing = self.store.list_with_delimiter(Some(&prefix));
        let listing = self.runtime.block_on(listing);
        let listing = listing.map_err(|cause| self.failed("list", path, &cause))?;
        let names = listing
            .common_prefixes
            .iter()
            .filter_map(ObjectPath::filename);
        Ok(Directory {
            directories: names.map(str::to_owned).collect(),
            files: listing.objects.into_iter().map(|o| self.file(o)).collect(),
        })
    }

    /// All files below the directory, at any depth.
    pub fn list_all(&self) -> Result<Vec<DataFile>, Error> {
        let prefix = self.locate("")?;
        let listing = self.store.list(Some(&prefix)).try_collect::<Vec<_>>();
        let listing = self.runtime.block_on(listing);
        let listing = listing.map_err(|cause| self.failed("list", "", &cause))?;
        Ok(listing.into_iter().map(|o| self.file(o)).collect())
    }

    /// Reads ranges of a file that is still the one that was listed.
    pub fn read(&self, file: &DataFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let failed = |cause: &str| {
            let message = format!("cannot read {}: {cause}", self.show(&file.path));
            Error::Unavailable(message)
        };
        if let Some(outside) = ranges.iter().find(|r| r.start > r.end || r.end > file.size) {
            let message = format!("bytes {outside:?} of {} are asked for", file.size);
            return Err(failed(&message));
        }
        let path = self.locate(&file.path)?;
        let fetch = async |range: Range<u64>| {
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                if_match: file.etag.clone(),
                ..GetOptions::default()
            };
            self.store.get_opts(&path, options).await?.bytes().await
        };
        let wanted: Vec<Range<u64>> = ranges.iter().filter(|r| !r.is_empty()).cloned().collect();
        let read = coalesce_ranges(&wanted, fetch, GAP);
        let read = self.runtime.block_on(read);
        let read = read.map_err(|cause| self.failed("read", &file.path, &cause))?;
        let mut read = read.into_iter();
        let of_range = |range: &Range<u64>| match range.is_empty() {
            true => Some(Bytes::new()),
            false => read
                .next()
                .filter(|b| b.len() as u64 == range.end - range.start),
        };
        let all: Option<Vec<Bytes>> = ranges.iter().map(of_range).collect();
        all.ok_or_else(|| failed("it is shorter than it was when it was listed"))
    }

    /// Writes a file, for tests of what reads it.
    pub fn write(&self, path: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let location = self.locate(path)?;
        let payload = PutPayload::from_bytes(bytes.into());
        let written = self.runtime.block_on(self.store.put(&location, payload));
        written
            .map(drop)
            .map_err(|cause| self.failed("write", path, &cause))
    }

    fn locate(&self, path: &str) -> Result<ObjectPath, Error> {
        object_path(&join(&self.prefix, path))
    }

    /// Paths that a store lists begin with the prefix.
    fn file(&self, object: ObjectMeta) -> DataFile {
        let path = object.location.as_ref();
        let path = path.strip_prefix(&self.prefix).unwrap_or(path);
        DataFile {
            path: path.trim_start_matches('/').to_owned(),
            size: object.size,
            modified: object.last_modified.timestamp_micros(),
            etag: object.e_tag,
        }
    }

    fn failed(&self, what: &str, path: &str, cause: &object_store::Error) -> Error {
        let path = self.show(path);
        let cause = match cause {
            object_store::Error::NotFound { .. } => "it is not there (any more)".to_owned(),
            object_store::Error::Precondition { .. } => {
                "it was changed after it was listed".to_owned()
            }
            other => self.without_secrets(why(other)),
        };
        Error::Unavailable(format!("cannot {what} {path}: {cause}"))
    }

    /// Stores answer with the credentials that they refuse.
    fn without_secrets(&self, mut text: String) -> String {
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "***");
        }
        text
    }
}

impl fmt::Debug for Connection {
    /// The name only: clients hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.name).finish()
    }
}

/// An error with its causes, each once.
pub(super) fn why(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}
