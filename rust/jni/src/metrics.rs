//! The metrics of dimensions, written into Java's buffers by whoever works in the background.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pelton_decision::live::User;
use pelton_dimension::Figures;

use crate::memory::Longs;

/// Who has figures: those of each of its dimensions, always in the same order.
pub trait Source: Send + Sync {
    /// The figures at a time.
    fn figures(&self, now: Instant) -> Vec<Figures>;
}

impl Source for User {
    fn figures(&self, now: Instant) -> Vec<Figures> {
        User::figures(self, now).into_values().collect()
    }
}

struct Published {
    source: Arc<dyn Source>,
    longs: Longs,
}

#[derive(Default)]
struct All {
    next: u64,
    published: BTreeMap<u64, Published>,
}

static ALL: LazyLock<Mutex<All>> = LazyLock::new(Mutex::default);

/// Figures that are kept current in a buffer, until this is dropped.
pub struct Publication(u64);

impl Publication {
    /// Begins to write the figures of `source` into `longs`: one block of
    /// [`Figures::NAMES`] for each dimension.
    pub fn new(source: Arc<dyn Source>, longs: Longs) -> Publication {
        let mut all = lock();
        let number = all.next;
        all.next += 1;
        let published = Published { source, longs };
        published.write(Instant::now());
        all.published.insert(number, published);
        Publication(number)
    }
}

impl Drop for Publication {
    /// Writes them a last time: reporters may ask after a job has ended.
    fn drop(&mut self) {
        let published = lock().published.remove(&self.0);
        if let Some(published) = published {
            published.write(Instant::now());
        }
    }
}

impl Published {
    fn write(&self, now: Instant) {
        let figures = self.source.figures(now);
        let values = figures.iter().flat_map(|figures| figures.values());
        for (i, value) in values.enumerate() {
            self.longs.set(i, *value);
        }
    }
}

/// Writes the figures of all. Locked meanwhile, so that no buffer goes away.
pub fn publish(now: Instant) {
    for published in lock().published.values() {
        published.write(now);
    }
}

fn lock() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}
