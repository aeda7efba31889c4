//! Which rows an instruction works on.
//!
//! A branch of a CASE is evaluated for the rows that take it, and for no others: they are listed
//! in a selection. The lists of one evaluation lie in one buffer, `capacity` places each.

use pelton_data::columns::MemoryError;

use super::program::{Program, Resource};

/// The name of a selection within a [`Program`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SelectionId(pub(super) u32);

impl SelectionId {
    /// All rows of the call.
    pub const ALL: SelectionId = SelectionId(0);
}

/// The selections of one evaluation, and what else a kernel needs for a moment. Sized once, like
/// the columns; a run allocates nothing.
#[derive(Debug, Default)]
pub struct Selections {
    capacity: usize,
    rows: Vec<u32>,
    counts: Vec<u32>,
    /// Where a kernel puts a string together; empty between instructions.
    pub(super) text: Vec<u8>,
    /// The program's resources.
    pub(super) resources: Vec<Resource>,
}

impl Selections {
    /// Room for the selections of `program` over up to `capacity` rows.
    pub fn new(program: &Program, capacity: usize) -> Result<Selections, MemoryError> {
        let lists = program.selections();
        let cells = lists.saturating_mul(capacity);
        let mut rows = Vec::new();
        let exhausted = |_| MemoryError::Exhausted(cells.saturating_mul(size_of::<u32>()));
        rows.try_reserve_exact(cells).map_err(exhausted)?;
        rows.resize(cells, 0);
        Ok(Selections {
            capacity,
            rows,
            counts: vec![0; lists],
            text: Vec::new(),
            resources: program.resources.iter().map(Resource::of_one).collect(),
        })
    }

    /// How many rows of `n` are selected.
    #[inline(always)]
    pub(super) fn count(&self, id: SelectionId, n: usize) -> usize {
        match id {
            SelectionId::ALL => n,
            SelectionId(id) => self.counts[id as usize - 1] as usize,
        }
    }

    /// The row in place `at` of a selection.
    #[inline(always)]
    pub(super) fn row(&self, id: SelectionId, at: usize) -> usize {
        match id {
            SelectionId::ALL => at,
            SelectionId(id) => self.rows[(id as usize - 1) * self.capacity + at] as usize,
        }
    }

    /// Forgets the rows of a selection.
    pub(super) fn clear(&mut self, id: SelectionId) {
        self.counts[id.0 as usize - 1] = 0;
    }

    /// Adds a row to a selection.
    #[inline(always)]
    pub(super) fn push(&mut self, id: SelectionId, row: usize) {
        let list = id.0 as usize - 1;
        let count = &mut self.counts[list];
        self.rows[list * self.capacity + *count as usize] = row as u32;
        *count += 1;
    }
}
