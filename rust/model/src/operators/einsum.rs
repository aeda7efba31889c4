//! `Einsum`: sums of products along labelled axes.

use std::collections::HashMap;

use super::elementwise::{refuse, same_element};
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::contract::Contract;
use crate::memory::Data;
use crate::onnx::node::{CORE, Node};
use crate::shape::{Lines, Shape, strides, walk};

pub(super) const OPERATORS: &[Operator] = &[(CORE, "Einsum", load_einsum)];

fn load_einsum(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let equation = node.string("equation")?.unwrap_or_default();
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let values: Vec<Value> = (0..node.inputs.len())
        .map(|index| graph.operand(node, index))
        .collect::<Result<_, _>>()?;
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right.to_owned())),
        None => (equation.as_str(), None),
    };
    let terms: Vec<&str> = left.split(',').collect();
    let invalid = || {
        node.invalid(format!(
            "attribute \"equation\" is {equation:?}, for {} inputs",
            values.len()
        ))
    };
    if terms.len() != values.len() || terms.is_empty() {
        return Err(invalid());
    }
    // An ellipsis is as many capital letters as axes remain, the last one always the same.
    let mut widest = 0;
    let mut labels = Vec::new();
    for (term, value) in terms.iter().zip(&values) {
        let named = term.replace("...", "").chars().count();
        let rest = value.shape.rank().checked_sub(named).ok_or_else(invalid)?;
        if rest > 26
            || rest > 0 && !term.contains("...")
            || term.contains(|c: char| !c.is_ascii_lowercase() && c != '.')
        {
            return Err(invalid());
        }
        widest = widest.max(rest);
        labels.push(term.replace("...", &dots(rest)));
    }
    let out = match right {
        Some(right) => right.replace("...", &dots(widest)),
        None => {
            // Labels that stand once, in the order of the alphabet.
            let all: String = labels.concat();
            let mut once: Vec<char> = all
                .chars()
                .filter(|c| c.is_lowercase() && all.matches(*c).count() == 1)
                .collect();
            once.sort_unstable();
            dots(widest) + &once.into_iter().collect::<String>()
        }
    };
    let made = einsum(node, graph, &values, &labels, &out)?;
    graph.alias(node, 0, made)
}

/// So many capital letters, the last one always `A`.
pub(super) fn dots(count: usize) -> String {
    (0..count)
        .rev()
        .filter_map(|axis| char::from_u32('A' as u32 + axis as u32))
        .collect()
}

/// The sum of products over the labels that are not in `out`; three operands and more go two by two.
pub(super) fn einsum(
    node: &Node,
    graph: &mut Builder,
    values: &[Value],
    labels: &[String],
    out: &str,
) -> Result<Value, ModelError> {
    if let [first, second, rest @ ..] = values
        && !rest.is_empty()
    {
        let needed: String = labels[2..].concat() + out;
        let mut kept = String::new();
        for label in labels[0].chars().chain(labels[1].chars()) {
            if needed.contains(label) && !kept.contains(label) {
                kept.push(label);
            }
        }
        let both = einsum(
            node,
            graph,
            &[first.clone(), second.clone()],
            &labels[..2],
            &kept,
        )?;
        let values: Vec<Value> = std::iter::once(both).chain(rest.iter().cloned()).collect();
        let labels: Vec<String> = std::iter::once(kept)
            .chain(labels[2..].iter().cloned())
            .collect();
        return einsum(node, graph, &values, &labels, out);
    }
    let element = values[0].element;
    if !element.is_number() {
        return Err(refuse(node, element, "a number"));
    }
    let one = match element.region() {
        Region::F32 => Data::F32(vec![1.0]),
        Region::F64 => Data::F64(vec![1.0]),
        Region::I64 => Data::I64(vec![1]),
    };
    // A single operand is multiplied by one.
    let one = Value::constant(element, vec![], one);
    let (second, second_labels) = match values.get(1) {
        Some(second) => (second, labels[1].as_str()),
        None => (&one, ""),
    };
    same_element(node, &values[0], second)?;
    let sizes = label_sizes(
        node,
        [(&values[0], &labels[0]), (second, second_labels)],
        out,
    )?;
    let mut summed: Vec<char> = Vec::new();
    for label in labels[0].chars().chain(second_labels.chars()) {
        if !out.contains(label) && !summed.contains(&label) {
            summed.push(label);
        }
    }
    let size = |label: char| sizes.get(&label).map_or(1, |size| size.0);
    let shape = Shape {
        dims: out.chars().map(size).collect(),
        batch: out
            .chars()
            .position(|label| sizes.get(&label).is_some_and(|size| size.1)),
    };
    let sum_dims: Vec<usize> = summed.iter().map(|&label| size(label)).collect();
    let all: Vec<usize> = shape.dims.iter().chain(&sum_dims).copied().collect();
    graph.check_width(node, &shape.dims)?;
    graph.check_width(node, &sum_dims)?;
    if all.contains(&0) {
        return Err(node.not_supported("an operand is empty"));
    }
    let lines = |value: &Value, labels: &str| {
        let steps = strides(&value.shape.dims);
        let step = |label: char| -> usize {
            let axes = labels.chars().enumerate().filter(|(_, l)| *l == label);
            axes.filter(|(axis, _)| value.shape.dims[*axis] != 1)
                .map(|(axis, _)| steps[axis])
                .sum()
        };
        let out_steps: Vec<usize> = out.chars().map(step).collect();
        let sum_steps: Vec<usize> = summed.iter().map(|&label| step(label)).collect();
        Lines {
            starts: walk(&shape.dims, &out_steps),
            steps: walk(&sum_dims, &sum_steps),
        }
    };
    let a = (
        graph.columns(node, &values[0])?,
        lines(&values[0], &labels[0]),
    );
    let b = (graph.columns(node, second)?, lines(second, second_labels));
    let to = graph.scratch(element, shape.width())?;
    let kernel = format!("{} sums of {}", to.width, a.1.steps.len());
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let step: Box<dyn Step> = match element.region() {
        Region::F32 => Box::new(Contract::<f32>::new(cpu, a, b, to)),
        Region::F64 => Box::new(Contract::<f64>::new(cpu, a, b, to)),
        Region::I64 => Box::new(Contract::<i64>::new(cpu, a, b, to)),
    };
    graph.push(node, kernel, step);
    let made = Value::columns(element, shape, to);
    if element.is_integer() && element != Element::Int64 {
        let wrap = element.wrap();
        return super::elementwise::mapped(node, graph, &made, element, move |x: i64| {
            wrap.apply(x)
        });
    }
    Ok(made)
}

/// The length of every label, and whether it is that of the rows.
fn label_sizes(
    node: &Node,
    operands: [(&Value, &str); 2],
    out: &str,
) -> Result<HashMap<char, (usize, bool)>, ModelError> {
    let mut sizes: HashMap<char, (usize, bool)> = HashMap::new();
    for (value, labels) in operands {
        for (axis, label) in labels.chars().enumerate() {
            let (dim, rows) = (value.shape.dims[axis], value.shape.batch == Some(axis));
            let known = sizes.entry(label).or_insert((dim, rows));
            if known.0 != dim && known.0 != 1 && dim != 1 {
                return Err(node.invalid(format!("{dim} and {} do not go together", known.0)));
            }
            *known = (known.0.max(dim), known.1 || rows);
        }
    }
    let batches: Vec<char> = sizes
        .iter()
        .filter(|(_, size)| size.1)
        .map(|(label, _)| *label)
        .collect();
    let mixed = |label: &char| {
        // Rows of one operand must be the same axis of the other, where that has rows or more than one value.
        let (dim, _) = sizes[label];
        !out.contains(*label)
            || operands.iter().any(|(value, labels)| {
                labels.chars().enumerate().any(|(axis, l)| {
                    l == *label
                        && value.shape.batch != Some(axis)
                        && value.shape.dims[axis] != 1
                        && dim != 1
                })
            })
    };
    if batches.len() > 1 || batches.iter().any(mixed) {
        return Err(node.not_supported("this product mixes rows; every row is computed alone"));
    }
    if let Some(label) = out.chars().find(|label| !sizes.contains_key(label)) {
        return Err(node.invalid(format!("no input has the label {label:?}")));
    }
    Ok(sizes)
}
