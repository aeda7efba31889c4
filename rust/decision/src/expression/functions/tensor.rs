//! From columns to the blocks of a model: f32, f64 or i64, NULL by the input's policy.

use pelton_data::columns::{Native, Physical};

use super::super::compile::NullAs;
use super::super::program::{Call, EvalErrorKind, Failure, Frame, Kernel};
use super::kernel::for_rows;

/// The kernel that writes `from` into a block of `into`, and its parameter: what a NULL becomes.
pub(in super::super) fn kernel(from: Physical, into: Physical, null: NullAs) -> (Kernel, i64) {
    let kernel = match null {
        NullAs::Error => pick::<true>(from, into),
        _ => pick::<false>(from, into),
    };
    (kernel, substitute(into, null))
}

/// What a NULL becomes, as the bits of the block's type.
fn substitute(into: Physical, null: NullAs) -> i64 {
    let float = match null {
        NullAs::Nan | NullAs::Error => f64::NAN,
        NullAs::Value(value) => value,
        NullAs::Integer(value) => value as f64,
    };
    match (into, null) {
        (Physical::F32, _) => i64::from((float as f32).to_bits()),
        (Physical::F64, _) => float.to_bits() as i64,
        (_, NullAs::Integer(value)) => value,
        _ => float as i64,
    }
}

/// A value of a block, made from its bits.
trait Element: Native {
    fn from_bits(bits: i64) -> Self;
}
impl Element for f32 {
    fn from_bits(bits: i64) -> f32 {
        f32::from_bits(bits as u32)
    }
}
impl Element for f64 {
    fn from_bits(bits: i64) -> f64 {
        f64::from_bits(bits as u64)
    }
}
impl Element for i64 {
    fn from_bits(bits: i64) -> i64 {
        bits
    }
}

macro_rules! pick_into {
    ($from:ident, $into:ty) => {
        match $from {
            Physical::I8 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: i8| a as $into),
            Physical::I16 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: i16| a as $into),
            Physical::I32 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: i32| a as $into),
            Physical::I64 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: i64| a as $into),
            Physical::F32 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: f32| a as $into),
            Physical::F64 => |frame, call| write::<REFUSE, _, _>(frame, call, |a: f64| a as $into),
            Physical::Timestamp | Physical::View | Physical::I128 => {
                unreachable!("the plan gives tensors numbers and BOOLEANs only")
            }
        }
    };
}

fn pick<const REFUSE: bool>(from: Physical, into: Physical) -> Kernel {
    match into {
        Physical::F32 => pick_into!(from, f32),
        Physical::F64 => pick_into!(from, f64),
        Physical::I64 => pick_into!(from, i64),
        _ => unreachable!("a model's blocks are f32, f64 or i64"),
    }
}

#[inline(always)]
fn write<const REFUSE: bool, A: Native, R: Element>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A) -> R,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let value = match columns.value(a, row) {
            Some(value) => f(value),
            None if REFUSE => return Err(null_refused()),
            None => R::from_bits(call.parameter),
        };
        columns.set(call.out, row, value);
        Ok(())
    })
}

#[cold]
fn null_refused() -> Failure {
    let message = "NULL where the model refuses it (null = \"error\")";
    Failure::new(EvalErrorKind::NullRefused, message)
}
