//! The table that benchmarks load and look up: a key, 19 columns, the same values in every run.
//!
//! About 193 bytes of values a row: fixed widths, strings by their UTF-8 length, NULLs 0.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use pelton_data::columns::{Columns, Slot, View};
use pelton_data::{DataType, arrow};

/// The columns besides both keys, as the definitions declare them.
pub const COLUMNS: &str = "\
  person STRING, street STRING, town STRING, company STRING,
  segment STRING, country STRING, product STRING, branch STRING,
  balance DOUBLE, income DOUBLE, score DOUBLE, latitude DOUBLE, longitude DOUBLE,
  age INT, visits INT, postcode INT, device BIGINT, seen TIMESTAMP(3), active BOOLEAN";

/// NULLs in each of six columns, in percent.
const NULLS: u64 = 15;

/// The parts of names: letters of one, two and three bytes.
const SYLLABLES: [&str; 48] = [
    "an", "ber", "cor", "dal", "el", "fin", "gar", "hol", "in", "jo", "kar", "lin", "mar", "nor",
    "os", "per", "quin", "ros", "san", "tor", "ul", "ver", "wes", "xan", "yor", "zim", "ché",
    "dör", "mün", "ção", "ñez", "åse", "løv", "stein", "bach", "ville", "wood", "field", "ton",
    "ham", "ford", "ley", "street", "road", "park", "東京", "大阪", "ова",
];

/// The value of the key `id` in a row: no order that an index could profit from.
pub fn id(row: u64) -> i64 {
    mix(row) as i64
}

/// The value of the key `code` in a row, 16 characters.
pub fn code(row: u64) -> String {
    format!("{:016X}", mix(row ^ 0x5555_5555))
}

/// The rows from `first` on; `edition` changes all values but those of the keys.
pub fn batch(first: u64, rows: u64, edition: u64) -> RecordBatch {
    let values = Values {
        first,
        rows,
        edition,
    };
    let keys: [(&str, ArrayRef); 2] = [
        (
            "id",
            Arc::new(Int64Array::from_iter_values((first..first + rows).map(id))),
        ),
        (
            "code",
            Arc::new(StringArray::from_iter_values(
                (first..first + rows).map(code),
            )),
        ),
    ];
    let columns = keys.into_iter().chain(values.names());
    let columns = columns.chain(values.categories()).chain(values.numbers());
    let columns = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// Puts a batch into the places of its columns, given by name.
pub fn load(
    batch: &RecordBatch,
    places: &[(String, DataType, Slot)],
    columns: &mut Columns,
) -> Result<(), Box<dyn std::error::Error>> {
    columns.clear();
    for (name, data_type, slot) in places {
        let array = batch.column_by_name(name).ok_or("a column is missing")?;
        arrow::load(array, data_type, *slot, columns)?;
    }
    Ok(())
}

/// The bytes of a row's values: fixed widths, strings by their UTF-8 length, NULLs 0.
pub fn value_bytes(places: &[(String, DataType, Slot)], columns: &Columns, row: usize) -> u64 {
    let bytes = |(_, data_type, slot): &(String, DataType, Slot)| match data_type {
        _ if !columns.is_valid(*slot, row) => 0,
        DataType::Boolean => 1,
        DataType::Int => 4,
        DataType::Varchar(_) => u64::from(columns.get::<View>(*slot, row).len()),
        _ => 8,
    };
    places.iter().map(bytes).sum()
}

/// What is drawn for each row and column.
struct Values {
    first: u64,
    rows: u64,
    edition: u64,
}

impl Values {
    fn names(&self) -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("person", self.texts(1, true, name)),
            ("street", self.texts(2, true, name)),
            ("town", self.texts(3, false, name)),
            ("company", self.texts(4, false, name)),
        ]
    }

    fn categories(&self) -> Vec<(&'static str, ArrayRef)> {
        vec![
            (
                "segment",
                self.texts(5, false, |draw| category("segment", draw, 10)),
            ),
            (
                "country",
                self.texts(6, false, |draw| category("country", draw, 50)),
            ),
            (
                "product",
                self.texts(7, true, |draw| category("product", draw, 500)),
            ),
            (
                "branch",
                self.texts(8, false, |draw| category("branch", draw, 5_000)),
            ),
        ]
    }

    fn numbers(&self) -> Vec<(&'static str, ArrayRef)> {
        let seen = |draw| 1_356_998_400_000 + (draw % 315_360_000_000) as i64;
        let seen: TimestampMillisecondArray = self.draw(16, false, seen).collect();
        let active: BooleanArray = self.draw(17, false, |draw| draw % 3 > 0).collect();
        let device: Int64Array = self.draw(18, false, |draw| (draw >> 24) as i64).collect();
        let int = |column, nulls, below| -> ArrayRef {
            let draw = move |draw| (draw % below) as i32;
            Arc::new(self.draw(column, nulls, draw).collect::<Int32Array>())
        };
        vec![
            (
                "balance",
                self.doubles(9, true, |draw| (draw % 10_000_000) as f64 / 100.0),
            ),
            (
                "income",
                self.doubles(10, true, |draw| (draw % 200_000) as f64),
            ),
            ("score", self.doubles(11, false, unit)),
            (
                "latitude",
                self.doubles(12, false, |draw| unit(draw) * 180.0 - 90.0),
            ),
            (
                "longitude",
                self.doubles(13, false, |draw| unit(draw) * 360.0 - 180.0),
            ),
            ("age", int(14, false, 100)),
            ("visits", int(15, true, 10_000)),
            ("postcode", int(19, false, 100_000)),
            ("device", Arc::new(device)),
            ("seen", Arc::new(seen)),
            ("active", Arc::new(active)),
        ]
    }

    fn texts(&self, column: u64, nulls: bool, text: impl Fn(u64) -> String) -> ArrayRef {
        Arc::new(self.draw(column, nulls, text).collect::<StringArray>())
    }

    fn doubles(&self, column: u64, nulls: bool, value: impl Fn(u64) -> f64) -> ArrayRef {
        Arc::new(self.draw(column, nulls, value).collect::<Float64Array>())
    }

    /// The values of a column, each made of 64 random bits.
    fn draw<T>(
        &self,
        column: u64,
        nulls: bool,
        value: impl Fn(u64) -> T,
    ) -> impl Iterator<Item = Option<T>> {
        let column = mix(column + 100 * self.edition);
        (self.first..self.first + self.rows).map(move |row| {
            let draw = mix(row ^ column);
            let is_null = nulls && mix(draw) % 100 < NULLS;
            (!is_null).then(|| value(draw))
        })
    }
}

/// A name of 8 to 24 characters.
fn name(draw: u64) -> String {
    let length = 8 + (draw % 17) as usize;
    let (mut text, mut characters, mut draw) = (String::new(), 0, draw);
    while characters < length {
        draw = mix(draw);
        let syllable = SYLLABLES[(draw % SYLLABLES.len() as u64) as usize];
        for character in syllable.chars().take(length - characters) {
            text.push(character);
            characters += 1;
        }
        if draw >> 62 == 0 && characters + 1 < length {
            text.push(' ');
            characters += 1;
        }
    }
    text
}

/// One of `count` values, longer ones among them.
fn category(kind: &str, draw: u64, count: u64) -> String {
    let number = draw % count;
    match number % 3 {
        0 => format!("{number}"),
        _ => format!("{kind} of level {number}"),
    }
}

/// From 0 to 1.
fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1_u64 << 53) as f64
}

/// SplitMix64: 64 bits that look random, another value for each of another.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
