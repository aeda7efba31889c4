//! The record of `--record`: JSON with a value for every input column.

use pelton_data::columns::{Columns, Literal};
use pelton_data::report::nearest;
use pelton_decision::expression::constant;
use pelton_decision::plan::Plan;
use pelton_decision::{Error, ErrorCode};
use serde_json::Value;

use super::values;

/// One value for each input column, in their order.
pub struct Record {
    values: Vec<Literal>,
    shown: Vec<String>,
}

impl Record {
    /// Reads an object of Flink's JSON format. Everything that is wrong with it is in the error.
    pub fn parse(json: &str, plan: &Plan) -> Result<Record, Error> {
        let value: Value =
            serde_json::from_str(json).map_err(|cause| refused(&[cause.to_string()]))?;
        let Value::Object(object) = value else {
            return Err(refused(&[format!("expected an object, this is {value}")]));
        };
        let mut errors = Vec::new();
        let names: Vec<&str> = plan
            .input
            .iter()
            .map(|column| column.field.name.as_str())
            .collect();
        for key in object.keys().filter(|key| !names.contains(&key.as_str())) {
            let near = nearest(key, names.iter().copied());
            let near = near.map_or(format!("the columns are {}", names.join(", ")), |near| {
                format!("did you mean `{near}`?")
            });
            errors.push(format!("unknown field `{key}`; {near}"));
        }
        let mut record = Record {
            values: Vec::new(),
            shown: Vec::new(),
        };
        for column in &plan.input {
            let field = &column.field;
            let Some(value) = object.get(&field.name) else {
                errors.push(format!(
                    "`{}` {} is missing; give null where it is NULL",
                    field.name, field.data_type
                ));
                continue;
            };
            let text = match value {
                Value::Null => {
                    record.values.push(Literal::Null);
                    record.shown.push("NULL".to_owned());
                    continue;
                }
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match constant(&text, &field.data_type) {
                Ok(literal) => {
                    record
                        .shown
                        .push(values::constant(&literal, &field.data_type));
                    record.values.push(literal);
                }
                Err(cause) => errors.push(format!("`{}` {}: {cause}", field.name, field.data_type)),
            }
        }
        match errors.is_empty() {
            true => Ok(record),
            false => Err(refused(&errors)),
        }
    }

    /// The values as people read them, in the order of the input columns.
    pub fn shown(&self) -> impl Iterator<Item = String> + '_ {
        self.shown.iter().cloned()
    }

    /// Puts the values that the plan needs into its columns.
    pub fn put(&self, plan: &Plan, columns: &mut Columns) -> Result<(), Error> {
        for (column, value) in plan.input.iter().zip(&self.values) {
            if let Some(slot) = column.slot {
                let put = columns.put_literal(slot, 0, value);
                put.map_err(|cause| Error::new(ErrorCode::OutOfMemory, cause.to_string()))?;
            }
        }
        Ok(())
    }
}

fn refused(errors: &[String]) -> Error {
    Error::new(
        ErrorCode::ArgumentMismatch,
        format!("--record: {}", errors.join("\n  ")),
    )
}
