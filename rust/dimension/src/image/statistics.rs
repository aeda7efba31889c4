//! What the first pass learns of a column, and the coding that follows from it.

use std::sync::Arc;

use pelton_data::columns::{Physical, Slot, Timestamp, View};

use super::Refusal;
use super::bits::width_of;
use super::coding::{of_double, of_float, scaled};
use super::dictionary::{Dictionary, Numbers};
use super::select::Chosen;
use super::symbols::Symbols;
use crate::batch::{Batch, Coded};

/// Strings of which there are more kinds than this have no dictionary.
const MOST_KINDS: usize = 1 << 16;
/// Neither have those whose kinds take more bytes than this.
const MOST_BYTES: u64 = 64 << 20;
/// After so many values, one in two has to be there already.
const PATIENCE: u64 = 1 << 13;
/// Bytes of strings that symbols are made for: of each batch, and of all.
const SAMPLE_OF_BATCH: usize = 512;
const SAMPLE: usize = 1 << 19;
/// The powers of ten that scale floats.
pub(super) const TENS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
/// Floats as large as this are no longer exact when a power of ten scales them.
const EXACT: f64 = (1_u64 << 51) as f64;
/// Whole numbers as large as this are not told from their codes.
const LARGEST: f64 = (1_u64 << 62) as f64;

/// What a column holds.
#[derive(Debug)]
pub(super) struct Statistics {
    pub(super) nulls: u64,
    pub(super) values: Values,
}

#[derive(Debug)]
pub(super) enum Values {
    Numbers(Range),
    Instants {
        millis: Range,
        nanos: Range,
    },
    /// `None`: one of them needs more than 64 bits.
    Decimals(Option<Range>),
    Floats(Floats),
    Texts(Box<Texts>),
}

/// Whole numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    /// The least and the greatest; `None` where there is no value.
    pub(super) ends: Option<(i64, i64)>,
    /// All differ by multiples of it; 0 where all are the same.
    pub(super) step: u64,
}

/// Values of which there may be few kinds.
#[derive(Debug)]
pub(super) struct Kinds {
    /// How many were seen.
    count: u64,
    /// Of all kinds; `None` where there are too many.
    dictionary: Option<Dictionary>,
}

/// Floats.
#[derive(Debug)]
pub(super) struct Floats {
    /// As decimals: the digits behind the point, and the numbers without it; `None`: they are none,
    /// as far as can be said with few digits.
    decimals: Option<(u8, Range)>,
    /// As multiples of a power of two; `None`: they are none.
    multiples: Option<Multiples>,
    /// As bits.
    pub(super) bits: Range,
    kinds: Kinds,
}

/// Floats as multiples of the greatest power of two that divides all of them: so are those that were
/// drawn at random between two ends, or that a sensor counts.
#[derive(Debug, Clone, Copy)]
struct Multiples {
    /// Of the power.
    exponent: i32,
    least: f64,
    greatest: f64,
}

/// Strings.
#[derive(Debug)]
pub(super) struct Texts {
    kinds: Kinds,
    /// Bytes of all, of the shortest and of the longest.
    pub(super) total: u64,
    pub(super) shortest: u64,
    pub(super) longest: u64,
    /// Some of them, where they may be coded by symbols.
    sample: Option<Sample>,
    /// Of strings that a file has coded, in the dictionary of the kinds.
    numbers: Numbers,
}

#[derive(Debug, Default)]
struct Sample {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Statistics {
    /// Of a column that has seen nothing. `symbols`: its strings may be coded by symbols.
    pub(super) fn new(physical: Physical, symbols: bool) -> Statistics {
        let values = match physical {
            Physical::I8 | Physical::I16 | Physical::I32 | Physical::I64 => {
                Values::Numbers(Range::default())
            }
            Physical::Timestamp => Values::Instants {
                millis: Range::default(),
                nanos: Range::default(),
            },
            Physical::I128 => Values::Decimals(Some(Range::default())),
            Physical::F32 | Physical::F64 => Values::Floats(Floats {
                decimals: Some((0, Range::default())),
                multiples: Some(Multiples::NONE),
                bits: Range::default(),
                kinds: Kinds::new(),
            }),
            Physical::View => Values::Texts(Box::new(Texts {
                kinds: Kinds::new(),
                total: 0,
                shortest: u64::MAX,
                longest: 0,
                sample: symbols.then(Sample::default),
                numbers: Numbers::default(),
            })),
        };
        Statistics { nulls: 0, values }
    }

    /// Sees the given rows of a batch.
    pub(super) fn see(
        &mut self,
        batch: Batch<'_>,
        slot: Slot,
        rows: &[u32],
    ) -> Result<(), Refusal> {
        let rows = Chosen::new(batch.columns, slot, rows);
        self.nulls += rows.nulls as u64;
        match (&mut self.values, slot.physical) {
            (Values::Numbers(range), Physical::I8) => {
                rows.values::<i8>().for_each(|v| range.see(v.into()));
            }
            (Values::Numbers(range), Physical::I16) => {
                rows.values::<i16>().for_each(|v| range.see(v.into()));
            }
            (Values::Numbers(range), Physical::I32) => {
                rows.values::<i32>().for_each(|v| range.see(v.into()));
            }
            (Values::Numbers(range), _) => {
                rows.values::<i64>().for_each(|v| range.see(v));
            }
            (Values::Instants { millis, nanos }, _) => {
                for instant in rows.values::<Timestamp>() {
                    millis.see(instant.millis);
                    nanos.see(instant.nanos.into());
                }
            }
            (Values::Decimals(decimals), _) => {
                for value in rows.values::<i128>() {
                    match (i64::try_from(value), &mut *decimals) {
                        (Ok(value), Some(range)) => range.see(value),
                        _ => *decimals = None,
                    }
                }
            }
            (Values::Floats(floats), Physical::F32) => {
                for value in rows.values::<f32>() {
                    floats.see(value.into(), of_float(value), |n, divisor| {
                        (scaled(n, divisor) as f32).to_bits() == value.to_bits()
                    })?;
                }
                floats.kinds.give_up_early();
            }
            (Values::Floats(floats), _) => {
                for value in rows.values::<f64>() {
                    floats.see(value, of_double(value), |n, divisor| {
                        scaled(n, divisor).to_bits() == value.to_bits()
                    })?;
                }
                floats.kinds.give_up_early();
            }
            (Values::Texts(texts), _) => {
                match batch.coded(slot) {
                    Some(coded) => texts.see_coded(coded, rows)?,
                    None => {
                        let mut sampled = 0;
                        for view in rows.values::<View>() {
                            texts.see(batch.columns.bytes(view), &mut sampled)?;
                        }
                    }
                }
                texts.kinds.give_up_early();
            }
        }
        Ok(())
    }
}

impl Range {
    #[inline(always)]
    pub(super) fn see(&mut self, value: i64) {
        let Some((least, greatest)) = &mut self.ends else {
            self.ends = Some((value, value));
            return;
        };
        if self.step != 1 {
            let difference = value.abs_diff(*least);
            if self.step == 0 || difference % self.step != 0 {
                self.step = greatest_divisor(self.step, difference);
            }
        }
        *least = value.min(*least);
        *greatest = value.max(*greatest);
    }

    /// The least value, the step, and the greatest code.
    pub(super) fn codes(&self) -> (i64, u64, u64) {
        let (least, greatest) = self.ends.unwrap_or_default();
        let step = self.step.max(1);
        (least, step, greatest.abs_diff(least) / step)
    }

    /// The same values, each ten times as large.
    fn tenfold(&self) -> Option<Range> {
        let Some((least, greatest)) = self.ends else {
            return Some(Range::default());
        };
        Some(Range {
            ends: Some((least.checked_mul(10)?, greatest.checked_mul(10)?)),
            step: self.step.checked_mul(10)?,
        })
    }
}

/// Euclid's; of 0 and a number it is the number.
fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Kinds {
    fn new() -> Kinds {
        Kinds {
            count: 0,
            dictionary: Some(Dictionary::default()),
        }
    }

    #[inline(always)]
    fn see(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.count += 1;
        match &mut self.dictionary {
            Some(dictionary) => dictionary.intern(value).map(|_| ()),
            None => Ok(()),
        }
    }

    /// So many kinds, or so large ones, are not what a dictionary is for.
    fn give_up_early(&mut self) {
        let Some(dictionary) = &self.dictionary else {
            return;
        };
        let (kinds, bytes) = (dictionary.len(), dictionary.bytes());
        let is_rare = self.count > PATIENCE && kinds as u64 > self.count / 2;
        if kinds > MOST_KINDS || bytes > MOST_BYTES || is_rare {
            self.dictionary = None;
        }
    }

    /// The dictionary, where all values take fewer bits with it than `without`.
    fn take(&mut self, without: u64) -> Option<Dictionary> {
        let dictionary = self.dictionary.take()?;
        let code = u64::from(width_of((dictionary.len() as u64).saturating_sub(1)));
        (8 * dictionary.bytes() + code * self.count < without).then_some(dictionary)
    }
}

impl Floats {
    /// Sees a value. `is_same`: whether a number and a divisor give it, by its bits.
    #[inline(always)]
    fn see(
        &mut self,
        value: f64,
        bits: i64,
        is_same: impl Fn(i64, f64) -> bool,
    ) -> Result<(), Refusal> {
        self.bits.see(bits);
        self.kinds.see(&bits.to_le_bytes())?;
        self.multiples = self.multiples.and_then(|multiples| multiples.with(value));
        // The fewest digits with which all are decimals.
        while let Some((digits, range)) = &mut self.decimals {
            let ten = TENS[usize::from(*digits)];
            let number = unscaled(value, ten).filter(|n| (*n as f64).abs() < EXACT);
            if let Some(number) = number.filter(|n| is_same(*n, ten)) {
                range.see(number);
                break;
            }
            let more = usize::from(*digits) + 1;
            let tenfold = range.tenfold().filter(|_| more < TENS.len());
            self.decimals = tenfold.map(|range| (more as u8, range));
        }
        Ok(())
    }

    /// The numbers and the divisors that give all values.
    pub(super) fn scaled(&self) -> impl Iterator<Item = (Range, f64)> {
        let decimals = self
            .decimals
            .map(|(digits, range)| (range, TENS[usize::from(digits)]));
        let multiples = self.multiples.and_then(Multiples::scaled);
        decimals.into_iter().chain(multiples)
    }

    /// The dictionary of their bits, where it takes less than `width` bits each.
    pub(super) fn take_dictionary(&mut self, width: u8) -> Option<Dictionary> {
        self.kinds.take(u64::from(width) * self.kinds.count)
    }
}

impl Multiples {
    const NONE: Multiples = Multiples {
        exponent: i32::MAX,
        least: f64::INFINITY,
        greatest: f64::NEG_INFINITY,
    };

    /// These and one more; `None` where it is none.
    #[inline(always)]
    fn with(self, value: f64) -> Option<Multiples> {
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let exponent = match (bits >> 52 & 0x7ff) as i32 {
            // Zero is a multiple of everything, but only one of the two is read again.
            0 if bits == 0 => i32::MAX,
            0 | 0x7ff => return None,
            biased => biased - 1075 + (fraction | 1 << 52).trailing_zeros() as i32,
        };
        Some(Multiples {
            exponent: self.exponent.min(exponent),
            least: self.least.min(value),
            greatest: self.greatest.max(value),
        })
    }

    /// The numbers, and the divisor; `None` where they are too large.
    fn scaled(self) -> Option<(Range, f64)> {
        let divisor = 2_f64.powi(-self.exponent.clamp(-1000, 0));
        let ends = (self.least * divisor, self.greatest * divisor);
        let is_whole = self.exponent >= -1000 && ends.0.abs() < LARGEST && ends.1.abs() < LARGEST;
        let range = Range {
            ends: Some((ends.0 as i64, ends.1 as i64)),
            step: 1,
        };
        is_whole.then_some((range, divisor))
    }
}

/// The whole number that is nearest to a float times a divisor, unless it is too large.
#[inline(always)]
pub(super) fn unscaled(value: f64, divisor: f64) -> Option<i64> {
    /// Added to a small float, it leaves no bits for a fraction.
    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
    let scaled = value * divisor;
    let size = scaled.abs();
    (size < LARGEST).then_some(match size < EXACT {
        true => (scaled + ROUND - ROUND) as i64,
        false => scaled as i64,
    })
}

impl Texts {
    #[inline(always)]
    fn see(&mut self, text: &[u8], sampled: &mut usize) -> Result<(), Refusal> {
        self.kinds.see(text)?;
        self.total += text.len() as u64;
        self.shortest = self.shortest.min(text.len() as u64);
        self.longest = self.longest.max(text.len() as u64);
        if let Some(sample) = &mut self.sample
            && *sampled < SAMPLE_OF_BATCH
            && sample.bytes.len() < SAMPLE
        {
            *sampled += text.len() + 1;
            sample.bytes.extend_from_slice(text);
            sample.ends.push(sample.bytes.len());
        }
        Ok(())
    }

    /// Sees strings that a file has coded: each once, and how often.
    fn see_coded(&mut self, coded: &Coded, rows: Chosen<'_>) -> Result<(), Refusal> {
        let Texts {
            kinds,
            total,
            shortest,
            longest,
            numbers,
            ..
        } = self;
        numbers.follow(coded)?;
        for (row, value) in rows.rows::<View>() {
            if value.is_none() {
                continue;
            }
            let code = coded.code(row);
            let length = coded.length(code) as u64;
            kinds.count += 1;
            *total += length;
            numbers.of(code, || {
                *shortest = length.min(*shortest);
                *longest = length.max(*longest);
                match &mut kinds.dictionary {
                    Some(dictionary) => dictionary.intern(coded.text(code)),
                    // It does not come back: the number is not asked for again.
                    None => Ok(0),
                }
            })?;
        }
        Ok(())
    }

    /// The symbols of the sample, where they may be used and make it a tenth shorter at least.
    pub(super) fn symbols(&self) -> Option<Arc<Symbols>> {
        let Sample { bytes, ends } = self.sample.as_ref()?;
        let starts = [0].iter().chain(ends);
        let parts = starts.zip(ends).map(|(start, end)| &bytes[*start..*end]);
        let parts: Vec<&[u8]> = parts.collect();
        let symbols = Symbols::train(&parts);
        let coded: usize = parts.iter().map(|part| symbols.encode(part).len()).sum();
        (coded * 10 < bytes.len() * 9).then(|| Arc::new(symbols))
    }

    /// The dictionary, where it makes the column shorter.
    pub(super) fn take_dictionary(&mut self) -> Option<Dictionary> {
        let ends = u64::from(width_of(self.longest)) * self.kinds.count;
        self.kinds.take(8 * self.total + ends)
    }
}
