//! CSV by RFC 4180. NULL is an empty field without quotes, the empty string is `""`.

use std::path::Path;

use arrow_schema::SchemaRef;
use pelton_data::columns::{Columns, Slot};
use pelton_data::value::Value;
use pelton_data::{DataType, Field, json, text};
use pelton_decision::{Error, ErrorCode};
use serde_json::Value as Json;

use super::record::Record;
use super::text_file::{Form, TextFile, TextWriter, at, malformed, schema_of, value_error};
use super::{Reader, Table, Writer, invalid};

/// A CSV file whose columns are known.
pub struct CsvTable {
    file: TextFile,
    fields: Vec<Field>,
    schema: SchemaRef,
}

impl CsvTable {
    /// Opens a file with the declared columns, or with a header whose names have the types of
    /// `known`, and are strings where they are not known.
    pub fn open(
        path: &Path,
        declared: Option<Vec<Field>>,
        known: &[Field],
    ) -> Result<CsvTable, Error> {
        let mut file = TextFile::open(path, true)?;
        let fields = match declared {
            Some(fields) => fields,
            None => header(&mut file, known)?,
        };
        Ok(CsvTable {
            schema: schema_of(&fields),
            file,
            fields,
        })
    }
}

fn header(file: &mut TextFile, known: &[Field]) -> Result<Vec<Field>, Error> {
    let Some(line) = file.first()? else {
        let help = "expected a header with the columns' names, or --columns";
        return Err(invalid(file.path(), format!("the file is empty; {help}")));
    };
    let mut record = Record::default();
    record
        .split(&line)
        .map_err(|error| at(file.path(), 1, error))?;
    let names = (0..record.len()).map(|i| record.get(i).unwrap_or_default());
    let fields = names.map(|name| {
        let known = known.iter().find(|field| field.name == name);
        let data_type = known.map_or(DataType::STRING, |field| field.data_type.clone());
        Field::new(name, data_type)
    });
    Ok(fields.collect())
}

impl Table for CsvTable {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn read(self: Box<Self>, columns: &[usize], rows: usize) -> Result<Box<dyn Reader>, Error> {
        let fields = columns.iter().map(|i| self.fields[*i].clone());
        let fields: Vec<Field> = fields.collect();
        let numbered = columns.iter().copied().zip(fields.clone());
        let form = CsvForm::new(self.fields.len(), numbered.collect());
        let form = form.map_err(|error| error.context(self.file.path().display()))?;
        // An empty line is a record only where there is one column: a NULL is written so there.
        let blank = self.fields.len() == 1;
        self.file.read(form, fields, rows, blank)
    }
}

/// How CSV writes certain columns.
struct CsvForm {
    /// How many fields a record has.
    width: usize,
    /// The columns, each with the number of its field.
    columns: Vec<(usize, Field)>,
}

impl CsvForm {
    fn new(width: usize, columns: Vec<(usize, Field)>) -> Result<CsvForm, Error> {
        let mut fields = columns.iter().map(|(_, field)| field);
        match fields.find(|field| is_nested(&field.data_type)) {
            None => Ok(CsvForm { width, columns }),
            Some(field) => {
                let what = format!("CSV files do not hold {}", field.data_type);
                let help = "use a .jsonl or .parquet file";
                let message = format!("column `{}`: {what}; {help}", field.name);
                Err(Error::new(ErrorCode::NotSupported, message))
            }
        }
    }
}

fn is_nested(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, Array(_) | Map(..) | Row(_))
}

impl Form for CsvForm {
    type Scratch = Record;

    fn read(
        &self,
        line: &str,
        record: &mut Record,
        slots: &[Slot],
        memory: &mut Columns,
        row: usize,
    ) -> Result<(), Error> {
        record.split(line)?;
        if record.len() != self.width {
            let (found, expected) = (record.len(), self.width);
            let hint = match found {
                1 => separator_hint(line),
                _ => None,
            };
            let hint = hint.unwrap_or_default();
            return Err(malformed(format!(
                "it has {found} fields, not {expected}{hint}"
            )));
        }
        for ((i, field), slot) in self.columns.iter().zip(slots) {
            let value = match record.get(*i) {
                None => Value::Null,
                Some(text) => parse(text, field)?,
            };
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
        for ((i, field), slot) in self.columns.iter().zip(slots) {
            out.push_str(if *i == 0 { "" } else { "," });
            let value = Value::of(memory, *slot, row, &field.data_type);
            let value = value.map_err(|cause| value_error(&field.name, &cause))?;
            write(&value, &field.data_type, out)?;
        }
        Ok(())
    }
}

/// The value of a field that is not NULL.
fn parse(text: &str, field: &Field) -> Result<Value, Error> {
    let Field {
        name, data_type, ..
    } = field;
    // As Flink's CSV format, which takes numbers between spaces, TRUE for true, and base64.
    let value = match data_type {
        DataType::Boolean => text::parse(&text.trim_matches(' ').to_ascii_lowercase(), data_type),
        DataType::Binary(_) | DataType::Varbinary(_) => {
            json::read(Some(&Json::from(text)), field, name).ok()
        }
        other if other.is_string() => text::parse(text, data_type),
        _ => text::parse(text.trim_matches(' '), data_type),
    };
    value.ok_or_else(|| {
        let form = match data_type {
            DataType::Timestamp(digits) | DataType::TimestampLtz(digits)
                if text::parse(text, &finest(data_type)).is_some() =>
            {
                let what = format!("more than {digits} digits behind the second");
                format!("a {data_type}: it has {what}, and none is dropped")
            }
            _ => text::form(data_type),
        };
        malformed(format!("column `{name}`: {text:?} is not {form}"))
    })
}

/// The same type with all digits that there are.
fn finest(data_type: &DataType) -> DataType {
    match data_type {
        DataType::TimestampLtz(_) => DataType::TimestampLtz(9),
        _ => DataType::Timestamp(9),
    }
}

/// Adds a value as a field: NULL is empty.
fn write(value: &Value, data_type: &DataType, out: &mut String) -> Result<(), Error> {
    if let Value::Bytes(_) = value {
        let json = json::write(value, data_type, "").map_err(|e| malformed(e.to_string()))?;
        quote(json.as_str().unwrap_or_default(), out);
    } else if let Some(text) = text::write(value, data_type) {
        quote(&text, out);
    }
    Ok(())
}

/// Adds a text, in quotes where it needs them: the empty one does, since NULL has none.
fn quote(text: &str, out: &mut String) {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return out.push_str(text);
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

/// Begins a file with a header.
pub fn create(path: &Path, schema: &SchemaRef) -> Result<Box<dyn Writer>, Error> {
    TextWriter::create(path, schema, |fields| {
        let mut header = String::new();
        for (i, field) in fields.iter().enumerate() {
            header.push_str(if i == 0 { "" } else { "," });
            quote(&field.name, &mut header);
        }
        header.push('\n');
        let columns = fields.iter().cloned().enumerate().collect();
        Ok((CsvForm::new(fields.len(), columns)?, header))
    })
}

/// What to say of a line that is one field: that its fields may be separated by something else.
pub fn separator_hint(line: &str) -> Option<String> {
    let other = [(';', "`;`"), ('\t', "a tab"), ('|', "`|`")];
    let (_, shown) = other.into_iter().find(|(other, _)| line.contains(*other))?;
    Some(format!(
        "\nare its fields separated by {shown}? They must be by `,`"
    ))
}
