//! One dimension while it is used: who claims it, what lookups see, and when that is renewed.
//!
//! ```text
//! claimed -> load -> | swap | <- refresh: list, and load what has changed; every `refresh`
//!                       |        a failure keeps what lookups see, until `max_staleness`
//!                     unused -> lingers -> dropped
//! ```
//!
//! Time is what the caller says it is. Nothing here waits, and nothing is loaded under a lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::error::Error;
use crate::event::{Event, What};
use crate::groups::Groups;
use crate::image::Image;
use crate::origin::{Found, Origin};
use crate::policy::{Initial, Policy};
use crate::snapshot::Snapshot;
use crate::source::caught;

/// Claims on parts of a dimension are waited for this long: those that come together share a scan.
const GATHER: Duration = Duration::from_millis(100);

/// A load that somebody waits for and that failed, and one whose files changed meanwhile, is tried
/// again after this.
const AGAIN: Duration = Duration::from_secs(2);

/// Files that change during so many loads in a row are a failure.
const CHANGES: u32 = 3;

/// A dimension with everything that its users share.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) origin: Origin,
    max_parallelism: u32,
    snapshot: ArcSwapOption<Snapshot>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    claims: BTreeMap<u64, Groups>,
    /// The number of the next claim.
    next: u64,
    /// Since when nobody claims it; set by the first work after the last claim.
    unused: Option<Instant>,
    /// When it is listed next.
    due: Instant,
    /// Attempts are counted, so that a claim can wait for one that began after it.
    started: u64,
    finished: u64,
    /// How many attempts in a row have met changing files.
    changes: u32,
    /// Why the last attempt failed.
    failure: Option<Error>,
    /// When what lookups see was last known to be what is there.
    current: Option<Instant>,
    counts: Refreshes,
}

/// What a claim has to remember.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) id: u64,
    /// The attempts that had begun before.
    after: u64,
    since: Instant,
}

/// How often a dimension was renewed, since it was first claimed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refreshes {
    /// Images that took the place of another, the first one included.
    pub done: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Of them those whose outcome broke a rule: `min_rows`, `max_shrink`, `budget`.
    pub refused: u64,
}

/// How a dimension is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Rows that can be found.
    pub rows: u64,
    /// The memory of rows and index in bytes.
    pub bytes: u64,
    /// How long ago lookups were last known to see what is there.
    pub age: Duration,
    /// When the newest Hive partition begins, in milliseconds since 1970; of levels without a
    /// `DATE`, the first integer.
    pub epoch: i64,
    /// How often it was renewed.
    pub refreshes: Refreshes,
}

/// What is to be done next for a dimension. The order is that of urgency: what takes no time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Nobody uses it.
    Drop,
    /// Somebody waits for it, and it has not failed.
    Open,
    /// Its time has come. Of those the one comes first whose time came first, so that one that
    /// always fails does not keep the others from theirs.
    Refresh,
}

/// What work has left behind.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) event: Option<Event>,
    /// Images that no new lookup sees.
    pub(crate) retired: Vec<Arc<Image>>,
}

impl Live {
    pub(crate) fn new(origin: Origin, max_parallelism: u32, now: Instant) -> Live {
        Live {
            origin,
            max_parallelism,
            snapshot: ArcSwapOption::empty(),
            state: Mutex::new(State {
                claims: BTreeMap::new(),
                next: 0,
                unused: None,
                due: now + AGAIN, // the first claim brings it nearer
                started: 0,
                finished: 0,
                changes: 0,
                failure: None,
                current: None,
                counts: Refreshes::default(),
            }),
        }
    }

    /// Whether it is what a request asks for.
    pub(crate) fn serves(&self, origin: &Origin, groups: &Groups) -> bool {
        (&self.origin, self.max_parallelism) == (origin, groups.max_parallelism())
    }

    fn policy(&self) -> &Policy {
        &self.origin.definition.policy
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a user. What is there is listed once more for it, so that it sees what was there when
    /// it came.
    pub(crate) fn claim(&self, groups: Groups, now: Instant) -> Ticket {
        let mut state = self.state();
        let gathered = match groups.is_whole() {
            true => now,
            false => now + GATHER,
        };
        state.due = state.due.min(gathered);
        state.unused = None;
        let id = state.next;
        state.next += 1;
        state.claims.insert(id, groups);
        Ticket {
            id,
            after: state.started,
            since: now,
        }
    }

    /// Takes a user away.
    pub(crate) fn release(&self, id: u64) {
        self.state().claims.remove(&id);
    }

    /// Whether lookups of these groups can begin.
    pub(crate) fn ready(&self, ticket: &Ticket, now: Instant) -> Result<bool, Error> {
        let state = self.state();
        if state.finished <= ticket.after {
            return Ok(false);
        }
        let groups = state.claims.get(&ticket.id);
        if groups.is_some_and(|groups| self.holds(groups)) {
            return Ok(true);
        }
        let waited = now.saturating_duration_since(ticket.since);
        match (&state.failure, self.policy().initial) {
            (None, _) => Ok(false),
            (Some(error), Initial::Wait(limit)) if error.may_pass() => match waited < limit {
                true => Ok(false),
                false => Err(error.after(waited)),
            },
            (Some(error), _) => Err(error.clone()),
        }
    }

    fn holds(&self, groups: &Groups) -> bool {
        let snapshot = self.snapshot.load();
        snapshot.as_ref().is_some_and(|s| s.covers(groups))
    }

    /// What lookups see.
    pub(crate) fn snapshot(&self) -> &ArcSwapOption<Snapshot> {
        &self.snapshot
    }

    /// Whether a user is the one that reports for all.
    pub(crate) fn is_first(&self, id: u64) -> bool {
        self.state().claims.keys().next() == Some(&id)
    }

    pub(crate) fn is_claimed(&self) -> bool {
        !self.state().claims.is_empty()
    }

    pub(crate) fn status(&self, now: Instant) -> Status {
        let snapshot = self.snapshot.load_full();
        let state = self.state();
        let current = state.current.unwrap_or(now);
        Status {
            rows: snapshot.as_ref().map_or(0, |s| s.rows()),
            bytes: snapshot.as_ref().map_or(0, |s| s.bytes()),
            age: now.saturating_duration_since(current),
            epoch: snapshot.as_ref().map_or(0, |s| s.epoch()),
            refreshes: state.counts,
        }
    }

    /// What is to be done next, and when.
    pub(crate) fn next(&self, linger: Duration, now: Instant) -> (Instant, Task) {
        let mut state = self.state();
        if state.claims.is_empty() {
            let since = *state.unused.get_or_insert(now);
            return (since + linger, Task::Drop);
        }
        let is_open = self.is_waited_for(&state) && state.failure.is_none();
        let task = match is_open {
            true => Task::Open,
            false => Task::Refresh,
        };
        (state.due, task)
    }

    /// Whether a claim needs key groups that lookups do not see yet.
    fn is_waited_for(&self, state: &State) -> bool {
        !state.claims.values().all(|groups| self.holds(groups))
    }

    /// When lookups may no longer use what they see; `None` where they already may not, and where there
    /// are none.
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.expires_at(&self.state())
    }

    fn expires_at(&self, state: &State) -> Option<Instant> {
        let at = state.current? + self.policy().max_staleness?;
        let is_stale = self.snapshot.load().as_ref().is_none_or(|s| s.is_stale());
        let is_over = is_stale || state.claims.is_empty();
        (!is_over).then_some(at)
    }

    /// Where the time for it has come: lookups fail from now on.
    pub(crate) fn expire(&self, now: Instant) -> Option<Event> {
        let state = self.state();
        self.expires_at(&state).filter(|at| *at <= now)?;
        let snapshot = self.snapshot.load_full()?;
        let age = now.saturating_duration_since(state.current?);
        let error = self.policy().too_old(age, state.failure.as_ref());
        let stale = snapshot.stale(error.clone());
        self.snapshot.store(Some(Arc::new(stale)));
        Some(self.event(What::Stale(error)))
    }

    /// Lists, loads what has changed, and lets lookups see it.
    pub(crate) fn refresh(&self, now: Instant) -> Done {
        let (number, wanted) = self.begin(now);
        let old = self.snapshot.load_full();
        // Clients of stores are not ours, either.
        let found = caught(&self.origin.definition.name, || {
            let found = self.origin.refresh(old.as_deref(), &wanted)?;
            self.accepted(old.as_deref(), found)
        });
        drop(old);
        let done = self.finish(found, now);
        // Only now: who waits for this attempt sees what it has found.
        let mut state = self.state();
        if state.changes == 0 {
            state.finished = number;
        }
        done
    }

    /// The number of an attempt, and the key groups that all claims need. Who claims from here on
    /// brings the next attempt nearer.
    fn begin(&self, now: Instant) -> (u64, Groups) {
        let mut state = self.state();
        state.started += 1;
        state.due = now + self.policy().refresh;
        let mut claims = state.claims.values();
        let first = claims.next().cloned().unwrap_or_else(Groups::whole);
        let wanted = claims.fold(first, |all, groups| all.plus(groups));
        (state.started, wanted)
    }

    /// An image that has lost too many rows is refused.
    fn accepted(&self, old: Option<&Snapshot>, found: Found) -> Result<Found, Error> {
        if let (Some(old), Found::Changed(new)) = (old, &found) {
            self.policy().check_shrink(old, new)?;
        }
        Ok(found)
    }

    fn finish(&self, found: Result<Found, Error>, now: Instant) -> Done {
        let mut state = self.state();
        let state = &mut *state;
        let error = match found {
            Ok(found) => {
                (state.changes, state.failure, state.current) = (0, None, Some(now));
                return self.swap(state, found);
            }
            Err(error) => error,
        };
        let changed = matches!(error, Error::Changed(_)) && state.changes + 1 < CHANGES;
        if changed || self.is_waited_for(state) {
            state.due = state.due.min(now + AGAIN);
        }
        if changed {
            state.changes += 1;
            return self.told(What::ChangedMeanwhile(error));
        }
        (state.changes, state.failure) = (0, Some(error.clone()));
        state.counts.failed += 1;
        state.counts.refused += u64::from(error.is_refusal());
        self.told(match error.is_refusal() {
            true => What::Refused(error),
            false => What::Failed(error),
        })
    }

    fn swap(&self, state: &mut State, found: Found) -> Done {
        // As it is now: while the attempt went on, its time may have come.
        let old = self.snapshot.load_full();
        let (new, what) = match (found, &old) {
            (Found::Changed(new), _) => {
                state.counts.done += 1;
                let what = What::Loaded {
                    partitions: new.hive_partitions().map(str::to_owned).collect(),
                    rows: new.rows(),
                    bytes: new.bytes(),
                };
                (new, what)
            }
            (Found::Unchanged, Some(old)) if old.is_stale() => (old.fresh(), What::Current),
            (Found::Unchanged, _) => return Done::default(),
        };
        let retired = old.as_ref().map(|old| old.images_without(&new));
        self.snapshot.store(Some(Arc::new(new)));
        Done {
            event: Some(self.event(what)),
            retired: retired.unwrap_or_default(),
        }
    }

    /// Lets go of what is held; nobody uses it.
    pub(crate) fn dropped(&self) -> Done {
        let old = self.snapshot.swap(None);
        Done {
            event: old.is_some().then(|| self.event(What::Dropped)),
            retired: old.as_deref().map(Snapshot::images).unwrap_or_default(),
        }
    }

    fn told(&self, what: What) -> Done {
        Done {
            event: Some(self.event(what)),
            retired: Vec::new(),
        }
    }

    fn event(&self, what: What) -> Event {
        Event {
            dimension: self.origin.definition.name.clone(),
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use pelton_data::report::Source;

    use super::*;
    use crate::definition::Definition;
    use crate::storage::Settings;

    fn live(now: Instant) -> Live {
        let text = "path = \"planes\"\nformat = \"parquet\"\ncolumns = \"id BIGINT\"\n\
                    key = [\"id\"]\nrefresh = \"1 h\"\n";
        let origin = Origin {
            definition: Definition::parse(&Source::new("planes.toml", text)).unwrap(),
            root: "nowhere".into(),
            settings: Settings::default(),
            columns: Vec::new(),
        };
        Live::new(origin, 2, now)
    }

    /// Its key groups are not in what is being loaded, and `refresh` may be an hour.
    #[test]
    fn who_claims_during_an_attempt_does_not_wait_for_the_next_refresh() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        for found in [
            Ok(Found::Unchanged),
            Err(Error::Unavailable("no store".to_owned())),
        ] {
            let live = live(now);
            live.claim(Groups::range(2, 0..1), now);
            live.begin(now);
            live.claim(Groups::range(2, 1..2), later);
            live.finish(found, now);
            let (at, _) = live.next(Duration::ZERO, later);
            assert!(at <= later + GATHER, "{:?}", at - now);
        }
    }
}
