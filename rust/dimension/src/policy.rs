//! What a definition says about time and change: when to list again, and what to refuse.

use std::time::Duration;

use crate::error::Error;
use crate::snapshot::{Part, Snapshot};

/// The rules for renewing a dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How often what is there is listed.
    pub refresh: Duration,
    /// What a user does that comes before there is anything to load.
    pub initial: Initial,
    /// Lookups fail when what they see was last known to be current longer ago than this.
    pub max_staleness: Option<Duration>,
    /// The share of its rows that an image may lose, from 0 to 1.
    pub max_shrink: Option<f64>,
}

/// What a user does that comes before there is anything to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// Waits at most so long.
    Wait(Duration),
    /// Fails.
    Fail,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            refresh: Duration::from_secs(60),
            initial: Initial::Wait(Duration::from_secs(600)),
            max_staleness: None,
            max_shrink: None,
        }
    }
}

impl Policy {
    /// Why lookups may no longer use what was current `age` ago.
    pub(crate) fn too_old(&self, age: Duration, failure: Option<&Error>) -> Error {
        let limit = self.max_staleness.unwrap_or_default();
        let (age, limit) = (show(age), show(limit));
        let why = failure.map_or("no listing since".to_owned(), |error| error.to_string());
        Error::Unavailable(format!(
            "its rows were last known to be current {age} ago, longer than `max_staleness` allows \
             ({limit}): {why}"
        ))
    }

    /// Refuses what has lost more rows than `max_shrink` allows: files that are not held yet, against
    /// those of the same Hive partition before, else of the one before it.
    pub(crate) fn check_shrink(&self, old: &Snapshot, new: &Snapshot) -> Result<(), Error> {
        let Some(max) = self.max_shrink else {
            return Ok(());
        };
        let is_held = |part: &&Part| old.parts().iter().any(|held| held.chosen == part.chosen);
        for part in new.parts().iter().filter(|part| !is_held(part)) {
            let same_name = old.parts().iter().find(|held| held.name() == part.name());
            let all = old.parts().iter().chain(new.parts());
            let earlier = all.filter(|other| other.chosen.values() < part.chosen.values());
            let before = same_name.or(earlier.max_by_key(|other| other.chosen.values()));
            before.map_or(Ok(()), |before| check_rows(max, before, part))?;
        }
        Ok(())
    }
}

/// Rows of the files are compared: how many of them are held depends on the key groups.
fn check_rows(max_shrink: f64, before: &Part, after: &Part) -> Result<(), Error> {
    let (rows, found) = (before.image.file_rows, after.image.file_rows);
    if found as f64 >= rows as f64 * (1.0 - max_shrink) {
        return Ok(());
    }
    Err(Error::TooFew(format!(
        "{} has {found} rows, {} had {rows}: more than `max_shrink = {} %` are gone",
        after.name(),
        before.name(),
        max_shrink * 100.0,
    )))
}

/// A duration in its largest unit that keeps two digits: `90 s`, `36 h`.
pub(crate) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
