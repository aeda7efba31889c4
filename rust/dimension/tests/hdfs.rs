//! Dimensions in HDFS: a NameNode and a DataNode in a process of their own. `make test-hdfs`.

#![cfg(feature = "hdfs")]
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pelton_data::report::Source;
use pelton_dimension::hive;
use pelton_dimension::load::{Wanted, load};
use pelton_dimension::storage::{Location, Settings, Storage};
use pelton_dimension::{Choice, Definition, Error, Groups};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A NameNode that is there as long as this value.
struct Hdfs {
    process: Child,
    uri: String,
    _directory: tempfile::TempDir,
}

impl Hdfs {
    fn start() -> Hdfs {
        let directory = tempfile::tempdir().unwrap();
        let classes = Path::new(ROOT).join("tests/metastore/target");
        let path =
            std::fs::read_to_string(classes.join("classpath")).expect("make test-hdfs writes it");
        let mut process = Command::new("java")
            .arg("-cp")
            .arg(format!("{}:{path}", classes.join("classes").display()))
            .arg("org.pelton.metastore.HdfsServer")
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(classes.join("hdfs.log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut ports =
            lines.filter_map(|line| line.unwrap().strip_prefix("listening ").map(str::to_owned));
        let port = ports.next().expect("see tests/metastore/target/hdfs.log");
        Hdfs {
            process,
            uri: format!("hdfs://localhost:{port}"),
            _directory: directory,
        }
    }

    fn storage(&self, path: &str) -> Storage {
        let location = Location::parse(&format!("{}/{path}", self.uri)).unwrap();
        Storage::new(location, Settings::default()).unwrap()
    }
}

impl Drop for Hdfs {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn planes() -> Definition {
    let file = format!("{ROOT}/models/metadata/dimensions/planes.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    Definition::parse(&Source::new(file, text)).unwrap()
}

#[test]
#[ignore = "needs Hadoop: make test-hdfs"]
fn a_dimension_in_hdfs_is_loaded_as_from_a_disk() {
    let hdfs = Hdfs::start();
    let storage = hdfs.storage("warehouse/planes");
    let connection = storage.connect().unwrap();
    let mut definition = planes();
    let error = hive::choose(&definition, &connection).unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");

    let directory = Path::new(ROOT).join("models/metadata/planes/dt=2013-01-01");
    for file in std::fs::read_dir(directory).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        // Levels with a value that is escaped, as Hive writes them.
        for level in ["dt=2013-01-01", "dt=2012-12-31"] {
            connection
                .write(&format!("{level}/{name}"), bytes.clone())
                .unwrap();
        }
        connection
            .write(&format!("dt=2013-01-01/_temporary/{name}"), bytes)
            .unwrap();
    }
    let wanted = Wanted {
        columns: &["build_year", "seats", "dt"],
        groups: &Groups::whole(),
        held: 0,
    };
    let partitions = hive::choose(&definition, &connection).unwrap();
    let image = load(&definition, &connection, &partitions, &wanted).unwrap();
    assert_eq!(
        (image.rows(), image.hive_partition()),
        (3322, "dt=2013-01-01")
    );
    assert_eq!(
        connection.show(&partitions[0].path),
        format!("{}/warehouse/planes/dt=2013-01-01", hdfs.uri)
    );

    definition.choice = Choice::All;
    assert_eq!(hive::choose(&definition, &connection).unwrap().len(), 2);
    definition.choice = Choice::Latest;
    // Once more, by a client of its own: the runtime of the first one is gone.
    drop(connection);
    let connection = storage.connect().unwrap();
    assert_eq!(hive::choose(&definition, &connection).unwrap(), partitions);
    // Overwritten in place.
    let file = &partitions[0].files[0];
    connection.write(&file.path, "other bytes").unwrap();
    let error = hive::check_unchanged(&definition, &connection, &partitions).unwrap_err();
    assert!(matches!(error, Error::Changed(_)), "{error}");
}

#[test]
#[ignore = "needs Hadoop: make test-hdfs"]
fn a_name_node_that_is_not_there_is_an_error_with_its_name() {
    let location = Location::parse("hdfs://localhost:1/warehouse").unwrap();
    let storage = Storage::new(location, Settings::default()).unwrap();
    let error = hive::choose(&planes(), &storage.connect().unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot list hdfs://localhost:1/warehouse: "),
        "{error}"
    );
}
