//! Values as people read them.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Literal, Slot};

/// The value of a column of the record at hand.
pub fn held(columns: &Columns, slot: Slot, data_type: &DataType) -> String {
    constant(&columns.literal(slot, 0), data_type)
}

/// A constant.
pub fn constant(literal: &Literal, data_type: &DataType) -> String {
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::I8(value) if *data_type == DataType::Boolean => {
            (*value != 0).to_string().to_uppercase()
        }
        Literal::I8(value) => value.to_string(),
        Literal::I16(value) => value.to_string(),
        Literal::I32(value) => value.to_string(),
        Literal::I64(value) => value.to_string(),
        Literal::F32(value) => value.to_string(),
        Literal::F64(value) => value.to_string(),
        Literal::Timestamp(value) => format!("{} ms and {} ns", value.millis, value.nanos),
        Literal::Bytes(value) => {
            format!("'{}'", String::from_utf8_lossy(value).replace('\'', "''"))
        }
        Literal::I128(value) => value.to_string(),
    }
}
