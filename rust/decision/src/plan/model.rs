//! A model's run: tensors filled, the model, tensors read; for a record, or for each of its items.

use std::ops::Range;
use std::sync::Arc;

use pelton_data::DataType;
use pelton_data::columns::{Columns, Slot};
use pelton_data::nested::ArrayWriter;
use pelton_model::{Element, Memory, Model, Tensor};

use super::each::{Arena, Each};
use super::run::{RunError, Scratch};
use super::sequence::SequenceWork;
use crate::expression::TensorColumns;

/// A model over its block of columns.
#[derive(Debug)]
pub struct ModelWork {
    /// The record's instructions that compute what the input tensors take.
    pub(super) inputs: Range<u32>,
    /// The record's instructions that turn output tensors into columns, where they are not one already.
    pub(super) outputs: Range<u32>,
    /// Its place in [`Scratch::models`].
    pub(super) place: usize,
    /// The items whose rows the model sees; `None` where it sees the record's.
    pub(super) items: Option<Items>,
    pub(super) tensors: Tensors,
}

/// The items of a record, and the ARRAYs that come of them.
#[derive(Debug)]
pub(super) struct Items {
    pub each: Each,
    /// The items' instructions, as those of [`ModelWork`].
    pub inputs: Range<u32>,
    pub outputs: Range<u32>,
    /// A column of the items, the type of its values, and the record's column of ARRAYs.
    pub arrays: Vec<(Slot, DataType, Slot)>,
}

/// What fills a model's tensors, and the model.
#[derive(Debug)]
pub(super) struct Tensors {
    pub columns: TensorColumns,
    pub sequences: Vec<SequenceWork>,
    /// Behind all of them: ids that are outside of their tables are replaced.
    pub ids: Vec<IdCheck>,
    pub model: Arc<Model>,
    pub f32: (Slot, usize),
    pub f64: (Slot, usize),
    pub i64: (Slot, usize),
}

/// The ids in a column of a tensor, which stay in their table.
#[derive(Debug)]
pub(super) struct IdCheck {
    pub column: Slot,
    /// Entries of the table.
    pub size: i64,
    /// What stands for an id that is outside of it.
    pub id: i64,
}

/// The loops of a model.
#[derive(Debug)]
pub(super) struct ModelScratch {
    items: Arena,
    /// One a sequence.
    sequences: Vec<Arena>,
}

impl ModelWork {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.tensors.model
    }

    /// The first column of a tensor of the model, among the columns of the rows that it sees.
    pub fn tensor(&self, tensor: &Tensor) -> Slot {
        let (region, _) = match tensor.element {
            Element::Float => self.tensors.f32,
            Element::Double => self.tensors.f64,
            _ => self.tensors.i64,
        };
        region.nth(tensor.first)
    }

    /// The rows that the model saw in the last run of a single record, and how many.
    pub fn rows<'s>(&self, scratch: &'s Scratch) -> (&'s Columns, usize) {
        match &self.items {
            None => (&scratch.columns, 1),
            Some(_) => {
                let arena = &scratch.models[self.place].items;
                (&arena.columns, arena.n)
            }
        }
    }

    /// Whether it runs for each item.
    pub fn has_items(&self) -> bool {
        self.items.is_some()
    }

    pub(super) fn scratch(&self) -> ModelScratch {
        let sequences = self.tensors.sequences.iter();
        ModelScratch {
            items: Arena::default(),
            sequences: sequences.map(|_| Arena::default()).collect(),
        }
    }

    /// Runs it over the first `n` rows of a record's columns.
    pub(super) fn run(
        &self,
        columns: &mut Columns,
        scratch: &mut ModelScratch,
        n: usize,
        title: &str,
    ) -> Result<(), RunError> {
        if let Some(items) = &self.items {
            return (0..n).try_for_each(|row| self.run_items(items, columns, row, scratch, title));
        }
        for (sequence, arena) in self.tensors.sequences.iter().zip(&mut scratch.sequences) {
            sequence.fill(columns, n, arena)?;
        }
        self.tensors.run(columns, n, &|_| title.to_owned())
    }

    fn run_items(
        &self,
        items: &Items,
        record: &mut Columns,
        row: usize,
        scratch: &mut ModelScratch,
        title: &str,
    ) -> Result<(), RunError> {
        let Some(n) = items.each.count(record, row)? else {
            let arrays = items.arrays.iter();
            arrays.for_each(|(_, _, array)| record.set_valid(*array, row, false));
            scratch.items.n = 0;
            return Ok(());
        };
        if n > items.each.most {
            let most = items.each.most;
            return Err(items
                .each
                .failed(format!("{n} items, where `max_items` = {most}")));
        }
        let arena = &mut scratch.items;
        items.each.load(record, row, 0..n, arena)?;
        if n > 0 {
            items.each.run(items.inputs.clone(), arena)?;
            for (sequence, own) in self.tensors.sequences.iter().zip(&mut scratch.sequences) {
                match sequence.once {
                    true => {
                        sequence.load(record, row, own)?;
                        sequence.write(own, &mut arena.columns, 0)?;
                        sequence.repeat(&mut arena.columns, n);
                    }
                    false => sequence.fill(&mut arena.columns, n, own)?,
                }
            }
            let item = |item: usize| format!("{title}, item {}", item + 1);
            self.tensors.run(&mut arena.columns, n, &item)?;
            items.each.run(items.outputs.clone(), arena)?;
        }
        for (from, element, array) in &items.arrays {
            let memory = std::mem::take(&mut arena.memory);
            let mut writer = ArrayWriter::reuse(memory, element, n)?;
            for item in 0..n {
                let value = arena.columns.scalar(*from, item);
                writer.push(value.map(|value| value.map(|view| arena.columns.bytes(view))))?;
            }
            arena.memory = writer.finish();
            let view = record.push_text(&arena.memory)?;
            record.put(*array, row, Some(view));
        }
        Ok(())
    }
}

impl SequenceWork {
    /// The sequences of the first `n` rows of the columns that hold both arrays and tensor.
    fn fill(&self, columns: &mut Columns, n: usize, arena: &mut Arena) -> Result<(), RunError> {
        for row in 0..n {
            self.load(columns, row, arena)?;
            self.write(arena, columns, row)?;
        }
        Ok(())
    }
}

impl Tensors {
    /// Runs the model over the first `n` rows; `title` names a row in errors.
    fn run(
        &self,
        columns: &mut Columns,
        n: usize,
        title: &dyn Fn(usize) -> String,
    ) -> Result<(), RunError> {
        self.columns.fill(columns, n)?;
        for IdCheck { column, size, id } in &self.ids {
            for value in columns.values_mut::<i64>(*column, n) {
                if !(0..*size).contains(value) {
                    *value = *id;
                }
            }
        }
        let stride = columns.capacity();
        let (f32, f64, i64, text) = columns.blocks(self.f32, self.f64, self.i64);
        let mut memory = Memory {
            f32,
            f64,
            i64,
            text,
            stride,
        };
        let ran = self.model.run(n, &mut memory);
        ran.map_err(|cause| RunError::Model {
            title: title(cause.row),
            cause,
        })
    }
}
