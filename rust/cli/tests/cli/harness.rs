//! A directory of one's own, a small decision in it, and the binary.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Expressions and rules, no model and no lookup. A NULL `items` is a NULL; 0 is an error.
pub const TRIAGE: &str = r#"
name   = "triage"
input  = """
  id BIGINT NOT NULL, name STRING, amount DOUBLE, items INT, seen TIMESTAMP(3), since DATE, ok BOOLEAN
"""
output = """
  id + 1 AS next_id, share, amount / 3 AS third, UPPER(name) AS upper_name, FLOOR(seen TO HOUR) AS seen_hour,
  since AS on_day, NOT ok AS not_ok, gate.action AS action, gate.rule AS fired_rule
"""
[features]
share = "100 / items"
[rules.gate]
rows = [
  { rule = "nobody", when = "name IS NULL", action = "'ask'" },
  { rule = "blank",  when = "name = ''",    action = "'fix'" },
  { rule = "large",  when = "amount > 99",  action = "'call'" },
]
"#;

pub const TRIAGE_HEADER: &str = "id,name,amount,items,seen,since,ok\n";

/// A directory that goes away with the test.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        Place { directory }
    }

    /// A place with the decision of [`TRIAGE`] in `triage`.
    pub fn with_triage() -> Place {
        let place = Place::new();
        place.write("triage/decision.toml", TRIAGE);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the directory itself.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `pelton` here, with arguments that are separated by spaces.
    pub fn pelton(&self, arguments: &str) -> Output {
        self.pelton_with(arguments.split(' '))
    }

    pub fn pelton_with<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pelton"));
        command.args(arguments).current_dir(self.directory.path());
        command.output().unwrap()
    }

    /// Runs `pelton`, which must succeed; returns what it printed on stdout and on stderr.
    #[track_caller]
    pub fn succeed(&self, arguments: &str) -> (String, String) {
        let output = self.pelton(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "pelton {arguments}\n{stdout}{stderr}"
        );
        (stdout, stderr)
    }

    /// Runs `pelton`, which must fail with exit code 1; returns its stderr.
    #[track_caller]
    pub fn fail(&self, arguments: &str) -> String {
        let output = self.pelton(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(1),
            "pelton {arguments}\n{stderr}"
        );
        stderr
    }

    /// Runs the decision of [`TRIAGE`] over a CSV text and returns the output.
    #[track_caller]
    pub fn triage(&self, csv: &str, arguments: &str) -> String {
        self.write("in.csv", csv);
        self.succeed(&format!(
            "run --decision triage --input in.csv --output out.csv{arguments}"
        ));
        self.read("out.csv")
    }

    pub fn write_parquet(&self, name: &str, batch: &RecordBatch) {
        let file = File::create(self.path(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }
}

/// All rows of a Parquet file.
pub fn read_parquet(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let rows = builder.metadata().file_metadata().num_rows() as usize;
    let mut reader = builder.with_batch_size(rows.max(1)).build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), rows);
    batch
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Copies a directory with all that lies in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
