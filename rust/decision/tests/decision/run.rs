//! What comes out.

use pelton_data::columns::Literal;

use pelton_decision::ErrorCode;

use super::decide;
use super::flights::models;

fn text(value: &str) -> Literal {
    Literal::text(value)
}

const RULES: &str = r#"
name = "d"
input = "a INT, b DOUBLE"
output = "gate.rule AS rule, gate.action AS action, gate.weight AS weight"
[rules.gate]
rows = [
  { rule = "never", when = "FALSE",        action = "'x'",  weight = "1" },
  { rule = "null",  when = "b > 0",        action = "'nn'", weight = "100 / a" },
  { rule = "big",   when = "a > 10",       action = "'b'" },
  {                 when = "a > 5",        action = "CASE WHEN b IS NULL THEN 'none' ELSE 'some' END" },
]
"#;

#[test]
fn the_first_rule_that_hits_counts_and_only_its_values_are_computed() {
    let rows: [&[Literal]; 5] = [
        // 100 / a would fail, but the rule does not hit: b > 0 is NULL.
        &[Literal::I32(0), Literal::Null],
        &[Literal::I32(11), Literal::Null],
        &[Literal::I32(6), Literal::F64(-1.0)],
        &[Literal::I32(50), Literal::F64(1.0)],
        &[Literal::Null, Literal::F64(0.0)],
    ];
    let null = Literal::Null;
    let expected = [
        [null.clone(), null.clone(), null.clone()],
        [text("big"), text("b"), null.clone()],
        [null.clone(), text("some"), null.clone()],
        [text("null"), text("nn"), Literal::I32(2)],
        [null.clone(), null.clone(), null.clone()],
    ];
    assert_eq!(decide(RULES, &rows).unwrap(), expected);
    for (row, expected) in rows.iter().zip(&expected) {
        assert_eq!(decide(RULES, &[row]).unwrap()[0], *expected);
    }
}

#[test]
fn two_hits_of_a_unique_rule_set_are_an_error_that_names_both() {
    let unique = RULES.replace("[rules.gate]", "[rules.gate]\nhit = \"unique\"");
    let one: &[Literal] = &[Literal::I32(6), Literal::Null];
    let two: &[Literal] = &[Literal::I32(11), Literal::Null];
    assert_eq!(decide(&unique, &[one]).unwrap()[0][1], text("none"));
    let (_, message) = decide(&unique, &[two]).unwrap_err();
    for part in ["rules `gate`", "rule `big` and rule number 4 both hit"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn models_feed_features_feed_models_and_rules() {
    let chain = |second: &str| {
        format!(
            r#"
name = "d"
input = "a DOUBLE"
output = "{second}, gate.size AS size"
[features]
half = "before / 2"
[models.one]
file = "linear_regressor_1_none.onnx"
inputs.x = {{ columns = ["a", "a", "a", "a", "a"] }}
outputs.before = "y"
[models.two]
file = "linear_regressor_1_none.onnx"
inputs.x = {{ columns = ["half", "half", "half", "half", "half"] }}
outputs.after = "y[0]"
[rules.gate]
rows = [{{ when = "after > before", size = "'grows'" }}, {{ size = "'shrinks'" }}]
"#
        )
    };
    let decide_one = |output: &str, a: f64| {
        let out = decide(&chain(output), &[&[Literal::F64(a)]]).unwrap();
        let Literal::F32(value) = out[0][0] else {
            panic!("{output} is a FLOAT")
        };
        (value, out[0][1].clone())
    };
    for a in [0.5, 3.0, -7.25] {
        let (first, _) = decide_one("before", a);
        let (second, size) = decide_one("after", a);
        let (again, _) = decide_one("before", f64::from(first / 2.0));
        assert_eq!(second.to_bits(), again.to_bits());
        assert_eq!(size, text(if second > first { "grows" } else { "shrinks" }));
    }
}

/// The numbers of a test vector's file, little-endian.
fn numbers<const N: usize>(case: &str, file: &str) -> Vec<[u8; N]> {
    let bytes = std::fs::read(models().join("vectors").join(case).join(file)).unwrap();
    bytes.as_chunks().0.to_vec()
}

#[test]
fn several_tensors_of_one_model_are_what_onnx_runtime_gives() {
    let case = "graph_two_inputs";
    let decision = r#"
name = "d"
input = "a FLOAT, b FLOAT, c FLOAT, d FLOAT, e DOUBLE, f DOUBLE, g DOUBLE, h DOUBLE"
output = "y, z, i"
[models.m]
file = "graph_two_inputs.onnx"
inputs.x = { columns = ["a", "b", "c", "d"] }
inputs.wide = { columns = ["e", "f", "g", "h"] }
outputs = { z = "z", y = "y[0]", i = "integer" }
"#;
    let x = numbers::<4>(case, "in0.bin");
    let wide = numbers::<8>(case, "in1.bin");
    let row = |r: usize| {
        let x = x[4 * r..][..4]
            .iter()
            .map(|b| Literal::F32(f32::from_le_bytes(*b)));
        let wide = wide[4 * r..][..4]
            .iter()
            .map(|b| Literal::F64(f64::from_le_bytes(*b)));
        x.chain(wide).collect::<Vec<Literal>>()
    };
    let rows: Vec<Vec<Literal>> = (0..200).map(row).collect();
    let rows: Vec<&[Literal]> = rows.iter().map(Vec::as_slice).collect();
    let decided = decide(decision, &rows).unwrap();
    let (z, y) = (numbers(case, "out0.bin"), numbers(case, "out1.bin"));
    let integer = numbers(case, "out2.bin");
    for (r, row) in decided.iter().enumerate() {
        let [
            Literal::F32(y_row),
            Literal::F32(z_row),
            Literal::I64(i_row),
        ] = row[..]
        else {
            panic!("FLOAT, FLOAT and BIGINT, not {row:?}")
        };
        assert_eq!(
            y_row.to_bits(),
            f32::from_le_bytes(y[r]).to_bits(),
            "y of row {r}"
        );
        assert_eq!(
            z_row.to_bits(),
            f32::from_le_bytes(z[r]).to_bits(),
            "z of row {r}"
        );
        assert_eq!(i_row, i64::from_le_bytes(integer[r]), "integer of row {r}");
    }
}

#[test]
fn a_string_label_is_a_string_in_expressions() {
    let case = "tree_classifier_strings";
    let decision = r#"
name = "d"
input = "a FLOAT, b FLOAT, c FLOAT, d FLOAT"
output = "label, UPPER(label) AS loud"
[models.m]
file = "tree_classifier_strings.onnx"
inputs.x = { columns = ["a", "b", "c", "d"] }
outputs = { label = "label" }
"#;
    let path = models().join("vectors").join(case).join("case.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let x = numbers::<4>(case, "in0.bin");
    for r in 0..200 {
        let row = x[4 * r..][..4]
            .iter()
            .map(|b| Literal::F32(f32::from_le_bytes(*b)));
        let row: Vec<Literal> = row.collect();
        let expected = json["outputs"][0]["strings"][r].as_str().unwrap();
        let decided = decide(decision, &[&row]).unwrap();
        assert_eq!(
            decided,
            [[text(expected), text(&expected.to_uppercase())]],
            "row {r}"
        );
    }
}

/// A lookup that finds nothing, with a given `missing`.
fn missing(rest: &str) -> Result<Vec<Vec<Literal>>, (ErrorCode, String)> {
    let decision = format!(
        "name = \"d\"\ninput = \"tail STRING\"\noutput = \"p.seats, p.engine, p.seats + 1 AS more\"\n\
         [lookups.p]\ndimension = \"planes\"\nkey = [\"tail\"]\n{rest}\n"
    );
    decide(&decision, &[&[text("N1")], &[Literal::Null]])
}

#[test]
fn a_miss_is_null_or_the_defaults_or_an_error() {
    let null = vec![Literal::Null; 3];
    assert_eq!(missing("").unwrap(), [null.clone(), null]);
    let defaults = "missing = \"default\"\ndefaults = { seats = \"2 * 21\" }";
    let row = vec![Literal::I32(42), Literal::Null, Literal::I32(43)];
    assert_eq!(missing(defaults).unwrap(), [row.clone(), row]);
    let (code, message) = missing("missing = \"error\"").unwrap_err();
    assert_eq!(code, ErrorCode::NullRefused);
    assert!(
        message.contains("lookup `p`: no row for its key"),
        "{message}"
    );
}

#[test]
fn a_null_in_a_tensor_is_what_the_decision_says() {
    let decide_null = |null: &str| {
        let decision = format!(
            "name = \"d\"\ninput = \"a DOUBLE\"\noutput = \"y\"\n[models.m]\n\
             file = \"linear_regressor_1_none.onnx\"\noutputs.y = \"y\"\n\
             inputs.x = {{ columns = [\"a\", \"0\", \"0\", \"0\", \"0\"]{null} }}\n"
        );
        let rows: [&[Literal]; 2] = [&[Literal::Null], &[Literal::F64(7.0)]];
        decide(&decision, &rows).unwrap()
    };
    assert!(matches!(decide_null("")[0][0], Literal::F32(y) if y.is_nan()));
    let seven = decide_null(", null = 7");
    assert_eq!(seven[0], seven[1]);
}
