//! What tests of kernels share.

use super::functions::OfValues;
use crate::cpu::Cpu;
use crate::memory::Workspace;
use crate::operators::Step;

/// A number from -5 to 5.5, another one for each of a thousand neighbours.
pub(super) fn number(k: usize) -> f32 {
    ((k * 7919) % 1013) as f32 / 97.0 - 5.0
}

/// Runs a step over `n` rows that are all alike, from the first `width` columns to those behind them, checks that what
/// comes out is alike, too, and gives it for one row.
pub(super) fn run_alike(step: &dyn Step, width: usize, n: usize, stride: usize) -> Vec<f32> {
    let mut memory = vec![f32::NAN; 2 * width * stride];
    for k in 0..width {
        memory[k * stride..][..n].fill(number(k));
    }
    step.run(
        n,
        &mut Workspace {
            f32: &mut memory,
            f64: &mut [],
            i64: &mut [],
            text: &mut Vec::new(),
            stride,
            failure: None,
        },
    );
    let value = |k: usize, row: usize| memory[(width + k) * stride + row];
    for row in 0..n {
        assert!((0..width).all(|k| value(k, row).to_bits() == value(k, 0).to_bits()));
    }
    (0..width).map(|k| value(k, 0)).collect()
}

/// Checks that what `run` makes of so many rows at a stride has the same bits in every form, and gives it.
pub(super) fn alike_in_every_form(
    case: impl std::fmt::Debug,
    run: impl Fn(Cpu, usize, usize) -> Vec<f32>,
) -> Vec<f32> {
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let expected = run(Cpu::Portable, 1, 2);
    for cpu in [Cpu::Portable, Cpu::Avx2, Cpu::Avx512] {
        for (n, stride) in [(1, 1), (1, 2), (5, 5), (16, 16), (21, 40)] {
            if cpu <= Cpu::detected() {
                let same = bits(&run(cpu, n, stride)) == bits(&expected);
                assert!(same, "{case:?}: {cpu:?}, {n} rows of {stride}");
            }
        }
    }
    expected
}

/// Every processor that this one can be computes the same bits as the portable kernels did; NaNs are alike.
pub(super) fn assert_same_bits(
    function: impl OfValues + std::fmt::Debug,
    values: &[f32],
    portable: &[f32],
) {
    for cpu in [Cpu::Avx2, Cpu::Avx512] {
        if cpu <= Cpu::detected() {
            let mut found = values.to_vec();
            function.apply(cpu, &mut found);
            let same =
                |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(
                found.iter().zip(portable).all(same),
                "{function:?} on {cpu:?}"
            );
        }
    }
}
