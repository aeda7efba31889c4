//! `[rules.*]`: rules in order, each a condition and the values it gives.

use pelton_data::document::{Node, Section, Table, Text, Value, as_table};
use pelton_data::report::{Diagnostic, Report, Span, nearest};

use super::expressions::Expression;
use super::{Unread, check_name};

/// `[rules.NAME]`: values under `NAME.output`, the rule that hit under `NAME.rule`.
#[derive(Debug)]
pub struct RulesSection {
    /// The rule set's name in the decision.
    pub name: Text,
    /// What happens when several rules hit.
    pub hit: Hit,
    /// The rules in their order.
    pub rows: Vec<Rule>,
}

/// The hit policy of a rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// The first rule that hits counts.
    First,
    /// Two rules that hit are an error.
    Unique,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, given by `NAME.rule` when it hits.
    pub name: Option<Text>,
    /// Its condition; a rule without one always hits.
    pub when: Option<Expression>,
    /// The values that it gives. A rule that leaves a value out gives NULL there.
    pub values: Vec<(Text, Expression)>,
    /// Where the rule stands.
    pub span: Span,
}

pub fn read(root: &mut Section<'_>, unread: &mut Unread, report: &mut Report) -> Vec<RulesSection> {
    let sections = root.tables("rules", report);
    let rules = sections.into_iter().filter_map(|(name, mut section)| {
        check_name(name, report);
        let path = format!("rules.{}", name.value);
        let hit = read_hit(&mut section, report);
        if let Some(node) = section.node("table") {
            let message = format!("`{path}.table` is not supported yet");
            let help = "write the rules as `rows = [{ rule = ..., when = ..., ... }]`";
            report.push(Diagnostic::at(node.span.clone(), message).help(help));
            section.node("rows");
            section.finish(report);
            unread.name(name);
            return None;
        }
        let what = "an array of rules: `rows = [{ rule = \"a\", when = \"x > 1\", y = \"2\" }]`";
        let rows = section.required("rows", what, report);
        section.finish(report);
        let Some(rows) = rows.and_then(|rows| read_rows(&path, rows, what, report)) else {
            unread.name(name);
            return None;
        };
        check_reachable(&rows, hit, report);
        Some(RulesSection {
            name: name.clone(),
            hit,
            rows,
        })
    });
    rules.collect()
}

/// The rules, if every one of them could be read.
fn read_rows(path: &str, rows: &Node, what: &str, report: &mut Report) -> Option<Vec<Rule>> {
    let Value::Array(nodes) = &rows.value else {
        report.push(rows.expected(&format!("{path}.rows"), what));
        return None;
    };
    let rows = nodes.iter().enumerate().map(|(i, node)| {
        let path = format!("{path}.rows[{i}]");
        let table = as_table(&path, node, report)?;
        read_rule(&path, table, node.span.clone(), report)
    });
    // Collected first: every rule is read, not only those before the first error.
    let rows: Vec<Option<Rule>> = rows.collect();
    rows.into_iter().collect()
}

/// A rule without a condition always hits: the rules behind it never do.
fn check_reachable(rows: &[Rule], hit: Hit, report: &mut Report) {
    let before_last = rows.iter().rev().skip(1);
    for rule in before_last.filter(|rule| hit == Hit::First && rule.when.is_none()) {
        let message = "this rule has no `when`: it always hits, and the rules behind it never do";
        let diagnostic = Diagnostic::at(rule.span.clone(), message);
        report.push(diagnostic.help("add `when = \"...\"`, or make it the last rule"));
    }
}

fn read_hit(section: &mut Section<'_>, report: &mut Report) -> Hit {
    let Some(text) = section.text("hit", report) else {
        return Hit::First;
    };
    let path = section.path("hit");
    let (message, help) = match text.value.as_str() {
        "first" => return Hit::First,
        "unique" => return Hit::Unique,
        "all" => (
            format!("`{path} = \"all\"` is not supported yet: its outputs are ARRAYs"),
            "use \"first\" or \"unique\"",
        ),
        other => (
            format!("`{path}` cannot be `{other}`"),
            "expected \"first\" (the default) or \"unique\"",
        ),
    };
    report.push(Diagnostic::at(text.span.clone(), message).help(help));
    Hit::First
}

/// Every key of a rule that is not `rule` or `when` is an output. `None` where a value is no text.
fn read_rule(path: &str, table: &Table, span: Span, report: &mut Report) -> Option<Rule> {
    let mut rule = Rule {
        name: None,
        when: None,
        values: Vec::new(),
        span,
    };
    let mut whole = true;
    for (key, node) in &table.entries {
        let path = format!("{path}.{}", key.value);
        let Value::Text(text) = &node.value else {
            report.push(node.expected(&path, "a string"));
            whole = false;
            continue;
        };
        match key.value.as_str() {
            "rule" => rule.name = Some(text.clone()),
            "when" => rule.when = Some(Expression::read(format!("`{path}`"), text, report)),
            _ => {
                check_name(key, report);
                let value = Expression::read(format!("`{path}`"), text, report);
                rule.values.push((key.clone(), value));
            }
        }
    }
    check_misspelt(&rule, path, report);
    whole.then_some(rule)
}

/// A condition whose key is misspelt would be a value, and its rule would always hit.
fn check_misspelt(rule: &Rule, path: &str, report: &mut Report) {
    let missing = [("rule", rule.name.is_none()), ("when", rule.when.is_none())];
    for (known, _) in missing.into_iter().filter(|(_, missing)| *missing) {
        for (key, _) in &rule.values {
            if nearest(&key.value, [known]).is_some() {
                let message = format!("unknown key `{path}.{}`", key.value);
                let diagnostic = Diagnostic::at(key.span.clone(), message);
                report.push(diagnostic.help(format!("did you mean `{known}`?")));
            }
        }
    }
}
