//! Instructions that part rows, and jumps: how a branch is computed for the rows that take it, and
//! for no others.

use pelton_data::columns::Slot;

use super::compile::Compiler;
use super::program::{Call, Failure, Frame, Kernel};
use super::selection::SelectionId;

/// What is asked of a row before a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// A BOOLEAN is TRUE, neither FALSE nor NULL.
    True,
    /// A BOOLEAN is TRUE or NULL.
    NotFalse,
    /// A BOOLEAN is FALSE or NULL.
    NotTrue,
}

impl Compiler {
    /// Parts `from` in two: the rows that pass the test, and the others.
    pub(super) fn filter(
        &mut self,
        test: Test,
        column: Slot,
        from: SelectionId,
    ) -> (SelectionId, SelectionId) {
        let [yes, no] = [(); 2].map(|()| self.selection(from));
        let kernel: Kernel = match test {
            Test::True => |frame, call| part(frame, call, |valid, value| valid & value),
            Test::NotFalse => |frame, call| part(frame, call, |valid, value| !valid | value),
            Test::NotTrue => |frame, call| part(frame, call, |valid, value| !valid | !value),
        };
        let parameter = i64::from(yes.0);
        self.push_call(kernel, [column; 3], parameter, column, from);
        (yes, no)
    }

    /// A jump over what follows, taken when `selection` is empty; [`Compiler::land`] says where to.
    pub(super) fn skip(&mut self, selection: SelectionId, any: Slot) -> usize {
        self.push_call(skip_if_empty, [any; 3], 0, any, selection);
        self.instructions() - 1
    }
}

/// Parts the rows of a selection by a BOOLEAN: those that pass into the selection that the
/// parameter numbers, the others into the next.
#[inline(always)]
fn part(
    frame: &mut Frame<'_>,
    call: &Call,
    passes: impl Fn(bool, bool) -> bool,
) -> Result<(), Failure> {
    let column = call.args[0];
    let yes = call.parameter as u32;
    let sides = [SelectionId(yes), SelectionId(yes + 1)];
    sides.iter().for_each(|side| frame.selections.clear(*side));
    for at in 0..frame.selections.count(call.under, frame.n) {
        let row = frame.selections.row(call.under, at);
        let value = frame.columns.get::<i8>(column, row) != 0;
        let passed = passes(frame.columns.is_valid(column, row), value);
        frame.selections.push(sides[usize::from(!passed)], row);
    }
    Ok(())
}

/// Goes on at the instruction that the parameter numbers, when no row is selected.
fn skip_if_empty(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    if frame.selections.count(call.under, frame.n) == 0 {
        frame.jump = Some(call.parameter as u32);
    }
    Ok(())
}
