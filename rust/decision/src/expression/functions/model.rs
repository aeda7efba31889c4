//! What stands between a model's tensors, or rules, and the columns of expressions.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Physical, Slot};

use super::super::compile::Compiler;
use super::super::program::{Call, Failure, Frame};
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

    /// The label behind each code of a tensor of strings; NULL for a code without one.
    pub fn emit_label(&mut self, codes: Slot, labels: &[String]) -> Slot {
        let texts = labels.iter().map(|label| Literal::Text(label.clone()));
        let texts = texts.chain([Literal::Null]).collect();
        self.emit_nth(codes, Physical::View, texts, SelectionId::ALL)
    }

    /// The conditions of a rule set of which at most one may be TRUE: two are an error of the
    /// record. Returns the conditions as columns.
    pub fn emit_unique(&mut self, conditions: &[Typed], under: SelectionId) -> Vec<Typed> {
        let mut hit = self.layout.add_literal(Physical::I8, Literal::I8(0));
        let mut columns = Vec::new();
        for condition in conditions {
            let slot = self.emit(condition, under);
            let out = self.layout.add(Physical::I8);
            self.push_call(unique, [hit, slot, slot], 0, out, under);
            columns.push(Typed::column(DataType::Boolean, slot));
            hit = out;
        }
        columns
    }
}

/// TRUE once a condition was; an error at the second.
fn unique(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    let [before, condition, _] = call.args;
    for_rows(frame, call, |columns, row| {
        let hit = columns.value::<i8>(condition, row) == Some(1);
        let before = columns.get::<i8>(before, row) == 1;
        if hit && before {
            return Err(Failure::failed("two rules hit, where `hit = \"unique\"`"));
        }
        columns.put(call.out, row, Some(i8::from(hit || before)));
        Ok(())
    })
}
