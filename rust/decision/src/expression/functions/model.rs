//! What stands between a model's tensors, or rules, and the columns of expressions.

use pelton_data::DataType;
use pelton_data::columns::{Literal, Physical, Slot, View};
use pelton_data::nested::ArrayWriter;
use pelton_model::{Element, Tensor, Text};

use super::super::compile::Compiler;
use super::super::program::{Call, EvalErrorKind, Failure, Frame, Kernel};
use super::super::selection::SelectionId;
use super::super::typing::Typed;
use super::kernel::{for_rows, map1};
use super::nested::{data_type_of, layout_of, pack, unpack};

impl Compiler {
    /// Columns of a model's tensor, `count` from `tensor` on, as columns of expressions, and the type of
    /// their values.
    pub fn emit_tensor(&mut self, of: &Tensor, tensor: Slot, count: usize) -> (Slot, DataType) {
        let data_type = type_of(of.element);
        let kernel: Kernel = match (of.element, &of.dictionary) {
            (Element::Float | Element::Double | Element::Int64 | Element::Uint32, _) => {
                return (tensor, data_type);
            }
            (Element::String, Some(labels)) => {
                let texts = labels.iter().map(|label| Literal::text(label));
                // A code without a label is NULL.
                let texts = texts.chain([Literal::Null]).collect();
                let out = self.layout.add_block(Physical::View, count);
                self.push_nth(tensor, count, texts, out, SelectionId::ALL);
                return (out, data_type);
            }
            (Element::String, None) => |frame, call| {
                map1(frame, call, |cell: i64| {
                    let Text { offset, len } = Text::of(cell);
                    View::new(offset, len)
                })
            },
            (Element::Bool, _) => {
                |frame, call| map1(frame, call, |value: i64| i8::from(value != 0))
            }
            _ => |frame, call| map1(frame, call, |value: i64| value as i32),
        };
        let out = self.layout.add_block(Physical::of(&data_type), count);
        for k in 0..count {
            self.push_call(kernel, [tensor.nth(k); 3], 0, out.nth(k), SelectionId::ALL);
        }
        (out, data_type)
    }

    /// The values of `count` columns one behind the other as an ARRAY in each row.
    pub fn emit_array(&mut self, columns: Slot, count: usize, element: &DataType) -> Slot {
        let out = self.layout.add(Physical::View);
        let parameter = pack(&[layout_of(element), count as u16, (count >> 16) as u16]);
        self.push_call(gather, [columns; 3], parameter, out, SelectionId::ALL);
        out
    }

    /// Writes a string into a tensor, as the place that it has in the heap; NULL is refused.
    pub fn emit_text(&mut self, typed: &Typed, into: Slot, under: SelectionId) {
        let value = self.emit(typed, under);
        self.push_call(place, [value; 3], 0, into, under);
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

/// The type of a tensor's values in expressions.
fn type_of(element: Element) -> DataType {
    match element {
        Element::Float => DataType::Float,
        Element::Double => DataType::Double,
        Element::Int64 | Element::Uint32 => DataType::BigInt,
        Element::Int32 | Element::Int16 | Element::Int8 | Element::Uint16 | Element::Uint8 => {
            DataType::Int
        }
        Element::Bool => DataType::Boolean,
        Element::String => DataType::STRING,
    }
}

/// The values of columns one behind the other as an ARRAY.
fn gather(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    let [element, low, high, _] = unpack(call.parameter);
    let (element, count) = (
        data_type_of(element),
        usize::from(low) | usize::from(high) << 16,
    );
    // Taken for the loop, because the frame cannot be borrowed twice; given back below.
    let mut memory = std::mem::take(&mut frame.selections.text);
    let result = for_rows(frame, call, |columns, row| {
        let [first, ..] = call.args;
        let mut array = ArrayWriter::reuse(std::mem::take(&mut memory), &element, count)?;
        for k in 0..count {
            let value = columns.scalar(first.nth(k), row);
            array.push(value.map(|value| value.map(|view| columns.bytes(view))))?;
        }
        memory = array.finish();
        let view = columns.push_text(&memory)?;
        columns.put(call.out, row, Some(view));
        Ok(())
    });
    memory.clear();
    frame.selections.text = memory;
    result
}

/// The place of a string in the heap.
fn place(frame: &mut Frame<'_>, call: &Call) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let [string, ..] = call.args;
        let view = columns.value::<View>(string, row);
        let view = view.ok_or_else(null_refused)?;
        let (offset, len) = (view.offset(), view.len());
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
