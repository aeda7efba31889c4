//! `Scan` along an axis whose length is known: the nodes of its body are there once for each step.

use std::collections::HashSet;

use super::{Operator, distances};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Builder, Value};
use crate::memory::Data;
use crate::onnx::attribute::Attribute;
use crate::onnx::node::{CORE, Node};
use crate::onnx::proto::attribute_proto::AttributeType;
use crate::onnx::proto::{AttributeProto, GraphProto, NodeProto};
use crate::shape::axis_of;

pub(super) const OPERATORS: &[Operator] = &[(CORE, "Scan", load)];

/// The most nodes that all steps may have together.
const MOST_NODES: usize = 1 << 13;

fn load(node: &mut Node, graph: &mut Builder) -> Result<(), ModelError> {
    if graph.opset(node) < 9 {
        return Err(node.not_supported("is of opset 8, supported are 9 and newer"));
    }
    let body = node.graph("body")?;
    let body = body.ok_or_else(|| node.invalid("attribute \"body\" is missing"))?;
    let scanned = node.int("num_scan_inputs")?.unwrap_or(0);
    let carried = usize::try_from(scanned).ok().filter(|scanned| *scanned > 0);
    let carried = carried.and_then(|scanned| node.inputs.len().checked_sub(scanned));
    let fits =
        |carried: &usize| body.input.len() == node.inputs.len() && *carried <= body.output.len();
    let Some(carried) = carried.filter(fits) else {
        return Err(node.invalid(format!(
            "scans {scanned} of {} inputs; its body has {} inputs and {} outputs",
            node.inputs.len(),
            body.input.len(),
            body.output.len()
        )));
    };
    let inputs = axes(node, "scan_input", node.inputs.len() - carried)?;
    let outputs = axes(node, "scan_output", body.output.len() - carried)?;
    let mut values = Vec::new();
    for index in 0..node.inputs.len() {
        values.push(graph.operand(node, index)?);
    }
    let scanned = values.split_off(carried);
    let steps = steps(node, &scanned, &inputs)?;
    let plain = |axis: &Axis| axis.axis == 0 && !axis.backward;
    if let ([rows], [vectors]) = (&values[..], &scanned[..])
        && inputs.iter().chain(&outputs).all(plain)
        && distances::load(node, graph, &body, rows, vectors)?
    {
        return Ok(());
    }
    let body = Body::new(node, graph, body, steps)?;
    for (index, value) in scanned.into_iter().enumerate() {
        graph.define(&body.scanned(index), value)?;
    }
    let mut parts: Vec<Vec<Value>> = vec![Vec::new(); outputs.len()];
    for step in 0..steps {
        let mut made = body.step(node, graph, values, &inputs, step)?;
        for (parts, part) in parts.iter_mut().zip(made.drain(carried..)) {
            parts.push(part);
        }
        values = made;
    }
    for (index, value) in values.into_iter().enumerate() {
        graph.alias(node, index, value)?;
    }
    for (index, (parts, axis)) in parts.into_iter().zip(outputs).enumerate() {
        if let Some(output) = node.outputs.get(carried + index) {
            join(node, graph, output, parts, &axis)?;
        }
    }
    Ok(())
}

/// The axis along which an input is taken apart, or an output is put together.
struct Axis {
    axis: i64,
    backward: bool,
}

/// The axes of all inputs or outputs that are scanned.
fn axes(node: &mut Node, which: &str, count: usize) -> Result<Vec<Axis>, ModelError> {
    let axes = node.ints(&format!("{which}_axes"))?;
    let directions = node.ints(&format!("{which}_directions"))?;
    for found in [axes.len(), directions.len()] {
        if found != 0 && found != count {
            return Err(node.invalid(format!(
                "has {found} {which}_axes or {which}_directions, expected {count}"
            )));
        }
    }
    let axis = |index: usize| Axis {
        axis: axes.get(index).copied().unwrap_or(0),
        backward: directions.get(index) == Some(&1),
    };
    Ok((0..count).map(axis).collect())
}

/// The length of the axes, which is the same.
fn steps(node: &Node, scanned: &[Value], axes: &[Axis]) -> Result<usize, ModelError> {
    let mut steps = None;
    for (value, axis) in scanned.iter().zip(axes) {
        let own = value.shape.own_axis(axis.axis, "scanning");
        let len = value.shape.dims[own.map_err(|e| e.at(&node.place()))?];
        if *steps.get_or_insert(len) != len || len == 0 {
            return Err(node.invalid(format!(
                "scans {}, which is no {steps:?} steps",
                value.shape
            )));
        }
    }
    Ok(steps.unwrap_or(0))
}

/// The body, and what it calls its own: every step has names that nobody else has.
struct Body {
    /// The name of the node's first output.
    of: String,
    graph: GraphProto,
    /// What every step makes for itself.
    made: HashSet<String>,
    /// Constants, which are there once.
    constants: HashSet<String>,
    steps: usize,
}

impl Body {
    fn new(
        node: &Node,
        graph: &mut Builder,
        mut body: GraphProto,
        steps: usize,
    ) -> Result<Self, ModelError> {
        let (mut made, mut nodes) = (HashSet::new(), 0);
        given(&body, &mut made, &mut nodes);
        if scans(&body) {
            return Err(node.not_supported("has another Scan in its body"));
        }
        if nodes.saturating_mul(steps) > MOST_NODES {
            return Err(node.not_supported(format!(
                "has {steps} steps of {nodes} nodes, supported are {MOST_NODES} in all"
            )));
        }
        let stored = std::mem::take(&mut body.initializer);
        let names = stored.iter().filter_map(|tensor| tensor.name.clone());
        let body = Self {
            of: node.outputs.first().cloned().unwrap_or_default(),
            constants: names.collect(),
            graph: body,
            made,
            steps,
        };
        for tensor in stored {
            let name = body.name(tensor.name.as_deref().unwrap_or_default(), 0);
            if graph.initializers.insert(name.clone(), tensor).is_some() {
                return Err(node.invalid(format!("the value {name:?} is made twice")));
            }
        }
        Ok(body)
    }

    /// What a step calls a name of the body.
    fn name(&self, name: &str, step: usize) -> String {
        if self.constants.contains(name) {
            format!("{name} of {}", self.of)
        } else if self.made.contains(name) {
            format!("{name} of {}, step {step}", self.of)
        } else {
            name.to_owned()
        }
    }

    /// What the steps call input number `index` of those that are scanned.
    fn scanned(&self, index: usize) -> String {
        format!("scanned {index} of {}", self.of)
    }

    /// Adds a step, and gives what it makes.
    fn step(
        &self,
        node: &Node,
        graph: &mut Builder,
        carried: Vec<Value>,
        inputs: &[Axis],
        step: usize,
    ) -> Result<Vec<Value>, ModelError> {
        for name in &self.made {
            if let Some(readers) = graph.readers.get(name) {
                graph.readers.insert(self.name(name, step), *readers);
            }
        }
        let mut copy = self.graph.clone();
        each_name(&mut copy, &mut |name| *name = self.name(name, step));
        let names = copy
            .input
            .drain(..)
            .map(|input| input.name.unwrap_or_default());
        let mut names = names.collect::<Vec<_>>().into_iter();
        for (value, name) in carried.into_iter().zip(names.by_ref()) {
            graph.define(&name, value)?;
        }
        for (index, (name, axis)) in names.zip(inputs).enumerate() {
            let at = if axis.backward {
                self.steps - 1 - step
            } else {
                step
            };
            let place = format!("place {step} of {}", self.scanned(index));
            let number = Value::constant(Element::Int64, Vec::new(), Data::I64(vec![at as i64]));
            graph.define(&place, number)?;
            let from = vec![self.scanned(index), place];
            super::load(composed(node, "Gather", axis.axis, from, name), graph)?;
        }
        graph.inline(copy)
    }
}

/// Puts the parts together that steps have made.
fn join(
    node: &Node,
    graph: &mut Builder,
    output: &str,
    mut parts: Vec<Value>,
    axis: &Axis,
) -> Result<(), ModelError> {
    if axis.backward {
        parts.reverse();
    }
    let mut names = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let mut shape = part.shape.clone();
        let along = axis_of(axis.axis, shape.rank() + 1).map_err(|e| e.at(&node.place()))?;
        shape.dims.insert(along, 1);
        shape.batch = shape.batch.map(|batch| batch + usize::from(batch >= along));
        names.push(format!("part {index} of {output}"));
        graph.define(&names[index], part.reshaped(shape))?;
    }
    super::load(
        composed(node, "Concat", axis.axis, names, output.to_owned()),
        graph,
    )
}

/// A node with an axis that stands for a part of another.
fn composed(node: &Node, operator: &str, axis: i64, inputs: Vec<String>, output: String) -> Node {
    let axis = AttributeProto {
        name: Some("axis".to_owned()),
        r#type: Some(AttributeType::Int as i32),
        i: Some(axis),
        ..Default::default()
    };
    Node::new(NodeProto {
        op_type: Some(operator.to_owned()),
        name: Some(node.name.clone()),
        input: inputs,
        output: vec![output],
        attribute: vec![Attribute {
            rest: axis,
            ..Default::default()
        }],
        ..Default::default()
    })
}

/// The graphs inside of a graph's nodes.
fn inner(graph: &GraphProto) -> impl Iterator<Item = &GraphProto> {
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    attributes.filter_map(|attribute| attribute.g.as_deref())
}

fn scans(graph: &GraphProto) -> bool {
    let scan = |node: &NodeProto| node.op_type.as_deref() == Some("Scan");
    graph.node.iter().any(scan) || inner(graph).any(scans)
}

/// What a graph, or one inside of it, gives a name, and how many nodes they have.
fn given(graph: &GraphProto, names: &mut HashSet<String>, nodes: &mut usize) {
    *nodes += graph.node.len();
    let inputs = graph.input.iter().filter_map(|input| input.name.as_ref());
    let stored = graph
        .initializer
        .iter()
        .filter_map(|tensor| tensor.name.as_ref());
    let made = graph.node.iter().flat_map(|node| &node.output);
    let all = inputs
        .chain(stored)
        .chain(made)
        .filter(|name| !name.is_empty());
    names.extend(all.cloned());
    for graph in inner(graph) {
        given(graph, names, nodes);
    }
}

/// Visits every name of a graph, and of those inside of it.
fn each_name(graph: &mut GraphProto, visit: &mut dyn FnMut(&mut String)) {
    let (inputs, outputs) = (graph.input.iter_mut(), graph.output.iter_mut());
    let declared = inputs
        .chain(outputs)
        .filter_map(|value| value.name.as_mut());
    let stored = graph.initializer.iter_mut();
    declared
        .chain(stored.filter_map(|tensor| tensor.name.as_mut()))
        .for_each(&mut *visit);
    for node in &mut graph.node {
        node.input
            .iter_mut()
            .chain(&mut node.output)
            .for_each(&mut *visit);
        for attribute in &mut node.attribute {
            if let Some(graph) = &mut attribute.rest.g {
                each_name(graph, visit);
            }
        }
    }
}
