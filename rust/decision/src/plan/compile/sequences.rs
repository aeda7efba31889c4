//! A sequence input: the elements of arrays in a tensor.

use pelton_data::columns::{Literal, Slot};
use pelton_data::document::Value;
use pelton_data::report::Diagnostic;
use pelton_model::{Element, Tensor};

use super::PlanCompiler;
use super::each::Array;
use super::models::Target;
use crate::definition::{Expression, ModelInput, Sequence};
use crate::expression::{TensorColumns, Typed};
use crate::plan::sequence::SequenceWork;

impl PlanCompiler<'_> {
    /// Compiles a sequence around the loop over items, where it uses none of them.
    pub(super) fn sequence(
        &mut self,
        input: &ModelInput,
        sequence: &Sequence,
        tensor: &Tensor,
        target: Target<'_>,
    ) -> Option<SequenceWork> {
        let once = input
            .expressions()
            .all(|expression| self.is_around(expression));
        let work = match once {
            true => self.outside(|around| around.sequence_here(input, sequence, tensor, target)),
            false => self.sequence_here(input, sequence, tensor, target),
        };
        work.map(|work| SequenceWork { once, ..work })
    }

    fn sequence_here(
        &mut self,
        input: &ModelInput,
        sequence: &Sequence,
        tensor: &Tensor,
        target: Target<'_>,
    ) -> Option<SequenceWork> {
        let title = format!("input `{}` of {}", tensor.name, target.title);
        let null = self.null_of(input, tensor);
        let pad = self.pad(sequence, input, tensor);
        let mask = self.mask(sequence, target);
        let arrays: Vec<Option<Array>> = match &sequence.for_each {
            Some(for_each) => {
                let arrays = for_each.names.iter();
                let arrays =
                    arrays.map(|(name, array)| self.array(Some(&name.value), array, &title));
                arrays.collect()
            }
            None => {
                let arrays = input.columns.iter();
                arrays
                    .map(|array| self.array(None, array, &title))
                    .collect()
            }
        };
        let arrays = arrays.into_iter().collect::<Option<Vec<Array>>>()?;
        let (null, pad) = (null?, pad?);
        let (each, inside) = self.each(&title, arrays, sequence.length, |each, elements| {
            let values = each.values_of_elements(input, sequence, elements, &title)?;
            let own = each
                .compiler
                .layout
                .add_block(target.first(tensor).physical, values.len());
            let width = values.len();
            let mut columns = Vec::new();
            for (k, (column, typed)) in values.into_iter().enumerate() {
                columns.extend(each.column(column, typed, own.nth(k), null, tensor, &title));
            }
            Some((own, width, columns))
        });
        let (own, width, columns) = inside?;
        self.check_shape(input, sequence, tensor, width)?;
        Some(SequenceWork {
            each,
            once: false,
            keep: sequence.keep,
            length: sequence.length,
            columns: TensorColumns::new(columns),
            own,
            width,
            into: target.first(tensor),
            pad,
            mask: mask?,
        })
    }

    /// The columns of an element: the expressions over it; without any the elements themselves, of one ROW
    /// its fields.
    fn values_of_elements<'e>(
        &mut self,
        input: &'e ModelInput,
        sequence: &Sequence,
        elements: Vec<Typed>,
        title: &str,
    ) -> Option<Vec<(&'e Expression, Typed)>> {
        if sequence.for_each.is_some() {
            let values = input.columns.iter();
            let values = values.map(|column| Some((column, self.typed_once(column, title)?)));
            let values: Vec<Option<_>> = values.collect();
            return values.into_iter().collect();
        }
        let fields = match elements.as_slice() {
            [only] => only.fields(),
            _ => None,
        };
        Some(match (fields, input.columns.as_slice()) {
            (Some(fields), [column]) => fields.into_iter().map(|field| (column, field)).collect(),
            (_, columns) => columns.iter().zip(elements).collect(),
        })
    }

    /// What stands behind the last element, in the tensor's type.
    fn pad(&mut self, sequence: &Sequence, input: &ModelInput, tensor: &Tensor) -> Option<Literal> {
        let node = sequence.pad.as_ref();
        let number = match node.map(|node| &node.value) {
            None => Some(0.0),
            Some(Value::Integer(value)) => Some(*value as f64),
            Some(Value::Float(value)) => Some(*value),
            Some(_) => None,
        };
        let pad = match (tensor.element, node.map(|node| &node.value)) {
            (Element::String, None) => Some(Literal::text("")),
            (Element::String, Some(Value::Text(text))) => Some(Literal::text(&text.value)),
            (Element::String, _) => None,
            (Element::Float, _) => number.map(|value| Literal::F32(value as f32)),
            (Element::Double, _) => number.map(Literal::F64),
            (_, None) => Some(Literal::I64(0)),
            (_, Some(Value::Integer(value))) => Some(Literal::I64(*value)),
            (_, Some(_)) => None,
        };
        if let (None, Some(node)) = (&pad, node) {
            let (name, element) = (&input.tensor.value, tensor.element.name());
            let message = format!(
                "`pad` is {}, but tensor `{name}` is {element}",
                node.describe()
            );
            let expected = match tensor.element {
                Element::String => "expected a text",
                _ => "expected a whole number",
            };
            self.report
                .push(Diagnostic::at(node.span.clone(), message).help(expected));
        }
        pad
    }

    /// The tensor that says where elements stand. `Some(None)`: there is none.
    fn mask(&mut self, sequence: &Sequence, target: Target<'_>) -> Option<Option<Slot>> {
        let Some(mask) = &sequence.mask else {
            return Some(None);
        };
        let tensor = self.tensor(mask, &mask.value, target.model.inputs())?;
        if tensor.width != sequence.length || tensor.element == Element::String {
            let (name, element, shape) = (&tensor.name, tensor.element.name(), &tensor.shape);
            let message = format!("the mask `{name}` is {element} {shape}");
            let expected = format!("expected numbers of [n, {}]", sequence.length);
            let diagnostic = Diagnostic::at(mask.span.clone(), message);
            self.report.push(diagnostic.help(expected));
            return None;
        }
        Some(Some(target.first(tensor)))
    }

    /// Whether the tensor holds `length` elements of `width` columns.
    fn check_shape(
        &mut self,
        input: &ModelInput,
        sequence: &Sequence,
        tensor: &Tensor,
        width: usize,
    ) -> Option<()> {
        let length = sequence.length;
        let own = tensor.shape.dims.iter().enumerate();
        let own = own.filter(|(axis, _)| tensor.shape.batch != Some(*axis));
        let first = own.map(|(_, dim)| *dim).find(|dim| *dim != 1).unwrap_or(1);
        if tensor.width == length * width && (first == length || first == tensor.width) {
            return Some(());
        }
        let (name, element, shape) = (&tensor.name, tensor.element.name(), &tensor.shape);
        let message = format!("tensor `{name}` is {element} {shape}");
        let help = match width {
            1 => format!("`length` = {length} elements are [n, {length}]"),
            _ => format!(
                "`length` = {length} elements of {width} columns are [n, {length}, {width}]"
            ),
        };
        let diagnostic = Diagnostic::at(input.tensor.span.clone(), message);
        self.report.push(diagnostic.help(help));
        None
    }
}
