//! Dates and times: EXTRACT and its short forms, FLOOR and CEIL to a unit, casts to and from text.
//!
//! Results are Flink's to the day and the second, where it is odd too: before 1970 the time of day
//! counts back from midnight (`EXTRACT(HOUR ...)` is negative), and a day that has begun belongs
//! to the next one in EXTRACT and in roundings to more than a day; roundings read days before
//! 1582-10-15 by the Julian calendar; a DATE's time of day is taken from its number of days.

use std::io::Write;

use pelton_data::DataType;
use pelton_data::columns::Timestamp;
use pelton_data::report::Diagnostic;

use super::super::ast::{UNITS, Unit};
use super::super::calendar::{DAY, date, days, days_of_month, is_date, nanos};
use super::super::program::Kernel;
use super::super::typing::{Node, Typed};
use super::cast::unreadable;
use super::kernel::{map_text, map1, try_map1, write_text};
use super::{Args, Function, function, time};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "EXTRACT",
        "EXTRACT(unit FROM date or timestamp)",
        extract_from,
    ),
    function("YEAR", "YEAR(date or timestamp)", |args| {
        short(args, Unit::Year)
    }),
    function("QUARTER", "QUARTER(date or timestamp)", |args| {
        short(args, Unit::Quarter)
    }),
    function("MONTH", "MONTH(date or timestamp)", |args| {
        short(args, Unit::Month)
    }),
    function("WEEK", "WEEK(date or timestamp)", |args| {
        short(args, Unit::Week)
    }),
    function("DAYOFYEAR", "DAYOFYEAR(date or timestamp)", |args| {
        short(args, Unit::Doy)
    }),
    function("DAYOFMONTH", "DAYOFMONTH(date or timestamp)", |args| {
        short(args, Unit::Day)
    }),
    function("DAYOFWEEK", "DAYOFWEEK(date or timestamp)", |args| {
        short(args, Unit::Dow)
    }),
    function("HOUR", "HOUR(timestamp)", |args| short(args, Unit::Hour)),
    function("MINUTE", "MINUTE(timestamp)", |args| {
        short(args, Unit::Minute)
    }),
    function("SECOND", "SECOND(timestamp)", |args| {
        short(args, Unit::Second)
    }),
];

fn extract_from(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    match args.values[0].node {
        Node::Unit(unit) => {
            args.values.remove(0);
            short(args, unit)
        }
        _ => Err(args.mismatch()),
    }
}

/// `EXTRACT(unit FROM value)`; a unit is chosen when the decision is compiled.
fn short(args: Args<'_>, unit: Unit) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let [value] = args.exactly()?;
    let kernel = match value.data_type {
        DataType::Date => extract_date(unit),
        DataType::Timestamp(_) | DataType::TimestampLtz(_) => Some(extract_timestamp(unit)),
        DataType::Time(_) => time::extract(unit),
        _ => return Err(mismatch),
    };
    let Some(kernel) = kernel else {
        let (unit, from) = (unit.name(), &value.data_type);
        let message = format!("{unit} cannot be extracted from a {from}");
        return Err(Diagnostic::at(span, message).help("Flink refuses it as well"));
    };
    Ok(Typed::call(DataType::BigInt, span, kernel, vec![value]))
}

macro_rules! by_unit {
    ($unit:expr, $map:expr, { $($name:ident),* }) => {
        match $unit {
            $(Unit::$name => |f, c| map1(f, c, |value| $map(Unit::$name, value)),)*
        }
    };
}

fn extract_timestamp(unit: Unit) -> Kernel {
    by_unit!(unit, of_timestamp, {
        Millennium, Century, Decade, Year, Quarter, Month, Week, Day, Doy, Dow, IsoDow, IsoYear,
        Hour, Minute, Second, Epoch, Millisecond, Microsecond, Nanosecond
    })
}

fn extract_date(unit: Unit) -> Option<Kernel> {
    if matches!(unit, Unit::Microsecond | Unit::Nanosecond) {
        return None;
    }
    Some(by_unit!(unit, of_date, {
        Millennium, Century, Decade, Year, Quarter, Month, Week, Day, Doy, Dow, IsoDow, IsoYear,
        Hour, Minute, Second, Epoch, Millisecond, Microsecond, Nanosecond
    }))
}

#[inline(always)]
fn of_timestamp(unit: Unit, value: Timestamp) -> i64 {
    let Timestamp { millis, nanos } = value;
    match unit {
        Unit::Epoch => millis / 1000,
        Unit::Microsecond => millis % 1000 * 1000 + i64::from(nanos) / 1000,
        Unit::Nanosecond => millis % 1000 * 1_000_000 + i64::from(nanos),
        _ => of_time(unit, millis).unwrap_or_else(|| of_days(unit, millis / DAY)),
    }
}

#[inline(always)]
fn of_date(unit: Unit, value: i32) -> i64 {
    let value = i64::from(value);
    match unit {
        Unit::Epoch => value * 86_400,
        _ => of_time(unit, value).unwrap_or_else(|| of_days(unit, value)),
    }
}

/// Units of the time of day.
#[inline(always)]
fn of_time(unit: Unit, millis: i64) -> Option<i64> {
    Some(match unit {
        Unit::Hour => millis % DAY / 3_600_000,
        Unit::Minute => millis % 3_600_000 / 60_000,
        Unit::Second => millis % 60_000 / 1000,
        Unit::Millisecond => millis % 1000,
        _ => return None,
    })
}

/// Units of a day, by its number since 1970-01-01.
fn of_days(unit: Unit, number: i64) -> i64 {
    let (year, month, day) = date(number);
    let away_from_zero = |years: i64| (year + (years - 1) * year.signum().max(0)) / years;
    match unit {
        Unit::Millennium => away_from_zero(1000),
        Unit::Century => away_from_zero(100),
        Unit::Decade => year / 10,
        Unit::Year => year,
        Unit::Quarter => (month + 2) / 3,
        Unit::Month => month,
        Unit::Day => day,
        Unit::Doy => number - days(year, 1, 1) + 1,
        Unit::Dow => (number + 4).rem_euclid(7) + 1,
        Unit::IsoDow => (number + 3).rem_euclid(7) + 1,
        Unit::Week => (thursday(number) - days(iso_year(number), 1, 1)) / 7 + 1,
        Unit::IsoYear => iso_year(number),
        Unit::Epoch
        | Unit::Hour
        | Unit::Minute
        | Unit::Second
        | Unit::Millisecond
        | Unit::Microsecond
        | Unit::Nanosecond => unreachable!("units of the time of day"),
    }
}

/// The Thursday of a day's ISO week: it decides which year the week belongs to.
fn thursday(number: i64) -> i64 {
    number - (number + 3).rem_euclid(7) + 3
}

fn iso_year(number: i64) -> i64 {
    date(thursday(number)).0
}

/// `FLOOR(value TO unit)` and `CEIL(value TO unit)`, called from the numeric functions.
pub(super) fn round_to(args: Args<'_>, up: bool) -> Result<Typed, Diagnostic> {
    let mismatch = args.mismatch();
    let [value, Typed { node, .. }] =
        <[Typed; 2]>::try_from(args.values).map_err(|_| mismatch.clone())?;
    let Node::Unit(unit) = node else {
        return Err(mismatch);
    };
    let rounded = matches!(
        unit,
        Unit::Millennium
            | Unit::Century
            | Unit::Decade
            | Unit::Year
            | Unit::Quarter
            | Unit::Month
            | Unit::Week
            | Unit::Day
            | Unit::Hour
            | Unit::Minute
            | Unit::Second
            | Unit::Millisecond
    );
    if !rounded {
        let message = format!("{} does not round to {}", args.name, unit.name());
        return Err(Diagnostic::at(args.span, message).help("Flink fails on it as well"));
    }
    if let (DataType::Time(_), Some((kernel, parameter))) =
        (&value.data_type, time::round_to(unit, up))
    {
        let call = Typed::call(value.data_type.clone(), args.span, kernel, vec![value]);
        return Ok(call.with_parameter(parameter));
    }
    let kernel: Kernel = match (&value.data_type, up) {
        (DataType::Timestamp(_) | DataType::TimestampLtz(_), false) => |f, c| {
            try_map1(f, c, |value, unit| {
                Ok(round_timestamp(value, numbered(unit), false))
            })
        },
        (DataType::Timestamp(_) | DataType::TimestampLtz(_), true) => |f, c| {
            try_map1(f, c, |value, unit| {
                Ok(round_timestamp(value, numbered(unit), true))
            })
        },
        (DataType::Date, false) => |f, c| {
            try_map1(f, c, |value, unit| {
                Ok(round_date(value, numbered(unit), false))
            })
        },
        (DataType::Date, true) => |f, c| {
            try_map1(f, c, |value, unit| {
                Ok(round_date(value, numbered(unit), true))
            })
        },
        _ => return Err(mismatch),
    };
    let call = Typed::call(value.data_type.clone(), args.span, kernel, vec![value]);
    Ok(call.with_parameter(unit as i64))
}

/// The unit that stands in a call's parameter.
fn numbered(parameter: i64) -> Unit {
    UNITS[parameter as usize].1
}

fn round_timestamp(value: Timestamp, unit: Unit, up: bool) -> Timestamp {
    let Timestamp { millis, nanos } = value;
    let millis = match unit {
        Unit::Millisecond => millis + i64::from(up && nanos > 0),
        Unit::Second => round(millis, 1000, up),
        Unit::Minute => round(millis, 60_000, up),
        Unit::Hour => round(millis, 3_600_000, up),
        Unit::Day => round(millis, DAY, up),
        _ => round_days(millis / DAY, unit, up) * DAY,
    };
    Timestamp { millis, nanos: 0 }
}

fn round_date(value: i32, unit: Unit, up: bool) -> i32 {
    match unit {
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond => value,
        _ => round_days(i64::from(value), unit, up) as i32,
    }
}

fn round(value: i64, unit: i64, up: bool) -> i64 {
    let floor = value.div_euclid(unit) * unit;
    floor + if up && floor < value { unit } else { 0 }
}

/// A day rounded to units of a day or more. The next larger one is not always the nearest: a DAY
/// goes up by one always, a QUARTER goes up from its first day on, unless it is January the 1st.
fn round_days(number: i64, unit: Unit, up: bool) -> i64 {
    let (mut year, mut month, day) = mixed_date(number);
    let mut quarter = (month + 2) / 3;
    let at_year_start = month == 1 && day == 1;
    match unit {
        Unit::Millennium => days((year + 999) / 1000 * 1000 + if up { 1 } else { -999 }, 1, 1),
        Unit::Century => days((year + 99) / 100 * 100 + if up { 1 } else { -99 }, 1, 1),
        Unit::Decade => days(year / 10 * 10 + if up { 10 } else { 0 }, 1, 1),
        Unit::Year => {
            year += i64::from(up && !at_year_start);
            days(year, 1, 1)
        }
        Unit::Quarter => {
            quarter += i64::from(up && !at_year_start);
            days(year, quarter * 3 - 2, 1)
        }
        Unit::Month => {
            month += i64::from(up && day > 1);
            days(year, month, 1)
        }
        Unit::Week => {
            let since_sunday = (number + 4).rem_euclid(7);
            let back = if up && since_sunday > 0 {
                since_sunday - 7
            } else {
                since_sunday
            };
            days(year, month, day) - back
        }
        _ => days(year, month, day) + i64::from(up),
    }
}

/// The date of a day as Flink's roundings read it: Gregorian from 1582-10-15 on, Julian before.
fn mixed_date(number: i64) -> (i64, i64, i64) {
    const GREGORIAN: i64 = -141_427;
    if number >= GREGORIAN {
        return date(number);
    }
    // Days since 1 March of the Julian year -4800.
    let shifted = number + 2_440_588 + 32_082;
    let years = (4 * shifted + 3) / 1461;
    let of_year = shifted - 1461 * years / 4;
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (over, month) = if month < 10 {
        (0, month + 3)
    } else {
        (1, month - 9)
    };
    (years - 4800 + over, month, day)
}

/// A timestamp cut to a lower precision, the parameter. As in Flink the fraction's digits are
/// counted without leading zeros, so that 0.000000001 stays as it is; before 1970 it is cut
/// towards 1970.
pub(super) const TRUNCATE: Kernel = |frame, call| {
    try_map1(frame, call, |value: Timestamp, precision| {
        let Timestamp { millis, nanos } = value;
        let of_second = millis.rem_euclid(1000) * 1_000_000 + i64::from(nanos);
        let digits = of_second.checked_ilog10().unwrap_or(0) + 1;
        if i64::from(digits) <= precision {
            return Ok(value);
        }
        let cut =
            |value: i64, places: i64| value / 10i64.pow(places as u32) * 10i64.pow(places as u32);
        Ok(match precision <= 3 {
            true => Timestamp {
                millis: cut(millis, 3 - precision),
                nanos: 0,
            },
            false => Timestamp {
                millis,
                nanos: cut(i64::from(nanos), 9 - precision) as i32,
            },
        })
    })
};

/// The day of a timestamp; before 1970 that of the next midnight, as in Flink.
pub(super) const TO_DATE: Kernel =
    |frame, call| map1(frame, call, |value: Timestamp| (value.millis / DAY) as i32);

/// The day of a point in time in UTC.
pub(super) const LOCAL_TO_DATE: Kernel = |frame, call| {
    map1(frame, call, |value: Timestamp| {
        value.millis.div_euclid(DAY) as i32
    })
};

/// The midnight that a day begins with.
pub(super) const TO_TIMESTAMP: Kernel = |frame, call| {
    map1(frame, call, |value: i32| Timestamp {
        millis: i64::from(value) * DAY,
        nanos: 0,
    })
};

/// `2013-12-24`
pub(super) const WRITE_DATE: Kernel = |frame, call| {
    write_text(frame, call, |_, value: i32, _, text| {
        write_date(text, i64::from(value));
        Ok(())
    })
};

/// `2013-12-24 18:30:15.123`, as many digits as the parameter says.
pub(super) const WRITE_TIMESTAMP: Kernel = |frame, call| {
    write_text(frame, call, |_, value: Timestamp, precision, text| {
        write_date(text, value.millis.div_euclid(DAY));
        let second = value.millis.rem_euclid(DAY) / 1000;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Writing into a Vec cannot fail.
        let _ = write!(text, " {hour:02}:{minute:02}:{second:02}");
        if precision > 0 {
            let nanos = value.millis.rem_euclid(1000) * 1_000_000 + i64::from(value.nanos);
            let _ = write!(text, ".{nanos:09}");
            text.truncate(text.len() - (9 - precision as usize));
        }
        Ok(())
    })
};

/// Years have four digits: of 10000 the last four, as in Flink.
fn write_date(text: &mut Vec<u8>, number: i64) {
    let (year, month, day) = date(number);
    let year = year.rem_euclid(10_000);
    let _ = write!(text, "{year:04}-{month:02}-{day:02}");
}

/// A date as Flink reads it: `2013`, `2013-1`, `2013-01-31`, anything behind a blank ignored.
pub(super) const READ_DATE: Kernel = |frame, call| {
    map_text(frame, call, |text, _| {
        parse_date(text).ok_or_else(|| unreadable(text, "DATE"))
    })
};

pub(super) fn parse_date(bytes: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = match text.find(' ') {
        Some(blank) if blank > 0 => &text[..blank],
        _ => text,
    };
    let mut parts = text.splitn(3, '-').map(|part| {
        let part = part.trim_matches(|c: char| c <= ' ');
        let digits = part.len() <= 10 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let year = parts.next()??;
    let month = parts.next().unwrap_or(Some(1))?;
    let day = parts.next().unwrap_or(Some(1))?;
    is_date(year, month, day).then(|| days(year, month, day) as i32)
}

/// A timestamp as Flink reads it: `2013-01-31`, `2013-1-31 1:2:3.5`; digits beyond the precision,
/// the parameter, are cut off.
pub(super) const READ_TIMESTAMP: Kernel = |frame, call| {
    map_text(frame, call, |text, precision| {
        parse_timestamp(text, precision, false).ok_or_else(|| unreadable(text, "TIMESTAMP"))
    })
};

/// The same to milliseconds, as TO_TIMESTAMP reads it: a day up to 31 that a month does not have
/// is its last, and 24:00:00 is the next midnight.
pub(super) const READ_SMARTLY: Kernel = |frame, call| {
    map_text(frame, call, |text, _| {
        parse_timestamp(text, 3, true).ok_or_else(|| unreadable(text, "TIMESTAMP"))
    })
};

pub(super) fn parse_timestamp(text: &[u8], precision: i64, smart: bool) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, time) = text.split_once(' ').unwrap_or((text, "0:0:0"));
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4..=4)?;
    let (month, day) = (number(parts.next()?, 1..=2)?, number(parts.next()?, 1..=2)?);
    let day = match smart && (1..=12).contains(&month) && day <= 31 {
        true => day.min(days_of_month(year, month)),
        false => day,
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = time.split(':');
    let mut next = || number(clock.next()?, 1..=2);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let whole = parts.next().is_none() && clock.next().is_none();
    let midnight = smart && (hour, minute, second) == (24, 0, 0) && nanos(fraction) == 0;
    let is_time = midnight || hour < 24 && minute < 60 && second < 60;
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    // Java's pattern counts years of the era: there is no year 0.
    if !whole || !is_time || !is_fraction || year == 0 || !is_date(year, month, day) {
        return None;
    }
    let unit = 10i64.pow(9 - precision as u32);
    let nanos = nanos(fraction) / unit * unit;
    let second = (hour * 60 + minute) * 60 + second;
    Some(Timestamp {
        millis: days(year, month, day) * DAY + second * 1000 + nanos / 1_000_000,
        nanos: (nanos % 1_000_000) as i32,
    })
}

/// A number of digits only, as many as `length` allows.
fn number(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let digits = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn fields_of_a_timestamp() {
        let known = [
            ("EXTRACT(YEAR FROM t)", "2013"),
            ("QUARTER(t)", "4"),
            ("MONTH(da)", "12"),
            ("WEEK(t)", "52"),
            ("EXTRACT(WEEK FROM DATE '2021-01-03')", "53"),
            ("EXTRACT(ISOYEAR FROM DATE '2021-01-03')", "2020"),
            ("DAYOFMONTH(t)", "24"),
            ("DAYOFYEAR(t)", "358"),
            ("DAYOFWEEK(t)", "3"),
            ("EXTRACT(ISODOW FROM t)", "2"),
            ("HOUR(t)", "18"),
            ("MINUTE(t)", "30"),
            ("SECOND(t)", "15"),
            ("EXTRACT(MILLISECOND FROM t)", "123"),
            ("EXTRACT(MICROSECOND FROM t)", "123456"),
            ("EXTRACT(NANOSECOND FROM t)", "123456789"),
            ("EXTRACT(EPOCH FROM t)", "1387909815"),
            ("EXTRACT(CENTURY FROM da)", "21"),
            ("EXTRACT(MILLENNIUM FROM DATE '2000-12-31')", "2"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), format!("BIGINT {expected}"), "{text}");
        }
    }

    #[test]
    fn before_1970_results_are_as_odd_as_in_flink() {
        assert_eq!(value("YEAR(early)"), "BIGINT 1970");
        assert_eq!(value("EXTRACT(MILLISECOND FROM early)"), "BIGINT -1");
        assert_eq!(value("CAST(early AS DATE)"), "DATE 0");
        assert_eq!(
            value("CAST(early AS STRING)"),
            "STRING '1969-12-31 23:59:59.999'"
        );
        assert_eq!(value("SECOND(da)"), "BIGINT 16");
    }

    #[test]
    fn roundings_to_a_unit() {
        let known = [
            ("FLOOR(t TO HOUR)", "2013-12-24 18:00:00.000000000"),
            ("CEIL(t TO MINUTE)", "2013-12-24 18:31:00.000000000"),
            ("FLOOR(t TO WEEK)", "2013-12-22 00:00:00.000000000"),
            ("CEIL(t TO WEEK)", "2013-12-29 00:00:00.000000000"),
            ("FLOOR(t TO QUARTER)", "2013-10-01 00:00:00.000000000"),
            ("CEIL(t TO YEAR)", "2014-01-01 00:00:00.000000000"),
            ("CEIL(t TO MILLISECOND)", "2013-12-24 18:30:15.124000000"),
            ("FLOOR(t TO MILLENNIUM)", "2001-01-01 00:00:00.000000000"),
            ("FLOOR(da TO MONTH)", "2013-12-01"),
            ("CEIL(da TO DAY)", "2013-12-25"),
            ("FLOOR(DATE '1582-10-14' TO DAY)", "1582-10-04"),
        ];
        for (text, expected) in known {
            let text = format!("CAST({text} AS STRING)");
            assert_eq!(value(&text), format!("STRING '{expected}'"), "{text}");
        }
    }

    #[test]
    fn a_lower_precision_cuts_digits_off() {
        assert_eq!(
            value("CAST(t AS TIMESTAMP(6))"),
            "TIMESTAMP(6) 1387909815123ms 456000ns"
        );
        assert_eq!(
            value("CAST(t AS TIMESTAMP(1))"),
            "TIMESTAMP(1) 1387909815100ms 0ns"
        );
        assert_eq!(value("CAST(early AS TIMESTAMP(0))"), "TIMESTAMP(0) 0ms 0ns");
        // The digits of 0.000000001 are counted without its zeros.
        let odd = "CAST(TIMESTAMP '1970-01-01 00:00:00.000000001' AS TIMESTAMP(3))";
        assert_eq!(value(odd), "TIMESTAMP(3) 0ms 1ns");
    }

    #[test]
    fn text_is_read_as_flink_reads_it() {
        assert_eq!(value("CAST('2013' AS DATE)"), "DATE 15706");
        assert_eq!(value("CAST('2013-1-1 ignored' AS DATE)"), "DATE 15706");
        let known = "CAST('2013-1-1 1:2:3.4567' AS TIMESTAMP(3))";
        assert_eq!(value(known), "TIMESTAMP(3) 1357002123456ms 0ns");
    }

    #[test]
    fn units_that_flink_refuses_are_refused() {
        let known = [
            (
                "EXTRACT(NANOSECOND FROM da)",
                "NANOSECOND cannot be extracted from a DATE",
            ),
            ("FLOOR(t TO DOY)", "FLOOR does not round to DOY"),
            ("FLOOR(i TO HOUR)", "FLOOR does not take (INT, HOUR)"),
            ("YEAR(s)", "YEAR does not take (STRING)"),
            ("EXTRACT(YAER FROM t)", "`YAER` is not a unit of time"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
