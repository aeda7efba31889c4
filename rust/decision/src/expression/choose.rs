//! One string among constants: `s IN ('a', 'b')`, `CASE s WHEN 'a' THEN 1 ... END`.
//!
//! Written out, these are chains of comparisons of one column, an instruction or two each. Here
//! one instruction looks through all the constants.

use pelton_data::columns::{Columns, Literal, Native, Physical, Slot, Timestamp, View};

use super::compile::Compiler;
use super::functions::comparison::equal_texts;
use super::functions::kernel::for_rows;
use super::program::{Call, Failure, Frame, Kernel};
use super::selection::SelectionId;
use super::typing::{Node, Typed};

/// A shorter chain is left as it is.
const WORTHWHILE: usize = 3;

/// A string column and the constants that it is compared with, in their order.
struct Chain {
    column: Slot,
    texts: Vec<Literal>,
}

impl Compiler {
    /// `s = 'a' OR s = 'b' OR ...`, if that is what `args` are.
    pub(super) fn emit_among(&mut self, args: &[Typed], under: SelectionId) -> Option<Slot> {
        let Chain { column, texts } = chain(args.iter())?;
        let count = texts.len() as i64;
        let texts = self.layout.add_literals(Physical::View, texts);
        let out = self.layout.add(Physical::I8);
        self.push_call(among, [column, texts, texts], count, out, under);
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
        let Chain { column, texts } = chain(branches.iter().map(|(condition, _)| condition))?;
        let values = branches.iter().map(|(_, value)| value).chain([otherwise]);
        let values: Option<Vec<Literal>> = values.map(Typed::as_literal).collect();
        let physical = otherwise.physical();
        let count = texts.len() as i64;
        let texts = self.layout.add_literals(Physical::View, texts);
        let values = self.layout.add_literals(physical, values?);
        let out = self.layout.add(physical);
        self.push_call(choice(physical), [column, texts, values], count, out, under);
        Some(out)
    }
}

/// The chain that conditions are, if all compare one column with constant strings.
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
        texts: equalities.into_iter().map(|(_, text)| text).collect(),
    })
}

/// `column = 'text'`
fn equality(typed: &Typed) -> Option<(Slot, Literal)> {
    let Node::Call(application) = &typed.node else {
        return None;
    };
    // Kernels are told apart by their address, as where common subexpressions are found.
    if application.kernel as usize != equal_texts as Kernel as usize {
        return None;
    }
    match (&application.args[0].node, application.args[1].as_literal()) {
        (Node::Column(slot), Some(text @ Literal::Text(_))) => Some((*slot, text)),
        _ => None,
    }
}

/// Which of the call's constants the string of a row is; their number where it is none of them.
#[inline(always)]
fn position(columns: &Columns, call: &Call, row: usize) -> usize {
    let [column, texts, _] = call.args;
    let text = columns.text(column, row);
    let count = call.parameter as usize;
    let found = (0..count).find(|k| columns.text(texts.nth(*k), row) == text);
    found.unwrap_or(count)
}

/// Whether a string is one of the constants; NULL of NULL.
fn among(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    let [column, ..] = call.args;
    for_rows(frame, call, |columns, row| {
        let valid = columns.is_valid(column, row);
        let found = valid && position(columns, call, row) < call.parameter as usize;
        columns.set(call.out, row, i8::from(found));
        columns.set_valid(call.out, row, valid);
        Ok(())
    })
}

/// The value that stands beside a string's constant; the last where it is none of them, or NULL.
fn choice(physical: Physical) -> Kernel {
    fn choose<T: Native>(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
        let [column, _, values] = call.args;
        for_rows(frame, call, |columns, row| {
            let at = match columns.is_valid(column, row) {
                true => position(columns, call, row),
                false => call.parameter as usize,
            };
            columns.put(call.out, row, columns.value::<T>(values.nth(at), row));
            Ok(())
        })
    }
    match physical {
        Physical::I8 => choose::<i8>,
        Physical::I16 => choose::<i16>,
        Physical::I32 => choose::<i32>,
        Physical::I64 => choose::<i64>,
        Physical::F32 => choose::<f32>,
        Physical::F64 => choose::<f64>,
        Physical::Timestamp => choose::<Timestamp>,
        Physical::View => choose::<View>,
    }
}
