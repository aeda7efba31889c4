//! One value among constants: `s IN ('a', 'b')`, `CASE i WHEN 1 THEN 'a' ... END`.
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
const WORTHWHILE: usize = 2;

/// A value and the constants that it is compared with, in their order.
struct Chain<'t> {
    value: &'t Typed,
    constants: Vec<Literal>,
}

impl Compiler {
    /// `s = 'a' OR s = 'b' OR ...`, if that is what `args` are.
    pub(super) fn emit_among(&mut self, args: &[Typed], under: SelectionId) -> Option<Slot> {
        let chain = chain(args.iter())?;
        Some(self.emit_sought(chain, Physical::I8, under))
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
        let position = self.emit_sought(chain, Physical::I64, under);
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
        let out = self.layout.add(physical);
        self.push_nth(numbers, 1, constants, out, under);
        out
    }

    /// The same for so many columns of numbers one behind the other, into as many columns.
    pub(super) fn push_nth(
        &mut self,
        numbers: Slot,
        count: usize,
        constants: Vec<Literal>,
        out: Slot,
        under: SelectionId,
    ) {
        let last = constants.len() as i64 - 1;
        let constants = self.layout.add_literals(out.physical, constants);
        let kernel = nth(out.physical);
        for k in 0..count {
            let args = [numbers.nth(k), constants, constants];
            self.push_call(kernel, args, last, out.nth(k), under);
        }
    }

    /// The number of the constant that a column is equal to, and how many there are if to none;
    /// or as a BOOLEAN, whether it is equal to one.
    fn emit_sought(&mut self, chain: Chain<'_>, answer: Physical, under: SelectionId) -> Slot {
        let Chain { value, constants } = chain;
        let column = self.emit(value, under);
        let count = constants.len() as i64;
        let words: Option<Vec<Literal>> = constants.iter().map(short_text).collect();
        let is_short = words.is_some();
        let constants = words.unwrap_or(constants);
        let physical = if is_short {
            Physical::I64
        } else {
            column.physical
        };
        let constants = self.layout.add_literals(physical, constants);
        let kernel = match answer {
            Physical::I8 => seek::<Among>(column.physical, is_short),
            _ => seek::<Position>(column.physical, is_short),
        };
        self.call(kernel, [column, constants, constants], count, answer, under)
    }
}

/// The chain that conditions are, if all compare one value with constants.
fn chain<'t>(conditions: impl ExactSizeIterator<Item = &'t Typed>) -> Option<Chain<'t>> {
    if conditions.len() < WORTHWHILE {
        return None;
    }
    let equalities: Option<Vec<(&Typed, Literal)>> = conditions.map(equality).collect();
    let equalities = equalities?;
    let value = equalities[0].0;
    let same = equalities.iter().all(|(other, _)| other.is_same(value));
    same.then(|| Chain {
        value,
        constants: equalities.into_iter().map(|(_, text)| text).collect(),
    })
}

/// `value = constant`, both of one type.
fn equality(typed: &Typed) -> Option<(&Typed, Literal)> {
    let Node::Call(application) = &typed.node else {
        return None;
    };
    let value = &application.args[0];
    // Kernels are told apart by their address, as where common subexpressions are found.
    if application.kernel as usize != equal_kernel(value.physical()) as usize {
        return None;
    }
    let constant = fold(&application.args[1])?;
    (constant != Literal::Null).then_some((value, constant))
}

/// The longest text that is compared as one number, in bytes.
const SHORT: usize = 7;

/// A text of up to 7 bytes as a number: its bytes, and its length in the highest. 0 for a longer
/// one.
#[inline(always)]
fn word(columns: &Columns, text: View) -> i64 {
    match text.len() as usize {
        len @ 0..=SHORT => (columns.word(text) | (0x80 | len as u64) << 56) as i64,
        _ => 0,
    }
}

fn short_text(constant: &Literal) -> Option<Literal> {
    match constant {
        Literal::Bytes(text) if text.len() <= SHORT => {
            let mut word = [0; 8];
            word[..text.len()].copy_from_slice(text);
            word[SHORT] = 0x80 | text.len() as u8;
            Some(Literal::I64(i64::from_le_bytes(word)))
        }
        _ => None,
    }
}

/// What is answered when a constant was sought.
trait Answer {
    /// `found` is the number of the constant that is equal to the column; how many there are, if
    /// none is.
    fn put(columns: &mut Columns, call: &Call, row: usize, found: i64);
}

/// Which constant a column is equal to. Where it is NULL the number is that of none.
struct Position;

/// Whether a column is equal to a constant; NULL where the column is.
struct Among;

impl Answer for Position {
    #[inline(always)]
    fn put(columns: &mut Columns, call: &Call, row: usize, found: i64) {
        columns.put(call.out, row, Some(found));
    }
}

impl Answer for Among {
    #[inline(always)]
    fn put(columns: &mut Columns, call: &Call, row: usize, found: i64) {
        columns.set(call.out, row, i8::from(found < call.parameter));
        columns.set_valid(call.out, row, columns.is_valid(call.args[0], row));
    }
}

/// The kernel that seeks a column's value among constants; `is_short` for texts whose constants
/// are [`word`]s.
fn seek<A: Answer>(physical: Physical, is_short: bool) -> Kernel {
    fn value<A: Answer, T: Native + PartialEq>(
        frame: &mut Frame<'_>,
        call: &Call,
    ) -> Result<(), Failure> {
        for_rows(frame, call, |columns, row| {
            let sought = columns.get::<T>(call.args[0], row);
            find::<A, T>(columns, call, row, sought);
            Ok(())
        })
    }
    fn short<A: Answer>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        for_rows(frame, call, |columns, row| {
            let sought = match columns.value(call.args[0], row) {
                Some(text) => word(columns, text),
                None => 0,
            };
            find::<A, i64>(columns, call, row, sought);
            Ok(())
        })
    }
    fn text<A: Answer>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        for_rows(frame, call, |columns, row| {
            let [column, constants, _] = call.args;
            let text = columns.value(column, row);
            let text = text.map(|text: View| columns.bytes(text));
            let mut numbers = 0..call.parameter;
            let found = text.and_then(|text| {
                numbers.find(|k| columns.text(constants.nth(*k as usize), row) == text)
            });
            A::put(columns, call, row, found.unwrap_or(call.parameter));
            Ok(())
        })
    }
    /// All constants are looked at, without a jump: where the value stands cannot be foretold.
    #[inline(always)]
    fn find<A: Answer, T: Native + PartialEq>(
        columns: &mut Columns,
        call: &Call,
        row: usize,
        sought: T,
    ) {
        let [column, constants, _] = call.args;
        let count = call.parameter as usize;
        let constants = columns.block::<T>(constants, count);
        let stride = columns.capacity();
        let mut found = call.parameter;
        for k in (0..count).rev() {
            let is_equal = constants[k * stride] == sought;
            found = if is_equal { k as i64 } else { found };
        }
        let valid = columns.is_valid(column, row);
        A::put(
            columns,
            call,
            row,
            if valid { found } else { call.parameter },
        );
    }
    match physical {
        Physical::I8 => value::<A, i8>,
        Physical::I16 => value::<A, i16>,
        Physical::I32 => value::<A, i32>,
        Physical::I64 => value::<A, i64>,
        Physical::F32 => value::<A, f32>,
        Physical::F64 => value::<A, f64>,
        Physical::Timestamp => value::<A, Timestamp>,
        Physical::View if is_short => short::<A>,
        Physical::View => text::<A>,
        Physical::I128 => value::<A, i128>,
    }
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
            let constant = constants.nth(number as usize);
            columns.set(call.out, row, columns.get::<T>(constant, row));
            columns.set_valid(call.out, row, columns.is_valid(constant, row));
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
