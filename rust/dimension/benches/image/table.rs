//! The table of 20 columns that is measured everywhere, made of row numbers: the same rows every
//! time, and none of them held.
//!
//! A BIGINT key of 64 random bits; four names of 8 to 24 characters, some of them not ASCII; four
//! categories of 10, 50, 500 and 5,000 values; five DOUBLE (two with all their bits at random, two
//! amounts with cents, one share of four digits); three INT, a BIGINT, a TIMESTAMP(3), a BOOLEAN.
//! Six columns have 15 % NULLs.

use pelton_data::columns::{Columns, Layout, Physical, Slot, Timestamp};
use pelton_data::type_parser::parse_columns;
use pelton_data::{DataType, Field};

/// Rows of a batch.
pub const BATCH: usize = 1024;

const COLUMNS: &str = "id BIGINT, \
    name_0 STRING, name_1 STRING, name_2 STRING, name_3 STRING, \
    category_10 STRING, category_50 STRING, category_500 STRING, category_5000 STRING, \
    amount DOUBLE, amount_1 DOUBLE, share DOUBLE, mean DOUBLE, deviation DOUBLE, \
    count_0 INT, count_1 INT, count_2 INT, total BIGINT, seen TIMESTAMP(3), active BOOLEAN";

const KINDS: [u64; 4] = [10, 50, 500, 5000];

const FIRST: [&str; 24] = [
    "Anna",
    "Bruno",
    "Chloé",
    "Dmitri",
    "Elif",
    "François",
    "Grace",
    "Håkon",
    "Ines",
    "Jürgen",
    "Katarzyna",
    "Luis",
    "Mei",
    "Noor",
    "Olivia",
    "Pedro",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomás",
    "Ursula",
    "Víctor",
    "Wanda",
    "Yusuf",
];
const MIDDLE: [&str; 16] = [
    "al", "ber", "car", "den", "er", "fo", "gar", "hen", "il", "jo", "kov", "lan", "mar", "nov",
    "or", "pet",
];
const LAST: [&str; 16] = [
    "sen", "ez", "mann", "ski", "ova", "ton", "berg", "lund", "ić", "oğlu", "son", "ini", "eira",
    "escu", "field", "wright",
];

/// Bits at random, the same for the same number.
pub fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// The key of a row: no two rows have the same.
pub fn id(row: u64) -> i64 {
    mix(row) as i64
}

/// The values of a row, but for its key.
pub struct Boxed {
    pub names: [Option<String>; 4],
    pub categories: [Option<String>; 4],
    pub doubles: [Option<f64>; 5],
    pub counts: [Option<i32>; 3],
    pub total: Option<i64>,
    pub seen: i64,
    pub active: bool,
}

impl Boxed {
    pub fn new(row: u64) -> Boxed {
        let mut random = mix(row ^ 0x5555_5555);
        let mut below = |end: u64| {
            random = mix(random);
            (random >> 11) % end
        };
        let names = [0, 1, 2, 3].map(|_| {
            let mut name = String::from(FIRST[below(24) as usize]);
            name.push(' ');
            (0..1 + below(2)).for_each(|_| name.push_str(MIDDLE[below(16) as usize]));
            name.push_str(MIDDLE[below(16) as usize]);
            name.push_str(LAST[below(16) as usize]);
            name
        });
        let categories = KINDS.map(|kinds| {
            let kind = below(kinds);
            format!(
                "{}{}-{kind:07}",
                MIDDLE[kind as usize % 16],
                LAST[kind as usize / 16 % 16]
            )
        });
        let mut any = || {
            let bits = below(1 << 52) | 1023 << 52;
            f64::from_bits(bits) * 1000.0 - 1000.0
        };
        let (mean, deviation) = (any(), any());
        let doubles = [
            below(10_000_000) as f64 / 100.0,
            below(100_000) as f64 / 100.0,
            below(10_001) as f64 / 10_000.0,
            mean,
            deviation,
        ];
        let counts = [below(100), below(10_000), below(1_000_000)].map(|count| count as i32);
        let (total, seen) = (
            below(1_000_000_000) as i64,
            1_704_067_200_000 + below(31_536_000_000) as i64,
        );
        let active = below(2) == 1;
        let mut or_null = || below(100) >= 15;
        let [a, b, c, d] = names;
        let [e, f, g, h] = categories;
        Boxed {
            names: [Some(a), Some(b), Some(c), or_null().then_some(d)],
            categories: [Some(e), Some(f), Some(g), or_null().then_some(h)],
            doubles: [
                Some(doubles[0]),
                Some(doubles[1]),
                or_null().then_some(doubles[2]),
                Some(doubles[3]),
                or_null().then_some(doubles[4]),
            ],
            counts: [
                Some(counts[0]),
                Some(counts[1]),
                or_null().then_some(counts[2]),
            ],
            total: or_null().then_some(total),
            seen,
            active,
        }
    }
}

/// A batch of the table's rows.
pub struct Table {
    fields: Vec<Field>,
    slots: Vec<Slot>,
    pub columns: Columns,
    /// Fixed widths, and bytes of strings; a NULL has none. Of all rows so far.
    pub value_bytes: u64,
}

impl Table {
    pub fn new() -> Table {
        let fields = parse_columns(COLUMNS).expect("they are written above");
        let fields: Vec<Field> = fields.into_iter().map(|(field, _)| field).collect();
        let mut layout = Layout::default();
        let slots = fields
            .iter()
            .map(|f| layout.add(Physical::of(&f.data_type)));
        Table {
            slots: slots.collect(),
            columns: Columns::new(&layout, BATCH).expect("memory"),
            fields,
            value_bytes: 0,
        }
    }

    pub fn fields(&self) -> Vec<(Field, Slot)> {
        self.fields
            .iter()
            .cloned()
            .zip(self.slots.iter().copied())
            .collect()
    }

    pub fn data_type(&self, name: &str) -> DataType {
        self.fields[self.number(name)].data_type.clone()
    }

    pub fn slot(&self, name: &str) -> Slot {
        self.slots[self.number(name)]
    }

    fn number(&self, name: &str) -> usize {
        let found = self.fields.iter().position(|field| field.name == name);
        found.expect("a column of the table")
    }

    /// Puts the rows from `first` on into the columns, and says how many they are.
    pub fn fill(&mut self, first: u64, end: u64) -> usize {
        let rows = (end - first).min(BATCH as u64) as usize;
        self.columns.clear();
        for row in 0..rows {
            self.put(row, first + row as u64);
        }
        rows
    }

    fn put(&mut self, at: usize, row: u64) {
        let values = Boxed::new(row);
        let Table {
            slots,
            columns,
            value_bytes,
            ..
        } = self;
        let mut bytes = 8 + 8 + 1;
        columns.put(slots[0], at, Some(id(row)));
        for (slot, text) in slots[1..9]
            .iter()
            .zip(values.names.iter().chain(&values.categories))
        {
            bytes += text.as_ref().map_or(0, String::len);
            let view = text
                .as_ref()
                .map(|text| columns.push_text(text.as_bytes()).expect("memory"));
            columns.put(*slot, at, view);
        }
        for (slot, value) in slots[9..14].iter().zip(values.doubles) {
            bytes += value.map_or(0, |_| 8);
            columns.put(*slot, at, value);
        }
        for (slot, value) in slots[14..17].iter().zip(values.counts) {
            bytes += value.map_or(0, |_| 4);
            columns.put(*slot, at, value);
        }
        bytes += values.total.map_or(0, |_| 8);
        columns.put(slots[17], at, values.total);
        columns.put(
            slots[18],
            at,
            Some(Timestamp {
                millis: values.seen,
                nanos: 0,
            }),
        );
        columns.put(slots[19], at, Some(i8::from(values.active)));
        *value_bytes += bytes as u64;
    }
}
