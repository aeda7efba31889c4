//! What kernels are made of: loops over the selected rows, strict in NULL.
//!
//! A kernel is a closure without captures around one of these, so that it is a plain function:
//!
//! ```text
//! |frame, call| map2(frame, call, |a: i32, b: i32| a.wrapping_add(b))
//! ```

use pelton_data::columns::{Columns, Native, Slot};

use super::super::program::{Call, EvalErrorKind, Failure, Frame};

/// Calls `step` for every selected row. One row is the case that counts: its code stands alone,
/// without a loop. It is selected, because an instruction is only reached by rows.
#[inline(always)]
pub(in super::super) fn for_rows(
    frame: &mut Frame<'_>,
    call: &Call,
    mut step: impl FnMut(&mut Columns, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    match frame.columns.is_single() {
        true => step(frame.columns, 0).or_else(|failure| failed(frame.columns, call, 0, failure)),
        false => for_many(frame, call, step),
    }
}

#[inline(never)]
fn for_many(
    frame: &mut Frame<'_>,
    call: &Call,
    mut step: impl FnMut(&mut Columns, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for at in 0..frame.selections.count(call.under, frame.n) {
        let row = frame.selections.row(call.under, at);
        step(frame.columns, row).or_else(|failure| failed(frame.columns, call, row, failure))?;
    }
    Ok(())
}

/// A row that fails is NULL where the call says so. Memory that runs out is no matter of the row.
#[cold]
fn failed(columns: &mut Columns, call: &Call, row: usize, failure: Failure) -> Result<(), Failure> {
    if !call.or_null || failure.kind() != EvalErrorKind::Failed {
        return Err(failure);
    }
    columns.set_valid(call.out, row, false);
    Ok(())
}

/// `f` of one argument; NULL of NULL. `f` sees any value where the argument is NULL.
#[inline(always)]
pub(in super::super) fn map1<A: Native, R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A) -> R,
) -> Result<(), Failure> {
    strict(frame, call, |columns, row, [a, ..]| {
        (f(columns.get(a, row)), columns.is_valid(a, row))
    })
}

/// `f` of two arguments; NULL where one is NULL. `f` sees any value where an argument is NULL.
#[inline(always)]
pub(in super::super) fn map2<A: Native, B: Native, R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A, B) -> R,
) -> Result<(), Failure> {
    strict(frame, call, |columns, row, [a, b, _]| {
        let valid = columns.is_valid(a, row) & columns.is_valid(b, row);
        (f(columns.get(a, row), columns.get(b, row)), valid)
    })
}

/// Value and validity of every selected row, from the arguments of the call.
#[inline(always)]
fn strict<R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    value: impl Fn(&Columns, usize, [Slot; 3]) -> (R, bool),
) -> Result<(), Failure> {
    if frame.columns.is_single() {
        strict_row(frame.columns, call, 0, &value);
        return Ok(());
    }
    for_many(frame, call, |columns, row| {
        strict_row(columns, call, row, &value);
        Ok(())
    })
}

/// A row of [`strict`]. Not a closure of `for_rows`: one that has two callers may become a call.
#[inline(always)]
fn strict_row<R: Native>(
    columns: &mut Columns,
    call: &Call,
    row: usize,
    value: &impl Fn(&Columns, usize, [Slot; 3]) -> (R, bool),
) {
    let (value, valid) = value(columns, row, call.args);
    columns.set(call.out, row, value);
    columns.set_valid(call.out, row, valid);
}

/// `f` of one argument, which is never NULL; it may fail.
#[inline(always)]
pub(in super::super) fn try_map1<A: Native, R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A, i64) -> Result<R, Failure>,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let value = match columns.value(a, row) {
            Some(a) => Some(f(a, call.parameter)?),
            None => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// `f` of two arguments, which are never NULL; it may fail.
#[inline(always)]
pub(in super::super) fn try_map2<A: Native, B: Native, R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(A, B) -> Result<R, Failure>,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, b, _] = call.args;
        let value = match (columns.value(a, row), columns.value(b, row)) {
            (Some(a), Some(b)) => Some(f(a, b)?),
            _ => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// `f` of the bytes of a string and the call's parameter; it may fail.
#[inline(always)]
pub(in super::super) fn map_text<R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&[u8], i64) -> Result<R, Failure>,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, ..] = call.args;
        let value = match columns.is_valid(a, row) {
            true => Some(f(columns.text(a, row), call.parameter)?),
            false => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// `f` of the bytes of two strings.
#[inline(always)]
pub(in super::super) fn map_text2<R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&[u8], &[u8]) -> R,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [a, b, _] = call.args;
        let valid = columns.is_valid(a, row) && columns.is_valid(b, row);
        let value = valid.then(|| f(columns.text(a, row), columns.text(b, row)));
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// A string that `f` writes, from an argument and the call's parameter.
#[inline(always)]
pub(in super::super) fn write_text<A: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&Columns, A, i64, &mut Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let [a, ..] = call.args;
    // Taken for the loop, because the frame cannot be borrowed twice; given back below.
    let mut text = std::mem::take(&mut frame.selections.text);
    let result = for_rows(frame, call, |columns, row| {
        let view = match columns.value(a, row) {
            Some(value) => {
                text.clear();
                f(columns, value, call.parameter, &mut text)?;
                Some(columns.push_text(&text)?)
            }
            None => None,
        };
        columns.put(call.out, row, view);
        Ok(())
    });
    frame.selections.text = text;
    result
}

/// The same value in another column.
pub(in super::super) fn copy(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [from, ..] = call.args;
        columns.copy(from, call.out, row);
        Ok(())
    })
}
