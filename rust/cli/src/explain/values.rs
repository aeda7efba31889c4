//! Values as people read them: as SQL literals.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Literal, Slot};
use pelton_data::value::{Value, ValueError};

/// The value of a column of the record at hand.
pub fn held(columns: &Columns, slot: Slot, data_type: &DataType) -> String {
    shown(Value::of(columns, slot, 0, data_type), data_type)
}

/// The values of a column of items, as many as are read at a glance.
pub fn items(columns: &Columns, n: usize, slot: Slot, data_type: &DataType) -> String {
    let first =
        (0..n.min(ITEMS)).map(|item| shown(Value::of(columns, slot, item, data_type), data_type));
    let first = first.collect::<Vec<_>>().join("; ");
    match n.saturating_sub(ITEMS) {
        _ if n == 0 => "no items".to_owned(),
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

/// More items are counted, not shown.
const ITEMS: usize = 5;

/// A constant.
pub fn constant(literal: &Literal, data_type: &DataType) -> String {
    shown(Value::of_scalar(literal.scalar(), data_type), data_type)
}

/// What cannot be read says why, in its place: the other values are worth as much as before.
fn shown(value: Result<Value, ValueError>, data_type: &DataType) -> String {
    match value {
        Ok(value) => value.show(data_type).to_string(),
        Err(cause) => format!("({cause})"),
    }
}
