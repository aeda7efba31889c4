//! What a record sees that is decided as of its own time.

use std::sync::Arc;

use pelton_data::binary_row::{RowReader, RowWriter};
use pelton_data::columns::{Columns, Layout, Literal, Physical, Slot, Timestamp};
use pelton_data::type_parser::parse_columns;
use pelton_data::{DataType, Field};
use pelton_dimension::lookup::{Lookup, LookupError};
use pelton_dimension::timeline::At;
use pelton_dimension::{Claim, Definition, Timeline, View};

use crate::planes::{Planes, lines, seats_of, seconds, seen};

const AS_OF: &str = "choice = \"as_of\"\nperiod = \"1 d\"\navailable_after = \"2 h\"\nkeep = 3\n";
const HOUR: i64 = 3_600_000;

/// The hour of January 2013, in milliseconds since 1970.
fn at(day: i64, hour: i64) -> i64 {
    (15_705 + day) * 24 * HOUR + hour * HOUR
}

fn fields(columns: &str) -> Vec<Field> {
    let columns = parse_columns(columns).unwrap();
    columns.into_iter().map(|(field, _)| field).collect()
}

fn planes(late: &str) -> Planes {
    Planes::new(&format!("{AS_OF}late = \"{late}\""))
}

fn timeline(claim: &Claim) -> Arc<Timeline> {
    match seen(claim).view() {
        Ok(View::AsOf(timeline)) => timeline.clone(),
        other => panic!("it is as of a time: {other:?}"),
    }
}

/// The seats of plane 1 as of a time, and whether it is late.
fn seats(timeline: &Timeline, time: i64) -> Result<Option<(i32, bool)>, String> {
    match timeline.at(time) {
        Ok(At::Rows { image, late, .. }) => Ok(Some((seats_of(image, 1).unwrap(), late))),
        Ok(At::Older) => Ok(None),
        Ok(At::NotYet(error)) => Err(format!("wait: {error}")),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_record_sees_the_newest_hive_partition_that_was_there_at_its_time() {
    let planes = planes("previous");
    for day in 1..=4 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
    }
    let claim = planes.open();
    let timeline = timeline(&claim);
    // dt=2013-01-02 covers the 2nd, and is there from 2:00 of the 3rd; dt=2013-01-01 is not kept.
    for (time, expected) in [
        (at(3, 1), None),
        (at(3, 2) - 1, None),
        (at(3, 2), Some((2, false))),
        (at(4, 2) - 1, Some((2, false))),
        (at(4, 2), Some((3, false))),
        (at(5, 2), Some((4, false))),
        (at(6, 2) - 1, Some((4, false))),
        (at(6, 2), Some((4, true))),
        (i64::MIN, None),
        (i64::MAX, Some((4, true))),
    ] {
        assert_eq!(seats(&timeline, time), Ok(expected), "{time}");
    }
}

#[test]
fn a_late_hive_partition_is_waited_for_or_an_error_and_a_gap_is_not_waited_for() {
    for (late, expected) in [("wait", "wait: for 0 s"), ("fail", "for 0 s")] {
        let planes = planes(late);
        for day in [1, 3] {
            planes.write(&format!("2013-01-0{day}"), [(1, day)]);
        }
        let claim = planes.open();
        let timeline = timeline(&claim);
        assert_eq!(seats(&timeline, at(5, 2) - 1), Ok(Some((3, false))));
        let error = seats(&timeline, at(5, 2)).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        assert!(
            error.contains("than dt=2013-01-03 should be there"),
            "{error}"
        );
        let in_gap = seats(&timeline, at(3, 2));
        match late {
            "wait" => assert_eq!(in_gap, Ok(Some((1, true)))),
            _ => assert!(
                in_gap
                    .unwrap_err()
                    .contains("than dt=2013-01-01 should be there")
            ),
        }
    }
}

#[test]
fn a_refresh_adds_what_is_new_and_keeps_the_images_of_what_is_not() {
    let mut planes = planes("wait");
    for day in 1..=3 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
    }
    let claim = planes.open();
    let before = seen(&claim);
    planes.write("2013-01-04", [(1, 4)]);
    planes.sleep(seconds(60));
    assert_eq!(planes.work().len(), 1);
    let after = seen(&claim);
    let names: Vec<&str> = after.hive_partitions().collect();
    assert_eq!(names, ["dt=2013-01-02", "dt=2013-01-03", "dt=2013-01-04"]);
    let timeline = timeline(&claim);
    assert_eq!(seats(&timeline, at(5, 2)), Ok(Some((4, false))));
    // The image of the 3rd is the same bytes.
    let Ok(At::Rows { image, .. }) = timeline.at(at(4, 2)) else {
        panic!("it is there");
    };
    assert!(std::ptr::eq(image, Arc::as_ptr(before.image().unwrap())));
}

#[test]
fn images_are_freed_when_they_are_no_longer_kept_and_all_with_the_job() {
    let mut planes = planes("wait");
    for day in 1..=3 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
    }
    let claim = planes.open();
    let newest = || Arc::downgrade(seen(&claim).image().unwrap());
    let mut images = vec![newest()];
    for day in 4..=8 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
        planes.sleep(seconds(60));
        assert_eq!(planes.work().len(), 1);
        images.push(newest());
        let held = images.iter().filter(|image| image.strong_count() > 0);
        assert_eq!(held.count(), images.len().min(3), "dt=2013-01-0{day}");
    }
    drop(claim);
    planes.work();
    planes.sleep(seconds(60));
    planes.work();
    assert!(images.iter().all(|image| image.strong_count() == 0));
    assert!(planes.cache.is_empty());
}

#[test]
fn every_hive_partition_that_is_new_or_rewritten_is_compared_with_the_one_before() {
    let refused = |rewritten: &[(&str, i64)]| {
        let mut planes = planes("wait");
        planes.policy.max_shrink = Some(0.5);
        let rows = |count: i64| (0..count).map(|id| (id, 1));
        for day in 1..=3 {
            planes.write(&format!("2013-01-0{day}"), rows(100));
        }
        let _claim = planes.open();
        for (day, count) in rewritten {
            planes.write(day, rows(*count));
        }
        planes.sleep(seconds(60));
        lines(&planes.work()).remove(0)
    };
    let gone = "more than `max_shrink = 50 %` are gone";
    assert_eq!(
        refused(&[("2013-01-02", 49)]),
        format!(
            "dimension `planes`: refused: dt=2013-01-02 has 49 rows, dt=2013-01-02 had 100: {gone}"
        )
    );
    assert_eq!(
        refused(&[("2013-01-04", 0), ("2013-01-05", 100)]),
        format!(
            "dimension `planes`: refused: dt=2013-01-04 has 0 rows, dt=2013-01-03 had 100: {gone}"
        )
    );
    assert_eq!(
        refused(&[("2013-01-04", 300), ("2013-01-05", 100)]),
        format!(
            "dimension `planes`: refused: dt=2013-01-05 has 100 rows, dt=2013-01-04 had 300: {gone}"
        )
    );
    let loaded = refused(&[("2013-01-05", 300), ("2013-01-04", 90)]);
    assert!(
        loaded.contains("loaded dt=2013-01-03, dt=2013-01-04"),
        "{loaded}"
    );
    let loaded = refused(&[("2013-01-02", 50), ("2013-01-04", 200), ("2013-01-05", 100)]);
    assert!(
        loaded.contains("loaded dt=2013-01-03, dt=2013-01-04, dt=2013-01-05"),
        "{loaded}"
    );
}

#[test]
fn a_hive_partition_that_comes_late_is_compared_with_the_one_before_it() {
    let mut planes = planes("wait");
    planes.policy.max_shrink = Some(0.5);
    let rows = |count: i64| (0..count).map(|id| (id, 1));
    for (day, count) in [(2, 10), (4, 300)] {
        planes.write(&format!("2013-01-0{day}"), rows(count));
    }
    let _claim = planes.open();
    let mut load = |day: i64, count| {
        planes.write(&format!("2013-01-0{day}"), rows(count));
        planes.sleep(seconds(60));
        lines(&planes.work()).remove(0)
    };
    let refused = load(3, 4);
    assert!(
        refused.contains("dt=2013-01-03 has 4 rows, dt=2013-01-02 had 10"),
        "{refused}"
    );
    let loaded = load(3, 6);
    assert!(
        loaded.contains("loaded dt=2013-01-02, dt=2013-01-03, dt=2013-01-04"),
        "{loaded}"
    );
}

#[test]
fn without_a_job_any_hive_partition_is_loaded_when_it_is_asked_for() {
    let planes = planes("previous");
    for day in 1..=6 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
    }
    planes.break_file("2013-01-04");
    let timeline = planes.on_demand();
    assert_eq!(seats(&timeline, at(2, 2)), Ok(Some((1, false))));
    assert_eq!(seats(&timeline, at(7, 2)), Ok(Some((6, false))));
    let error = seats(&timeline, at(5, 2)).unwrap_err();
    assert!(error.contains("dt=2013-01-04"), "{error}");
}

#[test]
fn a_lookup_join_reads_the_time_beside_the_key() {
    let planes = planes("wait");
    for day in 1..=3 {
        planes.write(&format!("2013-01-0{day}"), [(1, day)]);
    }
    let claim = planes.open();
    let snapshot = seen(&claim);
    let mut table = Table::new(&planes.definition());
    let mut find = |id, time| table.find(snapshot.view().unwrap(), id, time);
    assert_eq!(find(Some(1), Some(at(3, 2))).unwrap(), (Some(2), false));
    assert_eq!(find(Some(1), Some(at(5, 1))).unwrap(), (Some(3), false));
    assert_eq!(
        find(Some(2), Some(at(3, 2))).unwrap(),
        (None, false),
        "another key"
    );
    assert_eq!(
        find(Some(1), Some(at(1, 0))).unwrap(),
        (None, false),
        "older"
    );
    assert_eq!(find(Some(1), None).unwrap(), (None, false), "a NULL time");
    assert_eq!(
        find(None, Some(at(5, 2))).unwrap(),
        (None, false),
        "a NULL key"
    );
    let late = find(Some(1), Some(at(5, 2))).unwrap_err();
    assert!(matches!(late, LookupError::NotYet(_)), "{late}");
}

#[test]
fn a_lookup_join_that_is_late_is_told_so() {
    for late in ["previous", "fail"] {
        let planes = planes(late);
        planes.write("2013-01-01", [(1, 1)]);
        let claim = planes.open();
        let mut table = Table::new(&planes.definition());
        let found = table.find(seen(&claim).view().unwrap(), Some(1), Some(at(3, 2)));
        match late {
            "previous" => assert_eq!(found.unwrap(), (Some(1), true)),
            _ => assert!(matches!(found, Err(LookupError::NotThere(_))), "{found:?}"),
        }
    }
}

/// A table of Flink that compares the time and the key, and has the columns `seats` and `as_of`.
struct Table {
    lookup: Lookup,
    slots: Vec<Slot>,
    columns: Columns,
    writer: RowWriter,
    reader: RowReader,
}

impl Table {
    fn new(definition: &Definition) -> Table {
        let given = fields("as_of TIMESTAMP(3), id BIGINT");
        let output = fields("seats INT, as_of TIMESTAMP(3)");
        let mut layout = Layout::default();
        let mut place = |fields: &[Field]| -> Vec<(DataType, Slot)> {
            let types = fields.iter().map(|field| field.data_type.clone());
            let placed = types.map(|t| (t.clone(), layout.add(Physical::of(&t))));
            placed.collect()
        };
        let (asked, found) = (place(&given), place(&output));
        let numbered = found.iter().enumerate();
        let read: Vec<_> = numbered
            .map(|(i, (t, slot))| (i, t.clone(), *slot))
            .collect();
        Table {
            lookup: Lookup::new(definition, &given, &output, None).unwrap(),
            slots: asked.iter().chain(&found).map(|(_, slot)| *slot).collect(),
            columns: Columns::new(&layout, 1).unwrap(),
            writer: RowWriter::new(&asked),
            reader: RowReader::new(&read, read.len()),
        }
    }

    /// The seats of a key as of a time, and whether they are late.
    fn find(
        &mut self,
        view: View<'_>,
        id: Option<i64>,
        time: Option<i64>,
    ) -> Result<(Option<i32>, bool), LookupError> {
        let [time_slot, id_slot, seats, as_of] = self.slots[..] else {
            panic!("two columns each");
        };
        let time = time.map_or(Literal::Null, |millis| {
            Literal::Timestamp(Timestamp { millis, nanos: 0 })
        });
        let id = id.map_or(Literal::Null, Literal::I64);
        self.columns.put_literal(time_slot, 0, &time).unwrap();
        self.columns.put_literal(id_slot, 0, &id).unwrap();
        let mut key = Vec::new();
        self.writer
            .write_to_vec(&self.columns, 0, &mut key)
            .unwrap();
        let mut out = [0; 64];
        let found = self.lookup.find(view, &key, &mut out)?;
        if found.bytes == 0 {
            return Ok((None, found.late));
        }
        self.reader
            .read(&out[8..found.bytes], &mut self.columns, 0)
            .unwrap();
        assert_eq!(self.columns.literal(as_of, 0), time, "what was asked for");
        Ok((self.columns.value(seats, 0), found.late))
    }
}
