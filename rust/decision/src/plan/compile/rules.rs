//! A rule set: conditions in order, and the values of the rule that hits. It is one CASE with
//! several results.

use pelton_data::DataType;
use pelton_data::document::Text;
use pelton_data::report::Diagnostic;

use super::super::RulesWork;
use super::{Item, PlanCompiler, Work, title};
use crate::definition::{Expression, Hit, Rule, RulesSection};
use crate::expression::{Case, SelectionId, Typed, cast, common_type};

impl PlanCompiler<'_> {
    pub(super) fn rules(&mut self, i: usize) -> Option<()> {
        let rules = &self.definition.rules[i];
        let conditions = self.conditions(rules);
        let outputs = self.rule_outputs(rules);
        let (conditions, outputs) = (conditions?, outputs?);
        let title = title(self.definition, Item::Rules(i));
        let start = self.begin(&title, "its conditions and values");
        let conditions = match rules.hit {
            Hit::First => conditions,
            Hit::Unique => {
                let names = (1..)
                    .zip(&rules.rows)
                    .map(|(number, rule)| rule_title(number, rule));
                let conditions: Vec<_> = conditions.into_iter().zip(names).collect();
                self.compiler.emit_unique(&conditions, SelectionId::ALL)
            }
        };
        let cases = conditions
            .into_iter()
            .enumerate()
            .map(|(row, condition)| Case {
                condition,
                values: outputs
                    .iter()
                    .map(|output| output.values[row].clone())
                    .collect(),
            });
        let cases: Vec<Case> = cases.collect();
        let otherwise = outputs
            .iter()
            .map(|output| Typed::null(output.data_type.clone()));
        let otherwise: Vec<Typed> = otherwise.collect();
        let chosen = self
            .compiler
            .emit_cases(&cases, &otherwise, SelectionId::ALL);
        for (output, slot) in outputs.iter().zip(chosen.values) {
            self.define(&output.name, slot, &output.data_type);
        }
        let reads = rules.rows.iter().flat_map(expressions);
        let reads: Vec<&Expression> = reads.collect();
        let writes = outputs.iter().map(|output| output.name.as_str()).collect();
        let work = Work::Rules(RulesWork {
            instructions: self.since(start),
            conditions: chosen.conditions,
        });
        self.step(Item::Rules(i), &reads, writes, work);
        Some(())
    }

    fn conditions(&mut self, rules: &RulesSection) -> Option<Vec<Typed>> {
        let conditions = rules.rows.iter().map(|rule| {
            let Some(when) = &rule.when else {
                return Some(Typed::truth());
            };
            let typed = self.typed(when)?;
            if typed.data_type == DataType::Boolean {
                return Some(typed);
            }
            let message = format!("the condition is {}, not BOOLEAN", typed.data_type);
            self.report
                .push(Diagnostic::at(when.text.span.clone(), message));
            None
        });
        // Collected first: every condition is checked, not only those before the first error.
        let conditions: Vec<Option<Typed>> = conditions.collect();
        conditions.into_iter().collect()
    }

    /// The outputs that something uses, each with its value in every rule.
    fn rule_outputs(&mut self, rules: &RulesSection) -> Option<Vec<RuleOutput>> {
        let mut outputs = vec![self.rule_names(rules)];
        let mut names: Vec<&Text> = Vec::new();
        for (name, _) in rules.rows.iter().flat_map(|rule| &rule.values) {
            if !names.iter().any(|known| known.value == name.value) {
                names.push(name);
            }
        }
        for name in names {
            outputs.push(self.rule_output(rules, name));
        }
        let outputs: Option<Vec<RuleOutput>> = outputs.into_iter().collect();
        let used = |output: &RuleOutput| self.order.used.contains(&output.name);
        Some(outputs?.into_iter().filter(used).collect())
    }

    /// `NAME.rule`: which rule hit.
    fn rule_names(&mut self, rules: &RulesSection) -> Option<RuleOutput> {
        let values = rules.rows.iter().map(|rule| match &rule.name {
            Some(name) => Typed::text(&name.value),
            None => Typed::null(DataType::STRING),
        });
        let values = values.map(|value| cast(value, &DataType::STRING));
        Some(RuleOutput {
            name: format!("{}.rule", rules.name.value),
            data_type: DataType::STRING,
            values: self.report.keep(values.collect())?,
        })
    }

    fn rule_output(&mut self, rules: &RulesSection, name: &Text) -> Option<RuleOutput> {
        let values = rules.rows.iter().map(|rule| {
            let value = rule
                .values
                .iter()
                .find(|(known, _)| known.value == name.value);
            match value {
                None => Some((None, rule)),
                Some((_, expression)) => Some((Some((self.typed(expression)?, expression)), rule)),
            }
        });
        let values: Vec<Option<_>> = values.collect();
        let values: Vec<_> = values.into_iter().collect::<Option<Vec<_>>>()?;
        let given = values.iter().filter_map(|(value, _)| value.as_ref());
        let types: Vec<DataType> = given.map(|(typed, _)| typed.data_type.clone()).collect();
        let Some(data_type) = common_type(&types) else {
            let types: Vec<String> = types.iter().map(DataType::to_string).collect();
            let message = format!("the values of `{}` have no common type", name.value);
            let diagnostic = Diagnostic::at(name.span.clone(), message);
            self.report
                .push(diagnostic.help(format!("they are {}", types.join(", "))));
            return None;
        };
        let values = values.into_iter().map(|(value, _)| match value {
            None => Ok(Typed::null(data_type.clone())),
            Some((typed, expression)) => {
                cast(typed, &data_type).map_err(|error| expression.text.diagnostic(error))
            }
        });
        Some(RuleOutput {
            name: format!("{}.{}", rules.name.value, name.value),
            values: self.report.keep(values.collect())?,
            data_type,
        })
    }
}

/// One output of a rule set.
struct RuleOutput {
    /// `gate.action`
    name: String,
    data_type: DataType,
    /// One value a rule, all of `data_type`.
    values: Vec<Typed>,
}

/// What a rule is called in messages: by its name, or by its number, counted from 1.
fn rule_title(number: usize, rule: &Rule) -> String {
    match &rule.name {
        Some(name) => format!("rule `{}`", name.value),
        None => format!("rule number {number}"),
    }
}

fn expressions(rule: &Rule) -> impl Iterator<Item = &Expression> {
    rule.when
        .iter()
        .chain(rule.values.iter().map(|(_, value)| value))
}
