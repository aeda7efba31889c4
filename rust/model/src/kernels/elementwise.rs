//! Functions of one, two or three values, for every value of a tensor, with broadcasting.
//!
//! What is broadcast is known at load: an operand has the number of its value for every value that comes out, unless
//! these are the same.

use crate::graph::Value;
use crate::memory::{Cell, Columns, Older, Workspace, map_columns};
use crate::operators::Step;
use crate::shape::Shape;

/// What a function reads: columns or a constant, broadcast to the shape of what it makes.
pub(crate) struct Operand<T> {
    columns: Columns,
    constant: Option<Vec<T>>,
    index: Option<Vec<u32>>,
}

impl<T: Cell> Operand<T> {
    /// `value` broadcast to `shape`.
    pub fn new(value: &Value, shape: &Shape) -> Self {
        Self {
            columns: value.own_columns(),
            constant: value.values::<T>().map(<[T]>::to_vec),
            index: shape.broadcast_index(&value.shape),
        }
    }

    fn source<'m>(&'m self, older: &Older<'m>, stride: usize) -> Source<'m, T> {
        match &self.constant {
            Some(values) => Source {
                values,
                stride: 1,
                index: self.index.as_deref(),
                constant: true,
            },
            None => Source {
                values: self.columns.of(T::older(older), stride),
                stride,
                index: self.index.as_deref(),
                constant: false,
            },
        }
    }
}

/// An operand during a run.
#[derive(Clone, Copy)]
struct Source<'m, T> {
    values: &'m [T],
    stride: usize,
    index: Option<&'m [u32]>,
    constant: bool,
}

/// A column of an operand.
enum Lane<'m, T> {
    Same(T),
    Rows(&'m [T]),
}

impl<'m, T: Cell> Source<'m, T> {
    #[inline(always)]
    fn place(&self, k: usize) -> usize {
        self.stride * self.index.map_or(k, |index| index[k] as usize)
    }

    #[inline(always)]
    fn first(&self, k: usize) -> T {
        self.values[self.place(k)]
    }

    #[inline(always)]
    fn lane(&self, k: usize, n: usize) -> Lane<'m, T> {
        match self.constant {
            true => Lane::Same(self.first(k)),
            false => Lane::Rows(&self.values[self.place(k)..][..n]),
        }
    }

    /// All values, where they lie side by side as they are read.
    #[inline(always)]
    fn plain(&self, width: usize) -> Option<&'m [T]> {
        (self.stride == 1 && self.index.is_none()).then(|| &self.values[..width])
    }
}

/// `to = f(a)`, of tensors of the same shape.
pub(crate) struct Map1<T, U, F> {
    pub from: Columns,
    pub to: Columns,
    pub f: F,
    pub types: std::marker::PhantomData<fn(T) -> U>,
}

impl<T: Cell, U: Cell, F: Fn(T) -> U + Send + Sync> Step for Map1<T, U, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width) = (memory.stride, self.to.width);
        let (older, to) = memory.split::<U>(self.to);
        let from = self.from.of(T::older(&older), stride);
        if n == stride {
            for (to, from) in to.iter_mut().zip(from) {
                *to = (self.f)(*from);
            }
            return;
        }
        map_columns(n, stride, width, from, to, |_, x| (self.f)(x));
    }
}

/// `to = f(a, b)`, broadcast.
pub(crate) struct Map2<A, B, U, F> {
    pub a: Operand<A>,
    pub b: Operand<B>,
    pub to: Columns,
    pub f: F,
    pub made: std::marker::PhantomData<fn() -> U>,
}

impl<A: Cell, B: Cell, U: Cell, F: Fn(A, B) -> U + Send + Sync> Step for Map2<A, B, U, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width, f) = (memory.stride, self.to.width, &self.f);
        let (older, to) = memory.split::<U>(self.to);
        let (a, b) = (self.a.source(&older, stride), self.b.source(&older, stride));
        if n == 1 {
            match (a.plain(width), b.plain(width)) {
                (Some(a), Some(b)) if stride == 1 => {
                    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                        *to = f(*a, *b);
                    }
                }
                _ => (0..width).for_each(|k| to[k * stride] = f(a.first(k), b.first(k))),
            }
            return;
        }
        for k in 0..width {
            let to = to[k * stride..][..n].iter_mut();
            match (a.lane(k, n), b.lane(k, n)) {
                (Lane::Rows(a), Lane::Rows(b)) => {
                    to.zip(a).zip(b).for_each(|((to, a), b)| *to = f(*a, *b));
                }
                (Lane::Rows(a), Lane::Same(b)) => to.zip(a).for_each(|(to, a)| *to = f(*a, b)),
                (Lane::Same(a), Lane::Rows(b)) => to.zip(b).for_each(|(to, b)| *to = f(a, *b)),
                (Lane::Same(a), Lane::Same(b)) => to.for_each(|to| *to = f(a, b)),
            }
        }
    }
}

/// `to = if choice { a } else { b }`, broadcast.
pub(crate) struct Choose<T> {
    pub choice: Operand<i64>,
    pub a: Operand<T>,
    pub b: Operand<T>,
    pub to: Columns,
}

impl<T: Cell> Step for Choose<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width) = (memory.stride, self.to.width);
        let (older, to) = memory.split::<T>(self.to);
        let choice = self.choice.source(&older, stride);
        let (a, b) = (self.a.source(&older, stride), self.b.source(&older, stride));
        for k in 0..width {
            let (choice, a, b) = (choice.lane(k, n), a.lane(k, n), b.lane(k, n));
            for (row, to) in to[k * stride..][..n].iter_mut().enumerate() {
                *to = if choice.at(row) != 0 {
                    a.at(row)
                } else {
                    b.at(row)
                };
            }
        }
    }
}

impl<T: Copy> Lane<'_, T> {
    #[inline(always)]
    fn at(&self, row: usize) -> T {
        match self {
            Lane::Same(value) => *value,
            Lane::Rows(values) => values[row],
        }
    }
}
