//! Runs a model over rows that come in arrays.

use pelton_model::{Element, Memory, Model, RunError, Tensor, Text};

use super::array::{Array, Places, Values, shape_of};
use super::inputs::Inputs;

/// The memory of a model for so many rows at a time.
pub struct Workplace<'a> {
    model: &'a Model,
    stride: usize,
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
    text: Vec<u8>,
}

/// The inputs of a call as they lie in memory: a column behind the other.
pub struct Call {
    rows: usize,
    columns: Vec<Columns>,
}

/// The values of a tensor, and where they begin in their region.
enum Columns {
    F32(usize, Vec<f32>),
    F64(usize, Vec<f64>),
    I64(usize, Vec<i64>),
    Text(usize, Vec<String>),
}

impl Call {
    /// `rows` rows from `start` on, behind the last the first, for a workplace of `stride` rows.
    pub fn new(inputs: &Inputs, start: usize, rows: usize, stride: usize) -> Call {
        let columns = inputs.arrays.iter().map(|input| {
            let (first, width) = (input.tensor.first * stride, input.tensor.width);
            let place = |at: usize| {
                let (column, row) = (at / stride, at % stride);
                input.place((start + row) % inputs.rows, column)
            };
            let places = (0..width * stride).map(place);
            match &input.array.values {
                Values::F32(all) => Columns::F32(first, places.map(|at| all[at]).collect()),
                Values::F64(all) => Columns::F64(first, places.map(|at| all[at]).collect()),
                Values::I64(all) => Columns::I64(first, places.map(|at| all[at]).collect()),
                Values::Text(all) => {
                    Columns::Text(first, places.map(|at| all[at].clone()).collect())
                }
            }
        });
        Call {
            rows,
            columns: columns.collect(),
        }
    }
}

impl<'a> Workplace<'a> {
    /// Takes memory for `stride` rows.
    pub fn new(model: &'a Model, stride: usize) -> Workplace<'a> {
        let size = model.memory();
        Workplace {
            model,
            stride,
            f32: vec![0.0; size.f32 * stride],
            f64: vec![0.0; size.f64 * stride],
            i64: vec![0; size.i64 * stride],
            text: Vec::new(),
        }
    }

    /// Writes the inputs of a call, and runs the model.
    pub fn run(&mut self, call: &Call) -> Result<(), RunError> {
        self.text.clear();
        for columns in &call.columns {
            match columns {
                Columns::F32(first, all) => self.f32[*first..][..all.len()].copy_from_slice(all),
                Columns::F64(first, all) => self.f64[*first..][..all.len()].copy_from_slice(all),
                Columns::I64(first, all) => self.i64[*first..][..all.len()].copy_from_slice(all),
                Columns::Text(first, all) => {
                    for (cell, text) in self.i64[*first..].iter_mut().zip(all) {
                        let (offset, len) = (self.text.len() as u32, text.len() as u32);
                        *cell = Text { offset, len }.cell();
                        self.text.extend_from_slice(text.as_bytes());
                    }
                }
            }
        }
        let mut memory = Memory {
            f32: &mut self.f32,
            f64: &mut self.f64,
            i64: &mut self.i64,
            text: &mut self.text,
            stride: self.stride,
        };
        self.model.run(call.rows, &mut memory)
    }
}

/// An output of all rows, while it is filled.
pub struct Output {
    pub tensor: Tensor,
    pub array: Array,
    places: Places,
}

impl Output {
    /// Room for `rows` rows of a tensor.
    pub fn new(tensor: &Tensor, rows: usize) -> Output {
        let count = tensor.width * rows;
        let values = match tensor.element {
            Element::Float => Values::F32(vec![0.0; count]),
            Element::Double => Values::F64(vec![0.0; count]),
            Element::String => Values::Text(vec![String::new(); count]),
            _ => Values::I64(vec![0; count]),
        };
        let array = Array {
            element: tensor.element,
            shape: shape_of(tensor, rows),
            values,
        };
        Output {
            places: Places::new(tensor, rows),
            tensor: tensor.clone(),
            array,
        }
    }

    /// Takes over the rows that have just run, of which the first is row `start` of all.
    pub fn take(&mut self, place: &Workplace<'_>, start: usize, rows: usize) {
        let Output {
            tensor,
            array,
            places,
        } = self;
        for column in 0..tensor.width {
            let first = (tensor.first + column) * place.stride;
            for row in 0..rows {
                let (from, to) = (first + row, places.of(start + row, column));
                match &mut array.values {
                    Values::F32(all) => all[to] = place.f32[from],
                    Values::F64(all) => all[to] = place.f64[from],
                    Values::I64(all) => all[to] = place.i64[from],
                    Values::Text(all) => all[to] = string(tensor, place.i64[from], &place.text),
                }
            }
        }
    }
}

/// The string of a cell: a code of the dictionary, or a place in the text.
fn string(tensor: &Tensor, cell: i64, text: &[u8]) -> String {
    match &tensor.dictionary {
        Some(dictionary) => dictionary[cell as usize].clone(),
        None => String::from_utf8_lossy(Text::of(cell).bytes(text)).into_owned(),
    }
}
