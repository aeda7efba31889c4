//! Lookups in dimensions, for one row or many: what waits for memory waits together.
//!
//! ```text
//! a wave: lookups that stand one behind the other, and do not need one another's columns
//! every key: hash, ask for its part of the index | every key: ask for its row | read every row
//! ```

use std::ops::Range;

use pelton_data::columns::{Columns, Timestamp};
use pelton_dimension::image::Probe;
use pelton_dimension::timeline::At;
use pelton_dimension::{Image, Timeline};

use super::run::{Rows, RunError, Scratch};
use super::{AsOfWork, LookupWork, Step, Work};
use crate::definition::Missing;

/// Rows that wait together: about as many lines of memory as a core asks for at once.
const TOGETHER: usize = 32;

/// The lookups that are under way.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// The packed keys, one behind the other.
    keys: Vec<u8>,
    /// Lookup by lookup, row by row: where the key stands, `None` where a NULL is part of it.
    probes: Vec<Option<(Probe, Range<usize>)>>,
}

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
    let lookups = || wave.iter().filter_map(Step::lookup);
    for lookup in lookups() {
        if !scratch.waited {
            scratch.counts[lookup.index].add_lookups(n as u64);
        }
    }
    for first in (0..n).step_by(TOGETHER) {
        let some = first..n.min(first + TOGETHER);
        scratch.probes.keys.clear();
        scratch.probes.probes.clear();
        for lookup in lookups() {
            lookup.start(&rows[lookup.index], scratch, some.clone())?;
        }
        let mut probes = scratch.probes.probes.chunks(some.len());
        for lookup in lookups() {
            let probes = probes.next().unwrap_or_default();
            if let Rows::Image(image) = &rows[lookup.index] {
                for (probe, _) in probes.iter().flatten() {
                    image.approach(*probe);
                }
            }
        }
        let mut number = 0;
        for (lookup, step) in lookups().zip(wave) {
            for row in some.clone() {
                lookup.read(&rows[lookup.index], scratch, number, row, &step.title)?;
                number += 1;
            }
        }
    }
    Ok(())
}

impl LookupWork {
    /// Begins the lookups of some rows.
    #[inline]
    fn start(
        &self,
        rows: &Rows,
        scratch: &mut Scratch,
        some: Range<usize>,
    ) -> Result<(), RunError> {
        let Probes { keys, probes } = &mut scratch.probes;
        for row in some {
            let start = keys.len();
            let probe = match rows {
                Rows::Image(image) if self.key_encoder.append(&scratch.columns, row, keys)? => {
                    // The image is whole: it has one key group.
                    Some((image.probe(0, &keys[start..])?, start..keys.len()))
                }
                _ => None,
            };
            probes.push(probe);
        }
        Ok(())
    }

    /// Reads the row that probe `number` has found into row `row`.
    #[inline]
    fn read(
        &self,
        rows: &Rows,
        scratch: &mut Scratch,
        number: usize,
        row: usize,
        title: &str,
    ) -> Result<(), RunError> {
        let timed = match rows {
            Rows::AsOf(timeline) => self.image_as_of(timeline, scratch, row, title)?,
            _ => None,
        };
        let Scratch {
            columns,
            probes,
            counts,
            ..
        } = scratch;
        let is_found = match (rows, &probes.probes[number]) {
            (Rows::Image(image), Some((probe, key))) => {
                match image.rows_of(*probe, &probes.keys[key.clone()])?.next() {
                    Some(found) => {
                        found.read(&self.projection, columns, row)?;
                        true
                    }
                    None => false,
                }
            }
            (Rows::AsOf(_), _) => match timed {
                Some(image) => self.find(image, columns, &mut probes.keys, row, true)?,
                None => false,
            },
            (Rows::Image(_), None) | (Rows::Given(None), _) => false,
            (Rows::Given(Some(given)), _) => {
                let read = self.given.read(given, columns, row);
                read.map_err(|cause| RunError::Row {
                    title: title.to_owned(),
                    cause,
                })?;
                true
            }
            (Rows::Unusable(cause), _) => return Err(unusable(title, cause)),
        };
        if is_found {
            return Ok(());
        }
        counts[self.index].add_miss();
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
    pub fn is_hit(
        &self,
        rows: &[Rows],
        scratch: &mut Scratch,
        row: usize,
    ) -> Result<bool, RunError> {
        let Scratch {
            columns, probes, ..
        } = scratch;
        let key = &mut probes.keys;
        match &rows[self.index] {
            Rows::Given(given) => Ok(given.is_some()),
            Rows::Image(image) => self.find(image, columns, key, row, false),
            Rows::AsOf(timeline) => {
                let at = self.time(columns, row).map(|time| timeline.at(time));
                match at.and_then(|at| at.ok()?.image()) {
                    Some(image) => self.find(image, columns, key, row, false),
                    None => Ok(false),
                }
            }
            Rows::Unusable(_) => Ok(false),
        }
    }

    /// Looks one row up in an image that is whole: it has one key group. Whether there is a row,
    /// which is read if it `is_read`.
    fn find(
        &self,
        image: &Image,
        columns: &mut Columns,
        key: &mut Vec<u8>,
        row: usize,
        is_read: bool,
    ) -> Result<bool, RunError> {
        if !self.key_encoder.encode(columns, row, key)? {
            return Ok(false);
        }
        match image.find(0, key)?.next() {
            Some(found) if is_read => {
                found.read(&self.projection, columns, row)?;
                Ok(true)
            }
            found => Ok(found.is_some()),
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
        let (number, image) = match at {
            Ok(At::Older) => (None, None),
            Ok(At::Rows {
                number,
                image,
                late,
            }) => {
                if late {
                    counts.add_late();
                }
                (Some(number), Some(image))
            }
            Ok(At::NotYet(cause)) => {
                // A record that waits is counted once.
                if !scratch.waited {
                    counts.add_late();
                }
                scratch.waits = true;
                return Err(unusable(title, &cause));
            }
            Err(cause) => {
                counts.add_late();
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
