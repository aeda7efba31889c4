//! Tensors as columns of the caller's memory.
//!
//! ```text
//! a region (here f32), stride 4, n = 3 rows:
//!
//!   column 0      column 1      column 2
//!  [a0 a1 a2 .]  [b0 b1 b2 .]  [c0 c1 c2 .]      a tensor [n, 2] with first = 1 is b and c
//! ```

use std::sync::Arc;

use crate::element::{Element, Region};
use crate::shape::Shape;

/// A named input or output of a model: `width` consecutive columns of the region of its element.
///
/// The value of row `r` (below `n`) in column `c` (below `width`) lies at `region[(first + c) * stride + r]`. The columns
/// are the values of one row in row-major order of [`Shape::dims`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The name in the ONNX graph.
    pub name: String,
    /// The element type, which also says the region.
    pub element: Element,
    /// The dimensions for one row, and the axis that grows with the rows.
    pub shape: Shape,
    /// Values in a row: the product of the dimensions.
    pub width: usize,
    /// The first column in the region.
    pub first: usize,
    /// The strings that the codes of a string tensor stand for. A string tensor without is text: see [`Text`].
    pub dictionary: Option<Arc<[String]>>,
    /// The keys of a map, in the order of the columns: a map is the tensor `[n, keys]` of its values.
    pub keys: Option<Arc<Keys>>,
}

/// The keys of a map that is held as a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Numbers.
    Ints(Vec<i64>),
    /// Strings.
    Strings(Vec<String>),
}

impl Keys {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        match self {
            Keys::Ints(keys) => keys.len(),
            Keys::Strings(keys) => keys.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A string of a tensor: a place in [`Memory::text`], packed into a cell of the `i64` region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// The first byte.
    pub offset: u32,
    /// The length in bytes.
    pub len: u32,
}

impl Text {
    /// As a cell of the `i64` region.
    pub fn cell(self) -> i64 {
        i64::from(self.offset) | i64::from(self.len) << 32
    }

    /// What a cell means.
    pub fn of(cell: i64) -> Self {
        Self {
            offset: cell as u32,
            len: (cell >> 32) as u32,
        }
    }

    /// Its bytes; none where it is no place in `text`.
    pub fn bytes(self, text: &[u8]) -> &[u8] {
        let start = self.offset as usize;
        text.get(start..start + self.len as usize)
            .unwrap_or_default()
    }
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
    /// The bytes of strings. A model that makes strings adds theirs; the caller clears it between runs.
    pub text: &'a mut Vec<u8>,
    /// The distance between columns, in values; at least the number of rows.
    pub stride: usize,
}

/// What a row met that it cannot be computed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {message}")]
pub struct RunError {
    /// The row, below `n`.
    pub row: usize,
    /// The step: operator and node.
    pub step: String,
    /// What it met.
    pub message: String,
}

/// The memory of a run, as steps see it.
pub(crate) struct Workspace<'a> {
    pub f32: &'a mut [f32],
    pub f64: &'a mut [f64],
    pub i64: &'a mut [i64],
    pub text: &'a mut Vec<u8>,
    pub stride: usize,
    /// The first failure of the step that runs: the row, and what it met.
    pub failure: Option<(usize, String)>,
}

/// What a step may read while it writes.
pub(crate) struct Older<'m> {
    pub f32: &'m [f32],
    pub f64: &'m [f64],
    pub i64: &'m [i64],
    pub text: &'m [u8],
}

impl Workspace<'_> {
    /// Splits off the columns `to` and all younger ones of `U`'s region, to write to, from what is older.
    pub fn split<U: Cell>(&mut self, to: Columns) -> (Older<'_>, &mut [U]) {
        U::split(self, to.first * self.stride)
    }

    pub fn get<T: Cell>(&self, column: usize, row: usize) -> T {
        T::region(self)[column * self.stride + row]
    }

    pub fn set<T: Cell>(&mut self, column: usize, row: usize, value: T) {
        let at = column * self.stride + row;
        T::region_mut(self)[at] = value;
    }

    /// Says that a row cannot be computed; the first one counts.
    #[cold]
    pub fn fail(&mut self, row: usize, message: String) {
        if self.failure.is_none() {
            self.failure = Some((row, message));
        }
    }

    /// The cell of the string that stands from `start` to the end of the text.
    pub fn text_from(&mut self, row: usize, start: usize) -> i64 {
        let end = self.text.len();
        if end > u32::MAX as usize {
            self.text.truncate(start);
            self.fail(row, "the strings of this run pass 4 GiB".to_owned());
            return 0;
        }
        Text {
            offset: start as u32,
            len: (end - start) as u32,
        }
        .cell()
    }
}

/// A Rust type that holds values of a region.
pub(crate) trait Cell:
    Copy + PartialOrd + Default + std::fmt::Debug + Send + Sync + 'static
{
    const REGION: Region;
    fn region<'m>(memory: &'m Workspace<'_>) -> &'m [Self];
    fn region_mut<'m>(memory: &'m mut Workspace<'_>) -> &'m mut [Self];
    fn split<'m>(memory: &'m mut Workspace<'_>, at: usize) -> (Older<'m>, &'m mut [Self]);
    fn older<'m>(older: &Older<'m>) -> &'m [Self];
    fn constant(data: &Data) -> &[Self];
    fn data(values: Vec<Self>) -> Data;
}

macro_rules! cell {
    ($type:ty, $field:ident, $region:ident) => {
        impl Cell for $type {
            const REGION: Region = Region::$region;
            fn region<'m>(memory: &'m Workspace<'_>) -> &'m [Self] {
                memory.$field
            }
            fn region_mut<'m>(memory: &'m mut Workspace<'_>) -> &'m mut [Self] {
                memory.$field
            }
            #[inline(always)]
            fn split<'m>(memory: &'m mut Workspace<'_>, at: usize) -> (Older<'m>, &'m mut [Self]) {
                #[allow(unused_mut, reason = "one of the three is replaced")]
                let mut older = Older {
                    f32: &[],
                    f64: &[],
                    i64: &[],
                    text: memory.text,
                };
                cell!(@others older memory $field);
                let (old, young) = memory.$field.split_at_mut(at);
                older.$field = old;
                (older, young)
            }
            #[inline(always)]
            fn older<'m>(older: &Older<'m>) -> &'m [Self] {
                older.$field
            }
            fn constant(data: &Data) -> &[Self] {
                match data {
                    Data::$region(values) => values,
                    _ => &[],
                }
            }
            fn data(values: Vec<Self>) -> Data {
                Data::$region(values)
            }
        }
    };
    (@others $older:ident $memory:ident f32) => {
        $older.f64 = $memory.f64;
        $older.i64 = $memory.i64;
    };
    (@others $older:ident $memory:ident f64) => {
        $older.f32 = $memory.f32;
        $older.i64 = $memory.i64;
    };
    (@others $older:ident $memory:ident i64) => {
        $older.f32 = $memory.f32;
        $older.f64 = $memory.f64;
    };
}

cell!(f32, f32, F32);
cell!(f64, f64, F64);
cell!(i64, i64, I64);

/// The values of a constant, in the order of its dimensions; of strings the codes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::F32(values) => values.len(),
            Data::F64(values) => values.len(),
            Data::I64(values) => values.len(),
        }
    }
}

/// Columns of a region; which region, the element of the value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub first: usize,
    pub width: usize,
}

impl Columns {
    /// The part of `width` columns that begins `first` columns further on.
    pub fn part(self, first: usize, width: usize) -> Columns {
        Columns {
            first: self.first + first,
            width,
        }
    }

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
