//! docs/errors.md: every error code with a message that was really given. It is written from what
//! stands here, and the test fails when the file is not what comes out:
//! `UPDATE_DOCS=1 cargo test --release -p pelton-decision error_matrix` writes it.

use std::fs;
use std::path::{Path, PathBuf};

use pelton_decision::metadata::Metadata;
use pelton_decision::publish::publish;
use pelton_decision::{Error, ErrorCode, Generation};
use tempfile::TempDir;

use super::flights::models;

/// Why a code is given, what to do, and where its message comes from.
struct Entry {
    code: ErrorCode,
    cause: &'static str,
    fix: &'static str,
    message: Message,
    /// `file::test`, below the project's root: where more is asserted about it.
    test: &'static str,
}

/// Where the message of an entry comes from.
enum Message {
    /// From making the mistake.
    Provoked(fn() -> Error),
    /// It cannot be provoked here: what its test asserts.
    Asserted(&'static str),
}
use Message::{Asserted, Provoked};

const ENTRIES: &[Entry] = &[
    Entry {
        code: ErrorCode::DecisionNotFound,
        cause: "There is no such decision, version or activation.",
        fix: "Correct the path, or `pelton publish` the decision. The message lists what is there.",
        message: Provoked(|| open(&published(DECISION), "fruad", None)),
        test: "rust/decision/src/metadata.rs::an_unknown_decision_names_the_nearest",
    },
    Entry {
        code: ErrorCode::DecisionInvalid,
        cause: "decision.toml or an activation has errors.",
        fix: "Each error is shown at its place, with what was expected; `pelton check` shows all.",
        message: Provoked(|| publish_of(&DECISION.replace("n + n", "n + m"), None)),
        test: "rust/decision/tests/decision/errors.rs::every_error_of_a_file_is_in_one_report",
    },
    Entry {
        code: ErrorCode::ManifestInvalid,
        cause: "MANIFEST.json is missing, torn, or of a newer Pelton.",
        fix: "The version was not published to its end, or was damaged: publish again.",
        message: Provoked(|| damaged("MANIFEST.json", None)),
        test: "rust/decision/src/manifest.rs::a_missing_or_torn_manifest_says_so",
    },
    Entry {
        code: ErrorCode::ManifestMismatch,
        cause: "A file is not the one that was published, or a task sees other files than the planner did.",
        fix: "Versions are never edited: publish the change as a new version.",
        message: Provoked(|| damaged("decision.toml", Some("name = \"other\""))),
        test: "rust/decision/src/manifest.rs::a_changed_file_is_a_mismatch_and_a_grown_one_is_not_read",
    },
    Entry {
        code: ErrorCode::ModelInvalid,
        cause: "`pelton model` was given a file that is no ONNX model, not all of one, or one that contradicts itself.",
        fix: "Export the model again. In a decision the same is a `DECISION_INVALID`, with the place that names the file.",
        message: Asserted(
            "MODEL_INVALID: delay.onnx: not an ONNX file, or not all of it (36 bytes): ...",
        ),
        test: "rust/cli/tests/cli/model.rs::a_file_that_is_no_model_is_told_so",
    },
    Entry {
        code: ErrorCode::ExampleFailed,
        cause: "An example of examples.jsonl does not come out as it says.",
        fix: "Correct the decision or the example; file and line are named.",
        message: Provoked(|| {
            publish_of(
                DECISION,
                Some(r#"{"input": {"n": 2}, "output": {"twice": 5}}"#),
            )
        }),
        test: "rust/cli/tests/cli/check_and_publish.rs::an_example_that_comes_out_otherwise_stops_check_and_publish",
    },
    Entry {
        code: ErrorCode::DimensionInvalid,
        cause: "The file of a dimension has errors, or the dimension does not fit the decision.",
        fix: "Each error is shown at its place; publish the decision again after the dimension has changed.",
        message: Provoked(|| lookup("format = \"csv\"", false)),
        test: "rust/dimension/src/definition/tests.rs::all_errors_of_a_file_are_in_one_report",
    },
    Entry {
        code: ErrorCode::DimensionUnavailable,
        cause: "No Hive partition is ready, or its files cannot be loaded.",
        fix: "Complete the load; write `_SUCCESS` last. May be tried again.",
        message: Provoked(|| lookup("format = \"parquet\"", true)),
        test: "rust/dimension/tests/load.rs::without_a_ready_hive_partition_there_is_no_image",
    },
    Entry {
        code: ErrorCode::KeyMisrouted,
        cause: "A key came to a subtask of a sharded lookup join that does not hold it.",
        fix: "Send keys with Pelton's partitioner, in the dimension's types; or `'sharded' = 'false'`.",
        message: Asserted(
            "KEY_MISROUTED: table `default_catalog`.`default_database`.`planes`: a key of subtask 2 of 4 came to subtask 0: \
             what sends keys here does not do it by the key's group. ...",
        ),
        test: "rust/dimension/tests/lookup.rs::a_key_of_another_subtask_is_an_error",
    },
    Entry {
        code: ErrorCode::ArgumentMismatch,
        cause: "Wrong number or types of arguments or columns, an unknown option, a decision that is not a literal.",
        fix: "The message lists what the decision takes, or what is allowed.",
        message: Provoked(torn_row),
        test: "rust/cli/tests/cli/refusals.rs::all_missing_columns_are_named_with_the_nearest",
    },
    Entry {
        code: ErrorCode::EvaluationFailed,
        cause: "An expression fails on a record: a division by zero, a CAST of what does not parse.",
        fix: "Guard it (`CASE WHEN b <> 0 THEN a / b END`, `TRY_CAST`), or choose `on-error` = null or emit.",
        message: Provoked(|| decide("10 / n AS share", 0)),
        test: "tests/flink/src/test/java/org/pelton/flink/ExpressionErrorsTest.java::evaluationsThatFailInFlinkFailInPelton",
    },
    Entry {
        code: ErrorCode::NullRefused,
        cause: "A NULL where the decision says that there is none: `null = \"error\"`, `missing = \"error\"`, NOT NULL.",
        fix: "`null = \"nan\"` or a number, `missing = \"null\"`, or a column without NOT NULL.",
        message: Provoked(missing_row),
        test: "rust/decision/tests/decision/run.rs::a_miss_is_null_or_the_defaults_or_an_error",
    },
    Entry {
        code: ErrorCode::NotSupported,
        cause: "Something that Pelton does not do.",
        fix: "The message says what it does instead.",
        message: Provoked(|| Metadata::open("s3://bucket/pelton").expect_err("not local")),
        test: "rust/cli/tests/cli/refusals.rs::other_formats_are_refused_by_name",
    },
    Entry {
        code: ErrorCode::OutOfMemory,
        cause: "The machine has no memory for a batch, a row or a dimension.",
        fix: "Give it more, or use smaller batches. May be tried again.",
        message: Provoked(|| {
            generation("n + n AS twice")
                .scratch(1 << 50)
                .map(drop)
                .expect_err("too much")
        }),
        test: "rust/data/src/columns/mod.rs::more_memory_than_there_is_becomes_an_error",
    },
    Entry {
        code: ErrorCode::RowTooLarge,
        cause: "A row of more than 2 GiB.",
        fix: "Pass less: Flink's own rows end there as well.",
        message: Asserted("ROW_TOO_LARGE: a row of 2147483648 bytes; the limit is 2 GiB"),
        test: "rust/data/src/binary_row/tests.rs::the_length_of_a_row_that_does_not_fit_is_known",
    },
    Entry {
        code: ErrorCode::NativeLibrary,
        cause: "The native library is not there for this platform, cannot be loaded, or is of another version than the jar.",
        fix: "The message says where it was looked for; use one version of the jar everywhere.",
        message: Asserted("NATIVE_LIBRARY: the jar is version 0.1.0, the native library is ..."),
        test: "tests/flink/src/test/java/org/pelton/NativeLibraryTest.java::aDirectoryWithoutTheLibraryIsNamed",
    },
    Entry {
        code: ErrorCode::Io,
        cause: "A file cannot be read or written.",
        fix: "The message names it, with the reason of the operating system. May be tried again.",
        message: Provoked(publish_of_nothing),
        test: "rust/cli/tests/cli/refusals.rs::a_missing_file_is_named",
    },
    Entry {
        code: ErrorCode::Panic,
        cause: "A fault of Pelton itself, caught on one record: the process and the next record go on.",
        fix: "Report it, with the message.",
        message: Asserted("PANIC: half way; this is a fault of Pelton, please report it"),
        test: "rust/jni/src/evaluator.rs::a_panic_is_one_failed_record_and_the_next_one_is_decided",
    },
];

const DECISION: &str = "name = \"fraud\"\ninput = \"n BIGINT\"\noutput = \"n + n AS twice\"\n";

fn draft(decision: &str) -> TempDir {
    let draft = tempfile::tempdir().unwrap();
    fs::write(draft.path().join("decision.toml"), decision).unwrap();
    draft
}

fn metadata(home: &TempDir) -> Metadata {
    Metadata::open(home.path().to_str().unwrap()).unwrap()
}

fn published(decision: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    publish(draft(decision).path(), &metadata(&home)).unwrap();
    home
}

fn publish_of(decision: &str, examples: Option<&str>) -> Error {
    let (home, draft) = (tempfile::tempdir().unwrap(), draft(decision));
    if let Some(examples) = examples {
        fs::write(draft.path().join("examples.jsonl"), examples).unwrap();
    }
    let error = publish(draft.path(), &metadata(&home)).unwrap_err();
    shown(error, draft.path(), "DRAFT")
}

fn publish_of_nothing() -> Error {
    let (home, draft) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let error = publish(draft.path(), &metadata(&home)).unwrap_err();
    shown(error, draft.path(), "DRAFT")
}

fn open(home: &TempDir, name: &str, version: Option<u64>) -> Error {
    let uri = home.path().join("decisions").join(name);
    let error = Generation::open(uri.to_str().unwrap(), version).unwrap_err();
    shown(error, home.path(), "METADATA")
}

/// A published version of which a file is gone, or is another.
fn damaged(file: &str, content: Option<&str>) -> Error {
    let home = published(DECISION);
    let path = home.path().join("decisions/fraud/versions/1").join(file);
    match content {
        None => fs::remove_file(path).unwrap(),
        Some(content) => fs::write(path, content).unwrap(),
    }
    open(&home, "fraud", None)
}

/// A decision that looks planes up in a dimension whose Hive partition is not ready.
fn lookup(format: &str, with_decision: bool) -> Error {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("dimensions")).unwrap();
    fs::create_dir_all(home.path().join("planes/dt=2013-01-01")).unwrap();
    let dimension = format!(
        "path = \"planes\"\n{format}\npartition = \"dt DATE\"\ncolumns = \"tailnum STRING, seats INT\"\nkey = [\"tailnum\"]\n"
    );
    fs::write(home.path().join("dimensions/planes.toml"), dimension).unwrap();
    let decision = draft(
        "name = \"fraud\"\ninput = \"t STRING\"\noutput = \"p.seats AS seats\"\n\
         [lookups.p]\ndimension = \"planes\"\nkey = [\"t\"]\n",
    );
    let published = publish(decision.path(), &metadata(&home));
    let error = match with_decision {
        true => return open(&home, "fraud", None),
        false => published.unwrap_err(),
    };
    shown(
        shown(error, decision.path(), "DRAFT"),
        home.path(),
        "METADATA",
    )
}

fn generation(output: &str) -> Generation {
    let decision = DECISION.replace("n + n AS twice", output);
    Generation::open_directory(draft(&decision).path(), None).unwrap()
}

fn decide(output: &str, n: i64) -> Error {
    let generation = generation(output);
    let mut row = [0; 16];
    row[8..].copy_from_slice(&n.to_le_bytes());
    let mut scratch = generation.scratch(1).unwrap();
    generation.decide_row(&mut scratch, &row).unwrap_err()
}

fn torn_row() -> Error {
    let generation = generation("n + n AS twice");
    let mut scratch = generation.scratch(1).unwrap();
    generation.decide_row(&mut scratch, &[0; 9]).unwrap_err()
}

fn missing_row() -> Error {
    let text = "name = \"fraud\"\ninput = \"t STRING\"\noutput = \"p.seats AS seats\"\n\
                [lookups.p]\ndimension = \"planes\"\nkey = [\"t\"]\nmissing = \"error\"\n";
    let metadata = Metadata::open(models().join("metadata").to_str().unwrap()).unwrap();
    let generation = Generation::open_directory(draft(text).path(), Some(&metadata)).unwrap();
    let mut scratch = generation.scratch(1).unwrap();
    generation.decide(&mut scratch, 1).unwrap_err()
}

/// The error with a name in the place of a directory of this test.
fn shown(error: Error, directory: &Path, name: &str) -> Error {
    let message = error.message.replace(directory.to_str().unwrap(), name);
    Error { message, ..error }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery message begins with a code; codes do not change between releases. This page is written by\n\
         `rust/decision/tests/decision/error_matrix.rs`, which makes each mistake and notes what it is told.\n",
    );
    page += "\n| code | cause | what to do |\n|---|---|---|\n";
    for Entry {
        code, cause, fix, ..
    } in ENTRIES
    {
        let anchor = code.as_str().to_lowercase();
        page += &format!("| [`{code}`](#{anchor}) | {cause} | {fix} |\n");
    }
    for entry in ENTRIES {
        let Entry {
            code,
            cause,
            fix,
            test,
            ..
        } = entry;
        let message = match &entry.message {
            Provoked(provoke) => {
                let error = provoke();
                assert_eq!(error.code, *code, "{error}");
                error.to_string()
            }
            Asserted(message) => (*message).to_owned(),
        };
        let retry = if code.is_retryable() {
            " Flink's restart strategy may cure it."
        } else {
            ""
        };
        page += &format!(
            "\n## {code}\n\n{cause}\n\n```\n{message}\n```\n\n**What to do.** {fix}{retry}\n\n**Test.** `{test}`\n"
        );
    }
    page
}

#[test]
fn every_code_is_in_the_page_with_its_message_and_its_test() {
    let listed: Vec<ErrorCode> = ENTRIES.iter().map(|entry| entry.code).collect();
    for code in ErrorCode::ALL {
        assert_eq!(
            listed.iter().filter(|known| **known == code).count(),
            1,
            "{code}"
        );
    }
    let wrong = ENTRIES.iter().filter_map(|entry| {
        let (file, test) = entry.test.split_once("::").unwrap();
        let source = fs::read_to_string(root().join(file)).expect(file);
        (!source.contains(&format!(" {test}("))).then_some(entry.test)
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0], "there is no such test");
    let path = root().join("docs/errors.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(there, page, "run it again with UPDATE_DOCS=1");
}
