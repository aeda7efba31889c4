//! From a compiled decision to its [`Graph`]: the plan says what is computed and where it is held,
//! the definition how it is written.

use pelton_data::columns::Slot;
use pelton_data::{DataType, Field};
use pelton_decision::Decision;
use pelton_decision::definition::{
    Definition, Expression, Hit, Keep, Missing, ModelInput, Rule, Sequence,
};
use pelton_decision::expression::NullAs;
use pelton_decision::plan::graph::Item;
use pelton_decision::plan::{LookupWork, ModelWork, NamedColumn, Plan, RulesWork, Step, Work};
use pelton_model::{Element, Tensor};

use super::graph::{Column, Graph, Group, Kind, Node, Part, edges};
use super::values;

/// Describes a decision, whose version is `version`, if it is published.
pub fn describe(decision: &Decision, version: Option<u64>) -> Graph {
    let describe = Describe {
        decision,
        plan: &decision.plan,
    };
    let mut nodes = vec![describe.record()];
    nodes.extend(decision.plan.steps.iter().map(|step| describe.step(step)));
    let version = match version {
        Some(version) => format!("version {version}"),
        None => "not published".to_owned(),
    };
    Graph {
        title: format!("{}, {version}", decision.name),
        edges: edges(&nodes),
        nodes,
        unused: describe.unused(),
    }
}

struct Describe<'a> {
    decision: &'a Decision,
    plan: &'a Plan,
}

impl Describe<'_> {
    fn record(&self) -> Node {
        let mut node = Node::new(Kind::Record, &self.decision.name);
        let columns = self.plan.input.iter().map(|column| {
            let Field {
                name,
                data_type,
                nullable,
            } = &column.field;
            let not_null = if *nullable { "" } else { " NOT NULL" };
            Column {
                data_type: format!("{data_type}{not_null}"),
                at: column.slot.map(|slot| (slot, data_type.clone())),
                ..self.column(name, data_type)
            }
        });
        node.writes = columns.collect();
        node
    }

    fn step(&self, step: &Step) -> Node {
        let definition = &self.decision.definition;
        let mut node = match (step.item, &step.work) {
            (Some(Item::Lookup(i)), Work::Lookup(work)) => self.lookup(i, work),
            (Some(Item::Model(i)), Work::Model(work)) => self.model(i, work),
            (Some(Item::Rules(i)), Work::Rules(work)) => self.rules(i, work),
            (Some(Item::Feature(i)), _) => {
                let feature = &definition.features[i];
                let mut node = Node::new(Kind::Feature, &feature.name.value);
                self.expressions(
                    &mut node,
                    "expression",
                    [(String::new(), &feature.expression)],
                );
                node
            }
            _ => self.output(),
        };
        node.reads.clone_from(&step.reads);
        let writes = step.writes.iter().map(|column| Column {
            from: self.tensor_of(step, column),
            ..self.held(column)
        });
        node.writes = writes.collect();
        node
    }

    /// The tensor that a model's output stands for.
    fn tensor_of(&self, step: &Step, column: &NamedColumn) -> String {
        let Some(Item::Model(i)) = step.item else {
            return String::new();
        };
        let outputs = &self.decision.definition.models[i].outputs;
        let output = outputs
            .iter()
            .find(|output| output.name.value == column.name);
        output.map_or(String::new(), |output| output.reference.value.clone())
    }

    fn lookup(&self, i: usize, work: &LookupWork) -> Node {
        let section = &self.decision.definition.lookups[i];
        let mut node = Node::new(Kind::Lookup, &section.name.value);
        let (Some(need), Some(dimension)) = (
            &self.plan.lookups[i],
            &self.decision.references.dimensions[i],
        ) else {
            return node;
        };
        let keys: Vec<&Field> = dimension.key_columns().collect();
        let key = keys
            .iter()
            .zip(&need.key)
            .map(|(field, data_type)| format!("{} {data_type}", field.name));
        node.about = format!(
            "{} by {}",
            need.dimension,
            key.collect::<Vec<_>>().join(", ")
        );
        node.facts
            .push(("missing", missing(section.missing).to_owned()));
        if let Some(as_of) = &section.as_of {
            node.facts.push(("as of", as_of.text.value.clone()));
        }
        for (column, value) in &section.defaults {
            node.facts.push((
                "default",
                format!("{} = {}", column.value, value.text.value),
            ));
        }
        let key = keys
            .iter()
            .zip(&section.key)
            .map(|(field, key)| (field.name.clone(), key));
        self.expressions(&mut node, "key", key);
        let slots = work.key_columns.slots().iter().zip(&need.key);
        for (part, (slot, data_type)) in node.groups[0].parts.iter_mut().zip(slots) {
            part.at = Some((*slot, data_type.clone()));
        }
        node
    }

    fn model(&self, i: usize, work: &ModelWork) -> Node {
        let section = &self.decision.definition.models[i];
        let mut node = Node::new(Kind::Model, &section.name.value);
        node.about.clone_from(&section.file.value);
        if let Some((for_each, most)) = &section.for_each {
            let arrays = for_each.names.iter();
            let arrays = arrays.map(|(name, array)| format!("{} of {}", name.value, text(array)));
            let arrays = arrays.collect::<Vec<_>>().join(", ");
            node.facts
                .push(("for each", format!("{arrays}; at most {most}")));
        }
        for step in work.model().steps() {
            let of = if step.node.is_empty() { "" } else { " " };
            node.facts.push((
                "executor",
                format!("{}{of}{}: {}", step.operator, step.node, step.kernel),
            ));
        }
        for tensor in work.model().inputs() {
            let given = section
                .inputs
                .iter()
                .find(|input| input.tensor.value == tensor.name);
            let title = match given {
                Some(given) => {
                    let ids = given.out_of_range.iter();
                    let ids = ids.map(|(id, _)| format!(", ids out of range become {id}"));
                    let (signature, null) = (signature(tensor), null(given, tensor));
                    format!("input {signature}, NULL {null}{}", ids.collect::<String>())
                }
                None => format!("input {}, a mask", signature(tensor)),
            };
            match given.map(|given| (given, &given.sequence)) {
                Some((given, None)) => {
                    let columns = given.columns.iter().enumerate();
                    let columns = columns.map(|(k, column)| (place(tensor, k), column));
                    self.expressions(&mut node, &title, columns);
                    self.hold(&mut node, tensor, work);
                }
                Some((given, Some(sequence))) => {
                    let columns = given.columns.iter().map(|column| (String::new(), column));
                    self.expressions(&mut node, &elements(sequence), columns);
                    self.cells(&mut node, title, tensor, work);
                }
                None => self.cells(&mut node, title, tensor, work),
            }
        }
        for tensor in work.model().outputs() {
            let title = format!("output {}", signature(tensor));
            self.cells(&mut node, title, tensor, work);
        }
        node
    }

    /// Adds the columns of a tensor that no expression stands for.
    fn cells(&self, node: &mut Node, title: String, tensor: &Tensor, work: &ModelWork) {
        let columns = (0..tensor.width.min(SHOWN)).map(|k| Part::new(place(tensor, k), ""));
        let parts = columns.collect();
        node.groups.push(Group { title, parts });
        self.hold(node, tensor, work);
    }

    /// Says where the last group's columns are held: those of a tensor.
    fn hold(&self, node: &mut Node, tensor: &Tensor, work: &ModelWork) {
        let data_type = match tensor.element {
            Element::Float => DataType::Float,
            Element::Double => DataType::Double,
            Element::String => return, // held as codes, which mean nothing to the reader
            _ => DataType::BigInt,
        };
        let parts = node
            .groups
            .last_mut()
            .into_iter()
            .flat_map(|group| &mut group.parts);
        for (k, part) in parts.enumerate() {
            part.at = Some((work.tensor(tensor).nth(k), data_type.clone()));
        }
    }

    fn rules(&self, i: usize, work: &RulesWork) -> Node {
        let section = &self.decision.definition.rules[i];
        let mut node = Node::new(Kind::Rules, &section.name.value);
        node.about = match section.hit {
            Hit::First => "the first rule that hits".to_owned(),
            Hit::Unique => "the only rule that hits; two are an error".to_owned(),
        };
        let parts = section.rows.iter().zip(&work.conditions).enumerate();
        let parts =
            parts.map(|(k, (rule, condition))| self.rule(&section.name.value, k, rule, *condition));
        node.groups.push(Group {
            title: "rules".to_owned(),
            parts: parts.collect(),
        });
        for rule in &section.rows {
            let values = rule.values.iter().map(|(_, value)| value);
            self.fold(&mut node, rule.when.iter().chain(values));
        }
        node
    }

    fn rule(&self, rules: &str, k: usize, rule: &Rule, condition: Slot) -> Part {
        let label = rule
            .name
            .as_ref()
            .map_or(format!("rule {}", k + 1), |name| name.value.clone());
        let when = rule.when.as_ref().map_or("always".to_owned(), text);
        let values = rule
            .values
            .iter()
            .map(|(name, value)| format!("{rules}.{} = {}", name.value, text(value)));
        Part {
            gives: values.collect::<Vec<_>>().join(", "),
            at: Some((condition, DataType::Boolean)),
            ..Part::new(label, &when)
        }
    }

    fn output(&self) -> Node {
        let mut node = Node::new(Kind::Output, &self.decision.name);
        let columns = &self.decision.definition.output;
        let columns = columns
            .iter()
            .map(|column| (column.name.clone(), &column.expression));
        self.expressions(&mut node, "columns", columns);
        node
    }

    /// Adds a group of expressions.
    fn expressions<'e>(
        &self,
        node: &mut Node,
        title: &str,
        expressions: impl IntoIterator<Item = (String, &'e Expression)>,
    ) {
        let mut parts = Vec::new();
        for (label, expression) in expressions {
            parts.push(Part::new(label, &text(expression)));
            self.fold(node, [expression]);
        }
        node.groups.push(Group {
            title: title.to_owned(),
            parts,
        });
    }

    /// Adds the parts of expressions that are constants.
    fn fold<'e>(&self, node: &mut Node, expressions: impl IntoIterator<Item = &'e Expression>) {
        for expression in expressions {
            let folded = self
                .plan
                .folded
                .iter()
                .filter(|folded| folded.what == expression.what);
            for folded in folded {
                let value = values::constant(&folded.value, &folded.data_type);
                let entry = (folded.text.clone(), value);
                if entry.0 != entry.1 && !node.folded.contains(&entry) {
                    node.folded.push(entry);
                }
            }
        }
    }

    fn held(&self, column: &NamedColumn) -> Column {
        let constant = self.plan.constant(column.slot);
        Column {
            at: Some((column.slot, column.data_type.clone())),
            constant: constant.map(|literal| values::constant(literal, &column.data_type)),
            ..self.column(&column.name, &column.data_type)
        }
    }

    fn column(&self, name: &str, data_type: &DataType) -> Column {
        Column {
            name: name.to_owned(),
            data_type: data_type.to_string(),
            from: String::new(),
            at: None,
            constant: None,
            value: None,
        }
    }

    /// What no output needs, by kind, in the order of the file.
    fn unused(&self) -> Vec<(&'static str, Vec<String>)> {
        let definition = &self.decision.definition;
        let left = |item: &Item| !self.plan.steps.iter().any(|step| step.item == Some(*item));
        let items = |count: usize, item: fn(usize) -> Item| -> Vec<String> {
            let left = (0..count).map(item).filter(left);
            left.map(|item| name(definition, item).to_owned()).collect()
        };
        let input = self
            .plan
            .input
            .iter()
            .filter(|column| column.slot.is_none());
        let unused = [
            (
                "input columns",
                input.map(|column| column.field.name.clone()).collect(),
            ),
            ("lookups", items(definition.lookups.len(), Item::Lookup)),
            ("columns of lookups", self.unused_columns()),
            ("features", items(definition.features.len(), Item::Feature)),
            ("models", items(definition.models.len(), Item::Model)),
            ("rules", items(definition.rules.len(), Item::Rules)),
            ("values of rules", self.unused_values()),
        ];
        unused
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .collect()
    }

    /// What the dimensions of the lookups have and is not held in memory for them.
    fn unused_columns(&self) -> Vec<String> {
        let needs = self
            .plan
            .lookups
            .iter()
            .zip(&self.decision.references.dimensions);
        let mut unused = Vec::new();
        for (need, dimension) in needs {
            let (Some(need), Some(dimension)) = (need, dimension) else {
                continue;
            };
            let left = dimension
                .columns
                .iter()
                .filter(|field| !need.columns.contains(field));
            unused.extend(left.map(|field| format!("{}.{}", need.name, field.name)));
        }
        unused
    }

    /// The values of the rule sets that are computed, but not as a whole.
    fn unused_values(&self) -> Vec<String> {
        let mut unused = Vec::new();
        for step in &self.plan.steps {
            let Some(Item::Rules(i)) = step.item else {
                continue;
            };
            let section = &self.decision.definition.rules[i];
            let names = section.rows.iter().flat_map(|rule| &rule.values);
            let names = names.map(|(name, _)| name.value.as_str()).chain(["rule"]);
            for name in names {
                let name = format!("{}.{name}", section.name.value);
                let is_computed = step.writes.iter().any(|column| column.name == name);
                if !is_computed && !unused.contains(&name) {
                    unused.push(name);
                }
            }
        }
        unused
    }
}

fn name(definition: &Definition, item: Item) -> &str {
    match item {
        Item::Lookup(i) => &definition.lookups[i].name.value,
        Item::Feature(i) => &definition.features[i].name.value,
        Item::Model(i) => &definition.models[i].name.value,
        Item::Rules(i) => &definition.rules[i].name.value,
    }
}

/// More columns of a computed tensor are not shown one by one.
const SHOWN: usize = 64;

/// ``x: float [n, 21]``
fn signature(tensor: &Tensor) -> String {
    let (name, element, shape) = (&tensor.name, tensor.element.name(), &tensor.shape);
    format!("{name}: {element} {shape}")
}

/// `x[3]`, or `x` where that is its one column.
fn place(tensor: &Tensor, k: usize) -> String {
    match tensor.width {
        1 => tensor.name.clone(),
        _ => format!("{}[{k}]", tensor.name),
    }
}

/// Which elements a sequence holds.
fn elements(sequence: &Sequence) -> String {
    let which = match sequence.keep {
        Keep::First => "first",
        Keep::Last => "last",
    };
    let names = sequence.for_each.iter().flat_map(|each| &each.names);
    let names = names.map(|(name, array)| format!(", {} of {}", name.value, text(array)));
    format!(
        "the {which} {} elements{}",
        sequence.length,
        names.collect::<String>()
    )
}

/// What becomes of a NULL in an input tensor.
fn null(input: &ModelInput, tensor: &Tensor) -> String {
    let float = matches!(tensor.element, Element::Float | Element::Double);
    match input.null {
        Some(NullAs::Nan) => "becomes NaN".to_owned(),
        Some(NullAs::Value(value)) => format!("becomes {value}"),
        Some(NullAs::Integer(value)) => format!("becomes {value}"),
        None if float => "becomes NaN".to_owned(),
        Some(NullAs::Error) | None => "is an error".to_owned(),
    }
}

fn missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Null => "NULL in every column",
        Missing::Default => "the defaults, NULL in a column without one",
        Missing::Error => "an error of the record",
    }
}

/// An expression as it is written, without the indentation that its lines share. Of `output`,
/// which is one text, the column's own part.
fn text(expression: &Expression) -> String {
    let whole = &expression.text.value;
    let own = match &expression.expr {
        Some(expr) => whole.get(expr.span.clone()).unwrap_or(whole),
        None => whole,
    };
    let mut lines = own.trim().lines();
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = rest
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(indent)
        .min()
        .unwrap_or(0);
    let rest = rest
        .iter()
        .map(|line| line.get(shared..).unwrap_or("").trim_end());
    [first]
        .into_iter()
        .chain(rest)
        .collect::<Vec<_>>()
        .join("\n")
}
