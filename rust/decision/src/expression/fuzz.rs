//! No text makes the parser, the types, the compiler or a run panic.

use proptest::prelude::*;

use super::testing::try_value;

const LEAVES: [&str; 34] = [
    "ti",
    "i",
    "b",
    "f",
    "d",
    "nan",
    "yes",
    "nay",
    "void",
    "maybe",
    "s",
    "c",
    "da",
    "t",
    "early",
    "NULL",
    "TRUE",
    "UNKNOWN",
    "0",
    "-7",
    "9223372036854775807",
    "0.5",
    "-0.0",
    "1e300",
    "''",
    "'2013-12-24'",
    "'12'",
    "DATE '0001-01-01'",
    "TIMESTAMP '9999-12-31 23:59:59.999999999'",
    "CAST(NULL AS STRING)",
    "99999999999999999.9",
    "CAST(b AS DECIMAL(38, 10))",
    "X'6100ff'",
    "TIME '18:30:15.5'",
];

const TYPES: [&str; 20] = [
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "CHAR(3)",
    "VARCHAR(2)",
    "STRING",
    "DATE",
    "TIMESTAMP(0)",
    "TIMESTAMP(9)",
    "DECIMAL(10, 2)",
    "DECIMAL(38, 37)",
    "DECIMAL(38, 0)",
    "BINARY(2)",
    "BYTES",
    "TIME(1)",
    "TIMESTAMP_LTZ(3)",
];

/// Forms with up to three operands, written `$a`, `$b` and `$c`.
const FORMS: [&str; 102] = [
    "($a + $b)",
    "($a - $b)",
    "($a * $b)",
    "($a / $b)",
    "($a % $b)",
    "- ($a)",
    "+ $a",
    "($a = $b)",
    "($a <> $b)",
    "($a < $b)",
    "($a >= $b)",
    "($a AND $b)",
    "($a OR $b)",
    "NOT $a",
    "($a IS NULL)",
    "($a IS NOT TRUE)",
    "($a IS UNKNOWN)",
    "($a BETWEEN $b AND $c)",
    "($a NOT BETWEEN SYMMETRIC $b AND $c)",
    "($a IN ($b))",
    "($a IN ($b, $c))",
    "($a NOT IN ($b, 1, NULL))",
    "CASE WHEN $a THEN $b ELSE $c END",
    "CASE $a WHEN $b THEN $c END",
    "CASE WHEN $a THEN $b WHEN $b THEN $c END",
    "COALESCE($a, $b)",
    "COALESCE($a TO HOUR)",
    "CAST($a AS TYPE)",
    "EXTRACT(YEAR FROM $a)",
    "EXTRACT(MICROSECOND FROM $a)",
    "WEEK($a)",
    "SECOND($a)",
    "FLOOR($a)",
    "CEIL($a TO WEEK)",
    "FLOOR($a TO MILLENNIUM)",
    "CEIL($a TO MONTH)",
    "FLOOR($a TO DOY)",
    "ROUND($a)",
    "ROUND($a, 2)",
    "ROUND($a, -2147483648)",
    "ROUND($a, 2147483647)",
    "ABS($a)",
    "EXP($a)",
    "UPPER($a)",
    "LOWER($a)",
    "CHAR_LENGTH($a)",
    "($a || $b)",
    "MOD($a, $b)",
    "($a <= $b)",
    "CAST(CAST($a AS STRING) AS TYPE)",
    "TRY_CAST($a AS TYPE)",
    "($a LIKE $b)",
    "($a NOT LIKE $b ESCAPE $c)",
    "($a LIKE '%_a%' ESCAPE 'a')",
    "SUBSTRING($a, $b, $c)",
    "SUBSTRING($a FROM $b)",
    "LEFT($a, $b)",
    "RIGHT($a, $b)",
    "TRIM($a)",
    "TRIM(TRAILING $a FROM $b)",
    "LTRIM($a, ' 2')",
    "REPLACE($a, $b, $c)",
    "CONCAT($a, $b, $c, $a)",
    "CONCAT_WS($a, $b, $c)",
    "POSITION($a IN $b FROM $c)",
    "INSTR($a, $b, $c, $c)",
    "SPLIT_INDEX($a, $b, $c)",
    "LPAD($a, 9, $b)",
    "RPAD($a, $b, $c)",
    "REPEAT($a, 3)",
    "REVERSE($a)",
    "INITCAP($a)",
    "OVERLAY($a PLACING $b FROM $c FOR $c)",
    "OVERLAY($a PLACING $b FROM $c)",
    "ASCII($a)",
    "CHR($a)",
    "STARTSWITH($a, $b)",
    "BTRIM($a)",
    "POWER($a, $b)",
    "SQRT($a)",
    "LOG($a, $b)",
    "ATAN2($a, $b)",
    "SIGN($a)",
    "TRUNCATE($a)",
    "TRUNCATE($a, 18)",
    "TRUNCATE($a, -18)",
    "IF($a, $b, $c)",
    "IFNULL($a, $b)",
    "NULLIF($a, $b)",
    "GREATEST($a, $b, $c)",
    "LEAST($a, $b)",
    "($a IS DISTINCT FROM $b)",
    "($a IS NOT DISTINCT FROM $b)",
    "TIMESTAMPADD(MONTH, $a, $b)",
    "TIMESTAMPADD(SECOND, $a, $b)",
    "TIMESTAMPDIFF(MONTH, $a, $b)",
    "TIMESTAMPDIFF(WEEK, $a, $b)",
    "($a + INTERVAL '99' YEAR)",
    "($a - INTERVAL '1.5' SECOND)",
    "DATE_FORMAT($a, 'yyyy yy DDD SSSSSSSSS k')",
    "DATE_FORMAT($a, $b)",
    "TO_TIMESTAMP($a)",
];

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(&LEAVES[..]).prop_map(str::to_string);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let form = prop::sample::select(&FORMS[..]);
        let data_type = prop::sample::select(&TYPES[..]);
        (form, data_type, inner.clone(), inner.clone(), inner).prop_map(|(form, to, a, b, c)| {
            let text = form.replace("TYPE", to);
            text.replace("$a", &a).replace("$b", &b).replace("$c", &c)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn expressions_have_a_value_or_an_error(text in expression()) {
        let _ = try_value(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9 .,'`()<>=|+*/%-]{0,40}|\\PC{0,20}") {
        let _ = try_value(&text);
    }
}
