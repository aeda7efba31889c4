//! The places of decision.toml that hold Flink SQL.

use pelton_data::document::{Section, Table, Text, Value};
use pelton_data::report::{Diagnostic, Report, Span};

use crate::expression::{Expr, parse, parse_select_list};
use crate::reserved::Reserved;

/// An expression and its place in the file.
#[derive(Debug)]
pub struct Expression {
    /// What it is, for errors: "feature `risk`".
    pub what: String,
    /// Its text.
    pub text: Text,
    /// Its syntax; `None` where that is wrong, which is then in the report.
    pub expr: Option<Expr>,
    /// The names that mean elements of arrays here, those of the innermost loop last.
    pub locals: Vec<String>,
}

/// One column of `output`.
#[derive(Debug)]
pub struct OutputColumn {
    /// The name behind AS, or the last part of a plain name.
    pub name: String,
    /// Where the column stands.
    pub span: Span,
    /// The value.
    pub expression: Expression,
    /// Set where the value is one that Pelton gives: `pelton.version`.
    pub reserved: Option<Reserved>,
}

impl Expression {
    /// Parses a text of the file.
    pub fn read(what: String, text: &Text, report: &mut Report) -> Expression {
        let expr = parse(&text.value).map_err(|error| text.diagnostic(error));
        Expression {
            what,
            text: text.clone(),
            expr: report.keep(expr),
            locals: Vec::new(),
        }
    }

    /// The names that it uses of the decision, as paths, each with its place in the text.
    pub fn names(&self) -> Vec<(Vec<String>, Span)> {
        let mut names = self.paths();
        names.retain(|(path, _)| !self.locals.contains(&path[0]));
        names
    }

    /// Whether it uses one of these names.
    pub fn uses(&self, names: &[String]) -> bool {
        self.paths()
            .iter()
            .any(|(path, _)| names.contains(&path[0]))
    }

    fn paths(&self) -> Vec<(Vec<String>, Span)> {
        self.expr.as_ref().map_or(Vec::new(), Expr::names)
    }

    /// The same where these names mean elements of arrays.
    pub fn within(self, locals: &[String]) -> Expression {
        let locals = locals.to_vec();
        Expression { locals, ..self }
    }
}

/// An array of expressions.
pub fn read_all(what: &str, texts: &[&Text], report: &mut Report) -> Vec<Expression> {
    let expressions = texts
        .iter()
        .map(|text| Expression::read(format!("`{what}`"), text, report));
    expressions.collect()
}

/// A table of names and expressions.
pub fn read_table(path: &str, table: &Table, report: &mut Report) -> Vec<(Text, Expression)> {
    let entries = table.entries.iter().filter_map(|(name, node)| {
        let what = format!("`{path}.{}`", name.value);
        match &node.value {
            Value::Text(text) => Some((name.clone(), Expression::read(what, text, report))),
            _ => {
                let path = format!("{path}.{}", name.value);
                report.push(node.expected(&path, "an expression in quotes"));
                None
            }
        }
    });
    entries.collect()
}

/// The SELECT list of `output`.
pub fn read_output(root: &mut Section<'_>, report: &mut Report) -> Option<Vec<OutputColumn>> {
    let what = "a SELECT list, such as \"score, gate.action AS action\"";
    let text = root.required_text("output", what, report)?;
    let items = parse_select_list(&text.value).map_err(|error| text.diagnostic(error));
    let items = report.keep(items)?;
    let columns = items.into_iter().filter_map(|item| {
        let span = text.place(&item.span);
        let Some(name) = item.name else {
            let diagnostic = Diagnostic::at(span, "this output column has no name");
            report.push(diagnostic.help("add one: `... AS name`"));
            return None;
        };
        let reserved = item.expr.as_name().and_then(Reserved::of);
        let expression = Expression {
            what: format!("output `{name}`"),
            text: text.clone(),
            expr: Some(item.expr),
            locals: Vec::new(),
        };
        Some(OutputColumn {
            name,
            span,
            expression,
            reserved,
        })
    });
    Some(columns.collect())
}
