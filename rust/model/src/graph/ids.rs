//! Which inputs are ids of tables, and how large the tables are: what the caller may check before a run.

use std::collections::HashMap;

/// Integer columns that hold the values of others, and the tables that are read by them.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// The column that a column is a copy of.
    copies: HashMap<usize, usize>,
    /// The size of the smallest table that is read by a column, which is no copy.
    sizes: HashMap<usize, usize>,
}

impl Ids {
    /// Says that the column `to` always holds what `from` does.
    pub fn copied(&mut self, from: usize, to: usize) {
        let origin = self.origin(from);
        self.copies.insert(to, origin);
    }

    /// Says that a column is written by other steps, too.
    pub fn changed(&mut self, column: usize) {
        self.copies.remove(&column);
    }

    /// Says that a column holds ids of a table of `size` entries.
    pub fn read(&mut self, column: usize, size: usize) {
        let origin = self.origin(column);
        let known = self.sizes.entry(origin).or_insert(size);
        *known = size.min(*known);
    }

    fn origin(&self, column: usize) -> usize {
        self.copies.get(&column).copied().unwrap_or(column)
    }

    /// The sizes by column.
    pub fn into_sizes(self) -> HashMap<usize, usize> {
        self.sizes
    }
}
