//! Bytes a row and lookups a second of an image, beside a chase of pointers and a `HashMap`:
//! `cargo bench --workspace --bench image -- [--rows N] [FILE]`. With a path the figures are also
//! written there, as JSON: case, n, ours, peer, unit, ratio, command.
//!
//! The table has 20 columns and about 191 bytes of values a row; see [`tables`].

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use memmap2::MmapMut;
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_data::type_parser::parse_columns;
use pelton_data::{DataType, Field};
use pelton_dimension::Batch;
use pelton_dimension::groups::Groups;
use pelton_dimension::image::{Duplicates, Image, KeyColumns, Projection, Shape, Survey, TOGETHER};

mod figures;
#[allow(dead_code, reason = "shared with the program that writes the tables")]
mod tables;

use figures::Figure;

/// Rows of a batch.
const BATCH: u64 = 1024;
/// Lookups of one measurement; the median of [`RUNS`] counts.
const LOOKUPS: usize = 1 << 20;
const RUNS: usize = 7;
/// A `HashMap` of more boxed rows than this fills the memory of a small machine.
const MOST_BOXED: u64 = 2_000_000;
/// Bytes of a cache line.
const LINE: usize = 64;
/// The columns that lookups read: a category, a double, an integer.
const READ: [&str; 3] = ["product", "balance", "visits"];
/// Those that symbols make shorter.
const NAMES: [&str; 4] = ["person", "street", "town", "company"];

fn main() {
    let mut rows = vec![1_000_000_u64];
    let mut file = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--rows" => {
                let given = arguments.next().and_then(|rows| rows.parse().ok());
                rows = vec![given.expect("--rows takes a number")];
            }
            option if option.starts_with('-') => panic!("unknown: {option}"),
            path => file = Some(path.to_owned()),
        }
    }
    for n in rows {
        let command = format!("cargo bench --workspace --bench image -- --rows {n}");
        let written = figures::report(&measure(n), &command, file.as_deref());
        written.expect("figures are written");
    }
}

fn measure(n: u64) -> Vec<Figure> {
    println!("{n} rows");
    let mut table = Table::new();
    let (plain, seconds) = table.build(n, false);
    let values = table.value_bytes as f64 / n as f64;
    println!("  {values:.1} bytes of values a row; packed in {seconds:.2} s");
    for column in plain.column_statistics() {
        let bytes = column.bytes as f64 / n as f64;
        println!(
            "    {:<16}{bytes:>7.2}  {}",
            column.name.unwrap_or_default(),
            column.coding
        );
    }
    println!(
        "    {:<16}{:>7.2}  {:.1} % in use",
        "index",
        plain.index_bytes() as f64 / n as f64,
        100.0 * plain.index_load()
    );
    let memory = |case: &str, wanted: f64, image: &Image| Figure {
        case: format!("{case} / wanted: {wanted:.2} times the bytes of the values"),
        n,
        ours: image.bytes() as f64 / n as f64,
        peer: wanted * values,
        unit: "bytes a row",
        is_cost: true,
    };
    let mut figures = vec![memory("memory, packed", 0.70, &plain)];
    figures.extend(lookups("", &plain, n));
    drop(plain);
    let (symbols, _) = table.build(n, true);
    figures.push(memory("memory, names with symbols", 0.45, &symbols));
    figures.extend(lookups(", names with symbols", &symbols, n));
    figures
}

/// The table, batch by batch.
struct Table {
    fields: Vec<Field>,
    places: Vec<(String, DataType, Slot)>,
    columns: Columns,
    /// Of all rows of the last image.
    value_bytes: u64,
}

impl Table {
    fn new() -> Table {
        let text = format!("id BIGINT, {}", tables::COLUMNS);
        let parsed = parse_columns(&text).expect("columns");
        let fields: Vec<Field> = parsed.into_iter().map(|(field, _)| field).collect();
        let mut layout = Layout::default();
        let places = fields.iter().map(|field| {
            let slot = layout.add(Physical::of(&field.data_type));
            (field.name.clone(), field.data_type.clone(), slot)
        });
        Table {
            places: places.collect(),
            columns: Columns::new(&layout, BATCH as usize).expect("memory"),
            fields,
            value_bytes: 0,
        }
    }

    fn shape(&self, symbols: bool) -> Shape {
        let slots = || self.places.iter().map(|(_, _, slot)| *slot);
        let names = self
            .places
            .iter()
            .filter(|(name, ..)| NAMES.contains(&&**name));
        Shape {
            columns: self.fields.iter().cloned().zip(slots()).collect(),
            key: slots()
                .take(1)
                .map(|slot| (DataType::BigInt, slot))
                .collect(),
            duplicates: Duplicates::Error,
            symbols: names
                .map(|(_, _, slot)| *slot)
                .filter(|_| symbols)
                .collect(),
            groups: Groups::whole(),
        }
    }

    /// An image of `n` rows, and the seconds that it took but for the making of values.
    fn build(&mut self, n: u64, symbols: bool) -> (Image, f64) {
        let mut seconds = 0.0;
        let mut survey = Survey::new(self.shape(symbols));
        self.value_bytes = 0;
        for first in (0..n).step_by(BATCH as usize) {
            let rows = self.fill(first, n);
            let bytes = |row| tables::value_bytes(&self.places, &self.columns, row);
            self.value_bytes += (0..rows).map(bytes).sum::<u64>();
            seconds += timed(|| {
                survey
                    .add(Batch::new(&self.columns, rows))
                    .expect("it is seen")
            });
        }
        let mut builder = survey.into_builder().expect("memory");
        for first in (0..n).step_by(BATCH as usize) {
            let rows = self.fill(first, n);
            seconds += timed(|| {
                builder
                    .add(Batch::new(&self.columns, rows))
                    .expect("it is packed")
            });
        }
        (builder.finish().expect("memory"), seconds)
    }

    fn fill(&mut self, first: u64, end: u64) -> usize {
        let rows = BATCH.min(end - first);
        let batch = tables::batch(first, rows, 0);
        tables::load(&batch, &self.places, &mut self.columns).expect("it fits");
        rows as usize
    }
}

/// Seconds.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// A key of the table that looks random: that of lookup `number`.
fn key(number: u64, n: u64) -> i64 {
    tables::id(tables::mix(number) % n)
}

/// What a lookup needs beside the image.
struct Lookup<'a> {
    image: &'a Image,
    columns: Columns,
    id: Slot,
    slots: Vec<Slot>,
    key: KeyColumns,
    projection: Projection,
}

impl Lookup<'_> {
    fn new<'a>(image: &'a Image, read: &[&str], capacity: usize) -> Lookup<'a> {
        let mut layout = Layout::default();
        let find = |name: &&str| {
            image
                .columns()
                .iter()
                .position(|field| field.name == **name)
        };
        let chosen = read.iter().map(|name| find(name).expect("a column"));
        let chosen: Vec<(usize, Slot)> = chosen
            .map(|i| (i, layout.add(Physical::of(&image.columns()[i].data_type))))
            .collect();
        let id = layout.add(Physical::I64);
        Lookup {
            image,
            columns: Columns::new(&layout, capacity).expect("memory"),
            id,
            slots: chosen.iter().map(|(_, slot)| *slot).collect(),
            key: KeyColumns::new([id]),
            projection: Projection::new(image.columns(), &chosen),
        }
    }

    /// One after the other, each key known only when the last row was read.
    fn dependent(&mut self, n: u64) -> u64 {
        let mut next = 1;
        for _ in 0..LOOKUPS {
            self.columns.clear();
            self.columns.set(self.id, 0, key(next, n));
            let key = self.key.key(&self.columns, 0).expect("no NULL");
            let mut rows = self.image.find(0, &key).expect("loaded");
            let row = rows.next().expect("it is there");
            row.read(&self.projection, &mut self.columns, 0)
                .expect("memory");
            next += 1 + (self.columns.get::<f64>(self.slots[1], 0).to_bits() & 1);
        }
        next
    }

    /// Thirty-two at once.
    fn together(&mut self, n: u64) -> u64 {
        let mut sum = 0;
        for first in (0..LOOKUPS).step_by(TOGETHER) {
            self.columns.clear();
            for i in 0..TOGETHER {
                self.columns.set(self.id, i, key((first + i) as u64, n));
            }
            let (keys, projection) = (&self.key, &self.projection);
            let read = self
                .image
                .read_all(0, keys, 0..TOGETHER, projection, &mut self.columns);
            assert_eq!(read, Ok(u32::MAX), "all are there");
            sum += self.columns.get::<f64>(self.slots[1], 7).to_bits() & 1;
        }
        sum
    }
}

fn lookups(suffix: &str, image: &Image, n: u64) -> Vec<Figure> {
    let chase = Chase::new(n);
    let mut one = Lookup::new(image, &READ, 1);
    let mut many = Lookup::new(image, &READ, TOGETHER);
    let mut name = Lookup::new(image, &["product", "balance", "person"], 1);
    let [chased, chased_together, dependent, together, named] = nanos([
        &mut || chase.run(n),
        &mut || chase.together(n),
        &mut || one.dependent(n),
        &mut || many.together(n),
        &mut || name.dependent(n),
    ]);
    let figure = |case: &str, peer: &str, ours, peers, unit, is_cost| Figure {
        case: format!("lookup, {case}{suffix} / {peer}"),
        n,
        ours,
        peer: peers,
        unit,
        is_cost,
    };
    let (chase, wanted) = ("1.3 times a two-miss chase", 1.3 * chased);
    let (dependent_case, named_case) = ("n=1 dependent", "n=1 dependent, a name among them");
    let (rate, unit) = (1e3 / together, "M lookups/s a core");
    let mut figures = vec![
        figure(dependent_case, chase, dependent, wanted, "ns", true),
        figure(named_case, chase, named, wanted, "ns", true),
        figure("batch of 32", "wanted", rate, 15.0, unit, false),
        figure(
            "batch of 32",
            "32 two-miss chases at once, which compare and decode nothing",
            rate,
            1e3 / chased_together,
            unit,
            false,
        ),
    ];
    if suffix.is_empty() && n <= MOST_BOXED {
        let map = Boxed::new(n);
        let [boxed] = nanos([&mut || map.run(n)]);
        let peer = "HashMap of boxed rows";
        figures.push(figure(dependent_case, peer, dependent, boxed, "ns", true));
    }
    figures
}

/// The median nanoseconds of a lookup of each kind. They take turns, so that what else the machine
/// does hits them alike; the first turn, with cold caches, does not count.
fn nanos<const KINDS: usize>(mut kinds: [&mut dyn FnMut() -> u64; KINDS]) -> [f64; KINDS] {
    let mut times = [const { Vec::new() }; KINDS];
    for turn in 0..=RUNS {
        for (run, times) in kinds.iter_mut().zip(&mut times) {
            let seconds = timed(|| {
                black_box(run());
            });
            if turn > 0 {
                times.push(seconds * 1e9 / LOOKUPS as f64);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[RUNS / 2]
    })
}

/// Two reads of memory, the second where the first one says: as few as a lookup can do. By the same
/// keys as the lookups, over as much memory, huge pages too, and nothing to compare or decode. Some keys
/// meet in one line: a million lookups of a million rows read some 0.5 million lines of rows.
struct Chase {
    /// As many lines as the image's index has. Each number of it is a line of `rows`.
    index: Lines,
    /// As many lines as the image's rows have.
    rows: Lines,
}

/// Lines of random numbers.
struct Lines {
    memory: MmapMut,
    count: u64,
}

impl Lines {
    /// Of numbers below `most`.
    fn new(count: u64, most: u64) -> Lines {
        let mut memory = MmapMut::map_anon(count as usize * LINE).expect("memory");
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        for (bytes, i) in memory.chunks_exact_mut(4).zip(0..) {
            bytes.copy_from_slice(&((tables::mix(i) % most) as u32).to_le_bytes());
        }
        Lines { memory, count }
    }

    /// The first number of a line.
    fn first(&self, line: u64) -> u64 {
        self.number(line as usize * LINE)
    }

    /// One of the numbers: a random key says which, by its first bits the line, by its last ones the
    /// place there.
    fn number_of(&self, key: u64) -> u64 {
        let line = (u128::from(key) * u128::from(self.count)) >> 64;
        self.number(line as usize * LINE + 4 * (key % 16) as usize)
    }

    fn number(&self, at: usize) -> u64 {
        let (bytes, _) = self.memory[at..].split_first_chunk().expect("a number");
        u32::from_le_bytes(*bytes).into()
    }
}

impl Chase {
    fn new(n: u64) -> Chase {
        let (index, rows) = (n.div_ceil(10), n * 2);
        Chase {
            index: Lines::new(index, rows),
            rows: Lines::new(rows, u32::MAX.into()),
        }
    }

    fn run(&self, n: u64) -> u64 {
        let mut next = 1;
        for _ in 0..LOOKUPS {
            let row = self.index.number_of(key(next, n) as u64);
            next += 1 + (self.rows.first(row) & 1);
        }
        next
    }

    /// Thirty-two at once: as many of their reads wait together as the core can have.
    fn together(&self, n: u64) -> u64 {
        let mut sum = 0;
        for first in (0..LOOKUPS).step_by(TOGETHER) {
            let row = |i: usize| self.index.number_of(key((first + i) as u64, n) as u64);
            let rows: [u64; TOGETHER] = std::array::from_fn(row);
            sum += rows
                .iter()
                .map(|row| self.rows.first(*row) & 1)
                .sum::<u64>();
        }
        sum
    }
}

/// What one would write without an image.
struct Boxed(HashMap<i64, Box<BoxedRow>>);

struct BoxedRow {
    texts: Vec<Option<String>>,
    doubles: Vec<Option<f64>>,
    ints: Vec<Option<i32>>,
}

impl Boxed {
    fn new(n: u64) -> Boxed {
        let batches = (0..n).step_by(BATCH as usize).flat_map(|first| {
            let rows = BATCH.min(n - first);
            let batch = tables::batch(first, rows, 0);
            let boxed = move |row| (tables::id(first + row), BoxedRow::new(&batch, row as usize));
            (0..rows).map(boxed)
        });
        Boxed(batches.map(|(id, row)| (id, Box::new(row))).collect())
    }

    fn run(&self, n: u64) -> u64 {
        let mut next = 1;
        let mut text = String::new();
        for _ in 0..LOOKUPS {
            let row = &self.0[&key(next, n)];
            text.clear();
            text.push_str(row.texts[6].as_deref().unwrap_or_default());
            black_box((&text, row.ints[1]));
            next += 1 + (row.doubles[0].unwrap_or_default().to_bits() & 1);
        }
        next
    }
}

impl BoxedRow {
    fn new(batch: &RecordBatch, row: usize) -> BoxedRow {
        let valid = || {
            batch
                .columns()
                .iter()
                .skip(2)
                .map(|array| (array, array.is_valid(row)))
        };
        let texts = valid().filter_map(|(array, valid)| {
            let text = array.as_string_opt::<i32>()?;
            Some(valid.then(|| text.value(row).to_owned()))
        });
        let doubles = valid().filter_map(|(array, valid)| {
            let double = array.as_primitive_opt::<Float64Type>()?;
            Some(valid.then(|| double.value(row)))
        });
        let ints = valid().filter_map(|(array, valid)| {
            let int = array.as_primitive_opt::<Int32Type>()?;
            Some(valid.then(|| int.value(row)))
        });
        BoxedRow {
            texts: texts.collect(),
            doubles: doubles.collect(),
            ints: ints.collect(),
        }
    }
}
