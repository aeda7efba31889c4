//! Where the columns of a packed row lie: chosen from what the first pass saw.
//!
//! ```text
//! fixed: the same places in every row                         tail: strings, in the same order
//! | next u32 | key | null bits | codes and ends | wide codes | key | strings |
//!   ^ several rows a key only    ^ any bit        ^ whole bytes
//! ```
//!
//! `next` is the place of the key's next row; that of the last row is the first one's.

use std::sync::Arc;

use pelton_data::columns::{Physical, Slot};

use super::Duplicates;
use super::bits::{BitField, width_of};
use super::coding::{Coding, End, Number, PackedColumn, Part};
use super::dictionary::Dictionary;
use super::key::Key;
use super::statistics::{Range, Statistics, Values};
use super::symbols::{LONGER, Symbols};

/// The columns of packed rows.
#[derive(Debug)]
pub(super) struct RowLayout {
    /// Those that can be read, in their order, then those of the key that cannot.
    pub(super) columns: Vec<PackedColumn>,
    /// The columns of the key, in its order.
    pub(super) key: Vec<usize>,
    /// The columns with a part of the tail, in its order.
    pub(super) tail: Vec<usize>,
    /// Bytes of the fixed part.
    pub(super) stride: usize,
    /// Whether rows begin with the place of the next one.
    pub(super) is_linked: bool,
}

/// The coding of a column before it has a place.
enum Choice {
    Number(Range),
    /// With the divisor.
    Scaled(Range, f64),
    Bits(Range),
    Instant(Range, Range),
    Wide,
    Dictionary(Dictionary),
    /// The lengths of the shortest and the longest in bytes.
    Text(u64, u64, Option<Arc<Symbols>>),
}

impl RowLayout {
    /// `columns`: slot and statistics of each. `key`: their numbers.
    pub(super) fn new(
        columns: Vec<(Slot, Statistics)>,
        key: &[usize],
        duplicates: Duplicates,
    ) -> RowLayout {
        let is_linked = duplicates == Duplicates::All;
        let physical: Vec<Physical> = columns.iter().map(|(slot, _)| slot.physical).collect();
        let has_nulls: Vec<bool> = columns.iter().map(|(_, seen)| seen.nulls > 0).collect();
        let columns = columns.into_iter().enumerate();
        let mut choices: Vec<Option<Choice>> = columns
            .map(|(i, (_, seen))| Some(choose(seen, key.contains(&i))))
            .collect();

        // The key first; then the narrow ones, so that the line of the key holds as many as can be.
        let width = |i: &usize| choices[*i].as_ref().map_or(0, Choice::width);
        let others = || (0..physical.len()).filter(|i| !key.contains(i));
        let mut by_width: Vec<usize> = others().collect();
        by_width.sort_by_key(width);
        let mut places = Places {
            bit: if is_linked { u32::BITS } else { 0 },
            end: End {
                base: 0,
                field: BitField::next(&mut 0, 0),
            },
            longest: 0,
            tail: Vec::new(),
        };
        let mut placed: Vec<Option<Coding>> = physical.iter().map(|_| None).collect();
        let mut reaches = vec![0; physical.len()];
        let mut nulls = vec![None; physical.len()];
        let mut place = |i: usize, places: &mut Places| {
            placed[i] = choices[i]
                .take()
                .map(|choice| places.place(i, physical[i], choice));
            // Numbers are read as 8 bytes.
            reaches[i] = places.bit as usize / 8 + 8;
        };
        key.iter().for_each(|i| place(*i, &mut places));
        for i in others().filter(|i| has_nulls[*i]) {
            nulls[i] = Some(BitField::next(&mut places.bit, 1));
        }
        by_width.into_iter().for_each(|i| place(i, &mut places));

        let stride = places.bit.div_ceil(8) as usize;
        let columns = placed.into_iter().zip(nulls).zip(physical).zip(reaches);
        let columns = columns.filter_map(|(((coding, null), physical), mut reach)| {
            let mut coding = coding?;
            if let Coding::Text { part, .. } = &mut coding {
                // Known only now.
                part.start.base += stride;
                part.end.base += stride;
                reach = part.end.base;
            }
            Some(PackedColumn {
                physical,
                null,
                coding,
                reach,
            })
        });
        RowLayout {
            columns: columns.collect(),
            key: key.to_vec(),
            tail: places.tail,
            stride,
            is_linked,
        }
    }

    /// The memory of the dictionaries.
    pub(super) fn bytes(&self) -> u64 {
        let dictionaries = self.columns.iter().map(|column| match &column.coding {
            Coding::Dictionary { dictionary, .. } | Coding::Few { dictionary, .. } => {
                dictionary.bytes()
            }
            _ => 0,
        });
        dictionaries.sum()
    }

    /// Whether a packed row has this key.
    #[inline(always)]
    pub(super) fn is_key(&self, row: &[u8], key: &Key<'_>) -> bool {
        debug_assert_eq!(self.key.len(), key.slots.len());
        self.key
            .iter()
            .zip(key.slots)
            .all(|(column, slot)| self.columns[*column].is_same(row, *slot, key.columns, key.row))
    }
}

/// The places that are given away so far.
struct Places {
    bit: u32,
    /// Where the last part of the tail ends, from the tail's beginning on, and where at most.
    end: End,
    longest: u64,
    tail: Vec<usize>,
}

impl Places {
    fn place(&mut self, column: usize, physical: Physical, choice: Choice) -> Coding {
        match choice {
            Choice::Number(range) => Coding::Number(self.number(range)),
            Choice::Scaled(range, divisor) => Coding::Scaled {
                number: self.number(range),
                divisor,
            },
            Choice::Bits(range) => Coding::Bits(self.number(range)),
            Choice::Instant(millis, nanos) => Coding::Instant {
                millis: self.number(millis),
                nanos: self.number(nanos),
            },
            Choice::Wide => Coding::Wide {
                low: BitField::next(&mut self.bit, 64),
                high: BitField::next(&mut self.bit, 64),
            },
            Choice::Dictionary(mut dictionary) => {
                dictionary.pad();
                let most = (dictionary.len() as u64).saturating_sub(1);
                let code = BitField::next(&mut self.bit, width_of(most));
                let dictionary = Arc::new(dictionary);
                match physical {
                    Physical::F32 | Physical::F64 => Coding::Few { code, dictionary },
                    _ => Coding::Dictionary { code, dictionary },
                }
            }
            Choice::Text(shortest, longest, symbols) => {
                self.tail.push(column);
                self.longest += longest;
                let base = self.end.base + shortest as usize;
                let width = width_of(self.longest - base as u64);
                let field = BitField::next(&mut self.bit, width);
                let start = std::mem::replace(&mut self.end, End { base, field });
                let part = Part {
                    start,
                    end: self.end,
                };
                Coding::Text { part, symbols }
            }
        }
    }

    fn number(&mut self, range: Range) -> Number {
        let (base, step, most) = range.codes();
        let field = BitField::next(&mut self.bit, width_of(most));
        Number { field, base, step }
    }
}

fn choose(seen: Statistics, is_key: bool) -> Choice {
    match seen.values {
        Values::Numbers(range) | Values::Decimals(Some(range)) => Choice::Number(range),
        Values::Instants { millis, nanos } => match nanos.codes() {
            (0, _, 0) => Choice::Number(millis),
            _ => Choice::Instant(millis, nanos),
        },
        Values::Decimals(None) => Choice::Wide,
        Values::Floats(mut floats) => {
            let width = |range: &Range| width_of(range.codes().2);
            let bits = width(&floats.bits);
            let scaled = floats.scaled().min_by_key(|(range, _)| width(range));
            // A division has to be worth something.
            let scaled = scaled.filter(|(range, _)| width(range) + 2 <= bits);
            let least = scaled.map_or(bits, |(range, _)| width(&range));
            match (floats.take_dictionary(least), scaled) {
                (Some(dictionary), _) => Choice::Dictionary(dictionary),
                (None, Some((range, divisor))) => Choice::Scaled(range, divisor),
                (None, None) => Choice::Bits(floats.bits),
            }
        }
        Values::Texts(mut texts) => match texts.take_dictionary() {
            Some(dictionary) => Choice::Dictionary(dictionary),
            None => {
                // A NULL is as short as can be.
                let shortest = if seen.nulls == 0 { texts.shortest } else { 0 };
                let shortest = shortest.min(texts.longest);
                // The bytes of keys are compared as they are.
                let symbols = if is_key { None } else { texts.symbols() };
                match symbols {
                    None => Choice::Text(shortest, texts.longest, None),
                    Some(_) => Choice::Text(0, texts.longest + LONGER, symbols),
                }
            }
        },
    }
}

impl Choice {
    /// About the bits that it takes in the fixed part.
    fn width(&self) -> u64 {
        let of = |range: &Range| u64::from(width_of(range.codes().2));
        match self {
            Choice::Number(range) | Choice::Scaled(range, _) | Choice::Bits(range) => of(range),
            Choice::Instant(millis, nanos) => of(millis) + of(nanos),
            Choice::Wide => 128,
            Choice::Dictionary(dictionary) => width_of(dictionary.len() as u64).into(),
            Choice::Text(_, longest, _) => width_of(*longest).into(),
        }
    }
}
