//! A version at work: its generations follow its dimensions.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pelton_data::value::Value;
use pelton_decision::live::{LiveDecision, User};
use pelton_decision::{ErrorCode, OnError};
use pelton_dimension::Cache;
use pelton_dimension::cache::LINGER;
use pelton_dimension::storage::Settings;
use tempfile::TempDir;

use super::provenance::{DECISION, decide, metadata, partitions, text};

const MINUTE: Duration = Duration::from_secs(60);

/// Does all that is due, and lets records see it.
fn work(cache: &Cache, live: &LiveDecision, now: Instant) {
    while cache.work(now).next.is_some_and(|next| next <= now) {}
    live.refresh();
}

fn open(metadata: &TempDir, cache: &Cache, now: Instant) -> Arc<LiveDecision> {
    let uri = metadata.path().join("decisions/d");
    let live =
        LiveDecision::open(uri.to_str().unwrap(), 1, &Settings::default(), cache, now).unwrap();
    assert!(!live.ready(now).unwrap(), "nothing is loaded by an open");
    while cache.work(now).next.is_some_and(|next| next <= now) {}
    assert!(live.ready(now).unwrap());
    Arc::new(live)
}

/// A Hive partition of the planes, newer than all.
fn add(metadata: &TempDir, day: &str) {
    let planes = metadata.path().join("planes");
    let (from, to) = (
        planes.join("dt=2013-01-01"),
        planes.join(format!("dt={day}")),
    );
    fs::create_dir_all(&to).unwrap();
    for file in ["planes.parquet", "_SUCCESS"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

fn partitions_seen(live: &LiveDecision) -> Value {
    let generation = live.generation();
    decide(generation.as_ref().unwrap(), 5, OnError::Fail).remove(4)
}

#[test]
fn a_record_names_the_hive_partition_that_its_generation_has_taken() {
    let (metadata, cache, now) = (metadata(DECISION), Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    assert_eq!(partitions_seen(&live), partitions("2014-02-01"));
    let first = live.generation().as_ref().unwrap().clone();
    add(&metadata, "2014-03-01");
    work(&cache, &live, now + MINUTE);
    assert_eq!(partitions_seen(&live), partitions("2014-03-01"));
    let second = live.generation().as_ref().unwrap().clone();
    assert!(
        Arc::ptr_eq(&first.decision, &second.decision),
        "it is compiled once"
    );
    assert_eq!(second.number, first.number + 1);
    work(&cache, &live, now + 2 * MINUTE);
    assert!(
        Arc::ptr_eq(&second, live.generation().as_ref().unwrap()),
        "nothing has changed"
    );
}

#[test]
fn a_refresh_that_fails_leaves_the_rows_as_they_were() {
    let (metadata, cache, now) = (metadata(DECISION), Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    add(&metadata, "2014-03-01");
    let broken = metadata.path().join("planes/dt=2014-03-01/planes.parquet");
    fs::write(broken, "not Parquet").unwrap();
    work(&cache, &live, now + MINUTE);
    assert_eq!(partitions_seen(&live), partitions("2014-02-01"));
    let user = User::new(&live);
    let figures = user.figures(now + MINUTE)["planes"];
    assert_eq!(figures.values()[2..7], [60_000, 1_391_212_800_000, 1, 1, 0]);
}

#[test]
fn users_of_a_version_count_their_own_lookups_and_one_reports_the_image() {
    let (metadata, cache, now) = (metadata(DECISION), Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    let (first, second) = (User::new(&live), User::new(&live));
    let generation = live.generation();
    let generation = generation.as_ref().unwrap();
    let mut scratch = generation.scratch(1).unwrap();
    scratch.count_in(second.counts());
    // No tail number is a miss.
    generation.decide(&mut scratch, 1).unwrap_err();
    let figures = |user: &User| {
        *user.figures(now)["planes"]
            .values()
            .first_chunk::<11>()
            .unwrap()
    };
    let (first_figures, second_figures) = (figures(&first), figures(&second));
    assert_eq!(first_figures[0], 3322, "rows");
    assert_eq!(second_figures[..7], [0; 7]);
    assert_eq!(
        (&first_figures[7..9], &second_figures[7..9]),
        (&[0, 0][..], &[1, 1][..])
    );
    drop(first);
    assert_eq!(figures(&second)[0], 3322);
}

#[test]
fn a_dimension_that_is_not_there_is_an_error_of_the_open() {
    let (metadata, cache, now) = (metadata(DECISION), Cache::new(LINGER), Instant::now());
    let toml = metadata.path().join("dimensions/planes.toml");
    let definition = fs::read_to_string(&toml).unwrap();
    let definition = definition + "\ninitial = \"fail\"\n";
    fs::write(&toml, definition).unwrap();
    fs::remove_dir_all(metadata.path().join("planes")).unwrap();
    let uri = metadata.path().join("decisions/d");
    let live =
        LiveDecision::open(uri.to_str().unwrap(), 1, &Settings::default(), &cache, now).unwrap();
    cache.work(now);
    let error = live.ready(now).unwrap_err();
    assert_eq!(error.code, ErrorCode::DimensionUnavailable);
    assert!(
        error.message.starts_with("`d`: dimension `planes`: "),
        "{error}"
    );
}

/// `dt` is a column of the looked up row, and the map is of the generation: they must agree.
#[test]
fn a_record_is_decided_by_one_generation_while_generations_change() {
    let (metadata, cache, now) = (metadata(DECISION), Cache::new(LINGER), Instant::now());
    let live = open(&metadata, &cache, now);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut last = text("");
                    let mut changes = 0;
                    while !done.load(Ordering::Relaxed) {
                        let generation = live.generation();
                        let record = decide(generation.as_ref().unwrap(), 5, OnError::Fail);
                        let Value::Text(day) = &record[1] else {
                            panic!("no row: {record:?}");
                        };
                        assert_eq!(record[4], partitions(day));
                        changes += i32::from(record[1] != last);
                        last = record[1].clone();
                    }
                    changes
                })
            })
            .collect();
        for minute in 1..=20 {
            add(&metadata, &format!("2015-01-{minute:02}"));
            work(&cache, &live, now + minute * MINUTE);
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 1);
        }
    });
    assert_eq!(partitions_seen(&live), partitions("2015-01-20"));
}
