//! Exponentials and their kin, so that a model gives the same bits on every platform.
//!
//! `exp` and `ln` are our own, the rest is libm's, which is written in Rust. They compute in f64 with plain multiplications and additions (nothing a compiler may contract) and round once to
//! f32, which is the nearest float in all but about one of a million cases.

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// ln 2 in two parts; the low 21 bits of the first are zero, so that `k * LN2_HIGH` is exact for |k| < 2^21.
const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5 * 2^52: adding and subtracting it rounds to the nearest integer, without a library call.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// e to the power of `x`.
pub(crate) fn exp(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    if x > 89.0 {
        return f32::INFINITY;
    }
    if x < -104.0 {
        return 0.0;
    }
    let x = f64::from(x);
    // x = k ln 2 + r with |r| <= ln 2 / 2
    let k = (x * LOG2_E + TO_INTEGER) - TO_INTEGER;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = 1.0 / 39_916_800.0; // 1 / 11!; the first term left out is below 1e-14
    for factorial in [
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
        1.0,
        1.0,
    ] {
        sum = sum * r + 1.0 / factorial;
    }
    // k lies in -151..=129: 2^k is a normal f64
    let power = f64::from_bits(((1023 + k as i64) as u64) << 52);
    (sum * power) as f32
}

/// The natural logarithm of `x`; NaN below zero.
pub(crate) fn ln(x: f32) -> f32 {
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x == f32::INFINITY {
        return x;
    }
    // x = 2^k m with sqrt(1/2) <= m < sqrt(2); every f32 is a normal f64
    let bits = f64::from(x).to_bits();
    let mut k = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if m >= std::f64::consts::SQRT_2 {
        m *= 0.5;
        k += 1;
    }
    // ln m = 2 atanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...), |s| < 0.1716
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    (k as f64 * LN2_HIGH + (2.0 * s * sum + k as f64 * LN2_LOW)) as f32
}

/// 1 / (1 + e^-x), computed where e is at most 1.
pub(crate) fn logistic(x: f32) -> f32 {
    let v = 1.0 / (1.0 + exp(-x.abs()));
    if x < 0.0 { 1.0 - v } else { v }
}

/// `x` to the power of `y`.
pub(crate) fn pow(x: f32, y: f32) -> f32 {
    libm::pow(x.into(), y.into()) as f32
}

/// `x` to the power of `y`.
pub(crate) fn pow64(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units of the last place, from the standard library's f64 function rounded to f32.
    fn ulps(ours: f32, exact: f64) -> u32 {
        let exact = exact as f32;
        ours.to_bits().abs_diff(exact.to_bits())
    }

    #[test]
    fn exp_is_the_nearest_float_over_its_whole_range() {
        let mut off = 0;
        for step in 0..2_000_000 {
            let x = -105.0 + step as f32 * 1e-4;
            let error = ulps(exp(x), f64::from(x).exp());
            assert!(error <= 1, "exp({x}) is {error} ulp off");
            off += error;
        }
        assert!(
            off < 20,
            "{off} of 2 million values are not the nearest float"
        );
    }

    #[test]
    fn ln_is_the_nearest_float_over_its_whole_range() {
        let mut off = 0;
        for bits in (1..0x7F80_0000_u32).step_by(1009) {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln();
            let error = ulps(ln(x), exact);
            assert!(error <= 1, "ln({x}) is {error} ulp off");
            off += error;
        }
        assert!(
            off < 20,
            "{off} of 2 million values are not the nearest float"
        );
    }

    #[test]
    fn edges_are_those_of_the_standard_library() {
        for x in [
            0.0,
            -0.0,
            1.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            88.72,
            88.73,
            -87.4,
            -103.9,
            -104.1,
            1e-40,
            -1e-40,
        ] {
            assert_eq!(
                exp(x).to_bits(),
                (f64::from(x).exp() as f32).to_bits(),
                "exp({x})"
            );
        }
        for x in [0.0, -0.0, 1.0, f32::INFINITY, f32::MIN_POSITIVE, 1e-45] {
            assert_eq!(ln(x), f64::from(x).ln() as f32, "ln({x})");
        }
        assert!(
            exp(f32::NAN).is_nan()
                && ln(f32::NAN).is_nan()
                && ln(-1.0).is_nan()
                && ln(f32::NEG_INFINITY).is_nan()
        );
    }
}
