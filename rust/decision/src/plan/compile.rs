//! From a definition to a plan. First everything the file says is compiled, to find every error
//! of it; then what the output needs is compiled again, and that is the plan.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pelton_data::DataType;
use pelton_data::binary_row::{RowReader, RowWriter};
use pelton_data::columns::{Physical, Slot};
use pelton_data::report::{Diagnostic, Report};
use pelton_dimension::Definition as Dimension;
use pelton_model::Model;

use super::graph::{Graph, Item, Order, title};
use super::lookup::find_waves;
use super::{Folded, InputColumn, LookupNeed, ModelWork, NamedColumn, Plan, Step, Work};
use crate::definition::{Definition, Expression};
use crate::expression::{
    Compiler, Scope, SelectionId, Typed, cast, common_type, longest, type_check,
};
use crate::reserved::Reserved;
use crate::vocabulary::Vocabulary;

mod each;
mod lookups;
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
