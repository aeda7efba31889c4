//! The values of directories: `dt=2013-01-02`.

use pelton_data::columns::{Literal, Physical, Timestamp};
use pelton_data::value::Value as Parsed;
use pelton_data::{DataType, Field, text};

/// How Hive writes a NULL as a directory's value.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The value of a directory level, as its declared type orders it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `TINYINT` to `BIGINT`
    Integer(i64),
    /// `DATE`, days since 1970-01-01
    Date(i32),
    /// `TIMESTAMP(p)`
    Timestamp(Timestamp),
    /// `CHAR`, `VARCHAR`, `STRING`
    Text(String),
}

impl Value {
    /// Whether a directory level can have this type.
    pub fn is_supported(data_type: &DataType) -> bool {
        data_type.is_string()
            || data_type.is_integer()
            || matches!(data_type, DataType::Date | DataType::Timestamp(_))
    }

    /// The value of a directory's name, unescaped. `None` is Hive's NULL.
    pub(super) fn parse(text: &str, data_type: &DataType) -> Result<Option<Value>, String> {
        if text == HIVE_NULL {
            return Ok(None);
        }
        let value = match text::parse(text, data_type) {
            Some(Parsed::TinyInt(value)) => Value::Integer(value.into()),
            Some(Parsed::SmallInt(value)) => Value::Integer(value.into()),
            Some(Parsed::Int(value)) => Value::Integer(value.into()),
            Some(Parsed::BigInt(value)) => Value::Integer(value),
            Some(Parsed::Date(days)) => Value::Date(days),
            Some(Parsed::Timestamp(timestamp)) => Value::Timestamp(timestamp),
            Some(Parsed::Text(text)) => Value::Text(text),
            _ => return Err(format!("{text:?} is no {data_type}")),
        };
        Ok(Some(value))
    }

    /// The value as a constant of a column of `physical` type.
    pub(crate) fn literal(&self, physical: Physical) -> Literal {
        match (self, physical) {
            (Value::Integer(value), Physical::I8) => Literal::I8(*value as i8),
            (Value::Integer(value), Physical::I16) => Literal::I16(*value as i16),
            (Value::Integer(value), Physical::I32) => Literal::I32(*value as i32),
            (Value::Integer(value), _) => Literal::I64(*value),
            (Value::Date(days), _) => Literal::I32(*days),
            (Value::Timestamp(timestamp), _) => Literal::Timestamp(*timestamp),
            (Value::Text(text), _) => Literal::text(text),
        }
    }
}

/// A name as Hive escapes it in paths: `%3A` is a colon. What is no escape stays.
pub fn unescape(text: &str) -> String {
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        unescaped.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &rest[3..] } else { tail };
    }
    String::from_utf8_lossy(&unescaped).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

/// The values of a path as `dt=2013-01-02/hour=7`, which has to have the given levels.
pub fn parse_path(path: &str, levels: &[Field]) -> Result<Vec<Option<Value>>, String> {
    let directories: Vec<&str> = path.split('/').collect();
    if directories.len() != levels.len() {
        let expected: Vec<String> = levels.iter().map(|l| format!("{}=...", l.name)).collect();
        return Err(format!(
            "{path:?} does not have the levels `{}`",
            expected.join("/")
        ));
    }
    let pairs = directories.iter().zip(levels);
    pairs
        .map(|(directory, level)| parse_directory(directory, level))
        .collect()
}

/// The values of a path as they are written, unescaped: `07` is not `7`.
pub(super) fn texts_of(path: &str) -> Vec<String> {
    let values = path.split('/').map(|directory| directory.split_once('='));
    values
        .map(|value| unescape(value.map_or("", |(_, value)| value)))
        .collect()
}

pub(super) fn parse_directory(name: &str, level: &Field) -> Result<Option<Value>, String> {
    let Field {
        name: wanted,
        data_type,
        ..
    } = level;
    match name.split_once('=') {
        Some((found, value)) if unescape(found) == *wanted => {
            Value::parse(&unescape(value), data_type).map_err(|error| format!("`{name}`: {error}"))
        }
        _ => Err(format!(
            "`{name}` is no Hive partition `{wanted}=<{data_type}>`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use pelton_data::type_parser::parse_type;
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, data_type: &str) -> Field {
        Field::new(name, parse_type(data_type).unwrap().data_type)
    }

    /// As Hive's `FileUtils.escapePathName` and Spark's `ExternalCatalogUtils` write a name.
    fn escape(text: &str) -> String {
        let escaped = |c: char| {
            let special = matches!(
                c,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
            );
            match special || c.is_ascii_control() {
                true => format!("%{:02X}", c as u32),
                false => c.to_string(),
            }
        };
        text.chars().map(escaped).collect()
    }

    #[test]
    fn values_have_the_types_of_their_levels() {
        let levels = [
            field("dt", "DATE"),
            field("ts", "TIMESTAMP(3)"),
            field("n", "SMALLINT"),
            field("city", "STRING"),
        ];
        let path = "dt=2013-01-01/ts=2013-01-01 06%3A30%3A00/n=-7/city=S%C3%A3o Paulo";
        let time = Timestamp {
            millis: (15_706 * 24 * 60 + 390) * 60_000,
            nanos: 0,
        };
        let expected = [
            Value::Date(15_706),
            Value::Timestamp(time),
            Value::Integer(-7),
            Value::Text("São Paulo".to_owned()),
        ];
        assert_eq!(parse_path(path, &levels).unwrap(), expected.map(Some));
        let nulls = ["dt", "ts", "n", "city"].map(|name| format!("{name}={HIVE_NULL}"));
        assert_eq!(
            parse_path(&nulls.join("/"), &levels).unwrap(),
            [const { None }; 4]
        );
        for (path, message) in [
            (
                "dt=2013-02-29",
                "`dt=2013-02-29`: \"2013-02-29\" is no DATE",
            ),
            (
                "day=2013-01-01",
                "`day=2013-01-01` is no Hive partition `dt=<DATE>`",
            ),
            (
                "2013-01-01",
                "`2013-01-01` is no Hive partition `dt=<DATE>`",
            ),
            ("dt=2013-01-01/n=1", "does not have the levels `dt=...`"),
        ] {
            let error = parse_path(path, &levels[..1]).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(unescape("100%"), "100%");
        assert_eq!(unescape("%4"), "%4");
        assert_eq!(unescape("%zz%41"), "%zzA");
    }

    proptest! {
        #[test]
        fn escaped_values_are_read_as_they_were(
            values in proptest::collection::vec(any::<String>(), 1..4)
        ) {
            let levels: Vec<Field> = (0..values.len())
                .map(|i| field(&format!("a:{i}"), "STRING"))
                .collect();
            let directories = values.iter().zip(&levels);
            let directories = directories.map(|(v, l)| format!("{}={}", escape(&l.name), escape(v)));
            let path = directories.collect::<Vec<_>>().join("/");
            let parsed = parse_path(&path, &levels).unwrap();
            let expected: Vec<_> = values.into_iter().map(|v| Some(Value::Text(v))).collect();
            prop_assert_eq!(parsed, expected);
        }

        #[test]
        fn any_path_is_read_or_refused(path in any::<String>(), data_type in 0usize..4) {
            let types = ["DATE", "INT", "TIMESTAMP(3)", "VARCHAR(3)"];
            let _ = parse_path(&path, &[field("a", types[data_type])]);
            let _ = parse_path(&format!("a={path}"), &[field("a", types[data_type])]);
        }
    }
}
