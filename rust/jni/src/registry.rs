//! What is loaded in this process: one generation per decision and version, shared by all tasks
//! that use it and dropped with the last of them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use pelton_decision::metadata::DecisionHome;
use pelton_decision::{Error, Generation, activation};

type Key = (String, u64);
/// Locked while its generation is loaded: tasks that want the same one wait for it, tasks that
/// want another do not.
type Entry = Arc<Mutex<Weak<Generation>>>;

static LOADED: LazyLock<Mutex<HashMap<Key, Entry>>> = LazyLock::new(Mutex::default);

/// The generation of a decision's version, loaded unless another task has it open. Version 0 is
/// the active one.
pub fn open(uri: &str, version: u64) -> Result<Arc<Generation>, Error> {
    let version = match version {
        0 => activation::current(&DecisionHome::open(uri)?)?.version,
        version => version,
    };
    let entry = entry((uri.to_owned(), version));
    let mut slot = entry.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(generation) = slot.upgrade() {
        return Ok(generation);
    }
    let generation = Arc::new(Generation::open(uri, Some(version))?);
    *slot = Arc::downgrade(&generation);
    Ok(generation)
}

/// The entry of a key; forgets those that nobody uses or loads.
fn entry(key: Key) -> Entry {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    loaded.retain(|_, entry| {
        let loading = Arc::strong_count(entry) > 1;
        loading || entry.lock().is_ok_and(|slot| slot.strong_count() > 0)
    });
    loaded.entry(key).or_default().clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::tests::{DECISION, publish};

    #[test]
    fn tasks_share_a_generation_and_the_last_one_drops_it() {
        let metadata = publish(DECISION);
        let uri = metadata.path().join("decisions/double");
        let uri = uri.to_str().expect("a UTF-8 path");
        let first = open(uri, 1).expect("published");
        let active = open(uri, 0).expect("active");
        assert!(Arc::ptr_eq(&first, &active));
        let kept = Arc::downgrade(&first);
        drop((first, active));
        assert_eq!(kept.strong_count(), 0);
        assert!(open(uri, 1).is_ok());
        assert!(open(uri, 2).is_err());
    }
}
