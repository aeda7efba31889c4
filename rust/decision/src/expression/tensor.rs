//! From columns to the blocks of a model: f32, f64 or i64, NULL by the input's policy.

use pelton_data::columns::{Columns, Native, Physical, Slot};

use super::compile::NullAs;
use super::program::{EvalError, EvalErrorKind};

/// Fills the first rows of a column of a block.
type Fill = fn(&TensorColumn, &mut Columns, usize) -> Result<(), EvalError>;

/// What fills one column of a model's block. Not an instruction: a model takes many of them, and
/// all of them at once.
#[derive(Debug, Clone)]
pub struct TensorColumn {
    fill: Fill,
    from: Slot,
    into: Slot,
    /// What a NULL becomes, as the bits of the block's type.
    null: i64,
    /// A NULL is an error.
    is_null_refused: bool,
    /// What it was compiled from, for errors: "model `delay`: seats".
    origin: String,
}

/// From a type of columns to the block's.
macro_rules! fill_from {
    ($from:expr, $into:ty) => {
        match $from {
            Physical::I8 => |column, columns, n| column.rows(columns, n, |a: i8| a as $into),
            Physical::I16 => |column, columns, n| column.rows(columns, n, |a: i16| a as $into),
            Physical::I32 => |column, columns, n| column.rows(columns, n, |a: i32| a as $into),
            Physical::I64 => |column, columns, n| column.rows(columns, n, |a: i64| a as $into),
            Physical::F32 => |column, columns, n| column.rows(columns, n, |a: f32| a as $into),
            Physical::F64 => |column, columns, n| column.rows(columns, n, |a: f64| a as $into),
            Physical::Timestamp | Physical::View | Physical::I128 => {
                unreachable!("the plan gives tensors numbers and BOOLEANs only")
            }
        }
    };
}

impl TensorColumn {
    /// Fills `into`, a column of a block of f32, f64 or i64, with the values of `from`, numbers or
    /// BOOLEANs.
    pub fn new(from: Slot, into: Slot, null: NullAs, origin: String) -> TensorColumn {
        let fill: Fill = match into.physical {
            Physical::F32 => fill_from!(from.physical, f32),
            Physical::F64 => fill_from!(from.physical, f64),
            Physical::I64 => fill_from!(from.physical, i64),
            _ => unreachable!("a model's blocks are f32, f64 or i64"),
        };
        TensorColumn {
            fill,
            from,
            into,
            null: substitute(into.physical, null),
            is_null_refused: null == NullAs::Error,
            origin,
        }
    }

    /// Fills the first `n` rows.
    #[inline]
    pub fn fill(&self, columns: &mut Columns, n: usize) -> Result<(), EvalError> {
        (self.fill)(self, columns, n)
    }

    #[inline(always)]
    fn rows<A: Native, R: Element>(
        &self,
        columns: &mut Columns,
        n: usize,
        convert: impl Fn(A) -> R,
    ) -> Result<(), EvalError> {
        let fill = |columns: &mut Columns, row| {
            let valid = columns.is_valid(self.from, row);
            let value = convert(columns.get(self.from, row)).bits();
            // As bits: floats would be chosen by jumps, and what is NULL cannot be foretold.
            let bits = if valid { value } else { self.null };
            columns.set(self.into, row, R::from_bits(bits));
            valid | !self.is_null_refused
        };
        // The case that counts: see `for_rows`.
        let filled = match columns.is_single() {
            true => fill(columns, 0),
            false => (0..n).all(|row| fill(columns, row)),
        };
        if filled { Ok(()) } else { Err(self.refused()) }
    }

    #[cold]
    fn refused(&self) -> EvalError {
        EvalError {
            kind: EvalErrorKind::NullRefused,
            message: format!(
                "NULL where the model refuses it (null = \"error\"), in {}",
                self.origin
            ),
        }
    }
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

/// A value of a block, and its bits.
trait Element: Native {
    fn from_bits(bits: i64) -> Self;
    fn bits(self) -> i64;
}
impl Element for f32 {
    fn from_bits(bits: i64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn bits(self) -> i64 {
        i64::from(self.to_bits())
    }
}
impl Element for f64 {
    fn from_bits(bits: i64) -> f64 {
        f64::from_bits(bits as u64)
    }
    fn bits(self) -> i64 {
        self.to_bits() as i64
    }
}
impl Element for i64 {
    fn from_bits(bits: i64) -> i64 {
        bits
    }
    fn bits(self) -> i64 {
        self
    }
}
