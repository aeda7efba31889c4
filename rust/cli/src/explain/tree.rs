//! A decision as a tree of lines.

use super::graph::{Column, Graph, Group, Kind, Node, Outcome, Part};

/// A line, and the lines below it.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

/// The whole graph: the record, the steps in the order of a run, the output; what nothing needs.
pub fn print(graph: &Graph) -> String {
    let mut root = Branch::new(&graph.title);
    root.below
        .extend(graph.nodes.iter().map(|node| branch(graph, node)));
    if !graph.unused.is_empty() {
        let mut unused = Branch::new("left out: no output needs it");
        for (kind, names) in &graph.unused {
            unused.add(format!("{kind}: {}", names.join(", ")));
        }
        root.below.push(unused);
    }
    let mut lines = vec![root.text.clone()];
    root.print_below("", &mut lines);
    lines.join("\n")
}

fn branch(graph: &Graph, node: &Node) -> Branch {
    let mut branch = Branch::new(match (node.kind, node.about.as_str()) {
        (Kind::Feature, _) => format!("{} {}", node.kind.word(), columns(&node.writes)),
        (_, "") => node.heading(),
        (_, about) => format!("{}: {about}", node.heading()),
    });
    for (name, text) in &node.facts {
        branch.add(format!("{name}: {text}"));
    }
    for group in &node.groups {
        branch.below.extend(parts(group));
    }
    for (text, value) in &node.folded {
        branch.add(format!("folded: {text} = {value}"));
    }
    if !node.reads.is_empty() {
        let reads = node.reads.iter().filter_map(|name| graph.column(name));
        let reads = reads.map(|column| format!("{} {}", column.name, column.data_type));
        branch.add(format!("reads {}", reads.collect::<Vec<_>>().join(", ")));
    }
    match node.kind {
        Kind::Feature => {}
        Kind::Record | Kind::Output => branch.below.extend(
            node.writes
                .iter()
                .map(|column| Branch::new(described(column))),
        ),
        _ => branch.add(format!("writes {}", columns(&node.writes))),
    }
    if let Some(Outcome { text, .. }) = &node.outcome {
        branch.text += &format!(" -> {text}");
    }
    branch
}

/// A group of one part that needs no name is that part.
fn parts(group: &Group) -> Vec<Branch> {
    match group.parts.as_slice() {
        [only] if only.label.is_empty() => vec![part(only)],
        parts => {
            let mut branch = Branch::new(&group.title);
            let said = parts
                .iter()
                .filter(|part| !part.text.is_empty() || part.value.is_some());
            branch.below.extend(said.map(part));
            vec![branch]
        }
    }
}

fn part(part: &Part) -> Branch {
    let mut text = match (part.label.as_str(), part.text.as_str()) {
        ("", text) => text.to_owned(),
        (label, "") => label.to_owned(),
        (label, text) if label == text => text.to_owned(),
        (label, text) => format!("{label}: {text}"),
    };
    if let Some(value) = &part.value {
        text += &format!(" = {value}");
    }
    let mut branch = Branch::new(text);
    if !part.gives.is_empty() {
        branch.add(part.gives.clone());
    }
    branch
}

fn columns(columns: &[Column]) -> String {
    columns.iter().map(described).collect::<Vec<_>>().join(", ")
}

/// Name, type, and what is known of its value.
fn described(column: &Column) -> String {
    let mut text = format!("{} {}", column.name, column.data_type);
    if !column.from.is_empty() {
        text += &format!(" from {}", column.from);
    }
    match (&column.value, &column.constant) {
        (Some(value), _) => text += &format!(" = {value}"),
        (None, Some(constant)) => text += &format!(" = {constant}, for every record"),
        (None, None) if column.at.is_none() => text += ", not used",
        (None, None) => {}
    }
    text
}

impl Branch {
    fn new(text: impl Into<String>) -> Branch {
        Branch {
            text: text.into(),
            below: Vec::new(),
        }
    }

    fn add(&mut self, text: String) {
        self.below.push(Branch::new(text));
    }

    /// Prints what is below, each line behind `indent`. A text of several lines keeps its branch.
    fn print_below(&self, indent: &str, lines: &mut Vec<String>) {
        for (i, branch) in self.below.iter().enumerate() {
            let (first, other) = match i + 1 == self.below.len() {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            let indent_below = format!("{indent}{other}");
            let more = if branch.below.is_empty() {
                "   "
            } else {
                "│  "
            };
            for (k, line) in branch.text.lines().enumerate() {
                lines.push(match k {
                    0 => format!("{indent}{first}{line}"),
                    _ => format!("{indent_below}{more}{line}"),
                });
            }
            branch.print_below(&indent_below, lines);
        }
    }
}
