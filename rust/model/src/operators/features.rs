//! Preparing features: `Binarizer`, `Imputer`, `ArrayFeatureExtractor`, `FeatureVectorizer`.

use super::Operator;
use super::cast::cast;
use super::elementwise::{map, refuse, zip};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Made, Value};
use crate::kernels::moves::NONE;
use crate::memory::Data;
use crate::onnx::node::{ML, Node};
use crate::shape::Shape;

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "ArrayFeatureExtractor", load_extractor),
    (ML, "Binarizer", load_binarizer),
    (ML, "FeatureVectorizer", load_vectorizer),
    (ML, "Imputer", load_imputer),
];

fn load_binarizer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let threshold = node.float("threshold")?.unwrap_or(0.0);
    let wide = f64::from(threshold);
    match value.element.region() {
        _ if !value.element.is_number() => Err(refuse(node, value.element, "a number")),
        Region::F32 => map(node, graph, &value, value.element, move |x: f32| {
            f32::from(u8::from(x > threshold))
        }),
        Region::F64 => map(node, graph, &value, value.element, move |x: f64| {
            f64::from(u8::from(x > wide))
        }),
        Region::I64 => map(node, graph, &value, value.element, move |x: i64| {
            i64::from(x as f64 > wide)
        }),
    }
}

/// What is missing takes the value of its column, or the one value of all.
fn load_imputer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let (floats, ints) = (
        node.floats("imputed_value_floats")?,
        node.ints("imputed_value_int64s")?,
    );
    let missing = node.float("replaced_value_float")?.unwrap_or(0.0);
    let missing_int = node.int("replaced_value_int64")?.unwrap_or(0);
    let width = value.shape.dims.last().copied().unwrap_or(1);
    let imputed = |data: Data| -> Result<Value, ModelError> {
        let found = data.len();
        if found != 1 && found != width {
            return Err(node.invalid(format!(
                "has {found} imputed values, expected 1 or the input's width {width}"
            )));
        }
        Ok(Value::constant(value.element, vec![found], data))
    };
    match value.element {
        Element::Float => {
            let imputed = imputed(Data::F32(floats))?;
            let f = move |x: f32, imputed: f32| {
                if x == missing || x.is_nan() && missing.is_nan() {
                    imputed
                } else {
                    x
                }
            };
            zip(node, graph, (&value, &imputed), value.element, f)
        }
        Element::Double => {
            let imputed = imputed(Data::F64(floats.iter().map(|x| f64::from(*x)).collect()))?;
            let missing = f64::from(missing);
            let f = move |x: f64, imputed: f64| {
                if x == missing || x.is_nan() && missing.is_nan() {
                    imputed
                } else {
                    x
                }
            };
            zip(node, graph, (&value, &imputed), value.element, f)
        }
        Element::Int64 | Element::Int32 => {
            let imputed = imputed(Data::I64(ints))?;
            let f = move |x: i64, imputed: i64| if x == missing_int { imputed } else { x };
            zip(node, graph, (&value, &imputed), value.element, f)
        }
        other => Err(refuse(node, other, "a number")),
    }
}

/// Columns of the last axis, by their numbers.
fn load_extractor(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let (value, numbers) = (graph.operand(node, 0)?, graph.operand(node, 1)?);
    if numbers.data().is_none() {
        return load_looked_up(node, graph, value, numbers);
    }
    let columns = graph.ints(node, 1)?.unwrap_or_default();
    let axis = value
        .shape
        .own_axis(-1, "extracting")
        .map_err(|e| e.at(&node.place()))?;
    let width = value.shape.dims[axis];
    let chosen: Result<Vec<u32>, _> = columns
        .iter()
        .map(|&column| match usize::try_from(column) {
            Ok(known) if known < width => Ok(known as u32),
            _ => Err(node.invalid(format!("column {column} of an input of width {width}"))),
        })
        .collect();
    let chosen = chosen?;
    let lead = value.width() / width.max(1);
    let index = (0..lead as u32)
        .flat_map(|row| chosen.iter().map(move |column| row * width as u32 + column));
    let mut shape = value.shape.clone();
    shape.dims[axis] = chosen.len();
    if shape.rank() == 1 {
        shape = Shape::fixed(vec![1, chosen.len()]);
    }
    let index = index.collect();
    super::moves::gather(node, graph, 0, &value, shape, index)
}

/// Columns by numbers that are computed: how exporters look the label of a class up.
fn load_looked_up(
    node: &Node,
    graph: &mut Builder,
    value: Value,
    numbers: Value,
) -> Result<(), ModelError> {
    // One list of numbers: rows stay in their order when the axes before theirs are of length 1.
    let batch = numbers.shape.batch;
    let before = batch.map_or(1, |rows| numbers.shape.dims[..rows].iter().product());
    if before != 1 {
        return Err(node.not_supported(format!("takes columns by numbers {}", numbers.shape)));
    }
    let list = Shape {
        dims: vec![numbers.width()],
        batch: batch.map(|_| 0),
    };
    let value = match value.shape.rank() {
        1 if value.shape.batch.is_none() => {
            let width = value.width();
            value.reshaped(Shape::fixed(vec![1, width]))
        }
        _ => value,
    };
    super::gather::by_id(node, graph, &value, &numbers.reshaped(list), -1)
}

/// Inputs side by side as floats, each as wide as the node says: what is missing is 0.
fn load_vectorizer(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let widths = node.ints("inputdimensions")?;
    if widths.len() != node.inputs.len() {
        return Err(node.invalid(format!(
            "has {} inputdimensions for {} inputs",
            widths.len(),
            node.inputs.len()
        )));
    }
    let mut parts = Vec::new();
    for (index, width) in widths.iter().enumerate() {
        let value = graph.operand(node, index)?;
        if !value.element.is_number() {
            return Err(refuse(node, value.element, "a number"));
        }
        let value = cast(node, graph, &value, Element::Float)?;
        let rows = graph.rows_of(node, index, &value);
        let shape = match rows {
            Ok(_) => value.shape.clone(),
            // A scalar of every row is a column.
            Err(_) if value.shape.rank() == 1 => Shape {
                dims: vec![1, 1],
                batch: Some(0),
            },
            Err(error) => return Err(error),
        };
        let width =
            usize::try_from(*width).map_err(|_| node.invalid(format!("a width is {width}")))?;
        parts.push((value.reshaped(shape), width));
    }
    let (first, _) = parts.first().ok_or_else(|| node.invalid("has no input"))?;
    let mut shape = first.shape.clone();
    if shape.rank() == 1 {
        shape = Shape::fixed(vec![1, shape.dims[0]]);
    }
    let lead: usize = shape.dims[..shape.rank() - 1].iter().product();
    let whole: usize = parts.iter().map(|(_, width)| width).sum();
    let last = shape.rank() - 1;
    shape.dims[last] = whole;
    shape.batch = parts.iter().find_map(|(value, _)| value.shape.batch);
    graph.check_width(node, &shape.dims)?;
    if parts
        .iter()
        .any(|(value, _)| value.width() % lead.max(1) != 0)
    {
        return Err(node.invalid("the inputs have different numbers of rows"));
    }
    let to = graph.make(node, 0, Made::new(Element::Float, shape))?;
    for row in 0..lead {
        let mut start = row * whole;
        for (value, width) in &parts {
            let found = value.width() / lead;
            let index = (0..*width).map(|i| {
                if i < found {
                    (row * found + i) as u32
                } else {
                    NONE
                }
            });
            let index = index.collect();
            if *width > found {
                let zeros =
                    Value::constant(Element::Float, vec![*width], Data::F32(vec![0.0; *width]));
                super::moves::push_gather(
                    node,
                    graph,
                    &zeros,
                    (0..*width as u32).collect(),
                    to.part(start, *width),
                );
            }
            super::moves::push_gather(node, graph, value, index, to.part(start, *width));
            start += width;
        }
    }
    Ok(())
}
