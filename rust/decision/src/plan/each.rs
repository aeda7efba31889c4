//! Elements of arrays as rows of their own: what `for_each` and sequences loop over.
//!
//! ```text
//! the columns around           the columns of the elements
//!   items  [a, b, c]   --->      item         a   b   c
//!   age    31          --->      age          31  31  31     what expressions use of around
//!                                item.price   ..  ..  ..     instructions of their own
//! ```

use std::ops::Range;

use pelton_data::DataType;
use pelton_data::columns::{Columns, Layout, MemoryError, Physical, Slot, View};
use pelton_data::nested::{ArrayView, NestedError, read_element};

use super::run::RunError;
use crate::expression::{EvalError, EvalErrorKind, Program, Selections};

/// A loop over the elements of arrays: its columns, and the instructions over them.
#[derive(Debug)]
pub(super) struct Each {
    /// "model `rank`", for errors.
    pub title: String,
    /// Elements in the same place belong together.
    pub arrays: Vec<Elements>,
    /// What is the same for all elements: a column around, and the own one.
    pub outer: Vec<(Slot, Slot)>,
    /// The most elements that are loaded at once.
    pub most: usize,
    pub layout: Layout,
    pub program: Program,
}

/// The elements of one array.
#[derive(Debug)]
pub(super) struct Elements {
    /// The column around.
    pub array: Slot,
    /// The type of an element.
    pub element: DataType,
    /// The column of the elements.
    pub own: Slot,
}

/// The state of a loop. It grows with the elements that it has seen.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub columns: Columns,
    selections: Selections,
    /// How many elements are loaded.
    pub n: usize,
    /// Where values are put together.
    pub memory: Vec<u8>,
}

impl Each {
    /// How many elements a row around has; `None` where an array is NULL.
    pub fn count(&self, around: &Columns, row: usize) -> Result<Option<usize>, RunError> {
        let mut count = None;
        for elements in &self.arrays {
            let Some(array) = around.value::<View>(elements.array, row) else {
                return Ok(None);
            };
            let array = ArrayView::new(around.bytes(array), &elements.element);
            let len = array.map_err(|cause| self.damaged(cause))?.len();
            match count {
                Some(other) if other != len => {
                    return Err(self.failed(format!(
                        "arrays of {other} and {len} elements do not go together"
                    )));
                }
                _ => count = Some(len),
            }
        }
        Ok(count)
    }

    /// Loads some elements of a row around, which has them, and runs the instructions over them.
    pub fn load(
        &self,
        around: &Columns,
        row: usize,
        kept: Range<usize>,
        arena: &mut Arena,
    ) -> Result<(), RunError> {
        self.fit(kept.len(), arena)?;
        if arena.n == 0 {
            return Ok(());
        }
        let columns = &mut arena.columns;
        for (from, own) in &self.outer {
            let value = around.scalar(*from, row);
            let value = value.map(|value| value.map(|view| around.bytes(view)));
            columns.repeat(*own, arena.n, value)?;
        }
        for elements in &self.arrays {
            let array = around.bytes(around.get(elements.array, row));
            let loaded = elements.load(array, kept.clone(), columns);
            loaded.map_err(|cause| self.damaged(cause))?;
        }
        Ok(())
    }

    /// Runs instructions over the elements that are loaded.
    pub fn run(&self, range: Range<u32>, arena: &mut Arena) -> Result<(), RunError> {
        let Arena {
            columns,
            selections,
            n,
            ..
        } = arena;
        match *n {
            0 => Ok(()),
            n => Ok(self.program.run(range, columns, selections, n)?),
        }
    }

    /// Makes room for so many elements, and forgets those before.
    fn fit(&self, n: usize, arena: &mut Arena) -> Result<(), MemoryError> {
        arena.n = n;
        if n > arena.columns.capacity() {
            let capacity = n.next_power_of_two().min(self.most);
            arena.columns = Columns::new(&self.layout, capacity)?;
            arena.selections = Selections::new(&self.program, capacity)?;
        }
        arena.columns.clear();
        Ok(())
    }

    /// An error of the record.
    pub fn failed(&self, message: String) -> RunError {
        RunError::Eval(EvalError {
            kind: EvalErrorKind::Failed,
            message: format!("{message}, in {}", self.title),
        })
    }

    fn damaged(&self, cause: NestedError) -> RunError {
        match cause {
            NestedError::Memory(cause) => RunError::Memory(cause),
            broken => self.failed(format!("a nested value is damaged: {broken}")),
        }
    }
}

impl Elements {
    fn load(
        &self,
        array: &[u8],
        kept: Range<usize>,
        columns: &mut Columns,
    ) -> Result<(), NestedError> {
        // Parts of the array's bytes go with the whole: damaged ones may name a large part many times.
        if Physical::of(&self.element) == Physical::View {
            let array = columns.push_text(array)?;
            let mut kept = kept.enumerate();
            return kept.try_for_each(|(i, at)| {
                read_element(columns, array, &self.element, at, self.own, i)
            });
        }
        let array = ArrayView::new(array, &self.element)?;
        for (i, at) in kept.enumerate() {
            columns.put_scalar(self.own, i, array.get(at)?);
        }
        Ok(())
    }
}
