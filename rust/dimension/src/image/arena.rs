//! Packed rows one behind the other, in segments that never move: growing copies nothing.
//!
//! ```text
//! place u32, in units of 2^unit bytes      segment: up to 2^shift bytes, zeros behind the last row
//! | segment number | unit in it |     ---> | row | row | row |     | slack |
//! ```
//!
//! A row begins within the first 2^shift bytes of its segment, so that its place tells both; one
//! that is longer gets a segment of its own length. The slack lets 8 bytes be read
//! anywhere in a row, and a short string be copied as [`PADDING`] bytes. It belongs to the 2^shift
//! bytes: behind them it would take a huge page of its own.

use pelton_data::columns::PADDING;

use super::Refusal;
use super::memory::{Memory, prefetch};

/// Segments are so large where rows fill them, in bits: 32 MiB, 16 huge pages.
const LARGEST: u32 = 25;
/// And so small where they do not.
const SMALLEST: u32 = 12;
/// Bytes behind the last row.
const SLACK: usize = PADDING;

/// Where a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

#[derive(Debug)]
pub(super) struct Arena {
    segments: Vec<Memory>,
    shift: u32,
    unit: u32,
    /// Bytes of rows that are still to come, about, and of the slack behind them.
    expected: u64,
    /// Bytes written of the last segment, and of those before it.
    used: usize,
    filled: usize,
}

impl Arena {
    /// For about `expected` bytes of rows, and at most `most`.
    pub(super) fn new(expected: u64, most: u64) -> Arena {
        let bits = |bytes: u64| u64::BITS - bytes.saturating_sub(1).leading_zeros();
        Arena {
            segments: Vec::new(),
            shift: bits(expected + SLACK as u64).clamp(SMALLEST, LARGEST),
            expected: expected + SLACK as u64,
            // One bit more than needed: the ends of segments stay empty.
            unit: (bits(most) + 1).saturating_sub(u32::BITS),
            used: 0,
            filled: 0,
        }
    }

    /// Adds a row of two parts.
    pub(super) fn push(&mut self, fixed: &[u8], tail: &[u8]) -> Result<Place, Refusal> {
        let len = fixed.len() + tail.len();
        let has_room = self.segments.last().is_some_and(|last| {
            self.used < 1 << self.shift && self.used + len + SLACK <= last.len()
        });
        if !has_room {
            self.add_segment(len)?;
        }
        let at = self.used;
        let number = self.segments.len() - 1;
        let place = (((number as u64) << self.shift) + at as u64) >> self.unit;
        let place = u32::try_from(place).map_err(|_| Refusal::Full)?;
        let segment = &mut self.segments[number];
        segment[at..at + fixed.len()].copy_from_slice(fixed);
        segment[at + fixed.len()..at + len].copy_from_slice(tail);
        self.used = (at + len.max(1)).next_multiple_of(1 << self.unit);
        Ok(Place(place))
    }

    /// Adds a segment for a row of `len` bytes and those behind it: no larger than what is still to
    /// come, since of a huge page all is taken with its first byte.
    fn add_segment(&mut self, len: usize) -> Result<(), Refusal> {
        let largest = 1_u64 << self.shift;
        let wanted = self.expected.clamp(largest / 16, largest) as usize;
        let memory = Memory::zeroed(wanted.max(len + SLACK))?;
        self.expected = self.expected.saturating_sub(wanted as u64);
        self.segments.try_reserve(1).map_err(|_| Refusal::Memory)?;
        self.segments.push(memory);
        self.filled += self.used;
        self.used = 0;
        Ok(())
    }

    /// The bytes from a row's first to the end of its segment.
    #[inline(always)]
    pub(super) fn row(&self, place: Place) -> &[u8] {
        let (number, at) = self.find(place);
        &self.segments[number][at..]
    }

    /// Asks for a row: for the lines of its first byte and of byte `last`.
    #[inline(always)]
    pub(super) fn approach(&self, place: Place, last: usize) {
        let row = self.row(place);
        prefetch(row, 0);
        prefetch(row, last);
    }

    /// Overwrites the first 4 bytes of a row.
    pub(super) fn set_first(&mut self, place: Place, value: u32) {
        let (number, at) = self.find(place);
        self.segments[number][at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    #[inline(always)]
    fn find(&self, Place(place): Place) -> (usize, usize) {
        let byte = u64::from(place) << self.unit;
        let at = byte & ((1 << self.shift) - 1);
        ((byte >> self.shift) as usize, at as usize)
    }

    /// Bytes that are written to.
    pub(super) fn bytes(&self) -> u64 {
        (self.filled + self.used) as u64
    }
}
