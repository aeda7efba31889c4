//! Tensors as columns of the caller's memory.
//!
//! ```text
//! a region (here f32), stride 4, n = 3 rows:
//!
//!   column 0      column 1      column 2
//!  [a0 a1 a2 .]  [b0 b1 b2 .]  [c0 c1 c2 .]      a tensor [n, 2] with first = 1 is b and c
//! ```

/// The element type of a tensor, as ONNX names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float, in the `f32` region.
    Float,
    /// 64-bit float, in the `f64` region.
    Double,
    /// 64-bit integer, in the `i64` region.
    Int64,
    /// 32-bit integer, widened in the `i64` region.
    Int32,
    /// 0 or 1 in the `i64` region.
    Bool,
    /// A code in the `i64` region: the index into [`Tensor::dictionary`].
    String,
}

impl Element {
    /// The name that ONNX gives the type, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Element::Float => "float",
            Element::Double => "double",
            Element::Int64 => "int64",
            Element::Int32 => "int32",
            Element::Bool => "bool",
            Element::String => "string",
        }
    }
}

/// A named input or output of a model: `width` consecutive columns of the region of its element.
///
/// The value of row `r` (below `n`) in column `c` (below `width`) lies at `region[(first + c) * stride + r]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name in the ONNX graph.
    pub name: String,
    /// The element type, which also says the region.
    pub element: Element,
    /// Values in a row: the second dimension of `[n, width]`, 1 for a scalar.
    pub width: usize,
    /// True for a tensor of rank 1, `[n]`.
    pub scalar: bool,
    /// The first column in the region.
    pub first: usize,
    /// The strings that the codes of a string tensor stand for; `None` for every other element.
    pub dictionary: Option<Vec<String>>,
}

/// How many columns of each region a model needs: inputs, outputs and everything between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemorySize {
    /// Columns of 32-bit floats.
    pub f32: usize,
    /// Columns of 64-bit floats.
    pub f64: usize,
    /// Columns of 64-bit integers.
    pub i64: usize,
}

/// The caller's memory for one run: each region holds at least [`MemorySize`] columns of `stride` values.
#[derive(Debug)]
pub struct Memory<'a> {
    /// Columns of float tensors.
    pub f32: &'a mut [f32],
    /// Columns of double tensors.
    pub f64: &'a mut [f64],
    /// Columns of int64, int32 and bool tensors, and of string codes.
    pub i64: &'a mut [i64],
    /// The distance between columns, in values; at least the number of rows.
    pub stride: usize,
}

/// Columns of a region; which region, the element of the value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub first: usize,
    pub width: usize,
}

impl Columns {
    /// The columns as one slice, `width * stride` values.
    pub fn of<T>(self, region: &[T], stride: usize) -> &[T] {
        &region[self.first * stride..(self.first + self.width) * stride]
    }

    /// The columns as one slice, `width * stride` values.
    pub fn of_mut<T>(self, region: &mut [T], stride: usize) -> &mut [T] {
        &mut region[self.first * stride..(self.first + self.width) * stride]
    }

    /// Columns to read and younger columns to write of the same region.
    pub fn and_younger<T>(
        self,
        younger: Columns,
        region: &mut [T],
        stride: usize,
    ) -> (&[T], &mut [T]) {
        let (old, young) = region.split_at_mut(younger.first * stride);
        (self.of(old, stride), &mut young[..younger.width * stride])
    }
}

/// Writes `f(column, value)` for every value of rows `0..n` in `width` columns.
#[inline(always)]
pub(crate) fn map_columns<T: Copy, U>(
    n: usize,
    stride: usize,
    width: usize,
    from: &[T],
    to: &mut [U],
    f: impl Fn(usize, T) -> U,
) {
    if n == 1 {
        // No slices for single values: this is where the time of one record goes.
        for column in 0..width {
            to[column * stride] = f(column, from[column * stride]);
        }
        return;
    }
    for column in 0..width {
        let (from, to) = (
            &from[column * stride..][..n],
            &mut to[column * stride..][..n],
        );
        for (from, to) in from.iter().zip(to) {
            *to = f(column, *from);
        }
    }
}
