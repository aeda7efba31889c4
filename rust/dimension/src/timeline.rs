//! Which Hive partition a record sees that is decided as of its own time: never one that was not
//! there at that time.
//!
//! ```text
//!            | value .. value + period | available_after |
//! covers     |=========================|                 |
//! valid from                                             ^ a record from here on sees it,
//!                                                          until the next one is valid
//! ```

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::definition::{AsOf, Choice, Definition, Late};
use crate::error::Error;
use crate::groups::Groups;
use crate::image::Image;
use crate::origin::{Chosen, Origin};
use crate::policy::show;
use crate::snapshot::Part;
use crate::storage::Settings;

/// The Hive partitions of a dimension by the time from which they are valid.
#[derive(Debug)]
pub struct Timeline {
    as_of: AsOf,
    /// The oldest first.
    moments: Box<[Moment]>,
    /// Loads what is asked for; `None` where all is loaded.
    origin: Option<Origin>,
}

#[derive(Debug)]
struct Moment {
    name: String,
    /// Milliseconds since 1970.
    begins: i64,
    chosen: Chosen,
    image: OnceLock<Result<Arc<Image>, Error>>,
}

/// What there is for a time.
#[derive(Debug)]
pub enum At<'a> {
    /// A Hive partition.
    Rows {
        /// Its number in the timeline.
        number: usize,
        /// Its rows.
        image: &'a Image,
        /// Whether a newer one should have been there.
        late: bool,
    },
    /// The time lies before all Hive partitions that are held.
    Older,
    /// The Hive partition is not there yet: ask again after the next refresh.
    NotYet(Error),
}

/// Which Hive partition a time belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pick {
    Older,
    Number { number: usize, late: bool },
}

impl Timeline {
    /// The Hive partitions that are held, the oldest first.
    pub(crate) fn of(parts: &[Part], as_of: AsOf) -> Timeline {
        let moments = parts.iter().map(|part| {
            let moment = Moment::new(part.name().to_owned(), part.chosen.clone());
            Moment {
                image: OnceLock::from(Ok(part.image.clone())),
                ..moment
            }
        });
        Timeline {
            as_of,
            moments: moments.collect(),
            origin: None,
        }
    }

    /// All Hive partitions of a dimension, each loaded when a record needs it; `None` for a
    /// dimension that is not chosen by time.
    pub fn on_demand(
        definition: &Definition,
        root: PathBuf,
        columns: Vec<String>,
    ) -> Result<Option<Timeline>, Error> {
        let Choice::AsOf(as_of) = definition.choice else {
            return Ok(None);
        };
        let mut definition = definition.clone();
        definition.choice = Choice::AsOf(AsOf {
            keep: usize::MAX,
            ..as_of
        });
        let origin = Origin {
            definition,
            root,
            settings: Settings::default(),
            columns,
        };
        let chosen = origin.listed()?.into_iter();
        let moments = chosen.map(|chosen| Moment::new(chosen.name().to_owned(), chosen));
        Ok(Some(Timeline {
            as_of,
            moments: moments.collect(),
            origin: Some(origin),
        }))
    }

    /// What there is for a time, in milliseconds since 1970.
    pub fn at(&self, time: i64) -> Result<At<'_>, Error> {
        let (number, late) = match self.pick(time) {
            Pick::Older => return Ok(At::Older),
            Pick::Number { number, late } => (number, late),
        };
        let is_newest = number + 1 == self.moments.len();
        match self.as_of.late {
            Late::Fail if late => Err(self.not_there(number, time)),
            // A gap that newer ones lie behind is not waited for.
            Late::Wait if late && is_newest => Ok(At::NotYet(self.not_there(number, time))),
            _ => Ok(At::Rows {
                number,
                image: self.image(number)?,
                late,
            }),
        }
    }

    /// The name of a Hive partition: `dt=2013-01-02`.
    pub fn name(&self, number: usize) -> &str {
        &self.moments[number].name
    }

    fn pick(&self, time: i64) -> Pick {
        let valid = |moment: &Moment| self.valid_from(moment) <= time;
        let count = self.moments.partition_point(valid);
        let Some(number) = count.checked_sub(1) else {
            return Pick::Older;
        };
        let next = self.valid_from(&self.moments[number]);
        let next = next.saturating_add(millis(self.as_of.period));
        Pick::Number {
            number,
            late: time >= next,
        }
    }

    fn valid_from(&self, moment: &Moment) -> i64 {
        let covered = moment.begins.saturating_add(millis(self.as_of.period));
        covered.saturating_add(millis(self.as_of.available_after))
    }

    fn image(&self, number: usize) -> Result<&Image, Error> {
        let Moment { chosen, image, .. } = &self.moments[number];
        let image = image.get_or_init(|| match &self.origin {
            Some(origin) => origin.image(chosen, Groups::whole()),
            None => Err(Error::Unavailable("it is not loaded".to_owned())),
        });
        image.as_deref().map_err(Error::clone)
    }

    #[cold]
    fn not_there(&self, number: usize, time: i64) -> Error {
        let moment = &self.moments[number];
        let since = time - self.valid_from(moment) - millis(self.as_of.period);
        let late = match self.as_of.late {
            Late::Wait => "wait",
            Late::Previous => "previous",
            Late::Fail => "fail",
        };
        Error::Unavailable(format!(
            "for {since} of the record's time a newer Hive partition than {name} should be there, \
             and `late = {late:?}`",
            since = show(Duration::from_millis(since.max(0) as u64)),
            name = moment.name,
        ))
    }
}

impl Moment {
    fn new(name: String, chosen: Chosen) -> Moment {
        Moment {
            name,
            // Those without a time are not chosen.
            begins: chosen.time().unwrap_or(i64::MAX),
            chosen,
            image: OnceLock::new(),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<'a> At<'a> {
    /// The image, if there is one.
    pub fn image(&self) -> Option<&'a Image> {
        match self {
            At::Rows { image, .. } => Some(image),
            At::Older | At::NotYet(_) => None,
        }
    }
}
