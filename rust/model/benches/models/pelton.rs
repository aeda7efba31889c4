//! Our executor, fed with the same rows.

use pelton_model::{Memory, Model, Tensor, Text};

use crate::case::{Input, Values};

/// Calls of a model, each with its inputs; they share the memory of one run.
pub struct Calls<'a> {
    model: &'a Model,
    n: usize,
    f32: Vec<f32>,
    f64: Vec<f64>,
    i64: Vec<i64>,
    text: Vec<u8>,
    calls: Vec<Vec<Columns>>,
    output: &'a Tensor,
}

/// The columns of an input, and where they begin in their region.
enum Columns {
    Floats(usize, Vec<f32>),
    Ids(usize, Vec<i64>),
    Texts(usize, Vec<String>),
}

impl<'a> Calls<'a> {
    /// Calls with `n` rows each, as many as `inputs` have rows for; the error is an input that cannot be fed.
    pub fn new(model: &'a Model, inputs: &[Input], n: usize, output: &str) -> Result<Self, String> {
        let size = model.memory();
        let output = model
            .outputs()
            .iter()
            .find(|tensor| tensor.name == output)
            .ok_or("no such output")?;
        let call = |call: usize| {
            let columns = inputs.iter().map(|input| {
                let tensor = model
                    .inputs()
                    .iter()
                    .find(|tensor| tensor.name == input.name);
                let first = tensor.ok_or("no such input")?.first * n;
                let part = call * n * input.width()..(call + 1) * n * input.width();
                match &input.values {
                    Values::Floats(all) => Ok(Columns::Floats(first, transposed(&all[part], n))),
                    Values::Ids(all) => Ok(Columns::Ids(first, transposed(&all[part], n))),
                    Values::Texts(all) => Ok(Columns::Texts(first, transposed(&all[part], n))),
                }
            });
            columns.collect::<Result<Vec<_>, String>>()
        };
        let calls = (0..inputs[0].rows() / n)
            .map(call)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            model,
            n,
            f32: vec![0.0; size.f32 * n],
            f64: vec![0.0; size.f64 * n],
            i64: vec![0; size.i64 * n],
            text: Vec::new(),
            calls,
            output,
        })
    }

    /// Writes the inputs and runs the model.
    pub fn run(&mut self, call: usize) {
        self.text.clear();
        for columns in &self.calls[call % self.calls.len()] {
            match columns {
                Columns::Floats(first, values) => {
                    self.f32[*first..][..values.len()].copy_from_slice(values)
                }
                Columns::Ids(first, values) => {
                    self.i64[*first..][..values.len()].copy_from_slice(values)
                }
                Columns::Texts(first, values) => {
                    for (cell, value) in self.i64[*first..].iter_mut().zip(values) {
                        let (offset, len) = (self.text.len() as u32, value.len() as u32);
                        *cell = Text { offset, len }.cell();
                        self.text.extend_from_slice(value.as_bytes());
                    }
                }
            }
        }
        let mut memory = Memory {
            f32: &mut self.f32,
            f64: &mut self.f64,
            i64: &mut self.i64,
            text: &mut self.text,
            stride: self.n,
        };
        let ran = self.model.run(self.n, &mut memory);
        ran.expect("rows that the model can compute");
    }

    /// The outputs of the last call, row after row.
    pub fn output(&self) -> Vec<f32> {
        let columns = &self.f32[self.output.first * self.n..][..self.output.width * self.n];
        transposed(columns, self.output.width)
    }
}

/// Row-major becomes feature-major when `outer` is the number of rows, and the other way round when it is the width.
fn transposed<T: Clone>(values: &[T], outer: usize) -> Vec<T> {
    let inner = values.len() / outer;
    (0..values.len())
        .map(|i| values[i % outer * inner + i / outer].clone())
        .collect()
}
