//! From columns to the blocks of a model: f32, f64 or i64, NULL by the input's policy.

use pelton_data::columns::{Columns, Native, Physical, Slot};

use super::compile::NullAs;
use super::program::{EvalError, EvalErrorKind};

/// Fills the first rows of columns that have the types in common.
type Fill = fn(&[TensorColumn], &mut Columns, usize) -> Result<(), EvalError>;

/// What fills the columns of a model's blocks. No instructions: a model takes many of them, all at once, and a call fills
/// all that are of one type.
#[derive(Debug, Clone, Default)]
pub struct TensorColumns {
    runs: Vec<(Fill, Vec<TensorColumn>)>,
}

/// What fills one column of a model's block.
#[derive(Debug, Clone)]
pub struct TensorColumn {
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
            Physical::I8 => |run, columns, n| fill(run, columns, n, |a: i8| a as $into),
            Physical::I16 => |run, columns, n| fill(run, columns, n, |a: i16| a as $into),
            Physical::I32 => |run, columns, n| fill(run, columns, n, |a: i32| a as $into),
            Physical::I64 => |run, columns, n| fill(run, columns, n, |a: i64| a as $into),
            Physical::F32 => |run, columns, n| fill(run, columns, n, |a: f32| a as $into),
            Physical::F64 => |run, columns, n| fill(run, columns, n, |a: f64| a as $into),
            Physical::Timestamp | Physical::View | Physical::I128 => {
                unreachable!("the plan gives tensors numbers and BOOLEANs only")
            }
        }
    };
}

impl TensorColumns {
    /// What fills all of these columns.
    pub fn new(mut columns: Vec<TensorColumn>) -> TensorColumns {
        columns.sort_by_key(|column| column.types().map(|physical| physical as u8));
        let runs = columns.chunk_by(|a, b| a.types() == b.types());
        let runs = runs.map(|run| (run[0].filler(), run.to_vec()));
        TensorColumns {
            runs: runs.collect(),
        }
    }

    /// Fills the first `n` rows.
    #[inline]
    pub fn fill(&self, columns: &mut Columns, n: usize) -> Result<(), EvalError> {
        let mut runs = self.runs.iter();
        runs.try_for_each(|(fill, run)| fill(run, columns, n))
    }
}

/// Fills the first `n` rows of columns of one type.
#[inline(always)]
fn fill<A: Native, R: Element>(
    run: &[TensorColumn],
    columns: &mut Columns,
    n: usize,
    convert: impl Fn(A) -> R,
) -> Result<(), EvalError> {
    // One row is the case that counts: see `for_rows`.
    let is_single = columns.is_single();
    for column in run {
        let filled = match is_single {
            true => column.fill_row(columns, 0, &convert),
            false => (0..n).all(|row| column.fill_row(columns, row, &convert)),
        };
        if !filled {
            return Err(column.refused());
        }
    }
    Ok(())
}

impl TensorColumn {
    /// Fills `into`, a column of a block of f32, f64 or i64, with the values of `from`, numbers or
    /// BOOLEANs.
    pub fn new(from: Slot, into: Slot, null: NullAs, origin: String) -> TensorColumn {
        TensorColumn {
            from,
            into,
            null: substitute(into.physical, null),
            is_null_refused: null == NullAs::Error,
            origin,
        }
    }

    fn types(&self) -> [Physical; 2] {
        [self.from.physical, self.into.physical]
    }

    fn filler(&self) -> Fill {
        match self.into.physical {
            Physical::F32 => fill_from!(self.from.physical, f32),
            Physical::F64 => fill_from!(self.from.physical, f64),
            Physical::I64 => fill_from!(self.from.physical, i64),
            _ => unreachable!("a model's blocks are f32, f64 or i64"),
        }
    }

    /// Whether the row may have the value that it has.
    #[inline(always)]
    fn fill_row<A: Native, R: Element>(
        &self,
        columns: &mut Columns,
        row: usize,
        convert: &impl Fn(A) -> R,
    ) -> bool {
        let valid = columns.is_valid(self.from, row);
        let value = convert(columns.get(self.from, row)).bits();
        // As bits: floats would be chosen by jumps, and what is NULL cannot be foretold.
        let bits = if valid { value } else { self.null };
        columns.set(self.into, row, R::from_bits(bits));
        valid | !self.is_null_refused
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
