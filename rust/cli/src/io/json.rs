//! JSON lines in Flink's JSON format: an object a record. A key that is left out is NULL, one that
//! is no column is passed over.

use std::path::Path;

use arrow_schema::SchemaRef;
use pelton_data::columns::{Columns, Slot};
use pelton_data::value::Value;
use pelton_data::{Field, json};
use pelton_decision::Error;
use serde_json::Map;

use super::text_file::{Form, TextFile, TextWriter, malformed, schema_of, value_error};
use super::{Reader, Table, Writer};

/// A file of JSON lines, of which certain columns are known.
pub struct JsonTable {
    file: TextFile,
    fields: Vec<Field>,
    schema: SchemaRef,
}

impl JsonTable {
    /// Opens a file. Its columns are the declared ones, else those of `known`.
    pub fn open(
        path: &Path,
        declared: Option<Vec<Field>>,
        known: &[Field],
    ) -> Result<JsonTable, Error> {
        let fields = declared.unwrap_or_else(|| known.to_vec());
        Ok(JsonTable {
            file: TextFile::open(path, false)?,
            schema: schema_of(&fields),
            fields,
        })
    }
}

impl Table for JsonTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn read(self: Box<Self>, columns: &[usize], rows: usize) -> Result<Box<dyn Reader>, Error> {
        // Whether a column may be NULL is for those who take it, as with any other file.
        let fields = columns.iter().map(|i| Field {
            nullable: true,
            ..self.fields[*i].clone()
        });
        let fields: Vec<Field> = fields.collect();
        self.file.read(JsonForm::new(&fields), fields, rows, false)
    }
}

/// How JSON writes certain columns.
struct JsonForm {
    /// The columns, each with its key as JSON writes it.
    columns: Vec<(Field, String)>,
}

impl JsonForm {
    fn new(fields: &[Field]) -> JsonForm {
        let columns = fields.iter().map(|field| {
            let key = serde_json::Value::from(field.name.as_str());
            (field.clone(), key.to_string())
        });
        JsonForm {
            columns: columns.collect(),
        }
    }
}

impl Form for JsonForm {
    type Scratch = ();

    fn read(
        &self,
        record: &str,
        _: &mut (),
        slots: &[Slot],
        memory: &mut Columns,
        row: usize,
    ) -> Result<(), Error> {
        let object: Map<String, serde_json::Value> = serde_json::from_str(record)
            .map_err(|cause| malformed(format!("it is not a JSON object: {cause}")))?;
        for ((field, _), slot) in self.columns.iter().zip(slots) {
            let value = json::read(object.get(&field.name), field, &field.name);
            let value = value.map_err(|cause| malformed(cause.to_string()))?;
            let put = value.put(memory, *slot, row, &field.data_type);
            put.map_err(|cause| value_error(&field.name, &cause))?;
        }
        Ok(())
    }

    fn write(
        &self,
        slots: &[Slot],
        memory: &Columns,
        row: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        for (i, ((field, key), slot)) in self.columns.iter().zip(slots).enumerate() {
            out.push(if i == 0 { '{' } else { ',' });
            out.push_str(key);
            out.push(':');
            let value = Value::of(memory, *slot, row, &field.data_type);
            let value = value.map_err(|cause| value_error(&field.name, &cause))?;
            let json = json::write(&value, &field.data_type, &field.name);
            let json = json.map_err(|cause| malformed(cause.to_string()))?;
            out.push_str(&json.to_string());
        }
        out.push_str(if self.columns.is_empty() { "{}" } else { "}" });
        Ok(())
    }
}

/// Begins a file.
pub fn create(path: &Path, schema: &SchemaRef) -> Result<Box<dyn Writer>, Error> {
    TextWriter::create(path, schema, |fields| {
        Ok((JsonForm::new(fields), String::new()))
    })
}
