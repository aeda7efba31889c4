//! What is loaded in this process: one decision at work for each decision and version, shared by
//! all tasks that use it and dropped with the last of them; and the dimensions of all of them.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pelton_decision::live::LiveDecision;
use pelton_decision::metadata::DecisionHome;
use pelton_decision::{Error, activation};
use pelton_dimension::cache::{LINGER, Round};
use pelton_dimension::storage::Settings;
use pelton_dimension::{Cache, Event};

use crate::metrics;

type Key = (String, u64, Settings);
/// Locked while its decision is compiled: tasks that want the same one wait for it, tasks that
/// want another do not.
type Entry = Arc<Mutex<Weak<LiveDecision>>>;

static LOADED: LazyLock<Mutex<HashMap<Key, Entry>>> = LazyLock::new(Mutex::default);

static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::new(LINGER));

/// A load that goes on. It has a thread of its own: what is late, and metrics, do not wait for it.
static LOAD: Mutex<Option<JoinHandle<Round>>> = Mutex::new(None);

/// Whether that thread has nothing more to do.
static LOAD_ENDED: AtomicBool = AtomicBool::new(false);

/// What was loaded and metrics are looked after so often at least.
const PERIOD: Duration = Duration::from_secs(1);

/// A decision's version at work, compiled unless another task has it open. Version 0 is the active
/// one. Its dimensions are loaded by [`work`], from stores that `settings` lead into.
pub fn open(uri: &str, version: u64, settings: &Settings) -> Result<Arc<LiveDecision>, Error> {
    let version = match version {
        0 => activation::current(&DecisionHome::open(uri)?)?.version,
        version => version,
    };
    let entry = entry((uri.to_owned(), version, settings.clone()));
    let mut slot = lock(&entry);
    if let Some(live) = slot.upgrade() {
        return Ok(live);
    }
    let live = LiveDecision::open(uri, version, settings, &CACHE, Instant::now())?;
    let live = Arc::new(live);
    *slot = Arc::downgrade(&live);
    Ok(live)
}

/// The entry of a key; forgets those that nobody uses or compiles.
fn entry(key: Key) -> Entry {
    let mut loaded = lock(&LOADED);
    loaded.retain(|_, entry| {
        let compiling = Arc::strong_count(entry) > 1;
        compiling || entry.lock().is_ok_and(|slot| slot.strong_count() > 0)
    });
    loaded.entry(key).or_default().clone()
}

/// The dimensions of this process.
pub fn cache() -> &'static Cache {
    &CACHE
}

/// Does what is due, and lets records and metrics see it. Where nothing was done it waits, a
/// second at most.
pub fn work() -> Vec<Event> {
    let now = Instant::now();
    let mut events = CACHE.expire(now);
    events.extend(load(now));
    for live in at_work() {
        live.refresh();
    }
    metrics::publish(now);
    if events.is_empty() {
        let until_next = match is_loading() {
            true => PERIOD, // its end wakes
            false => CACHE
                .next(now)
                .map_or(PERIOD, |next| next.saturating_duration_since(now)),
        };
        CACHE.wait(until_next.min(PERIOD));
    }
    events
}

/// Takes what a load has done that has ended, and begins the next one that is due.
fn load(now: Instant) -> Vec<Event> {
    let mut load = lock(&LOAD);
    let ended = match LOAD_ENDED.swap(false, Ordering::Acquire) {
        true => load.take(),
        false => None,
    };
    let is_due = CACHE.next(now).is_some_and(|next| next <= now);
    if load.is_none() && is_due {
        let thread = thread::Builder::new().name("pelton-refresh".to_owned());
        let begun = thread.spawn(|| {
            let _end = LoadEnd;
            CACHE.work(Instant::now())
        });
        *load = Some(begun.unwrap_or_else(|error| panic!("no thread to load on: {error}")));
    }
    drop(load);
    let round = ended.map(|ended| ended.join().unwrap_or_else(|panic| resume_unwind(panic)));
    round.unwrap_or_default().events
}

/// Says that a load has ended, however it does.
struct LoadEnd;

impl Drop for LoadEnd {
    fn drop(&mut self) {
        LOAD_ENDED.store(true, Ordering::Release);
        CACHE.wake();
    }
}

fn is_loading() -> bool {
    lock(&LOAD).is_some()
}

/// Whether nothing is held, and nothing done: no thread runs but those that Java has lent.
pub fn is_idle() -> bool {
    !is_loading() && CACHE.is_empty()
}

/// The decisions that tasks have open. One that is being compiled is none yet.
fn at_work() -> Vec<Arc<LiveDecision>> {
    let loaded = lock(&LOADED);
    let entries = loaded.values();
    let lives = entries.filter_map(|entry| entry.try_lock().ok()?.upgrade());
    lives.collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::tests::{DECISION, publish};

    #[test]
    fn tasks_share_a_decision_and_the_last_one_drops_it() {
        let metadata = publish(DECISION);
        let uri = metadata.path().join("decisions/double");
        let uri = uri.to_str().expect("a UTF-8 path");
        let settings = Settings::default();
        let first = open(uri, 1, &settings).expect("published");
        let active = open(uri, 0, &settings).expect("active");
        assert!(Arc::ptr_eq(&first, &active));
        let kept = Arc::downgrade(&first);
        drop((first, active));
        assert_eq!(kept.strong_count(), 0);
        assert!(open(uri, 1, &settings).is_ok());
        assert!(open(uri, 2, &settings).is_err());
    }
    /// Who may see a store must not see it for others.
    #[test]
    fn tasks_with_other_settings_share_nothing() {
        let metadata = publish(DECISION);
        let uri = metadata.path().join("decisions/double");
        let uri = uri.to_str().expect("a UTF-8 path");
        let first = open(uri, 1, &Settings::new([("s3.secret-key", "a")])).expect("published");
        let other = open(uri, 1, &Settings::new([("s3.secret-key", "b")])).expect("published");
        assert!(!Arc::ptr_eq(&first, &other));
    }
}
