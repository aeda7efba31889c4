//! The keys about a dimension's life: its start, its refreshes and its bounds.

use pelton_data::document::Section;
use pelton_data::report::{Diagnostic, Report};

use super::units::{self, duration};
use crate::policy::{Initial, Policy};

pub(super) fn policy(root: &mut Section<'_>, report: &mut Report) -> Option<Policy> {
    let default = Policy::default();
    let refresh = optional("refresh", duration, root, report);
    if refresh.flatten().is_some_and(|refresh| refresh.is_zero()) {
        let node = root.node("refresh")?;
        report.push(node.expected("refresh", "a time above 0, as in \"60 s\""));
    }
    let initial = optional("initial", initial, root, report);
    let max_staleness = optional("max_staleness", duration, root, report);
    let max_shrink = optional("max_shrink", units::share, root, report);
    Some(Policy {
        refresh: refresh?.unwrap_or(default.refresh),
        initial: initial?.unwrap_or(default.initial),
        max_staleness: max_staleness?,
        max_shrink: max_shrink?,
    })
}

/// `fail` or `wait 10 min`.
fn initial(text: &str) -> Result<Initial, String> {
    if text == "fail" {
        return Ok(Initial::Fail);
    }
    let waited = text.strip_prefix("wait").map(str::trim);
    let waited = waited.and_then(|time| duration(time).ok());
    waited
        .map(Initial::Wait)
        .ok_or_else(|| "expected \"fail\", or a time as in \"wait 10 min\"".to_owned())
}

pub(super) fn budget(root: &mut Section<'_>, report: &mut Report) -> Option<Option<u64>> {
    optional("budget", units::size, root, report)
}

pub(super) fn min_rows(root: &mut Section<'_>, report: &mut Report) -> Option<u64> {
    let Some(node) = root.node("min_rows") else {
        return Some(0);
    };
    let rows = root.integer("min_rows", report)?;
    let checked = u64::try_from(rows).map_err(|_| node.expected("min_rows", "a number of rows"));
    report.keep(checked)
}

/// The value of a key that may be missing; `None` after an error.
pub(super) fn optional<T>(
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
    root: &mut Section<'_>,
    report: &mut Report,
) -> Option<Option<T>> {
    if root.node(key).is_none() {
        return Some(None);
    }
    let text = root.text(key, report)?;
    let value = parse(&text.value).map_err(|help| {
        let message = format!("`{key}` cannot be {:?}", text.value);
        Diagnostic::at(text.span.clone(), message).help(help)
    });
    report.keep(value).map(Some)
}
