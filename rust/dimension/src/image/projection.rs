//! Which columns of a packed row are read, and where they go.

use pelton_data::Field;
use pelton_data::binary_row::RowReader;
use pelton_data::columns::Slot;

/// Which columns of a packed row are read, and where they go.
#[derive(Debug, Clone)]
pub struct Projection {
    pub(super) reader: RowReader,
}

impl Projection {
    /// The columns with the given numbers, of rows that have `columns`.
    ///
    /// # Panics
    /// If there is no column of a number.
    pub fn new(columns: &[Field], chosen: &[(usize, Slot)]) -> Projection {
        let chosen = chosen.iter();
        let fields: Vec<_> = chosen
            .map(|(i, slot)| (*i, columns[*i].data_type.clone(), *slot))
            .collect();
        Projection {
            reader: RowReader::new(&fields, columns.len()),
        }
    }
}
