//! Times moved and measured: TIMESTAMPADD, TIMESTAMPDIFF, `t + INTERVAL '1' DAY`.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Timestamp};
use pelton_data::report::Diagnostic;

use super::super::ast::Unit;
use super::super::calendar::{DAY, date, days, days_of_month};
use super::super::program::Kernel;
use super::super::typing::{Node, Typed};
use super::cast::cast;
use super::kernel::map2;
use super::{Args, Function, function, temporal};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "TIMESTAMPADD",
        "TIMESTAMPADD(unit, integer, date or timestamp)",
        add,
    ),
    function("TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, from, to)", difference),
    function(
        "+ INTERVAL",
        "date or timestamp + INTERVAL '1' DAY",
        shifted,
    ),
];

/// How many months or milliseconds a unit has.
fn length(unit: Unit) -> Option<(i64, Unit)> {
    Some(match unit {
        Unit::Year => (12, Unit::Month),
        Unit::Quarter => (3, Unit::Month),
        Unit::Month => (1, Unit::Month),
        Unit::Week => (7 * DAY, Unit::Millisecond),
        Unit::Day => (DAY, Unit::Millisecond),
        Unit::Hour => (3_600_000, Unit::Millisecond),
        Unit::Minute => (60_000, Unit::Millisecond),
        Unit::Second => (1000, Unit::Millisecond),
        _ => return None,
    })
}

fn unit_of(args: &mut Args<'_>) -> Result<(Unit, i64, Unit), Diagnostic> {
    let mismatch = args.mismatch();
    let Some(Node::Unit(unit)) = args.values.first().map(|value| &value.node) else {
        return Err(mismatch);
    };
    let unit = *unit;
    args.values.remove(0);
    let (scale, base) = length(unit).ok_or_else(|| {
        let message = format!("{} does not take {}", args.name, unit.name());
        Diagnostic::at(args.span.clone(), message)
            .help("YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND")
    })?;
    Ok((unit, scale, base))
}

fn add(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let (unit, scale, base) = unit_of(&mut args)?;
    let [count, value] = args.exactly()?;
    if !count.data_type.is_integer() {
        return Err(mismatch);
    }
    if base == Unit::Month && count.data_type == DataType::BigInt {
        return Err(mismatch.help("a count of months is an INT"));
    }
    let of_day = matches!(unit, Unit::Hour | Unit::Minute | Unit::Second);
    let value = match value.data_type {
        // A day and some hours are a TIMESTAMP(6).
        DataType::Date if of_day => cast(value, &DataType::Timestamp(6))?,
        _ => value,
    };
    let count = cast(count, &DataType::BigInt)?;
    move_by(span, value, count, scale, base).ok_or(mismatch)
}

/// A value, a count, MONTH or MILLISECOND.
fn shifted(args: Args<'_>) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let refuse = |value: &Typed| {
        let message = format!("an INTERVAL is not added to {}", value.data_type);
        Diagnostic::at(span.clone(), message)
    };
    let [value, count, unit] = <[Typed; 3]>::try_from(args.values)
        .map_err(|_| Diagnostic::at(span.clone(), "an INTERVAL has a count and a unit"))?;
    let Node::Unit(unit) = unit.node else {
        return Err(refuse(&value));
    };
    let mismatch = refuse(&value);
    let cuts = matches!(value.data_type, DataType::Timestamp(0..3));
    if let (true, Node::Literal(Literal::I32(count)), Unit::Millisecond) = (cuts, &count.node, unit)
        && count % 1000 != 0
    {
        return Err(refuse(&value).help("the fraction of a second would be cut off"));
    }
    let count = cast(count, &DataType::BigInt)?;
    move_by(span, value, count, 1, unit).ok_or(mismatch)
}

/// `value` moved by `count` times `scale` months or milliseconds.
fn move_by(
    span: std::ops::Range<usize>,
    value: Typed,
    count: Typed,
    scale: i64,
    base: Unit,
) -> Option<Typed> {
    const SCALED: Kernel = |f, c| {
        let scale = c.parameter;
        map2(f, c, move |count: i64, _: i64| count.wrapping_mul(scale))
    };
    let count = Typed::call(DataType::BigInt, span.clone(), SCALED, vec![count]);
    let count = count.with_parameter(scale);
    let kernel: Kernel = match (&value.data_type, base) {
        (DataType::Timestamp(_), Unit::Month) => |f, c| {
            map2(f, c, |t: Timestamp, months: i64| {
                let day = add_months(t.millis.div_euclid(DAY), months);
                let millis = day * DAY + t.millis.rem_euclid(DAY);
                Timestamp { millis, ..t }
            })
        },
        (DataType::Timestamp(_), _) => |f, c| {
            map2(f, c, |t: Timestamp, millis: i64| Timestamp {
                millis: t.millis.wrapping_add(millis),
                ..t
            })
        },
        (DataType::Date, Unit::Month) => |f, c| {
            map2(f, c, |day: i32, months: i64| {
                add_months(day.into(), months) as i32
            })
        },
        (DataType::Date, _) => |f, c| {
            map2(f, c, |day: i32, millis: i64| {
                day.wrapping_add((millis / DAY) as i32)
            })
        },
        _ => return None,
    };
    let data_type = value.data_type.clone();
    Some(Typed::call(data_type, span, kernel, vec![value, count]))
}

/// The same day of another month, or that month's last.
fn add_months(number: i64, months: i64) -> i64 {
    let (year, month, day) = date(number);
    // An INT in Flink.
    let months = (month - 1 + i64::from(months as i32)) as i32;
    let (year, month) = (
        year + i64::from(months.div_euclid(12)),
        i64::from(months.rem_euclid(12)) + 1,
    );
    days(year, month, day.min(days_of_month(year, month)))
}

/// Whole units between two times, as an INT. As in Flink what does not fit wraps around; weeks are
/// counted from seconds that may have done so.
fn difference(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    let (span, mismatch) = (args.span.clone(), args.mismatch());
    let (unit, ..) = unit_of(&mut args)?;
    let values = args.exactly::<2>()?.map(|value| match value.data_type {
        DataType::Date => {
            let (to, span) = (DataType::Timestamp(3), value.span.clone());
            Ok(Typed::call(to, span, temporal::TO_TIMESTAMP, vec![value]))
        }
        DataType::Timestamp(_) => Ok(value),
        _ => Err(mismatch.clone()),
    });
    let [from, to] = values;
    macro_rules! by {
        ($f:expr) => {
            |f, c| map2(f, c, |a: Timestamp, b: Timestamp| $f(a.millis, b.millis))
        };
    }
    let kernel: Kernel = match unit {
        Unit::Second => by!(|a: i64, b: i64| ((b - a) / 1000) as i32),
        Unit::Minute => by!(|a: i64, b: i64| ((b - a) / 60_000) as i32),
        Unit::Hour => by!(|a: i64, b: i64| ((b - a) / 3_600_000) as i32),
        Unit::Day => by!(|a: i64, b: i64| ((b - a) / DAY) as i32),
        Unit::Week => by!(|a: i64, b: i64| ((b - a) / 1000) as i32 / 604_800),
        Unit::Month => by!(months_between),
        Unit::Quarter => by!(|a, b| months_between(a, b) / 3),
        _ => by!(|a, b| months_between(a, b) / 12),
    };
    Ok(Typed::call(DataType::Int, span, kernel, vec![from?, to?]))
}

/// Whole months from one time to another.
fn months_between(from: i64, to: i64) -> i32 {
    let (from_day, to_day) = (from.div_euclid(DAY), to.div_euclid(DAY));
    let months = match to_day < from_day {
        true => -whole_months(to_day, from_day),
        false => whole_months(from_day, to_day),
    };
    let short = add_months(from_day, months) == to_day && to.rem_euclid(DAY) < from.rem_euclid(DAY);
    (months - i64::from(short)) as i32
}

/// The most months that, added to `from`, do not pass `to`, which is not earlier.
fn whole_months(from: i64, to: i64) -> i64 {
    let ((y0, m0, _), (y1, m1, _)) = (date(from), date(to));
    let months = (y1 - y0) * 12 + m1 - m0;
    months - i64::from(add_months(from, months) > to)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    fn text(expression: &str) -> String {
        value(&format!("CAST({expression} AS STRING)"))
    }

    #[test]
    fn times_are_moved() {
        let known = [
            ("TIMESTAMPADD(DAY, 1, da)", "2013-12-25"),
            ("TIMESTAMPADD(MONTH, 1, DATE '2013-01-31')", "2013-02-28"),
            ("TIMESTAMPADD(MONTH, -13, DATE '2013-01-31')", "2011-12-31"),
            ("TIMESTAMPADD(HOUR, 1, da)", "2013-12-24 01:00:00.000000"),
            (
                "TIMESTAMPADD(QUARTER, -1, early)",
                "1969-09-30 23:59:59.999",
            ),
            ("TIMESTAMPADD(SECOND, i, early)", "1970-01-01 00:00:06.999"),
            ("early + INTERVAL '1' SECOND", "1970-01-01 00:00:00.999"),
            ("early - INTERVAL '1.5' SECOND", "1969-12-31 23:59:58.499"),
            ("early + INTERVAL -'1' YEAR", "1968-12-31 23:59:59.999"),
            ("INTERVAL '100' DAY(3) + da", "2014-04-03"),
            ("da + INTERVAL '25' HOUR", "2013-12-25"),
            ("da - INTERVAL '1' MONTH + INTERVAL '1' DAY", "2013-11-25"),
        ];
        for (expression, expected) in known {
            assert_eq!(
                text(expression),
                format!("STRING '{expected}'"),
                "{expression}"
            );
        }
    }

    #[test]
    fn times_are_measured() {
        let known = [
            ("TIMESTAMPDIFF(DAY, early, t)", 16_063),
            (
                "TIMESTAMPDIFF(MONTH, DATE '2013-01-31', DATE '2013-02-28')",
                1,
            ),
            (
                "TIMESTAMPDIFF(MONTH, DATE '2013-03-31', DATE '2013-02-28')",
                -1,
            ),
            ("TIMESTAMPDIFF(YEAR, early, t)", 43),
            ("TIMESTAMPDIFF(SECOND, da, da)", 0),
            ("TIMESTAMPDIFF(WEEK, DATE '0001-01-01', da)", -1489),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), format!("INT {expected}"), "{text}");
        }
    }

    #[test]
    fn what_flink_refuses_is_refused() {
        let known = [
            (
                "TIMESTAMPADD(DAY, 1.5, da)",
                "TIMESTAMPADD does not take (DAY, DECIMAL(2, 1), DATE)",
            ),
            (
                "TIMESTAMPADD(MICROSECOND, 1, t)",
                "TIMESTAMPADD does not take MICROSECOND",
            ),
            (
                "TIMESTAMPDIFF(DAY, s, t)",
                "TIMESTAMPDIFF does not take (DAY, STRING, TIMESTAMP(9))",
            ),
            ("i + INTERVAL '1' DAY", "an INTERVAL is not added to INT"),
            (
                "t + INTERVAL '100' DAY",
                "'100' has more than 2 digits: write INTERVAL '100' DAY(3)",
            ),
            (
                "t + INTERVAL '1' DAY * 2",
                "an INTERVAL is a literal of one unit: INTERVAL '1' DAY",
            ),
            (
                "INTERVAL '1' DAY",
                "expected `+` and what the interval is added to, found the end of the text",
            ),
            (
                "INTERVAL i DAY",
                "`INTERVAL`: intervals that are not added to a DATE or TIMESTAMP are not supported in expressions of a decision",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
