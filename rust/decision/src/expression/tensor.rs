//! From columns to the blocks of a model: f32, f64 or i64, NULL by the input's policy.

use pelton_data::columns::{Columns, Native, Physical, Slot};

use super::compile::NullAs;
use super::program::{EvalError, EvalErrorKind};

macro_rules! fill {
    ($column:ident, $columns:ident, $n:ident, $into:ty) => {
        match $column.from.physical {
            Physical::I8 => $column.rows($columns, $n, |a: i8| a as $into),
            Physical::I16 => $column.rows($columns, $n, |a: i16| a as $into),
            Physical::I32 => $column.rows($columns, $n, |a: i32| a as $into),
            Physical::I64 => $column.rows($columns, $n, |a: i64| a as $into),
            Physical::F32 => $column.rows($columns, $n, |a: f32| a as $into),
            Physical::F64 => $column.rows($columns, $n, |a: f64| a as $into),
            Physical::Timestamp | Physical::View | Physical::I128 => {
                unreachable!("the plan gives tensors numbers and BOOLEANs only")
            }
        }
    };
}

/// What fills one column of a model's block. Not an instruction: a model takes many of them, and
/// all of them at once.
#[derive(Debug, Clone)]
pub struct TensorColumn {
    from: Slot,
    into: Slot,
    /// What a NULL becomes, as the bits of the block's type; `None` where it is an error.
    null: Option<i64>,
    /// What it was compiled from, for errors: "model `delay`: seats".
    origin: String,
}

impl TensorColumn {
    /// Fills `into`, a column of a block of f32, f64 or i64, with the values of `from`, numbers or
    /// BOOLEANs.
    pub fn new(from: Slot, into: Slot, null: NullAs, origin: String) -> TensorColumn {
        let null = match null {
            NullAs::Error => None,
            null => Some(substitute(into.physical, null)),
        };
        TensorColumn {
            from,
            into,
            null,
            origin,
        }
    }

    /// Fills the first `n` rows.
    #[inline]
    pub fn fill(&self, columns: &mut Columns, n: usize) -> Result<(), EvalError> {
        match self.into.physical {
            Physical::F32 => fill!(self, columns, n, f32),
            Physical::F64 => fill!(self, columns, n, f64),
            Physical::I64 => fill!(self, columns, n, i64),
            _ => unreachable!("a model's blocks are f32, f64 or i64"),
        }
    }

    #[inline(always)]
    fn rows<A: Native, R: Element>(
        &self,
        columns: &mut Columns,
        n: usize,
        convert: impl Fn(A) -> R,
    ) -> Result<(), EvalError> {
        // The case that counts: see `for_rows`.
        if columns.is_single() {
            return self.row(columns, 0, convert);
        }
        (0..n).try_for_each(|row| self.row(columns, row, &convert))
    }

    #[inline(always)]
    fn row<A: Native, R: Element>(
        &self,
        columns: &mut Columns,
        row: usize,
        convert: impl Fn(A) -> R,
    ) -> Result<(), EvalError> {
        let value = match (columns.value(self.from, row), self.null) {
            (Some(value), _) => convert(value),
            (None, Some(bits)) => R::from_bits(bits),
            (None, None) => return Err(self.refused()),
        };
        columns.set(self.into, row, value);
        Ok(())
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
