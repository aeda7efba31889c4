//! The working memory of one evaluation: columns in Arrow's layout over reusable buffers.
//!
//! A [`Layout`] is made once, when a decision is compiled: every column gets a [`Slot`].
//! [`Columns`] are the buffers for up to `capacity` rows; they are reused from call to call, so
//! that an evaluation allocates nothing once they have grown to its size.
//!
//! ```text
//! one region a physical type            slot k of a region, capacity 4, 3 rows in use
//! i64  |slot 0|slot 1|slot 2|...        | r0 | r1 | r2 | -- |
//! f32  |slot 0|slot 1|...               consecutive f32 slots are a model's block [k][n]
//! view |slot 0|...                      (offset, length) into the heap, as in Arrow's ListView
//! validity: one bitmap a slot, bit i set where row i is not NULL, as in Arrow
//! heap |literals|strings of this call...|
//! ```
//!
//! Slots are written once a call (static single assignment), by one instruction each. At capacity
//! 1 a slot is one number at a fixed place: nothing is sought, nothing is allocated.

mod layout;
mod strings;

use std::collections::TryReserveError;
use std::ops::Range;

pub use layout::{Layout, Literal, Physical, Slot, Timestamp, View};
pub use strings::{PADDING, extend_by_prefix};

/// More bytes than one call or one row may hold, or than there is memory for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The machine has no more.
    #[error("no memory for {0} more bytes of columns")]
    Exhausted(usize),
    /// Views count in 32 bits.
    #[error("the strings of one call pass 4 GiB; use smaller batches")]
    HeapFull,
    /// Offsets of a row count in 31 bits: they are a Java `int`.
    #[error("the row would have {0} bytes, but Flink's rows have less than 2 GiB")]
    RowTooLarge(usize),
}

/// The buffers of one evaluation. Not shared: one a thread.
#[derive(Debug, Default)]
pub struct Columns {
    capacity: usize,
    i8: Vec<i8>,
    i16: Vec<i16>,
    i32: Vec<i32>,
    i64: Vec<i64>,
    f32: Vec<f32>,
    f64: Vec<f64>,
    timestamp: Vec<Timestamp>,
    view: Vec<View>,
    i128: Vec<i128>,
    validity: Vec<u64>,
    words_per_slot: usize,
    heap: Vec<u8>,
    /// The heap's first bytes are those of literals; they stay from call to call.
    literal_bytes: usize,
}

/// Where the validity bits of some rows stand, at most 64: the first word and the bit in it, and a bit
/// for each row.
#[inline(always)]
fn bits_of(rows: Range<usize>) -> (usize, usize, u64) {
    assert!(rows.len() <= 64, "{} rows at once", rows.len());
    let others = 64 - rows.len() as u32;
    let mask = u64::MAX.checked_shr(others).unwrap_or(0);
    (rows.start / 64, rows.start % 64, mask)
}

/// A Rust type that is the value of a region.
pub trait Native: Copy + Default {
    /// The region's type.
    const PHYSICAL: Physical;
    /// The values of all slots of the region.
    fn region(columns: &Columns) -> &[Self];
    /// The same, to write to.
    fn region_mut(columns: &mut Columns) -> &mut [Self];
}

macro_rules! native {
    ($($native:ty, $physical:ident, $region:ident;)*) => {$(
        impl Native for $native {
            const PHYSICAL: Physical = Physical::$physical;
            #[inline(always)]
            fn region(columns: &Columns) -> &[Self] { &columns.$region }
            #[inline(always)]
            fn region_mut(columns: &mut Columns) -> &mut [Self] { &mut columns.$region }
        }
    )*};
}
native! {
    i8, I8, i8;
    i16, I16, i16;
    i32, I32, i32;
    i64, I64, i64;
    f32, F32, f32;
    f64, F64, f64;
    Timestamp, Timestamp, timestamp;
    View, View, view;
    i128, I128, i128;
}

impl Columns {
    /// Buffers of `layout` for up to `capacity` rows. Values are unset, all slots are valid, and
    /// literals stand in every row.
    pub fn new(layout: &Layout, capacity: usize) -> Result<Columns, MemoryError> {
        Columns::with_literals(layout, capacity, &[])
    }

    /// The same, with constants that are not known when the layout is made.
    pub fn with_literals(
        layout: &Layout,
        capacity: usize,
        literals: &[(Slot, Literal)],
    ) -> Result<Columns, MemoryError> {
        let words_per_slot = capacity.div_ceil(64);
        let cells = |physical: Physical| layout.region[physical as usize] as usize * capacity;
        let mut columns = Columns {
            capacity,
            i8: zeroed(cells(Physical::I8))?,
            i16: zeroed(cells(Physical::I16))?,
            i32: zeroed(cells(Physical::I32))?,
            i64: zeroed(cells(Physical::I64))?,
            f32: zeroed(cells(Physical::F32))?,
            f64: zeroed(cells(Physical::F64))?,
            timestamp: zeroed(cells(Physical::Timestamp))?,
            view: zeroed(cells(Physical::View))?,
            i128: zeroed(cells(Physical::I128))?,
            validity: zeroed(layout.slots as usize * words_per_slot)?,
            words_per_slot,
            heap: Vec::new(),
            literal_bytes: 0,
        };
        columns.validity.fill(u64::MAX);
        for (slot, literal) in layout.literals.iter().chain(literals) {
            columns.fill(*slot, literal)?;
        }
        columns.literal_bytes = columns.heap.len();
        Ok(columns)
    }

    /// Whether there is room for one row only: a value then lies where its slot says, and the
    /// compiler, which sees the test, leaves the multiplications out.
    #[inline(always)]
    pub fn is_single(&self) -> bool {
        self.capacity == 1
    }

    /// Where a row's validity bit stands.
    #[inline(always)]
    fn word_of(&self, slot: Slot, row: usize) -> usize {
        match self.is_single() {
            true => slot.id as usize,
            false => slot.id as usize * self.words_per_slot + row / 64,
        }
    }

    /// The most rows that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets the strings of the last call. Every call begins with it.
    pub fn clear(&mut self) {
        self.heap.truncate(self.literal_bytes);
    }

    /// The value of a row. What stands where the row is NULL means nothing.
    #[inline(always)]
    pub fn get<T: Native>(&self, slot: Slot, row: usize) -> T {
        debug_assert_eq!(slot.physical, T::PHYSICAL);
        T::region(self)[slot.index as usize * self.capacity + row]
    }

    /// Sets the value of a row, not its validity.
    #[inline(always)]
    pub fn set<T: Native>(&mut self, slot: Slot, row: usize, value: T) {
        debug_assert_eq!(slot.physical, T::PHYSICAL);
        let cell = slot.index as usize * self.capacity + row;
        T::region_mut(self)[cell] = value;
    }

    /// Whether a row is not NULL.
    #[inline(always)]
    pub fn is_valid(&self, slot: Slot, row: usize) -> bool {
        let word = self.validity[self.word_of(slot, row)];
        word >> (row % 64) & 1 == 1
    }

    /// Says whether a row is not NULL.
    #[inline(always)]
    pub fn set_valid(&mut self, slot: Slot, row: usize, valid: bool) {
        // Of a single row nothing is kept, so that no instruction waits for an earlier one's bit.
        let kept = if self.is_single() { 0 } else { u64::MAX };
        let at = self.word_of(slot, row);
        let word = &mut self.validity[at];
        *word = *word & kept & !(1 << (row % 64)) | u64::from(valid) << (row % 64);
    }

    /// Which of some rows, at most 64, are not NULL: a bit for each, the first row's the lowest.
    ///
    /// # Panics
    /// If there are more rows.
    #[inline(always)]
    pub fn valid_bits(&self, slot: Slot, rows: Range<usize>) -> u64 {
        let words = &self.validity[slot.id as usize * self.words_per_slot..];
        let (at, shift, mask) = bits_of(rows);
        let word = |at: usize| words.get(at).map_or(0, |word| u128::from(*word));
        ((word(at + 1) << 64 | word(at)) >> shift) as u64 & mask
    }

    /// How many of the first `rows` rows are NULL.
    pub fn nulls(&self, slot: Slot, rows: usize) -> usize {
        let starts = (0..rows).step_by(64);
        let valid = starts.map(|start| self.valid_bits(slot, start..rows.min(start + 64)));
        rows - valid.map(|bits| bits.count_ones() as usize).sum::<usize>()
    }

    /// Says which of some rows, at most 64, are not NULL: a bit for each, the first row's the lowest.
    ///
    /// # Panics
    /// If there are more rows.
    #[inline(always)]
    pub fn set_valid_bits(&mut self, slot: Slot, rows: Range<usize>, valid: u64) {
        if self.is_single() && !rows.is_empty() {
            // Of a single row nothing is kept, so that no instruction waits for an earlier one's bit.
            self.validity[slot.id as usize] = valid;
            return;
        }
        let words = &mut self.validity[slot.id as usize * self.words_per_slot..];
        let (at, shift, mask) = bits_of(rows);
        let (both, bits) = (u128::from(mask) << shift, u128::from(valid & mask) << shift);
        for (word, down) in [(at, 0), (at + 1, 64)] {
            let (mask, bits) = ((both >> down) as u64, (bits >> down) as u64);
            if mask != 0 {
                words[word] = words[word] & !mask | bits;
            }
        }
    }

    /// Says whether the first `n` rows are not NULL; what it says of later ones means nothing.
    pub(crate) fn set_valid_rows(&mut self, slot: Slot, n: usize, valid: bool) {
        let first = slot.id as usize * self.words_per_slot;
        let words = &mut self.validity[first..][..n.div_ceil(64)];
        words.fill(if valid { u64::MAX } else { 0 });
    }

    /// Whether a row of a BOOLEAN is TRUE, neither FALSE nor NULL.
    #[inline(always)]
    pub fn is_true(&self, slot: Slot, row: usize) -> bool {
        self.is_valid(slot, row) & (self.get::<i8>(slot, row) != 0)
    }

    /// Value and validity of a row in one.
    #[inline(always)]
    pub fn value<T: Native>(&self, slot: Slot, row: usize) -> Option<T> {
        self.is_valid(slot, row).then(|| self.get(slot, row))
    }

    /// Sets value and validity of a row.
    #[inline(always)]
    pub fn put<T: Native>(&mut self, slot: Slot, row: usize, value: Option<T>) {
        self.set_valid(slot, row, value.is_some());
        self.set(slot, row, value.unwrap_or_default());
    }

    /// The value of a row, whatever its type: for the few values of messages and examples.
    pub fn literal(&self, slot: Slot, row: usize) -> Literal {
        if !self.is_valid(slot, row) {
            return Literal::Null;
        }
        match slot.physical {
            Physical::I8 => Literal::I8(self.get(slot, row)),
            Physical::I16 => Literal::I16(self.get(slot, row)),
            Physical::I32 => Literal::I32(self.get(slot, row)),
            Physical::I64 => Literal::I64(self.get(slot, row)),
            Physical::F32 => Literal::F32(self.get(slot, row)),
            Physical::F64 => Literal::F64(self.get(slot, row)),
            Physical::Timestamp => Literal::Timestamp(self.get(slot, row)),
            Physical::View => Literal::Bytes(self.text(slot, row).to_vec()),
            Physical::I128 => Literal::I128(self.get(slot, row)),
        }
    }

    /// Sets value and validity of a row to a constant of the slot's physical type.
    pub fn put_literal(
        &mut self,
        slot: Slot,
        row: usize,
        literal: &Literal,
    ) -> Result<(), MemoryError> {
        self.push_scalar(slot, row, literal.scalar())
    }

    /// Copies value and validity of a row between two slots of the same physical type; of bytes
    /// the view, never the bytes.
    #[inline(always)]
    pub fn copy(&mut self, from: Slot, to: Slot, row: usize) {
        self.set_valid(to, row, self.is_valid(from, row));
        match from.physical {
            Physical::I8 => self.set::<i8>(to, row, self.get(from, row)),
            Physical::I16 => self.set::<i16>(to, row, self.get(from, row)),
            Physical::I32 => self.set::<i32>(to, row, self.get(from, row)),
            Physical::I64 => self.set::<i64>(to, row, self.get(from, row)),
            Physical::F32 => self.set::<f32>(to, row, self.get(from, row)),
            Physical::F64 => self.set::<f64>(to, row, self.get(from, row)),
            Physical::Timestamp => self.set::<Timestamp>(to, row, self.get(from, row)),
            Physical::View => self.set::<View>(to, row, self.get(from, row)),
            Physical::I128 => self.set::<i128>(to, row, self.get(from, row)),
        }
    }

    /// The first `rows` values of a slot.
    pub fn values<T: Native>(&self, slot: Slot, rows: usize) -> &[T] {
        debug_assert_eq!(slot.physical, T::PHYSICAL);
        &T::region(self)[slot.index as usize * self.capacity..][..rows]
    }

    /// The first `rows` values of a slot, to write to.
    #[inline(always)]
    pub fn values_mut<T: Native>(&mut self, slot: Slot, rows: usize) -> &mut [T] {
        debug_assert_eq!(slot.physical, T::PHYSICAL);
        let first = slot.index as usize * self.capacity;
        &mut T::region_mut(self)[first..][..rows]
    }

    /// The values of a block of `count` slots: value (slot, row) is at `slot * capacity + row`.
    #[inline(always)]
    pub fn block<T: Native>(&self, first: Slot, count: usize) -> &[T] {
        &T::region(self)[first.index as usize * self.capacity..][..count * self.capacity]
    }

    /// The slots of three blocks at once, each `count` slots of `capacity` values, for a model
    /// that works on them in place: value (slot, row) is at `slot * capacity + row`. With them the
    /// heap, where a model reads strings and adds its own.
    pub fn blocks(
        &mut self,
        f32: (Slot, usize),
        f64: (Slot, usize),
        i64: (Slot, usize),
    ) -> (&mut [f32], &mut [f64], &mut [i64], &mut Vec<u8>) {
        let capacity = self.capacity;
        let range = |(slot, count): (Slot, usize)| {
            let first = slot.index as usize * capacity;
            first..first + count * capacity
        };
        (
            &mut self.f32[range(f32)],
            &mut self.f64[range(f64)],
            &mut self.i64[range(i64)],
            &mut self.heap,
        )
    }

    /// Puts a constant into every row. Bytes stand in the heap once a slot, not once a row.
    fn fill(&mut self, slot: Slot, literal: &Literal) -> Result<(), MemoryError> {
        if let Literal::Bytes(bytes) = literal {
            let view = self.push_text(bytes)?;
            self.values_mut(slot, self.capacity).fill(view);
            return Ok(());
        }
        (0..self.capacity).try_for_each(|row| self.put_literal(slot, row, literal))
    }
}

fn zeroed<T: Clone + Default>(len: usize) -> Result<Vec<T>, MemoryError> {
    let exhausted = |_: TryReserveError| MemoryError::Exhausted(len * size_of::<T>());
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(exhausted)?;
    values.resize(len, T::default());
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_one_region_do_not_overlap_at_any_capacity() {
        for capacity in [1, 3, 64, 65] {
            let mut layout = Layout::default();
            let a = layout.add(Physical::I64);
            let block = layout.add_block(Physical::I64, 2);
            let mut columns = Columns::new(&layout, capacity).unwrap();
            for row in 0..capacity {
                columns.put(a, row, Some(row as i64));
                columns.put::<i64>(block, row, None);
                columns.put(block.nth(1), row, Some(-(row as i64)));
            }
            for row in 0..capacity {
                assert_eq!(columns.value(a, row), Some(row as i64));
                assert_eq!(columns.value::<i64>(block, row), None);
                assert_eq!(columns.value(block.nth(1), row), Some(-(row as i64)));
            }
        }
    }

    #[test]
    fn validity_of_many_rows_at_once_is_that_of_each() {
        for capacity in [1, 63, 64, 65, 130] {
            let mut layout = Layout::default();
            let slots = [(); 3].map(|()| layout.add(Physical::I64));
            let mut columns = Columns::new(&layout, capacity).unwrap();
            let mut expected = vec![true; capacity];
            for first in 0..=capacity {
                for end in first..=capacity.min(first + 64) {
                    let valid = 0xa5a5_5a5a_c3c3_3c3c_u64.rotate_left((first + end) as u32);
                    columns.set_valid_bits(slots[1], first..end, valid);
                    for row in first..end {
                        expected[row] = valid >> (row - first) & 1 == 1;
                    }
                    let bits = columns.valid_bits(slots[1], first..end);
                    let each = (first..end).map(|row| u64::from(expected[row]) << (row - first));
                    assert_eq!(bits, each.sum::<u64>(), "{first}..{end} of {capacity}");
                }
            }
            for (row, is_valid) in expected.iter().enumerate() {
                let nulls = expected[..row].iter().filter(|is_valid| !**is_valid);
                assert_eq!(columns.nulls(slots[1], row), nulls.count(), "{row}");
                assert_eq!(columns.is_valid(slots[1], row), *is_valid, "{row}");
                assert!(columns.is_valid(slots[0], row) && columns.is_valid(slots[2], row));
            }
        }
    }

    #[test]
    fn literals_stand_in_every_row_and_outlive_a_call() {
        let mut layout = Layout::default();
        let text = layout.add_literal(Physical::View, Literal::text("rebook"));
        let again = layout.add_literal(Physical::View, Literal::text("rebook"));
        let null = layout.add_literal(Physical::I32, Literal::Null);
        assert_eq!(text, again);
        let mut columns = Columns::new(&layout, 70).unwrap();
        columns.push_text(b"of this call").unwrap();
        columns.clear();
        assert_eq!(columns.text(text, 69), b"rebook");
        assert_eq!(columns.value::<i32>(null, 69), None);
    }

    #[test]
    fn more_memory_than_there_is_becomes_an_error() {
        let mut layout = Layout::default();
        layout.add_block(Physical::F64, 1 << 20);
        let result = Columns::new(&layout, 1 << 40);
        assert!(matches!(result, Err(MemoryError::Exhausted(_))));
    }
}
