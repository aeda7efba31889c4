//! Values in Flink's JSON format, with its SQL timestamps:
//!
//! | type | JSON |
//! |---|---|
//! | BOOLEAN; TINYINT to BIGINT; DECIMAL | `true`, `7`, `12.50` |
//! | FLOAT, DOUBLE | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | CHAR, VARCHAR, STRING | a string |
//! | BINARY, VARBINARY, BYTES | a string: base64 |
//! | DATE, TIME | `"2013-01-31"`, `"23:59:59.5"` |
//! | TIMESTAMP, TIMESTAMP_LTZ | `"2013-01-31 23:59:59.5"`, in UTC with a `Z` behind it |
//! | ARRAY; ROW | a list; an object, in which a field that is left out is NULL |
//! | MAP of strings | an object |
//!
//! Reading is strict: what the type cannot hold to the last digit is an error, never rounded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json};

use crate::report::nearest;
use crate::text;
use crate::types::{DataType, Element, Field};
use crate::value::Value;

/// JSON that is no value of a type, or a value that JSON has no form for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {message}")]
pub struct JsonError {
    /// Where, from the column on: `input.items[3].price`.
    pub path: String,
    /// What stands there, and what was expected.
    pub message: String,
}

/// The value of `field` that a JSON value is. One that is left out is NULL; `path` names it in
/// errors.
pub fn read(json: Option<&Json>, field: &Field, path: &str) -> Result<Value, JsonError> {
    read_at(json, &field.data_type, field.nullable, path)
}

/// The JSON form of a value; `path` names it in errors.
pub fn write(value: &Value, data_type: &DataType, path: &str) -> Result<Json, JsonError> {
    Ok(match (value, data_type) {
        (Value::Null, _) => Json::Null,
        (Value::Boolean(value), _) => Json::Bool(*value),
        (Value::Bytes(bytes), _) => Json::String(STANDARD.encode(bytes)),
        (Value::Array(values), DataType::Array(element)) => {
            let values = values.iter().enumerate().map(|(i, value)| {
                let path = format!("{path}[{i}]");
                write(value, &element.data_type, &path)
            });
            Json::Array(values.collect::<Result<_, _>>()?)
        }
        (Value::Map(pairs), DataType::Map(key, value_type)) => {
            string_keys(key, path)?;
            let mut object = Map::new();
            for (key, value) in pairs {
                let Value::Text(key) = key else {
                    return Err(error(path, "has a NULL key, which JSON has no form for"));
                };
                let path = format!("{path}.{key}");
                object.insert(key.clone(), write(value, &value_type.data_type, &path)?);
            }
            Json::Object(object)
        }
        (Value::Row(values), DataType::Row(fields)) => {
            let mut object = Map::new();
            for (value, field) in values.iter().zip(fields) {
                let path = format!("{path}.{}", field.name);
                object.insert(field.name.clone(), write(value, &field.data_type, &path)?);
            }
            Json::Object(object)
        }
        (value, data_type) => {
            let text = text::write(value, data_type).unwrap_or_default();
            match number(&text).filter(|_| data_type.is_numeric()) {
                Some(number) => Json::Number(number),
                None => Json::String(text),
            }
        }
    })
}

fn read_at(
    json: Option<&Json>,
    data_type: &DataType,
    nullable: bool,
    path: &str,
) -> Result<Value, JsonError> {
    let json = match json {
        None | Some(Json::Null) if nullable => return Ok(Value::Null),
        None => return Err(error(path, "is missing, but declared NOT NULL")),
        Some(Json::Null) => return Err(error(path, "is NULL, but declared NOT NULL")),
        Some(json) => json,
    };
    let value = match (json, data_type) {
        (Json::Array(values), DataType::Array(element)) => {
            let values = values.iter().enumerate().map(|(i, value)| {
                let path = format!("{path}[{i}]");
                read_at(Some(value), &element.data_type, element.nullable, &path)
            });
            return Ok(Value::Array(values.collect::<Result<_, _>>()?));
        }
        (Json::Object(object), DataType::Map(key, value)) => {
            return read_map(object, key, value, path);
        }
        (Json::Object(object), DataType::Row(fields)) => return read_row(object, fields, path),
        (Json::Bool(value), DataType::Boolean) => Some(Value::Boolean(*value)),
        (Json::Number(number), data_type) if data_type.is_numeric() => {
            text::parse(number.as_str(), data_type)
        }
        (Json::String(text), DataType::Binary(length) | DataType::Varbinary(length)) => {
            let bytes = STANDARD.decode(text).ok();
            let fits = bytes.filter(|bytes| bytes.len() <= *length as usize);
            fits.map(Value::Bytes)
        }
        (Json::String(text), data_type) if has_text(text, data_type) => {
            text::parse(text, data_type)
        }
        _ => None,
    };
    value.ok_or_else(|| {
        let expected = match data_type {
            DataType::Binary(_) | DataType::Varbinary(_) => format!("a {data_type} in base64"),
            DataType::Array(_) => format!("a list, as {data_type}"),
            DataType::Map(..) | DataType::Row(_) => format!("an object, as {data_type}"),
            data_type => text::form(data_type),
        };
        error(path, format!("is {}; expected {expected}", shortened(json)))
    })
}

/// Whether a string may stand for a value: of numbers, for a float that JSON has no number for.
fn has_text(text: &str, data_type: &DataType) -> bool {
    match data_type.is_numeric() {
        true => data_type.is_approximate() && number(text).is_none(),
        false => *data_type != DataType::Boolean,
    }
}

fn read_map(
    object: &Map<String, Json>,
    key: &Element,
    value: &Element,
    path: &str,
) -> Result<Value, JsonError> {
    string_keys(key, path)?;
    let pairs = object.iter().map(|(name, json)| {
        let path = format!("{path}.{name}");
        let found = Json::String(name.clone());
        let key = read_at(Some(&found), &key.data_type, false, &path)?;
        let value = read_at(Some(json), &value.data_type, value.nullable, &path)?;
        Ok((key, value))
    });
    Ok(Value::Map(pairs.collect::<Result<_, _>>()?))
}

fn read_row(object: &Map<String, Json>, fields: &[Field], path: &str) -> Result<Value, JsonError> {
    let names = || fields.iter().map(|field| field.name.as_str());
    if let Some(unknown) = object.keys().find(|key| names().all(|name| name != **key)) {
        let near = nearest(unknown, names());
        let near = near.map(|near| format!("; did you mean `{near}`?"));
        let message = format!("has no field `{unknown}`{}", near.unwrap_or_default());
        return Err(error(path, message));
    }
    let values = fields.iter().map(|field| {
        let path = format!("{path}.{}", field.name);
        read(object.get(&field.name), field, &path)
    });
    Ok(Value::Row(values.collect::<Result<_, _>>()?))
}

/// As in Flink, an object's keys are strings.
fn string_keys(key: &Element, path: &str) -> Result<(), JsonError> {
    match key.data_type.is_string() {
        true => Ok(()),
        false => {
            let message = format!("is a MAP with keys of {key}; in JSON they are strings");
            Err(error(path, message))
        }
    }
}

/// The number that a text is in JSON.
fn number(text: &str) -> Option<Number> {
    text.parse().ok()
}

fn error(path: &str, message: impl Into<String>) -> JsonError {
    JsonError {
        path: path.to_owned(),
        message: message.into(),
    }
}

/// Enough of a value to be found again.
fn shortened(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(80) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::type_parser::parse_columns;

    fn field(column: &str) -> Field {
        parse_columns(column).unwrap().remove(0).0
    }

    fn through(column: &str, json: &str) -> Result<String, String> {
        let field = field(column);
        let json: Json = serde_json::from_str(json).unwrap();
        let value = read(Some(&json), &field, &field.name).map_err(|e| e.to_string())?;
        let json = write(&value, &field.data_type, &field.name).map_err(|e| e.to_string())?;
        Ok(json.to_string())
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        for (column, json) in [
            ("a BOOLEAN", "true"),
            ("a TINYINT", "-128"),
            ("a BIGINT", "9223372036854775807"),
            ("a FLOAT", "0.1"),
            ("a FLOAT", "\"NaN\""),
            ("a DOUBLE", "1e-7"),
            ("a DOUBLE", "\"-Infinity\""),
            (
                "a DECIMAL(38, 18)",
                "-12345678901234567890.123456789012345678",
            ),
            ("a STRING", "\"né\\u0000\""),
            ("a STRING", "null"),
            ("a BYTES", "\"AAH/\""),
            ("a BYTES", "\"\""),
            ("a DATE", "\"2013-01-31\""),
            ("a TIME(3)", "\"23:59:59.5\""),
            ("a TIMESTAMP(9)", "\"1969-12-31 23:59:59.999999999\""),
            ("a TIMESTAMP_LTZ(3)", "\"2013-01-31 00:00:00Z\""),
            ("a ARRAY<ARRAY<DECIMAL(5, 2)>>", "[[1.25,null],[],null]"),
            (
                "a MAP<STRING, ROW<x INT, y TIMESTAMP(6)>>",
                "{\"k\":{\"x\":1,\"y\":null},\"\":null}",
            ),
        ] {
            assert_eq!(through(column, json).as_deref(), Ok(json), "{column}");
        }
    }

    #[test]
    fn what_is_no_value_of_its_type_is_named_with_its_place() {
        for (column, json, message) in [
            ("a INT", "\"7\"", "`a` is \"7\"; expected a INT"),
            ("a INT", "7.5", "`a` is 7.5; expected a INT"),
            ("a INT", "3000000000", "`a` is 3000000000; expected a INT"),
            (
                "a DOUBLE",
                "\"7\"",
                "`a` is \"7\"; expected a DOUBLE, NaN, Infinity or -Infinity",
            ),
            (
                "a BOOLEAN",
                "\"true\"",
                "`a` is \"true\"; expected true or false",
            ),
            (
                "a DECIMAL(5, 2)",
                "1.005",
                "`a` is 1.005; expected a DECIMAL(5, 2)",
            ),
            ("a STRING", "7", "`a` is 7; expected a STRING"),
            ("a CHAR(2)", "\"abc\"", "`a` is \"abc\"; expected a CHAR(2)"),
            (
                "a BYTES",
                "\"AA\"",
                "`a` is \"AA\"; expected a BYTES in base64",
            ),
            (
                "a BINARY(1)",
                "\"AAH/\"",
                "`a` is \"AAH/\"; expected a BINARY(1) in base64",
            ),
            (
                "a TIMESTAMP(3)",
                "\"2013-01-31\"",
                "`a` is \"2013-01-31\"; expected a TIMESTAMP(3), yyyy-MM-dd HH:mm:ss[.fraction]",
            ),
            (
                "a INT NOT NULL",
                "null",
                "`a` is NULL, but declared NOT NULL",
            ),
            (
                "a ARRAY<ROW<x INT NOT NULL>>",
                "[{\"x\": 1}, {}]",
                "`a[1].x` is missing, but declared NOT NULL",
            ),
            (
                "a ROW<price INT>",
                "{\"prise\": 1}",
                "`a` has no field `prise`; did you mean `price`?",
            ),
            (
                "a MAP<STRING, ARRAY<INT>>",
                "{\"k\": [1, true]}",
                "`a.k[1]` is true; expected a INT",
            ),
            (
                "a MAP<INT, INT>",
                "{\"1\": 1}",
                "`a` is a MAP with keys of INT; in JSON they are strings",
            ),
            (
                "a ARRAY<INT>",
                "{}",
                "`a` is {}; expected a list, as ARRAY<INT>",
            ),
        ] {
            assert_eq!(through(column, json), Err(message.to_owned()), "{column}");
        }
    }
}
