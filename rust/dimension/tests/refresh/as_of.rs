//! What a record sees that is decided as of its own time.

use pelton_dimension::definition::Choice;
use pelton_dimension::timeline::At;
use pelton_dimension::{Claim, Timeline};

use crate::planes::{Planes, seats_of, seconds, seen};

const AS_OF: &str = "choice = \"as_of\"\nperiod = \"1 d\"\navailable_after = \"2 h\"\nkeep = 3\n";
const HOUR: i64 = 3_600_000;

/// The hour of January 2013, in milliseconds since 1970.
fn at(day: i64, hour: i64) -> i64 {
    (15_705 + day) * 24 * HOUR + hour * HOUR
}

fn planes(late: &str) -> Planes {
    Planes::new(&format!("{AS_OF}late = \"{late}\""))
}

fn timeline(planes: &Planes, claim: &Claim) -> Timeline {
    let Choice::AsOf(as_of) = planes.definition().choice else {
        panic!("it is as of a time");
    };
    Timeline::of(&seen(claim), as_of)
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
    let timeline = timeline(&planes, &claim);
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
        let timeline = timeline(&planes, &claim);
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
    let timeline = timeline(&planes, &claim);
    assert_eq!(seats(&timeline, at(5, 2)), Ok(Some((4, false))));
    // The image of the 3rd is the same bytes.
    let Ok(At::Rows { image, .. }) = timeline.at(at(4, 2)) else {
        panic!("it is there");
    };
    assert!(std::ptr::eq(
        image,
        std::sync::Arc::as_ptr(before.image().unwrap())
    ));
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
