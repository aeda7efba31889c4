//! A record in the plan of its decision: the real plan runs, step by step, and what its columns
//! hold afterwards goes into the graph.

use pelton_decision::definition::Hit;
use pelton_decision::plan::graph::Item;
use pelton_decision::plan::{Step, Work};
use pelton_decision::{Error, Generation, Scratch};

use super::graph::{Graph, Group, Node, Outcome, Tone};
use super::record::Record;
use super::values;

/// Runs a record. Where it fails, the graph shows how far it came; the error is returned as well.
pub fn run(generation: &Generation, record: &Record, graph: &mut Graph) -> Result<(), Error> {
    let plan = &generation.decision.plan;
    let mut scratch = generation.scratch(1)?;
    scratch.columns.clear();
    record.put(plan, &mut scratch.columns)?;
    for (column, value) in graph.nodes[0].writes.iter_mut().zip(record.shown(plan)) {
        column.value = Some(value);
    }
    let mut nodes = graph.nodes[1..].iter_mut().zip(&plan.steps);
    while let Some((node, step)) = nodes.next() {
        if let Err(error) = plan.step(step, generation.rows(), &mut scratch, 1) {
            let error = generation.failed(&error);
            node.outcome = outcome(Tone::Failed, error.to_string());
            for (later, _) in nodes {
                later.outcome = outcome(Tone::Nothing, "not reached");
            }
            return Err(error);
        }
        fill(node, step, &scratch);
        node.outcome = came_of(node, step, generation, &mut scratch)?;
    }
    Ok(())
}

fn outcome(tone: Tone, text: impl Into<String>) -> Option<Outcome> {
    let text = text.into();
    Some(Outcome { tone, text })
}

/// Reads what a node has written, and the parts that it was made of; of a model over items, those of each.
fn fill(node: &mut Node, step: &Step, scratch: &Scratch) {
    for column in &mut node.writes {
        if let Some((slot, data_type)) = &column.at {
            column.value = Some(values::held(&scratch.columns, *slot, data_type));
        }
    }
    let items = match &step.work {
        Work::Model(model) if model.has_items() => Some(model.rows(scratch)),
        _ => None,
    };
    for part in node.groups.iter_mut().flat_map(|group| &mut group.parts) {
        if let Some((slot, data_type)) = &part.at {
            part.value = Some(match items {
                Some((columns, n)) => values::items(columns, n, *slot, data_type),
                None => values::held(&scratch.columns, *slot, data_type),
            });
        }
    }
}

/// Whether a lookup found a row, and which rule hits.
fn came_of(
    node: &mut Node,
    step: &Step,
    generation: &Generation,
    scratch: &mut Scratch,
) -> Result<Option<Outcome>, Error> {
    match &step.work {
        Work::Lookup(lookup) => {
            let hit = lookup.is_hit(generation.rows(), scratch, 0);
            let hit = hit.map_err(|error| generation.failed(&error))?;
            if let Some(partition) = generation.partitions().get(node.name.as_str()) {
                node.facts.push(("Hive partition", (*partition).to_owned()));
            }
            Ok(match hit {
                true => outcome(Tone::Found, "hit"),
                false => outcome(Tone::Nothing, "miss"),
            })
        }
        Work::Rules(_) => Ok(node
            .groups
            .first_mut()
            .and_then(|rules| hit(rules, policy(step, generation)))),
        Work::Model(model) if model.has_items() => {
            let (_, n) = model.rows(scratch);
            Ok(outcome(Tone::Found, format!("{n} items")))
        }
        Work::Eval(_) | Work::Model(_) => Ok(None),
    }
}

fn policy(step: &Step, generation: &Generation) -> Hit {
    match step.item {
        Some(Item::Rules(i)) => generation.decision.definition.rules[i].hit,
        _ => Hit::First,
    }
}

/// The rule that hits. Behind the first one, conditions are not computed if the first counts.
fn hit(rules: &mut Group, policy: Hit) -> Option<Outcome> {
    let is_true = |value: &Option<String>| value.as_deref() == Some("TRUE");
    let Some(first) = rules.parts.iter().position(|rule| is_true(&rule.value)) else {
        return outcome(Tone::Nothing, "no rule hits");
    };
    if policy == Hit::First {
        rules.parts[first + 1..]
            .iter_mut()
            .for_each(|rule| rule.value = None);
    }
    outcome(Tone::Found, rules.parts[first].label.clone())
}
