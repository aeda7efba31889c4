//! `Pad`: with a constant, the edge, a reflection, or from the other end.

use super::Operator;
use super::moves::{gather, gather_or_fill, places};
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::memory::Data;
use crate::onnx::node::{CORE, Node};

pub(super) const OPERATORS: &[Operator] = &[(CORE, "Pad", load)];

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    let value = graph.operand(node, 0)?;
    let rank = value.shape.rank();
    let mode = node
        .string("mode")?
        .unwrap_or_else(|| "constant".to_owned());
    let old = node.has("pads");
    let given = if old {
        node.ints("pads")?
    } else {
        graph.ints(node, 1)?.unwrap_or_default()
    };
    let fill = match node.float("value")? {
        Some(fill) if old => Some(Value::constant(
            value.element,
            vec![],
            Data::F32(vec![fill]),
        )),
        _ if old => None,
        _ => graph.optional(node, 2)?,
    };
    let axes = if old { None } else { graph.ints(node, 3)? };
    let axes = axes.unwrap_or_else(|| (0..rank as i64).collect());
    if given.len() != 2 * axes.len() {
        return Err(node.invalid(format!("has {} pads for {} axes", given.len(), axes.len())));
    }
    // The pads before and behind every axis.
    let mut pads = vec![(0i64, 0i64); rank];
    for (i, axis) in axes.iter().enumerate() {
        let axis = value.shape.axis(*axis).map_err(|e| e.at(&node.place()))?;
        pads[axis] = (given[i], given[i + axes.len()]);
        if value.shape.batch == Some(axis) && pads[axis] != (0, 0) {
            return Err(node.not_supported("padding the rows mixes them"));
        }
    }
    let mut shape = value.shape.clone();
    for (dim, (before, behind)) in shape.dims.iter_mut().zip(&pads) {
        let padded = (*dim as i64)
            .checked_add(*before)
            .and_then(|dim| dim.checked_add(*behind));
        let padded = padded.and_then(|dim| usize::try_from(dim).ok());
        *dim = padded
            .ok_or_else(|| node.invalid(format!("has the pads {given:?} for {}", value.shape)))?;
    }
    graph.check_width(node, &shape.dims)?;
    let inner = |axis: usize, i: usize| -> Option<usize> {
        let (at, dim) = (i as i64 - pads[axis].0, value.shape.dims[axis] as i64);
        let at = match mode.as_str() {
            _ if (0..dim).contains(&at) => at,
            "edge" => at.clamp(0, dim - 1),
            "wrap" => at.rem_euclid(dim.max(1)),
            "reflect" => {
                let period = (2 * (dim - 1)).max(1);
                let at = at.rem_euclid(period);
                at.min(period - at).min(dim - 1)
            }
            _ => return None,
        };
        usize::try_from(at).ok()
    };
    match mode.as_str() {
        "constant" => {
            let index = places(&value.shape, &shape, inner);
            gather_or_fill(node, graph, &value, fill, shape, index)
        }
        "edge" | "wrap" | "reflect" if value.width() > 0 => {
            let index = places(&value.shape, &shape, inner);
            gather(node, graph, 0, &value, shape, index)
        }
        other => Err(node.invalid(format!(
            "attribute \"mode\" is {other:?}, expected constant, edge, wrap or reflect"
        ))),
    }
}
