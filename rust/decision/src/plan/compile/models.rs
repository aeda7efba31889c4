//! A model: its tensors are columns of the plan, so that expressions write its inputs in place
//! and its outputs are columns like any other.

use std::ops::Range;
use std::sync::Arc;

use pelton_data::DataType;
use pelton_data::columns::{Physical, Slot};
use pelton_data::document::Text;
use pelton_data::report::Diagnostic;
use pelton_model::{Element, Model, Tensor};

use super::each::Array;
use super::{Item, ModelWork, PlanCompiler, Work, title};
use crate::definition::{Expression, ModelInput, ModelOutput, ModelSection};
use crate::expression::{NullAs, SelectionId, TensorColumn, TensorColumns, Typed, cast};
use crate::plan::model::{IdCheck, Items, Tensors};
use crate::plan::sequence::SequenceWork;

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

/// What fills the tensors of a model.
#[derive(Default)]
struct Filled {
    columns: Vec<TensorColumn>,
    sequences: Vec<SequenceWork>,
    ids: Vec<IdCheck>,
}

/// A model while it is compiled: what its tensors are, where they lie, what it is called in errors.
#[derive(Clone, Copy)]
pub(super) struct Target<'m> {
    pub model: &'m Model,
    blocks: Blocks,
    pub title: &'m str,
}

impl Target<'_> {
    /// The first column of a tensor.
    pub fn first(&self, tensor: &Tensor) -> Slot {
        let region = match tensor.element {
            Element::Float => self.blocks.f32,
            Element::Double => self.blocks.f64,
            _ => self.blocks.i64,
        };
        region.nth(tensor.first)
    }
}

/// A model's run over the rows that it sees, and its outputs with their columns among them.
struct Compiled {
    inputs: Range<u32>,
    tensors: Option<Tensors>,
    outputs: Range<u32>,
    named: Vec<(String, Slot, DataType)>,
}

impl PlanCompiler<'_> {
    pub(super) fn model(&mut self, i: usize) -> Option<()> {
        let section = &self.definition.models[i];
        let model = self.references.models[i].clone()?;
        let title = title(self.definition, Item::Model(i));
        let start = self.here();
        let (items, compiled) = match &section.for_each {
            None => (None, self.tensors(section, &model, &title)),
            Some((for_each, most)) => {
                let arrays = for_each.names.iter();
                let arrays =
                    arrays.map(|(name, array)| self.array(Some(&name.value), array, &title));
                let arrays: Vec<Option<Array>> = arrays.collect();
                let arrays = arrays.into_iter().collect::<Option<Vec<Array>>>()?;
                let (each, compiled) = self.each(&title, arrays, *most, |items, _| {
                    items.tensors(section, &model, &title)
                });
                (Some(each), compiled)
            }
        };
        let Compiled {
            inputs,
            tensors,
            outputs,
            named,
        } = compiled;
        let place = self.models;
        self.models += 1;
        let work = match items {
            None => {
                for (name, slot, data_type) in &named {
                    self.define(name, *slot, data_type);
                }
                ModelWork {
                    inputs,
                    outputs,
                    place,
                    items: None,
                    tensors: tensors?,
                }
            }
            Some(each) => {
                let arrays = named.into_iter().map(|(name, slot, element)| {
                    let array = self.compiler.layout.add(Physical::View);
                    self.define(&name, array, &array_of(element.clone()));
                    (slot, element, array)
                });
                let items = Items {
                    each,
                    inputs,
                    outputs,
                    arrays: arrays.collect(),
                };
                let inputs = self.since(start);
                let outputs = inputs.end..inputs.end;
                ModelWork {
                    inputs,
                    outputs,
                    place,
                    items: Some(items),
                    tensors: tensors?,
                }
            }
        };
        let reads = section.expressions();
        let writes = section.outputs.iter();
        let writes = writes.map(|output| output.name.value.as_str());
        self.step(
            Item::Model(i),
            &reads,
            writes.collect(),
            Work::Model(Box::new(work)),
        );
        Some(())
    }

    /// Compiles what fills a model's tensors and what is read of them, over the rows that it sees.
    fn tensors(&mut self, section: &ModelSection, model: &Arc<Model>, title: &str) -> Compiled {
        let memory = model.memory();
        let layout = &mut self.compiler.layout;
        let blocks = Blocks {
            f32: layout.add_block(Physical::F32, memory.f32),
            f64: layout.add_block(Physical::F64, memory.f64),
            i64: layout.add_block(Physical::I64, memory.i64),
        };
        let target = Target {
            model,
            blocks,
            title,
        };
        let start = self.here();
        let filled = self.model_inputs(section, target);
        let inputs = self.since(start);
        let start = self.here();
        let mut named = Vec::new();
        for output in &section.outputs {
            named.extend(self.model_output(output, target));
        }
        let tensors = filled.map(|filled| Tensors {
            columns: TensorColumns::new(filled.columns),
            sequences: filled.sequences,
            ids: filled.ids,
            model: Arc::clone(model),
            f32: (blocks.f32, memory.f32),
            f64: (blocks.f64, memory.f64),
            i64: (blocks.i64, memory.i64),
        });
        let outputs = self.since(start);
        Compiled {
            inputs,
            tensors,
            outputs,
            named,
        }
    }

    /// What fills every input tensor of the model. A tensor that is left out is an error.
    fn model_inputs(&mut self, section: &ModelSection, target: Target<'_>) -> Option<Filled> {
        let mut given: Vec<&Text> = Vec::new();
        for input in &section.inputs {
            let mask = input.sequence.iter().flat_map(|sequence| &sequence.mask);
            for tensor in [&input.tensor].into_iter().chain(mask) {
                if given.iter().any(|other| other.value == tensor.value) {
                    let message = format!("tensor `{}` is given twice", tensor.value);
                    self.report
                        .push(Diagnostic::at(tensor.span.clone(), message));
                }
                given.push(tensor);
            }
        }
        for tensor in target.model.inputs() {
            if !given.iter().any(|given| given.value == tensor.name) {
                let title = target.title;
                let message = format!("{title} has an input `{}` that is not given", tensor.name);
                let diagnostic = Diagnostic::at(section.file.span.clone(), message);
                let help = format!("add `inputs.{} = {{ columns = [...] }}`", tensor.name);
                self.report.push(diagnostic.help(help));
            }
        }
        let mut filled = Filled::default();
        let mut whole = true;
        for input in &section.inputs {
            whole &= self.model_input(input, target, &mut filled).is_some();
        }
        whole.then_some(filled)
    }

    fn model_input(
        &mut self,
        input: &ModelInput,
        target: Target<'_>,
        filled: &mut Filled,
    ) -> Option<()> {
        let inputs = target.model.inputs();
        let tensor = self.tensor(&input.tensor, &input.tensor.value, inputs)?;
        filled.ids.extend(self.id_checks(input, tensor, target)?);
        if let Some(sequence) = &input.sequence {
            let sequence = self.sequence(input, sequence, tensor, target)?;
            filled.sequences.push(sequence);
            return Some(());
        }
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
        let first = target.first(tensor);
        for (k, column) in input.columns.iter().enumerate() {
            if let Some(typed) = self.typed_once(column, target.title) {
                let column = self.column(column, typed, first.nth(k), null, tensor, target.title);
                filled.columns.extend(column);
            }
        }
        Some(())
    }

    /// What `out_of_range` asks for: `None` where it cannot be had.
    fn id_checks(
        &mut self,
        input: &ModelInput,
        tensor: &Tensor,
        target: Target<'_>,
    ) -> Option<Vec<IdCheck>> {
        let Some((id, span)) = &input.out_of_range else {
            return Some(Vec::new());
        };
        let first = target.first(tensor);
        let checks = (0..tensor.width).filter_map(|k| {
            let size = target.model.table_size(tensor, k)? as i64;
            Some(IdCheck {
                column: first.nth(k),
                size,
                id: *id,
            })
        });
        let checks: Vec<IdCheck> = checks.collect();
        let smallest = checks.iter().map(|check| check.size).min();
        let message = match smallest {
            Some(size) if (0..size).contains(id) => return Some(checks),
            Some(size) => {
                format!(
                    "the id {id} is outside of its table, which has 0 to {}",
                    size - 1
                )
            }
            None => format!(
                "the model reads no table by the values of `{}`",
                tensor.name
            ),
        };
        let diagnostic = Diagnostic::at(span.clone(), message);
        self.report.push(match smallest {
            Some(_) => diagnostic.help("expected an id of the table, or \"error\""),
            None => diagnostic.help("leave `out_of_range` out; a CASE keeps values in a range"),
        });
        None
    }

    /// Computes a value of a tensor into its column. Strings are written by an instruction, numbers by what
    /// is returned.
    pub(super) fn column(
        &mut self,
        column: &Expression,
        typed: Typed,
        into: Slot,
        null: NullAs,
        tensor: &Tensor,
        title: &str,
    ) -> Option<TensorColumn> {
        if tensor.element == Element::String {
            self.string_input(column, &typed, into, title, tensor);
            return None;
        }
        if !typed.data_type.is_numeric() && typed.data_type != DataType::Boolean {
            let (name, given) = (&tensor.name, &typed.data_type);
            let message = format!("tensor `{name}` takes numbers, but this is {given}");
            let diagnostic = Diagnostic::at(column.text.span.clone(), message);
            self.report.push(match given {
                DataType::Array(_) => diagnostic
                    .help("of a sequence say how many elements the tensor holds: `length = 50`"),
                given if given.is_string() => {
                    diagnostic.help("VOCAB('name', ...) gives the id of a string in a vocabulary")
                }
                _ => diagnostic,
            });
            return None;
        }
        let typed = tensor_value(typed, tensor).map_err(|error| column.text.diagnostic(error));
        let typed = self.report.keep(typed)?;
        self.begin(title, &column.text.value);
        let value = self.compiler.emit(&typed, SelectionId::ALL);
        let origin = format!("{title}: {}", column.text.value);
        Some(TensorColumn::new(value, into, null, origin))
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
    pub(super) fn null_of(&mut self, input: &ModelInput, tensor: &Tensor) -> Option<NullAs> {
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

    /// The name of an output, its column and its type.
    fn model_output(
        &mut self,
        output: &ModelOutput,
        target: Target<'_>,
    ) -> Option<(String, Slot, DataType)> {
        let outputs = target.model.outputs();
        let tensor = self.tensor(&output.reference, &output.tensor, outputs)?;
        let (first, count) = match output.index {
            Some(index) if index >= tensor.width => {
                let (name, width) = (&tensor.name, tensor.width);
                let message = format!("tensor `{name}` has the columns 0 to {}", width - 1);
                let diagnostic = Diagnostic::at(output.reference.span.clone(), message);
                let help = format!("name one of them: `{name}[0]`; or all of them: `{name}`");
                self.report.push(diagnostic.help(help));
                return None;
            }
            Some(index) => (index, 1),
            None => (0, tensor.width),
        };
        self.begin(target.title, &output.reference.value);
        let raw = target.first(tensor).nth(first);
        let (mut slot, mut data_type) = self.compiler.emit_tensor(tensor, raw, count);
        if count > 1 {
            slot = self.compiler.emit_array(slot, count, &data_type);
            data_type = array_of(data_type);
        }
        Some((output.name.value.clone(), slot, data_type))
    }

    /// The tensor of a name, or an error with the nearest one.
    pub(super) fn tensor<'m>(
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

/// `ARRAY<element>`
fn array_of(element: DataType) -> DataType {
    DataType::Array(Box::new(pelton_data::Element {
        data_type: element,
        nullable: true,
    }))
}
