//! `Cast` and `CastLike`, between all elements.
//!
//! A float outside the range of the integer, or NaN, becomes the integer's smallest value: what ONNX Runtime does on
//! x86-64, here on every processor. Integers wrap; every number but zero is true, NaN included. A string that is no
//! number fails its row.

use super::elementwise::mapped;
use super::strings::{text, to_text};
use super::{Operator, Step};
use crate::element::{Element, Region};
use crate::error::ModelError;
use crate::graph::{Builder, Place, Value};
use crate::memory::{Columns, Text, Workspace};
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[(CORE, "Cast", load), (CORE, "CastLike", load_like)];

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let number = node
        .int("to")?
        .ok_or_else(|| node.invalid("attribute \"to\" is missing"))?;
    // These say how numbers become 8-bit floats, which no cast here makes.
    node.int("saturate")?;
    node.string("round_mode")?;
    let to = i32::try_from(number).map_err(|_| {
        node.invalid(format!(
            "attribute \"to\" is {number}, which is no element type"
        ))
    })?;
    let element =
        Element::of_onnx(Some(to)).map_err(|e| e.at("attribute \"to\"").at(&node.place()))?;
    let made = cast(node, graph, &value, element)?;
    graph.alias(node, 0, made)
}

fn load_like(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    node.ignore("saturate");
    node.ignore("round_mode");
    let like = graph.operand(node, 1)?;
    let made = cast(node, graph, &value, like.element)?;
    graph.alias(node, 0, made)
}

/// `value` as `to`.
pub(super) fn cast(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    to: Element,
) -> Result<Value, ModelError> {
    if value.element == to {
        return Ok(value.clone());
    }
    if value.element == Element::String {
        return from_strings(node, graph, value, to);
    }
    let wrap = to.wrap();
    match (value.element.region(), to) {
        (_, Element::String) => to_strings(node, graph, value),
        (Region::F32, Element::Double) => mapped(node, graph, value, to, |x: f32| f64::from(x)),
        (Region::F32, Element::Bool) => {
            mapped(node, graph, value, to, |x: f32| i64::from(x != 0.0))
        }
        (Region::F32, _) => mapped(node, graph, value, to, integer::<f32>(to)),
        (Region::F64, Element::Float) => mapped(node, graph, value, to, |x: f64| x as f32),
        (Region::F64, Element::Bool) => {
            mapped(node, graph, value, to, |x: f64| i64::from(x != 0.0))
        }
        (Region::F64, _) => mapped(node, graph, value, to, integer::<f64>(to)),
        (Region::I64, Element::Float) => mapped(node, graph, value, to, |x: i64| x as f32),
        (Region::I64, Element::Double) => mapped(node, graph, value, to, |x: i64| x as f64),
        (Region::I64, Element::Bool) => mapped(node, graph, value, to, |x: i64| i64::from(x != 0)),
        (Region::I64, _) => {
            let made = mapped(node, graph, value, to, move |x: i64| wrap.apply(x))?;
            if let (Place::Columns(from), Place::Columns(to)) = (&value.place, &made.place) {
                (0..from.width).for_each(|k| graph.ids.copied(from.first + k, to.first + k));
            }
            Ok(made)
        }
    }
}

/// How a float becomes an integer: towards zero. The narrow ones wrap, as the processor's conversion to 32 bits does.
fn integer<T: Into<f64>>(to: Element) -> impl Fn(T) -> i64 + Send + Sync + Copy {
    let wrap = to.wrap();
    move |x: T| {
        let x: f64 = x.into();
        match to {
            Element::Int64 => to_i64(x),
            Element::Int32 => to_i32(x),
            _ => wrap.apply(to_i64(x)),
        }
    }
}

fn to_i64(x: f64) -> i64 {
    // -2^63 <= x < 2^63; false for NaN
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) {
        x as i64
    } else {
        i64::MIN
    }
}

fn to_i32(x: f64) -> i64 {
    let x = x.trunc();
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) {
        x as i64
    } else {
        i32::MIN.into()
    }
}

/// Numbers as ONNX Runtime writes them: as many digits as tell floats apart, no more than needed.
fn to_strings(node: &Node, graph: &mut Builder, value: &Value) -> Result<Value, ModelError> {
    use std::io::Write;
    // Writing to a vector does not fail.
    match value.element.region() {
        Region::F32 => to_text(node, graph, value, |x: f32, text| {
            write_float(x.into(), 8, text)
        }),
        Region::F64 => to_text(node, graph, value, |x: f64, text| write_float(x, 17, text)),
        Region::I64 if value.element == Element::Bool => {
            to_text(node, graph, value, |x: i64, text| {
                text.extend_from_slice(if x != 0 { b"True" } else { b"False" });
            })
        }
        Region::I64 => to_text(node, graph, value, |x: i64, text| {
            let _ = write!(text, "{x}");
        }),
    }
}

/// C's `%.<digits>g`, with NaN and infinities as ONNX writes them.
pub(super) fn write_float(x: f64, digits: usize, text: &mut Vec<u8>) {
    use std::io::Write;
    if !x.is_finite() {
        let name = match x {
            _ if x.is_nan() => "NaN",
            _ if x > 0.0 => "INF",
            _ => "-INF",
        };
        text.extend_from_slice(name.as_bytes());
        return;
    }
    let start = text.len();
    let _ = write!(text, "{:.*e}", digits - 1, x);
    let exponent_at = text[start..]
        .iter()
        .rposition(|byte| *byte == b'e')
        .map_or(text.len(), |at| start + at);
    let exponent: i32 = std::str::from_utf8(&text[exponent_at + 1..])
        .ok()
        .and_then(|e| e.parse().ok())
        .unwrap_or(0);
    let plain = (-4..digits as i32).contains(&exponent);
    if plain {
        text.truncate(start);
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        let _ = write!(text, "{x:.decimals$}");
    } else {
        text.truncate(exponent_at);
    }
    if text[start..].contains(&b'.') {
        while text.last() == Some(&b'0') {
            text.pop();
        }
        if text.last() == Some(&b'.') {
            text.pop();
        }
    }
    if !plain {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "e{sign}{:02}", exponent.abs());
    }
}

fn from_strings(
    node: &Node,
    graph: &mut Builder,
    value: &Value,
    to: Element,
) -> Result<Value, ModelError> {
    if let Some(dictionary) = &value.dictionary {
        // The numbers of a dictionary are known at load.
        let numbers: Result<Vec<f64>, _> = dictionary
            .iter()
            .map(|string| parse(string.as_bytes()).ok_or(string))
            .collect();
        if let Ok(numbers) = numbers {
            let number = move |code: i64| numbers.get(code as usize).copied().unwrap_or(f64::NAN);
            let doubles = mapped(node, graph, value, Element::Double, number)?;
            return cast(node, graph, &doubles, to);
        }
    }
    let strings = text(node, graph, value)?;
    let from = graph.columns(node, &strings)?;
    let columns = graph.scratch(Element::Double, value.width())?;
    graph.push(
        node,
        "strings to double".to_owned(),
        Box::new(Parse { from, to: columns }),
    );
    let doubles = Value::columns(Element::Double, value.shape.clone(), columns);
    cast(node, graph, &doubles, to)
}

fn parse(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

struct Parse {
    from: Columns,
    to: Columns,
}

impl Step for Parse {
    fn run(&self, n: usize, memory: &mut Workspace) {
        for k in 0..self.to.width {
            for row in 0..n {
                let cell: i64 = memory.get(self.from.first + k, row);
                let bytes = Text::of(cell).bytes(memory.text);
                match parse(bytes) {
                    Some(number) => memory.set(self.to.first + k, row, number),
                    None => {
                        let string = String::from_utf8_lossy(bytes).into_owned();
                        memory.fail(row, format!("{string:?} is no number"));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_c_does() {
        let written = |x: f64, digits| {
            let mut text = Vec::new();
            write_float(x, digits, &mut text);
            String::from_utf8(text).unwrap()
        };
        for (x, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (100_000.0, "100000"),
            (1e8, "1e+08"),
            (12_345_678.0, "12345678"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-INF"),
            (0.333_333_33, "0.33333333"),
            (1.5e-7, "1.5e-07"),
        ] {
            assert_eq!(written(x, 8), expected);
        }
        assert_eq!(written(0.1, 17), "0.10000000000000001");
    }
}
