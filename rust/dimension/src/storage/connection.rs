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
use tokio::runtime::Runtime;

use super::{Location, join, object_path};
use crate::error::Error;

/// Ranges that are nearer than this many bytes are read by one request: a request to a store
/// costs as much time as some hundred kilobytes.
const GAP: u64 = 256 << 10;

/// A client of a [`Storage`](super::Storage).
///
/// Calls block, and are made from threads that run no async code. Paths lie below the directory;
/// those in one of the other directories are whole: they begin with that directory's name.
#[derive(Clone)]
pub struct Connection {
    /// The directory itself first.
    roots: Arc<[Root]>,
    runtime: Arc<Runtime>,
}

/// A directory with the client of its store.
pub(super) struct Root {
    pub(super) store: Arc<dyn ObjectStore>,
    /// Where the directory lies in the store.
    pub(super) prefix: String,
    /// How messages name the directory.
    pub(super) name: String,
    pub(super) location: Option<Location>,
    /// What messages must not show.
    pub(super) secrets: Vec<String>,
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
    /// Below the directory of the storage; of one of its other directories, whole.
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
    pub(super) fn new(roots: Vec<Root>, runtime: Runtime) -> Connection {
        Connection {
            roots: roots.into(),
            runtime: Arc::new(runtime),
        }
    }

    /// How messages name a path.
    pub fn show(&self, path: &str) -> String {
        let (root, path) = self.root_of(path);
        join(&root.name, path)
    }

    /// The path of a directory in this one, or in one of the others; `None` where it lies outside of
    /// all.
    pub(crate) fn path_of(&self, location: &Location) -> Option<String> {
        self.roots.iter().enumerate().find_map(|(i, root)| {
            let path = location.relative_to(root.location.as_ref()?)?;
            Some(match i {
                0 => path,
                _ => join(&root.name, &path),
            })
        })
    }

    /// Whether a file lies on this machine: to read a little of it costs little.
    pub(crate) fn is_local(&self, file: &DataFile) -> bool {
        self.root_of(&file.path).0.is_local()
    }

    /// Local files are read by the thread that asks: with a runtime other threads would do it, each
    /// with memory of its own that is not given back.
    fn wait<F: Future>(&self, root: &Root, future: F) -> F::Output {
        match root.is_local() {
            true => futures_executor::block_on(future),
            false => self.runtime.block_on(future),
        }
    }

    /// Whether a path lies below the directory itself.
    pub(crate) fn is_inside(&self, path: &str) -> bool {
        std::ptr::eq(self.root_of(path).0, &self.roots[0])
    }

    /// The root that a path lies in, and the rest of the path.
    fn root_of<'a>(&self, path: &'a str) -> (&Root, &'a str) {
        let (first, others) = self.roots.split_first().expect("there is always one");
        let inside = |root: &'_ Root| {
            let rest = path.strip_prefix(root.name.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
        };
        let found = others.iter().find_map(|root| Some((root, inside(root)?)));
        found.unwrap_or((first, path))
    }

    /// What the directory at `path` holds, in no order; not the empty object that stands for the
    /// directory itself where consoles of object stores, or Hadoop, have made one.
    pub fn list(&self, path: &str) -> Result<Directory, Error> {
        let (root, _) = self.root_of(path);
        let prefix = self.locate(path)?;
        let listing = root.store.list_with_delimiter(Some(&prefix));
        let listing = self.wait(root, listing);
        let listing = listing.map_err(|cause| self.failed("list", path, &cause))?;
        let names = listing
            .common_prefixes
            .iter()
            .filter_map(ObjectPath::filename);
        let objects = listing.objects.into_iter();
        let files = objects.filter(|object| object.location != prefix);
        Ok(Directory {
            directories: names.map(str::to_owned).collect(),
            files: files.map(|file| self.file(root, file)).collect(),
        })
    }

    /// All files below the directory, at any depth; not those of other directories.
    pub fn list_all(&self) -> Result<Vec<DataFile>, Error> {
        let prefix = self.locate("")?;
        let root = &self.roots[0];
        let listing = root.store.list(Some(&prefix)).try_collect::<Vec<_>>();
        let listing = self.wait(root, listing);
        let listing = listing.map_err(|cause| self.failed("list", "", &cause))?;
        let objects = listing.into_iter();
        let files = objects.filter(|object| object.location != prefix);
        Ok(files.map(|file| self.file(root, file)).collect())
    }

    /// Whether a file has bytes at all of these ranges.
    pub(crate) fn check(&self, file: &DataFile, ranges: &[Range<u64>]) -> Result<(), Error> {
        let mut ranges = ranges.iter();
        match ranges.find(|range| range.start > range.end || range.end > file.size) {
            None => Ok(()),
            Some(outside) => {
                let why = format!("bytes {outside:?} of {} are asked for", file.size);
                Err(Error::Unavailable(self.cannot_read(file, &why)))
            }
        }
    }

    /// Reads ranges of a file that is still the one that was listed: [`Error::Changed`] if not.
    pub fn read(&self, file: &DataFile, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        self.check(file, ranges)?;
        let (root, _) = self.root_of(&file.path);
        let path = self.locate(&file.path)?;
        let fetch = async |range: Range<u64>| {
            let wanted = range.end - range.start;
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                if_match: file.etag.clone(),
                ..GetOptions::default()
            };
            let store_failed = |cause| self.failed("read", &file.path, &cause);
            let answer = root.store.get_opts(&path, options).await;
            let bytes = answer.map_err(store_failed)?.bytes().await;
            let bytes = bytes.map_err(store_failed)?;
            match bytes.len() as u64 == wanted {
                true => Ok(bytes),
                false => {
                    let why = "it is shorter than it was when it was listed";
                    Err(Error::Changed(self.cannot_read(file, why)))
                }
            }
        };
        let wanted: Vec<Range<u64>> = ranges.iter().filter(|r| !r.is_empty()).cloned().collect();
        let read = self.wait(root, coalesce_ranges(&wanted, fetch, GAP))?;
        let mut read = read.into_iter();
        let of_range = |range: &Range<u64>| match range.is_empty() {
            true => Bytes::new(),
            false => read.next().unwrap_or_default(),
        };
        Ok(ranges.iter().map(of_range).collect())
    }

    /// Writes a file, for tests of what reads it.
    pub fn write(&self, path: &str, bytes: impl Into<Bytes>) -> Result<(), Error> {
        let (root, _) = self.root_of(path);
        let location = self.locate(path)?;
        let payload = PutPayload::from_bytes(bytes.into());
        let written = self.wait(root, root.store.put(&location, payload));
        written
            .map(drop)
            .map_err(|cause| self.failed("write", path, &cause))
    }

    fn locate(&self, path: &str) -> Result<ObjectPath, Error> {
        let (root, path) = self.root_of(path);
        object_path(&join(&root.prefix, path))
    }

    /// Paths that a store lists begin with the prefix.
    fn file(&self, root: &Root, object: ObjectMeta) -> DataFile {
        let path = object.location.as_ref();
        let path = path.strip_prefix(&root.prefix).unwrap_or(path);
        let path = path.trim_start_matches('/');
        DataFile {
            path: match std::ptr::eq(root, &self.roots[0]) {
                true => path.to_owned(),
                false => join(&root.name, path),
            },
            size: object.size,
            modified: object.last_modified.timestamp_micros(),
            etag: object.e_tag,
        }
    }

    fn cannot_read(&self, file: &DataFile, why: &str) -> String {
        format!("cannot read {}: {why}", self.show(&file.path))
    }

    fn failed(&self, what: &str, path: &str, cause: &object_store::Error) -> Error {
        let (root, _) = self.root_of(path);
        let path = self.show(path);
        let message = |cause: &str| format!("cannot {what} {path}: {cause}");
        match cause {
            // What is read was listed before.
            object_store::Error::NotFound { .. } if what == "read" => {
                Error::Changed(message("it is not there (any more)"))
            }
            object_store::Error::NotFound { .. } => Error::Unavailable(message("it is not there")),
            object_store::Error::Precondition { .. } => {
                Error::Changed(message("it was changed after it was listed"))
            }
            other => Error::Unavailable(message(&root.without_secrets(why(other)))),
        }
    }
}

impl Root {
    fn is_local(&self) -> bool {
        matches!(self.location, Some(Location::Local(_)))
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
        let names = self.roots.iter().map(|root| &root.name);
        f.debug_list().entries(names).finish()
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
