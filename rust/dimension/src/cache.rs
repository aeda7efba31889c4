//! The dimensions that a process holds: what users of one dimension share, and the work that keeps
//! it current.
//!
//! A user [claims](Cache::claim) key groups of a dimension and asks until they are
//! [ready](Claim::ready); its lookups read the [snapshot](Claim::snapshot). All loading is done by
//! [`Cache::work`], on a thread that no record waits for. Users of one [`Request`] share its images;
//! claims that come together share a scan. What nobody claims lingers a while, so that a job that
//! starts again does not load it again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::definition::Definition;
use crate::error::Error;
use crate::event::Event;
use crate::groups::Groups;
use crate::image::Image;
use crate::origin::Origin;
use crate::refresh::{Done, Live, Status, Task, Ticket};
use crate::snapshot::Snapshot;
use crate::storage::Settings;

/// How long an image stays that nobody uses.
pub const LINGER: Duration = Duration::from_secs(60);

/// The dimensions that a process holds.
#[derive(Debug)]
pub struct Cache {
    linger: Duration,
    lives: Mutex<Vec<Arc<Live>>>,
    /// Images that new lookups do not see; freed by whoever works, when no lookup is left.
    retired: Mutex<Vec<Arc<Image>>>,
    /// Whether there may be something to do before the time that was last said.
    woken: Mutex<bool>,
    wake: Condvar,
}

/// What a user wants of a dimension.
#[derive(Debug, Clone)]
pub struct Request {
    /// The dimension.
    pub definition: Definition,
    /// What its relative path begins at: the metadata directory.
    pub root: std::path::PathBuf,
    /// How to get into the store that it lies in.
    pub settings: Settings,
    /// The columns that are read, in the order of a row.
    pub columns: Vec<String>,
    /// The key groups that are looked up; [`Groups::whole`] where it is not sharded.
    pub groups: Groups,
}

/// A user's hold on a dimension: images are kept, and kept current, as long as one is there.
#[derive(Debug)]
pub struct Claim {
    live: Arc<Live>,
    ticket: Ticket,
}

/// What a call of [`Cache::work`] has done.
#[derive(Debug, Default)]
pub struct Round {
    /// For the log.
    pub events: Vec<Event>,
    /// When there is more to do; `None` while nothing is held.
    pub next: Option<Instant>,
}

impl Cache {
    /// One that keeps what nobody uses for `linger`.
    pub fn new(linger: Duration) -> Cache {
        Cache {
            linger,
            lives: Mutex::default(),
            retired: Mutex::default(),
            woken: Mutex::default(),
            wake: Condvar::new(),
        }
    }

    /// Claims key groups of a dimension. Nothing is listed or loaded by this call.
    pub fn claim(&self, request: Request, now: Instant) -> Claim {
        let origin = Origin {
            definition: request.definition,
            root: request.root,
            settings: request.settings,
            columns: request.columns,
        };
        let mut lives = lock(&self.lives);
        let same = |live: &&Arc<Live>| live.serves(&origin, &request.groups);
        let live = lives.iter().find(same).cloned().unwrap_or_else(|| {
            let live = Live::new(origin, request.groups.max_parallelism(), now);
            lives.push(Arc::new(live));
            lives[lives.len() - 1].clone()
        });
        let ticket = live.claim(request.groups, now);
        drop(lives);
        self.wake();
        Claim { live, ticket }
    }

    /// Does the most urgent thing that is due: one load at most, so that what it has changed can be
    /// used before the next.
    pub fn work(&self, now: Instant) -> Round {
        let mut events = self.expire(now);
        let lives = lock(&self.lives).clone();
        let tasks = lives.iter().map(|live| (live, live.next(self.linger, now)));
        let due = tasks.filter(|(_, (at, _))| *at <= now);
        let most_urgent = due.min_by_key(|(_, (at, task))| (*task, *at));
        let done = match most_urgent {
            Some((live, (_, Task::Open | Task::Refresh))) => live.refresh(now),
            Some((live, (_, Task::Drop))) => self.drop_unused(live),
            None => Done::default(),
        };
        lock(&self.retired).extend(done.retired);
        drop(lives);
        self.free_retired();
        events.extend(done.event);
        Round {
            events,
            next: self.next(now),
        }
    }

    /// What does not wait for a load, and may be done beside [`Cache::work`]: lookups fail whose rows
    /// are too old, and images are freed that no lookup reads any more.
    pub fn expire(&self, now: Instant) -> Vec<Event> {
        self.free_retired();
        let lives = lock(&self.lives).clone();
        lives.iter().filter_map(|live| live.expire(now)).collect()
    }

    /// When there is more to do; `None` while nothing is held.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let lives = lock(&self.lives);
        let times = lives.iter().flat_map(|live| {
            let (at, _) = live.next(self.linger, now);
            std::iter::once(at).chain(live.expires())
        });
        times.min()
    }

    /// Takes a dimension out, unless it was claimed meanwhile.
    fn drop_unused(&self, live: &Arc<Live>) -> Done {
        let mut lives = lock(&self.lives);
        if live.is_claimed() {
            return Done::default();
        }
        lives.retain(|other| !Arc::ptr_eq(other, live));
        drop(lives);
        live.dropped()
    }

    /// Frees the images that no lookup reads any more.
    fn free_retired(&self) {
        let mut retired = lock(&self.retired);
        let (free, used): (Vec<_>, Vec<_>) = std::mem::take(&mut *retired)
            .into_iter()
            .partition(|image| Arc::strong_count(image) == 1);
        *retired = used;
        drop(retired);
        drop(free);
    }

    /// Gives back what nobody uses, without lingering.
    pub fn clear(&self) {
        let lives = lock(&self.lives).clone();
        for live in lives.iter().filter(|live| !live.is_claimed()) {
            let done = self.drop_unused(live);
            lock(&self.retired).extend(done.retired);
        }
        drop(lives);
        self.free_retired();
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        lock(&self.lives).is_empty() && lock(&self.retired).is_empty()
    }

    /// Waits until there may be something to do: a claim has come, somebody calls [`Cache::wake`],
    /// or `timeout` has passed.
    pub fn wait(&self, timeout: Duration) {
        let woken = lock(&self.woken);
        let waited = self
            .wake
            .wait_timeout_while(woken, timeout, |woken| !*woken);
        let (mut woken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }

    /// Ends a [`Cache::wait`], the next one if there is none.
    pub fn wake(&self) {
        *lock(&self.woken) = true;
        self.wake.notify_all();
    }
}

impl Claim {
    /// Whether lookups can begin: what was there when the claim came is loaded. `false`: ask again.
    /// An error where it cannot be loaded, or was not there within the time that `initial` gives.
    pub fn ready(&self, now: Instant) -> Result<bool, Error> {
        self.live.ready(&self.ticket, now)
    }

    /// What lookups see; `None` before it is ready. To be loaded once for a record, and not kept.
    #[inline]
    pub fn snapshot(&self) -> &ArcSwapOption<Snapshot> {
        self.live.snapshot()
    }

    /// The dimension's definition.
    pub fn definition(&self) -> &Definition {
        &self.live.origin.definition
    }

    /// How the dimension is. Of all users one reports: the others get `None`.
    pub fn report(&self, now: Instant) -> Option<Status> {
        let reports = self.live.is_first(self.ticket.id);
        reports.then(|| self.live.status(now))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.live.release(self.ticket.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
