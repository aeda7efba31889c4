//! Rows compared with the vectors of a support vector machine, vectors side by side in registers.

use super::lanes::{FloatKernel, Floats, Kernel, Lanes, dispatch, dispatch_floats};
use crate::cpu::Cpu;

/// Vectors of a block: what the widest register holds.
const BLOCK: usize = 16;

/// Vectors of one width.
#[derive(Debug)]
pub(crate) struct Vectors {
    cpu: Cpu,
    /// Blocks of vectors, each column after column; zeros fill the last one.
    blocks: Vec<f32>,
    width: usize,
    count: usize,
}

/// What is summed over the columns of a row and a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    Product,
    SquaredDifference,
}

impl Vectors {
    /// `vectors` one behind the other.
    pub fn new(cpu: Cpu, vectors: &[f32], width: usize, count: usize) -> Self {
        let mut blocks = vec![0.0; count.div_ceil(BLOCK) * BLOCK * width];
        for (number, vector) in vectors.chunks_exact(width).take(count).enumerate() {
            let block = &mut blocks[number / BLOCK * BLOCK * width..];
            for (column, value) in vector.iter().enumerate() {
                block[column * BLOCK + number % BLOCK] = *value;
            }
        }
        Self {
            cpu,
            blocks,
            width,
            count,
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Writes what a row, whose values are `stride` apart in `from`, is beside each vector; summed in the order of the
    /// columns.
    pub fn compare(&self, term: Term, from: &[f32], stride: usize, to: &mut [f32]) {
        let of = self;
        match term {
            Term::Product => dispatch_floats(
                self.cpu,
                Compare::<false> {
                    of,
                    from,
                    stride,
                    to,
                },
            ),
            Term::SquaredDifference => {
                dispatch_floats(
                    self.cpu,
                    Compare::<true> {
                        of,
                        from,
                        stride,
                        to,
                    },
                );
            }
        }
    }
}

struct Compare<'a, const DIFFERENCE: bool> {
    of: &'a Vectors,
    from: &'a [f32],
    stride: usize,
    to: &'a mut [f32],
}

impl<const DIFFERENCE: bool> FloatKernel for Compare<'_, DIFFERENCE> {
    #[inline(always)]
    fn run<V: Floats>(self) {
        let Self {
            of,
            from,
            stride,
            to,
        } = self;
        let blocks = of.blocks.chunks_exact(BLOCK * of.width);
        for (block, to) in blocks.zip(to[..of.count].chunks_mut(BLOCK)) {
            for (part, to) in to.chunks_mut(V::LEN).enumerate() {
                let mut sum = V::splat(0.0);
                for column in 0..of.width {
                    let x = V::splat(from[column * stride]);
                    let vector = V::read(&block[column * BLOCK + part * V::LEN..][..V::LEN]);
                    sum = if DIFFERENCE {
                        let off = x.minus(vector);
                        off.fused(off, sum)
                    } else {
                        x.fused(vector, sum)
                    };
                }
                sum.write(to);
            }
        }
    }
}

/// e to the power of each value, computed in f64: the nearest float but for about one value of a thousand. What a machine
/// sums cancels, and makes the errors of its terms large.
pub(crate) fn exp(cpu: Cpu, values: &mut [f32]) {
    dispatch::<f64>(cpu, Exp(values));
}

struct Exp<'a>(&'a mut [f32]);

impl Kernel<f64> for Exp<'_> {
    #[inline(always)]
    fn run<V: Lanes<Item = f64>>(self) {
        for x in self.0 {
            *x = exp_of(f64::from(*x)) as f32;
        }
    }
}

/// Without jumps: the compiler computes several at once.
#[inline(always)]
fn exp_of(x: f64) -> f64 {
    /// 1.5 * 2^52: adding it leaves the nearest integer in the low bits.
    const TO_INTEGER: f64 = 6_755_399_441_055_744.0;
    /// 1 / 8!, 1 / 7!, ..., 1
    const TAYLOR: [f64; 9] = [
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    // Beyond these e^x is no float; NaN stays.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    // x = k ln 2 + r with |r| <= ln 2 / 2
    let shifted = x * std::f64::consts::LOG2_E + TO_INTEGER;
    let r = x - (shifted - TO_INTEGER) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for coefficient in TAYLOR {
        sum = sum * r + coefficient;
    }
    sum * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_nearest_on_every_processor() {
        let mut values: Vec<f32> = (-110_000..100_000).map(|i| i as f32 * 1e-3).collect();
        values.extend([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-40]);
        for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
            if cpu > Cpu::detected() {
                continue;
            }
            let mut found = values.clone();
            exp(cpu, &mut found);
            let mut off = 0;
            for (x, y) in values.iter().zip(&found) {
                let exact = libm::exp(f64::from(*x)) as f32;
                let ulps = exact.to_bits().abs_diff(y.to_bits());
                assert!(
                    ulps <= 1 || x.is_nan() && y.is_nan(),
                    "{cpu:?}: e^{x} is {exact}, not {y}"
                );
                off += usize::from(*y != exact);
            }
            assert!(off < values.len() / 1000, "{cpu:?}: {off}");
        }
    }

    #[test]
    fn every_processor_sums_in_the_order_of_the_columns() {
        for (width, count) in [(1, 1), (3, 15), (6, 16), (5, 17), (7, 40)] {
            let number = |i: usize| ((i * 37 % 101) as f32 - 50.0) * 0.37;
            let vectors: Vec<f32> = (0..width * count).map(number).collect();
            let row: Vec<f32> = (0..2 * width).map(|i| number(i + 5)).collect();
            for term in [Term::Product, Term::SquaredDifference] {
                let expected = vectors.chunks_exact(width).map(|vector| {
                    vector.iter().enumerate().fold(0.0f32, |sum, (column, v)| {
                        let x = row[2 * column];
                        match term {
                            Term::Product => x.mul_add(*v, sum),
                            Term::SquaredDifference => (x - v).mul_add(x - v, sum),
                        }
                    })
                });
                let expected: Vec<f32> = expected.collect();
                for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
                    if cpu <= Cpu::detected() {
                        let vectors = Vectors::new(cpu, &vectors, width, count);
                        let mut found = vec![0.0; count];
                        vectors.compare(term, &row, 2, &mut found);
                        assert_eq!(found, expected, "{cpu:?}, {term:?}, {count} of {width}");
                    }
                }
            }
        }
    }
}
