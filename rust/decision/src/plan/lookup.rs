//! Lookups in dimensions, for one row or many: what waits for memory waits together.
//!
//! ```text
//! a wave: lookups that stand one behind the other, and do not need one another's columns
//! one row    every lookup: hash, ask for its part of the index | every lookup: ask for its row | read
//! many rows  every lookup by itself: Image::read_all
//! ```

use std::ops::Range;

use pelton_data::columns::{Columns, Timestamp};
use pelton_dimension::image::{Probe, ReadError, TOGETHER};
use pelton_dimension::timeline::At;
use pelton_dimension::{Image, Timeline};

use super::run::{Rows, RunError, Scratch};
use super::{AsOfWork, LookupWork, Step, Work};
use crate::definition::Missing;

impl Step {
    fn lookup(&self) -> Option<&LookupWork> {
        match &self.work {
            Work::Lookup(lookup) => Some(lookup),
            _ => None,
        }
    }
}

/// Says of each lookup how long the wave is that begins with it.
pub(super) fn find_waves(steps: &mut [Step]) {
    for first in 0..steps.len() {
        let (_, rest) = steps.split_at_mut(first);
        let is_free = |next: &usize| {
            let earlier = rest[..*next].iter().flat_map(|step| &step.writes);
            let mut names = earlier.map(|column| &column.name);
            rest[*next].lookup().is_some() && !names.any(|name| rest[*next].reads.contains(name))
        };
        let wave = (0..rest.len()).take_while(is_free).count();
        let last = rest[..wave].last().and_then(Step::lookup);
        let end = last.map(|last| last.key.end);
        if let (Work::Lookup(lookup), Some(end)) = (&mut rest[0].work, end) {
            (lookup.wave, lookup.wave_end) = (wave, end);
        }
    }
}

/// Reads the rows of a wave of lookups, whose keys are computed, into the first `n` rows.
pub(super) fn run(
    wave: &[Step],
    rows: &[Rows],
    scratch: &mut Scratch,
    n: usize,
) -> Result<(), RunError> {
    if n == 1 {
        return run_one(wave, rows, scratch);
    }
    // Rows of a batch do not wait.
    scratch.waited = None;
    for lookup in wave.iter().filter_map(Step::lookup) {
        scratch.counts[lookup.index].add_lookups(n as u64);
    }
    for first in (0..n).step_by(TOGETHER) {
        run_many(wave, rows, scratch, first..n.min(first + TOGETHER))?;
    }
    Ok(())
}

/// The first row.
fn run_one(wave: &[Step], rows: &[Rows], scratch: &mut Scratch) -> Result<(), RunError> {
    let lookups = || wave.iter().filter_map(Step::lookup);
    scratch.probes.clear();
    for lookup in lookups() {
        let key = lookup.key_columns.key(&scratch.columns, 0);
        scratch.probes.push(match (&rows[lookup.index], key) {
            // The image is whole: it has one key group.
            (Rows::Image(image), Some(key)) => Some(image.probe(0, &key)?),
            _ => None,
        });
    }
    for (lookup, probe) in lookups().zip(&mut scratch.probes) {
        if let (Rows::Image(image), Some(probe)) = (&rows[lookup.index], probe) {
            image.approach(probe);
        }
    }
    for (number, (lookup, step)) in lookups().zip(wave).enumerate() {
        let probe = scratch.probes[number];
        if scratch.is_begun() {
            scratch.counts[lookup.index].add_lookups(1);
        }
        lookup.read(&rows[lookup.index], scratch, probe, 0, &step.title)?;
        scratch.done += 1;
    }
    Ok(())
}

/// At most [`TOGETHER`] rows.
fn run_many(
    wave: &[Step],
    rows: &[Rows],
    scratch: &mut Scratch,
    some: Range<usize>,
) -> Result<(), RunError> {
    for (lookup, step) in wave.iter().filter_map(Step::lookup).zip(wave) {
        let (rows, title) = (&rows[lookup.index], &step.title);
        let Rows::Image(image) = rows else {
            for row in some.clone() {
                lookup.read(rows, scratch, None, row, title)?;
            }
            continue;
        };
        let (keys, projection) = (&lookup.key_columns, &lookup.projection);
        // The image is whole: it has one key group.
        let found = image.read_all(0, keys, some.clone(), projection, &mut scratch.columns)?;
        for (i, row) in some.clone().enumerate() {
            if found >> i & 1 == 0 {
                scratch.counts[lookup.index].add_miss();
                lookup.miss(&mut scratch.columns, row, title)?;
            }
        }
    }
    Ok(())
}

impl From<ReadError> for RunError {
    fn from(error: ReadError) -> RunError {
        match error {
            ReadError::NotLoaded(cause) => cause.into(),
            ReadError::Memory(cause) => cause.into(),
        }
    }
}

impl LookupWork {
    /// Reads the row of the dimension for row `row`, whose lookup is under way if there is a `probe`.
    #[inline]
    fn read(
        &self,
        rows: &Rows,
        scratch: &mut Scratch,
        probe: Option<Probe>,
        row: usize,
        title: &str,
    ) -> Result<(), RunError> {
        let timed = match rows {
            Rows::AsOf(timeline) => self.image_as_of(timeline, scratch, row, title)?,
            _ => None,
        };
        let is_ended = scratch.is_ended();
        let Scratch {
            columns, counts, ..
        } = scratch;
        let key = self.key_columns.key(columns, row);
        let found = match (rows, &probe, key) {
            (Rows::Image(image), Some(probe), Some(key)) => image.rows_of(probe, &key)?.next(),
            (Rows::AsOf(_), _, Some(key)) => match timed {
                Some(image) => image.find(0, &key)?.next(),
                None => None,
            },
            (Rows::Given(Some(given)), ..) => {
                let read = self.given.read(given, columns, row);
                return read.map_err(|cause| RunError::Row {
                    title: title.to_owned(),
                    cause,
                });
            }
            (Rows::Unusable(cause), ..) => return Err(unusable(title, cause)),
            (Rows::Image(_) | Rows::AsOf(_) | Rows::Given(None), ..) => None,
        };
        if let Some(found) = found {
            return Ok(found.read(&self.projection, columns, row)?);
        }
        if is_ended {
            counts[self.index].add_miss();
        }
        self.miss(columns, row, title)
    }

    /// What stands for a row that is not there.
    fn miss(&self, columns: &mut Columns, row: usize, title: &str) -> Result<(), RunError> {
        match self.missing {
            Missing::Error => Err(RunError::Missing {
                title: title.to_owned(),
            }),
            // The default of a column that has none is NULL.
            Missing::Null | Missing::Default => {
                for (value, default) in &self.values {
                    columns.copy(*default, *value, row);
                }
                Ok(())
            }
        }
    }

    /// Whether a row is found for the key that stands in the scratch.
    pub fn is_hit(&self, rows: &[Rows], scratch: &Scratch, row: usize) -> Result<bool, RunError> {
        let columns = &scratch.columns;
        let image = match &rows[self.index] {
            Rows::Given(given) => return Ok(given.is_some()),
            Rows::Image(image) => Some(&**image),
            Rows::AsOf(timeline) => {
                let at = self.time(columns, row).map(|time| timeline.at(time));
                at.and_then(|at| at.ok()?.image())
            }
            Rows::Unusable(_) => None,
        };
        match (image, self.key_columns.key(columns, row)) {
            (Some(image), Some(key)) => Ok(image.find(0, &key)?.next().is_some()),
            _ => Ok(false),
        }
    }

    /// The record's time, in milliseconds since 1970; `None` where it is NULL.
    fn time(&self, columns: &Columns, row: usize) -> Option<i64> {
        let AsOfWork { time, .. } = self.as_of.as_ref()?;
        let time: Timestamp = columns.value(*time, row)?;
        Some(time.millis)
    }

    /// The image that is valid at the record's time; `None` is a miss.
    fn image_as_of<'t>(
        &self,
        timeline: &'t Timeline,
        scratch: &mut Scratch,
        row: usize,
        title: &str,
    ) -> Result<Option<&'t Image>, RunError> {
        let time = self.time(&scratch.columns, row);
        let at = time.map_or(Ok(At::Older), |time| timeline.at(time));
        let counts = &scratch.counts[self.index];
        let is_begun = scratch.is_begun();
        let add_late = || {
            if is_begun {
                counts.add_late();
            }
        };
        let (number, image) = match at {
            Ok(At::Older) => (None, None),
            Ok(At::Rows {
                number,
                image,
                late,
            }) => {
                if late {
                    add_late();
                }
                (Some(number), Some(image))
            }
            Ok(At::NotYet(cause)) => {
                add_late();
                scratch.waits = Some(scratch.done);
                return Err(unusable(title, &cause));
            }
            Err(cause) => {
                add_late();
                return Err(unusable(title, &cause));
            }
        };
        if let Some(as_of) = &self.as_of {
            scratch.seen.set(as_of.place, row, number);
        }
        Ok(image)
    }
}

#[cold]
fn unusable(title: &str, cause: &pelton_dimension::Error) -> RunError {
    RunError::Unusable {
        title: title.to_owned(),
        cause: cause.clone(),
    }
}
