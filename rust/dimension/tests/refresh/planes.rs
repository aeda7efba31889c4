//! A dimension `planes` whose rows a test writes, and a clock that a test moves.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use pelton_data::columns::{Columns, Layout, Literal, Physical};
use pelton_data::report::Source;
use pelton_dimension::cache::{LINGER, Round};
use pelton_dimension::storage::Settings;
use pelton_dimension::{
    Cache, Claim, Definition, Event, Groups, Image, KeyColumns, Policy, Projection, Request,
    Snapshot, Timeline,
};

/// The dimension's files, the cache under test and its time.
pub struct Planes {
    root: tempfile::TempDir,
    lines: String,
    pub cache: Cache,
    pub policy: Policy,
    pub now: Instant,
}

impl Planes {
    /// Without any Hive partition; `lines` are added to the definition.
    pub fn new(lines: &str) -> Planes {
        Planes {
            root: tempfile::tempdir().unwrap(),
            lines: lines.to_owned(),
            cache: Cache::new(LINGER),
            policy: Policy::default(),
            now: Instant::now(),
        }
    }

    /// Who writes its files.
    pub fn writer(&self) -> Writer {
        Writer {
            planes: self.root.path().join("planes"),
        }
    }

    pub fn directory(&self, day: &str) -> PathBuf {
        self.writer().directory(day)
    }

    /// Writes a whole Hive partition, in place of the one that is there: keys and their seats.
    pub fn write(&self, day: &str, rows: impl IntoIterator<Item = (i64, i32)>) {
        self.writer().write(day, rows);
    }

    /// Writes a file that is none of Parquet.
    pub fn break_file(&self, day: &str) {
        fs::create_dir_all(self.directory(day)).unwrap();
        fs::write(self.directory(day).join("part-0.parquet"), "not Parquet").unwrap();
        fs::write(self.directory(day).join("_SUCCESS"), "").unwrap();
    }

    pub fn definition(&self) -> Definition {
        let text = format!(
            "path = \"planes\"\nformat = \"parquet\"\npartition = \"dt DATE\"\n\
             columns = \"id BIGINT, seats INT\"\nkey = [\"id\"]\n{}\n",
            self.lines
        );
        let definition = Definition::parse(&Source::new("planes.toml", text)).unwrap();
        let policy = self.policy.clone();
        Definition {
            policy,
            ..definition
        }
    }

    pub fn request(&self, groups: Groups) -> Request {
        Request {
            definition: self.definition(),
            root: self.root.path().to_owned(),
            settings: Settings::default(),
            columns: vec!["seats".to_owned()],
            groups,
        }
    }

    pub fn claim_groups(&self, groups: Groups) -> Claim {
        self.cache.claim(self.request(groups), self.now)
    }

    pub fn claim(&self) -> Claim {
        self.claim_groups(Groups::whole())
    }

    /// Every Hive partition, loaded when it is asked for.
    pub fn on_demand(&self) -> Timeline {
        let root = self.root.path().to_owned();
        let columns = vec!["seats".to_owned()];
        let timeline = Timeline::on_demand(&self.definition(), root, columns);
        timeline.unwrap().expect("it is as of a time")
    }

    /// A claim whose images are loaded.
    pub fn open(&self) -> Claim {
        let claim = self.claim();
        self.work();
        assert!(claim.ready(self.now).unwrap());
        claim
    }

    pub fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    /// Does all that is due, and says what happened.
    pub fn work(&self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let Round { events: more, next } = self.cache.work(self.now);
            events.extend(more);
            if next.is_none_or(|next| next > self.now) {
                return events;
            }
        }
    }
}

/// Writes files of the dimension.
pub struct Writer {
    planes: PathBuf,
}

impl Writer {
    pub fn directory(&self, day: &str) -> PathBuf {
        self.planes.join(format!("dt={day}"))
    }

    /// Writes a whole Hive partition, in place of the one that is there: keys and their seats.
    pub fn write(&self, day: &str, rows: impl IntoIterator<Item = (i64, i32)>) {
        let directory = self.directory(day);
        fs::create_dir_all(&directory).unwrap();
        let (keys, seats): (Vec<i64>, Vec<i32>) = rows.into_iter().unzip();
        let columns: [(&str, ArrayRef); 2] = [
            ("id", Arc::new(Int64Array::from(keys))),
            ("seats", Arc::new(Int32Array::from(seats))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let written = directory.join(".part-0.parquet");
        let mut writer =
            ArrowWriter::try_new(File::create(&written).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        fs::rename(written, directory.join("part-0.parquet")).unwrap();
        fs::write(directory.join("_SUCCESS"), "").unwrap();
    }
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What lookups of a claim see.
pub fn seen(claim: &Claim) -> Arc<Snapshot> {
    claim.snapshot().load_full().expect("loaded")
}

/// The seats of a key.
pub fn seats(claim: &Claim, id: i64) -> Option<i32> {
    seats_in(&seen(claim), id)
}

pub fn seats_in(snapshot: &Snapshot, id: i64) -> Option<i32> {
    seats_of(snapshot.image().unwrap(), id)
}

pub fn seats_of(image: &Image, id: i64) -> Option<i32> {
    let mut layout = Layout::default();
    let (key, value) = (layout.add(Physical::I64), layout.add(Physical::I32));
    let mut columns = Columns::new(&layout, 1).unwrap();
    columns.put_literal(key, 0, &Literal::I64(id)).unwrap();
    let key_columns = KeyColumns::new([key]);
    let looked_up = key_columns.key(&columns, 0).unwrap();
    let row = image.find(0, &looked_up).unwrap().next()?;
    let projection = Projection::new(image.columns(), &[(0, value)]);
    row.read(&projection, &mut columns, 0).unwrap();
    columns.value(value, 0)
}

/// The lines of a log.
pub fn lines(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::to_string).collect()
}
