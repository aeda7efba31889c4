//! Tests of branches, and the node layouts that the kernels walk.
//!
//! The six comparisons of ONNX with their two directions for NaN come down to three tests. `at most` is the fast one:
//! `<` is `<=` the next smaller number, `>=` and `>` compare both sides negated, and a branch that sends NaN to its
//! true child asks the opposite question with its children swapped. Only `==` and `!=` need a table.
//!
//! ```text
//! AtMost, SignedAtMost (8 bytes):   | threshold: f32 | child: 21 bits, negate: 1, feature: 10 |
//! Table<f32>, Table<f64> (16 bytes):| threshold | child: u32 | outcomes: 4 bits, feature: 28 |
//! ```
//!
//! Children are adjacent: at `child` when the test holds, at `child + 1` when it does not. A leaf is a node whose test
//! never holds and whose second child is itself, so a walk may take more steps than a path has.

use super::forest::Mode;

/// f32 or f64: the type of thresholds, features and sums of an ensemble.
pub(crate) trait Value:
    Copy + PartialOrd + std::ops::Neg<Output = Self> + std::ops::AddAssign + std::fmt::Debug + 'static
{
    const ZERO: Self;
    const ONE: Self;
    const HALF: Self;
    const NAN: Self;
    const INFINITY: Self;
    /// The largest number below; itself for -infinity and NaN.
    fn next_down(self) -> Self;
    fn from_count(count: usize) -> Self;
    fn to_f32(self) -> f32;
    fn minus(self, other: Self) -> Self;
    fn divided_by(self, other: Self) -> Self;
    fn is_nan(self) -> bool;
}

macro_rules! value {
    ($type:ty) => {
        impl Value for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const HALF: Self = 0.5;
            const NAN: Self = <$type>::NAN;
            const INFINITY: Self = <$type>::INFINITY;
            fn next_down(self) -> Self {
                self.next_down()
            }
            fn from_count(count: usize) -> Self {
                count as $type
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn minus(self, other: Self) -> Self {
                self - other
            }
            fn divided_by(self, other: Self) -> Self {
                self / other
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
        }
    };
}

value!(f32);
value!(f64);

/// What a branch asks of its feature `x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test<V> {
    /// `x <= threshold`; never for NaN.
    AtMost(V),
    /// `-x <= threshold`; never for NaN.
    NegatedAtMost(V),
    /// `x` compared with the threshold has one of these outcomes.
    Table(V, Outcomes),
}

/// A set of the outcomes less, equal, greater and `x` is NaN, as bits. A NaN threshold has no outcome but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcomes(u32);

impl Outcomes {
    const LESS: u32 = 1;
    const EQUAL: u32 = 2;
    const GREATER: u32 = 4;
    const NAN: u32 = 8;
}

impl<V: Value> Test<V> {
    /// The test of a branch, and whether its children change places.
    pub(super) fn of(mode: Mode, threshold: V, missing_to_true: bool) -> (Self, bool) {
        let below = |x: V| if -x == V::INFINITY { V::NAN } else { x.next_down() };
        let test = |mode| match mode {
            Mode::Leq => Test::AtMost(threshold),
            Mode::Lt => Test::AtMost(below(threshold)),
            Mode::Gte => Test::NegatedAtMost(-threshold),
            _ => Test::NegatedAtMost(below(-threshold)),
        };
        match (mode, missing_to_true) {
            (Mode::Eq, false) => (Test::Table(threshold, Outcomes(Outcomes::EQUAL)), false),
            (Mode::Eq, true) => (Test::Table(threshold, Outcomes(Outcomes::EQUAL | Outcomes::NAN)), false),
            // Everything differs from NaN, and NaN from everything.
            (Mode::Neq, _) if threshold.is_nan() => (Test::AtMost(V::NAN), true),
            (Mode::Neq, _) => {
                (Test::Table(threshold, Outcomes(Outcomes::LESS | Outcomes::GREATER | Outcomes::NAN)), false)
            }
            (_, false) => (test(mode), false),
            // NaN alone goes to the true child: all that is a number goes to the other.
            (_, true) if threshold.is_nan() => (Test::AtMost(V::INFINITY), true),
            (Mode::Leq, true) => (test(Mode::Gt), true),
            (Mode::Lt, true) => (test(Mode::Gte), true),
            (Mode::Gte, true) => (test(Mode::Lt), true),
            (_, true) => (test(Mode::Leq), true),
        }
    }
}

/// A node layout, and how to go from a node to the next.
pub(crate) trait Node: Copy + std::fmt::Debug {
    type Value: Value;
    /// The name of the kernel, for people.
    const NAME: &'static str;
    /// A branch on `feature` with its children at `child` and `child + 1`; `None` when it does not fit the layout.
    fn branch(feature: u32, test: Test<Self::Value>, child: u32) -> Option<Self>;
    /// The feature that the node reads, and its first child.
    fn reads(self) -> (usize, usize);
    /// Where to go from here when the feature is `x`.
    fn next(self, x: Self::Value) -> usize;

    /// A node that leads to `target`, which is not 0, whatever the features are.
    fn goto(target: u32) -> Option<Self> {
        Self::branch(0, Test::AtMost(Self::Value::NAN), target - 1)
    }
}

const FEATURE_BITS: u32 = 10;
const NEGATE: u32 = 1 << FEATURE_BITS;
const CHILD_SHIFT: u32 = FEATURE_BITS + 1;

/// `x <= threshold` in 8 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct AtMost {
    threshold: f32,
    link: u32,
}

impl AtMost {
    fn pack(feature: u32, threshold: f32, negate: u32, child: u32) -> Option<Self> {
        let fits = feature < 1 << FEATURE_BITS && child < 1 << (32 - CHILD_SHIFT);
        fits.then_some(Self { threshold, link: child << CHILD_SHIFT | negate | feature })
    }
}

impl Node for AtMost {
    type Value = f32;
    const NAME: &'static str = "at-most f32";

    fn branch(feature: u32, test: Test<f32>, child: u32) -> Option<Self> {
        match test {
            Test::AtMost(threshold) => Self::pack(feature, threshold, 0, child),
            Test::NegatedAtMost(_) | Test::Table(..) => None,
        }
    }

    #[inline(always)]
    fn reads(self) -> (usize, usize) {
        ((self.link & ((1 << FEATURE_BITS) - 1)) as usize, (self.link >> CHILD_SHIFT) as usize)
    }

    #[inline(always)]
    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is not at most anything")]
    fn next(self, x: f32) -> usize {
        (self.link >> CHILD_SHIFT) as usize + usize::from(!(x <= self.threshold))
    }
}

/// `x <= threshold` or `-x <= threshold` in 8 bytes: any directions of `<`, `<=`, `>`, `>=` and NaN in one ensemble.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedAtMost(AtMost);

impl Node for SignedAtMost {
    type Value = f32;
    const NAME: &'static str = "signed at-most f32";

    fn branch(feature: u32, test: Test<f32>, child: u32) -> Option<Self> {
        match test {
            Test::AtMost(threshold) => AtMost::pack(feature, threshold, 0, child).map(Self),
            Test::NegatedAtMost(threshold) => AtMost::pack(feature, threshold, NEGATE, child).map(Self),
            Test::Table(..) => None,
        }
    }

    #[inline(always)]
    fn reads(self) -> (usize, usize) {
        self.0.reads()
    }

    #[inline(always)]
    fn next(self, x: f32) -> usize {
        // The negate bit becomes the sign bit of x.
        let sign = (self.0.link & NEGATE) << (31 - FEATURE_BITS);
        self.0.next(f32::from_bits(x.to_bits() ^ sign))
    }
}

/// Any test, any number of features and nodes, f32 or f64, in 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<V> {
    threshold: V,
    child: u32,
    /// The outcomes in the lowest 4 bits, the feature above.
    feature: u32,
}

impl<V: Value> Node for Table<V> {
    type Value = V;
    const NAME: &'static str = if size_of::<V>() == 4 { "table f32" } else { "table f64" };

    fn branch(feature: u32, test: Test<V>, child: u32) -> Option<Self> {
        let (threshold, outcomes) = match test {
            Test::AtMost(threshold) => (threshold, Outcomes::LESS | Outcomes::EQUAL),
            Test::NegatedAtMost(threshold) => (-threshold, Outcomes::GREATER | Outcomes::EQUAL),
            Test::Table(threshold, Outcomes(outcomes)) => (threshold, outcomes),
        };
        (feature < 1 << 28).then_some(Self { threshold, child, feature: feature << 4 | outcomes })
    }

    #[inline(always)]
    fn reads(self) -> (usize, usize) {
        ((self.feature >> 4) as usize, self.child as usize)
    }

    #[inline(always)]
    fn next(self, x: V) -> usize {
        let outcome = u32::from(x < self.threshold)
            | u32::from(x == self.threshold) << 1
            | u32::from(x > self.threshold) << 2
            | u32::from(x.is_nan()) << 3;
        self.child as usize + usize::from(self.feature & outcome == 0)
    }
}
