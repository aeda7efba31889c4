//! Many rows in blocks: the columns of a model lie side by side for a few rows, and stay in the processor's caches.
//!
//! ```text
//! a region, n = 256:    | inputs [k][256] | what nobody outside sees       | outputs [k][256] |
//!                                         | all columns [columns][32] |
//! ```
//!
//! The memory of a block is that of the columns that are neither inputs nor outputs, so the caller gives little more:
//! where these are few, there are columns behind them that nobody has. Wide models run row by row: one row of theirs
//! fills the caches, and their products find many rows within it.

use std::ops::Range;

use crate::element::Region;
use crate::memory::{Memory, MemorySize, Tensor, Workspace};

/// Rows of a block.
const ROWS: usize = 32;
/// Bytes of all columns of a row from which on rows run one by one.
const WIDE: usize = 32 << 10;

/// How a model runs many rows.
#[derive(Debug)]
pub(crate) struct Blocks {
    pub rows: usize,
    size: MemorySize,
    /// The most columns side by side of each region that are neither inputs nor outputs.
    free: [Range<usize>; 3],
}

impl Blocks {
    /// What is added to the memory lets blocks fit from twice their rows on.
    pub fn new(inputs: &[Tensor], outputs: &[Tensor], memory: &mut MemorySize) -> Self {
        let size = *memory;
        let free = |region: Region, columns: &mut usize| {
            let tensors = inputs.iter().chain(outputs);
            let mut taken: Vec<_> = tensors
                .filter(|tensor| tensor.element.region() == region)
                .map(|tensor| (tensor.first, tensor.first + tensor.width))
                .collect();
            taken.sort_unstable();
            let (mut widest, mut end) = (0..0, 0);
            for (first, last) in taken {
                if first > end && first - end > widest.len() {
                    widest = end..first;
                }
                end = end.max(last);
            }
            let least = columns.div_ceil(2);
            if widest.len() < least.max(*columns - end) {
                *columns = (*columns).max(end + least);
                widest = end..*columns;
            }
            widest
        };
        let MemorySize { f32, f64, i64 } = size;
        let bytes = 4 * f32 + 8 * (f64 + i64);
        Self {
            rows: if bytes > WIDE { 1 } else { ROWS },
            size,
            free: [
                free(Region::F32, &mut memory.f32),
                free(Region::F64, &mut memory.f64),
                free(Region::I64, &mut memory.i64),
            ],
        }
    }

    /// Whether a block has room where the columns are `stride` values apart.
    pub fn fit(&self, stride: usize) -> bool {
        let MemorySize { f32, f64, i64 } = self.size;
        let fits =
            |(free, columns): (&Range<usize>, usize)| columns * self.rows <= free.len() * stride;
        self.free.iter().zip([f32, f64, i64]).all(fits)
    }

    /// Copies rows of the inputs into the block, runs it, and copies the outputs back.
    pub fn run<E>(
        &self,
        (inputs, outputs): (&[Tensor], &[Tensor]),
        rows: Range<usize>,
        memory: &mut Memory<'_>,
        run: impl FnOnce(&mut Workspace) -> Result<(), E>,
    ) -> Result<(), E> {
        let stride = memory.stride;
        let MemorySize { f32, f64, i64 } = self.size;
        let [free_f32, free_f64, free_i64] = &self.free;
        let mut f32 = Parts::new(memory.f32, free_f32, stride, f32 * self.rows);
        let mut f64 = Parts::new(memory.f64, free_f64, stride, f64 * self.rows);
        let mut i64 = Parts::new(memory.i64, free_i64, stride, i64 * self.rows);
        for tensor in inputs {
            match tensor.element.region() {
                Region::F32 => f32.copy_in(tensor, &rows, self.rows),
                Region::F64 => f64.copy_in(tensor, &rows, self.rows),
                Region::I64 => i64.copy_in(tensor, &rows, self.rows),
            }
        }
        run(&mut Workspace {
            f32: f32.block,
            f64: f64.block,
            i64: i64.block,
            text: memory.text,
            stride: self.rows,
            failure: None,
        })?;
        for tensor in outputs {
            match tensor.element.region() {
                Region::F32 => f32.copy_out(tensor, &rows, self.rows),
                Region::F64 => f64.copy_out(tensor, &rows, self.rows),
                Region::I64 => i64.copy_out(tensor, &rows, self.rows),
            }
        }
        Ok(())
    }
}

/// A region around a block.
struct Parts<'m, T> {
    before: &'m mut [T],
    block: &'m mut [T],
    behind: &'m mut [T],
    /// Where `behind` begins.
    second: usize,
    stride: usize,
}

impl<'m, T: Copy> Parts<'m, T> {
    fn new(region: &'m mut [T], free: &Range<usize>, stride: usize, block: usize) -> Self {
        let (before, rest) = region.split_at_mut(free.start * stride);
        let (free_values, behind) = rest.split_at_mut(free.len() * stride);
        Self {
            before,
            block: &mut free_values[..block],
            behind,
            second: free.end * stride,
            stride,
        }
    }

    /// Rows of a column of the caller, and of the block.
    fn column(
        &mut self,
        column: usize,
        rows: &Range<usize>,
        stride: usize,
    ) -> (&mut [T], &mut [T]) {
        let at = column * self.stride + rows.start;
        let outside = match at < self.before.len() {
            true => &mut self.before[at..],
            false => &mut self.behind[at - self.second..],
        };
        let inside = &mut self.block[column * stride..];
        (&mut outside[..rows.len()], &mut inside[..rows.len()])
    }

    fn copy_in(&mut self, tensor: &Tensor, rows: &Range<usize>, stride: usize) {
        for column in tensor.first..tensor.first + tensor.width {
            let (outside, inside) = self.column(column, rows, stride);
            inside.copy_from_slice(outside);
        }
    }

    fn copy_out(&mut self, tensor: &Tensor, rows: &Range<usize>, stride: usize) {
        for column in tensor.first..tensor.first + tensor.width {
            let (outside, inside) = self.column(column, rows, stride);
            outside.copy_from_slice(inside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::shape::Shape;

    #[test]
    fn blocks_fit_where_all_columns_of_a_region_are_inputs() {
        let ids = Tensor {
            name: "history".to_owned(),
            element: Element::Int64,
            shape: Shape::fixed(vec![101]),
            width: 101,
            first: 0,
            dictionary: None,
            keys: None,
        };
        for (f32, rows) in [(20_000, 1), (100, ROWS)] {
            let mut memory = MemorySize {
                f32,
                f64: 0,
                i64: 101,
            };
            let blocks = Blocks::new(std::slice::from_ref(&ids), &[], &mut memory);
            assert_eq!((blocks.rows, memory.f32), (rows, f32));
            assert!(blocks.fit(2 * rows), "{memory:?}");
        }
    }
}
