//! A tensor that holds the elements of arrays: `[n, length]`, or `[n, length, k]` of k columns an
//! element.
//!
//! ```text
//! clicks [3, 7, 9], length 5, keep "last"   --->   tensor  3 7 9 0 0
//!                                                  mask    1 1 1 0 0
//! ```

use pelton_data::columns::{Columns, Literal, MemoryError, Native, Physical, Slot};
use pelton_model::Text;

use super::each::{Arena, Each};
use super::run::RunError;
use crate::definition::Keep;
use crate::expression::TensorColumns;

/// One sequence input of a model.
#[derive(Debug)]
pub(super) struct SequenceWork {
    pub each: Each,
    /// The arrays lie around the loop over items: one sequence for all of them.
    pub once: bool,
    pub keep: Keep,
    pub length: usize,
    /// What fills the own columns, where instructions do not.
    pub columns: TensorColumns,
    /// The first of the own columns, and how many an element has.
    pub own: Slot,
    pub width: usize,
    /// The first column of the tensor.
    pub into: Slot,
    /// What stands behind the last element, of the tensor's type; text for strings.
    pub pad: Literal,
    /// The first column of the tensor that is 1 where an element stands, else 0.
    pub mask: Option<Slot>,
}

impl SequenceWork {
    /// Computes the elements of a row; those of NULL are none.
    pub fn load(&self, around: &Columns, row: usize, arena: &mut Arena) -> Result<(), RunError> {
        let count = self.each.count(around, row)?.unwrap_or(0);
        let kept = count.min(self.length);
        let kept = match self.keep {
            Keep::First => 0..kept,
            Keep::Last => count - kept..count,
        };
        self.each.load(around, row, kept, arena)?;
        self.each.run(0..self.each.program.end(), arena)?;
        if arena.n > 0 {
            self.columns.fill(&mut arena.columns, arena.n)?;
        }
        Ok(())
    }

    /// Writes them into the tensor of a row.
    pub fn write(
        &self,
        arena: &Arena,
        target: &mut Columns,
        row: usize,
    ) -> Result<(), MemoryError> {
        match &self.pad {
            Literal::F32(pad) => self.cells(arena, target, row, *pad),
            Literal::F64(pad) => self.cells(arena, target, row, *pad),
            Literal::I64(pad) => self.cells(arena, target, row, *pad),
            pad => self.texts(arena, target, row, pad)?,
        }
        if let Some(mask) = self.mask {
            for place in 0..self.length {
                let stands = place < arena.n;
                match mask.physical {
                    Physical::F32 => target.set(mask.nth(place), row, f32::from(u8::from(stands))),
                    Physical::F64 => target.set(mask.nth(place), row, f64::from(u8::from(stands))),
                    _ => target.set(mask.nth(place), row, i64::from(stands)),
                }
            }
        }
        Ok(())
    }

    /// Copies what was written for the first row to all `n`.
    pub fn repeat(&self, target: &mut Columns, n: usize) {
        let cells = (0..self.length * self.width).map(|k| self.into.nth(k));
        let masks = self.mask.into_iter();
        let masks = masks.flat_map(|mask| (0..self.length).map(move |place| mask.nth(place)));
        for slot in cells.chain(masks) {
            match slot.physical {
                Physical::F32 => repeat::<f32>(target, slot, n),
                Physical::F64 => repeat::<f64>(target, slot, n),
                _ => repeat::<i64>(target, slot, n),
            }
        }
    }

    fn cells<T: Native>(&self, arena: &Arena, target: &mut Columns, row: usize, pad: T) {
        for place in 0..self.length {
            for k in 0..self.width {
                let value = match place < arena.n {
                    true => arena.columns.get(self.own.nth(k), place),
                    false => pad,
                };
                target.set(self.into.nth(place * self.width + k), row, value);
            }
        }
    }

    /// Strings move from the elements' heap to that of the tensor.
    fn texts(
        &self,
        arena: &Arena,
        target: &mut Columns,
        row: usize,
        pad: &Literal,
    ) -> Result<(), MemoryError> {
        let pad = match pad {
            Literal::Bytes(pad) => pad.as_slice(),
            _ => &[],
        };
        let push = |target: &mut Columns, text: &[u8]| {
            let view = target.push_text(text)?;
            let (offset, len) = (view.offset(), view.len());
            Ok::<_, MemoryError>(Text { offset, len }.cell())
        };
        let pad = push(target, pad)?;
        for place in 0..self.length {
            for k in 0..self.width {
                let cell = match place < arena.n {
                    true => {
                        let cell = Text::of(arena.columns.get(self.own.nth(k), place));
                        push(target, cell.bytes(arena.columns.heap()))?
                    }
                    false => pad,
                };
                target.set(self.into.nth(place * self.width + k), row, cell);
            }
        }
        Ok(())
    }
}

fn repeat<T: Native>(columns: &mut Columns, slot: Slot, n: usize) {
    let values = columns.values_mut::<T>(slot, n);
    let first = values[0];
    values.fill(first);
}
