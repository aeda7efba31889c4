//! The inputs of a model, as arrays of a file.

use std::path::Path;

use pelton_decision::Error;
use pelton_model::{Model, Tensor};

use super::array::{Array, Places, expected_shape, rows_of};
use super::npz::Npz;
use super::show;

/// Values for every input of a model, in the model's order.
pub struct Inputs {
    /// Rows of all of them.
    pub rows: usize,
    pub arrays: Vec<Input>,
}

/// The values of an input.
pub struct Input {
    pub tensor: Tensor,
    pub array: Array,
    places: Places,
    /// The tensor does not grow with the rows, and all rows have the same values.
    shared: bool,
}

impl Inputs {
    /// Reads the arrays that are named as the inputs of the model; what is wrong with them is said of all at once.
    pub fn read(path: &Path, model: &Model) -> Result<Inputs, Error> {
        let mut npz = Npz::open(path)?;
        let mut errors = Vec::new();
        let mut arrays = Vec::new();
        for tensor in model.inputs() {
            let name = &tensor.name;
            if !npz.names.contains(name) {
                errors.push(npz.missing(name, &format!("{} of the model", show(tensor))));
                continue;
            }
            let array = npz.read(name)?;
            let found = array.show();
            match rows_of(tensor, &array.shape) {
                None => errors.push(format!(
                    "the array `{name}` is {found}, expected {} {}",
                    tensor.element.name(),
                    expected_shape(tensor)
                )),
                Some(rows) => match array.cast(tensor.element) {
                    Ok(array) => arrays.push((tensor, rows, array)),
                    Err(what) => errors.push(format!(
                        "the array `{name}` is {found}, expected {}: {what}",
                        show(tensor)
                    )),
                },
            }
        }
        if errors.is_empty() {
            let counted = arrays.into_iter().map(|(tensor, rows, array)| Counted {
                tensor: tensor.clone(),
                rows,
                array,
            });
            match Inputs::new(counted.collect()) {
                Ok(inputs) => return Ok(inputs),
                Err(message) => errors.push(message),
            }
        }
        Err(npz.invalid(&errors))
    }

    /// Puts inputs together that have as many rows as one another.
    pub fn new(counted: Vec<Counted>) -> Result<Inputs, String> {
        let most = counted.iter().max_by_key(|input| input.rows);
        let (rows, longest) = most.map_or((1, String::new()), |input| {
            (input.rows, input.tensor.name.clone())
        });
        let arrays = counted.into_iter().map(
            |Counted {
                 tensor,
                 rows: own,
                 array,
             }| {
                let shared = own == 1 && rows > 1 && tensor.shape.batch.is_none();
                if own != rows && !shared {
                    let name = &tensor.name;
                    return Err(format!(
                        "the array `{name}` has {own} rows, `{longest}` has {rows}"
                    ));
                }
                Ok(Input {
                    places: Places::new(&tensor, own),
                    tensor,
                    array,
                    shared,
                })
            },
        );
        Ok(Inputs {
            rows,
            arrays: arrays.collect::<Result<_, _>>()?,
        })
    }
}

/// An array that fits its tensor, and the rows that it has.
pub struct Counted {
    pub tensor: Tensor,
    pub rows: usize,
    pub array: Array,
}

impl Input {
    /// Where value `column` of row `row` stands in the array.
    pub fn place(&self, row: usize, column: usize) -> usize {
        self.places.of(if self.shared { 0 } else { row }, column)
    }
}
