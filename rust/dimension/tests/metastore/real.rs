//! Hive's own metastore, in a process of its own: `make test-metastore`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::warehouse::Warehouse;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A metastore that is there as long as this value. It does what lines on its input say, by the client
/// that Hive itself uses: `tests/metastore`.
struct Hive {
    process: Child,
    commands: ChildStdin,
    answers: Box<dyn BufRead>,
    uri: String,
}

impl Hive {
    fn start(directory: &Path) -> Hive {
        let classes = Path::new(ROOT).join("tests/metastore/target");
        let path = std::fs::read_to_string(classes.join("classpath"))
            .expect("make test-metastore writes it");
        let mut process = Command::new("java")
            .arg("-cp")
            .arg(format!("{}:{path}", classes.join("classes").display()))
            .arg("org.pelton.metastore.MetastoreServer")
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(classes.join("metastore.log")).unwrap())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let uri = loop {
            let mut line = String::new();
            assert!(
                answers.read_line(&mut line).unwrap() > 0,
                "see tests/metastore/target/metastore.log"
            );
            if let Some(port) = line.strip_prefix("listening ") {
                break format!("thrift://127.0.0.1:{}", port.trim());
            }
        };
        Hive {
            process,
            commands,
            answers: Box::new(answers),
            uri,
        }
    }

    /// A line of words with tabs between them.
    fn tell(&mut self, words: &[&str]) {
        writeln!(self.commands, "{}", words.join("\t")).unwrap();
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            let read = self.answers.read_line(&mut line).unwrap();
            assert!(
                read > 0,
                "{words:?}: see tests/metastore/target/metastore.log"
            );
        }
    }
}

impl Drop for Hive {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "needs Hive: make test-metastore"]
fn a_real_metastore_is_asked() {
    let warehouse = Warehouse::new();
    let home = tempfile::tempdir().unwrap();
    let mut hive = Hive::start(home.path());
    let level = "partition = 'dt DATE, city STRING'";
    let definition = warehouse.definition(&hive.uri, level);
    let error = warehouse.choose(&definition).unwrap_err().to_string();
    assert!(error.contains("get_table_req: it says: "), "{error}");

    hive.tell(&["database", "flights"]);
    hive.tell(&[
        "table",
        "planes",
        &warehouse.uri("planes"),
        "parquet",
        "dt:date,city:string",
    ]);
    let error = warehouse.choose(&definition).unwrap_err().to_string();
    assert!(error.contains("has none that is chosen"), "{error}");

    // As Hive writes them, in Hive's directories.
    for (n, (dt, city)) in [
        ("2013-01-01", "JFK"),
        ("2013-01-02", "São: 1/2"),
        ("2013-01-02", "EWR"),
    ]
    .into_iter()
    .enumerate()
    {
        hive.tell(&["partition", "planes", dt, city]);
        let escaped = city.replace(':', "%3A").replace('/', "%2F");
        let file = format!("planes/dt={dt}/city={escaped}/000000_0");
        warehouse.write(&file, &[n as i64, n as i64 + 10]);
    }
    let latest = warehouse.load(&definition).unwrap();
    assert_eq!(latest.rows(), 2);
    assert_eq!(latest.hive_partition(), "dt=2013-01-02/city=São%3A 1%2F2");
    let all = warehouse.definition(&hive.uri, &format!("{level}\nchoice = 'all'"));
    assert_eq!(warehouse.load(&all).unwrap().rows(), 6);
    let pinned = definition.pinned("dt=2013-01-02/city=EWR").unwrap();
    assert_eq!(
        warehouse.load(&pinned).unwrap().hive_partition(),
        "dt=2013-01-02/city=EWR"
    );

    // Elsewhere, NULL, very many.
    let elsewhere = format!(
        "{level}\nchoice = 'all'\nlocations = ['{}']",
        warehouse.path("old").display()
    );
    warehouse.write("old/x/000000_0", &[100]);
    hive.tell(&[
        "partition",
        "planes",
        "2012-12-31",
        "LGA",
        &warehouse.uri("old/x"),
    ]);
    let error = warehouse.load(&all).unwrap_err().to_string();
    assert!(
        error.contains("add a directory above it to `locations`"),
        "{error}"
    );
    let definition = warehouse.definition(&hive.uri, &elsewhere);
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 7);
    let null = "__HIVE_DEFAULT_PARTITION__";
    hive.tell(&["partition", "planes", "2013-01-03", null]);
    warehouse.write(
        &format!("planes/dt=2013-01-03/city={null}/000000_0"),
        &[200],
    );
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 8);
    hive.tell(&["many", "planes", "1000"]);
    let found = warehouse.choose(&definition).unwrap();
    assert_eq!(found.len(), 1005);
    hive.tell(&["drop", "planes", "2013-01-03", null]);
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 7);
}

#[test]
#[ignore = "needs Hive: make test-metastore"]
fn tables_of_a_real_metastore_are_refused_by_name() {
    let warehouse = Warehouse::new();
    let home = tempfile::tempdir().unwrap();
    let mut hive = Hive::start(home.path());
    hive.tell(&["database", "flights"]);
    hive.tell(&["table", "planes", &warehouse.uri("planes"), "orc", ""]);
    let definition = warehouse.definition(&hive.uri, "");
    let error = warehouse.choose(&definition).unwrap_err().to_string();
    assert!(
        error.contains("OrcInputFormat, which does not fit"),
        "{error}"
    );
}
