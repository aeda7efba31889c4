//! `MatMul`, `Gemm`, `Einsum`: products with a constant matrix are packed at load, others are contractions.

use std::collections::HashMap;

use super::elementwise::{arithmetic, refuse, same_element};
use super::paired::Pairs;
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::kernels::contract::Contract;
use crate::kernels::dense::{Begin, Dense, Places};
use crate::kernels::lanes::Number;
use crate::memory::{Columns, Data, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::{Lines, Shape, strides, walk};

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Einsum", load_einsum),
    (CORE, "Gemm", load_gemm),
    (CORE, "MatMul", load_matmul),
];

/// Rows of inputs times a packed matrix: `rows` of them for every record.
pub(super) struct Rows<T> {
    pub dense: Dense<T>,
    pub inputs: usize,
    pub rows: usize,
    pub from: Columns,
    pub to: Columns,
}

impl<T: Number> Step for Rows<T> {
    fn run(&self, n: usize, memory: &mut Workspace) {
        let stride = memory.stride;
        let (older, to) = memory.split::<T>(self.to);
        let from = self.from.of(T::older(&older), stride);
        let targets = self.dense.targets();
        if n == 1 {
            let (from, to) = (
                (from, Places::of_rows(self.inputs, stride)),
                (to, Places::of_rows(targets, stride)),
            );
            return self.dense.run(self.rows, from, to, Begin::Bias);
        }
        let places = Places::of_columns(stride);
        for row in 0..self.rows {
            let from = &from[row * self.inputs * stride..];
            let to = &mut to[row * targets * stride..];
            self.dense.run(n, (from, places), (to, places), Begin::Bias);
        }
    }

    fn is_product(&self) -> bool {
        true
    }
}

/// A product of rows with a constant matrix that is not made yet: what is added to each row and the least that comes out
/// are taken by its sums.
#[derive(Debug, Clone)]
pub(super) struct Product {
    node: Node,
    weights: Value,
    bias: Option<Vec<f32>>,
    floor: f32,
    inputs: usize,
    targets: usize,
    rows: usize,
    /// Whether many numbers of the rows are zero, and none of the weights makes more than zero of that.
    zeros: bool,
    from: From,
}

/// What a product is of.
#[derive(Debug, Clone)]
enum From {
    Rows(Columns),
    Pairs(Pairs),
}

impl Product {
    /// `a` times `b`, if that is such a product.
    fn of(
        node: &Node,
        graph: &mut Builder,
        a: &Value,
        b: &Value,
    ) -> Result<Option<(Shape, Self)>, ModelError> {
        let floats = a.element == Element::Float && b.element == Element::Float;
        let known = b.shape.rank() == 2 && b.data().is_some() && a.data().is_none();
        let rank = a.shape.rank();
        if !floats || !known || rank == 0 || a.shape.batch == Some(rank - 1) {
            return Ok(None);
        }
        let (inputs, targets) = (b.shape.dims[0], b.shape.dims[1]);
        check_inner(node, a, b, a.shape.dims[rank - 1], inputs)?;
        let mut shape = a.shape.clone();
        let rows = shape.dims[..rank - 1].iter().product();
        shape.dims[rank - 1] = targets;
        graph.check_width(node, &shape.dims)?;
        let weights = b.values::<f32>().unwrap_or_default();
        let behind_relu = a.deferred::<Product>().is_some_and(|a| a.floor == 0.0);
        let product = Self {
            node: Node::named(&node.operator, &node.name),
            weights: b.clone(),
            bias: None,
            floor: f32::NEG_INFINITY,
            inputs,
            targets,
            rows,
            zeros: behind_relu && weights.iter().all(|weight| weight.is_finite()),
            from: match Pairs::of(a, weights, targets) {
                Some(pairs) => From::Pairs(pairs),
                None => From::Rows(graph.columns(node, a)?),
            },
        };
        Ok(Some((shape, product)))
    }

    /// The same plus a constant, if that is the same for every row of a value of this rank.
    pub fn plus(&self, c: &Value, rank: usize) -> Option<Self> {
        let alone = self.bias.is_none() && self.floor == f32::NEG_INFINITY;
        let bias = bias_of(c, self.targets).filter(|_| alone && c.shape.rank() <= rank)?;
        let bias = Some(bias);
        Some(Self {
            bias,
            ..self.clone()
        })
    }

    /// The same, but at least zero.
    pub fn at_least_zero(&self) -> Self {
        Self {
            floor: self.floor.max(0.0),
            ..self.clone()
        }
    }
}

impl Deferred for Product {
    fn make(&self, graph: &mut Builder) -> Result<Columns, ModelError> {
        let from = match &self.from {
            From::Rows(columns) => *columns,
            From::Pairs(pairs) => {
                return pairs.make(&self.node, graph, self.bias.as_deref(), self.floor);
            }
        };
        let cpu = Cpu::of_process().map_err(|e| self.node.invalid(e))?;
        let (inputs, targets, rows) = (self.inputs, self.targets, self.rows);
        let weights = self.weights.values::<f32>().unwrap_or_default();
        let bias = bias_or_zeros(self.bias.as_deref(), targets);
        let weight = |input, target| weights[input * targets + target];
        let mut dense = Dense::new(cpu, inputs, bias, weight).at_least(self.floor);
        if self.zeros {
            dense = dense.with_zeros();
        }
        let to = graph.scratch(Element::Float, rows * targets)?;
        let mut kernel = kernel(rows, inputs, targets, Element::Float);
        if self.floor == 0.0 {
            kernel += ", at least 0";
        }
        let step = Rows {
            dense,
            inputs,
            rows,
            from,
            to,
        };
        graph.push(&self.node, kernel, Box::new(step));
        Ok(to)
    }
}

pub(super) fn bias_or_zeros(bias: Option<&[f32]>, targets: usize) -> Vec<f32> {
    bias.map_or_else(|| vec![0.0; targets], <[f32]>::to_vec)
}

fn kernel(rows: usize, inputs: usize, targets: usize, element: Element) -> String {
    let element = element.name();
    match rows {
        1 => format!("{inputs} to {targets} {element}"),
        rows => format!("{rows} rows of {inputs} to {targets} {element}"),
    }
}

fn load_matmul(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (a, b) = (graph.deferred(node, 0)?, graph.operand(node, 1)?);
    let made = match Product::of(node, graph, &a, &b)? {
        Some((shape, product)) => Value::later(Element::Float, shape, product),
        None => {
            let a = graph.made(a)?;
            matmul(node, graph, &a, &b)?
        }
    };
    graph.alias(node, 0, made)
}

/// The matrix product, as numpy defines it for any ranks.
pub(super) fn matmul(
    node: &Node,
    graph: &mut Builder,
    a: &Value,
    b: &Value,
) -> Result<Value, ModelError> {
    same_element(node, a, b)?;
    if !a.element.is_number() {
        return Err(refuse(node, a.element, "a number"));
    }
    let plain =
        b.shape.rank() == 2 && b.data().is_some() && a.data().is_none() && a.shape.rank() > 0;
    if plain && a.shape.batch != Some(a.shape.rank() - 1) {
        let (inputs, targets) = (b.shape.dims[0], b.shape.dims[1]);
        check_inner(node, a, b, a.shape.dims[a.shape.rank() - 1], inputs)?;
        return match a.element.region() {
            Region::F32 => dense::<f32>(node, graph, a, b, (inputs, targets)),
            Region::F64 => dense::<f64>(node, graph, a, b, (inputs, targets)),
            Region::I64 => dense::<i64>(node, graph, a, b, (inputs, targets)),
        };
    }
    let (a_rank, b_rank) = (a.shape.rank(), b.shape.rank());
    if a_rank == 0 || b_rank == 0 {
        return Err(node.invalid("a scalar is no matrix"));
    }
    // As labels of an Einsum: leading axes from the right, then m, k and n.
    let lead = |rank: usize| {
        let axes = (0..rank.saturating_sub(2)).rev();
        axes.map(|axis| char::from_u32('A' as u32 + axis as u32).unwrap_or('A'))
            .collect::<String>()
    };
    let side = |rank: usize, pair: &str, single: &str| {
        if rank == 1 {
            single.to_owned()
        } else {
            lead(rank) + pair
        }
    };
    let (left, right) = (side(a_rank, "mk", "k"), side(b_rank, "kn", "k"));
    let mut out = lead(a_rank.max(b_rank));
    if a_rank > 1 {
        out.push('m');
    }
    if b_rank > 1 {
        out.push('n');
    }
    einsum(node, graph, &[a.clone(), b.clone()], &[left, right], &out)
}

fn check_inner(
    node: &Node,
    a: &Value,
    b: &Value,
    left: usize,
    right: usize,
) -> Result<(), ModelError> {
    if left == right {
        return Ok(());
    }
    Err(node.invalid(format!(
        "the matrices {} and {} do not go together",
        a.shape, b.shape
    )))
}

/// `a` times a constant matrix of `(inputs, targets)`.
fn dense<T: Number>(
    node: &Node,
    graph: &mut Builder,
    a: &Value,
    b: &Value,
    (inputs, targets): (usize, usize),
) -> Result<Value, ModelError> {
    let weights = b.values::<T>().unwrap_or_default();
    let bias = vec![T::default(); targets];
    let cpu = Cpu::of_process().map_err(|e| node.invalid(e))?;
    let dense = Dense::new(cpu, inputs, bias, |input, target| {
        weights[input * targets + target]
    });
    packed(node, graph, a, dense, inputs)
}

/// `a` times a packed matrix along its last axis.
pub(super) fn packed<T: Number>(
    node: &Node,
    graph: &mut Builder,
    a: &Value,
    dense: Dense<T>,
    inputs: usize,
) -> Result<Value, ModelError> {
    let from = graph.columns(node, a)?;
    let mut shape = a.shape.clone();
    let rows: usize = shape.dims[..shape.rank() - 1].iter().product();
    if let Some(last) = shape.dims.last_mut() {
        *last = dense.targets();
    }
    graph.check_width(node, &shape.dims)?;
    let to = graph.scratch(a.element, shape.width())?;
    let kernel = kernel(rows, inputs, dense.targets(), a.element);
    let wrap = a.element.wrap();
    graph.push(
        node,
        kernel,
        Box::new(Rows {
            dense,
            inputs,
            rows,
            from,
            to,
        }),
    );
    let made = Value::columns(a.element, shape, to);
    if a.element.is_integer() && a.element != Element::Int64 {
        return super::elementwise::mapped(node, graph, &made, a.element, move |x: i64| {
            wrap.apply(x)
        });
    }
    Ok(made)
}

fn load_gemm(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (mut a, b) = (graph.deferred(node, 0)?, graph.operand(node, 1)?);
    let c = graph.optional(node, 2)?;
    let turn = node.clone().flag("transA", false)?;
    if turn {
        a = graph.made(a)?;
    }
    let (alpha, beta) = (
        node.float("alpha")?.unwrap_or(1.0),
        node.float("beta")?.unwrap_or(1.0),
    );
    let (a, b) = (
        turned(node, graph, a, turn)?,
        turned(node, graph, b, node.clone().flag("transB", false)?)?,
    );
    for attribute in ["transA", "transB", "broadcast"] {
        node.ignore(attribute);
    }
    let scaled = |value: Value, factor: f32, graph: &mut Builder| {
        if factor == 1.0 {
            return Ok(value);
        }
        let factor = match value.element {
            Element::Float => Data::F32(vec![factor]),
            Element::Double => Data::F64(vec![factor.into()]),
            _ => Data::I64(vec![factor as i64]),
        };
        let factor = Value::constant(value.element, vec![], factor);
        if let (Some(values), Some(factor)) = (value.values::<f32>(), factor.values::<f32>())
            && value.element == Element::Float
        {
            let data = Data::F32(values.iter().map(|x| x * factor[0]).collect());
            return Ok(Value::constant(
                value.element,
                value.shape.dims.clone(),
                data,
            ));
        }
        arithmetic(
            node,
            graph,
            (&value, &factor),
            |a, b| a * b,
            |a, b| a * b,
            i64::wrapping_mul,
        )
    };
    let c = c.map(|c| scaled(c, beta, graph)).transpose()?;
    // A constant matrix takes the factor, and a bias that is the same for every row is where sums begin.
    let b = scaled(b, alpha, graph)?;
    let mut made = match Product::of(node, graph, &a, &b)? {
        Some((shape, product)) => {
            let whole = match &c {
                Some(c) => product.plus(c, shape.rank()),
                None => Some(product.clone()),
            };
            if let Some(product) = whole {
                let made = Value::later(Element::Float, shape, product);
                return graph.alias(node, 0, made);
            }
            graph.made(Value::later(Element::Float, shape, product))?
        }
        None => {
            let a = graph.made(a)?;
            matmul(node, graph, &a, &b)?
        }
    };
    if let Some(c) = c {
        made = arithmetic(
            node,
            graph,
            (&made, &c),
            |a, b| a + b,
            |a, b| a + b,
            i64::wrapping_add,
        )?;
    }
    graph.alias(node, 0, made)
}

/// A constant that adds the same to every row, as one value for every target.
fn bias_of(c: &Value, targets: usize) -> Option<Vec<f32>> {
    let values = c.values::<f32>().filter(|_| c.element == Element::Float)?;
    let rows: usize = c.shape.dims[..c.shape.rank().saturating_sub(1)]
        .iter()
        .product();
    match values.len() {
        1 => Some(vec![values[0]; targets]),
        len if len == targets && rows == 1 => Some(values.to_vec()),
        _ => None,
    }
}

/// A matrix, transposed if asked.
fn turned(node: &Node, graph: &mut Builder, value: Value, turn: bool) -> Result<Value, ModelError> {
    let [rows, columns] = value.shape.dims[..] else {
        return Err(node.invalid(format!("input is {}, expected a matrix", value.shape)));
    };
    if !turn {
        return Ok(value);
    }
    let index = walk(&[columns, rows], &[1, columns]);
    let shape = Shape {
        dims: vec![columns, rows],
        batch: value.shape.batch.map(|axis| 1 - axis),
    };
    if let Some(data) = value.data() {
        let data = match data {
            Data::F32(values) => Data::F32(index.iter().map(|&i| values[i as usize]).collect()),
            Data::F64(values) => Data::F64(index.iter().map(|&i| values[i as usize]).collect()),
            Data::I64(values) => Data::I64(index.iter().map(|&i| values[i as usize]).collect()),
        };
        return Ok(Value::constant(value.element, shape.dims.clone(), data).reshaped(shape));
    }
    let to = graph.scratch(value.element, value.width())?;
    super::moves::push_gather(node, graph, &value, index, to);
    Ok(Value::columns(value.element, shape, to))
}

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

fn dots(count: usize) -> String {
    (0..count)
        .rev()
        .filter_map(|axis| char::from_u32('A' as u32 + axis as u32))
        .collect()
}

/// The sum of products over the labels that are not in `out`; three operands and more go two by two.
fn einsum(
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
