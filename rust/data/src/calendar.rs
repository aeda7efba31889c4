//! Days and the proleptic Gregorian calendar, as in Java's `LocalDate`, for dates of any year.

use crate::columns::Timestamp;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// Days since 1970-01-01 of a date. Months and days beyond their range count on.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let month = month - 1 + year * 12;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12));
    let (year, month) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    let century = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    century * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01, which are less than 2^58 from it.
///
/// Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms"
/// (2022): multiplications and shifts instead of divisions.
pub fn date(days: i64) -> (i64, i64, i64) {
    /// Eras of 400 years that are added, so that all numbers are positive.
    const ERAS: i64 = 1 << 42;
    const DAYS_OF_ERA: i64 = 146_097;
    // Years begin in March here, so that the leap day is the last of its year.
    let quarters = 4 * (days + 719_468 + ERAS * DAYS_OF_ERA) as u64 + 3;
    let century = quarters / DAYS_OF_ERA as u64;
    let of_century = (quarters % DAYS_OF_ERA as u64) | 3;
    let product = 2_939_745 * of_century;
    let (year, of_year) = (product >> 32, (product & 0xffff_ffff) / 2_939_745 / 4);
    let months = 2141 * of_year + 197_913;
    let (month, day) = (months >> 16, (months & 0xffff) / 2141 + 1);
    let is_next_year = of_year >= 306; // January and February
    let month = if is_next_year { month - 12 } else { month };
    let year = (100 * century + year) as i64 - 400 * ERAS + i64::from(is_next_year);
    (year, month as i64, day as i64)
}

/// The days of a month.
pub fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether there is such a date in the years 0 to 9999.
pub fn is_date(year: i64, month: i64, day: i64) -> bool {
    let known = (0..=9999).contains(&year) && (1..=12).contains(&month);
    known && (1..=days_of_month(year, month)).contains(&day)
}

/// The text of `DATE '2013-01-31'`, as days since 1970-01-01.
pub fn date_literal(text: &str) -> Option<i32> {
    let mut parts = text.trim().split('-');
    let mut next = || number(parts.next()?);
    let (year, month, day) = (next()?, next()?, next()?);
    let whole = parts.next().is_none();
    (whole && is_date(year, month, day)).then(|| days(year, month, day) as i32)
}

/// The text of `TIMESTAMP '2013-01-31 23:59:59.123'` and its precision, the digits behind the
/// point. Without a time of day it is midnight.
pub fn timestamp_literal(text: &str) -> Option<(Timestamp, u8)> {
    let text = text.trim();
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let date = i64::from(date_literal(date)?);
    let (time, fraction) = time.trim_start().split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':');
    let mut next = || number(parts.next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let is_time = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    if !is_time || !is_fraction {
        return None;
    }
    let nanos = nanos(fraction);
    let millis = date * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + nanos / 1_000_000;
    let timestamp = Timestamp {
        millis,
        nanos: (nanos % 1_000_000) as i32,
    };
    Some((timestamp, fraction.len() as u8))
}

/// The text of `TIME '23:59:59.123'` as milliseconds of the day, and its precision, the digits
/// behind the point: three at most.
pub fn time_literal(text: &str) -> Option<(i32, u8)> {
    let (timestamp, precision) = timestamp_literal(&format!("1970-01-01 {}", text.trim()))?;
    (precision <= 3).then_some((timestamp.millis as i32, precision))
}

/// The nanoseconds of the digits behind a second's point; up to nine of them.
pub fn nanos(fraction: &str) -> i64 {
    let digits = fraction.bytes().map(|b| i64::from(b - b'0'));
    let missing = 9 - fraction.len().min(9);
    digits.take(9).fold(0, |value, digit| value * 10 + digit) * 10i64.pow(missing as u32)
}

/// A number of digits only.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_each_others_inverse() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2024, 2, 29), 19_782);
        assert_eq!(days(1, 1, 1), -719_162);
        assert_eq!(days(9999, 12, 31), 2_932_896);
        let far = (-100_000_000_000..100_000_000_000).step_by(98_765_431);
        for day in (-800_000..3_000_000).step_by(13).chain(far) {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
            assert!((1..=days_of_month(year, month)).contains(&of_month));
        }
    }

    #[test]
    fn a_thirteenth_month_is_the_next_january() {
        assert_eq!(days(2013, 13, 1), days(2014, 1, 1));
    }

    #[test]
    fn literals_are_real_dates_and_times() {
        assert_eq!(date_literal("1970-01-02"), Some(1));
        assert_eq!(date_literal("2023-02-29"), None);
        assert_eq!(date_literal("2023-02"), None);
        let (timestamp, precision) = timestamp_literal("1970-01-01 00:00:01.2345").unwrap();
        assert_eq!(
            (timestamp.millis, timestamp.nanos, precision),
            (1234, 500_000, 4)
        );
        assert_eq!(timestamp_literal("1970-01-01 24:00:00"), None);
        assert_eq!(timestamp_literal("1970-01-02").unwrap().0.millis, DAY);
    }
}
