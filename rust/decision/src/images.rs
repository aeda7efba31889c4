//! The rows of lookups outside of jobs: loaded once, not renewed, shared by all who ask for the
//! same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pelton_dimension::{Definition, Image, Timeline};

use crate::decision::Decision;
use crate::error::{Error, ErrorCode};
use crate::generation::{Generation, Pin, compile_version, dimension_error};
use crate::metadata::{DecisionHome, Metadata};
use crate::plan::LookupNeed;
use crate::plan::run::Rows;

/// A dimension, the Hive partition that it is pinned to, the columns of its rows.
type Key = (String, Option<String>, Vec<String>);

/// The images of a metadata directory that were asked for.
#[derive(Debug, Default)]
pub struct Images {
    loaded: Mutex<BTreeMap<Key, Loaded>>,
}

/// Rows that are shared.
#[derive(Debug, Clone)]
enum Loaded {
    Image(Arc<Image>),
    Timeline(Arc<Timeline>),
}

/// What once decided records of a decision: versions, each with the Hive partitions of its lookups.
#[derive(Debug)]
pub struct History {
    home: DecisionHome,
    decisions: Mutex<BTreeMap<u64, Arc<Decision>>>,
    images: Images,
}

impl History {
    /// That of a decision.
    pub fn new(home: &DecisionHome) -> History {
        History {
            home: home.clone(),
            decisions: Mutex::default(),
            images: Images::default(),
        }
    }

    /// What decided a record: the same version with the same Hive partitions. A version is compiled
    /// once, and an image loaded once, for whatever pins.
    pub fn open(&self, pin: &Pin) -> Result<Generation, Error> {
        self.generation(pin)
            .map_err(|error| error.context(format!("`{}`", self.home.name)))
    }

    fn generation(&self, pin: &Pin) -> Result<Generation, Error> {
        let mut decisions = self
            .decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let decision = match decisions.get(&pin.version) {
            Some(decision) => decision.clone(),
            None => {
                let compiled = Arc::new(compile_version(&self.home, pin.version)?);
                decisions.insert(pin.version, compiled.clone());
                compiled
            }
        };
        let metadata = Some(&self.home.metadata);
        let rows = self.images.rows(&decision, metadata, &pin.partitions)?;
        Ok(Generation {
            version: Some(pin.version),
            number: 0,
            decision,
            rows,
        })
    }
}

impl Images {
    /// The rows of every lookup: of the Hive partition that `partitions` names for it, else of those
    /// that its dimension chooses. A lookup that is pinned to `None` finds no rows.
    pub fn rows(
        &self,
        decision: &Decision,
        metadata: Option<&Metadata>,
        partitions: &BTreeMap<String, Option<String>>,
    ) -> Result<Vec<Rows>, Error> {
        check_names(decision, partitions)?;
        let lookups = decision.plan.lookups.iter();
        let rows = lookups.map(|need| match (need, metadata) {
            // Nothing needs the lookup, so that nothing will ask for its rows.
            (None, _) | (_, None) => Ok(Rows::Given(None)),
            (Some(need), Some(metadata)) => match partitions.get(&need.name) {
                Some(None) => Ok(Rows::Given(None)),
                Some(Some(pinned)) => self.shared(need, metadata, Some(pinned)),
                None => self.shared(need, metadata, None),
            },
        });
        rows.collect()
    }

    fn shared(
        &self,
        need: &LookupNeed,
        metadata: &Metadata,
        pinned: Option<&str>,
    ) -> Result<Rows, Error> {
        let columns: Vec<String> = need
            .columns
            .iter()
            .map(|field| field.name.clone())
            .collect();
        let key = (need.dimension.clone(), pinned.map(str::to_owned), columns);
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = match all.get(&key) {
            Some(loaded) => loaded.clone(),
            None => {
                let loaded = load(need, metadata, pinned, &key.2)?;
                all.insert(key, loaded.clone());
                loaded
            }
        };
        Ok(match loaded {
            Loaded::Image(image) => Rows::Image(image),
            Loaded::Timeline(timeline) => Rows::AsOf(timeline),
        })
    }
}

fn check_names(
    decision: &Decision,
    partitions: &BTreeMap<String, Option<String>>,
) -> Result<(), Error> {
    let lookups = decision.plan.lookups.iter().flatten();
    let names: Vec<&str> = lookups.map(|need| need.name.as_str()).collect();
    let mut pinned = partitions.keys();
    let Some(unknown) = pinned.find(|name| !names.contains(&name.as_str())) else {
        return Ok(());
    };
    let there = names.join(", ");
    let message = format!(
        "a Hive partition is pinned for the lookup `{unknown}`, but the output needs only: {there}"
    );
    Err(Error::new(ErrorCode::ArgumentMismatch, message))
}

fn load(
    need: &LookupNeed,
    metadata: &Metadata,
    pinned: Option<&str>,
    columns: &[String],
) -> Result<Loaded, Error> {
    let dimension = metadata.dimension(&need.dimension)?;
    let Some(pinned) = pinned else {
        let timeline =
            Timeline::on_demand(&dimension, metadata.root().to_owned(), columns.to_vec());
        let timeline = timeline.map_err(|cause| dimension_error(&need.dimension, &cause))?;
        return match timeline {
            Some(timeline) => Ok(Loaded::Timeline(Arc::new(timeline))),
            None => image(&dimension, metadata, columns)
                .map_err(|cause| dimension_error(&need.dimension, &cause)),
        };
    };
    let dimension = dimension.pinned(pinned).map_err(|cause| {
        let message = format!("lookup `{}`: {cause}", need.name);
        Error::new(ErrorCode::ArgumentMismatch, message)
    })?;
    image(&dimension, metadata, columns).map_err(|cause| {
        let name = format!("{}`, pinned to `{pinned}", need.dimension);
        dimension_error(&name, &cause)
    })
}

fn image(
    dimension: &Definition,
    metadata: &Metadata,
    columns: &[String],
) -> Result<Loaded, pelton_dimension::Error> {
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let image = Image::load(dimension, metadata.root(), &columns)?;
    Ok(Loaded::Image(Arc::new(image)))
}
