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

/// Claims on parts of a dimension are waited for this long: those that come together share a scan.
const GATHER: Duration = Duration::from_millis(100);

/// A first load that failed, and one whose files changed meanwhile, is tried again after this.
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

/// What is to be done next for a dimension. The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// Lookups may no longer use it.
    Expire,
    /// Somebody waits for it.
    Open,
    /// Its time has come.
    Refresh,
    /// Nobody uses it.
    Drop,
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
                due: now,
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
        // Who waits for the same attempt is not waited for again and again.
        let waiting = state.claims.values().any(|claimed| !self.holds(claimed));
        state.due = match waiting {
            true => state.due.min(gathered),
            false => gathered.min(state.due.max(now)),
        };
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
        match (&state.failure, self.policy().initial) {
            (None, _) => Ok(false),
            (Some(error @ (Error::Unavailable(_) | Error::Changed(_))), Initial::Wait(limit)) => {
                let waited = now.saturating_duration_since(ticket.since);
                match waited < limit {
                    true => Ok(false),
                    false => Err(error.after(waited)),
                }
            }
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
        let task = match state.claims.values().all(|groups| self.holds(groups)) {
            true => Task::Refresh,
            false => Task::Open,
        };
        match self.expires(&state) {
            Some(at) if at <= state.due => (at, Task::Expire),
            _ => (state.due, task),
        }
    }

    /// When lookups may no longer use what they see; `None` where they already may not.
    fn expires(&self, state: &State) -> Option<Instant> {
        let at = state.current? + self.policy().max_staleness?;
        let is_stale = self.snapshot.load().as_ref().is_none_or(|s| s.is_stale());
        (!is_stale).then_some(at)
    }

    /// Lookups fail from now on.
    pub(crate) fn expire(&self, now: Instant) -> Done {
        let Some(snapshot) = self.snapshot.load_full() else {
            return Done::default();
        };
        let state = self.state();
        let age = now.saturating_duration_since(state.current.unwrap_or(now));
        let error = self.policy().too_old(age, state.failure.as_ref());
        self.snapshot
            .store(Some(Arc::new(snapshot.stale(error.clone()))));
        Done {
            event: Some(self.event(What::Stale(error))),
            retired: Vec::new(),
        }
    }

    /// Lists, loads what has changed, and lets lookups see it.
    pub(crate) fn refresh(&self, now: Instant) -> Done {
        let (number, wanted) = self.begin();
        let old = self.snapshot.load_full();
        let found = self.origin.refresh(old.as_deref(), &wanted);
        let found = found.and_then(|found| self.accepted(old.as_deref(), found));
        let done = self.finish(old, found, now);
        // Only now: who waits for this attempt sees what it has found.
        let mut state = self.state();
        if state.changes == 0 {
            state.finished = number;
        }
        done
    }

    /// The number of an attempt, and the key groups that all claims need.
    fn begin(&self) -> (u64, Groups) {
        let mut state = self.state();
        state.started += 1;
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

    fn finish(
        &self,
        old: Option<Arc<Snapshot>>,
        found: Result<Found, Error>,
        now: Instant,
    ) -> Done {
        let mut state = self.state();
        let state = &mut *state;
        let again = match &old {
            Some(_) => self.policy().refresh,
            None => self.policy().refresh.min(AGAIN),
        };
        match found {
            Ok(found) => {
                state.due = now + self.policy().refresh;
                (state.changes, state.failure, state.current) = (0, None, Some(now));
                self.swap(state, old, found)
            }
            Err(error @ Error::Changed(_)) if state.changes + 1 < CHANGES => {
                state.changes += 1;
                state.due = now + AGAIN.min(again);
                self.told(What::ChangedMeanwhile(error))
            }
            Err(error) => {
                state.due = now + again;
                (state.changes, state.failure) = (0, Some(error.clone()));
                state.counts.failed += 1;
                let refused = matches!(error, Error::Refused(_));
                state.counts.refused += u64::from(refused);
                self.told(match refused {
                    true => What::Refused(error),
                    false => What::Failed(error),
                })
            }
        }
    }

    fn swap(&self, state: &mut State, old: Option<Arc<Snapshot>>, found: Found) -> Done {
        let new = match (found, &old) {
            (Found::Changed(new), _) => new,
            // It is there as it was: lookups may use it again.
            (Found::Unchanged, Some(old)) if old.is_stale() => old.fresh(),
            (Found::Unchanged, _) => return Done::default(),
        };
        state.counts.done += 1;
        let event = self.event(What::Loaded {
            partitions: new.hive_partitions().map(str::to_owned).collect(),
            rows: new.rows(),
            bytes: new.bytes(),
        });
        self.snapshot.store(Some(Arc::new(new)));
        Done {
            event: Some(event),
            retired: old.as_deref().map(Snapshot::images).unwrap_or_default(),
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
