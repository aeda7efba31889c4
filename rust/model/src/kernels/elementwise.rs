//! Functions of one, two or three values, for every value of a tensor, with broadcasting.
//!
//! What is broadcast is known at load: an operand has the number of its value for every value that comes out, unless
//! these are the same.

use super::lanes::{Loops, dispatch_loops};
use crate::cpu::Cpu;
use crate::graph::Value;
use crate::memory::{Cell, Columns, Older, Workspace, map_columns};
use crate::operators::Step;
use crate::shape::Shape;

/// What a function reads: columns or a constant, broadcast to the shape of what it makes.
pub(crate) struct Operand<T> {
    columns: Columns,
    constant: Option<Vec<T>>,
    index: Option<Vec<u32>>,
    runs: Runs,
}

/// How the values of an operand follow each other: runs of so many neighbours, or of one value.
#[derive(Debug, Clone, Copy)]
struct Runs {
    len: usize,
    one: bool,
}

impl Runs {
    /// The longest runs of which an index is made.
    fn of(index: &[u32]) -> Self {
        let run = |step: u32| {
            let begins = |run: &[u32]| {
                let places = run.iter().zip(0..);
                places
                    .take_while(|(at, i)| **at == run[0] + i * step)
                    .count()
            };
            let len = begins(index).max(1);
            let whole = index.chunks(len).all(|run| begins(run) == len);
            if whole { len } else { 1 }
        };
        let (same, beside) = (run(0), run(1));
        Self {
            len: same.max(beside),
            one: same > beside,
        }
    }
}

impl<T: Cell> Operand<T> {
    /// `value` broadcast to `shape`.
    pub fn new(value: &Value, shape: &Shape) -> Self {
        let index = shape.broadcast_index(&value.shape);
        let all = Runs {
            len: shape.width(),
            one: false,
        };
        Self {
            columns: value.own_columns(),
            constant: value.values::<T>().map(<[T]>::to_vec),
            runs: index.as_deref().map_or(all, Runs::of),
            index,
        }
    }

    fn source<'m>(&'m self, older: &Older<'m>, stride: usize) -> Source<'m, T> {
        match &self.constant {
            Some(values) => Source {
                values,
                stride: 1,
                index: self.index.as_deref(),
                runs: self.runs,
                constant: true,
            },
            None => Source {
                values: self.columns.of(T::older(older), stride),
                stride,
                index: self.index.as_deref(),
                runs: self.runs,
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
    runs: Runs,
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

    /// Values from `k` on of a single row: part of a run.
    #[inline(always)]
    fn run(&self, k: usize, len: usize) -> Lane<'m, T> {
        match self.runs.one {
            true => Lane::Same(self.first(k)),
            false => Lane::Rows(&self.values[self.place(k)..][..len]),
        }
    }

    /// All values of `n` rows, where they lie side by side as they are read.
    #[inline(always)]
    fn plain(&self, n: usize) -> Option<&'m [T]> {
        (self.stride == n && self.index.is_none()).then_some(self.values)
    }
}

/// `to = f(a)`, of tensors of the same shape.
pub(crate) struct Map1<T, U, F> {
    pub cpu: Cpu,
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
            return dispatch_loops(self.cpu, Each(from, to, &self.f));
        }
        map_columns(n, stride, width, from, to, |_, x| (self.f)(x));
    }
}

/// Values, what becomes of each, and by which function.
struct Each<'m, T, U, F>(&'m [T], &'m mut [U], &'m F);

impl<T: Cell, U: Cell, F: Fn(T) -> U> Loops for Each<'_, T, U, F> {
    #[inline(always)]
    fn run(self) {
        for (to, from) in self.1.iter_mut().zip(self.0) {
            *to = (self.2)(*from);
        }
    }
}

/// `to = f(a, b)`, broadcast.
pub(crate) struct Map2<A, B, U, F> {
    pub cpu: Cpu,
    pub a: Operand<A>,
    pub b: Operand<B>,
    pub to: Columns,
    pub f: F,
    pub made: std::marker::PhantomData<fn() -> U>,
}

impl<A: Cell, B: Cell, U: Cell, F: Fn(A, B) -> U + Send + Sync> Step for Map2<A, B, U, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width) = (memory.stride, self.to.width);
        let (older, to) = memory.split::<U>(self.to);
        let pairs = Pairs {
            a: self.a.source(&older, stride),
            b: self.b.source(&older, stride),
            to: &mut to[..width * stride],
            stride,
            n,
            f: &self.f,
        };
        dispatch_loops(self.cpu, pairs);
    }
}

/// Two operands, and what becomes of their values.
struct Pairs<'m, A, B, U, F> {
    a: Source<'m, A>,
    b: Source<'m, B>,
    to: &'m mut [U],
    stride: usize,
    n: usize,
    f: &'m F,
}

impl<A: Cell, B: Cell, U: Cell, F: Fn(A, B) -> U> Loops for Pairs<'_, A, B, U, F> {
    #[inline(always)]
    fn run(self) {
        let Self { a, b, to, n, f, .. } = self;
        if n == self.stride
            && let (Some(a), Some(b)) = (a.plain(n), b.plain(n))
        {
            for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
                *to = f(*a, *b);
            }
            return;
        }
        let (short, long) = (a.runs.len.min(b.runs.len), a.runs.len.max(b.runs.len));
        if self.stride == 1 && short > 1 && long.is_multiple_of(short) {
            for (run, to) in to.chunks_exact_mut(short).enumerate() {
                let k = run * short;
                join(to, a.run(k, short), b.run(k, short), f);
            }
            return;
        }
        let columns = to.chunks_exact_mut(self.stride).enumerate();
        if n == 1 {
            return columns.for_each(|(k, to)| to[0] = f(a.first(k), b.first(k)));
        }
        for (k, to) in columns {
            join(&mut to[..n], a.lane(k, n), b.lane(k, n), f);
        }
    }
}

#[inline(always)]
fn join<A: Cell, B: Cell, U: Cell>(to: &mut [U], a: Lane<A>, b: Lane<B>, f: &impl Fn(A, B) -> U) {
    let to = to.iter_mut();
    match (a, b) {
        (Lane::Rows(a), Lane::Rows(b)) => {
            to.zip(a).zip(b).for_each(|((to, a), b)| *to = f(*a, *b));
        }
        (Lane::Rows(a), Lane::Same(b)) => to.zip(a).for_each(|(to, a)| *to = f(*a, b)),
        (Lane::Same(a), Lane::Rows(b)) => to.zip(b).for_each(|(to, b)| *to = f(a, *b)),
        (Lane::Same(a), Lane::Same(b)) => to.for_each(|to| *to = f(a, b)),
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
