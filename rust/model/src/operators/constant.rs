//! `Constant`, `ConstantOfShape`, `Shape`, `Size`, `EyeLike`; constants that no kernel takes as they are.

use std::sync::Arc;

use super::merged::Merged;
use super::{Operator, Step};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::value::Constant;
use crate::graph::{Builder, Value};
use crate::memory::{Columns, Data, Workspace};
use crate::onnx::node::{CORE, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] = &[
    (CORE, "Constant", load_constant),
    (CORE, "ConstantOfShape", load_constant_of_shape),
    (CORE, "EyeLike", load_eye_like),
    (CORE, "Range", load_range),
    (CORE, "Shape", load_shape),
    (CORE, "Size", load_size),
];

fn load_constant(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let text = |texts: Vec<String>, dims| {
        let codes = Data::I64((0..texts.len() as i64).collect());
        Value::constant(Element::String, dims, codes).with_dictionary(Some(texts.into()))
    };
    let external = graph.external;
    let value = if let Some(value) = node.value("value", external)? {
        value
    } else if let Some(value) = node.float("value_float")? {
        Value::constant(Element::Float, vec![], Data::F32(vec![value]))
    } else if let Some(value) = node.int("value_int")? {
        Value::constant(Element::Int64, vec![], Data::I64(vec![value]))
    } else if let Some(value) = node.string("value_string")? {
        text(vec![value], vec![])
    } else if node.has("value_floats") {
        let values = node.floats("value_floats")?;
        Value::constant(Element::Float, vec![values.len()], Data::F32(values))
    } else if node.has("value_ints") {
        let values = node.ints("value_ints")?;
        Value::constant(Element::Int64, vec![values.len()], Data::I64(values))
    } else {
        let values = node.strings("value_strings")?;
        let dims = vec![values.len()];
        text(values, dims)
    };
    graph.alias(node, 0, value)
}

fn load_constant_of_shape(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let sizes = graph.sizes(node, 0)?.unwrap_or_default();
    let external = graph.external;
    let one = node.value("value", external)?;
    let one = one.unwrap_or_else(|| Value::constant(Element::Float, vec![1], Data::F32(vec![0.0])));
    let shape = super::moves::shape_of(node, &sizes)?;
    graph.check_width(node, &shape.dims)?;
    let width = shape.width();
    let data = match one.data() {
        Some(Data::F32(values)) if values.len() == 1 => Data::F32(vec![values[0]; width]),
        Some(Data::F64(values)) if values.len() == 1 => Data::F64(vec![values[0]; width]),
        Some(Data::I64(values)) if values.len() == 1 => Data::I64(vec![values[0]; width]),
        _ => return Err(node.invalid("attribute \"value\" has not one value")),
    };
    let mut value = Value::constant(one.element, shape.dims.clone(), data);
    value.shape = shape;
    graph.alias(node, 0, value.with_dictionary(one.dictionary))
}

fn load_eye_like(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let offset = node.int("k")?.unwrap_or(0);
    let element = match node.int("dtype")? {
        Some(number) => Element::of_onnx(i32::try_from(number).ok())
            .map_err(|e| e.at("attribute \"dtype\"").at(&node.place()))?,
        None => value.element,
    };
    let Shape { dims, batch: None } = &value.shape else {
        return Err(node.not_supported("an identity over the rows mixes them"));
    };
    let [rows, columns] = dims[..] else {
        return Err(node.invalid(format!("input is {}, expected a matrix", value.shape)));
    };
    let one = |i: usize| (i % columns) as i64 - (i / columns) as i64 == offset;
    let ones = (0..rows * columns).map(one);
    let data = match element.region() {
        Region::F32 => Data::F32(ones.map(|one| f32::from(u8::from(one))).collect()),
        Region::F64 => Data::F64(ones.map(|one| f64::from(u8::from(one))).collect()),
        Region::I64 => Data::I64(ones.map(i64::from).collect()),
    };
    graph.alias(node, 0, Value::constant(element, dims.clone(), data))
}

/// Its length has to be known when the model loads.
fn load_range(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let limit = graph.fold_limit;
    let count = |span: f64| match span.ceil().max(0.0) {
        count if count <= limit as f64 => Ok(count as usize),
        count => Err(node.not_supported(format!("makes {count} values, more than {limit}"))),
    };
    let mut bounds = Vec::new();
    for index in 0..3 {
        let bound = graph.operand(node, index)?;
        let number = match bound.data() {
            Some(Data::F32(values)) => values.first().map(|x| f64::from(*x)),
            Some(Data::F64(values)) => values.first().copied(),
            Some(Data::I64(values)) => values.first().map(|x| *x as f64),
            None => None,
        };
        bounds.push(number.ok_or_else(|| {
            node.not_supported(format!(
                "input {:?} is computed, expected a constant",
                node.inputs[index]
            ))
        })?);
    }
    let (start, delta) = (bounds[0], bounds[2]);
    let count = count((bounds[1] - start) / delta)?;
    let data = match value.element.region() {
        Region::F32 => Data::F32(
            (0..count)
                .map(|i| start as f32 + i as f32 * delta as f32)
                .collect(),
        ),
        Region::F64 => Data::F64((0..count).map(|i| start + i as f64 * delta).collect()),
        Region::I64 => Data::I64(
            (0..count as i64)
                .map(|i| start as i64 + i * delta as i64)
                .collect(),
        ),
    };
    graph.alias(node, 0, Value::constant(value.element, vec![count], data))
}

fn load_shape(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let mut value = graph.deferred(node, 0)?;
    if value.deferred::<Merged>().is_none() {
        value = graph.made(value)?;
    }
    let rank = value.shape.rank() as i64;
    let bound = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
    let start = bound(node.int("start")?.unwrap_or(0));
    let end = bound(node.int("end")?.unwrap_or(rank)).max(start);
    let dims = |rows: usize| {
        let dims = value.shape.dims.iter().enumerate();
        let dims = dims.map(|(axis, &dim)| match value.shape.batch == Some(axis) {
            true => (dim * rows) as i64,
            false => dim as i64,
        });
        Data::I64(dims.skip(start).take(end - start).collect())
    };
    let shape = Value::constant(Element::Int64, vec![end - start], dims(1));
    graph.known(node, shape, Some(dims(2)))
}

fn load_size(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rows = if value.shape.batch.is_some() { 2 } else { 1 };
    let size = |rows: usize| Data::I64(vec![(value.width() * rows) as i64]);
    graph.known(
        node,
        Value::constant(Element::Int64, vec![], size(1)),
        Some(size(rows)),
    )
}

/// Writes a constant into columns, for kernels that want it there.
pub(crate) struct Fill {
    to: Columns,
    constant: Arc<Constant>,
}

impl Fill {
    pub fn step(to: Columns, constant: Arc<Constant>) -> Box<dyn Step> {
        Box::new(Self { to, constant })
    }
}

impl Step for Fill {
    fn run(&self, n: usize, memory: &mut Workspace) {
        fn fill<T: Copy>(n: usize, stride: usize, values: &[T], to: &mut [T]) {
            for (value, to) in values.iter().zip(to.chunks_mut(stride)) {
                to[..n].fill(*value);
            }
        }
        let stride = memory.stride;
        match &self.constant.data {
            Data::F32(values) => fill(n, stride, values, self.to.of_mut(memory.f32, stride)),
            Data::F64(values) => fill(n, stride, values, self.to.of_mut(memory.f64, stride)),
            Data::I64(values) => fill(n, stride, values, self.to.of_mut(memory.i64, stride)),
        }
    }
}
