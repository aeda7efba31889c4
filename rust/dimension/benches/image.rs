//! Bytes a row and lookups a second of an image, beside a chase of pointers and a `HashMap`:
//! `cargo bench -p pelton-dimension --bench image -- [--rows N] [FILE]`. With a path the figures
//! are also written there, as JSON: case, n, ours, peer, unit, ratio, command.
//!
//! The table has 20 columns and about 193 bytes of values a row; see [`table`].

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use memmap2::MmapMut;
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_dimension::groups::Groups;
use pelton_dimension::image::{Duplicates, Image, KeyEncoder, Probe, Projection, Shape, Survey};

#[path = "image/table.rs"]
mod table;

use table::{BATCH, Table};

/// Lookups of one measurement; the median of [`RUNS`] counts.
const LOOKUPS: usize = 1 << 20;
const RUNS: usize = 7;
/// A `HashMap` of more boxed rows than this fills the memory of a small machine.
const MOST_BOXED: u64 = 2_000_000;
/// Bytes of a cache line.
const LINE: usize = 64;
/// Lookups that wait together.
const TOGETHER: usize = 32;
/// The columns that lookups read: a category, a double, an integer.
const READ: [&str; 3] = ["category_500", "amount", "count_0"];

/// One figure, and what it is compared with.
struct Figure {
    case: String,
    ours: f64,
    peer: f64,
    unit: &'static str,
    /// Whether less is better.
    is_cost: bool,
}

fn main() {
    let mut rows = vec![1_000_000];
    let mut file = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--rows" => {
                let given = arguments.next().and_then(|rows| rows.parse().ok());
                rows = vec![given.expect("--rows takes a number")];
            }
            path => file = Some(path.to_owned()),
        }
    }
    let mut json = String::new();
    for n in rows {
        for figure in figures(n) {
            let Figure {
                case,
                ours,
                peer,
                unit,
                is_cost,
            } = figure;
            let ratio = if is_cost { peer / ours } else { ours / peer };
            println!("  {case:<34}{ours:>12.1}{peer:>12.1}  {unit:<24}{ratio:>8.2}");
            let comma = if json.is_empty() { "" } else { "," };
            let command = format!("cargo bench -p pelton-dimension --bench image -- --rows {n}");
            write!(
                json,
                "{comma}\n  {{\"case\": \"{case}\", \"n\": {n}, \"ours\": {ours:.2}, \"peer\": {peer:.2}, \
                 \"unit\": \"{unit}\", \"ratio\": {ratio:.3}, \"command\": \"{command}\"}}"
            )
            .expect("a string grows");
        }
    }
    if let Some(file) = file {
        std::fs::write(&file, format!("[{json}\n]\n")).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
}

fn figures(n: u64) -> Vec<Figure> {
    println!("{n} rows");
    let mut table = Table::new();
    let (plain, seconds) = build(&mut table, n, false);
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
    println!(
        "  {:<34}{:>12}{:>12}  {:<24}{:>8}",
        "", "ours", "peer", "", "ratio"
    );
    let memory = |case: &str, image: &Image| Figure {
        case: case.to_owned(),
        ours: image.bytes() as f64 / n as f64,
        peer: values,
        unit: "bytes a row, values",
        is_cost: true,
    };
    let mut figures = vec![
        memory("memory packed", &plain),
        Figure {
            case: "pack from columns".to_owned(),
            ours: n as f64 / seconds / 1e6,
            peer: 0.7,
            unit: "M rows/s, wanted",
            is_cost: false,
        },
    ];
    figures.extend(lookups("", &plain, n));
    drop(plain);
    let (symbols, _) = build(&mut Table::new(), n, true);
    figures.push(memory("memory with symbols", &symbols));
    figures.extend(lookups(" with symbols", &symbols, n));
    figures
}

/// An image of `n` rows, and the seconds that it took but for the making of values.
fn build(table: &mut Table, n: u64, symbols: bool) -> (Image, f64) {
    let mut seconds = 0.0;
    let mut timed = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        seconds += start.elapsed().as_secs_f64();
    };
    let shape = Shape {
        columns: table.fields(),
        key: vec![(table.data_type("id"), table.slot("id"))],
        duplicates: Duplicates::Error,
        symbols: match symbols {
            true => (0..4).map(|i| table.slot(&format!("name_{i}"))).collect(),
            false => Vec::new(),
        },
        groups: Groups::whole(),
    };
    let mut survey = Survey::new(shape);
    table.value_bytes = 0;
    for first in (0..n).step_by(BATCH) {
        let rows = table.fill(first, n);
        timed(&mut || survey.add(&table.columns, rows).expect("it is seen"));
    }
    let mut builder = None;
    let mut survey = Some(survey);
    let value_bytes = table.value_bytes;
    timed(&mut || builder = survey.take().map(|s| s.into_builder().expect("memory")));
    let mut builder = builder.expect("it was made");
    for first in (0..n).step_by(BATCH) {
        let rows = table.fill(first, n);
        timed(&mut || builder.add(&table.columns, rows).expect("it is packed"));
    }
    table.value_bytes = value_bytes;
    let mut builder = Some(builder);
    let mut image = None;
    timed(&mut || image = builder.take().map(|b| b.finish().expect("memory")));
    (image.expect("it was made"), seconds)
}

/// What a lookup needs beside the image.
struct Lookup<'a> {
    image: &'a Image,
    columns: Columns,
    key: Slot,
    slots: Vec<Slot>,
    encoder: KeyEncoder,
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
        let key = layout.add(Physical::I64);
        let id = image.columns()[0].data_type.clone();
        Lookup {
            image,
            columns: Columns::new(&layout, capacity).expect("memory"),
            key,
            slots: chosen.iter().map(|(_, slot)| *slot).collect(),
            encoder: KeyEncoder::new(&[(id, key)]),
            projection: Projection::new(image.columns(), &chosen),
        }
    }

    /// One after the other, each key known only when the last row was read.
    fn dependent(&mut self, n: u64) -> u64 {
        let mut key = Vec::new();
        let mut next = 1;
        for _ in 0..LOOKUPS {
            self.columns.clear();
            self.columns
                .set(self.key, 0, table::id(table::mix(next) % n));
            self.encoder
                .encode(&self.columns, 0, &mut key)
                .expect("memory");
            let row = self
                .image
                .find(0, &key)
                .expect("loaded")
                .next()
                .expect("it is there");
            row.read(&self.projection, &mut self.columns, 0)
                .expect("memory");
            next += 1 + (self.columns.get::<f64>(self.slots[1], 0).to_bits() & 1);
        }
        next
    }

    /// Thirty-two at once.
    fn together(&mut self, n: u64) -> u64 {
        let mut keys = Vec::new();
        let mut ends = [0; TOGETHER];
        let mut sum = 0;
        for first in (0..LOOKUPS).step_by(TOGETHER) {
            self.columns.clear();
            keys.clear();
            for i in 0..TOGETHER {
                let id = table::id(table::mix((first + i) as u64) % n);
                self.columns.set(self.key, i, id);
                self.encoder
                    .append(&self.columns, i, &mut keys)
                    .expect("memory");
                ends[i] = keys.len();
            }
            let key = |i: usize| &keys[if i == 0 { 0 } else { ends[i - 1] }..ends[i]];
            let probes: [Probe; TOGETHER] =
                std::array::from_fn(|i| self.image.probe(0, key(i)).expect("loaded"));
            probes.iter().for_each(|probe| self.image.approach(*probe));
            for (i, probe) in probes.iter().enumerate() {
                let rows = self.image.rows_of(*probe, key(i)).expect("loaded");
                let row = { rows }.next().expect("it is there");
                row.read(&self.projection, &mut self.columns, i)
                    .expect("memory");
            }
            sum += self.columns.get::<f64>(self.slots[1], 7).to_bits() & 1;
        }
        sum
    }
}

fn lookups(suffix: &str, image: &Image, n: u64) -> Vec<Figure> {
    let chase = Chase::new(n);
    let chased = nanos(&mut || chase.run(n));
    let mut one = Lookup::new(image, &READ, 1);
    let mut many = Lookup::new(image, &READ, TOGETHER);
    let dependent = nanos(&mut || one.dependent(n));
    let together = nanos(&mut || many.together(n));
    let mut figures = vec![
        Figure {
            case: format!("lookup n=1 dependent{suffix}"),
            ours: dependent,
            peer: chased,
            unit: "ns, two-miss chase",
            is_cost: true,
        },
        Figure {
            case: format!("lookup batch of 32{suffix}"),
            ours: 1e3 / together,
            peer: 15.0,
            unit: "M lookups/s, wanted",
            is_cost: false,
        },
    ];
    if suffix.is_empty() && n <= MOST_BOXED {
        let map = Boxed::new(n);
        let boxed = nanos(&mut || map.run(n));
        figures.push(Figure {
            case: "lookup n=1 beside a HashMap".to_owned(),
            ours: dependent,
            peer: boxed,
            unit: "ns, HashMap of boxed rows",
            is_cost: true,
        });
    }
    if !suffix.is_empty() {
        let mut name = Lookup::new(image, &["category_500", "amount", "name_0"], 1);
        let read = nanos(&mut || name.dependent(n));
        figures.push(Figure {
            case: format!("lookup n=1 of a name{suffix}"),
            ours: read,
            peer: chased,
            unit: "ns, two-miss chase",
            is_cost: true,
        });
    }
    figures
}

/// The median nanoseconds of a lookup.
fn nanos(run: &mut dyn FnMut() -> u64) -> f64 {
    let mut times: Vec<f64> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e9 / LOOKUPS as f64
        })
        .skip(1)
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

/// Two reads of memory, the second where the first one says: as few as a lookup can do. The same
/// keys as the lookups, huge pages too, and nothing to compare or decode.
struct Chase {
    /// As many lines of 64 bytes as the image's index and rows have.
    index: Lines,
    rows: Lines,
}

/// Memory in lines of 64 bytes, each beginning with a number.
struct Lines(MmapMut);

impl Lines {
    fn new(count: u64, number: impl Fn(u64) -> u64) -> Lines {
        let mut memory = MmapMut::map_anon(count as usize * LINE).expect("memory");
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        for (line, bytes) in memory.chunks_exact_mut(LINE).enumerate() {
            bytes[..8].copy_from_slice(&number(line as u64).to_le_bytes());
        }
        Lines(memory)
    }

    fn read(&self, line: u64) -> u64 {
        let (bytes, _) = self.0[line as usize * LINE..]
            .split_first_chunk()
            .expect("a line");
        u64::from_le_bytes(*bytes)
    }
}

impl Chase {
    fn new(n: u64) -> Chase {
        let (index, rows) = (n.div_ceil(10), n * 2);
        Chase {
            index: Lines::new(index, |line| table::mix(line) % rows),
            rows: Lines::new(rows, table::mix),
        }
    }

    fn run(&self, n: u64) -> u64 {
        let index = n.div_ceil(10);
        let mut next = 1;
        for _ in 0..LOOKUPS {
            let row = self.index.read(table::mix(next) % index);
            next += 1 + (self.rows.read(row) & 1);
        }
        next
    }
}

/// What one would write without an image.
struct Boxed(HashMap<i64, Box<table::Boxed>>);

impl Boxed {
    fn new(n: u64) -> Boxed {
        Boxed(
            (0..n)
                .map(|row| (table::id(row), Box::new(table::Boxed::new(row))))
                .collect(),
        )
    }

    fn run(&self, n: u64) -> u64 {
        let mut next = 1;
        let mut text = String::new();
        for _ in 0..LOOKUPS {
            let row = &self.0[&table::id(table::mix(next) % n)];
            text.clear();
            text.push_str(row.categories[2].as_deref().unwrap_or_default());
            black_box((&text, row.counts[0]));
            next += 1 + (row.doubles[0].unwrap_or_default().to_bits() & 1);
        }
        next
    }
}
