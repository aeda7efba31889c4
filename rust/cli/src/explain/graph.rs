//! A decision as a graph that people read: what `explain` prints, draws, and fills with the values
//! of a record.

use pelton_data::DataType;
use pelton_data::columns::Slot;

/// The nodes of a decision in the order of a run, and what flows between them.
pub struct Graph {
    /// "arrival_delay, version 2"
    pub title: String,
    /// First the record, last the output.
    pub nodes: Vec<Node>,
    /// One for each column that a node reads.
    pub edges: Vec<Edge>,
    /// What the file defines and no output needs, by kind: "features" with their names.
    pub unused: Vec<(&'static str, Vec<String>)>,
}

/// The record, a step of the plan, or the output.
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its name in decision.toml.
    pub name: String,
    /// One line: the dimension of a lookup, the file of a model.
    pub about: String,
    /// What else there is to know, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// Its expressions, tensors or rules.
    pub groups: Vec<Group>,
    /// The names of the columns that it reads.
    pub reads: Vec<String>,
    /// The columns that it writes.
    pub writes: Vec<Column>,
    /// Parts of its expressions that are constants, each with its value.
    pub folded: Vec<(String, String)>,
    /// What came of it, after a run.
    pub outcome: Option<Outcome>,
}

/// The kinds of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Record,
    Lookup,
    Feature,
    Model,
    Rules,
    Output,
}

/// Parts that belong together: a tensor's columns, a rule set's rules.
pub struct Group {
    /// "key", "input `x`: float [n, 21], NULL becomes NaN"
    pub title: String,
    pub parts: Vec<Part>,
}

/// An expression, or a column of a tensor.
pub struct Part {
    /// Which one it is: a key column, `x[3]`, a rule; empty where there is one only.
    pub label: String,
    /// The expression's text; empty for a tensor that the model computes.
    pub text: String,
    /// The values that a rule gives.
    pub gives: String,
    /// Where its value is held, and the value's type.
    pub at: Option<(Slot, DataType)>,
    /// The value, after a run.
    pub value: Option<String>,
}

/// A column that a node writes.
pub struct Column {
    /// `plane.seats`
    pub name: String,
    pub data_type: String,
    /// What it comes from, where that is not the node's expression: `probabilities[1]`.
    pub from: String,
    /// Where it is held; `None` for an input column that nothing needs.
    pub at: Option<(Slot, DataType)>,
    /// The value that it has for every record, if it is a constant.
    pub constant: Option<String>,
    /// The value, after a run.
    pub value: Option<String>,
}

/// What came of a node in a run.
pub struct Outcome {
    pub tone: Tone,
    /// "hit", "no rule hits", or why it failed.
    pub text: String,
}

/// How an outcome is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A row was found, a rule hits.
    Found,
    /// None was; or the run ended before.
    Nothing,
    /// The record fails here.
    Failed,
}

/// A column on its way from the node that writes it to one that reads it.
pub struct Edge {
    /// The number of a node, and of a column that it writes.
    pub from: (usize, usize),
    /// The number of a node.
    pub to: usize,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Record => "record",
            Kind::Lookup => "lookup",
            Kind::Feature => "feature",
            Kind::Model => "model",
            Kind::Rules => "rules",
            Kind::Output => "output",
        }
    }
}

impl Node {
    /// A node of which no more is known.
    pub fn new(kind: Kind, name: &str) -> Node {
        Node {
            kind,
            name: name.to_owned(),
            about: String::new(),
            facts: Vec::new(),
            groups: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            folded: Vec::new(),
            outcome: None,
        }
    }

    /// "lookup plane", "record"
    pub fn heading(&self) -> String {
        match self.kind {
            Kind::Record | Kind::Output => self.kind.word().to_owned(),
            kind => format!("{} {}", kind.word(), self.name),
        }
    }
}

impl Part {
    /// An expression without a value so far.
    pub fn new(label: impl Into<String>, text: &str) -> Part {
        Part {
            label: label.into(),
            text: text.to_owned(),
            gives: String::new(),
            at: None,
            value: None,
        }
    }
}

impl Graph {
    /// The column of a name, as a node that reads it sees it.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let columns = self.nodes.iter().filter(|node| node.kind != Kind::Output);
        columns
            .flat_map(|node| &node.writes)
            .find(|column| column.name == name)
    }
}

/// The edges between nodes: each name that is read comes from the node that writes it.
pub fn edges(nodes: &[Node]) -> Vec<Edge> {
    let writer = |name: &str| {
        nodes.iter().enumerate().find_map(|(i, node)| {
            let own = node.kind != Kind::Output;
            let column = node
                .writes
                .iter()
                .position(|column| own && column.name == name)?;
            Some((i, column))
        })
    };
    let mut edges = Vec::new();
    for (to, node) in nodes.iter().enumerate() {
        let from = node.reads.iter().filter_map(|name| writer(name));
        edges.extend(from.map(|from| Edge { from, to }));
    }
    edges
}
