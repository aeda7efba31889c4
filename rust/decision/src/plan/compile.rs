//! From a definition to a plan. First everything the file says is compiled, to find every error
//! of it; then what the output needs is compiled again, and that is the plan.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pelton_data::binary_row::{RowReader, RowWriter};
use pelton_data::columns::{Physical, Slot};
use pelton_data::report::{Diagnostic, Report};
use pelton_data::{DataType, Field};
use pelton_dimension::image::Duplicates;
use pelton_dimension::{Choice, Definition as Dimension, KeyColumns, Projection};
use pelton_model::Model;

use super::graph::{Graph, Item, Order, title};
use super::lookup::find_waves;
use super::{
    AsOfWork, Folded, InputColumn, LookupNeed, LookupWork, ModelWork, NamedColumn, Plan, Step, Work,
};
use crate::definition::{Definition, Expression, LookupSection};
use crate::expression::{
    Compiler, Scope, SelectionId, Typed, cast, common_type, longest, type_check, value_of,
};
use crate::reserved::Reserved;
use crate::vocabulary::Vocabulary;

mod each;
mod models;
mod rules;
mod sequences;

use each::{Inside, Level};

/// What a definition refers to: one entry a lookup and one a model, in the order of the file;
/// `None` where it could not be read, which is then in the report.
#[derive(Debug)]
pub struct References {
    /// The dimensions of the lookups.
    pub dimensions: Vec<Option<Dimension>>,
    /// The models.
    pub models: Vec<Option<Arc<Model>>>,
    /// The vocabularies, by their names.
    pub vocabularies: BTreeMap<String, Arc<Vocabulary>>,
}

/// Compiles a definition. All its errors are in `report`; there is a plan only without any.
pub fn compile(
    definition: &Definition,
    references: &References,
    report: &mut Report,
) -> Option<Plan> {
    let graph = Graph::new(definition, &references.dimensions, report);
    let everything = graph.order_of_all(report);
    PlanCompiler::new(definition, references, &everything, report).compile();
    if !report.is_empty() {
        return None;
    }
    let needed = graph.order_of_output();
    PlanCompiler::new(definition, references, &needed, report).compile()
}

/// Whether a constant keeps its value as another type: `0` as TINYINT or DOUBLE, but not `2.5` or
/// `3000000000` as INT.
fn is_exact(typed: &Typed, target: &DataType) -> bool {
    let exact = target.is_integer() || matches!(target, DataType::Decimal { .. });
    match (typed.is_literal(), exact) {
        (false, _) => false,
        (true, false) => true,
        (true, true) if typed.is_null() => true,
        (true, true) => cast(typed.clone(), target).is_ok_and(|as_target| {
            let value = typed.exact_value();
            value.is_some() && value == as_target.exact_value()
        }),
    }
}

/// The steps that are more than instructions; of a wave of lookups the first.
fn stops(steps: &[Step]) -> Vec<usize> {
    let mut stops = Vec::new();
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        let (is_stop, length) = match &step.work {
            Work::Eval(_) | Work::Rules(_) => (false, 1),
            Work::Lookup(first) => (true, first.wave),
            Work::Model(_) => (true, 1),
        };
        stops.extend(is_stop.then_some(at));
        at += length;
    }
    stops
}

/// Reads the input columns that have a slot.
fn input_reader(input: &[InputColumn]) -> RowReader {
    let used = input.iter().enumerate().filter_map(|(i, column)| {
        let slot = column.slot?;
        Some((i, column.field.data_type.clone(), slot))
    });
    let used: Vec<_> = used.collect();
    RowReader::new(&used, input.len())
}

/// The names that have a value so far, and the vocabularies.
struct Values<'a> {
    known: HashMap<String, (Slot, DataType)>,
    vocabularies: &'a BTreeMap<String, Arc<Vocabulary>>,
}

impl Scope for Values<'_> {
    fn resolve(&self, path: &[String]) -> Option<(Slot, DataType)> {
        self.known.get(&path.join(".")).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }

    fn vocabulary(&self, name: &str) -> Option<Arc<Vocabulary>> {
        self.vocabularies.get(name).cloned()
    }

    fn vocabularies(&self) -> Vec<String> {
        self.vocabularies.keys().cloned().collect()
    }
}

impl<'a> Values<'a> {
    fn new(references: &'a References) -> Values<'a> {
        Values {
            known: HashMap::new(),
            vocabularies: &references.vocabularies,
        }
    }

    /// The name that a path begins with; the parts behind it are fields of a ROW.
    fn name_of(&self, path: &[String]) -> Option<String> {
        let found = longest(path, |name| self.resolve(name).map(|_| name.join(".")));
        found.map(|(name, _)| name)
    }
}

/// The state of one compilation.
struct PlanCompiler<'a> {
    definition: &'a Definition,
    references: &'a References,
    order: &'a Order,
    report: &'a mut Report,
    compiler: Compiler,
    values: Values<'a>,
    /// Of the loop that is compiled, if it is one.
    inside: Inside,
    /// What is around that loop, the record's steps first.
    around: Vec<Level<'a>>,
    /// How many models there are so far.
    models: usize,
    steps: Vec<Step>,
    needs: Vec<Option<LookupNeed>>,
    /// The lookups as of a time.
    timed: Vec<usize>,
    reserved: BTreeMap<Reserved, NamedColumn>,
    folded: Vec<Folded>,
}

impl<'a> PlanCompiler<'a> {
    fn new(
        definition: &'a Definition,
        references: &'a References,
        order: &'a Order,
        report: &'a mut Report,
    ) -> PlanCompiler<'a> {
        PlanCompiler {
            definition,
            references,
            order,
            report,
            compiler: Compiler::default(),
            values: Values::new(references),
            inside: Inside::default(),
            around: Vec::new(),
            models: 0,
            steps: Vec::new(),
            needs: definition.lookups.iter().map(|_| None).collect(),
            timed: Vec::new(),
            reserved: BTreeMap::new(),
            folded: Vec::new(),
        }
    }

    fn compile(mut self) -> Option<Plan> {
        let input = self.input();
        let order = self.order;
        for item in &order.items {
            match *item {
                Item::Lookup(i) => self.lookup(i),
                Item::Feature(i) => self.feature(i),
                Item::Model(i) => self.model(i),
                Item::Rules(i) => self.rules(i),
            };
        }
        let output = self.output()?;
        find_waves(&mut self.steps);
        let stops = stops(&self.steps);
        let input_reader = input_reader(&input);
        let columns: Vec<_> = output
            .iter()
            .map(|c| (c.data_type.clone(), c.slot))
            .collect();
        let output_writer = RowWriter::new(&columns);
        let (program, layout) = self.compiler.finish();
        let lookups = self.definition.lookups.iter();
        Some(Plan {
            input,
            lookup_names: lookups.map(|lookup| lookup.name.value.clone()).collect(),
            lookups: self.needs,
            timed: self.timed,
            steps: self.steps,
            stops,
            output,
            reserved: self.reserved,
            folded: self.folded,
            layout,
            program,
            input_reader,
            output_writer,
        })
    }

    /// Gives a slot to every input column that something uses.
    fn input(&mut self) -> Vec<InputColumn> {
        let mut columns = Vec::new();
        for (field, _) in &self.definition.input {
            let used = self.order.used.contains(&field.name);
            let slot = used.then(|| {
                let physical = Physical::of(&field.data_type);
                let slot = self.compiler.layout.add(physical);
                self.define(&field.name, slot, &field.data_type);
                slot
            });
            columns.push(InputColumn {
                field: field.clone(),
                slot,
            });
        }
        columns
    }

    fn feature(&mut self, i: usize) -> Option<()> {
        let feature = &self.definition.features[i];
        let title = title(self.definition, Item::Feature(i));
        let typed = self.typed(&feature.expression)?;
        let start = self.begin(&title, &feature.expression.text.value);
        let slot = self.compiler.emit(&typed, SelectionId::ALL);
        self.define(&feature.name.value, slot, &typed.data_type);
        let work = Work::Eval(self.since(start));
        self.step(
            Item::Feature(i),
            &[&feature.expression],
            vec![&feature.name.value],
            work,
        );
        Some(())
    }

    fn lookup(&mut self, i: usize) -> Option<()> {
        let lookup = &self.definition.lookups[i];
        let dimension = self.references.dimensions[i].as_ref()?;
        let title = title(self.definition, Item::Lookup(i));
        let key = self.lookup_key(lookup, dimension)?;
        let as_of = self.lookup_as_of(lookup, dimension)?;
        let defaults = self.lookup_defaults(lookup, dimension);
        let columns: Vec<&Field> = self.used_columns(lookup, dimension);
        let start = self.begin(&title, "key");
        let emit = |typed: &Typed| self.compiler.emit(typed, SelectionId::ALL);
        let key_slots: Vec<Slot> = key.iter().map(emit).collect();
        let as_of = as_of.map(|time| self.as_of_work(i, &time));
        let key_range = self.since(start);
        let mut values = Vec::new();
        for column in &columns {
            let physical = Physical::of(&column.data_type);
            let value = self.compiler.layout.add(physical);
            let null = Typed::null(column.data_type.clone());
            let default = defaults.get(&column.name).unwrap_or(&null);
            // A constant: it is folded into a literal's slot, so that no instruction is run.
            values.push((value, self.compiler.emit(default, SelectionId::ALL)));
            let name = format!("{}.{}", lookup.name.value, column.name);
            self.define(&name, value, &column.data_type);
        }
        let typed_key: Vec<_> = key.iter().map(|k| k.data_type.clone()).collect();
        let fields = columns.iter().zip(&values).enumerate();
        let fields: Vec<_> = fields
            .map(|(i, (column, (slot, _)))| (i, column.data_type.clone(), *slot))
            .collect();
        let needed: Vec<Field> = columns.iter().map(|column| (*column).clone()).collect();
        let chosen = values.iter().map(|(slot, _)| *slot).enumerate();
        let chosen: Vec<_> = chosen.collect();
        let work = Work::Lookup(LookupWork {
            index: i,
            // What follows it is known when all steps are.
            wave: 1,
            wave_end: key_range.end,
            key: key_range,
            key_columns: KeyColumns::new(key_slots),
            projection: Projection::new(&needed, &chosen),
            given: RowReader::new(&fields, fields.len()),
            values,
            as_of,
            missing: lookup.missing,
        });
        self.needs[i] = Some(LookupNeed {
            name: lookup.name.value.clone(),
            dimension: lookup.dimension.value.clone(),
            columns: needed,
            key: typed_key,
        });
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("{}.{}", lookup.name.value, column.name))
            .collect();
        let reads: Vec<&Expression> = lookup.key.iter().chain(&lookup.as_of).collect();
        let writes = names.iter().map(String::as_str).collect();
        self.step(Item::Lookup(i), &reads, writes, work);
        Some(())
    }

    /// The columns of a dimension that something uses, in its own order.
    fn used_columns(&self, lookup: &LookupSection, dimension: &'a Dimension) -> Vec<&'a Field> {
        let used = |field: &&Field| {
            let name = format!("{}.{}", lookup.name.value, field.name);
            self.order.used.contains(&name)
        };
        dimension.columns.iter().filter(used).collect()
    }

    /// The key in the dimension's declared types: its bytes are what is looked up.
    fn lookup_key(&mut self, lookup: &LookupSection, dimension: &Dimension) -> Option<Vec<Typed>> {
        if lookup.key.len() != dimension.key.len() {
            let (given, expected) = (lookup.key.len(), dimension.key.len());
            let message = format!("the key has {given} expressions, not {expected}");
            let diagnostic = Diagnostic::at(lookup.key_span.clone(), message);
            let names: Vec<&str> = dimension.key_columns().map(|f| f.name.as_str()).collect();
            let help = format!("`{}` is keyed by {}", dimension.name, names.join(", "));
            self.report.push(diagnostic.help(help));
            return None;
        }
        if dimension.duplicates == Duplicates::All {
            let message = format!("`{}` holds several rows for a key", dimension.name);
            let diagnostic = Diagnostic::at(lookup.dimension.span.clone(), message);
            let help =
                "a decision looks one row up: a dimension with `duplicates = \"all\"` is for joins";
            self.report.push(diagnostic.help(help));
            return None;
        }
        let key = lookup.key.iter().zip(dimension.key_columns());
        let typed: Vec<Option<Typed>> = key
            .map(|(expression, column)| {
                let what = format!("key column `{}`", column.name);
                self.typed_as(expression, &column.data_type, &what)
            })
            .collect();
        typed.into_iter().collect()
    }

    /// The time of the record, where the dimension asks for one. `None`: there are errors.
    fn lookup_as_of(
        &mut self,
        lookup: &LookupSection,
        dimension: &Dimension,
    ) -> Option<Option<Typed>> {
        let is_timed = matches!(dimension.choice, Choice::AsOf(_));
        let Some(as_of) = &lookup.as_of else {
            if is_timed {
                let message = format!("`{}` is looked up as of a time", dimension.name);
                let diagnostic = Diagnostic::at(lookup.dimension.span.clone(), message);
                self.report
                    .push(diagnostic.help("add `as_of = \"...\"`: the time of the record"));
                return None;
            }
            return Some(None);
        };
        let span = as_of.text.span.clone();
        if !is_timed {
            let message = format!("`{}` is not looked up as of a time", dimension.name);
            let help = "leave `as_of` out, or define the dimension with `choice = \"as_of\"`";
            self.report.push(Diagnostic::at(span, message).help(help));
            return None;
        }
        let typed = self.typed(as_of)?;
        if !matches!(
            typed.data_type,
            DataType::Timestamp(_) | DataType::TimestampLtz(_)
        ) {
            let message = format!("`as_of` is a time, but this is {}", typed.data_type);
            let help = "expected a TIMESTAMP or TIMESTAMP_LTZ";
            self.report.push(Diagnostic::at(span, message).help(help));
            return None;
        }
        Some(Some(typed))
    }

    fn as_of_work(&mut self, lookup: usize, time: &Typed) -> AsOfWork {
        self.timed.push(lookup);
        AsOfWork {
            time: self.compiler.emit(time, SelectionId::ALL),
            place: self.timed.len() - 1,
        }
    }

    fn lookup_defaults(
        &mut self,
        lookup: &LookupSection,
        dimension: &Dimension,
    ) -> BTreeMap<String, Typed> {
        let mut defaults = BTreeMap::new();
        for (name, expression) in &lookup.defaults {
            let Some(column) = dimension.column(&name.value) else {
                let message = format!("`{}` has no column `{}`", dimension.name, name.value);
                let names = dimension.columns.iter().map(|field| field.name.as_str());
                let diagnostic = Diagnostic::at(name.span.clone(), message);
                self.report.push(diagnostic.suggest(&name.value, names));
                continue;
            };
            if expression
                .expr
                .as_ref()
                .is_some_and(|e| !e.names().is_empty())
            {
                let message = format!("the default of `{}` is not a constant", name.value);
                self.report
                    .push(Diagnostic::at(expression.text.span.clone(), message));
                continue;
            }
            let what = format!("column `{}`", name.value);
            let Some(typed) = self.typed_as(expression, &column.data_type, &what) else {
                continue;
            };
            // Only a constant that has a value is a literal, which needs no instruction.
            match value_of(&typed) {
                Ok(_) => drop(defaults.insert(name.value.clone(), typed)),
                Err(cause) => {
                    let message = format!("the default of `{}` has no value: {cause}", name.value);
                    let span = expression.text.span.clone();
                    self.report.push(Diagnostic::at(span, message));
                }
            }
        }
        defaults
    }

    fn output(&mut self) -> Option<Vec<NamedColumn>> {
        let start = self.here();
        let mut columns = Vec::new();
        for column in &self.definition.output {
            if let Some(reserved) = column.reserved {
                columns.push(self.reserved_column(reserved, &column.name));
                continue;
            }
            let Some(typed) = self.typed(&column.expression) else {
                continue;
            };
            let text = self.definition.source.text[column.span.clone()].trim();
            self.begin(&column.expression.what, text);
            columns.push(NamedColumn {
                name: column.name.clone(),
                slot: self.compiler.emit(&typed, SelectionId::ALL),
                data_type: typed.data_type,
            });
        }
        let own = self.definition.output.iter();
        let own = own.filter(|column| column.reserved.is_none());
        let expressions: Vec<&Expression> = own.map(|column| &column.expression).collect();
        let work = Work::Eval(self.since(start));
        let reads = self.names_of(&expressions);
        self.steps.push(Step {
            title: "output".to_owned(),
            item: None,
            reads,
            writes: columns.clone(),
            work,
        });
        (columns.len() == self.definition.output.len()).then_some(columns)
    }

    /// An output column that no step computes: the same for all records of a generation.
    fn reserved_column(&mut self, reserved: Reserved, name: &str) -> NamedColumn {
        let data_type = reserved.data_type();
        let known = self.reserved.get(&reserved).map(|column| column.slot);
        let slot = known.unwrap_or_else(|| self.compiler.layout.add(Physical::of(&data_type)));
        let column = NamedColumn {
            name: name.to_owned(),
            data_type,
            slot,
        };
        self.reserved.entry(reserved).or_insert(column.clone());
        column
    }

    /// Types an expression. `None`: it has errors, or needs something that has.
    fn typed(&mut self, expression: &Expression) -> Option<Typed> {
        let expr = expression.expr.as_ref()?;
        let names = expr.names();
        names.iter().for_each(|(path, _)| self.reach(path));
        let known = |(path, _): &(Vec<String>, _)| self.values.name_of(path).is_some();
        if !names.iter().all(known) {
            return None;
        }
        let typed = type_check(expr, &self.values).map_err(|errors| {
            for error in errors {
                self.report.push(expression.text.diagnostic(error));
            }
        });
        let typed = typed.ok()?;
        let constants = typed.constants().into_iter();
        self.folded
            .extend(constants.map(|(constant, value)| Folded {
                what: expression.what.clone(),
                text: expression.text.value[constant.span.clone()].to_owned(),
                data_type: constant.data_type.clone(),
                value,
            }));
        Some(typed)
    }

    /// Types an expression for a place of a given type, which it must fit without loss.
    fn typed_as(
        &mut self,
        expression: &Expression,
        target: &DataType,
        what: &str,
    ) -> Option<Typed> {
        let typed = self.typed(expression)?;
        let types = [typed.data_type.clone(), target.clone()];
        // A string's declared length is no loss: keys are compared by their bytes.
        let fits = typed.data_type.is_string() && target.is_string()
            || common_type(&types).as_ref() == Some(target)
            || is_exact(&typed, target);
        let given = typed.data_type.clone();
        let result = match fits {
            true if given.is_string() && target.is_string() => Ok(typed),
            true => cast(typed, target).map_err(|error| expression.text.diagnostic(error)),
            false => {
                let message = format!("{what} is {target}, but this is {given}");
                let diagnostic = Diagnostic::at(expression.text.span.clone(), message);
                Err(diagnostic.help(format!("write CAST(... AS {target}) if that is meant")))
            }
        };
        self.report.keep(result)
    }

    fn define(&mut self, name: &str, slot: Slot, data_type: &DataType) {
        let value = (slot, data_type.clone());
        self.values.known.insert(name.to_owned(), value);
    }

    /// Begins the instructions of something: an error in them will name it.
    fn begin(&mut self, title: &str, text: &str) -> u32 {
        self.compiler.origin(title, text);
        self.here()
    }

    /// Where the next instruction will stand.
    fn here(&self) -> u32 {
        self.compiler.instructions() as u32
    }

    fn since(&self, start: u32) -> std::ops::Range<u32> {
        start..self.here()
    }

    fn step(&mut self, item: Item, reads: &[&Expression], writes: Vec<&str>, work: Work) {
        let writes = writes.into_iter().filter_map(|name| {
            let (slot, data_type) = self.values.known.get(name)?.clone();
            Some(NamedColumn {
                name: name.to_owned(),
                data_type,
                slot,
            })
        });
        let writes = writes.collect();
        self.steps.push(Step {
            title: title(self.definition, item),
            item: Some(item),
            reads: self.names_of(reads),
            writes,
            work,
        });
    }

    /// The names that expressions use, each once, in order.
    fn names_of(&self, expressions: &[&Expression]) -> Vec<String> {
        let mut names = Vec::new();
        for expression in expressions {
            for (path, _) in expression.names() {
                let name = self.values.name_of(&path).unwrap_or_else(|| path.join("."));
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}
