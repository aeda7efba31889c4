//! Where the columns lie: types, slots, constants.

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

/// A value of no fixed length: a range of bytes of the heap. It is one number, written and read at
/// once: a processor that reads two numbers in one waits until both have left it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View(u64);

impl View {
    /// `len` bytes from `offset` on.
    #[inline(always)]
    pub fn new(offset: u32, len: u32) -> View {
        View(u64::from(offset) | u64::from(len) << 32)
    }

    /// First byte in the heap.
    #[inline(always)]
    pub fn offset(self) -> u32 {
        self.0 as u32
    }

    /// Length in bytes.
    #[inline(always)]
    pub fn len(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether it has no bytes.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A part of these bytes, which `part` counts from the first of them.
    #[inline(always)]
    pub fn part(self, part: View) -> View {
        debug_assert!(part.offset() + part.len() <= self.len());
        View::new(self.offset() + part.offset(), part.len())
    }

    /// The first `len` of these bytes.
    #[inline(always)]
    pub fn start(self, len: u32) -> View {
        self.part(View::new(0, len))
    }

    /// The bytes that it means in `bytes`.
    #[inline(always)]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.offset() as usize..][..self.len() as usize]
    }
}

/// The place of a column in every [`Columns`] of its [`Layout`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Which region it lies in.
    pub physical: Physical,
    /// Its number within that region.
    pub(super) index: u32,
    /// Its number among all slots: the place of its validity.
    pub(super) id: u32,
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
    pub(super) region: [u32; 9],
    pub(super) slots: u32,
    pub(super) literals: Vec<(Slot, Literal)>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_minus_zero_are_two_literals() {
        let mut layout = Layout::default();
        let zero = layout.add_literal(Physical::F64, Literal::F64(0.0));
        let minus = layout.add_literal(Physical::F64, Literal::F64(-0.0));
        assert_ne!(zero, minus);
    }
}
