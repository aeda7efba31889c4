//! CAST between the types that columns hold, with Flink's results and errors (not its legacy
//! behaviour). Also what Flink casts by itself: both sides of a comparison, branches of a CASE.

use std::io::Write;

use pelton_data::DataType;
use pelton_data::columns::{Literal, Native};
use pelton_data::report::Diagnostic;

use super::super::program::{Call, Failure, Frame, Kernel};
use super::super::typing::Typed;
use super::binary::{self, is_binary};
use super::decimal::{self, Digits};
use super::kernel::{map_text, map1, write_text};
use super::number_text::{parse_float, parse_i64, write_f32, write_f64};
use super::{temporal, text, time};

/// `CAST(value AS to)`; the value itself where it has the type already.
pub fn cast(value: Typed, to: &DataType) -> Result<Typed, Diagnostic> {
    if value.is_null_literal() {
        return Ok(Typed::literal(to.clone(), value.span, Literal::Null));
    }
    let from = value.data_type.clone();
    if from == *to {
        return Ok(value);
    }
    if is_binary(to) && (is_binary(&from) || from.is_string()) {
        return Ok(binary::fit(value, to));
    }
    match (from.is_string(), to.is_string()) {
        (true, true) => Ok(text::fit(value, to)),
        (false, true) => {
            let (kernel, parameter) = to_text(&from).ok_or_else(|| refuse(&value, to))?;
            let written = Typed::call(DataType::STRING, value.span.clone(), kernel, vec![value]);
            Ok(text::fit(written.with_parameter(parameter), to))
        }
        (true, false) => {
            let (kernel, parameter) = from_text(to).ok_or_else(|| refuse(&value, to))?;
            let read = Typed::call(to.clone(), value.span.clone(), kernel, vec![value]);
            Ok(read.with_parameter(parameter).fallible())
        }
        (false, false) => between_values(value, to),
    }
}

/// `TRY_CAST(value AS to)`: NULL where the cast fails. What fails in `value` still fails.
pub(in super::super) fn try_cast(value: Typed, to: &DataType) -> Result<Typed, Diagnostic> {
    let below = value.calls();
    let cast = cast(value, to)?;
    let own = cast.calls() - below;
    Ok(cast.or_null(own))
}

fn between_values(value: Typed, to: &DataType) -> Result<Typed, Diagnostic> {
    use DataType::{Boolean, Date, Timestamp, TimestampLtz};
    let from = &value.data_type;
    if let Some(conversion) = decimal::conversion(from, to) {
        return Ok(decimal::converted(value, to, conversion));
    }
    let (kernel, parameter): (Kernel, i64) = match (from, to) {
        // The decision's time zone is UTC, where both kinds are the same numbers.
        (Timestamp(have) | TimestampLtz(have), Timestamp(want) | TimestampLtz(want)) => {
            if have <= want {
                let data_type = to.clone();
                return Ok(Typed { data_type, ..value });
            }
            (temporal::TRUNCATE, i64::from(*want))
        }
        (Timestamp(_), Date) => (temporal::TO_DATE, 0),
        (TimestampLtz(_), Date) => (temporal::LOCAL_TO_DATE, 0),
        (Date, Timestamp(_) | TimestampLtz(_)) => (temporal::TO_TIMESTAMP, 0),
        (DataType::Time(_), _) | (_, DataType::Time(_)) => {
            time::conversion(from, to).ok_or_else(|| refuse(&value, to))?
        }
        (Boolean, _) if to.is_numeric() => (number_to_number(&DataType::TinyInt, to), 0),
        (_, Boolean) if from.is_numeric() => (to_boolean(from), 0),
        _ if from.is_numeric() && to.is_numeric() => (number_to_number(from, to), 0),
        _ => return Err(refuse(&value, to)),
    };
    let call = Typed::call(to.clone(), value.span.clone(), kernel, vec![value]);
    Ok(call.with_parameter(parameter))
}

fn refuse(value: &Typed, to: &DataType) -> Diagnostic {
    let from = &value.data_type;
    let diagnostic = Diagnostic::at(value.span.clone(), format!("{from} cannot be cast to {to}"));
    let nested = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Array(_) | DataType::Map(..) | DataType::Row(_)
        )
    };
    match nested(from) || nested(to) {
        true => diagnostic.help("ARRAY, MAP and ROW values are not cast; cast their elements"),
        false => diagnostic.help("Flink refuses it as well"),
    }
}

/// Numbers as Java's primitive casts narrow and widen them: integers drop their upper bits;
/// floats saturate at INT or BIGINT first, NaN is 0.
fn number_to_number(from: &DataType, to: &DataType) -> Kernel {
    use DataType::*;
    macro_rules! integers {
        ($($from:ident $native:ty),*) => {
            match (from, to) {
                $(
                    ($from, TinyInt) => |f, c| map1(f, c, |a: $native| a as i8),
                    ($from, SmallInt) => |f, c| map1(f, c, |a: $native| a as i16),
                    ($from, Int) => |f, c| map1(f, c, |a: $native| a as i32),
                    ($from, BigInt) => |f, c| map1(f, c, |a: $native| a as i64),
                    ($from, Float) => |f, c| map1(f, c, |a: $native| a as f32),
                    ($from, Double) => |f, c| map1(f, c, |a: $native| a as f64),
                )*
                (Float, TinyInt) => |f, c| map1(f, c, |a: f32| a as i32 as i8),
                (Float, SmallInt) => |f, c| map1(f, c, |a: f32| a as i32 as i16),
                (Float, Int) => |f, c| map1(f, c, |a: f32| a as i32),
                (Float, BigInt) => |f, c| map1(f, c, |a: f32| a as i64),
                (Float, Double) => |f, c| map1(f, c, |a: f32| f64::from(a)),
                (Double, TinyInt) => |f, c| map1(f, c, |a: f64| a as i32 as i8),
                (Double, SmallInt) => |f, c| map1(f, c, |a: f64| a as i32 as i16),
                (Double, Int) => |f, c| map1(f, c, |a: f64| a as i32),
                (Double, BigInt) => |f, c| map1(f, c, |a: f64| a as i64),
                (Double, Float) => |f, c| map1(f, c, |a: f64| a as f32),
                _ => unreachable!("called for two different number types"),
            }
        };
    }
    integers!(TinyInt i8, SmallInt i16, Int i32, BigInt i64)
}

/// TRUE where the number is not 0; so NaN is TRUE.
fn to_boolean(from: &DataType) -> Kernel {
    match from {
        DataType::TinyInt => |f, c| map1(f, c, |a: i8| i8::from(a != 0)),
        DataType::SmallInt => |f, c| map1(f, c, |a: i16| i8::from(a != 0)),
        DataType::Int => |f, c| map1(f, c, |a: i32| i8::from(a != 0)),
        DataType::BigInt => |f, c| map1(f, c, |a: i64| i8::from(a != 0)),
        DataType::Float => |f, c| map1(f, c, |a: f32| i8::from(a != 0.0)),
        _ => |f, c| map1(f, c, |a: f64| i8::from(a != 0.0)),
    }
}

/// The kernel that writes a value as text, and its parameter.
fn to_text(from: &DataType) -> Option<(Kernel, i64)> {
    use DataType::*;
    let kernel: Kernel = match from {
        Boolean => |f, c| {
            write_text(f, c, |_, a: i8, _, text| {
                text.extend_from_slice(if a != 0 { b"TRUE" } else { b"FALSE" });
                Ok(())
            })
        },
        TinyInt => |f, c| write_text(f, c, |_, a: i8, _, text| write_number(text, a.into())),
        SmallInt => |f, c| write_text(f, c, |_, a: i16, _, text| write_number(text, a.into())),
        Int => |f, c| write_text(f, c, |_, a: i32, _, text| write_number(text, a.into())),
        BigInt => |f, c| write_text(f, c, |_, a: i64, _, text| write_number(text, a)),
        Float => |f, c| {
            write_text(f, c, |_, a: f32, _, text| {
                write_f32(a, text);
                Ok(())
            })
        },
        Double => |f, c| {
            write_text(f, c, |_, a: f64, _, text| {
                write_f64(a, text);
                Ok(())
            })
        },
        Date => temporal::WRITE_DATE,
        Decimal { scale, .. } => return Some((decimal::WRITE, i64::from(*scale))),
        Binary(_) | Varbinary(_) => binary::DECODE,
        Time(precision) => return Some((time::WRITE, i64::from(*precision))),
        DataType::Timestamp(precision) | TimestampLtz(precision) => {
            return Some((temporal::WRITE_TIMESTAMP, i64::from(*precision)));
        }
        _ => return None,
    };
    Some((kernel, 0))
}

fn write_number(text: &mut Vec<u8>, number: i64) -> Result<(), Failure> {
    // Writing into a Vec cannot fail.
    let _ = write!(text, "{number}");
    Ok(())
}

/// The kernel that reads a value from text, and its parameter.
fn from_text(to: &DataType) -> Option<(Kernel, i64)> {
    use DataType::*;
    let kernel: Kernel = match to {
        Boolean => |f, c| map_text(f, c, |text, _| parse_boolean(text)),
        TinyInt => |f, c| read_integer::<i8>(f, c, "TINYINT"),
        SmallInt => |f, c| read_integer::<i16>(f, c, "SMALLINT"),
        Int => |f, c| read_integer::<i32>(f, c, "INT"),
        BigInt => |f, c| read_integer::<i64>(f, c, "BIGINT"),
        Float => |f, c| {
            map_text(f, c, |text, _| {
                parse_float::<f32>(text).ok_or_else(|| unreadable(text, "FLOAT"))
            })
        },
        Double => |f, c| {
            map_text(f, c, |text, _| {
                parse_float::<f64>(text).ok_or_else(|| unreadable(text, "DOUBLE"))
            })
        },
        Date => temporal::READ_DATE,
        Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            return Some(decimal::read(Digits { precision, scale }));
        }
        Time(_) => return Some(time::read(to)),
        DataType::Timestamp(precision) | TimestampLtz(precision) => {
            return Some((temporal::READ_TIMESTAMP, i64::from(*precision)));
        }
        _ => return None,
    };
    Some((kernel, 0))
}

fn read_integer<T>(frame: &mut Frame<'_>, call: &Call, name: &str) -> Result<(), Failure>
where
    T: TryFrom<i64> + Native,
{
    map_text(frame, call, |text, _| {
        let value = parse_i64(text).and_then(|value| T::try_from(value).ok());
        value.ok_or_else(|| unreadable(text, name))
    })
}

fn parse_boolean(text: &[u8]) -> Result<i8, Failure> {
    let is = |words: [&str; 5]| {
        words
            .iter()
            .any(|w| text.eq_ignore_ascii_case(w.as_bytes()))
    };
    match text {
        _ if is(["t", "true", "y", "yes", "1"]) => Ok(1),
        _ if is(["f", "false", "n", "no", "0"]) => Ok(0),
        _ => Err(unreadable(text, "BOOLEAN")),
    }
}

/// The error of a text that is no value of a type.
#[cold]
pub(super) fn unreadable(text: &[u8], name: &str) -> Failure {
    let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
    Failure::failed(format!("'{shown}' cannot be cast to {name}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn numbers_narrow_as_in_java() {
        let known = [
            ("CAST(-129 AS TINYINT)", "TINYINT 127"),
            ("CAST(1e10 AS INT)", "INT 2147483647"),
            ("CAST(1e10 AS TINYINT)", "TINYINT -1"),
            ("CAST(nan AS BIGINT)", "BIGINT 0"),
            ("CAST(b AS FLOAT)", "FLOAT 9.223372e18"),
            ("CAST(nan AS BOOLEAN)", "BOOLEAN 1"),
            ("CAST(yes AS DOUBLE)", "DOUBLE 1.0"),
            ("CAST(-1.5 AS INT)", "INT -1"),
            ("CAST(0.1 AS FLOAT)", "FLOAT 0.1"),
            ("CAST(NULL AS STRING)", "STRING NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn text_is_written_cut_and_padded() {
        let known = [
            ("CAST(yes AS STRING)", "STRING 'TRUE'"),
            ("CAST(ti AS VARCHAR(2))", "VARCHAR(2) '-1'"),
            ("CAST(i AS CHAR(3))", "CHAR(3) '7  '"),
            ("CAST(s AS CHAR(5))", "CHAR(5) 'Straß'"),
            ("CAST(s AS CHAR(7))", "CHAR(7) 'Straße '"),
            ("CAST(d AS STRING)", "STRING '-2.5'"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_parse_is_an_error() {
        let known = [
            ("CAST(s AS INT)", "'Straße' cannot be cast to INT"),
            ("CAST('128' AS TINYINT)", "'128' cannot be cast to TINYINT"),
            (
                "CAST(' true' AS BOOLEAN)",
                "' true' cannot be cast to BOOLEAN",
            ),
            ("CAST('1e5x' AS DOUBLE)", "'1e5x' cannot be cast to DOUBLE"),
            (
                "CAST('2023-02-29' AS DATE)",
                "'2023-02-29' cannot be cast to DATE",
            ),
            (
                "CAST('2023-02-28 24:00:00' AS TIMESTAMP(3))",
                "'2023-02-28 24:00:00' cannot be cast to TIMESTAMP",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), format!("error: {expected}"), "{text}");
        }
    }

    #[test]
    fn try_cast_is_null_where_the_cast_fails_and_nowhere_else() {
        let known = [
            ("TRY_CAST(s AS INT)", "INT NULL"),
            ("TRY_CAST('12' AS INT)", "INT 12"),
            ("TRY_CAST(i AS STRING)", "STRING '7'"),
            ("TRY_CAST(NULL AS INT)", "INT NULL"),
            ("COALESCE(TRY_CAST(s AS INT), 0)", "INT 0"),
            ("TRY_CAST(TRY_CAST(s AS INT) AS DOUBLE)", "DOUBLE NULL"),
            (
                "TRY_CAST(CAST(s AS INT) AS STRING)",
                "error: 'Straße' cannot be cast to INT",
            ),
            (
                "TRY_CAST(s AS INT) + CAST(s AS INT)",
                "error: 'Straße' cannot be cast to INT",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_flink_refuses_is_refused() {
        let known = [
            ("CAST(i AS DATE)", "INT cannot be cast to DATE"),
            ("CAST(t AS BIGINT)", "TIMESTAMP(9) cannot be cast to BIGINT"),
            ("CAST(yes AS DATE)", "BOOLEAN cannot be cast to DATE"),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
