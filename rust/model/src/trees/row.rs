//! The row of an ensemble: what its branches read, side by side.
//!
//! Only `x <= threshold` is fast, and it sends NaN to the second child. Comparisons the other way round, and branches
//! that send NaN to the first child, read another *view* of the feature instead: negated, or with NaN as -infinity. A
//! row holds the views that some branch reads; making them is a few dozen moves, the walk that follows is thousands.

use super::node::{CATEGORIES, Value, WORD};

/// How a branch reads a column of the input. The order puts equal conversions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct View {
    pub negated: bool,
    /// NaN reads as -infinity, which is at most every number.
    pub nan_is_least: bool,
    pub mask: Option<Mask>,
    pub column: u32,
}

/// Reads as the bit of its category, among those of a word; as none for what is no such category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mask {
    /// The categories `WORD * word ..`
    pub word: u32,
    /// NaN reads as all of them.
    pub nan: bool,
}

impl Mask {
    /// The view of a category, and its bit; `None` where `value` is no category.
    pub fn of<V: Value>(value: V, nan: bool) -> Option<(Self, u32)> {
        let category = value.category();
        let word = category / WORD;
        (category < CATEGORIES).then(|| (Self { word, nan }, 1 << (category % WORD)))
    }

    fn read<V: Value>(self, x: V) -> V {
        let category = x.category();
        V::of_bits(if x.is_nan() {
            if self.nan { u32::MAX } else { 0 }
        } else if category / WORD == self.word {
            1 << (category % WORD)
        } else {
            0
        })
    }
}

/// The views that the branches of an ensemble read, in the order of the row.
#[derive(Debug)]
pub(crate) struct Row {
    views: Vec<View>,
    plain: bool,
}

impl View {
    pub fn plain(column: u32) -> Self {
        Self {
            negated: false,
            nan_is_least: false,
            mask: None,
            column,
        }
    }

    fn is_plain(self) -> bool {
        self == Self::plain(self.column)
    }
}

impl Row {
    /// The row for branches that read `views`, all different, of an input of `width` columns.
    pub fn new(mut views: Vec<View>, width: usize) -> Self {
        if views.iter().all(|view| view.is_plain()) {
            // The columns as they are: the input may already lie as a row.
            return Self {
                views: (0..width as u32).map(View::plain).collect(),
                plain: true,
            };
        }
        views.sort_unstable();
        Self {
            views,
            plain: false,
        }
    }

    /// The place of `view` in the row, which holds it.
    pub fn place(&self, view: View) -> Option<u32> {
        self.views
            .binary_search(&view)
            .ok()
            .map(|place| place as u32)
    }

    /// Values in a row.
    pub fn width(&self) -> usize {
        self.views.len()
    }

    /// True when the row is the input itself.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Writes `n` rows, one after the other, from columns of `stride` values.
    pub fn gather<T: Copy, V: Value>(
        &self,
        n: usize,
        stride: usize,
        from: &[T],
        to: &mut [V],
        value: impl Fn(T) -> V,
    ) {
        if n == 1 {
            // One row: no view has a loop of its own.
            for (to, view) in to.iter_mut().zip(&self.views) {
                let x = value(from[view.column as usize * stride]);
                if let Some(mask) = view.mask {
                    *to = mask.read(x);
                    continue;
                }
                let x = if view.negated { -x } else { x };
                *to = if view.nan_is_least && x.is_nan() {
                    -V::INFINITY
                } else {
                    x
                };
            }
            return;
        }
        let width = self.views.len();
        let least = |x: V| if x.is_nan() { -V::INFINITY } else { x };
        for (place, view) in self.views.iter().enumerate() {
            let column = &from[view.column as usize * stride..][..n];
            let to = &mut to[place..];
            if let Some(mask) = view.mask {
                scatter(width, column, to, |x| mask.read(value(x)));
                continue;
            }
            match (view.negated, view.nan_is_least) {
                (false, false) => scatter(width, column, to, &value),
                (false, true) => scatter(width, column, to, |x| least(value(x))),
                (true, false) => scatter(width, column, to, |x| -value(x)),
                (true, true) => scatter(width, column, to, |x| least(-value(x))),
            }
        }
    }
}

/// Writes a column to every `width`-th value. (`step_by` divides by the width, which costs more than one value.)
#[inline(always)]
fn scatter<T: Copy, V>(width: usize, column: &[T], to: &mut [V], value: impl Fn(T) -> V) {
    for (row, x) in column.iter().enumerate() {
        to[row * width] = value(*x);
    }
}
