//! `MatMul`, `Gemm`: products with a constant matrix are packed at load, others are those of `Einsum`.

use super::einsum::{dots, einsum};
use super::elementwise::{arithmetic, refuse, same_element};
use super::paired::Pairs;
use super::{Operator, Step};
use crate::cpu::Cpu;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Deferred, Value};
use crate::kernels::dense::{Begin, Dense, Places};
use crate::kernels::lanes::Number;
use crate::memory::{Columns, Data, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::{Shape, walk};

pub(super) const OPERATORS: &[Operator] =
    &[(CORE, "Gemm", load_gemm), (CORE, "MatMul", load_matmul)];

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
    let lead = |rank: usize| dots(rank.saturating_sub(2));
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
    let c = c.map(|c| scaled(node, graph, c, beta)).transpose()?;
    // A constant matrix takes the factor, and a bias that is the same for every row is where sums begin.
    let b = scaled(node, graph, b, alpha)?;
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

/// A value times a factor; a constant of floats stays one.
fn scaled(
    node: &Node,
    graph: &mut Builder,
    value: Value,
    factor: f32,
) -> Result<Value, ModelError> {
    if factor == 1.0 {
        return Ok(value);
    }
    if let Some(values) = value.values::<f32>()
        && value.element == Element::Float
    {
        let data = Data::F32(values.iter().map(|x| x * factor).collect());
        let dims = value.shape.dims.clone();
        return Ok(Value::constant(value.element, dims, data));
    }
    let factor = match value.element {
        Element::Float => Data::F32(vec![factor]),
        Element::Double => Data::F64(vec![factor.into()]),
        _ => Data::I64(vec![factor as i64]),
    };
    let factor = Value::constant(value.element, vec![], factor);
    arithmetic(
        node,
        graph,
        (&value, &factor),
        |a, b| a * b,
        |a, b| a * b,
        i64::wrapping_mul,
    )
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
