//! Paths and URIs of directories.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use object_store::path::Path as ObjectPath;

use crate::hive;

/// A directory of files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// Below another directory: that of the metadata.
    Relative(String),
    /// On this machine, by its absolute path.
    Local(PathBuf),
    /// In a bucket of an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// The path in it, without a slash at its ends.
        path: String,
    },
    /// In HDFS, for which the crate is built with its feature `hdfs`.
    Hdfs {
        /// `HOST:PORT` of a NameNode, or the name of several; empty for that of Hadoop's configuration.
        name_node: String,
        /// The path, without a slash at its ends.
        path: String,
    },
}

/// Why a text names no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongLocation {
    /// What is wrong, naming the value.
    pub message: String,
    /// What was expected.
    pub help: String,
}

impl Location {
    /// Reads a relative path, an absolute path, a `file:` URI, an `s3://` URI (`s3a` and `s3n`
    /// are the same) or an `hdfs://` URI.
    pub fn parse(text: &str) -> Result<Location, WrongLocation> {
        if text.is_empty() {
            return Err(wrong("it is empty", "a path or a URI"));
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.starts_with('/') {
                let message = format!("{text:?} names no local directory");
                return Err(wrong(
                    message,
                    "a local directory as a URI: \"file:///data/weather\"",
                ));
            }
            return Ok(Location::Local(PathBuf::from(hive::unescape(path))));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return match scheme {
                "s3" | "s3a" | "s3n" => s3(text, rest),
                "hdfs" => hdfs(text, rest),
                _ => Err(wrong(
                    format!("files at {scheme}:// are not supported"),
                    "a path, or a URI of file:, s3: or hdfs:",
                )),
            };
        }
        let path = Path::new(text);
        if path.is_absolute() {
            return Ok(Location::Local(path.to_owned()));
        }
        if path.components().any(|c| c == Component::ParentDir) {
            let message = format!("{text:?} leaves the metadata directory");
            return Err(wrong(
                message,
                "a directory elsewhere by its absolute path or URI",
            ));
        }
        Ok(Location::Relative(text.to_owned()))
    }

    /// Reads a directory as Hadoop writes it: with a scheme, and with nothing escaped.
    pub fn of_hadoop(text: &str) -> Result<Location, WrongLocation> {
        let Some(path) = text.strip_prefix("file:") else {
            return match text.contains("://") {
                true => Location::parse(text),
                false => Err(wrong(format!("{text:?} has no scheme"), "a URI")),
            };
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        match path.starts_with('/') {
            true => Ok(Location::Local(PathBuf::from(path.trim_end_matches('/')))),
            false => Err(wrong(
                format!("{text:?} names no local directory"),
                "a path after file:",
            )),
        }
    }

    /// Where the directory lies in its store.
    pub(super) fn path_in_store(&self) -> &str {
        match self {
            // Its store begins there.
            Location::Relative(_) | Location::Local(_) => "",
            Location::S3 { path, .. } | Location::Hdfs { path, .. } => path,
        }
    }

    /// The path of this directory below `above`, if it lies there or is the same.
    pub(super) fn relative_to(&self, above: &Location) -> Option<String> {
        let below = match (self, above) {
            (Location::Local(path), Location::Local(above)) => {
                let below = path.strip_prefix(above).ok()?;
                let is_plain = |part| matches!(part, Component::Normal(_));
                below.components().all(is_plain).then(|| below.to_str())??
            }
            (
                Location::S3 { bucket, path },
                Location::S3 {
                    bucket: same,
                    path: above,
                },
            ) if bucket == same => below(path, above)?,
            (
                Location::Hdfs { name_node, path },
                Location::Hdfs {
                    name_node: same,
                    path: above,
                },
            ) if name_node == same => below(path, above)?,
            _ => return None,
        };
        Some(below.to_owned())
    }

    /// The same directory, if it is relative below `metadata`.
    pub fn below(&self, metadata: &Location) -> Location {
        let Location::Relative(path) = self else {
            return self.clone();
        };
        match metadata {
            Location::Relative(above) => Location::Relative(format!("{above}/{path}")),
            Location::Local(above) => Location::Local(above.join(path)),
            Location::S3 {
                bucket,
                path: above,
            } => Location::S3 {
                bucket: bucket.clone(),
                path: format!("{above}/{path}").trim_matches('/').to_owned(),
            },
            Location::Hdfs {
                name_node,
                path: above,
            } => Location::Hdfs {
                name_node: name_node.clone(),
                path: format!("{above}/{path}").trim_matches('/').to_owned(),
            },
        }
    }
}

fn s3(text: &str, rest: &str) -> Result<Location, WrongLocation> {
    const HELP: &str = "a directory of a bucket: \"s3://bucket/weather\"";
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    if bucket.is_empty() {
        return Err(wrong(format!("{text:?} names no bucket"), HELP));
    }
    match ObjectPath::parse(path) {
        Ok(_) => Ok(Location::S3 {
            bucket: bucket.to_owned(),
            path: path.to_owned(),
        }),
        Err(cause) => Err(wrong(format!("{text:?} names no directory: {cause}"), HELP)),
    }
}

fn hdfs(text: &str, rest: &str) -> Result<Location, WrongLocation> {
    if !cfg!(feature = "hdfs") {
        return Err(wrong(
            "files at hdfs:// need a build of Pelton with HDFS",
            "a path, or a URI of file: or s3:; or build with `--features hdfs`",
        ));
    }
    let (name_node, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_matches('/');
    match ObjectPath::parse(path) {
        Ok(_) => Ok(Location::Hdfs {
            name_node: name_node.to_owned(),
            path: path.to_owned(),
        }),
        Err(cause) => Err(wrong(
            format!("{text:?} names no directory: {cause}"),
            "a directory of HDFS: \"hdfs://host:8020/warehouse/weather\"",
        )),
    }
}

/// The rest of a path in a store that lies below another one, or is it.
fn below<'a>(path: &'a str, above: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(above)?;
    match above.is_empty() || rest.is_empty() {
        true => Some(rest),
        false => rest.strip_prefix('/'),
    }
}

fn wrong(message: impl Into<String>, expected: &str) -> WrongLocation {
    WrongLocation {
        message: message.into(),
        help: format!("expected {expected}"),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Relative(path) => f.write_str(path),
            Location::Local(path) => path.display().fmt(f),
            Location::S3 { bucket, path } => write!(f, "s3://{bucket}/{path}"),
            Location::Hdfs { name_node, path } => write!(f, "hdfs://{name_node}/{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(path: &str) -> Location {
        Location::Local(PathBuf::from(path))
    }

    fn s3(bucket: &str, path: &str) -> Location {
        let (bucket, path) = (bucket.to_owned(), path.to_owned());
        Location::S3 { bucket, path }
    }

    #[test]
    fn paths_and_uris_are_read() {
        for (text, expected) in [
            ("file:///data/a%20b", local("/data/a b")),
            ("file:/data", local("/data")),
            ("/data/../x", local("/data/../x")),
            ("weather/v1", Location::Relative("weather/v1".to_owned())),
            ("s3://bucket/a/b/", s3("bucket", "a/b")),
            ("s3a://bucket", s3("bucket", "")),
        ] {
            assert_eq!(Location::parse(text), Ok(expected), "{text}");
        }
        for (text, message) in [
            ("a/../../b", "\"a/../../b\" leaves the metadata directory"),
            ("gs://name/weather", "files at gs:// are not supported"),
            (
                "file://host/x",
                "\"file://host/x\" names no local directory",
            ),
            ("s3://", "\"s3://\" names no bucket"),
            ("s3://b/a/../b", "\"s3://b/a/../b\" names no directory"),
            ("", "it is empty"),
        ] {
            let error = Location::parse(text).unwrap_err();
            assert!(error.message.starts_with(message), "{error:?}");
            assert!(error.help.starts_with("expected "), "{error:?}");
        }
    }

    #[test]
    #[cfg(not(feature = "hdfs"))]
    fn hdfs_needs_its_feature() {
        let error = Location::parse("hdfs://name/weather").unwrap_err();
        assert!(error.help.contains("--features hdfs"), "{error:?}");
    }

    #[test]
    #[cfg(feature = "hdfs")]
    fn hdfs_has_a_name_node_and_a_path() {
        for (text, shown) in [
            (
                "hdfs://name:8020/warehouse/x/",
                "hdfs://name:8020/warehouse/x",
            ),
            ("hdfs:///warehouse", "hdfs:///warehouse"),
        ] {
            assert_eq!(Location::parse(text).unwrap().to_string(), shown);
        }
        assert!(Location::parse("hdfs://name/a/../b").is_err());
    }

    #[test]
    fn only_relative_paths_lie_below_the_metadata() {
        let relative = Location::parse("weather").unwrap();
        assert_eq!(relative.below(&local("/meta")), local("/meta/weather"));
        assert_eq!(
            relative.below(&s3("b", "meta")).to_string(),
            "s3://b/meta/weather"
        );
        assert_eq!(relative.below(&s3("b", "")), s3("b", "weather"));
        assert_eq!(local("/data").below(&s3("b", "meta")), local("/data"));
    }

    #[test]
    fn what_hadoop_writes_is_not_escaped() {
        for (text, expected) in [
            ("file:/warehouse/a=x%3Ay", local("/warehouse/a=x%3Ay")),
            ("file:///warehouse/", local("/warehouse")),
            ("s3a://bucket/a=x%3Ay", s3("bucket", "a=x%3Ay")),
        ] {
            assert_eq!(Location::of_hadoop(text), Ok(expected), "{text}");
        }
        for text in ["/warehouse", "warehouse", "file:warehouse", "viewfs://x/y"] {
            assert!(Location::of_hadoop(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_lies_in_a_directory_does_not_leave_it() {
        for (inner, above, expected) in [
            (local("/data/x/dt=1"), local("/data/x"), Some("dt=1")),
            (local("/data/x"), local("/data/x"), Some("")),
            (local("/data/xy"), local("/data/x"), None),
            (local("/data/x/../y"), local("/data/x"), None),
            (s3("b", "x/dt=1"), s3("b", "x"), Some("dt=1")),
            (s3("b", "x/dt=1"), s3("b", ""), Some("x/dt=1")),
            (s3("b", "xy"), s3("b", "x"), None),
            (s3("c", "x/dt=1"), s3("b", "x"), None),
            (local("/x/dt=1"), s3("b", "x"), None),
        ] {
            let found = inner.relative_to(&above);
            assert_eq!(found.as_deref(), expected, "{inner} in {above}");
        }
    }
}
