//! What a user is told. Every test here is a mistake that people make.

use pelton_data::columns::Literal;
use pelton_decision::ErrorCode;

use super::{compile, decide};

/// The report of a file that must have errors.
fn report(text: &str) -> String {
    compile(text).expect_err("this file has errors")
}

fn says(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "{part:?} is not in:\n{report}");
    }
}

const HEAD: &str = "name = \"d\"\ninput = \"a INT, b DOUBLE, s STRING\"\n";

#[test]
fn an_undefined_name_shows_its_place_and_the_nearest_name() {
    let text = format!("{HEAD}output = \"risk\"\n[features]\nrisk = \"a + bb\"\n");
    says(
        &report(&text),
        &[
            "decision.toml:5:13: unknown name `bb`",
            "5 | risk = \"a + bb\"",
            "  |             ^^",
            "did you mean `b`?",
        ],
    );
}

#[test]
fn a_lookup_named_without_its_column_lists_the_columns() {
    let text = format!(
        "{HEAD}output = \"plane AS p\"\n[lookups.plane]\ndimension = \"planes\"\nkey = [\"s\"]\n"
    );
    says(&report(&text), &["unknown name `plane`", "`plane.seats`"]);
}

#[test]
fn a_circle_of_names_is_shown_whole() {
    let text =
        format!("{HEAD}output = \"x\"\n[features]\nx = \"y + 1\"\ny = \"z + 1\"\nz = \"x\"\n");
    says(
        &report(&text),
        &[
            "feature `x` needs itself",
            "feature `x` -> feature `y` -> feature `z` -> feature `x`",
        ],
    );
}

#[test]
fn a_name_given_twice_says_where_it_was_first() {
    let text = format!("{HEAD}output = \"a\"\n[features]\na = \"b\"\n");
    let help = "it is an input column in line 2 and a feature here";
    says(&report(&text), &["the name `a` is given twice", help]);
    let text = format!("{HEAD}output = \"a, b AS a\"\n");
    says(&report(&text), &["the output column `a` is given twice"]);
}

#[test]
fn a_type_error_has_a_caret_under_it() {
    let text = format!("{HEAD}output = \"x\"\n[features]\nx = \"a + 1 AND s\"\n");
    let report = report(&text);
    says(
        &report,
        &["decision.toml:5:", "5 | x = \"a + 1 AND s\"", "^"],
    );
}

#[test]
fn a_missing_name_hides_no_other_error() {
    let text = "input = \"a INT\"\noutput = \"a + 'x' AS b, cc AS d\"\n";
    let report = report(text);
    says(&report, &["`name` is missing", "unknown name `cc`"]);
}

/// What a broken section would give is not unknown; what nothing would give is.
#[test]
fn names_of_a_section_with_errors_are_not_called_unknown() {
    let outputs = "p_late, label, gate.action AS action, plane.seats AS seats, half, nope";
    let text = format!(
        "{HEAD}output = \"{outputs}\"\n[features]\nhalf = 5\n\
         [lookups.plane]\ndimension = \"planes\"\n\
         [models.m]\ninputs.x = {{ columns = [] }}\noutputs.p_late = \"p[1]\"\noutputs.label = 3\n\
         [rules.gate]\nrows = [{{ rule = \"a\", action = 1 }}]\n"
    );
    let report = report(&text);
    says(
        &report,
        &[
            "`features.half`",
            "`lookups.plane.key` is missing",
            "`models.m.file` is missing",
            "`models.m.outputs.label`",
            "`rules.gate.rows[0].action`",
            "unknown name `nope`",
        ],
    );
    assert_eq!(report.matches("unknown name").count(), 1, "{report}");
}

#[test]
fn every_error_of_a_file_is_in_one_report() {
    let text = "nmae = \"d\"\ninput = \"a INTT\"\noutput = \"x, y\"\n\
                [features]\nx = \"1 +\"\ny = \"nope\"\n[rules.g]\nhit = \"alll\"\nrows = []\n";
    let all = report(text);
    says(
        &all,
        &[
            "`nmae`",
            "`name` is missing",
            "INTT",
            "decision.toml:5:",
            "alll",
        ],
    );
    let text = format!(
        "{HEAD}output = \"x, y\"\n[features]\nx = \"a + nope\"\ny = \"UPPPER(s)\"\nz = \"nope2\"\n"
    );
    says(&report(&text), &["`nope`", "UPPPER", "`nope2`"]);
}

#[test]
fn an_unneeded_feature_is_checked_too() {
    let text = format!("{HEAD}output = \"a\"\n[features]\nunused = \"UPPER(s) + nope\"\n");
    says(&report(&text), &["unknown name `nope`"]);
}

#[test]
fn a_model_whose_tensors_do_not_fit_names_tensor_and_width() {
    let model = |rest: &str| {
        let file = "linear_regressor_1_none.onnx";
        report(&format!(
            "{HEAD}output = \"p\"\n[models.m]\nfile = \"{file}\"\n{rest}\n"
        ))
    };
    says(
        &model("inputs.x = { columns = [\"a\", \"b\"] }\noutputs.p = \"y\""),
        &["tensor `x` has 5 columns, but 2 are given"],
    );
    says(
        &model("inputs.xx = { columns = [\"a\"] }\noutputs.p = \"y\""),
        &["no tensor `xx`", "an input `x` that is not given"],
    );
    let five = "inputs.x = { columns = [\"a\", \"a\", \"a\", \"a\", \"s\"] }";
    says(
        &model(&format!("{five}\noutputs.p = \"y\"")),
        &["tensor `x` takes numbers, but this is STRING"],
    );
    says(
        &model(&format!("{five}\noutputs.p = \"z\"")),
        &["no tensor `z`", "`y`"],
    );
    says(
        &model(&format!("{five}\noutputs.p = \"y[3]\"")),
        &["tensor `y` has the columns 0 to 0"],
    );
}

#[test]
fn a_corrupt_or_missing_model_names_its_file() {
    for (file, part) in [
        ("corrupt.onnx", "corrupt.onnx"),
        ("nope.onnx", "nope"),
        ("../x.onnx", "beside"),
    ] {
        let text = format!(
            "{HEAD}output = \"p\"\n[models.m]\nfile = \"{file}\"\n\
             inputs.x = {{ columns = [\"a\"] }}\noutputs.p = \"y\"\n"
        );
        says(&report(&text), &["decision.toml:5:8: ", part]);
    }
}

#[test]
fn an_unknown_dimension_names_the_nearest_and_a_wrong_key_says_what_it_is() {
    let lookup = |rest: &str| {
        report(&format!(
            "{HEAD}output = \"p.seats AS x\"\n[lookups.p]\n{rest}\n"
        ))
    };
    says(
        &lookup("dimension = \"plane\"\nkey = [\"s\"]"),
        &["no dimension `plane`", "did you mean `planes`?"],
    );
    says(
        &lookup("dimension = \"planes\"\nkey = [\"s\", \"a\"]"),
        &["the key has 2 expressions, not 1", "keyed by tailnum"],
    );
    says(
        &lookup("dimension = \"planes\"\nkey = [\"a\"]"),
        &["key column `tailnum` is STRING, but this is INT"],
    );
    says(
        &lookup(
            "dimension = \"planes\"\nkey = [\"s\"]\nmissing = \"default\"\ndefaults = { seat = \"0\" }",
        ),
        &["`planes` has no column `seat`", "did you mean `seats`?"],
    );
}

#[test]
fn what_comes_later_is_refused_by_name() {
    let head = "name = \"d\"\noutput = \"a\"\n";
    for (rest, part) in [
        (
            "input = \"a INT\"\ntime_zone = \"Europe/Berlin\"",
            "`Europe/Berlin`",
        ),
        (
            "input = \"a INT\"\n[rules.g]\ntable = \"gate.csv\"",
            "`rules.g.table` is not supported",
        ),
        (
            "input = \"a INT\"\n[rules.g]\nhit = \"all\"\nrows = []",
            "ARRAYs",
        ),
    ] {
        says(&report(&format!("{head}{rest}\n")), &[part]);
    }
    let text = "name = \"d\"\ninput = \"a ARRAY<INT>\"\noutput = \"a + 1 AS b\"\n";
    says(&report(text), &["+ does not take (ARRAY<INT>, INT)"]);
}

#[test]
fn an_evaluation_error_names_decision_feature_and_expression() {
    let text = format!("{HEAD}output = \"x\"\n[features]\nx = \"100 / a\"\n");
    let row = |a| [Literal::I32(a), Literal::Null, Literal::Null];
    assert_eq!(decide(&text, &[&row(7)]).unwrap(), [[Literal::I32(14)]]);
    let (code, message) = decide(&text, &[&row(0)]).unwrap_err();
    assert_eq!(code, ErrorCode::EvaluationFailed);
    says(&message, &["`d`: ", "by zero", "feature `x`", "100 / a"]);
}

#[test]
fn a_null_where_the_model_refuses_it_names_the_column() {
    let text = format!(
        "{HEAD}output = \"p\"\n[models.m]\nfile = \"linear_regressor_1_none.onnx\"\n\
         inputs.x = {{ columns = [\"a\", \"b\", \"b\", \"b\", \"b\"], null = \"error\" }}\noutputs.p = \"y\"\n"
    );
    let row = [Literal::I32(1), Literal::Null, Literal::Null];
    let (code, message) = decide(&text, &[&row]).unwrap_err();
    assert_eq!(code, ErrorCode::NullRefused);
    says(&message, &["model `m`", "b"]);
}

#[test]
fn a_dimension_that_cannot_be_read_is_one_error_not_one_for_each_of_its_columns() {
    let text = format!(
        "{HEAD}output = \"p.seats AS x, y\"\n[lookups.p]\ndimension = \"plains\"\nkey = [\"s\"]\n\
         [features]\ny = \"p.engines + p.build_year\"\n"
    );
    let report = report(&text);
    says(&report, &["no dimension `plains`"]);
    assert!(!report.contains("unknown name"), "{report}");
}

#[test]
fn a_default_without_a_value_or_of_another_size_is_refused() {
    let lookup = |defaults: &str| {
        report(&format!(
            "{HEAD}output = \"p.seats AS x\"\n[lookups.p]\ndimension = \"planes\"\nkey = [\"s\"]\n\
             {defaults}\n"
        ))
    };
    let default = |value: &str| {
        lookup(&format!(
            "missing = \"default\"\ndefaults = {{ seats = \"{value}\" }}"
        ))
    };
    says(
        &default("1 / 0"),
        &["the default of `seats` has no value: division by zero"],
    );
    says(
        &default("3000000000"),
        &["column `seats` is INT, but this is BIGINT"],
    );
    says(
        &default("2.5E0"),
        &["column `seats` is INT, but this is DOUBLE"],
    );
    says(
        &lookup("defaults = { seats = \"0\" }"),
        &["has no effect", "missing = \"default\""],
    );
}

#[test]
fn a_misspelt_condition_is_not_a_value() {
    let rules = |rows: &str| {
        report(&format!(
            "{HEAD}output = \"g.x AS x\"\n[rules.g]\nrows = [{rows}]\n"
        ))
    };
    says(
        &rules("{ rule = \"r\", whne = \"a > 1\", x = \"1\" }"),
        &["unknown key `rules.g.rows[0].whne`", "did you mean `when`?"],
    );
    says(
        &rules("{ x = \"1\" }, { when = \"a > 1\", x = \"2\" }"),
        &["the rules behind it never do"],
    );
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let deep: String = (0..2000)
        .map(|i| format!("f{i} = \"f{} + 1\"\n", i + 1))
        .collect();
    let text = format!("{HEAD}output = \"f0\"\n[features]\n{deep}f2000 = \"a\"\n");
    says(
        &report(&text),
        &["names need one another more than 256 deep"],
    );
    let sum = "1 / 0".to_owned() + &" + 1".repeat(60);
    assert!(compile(&format!("{HEAD}output = \"{sum} AS x\"\n")).is_ok());
    let between = (0..12).fold("a > 0".to_owned(), |inner, _| {
        format!("({inner}) BETWEEN SYMMETRIC FALSE AND TRUE")
    });
    says(
        &report(&format!("{HEAD}output = \"{between} AS x\"\n")),
        &["makes more than 10000 parts", "[features]"],
    );
    let nullif = (0..30).fold("a".to_owned(), |inner, _| format!("NULLIF({inner}, 1)"));
    says(
        &report(&format!("{HEAD}output = \"{nullif} AS x\"\n")),
        &["makes more than 10000 parts"],
    );
    let constant = (0..40).fold("1".to_owned(), |inner, _| {
        format!("CASE WHEN TRUE THEN {inner} ELSE 0 END")
    });
    assert!(compile(&format!("{HEAD}output = \"{constant} + a AS x\"\n")).is_ok());
    let case = (0..12).fold("a".to_owned(), |inner, _| {
        format!("CASE {inner} WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 END")
    });
    says(
        &report(&format!("{HEAD}output = \"{case} AS x\"\n")),
        &["makes more than 10000 parts"],
    );
}

#[test]
fn a_syntax_error_or_an_unknown_section_does_not_make_names_unknown() {
    for broken in ["[feature]", "[features\n"] {
        let text = format!("{HEAD}output = \"x\"\n{broken}\nx = \"a + 1\"\n");
        let report = report(&text);
        assert!(!report.contains("unknown name"), "{report}");
    }
}

#[test]
fn a_wrong_type_of_an_input_does_not_hide_the_other_errors() {
    let text = "name = \"d\"\ninput = \"a ITN\"\noutput = \"x\"\n[features]\nx = \"a + 1\"\n\
                y = \"UPPER(1)\"\n[models.m]\nfile = \"corrupt.onnx\"\n\
                inputs.x = { columns = [\"a\"] }\noutputs.p = \"y\"\n";
    let report = report(text);
    says(&report, &["ITN", "UPPER", "corrupt.onnx"]);
    assert!(!report.contains("unknown name"), "{report}");
}
