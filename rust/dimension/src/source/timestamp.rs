//! Points in time of files as dates and times of day of a zone, as Flink's Parquet format reads
//! them with `'parquet.utc-timezone' = 'false'` where the zone is the JVM's, and all digits of
//! ORC's timestamps.

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType as ArrowType;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use pelton_data::DataType;
use pelton_data::arrow::ConvertError;
use pelton_data::columns::{Columns, Slot, Timestamp};

/// The type that nanoseconds since 1970 are read as where 64 bits are too few for them: 38 digits,
/// 9 of them behind the second.
pub(super) const NANOS: ArrowType = ArrowType::Decimal128(38, 9);

const NANOS_PER_MILLI: i128 = 1_000_000;

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
    const SECOND: i128 = 1_000_000_000;
    let signed = match nanos - (1 << 64) {
        signed if signed > -SECOND => signed,
        signed => signed + SECOND,
    };
    let is_mended = unit >= 1000 && nanos % unit != 0 && signed < 0 && signed % unit == 0;
    if is_mended { signed } else { nanos }
}

/// Whether a column's values are points in time that become dates and times of day of a zone.
pub(super) fn is_shifted(found: &ArrowType, wanted: &DataType, zone: Tz) -> bool {
    let is_point = matches!(found, ArrowType::Timestamp(_, Some(_)));
    zone != Tz::UTC && is_point && matches!(wanted, DataType::Timestamp(_))
}

/// Makes points in time, read as in UTC, dates and times of day of `zone`.
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
        let utc = DateTime::from_timestamp_millis(point.millis);
        let offset = utc.map(|utc| zone.offset_from_utc_datetime(&utc.naive_utc()).fix());
        let offset = offset.ok_or_else(|| ConvertError::Value {
            row,
            value: format!("{} ms since 1970", point.millis),
            wanted: format!("the years of the time zone {zone}"),
        })?;
        let millis = point.millis + i64::from(offset.local_minus_utc()) * 1000;
        columns.set(slot, row, Timestamp { millis, ..point });
    }
    Ok(())
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
