//! Which columns of a packed row are read, and where they go.

use pelton_data::Field;
use pelton_data::columns::{Physical, Slot};

/// Which columns of a packed row are read, and where they go. It needs no image, so that a plan
/// keeps its projection while images come and go.
#[derive(Debug, Clone)]
pub struct Projection {
    pub(super) chosen: Box<[(u32, Slot)]>,
}

impl Projection {
    /// The columns with the given numbers, of rows that have `columns`.
    ///
    /// # Panics
    /// If there is no column of a number, or its slot holds other values.
    pub fn new(columns: &[Field], chosen: &[(usize, Slot)]) -> Projection {
        let chosen = chosen.iter().map(|(number, slot)| {
            let Field {
                name, data_type, ..
            } = &columns[*number];
            assert_eq!(slot.physical, Physical::of(data_type), "column `{name}`");
            (*number as u32, *slot)
        });
        Projection {
            chosen: chosen.collect(),
        }
    }
}
