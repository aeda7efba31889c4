//! TIME: milliseconds of the day, whatever its precision.

use std::io::Write;

use pelton_data::DataType;
use pelton_data::columns::Timestamp as At;

use super::super::ast::Unit;
use super::super::calendar::{DAY, nanos};
use super::super::program::Kernel;
use super::cast::unreadable;
use super::kernel::{map_text, map1, try_map1, write_text};

const HOUR: i32 = 3_600_000;
const MINUTE: i32 = 60_000;
const SECOND: i32 = 1000;

/// The kernel of `EXTRACT(unit FROM time)`; `None` for units longer than an hour.
pub(super) fn extract(unit: Unit) -> Option<Kernel> {
    let kernel: Kernel = match unit {
        Unit::Hour => |f, c| map1(f, c, |time: i32| i64::from(time / HOUR)),
        Unit::Minute => |f, c| map1(f, c, |time: i32| i64::from(time % HOUR / MINUTE)),
        Unit::Second => |f, c| map1(f, c, |time: i32| i64::from(time % MINUTE / SECOND)),
        Unit::Millisecond => |f, c| map1(f, c, |time: i32| i64::from(time % SECOND)),
        _ => return None,
    };
    Some(kernel)
}

/// The kernel of FLOOR or CEIL to a unit, and its parameter, the unit in milliseconds. The last
/// CEIL of a day is 24:00:00, as in Flink.
pub(super) fn round_to(unit: Unit, up: bool) -> Option<(Kernel, i64)> {
    let millis = match unit {
        Unit::Hour => HOUR,
        Unit::Minute => MINUTE,
        Unit::Second => SECOND,
        _ => return None,
    };
    let kernel: Kernel = match up {
        false => |f, c| try_map1(f, c, |time: i32, unit| Ok(time - time % unit as i32)),
        true => |f, c| {
            try_map1(f, c, |time: i32, unit| {
                let unit = unit as i32;
                Ok((time + unit - 1) / unit * unit)
            })
        },
    };
    Some((kernel, i64::from(millis)))
}

/// The kernel of a CAST between TIME and another type that is no string, and its parameter.
pub(super) fn conversion(from: &DataType, to: &DataType) -> Option<(Kernel, i64)> {
    use DataType::*;
    let kernel: Kernel = match (from, to) {
        (Time(_), Time(_)) => |f, c| try_map1(f, c, |time: i32, unit| Ok(cut(time, unit))),
        // Before 1970 it counts back from midnight, as in Flink.
        (Timestamp(_), Time(_)) => {
            |f, c| try_map1(f, c, |at: At, unit| Ok(cut((at.millis % DAY) as i32, unit)))
        }
        (TimestampLtz(_), Time(_)) => |f, c| {
            try_map1(f, c, |at: At, unit| {
                Ok(cut(at.millis.rem_euclid(DAY) as i32, unit))
            })
        },
        (Time(_), Timestamp(_) | TimestampLtz(_)) => |f, c| map1(f, c, on_first_day),
        _ => return None,
    };
    Some((kernel, shortest_step(to)))
}

fn on_first_day(time: i32) -> At {
    At {
        millis: time.into(),
        nanos: 0,
    }
}

/// What a TIME of a precision counts in, in milliseconds.
fn shortest_step(data_type: &DataType) -> i64 {
    match data_type {
        DataType::Time(precision @ 0..=2) => 10i64.pow(3 - u32::from(*precision)),
        _ => 1,
    }
}

fn cut(time: i32, unit: i64) -> i32 {
    time - time % unit as i32
}

/// `18:30:15.123`, as many digits as the parameter says.
pub(super) const WRITE: Kernel = |f, c| {
    write_text(f, c, |_, time: i32, precision, text| {
        let time = i64::from(time).rem_euclid(DAY) as i32;
        let (hour, minute) = (time / HOUR, time % HOUR / MINUTE);
        let second = time % MINUTE / SECOND;
        // Writing into a Vec cannot fail.
        let _ = write!(text, "{hour:02}:{minute:02}:{second:02}");
        if precision > 0 {
            let _ = write!(text, ".{:03}000000", time % SECOND);
            text.truncate(text.len() - (9 - precision as usize));
        }
        Ok(())
    })
};

/// The kernel that reads a TIME from text, and its parameter.
pub(super) fn read(to: &DataType) -> (Kernel, i64) {
    let kernel: Kernel = |f, c| {
        map_text(f, c, |text, unit| {
            let time = parse(text).ok_or_else(|| unreadable(text, "TIME"))?;
            Ok(cut(time, unit))
        })
    };
    (kernel, shortest_step(to))
}

/// `18`, `18:30`, `18:30:15.5`; digits behind milliseconds are dropped.
fn parse(text: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(text).ok()?;
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.splitn(3, ':').map(|part| {
        let part = part.trim_matches(|c: char| c <= ' ');
        let digits = part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<i32>().ok()).flatten()
    });
    let hour = parts.next()??;
    let minute = parts.next().unwrap_or(Some(0))?;
    let second = parts.next().unwrap_or(Some(0))?;
    let fraction = fraction.trim_matches(|c: char| c <= ' ');
    let known = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let in_range = hour < 24 && minute < 60 && second < 60;
    let seconds_given = clock.bytes().filter(|b| *b == b':').count() == 2;
    if !known || !in_range || text.contains('.') && !seconds_given {
        return None;
    }
    let millis = (nanos(fraction) / 1_000_000) as i32;
    Some(hour * HOUR + minute * MINUTE + second * SECOND + millis)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn times_are_read_and_written_as_in_flink() {
        let known = [
            ("TIME '18:30:15'", "TIME(0) 66615000"),
            ("TIME '18:30:15.12'", "TIME(2) 66615120"),
            ("CAST('18:30' AS TIME(0))", "TIME(0) 66600000"),
            ("CAST('1:2:3.9876' AS TIME(3))", "TIME(3) 3723987"),
            ("CAST('1:2:3.9876' AS TIME(1))", "TIME(1) 3723900"),
            ("CAST(TIME '01:02:03.9' AS STRING)", "STRING '01:02:03.9'"),
            ("CAST(TIME '01:02:03' AS STRING)", "STRING '01:02:03'"),
            ("CAST(t AS TIME(0))", "TIME(0) 66615000"),
            ("CAST(early AS TIME(0))", "TIME(0) 0"),
            (
                "CAST('24:00' AS TIME(0))",
                "error: '24:00' cannot be cast to TIME",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_has_hours_but_no_days() {
        assert_eq!(value("EXTRACT(MINUTE FROM TIME '18:30:15')"), "BIGINT 30");
        assert_eq!(value("FLOOR(TIME '18:30:15' TO HOUR)"), "TIME(0) 64800000");
        assert_eq!(value("CEIL(TIME '18:30:15' TO MINUTE)"), "TIME(0) 66660000");
        assert!(typed("EXTRACT(DAY FROM TIME '18:30:15')").is_err());
        assert!(typed("CAST(TIME '18:30:15' AS DATE)").is_err());
    }
}
