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

use std::collections::TryReserveError;

use crate::types::DataType;

/// How the values of a type lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Physical {
    /// `BOOLEAN` (0 or 1), `TINYINT`
    I8,
    /// `SMALLINT`
    I16,
    /// `INT`, `DATE` (days since 1970-01-01), `TIME(p)` (milliseconds of the day)
    I32,
    /// `BIGINT`
    I64,
    /// `FLOAT`
    F32,
    /// `DOUBLE`
    F64,
    /// `TIMESTAMP(p)`, `TIMESTAMP_LTZ(p)`
    Timestamp,
    /// Bytes in the heap: UTF-8 of `CHAR`, `VARCHAR`, `STRING`; `BINARY`, `VARBINARY`, `BYTES`;
    /// `ARRAY`, `MAP` and `ROW` as Flink lays them out
    View,
    /// `DECIMAL(p, s)`: the value times 10^s
    I128,
}

impl Physical {
    /// How values of `data_type` are held.
    pub fn of(data_type: &DataType) -> Physical {
        use DataType::*;
        match data_type {
            Boolean | TinyInt => Physical::I8,
            SmallInt => Physical::I16,
            Int | Date | Time(_) => Physical::I32,
            BigInt => Physical::I64,
            Float => Physical::F32,
            Double => Physical::F64,
            Decimal { .. } => Physical::I128,
            Timestamp(_) | TimestampLtz(_) => Physical::Timestamp,
            Char(_) | Varchar(_) | Binary(_) | Varbinary(_) => Physical::View,
            Array(_) | Map(..) | Row(_) => Physical::View,
        }
    }
}

/// A date and a time of day as Flink holds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00.
    pub millis: i64,
    /// Nanoseconds of the millisecond, 0 to 999,999.
    pub nanos: i32,
}

/// A value of no fixed length: a range of bytes of the heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// First byte in the heap.
    pub offset: u32,
    /// Length in bytes.
    pub len: u32,
}

impl View {
    /// A part of these bytes, which `part` counts from the first of them.
    pub fn part(self, part: View) -> View {
        debug_assert!(part.offset + part.len <= self.len);
        View {
            offset: self.offset + part.offset,
            len: part.len,
        }
    }

    /// The bytes that it means in `bytes`.
    #[inline(always)]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.offset as usize..][..self.len as usize]
    }
}

/// The place of a column in every [`Columns`] of its [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Which region it lies in.
    pub physical: Physical,
    /// Its number within that region.
    index: u32,
    /// Its number among all slots: the place of its validity.
    id: u32,
}

impl Slot {
    /// The slot `k` places further on in a block ([`Layout::add_block`]).
    pub fn nth(self, k: usize) -> Slot {
        Slot {
            index: self.index + k as u32,
            id: self.id + k as u32,
            ..self
        }
    }

    /// The slot's number among all slots of its layout, in the order they were added.
    pub fn id(self) -> usize {
        self.id as usize
    }
}

/// A constant, as it lies in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// NULL, of the type of its slot.
    Null,
    /// `BOOLEAN` as 0 or 1, `TINYINT`
    I8(i8),
    /// `SMALLINT`
    I16(i16),
    /// `INT`, `DATE`, `TIME(p)`
    I32(i32),
    /// `BIGINT`
    I64(i64),
    /// `FLOAT`
    F32(f32),
    /// `DOUBLE`
    F64(f64),
    /// `TIMESTAMP(p)`, `TIMESTAMP_LTZ(p)`
    Timestamp(Timestamp),
    /// A string's UTF-8, and every other value of no fixed length: see [`Physical::View`].
    Bytes(Vec<u8>),
    /// `DECIMAL(p, s)`: the value times 10^s
    I128(i128),
}

impl Literal {
    /// A string.
    pub fn text(text: &str) -> Literal {
        Literal::Bytes(text.as_bytes().to_vec())
    }

    /// Equality by bits: `0.0` and `-0.0` are two constants, and NaN is one.
    pub fn is_same(&self, other: &Literal) -> bool {
        match (self, other) {
            (Literal::F32(one), Literal::F32(other)) => one.to_bits() == other.to_bits(),
            (Literal::F64(one), Literal::F64(other)) => one.to_bits() == other.to_bits(),
            (one, other) => one == other,
        }
    }
}

/// Which columns there are: made once, when a decision is compiled.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    region: [u32; 9],
    slots: u32,
    literals: Vec<(Slot, Literal)>,
}

impl Layout {
    /// A new column of a physical type.
    pub fn add(&mut self, physical: Physical) -> Slot {
        self.add_block(physical, 1)
    }

    /// `count` columns that lie one behind the other: the feature-major block `[count][n]` of a
    /// tensor. Returns the first; [`Slot::nth`] gives the others.
    pub fn add_block(&mut self, physical: Physical, count: usize) -> Slot {
        let region = &mut self.region[physical as usize];
        let first = Slot {
            physical,
            index: *region,
            id: self.slots,
        };
        *region += count as u32;
        self.slots += count as u32;
        first
    }

    /// A column that holds the same value in every row. Filled once, when columns are sized.
    pub fn add_literal(&mut self, physical: Physical, literal: Literal) -> Slot {
        let known = self
            .literals
            .iter()
            .find(|(slot, known)| slot.physical == physical && known.is_same(&literal));
        if let Some((slot, _)) = known {
            return *slot;
        }
        let slot = self.add(physical);
        self.literals.push((slot, literal));
        slot
    }

    /// Columns one behind the other, each a constant: [`Slot::nth`] gives them by number.
    pub fn add_literals(&mut self, physical: Physical, literals: Vec<Literal>) -> Slot {
        let first = self.add_block(physical, literals.len());
        for (k, literal) in literals.into_iter().enumerate() {
            self.literals.push((first.nth(k), literal));
        }
        first
    }

    /// The constant that a slot holds, if it is one.
    pub fn literal(&self, slot: Slot) -> Option<&Literal> {
        let found = self.literals.iter().find(|(other, _)| *other == slot);
        found.map(|(_, literal)| literal)
    }
}

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

/// Strings up to so many bytes are copied as so many.
pub const PADDING: usize = 32;

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

    /// The bytes of all strings.
    pub fn heap(&self) -> &[u8] {
        &self.heap
    }

    /// The bytes of a string.
    #[inline(always)]
    pub fn bytes(&self, view: View) -> &[u8] {
        view.of(&self.heap)
    }

    /// A string of up to 7 bytes as a number, its first byte the lowest; of a longer one something.
    #[inline(always)]
    pub fn word(&self, view: View) -> u64 {
        let (start, bits) = (view.offset as usize, 8 * (view.len & 7));
        let word = match self.heap[start..].first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.last_word(start),
        };
        word & ((1 << bits) - 1)
    }

    /// A string of up to 16 bytes as two numbers, zeros behind it; `None` for a longer one, and
    /// for one among the heap's last bytes.
    #[inline(always)]
    pub fn words(&self, view: View) -> Option<[u64; 2]> {
        let bytes = self.heap[view.offset as usize..].first_chunk::<16>()?;
        let len = view.len as usize;
        if len > bytes.len() {
            return None;
        }
        let unused = 8 * (bytes.len() - len);
        let number = u128::from_le_bytes(*bytes);
        let number = number & u128::MAX.checked_shr(unused as u32).unwrap_or(0);
        Some([number as u64, (number >> 64) as u64])
    }

    /// The heap's last bytes, fewer than 8.
    #[cold]
    fn last_word(&self, start: usize) -> u64 {
        let bytes = self.heap[start..].iter().rev();
        bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// The bytes of a row's string. Strings are UTF-8 as far as those who wrote them kept to it.
    #[inline(always)]
    pub fn text(&self, slot: Slot, row: usize) -> &[u8] {
        self.bytes(self.get(slot, row))
    }

    /// Adds a string to the heap.
    #[inline]
    pub fn push_text(&mut self, bytes: &[u8]) -> Result<View, MemoryError> {
        let view = self.next_view(bytes.len())?;
        self.heap.extend_from_slice(bytes);
        Ok(view)
    }

    /// Adds a string of up to 8 bytes that is given as a number, its first byte the lowest.
    #[inline]
    pub fn push_word(&mut self, word: u64, len: u32) -> Result<View, MemoryError> {
        debug_assert!(len as usize <= size_of::<u64>());
        let View { offset, .. } = self.next_view(size_of::<u64>())?;
        self.heap.extend_from_slice(&word.to_le_bytes());
        Ok(View { offset, len })
    }

    /// Adds the first `len` of some bytes as a string. A short one with [`PADDING`] bytes behind
    /// its start is copied as so many, whatever its length: no branch has to be guessed.
    #[inline]
    pub fn push_prefix(&mut self, bytes: &[u8], len: usize) -> Result<View, MemoryError> {
        match bytes.first_chunk::<PADDING>() {
            Some(block) if len <= PADDING => {
                let View { offset, .. } = self.next_view(PADDING)?;
                self.heap.extend_from_slice(block);
                self.heap.truncate(offset as usize + len);
                let len = len as u32;
                Ok(View { offset, len })
            }
            _ => self.push_text(&bytes[..len]),
        }
    }

    /// Adds what `write` puts behind the heap, at most `most` bytes, as one string.
    #[inline]
    pub fn push_text_with(
        &mut self,
        most: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<View, MemoryError> {
        let View { offset, .. } = self.next_view(most)?;
        write(&mut self.heap);
        let len = self.heap.len() - offset as usize;
        debug_assert!(len <= most);
        Ok(View {
            offset,
            len: len as u32,
        })
    }

    /// Adds the strings of several views, one behind the other, as one.
    pub fn push_concat(&mut self, parts: &[View]) -> Result<View, MemoryError> {
        let view = self.next_view(parts.iter().map(|part| part.len as usize).sum())?;
        for part in parts {
            let start = part.offset as usize;
            self.heap
                .extend_from_within(start..start + part.len as usize);
        }
        Ok(view)
    }

    /// Makes room for `len` bytes at the heap's end and returns the view that they will have.
    #[inline]
    fn next_view(&mut self, len: usize) -> Result<View, MemoryError> {
        let offset = self.heap.len();
        if len > u32::MAX as usize - offset {
            return Err(MemoryError::HeapFull);
        }
        // `try_reserve` is a call even where there is room.
        if len > self.heap.capacity() - offset {
            self.grow(len)?;
        }
        Ok(View {
            offset: offset as u32,
            len: len as u32,
        })
    }

    #[cold]
    fn grow(&mut self, len: usize) -> Result<(), MemoryError> {
        let grown = self.heap.try_reserve(len);
        grown.map_err(|_| MemoryError::Exhausted(len))
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
    fn zero_and_minus_zero_are_two_literals() {
        let mut layout = Layout::default();
        let zero = layout.add_literal(Physical::F64, Literal::F64(0.0));
        let minus = layout.add_literal(Physical::F64, Literal::F64(-0.0));
        assert_ne!(zero, minus);
    }

    #[test]
    fn a_concatenation_may_use_a_string_twice() {
        let mut columns = Columns::new(&Layout::default(), 1).unwrap();
        let view = columns.push_text("né".as_bytes()).unwrap();
        let twice = columns.push_concat(&[view, view]).unwrap();
        assert_eq!(columns.bytes(twice), "néné".as_bytes());
    }

    #[test]
    fn more_memory_than_there_is_becomes_an_error() {
        let mut layout = Layout::default();
        layout.add_block(Physical::F64, 1 << 20);
        let result = Columns::new(&layout, 1 << 40);
        assert!(matches!(result, Err(MemoryError::Exhausted(_))));
    }
}
