//! Dimensions in an S3-compatible store: moto, a server in its own process (`tests/requirements.txt`).

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pelton_data::report::Source;
use pelton_dimension::hive;
use pelton_dimension::load::{Wanted, load};
use pelton_dimension::source::{Scan, Selection};
use pelton_dimension::storage::{DataFile, Location, Settings, Storage};
use pelton_dimension::{Choice, Definition, Groups};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const BUCKET: &str = "features";

/// A server that is there as long as this value.
struct Server {
    process: Child,
    endpoint: String,
}

impl Server {
    fn start() -> Server {
        let program = Path::new(ROOT).join("tests/.venv/bin/moto_server");
        assert!(
            program.exists(),
            "missing: moto, the S3 server of the tests: python3 -m venv tests/.venv && \
             tests/.venv/bin/pip install -r tests/requirements.txt"
        );
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let endpoint = lines.find_map(|line| {
            let (_, endpoint) = line.split_once("Running on ")?;
            Some(endpoint.trim().to_owned())
        });
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let endpoint = endpoint.unwrap();
        // A bucket that moto's first request makes is made by a plain PUT.
        let server = Server { process, endpoint };
        server.put(BUCKET);
        server
    }

    /// Makes a bucket, or an empty object whose name may end in a slash.
    fn put(&self, path: &str) {
        use std::io::{Read, Write};
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(
            stream,
            "PUT /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn settings(&self) -> Settings {
        Settings::new([
            ("s3.endpoint", self.endpoint.as_str()),
            ("s3.access-key", "test"),
            ("s3.secret-key", "test"),
            ("s3.path.style.access", "true"),
            ("s3.region", "us-east-1"),
        ])
    }

    fn storage(&self, path: &str) -> Storage {
        let location = Location::parse(&format!("s3://{BUCKET}/{path}")).unwrap();
        Storage::new(location, self.settings()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn definition(name: &str) -> Definition {
    let file = format!("{ROOT}/models/metadata/dimensions/{name}.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    Definition::parse(&Source::new(file, text)).unwrap()
}

/// Puts the directory of a dimension of the flights into the store.
fn upload(storage: &Storage, dimension: &str) {
    let connection = storage.connect().unwrap();
    let directory = Path::new(ROOT).join("models/metadata").join(dimension);
    for partition in std::fs::read_dir(directory).unwrap() {
        let partition = partition.unwrap();
        for file in std::fs::read_dir(partition.path()).unwrap() {
            let file = file.unwrap();
            let name = [partition.file_name(), file.file_name()].map(|n| n.into_string().unwrap());
            connection
                .write(&name.join("/"), std::fs::read(file.path()).unwrap())
                .unwrap();
        }
    }
}

#[test]
fn a_dimension_in_a_bucket_is_loaded_as_from_a_disk() {
    let server = Server::start();
    let storage = server.storage("warehouse/planes");
    upload(&storage, "planes");
    let definition = definition("planes");
    let connection = storage.connect().unwrap();
    let partitions = hive::choose(&definition, &connection).unwrap();
    let wanted = Wanted {
        columns: &["build_year", "manufacturer", "seats", "dt"],
        groups: &Groups::whole(),
        held: 0,
    };
    let image = load(&definition, &connection, &partitions, &wanted).unwrap();
    assert_eq!(
        (image.rows(), image.hive_partition()),
        (3322, "dt=2013-01-01")
    );

    let mut all = definition.clone();
    all.choice = Choice::All;
    assert_eq!(hive::choose(&all, &connection).unwrap(), partitions);
    // Once more, by a client of its own: the runtime of the first one is gone.
    drop(connection);
    let connection = storage.connect().unwrap();
    assert_eq!(hive::choose(&definition, &connection).unwrap(), partitions);
}

/// Consoles of stores, and Hadoop, make an empty object of each directory's name.
#[test]
fn objects_that_stand_for_directories_are_none() {
    let server = Server::start();
    let storage = server.storage("warehouse/planes");
    upload(&storage, "planes");
    for directory in ["", "dt=2013-01-01/", "dt=2013-01-02/"] {
        server.put(&format!("{BUCKET}/warehouse/planes/{directory}"));
    }
    let connection = storage.connect().unwrap();
    let mut definition = definition("planes");
    for choice in [Choice::Latest, Choice::All] {
        definition.choice = choice;
        let partitions = hive::choose(&definition, &connection).unwrap();
        let names: Vec<&str> = partitions.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["dt=2013-01-01"]);
        let files: Vec<&str> = partitions[0]
            .files
            .iter()
            .map(DataFile::file_name)
            .collect();
        assert_eq!(files, ["planes.parquet"]);
    }
}

#[test]
fn an_object_that_changes_after_it_was_listed_is_an_error() {
    let server = Server::start();
    let storage = server.storage("planes");
    upload(&storage, "planes");
    let definition = definition("planes");
    let connection = storage.connect().unwrap();
    let partitions = hive::choose(&definition, &connection).unwrap();
    let file = partitions[0].files[0].clone();
    let whole = std::iter::once(0..file.size).collect::<Vec<_>>();
    let bytes = connection.read(&file, &whole).unwrap().remove(0);
    let mut other = bytes.to_vec();
    other[100] ^= 1;
    connection.write(&file.path, other).unwrap();
    let mut selection = Selection::new();
    selection.add(&definition, "seats").unwrap();
    let scan = Scan::new(&definition, &connection, &partitions);
    let error = scan
        .pass(&selection, |_, _| Ok(()))
        .unwrap_err()
        .to_string();
    let place = format!("s3://{BUCKET}/planes/{}", file.path);
    assert_eq!(
        error,
        format!("cannot read {place}: it was changed after it was listed")
    );
}

#[test]
fn a_bucket_that_is_not_there_and_a_server_that_is_gone_are_errors_with_their_place() {
    let server = Server::start();
    let location = Location::parse("s3://nobody/planes").unwrap();
    let storage = Storage::new(location, server.settings()).unwrap();
    let definition = definition("planes");
    let error = hive::choose(&definition, &storage.connect().unwrap()).unwrap_err();
    assert_eq!(error.code(), "DIMENSION_UNAVAILABLE", "{error}");
    assert!(
        error
            .to_string()
            .starts_with("cannot list s3://nobody/planes"),
        "{error}"
    );
}

/// As S3 does: `InvalidAccessKeyId` and `SignatureDoesNotMatch` repeat what came.
#[test]
fn credentials_that_a_store_refuses_are_in_no_message() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let body = "<Error><Code>InvalidAccessKeyId</Code>\
                        <AWSAccessKeyId>AKIAOFTHETEST</AWSAccessKeyId><x>hush-hush</x></Error>";
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let settings = Settings::new([
        ("s3.endpoint", endpoint.as_str()),
        ("s3.access-key", "AKIAOFTHETEST"),
        ("s3.secret-key", "hush-hush"),
        ("s3.path.style.access", "true"),
    ]);
    let location = Location::parse("s3://features/planes").unwrap();
    let storage = Storage::new(location, settings).unwrap();
    let connection = storage.connect().unwrap();
    let error = connection.list("").unwrap_err().to_string();
    assert!(error.contains("InvalidAccessKeyId"), "{error}");
    assert!(error.contains("<AWSAccessKeyId>***<"), "{error}");
    assert!(!error.contains("hush"), "{error}");
    assert!(!format!("{storage:?} {connection:?}").contains("hush"));
}
