//! Points in time of files as dates and times of day of a zone, as Flink's Parquet format reads
//! them with `'parquet.utc-timezone' = 'false'` where the zone is the JVM's, and all digits of
//! ORC's timestamps.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef, Decimal128Array};
use arrow_schema::DataType as ArrowType;
use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use pelton_data::DataType;
use pelton_data::arrow::ConvertError;
use pelton_data::columns::{Columns, Slot, Timestamp};

/// The type that nanoseconds since 1970 are read as where 64 bits are too few for them: 38 digits,
/// 9 of them behind the second.
pub(super) const NANOS: ArrowType = ArrowType::Decimal128(38, 9);

const NANOS_PER_MILLI: i128 = 1_000_000;
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Seconds from 1970 to 1900, until which Java's zones have the standard time of today.
const BEGIN_OF_1900: i64 = -2_208_988_800;
const DAY: i64 = 24 * 60 * 60;

/// Puts nanoseconds since 1970 ([`NANOS`]) into a slot of `wanted`, a `TIMESTAMP` of either kind.
pub(super) fn load_nanos(
    array: &ArrayRef,
    wanted: &DataType,
    slot: Slot,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    let (DataType::Timestamp(precision) | DataType::TimestampLtz(precision)) = wanted else {
        unreachable!("the loader of timestamps");
    };
    let unit = 10_i128.pow(9 - u32::from(*precision));
    let array = array.as_primitive::<Decimal128Type>();
    for row in 0..array.len() {
        if !array.is_valid(row) {
            columns.put::<Timestamp>(slot, row, None);
            continue;
        }
        let nanos = with_sign(array.value(row), unit);
        let millis = i64::try_from(nanos.div_euclid(NANOS_PER_MILLI)).ok();
        let millis = millis.filter(|_| nanos % unit == 0);
        let millis = millis.ok_or_else(|| ConvertError::Value {
            row,
            value: format!("{nanos} ns since 1970"),
            wanted: wanted.to_string(),
        })?;
        let nanos = nanos.rem_euclid(NANOS_PER_MILLI) as i32;
        columns.put(slot, row, Some(Timestamp { millis, nanos }));
    }
    Ok(())
}

/// Arrow's own writer of ORC gives times before 1970 a negative fraction of the second. The reader
/// takes it as unsigned, 2^64 too large, and then as one that a second was added to. Such values
/// end in digits that no multiple of a microsecond has: by them they are known, and mended.
fn with_sign(nanos: i128, unit: i128) -> i128 {
    let signed = match nanos - (1 << 64) {
        signed if signed > -NANOS_PER_SECOND => signed,
        signed => signed + NANOS_PER_SECOND,
    };
    let is_mended = unit >= 1000 && nanos % unit != 0 && signed < 0 && signed % unit == 0;
    if is_mended { signed } else { nanos }
}

/// Dates and times of day that ORC holds as points in time of `zone`, as Java's `Timestamp` shows
/// these: so Flink wrote them, and so it reads them. The reader shows them as the zone's own history
/// has it, and in our calendar.
pub(super) fn as_java(
    nanos: &Decimal128Array,
    zone: Tz,
    is_julian: bool,
) -> Result<Decimal128Array, ConvertError> {
    let mut shown = Vec::with_capacity(nanos.len());
    for row in 0..nanos.len() {
        let value = nanos.value(row);
        let seconds = value.div_euclid(NANOS_PER_SECOND);
        let is_old = seconds < i128::from(BEGIN_OF_1900 + DAY);
        shown.push(match is_old && nanos.is_valid(row) {
            true => {
                let java = java_seconds(seconds, zone, is_julian);
                let java = java.ok_or_else(|| ConvertError::Value {
                    row,
                    value: format!("{seconds} s since 1970"),
                    wanted: format!("one date and time of day of the time zone {zone}"),
                })?;
                value + (i128::from(java) - seconds) * NANOS_PER_SECOND
            }
            false => value,
        });
    }
    Ok(Decimal128Array::new(shown.into(), nanos.nulls().cloned()))
}

/// What Java shows of the point in time that a zone's own history shows as `seconds`; `None` where
/// that are two, because clocks were put back.
fn java_seconds(seconds: i128, zone: Tz, is_julian: bool) -> Option<i64> {
    let seconds = i64::try_from(seconds).ok()?;
    let shown = DateTime::from_timestamp(seconds, 0)?.naive_utc();
    let LocalResult::Single(offset) = zone.offset_from_local_datetime(&shown) else {
        return None;
    };
    let point = seconds - i64::from(offset.fix().local_minus_utc());
    let local = standard_local(zone, point)?;
    match is_julian {
        true => as_julian(local),
        false => Some(local),
    }
}

/// Whether a column's values are points in time that become dates and times of day of a zone.
pub(super) fn is_shifted(found: &ArrowType, wanted: &DataType, zone: Tz) -> bool {
    let is_point = matches!(found, ArrowType::Timestamp(_, Some(_)));
    zone != Tz::UTC && is_point && matches!(wanted, DataType::Timestamp(_))
}

/// Makes points in time, read as in UTC, dates and times of day of `zone`, as Java's `Timestamp`
/// does, by which Flink reads them.
pub(super) fn shift(
    zone: Tz,
    slot: Slot,
    rows: usize,
    columns: &mut Columns,
) -> Result<(), ConvertError> {
    for row in 0..rows {
        let Some(point) = columns.value::<Timestamp>(slot, row) else {
            continue;
        };
        let millis = local(zone, point.millis).ok_or_else(|| ConvertError::Value {
            row,
            value: format!("{} ms since 1970", point.millis),
            wanted: format!("the dates of the time zone {zone}"),
        })?;
        columns.set(slot, row, Timestamp { millis, ..point });
    }
    Ok(())
}

/// The date and time of day of a zone, in milliseconds since 1970. As Java has it: before 1900 a zone
/// has the standard time of today, and dates before October 15, 1582 are those of the Julian
/// calendar. `None` for a date that is none in ours, and for years that there are not.
fn local(zone: Tz, millis: i64) -> Option<i64> {
    let local = as_julian(standard_local(zone, millis.div_euclid(1000))?)?;
    local
        .checked_mul(1000)?
        .checked_add(millis.rem_euclid(1000))
}

/// The date and time of day of a zone, in our calendar, at a point in time; both in seconds since 1970.
fn standard_local(zone: Tz, point: i64) -> Option<i64> {
    let offset = match point {
        ..BEGIN_OF_1900 => standard_offset(zone)?,
        _ => offset(zone, DateTime::from_timestamp(point, 0)?.naive_utc()),
    };
    point.checked_add(i64::from(offset))
}

/// The date that the Julian calendar had on a day before October 15, 1582, with its time of day.
fn as_julian(local: i64) -> Option<i64> {
    const OCTOBER_15_1582: i64 = -141_427;
    let day = local.div_euclid(DAY);
    if day >= OCTOBER_15_1582 {
        return Some(local);
    }
    Some(julian(day)? * DAY + local.rem_euclid(DAY))
}

/// Seconds east of Greenwich.
fn offset(zone: Tz, utc: NaiveDateTime) -> i32 {
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    offset.local_minus_utc()
}

/// The offset that is not summer time: the lesser one of a year.
fn standard_offset(zone: Tz) -> Option<i32> {
    let of_month = |month| {
        let day = NaiveDate::from_ymd_opt(2025, month, 1)?;
        Some(offset(zone, day.and_hms_opt(0, 0, 0)?))
    };
    Some(of_month(1)?.min(of_month(7)?))
}

/// The day, since 1970, whose date in our calendar is that of `day` in the Julian one.
fn julian(day: i64) -> Option<i64> {
    // Years begin in March, so that a leap day is the last: 1461 days are 4 of them.
    const MARCH_1_OF_YEAR_0: i64 = -719_470;
    let since = day - MARCH_1_OF_YEAR_0;
    let (cycle, in_cycle) = (since.div_euclid(1461), since.rem_euclid(1461));
    let year = (in_cycle / 365).min(3);
    let in_year = in_cycle - 365 * year;
    let month = (5 * in_year + 2) / 153;
    let day_of_month = in_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = i32::try_from(4 * cycle + year + next_year).ok()?;
    let date = NaiveDate::from_ymd_opt(year, month as u32, day_of_month as u32)?;
    Some((date - NaiveDate::default()).num_days())
}

/// Whether a `TIMESTAMP` lies inside an `ARRAY`, a `MAP` or a `ROW`.
pub(super) fn is_inside(data_type: &DataType) -> bool {
    let is_or_has = |inner: &DataType| {
        matches!(inner, DataType::Timestamp(_) | DataType::TimestampLtz(_)) || is_inside(inner)
    };
    match data_type {
        DataType::Array(element) => is_or_has(&element.data_type),
        DataType::Map(key, value) => is_or_has(&key.data_type) || is_or_has(&value.data_type),
        DataType::Row(fields) => fields.iter().any(|field| is_or_has(&field.data_type)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Java 17 prints: `new Timestamp(millis).toLocalDateTime()`.
    #[test]
    fn dates_of_zones_are_those_of_java() {
        for (zone, millis, expected) in [
            (Tz::Europe__Berlin, 1_372_645_800_000, "2013-07-01T04:30:00"),
            (
                Tz::Europe__Berlin,
                -2_208_988_800_001,
                "1900-01-01T00:59:59.999",
            ),
            (
                Tz::Europe__Berlin,
                -11_670_998_400_000,
                "1600-02-29T01:00:00",
            ),
            (
                Tz::Europe__Berlin,
                -12_219_296_400_000,
                "1582-10-15T00:00:00",
            ),
            (
                Tz::Europe__Berlin,
                -12_219_296_400_001,
                "1582-10-04T23:59:59.999",
            ),
            (
                Tz::America__New_York,
                -62_135_751_600_000,
                "0001-01-01T00:00:00",
            ),
            (
                Tz::Asia__Kolkata,
                -62_135_789_400_000,
                "0001-01-01T00:00:00",
            ),
        ] {
            let found = local(zone, millis).and_then(DateTime::from_timestamp_millis);
            let found = found.map(|found| found.naive_utc());
            let expected = expected.parse::<NaiveDateTime>().ok();
            assert_eq!(found, expected, "{zone} {millis}");
        }
        // February 29, 1500 is no date in our calendar.
        assert_eq!(local(Tz::Europe__Berlin, -14_825_854_800_000), None);
    }

    /// A zone's own history is not Java's before 1900, nor is our calendar before 1582.
    #[test]
    fn timestamps_of_orc_are_those_of_java() {
        let seconds = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp();
        let nanos = |text: &str| i128::from(seconds(text)) * NANOS_PER_SECOND + 7;
        for (zone, is_julian, read, expected) in [
            // 53:28 east of Greenwich until 1893.
            (
                Tz::Europe__Berlin,
                true,
                "1890-01-01T00:00:00",
                "1890-01-01T00:06:32",
            ),
            (
                Tz::Europe__Berlin,
                true,
                "1893-06-01T00:00:00",
                "1893-06-01T00:00:00",
            ),
            (
                Tz::Europe__Berlin,
                true,
                "1900-01-01T00:30:00",
                "1900-01-01T00:30:00",
            ),
            (Tz::UTC, true, "1582-10-15T01:02:03", "1582-10-15T01:02:03"),
            (Tz::UTC, true, "1582-10-14T01:02:03", "1582-10-04T01:02:03"),
            (Tz::UTC, false, "1582-10-14T01:02:03", "1582-10-14T01:02:03"),
            (Tz::GMT, true, "9999-12-31T23:59:59", "9999-12-31T23:59:59"),
        ] {
            let array = Decimal128Array::from(vec![Some(nanos(read)), None]);
            let shown = as_java(&array, zone, is_julian).unwrap();
            assert_eq!(
                (shown.value(0), shown.is_null(1)),
                (nanos(expected), true),
                "{zone} {read}"
            );
        }
        // Noon of November 18, 1883 was there twice in New York, four minutes apart.
        let twice = Decimal128Array::from(vec![nanos("1883-11-18T12:00:00")]);
        let error = as_java(&twice, Tz::America__New_York, true).unwrap_err();
        assert!(
            error.to_string().contains("one date and time of day of"),
            "{error}"
        );
    }
}
