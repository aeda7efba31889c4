//! `[models.*]`: which file, which columns make its tensors, which tensors get a name.

use pelton_data::document::{Node, Section, Table, Text, Value, as_table};
use pelton_data::report::{Diagnostic, Report, Span};

use super::expressions::{Expression, read_all};
use super::sequences::{ForEach, Sequence, locals_of, read_for_each, read_sequence};
use super::{Unread, check_name};
use crate::expression::NullAs;

/// The most items of a record that a decision may ask for.
const MOST_ITEMS: i64 = 1 << 16;

/// `[models.NAME]`
#[derive(Debug)]
pub struct ModelSection {
    /// The model's name in the decision.
    pub name: Text,
    /// The ONNX file beside decision.toml.
    pub file: Text,
    /// `for_each`, with `max_items`: the model runs once for each element; `None`: once a record.
    pub for_each: Option<(ForEach, usize)>,
    /// `inputs.TENSOR`
    pub inputs: Vec<ModelInput>,
    /// `outputs.NAME`
    pub outputs: Vec<ModelOutput>,
}

/// `inputs.TENSOR = { columns = [...], null = ... }`
#[derive(Debug)]
pub struct ModelInput {
    /// The tensor's name in the ONNX file.
    pub tensor: Text,
    /// One expression a column of the tensor; of a sequence, a column of each element.
    pub columns: Vec<Expression>,
    /// What a NULL becomes; `None` where the file leaves it to the tensor's type.
    pub null: Option<NullAs>,
    /// What an id becomes that is outside of its table, and where that is said; `None`: the row fails.
    pub out_of_range: Option<(i64, Span)>,
    /// The tensor holds the elements of arrays.
    pub sequence: Option<Sequence>,
}

/// `outputs.NAME = "tensor[1]"`
#[derive(Debug)]
pub struct ModelOutput {
    /// The name in the decision.
    pub name: Text,
    /// The text that names tensor and column.
    pub reference: Text,
    /// The tensor's name in the ONNX file.
    pub tensor: String,
    /// The column, counted from 0; `None` for a bare tensor name.
    pub index: Option<usize>,
}

impl ModelSection {
    /// All its expressions: those of its arrays, then those of its inputs.
    pub fn expressions(&self) -> Vec<&Expression> {
        let arrays = self.for_each.iter().flat_map(|(each, _)| each.arrays());
        arrays
            .chain(self.inputs.iter().flat_map(ModelInput::expressions))
            .collect()
    }
}

impl ModelInput {
    /// All its expressions: those of its arrays, then those of its columns.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let for_each = self.sequence.iter().flat_map(|sequence| &sequence.for_each);
        for_each.flat_map(ForEach::arrays).chain(&self.columns)
    }
}

pub fn read(root: &mut Section<'_>, unread: &mut Unread, report: &mut Report) -> Vec<ModelSection> {
    let sections = root.tables("models", report);
    let models = sections.into_iter().filter_map(|(name, mut section)| {
        let path = format!("models.{}", name.value);
        let file = section.required_text("file", "the name of an ONNX file", report);
        let for_each = read_items(&mut section, report);
        let inputs = section.required("inputs", "a tensor and its columns", report);
        let inputs = inputs.and_then(|node| as_table(&format!("{path}.inputs"), node, report));
        let outputs = section.required("outputs", "a name and its tensor", report);
        let outputs = outputs.and_then(|node| as_table(&format!("{path}.outputs"), node, report));
        section.finish(report);
        match outputs {
            // All of them: a name that was read is known, and that counts first.
            Some(table) => table.entries.iter().for_each(|(name, _)| unread.name(name)),
            None => unread.any = true,
        }
        let items = locals_of(for_each.as_ref().map(|(each, _)| each));
        let inputs = inputs.map(|table| read_inputs(&path, table, &items, report));
        let outputs = outputs.map(|table| read_outputs(&path, table, report));
        Some(ModelSection {
            name: name.clone(),
            file: file?.clone(),
            for_each,
            inputs: inputs?,
            outputs: outputs?,
        })
    });
    models.collect()
}

/// `for_each` and `max_items`. Where one of them is wrong the items are known all the same, so that
/// no name of theirs is called unknown.
fn read_items(section: &mut Section<'_>, report: &mut Report) -> Option<(ForEach, usize)> {
    let for_each = read_for_each(section, &[], report);
    let expected = format!("the most items that a record may have, 1 to {MOST_ITEMS}");
    if for_each.is_none() {
        if let Some(node) = section.node("max_items") {
            let message = format!("`{}` has no effect", section.path("max_items"));
            let help = "add `for_each = { item = \"...\" }` with the array of the items";
            report.push(Diagnostic::at(node.span.clone(), message).help(help));
        }
        return None;
    }
    let node = section.required("max_items", &expected, report);
    let most = match node.map(|node| &node.value) {
        Some(Value::Integer(most)) if (1..=MOST_ITEMS).contains(most) => *most as usize,
        _ => {
            if let Some(node) = node {
                report.push(node.expected(&section.path("max_items"), &expected));
            }
            1
        }
    };
    for_each.map(|each| (each, most))
}

fn read_inputs(
    path: &str,
    table: &Table,
    items: &[String],
    report: &mut Report,
) -> Vec<ModelInput> {
    let inputs = table.entries.iter().filter_map(|(tensor, node)| {
        let path = format!("{path}.inputs.{}", tensor.value);
        let mut section = Section::new(as_table(&path, node, report)?, path);
        let sequence = read_sequence(&mut section, items, report);
        let what = "an array of expressions";
        section.required("columns", what, report)?;
        let columns = section.texts("columns", report)?;
        let columns = read_all(&section.path("columns"), &columns, report);
        let null = section.node("null");
        let null = null.and_then(|node| read_null(&section.path("null"), node, report));
        let out_of_range = read_out_of_range(&mut section, report);
        section.finish(report);
        let elements = sequence
            .as_ref()
            .and_then(|sequence| sequence.for_each.as_ref());
        let locals = [items, &locals_of(elements)].concat();
        let columns = columns.into_iter().map(|column| column.within(&locals));
        Some(ModelInput {
            tensor: tensor.clone(),
            columns: columns.collect(),
            null,
            out_of_range,
            sequence,
        })
    });
    inputs.collect()
}

fn read_out_of_range(section: &mut Section<'_>, report: &mut Report) -> Option<(i64, Span)> {
    let node = section.node("out_of_range")?;
    match &node.value {
        Value::Integer(id) => Some((*id, node.span.clone())),
        Value::Text(text) if text.value == "error" => None,
        _ => {
            let expected = "\"error\" (the default) or the id that takes its place";
            report.push(node.expected(&section.path("out_of_range"), expected));
            None
        }
    }
}

fn read_null(path: &str, node: &Node, report: &mut Report) -> Option<NullAs> {
    match &node.value {
        Value::Text(text) if text.value == "nan" => Some(NullAs::Nan),
        Value::Text(text) if text.value == "error" => Some(NullAs::Error),
        Value::Float(value) => Some(NullAs::Value(*value)),
        Value::Integer(value) => Some(NullAs::Integer(*value)),
        _ => {
            report.push(node.expected(path, "\"nan\", \"error\" or a number"));
            None
        }
    }
}

fn read_outputs(path: &str, table: &Table, report: &mut Report) -> Vec<ModelOutput> {
    let outputs = table.entries.iter().filter_map(|(name, node)| {
        check_name(name, report);
        let path = format!("{path}.outputs.{}", name.value);
        let expected = "a tensor's name, with the column counted from 0: \"probabilities[1]\"";
        let Value::Text(reference) = &node.value else {
            report.push(node.expected(&path, expected));
            return None;
        };
        let Some((tensor, index)) = split_reference(&reference.value) else {
            report.push(node.expected(&path, expected));
            return None;
        };
        Some(ModelOutput {
            name: name.clone(),
            tensor,
            index,
            reference: reference.clone(),
        })
    });
    outputs.collect()
}

/// `probabilities[1]` as name and index, `label` as name alone.
fn split_reference(text: &str) -> Option<(String, Option<usize>)> {
    let Some((tensor, index)) = text.split_once('[') else {
        return (!text.is_empty()).then(|| (text.to_owned(), None));
    };
    let index = index.strip_suffix(']')?.trim().parse().ok()?;
    Some((tensor.to_owned(), Some(index)))
}

#[cfg(test)]
mod tests {
    use super::split_reference;

    #[test]
    fn a_tensor_reference_is_a_name_or_a_name_and_a_column() {
        assert_eq!(split_reference("p[12]"), Some(("p".into(), Some(12))));
        assert_eq!(split_reference("p"), Some(("p".into(), None)));
        for wrong in ["", "p[", "p[x]", "p[-1]", "p[1]x"] {
            assert_eq!(split_reference(wrong), None, "{wrong}");
        }
    }
}
