//! Whole expressions, from text to value. What belongs to one function stands beside it.

use super::testing::{instructions, typed, value};

#[test]
fn an_expression_is_parsed_typed_and_run() {
    assert_eq!(value("i + b * 2 > 3 AND void IS NULL"), "BOOLEAN 1");
    assert_eq!(value("i + 1"), "INT 8");
}

#[test]
fn operators_bind_as_in_flink() {
    let known = [
        ("1 + 2 * 3", "INT 7"),
        ("-2 + 3", "INT 1"),
        ("10 - 3 - 2", "INT 5"),
        ("NOT nay AND nay", "BOOLEAN 0"),
        ("yes OR nay AND nay", "BOOLEAN 1"),
        ("1 + 1 = 2 = yes", "BOOLEAN 1"),
        ("void = 1 IS NULL", "BOOLEAN 1"),
        ("NOT void IS NULL", "BOOLEAN 0"),
        ("2 BETWEEN 1 AND 3 AND nay", "BOOLEAN 0"),
        ("i IN (7, 8) = yes", "BOOLEAN 1"),
        ("'a' || 'b' = 'ab'", "BOOLEAN 1"),
        ("- 2 * - 3", "INT 6"),
    ];
    for (text, expected) in known {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let known = [
        (
            "(SELECT 1)",
            "`SELECT`: subqueries are not supported in expressions of a decision",
        ),
        (
            "SUM(i)",
            "`SUM` cannot stand in a decision: it aggregates, and a decision sees one record",
        ),
        (
            "COUNT(*)",
            "`COUNT` cannot stand in a decision: it aggregates, and a decision sees one record",
        ),
        (
            "ABS(i) OVER (PARTITION BY s)",
            "`OVER`: a decision sees one record, it has no windows",
        ),
        ("UPER(s)", "unknown function `UPER`"),
        ("year + 1", "expected a value, found `year`"),
        ("s SIMILAR TO 'a%'", "`SIMILAR` is not supported"),
        ("i +", "expected a value, found the end of the text"),
        ("(i", "expected `)`, found the end of the text"),
        (
            "i j",
            "expected an operator or the end of the expression, found `j`",
        ),
        ("NULL", "NULL alone has no type"),
        ("i + NULL", "NULL has no type here"),
        ("i + s", "+ does not take (INT, STRING)"),
        ("nope + 1", "unknown name `nope`"),
        ("DATE '2023-02-29'", "'2023-02-29' is not a DATE"),
        (
            "9223372036854775808",
            "`9223372036854775808` is out of range, as in Flink: write \
             CAST('9223372036854775808' AS DECIMAL(38, ...))",
        ),
    ];
    for (text, expected) in known {
        assert_eq!(typed(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_stack_overflow() {
    let deep = |open: &str, close: &str| format!("{}i{}", open.repeat(5000), close.repeat(5000));
    for text in [
        deep("(", ")"),
        deep("- ", ""),
        deep("NOT ", ""),
        deep("ABS(", ")"),
    ] {
        assert_eq!(typed(&text).unwrap_err(), "more than 200 levels of nesting");
    }
    let long = vec!["i"; 5000].join(" + ");
    assert_eq!(typed(&long).unwrap_err(), "more than 200 levels of nesting");
    let chain = vec!["i > 1"; 5000].join(" AND ");
    assert_eq!(value(&chain), "BOOLEAN 1");
}

#[test]
fn a_branch_that_is_not_taken_cannot_fail() {
    assert_eq!(value("CASE WHEN i <> 7 THEN 1 / (i - 7) END"), "INT NULL");
    assert_eq!(value("i <> 7 AND 1 / (i - 7) > 0"), "BOOLEAN 0");
    assert_eq!(value("i = 7 OR 1 / (i - 7) > 0"), "BOOLEAN 1");
    assert_eq!(value("1 / (i - 7)"), "error: division by zero");
    assert_eq!(value("CASE WHEN nay THEN 1 / 0 ELSE 2 END"), "INT 2");
}

#[test]
fn all_type_errors_of_an_expression_are_found() {
    let expr = super::parse("nope + UPPER(i) || ABS(s)").unwrap();
    let (table, _) = super::testing::table();
    let errors = super::type_check(&expr, &table).unwrap_err();
    assert_eq!(errors.len(), 3);
}

#[test]
fn a_value_among_constants_takes_one_instruction_and_two_with_what_stands_beside_them() {
    let among = [
        "i IN (1, 7)",
        "s IN ('x', 'y', 'z')",
        "s = 'x' OR s = 'y' OR s = 'z'",
        "s IN ('x', 'y', 'a longer one')",
        "i IN (1, 2, 3, 4, 5, 6)",
        "b IN (1, 2, 3)",
    ];
    for text in among {
        assert_eq!(instructions(text), 1, "{text}");
    }
    let others = [
        "CASE s WHEN 'x' THEN 1 WHEN 'y' THEN 2 WHEN 'z' THEN 3 END",
        "CASE s WHEN 'x' THEN 1 WHEN 'y' THEN -1 WHEN 'z' THEN 2.5E0 ELSE NULL END",
        "CASE i WHEN 1 THEN 'one' WHEN 2 THEN 'two' WHEN 7 THEN 'seven' END",
    ];
    for text in others {
        assert_eq!(instructions(text), 2, "{text}");
    }
    assert_eq!(instructions("i + 1 IN (1, 7, 8)"), 2);
    assert_eq!(instructions("d / 0E0 = 1E0 OR d / -0E0 = 1E0"), 5);
    assert_eq!(instructions("COALESCE(i, -i, 5)"), 2);
}

#[test]
fn the_first_of_many_values_is_chosen_whatever_their_number() {
    let known = [
        ("COALESCE(void, i)", "INT 7"),
        ("COALESCE(void, void + 1)", "INT NULL"),
        ("COALESCE(i, void, 5)", "INT 7"),
        ("COALESCE(void, void + 1, void + 2, i)", "INT 7"),
        ("COALESCE(void, void + 1, i, void + 2, 5)", "INT 7"),
        ("COALESCE(void, void + 1, void + 2, void + 3)", "INT NULL"),
        (
            "CASE WHEN nay THEN 'a' WHEN maybe THEN 'b' WHEN TRUE THEN 'c' WHEN yes THEN 'd' END",
            "CHAR(1) 'c'",
        ),
        (
            "CASE WHEN nay THEN 'a' WHEN yes THEN 'b' WHEN TRUE THEN 'c' ELSE 'd' END",
            "CHAR(1) 'b'",
        ),
        ("CASE WHEN TRUE THEN i WHEN yes THEN 1 END", "INT 7"),
        ("CASE WHEN nay THEN 1 WHEN TRUE THEN i END", "INT 7"),
    ];
    for (text, expected) in known {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn a_column_among_constants_is_what_the_chain_of_comparisons_is() {
    let text = "Straße";
    let known = [
        (format!("s IN ('x', '{text}', 'z')"), "BOOLEAN 1"),
        ("s IN ('x', 'y', 'z')".to_owned(), "BOOLEAN 0"),
        ("nos IN ('x', 'y', 'z')".to_owned(), "BOOLEAN NULL"),
        (
            format!("CASE s WHEN 'x' THEN 1 WHEN 'y' THEN 2 WHEN '{text}' THEN 3 END"),
            "INT 3",
        ),
        (
            format!("CASE s WHEN 'x' THEN 1 WHEN '{text}' THEN NULL WHEN 'z' THEN 3 ELSE 4 END"),
            "INT NULL",
        ),
        (
            "CASE s WHEN 'x' THEN 1 WHEN 'y' THEN 2 WHEN 'z' THEN 3 ELSE 4 END".to_owned(),
            "INT 4",
        ),
        (
            "CASE nos WHEN 'x' THEN 1 WHEN 'y' THEN 2 WHEN 'z' THEN 3 ELSE 4 END".to_owned(),
            "INT 4",
        ),
        (
            "CASE nos WHEN 'x' THEN 1 WHEN 'y' THEN 2 WHEN 'z' THEN 3 END".to_owned(),
            "INT NULL",
        ),
        ("i + 1 IN (7, 8)".to_owned(), "BOOLEAN 1"),
        ("void + 1 IN (7, 8)".to_owned(), "BOOLEAN NULL"),
        ("i IN (1, 2, 7)".to_owned(), "BOOLEAN 1"),
        ("i IN (1, 2, 3)".to_owned(), "BOOLEAN 0"),
        ("void IN (1, 2, 3)".to_owned(), "BOOLEAN NULL"),
        (
            "nan = 1E0 OR nan = 2E0 OR nan = 3E0".to_owned(),
            "BOOLEAN 0",
        ),
        (
            "CASE i WHEN 1 THEN 'one' WHEN 2 THEN 'two' WHEN 7 THEN 'seven' END".to_owned(),
            "VARCHAR(5) 'seven'",
        ),
        (
            "CASE void WHEN 1 THEN 2E0 WHEN 2 THEN 3E0 WHEN 7 THEN 4E0 ELSE 5E0 END".to_owned(),
            "DOUBLE 5.0",
        ),
    ];
    for (text, expected) in known {
        assert_eq!(value(&text), expected, "{text}");
    }
}
