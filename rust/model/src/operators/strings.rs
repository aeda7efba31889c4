//! Strings: `StringNormalizer`, `StringConcat`, and how strings of different making come together.
//!
//! A string is a code of a dictionary that is known at load, wherever a model makes it from one: then every lookup is
//! worked out at load, too, and costs a read of a table. Strings of the caller, and those that a run makes, are places in
//! the text of the run.

use std::sync::Arc;

use super::elementwise::{mapped, pair, refuse};
use super::{Operator, Step};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::lookup::Strings;
use crate::memory::{Cell, Columns, Text, Workspace};
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "StringConcat", load_concat),
    (CORE, "StringNormalizer", load_normalizer),
];

/// String values brought to one dictionary, or all to text; others as they are.
pub(super) fn unified(
    node: &Node,
    graph: &mut Builder,
    values: Vec<Value>,
) -> Result<Vec<Value>, ModelError> {
    let strings = values.iter().all(|value| value.element == Element::String);
    let same = values
        .windows(2)
        .all(|two| two[0].dictionary == two[1].dictionary);
    if !strings || same {
        return Ok(values);
    }
    if values.iter().any(|value| value.dictionary.is_none()) {
        return values
            .iter()
            .map(|value| text(node, graph, value))
            .collect();
    }
    let mut all: Vec<String> = Vec::new();
    let mut tables = Vec::new();
    for value in &values {
        let dictionary = value.dictionary.as_deref().unwrap_or_default();
        let code = |string: &String| {
            let known = all.iter().position(|known| known == string);
            known.unwrap_or_else(|| {
                all.push(string.clone());
                all.len() - 1
            }) as i64
        };
        tables.push(dictionary.iter().map(code).collect::<Vec<i64>>());
    }
    let all: Arc<[String]> = all.into();
    let recoded = values.into_iter().zip(tables).map(|(value, table)| {
        if let Some(codes) = value.values::<i64>() {
            let codes = codes.iter().map(|code| table[*code as usize]).collect();
            let dims = value.shape.dims.clone();
            let constant = Value::constant(Element::String, dims, i64::data(codes));
            return Ok(constant
                .reshaped(value.shape)
                .with_dictionary(Some(all.clone())));
        }
        let recode = move |code: i64| table.get(code as usize).copied().unwrap_or(0);
        let value = mapped(node, graph, &value, Element::String, recode)?;
        Ok(value.with_dictionary(Some(all.clone())))
    });
    recoded.collect()
}

/// Two string values as codes of one dictionary: text that is not in it has the code -1.
pub(super) fn coded(
    node: &Node,
    graph: &mut Builder,
    a: Value,
    b: Value,
) -> Result<(Value, Value), ModelError> {
    let (a, b) = match (a.dictionary.clone(), b.dictionary.clone()) {
        (Some(_), Some(_)) => {
            let mut both = unified(node, graph, vec![a, b])?.into_iter();
            return Ok((
                both.next().expect("two values go in"),
                both.next().expect("two values go in"),
            ));
        }
        (None, Some(dictionary)) => (codes(node, graph, &a, &dictionary)?, b),
        (Some(dictionary), None) => (a, codes(node, graph, &b, &dictionary)?),
        (None, None) => {
            return Err(node.not_supported(
                "strings of two inputs are not compared; one of them has to be a constant or a label",
            ));
        }
    };
    Ok((a, b))
}

fn codes(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    dictionary: &Arc<[String]>,
) -> Result<Value, ModelError> {
    let strings = Strings::new(dictionary.iter().rev().map(String::as_str));
    let last = dictionary.len() as i64 - 1;
    let code = move |cell: i64, text: &[u8]| {
        let place = strings.find(Text::of(cell).bytes(text));
        place.map_or(-1, |place| last - i64::from(place))
    };
    let made = from_text(node, graph, value, Element::Int64, code)?;
    Ok(Value {
        element: Element::String,
        ..made
    }
    .with_dictionary(Some(dictionary.clone())))
}

/// A function of every string, given its cell and the text of the run.
pub(super) fn from_text<U: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    element: Element,
    f: impl Fn(i64, &[u8]) -> U + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    let from = graph.columns(node, value)?;
    let to = graph.scratch(element, value.width())?;
    let kernel = format!("{} strings to {}", to.width, element.name());
    let step = FromText {
        from,
        to,
        f,
        made: std::marker::PhantomData,
    };
    graph.push(node, kernel, Box::new(step));
    Ok(Value::columns(element, value.shape.clone(), to))
}

struct FromText<U, F> {
    from: Columns,
    to: Columns,
    f: F,
    made: std::marker::PhantomData<fn() -> U>,
}

impl<U: Cell, F: Fn(i64, &[u8]) -> U + Send + Sync> Step for FromText<U, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let (stride, width) = (memory.stride, self.to.width);
        let (older, to) = memory.split::<U>(self.to);
        let from = self.from.of(older.i64, stride);
        for k in 0..width {
            for row in k * stride..k * stride + n {
                to[row] = (self.f)(from[row], older.text);
            }
        }
    }
}

/// A function that makes a string of every value: it writes behind the text of the run.
pub(super) fn to_text<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    f: impl Fn(T, &mut Vec<u8>) + Send + Sync + 'static,
) -> Result<Value, ModelError> {
    let from = graph.columns(node, value)?;
    let to = graph.scratch(Element::String, value.width())?;
    let step = ToText {
        from,
        to,
        f,
        read: std::marker::PhantomData,
    };
    graph.push(node, format!("{} strings", to.width), Box::new(step));
    Ok(Value::columns(Element::String, value.shape.clone(), to))
}

struct ToText<T, F> {
    from: Columns,
    to: Columns,
    f: F,
    read: std::marker::PhantomData<fn(T)>,
}

impl<T: Cell, F: Fn(T, &mut Vec<u8>) + Send + Sync> Step for ToText<T, F> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for k in 0..self.to.width {
            for row in 0..n {
                let x: T = memory.get(self.from.first + k, row);
                let start = memory.text.len();
                (self.f)(x, memory.text);
                let cell = memory.text_from(row, start);
                memory.set(self.to.first + k, row, cell);
            }
        }
    }
}

/// A string value as text.
pub(super) fn text(node: &Node, graph: &mut Builder, value: &Value) -> Result<Value, ModelError> {
    match value.dictionary.clone() {
        None => Ok(value.clone()),
        Some(dictionary) => to_text(node, graph, value, move |code: i64, text| {
            let string = dictionary.get(code as usize).map_or("", String::as_str);
            text.extend_from_slice(string.as_bytes());
        }),
    }
}

/// How letters change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    None,
    Lower,
    Upper,
}

impl Case {
    fn of(self, string: &str) -> String {
        match self {
            Case::None => string.to_owned(),
            Case::Lower => string.to_lowercase(),
            Case::Upper => string.to_uppercase(),
        }
    }
}

/// Stop words would make the number of strings depend on the strings: they are taken out of constants only.
fn load_normalizer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let case = match node.string("case_change_action")?.as_deref() {
        None | Some("NONE") => Case::None,
        Some("LOWER") => Case::Lower,
        Some("UPPER") => Case::Upper,
        Some(other) => {
            return Err(node.invalid(format!(
                "attribute \"case_change_action\" is {other:?}, expected NONE, LOWER or UPPER"
            )));
        }
    };
    let (sensitive, stop_words) = (
        node.flag("is_case_sensitive", false)?,
        node.strings("stopwords")?,
    );
    // Letters change in the same way everywhere.
    node.ignore("locale");
    if value.element != Element::String {
        return Err(refuse(node, value.element, "string"));
    }
    if let Some(strings) = value.strings() {
        let word = |string: &str| {
            if sensitive {
                string.to_owned()
            } else {
                string.to_lowercase()
            }
        };
        let stop_words: Vec<String> = stop_words.iter().map(|stop| word(stop)).collect();
        let kept = strings
            .into_iter()
            .filter(|string| !stop_words.contains(&word(string)));
        let mut kept: Vec<String> = kept.map(|string| case.of(string)).collect();
        if kept.is_empty() {
            kept.push(String::new());
        }
        let mut shape = value.shape.clone();
        if let Some(last) = shape.dims.last_mut() {
            *last = kept.len();
        }
        let codes = i64::data((0..kept.len() as i64).collect());
        let constant = Value::constant(Element::String, shape.dims, codes);
        return graph.alias(node, 0, constant.with_dictionary(Some(kept.into())));
    }
    if !stop_words.is_empty() {
        return Err(node.not_supported(
            "stop words are not supported: the number of strings would depend on the strings",
        ));
    }
    if let Some(dictionary) = &value.dictionary {
        let changed = dictionary.iter().map(|string| case.of(string)).collect();
        return graph.alias(node, 0, value.clone().with_dictionary(Some(changed)));
    }
    let made = match case {
        Case::None => value,
        case => to_text(node, graph, &value, move |cell, text| {
            change(case, cell, text)
        })?,
    };
    graph.alias(node, 0, made)
}

/// Adds a string of `text` to it, with its letters changed.
fn change(case: Case, cell: i64, text: &mut Vec<u8>) {
    let Text { offset, len } = Text::of(cell);
    let (mut at, end) = (offset as usize, offset as usize + len as usize);
    if end > text.len() {
        return;
    }
    if text[at..end].is_ascii() {
        let start = text.len();
        text.extend_from_within(at..end);
        match case {
            Case::Upper => text[start..].make_ascii_uppercase(),
            _ => text[start..].make_ascii_lowercase(),
        }
        return;
    }
    // Letter by letter: the text that is read is also written to.
    while at < end {
        let size = match text[at] {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        let letter = text
            .get(at..at + size)
            .and_then(|bytes| std::str::from_utf8(bytes).ok());
        let letter = letter
            .and_then(|letter| letter.chars().next())
            .unwrap_or('\u{FFFD}');
        let mut bytes = [0; 4];
        match case {
            Case::Upper => letter
                .to_uppercase()
                .for_each(|c| text.extend(c.encode_utf8(&mut bytes).as_bytes())),
            _ => letter
                .to_lowercase()
                .for_each(|c| text.extend(c.encode_utf8(&mut bytes).as_bytes())),
        }
        at += size;
    }
}

fn load_concat(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (a, b) = pair(node, graph)?;
    if a.element != Element::String {
        return Err(refuse(node, a.element, "string"));
    }
    let shape = a
        .shape
        .broadcast(&b.shape)
        .map_err(|e| e.at(&node.place()))?;
    graph.check_width(node, &shape.dims)?;
    let (a_text, b_text) = (text(node, graph, &a)?, text(node, graph, &b)?);
    let index = |value: &Value| {
        let all = || (0..shape.width() as u32).collect();
        shape.broadcast_index(&value.shape).unwrap_or_else(all)
    };
    let (a_index, b_index) = (index(&a), index(&b));
    let (a, b) = (graph.columns(node, &a_text)?, graph.columns(node, &b_text)?);
    let to = graph.make(node, 0, Made::new(Element::String, shape))?;
    let step = Concat {
        parts: a_index.into_iter().zip(b_index).collect(),
        a,
        b,
        to,
    };
    graph.push(node, format!("{} strings", to.width), Box::new(step));
    Ok(())
}

struct Concat {
    parts: Vec<(u32, u32)>,
    a: Columns,
    b: Columns,
    to: Columns,
}

impl Step for Concat {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for (k, &(a, b)) in self.parts.iter().enumerate() {
            for row in 0..n {
                let start = memory.text.len();
                for part in [self.a.first + a as usize, self.b.first + b as usize] {
                    let part = Text::of(memory.get(part, row));
                    let (from, len) = (part.offset as usize, part.len as usize);
                    if from + len <= start {
                        memory.text.extend_from_within(from..from + len);
                    }
                }
                let cell = memory.text_from(row, start);
                memory.set(self.to.first + k, row, cell);
            }
        }
    }
}
