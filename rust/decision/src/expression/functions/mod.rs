//! The functions and operators: one small file a family.
//!
//! A function is an entry of its file's `FUNCTIONS`: its name, its forms for messages, and a
//! `check` that looks at the types of the arguments and returns the kernel applied to them, with
//! casts where Flink inserts them. Kernel and tests stand in the same file. To add a function,
//! add such an entry; a new file is listed in [`FAMILIES`].

mod arithmetic;
mod binary;
pub(super) mod cast;
mod choice;
pub(super) mod comparison;
pub(super) mod conditional;
pub(super) mod decimal;
mod formats;
mod java_pattern;
pub(super) mod kernel;
mod like;
pub(super) mod logic;
mod math;
mod model;
pub(super) mod nested;
mod number_text;
mod real;
mod regexp;
mod rewrite;
mod search;
mod shift;
mod strings;
mod substring;
mod temporal;
mod text;
mod time;
mod vocabulary;

use pelton_data::DataType;
use pelton_data::report::{Diagnostic, Span, nearest};

use super::typing::{Node, Scope, Typed};

/// A function or an operator of Flink SQL.
pub(super) struct Function {
    /// In upper case.
    pub name: &'static str,
    /// How it is written, for messages: `ABS(number)`.
    pub form: &'static str,
    /// Types the call, or refuses it.
    pub check: fn(Args<'_>) -> Result<Typed, Diagnostic>,
}

/// An entry of a family.
const fn function(
    name: &'static str,
    form: &'static str,
    check: fn(Args<'_>) -> Result<Typed, Diagnostic>,
) -> Function {
    Function { name, form, check }
}

/// A call whose arguments are typed.
pub(super) struct Args<'a> {
    pub name: &'a str,
    pub span: Span,
    pub values: Vec<Typed>,
    /// What else the decision has.
    pub scope: &'a dyn Scope,
}

/// All functions.
const FAMILIES: [&[Function]; 18] = [
    arithmetic::FUNCTIONS,
    choice::FUNCTIONS,
    comparison::FUNCTIONS,
    conditional::FUNCTIONS,
    formats::FUNCTIONS,
    like::FUNCTIONS,
    logic::FUNCTIONS,
    math::FUNCTIONS,
    nested::FUNCTIONS,
    real::FUNCTIONS,
    regexp::FUNCTIONS,
    rewrite::FUNCTIONS,
    search::FUNCTIONS,
    shift::FUNCTIONS,
    substring::FUNCTIONS,
    temporal::FUNCTIONS,
    text::FUNCTIONS,
    vocabulary::FUNCTIONS,
];

/// Entries that are written between their arguments.
const OPERATORS: [&str; 5] = ["AND", "BETWEEN", "IN", "LIKE", "NOT"];

/// Functions that Flink has and a decision cannot have, and why.
const REFUSED: [(&str, &[&str]); 2] = [
    (
        "it aggregates, and a decision sees one record",
        &[
            "AVG",
            "COLLECT",
            "COUNT",
            "FIRST_VALUE",
            "LAST_VALUE",
            "LISTAGG",
            "MAX",
            "MIN",
            "STDDEV_POP",
            "STDDEV_SAMP",
            "SUM",
            "VARIANCE",
            "VAR_POP",
            "VAR_SAMP",
            "ARRAY_AGG",
            "ROW_NUMBER",
            "RANK",
            "DENSE_RANK",
            "LAG",
            "LEAD",
            "NTILE",
            "PERCENT_RANK",
        ],
    ),
    (
        "its result depends on when or where it runs",
        &[
            "NOW",
            "RAND",
            "RAND_INTEGER",
            "UUID",
            "PROCTIME",
            "CURRENT_WATERMARK",
            "UNIX_TIMESTAMP",
            "CURRENT_DATABASE",
        ],
    ),
];

/// The function of a name in upper case.
pub(super) fn find(name: &str, span: &Span) -> Result<&'static Function, Diagnostic> {
    let mut all = FAMILIES.into_iter().flatten();
    if let Some(function) = all.find(|function| function.name == name) {
        return Ok(function);
    }
    for (why, names) in REFUSED {
        if names.contains(&name) {
            let message = format!("`{name}` cannot stand in a decision: {why}");
            return Err(Diagnostic::at(span.clone(), message));
        }
    }
    let known = FAMILIES.into_iter().flatten().map(|function| function.name);
    let known = known.filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    // Operators and forms are no functions; of a short name everything is near.
    let known =
        known.filter(|known| known.len() > 2 && !known.contains(' ') && !OPERATORS.contains(known));
    let unknown = Diagnostic::at(span.clone(), format!("unknown function `{name}`"));
    Err(match nearest(name, known) {
        Some(near) if name.len() > 2 => unknown.help(format!("did you mean `{near}`?")),
        _ => unknown,
    })
}

/// The call of a function.
pub(super) fn apply(function: &Function, args: Args<'_>) -> Result<Typed, Diagnostic> {
    (function.check)(args).map_err(|diagnostic| match diagnostic.help.is_empty() {
        true => diagnostic.help(format!("expected: {}", function.form)),
        false => diagnostic,
    })
}

impl Args<'_> {
    /// The refusal of these arguments, with their types.
    pub fn mismatch(&self) -> Diagnostic {
        let types: Vec<String> = self.values.iter().map(type_name).collect();
        let message = format!("{} does not take ({})", self.name, types.join(", "));
        Diagnostic::at(self.span.clone(), message)
    }

    /// The arguments if they are `N` values; a NULL needs a type, as in Flink.
    pub fn exactly<const N: usize>(self) -> Result<[Typed; N], Diagnostic> {
        if self.values.len() != N || self.values.iter().any(is_unit) {
            return Err(self.mismatch());
        }
        if let Some(null) = self.values.iter().find(|value| value.is_null_literal()) {
            return Err(untyped_null(null));
        }
        let mismatch = self.mismatch();
        <[Typed; N]>::try_from(self.values).map_err(|_| mismatch)
    }
}

/// The refusal of a NULL where Flink wants a type.
pub(super) fn untyped_null(null: &Typed) -> Diagnostic {
    Diagnostic::at(null.span.clone(), "NULL has no type here")
        .help("give it one: CAST(NULL AS type)")
}

fn is_unit(value: &Typed) -> bool {
    matches!(value.node, Node::Unit(_))
}

fn type_name(value: &Typed) -> String {
    match value.node {
        Node::Unit(unit) => unit.name().to_string(),
        Node::Null => "NULL".to_string(),
        _ => value.data_type.to_string(),
    }
}

/// The values cast to one type.
pub(super) fn cast_all(values: Vec<Typed>, to: &DataType) -> Result<Vec<Typed>, Diagnostic> {
    values
        .into_iter()
        .map(|value| cast::cast(value, to))
        .collect()
}
