//! What a definition says about time and change: when to list again, and what to refuse.

use std::time::Duration;

use crate::error::Error;
use crate::snapshot::Snapshot;

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

    /// Refuses an image that has lost more rows than `max_shrink` allows. Where they hold other
    /// key groups, the rows of a group are compared.
    pub(crate) fn check_shrink(&self, old: &Snapshot, new: &Snapshot) -> Result<(), Error> {
        let (Some(max), Some(before), Some(after)) =
            (self.max_shrink, old.parts().last(), new.parts().last())
        else {
            return Ok(());
        };
        let (rows, groups) = (before.image.rows() as f64, before.groups.count() as f64);
        let expected = rows / groups.max(1.0) * after.groups.count() as f64;
        let found = after.image.rows();
        if (found as f64) < expected * (1.0 - max) {
            let percent = max * 100.0;
            return Err(Error::Refused(format!(
                "{} has {found} rows, {} had {}: more than `max_shrink = {percent} %` are gone",
                after.image.hive_partition(),
                before.image.hive_partition(),
                before.image.rows(),
            )));
        }
        Ok(())
    }
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
