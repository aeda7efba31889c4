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
    /// Reads a relative path, an absolute path, a `file:` URI or an `s3://` URI (`s3a` and `s3n`
    /// are the same).
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
                _ => Err(wrong(
                    format!("files at {scheme}:// are not supported"),
                    "a path, or a URI of file: or s3:",
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
            ("hdfs://name/weather", "files at hdfs:// are not supported"),
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
}
