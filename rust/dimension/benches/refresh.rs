//! Load and refresh of a dimension from Parquet, as the subtasks of a process have them:
//! `cargo bench --bench refresh -- METADATA ROWS [FILE]`, over what `table METADATA ROWS` has
//! written. With a file the figures are also written there, as JSON: case, n, ours, peer, unit,
//! ratio, command.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pelton_data::columns::{Columns, Layout, Physical, Slot};
use pelton_data::key_group;
use pelton_data::report::Source;
use pelton_dimension::storage::Settings;
use pelton_dimension::{
    Cache, Claim, Definition, Groups, KeyColumns, Projection, Request, Snapshot,
};

mod figures;
#[allow(dead_code, reason = "shared with the program that writes the tables")]
mod tables;

use figures::Figure;

/// Rows a second of one core that are wanted.
const WANTED_ROWS: f64 = 0.7e6;
/// What is wanted of a record while a dimension is refreshed, in microseconds.
const WANTED_MICROS: f64 = 1000.0;
/// Loads of which the median counts.
const RUNS: usize = 3;
/// Rows that a load decodes at a time.
const BATCH: f64 = 1024.0;
/// Key groups of a sharded dimension.
const GROUPS: u32 = 128;
/// Records flow so long before the refresh.
const FLOW: Duration = Duration::from_secs(3);
/// No refresh takes longer.
const PATIENCE: Duration = Duration::from_secs(600);
/// One record in so many is timed.
const TIMED: u64 = 1000;
/// The columns that lookups read.
const READ: [&str; 3] = ["product", "balance", "visits"];

/// What records flow through.
const BEFORE: usize = 0;
const DURING: usize = 1;
const AFTER: usize = 2;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments = env::args().skip(1).filter(|a| !a.starts_with("--"));
    let arguments: Vec<String> = arguments.collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(()), // `cargo bench` of the whole workspace
        ["load", metadata, subtasks] => {
            println!("{}", Load::here(metadata, subtasks.parse()?)?.line());
            Ok(())
        }
        [metadata, rows] => report(metadata, rows.parse()?, None),
        [metadata, rows, file] => report(metadata, rows.parse()?, Some(file)),
        _ => Err("expected: METADATA ROWS [FILE]".into()),
    }
}

fn report(metadata: &str, rows: u64, file: Option<&str>) -> Result<()> {
    let mut figures = loads(metadata, rows)?;
    figures.extend(refresh(metadata, rows)?);
    Ok(figures::report(&figures, "make bench-dimension", file)?)
}

/// What a load took of a process of its own.
struct Load {
    rows: f64,
    image: f64,
    /// More memory than before, at the worst moment.
    peak: f64,
    /// Seconds of a processor.
    seconds: f64,
}

impl Load {
    /// Loads in this process.
    fn here(metadata: &str, subtasks: u32) -> Result<Load> {
        let (before, seconds) = (status("VmRSS")?, processor_seconds()?);
        let cache = Cache::new(Duration::ZERO);
        let claims = claims(&cache, metadata, subtasks)?;
        let snapshot = claims[0]
            .snapshot()
            .load_full()
            .ok_or("nothing is loaded")?;
        Ok(Load {
            rows: snapshot.rows() as f64,
            image: snapshot.bytes() as f64,
            peak: status("VmHWM")? - before,
            seconds: processor_seconds()? - seconds,
        })
    }

    /// The median of some loads.
    fn median(metadata: &str, subtasks: u32) -> Result<Load> {
        let runs = (0..RUNS).map(|_| Load::apart(metadata, subtasks));
        let mut runs = runs.collect::<Result<Vec<_>>>()?;
        runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        Ok(runs.swap_remove(RUNS / 2))
    }

    /// Loads in another process, whose memory nothing else has touched.
    fn apart(metadata: &str, subtasks: u32) -> Result<Load> {
        let mut command = Command::new(env::current_exe()?);
        let output = command
            .args(["load", metadata, &subtasks.to_string()])
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let numbers = text.split_whitespace().map(str::parse);
        let numbers = numbers.collect::<std::result::Result<Vec<f64>, _>>()?;
        let [rows, image, peak, seconds] = numbers[..] else {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        };
        Ok(Load {
            rows,
            image,
            peak,
            seconds,
        })
    }

    fn line(&self) -> String {
        let Load {
            rows,
            image,
            peak,
            seconds,
        } = self;
        format!("{rows} {image} {peak} {seconds}")
    }
}

fn loads(metadata: &str, n: u64) -> Result<Vec<Figure>> {
    let one = Load::median(metadata, 1)?;
    let four = Load::median(metadata, 4)?;
    let value_bytes = 200.0; // at most; see `tables`
    let wanted = one.image + row_group_bytes(metadata)? + BATCH * value_bytes;
    Ok(vec![
        Figure {
            case: "load, from Parquet / wanted".to_owned(),
            n,
            ours: one.rows / one.seconds,
            peer: WANTED_ROWS,
            unit: "rows/s a core",
            is_cost: false,
        },
        Figure {
            case: "load, peak / image, columns of a row group, one batch".to_owned(),
            n,
            ours: one.peak,
            peer: wanted,
            unit: "bytes",
            is_cost: true,
        },
        Figure {
            case: "load, peak of 4 subtasks in one process / of 1".to_owned(),
            n,
            ours: four.peak,
            peer: one.peak,
            unit: "bytes",
            is_cost: true,
        },
        Figure {
            case: "load, work of 4 subtasks in one process / of 1".to_owned(),
            n,
            ours: four.seconds,
            peer: one.seconds,
            unit: "s of processor",
            is_cost: true,
        },
    ])
}

/// The claims of subtasks that start together, each with its share of the keys, once they are
/// ready.
fn claims(cache: &Cache, metadata: &str, subtasks: u32) -> Result<Vec<Claim>> {
    let claim = |subtask| {
        let range = key_group::range(GROUPS, subtasks, subtask);
        let request = request(metadata, Groups::range(GROUPS, range))?;
        Ok(cache.claim(request, Instant::now()))
    };
    let claims = (0..subtasks).map(claim).collect::<Result<Vec<_>>>()?;
    for claim in &claims {
        while !claim.ready(Instant::now())? {
            cache.work(Instant::now());
        }
    }
    Ok(claims)
}

/// All columns of `by_id`, renewed whenever there is time.
fn request(metadata: &str, groups: Groups) -> Result<Request> {
    let path = Path::new(metadata).join("dimensions/by_id.toml");
    let source = Source::new(path.display().to_string(), fs::read_to_string(&path)?);
    let mut definition = Definition::parse(&source).map_err(|report| report.to_string())?;
    definition.policy.refresh = Duration::from_millis(1);
    let files = definition.columns.iter();
    let columns = files.filter(|column| !definition.partition.contains(column));
    Ok(Request {
        columns: columns.map(|column| column.name.clone()).collect(),
        definition,
        root: metadata.into(),
        settings: Settings::default(),
        groups,
    })
}

/// The compressed bytes of the largest row group, without the key that is not read.
fn row_group_bytes(metadata: &str) -> Result<f64> {
    let file = Path::new(metadata).join("measured/dt=2013-01-01/part-0.parquet");
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let groups = reader.metadata().row_groups().iter();
    let read = groups.map(|group| {
        let columns = group.columns().iter();
        let columns = columns.filter(|column| column.column_path().string() != "code");
        columns.map(|column| column.compressed_size()).sum::<i64>()
    });
    Ok(read.max().unwrap_or(0) as f64)
}

/// Records flow on all processors while a newer Hive partition is loaded and swapped in.
fn refresh(metadata: &str, rows: u64) -> Result<Vec<Figure>> {
    let cores = thread::available_parallelism()?.get();
    let cache = Cache::new(Duration::ZERO);
    let claim = claims(&cache, metadata, 1)?.remove(0);
    let phase = AtomicUsize::new(BEFORE);
    let (flows, seconds) = thread::scope(|scope| -> Result<_> {
        let flow = || Flow::new(&claim, rows).run(&phase);
        let flows: Vec<_> = (0..cores).map(|_| scope.spawn(flow)).collect();
        thread::sleep(FLOW);
        phase.store(DURING, Ordering::Relaxed);
        let seconds = swap(&cache, &claim, &Path::new(metadata).join("measured"));
        phase.store(AFTER, Ordering::Relaxed);
        let flows = flows
            .into_iter()
            .map(|flow| flow.join().map_err(|_| "a record failed"));
        Ok((flows.collect::<std::result::Result<Vec<_>, _>>()?, seconds?))
    })?;
    let records = |phase: usize| flows.iter().map(|flow| flow[phase].records).sum::<u64>() as f64;
    let before = records(BEFORE) / FLOW.as_secs_f64();
    let micros = flows.iter().flat_map(|flow| &flow[DURING].micros);
    let mut micros: Vec<f64> = micros.copied().collect();
    micros.sort_by(f64::total_cmp);
    let p99 = micros
        .get(micros.len() * 99 / 100)
        .ok_or("no record was timed")?;
    Ok(vec![
        Figure {
            case: "refresh, p99 of a record during load and swap / wanted".to_owned(),
            n: rows,
            ours: *p99,
            peer: WANTED_MICROS,
            unit: "us",
            is_cost: true,
        },
        Figure {
            case: "refresh, records during it / before, less one core".to_owned(),
            n: rows,
            ours: records(DURING) / seconds,
            peer: before * (cores as f64 - 1.0) / cores as f64,
            unit: "records/s",
            is_cost: false,
        },
    ])
}

/// Shows the newer Hive partition and works until lookups see it and the old image is freed;
/// returns the seconds that took.
fn swap(cache: &Cache, claim: &Claim, measured: &Path) -> Result<f64> {
    let (hidden, shown) = (
        measured.join(".dt=2013-01-02"),
        measured.join("dt=2013-01-02"),
    );
    let start = Instant::now();
    fs::rename(&hidden, &shown)?;
    let sees = |snapshot: &Snapshot| {
        snapshot
            .hive_partitions()
            .any(|name| name == "dt=2013-01-02")
    };
    while !claim.snapshot().load().as_deref().is_some_and(sees) {
        cache.work(Instant::now());
        if start.elapsed() > PATIENCE {
            return Err("the newer Hive partition was not loaded".into());
        }
    }
    cache.work(Instant::now());
    let seconds = start.elapsed().as_secs_f64();
    fs::rename(&shown, &hidden)?;
    Ok(seconds)
}

/// What records did while something went on.
#[derive(Default)]
struct Seen {
    records: u64,
    /// Of those that were timed.
    micros: Vec<f64>,
}

/// Records that look random keys up, one after the other, as a task does.
struct Flow<'a> {
    claim: &'a Claim,
    rows: u64,
    columns: Columns,
    id: Slot,
    key: KeyColumns,
    projection: Projection,
}

impl Flow<'_> {
    fn new(claim: &Claim, rows: u64) -> Flow<'_> {
        let fields = &claim.definition().columns;
        let mut layout = Layout::default();
        let id = layout.add(Physical::I64);
        let chosen = READ.map(|name| {
            let number = fields.iter().position(|field| field.name == name);
            let number = number.expect("a column of the table");
            (number, layout.add(Physical::of(&fields[number].data_type)))
        });
        Flow {
            claim,
            rows,
            columns: Columns::new(&layout, 1).expect("memory for a row"),
            id,
            key: KeyColumns::new([id]),
            projection: Projection::new(fields, &chosen),
        }
    }

    fn run(mut self, phase: &AtomicUsize) -> [Seen; 2] {
        let mut seen = [Seen::default(), Seen::default()];
        for record in 0.. {
            let now = phase.load(Ordering::Relaxed);
            if now == AFTER {
                break;
            }
            let row = tables::mix(record) % self.rows;
            if record % TIMED == 0 {
                let start = Instant::now();
                self.record(row);
                seen[now].micros.push(start.elapsed().as_secs_f64() * 1e6);
            } else {
                self.record(row);
            }
            seen[now].records += 1;
        }
        seen
    }

    fn record(&mut self, row: u64) {
        self.columns.clear();
        self.columns.set(self.id, 0, tables::id(row));
        let key = self.key.key(&self.columns, 0).expect("no NULL");
        let snapshot = self.claim.snapshot().load();
        let snapshot = snapshot.as_deref().expect("it was ready");
        let image = snapshot.image().expect("it is not stale");
        let hash = key_group::hash(&binary_row(tables::id(row)));
        let group = key_group::group(hash, image.max_parallelism());
        let mut found = image.find(group, &key).expect("it is loaded");
        let row = found.next().expect("every key is there");
        let read = row.read(&self.projection, &mut self.columns, 0);
        read.expect("memory for a row");
        black_box(&self.columns);
    }
}

/// A key of one BIGINT as Flink lays it out: header, value.
fn binary_row(id: i64) -> [u8; 16] {
    let mut row = [0; 16];
    row[8..].copy_from_slice(&id.to_le_bytes());
    row
}

/// A number of kB in /proc/self/status, in bytes.
fn status(name: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.ok_or("no such number")?.parse::<f64>()? * 1024.0)
}

/// Of all threads of this process.
fn processor_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, behind_name) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    let ticks = ticks
        .map(str::parse::<f64>)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0) // Linux counts in hundredths for programs
}
