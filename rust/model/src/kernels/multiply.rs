//! Rows times a small matrix, with fused multiply-add.
//!
//! `f32::mul_add` is one instruction where the processor has it and the build may use it, and a correct but slow
//! library call elsewhere. Builds are for the oldest processor of the architecture, so the instruction is asked for
//! here, at run time. Both forms round once for each term, in the order of the columns: the bits are the same.

/// Computes `to[t][r] = start[t] + sum over c of from[c][r] * weights[t][c]`, summed in the order of `c`, for rows
/// `0..n`. `from` and `to` are columns of `stride` values, `weights` has one row of coefficients for each target.
pub(crate) fn multiply(
    n: usize,
    stride: usize,
    from: &[f32],
    weights: &[f32],
    start: &[f32],
    to: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("fma") {
        #[allow(
            unsafe_code,
            reason = "the processor was asked for the instruction on the line above"
        )]
        return unsafe { multiply_fma(n, stride, from, weights, start, to) };
    }
    multiply_portable(n, stride, from, weights, start, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma")]
fn multiply_fma(
    n: usize,
    stride: usize,
    from: &[f32],
    weights: &[f32],
    start: &[f32],
    to: &mut [f32],
) {
    multiply_portable(n, stride, from, weights, start, to);
}

#[inline(always)]
fn multiply_portable(
    n: usize,
    stride: usize,
    from: &[f32],
    weights: &[f32],
    start: &[f32],
    to: &mut [f32],
) {
    let width = weights.len() / start.len();
    for (target, (&start, weights)) in start.iter().zip(weights.chunks_exact(width)).enumerate() {
        if n == 1 {
            // One row: the sum stays in a register.
            let mut sum = start;
            for (column, &weight) in weights.iter().enumerate() {
                sum = from[column * stride].mul_add(weight, sum);
            }
            to[target * stride] = sum;
            continue;
        }
        let to = &mut to[target * stride..][..n];
        to.fill(start);
        for (column, &weight) in weights.iter().enumerate() {
            for (from, to) in from[column * stride..][..n].iter().zip(to.iter_mut()) {
                *to = from.mul_add(weight, *to);
            }
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

    #[test]
    fn both_forms_give_the_bits_of_a_plain_loop_for_every_number_of_rows_and_stride() {
        let (width, targets) = (13, 3);
        for (n, stride) in [
            (1, 1),
            (1, 9),
            (2, 2),
            (7, 8),
            (8, 8),
            (9, 64),
            (64, 64),
            (256, 300),
        ] {
            let (from, weights) = (numbers(width * stride, 1), numbers(width * targets, 2));
            let start = numbers(targets, 3);
            let (mut fast, mut portable) =
                (vec![0.0; targets * stride], vec![0.0; targets * stride]);
            multiply(n, stride, &from, &weights, &start, &mut fast);
            multiply_portable(n, stride, &from, &weights, &start, &mut portable);
            for target in 0..targets {
                for row in 0..n {
                    let mut expected = start[target];
                    for column in 0..width {
                        expected = from[column * stride + row]
                            .mul_add(weights[target * width + column], expected);
                    }
                    let at = target * stride + row;
                    assert_eq!(
                        fast[at].to_bits(),
                        expected.to_bits(),
                        "n {n}, stride {stride}, row {row}"
                    );
                    assert_eq!(
                        portable[at].to_bits(),
                        expected.to_bits(),
                        "n {n}, stride {stride}, row {row}"
                    );
                }
            }
        }
    }
}
