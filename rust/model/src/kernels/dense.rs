//! Rows times a constant matrix, plus a bias, with fused multiply-add.
//!
//! ```text
//! 8 targets and more, in panels of 32:          numbers side by side in a register are
//!   panel 0: | k = 0: w0 ... w31 | k = 1: ...     up to 8 rows:  targets, times an input of each row
//!   panel 1: | ...                                more:          rows, times a weight of each target
//!
//! fewer targets, each with all its weights:     one row:         inputs, 16 sums for each target
//!   target 0: | w0 ... w15 | w16 ... w31 | ...    more:          rows, 16 sums for each of them
//! ```
//!
//! How a sum is made depends on the shape of the matrix, and never on the rows, the tile or the processor. Its terms are
//! dealt in turn to several sums (16 for fewer than 8 targets, 4 for fewer than 64, otherwise 1), because one alone waits
//! for each term before it takes the next. Each takes its terms in the order of the inputs, with one rounding; in the end
//! the second half is added to the first until one is left. The bias is where the first sum begins; with 16 it comes last.
//! In panels, a sum that is -0 becomes 0. Where rows stand side by side, and their first inputs are the same in all of them,
//! the terms of these are summed once.

use super::lanes::{Kernel, Number, dispatch};
use super::panels::{self as tiles, PANEL};
use super::{sparse, sums};
use crate::cpu::Cpu;

/// Numbers of a line of the processor's cache, in its place.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Block<T>(pub [T; BLOCK]);

/// Numbers of a block: the widest register of floats.
pub(super) const BLOCK: usize = 16;

/// A matrix in panels, and what the sums begin with.
pub(crate) struct Dense<T> {
    cpu: Cpu,
    inputs: usize,
    targets: usize,
    split: Split,
    weights: Vec<Block<T>>,
    /// Of all targets; zeros up to a whole panel.
    bias: Vec<T>,
    /// What each input becomes before it is multiplied: less an offset, times a scale.
    scales: Option<Scales<T>>,
    /// The least that comes out: zero after a `Relu`.
    floor: T,
    /// Whether many inputs are zero, so that one row leaves out their weights.
    zeros: bool,
}

/// How many sums become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    One,
    Four,
    Sixteen,
}

impl Split {
    pub fn of(targets: usize) -> Self {
        match targets {
            ..8 => Split::Sixteen,
            8..64 => Split::Four,
            _ => Split::One,
        }
    }
}

/// Offset and factor of every input, in whole blocks.
pub(super) struct Scales<T> {
    pub offsets: Vec<Block<T>>,
    pub factors: Vec<Block<T>>,
}

/// Where numbers of rows lie: number `k` of row `r` is at `r * row + k * column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub row: usize,
    pub column: usize,
}

impl Places {
    /// Of a record in each row: columns of `stride` numbers.
    pub fn of_columns(stride: usize) -> Self {
        Self {
            row: 1,
            column: stride,
        }
    }

    /// Of one record with many rows of `width` numbers: columns of `stride` numbers, of which it has the first.
    pub fn of_rows(width: usize, stride: usize) -> Self {
        Self {
            row: width * stride,
            column: stride,
        }
    }
}

/// What sums begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    Bias,
    /// What stands where they go: more is added to it.
    There,
}

/// Blocks of numbers, zeros behind the last.
fn blocks<T: Number>(numbers: &[T]) -> impl Iterator<Item = Block<T>> + '_ {
    numbers.chunks(BLOCK).map(|part| {
        let mut block = [T::default(); BLOCK];
        block[..part.len()].copy_from_slice(part);
        Block(block)
    })
}

/// The weights of 8 targets and more.
pub(super) fn panels<T: Number>(
    inputs: usize,
    targets: usize,
    weight: impl Fn(usize, usize) -> T,
) -> Vec<Block<T>> {
    let mut packed = Vec::new();
    for first in (0..targets).step_by(PANEL) {
        for input in 0..inputs {
            let panel = (first..first + PANEL).map(|target| match target < targets {
                true => weight(input, target),
                false => T::default(),
            });
            packed.extend(blocks(&panel.collect::<Vec<_>>()));
        }
    }
    packed
}

impl<T: Number> Dense<T> {
    /// `weight(input, target)` for every input and target; one bias for every target.
    pub fn new(cpu: Cpu, inputs: usize, bias: Vec<T>, weight: impl Fn(usize, usize) -> T) -> Self {
        let targets = bias.len();
        let split = Split::of(targets);
        let mut weights = Vec::new();
        if split == Split::Sixteen {
            for target in 0..targets {
                let all: Vec<T> = (0..inputs).map(|input| weight(input, target)).collect();
                weights.extend(blocks(&all));
            }
        } else {
            weights = panels(inputs, targets, weight);
        }
        let mut bias = bias;
        bias.resize(targets.next_multiple_of(PANEL), T::default());
        Self {
            cpu,
            inputs,
            targets,
            split,
            weights,
            bias,
            scales: None,
            floor: T::LEAST,
            zeros: false,
        }
    }

    /// The same, expecting many inputs to be zero; the outcome does not depend on that. All weights must be finite.
    pub fn with_zeros(mut self) -> Self {
        self.zeros = self.split == Split::One;
        self
    }

    /// Whether a matrix of so many targets takes [`Dense::scaled`].
    pub fn takes_scales(targets: usize) -> bool {
        Split::of(targets) == Split::Sixteen
    }

    /// The same of `(input - offset) * factor`.
    pub fn scaled(mut self, scales: impl IntoIterator<Item = (T, T)>) -> Self {
        let (offsets, factors): (Vec<T>, Vec<T>) = scales.into_iter().unzip();
        self.scales = Some(Scales {
            offsets: blocks(&offsets).collect(),
            factors: blocks(&factors).collect(),
        });
        self
    }

    /// Nothing that comes out is less than this.
    pub fn at_least(mut self, floor: T) -> Self {
        self.floor = floor;
        self
    }

    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Writes all targets of so many rows, which lie at `places` of `from` and of `to`.
    pub fn run(
        &self,
        rows: usize,
        (from, from_places): (&[T], Places),
        (to, to_places): (&mut [T], Places),
        begin: Begin,
    ) {
        if rows == 0 || self.targets == 0 {
            return;
        }
        let last = |places: Places, width: usize| {
            (rows - 1) * places.row + width.saturating_sub(1) * places.column
        };
        assert!(
            (self.inputs == 0 || last(from_places, self.inputs) < from.len())
                && last(to_places, self.targets) < to.len(),
            "{rows} rows of {} numbers to {} in slices of {} and {}",
            self.inputs,
            self.targets,
            from.len(),
            to.len()
        );
        let job = Job {
            inputs: self.inputs,
            terms: (0, self.inputs),
            targets: self.targets,
            weights: self.weights.as_ptr().cast(),
            bias: &self.bias,
            scales: self.scales.as_ref(),
            floor: self.floor,
            split: self.split,
            zeros: self.zeros,
            rows,
            from: from.as_ptr(),
            from_places,
            to: to.as_mut_ptr(),
            to_places,
            begin,
        };
        dispatch(self.cpu, &job);
    }
}

/// A run: places of `from`, `to` and `weights` have been compared with what there is.
pub(super) struct Job<'a, T> {
    pub inputs: usize,
    /// The first input whose term is summed, and that behind the last.
    pub terms: (usize, usize),
    pub targets: usize,
    /// Whole panels, or whole blocks of each target.
    pub weights: *const T,
    pub bias: &'a [T],
    pub scales: Option<&'a Scales<T>>,
    pub floor: T,
    pub split: Split,
    pub zeros: bool,
    pub rows: usize,
    pub from: *const T,
    pub from_places: Places,
    pub to: *mut T,
    pub to_places: Places,
    pub begin: Begin,
}

impl<T: Number> Kernel<T> for &Job<'_, T> {
    #[inline(always)]
    fn run<V: super::lanes::Lanes<Item = T>>(self) {
        match self.split {
            _ if self.zeros && self.rows == 1 && self.from_places.column == 1 => {
                sparse::run::<V>(self);
            }
            Split::Sixteen => sums::run::<V>(self),
            Split::Four => tiles::run::<V, 4>(self),
            Split::One => tiles::run_alike::<V>(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers with many significant bits, so that every rounding shows.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 1.3e6 - 6.1
        };
        (0..count).map(|_| next()).collect()
    }

    /// One sum, as the module says, of terms (input, weight).
    fn plain(targets: usize, begin: f32, terms: impl Iterator<Item = (f32, f32)>) -> f32 {
        let split = match targets {
            ..8 => 16,
            8..64 => 4,
            _ => 1,
        };
        let mut sums = vec![0.0f32; split];
        if split < 16 {
            sums[0] = begin;
        }
        for (k, (input, weight)) in terms.enumerate() {
            sums[k % split] = input.mul_add(weight, sums[k % split]);
        }
        while sums.len() > 1 {
            let second = sums.split_off(sums.len() / 2);
            sums.iter_mut().zip(second).for_each(|(a, b)| *a += b);
        }
        // What comes of panels is never -0.
        sums[0] + if split < 16 { 0.0 } else { begin }
    }

    #[test]
    fn every_form_gives_the_bits_of_a_plain_loop_on_every_processor() {
        let shapes = [
            (13, 3),
            (5, 64),
            (7, 70),
            (1, 9),
            (40, 1),
            (3, 130),
            (9, 24),
            (33, 36),
            (64, 256),
            (20, 96),
            (2, 113),
            (0, 2),
            (0, 80),
        ];
        for (width, targets) in shapes {
            for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
                if cpu <= Cpu::detected() {
                    check(cpu, width, targets);
                }
            }
        }
    }

    fn check(cpu: Cpu, width: usize, targets: usize) {
        let (weights, bias) = (numbers(width * targets, 2), numbers(targets, 3));
        let scales: Vec<_> = numbers(width, 4)
            .into_iter()
            .zip(numbers(width, 5))
            .collect();
        let dense = || {
            Dense::new(cpu, width, bias.clone(), |input, target| {
                weights[target * width + input]
            })
        };
        let mut forms = vec![(dense(), false), (dense().at_least(0.0), false)];
        if Dense::<f32>::takes_scales(targets) {
            forms.push((dense().scaled(scales.clone()), true));
        }
        forms.push((dense().with_zeros(), false));
        for n in [
            1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 40, 47, 64, 100,
        ] {
            let many = n + 3;
            for (from_places, to_places) in [
                (Places::of_columns(n), Places::of_columns(n)),
                (Places::of_columns(many), Places::of_columns(many)),
                (Places::of_rows(width, 1), Places::of_rows(targets, 1)),
                (Places::of_rows(width, 3), Places::of_rows(targets, 3)),
                (Places::of_columns(n), Places::of_rows(targets, 1)),
                (Places::of_rows(width, 1), Places::of_columns(many)),
            ] {
                let mut from = numbers((width * many).max(width * n * 3), 1);
                from.iter_mut().step_by(3).for_each(|x| *x = x.max(0.0));
                if to_places == Places::of_columns(n) {
                    // A user's numbers beside those of candidates.
                    for column in from.chunks_exact_mut(n).take(width.min(40)) {
                        column.fill(column[0]);
                    }
                }
                let at =
                    |places: Places, row: usize, k: usize| row * places.row + k * places.column;
                for ((dense, scaled), begin) in forms
                    .iter()
                    .flat_map(|form| [(form, Begin::Bias), (form, Begin::There)])
                {
                    let there = numbers((targets * many).max(targets * n * 3), 6);
                    let mut to = there.clone();
                    dense.run(n, (&from, from_places), (&mut to, to_places), begin);
                    let mut expected = there.clone();
                    for row in 0..n {
                        for target in 0..targets {
                            let place = at(to_places, row, target);
                            let terms = (0..width).map(|k| {
                                let (offset, factor) = scales[k];
                                let x = from[at(from_places, row, k)];
                                let x = if *scaled { (x - offset) * factor } else { x };
                                (x, weights[target * width + k])
                            });
                            let begin = match begin {
                                Begin::Bias => bias[target],
                                Begin::There => there[place],
                            };
                            let sum = plain(targets, begin, terms);
                            expected[place] = sum.max(dense.floor);
                        }
                    }
                    let bits =
                        |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert!(
                        bits(&to) == bits(&expected),
                        "{cpu:?}, {width} to {targets}, n {n}, {from_places:?}, {begin:?}, scaled {scaled}"
                    );
                }
            }
        }
    }

    #[test]
    fn doubles_and_integers_are_summed_alike() {
        for targets in [3, 9, 70] {
            let dense = Dense::new(Cpu::detected(), 5, vec![2.0f64; targets], |i, t| {
                (i * t) as f64
            });
            let whole = Dense::new(Cpu::detected(), 5, vec![2i64; targets], |i, t| {
                (i * t) as i64
            });
            for n in [1, 3, 20] {
                let (mut to, mut integers) = (vec![0.0; targets * n], vec![0; targets * n]);
                let (places, x) = (Places::of_columns(n), 3);
                dense.run(
                    n,
                    (&vec![f64::from(x); 5 * n], places),
                    (&mut to, places),
                    Begin::Bias,
                );
                whole.run(
                    n,
                    (&vec![i64::from(x); 5 * n], places),
                    (&mut integers, places),
                    Begin::Bias,
                );
                for (place, (a, b)) in to.iter().zip(&integers).enumerate() {
                    let expected = 2 + 30 * (place / n) as i64;
                    assert_eq!((*a, *b), (expected as f64, expected));
                }
            }
        }
    }
}
