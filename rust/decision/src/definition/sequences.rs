//! Elements of arrays: the items of a model's `for_each`, and inputs that are sequences.

use pelton_data::document::{Node, Section, Text, Value, as_table};
use pelton_data::report::Report;

use super::check_name;
use super::expressions::Expression;

/// The longest sequence.
const LONGEST: i64 = 1 << 16;

/// `for_each = { item = "items" }`: a name for the elements of an array; of several arrays, the
/// elements in the same place belong together.
#[derive(Debug)]
pub struct ForEach {
    /// A name, and the array whose elements it means.
    pub names: Vec<(Text, Expression)>,
}

impl ForEach {
    /// The arrays.
    pub fn arrays(&self) -> impl Iterator<Item = &Expression> {
        self.names.iter().map(|(_, array)| array)
    }
}

/// What makes an input a sequence.
#[derive(Debug)]
pub struct Sequence {
    /// The elements that the columns are expressions over; `None` where the columns are arrays.
    pub for_each: Option<ForEach>,
    /// How many elements the tensor holds.
    pub length: usize,
    /// What stands behind the last element; `None` for the default of the tensor's type.
    pub pad: Option<Node>,
    /// Which elements are kept of a longer array.
    pub keep: Keep,
    /// The tensor that says where elements stand.
    pub mask: Option<Text>,
}

/// Which elements are kept of an array that is longer than the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those at its start.
    First,
    /// Those at its end.
    Last,
}

/// The names that mean elements.
pub fn locals_of(for_each: Option<&ForEach>) -> Vec<String> {
    let names = for_each.into_iter().flat_map(|each| &each.names);
    names.map(|(name, _)| name.value.clone()).collect()
}

/// Reads `for_each`, whose arrays may use elements themselves, named `around`.
pub fn read_for_each(
    section: &mut Section<'_>,
    around: &[String],
    report: &mut Report,
) -> Option<ForEach> {
    let node = section.node("for_each")?;
    let path = section.path("for_each");
    let table = as_table(&path, node, report)?;
    if table.entries.is_empty() {
        let expected = "a name and its array: { item = \"items\" }";
        report.push(node.expected(&path, expected));
    }
    let names = super::expressions::read_table(&path, table, report);
    let names = names.into_iter().map(|(name, array)| {
        check_name(&name, report);
        (name, array.within(around))
    });
    Some(ForEach {
        names: names.collect(),
    })
}

/// Reads the keys of a sequence, if the section has one of them.
pub fn read_sequence(
    section: &mut Section<'_>,
    around: &[String],
    report: &mut Report,
) -> Option<Sequence> {
    let for_each = read_for_each(section, around, report);
    let length = section.node("length");
    let pad = section.node("pad");
    let keep = section.node("keep");
    let mask = section.text("mask", report);
    if for_each.is_none() && [length, pad, keep].iter().all(Option::is_none) && mask.is_none() {
        return None;
    }
    let expected = format!("how many elements the tensor holds, 1 to {LONGEST}");
    // Where it is wrong, the elements are known all the same: no name of theirs is called unknown.
    let length = match length.map(|node| (&node.value, node)) {
        Some((Value::Integer(length), _)) if (1..=LONGEST).contains(length) => *length as usize,
        Some((_, node)) => {
            report.push(node.expected(&section.path("length"), &expected));
            1
        }
        None => {
            section.required("length", &expected, report);
            1
        }
    };
    if let Some(node) = pad
        && !matches!(
            node.value,
            Value::Text(_) | Value::Integer(_) | Value::Float(_)
        )
    {
        let expected = "a number (0 is the default), or a text for a tensor of strings";
        report.push(node.expected(&section.path("pad"), expected));
    }
    Some(Sequence {
        for_each,
        length,
        pad: pad.cloned(),
        keep: keep.map_or(Keep::Last, |node| {
            read_keep(&section.path("keep"), node, report)
        }),
        mask: mask.cloned(),
    })
}

fn read_keep(path: &str, node: &Node, report: &mut Report) -> Keep {
    match &node.value {
        Value::Text(text) if text.value == "first" => Keep::First,
        Value::Text(text) if text.value == "last" => Keep::Last,
        _ => {
            report.push(node.expected(path, "\"last\" (the default) or \"first\""));
            Keep::Last
        }
    }
}
