//! What lookups see while files come, go, change and fail.

use std::fs;
use std::sync::Arc;

use pelton_dimension::event::What;
use pelton_dimension::refresh::Refreshes;
use pelton_dimension::{Error, Initial};

use crate::planes::{Planes, lines, seats, seats_in, seconds, seen};

#[test]
fn a_newer_hive_partition_is_seen_after_the_next_refresh() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    assert_eq!(seats(&claim, 1), Some(100));
    planes.write("2013-01-02", [(1, 200), (2, 300)]);
    assert_eq!(lines(&planes.work()), [""; 0], "not due");
    planes.sleep(seconds(60));
    let events = lines(&planes.work());
    assert!(
        events[0].starts_with("dimension `planes`: loaded dt=2013-01-02: 2 rows in "),
        "{events:?}"
    );
    assert_eq!((seats(&claim, 1), seats(&claim, 2)), (Some(200), Some(300)));
}

#[test]
fn what_has_not_changed_is_not_loaded_again() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    let before = seen(&claim);
    planes.sleep(seconds(60));
    assert!(planes.work().is_empty());
    assert!(Arc::ptr_eq(&before, &seen(&claim)));
    let status = claim.report(planes.now).unwrap();
    assert_eq!((status.rows, status.age), (1, seconds(0)));
    assert_eq!(status.epoch, 15_706 * 86_400_000);
    assert!(status.bytes > 0);
}

#[test]
fn a_hive_partition_overwritten_in_place_is_loaded_again() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    planes.write("2013-01-01", [(1, 101), (2, 7)]);
    planes.sleep(seconds(60));
    assert_eq!(planes.work().len(), 1);
    assert_eq!(seats(&claim, 1), Some(101));
}

#[test]
fn a_refresh_that_fails_ten_times_keeps_the_rows_and_then_works() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    planes.break_file("2013-01-02");
    for failed in 1..=10 {
        planes.sleep(seconds(60));
        let events = planes.work();
        assert!(
            matches!(&events[..], [e] if matches!(e.what, What::Failed(_))),
            "{events:?}"
        );
        assert_eq!(seats(&claim, 1), Some(100));
        let status = claim.report(planes.now).unwrap();
        assert_eq!(status.refreshes.failed, failed);
        assert_eq!(status.age, seconds(60 * failed));
    }
    planes.write("2013-01-02", [(1, 200)]);
    planes.sleep(seconds(60));
    planes.work();
    assert_eq!(seats(&claim, 1), Some(200));
    let status = claim.report(planes.now).unwrap();
    let expected = Refreshes {
        done: 2,
        failed: 10,
        refused: 0,
    };
    assert_eq!((status.refreshes, status.age), (expected, seconds(0)));
}

#[test]
fn lookups_fail_when_rows_are_older_than_max_staleness_until_a_refresh_works() {
    let mut planes = Planes::new("");
    planes.policy.max_staleness = Some(seconds(150));
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    planes.break_file("2013-01-02");
    for _ in 0..2 {
        planes.sleep(seconds(60));
        planes.work();
    }
    assert_eq!(seats(&claim, 1), Some(100), "120 s old");
    planes.sleep(seconds(30));
    let events = lines(&planes.work());
    assert!(
        events[0].starts_with(
            "dimension `planes`: lookups fail: its rows were last known to be current 2 min ago"
        ),
        "{events:?}"
    );
    let error = seen(&claim).image().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`max_staleness` allows (2 min): cannot read"),
        "{error}"
    );
    planes.sleep(seconds(30));
    fs::remove_dir_all(planes.directory("2013-01-02")).unwrap();
    assert_eq!(
        lines(&planes.work()),
        ["dimension `planes`: lookups go on: what is loaded is what is there"]
    );
    assert_eq!(
        seats(&claim, 1),
        Some(100),
        "what is there is what was there"
    );
    let image = Arc::downgrade(seen(&claim).image().unwrap());
    planes.write("2013-01-02", [(1, 200)]);
    planes.sleep(seconds(60));
    planes.work();
    assert_eq!(seats(&claim, 1), Some(200));
    assert_eq!(image.strong_count(), 0, "it is freed as any other");
    assert_eq!(claim.report(planes.now).unwrap().refreshes.done, 2);
}

#[test]
fn rows_that_nobody_uses_are_not_too_old() {
    let mut planes = Planes::new("");
    planes.policy.max_staleness = Some(seconds(10));
    planes.write("2013-01-01", [(1, 100)]);
    drop(planes.open());
    planes.work();
    planes.sleep(seconds(59));
    assert_eq!(lines(&planes.work()), [""; 0]);
}

/// The first attempt may take hours.
#[test]
fn that_rows_are_too_old_is_seen_while_a_load_goes_on() {
    let mut planes = Planes::new("");
    planes.policy.max_staleness = Some(seconds(150));
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    assert_eq!(planes.cache.expire(planes.now + seconds(149)), []);
    let events = lines(&planes.cache.expire(planes.now + seconds(150)));
    assert!(events[0].contains("no listing since"), "{events:?}");
    assert!(seen(&claim).image().is_err());
    planes.sleep(seconds(151));
    let events = lines(&planes.work());
    assert_eq!(
        events,
        ["dimension `planes`: lookups go on: what is loaded is what is there"]
    );
    assert_eq!(seats(&claim, 1), Some(100));
}

#[test]
fn a_hive_partition_that_has_lost_its_rows_is_refused() {
    let mut planes = Planes::new("");
    planes.policy.max_shrink = Some(0.5);
    planes.write("2013-01-01", (0..100).map(|id| (id, 100)));
    let claim = planes.open();
    planes.write("2013-01-02", (0..49).map(|id| (id, 200)));
    planes.sleep(seconds(60));
    let events = planes.work();
    assert!(
        matches!(&events[..], [e] if matches!(e.what, What::Refused(_))),
        "{events:?}"
    );
    let expected = "dimension `planes`: refused: dt=2013-01-02 has 49 rows, dt=2013-01-01 had 100: \
                    more than `max_shrink = 50 %` are gone";
    assert_eq!(lines(&events), [expected]);
    assert_eq!(seats(&claim, 7), Some(100));
    assert_eq!(claim.report(planes.now).unwrap().refreshes.refused, 1);
    planes.write("2013-01-02", (0..50).map(|id| (id, 200)));
    planes.sleep(seconds(60));
    planes.work();
    assert_eq!(seats(&claim, 7), Some(200));
}

#[test]
fn an_emptied_hive_partition_is_refused_by_min_rows() {
    let mut planes = Planes::new("min_rows = 1");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    planes.write("2013-01-02", []);
    planes.sleep(seconds(60));
    let events = planes.work();
    assert!(
        matches!(&events[..], [e] if matches!(e.what, What::Refused(_))),
        "{events:?}"
    );
    assert_eq!(seats(&claim, 1), Some(100));
}

#[test]
fn an_old_image_lives_as_long_as_a_lookup_reads_it_and_is_freed_by_the_worker() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    let reading = seen(&claim);
    let image = Arc::downgrade(reading.image().unwrap());
    planes.write("2013-01-02", [(1, 200)]);
    planes.sleep(seconds(60));
    planes.work();
    assert_eq!(seats(&claim, 1), Some(200));
    assert_eq!(seats_in(&reading, 1), Some(100));
    drop(reading);
    assert_eq!(image.strong_count(), 1, "a record's thread frees no image");
    planes.work();
    assert_eq!(image.strong_count(), 0);
}

#[test]
fn a_first_load_is_waited_for_as_long_as_initial_says() {
    let mut planes = Planes::new("");
    planes.policy.initial = Initial::Wait(seconds(600));
    let (patient, late) = (planes.claim(), planes.claim());
    planes.work();
    assert!(!patient.ready(planes.now).unwrap());
    planes.sleep(seconds(599));
    planes.work();
    assert!(!patient.ready(planes.now).unwrap());
    planes.sleep(seconds(1));
    planes.work();
    let error = late.ready(planes.now).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("waited 10 min, as `initial` says"),
        "{error}"
    );
    planes.write("2013-01-01", [(1, 100)]);
    planes.sleep(seconds(2));
    planes.work();
    assert!(patient.ready(planes.now).unwrap(), "it came after all");
}

#[test]
fn without_waiting_a_first_load_that_fails_is_an_error_at_once() {
    let mut planes = Planes::new("");
    planes.policy.initial = Initial::Fail;
    let claim = planes.claim();
    assert!(!claim.ready(planes.now).unwrap(), "nobody has looked yet");
    planes.work();
    let error = claim.ready(planes.now).unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
}

#[test]
fn a_first_hive_partition_with_too_few_rows_is_waited_for() {
    let mut planes = Planes::new("min_rows = 1");
    planes.write("2013-01-01", []);
    let claim = planes.claim();
    assert!(matches!(planes.work()[0].what, What::Refused(_)));
    assert!(!claim.ready(planes.now).unwrap());
    planes.write("2013-01-01", [(1, 100)]);
    planes.sleep(seconds(2));
    planes.work();
    assert!(claim.ready(planes.now).unwrap());
}

#[test]
fn a_first_load_beyond_the_budget_is_not_waited_for() {
    let planes = Planes::new("budget = \"1 B\"");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.claim();
    planes.work();
    let error = claim.ready(planes.now).unwrap_err();
    assert!(
        error.to_string().contains("takes more than `budget`"),
        "{error}"
    );
}

#[test]
fn what_no_time_can_mend_is_not_waited_for() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    fs::create_dir_all(planes.directory("yesterday")).unwrap();
    let claim = planes.claim();
    planes.work();
    let error = claim.ready(planes.now).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}
