//! The names of a decision as one acyclic graph: what each name is, what it needs, in which order
//! things are computed, and what no output needs.

use std::collections::{HashMap, HashSet};

use pelton_data::document::Text;
use pelton_data::report::{Diagnostic, Report, Span};
use pelton_dimension::Definition as Dimension;

use crate::definition::{Definition, Expression};
use crate::expression::longest;
use crate::reserved::{PREFIX, Reserved};

/// Something that is computed: an index into the section of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// `definition.lookups[i]`
    Lookup(usize),
    /// `definition.features[i]`
    Feature(usize),
    /// `definition.models[i]`
    Model(usize),
    /// `definition.rules[i]`
    Rules(usize),
}

/// The items to compute, each behind what it needs, and every name that they and the output use.
#[derive(Debug, Default)]
pub struct Order {
    /// In the order of computation.
    pub items: Vec<Item>,
    /// Dotted names: `dep_delay`, `plane.seats`, `gate.action`.
    pub used: HashSet<String>,
}

/// What a name refers to.
enum Known {
    /// A column of the record.
    Input,
    /// A name that an item gives.
    Of(Item),
}

/// Every name of a decision.
pub struct Graph<'a> {
    definition: &'a Definition,
    known: HashMap<String, Known>,
    /// In the order of the file, for suggestions.
    names: Vec<String>,
    /// Lookups whose dimension could not be read: that is reported, their columns are not known.
    unreadable: HashSet<&'a str>,
}

impl<'a> Graph<'a> {
    /// Collects the names. A name given twice goes into the report. `dimensions` are those of the
    /// lookups, in their order, `None` where one could not be read.
    pub fn new(
        definition: &'a Definition,
        dimensions: &[Option<Dimension>],
        report: &mut Report,
    ) -> Graph<'a> {
        let mut graph = Graph {
            definition,
            known: HashMap::new(),
            names: Vec::new(),
            unreadable: HashSet::new(),
        };
        graph.check_unique(report);
        for (field, _) in &definition.input {
            graph.add(field.name.clone(), Known::Input);
        }
        for (i, lookup) in definition.lookups.iter().enumerate() {
            let Some(dimension) = &dimensions[i] else {
                graph.unreadable.insert(&lookup.name.value);
                continue;
            };
            for column in &dimension.columns {
                let name = format!("{}.{}", lookup.name.value, column.name);
                graph.add(name, Known::Of(Item::Lookup(i)));
            }
        }
        for (i, feature) in definition.features.iter().enumerate() {
            graph.add(feature.name.value.clone(), Known::Of(Item::Feature(i)));
        }
        for (i, model) in definition.models.iter().enumerate() {
            for output in &model.outputs {
                graph.add(output.name.value.clone(), Known::Of(Item::Model(i)));
            }
        }
        for (i, rules) in definition.rules.iter().enumerate() {
            let name = &rules.name.value;
            graph.add(format!("{name}.rule"), Known::Of(Item::Rules(i)));
            for (output, _) in rules.rows.iter().flat_map(|rule| &rule.values) {
                let name = format!("{name}.{}", output.value);
                graph.add(name, Known::Of(Item::Rules(i)));
            }
        }
        graph
    }

    /// The order of everything that the file defines. Unknown names and circles are reported.
    pub fn order_of_all(&self, report: &mut Report) -> Order {
        let definition = self.definition;
        let mut walk = Walk::new(self, Some(report));
        (0..definition.lookups.len()).for_each(|i| walk.item(Item::Lookup(i)));
        (0..definition.features.len()).for_each(|i| walk.item(Item::Feature(i)));
        (0..definition.models.len()).for_each(|i| walk.item(Item::Model(i)));
        (0..definition.rules.len()).for_each(|i| walk.item(Item::Rules(i)));
        walk.output();
        walk.order
    }

    /// The order of what the output needs. Lookups come as soon as they can, side by side: their
    /// rows are fetched from memory together.
    pub fn order_of_output(&self) -> Order {
        let mut needed = Walk::new(self, None);
        needed.output();
        let is_lookup = |item: &Item| matches!(item, Item::Lookup(_));
        let mut lookups = needed.order.items;
        lookups.retain(is_lookup);

        let mut walk = Walk::new(self, None);
        while !lookups.is_empty() {
            // At least one of them needs none of the others: there are no circles.
            let (ready, later): (Vec<Item>, Vec<Item>) = lookups
                .iter()
                .partition(|lookup| !self.needs_any(**lookup, &lookups));
            for lookup in &ready {
                let keys = expressions(self.definition, *lookup);
                keys.into_iter().for_each(|key| walk.expression(key));
            }
            ready.into_iter().for_each(|lookup| walk.item(lookup));
            lookups = later;
        }
        walk.output();
        walk.order
    }

    /// Whether an item needs one of the others before it.
    fn needs_any(&self, item: Item, others: &[Item]) -> bool {
        let mut walk = Walk::new(self, None);
        walk.item(item);
        walk.order.items.pop();
        walk.order
            .items
            .iter()
            .any(|needed| others.contains(needed))
    }

    fn add(&mut self, name: String, known: Known) {
        if !self.known.contains_key(&name) {
            self.names.push(name.clone());
            self.known.insert(name, known);
        }
    }

    /// Inputs, features, model outputs, lookups and rule sets share one space of names.
    fn check_unique(&self, report: &mut Report) {
        let definition = self.definition;
        let input = definition.input.iter();
        let input = input.map(|(field, span)| (field.name.as_str(), span, "an input column"));
        let text =
            |kind: &'static str| move |name: &'a Text| (name.value.as_str(), &name.span, kind);
        let lookups = definition.lookups.iter().map(|l| &l.name);
        let features = definition.features.iter().map(|f| &f.name);
        let outputs = definition.models.iter().flat_map(|m| &m.outputs);
        let rules = definition.rules.iter().map(|r| &r.name);
        let all = input
            .chain(lookups.map(text("a lookup")))
            .chain(features.map(text("a feature")))
            .chain(outputs.map(|o| &o.name).map(text("a model output")))
            .chain(rules.map(text("a rule set")));
        let mut seen: HashMap<&str, (&Span, &str)> = HashMap::new();
        for (name, span, kind) in all {
            if name == PREFIX {
                let message = "the name `pelton` is reserved";
                report.push(Diagnostic::at(span.clone(), message));
            }
            match seen.get(name) {
                None => drop(seen.insert(name, (span, kind))),
                Some((first, first_kind)) => {
                    let (line, _) = definition.source.position(first.start);
                    let message = format!("the name `{name}` is given twice");
                    let help = format!("it is {first_kind} in line {line} and {kind} here");
                    report.push(Diagnostic::at(span.clone(), message).help(help));
                }
            }
        }
        check_elements_unique(definition, &seen, report);
        check_columns_unique(definition, report);
    }

    /// Whether a name that is not known is the user's error: not what a section holds that could
    /// not be read, which is an error already.
    fn may_be_unknown(&self, first: &str) -> bool {
        !self.definition.unread.may_be(first) && !self.unreadable.contains(first)
    }

    /// Why a name is not known.
    /// `locals` are the elements of arrays that are known there.
    fn unknown(&self, path: &[String], place: Span, locals: &[String]) -> Diagnostic {
        let name = path.join(".");
        if path[0] == PREFIX {
            return reserved(path, place);
        }
        let diagnostic = Diagnostic::at(place, format!("unknown name `{name}`"));
        let prefix = format!("{name}.");
        let below = self.names.iter().filter(|known| known.starts_with(&prefix));
        let below: Vec<String> = below.map(|known| format!("`{known}`")).collect();
        match below.is_empty() {
            false => diagnostic.help(format!("name one of {}", below.join(", "))),
            true => {
                // `itm.price` may be meant as `item.price`.
                let rest = &name[path[0].len()..];
                let elements = locals.iter().map(|local| format!("{local}{rest}"));
                let elements: Vec<String> = elements.collect();
                let names = self.names.iter().chain(&elements);
                diagnostic.suggest(&name, names.map(String::as_str))
            }
        }
    }
}

/// Why a name under `pelton` cannot stand where it does.
fn reserved(path: &[String], place: Span) -> Diagnostic {
    let name = path.join(".");
    if Reserved::of(path).is_some() {
        let message = format!("`{name}` can only be a column of `output`");
        return Diagnostic::at(place, message).help(format!("write `{name} AS ...` there"));
    }
    let names = Reserved::ALL.map(|known| format!("{PREFIX}.{}", known.name()));
    let diagnostic = Diagnostic::at(place, format!("unknown name `{name}`"));
    diagnostic.help(format!("there are {}", names.join(", ")))
}

/// The names of elements are those of one model, or of one of its inputs; around it they mean nothing else.
fn check_elements_unique(
    definition: &Definition,
    seen: &HashMap<&str, (&Span, &str)>,
    report: &mut Report,
) {
    let mut check = |name: &Text, within: &[&Text]| {
        let known = seen.get(name.value.as_str()).copied();
        let around = within.iter().find(|other| other.value == name.value);
        let around = around.map(|other| (&other.span, "an element of an array"));
        if name.value == PREFIX {
            let message = "the name `pelton` is reserved";
            report.push(Diagnostic::at(name.span.clone(), message));
        } else if let Some((first, kind)) = known.or(around) {
            let (line, _) = definition.source.position(first.start);
            let message = format!("the name `{}` is given twice", name.value);
            let help = format!("it is {kind} in line {line} and an element of an array here");
            report.push(Diagnostic::at(name.span.clone(), message).help(help));
        }
    };
    for model in &definition.models {
        let items = model.for_each.iter().flat_map(|(each, _)| &each.names);
        let items: Vec<&Text> = items.map(|(name, _)| name).collect();
        items.iter().for_each(|item| check(item, &[]));
        let sequences = model.inputs.iter().flat_map(|input| &input.sequence);
        for (name, _) in sequences
            .flat_map(|s| &s.for_each)
            .flat_map(|each| &each.names)
        {
            check(name, &items);
        }
    }
}

fn check_columns_unique(definition: &Definition, report: &mut Report) {
    let mut seen = HashSet::new();
    for column in &definition.output {
        if !seen.insert(&column.name) {
            let message = format!("the output column `{}` is given twice", column.name);
            let diagnostic = Diagnostic::at(column.span.clone(), message);
            report.push(diagnostic.help("give one of them another name: `... AS name`"));
        }
    }
}

/// How long a chain of names that need one another may be: far more than anyone writes, far less
/// than the stack of a task's thread holds.
const MAX_DEPTH: usize = 256;

/// A walk along what things need, depth first.
struct Walk<'g> {
    graph: &'g Graph<'g>,
    report: Option<&'g mut Report>,
    order: Order,
    done: HashSet<Item>,
    /// The items that are being walked, outermost first: meeting one of them again is a circle.
    open: Vec<Item>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph<'g>, report: Option<&'g mut Report>) -> Walk<'g> {
        Walk {
            graph,
            report,
            order: Order::default(),
            done: HashSet::new(),
            open: Vec::new(),
        }
    }

    fn output(&mut self) {
        let output = self.graph.definition.output.iter();
        let own = output.filter(|column| column.reserved.is_none());
        own.for_each(|column| self.expression(&column.expression));
    }

    fn item(&mut self, item: Item) {
        if self.done.contains(&item) {
            return;
        }
        self.open.push(item);
        for expression in expressions(self.graph.definition, item) {
            self.expression(expression);
        }
        self.open.pop();
        self.done.insert(item);
        self.order.items.push(item);
    }

    fn expression(&mut self, expression: &Expression) {
        for (path, span) in expression.names() {
            let place = expression.text.place(&span);
            let graph = self.graph;
            let known = longest(&path, |name| {
                let name = name.join(".");
                graph.known.get(&name).map(|known| (name, known))
            });
            match known.map(|(known, _)| known) {
                None if !self.graph.may_be_unknown(&path[0]) => {}
                None => {
                    let unknown = self.graph.unknown(&path, place, &expression.locals);
                    self.report(unknown);
                }
                Some((name, Known::Input)) => drop(self.order.used.insert(name)),
                Some((name, Known::Of(item))) => {
                    self.order.used.insert(name);
                    match self.open.iter().position(|open| open == item) {
                        Some(start) => self.circle(start, place),
                        None if self.open.len() == MAX_DEPTH => self.too_deep(place),
                        None => self.item(*item),
                    }
                }
            }
        }
    }

    fn too_deep(&mut self, place: Span) {
        let message = format!("names need one another more than {MAX_DEPTH} deep");
        let diagnostic = Diagnostic::at(place, message);
        self.report(diagnostic.help("put several of these features into one expression"));
    }

    fn circle(&mut self, start: usize, place: Span) {
        let definition = self.graph.definition;
        let circle = self.open[start..].iter().chain([&self.open[start]]);
        let names: Vec<String> = circle.map(|item| title(definition, *item)).collect();
        let message = format!("{} needs itself", names[0]);
        let diagnostic = Diagnostic::at(place, message);
        self.report(diagnostic.help(format!("the circle: {}", names.join(" -> "))));
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if let Some(report) = &mut self.report {
            report.push(diagnostic);
        }
    }
}

/// What an item is called in messages: "feature `risk`".
pub fn title(definition: &Definition, item: Item) -> String {
    match item {
        Item::Lookup(i) => format!("lookup `{}`", definition.lookups[i].name.value),
        Item::Feature(i) => format!("feature `{}`", definition.features[i].name.value),
        Item::Model(i) => format!("model `{}`", definition.models[i].name.value),
        Item::Rules(i) => format!("rules `{}`", definition.rules[i].name.value),
    }
}

/// The expressions that an item needs the values of.
fn expressions(definition: &Definition, item: Item) -> Vec<&Expression> {
    match item {
        Item::Lookup(i) => {
            let lookup = &definition.lookups[i];
            let defaults = lookup.defaults.iter().map(|(_, value)| value);
            let as_of = lookup.as_of.iter();
            lookup.key.iter().chain(as_of).chain(defaults).collect()
        }
        Item::Feature(i) => vec![&definition.features[i].expression],
        Item::Model(i) => definition.models[i].expressions(),
        Item::Rules(i) => {
            let rules = definition.rules[i].rows.iter();
            rules
                .flat_map(|rule| rule.when.iter().chain(rule.values.iter().map(|(_, v)| v)))
                .collect()
        }
    }
}
