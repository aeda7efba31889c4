//! The record of `--record`: JSON with a value for every input column.

use pelton_data::columns::Columns;
use pelton_data::json;
use pelton_data::report::nearest;
use pelton_data::value::Value;
use pelton_decision::plan::Plan;
use pelton_decision::{Error, ErrorCode};
use serde_json::{Map, Value as Json};

/// One value for each input column, in their order.
pub struct Record(Vec<Value>);

impl Record {
    /// Reads an object of Flink's JSON format. Everything that is wrong with it is in the error.
    pub fn parse(text: &str, plan: &Plan) -> Result<Record, Error> {
        let object = match serde_json::from_str(text) {
            Ok(Json::Object(object)) => object,
            Ok(_) => {
                return Err(refused(&[
                    "expected an object with a field a column".to_owned()
                ]));
            }
            Err(cause) => return Err(refused(&[format!("not JSON: {cause}")])),
        };
        let mut errors = unknown(&object, plan);
        let mut values = Vec::new();
        for column in &plan.input {
            let field = &column.field;
            let value = match object.get(&field.name) {
                Some(value) => {
                    json::read(Some(value), field, &field.name).map_err(|e| e.to_string())
                }
                None => Err(format!("`{}` {} is missing", field.name, field.data_type)),
            };
            match value {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        match errors.is_empty() {
            true => Ok(Record(values)),
            false => Err(refused(&errors)),
        }
    }

    /// The values as SQL literals, in the order of the input columns.
    pub fn shown(&self, plan: &Plan) -> Vec<String> {
        let values = self.0.iter().zip(&plan.input);
        let shown = values.map(|(value, column)| value.show(&column.field.data_type).to_string());
        shown.collect()
    }

    /// Puts the values that the plan needs into its columns.
    pub fn put(&self, plan: &Plan, columns: &mut Columns) -> Result<(), Error> {
        for (column, value) in plan.input.iter().zip(&self.0) {
            if let Some(slot) = column.slot {
                let put = value.put(columns, slot, 0, &column.field.data_type);
                put.map_err(|cause| refused(&[format!("`{}`: {cause}", column.field.name)]))?;
            }
        }
        Ok(())
    }
}

/// The fields that are no columns.
fn unknown(object: &Map<String, Json>, plan: &Plan) -> Vec<String> {
    let names: Vec<&str> = plan
        .input
        .iter()
        .map(|column| column.field.name.as_str())
        .collect();
    let unknown = object.keys().filter(|key| !names.contains(&key.as_str()));
    let errors = unknown.map(|key| {
        let help = match nearest(key, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", names.join(", ")),
        };
        format!("unknown field `{key}`; {help}")
    });
    errors.collect()
}

fn refused(errors: &[String]) -> Error {
    let message = format!("--record: {}", errors.join("\n  "));
    Error::new(ErrorCode::ArgumentMismatch, message)
}
