//! A version at work in a process: its generations follow its dimensions.
//!
//! The decision is compiled once. When a dimension is renewed, a new generation takes the new
//! images, and one swap makes records see it: a record is decided by one generation, and no record
//! waits for a load.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::{ArcSwapOption, Guard};
use pelton_dimension::storage::Settings;
use pelton_dimension::{Cache, Claim, Counts, Figures, Groups, Request, Snapshot, View};

use crate::decision::Decision;
use crate::error::Error;
use crate::generation::{Generation, compile_home, dimension_error};
use crate::metadata::{DecisionHome, Metadata};
use crate::plan::LookupNeed;
use crate::plan::run::Rows;

/// A version of a decision whose dimensions are kept current.
#[derive(Debug)]
pub struct LiveDecision {
    /// The version's number.
    pub version: u64,
    /// The compiled decision.
    pub decision: Arc<Decision>,
    /// One a lookup of the plan, `None` where no output needs one.
    claims: Vec<Option<Claim>>,
    current: ArcSwapOption<Generation>,
    /// What the current generation was made of; locked while the next one is made.
    made_of: Mutex<Vec<Option<Arc<Snapshot>>>>,
    /// The numbers of its users; the first one reports.
    users: Mutex<BTreeSet<u64>>,
}

/// Who decides records by a version, on one thread: a task.
#[derive(Debug)]
pub struct User {
    live: Arc<LiveDecision>,
    number: u64,
    /// One a lookup of the plan.
    counts: Arc<[Counts]>,
}

impl LiveDecision {
    /// Compiles a version of `METADATA/decisions/NAME` and claims its dimensions, which are loaded
    /// by [`Cache::work`]; `settings` lead into the stores that they lie in.
    pub fn open(
        uri: &str,
        version: u64,
        settings: &Settings,
        cache: &Cache,
        now: Instant,
    ) -> Result<Self, Error> {
        let home = DecisionHome::open(uri)?;
        let (version, decision) = compile_home(&home, Some(version))?;
        let lookups = decision.plan.lookups.iter();
        let claims = lookups.map(|need| {
            let claim = |need| claim(need, &home.metadata, settings, cache, now);
            need.as_ref().map(claim).transpose()
        });
        let claims = claims.collect::<Result<Vec<_>, Error>>();
        Ok(LiveDecision {
            version,
            claims: claims.map_err(|error| error.context(format!("`{}`", home.name)))?,
            decision: Arc::new(decision),
            current: ArcSwapOption::empty(),
            made_of: Mutex::default(),
            users: Mutex::default(),
        })
    }

    /// Whether records can be decided. `false`: ask again. An error where a dimension cannot be
    /// loaded, or was not there within the time that its `initial` gives.
    pub fn ready(&self, now: Instant) -> Result<bool, Error> {
        for (need, claim) in self.claims() {
            let ready = claim.ready(now).map_err(|cause| {
                let error = dimension_error(&need.dimension, &cause);
                error.context(format!("`{}`", self.decision.name))
            });
            if !ready? {
                return Ok(false);
            }
        }
        self.refresh();
        Ok(true)
    }

    /// Makes the next generation, if a dimension was renewed since the last one.
    pub fn refresh(&self) {
        let claims = self.claims.iter();
        let snapshots: Vec<_> = claims
            .map(|claim| {
                claim
                    .as_ref()
                    .and_then(|claim| claim.snapshot().load_full())
            })
            .collect();
        let mut made_of = lock(&self.made_of);
        let current = self.current.load();
        if current.is_some() && same(&made_of, &snapshots) {
            return;
        }
        let next = Generation {
            version: Some(self.version),
            number: current.as_ref().map_or(0, |current| current.number + 1),
            decision: self.decision.clone(),
            rows: snapshots.iter().map(rows).collect(),
        };
        self.current.store(Some(Arc::new(next)));
        *made_of = snapshots;
    }

    /// What a record is decided by; `None` until it is ready. To be loaded once for each record,
    /// and not kept.
    #[inline]
    pub fn generation(&self) -> Guard<Option<Arc<Generation>>> {
        self.current.load()
    }

    fn claims(&self) -> impl Iterator<Item = (&LookupNeed, &Claim)> {
        let needs = self.decision.plan.lookups.iter().zip(&self.claims);
        needs.filter_map(|(need, claim)| need.as_ref().zip(claim.as_ref()))
    }
}

impl User {
    /// One more user of a version.
    pub fn new(live: &Arc<LiveDecision>) -> User {
        let mut users = lock(&live.users);
        let number = users.last().map_or(0, |last| last + 1);
        users.insert(number);
        let lookups = live.decision.plan.lookups.iter();
        User {
            live: live.clone(),
            number,
            counts: lookups.map(|_| Counts::default()).collect(),
        }
    }

    /// The version.
    pub fn live(&self) -> &LiveDecision {
        &self.live
    }

    /// What its lookups come to, for [`Scratch::count_in`](crate::Scratch::count_in).
    pub fn counts(&self) -> Arc<[Counts]> {
        self.counts.clone()
    }

    /// The metrics of each dimension that it looks things up in, by name. Of users who share an
    /// image, one reports the image.
    pub fn figures(&self, now: Instant) -> BTreeMap<&str, Figures> {
        let reports = lock(&self.live.users).first() == Some(&self.number);
        let lookups = self.live.decision.plan.lookups.iter();
        let lookups = lookups.zip(&self.live.claims).zip(&*self.counts);
        let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();
        for ((need, claim), counts) in lookups {
            let (Some(need), Some(claim)) = (need, claim) else {
                continue;
            };
            let status = claim.report(now).filter(|_| reports);
            let new = Figures::new(status.as_ref(), counts);
            let all = figures.entry(&need.dimension).or_default();
            *all = all.and(new);
        }
        figures
    }
}

impl Drop for User {
    fn drop(&mut self) {
        lock(&self.live.users).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn claim(
    need: &LookupNeed,
    metadata: &Metadata,
    settings: &Settings,
    cache: &Cache,
    now: Instant,
) -> Result<Claim, Error> {
    let columns = need.columns.iter();
    let request = Request {
        definition: metadata.dimension(&need.dimension)?,
        root: metadata.root().to_owned(),
        settings: settings.clone(),
        columns: columns.map(|field| field.name.clone()).collect(),
        groups: Groups::whole(),
    };
    Ok(cache.claim(request, now))
}

/// Where a lookup finds its rows in a snapshot. Without one, nothing needs the lookup.
fn rows(snapshot: &Option<Arc<Snapshot>>) -> Rows {
    let Some(snapshot) = snapshot else {
        return Rows::Given(None);
    };
    match snapshot.view() {
        Err(why) => Rows::Unusable(why),
        Ok(View::AsOf(timeline)) => Rows::AsOf(timeline.clone()),
        Ok(View::Newest(image)) => Rows::Image(image.clone()),
    }
}

fn same(a: &[Option<Arc<Snapshot>>], b: &[Option<Arc<Snapshot>>]) -> bool {
    let pointers = |snapshots: &[Option<Arc<Snapshot>>]| -> Vec<_> {
        let snapshots = snapshots.iter();
        snapshots.map(|s| s.as_ref().map(Arc::as_ptr)).collect()
    };
    pointers(a) == pointers(b)
}
