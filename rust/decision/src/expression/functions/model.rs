//! What stands between a model's tensors, or rules, and the columns of expressions.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Physical, Slot, View};
use pelton_model::Text;

use super::super::compile::Compiler;
use super::super::program::{Call, EvalErrorKind, Failure, Frame};
use super::super::selection::SelectionId;
use super::super::typing::Typed;
use super::kernel::{for_rows, map1};

impl Compiler {
    /// A column of an integer tensor, which holds 64 bits, as INT or BOOLEAN.
    pub fn emit_narrow(&mut self, tensor: Slot, data_type: &DataType) -> Slot {
        let (physical, kernel): (_, super::super::program::Kernel) = match data_type {
            DataType::Int => (Physical::I32, |frame, call| {
                map1(frame, call, |value: i64| value as i32)
            }),
            _ => (Physical::I8, |frame, call| {
                map1(frame, call, |value: i64| i8::from(value != 0))
            }),
        };
        let out = self.layout.add(physical);
        self.push_call(kernel, [tensor; 3], 0, out, SelectionId::ALL);
        out
    }

    /// Writes a string into a tensor, as the place that it has in the heap; NULL is refused.
    pub fn emit_text(&mut self, typed: &Typed, into: Slot, under: SelectionId) {
        let value = self.emit(typed, under);
        self.push_call(place, [value; 3], 0, into, under);
    }

    /// A string of a tensor, which is a place in the heap.
    pub fn emit_string(&mut self, tensor: Slot) -> Slot {
        let out = self.layout.add(Physical::View);
        let kernel = |frame: &mut Frame<'_>, call: &Call| {
            map1(frame, call, |cell: i64| {
                let Text { offset, len } = Text::of(cell);
                View { offset, len }
            })
        };
        self.push_call(kernel, [tensor; 3], 0, out, SelectionId::ALL);
        out
    }

    /// The label behind each code of a tensor of strings; NULL for a code without one.
    pub fn emit_label(&mut self, codes: Slot, labels: &[String]) -> Slot {
        let texts = labels.iter().map(|label| Literal::text(label));
        let texts = texts.chain([Literal::Null]).collect();
        self.emit_nth(codes, Physical::View, texts, SelectionId::ALL)
    }

    /// The conditions of a rule set, each with its rule's name, of which at most one may be TRUE:
    /// two are an error of the record. Returns the conditions as columns.
    pub fn emit_unique(
        &mut self,
        conditions: &[(Typed, String)],
        under: SelectionId,
    ) -> Vec<Typed> {
        let mut hit = self.emit(&Typed::null(DataType::STRING), under);
        let mut columns = Vec::new();
        for (condition, name) in conditions {
            let slot = self.emit(condition, under);
            let name = self.emit(&Typed::text(name), under);
            let out = self.layout.add(Physical::View);
            self.push_call(unique, [hit, slot, name], 0, out, under);
            columns.push(Typed::column(DataType::Boolean, slot));
            hit = out;
        }
        columns
    }
}

/// The place of a string in the heap.
fn place(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [string, ..] = call.args;
        let view = columns.value::<View>(string, row);
        let View { offset, len } = view.ok_or_else(null_refused)?;
        columns.set(call.out, row, Text { offset, len }.cell());
        Ok(())
    })
}

#[cold]
fn null_refused() -> Failure {
    let message = "NULL where the model refuses it (null = \"error\")";
    Failure::new(EvalErrorKind::NullRefused, message)
}

/// The name of the rule that has hit so far; an error at the second.
fn unique(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [before, condition, name] = call.args;
        let hit = columns.value::<i8>(condition, row) == Some(1);
        let hit = hit.then(|| columns.get::<View>(name, row));
        let before = columns.value::<View>(before, row);
        if let (Some(first), Some(second)) = (before, hit) {
            let text = |view| String::from_utf8_lossy(columns.bytes(view)).into_owned();
            let (first, second) = (text(first), text(second));
            let message = format!("{first} and {second} both hit, where `hit = \"unique\"`");
            return Err(Failure::failed(message));
        }
        columns.put(call.out, row, before.or(hit));
        Ok(())
    })
}
