//! A lookup: its key, the time that it is as of, its defaults, and the columns that something uses.

use std::collections::BTreeMap;

use pelton_data::binary_row::RowReader;
use pelton_data::columns::{Physical, Slot};
use pelton_data::report::Diagnostic;
use pelton_data::{DataType, Field};
use pelton_dimension::image::Duplicates;
use pelton_dimension::{Choice, Definition as Dimension, KeyColumns, Projection};

use super::super::{AsOfWork, LookupNeed, LookupWork};
use super::{Item, PlanCompiler, Work, title};
use crate::definition::{Expression, LookupSection};
use crate::expression::{SelectionId, Typed, value_of};

impl<'a> PlanCompiler<'a> {
    pub(super) fn lookup(&mut self, i: usize) -> Option<()> {
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
}
