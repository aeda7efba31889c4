//! A decision as a Graphviz graph.

use super::graph::{Graph, Kind, Node};

/// The text of a `digraph`, from left to right; each kind of node has its shape.
pub fn draw(graph: &Graph) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quoted(&graph.title)),
        "  rankdir=LR;".to_owned(),
        "  node [fontname=\"Helvetica\", fontsize=11];".to_owned(),
        "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#888888\"];".to_owned(),
    ];
    for (i, node) in graph.nodes.iter().enumerate() {
        let (shape, label) = (shape(node.kind), quoted(&label(node)));
        lines.push(format!("  n{i} [shape={shape}, label={label}];"));
    }
    for (from, to, names) in flows(graph) {
        lines.push(format!(
            "  n{from} -> n{to} [label={}];",
            quoted(&names.join("\n"))
        ));
    }
    lines.push("}".to_owned());
    lines.join("\n")
}

/// Nodes that one reads of the other, each pair once, with the columns that it reads.
fn flows(graph: &Graph) -> Vec<(usize, usize, Vec<&str>)> {
    let mut flows: Vec<(usize, usize, Vec<&str>)> = Vec::new();
    for edge in &graph.edges {
        let (from, column) = edge.from;
        let name = graph.nodes[from].writes[column].name.as_str();
        let known = flows
            .iter_mut()
            .find(|flow| (flow.0, flow.1) == (from, edge.to));
        match known {
            Some((_, _, names)) => names.push(name),
            None => flows.push((from, edge.to, vec![name])),
        }
    }
    flows
}

fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Record | Kind::Output => "note",
        Kind::Lookup => "cylinder",
        Kind::Feature => "box",
        Kind::Model => "component",
        Kind::Rules => "hexagon",
    }
}

fn label(node: &Node) -> String {
    let mut lines = vec![node.heading()];
    if !node.about.is_empty() {
        lines.push(node.about.clone());
    }
    let columns = node.writes.iter();
    lines.extend(columns.map(|column| format!("{} {}", column.name, column.data_type)));
    lines.join("\n")
}

/// A string of the DOT language: lines end with `\l`, which sets them to the left.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    match text.contains('\n') {
        true => format!("\"{}\\l\"", text.replace('\n', "\\l")),
        false => format!("\"{text}\""),
    }
}
