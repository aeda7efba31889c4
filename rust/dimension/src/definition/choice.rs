//! The keys about which Hive partitions are loaded.

use std::time::Duration;

use pelton_data::document::Section;
use pelton_data::report::{Diagnostic, Report};
use pelton_data::{DataType, Field};

use super::life::optional;
use super::units::duration;
use super::{AsOf, Choice, Late, at, one_of};
use crate::hive;

/// How many Hive partitions are held where `keep` does not say.
const KEEP: i64 = 3;

/// The keys that only `choice = "as_of"` has.
const OF_AS_OF: [&str; 4] = ["period", "available_after", "keep", "late"];

pub(super) fn choice(
    root: &mut Section<'_>,
    levels: Option<&[Field]>,
    report: &mut Report,
) -> Option<Choice> {
    const HELP: &str = "expected \"latest\", \"all\", \"as_of\", or a Hive partition as in \
                        \"dt=2013-01-02\"";
    let text = match root.node("choice") {
        Some(_) => Some(root.text("choice", report)?),
        None => None,
    };
    let choice = match text.map(|text| (text, text.value.as_str())) {
        None | Some((_, "latest")) => Some(Choice::Latest),
        Some((_, "all")) => Some(Choice::All),
        Some((text, "as_of")) => {
            if let Some(why) = levels.and_then(no_time) {
                report.push(at(text, "`choice = \"as_of\"` needs a time").help(why));
            }
            return as_of(root, report).map(Choice::AsOf);
        }
        Some((text, pinned)) => {
            let values = hive::parse_path(pinned, levels?).map(Choice::Pinned);
            report.keep(values.map_err(|error| at(text, format!("`choice`: {error}")).help(HELP)))
        }
    };
    for key in OF_AS_OF {
        if let Some(node) = root.node(key) {
            let message = format!("`{key}` belongs to `choice = \"as_of\"`");
            report.push(Diagnostic::at(node.span.clone(), message));
        }
    }
    choice
}

/// Why directory levels do not say which time a Hive partition covers.
fn no_time(levels: &[Field]) -> Option<String> {
    let types: Vec<&DataType> = levels.iter().map(|level| &level.data_type).collect();
    let is_time = match types[..] {
        [DataType::Date] | [DataType::Timestamp(_)] => true,
        [DataType::Date, hour] => hour.is_integer(),
        _ => false,
    };
    let help = "`partition` has to be one DATE or TIMESTAMP, or a DATE and the hour of the day";
    (!is_time).then(|| help.to_owned())
}

fn as_of(root: &mut Section<'_>, report: &mut Report) -> Option<AsOf> {
    let period = match root.node("period") {
        Some(_) => optional("period", duration, root, report).flatten(),
        None => {
            root.required_text("period", "the time that one Hive partition covers", report);
            None
        }
    };
    let available_after = optional("available_after", duration, root, report);
    let keep = keep(root, report);
    let late = match root.node("late") {
        None => Some(Late::Wait),
        Some(_) => root.text("late", report).and_then(|text| {
            let values = [
                ("wait", Late::Wait),
                ("previous", Late::Previous),
                ("fail", Late::Fail),
            ];
            report.keep(one_of("late", text, &values))
        }),
    };
    if period.is_some_and(|period| period.is_zero()) {
        let node = root.node("period")?;
        report.push(node.expected("period", "a time above 0, as in \"1 d\""));
    }
    Some(AsOf {
        period: period?,
        available_after: available_after?.unwrap_or(Duration::ZERO),
        keep: keep?,
        late: late?,
    })
}

fn keep(root: &mut Section<'_>, report: &mut Report) -> Option<usize> {
    let Some(node) = root.node("keep") else {
        return Some(KEEP as usize);
    };
    let keep = root.integer("keep", report)?;
    let checked = usize::try_from(keep).ok().filter(|keep| *keep > 0);
    report.keep(checked.ok_or_else(|| node.expected("keep", "how many Hive partitions are held")))
}
