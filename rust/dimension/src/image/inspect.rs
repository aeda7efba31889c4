//! What an image is made of, for those who look inside.

use super::coding::{Coding, Number, PackedColumn};
use super::shard::Shard;
use super::statistics::TENS;
use super::{Image, Rows};

/// What a column of an image is, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// Its name; `None` for a column of the key that cannot be read.
    pub name: Option<String>,
    /// How its values lie in a row: `number, 10 bits`.
    pub coding: String,
    /// What they take in all rows, with the dictionary.
    pub bytes: u64,
}

impl Image {
    /// Entries of the index that are in use, of all entries, between 0 and 1.
    pub fn index_load(&self) -> f64 {
        let (keys, entries) = self.loaded().fold((0, 0), |(keys, entries), shard| {
            (keys + shard.index.keys(), entries + shard.index.entries())
        });
        keys as f64 / entries.max(1) as f64
    }

    /// The memory of the index in bytes.
    pub fn index_bytes(&self) -> u64 {
        self.loaded().map(|shard| shard.index.bytes()).sum()
    }

    /// Each column; where key groups were loaded one after the other, their codings differ, and
    /// that of the first one is shown. Reads every row that has strings.
    pub fn column_statistics(&self) -> Vec<ColumnStatistics> {
        let Some(first) = self.loaded().next() else {
            return Vec::new();
        };
        let columns = first.layout.columns.iter().enumerate();
        let statistics = columns.map(|(number, column)| {
            let bytes: u64 = self.loaded().map(|shard| column_bytes(shard, number)).sum();
            let dictionary = match &column.coding {
                Coding::Dictionary { dictionary, .. } | Coding::Few { dictionary, .. } => {
                    dictionary.bytes()
                }
                _ => 0,
            };
            ColumnStatistics {
                name: self.columns.get(number).map(|field| field.name.clone()),
                coding: describe(column),
                bytes: bytes + dictionary,
            }
        });
        statistics.collect()
    }
}

/// What a column takes in the rows of a shard.
fn column_bytes(shard: &Shard, number: usize) -> u64 {
    let column = &shard.layout.columns[number];
    let fixed = (u64::from(bits(column)) * shard.rows).div_ceil(8);
    let Coding::Text { part, .. } = &column.coding else {
        return fixed;
    };
    let keys = shard.index.places();
    let rows = keys.flat_map(|place| Rows::of(shard, place));
    fixed + rows.map(|row| part.of(row.bytes).len() as u64).sum::<u64>()
}

fn bits(column: &PackedColumn) -> u32 {
    let number = |number: &Number| u32::from(number.field.width());
    let value = match &column.coding {
        Coding::Number(value) | Coding::Scaled { number: value, .. } | Coding::Bits(value) => {
            number(value)
        }
        Coding::Instant { millis, nanos } => number(millis) + number(nanos),
        Coding::Wide { .. } => 128,
        Coding::Dictionary { code, .. } | Coding::Few { code, .. } => code.width().into(),
        Coding::Text { part, .. } => part.end.field.width().into(),
    };
    value + u32::from(column.null.is_some())
}

fn describe(column: &PackedColumn) -> String {
    let what = match &column.coding {
        Coding::Number(number) if number.step > 1 => format!("number, steps of {}", number.step),
        Coding::Number(_) => "number".to_owned(),
        Coding::Scaled { divisor, .. } => match TENS.iter().position(|ten| ten == divisor) {
            Some(digits) => format!("decimal of {digits} digits"),
            None => format!("multiple of 2^-{}", divisor.log2()),
        },
        Coding::Bits(_) => "float".to_owned(),
        Coding::Instant { .. } => "milliseconds and nanoseconds".to_owned(),
        Coding::Wide { .. } => "wide decimal".to_owned(),
        Coding::Dictionary { dictionary, .. } | Coding::Few { dictionary, .. } => {
            format!("dictionary of {}", dictionary.len())
        }
        Coding::Text { symbols: None, .. } => "bytes, with their end".to_owned(),
        Coding::Text { .. } => "bytes by symbols, with their end".to_owned(),
    };
    let (bits, null) = (
        bits(column),
        if column.null.is_some() { ", NULLs" } else { "" },
    );
    format!("{what}{null}, {bits} bits")
}
