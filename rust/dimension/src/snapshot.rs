//! What lookups may see of a dimension at one moment.

use std::sync::Arc;

use crate::definition::Choice;
use crate::error::Error;
use crate::groups::Groups;
use crate::image::Image;
use crate::origin::Chosen;
use crate::timeline::Timeline;

/// The images that lookups may use, immutable. A refresh makes another one.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// In the order of their Hive partitions, the newest last.
    parts: Vec<Part>,
    /// The same images by time, where a record sees the one of its own time.
    timeline: Option<Arc<Timeline>>,
    /// Why lookups fail, though there are images.
    stale: Option<Error>,
}

/// What lookups read.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// Rows that all records see.
    Newest(&'a Arc<Image>),
    /// Rows that a record sees as of its own time.
    AsOf(&'a Arc<Timeline>),
}

/// One image, and what it was loaded from.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) chosen: Chosen,
    pub(crate) groups: Groups,
    pub(crate) image: Arc<Image>,
}

impl Part {
    /// Of its Hive partition.
    pub(crate) fn name(&self) -> &str {
        self.image.hive_partition()
    }
}

impl Snapshot {
    pub(crate) fn new(parts: Vec<Part>, choice: &Choice) -> Snapshot {
        let timeline = match choice {
            Choice::AsOf(as_of) => Some(Arc::new(Timeline::of(&parts, *as_of))),
            _ => None,
        };
        Snapshot {
            parts,
            timeline,
            stale: None,
        }
    }

    /// The same images, which lookups may no longer use.
    pub(crate) fn stale(&self, why: Error) -> Snapshot {
        Snapshot {
            stale: Some(why),
            ..self.clone()
        }
    }

    /// The same images, which lookups may use again.
    pub(crate) fn fresh(&self) -> Snapshot {
        Snapshot {
            stale: None,
            ..self.clone()
        }
    }

    /// What lookups read. An error where it is older than `max_staleness`.
    #[inline]
    pub fn view(&self) -> Result<View<'_>, Error> {
        let newest = self.image()?;
        Ok(match &self.timeline {
            Some(timeline) => View::AsOf(timeline),
            None => View::Newest(newest),
        })
    }

    /// The newest image. An error where it is older than `max_staleness`.
    #[inline]
    pub fn image(&self) -> Result<&Arc<Image>, Error> {
        match (&self.stale, self.parts.last()) {
            (None, Some(newest)) => Ok(&newest.image),
            (Some(why), _) => Err(why.clone()),
            (None, None) => Err(Error::Unavailable("no Hive partition is loaded".to_owned())),
        }
    }

    /// Whether its images are too old for lookups.
    pub fn is_stale(&self) -> bool {
        self.stale.is_some()
    }

    /// The names of the Hive partitions, the newest last.
    pub fn hive_partitions(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(Part::name)
    }

    /// How many rows can be found, in all images together.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.image.rows()).sum()
    }

    /// The memory of all images in bytes.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.image.bytes()).sum()
    }

    /// When the newest Hive partition begins; see [`Chosen::epoch`].
    pub(crate) fn epoch(&self) -> i64 {
        self.parts.last().map_or(0, |part| part.chosen.epoch())
    }

    /// Whether every image holds these key groups.
    pub(crate) fn covers(&self, groups: &Groups) -> bool {
        self.parts.iter().all(|part| part.groups.covers(groups))
    }

    pub(crate) fn images(&self) -> Vec<Arc<Image>> {
        self.parts.iter().map(|part| part.image.clone()).collect()
    }

    /// The images that `other` has not.
    pub(crate) fn images_without(&self, other: &Snapshot) -> Vec<Arc<Image>> {
        let is_kept = |image: &Arc<Image>| {
            let mut kept = other.parts.iter().map(|part| &part.image);
            kept.any(|kept| Arc::ptr_eq(kept, image))
        };
        let mut images = self.images();
        images.retain(|image| !is_kept(image));
        images
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}
