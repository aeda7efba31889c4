//! A model: its tensors are columns of the plan, so that expressions write its inputs in place
//! and its outputs are columns like any other.

use pelton_data::DataType;
use pelton_data::columns::{Physical, Slot};
use pelton_data::document::Text;
use pelton_data::report::Diagnostic;
use pelton_model::{Element, Model, Tensor};

use super::{Item, ModelWork, PlanCompiler, Work, title};
use crate::definition::{Expression, ModelInput, ModelOutput, ModelSection};
use crate::expression::{NullAs, SelectionId, TensorColumn, Typed, cast};

/// The first column of each region of a model's memory.
#[derive(Clone, Copy)]
struct Blocks {
    f32: Slot,
    f64: Slot,
    i64: Slot,
}

/// A DECIMAL as a number that tensors hold.
fn tensor_value(typed: Typed, tensor: &Tensor) -> Result<Typed, Diagnostic> {
    if !matches!(typed.data_type, DataType::Decimal { .. }) {
        return Ok(typed);
    }
    let number = match tensor.element {
        Element::Float => DataType::Float,
        Element::Double => DataType::Double,
        _ => DataType::BigInt,
    };
    cast(typed, &number)
}

impl PlanCompiler<'_> {
    pub(super) fn model(&mut self, i: usize) -> Option<()> {
        let section = &self.definition.models[i];
        let model = self.references.models[i].clone()?;
        let title = title(self.definition, Item::Model(i));
        let memory = model.memory();
        let layout = &mut self.compiler.layout;
        let blocks = Blocks {
            f32: layout.add_block(Physical::F32, memory.f32),
            f64: layout.add_block(Physical::F64, memory.f64),
            i64: layout.add_block(Physical::I64, memory.i64),
        };
        let start = self.here();
        let columns = self.model_inputs(section, &model, blocks, &title);
        let inputs = self.since(start);
        let start = self.here();
        for output in &section.outputs {
            self.model_output(output, section, &model, blocks);
        }
        let work = Work::Model(ModelWork {
            inputs,
            columns: columns?,
            f32: (blocks.f32, memory.f32),
            f64: (blocks.f64, memory.f64),
            i64: (blocks.i64, memory.i64),
            outputs: self.since(start),
            model,
        });
        let reads = section.inputs.iter().flat_map(|input| &input.columns);
        let reads: Vec<&Expression> = reads.collect();
        let writes = section
            .outputs
            .iter()
            .map(|output| output.name.value.as_str());
        self.step(Item::Model(i), &reads, writes.collect(), work);
        Some(())
    }

    /// What fills every input tensor of the model. A tensor that is left out is an error.
    fn model_inputs(
        &mut self,
        section: &ModelSection,
        model: &Model,
        blocks: Blocks,
        title: &str,
    ) -> Option<Vec<TensorColumn>> {
        for tensor in model.inputs() {
            let given = section
                .inputs
                .iter()
                .any(|input| input.tensor.value == tensor.name);
            if !given {
                let message = format!("{title} has an input `{}` that is not given", tensor.name);
                let diagnostic = Diagnostic::at(section.file.span.clone(), message);
                let help = format!("add `inputs.{} = {{ columns = [...] }}`", tensor.name);
                self.report.push(diagnostic.help(help));
            }
        }
        let filled: Vec<Option<Vec<TensorColumn>>> = section
            .inputs
            .iter()
            .map(|input| {
                let tensor = self.tensor(&input.tensor, &input.tensor.value, model.inputs())?;
                self.model_input(input, tensor, blocks, title)
            })
            .collect();
        let filled: Option<Vec<_>> = filled.into_iter().collect();
        filled.map(|columns| columns.into_iter().flatten().collect())
    }

    fn model_input(
        &mut self,
        input: &ModelInput,
        tensor: &Tensor,
        blocks: Blocks,
        title: &str,
    ) -> Option<Vec<TensorColumn>> {
        let given = input.columns.len();
        if given != tensor.width {
            let (name, expected) = (&tensor.name, tensor.width);
            let message = format!("tensor `{name}` has {expected} columns, but {given} are given");
            let diagnostic = Diagnostic::at(input.tensor.span.clone(), message);
            let help = format!(
                "the model's `{name}` is {} [n, {expected}]",
                tensor.element.name()
            );
            self.report.push(diagnostic.help(help));
        }
        let null = self.null_of(input, tensor)?;
        let first = block(tensor, blocks);
        let mut filled = Vec::new();
        for (k, column) in input.columns.iter().enumerate() {
            let Some(typed) = self.typed(column) else {
                continue;
            };
            if tensor.element == Element::String {
                self.string_input(column, &typed, first.nth(k), title, tensor);
                continue;
            }
            if !typed.data_type.is_numeric() && typed.data_type != DataType::Boolean {
                let message = format!(
                    "tensor `{}` takes numbers, but this is {}",
                    tensor.name, typed.data_type
                );
                self.report
                    .push(Diagnostic::at(column.text.span.clone(), message));
                continue;
            }
            let Some(typed) = self
                .report
                .keep(tensor_value(typed, tensor).map_err(|error| column.text.diagnostic(error)))
            else {
                continue;
            };
            self.begin(title, &column.text.value);
            let value = self.compiler.emit(&typed, SelectionId::ALL);
            let origin = format!("{title}: {}", column.text.value);
            filled.push(TensorColumn::new(value, first.nth(k), null, origin));
        }
        Some(filled)
    }

    /// A string goes to its tensor as the place that it has in the heap.
    fn string_input(
        &mut self,
        column: &Expression,
        typed: &Typed,
        into: Slot,
        title: &str,
        tensor: &Tensor,
    ) {
        if !typed.data_type.is_string() {
            let message = format!(
                "tensor `{}` takes strings, but this is {}",
                tensor.name, typed.data_type
            );
            let diagnostic = Diagnostic::at(column.text.span.clone(), message);
            self.report.push(diagnostic);
            return;
        }
        self.begin(title, &column.text.value);
        self.compiler.emit_text(typed, into, SelectionId::ALL);
    }

    /// What a NULL becomes in a tensor: NaN by default in floats, an error in everything else.
    fn null_of(&mut self, input: &ModelInput, tensor: &Tensor) -> Option<NullAs> {
        let float = matches!(tensor.element, Element::Float | Element::Double);
        match input.null {
            None if float => Some(NullAs::Nan),
            None => Some(NullAs::Error),
            Some(NullAs::Nan | NullAs::Value(_)) if !float => {
                let message = format!("tensor `{}` is {}", tensor.name, tensor.element.name());
                let diagnostic = Diagnostic::at(input.tensor.span.clone(), message);
                let help = "its `null` can be \"error\" (the default) or an integer";
                self.report.push(diagnostic.help(help));
                None
            }
            Some(NullAs::Integer(_)) if tensor.element == Element::String => {
                let message = format!("tensor `{}` is string", tensor.name);
                let diagnostic = Diagnostic::at(input.tensor.span.clone(), message);
                let help = "its `null` can be \"error\" (the default); COALESCE gives another text";
                self.report.push(diagnostic.help(help));
                None
            }
            Some(NullAs::Integer(value)) if float => Some(NullAs::Value(value as f64)),
            Some(null) => Some(null),
        }
    }

    fn model_output(
        &mut self,
        output: &ModelOutput,
        section: &ModelSection,
        model: &Model,
        blocks: Blocks,
    ) -> Option<()> {
        let tensor = self.tensor(&output.reference, &output.tensor, model.outputs())?;
        let column = match output.index {
            Some(index) if index < tensor.width => index,
            None if tensor.width == 1 => 0,
            _ => {
                let (name, width) = (&tensor.name, tensor.width);
                let message = format!("tensor `{name}` has the columns 0 to {}", width - 1);
                let diagnostic = Diagnostic::at(output.reference.span.clone(), message);
                let help = format!("name one of them: `{name}[0]`; ARRAYs are not supported yet");
                self.report.push(diagnostic.help(help));
                return None;
            }
        };
        let first = block(tensor, blocks);
        self.begin(
            &format!("model `{}`", section.name.value),
            &output.reference.value,
        );
        let raw = first.nth(column);
        let (slot, data_type) = match (&tensor.element, &tensor.dictionary) {
            (Element::Float, _) => (raw, DataType::Float),
            (Element::Double, _) => (raw, DataType::Double),
            (Element::Int64, _) => (raw, DataType::BigInt),
            (Element::Uint32, _) => (raw, DataType::BigInt),
            (
                Element::Int32 | Element::Int16 | Element::Int8 | Element::Uint16 | Element::Uint8,
                _,
            ) => (
                self.compiler.emit_narrow(raw, &DataType::Int),
                DataType::Int,
            ),
            (Element::Bool, _) => {
                let slot = self.compiler.emit_narrow(raw, &DataType::Boolean);
                (slot, DataType::Boolean)
            }
            (Element::String, Some(labels)) => {
                (self.compiler.emit_label(raw, labels), DataType::STRING)
            }
            (Element::String, None) => (self.compiler.emit_string(raw), DataType::STRING),
        };
        self.define(&output.name.value, slot, &data_type);
        Some(())
    }

    /// The tensor of a name, or an error with the nearest one.
    fn tensor<'m>(
        &mut self,
        place: &Text,
        name: &str,
        tensors: &'m [Tensor],
    ) -> Option<&'m Tensor> {
        let found = tensors.iter().find(|tensor| tensor.name == name);
        if found.is_none() {
            let message = format!("the model has no tensor `{name}` here");
            let names = tensors.iter().map(|tensor| tensor.name.as_str());
            let diagnostic = Diagnostic::at(place.span.clone(), message);
            self.report.push(diagnostic.suggest(name, names));
        }
        found
    }
}

/// The first column of a tensor.
fn block(tensor: &Tensor, blocks: Blocks) -> Slot {
    let region = match tensor.element {
        Element::Float => blocks.f32,
        Element::Double => blocks.f64,
        _ => blocks.i64,
    };
    region.nth(tensor.first)
}
