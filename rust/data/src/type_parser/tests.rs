use proptest::prelude::*;

use super::*;

/// What Flink's own LogicalTypeParserTest expects, for the types that we know.
#[test]
fn types_are_read_as_flink_reads_them() {
    for (text, expected) in [
        ("CHAR", "CHAR(1)"),
        ("CHAR   NOT \t\nNULL", "CHAR(1) NOT NULL"),
        ("char not null", "CHAR(1) NOT NULL"),
        ("CHAR NULL", "CHAR(1)"),
        ("CHAR(33)", "CHAR(33)"),
        ("VARCHAR", "VARCHAR(1)"),
        ("VARCHAR(33)", "VARCHAR(33)"),
        ("VARCHAR(2147483647)", "STRING"),
        ("STRING", "STRING"),
        ("BOOLEAN", "BOOLEAN"),
        ("BINARY", "BINARY(1)"),
        ("VARBINARY(33)", "VARBINARY(33)"),
        ("BYTES", "BYTES"),
        ("DECIMAL", "DECIMAL(10, 0)"),
        ("DEC", "DECIMAL(10, 0)"),
        ("NUMERIC(10)", "DECIMAL(10, 0)"),
        ("DEC(10, 3)", "DECIMAL(10, 3)"),
        ("TINYINT", "TINYINT"),
        ("SMALLINT", "SMALLINT"),
        ("INTEGER", "INT"),
        ("BIGINT", "BIGINT"),
        ("FLOAT", "FLOAT"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("DATE", "DATE"),
        ("TIME", "TIME(0)"),
        ("TIME(3) WITHOUT TIME ZONE", "TIME(3)"),
        ("TIMESTAMP", "TIMESTAMP(6)"),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
        ("TIMESTAMP WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)"),
        ("ARRAY<INT NOT NULL>", "ARRAY<INT NOT NULL>"),
        ("MAP<BIGINT, BOOLEAN>", "MAP<BIGINT, BOOLEAN>"),
        ("ROW<>", "ROW<>"),
        (
            "ROW<f0 INT NOT NULL, f1 BOOLEAN>",
            "ROW<`f0` INT NOT NULL, `f1` BOOLEAN>",
        ),
        (
            "ROW<`f``0` INT 'a comment '' quoted', f1 BOOLEAN 'x'>",
            "ROW<`f``0` INT, `f1` BOOLEAN>",
        ),
        ("ROW(a ARRAY<ARRAY<INT>>)", "ROW<`a` ARRAY<ARRAY<INT>>>"),
    ] {
        assert_eq!(parse_type(text).unwrap().to_string(), expected, "{text}");
    }
}

#[track_caller]
fn refused(text: &str, place: &str, message: &str) {
    let error = parse_type(text).unwrap_err();
    let all = format!("{} {}", error.message, error.help.join(" "));
    assert!(all.contains(message), "{text}: {all}");
    assert_eq!(&text[error.span.unwrap()], place, "{text}");
}

#[test]
fn a_wrong_type_is_refused_at_its_place() {
    refused("STRNG", "STRNG", "did you mean `STRING`?");
    refused(
        "VARCHAR(0)",
        "0",
        "a length from 1 to 2147483647, found `0`",
    );
    refused("CHAR(99999999999)", "99999999999", "a length from 1");
    refused("DECIMAL(39, 0)", "39", "a precision from 1 to 38");
    refused("DECIMAL(4, 5)", "5", "a scale from 0 to 4");
    refused("TIMESTAMP(10)", "10", "a precision from 0 to 9");
    refused("MULTISET<INT>", "MULTISET", "`MULTISET` is not supported");
    refused(
        "INT NOT NULL ARRAY",
        "INT NOT NULL ARRAY",
        "written `ARRAY<INT NOT NULL>`",
    );
    refused(
        "TIMESTAMP(3) WITH TIME ZONE",
        "TIMESTAMP(3) WITH TIME",
        "is not supported",
    );
    refused("ARRAY<INT", "", "expected `>`, but the text ends here");
    refused(
        "INT INT",
        "INT",
        "expected the end of the type, found `INT`",
    );
    refused("ROW<a INT, a INT>", "a", "`a` is declared twice");
    refused("`INT`", "`INT`", "expected a type");
    refused("ROW<`a INT>", "`a INT>", "is not closed");
    refused("", "", "expected a type, but the text ends here");
}

#[test]
fn nesting_is_bounded() {
    let deep = |n| format!("{}INT{}", "ARRAY<".repeat(n), ">".repeat(n));
    assert!(parse_type(&deep(MAX_DEPTH)).is_ok());
    refused(&deep(100_000), "ARRAY", "nested deeper than 64 times");
}

#[test]
fn a_column_list_reads_as_in_create_table() {
    let text = "
        tailnum STRING, -- the plane
        `da``te` DATE NOT NULL COMMENT 'of the flight', /* of no zone */
        sched_dep TIMESTAMP(3)";
    let columns = parse_columns(text).unwrap();
    let written: Vec<String> = columns.iter().map(|(f, _)| f.to_string()).collect();
    let expected = [
        "`tailnum` STRING",
        "`da``te` DATE NOT NULL",
        "`sched_dep` TIMESTAMP(3)",
    ];
    assert_eq!(written, expected);
    assert_eq!(&text[columns[1].1.clone()], "`da``te`");
}

#[test]
fn all_errors_of_a_column_list_come_at_once() {
    let text = "a STRNG, b ROW<x INT, y FLOT, z INT>, c INT, c DATE, d, PRIMARY KEY (a), e INT f";
    let errors = parse_columns(text).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "unknown type `STRNG`",
            "unknown type `FLOT`",
            "column `c` is declared twice",
            "column `d` has no type",
            "`PRIMARY` begins no column",
            "expected `,` or the end of the columns, found `f`",
        ]
    );
    assert!(parse_columns(" ").is_err());
    assert!(parse_columns("a INT,").is_err());
}

fn data_type() -> impl Strategy<Value = DataType> {
    let decimal = (1u8..=38).prop_flat_map(|precision| {
        (0..=precision).prop_map(move |scale| DataType::Decimal { precision, scale })
    });
    let leaf = prop_oneof![
        Just(DataType::Boolean),
        Just(DataType::TinyInt),
        Just(DataType::SmallInt),
        Just(DataType::Int),
        Just(DataType::BigInt),
        Just(DataType::Float),
        Just(DataType::Double),
        Just(DataType::STRING),
        Just(DataType::Varbinary(MAX_LENGTH)),
        Just(DataType::Date),
        decimal,
        (1..=MAX_LENGTH).prop_map(DataType::Char),
        (1..=MAX_LENGTH).prop_map(DataType::Varchar),
        (1..=MAX_LENGTH).prop_map(DataType::Binary),
        (0u8..=9).prop_map(DataType::Time),
        (0u8..=9).prop_map(DataType::Timestamp),
        (0u8..=9).prop_map(DataType::TimestampLtz),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let element = (inner.clone(), any::<bool>()).prop_map(|(data_type, nullable)| {
            Box::new(Element {
                data_type,
                nullable,
            })
        });
        prop_oneof![
            element.clone().prop_map(DataType::Array),
            (element.clone(), element).prop_map(|(k, v)| DataType::Map(k, v)),
            fields(inner).prop_map(DataType::Row),
        ]
    })
}

fn fields(inner: impl Strategy<Value = DataType>) -> impl Strategy<Value = Vec<Field>> {
    let names = proptest::collection::btree_set("[a-zä` ,<>'-]{1,6}", 1..4);
    let types = proptest::collection::vec((inner, any::<bool>()), 4);
    (names, types).prop_map(|(names, types)| {
        let zipped = names.into_iter().zip(types);
        zipped
            .map(|(name, (data_type, nullable))| Field {
                name,
                data_type,
                nullable,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn what_a_type_writes_of_itself_reads_back(data_type in data_type(), nullable: bool) {
        let element = Element { data_type, nullable };
        prop_assert_eq!(parse_type(&element.to_string()), Ok(element));
    }

    #[test]
    fn what_columns_write_of_themselves_reads_back(fields in fields(data_type())) {
        let text: Vec<String> = fields.iter().map(Field::to_string).collect();
        let read = parse_columns(&text.join(", ")).unwrap();
        let read: Vec<Field> = read.into_iter().map(|(field, _)| field).collect();
        prop_assert_eq!(read, fields);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[A-Z<>(),`'0-9 ä/*-]{0,40}") {
        let _ = parse_type(&text);
        let _ = parse_columns(&text);
    }
}
