//! One column among constants: `s IN ('a', 'b')`, `CASE i WHEN 1 THEN 'a' ... END`.
//!
//! Written out, these are chains of comparisons, an instruction or two each. Here one instruction
//! finds the constant that the column is equal to, and one takes what stands beside it.

use pelton_data::columns::{Columns, Literal, Native, Physical, Slot, Timestamp, View};

use super::compile::{Compiler, fold};
use super::functions::comparison::equal_kernel;
use super::functions::kernel::for_rows;
use super::program::{Call, Failure, Frame, Kernel};
use super::selection::SelectionId;
use super::typing::{Node, Typed};

/// A shorter chain is left as it is.
const WORTHWHILE: usize = 3;

/// A column and the constants that it is compared with, in their order.
struct Chain {
    column: Slot,
    constants: Vec<Literal>,
}

impl Compiler {
    /// `s = 'a' OR s = 'b' OR ...`, if that is what `args` are.
    pub(super) fn emit_among(&mut self, args: &[Typed], under: SelectionId) -> Option<Slot> {
        let chain = chain(args.iter())?;
        let count = chain.constants.len() as i64;
        let column = chain.column;
        let position = self.emit_position(chain, under);
        let out = self.layout.add(Physical::I8);
        self.push_call(among, [column, position, position], count, out, under);
        Some(out)
    }

    /// `CASE WHEN s = 'a' THEN 1 WHEN s = 'b' THEN 2 ... ELSE 0 END`, if that is what it is and
    /// its values are constants.
    pub(super) fn emit_choice(
        &mut self,
        branches: &[(Typed, Typed)],
        otherwise: &Typed,
        under: SelectionId,
    ) -> Option<Slot> {
        let chain = chain(branches.iter().map(|(condition, _)| condition))?;
        let values = branches.iter().map(|(_, value)| value).chain([otherwise]);
        let values: Option<Vec<Literal>> = values.map(fold).collect();
        let values = values?;
        let position = self.emit_position(chain, under);
        Some(self.emit_nth(position, otherwise.physical(), values, under))
    }

    /// The constant of each row's number, counted from 0; the last of them for any other number.
    pub(super) fn emit_nth(
        &mut self,
        numbers: Slot,
        physical: Physical,
        constants: Vec<Literal>,
        under: SelectionId,
    ) -> Slot {
        let last = constants.len() as i64 - 1;
        let constants = self.layout.add_literals(physical, constants);
        let out = self.layout.add(physical);
        self.push_call(
            nth(physical),
            [numbers, constants, constants],
            last,
            out,
            under,
        );
        out
    }

    /// The number of the constant that a column is equal to; how many there are, if to none.
    fn emit_position(&mut self, chain: Chain, under: SelectionId) -> Slot {
        let Chain {
            mut column,
            mut constants,
        } = chain;
        let count = constants.len() as i64;
        if let Some(words) = constants.iter().map(short_text).collect::<Option<_>>() {
            column = self.call(word_of_text, [column; 3], 0, Physical::I64, under);
            constants = words;
        }
        let constants = self.layout.add_literals(column.physical, constants);
        let out = self.layout.add(Physical::I64);
        let kernel = position(column.physical);
        self.push_call(kernel, [column, constants, constants], count, out, under);
        out
    }
}

/// The chain that conditions are, if all compare one column with constants.
fn chain<'t>(conditions: impl ExactSizeIterator<Item = &'t Typed>) -> Option<Chain> {
    if conditions.len() < WORTHWHILE {
        return None;
    }
    let equalities: Option<Vec<(Slot, Literal)>> = conditions.map(equality).collect();
    let equalities = equalities?;
    let column = equalities[0].0;
    let same = equalities.iter().all(|(other, _)| *other == column);
    same.then(|| Chain {
        column,
        constants: equalities.into_iter().map(|(_, text)| text).collect(),
    })
}

/// `column = constant`, both of one type.
fn equality(typed: &Typed) -> Option<(Slot, Literal)> {
    let Node::Call(application) = &typed.node else {
        return None;
    };
    let Node::Column(column) = application.args[0].node else {
        return None;
    };
    // Kernels are told apart by their address, as where common subexpressions are found.
    if application.kernel as usize != equal_kernel(column.physical) as usize {
        return None;
    }
    let constant = fold(&application.args[1])?;
    (constant != Literal::Null).then_some((column, constant))
}

/// The longest text that is compared as one number, in bytes.
const SHORT: usize = 7;

/// A text of up to 7 bytes as a number: its bytes, and its length in the highest. 0 for a longer
/// one.
#[inline(always)]
fn word(text: &[u8]) -> i64 {
    let mut word = [0; 8];
    match text.len() {
        len @ 0..=SHORT => {
            word[..len].copy_from_slice(text);
            word[SHORT] = 0x80 | len as u8;
            i64::from_le_bytes(word)
        }
        _ => 0,
    }
}

fn short_text(constant: &Literal) -> Option<Literal> {
    match constant {
        Literal::Bytes(text) if text.len() <= SHORT => Some(Literal::I64(word(text))),
        _ => None,
    }
}

fn word_of_text(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [text, ..] = call.args;
        let valid = columns.is_valid(text, row);
        let value = if valid {
            word(columns.text(text, row))
        } else {
            0
        };
        columns.set(call.out, row, value);
        columns.set_valid(call.out, row, valid);
        Ok(())
    })
}

/// Which constant a column is equal to. Where it is NULL the number is that of none.
fn position(physical: Physical) -> Kernel {
    fn find(
        frame: &mut Frame<'_>,
        call: &Call,
        is_equal: impl Fn(&Columns, Slot, usize) -> bool,
    ) -> Result<(), Failure> {
        for_rows(frame, call, |columns, row| {
            let [column, constants, _] = call.args;
            let mut numbers = 0..call.parameter;
            let valid = columns.is_valid(column, row);
            let found =
                numbers.find(|k| valid && is_equal(columns, constants.nth(*k as usize), row));
            columns.put(call.out, row, Some(found.unwrap_or(call.parameter)));
            Ok(())
        })
    }
    fn value<T: Native + PartialEq>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        let column = call.args[0];
        find(frame, call, |columns, constant, row| {
            columns.get::<T>(constant, row) == columns.get::<T>(column, row)
        })
    }
    fn text(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        let column = call.args[0];
        find(frame, call, |columns, constant, row| {
            columns.text(constant, row) == columns.text(column, row)
        })
    }
    match physical {
        Physical::I8 => value::<i8>,
        Physical::I16 => value::<i16>,
        Physical::I32 => value::<i32>,
        Physical::I64 => value::<i64>,
        Physical::F32 => value::<f32>,
        Physical::F64 => value::<f64>,
        Physical::Timestamp => value::<Timestamp>,
        Physical::View => text,
        Physical::I128 => value::<i128>,
    }
}

/// Whether a position is that of a constant; NULL where the column is.
fn among(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [column, position, _] = call.args;
        let found = columns.get::<i64>(position, row) < call.parameter;
        columns.set(call.out, row, i8::from(found));
        columns.set_valid(call.out, row, columns.is_valid(column, row));
        Ok(())
    })
}

/// The number of the first condition of two that is TRUE, counted from the parameter on; the
/// number that stands in the third argument, if none is.
pub(super) fn first_true(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [first, second, rest] = call.args;
        let rest = columns.get(rest, row);
        let second = columns.is_true(second, row);
        let second = if second { call.parameter + 1 } else { rest };
        let first = columns.is_true(first, row);
        columns.put(
            call.out,
            row,
            Some(if first { call.parameter } else { second }),
        );
        Ok(())
    })
}

fn nth(physical: Physical) -> Kernel {
    fn take<T: Native>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        for_rows(frame, call, |columns, row| {
            let [numbers, constants, _] = call.args;
            let number: i64 = columns.get(numbers, row);
            let known = (0..call.parameter).contains(&number);
            let number = if known { number } else { call.parameter };
            let value = columns.value::<T>(constants.nth(number as usize), row);
            columns.put(call.out, row, value);
            Ok(())
        })
    }
    match physical {
        Physical::I8 => take::<i8>,
        Physical::I16 => take::<i16>,
        Physical::I32 => take::<i32>,
        Physical::I64 => take::<i64>,
        Physical::F32 => take::<f32>,
        Physical::F64 => take::<f64>,
        Physical::Timestamp => take::<Timestamp>,
        Physical::View => take::<View>,
        Physical::I128 => take::<i128>,
    }
}
