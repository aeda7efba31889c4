//! What branches ask, and the node layouts that the kernels walk.
//!
//! The six comparisons of ONNX with their two directions for NaN come down to two tests. `at most` is the fast one: `<`
//! is `<=` the next smaller number, `>=` and `>` compare both sides negated, and where NaN goes to the true child, it is
//! read as -infinity (`row.rs`). `==` and `!=` with a small whole number ask for the bit of a category, and chains of `==`
//! that lead to the same child, which is how categorical splits are exported, are one test for a set of them
//! (`forest.rs`). Only `==` and `!=` with other numbers need a table.
//!
//! ```text
//! AtMost (8 bytes):                  | threshold: f32 | child: 22 bits, feature: 10 |
//! Mixed (8 bytes):                   | threshold: f32, or set | child: 21 bits, is a set: 1, feature: 10 |
//! Table<f32>, Table<f64> (16 bytes): | threshold, or set | child: u32 | feature: 28, outcomes: 4 bits |
//! ```
//!
//! Children are adjacent: at `child` when the test holds, at `child + 1` when it does not. A leaf is a node whose test
//! never holds and whose second child is itself, so a walk may take more steps than a path has.

use super::forest::Mode;
use super::row::{Mask, View};

/// f32 or f64: the type of thresholds, features and sums of an ensemble.
pub(crate) trait Value:
    Copy
    + Default
    + PartialOrd
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::fmt::Debug
    + 'static
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
    /// The whole number from 0 below [`CATEGORIES`] that this is; another number for everything else.
    fn category(self) -> u32;
    /// Any value that holds these bits.
    fn of_bits(bits: u32) -> Self;
    /// The bits of [`Value::of_bits`].
    fn bits(self) -> u32;
}

/// Categories that bits are given to: 64 words of 32.
pub(super) const CATEGORIES: u32 = 64 * WORD;
/// Categories of a set, and of a view.
pub(super) const WORD: u32 = 32;

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
            #[inline(always)]
            fn category(self) -> u32 {
                // Beside a number whose last digit is 1, whole numbers are the last bits.
                const BASE: $type = 1.0 / <$type>::EPSILON;
                let shifted = self + BASE;
                let whole = u64::from(shifted.to_bits().wrapping_sub(BASE.to_bits()));
                let is_whole = shifted - BASE == self;
                if is_whole {
                    whole.min(u32::MAX.into()) as u32
                } else {
                    u32::MAX
                }
            }
            fn of_bits(bits: u32) -> Self {
                <$type>::from_bits(bits.into())
            }
            #[inline(always)]
            fn bits(self) -> u32 {
                self.to_bits() as u32
            }
        }
    };
}

value!(f32);
value!(f64);

/// What a branch asks of the value `x` that it reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test<V> {
    /// `x <= threshold`; never for NaN.
    AtMost(V),
    /// `x` compared with the threshold has one of these outcomes.
    Table(V, Outcomes),
    /// Some bit of `x`, which is read as that of its category, is among these.
    OneOf(u32),
}

/// A test, the view of the feature that it reads, and whether the children of the branch change places.
pub(super) struct Question<V> {
    pub test: Test<V>,
    pub view: View,
    pub swapped: bool,
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

impl<V: Value> Question<V> {
    /// What a branch of `mode` on `column` asks, sending NaN to its true child or not.
    pub fn of(mode: Mode, column: u32, threshold: V, missing_to_true: bool) -> Self {
        let plain = |test, swapped| Self {
            test,
            view: View::plain(column),
            swapped,
        };
        let of_category = |mask, bit, swapped| Self {
            test: Test::OneOf(bit),
            view: View {
                mask: Some(mask),
                ..View::plain(column)
            },
            swapped,
        };
        // -infinity has no number below: nothing is less.
        let below = |x: V| {
            if -x == V::INFINITY {
                V::NAN
            } else {
                x.next_down()
            }
        };
        let nan = if missing_to_true { Outcomes::NAN } else { 0 };
        let (negated, bound) = match mode {
            Mode::Eq => {
                if let Some((mask, bit)) = Mask::of(threshold, missing_to_true) {
                    return of_category(mask, bit, false);
                }
                return plain(
                    Test::Table(threshold, Outcomes(Outcomes::EQUAL | nan)),
                    false,
                );
            }
            // Everything differs from NaN, and NaN from everything.
            Mode::Neq if threshold.is_nan() => return plain(Test::AtMost(V::NAN), true),
            Mode::Neq => {
                if let Some((mask, bit)) = Mask::of(threshold, false) {
                    return of_category(mask, bit, true);
                }
                let outcomes = Outcomes(Outcomes::LESS | Outcomes::GREATER | Outcomes::NAN);
                return plain(Test::Table(threshold, outcomes), false);
            }
            Mode::Lt => (false, below(threshold)),
            Mode::Gte => (true, -threshold),
            Mode::Gt => (true, below(-threshold)),
            Mode::Leq | Mode::Leaf => (false, threshold),
        };
        if bound.is_nan() && missing_to_true {
            // No number goes to the true child, only NaN: every number goes to the other one.
            return plain(Test::AtMost(V::INFINITY), true);
        }
        let view = View {
            negated,
            nan_is_least: missing_to_true,
            ..View::plain(column)
        };
        Self {
            test: Test::AtMost(bound),
            view,
            swapped: false,
        }
    }
}

/// A node layout, and how to go from a node to the next. Methods borrow the node: a copy would be loaded whole and
/// taken apart with shifts, which costs a fifth of the walk.
pub(crate) trait Node: Copy + std::fmt::Debug {
    type Value: Value;
    /// The name of the kernel, for people.
    const NAME: &'static str;
    /// A branch on `feature` with its children at `child` and `child + 1`; `None` when it does not fit the layout.
    fn branch(feature: u32, test: Test<Self::Value>, child: u32) -> Option<Self>;
    /// The place in the row that the node reads.
    fn feature(&self) -> usize;
    /// The first child.
    fn child(&self) -> u32;
    /// Where to go from here when the feature is `x`.
    fn next(&self, x: Self::Value) -> u32;

    /// A node that leads to `target`, which is not 0, whatever the features are.
    fn goto(target: u32) -> Option<Self> {
        Self::branch(0, Test::AtMost(Self::Value::NAN), target - 1)
    }
}

const FEATURE_BITS: u32 = 10;

/// `x <= threshold` in 8 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct AtMost {
    threshold: f32,
    /// The child, and the feature in the lowest bits.
    link: u32,
}

impl Node for AtMost {
    type Value = f32;
    const NAME: &'static str = "at-most f32";

    fn branch(feature: u32, test: Test<f32>, child: u32) -> Option<Self> {
        let fits = feature < 1 << FEATURE_BITS && child < 1 << (32 - FEATURE_BITS);
        match test {
            Test::AtMost(threshold) if fits => Some(Self {
                threshold,
                link: child << FEATURE_BITS | feature,
            }),
            _ => None,
        }
    }

    #[inline(always)]
    fn feature(&self) -> usize {
        (self.link & ((1 << FEATURE_BITS) - 1)) as usize
    }

    #[inline(always)]
    fn child(&self) -> u32 {
        self.link >> FEATURE_BITS
    }

    #[inline(always)]
    #[allow(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "NaN is not at most anything"
    )]
    fn next(&self, x: f32) -> u32 {
        self.child() + u32::from(!(x <= self.threshold))
    }
}

/// `x <= threshold`, or whether a set holds the category of `x`, in 8 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Mixed {
    /// The bits of the threshold, or of the set.
    bits: u32,
    /// The child, whether it is a set, and the feature in the lowest bits.
    link: u32,
}

impl Node for Mixed {
    type Value = f32;
    const NAME: &'static str = "at-most or set f32";

    fn branch(feature: u32, test: Test<f32>, child: u32) -> Option<Self> {
        let fits = feature < 1 << FEATURE_BITS && child < 1 << (31 - FEATURE_BITS);
        let (bits, is_set) = match test {
            Test::AtMost(threshold) => (threshold.to_bits(), 0),
            Test::OneOf(set) => (set, 1),
            Test::Table(..) => return None,
        };
        let link = (child << 1 | is_set) << FEATURE_BITS | feature;
        fits.then_some(Self { bits, link })
    }

    #[inline(always)]
    fn feature(&self) -> usize {
        (self.link & ((1 << FEATURE_BITS) - 1)) as usize
    }

    #[inline(always)]
    fn child(&self) -> u32 {
        self.link >> (FEATURE_BITS + 1)
    }

    #[inline(always)]
    #[allow(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "NaN is not at most anything"
    )]
    fn next(&self, x: f32) -> u32 {
        let is_above = u32::from(!(x <= f32::from_bits(self.bits)));
        let is_outside = u32::from(x.to_bits() & self.bits == 0);
        let is_set = self.link >> FEATURE_BITS & 1;
        self.child() + (is_above ^ (is_set & (is_above ^ is_outside)))
    }
}

/// Any test, f32 or f64, in 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<V> {
    /// Or the bits of a set of categories, where there are no outcomes.
    threshold: V,
    child: u32,
    /// The outcomes in the lowest 4 bits, the feature above.
    feature: u32,
}

const TABLE_FEATURE_BITS: u32 = 28;

impl<V: Value> Node for Table<V> {
    type Value = V;
    const NAME: &'static str = if size_of::<V>() == 4 {
        "table f32"
    } else {
        "table f64"
    };

    fn branch(feature: u32, test: Test<V>, child: u32) -> Option<Self> {
        let (threshold, outcomes) = match test {
            Test::AtMost(threshold) => (threshold, Outcomes::LESS | Outcomes::EQUAL),
            Test::Table(threshold, Outcomes(outcomes)) => (threshold, outcomes),
            Test::OneOf(set) => (V::of_bits(set), 0),
        };
        (feature < 1 << TABLE_FEATURE_BITS).then_some(Self {
            threshold,
            child,
            feature: feature << 4 | outcomes,
        })
    }

    #[inline(always)]
    fn feature(&self) -> usize {
        (self.feature >> 4) as usize
    }

    #[inline(always)]
    fn child(&self) -> u32 {
        self.child
    }

    #[inline(always)]
    fn next(&self, x: V) -> u32 {
        let outcome = u32::from(x < self.threshold)
            | u32::from(x == self.threshold) << 1
            | u32::from(x > self.threshold) << 2
            | u32::from(x.is_nan()) << 3;
        let outcomes = self.feature & 0xF;
        let is_member = (outcomes == 0) & (x.bits() & self.threshold.bits() != 0);
        self.child + u32::from((outcomes & outcome == 0) & !is_member)
    }
}
