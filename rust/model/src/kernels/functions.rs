//! Functions of floats that networks apply to every value: `Exp`, `Sigmoid`, `Tanh`, in f32 throughout.
//!
//! They are good to 4 ulp, and compute with fused multiply-add only: the same bits on every processor. `math.rs` has
//! the ones that are nearest, for scores that are compared with ONNX Runtime's to the bit.

use super::lanes::{FloatKernel, Floats, dispatch_floats};
use crate::cpu::Cpu;
use crate::memory::{Columns, Workspace};
use crate::operators::Step;

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Exp,
    Sigmoid,
    Tanh,
}

/// What is computed of each value alone, of many in registers.
pub(crate) trait OfValues: Copy + Send + Sync {
    /// Of every value, in place.
    fn apply(self, cpu: Cpu, values: &mut [f32]);
}

impl OfValues for Function {
    fn apply(self, cpu: Cpu, values: &mut [f32]) {
        dispatch_floats(cpu, All(self, values));
    }
}

struct All<'a>(Function, &'a mut [f32]);

impl FloatKernel for All<'_> {
    #[inline(always)]
    fn run<V: Floats>(self) {
        match self.0 {
            Function::Exp => all::<V, Exp>(self.1),
            Function::Sigmoid => all::<V, Sigmoid>(self.1),
            Function::Tanh => all::<V, Tanh>(self.1),
        }
    }
}

/// A function as a type: unlike a closure it is inlined where it is called, always.
trait Of {
    fn of<V: Floats>(x: V) -> V;
}

struct Exp;
struct Sigmoid;
struct Tanh;

impl Of for Exp {
    #[inline(always)]
    fn of<V: Floats>(x: V) -> V {
        exp(x)
    }
}

impl Of for Sigmoid {
    #[inline(always)]
    fn of<V: Floats>(x: V) -> V {
        sigmoid(x)
    }
}

impl Of for Tanh {
    #[inline(always)]
    fn of<V: Floats>(x: V) -> V {
        tanh(x)
    }
}

#[inline(always)]
fn all<V: Floats, F: Of>(values: &mut [f32]) {
    let mut parts = values.chunks_exact_mut(V::LEN);
    for part in &mut parts {
        F::of(V::read(part)).write(part);
    }
    let rest = parts.into_remainder();
    if !rest.is_empty() {
        F::of(V::read(rest)).write(rest);
    }
}

/// 1.5 * 2^23: adding it leaves the nearest integer in the low bits.
const TO_INTEGER: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few bits, so that its products with small integers are exact.
const LN2_HIGH: f32 = f32::from_bits(0x3F31_7200);
const LN2_LOW: f32 = 1.428_606_8e-6;

/// e to the power of `x`.
#[inline(always)]
pub(crate) fn exp<V: Floats>(x: V) -> V {
    let c = V::splat;
    // Beyond these e^x is infinite, or zero.
    let x = x.at_most(c(89.0)).at_least(c(-104.0));
    // x = k ln 2 + r with |r| <= ln 2 / 2
    let k = x
        .fused(c(std::f32::consts::LOG2_E), c(TO_INTEGER))
        .minus(c(TO_INTEGER));
    let r = k.fused(c(-LN2_HIGH), x);
    let r = k.fused(c(-LN2_LOW), r);
    // Taylor's series up to r^7 / 7!, by pairs: what is left out is below 1e-8.
    let r2 = r.times(r);
    let pair = |low: f32, high: f32| r.fused(c(high), c(low));
    let low = r2.fused(pair(0.5, 1.0 / 6.0), pair(1.0, 1.0));
    let high = r2.fused(
        pair(1.0 / 720.0, 1.0 / 5040.0),
        pair(1.0 / 24.0, 1.0 / 120.0),
    );
    r2.times(r2).fused(high, low).scaled(k)
}

/// 1 / (1 + e^-x)
#[inline(always)]
pub(crate) fn sigmoid<V: Floats>(x: V) -> V {
    let one = V::splat(1.0);
    let e = exp(V::splat(0.0).minus(x.magnitude()));
    x.if_negative(e, one).over(one.plus(e))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<V: Floats>(x: V) -> V {
    let c = V::splat;
    let size = x.magnitude();
    // From 0.625 on, 1 - 2 / (e^2x + 1); below, an odd polynomial in which nothing cancels.
    let e = exp(size.plus(size));
    let far = c(1.0).minus(c(2.0).over(e.plus(c(1.0))));
    let square = size.times(size);
    let mut sum = c(-5.704_988_7e-3);
    for coefficient in [
        2.063_908_8e-2,
        -5.373_971_6e-2,
        1.333_144_3e-1,
        -3.333_328e-1,
    ] {
        sum = sum.fused(square, c(coefficient));
    }
    let near = sum.times(square).fused(size, size);
    size.minus(c(0.625)).if_negative(near, far).signed(x)
}

/// `to = f(from)`, of tensors of the same shape.
pub(crate) struct Apply<F> {
    pub cpu: Cpu,
    pub function: F,
    pub from: Columns,
    pub to: Columns,
}

impl<F: OfValues> Step for Apply<F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<f32>(self.to);
        let from = self.from.of(older.f32, stride);
        if n == stride {
            let to = &mut to[..from.len()];
            to.copy_from_slice(from);
            return self.function.apply(self.cpu, to);
        }
        for (from, to) in from.chunks_exact(stride).zip(to.chunks_exact_mut(stride)) {
            to[..n].copy_from_slice(&from[..n]);
            self.function.apply(self.cpu, &mut to[..n]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_same_bits;
    use super::*;

    fn values() -> Vec<f32> {
        let mut values: Vec<f32> = (0..200_000).map(|i| i as f32 * 1.1e-3 - 110.0).collect();
        values.extend((0..20_000).map(|i| (i as f32 - 10_000.0) * 1e-4));
        values.extend([
            0.0,
            -0.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1e-40,
            -1e-40,
            88.72,
            88.73,
        ]);
        values.extend([
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            -103.9,
            -104.1,
            f32::NAN,
        ]);
        values
    }

    #[test]
    fn functions_are_close_and_have_the_same_bits_on_every_processor() {
        type Exact = fn(f64) -> f64;
        let functions: [(Function, Exact); 3] = [
            (Function::Exp, f64::exp),
            (Function::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (Function::Tanh, f64::tanh),
        ];
        for (function, exact) in functions {
            let mut portable = values();
            function.apply(Cpu::Portable, &mut portable);
            for (x, y) in values().iter().zip(&portable) {
                let exact = exact(f64::from(*x)) as f32;
                let ulps = y.to_bits().abs_diff(exact.to_bits());
                assert!(
                    ulps <= 4 || y.is_nan() && x.is_nan(),
                    "{function:?} of {x} is {exact}, not {y}"
                );
            }
            assert_same_bits(function, &values(), &portable);
        }
    }
}
