//! Who shares what with whom, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pelton_dimension::Groups;

use crate::planes::{Planes, lines, seats, seats_in, seconds, seen};

#[test]
fn users_of_one_dimension_share_its_image_and_one_reports() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let first = planes.open();
    let second = planes.open();
    assert!(Arc::ptr_eq(&seen(&first), &seen(&second)));
    assert!(first.report(planes.now).is_some());
    assert_eq!(second.report(planes.now), None);
    assert_eq!(first.report(planes.now).unwrap().refreshes.done, 1);
    drop(first);
    assert!(second.report(planes.now).is_some());
}

#[test]
fn claims_that_come_together_share_one_load() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claims: Vec<_> = (0..8).map(|_| planes.claim()).collect();
    assert_eq!(planes.work().len(), 1);
    for claim in &claims {
        assert!(claim.ready(planes.now).unwrap());
        assert!(Arc::ptr_eq(&seen(claim), &seen(&claims[0])));
    }
}

/// As the tasks of one job do that open one by one.
#[test]
fn claims_of_parts_that_come_one_by_one_share_one_load() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", (0..100).map(|id| (id, 100)));
    let mut claims = Vec::new();
    for part in 0..4 {
        claims.push(planes.claim_groups(Groups::range(128, 32 * part..32 * (part + 1))));
        assert_eq!(lines(&planes.work()), [""; 0], "more may come");
        planes.sleep(Duration::from_millis(20));
    }
    planes.sleep(Duration::from_millis(20));
    assert_eq!(planes.work().len(), 1);
    for claim in &claims {
        assert!(claim.ready(planes.now).unwrap());
    }
    assert_eq!(claims[0].report(planes.now).unwrap().rows, 100);
}

/// With few keys some key groups have all rows, and others none.
#[test]
fn other_key_groups_are_no_shrinking() {
    for first in [0..1, 1..2] {
        let mut planes = Planes::new("");
        planes.policy.max_shrink = Some(0.4);
        planes.write("2013-01-01", [(1, 100)]);
        let half = planes.claim_groups(Groups::range(2, first.clone()));
        planes.sleep(seconds(1));
        planes.work();
        assert!(half.ready(planes.now).unwrap());
        let whole = planes.claim_groups(Groups::range(2, 0..2));
        planes.sleep(seconds(1));
        assert_eq!(planes.work().len(), 1);
        assert!(whole.ready(planes.now).unwrap(), "{first:?} first");
        assert_eq!(half.report(planes.now).unwrap().rows, 1);
        drop(whole);
        planes.write("2013-01-02", [(1, 200)]);
        planes.sleep(seconds(60));
        let events = lines(&planes.work());
        assert!(events[0].contains("loaded dt=2013-01-02"), "{events:?}");
    }
}

#[test]
fn the_budget_is_for_all_key_groups_together() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", (0..50_000).map(|id| (id, id as i32)));
    let load = |planes: &mut Planes, groups| {
        let claim = planes.claim_groups(groups);
        planes.sleep(seconds(1));
        let events = lines(&planes.work());
        (claim, events)
    };
    let (half, _) = load(&mut planes, Groups::range(2, 0..1));
    let bytes = half.report(planes.now).unwrap().bytes;
    drop(half);
    let mut planes = Planes::new(&format!("budget = \"{} B\"", bytes * 3 / 2));
    planes.write("2013-01-01", (0..50_000).map(|id| (id, id as i32)));
    let (half, events) = load(&mut planes, Groups::range(2, 0..1));
    assert!(events[0].contains("loaded"), "{events:?}");
    let (other, events) = load(&mut planes, Groups::range(2, 1..2));
    let expected = format!("beside the {bytes} of other key groups");
    assert!(events[0].contains(&expected), "{events:?}");
    assert_eq!(half.report(planes.now).unwrap().bytes, bytes);
    // What nobody claims any more makes room, as after a restart of the job with other subtasks.
    drop(half);
    planes.sleep(seconds(60));
    let events = lines(&planes.work());
    assert!(events[0].contains("loaded"), "{events:?}");
    assert!(other.report(planes.now).unwrap().bytes < bytes * 3 / 2);
}

/// Of a store that is gone each attempt may take longer than the time until the next one.
#[test]
fn a_dimension_that_cannot_be_opened_does_not_keep_others_from_their_refresh() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    let gone = Planes::new("");
    let _waiting = planes
        .cache
        .claim(gone.request(Groups::whole()), planes.now);
    planes.cache.work(planes.now);
    planes.write("2013-01-02", [(1, 200)]);
    planes.sleep(seconds(60));
    for _ in 0..3 {
        planes.cache.work(planes.now);
        planes.sleep(seconds(20));
    }
    assert_eq!(seats(&claim, 1), Some(200));
    drop(claim);
    let mut events = Vec::new();
    for _ in 0..5 {
        events.extend(planes.cache.work(planes.now).events);
        planes.sleep(seconds(20));
    }
    let dropped = "dimension `planes`: dropped, since nobody uses it".to_owned();
    assert!(lines(&events).contains(&dropped), "{events:?}");
}

#[test]
fn who_comes_later_sees_what_is_there_when_it_comes() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let first = planes.open();
    planes.write("2013-01-02", [(1, 200)]);
    let second = planes.claim();
    assert!(!second.ready(planes.now).unwrap());
    planes.work();
    assert!(second.ready(planes.now).unwrap());
    assert_eq!(
        (seats(&first, 1), seats(&second, 1)),
        (Some(200), Some(200))
    );
}

#[test]
fn who_comes_later_begins_though_the_files_are_gone() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let _first = planes.open();
    std::fs::remove_dir_all(planes.directory("2013-01-01")).unwrap();
    let second = planes.open();
    assert_eq!(seats(&second, 1), Some(100));
}

#[test]
fn an_unused_image_lingers_a_minute() {
    let mut planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    let image = Arc::downgrade(seen(&claim).image().unwrap());
    drop(claim);
    planes.work();
    planes.sleep(seconds(59));
    planes.work();
    let again = planes.open();
    assert!(std::ptr::eq(
        image.as_ptr(),
        Arc::as_ptr(seen(&again).image().unwrap())
    ));
    drop(again);
    planes.work();
    planes.sleep(seconds(60));
    assert_eq!(
        lines(&planes.work()),
        ["dimension `planes`: dropped, since nobody uses it"]
    );
    assert_eq!(image.strong_count(), 0);
    assert!(planes.cache.is_empty());
}

#[test]
fn what_nobody_uses_can_be_given_back_at_once() {
    let planes = Planes::new("");
    planes.write("2013-01-01", [(1, 100)]);
    let claim = planes.open();
    planes.cache.clear();
    assert_eq!(seats(&claim, 1), Some(100), "it is used");
    drop(claim);
    planes.cache.clear();
    assert!(planes.cache.is_empty());
}

/// Each Hive partition holds one number in all its rows: a reader that sees two of them in one
/// snapshot has seen half of a refresh.
#[test]
fn readers_see_whole_images_while_refreshes_swap_them() {
    let mut planes = Planes::new("");
    let write = |planes: &Planes, seats| planes.write("2013-01-01", (0..500).map(|id| (id, seats)));
    write(&planes, 0);
    let claim = planes.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut seen_values) = (0, 0);
                    while !done.load(Ordering::Relaxed) {
                        let snapshot = seen(&claim);
                        let first = seats_in(&snapshot, 0).unwrap();
                        assert!(first >= last, "rows go back in time");
                        seen_values += i32::from(first > last);
                        last = first;
                        for id in (0..500).step_by(50) {
                            assert_eq!(seats_in(&snapshot, id), Some(first));
                        }
                    }
                    seen_values
                })
            })
            .collect();
        for seats in 1..=50 {
            write(&planes, seats);
            planes.now += seconds(60);
            planes.work();
        }
        done.store(true, Ordering::Relaxed);
        let swaps: i32 = readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .sum();
        assert!(swaps > 0);
    });
    assert_eq!(seats(&claim, 499), Some(50));
}
