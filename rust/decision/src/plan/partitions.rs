//! `pelton.partitions`: the Hive partition of each lookup. Where lookups are as of a time, records
//! of one generation may see others.

use pelton_data::DataType;
use pelton_data::columns::{MemoryError, Slot};
use pelton_data::nested::{ArrayWriter, map_bytes};
use pelton_data::scalar::Scalar;

use super::Plan;
use super::run::{Rows, Scratch};
use crate::reserved::Reserved;

/// What rows have seen of the timelines of the lookups as of a time.
pub(super) struct Seen {
    capacity: usize,
    /// One a lookup and row: the number in the timeline and 1, or 0 for none.
    numbers: Box<[u32]>,
    /// The numbers that `map` was made for.
    of_map: Vec<u32>,
    map: Vec<u8>,
}

impl Seen {
    /// Of so many lookups, and up to `capacity` rows.
    pub(super) fn new(lookups: usize, capacity: usize) -> Seen {
        Seen {
            capacity,
            numbers: vec![0; lookups * capacity].into(),
            of_map: Vec::new(),
            map: Vec::new(),
        }
    }

    /// Notes what the lookup at `place` of [`Plan::timed`] has seen for a row; `None` is nothing.
    #[inline]
    pub(super) fn set(&mut self, place: usize, row: usize, number: Option<usize>) {
        let number = number.map_or(0, |number| number as u32 + 1);
        self.numbers[place * self.capacity + row] = number;
    }

    fn of_row(&self, row: usize) -> impl Iterator<Item = u32> {
        let lookups = self.numbers.len() / self.capacity.max(1);
        (0..lookups).map(move |place| self.numbers[place * self.capacity + row])
    }
}

impl Plan {
    /// Where the Hive partitions of each row stand, if rows may differ and the output shows them.
    pub(crate) fn partitions_by_row(&self) -> Option<Slot> {
        let column = self.reserved.get(&Reserved::Partitions)?;
        (!self.timed.is_empty()).then_some(column.slot)
    }

    /// Writes what each row has seen. Rows that have seen the same share the bytes.
    pub(super) fn write_partitions(
        &self,
        rows: &[Rows],
        scratch: &mut Scratch,
        n: usize,
    ) -> Result<(), MemoryError> {
        let Some(slot) = self.partitions_by_row() else {
            return Ok(());
        };
        let Scratch { columns, seen, .. } = scratch;
        let mut last = None;
        for row in 0..n {
            let is_same = seen.of_row(row).eq(seen.of_map.iter().copied());
            if !is_same || seen.map.is_empty() {
                let numbers: Vec<u32> = seen.of_row(row).collect();
                seen.map = map(self, rows, Some(&numbers))?;
                seen.of_map = numbers;
            }
            let view = match last {
                Some(view) if is_same => view,
                _ => columns.push_text(&seen.map)?,
            };
            last = Some(view);
            columns.put(slot, row, Some(view));
        }
        Ok(())
    }
}

/// A MAP of lookups and Hive partitions: `seen` are the numbers in the timelines of the lookups as
/// of a time. One that has seen none is NULL; without `seen` it is left out.
pub(crate) fn map(
    plan: &Plan,
    rows: &[Rows],
    seen: Option<&[u32]>,
) -> Result<Vec<u8>, MemoryError> {
    let mut named: Vec<(&str, Option<&str>)> = Vec::new();
    for (i, (need, rows)) in plan.lookups.iter().zip(rows).enumerate() {
        let Some(need) = need else { continue };
        let place = plan.timed.iter().position(|timed| *timed == i);
        let number = place.and_then(|place| Some(seen?[place]));
        match (rows, number) {
            (Rows::Image(image), _) => named.push((&need.name, Some(image.hive_partition()))),
            (Rows::AsOf(timeline), Some(number @ 1..)) => {
                named.push((&need.name, Some(timeline.name(number as usize - 1))));
            }
            (Rows::AsOf(_) | Rows::Given(_), Some(_)) => named.push((&need.name, None)),
            _ => {}
        }
    }
    named.sort_unstable();
    let (mut keys, mut values) = (texts(named.len())?, texts(named.len())?);
    for (lookup, partition) in named {
        keys.push(Some(Scalar::Bytes(lookup.as_bytes())))?;
        values.push(partition.map(|name| Scalar::Bytes(name.as_bytes())))?;
    }
    map_bytes(&keys.finish(), &values.finish())
}

/// An array of strings to be written.
fn texts(len: usize) -> Result<ArrayWriter, MemoryError> {
    ArrayWriter::new(&DataType::STRING, len)
}
