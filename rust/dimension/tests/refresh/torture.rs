//! Very many Hive partitions, and files that never rest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use pelton_data::calendar;
use pelton_dimension::event::What;

use crate::planes::{Planes, seats, seconds, seen};

/// The day with this number, from 2010-01-01 on.
fn day(number: i64) -> String {
    let (year, month, day) = calendar::date(calendar::days(2010, 1, 1) + number);
    format!("{year:04}-{month:02}-{day:02}")
}

#[test]
fn a_thousand_hive_partitions_are_one_table_that_grows() {
    let mut planes = Planes::new("choice = \"all\"");
    for number in 0..1000 {
        planes.write(&day(number), [(number, number as i32), (number + 5000, 7)]);
    }
    let claim = planes.open();
    assert_eq!(seen(&claim).rows(), 2000);
    for number in [0, 1, 499, 999] {
        assert_eq!(seats(&claim, number), Some(number as i32));
        assert_eq!(seats(&claim, number + 5000), Some(7));
    }
    assert_eq!(seats(&claim, 1000), None);
    planes.write(&day(1000), [(1000, 1000)]);
    fs::remove_dir_all(planes.directory(&day(0))).unwrap();
    planes.sleep(seconds(60));
    assert_eq!(planes.work().len(), 1);
    assert_eq!((seats(&claim, 0), seats(&claim, 1000)), (None, Some(1000)));
    assert_eq!(seen(&claim).rows(), 1999);
}

#[test]
fn of_a_thousand_hive_partitions_the_newest_is_loaded() {
    let planes = Planes::new("");
    for number in 0..1000 {
        planes.write(&day(number), [(1, number as i32)]);
    }
    assert_eq!(seats(&planes.open(), 1), Some(999));
}

/// A writer that ignores that files are read: it puts others in their place all the time, and takes
/// them away.
#[test]
fn files_that_change_while_they_are_read_are_read_again_and_never_half() {
    let mut planes = Planes::new("");
    let rows = |seats| (0..2000).map(move |id| (id, seats));
    planes.write("2013-01-01", rows(0));
    let claim = planes.open();
    let done = AtomicBool::new(false);
    let (mut changed, mut failed) = (0, 0);
    let writer = planes.writer();
    thread::scope(|scope| {
        scope.spawn(|| {
            for seats in 1.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                writer.write("2013-01-01", rows(seats));
                if seats % 3 == 0 {
                    fs::remove_file(writer.directory("2013-01-01").join("part-0.parquet")).unwrap();
                }
            }
        });
        for _ in 0..2000 {
            planes.sleep(seconds(60));
            for event in planes.work() {
                match event.what {
                    What::ChangedMeanwhile(_) => changed += 1,
                    What::Failed(_) => failed += 1,
                    _ => {}
                }
            }
            let snapshot = seen(&claim);
            let image = snapshot.image().unwrap();
            if image.rows() > 0 {
                let first = crate::planes::seats_of(image, 0);
                for id in (0..2000).step_by(199) {
                    assert_eq!(crate::planes::seats_of(image, id), first);
                }
            }
            // Three loads in a row that meet changes are a failure.
            if changed > 2 && failed > 0 {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(
        changed > 2 && failed > 0,
        "{changed} changes, {failed} failures"
    );
    planes.write("2013-01-01", rows(-1));
    planes.sleep(seconds(60));
    planes.work();
    assert_eq!(seats(&claim, 1999), Some(-1));
}
