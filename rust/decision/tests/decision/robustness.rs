//! No text, however damaged, ends the process.

use proptest::prelude::*;

use super::compile;
use super::flights::models;

/// The decision of the flights with a model that loads in no time.
fn decision() -> String {
    let path = models().join("arrival_delay/v2/decision.toml");
    let text = std::fs::read_to_string(path).unwrap();
    text.replace("delay.onnx", "linear_regressor_1_none.onnx")
}

/// What expressions and TOML are made of, and what they are not.
const PIECES: &[&str] = &[
    "(",
    ")",
    "'",
    "\"",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "`",
    "--",
    "\\",
    "\n",
    "\0",
    "ä",
    "🛩",
    "CASE ",
    " WHEN ",
    " END",
    " AND ",
    " OR ",
    "NOT ",
    " IN (",
    " BETWEEN ",
    "CAST(",
    " AS INT)",
    "NULL",
    "1",
    "0.5",
    "9223372036854775808",
    "1e999",
    "-",
    "* ",
    "/ 0",
    "dep_delay",
    "plane.seats",
    "p_late",
    "DATE '2013-02-30'",
    "FLOOR(sched_dep TO ",
    "HOUR)",
    "EXTRACT(",
    "COALESCE(",
    "||",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_damaged_decision_is_refused_or_compiled(
        edits in prop::collection::vec((0.0..1.0f64, 0usize..12, prop::sample::select(PIECES)), 1..6),
    ) {
        let mut text = decision();
        for (place, removed, inserted) in edits {
            let mut start = (place * text.len() as f64) as usize;
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + removed).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(start..end, inserted);
        }
        if let Err(report) = compile(&text) {
            prop_assert!(report.contains("decision.toml:"), "{}", report);
        }
    }

    #[test]
    fn an_expression_of_random_pieces_is_refused_or_compiled(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 1..40),
    ) {
        let expression = pieces.concat().replace(['\'', '\n', '\0'], " ");
        let text = format!("name = \"d\"\ninput = \"dep_delay DOUBLE, sched_dep TIMESTAMP(3)\"\noutput = '{expression} AS x'\n");
        if let Err(report) = compile(&text) {
            prop_assert!(report.contains("decision.toml:"), "{}", report);
        }
    }
}
