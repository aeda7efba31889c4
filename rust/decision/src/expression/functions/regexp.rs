//! REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE: their patterns are constants, and those of Java.

use std::sync::Arc;

use fancy_regex::Regex;
use pelton_data::DataType;
use pelton_data::columns::{Literal, View};
use pelton_data::report::Diagnostic;

use super::super::compile::fold;
use super::super::program::{Call, Failure, Frame, Kernel, Resource};
use super::super::typing::Typed;
use super::java_pattern::{Translated, translate};
use super::kernel::for_rows;
use super::strings::{Takes, arguments, check_length};
use super::{Args, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("REGEXP", "REGEXP(string, 'pattern')", regexp),
    function(
        "REGEXP_EXTRACT",
        "REGEXP_EXTRACT(string, 'pattern', group)",
        extract,
    ),
    function(
        "REGEXP_REPLACE",
        "REGEXP_REPLACE(string, 'pattern', by what)",
        replace,
    ),
];

/// A constant pattern, `None` if it is NULL.
fn pattern(value: &Typed) -> Result<Option<(String, Translated)>, Diagnostic> {
    let refuse = |message: String| Diagnostic::at(value.span.clone(), message);
    let text = match fold(value) {
        Some(Literal::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(_) => return Ok(None),
        None => {
            let message = "the pattern of a regular expression is a constant".to_owned();
            return Err(refuse(message).help("it is read once, when the decision is compiled"));
        }
    };
    match translate(&text) {
        Ok(translated) => Ok(Some((text, translated))),
        Err(why) => Err(refuse(format!("the pattern '{text}': {why}"))
            .help("supported is what Java and Pelton read alike: docs/expressions.md")),
    }
}

/// A call whose kernel has a pattern; NULL where that is.
fn call(
    args: Args<'_>,
    takes: &[Takes],
    data_type: DataType,
    kernel: Kernel,
    check: fn(&str, &Translated) -> Result<(), &'static str>,
) -> Result<Typed, Diagnostic> {
    let span = args.span.clone();
    let mut values = arguments(args, takes)?;
    let Some((text, translated)) = pattern(&values[1])? else {
        return Ok(Typed::literal(data_type, span, Literal::Null));
    };
    let refuse = |message: String| Diagnostic::at(values[1].span.clone(), message);
    check(&text, &translated).map_err(|why| refuse(format!("the pattern '{text}': {why}")))?;
    let regex = Regex::new(&translated.pattern)
        .map_err(|error| refuse(format!("the pattern '{text}': {error}")))?;
    values.remove(1);
    let call = Typed::call(data_type, span, kernel, values);
    let call = call.with_resource(Resource::Pattern(Arc::new(regex)));
    let call = call.fallible();
    Ok(Typed {
        nullable: true,
        ..call
    })
}

fn regexp(args: Args<'_>) -> Result<Typed, Diagnostic> {
    const FIND: Kernel = |frame, call| {
        with_pattern(frame, call, |frame, regex| {
            let [a, ..] = call.args;
            for_rows(frame, call, |columns, row| {
                let found = match columns.is_valid(a, row) {
                    true => Some(i8::from(
                        regex
                            .is_match(text(columns.text(a, row))?)
                            .map_err(failed)?,
                    )),
                    false => None,
                };
                columns.put(call.out, row, found);
                Ok(())
            })
        })
    };
    let not_empty = |text: &str, _: &Translated| match text.is_empty() {
        true => Err("Flink answers FALSE of an empty one always"),
        false => Ok(()),
    };
    call(args, &[Takes::Text; 2], DataType::Boolean, FIND, not_empty)
}

/// The group of a number, or all that matches; NULL where nothing does, or there is no such group.
fn extract(mut args: Args<'_>) -> Result<Typed, Diagnostic> {
    const EXTRACT: Kernel = |frame, call| {
        with_pattern(frame, call, |frame, regex| {
            let [a, group, _] = call.args;
            for_rows(frame, call, |columns, row| {
                let mut view: Option<View> = None;
                if let (Some(whole), Some(group)) =
                    (columns.value(a, row), columns.value(group, row))
                {
                    let (whole, group): (View, i32) = (whole, group);
                    let found = regex
                        .captures(text(columns.bytes(whole))?)
                        .map_err(failed)?;
                    let group = usize::try_from(group).ok();
                    view = found
                        .zip(group)
                        .and_then(|(found, group)| found.get(group))
                        .map(|part| {
                            let part = View::new(part.start() as u32, part.range().len() as u32);
                            whole.part(part)
                        });
                }
                columns.put(call.out, row, view);
                Ok(())
            })
        })
    };
    if args.values.len() == 2 {
        let whole = Typed::literal(DataType::Int, args.span.clone(), Literal::I32(0));
        args.values.push(whole);
    }
    let takes = [Takes::Text, Takes::Text, Takes::Int];
    call(args, &takes, DataType::STRING, EXTRACT, |_, _| Ok(()))
}

/// Every match replaced by a string as it is: `$1` is no group.
fn replace(args: Args<'_>) -> Result<Typed, Diagnostic> {
    const REPLACE: Kernel = |frame, call| {
        with_pattern(frame, call, |frame, regex| {
            let [a, by, _] = call.args;
            let mut made = std::mem::take(&mut frame.selections.text);
            let result = for_rows(frame, call, |columns, row| {
                made.clear();
                let valid = columns.is_valid(a, row) && columns.is_valid(by, row);
                if valid {
                    replace_all(
                        regex,
                        columns.text(a, row),
                        columns.text(by, row),
                        &mut made,
                    )?;
                }
                let view = match valid {
                    true => Some(columns.push_text(&made)?),
                    false => None,
                };
                columns.put(call.out, row, view);
                Ok(())
            });
            frame.selections.text = made;
            result
        })
    };
    let not_empty = |_: &str, translated: &Translated| match translated.may_be_empty {
        true => Err("it matches the empty text, where Java cuts characters in two"),
        false => Ok(()),
    };
    call(
        args,
        &[Takes::Text; 3],
        DataType::STRING,
        REPLACE,
        not_empty,
    )
}

fn replace_all(regex: &Regex, whole: &[u8], by: &[u8], made: &mut Vec<u8>) -> Result<(), Failure> {
    let mut last = 0;
    for found in regex.find_iter(text(whole)?) {
        let range = found.map_err(failed)?.range();
        check_length(made.len() + range.start - last + by.len())?;
        made.extend_from_slice(&whole[last..range.start]);
        made.extend_from_slice(by);
        last = range.end;
    }
    made.extend_from_slice(&whole[last..]);
    Ok(())
}

/// Runs `f` with the call's pattern.
fn with_pattern(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl FnOnce(&mut Frame<'_>, &Regex) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let regex = match &frame.selections.resources[call.parameter as usize] {
        Resource::Pattern(regex) => Arc::clone(regex),
        Resource::Vocabulary(_) => unreachable!("the type checker gives these kernels a pattern"),
    };
    f(frame, &regex)
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes)
        .map_err(|_| Failure::failed("a regular expression over text that is not UTF-8"))
}

#[cold]
fn failed(error: fancy_regex::Error) -> Failure {
    Failure::failed(format!("a regular expression gave up: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{typed, value};

    #[test]
    fn matches_are_those_of_java() {
        let known = [
            ("REGEXP(s, '^S.*e$')", "BOOLEAN 1"),
            ("REGEXP(s, 'r[a-c]')", "BOOLEAN 1"),
            (r"REGEXP(s, '\d')", "BOOLEAN 0"),
            ("REGEXP(s, '(?i)STRA')", "BOOLEAN 1"),
            ("REGEXP(nos, 'a')", "BOOLEAN NULL"),
            ("REGEXP(s, CAST(NULL AS STRING))", "BOOLEAN NULL"),
            ("REGEXP('a\n', 'a$')", "BOOLEAN 1"),
            ("REGEXP('a\nb', 'a.b')", "BOOLEAN 0"),
            (r"REGEXP('a\n', '\\')", "BOOLEAN 1"),
            ("REGEXP_EXTRACT(s, 'S(t)(x)?r', 1)", "STRING 't'"),
            ("REGEXP_EXTRACT(s, 'S(t)(x)?r', 2)", "STRING NULL"),
            ("REGEXP_EXTRACT(s, 'S(t)(x)?r', 3)", "STRING NULL"),
            ("REGEXP_EXTRACT(s, 'a.*')", "STRING 'aße'"),
            ("REGEXP_EXTRACT(s, 'z')", "STRING NULL"),
            ("REGEXP_REPLACE(s, '[tr]+', '$0')", "STRING 'S$0aße'"),
            ("REGEXP_REPLACE(s, 'z', 'x')", "STRING 'Straße'"),
            ("REGEXP_REPLACE(s, 'ß|e', nos)", "STRING NULL"),
        ];
        for (text, expected) in known {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_java_s_is_refused() {
        let known = [
            (
                r"REGEXP(s, '\bS')",
                r"the pattern '\bS': `\b` is not supported",
            ),
            (
                "REGEXP(s, c)",
                "the pattern of a regular expression is a constant",
            ),
            (
                "REGEXP(s, '')",
                "the pattern '': Flink answers FALSE of an empty one always",
            ),
            (
                "REGEXP_REPLACE(s, 'x*', '-')",
                "the pattern 'x*': it matches the empty text, where Java cuts characters in two",
            ),
        ];
        for (text, expected) in known {
            assert_eq!(typed(text).unwrap_err(), expected, "{text}");
        }
    }
}
