//! Lookups as of the record's time.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pelton_data::columns::{Literal, Timestamp};
use pelton_data::value::Value;
use pelton_decision::generation::Generation;
use pelton_decision::images::History;
use pelton_decision::live::{LiveDecision, User};
use pelton_decision::metadata::Metadata;
use pelton_decision::publish::publish;
use pelton_decision::{Error, Pin, Scratch};
use pelton_dimension::Cache;
use pelton_dimension::cache::LINGER;
use pelton_dimension::storage::Settings;
use tempfile::TempDir;

use super::flights::models;
use super::provenance::{home, text};

const DECISION: &str = r#"
name = "d"
input = "tailnum STRING, event_time TIMESTAMP(3)"
output = """
  CAST(plane.dt AS STRING) AS dt, pelton.partitions AS partitions
"""
[lookups.plane]
dimension = "planes"
key = ["tailnum"]
as_of = "event_time"
"#;

const DAY: i64 = 24 * 3_600_000;

/// The planes of some days of January 2013, by day, and the decision as version 1.
fn metadata(late: &str, days: &[i64]) -> TempDir {
    published(DECISION, &[("planes", late)], days)
}

/// The same planes as dimensions of several names, each with what it does with late records.
fn published(decision: &str, dimensions: &[(&str, &str)], days: &[i64]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let planes = models().join("metadata/dimensions/planes.toml");
    let planes = fs::read_to_string(planes).unwrap();
    fs::create_dir(root.path().join("dimensions")).unwrap();
    for (name, late) in dimensions {
        let as_of = format!("choice = \"as_of\"\nperiod = \"1 d\"\nkeep = 2\nlate = \"{late}\"\n");
        let file = root.path().join(format!("dimensions/{name}.toml"));
        fs::write(file, planes.clone() + &as_of).unwrap();
    }
    days.iter().for_each(|day| add(root.path(), *day));
    let draft = tempfile::tempdir().unwrap();
    fs::write(draft.path().join("decision.toml"), decision).unwrap();
    let metadata = Metadata::open(root.path().to_str().unwrap()).unwrap();
    publish(draft.path(), &metadata).unwrap();
    root
}

fn add(root: &Path, day: i64) {
    let from = models().join("metadata/planes/dt=2013-01-01");
    let to = root.join(format!("planes/dt=2013-01-{day:02}"));
    fs::create_dir_all(&to).unwrap();
    for file in ["planes.parquet", "_SUCCESS"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// What a record of the evening of a day of January comes to: its `dt` and `partitions`.
fn decide(
    generation: &Generation,
    scratch: &mut Scratch,
    days: &[i64],
) -> Result<Vec<Value>, Error> {
    let plan = &generation.decision.plan;
    scratch.columns.clear();
    for (row, day) in days.iter().enumerate() {
        let time = Timestamp {
            millis: (15_705 + day) * DAY + DAY - 1,
            nanos: 0,
        };
        let values = [Literal::text("N14228"), Literal::Timestamp(time)];
        for (column, value) in plan.input.iter().zip(values) {
            scratch
                .columns
                .put_literal(column.slot.unwrap(), row, &value)
                .unwrap();
        }
    }
    generation.decide(scratch, days.len())?;
    let rows = (0..days.len()).flat_map(|row| {
        let values = plan.output.iter();
        values.map(move |column| (column, row))
    });
    let value = |(column, row): (&pelton_decision::plan::NamedColumn, usize)| {
        Value::of(&scratch.columns, column.slot, row, &column.data_type).unwrap()
    };
    Ok(rows.map(value).collect())
}

fn seen(day: i64) -> [Value; 2] {
    let partition = text(&format!("dt=2013-01-{day:02}"));
    [
        text(&format!("2013-01-{day:02}")),
        Value::Map(vec![(text("plane"), partition)]),
    ]
}

fn nothing() -> [Value; 2] {
    [Value::Null, Value::Map(vec![(text("plane"), Value::Null)])]
}

fn open(metadata: &TempDir, cache: &Cache, now: Instant) -> Arc<LiveDecision> {
    let uri = metadata.path().join("decisions/d");
    let live =
        LiveDecision::open(uri.to_str().unwrap(), 1, &Settings::default(), cache, now).unwrap();
    work(cache, now);
    assert!(live.ready(now).unwrap());
    Arc::new(live)
}

/// Does all that is due.
fn work(cache: &Cache, now: Instant) {
    while cache.next(now).is_some_and(|next| next <= now) {
        cache.work(now);
    }
}

/// January 3 comes: the generation that has it, and the time.
fn third_day(
    metadata: &TempDir,
    cache: &Cache,
    live: &LiveDecision,
    now: Instant,
) -> (Arc<Generation>, Instant) {
    add(metadata.path(), 3);
    let now = now + Duration::from_secs(60);
    work(cache, now);
    live.refresh();
    let generation = live.generation().as_ref().unwrap().clone();
    (generation, now)
}

#[test]
fn each_row_names_the_hive_partition_that_it_has_seen() {
    let metadata = metadata("previous", &[1, 2, 3]);
    let (cache, now) = (Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    let generation = live.generation();
    let generation = generation.as_ref().unwrap();
    let mut scratch = generation.scratch(8).unwrap();
    // dt=2013-01-01 is not kept any more; the newest is late for what comes after the 4th.
    let rows = decide(generation, &mut scratch, &[2, 3, 3, 4, 7, 3]).unwrap();
    let expected = [nothing(), seen(2), seen(2), seen(3), seen(3), seen(2)];
    assert_eq!(rows, expected.concat());
    let user = User::new(&live);
    let mut alone = generation.scratch(1).unwrap();
    alone.count_in(user.counts());
    for (day, expected) in [(2, nothing()), (4, seen(3)), (7, seen(3)), (3, seen(2))] {
        assert_eq!(decide(generation, &mut alone, &[day]).unwrap(), expected);
    }
    let figures = user.figures(now)["planes"];
    assert_eq!(
        figures.values()[7..],
        [4, 1, 0, 1],
        "lookups, misses, misrouted, late"
    );
}

#[test]
fn a_record_waits_for_its_hive_partition_and_is_counted_once() {
    let metadata = metadata("wait", &[1, 2]);
    let (cache, now) = (Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    let user = User::new(&live);
    let first = live.generation().as_ref().unwrap().clone();
    let mut scratch = first.scratch(1).unwrap();
    scratch.count_in(user.counts());
    for _ in 0..3 {
        let error = decide(&first, &mut scratch, &[4]).unwrap_err();
        assert!(scratch.waits());
        assert!(
            error
                .message
                .contains("lookup `plane`: for 23 h of the record's time"),
            "{error}"
        );
    }
    let (second, now) = third_day(&metadata, &cache, &live, now);
    assert_eq!(decide(&second, &mut scratch, &[4]).unwrap(), seen(3));
    assert!(!scratch.waits());
    assert_eq!(user.figures(now)["planes"].values()[7..], [1, 0, 0, 1]);
}

/// Its record is decided from the first lookup on, each time: the one before that waits misses and is
/// late, the one behind it is not reached until all is there.
#[test]
fn what_stands_before_and_behind_a_lookup_that_waits_is_counted_once() {
    let decision = r#"
name = "d"
input = "tailnum STRING, event_time TIMESTAMP(3)"
output = "CAST(last.dt AS STRING) AS dt"
[lookups.first]
dimension = "firsts"
key = ["nobody"]
as_of = "event_time"
missing = "null"
[lookups.plane]
dimension = "planes"
key = ["after_first"]
as_of = "event_time"
[lookups.last]
dimension = "lasts"
key = ["after_plane"]
as_of = "event_time"
[features]
nobody = "'no ' || tailnum"
after_first = "COALESCE(first.manufacturer, tailnum)"
after_plane = "CASE WHEN plane.seats > 0 THEN tailnum ELSE 'none' END"
"#;
    let late = [
        ("firsts", "previous"),
        ("planes", "wait"),
        ("lasts", "wait"),
    ];
    let metadata = published(decision, &late, &[1, 2]);
    let (cache, now) = (Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    let user = User::new(&live);
    let first = live.generation().as_ref().unwrap().clone();
    let mut scratch = first.scratch(1).unwrap();
    scratch.count_in(user.counts());
    for _ in 0..3 {
        decide(&first, &mut scratch, &[4]).unwrap_err();
        assert!(scratch.waits());
    }
    let (second, now) = third_day(&metadata, &cache, &live, now);
    let decided = decide(&second, &mut scratch, &[4]).unwrap();
    assert_eq!(decided, [text("2013-01-03")]);
    let figures = user.figures(now);
    let counted = ["firsts", "planes", "lasts"].map(|name| figures[name].values()[7..].to_vec());
    // Lookups, misses, misrouted, late.
    assert_eq!(counted, [[1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 0]]);
    // The next record is another.
    decide(&second, &mut scratch, &[4]).unwrap();
    assert_eq!(user.figures(now)["firsts"].values()[7..], [2, 2, 0, 1]);
}

#[test]
fn offline_any_hive_partition_is_there_and_a_pin_decides_as_then() {
    let metadata = metadata("previous", &[1, 2, 3, 4]);
    let offline = Generation::open_home(&home(&metadata), None).unwrap();
    let mut scratch = offline.scratch(2).unwrap();
    assert_eq!(
        decide(&offline, &mut scratch, &[2, 5]).unwrap(),
        [seen(1), seen(4)].concat()
    );
    let history = History::new(&home(&metadata));
    for (pinned, expected) in [(Some("dt=2013-01-03"), seen(3)), (None, nothing())] {
        let pin = Pin {
            version: 1,
            partitions: [("plane".to_owned(), pinned.map(str::to_owned))].into(),
        };
        let (one, other) = (history.open(&pin).unwrap(), history.open(&pin).unwrap());
        assert!(Arc::ptr_eq(&one.decision, &other.decision));
        let mut scratch = one.scratch(1).unwrap();
        assert_eq!(decide(&one, &mut scratch, &[2]).unwrap(), expected);
    }
}
