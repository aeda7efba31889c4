//! The six comparisons: of which values, in which order, and what is their opposite.

use std::cmp::Ordering;

use pelton_data::DataType;
use pelton_data::columns::{Native, Physical, Timestamp};

use super::super::super::program::{Call, Failure, Frame, Kernel};
use super::super::decimal;
use super::super::kernel::{map_text2, map2};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

macro_rules! by_comparison {
    ($comparison:expr, $map:ident, $a:ty) => {
        match $comparison {
            Comparison::Equal => |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a == b)),
            Comparison::NotEqual => {
                |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a != b))
            }
            Comparison::Less => |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a < b)),
            Comparison::LessOrEqual => {
                |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a <= b))
            }
            Comparison::Greater => |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a > b)),
            Comparison::GreaterOrEqual => {
                |frame, call| $map(frame, call, |a: $a, b: $a| i8::from(a >= b))
            }
        }
    };
}

impl Comparison {
    /// The kernel for values that lie in a column as `T`.
    pub fn of<T: Native + PartialOrd>(self) -> Kernel {
        match self {
            Comparison::Equal => equal_values::<T>,
            other => by_comparison!(other, map2, T),
        }
    }

    /// The kernel for bytes.
    fn texts(self) -> Kernel {
        match self {
            Comparison::Equal => equal_texts,
            other => by_comparison!(other, map_text2, &[u8]),
        }
    }

    /// The kernel for values of a type, `None` where they have no order.
    pub fn kernel(self, data_type: &DataType) -> Option<Kernel> {
        Some(match data_type {
            DataType::Boolean | DataType::TinyInt => self.of::<i8>(),
            DataType::SmallInt => self.of::<i16>(),
            DataType::Int | DataType::Date | DataType::Time(_) => self.of::<i32>(),
            DataType::BigInt => self.of::<i64>(),
            DataType::Float => self.of::<f32>(),
            DataType::Double => self.of::<f64>(),
            DataType::Timestamp(_) | DataType::TimestampLtz(_) => self.of::<Timestamp>(),
            DataType::Decimal { .. } => self.of::<i128>(),
            DataType::Char(_) | DataType::Varchar(_) => self.texts(),
            DataType::Binary(_) | DataType::Varbinary(_) => self.texts(),
            _ => return None,
        })
    }

    pub fn is_equality(self) -> bool {
        matches!(self, Comparison::Equal | Comparison::NotEqual)
    }

    /// With the sides exchanged.
    pub fn mirrored(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            equality => equality,
        }
    }

    /// What Flink makes of `NOT a < b`: `a >= b`, which is not the same for NaN.
    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }

    /// Whether it holds for values in this order.
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// The kernel for DOUBLEs in the order of `Double.compare`.
    pub fn total_order(self) -> Kernel {
        #[inline(always)]
        fn ranked(
            f: &mut Frame<'_>,
            c: &Call,
            holds: impl Fn(i64, i64) -> i8,
        ) -> Result<(), Failure> {
            map2(f, c, |a: f64, b: f64| holds(java_rank(a), java_rank(b)))
        }
        by_comparison!(self, ranked, i64)
    }

    /// The kernel for DECIMALs of two scales.
    pub fn decimals(self) -> Kernel {
        #[inline(always)]
        fn by(f: &mut Frame<'_>, c: &Call, comparison: Comparison) -> Result<(), Failure> {
            decimal::map_order(f, c, |ordering| comparison.holds(ordering))
        }
        match self {
            Comparison::Equal => |f, c| by(f, c, Comparison::Equal),
            Comparison::NotEqual => |f, c| by(f, c, Comparison::NotEqual),
            Comparison::Less => |f, c| by(f, c, Comparison::Less),
            Comparison::LessOrEqual => |f, c| by(f, c, Comparison::LessOrEqual),
            Comparison::Greater => |f, c| by(f, c, Comparison::Greater),
            Comparison::GreaterOrEqual => |f, c| by(f, c, Comparison::GreaterOrEqual),
        }
    }
}

/// The kernel of `=` has a name, so that chains of it are found.
pub(in super::super::super) fn equal_kernel(physical: Physical) -> Kernel {
    match physical {
        Physical::I8 => equal_values::<i8>,
        Physical::I16 => equal_values::<i16>,
        Physical::I32 => equal_values::<i32>,
        Physical::I64 => equal_values::<i64>,
        Physical::F32 => equal_values::<f32>,
        Physical::F64 => equal_values::<f64>,
        Physical::Timestamp => equal_values::<Timestamp>,
        Physical::View => equal_texts,
        Physical::I128 => equal_values::<i128>,
    }
}

fn equal_values<T: Native + PartialEq>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    map2(frame, call, |a: T, b: T| i8::from(a == b))
}

fn equal_texts(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    map_text2(frame, call, |a, b| i8::from(a == b))
}

/// `Double.compare`: -0.0 before 0.0, NaN behind everything.
pub(in super::super) fn java_order(a: f64, b: f64) -> Ordering {
    java_rank(a).cmp(&java_rank(b))
}

/// A number in the place of a DOUBLE, in the order of `Double.compare`.
#[inline(always)]
fn java_rank(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    // The bits of a negative number grow as it falls.
    let rank = bits ^ ((bits >> 63) as u64 >> 1) as i64;
    if value.is_nan() { i64::MAX } else { rank }
}
