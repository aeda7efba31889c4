//! Activations that are made of exponentials: `Elu`, `Softplus`, `Mish`, `Erf`, `Gelu`, in f32 throughout; and `Log`.
//!
//! As in `functions.rs`: the same bits on every processor. What is left out of series is below the last bit of what is
//! added to them; near zero, `Elu` is exp(x) - 1 as it stands, as in ONNX Runtime.

use super::functions::{OfValues, exp};
use super::lanes::{FloatKernel, Floats, Kernel, Lanes, dispatch, dispatch_floats};
use crate::cpu::Cpu;

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Smooth {
    /// `x`, and below zero this times (e^x - 1).
    Elu(f32),
    /// ln(1 + e^x)
    Softplus,
    /// x tanh(ln(1 + e^x))
    Mish,
    Erf,
    /// x (1 + erf(x / sqrt 2)) / 2
    Gelu,
    /// Computed in f64: the nearest float but for about one value of a thousand.
    Log,
}

impl OfValues for Smooth {
    fn apply(self, cpu: Cpu, values: &mut [f32]) {
        match self {
            Smooth::Log => dispatch::<f64>(cpu, Log(values)),
            _ => dispatch_floats(cpu, All(self, values)),
        }
    }
}

struct All<'a>(Smooth, &'a mut [f32]);

impl FloatKernel for All<'_> {
    #[inline(always)]
    fn run<V: Floats>(self) {
        match self.0 {
            Smooth::Elu(alpha) => all::<V, Elu>(V::splat(alpha), self.1),
            Smooth::Softplus => all::<V, Softplus>(V::splat(0.0), self.1),
            Smooth::Mish => all::<V, Mish>(V::splat(0.0), self.1),
            Smooth::Erf => all::<V, Erf>(V::splat(0.0), self.1),
            Smooth::Gelu => all::<V, Gelu>(V::splat(0.0), self.1),
            Smooth::Log => {}
        }
    }
}

/// A function as a type, with a parameter: unlike a closure it is inlined where it is called, always.
trait Of {
    fn of<V: Floats>(parameter: V, x: V) -> V;
}

#[inline(always)]
fn all<V: Floats, F: Of>(parameter: V, values: &mut [f32]) {
    let mut parts = values.chunks_exact_mut(V::LEN);
    for part in &mut parts {
        F::of(parameter, V::read(part)).write(part);
    }
    let rest = parts.into_remainder();
    if !rest.is_empty() {
        F::of(parameter, V::read(rest)).write(rest);
    }
}

struct Elu;
struct Softplus;
struct Mish;
struct Erf;
struct Gelu;

impl Of for Elu {
    #[inline(always)]
    fn of<V: Floats>(alpha: V, x: V) -> V {
        let below = exp(x).minus(V::splat(1.0)).times(alpha);
        x.if_negative(below, x)
    }
}

impl Of for Softplus {
    #[inline(always)]
    fn of<V: Floats>(_: V, x: V) -> V {
        let e = exp(V::splat(0.0).minus(x.magnitude()));
        x.at_least(V::splat(0.0)).plus(ln_of_one_and(e))
    }
}

/// ln(1 + y), for y from 0 to 1: 2 artanh(s) of s = y / (2 + y), at most a third.
#[inline(always)]
fn ln_of_one_and<V: Floats>(y: V) -> V {
    let c = V::splat;
    let s = y.over(y.plus(c(2.0)));
    let square = s.times(s);
    let mut sum = c(2.0 / 15.0);
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum.fused(square, c(2.0 / odd));
    }
    sum.times(s)
}

impl Of for Mish {
    /// With e = e^x: x (e^2 + 2 e) / (e^2 + 2 e + 2), which is x from 20 on.
    #[inline(always)]
    fn of<V: Floats>(_: V, x: V) -> V {
        let e = exp(x.at_most(V::splat(20.0)));
        let wide = e.times(e.plus(V::splat(2.0)));
        x.times(wide.over(wide.plus(V::splat(2.0))))
    }
}

impl Of for Erf {
    #[inline(always)]
    fn of<V: Floats>(_: V, x: V) -> V {
        erf(x)
    }
}

impl Of for Gelu {
    #[inline(always)]
    fn of<V: Floats>(_: V, x: V) -> V {
        let c = V::splat;
        let half = x.times(c(0.5));
        half.fused(erf(x.times(c(std::f32::consts::FRAC_1_SQRT_2))), half)
    }
}

/// From here on the error function is 1, as near as floats come.
const ERF_IS_ONE: f32 = 3.92;

/// The error function: x times a quotient of polynomials in x^2 (as in Eigen).
#[inline(always)]
fn erf<V: Floats>(x: V) -> V {
    let c = V::splat;
    let size = x.magnitude();
    let square = size.times(size);
    let polynomial = |first: f32, rest: &[f32]| {
        let mut sum = c(first);
        for coefficient in rest {
            sum = sum.fused(square, c(*coefficient));
        }
        sum
    };
    let over = polynomial(
        -2.726_142_3e-10,
        &[
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_5e-5,
            -7.349_906e-4,
            -2.954_6e-3,
            -1.609_603_3e-2,
        ],
    );
    let under = polynomial(
        -1.456_607_2e-5,
        &[
            -2.133_740_5e-4,
            -1.682_827e-3,
            -7.373_329e-3,
            -1.426_473_9e-2,
        ],
    );
    let near = size.times(over).over(under);
    // NaN stays.
    let is_far = c(ERF_IS_ONE).minus(size);
    is_far.if_negative(c(1.0), near).signed(x)
}

struct Log<'a>(&'a mut [f32]);

impl Kernel<f64> for Log<'_> {
    #[inline(always)]
    fn run<V: Lanes<Item = f64>>(self) {
        for x in self.0 {
            *x = log(f64::from(*x)) as f32;
        }
    }
}

/// The natural logarithm of what was a float. Without jumps: the compiler computes several at once.
#[inline(always)]
fn log(x: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    let one = 1.0f64.to_bits();
    let bits = x.to_bits();
    // x = 2^k m, with m from 1 to 2; 2^52 + k is a number whose last bits are those of k.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let k = f64::from_bits((bits >> 52) | WHOLE.to_bits()) - (WHOLE + 1023.0);
    let m = f64::from_bits(bits & FRACTION | one);
    let is_upper = m > std::f64::consts::SQRT_2;
    let (k, m) = if is_upper { (k + 1.0, m * 0.5) } else { (k, m) };
    // ln m = 2 artanh(s)
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 1.0 / 15.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    let made = k * std::f64::consts::LN_2 + 2.0 * s * sum;
    let made = if x < f64::INFINITY { made } else { x };
    let made = if x == 0.0 { f64::NEG_INFINITY } else { made };
    if x < 0.0 { f64::NAN } else { made }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_same_bits;
    use super::*;

    #[test]
    fn functions_are_close_and_have_the_same_bits_on_every_processor() {
        type Exact = fn(f64) -> f64;
        let softplus = |x: f64| x.max(0.0) + libm::log1p(libm::exp(-x.abs()));
        let functions: [(Smooth, Exact); 6] = [
            (Smooth::Log, libm::log),
            (Smooth::Elu(1.5), |x| {
                if x < 0.0 { 1.5 * libm::expm1(x) } else { x }
            }),
            (Smooth::Softplus, softplus),
            (Smooth::Mish, |x| {
                x * libm::tanh(x.max(0.0) + libm::log1p(libm::exp(-x.abs())))
            }),
            (Smooth::Erf, libm::erf),
            (Smooth::Gelu, |x| {
                0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
            }),
        ];
        let mut values: Vec<f32> = (-60_000..60_000).map(|i| i as f32 * 1e-3).collect();
        values.extend((-1000..1000).map(|i| i as f32 * 1e-5));
        values.extend([0.0, -0.0, f32::INFINITY, f32::NAN, 1e-40, 1e30, -1e30]);
        values.extend([f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE]);
        for (function, exact) in functions {
            let mut portable = values.clone();
            function.apply(Cpu::Portable, &mut portable);
            for (x, y) in values.iter().zip(&portable) {
                let exact = exact(f64::from(*x));
                let close = (f64::from(*y) - exact).abs() <= 1e-6 * exact.abs().max(1.0);
                let same = *y == exact as f32 || y.is_nan() && exact.is_nan();
                assert!(close || same, "{function:?} of {x} is {exact}, not {y}");
            }
            assert_same_bits(function, &values, &portable);
        }
    }
}
