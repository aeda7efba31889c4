//! What became of a dimension in the background: lines for a log.

use std::fmt;

use crate::error::Error;

/// Something that an operator of jobs may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The dimension's name.
    pub dimension: String,
    /// What happened to it.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Lookups see other rows from now on.
    Loaded {
        /// The Hive partitions, the newest last.
        partitions: Vec<String>,
        /// How many rows can be found.
        rows: u64,
        /// Their memory.
        bytes: u64,
    },
    /// Files changed while they were read: what was read is thrown away, and read again.
    ChangedMeanwhile(Error),
    /// A load or a listing failed. Lookups see what they saw before.
    Failed(Error),
    /// What is there breaks a rule of the definition. Lookups see what they saw before.
    Refused(Error),
    /// Lookups fail from now on.
    Stale(Error),
    /// Lookups see again what they saw before they failed: it is still what is there.
    Current,
    /// Nobody uses it any more: its memory is given back.
    Dropped,
}

/// How loud an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Not yet harmful.
    Warn,
    /// Records fail.
    Error,
}

impl Event {
    /// How loud it is.
    pub fn level(&self) -> Level {
        match self.what {
            What::Loaded { .. } | What::Current | What::Dropped | What::ChangedMeanwhile(_) => {
                Level::Info
            }
            What::Failed(_) | What::Refused(_) => Level::Warn,
            What::Stale(_) => Level::Error,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dimension `{}`: ", self.dimension)?;
        match &self.what {
            What::Loaded {
                partitions,
                rows,
                bytes,
            } => {
                let partitions = partitions.join(", ");
                write!(f, "loaded {partitions}: {rows} rows in {bytes} bytes")
            }
            What::ChangedMeanwhile(error) => write!(f, "to be read again: {error}"),
            What::Failed(error) => write!(f, "not refreshed: {error}"),
            What::Refused(error) => write!(f, "refused: {error}"),
            What::Stale(error) => write!(f, "lookups fail: {error}"),
            What::Current => write!(f, "lookups go on: what is loaded is what is there"),
            What::Dropped => write!(f, "dropped, since nobody uses it"),
        }
    }
}
