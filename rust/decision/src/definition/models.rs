//! `[models.*]`: which file, which columns make its tensors, which tensors get a name.

use pelton_data::document::{Node, Section, Table, Text, Value, as_table};
use pelton_data::report::{Diagnostic, Report};

use super::expressions::{Expression, read_all};
use super::{Unread, check_name};
use crate::expression::NullAs;

/// `[models.NAME]`
#[derive(Debug)]
pub struct ModelSection {
    /// The model's name in the decision.
    pub name: Text,
    /// The ONNX file beside decision.toml.
    pub file: Text,
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
    /// One expression a column of the tensor.
    pub columns: Vec<Expression>,
    /// What a NULL becomes; `None` where the file leaves it to the tensor's type.
    pub null: Option<NullAs>,
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

pub fn read(root: &mut Section<'_>, unread: &mut Unread, report: &mut Report) -> Vec<ModelSection> {
    let sections = root.tables("models", report);
    let models = sections.into_iter().filter_map(|(name, mut section)| {
        let path = format!("models.{}", name.value);
        let file = section.required_text("file", "the name of an ONNX file", report);
        let inputs = section.required("inputs", "a tensor and its columns", report);
        let inputs = inputs.and_then(|node| as_table(&format!("{path}.inputs"), node, report));
        let outputs = section.required("outputs", "a name and its tensor", report);
        let outputs = outputs.and_then(|node| as_table(&format!("{path}.outputs"), node, report));
        refuse_ranking(&mut section, report);
        section.finish(report);
        match outputs {
            // All of them: a name that was read is known, and that counts first.
            Some(table) => table.entries.iter().for_each(|(name, _)| unread.name(name)),
            None => unread.any = true,
        }
        let inputs = inputs.map(|table| read_inputs(&path, table, report));
        let outputs = outputs.map(|table| read_outputs(&path, table, report));
        Some(ModelSection {
            name: name.clone(),
            file: file?.clone(),
            inputs: inputs?,
            outputs: outputs?,
        })
    });
    models.collect()
}

fn refuse_ranking(section: &mut Section<'_>, report: &mut Report) {
    for key in ["for_each", "max_items"] {
        if let Some(node) = section.node(key) {
            let message = format!("`{}` is not supported yet", section.path(key));
            let help = "a model is run once a record";
            report.push(Diagnostic::at(node.span.clone(), message).help(help));
        }
    }
}

fn read_inputs(path: &str, table: &Table, report: &mut Report) -> Vec<ModelInput> {
    let inputs = table.entries.iter().filter_map(|(tensor, node)| {
        let path = format!("{path}.inputs.{}", tensor.value);
        let mut section = Section::new(as_table(&path, node, report)?, path);
        let what = "an array of expressions";
        section.required("columns", what, report)?;
        let columns = section.texts("columns", report)?;
        let columns = read_all(&section.path("columns"), &columns, report);
        let null = section.node("null");
        let null = null.and_then(|node| read_null(&section.path("null"), node, report));
        section.finish(report);
        Some(ModelInput {
            tensor: tensor.clone(),
            columns,
            null,
        })
    });
    inputs.collect()
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
