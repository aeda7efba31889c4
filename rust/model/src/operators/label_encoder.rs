//! `LabelEncoder` and `CategoryMapper`: from keys to values, each a string or a number.

use super::Operator;
use super::elementwise::{mapped, refuse};
use super::strings::from_text;
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::kernels::lookup::{Strings, first_places};
use crate::memory::{Cell, Data};
use crate::onnx::node::{ML, Node};

pub(super) const OPERATORS: &[Operator] = &[
    (ML, "CategoryMapper", load_category_mapper),
    (ML, "LabelEncoder", load),
];

/// A list of keys or values, as the attributes write it.
enum List {
    Strings(Vec<String>),
    Numbers(Element, Data),
}

impl List {
    /// The attribute that a node has of `<prefix>_strings`, `_int64s`, `_floats` and `_tensor`.
    fn load(node: &mut Node, graph: &Builder, prefix: &str) -> Result<Option<Self>, ModelError> {
        let name = |kind: &str| format!("{prefix}_{kind}");
        if node.has(&name("strings")) {
            return Ok(Some(List::Strings(node.strings(&name("strings"))?)));
        }
        if node.has(&name("int64s")) {
            return Ok(Some(List::Numbers(
                Element::Int64,
                Data::I64(node.ints(&name("int64s"))?),
            )));
        }
        if node.has(&name("floats")) {
            return Ok(Some(List::Numbers(
                Element::Float,
                Data::F32(node.floats(&name("floats"))?),
            )));
        }
        Ok(node.value(&name("tensor"), graph.external)?.map(List::of))
    }

    fn of(value: Value) -> Self {
        match (value.strings(), value.data()) {
            (Some(strings), _) => List::Strings(strings.into_iter().map(str::to_owned).collect()),
            (None, Some(data)) => List::Numbers(value.element, data.clone()),
            (None, None) => List::Numbers(value.element, Data::I64(Vec::new())),
        }
    }

    fn len(&self) -> usize {
        match self {
            List::Strings(strings) => strings.len(),
            List::Numbers(_, data) => data.len(),
        }
    }

    fn element(&self) -> Element {
        match self {
            List::Strings(_) => Element::String,
            List::Numbers(element, _) => *element,
        }
    }
}

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let (keys, values) = if node.has("classes_strings") {
        // The first version: the list's places are the other side, whichever side the input is.
        let classes = node.strings("classes_strings")?;
        let places = List::Numbers(
            Element::Int64,
            Data::I64((0..classes.len() as i64).collect()),
        );
        match value.element {
            Element::String => (List::Strings(classes), places),
            _ => (places, List::Strings(classes)),
        }
    } else {
        let keys = List::load(node, graph, "keys")?.ok_or_else(|| node.invalid("has no keys"))?;
        let values =
            List::load(node, graph, "values")?.ok_or_else(|| node.invalid("has no values"))?;
        (keys, values)
    };
    let default = default_of(node, graph, values.element())?;
    encode(node, graph, value, keys, values, default)
}

/// What stands for a key that is not listed.
fn default_of(node: &mut Node, graph: &Builder, element: Element) -> Result<List, ModelError> {
    let string = node
        .string("default_string")?
        .unwrap_or_else(|| "_Unused".to_owned());
    let int = node.int("default_int64")?.unwrap_or(-1);
    let float = node.float("default_float")?.unwrap_or(-0.0);
    let tensor = node.value("default_tensor", graph.external)?.map(List::of);
    if let Some(tensor) = tensor.filter(|tensor| tensor.len() == 1 && tensor.element() == element) {
        return Ok(tensor);
    }
    Ok(match element.region() {
        _ if element == Element::String => List::Strings(vec![string]),
        Region::F32 => List::Numbers(element, Data::F32(vec![float])),
        Region::F64 => List::Numbers(element, Data::F64(vec![float.into()])),
        Region::I64 => List::Numbers(element, Data::I64(vec![int])),
    })
}

fn load_category_mapper(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let strings = node.strings("cats_strings")?;
    let numbers = node.ints("cats_int64s")?;
    let string = node
        .string("default_string")?
        .unwrap_or_else(|| "_Unused".to_owned());
    let int = node.int("default_int64")?.unwrap_or(-1);
    let numbers = List::Numbers(Element::Int64, Data::I64(numbers));
    let (keys, values, default) = match value.element {
        Element::String => (
            List::Strings(strings),
            numbers,
            List::Numbers(Element::Int64, Data::I64(vec![int])),
        ),
        _ => (numbers, List::Strings(strings), List::Strings(vec![string])),
    };
    encode(node, graph, value, keys, values, default)
}

/// Makes output 0 the values of the keys that `value` holds.
fn encode(
    node: &Node,
    graph: &mut Builder,
    value: Value,
    keys: List,
    values: List,
    default: List,
) -> Result<(), ModelError> {
    if keys.len() != values.len() {
        return Err(node.invalid(format!(
            "has {} keys and {} values",
            keys.len(),
            values.len()
        )));
    }
    if keys.element() != value.element {
        return Err(refuse(node, value.element, keys.element().name()));
    }
    match (values, default) {
        (List::Strings(mut strings), List::Strings(default)) => {
            let codes: Vec<i64> = (0..strings.len() as i64 + 1).collect();
            strings.extend(default);
            let made = chosen(node, graph, &value, keys, Element::String, codes)?;
            graph.alias(node, 0, made.with_dictionary(Some(strings.into())))
        }
        (List::Numbers(element, data), List::Numbers(_, default)) => {
            let made = match element.region() {
                Region::F32 => chosen(
                    node,
                    graph,
                    &value,
                    keys,
                    element,
                    joined::<f32>(&data, &default),
                )?,
                Region::F64 => chosen(
                    node,
                    graph,
                    &value,
                    keys,
                    element,
                    joined::<f64>(&data, &default),
                )?,
                Region::I64 => chosen(
                    node,
                    graph,
                    &value,
                    keys,
                    element,
                    joined::<i64>(&data, &default),
                )?,
            };
            graph.alias(node, 0, made)
        }
        _ => Err(node.invalid("the default is of another type than the values")),
    }
}

fn joined<T: Cell>(values: &Data, default: &Data) -> Vec<T> {
    [T::constant(values), T::constant(default)].concat()
}

/// Of every key in `value` the one of `values` at its place, the last one for a key that is not there. Of a key that is
/// listed twice the first place counts.
fn chosen<T: Cell>(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    keys: List,
    element: Element,
    values: Vec<T>,
) -> Result<Value, ModelError> {
    let default = values.len() - 1;
    let choose = move |place: Option<u32>| values[place.map_or(default, |place| place as usize)];
    match keys {
        List::Strings(keys) => {
            let finder = Strings::first(&keys).finder(value.dictionary.as_ref());
            from_text(node, graph, value, element, move |cell, text| {
                choose(finder.find(cell, text))
            })
        }
        List::Numbers(_, Data::I64(keys)) => {
            let places = first_places(keys);
            mapped(node, graph, value, element, move |key: i64| {
                choose(places.get(&key).copied())
            })
        }
        List::Numbers(_, Data::F32(keys)) => {
            let places = first_places(keys.into_iter().map(|key| bits(key.into())));
            mapped(node, graph, value, element, move |key: f32| {
                choose(places.get(&bits(key.into())).copied())
            })
        }
        List::Numbers(_, Data::F64(keys)) => {
            let places = first_places(keys.into_iter().map(bits));
            mapped(node, graph, value, element, move |key: f64| {
                choose(places.get(&bits(key)).copied())
            })
        }
    }
}

/// Floats as keys: both zeros are one, and so is every NaN.
fn bits(x: f64) -> u64 {
    match x {
        0.0 => 0,
        _ if x.is_nan() => f64::NAN.to_bits(),
        _ => x.to_bits(),
    }
}
