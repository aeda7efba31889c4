//! What is chosen, loaded and refused of what a metastore says.

use std::fs;

use pelton_dimension::Error;
use pelton_dimension::hive::{self, HivePartition};
use pelton_dimension::storage::{Settings, Storage};

use crate::played::{Known, Partition, Played};
use crate::warehouse::Warehouse;

/// Three days, two of which the metastore knows; the older one lies elsewhere.
fn three_days() -> (Warehouse, Played) {
    let warehouse = Warehouse::new();
    warehouse.write("planes/dt=2013-01-03/part-0", &[30]);
    warehouse.write("planes/dt=2013-01-02/part-0", &[20, 21]);
    warehouse.write("elsewhere/old/part-0", &[10]);
    let mut known = Known::table(warehouse.uri("planes"), &["dt"]);
    known.partitions = vec![
        Partition::at("dt=2013-01-02", warehouse.uri("planes/dt=2013-01-02")),
        Partition::at("dt=2013-01-01", warehouse.uri("elsewhere/old")),
    ];
    (warehouse, Played::start(known))
}

const LEVEL: &str = "partition = 'dt DATE'";

fn names(found: &[HivePartition]) -> Vec<&str> {
    found.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn a_hive_partition_is_ready_when_the_metastore_knows_it() {
    let (warehouse, played) = three_days();
    let definition = warehouse.definition(&played.uri, LEVEL);
    let found = warehouse.choose(&definition).unwrap();
    assert_eq!(names(&found), ["dt=2013-01-02"]);
    assert_eq!(found[0].files.len(), 1);
    let image = warehouse.load(&definition).unwrap();
    assert_eq!((image.rows(), image.hive_partition()), (2, "dt=2013-01-02"));
    let added = Partition::at("dt=2013-01-03", warehouse.uri("planes/dt=2013-01-03"));
    played.known.lock().unwrap().partitions.push(added);
    let image = warehouse.load(&definition).unwrap();
    assert_eq!((image.rows(), image.hive_partition()), (1, "dt=2013-01-03"));
}

/// In Hive the level may be a STRING.
#[test]
fn values_that_are_equal_in_the_declared_type_have_their_own_places() {
    let warehouse = Warehouse::new();
    let hours = ["hour=7", "hour=07"];
    let mut known = Known::table(warehouse.uri("planes"), &["hour"]);
    for (hour, ids) in hours.iter().zip([&[70, 71][..], &[72]]) {
        warehouse.write(&format!("planes/{hour}/part-0"), ids);
        let place = warehouse.uri(&format!("planes/{hour}"));
        known.partitions.push(Partition::at(hour, place));
    }
    let played = Played::start(known);
    let lines = "partition = 'hour INT'\nchoice = 'all'";
    let definition = warehouse.definition(&played.uri, lines);
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 3);
}

#[test]
fn hive_partitions_elsewhere_are_read_where_that_is_allowed() {
    let (warehouse, played) = three_days();
    for choice in ["all", "dt=2013-01-01"] {
        let lines = format!("{LEVEL}\nchoice = '{choice}'");
        let error = warehouse
            .choose(&warehouse.definition(&played.uri, &lines))
            .unwrap_err();
        let message = format!(
            "the metastore says that dt=2013-01-01 lies at {}, which is outside of {}; to read there, \
             add a directory above it to `locations`",
            warehouse.uri("elsewhere/old"),
            warehouse.path("planes").display()
        );
        assert_eq!(error, Error::Invalid(message));
        let lines = format!(
            "{lines}\nlocations = ['{}']",
            warehouse.path("elsewhere").display()
        );
        let image = warehouse
            .load(&warehouse.definition(&played.uri, &lines))
            .unwrap();
        assert_eq!(image.rows(), if choice == "all" { 3 } else { 1 });
    }
    let lines = format!(
        "{LEVEL}\nlocations = ['{}']",
        warehouse.path("missing").display()
    );
    let error = warehouse
        .choose(&warehouse.definition(&played.uri, &lines))
        .unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn of_many_only_those_that_are_chosen_are_asked_for() {
    let warehouse = Warehouse::new();
    let mut known = Known::table(warehouse.uri("planes"), &["n", "city"]);
    for n in 0..250 {
        let name = format!("n={n}/city=S%C3%A3o %3A");
        let mut partition = Partition::at(&name, warehouse.uri(&format!("planes/{name}")));
        partition.values = vec![n.to_string(), "São :".to_owned()];
        known.partitions.push(partition);
        warehouse.write(&format!("planes/{name}/part-0"), &[n]);
    }
    let played = Played::start(known);
    let calls = |choice: &str| {
        let lines = format!("partition = 'n INT, city STRING'\nchoice = '{choice}'");
        played.calls.lock().unwrap().clear();
        let definition = warehouse.definition(&played.uri, &lines);
        let found = warehouse.choose(&definition).unwrap();
        assert!(found.iter().all(|one| one.files.len() == 1));
        (found.len(), played.calls.lock().unwrap().len())
    };
    assert_eq!(calls("latest"), (1, 3), "table, names, one chunk");
    assert_eq!(calls("all"), (250, 5), "table, names, three chunks");
    assert_eq!(calls("n=249/city=S%C3%A3o %3A"), (1, 3));
}

#[test]
fn a_table_without_levels_is_one_hive_partition() {
    let warehouse = Warehouse::new();
    warehouse.write("planes/000000_0", &[1, 2, 3]);
    let played = Played::start(Known::table(warehouse.uri("planes"), &[]));
    let image = warehouse
        .load(&warehouse.definition(&played.uri, ""))
        .unwrap();
    assert_eq!((image.rows(), image.hive_partition()), (3, ""));
}

#[test]
fn what_changes_while_it_is_loaded_is_a_change() {
    let (warehouse, played) = three_days();
    let definition = warehouse.definition(&played.uri, LEVEL);
    let storage = Storage::of(&definition, warehouse.root.path(), Settings::default()).unwrap();
    let connection = storage.connect().unwrap();
    let found = hive::choose(&definition, &connection).unwrap();
    hive::check_unchanged(&definition, &connection, &found).unwrap();
    // Moved, with the same rows.
    fs::create_dir_all(warehouse.path("planes/other")).unwrap();
    fs::copy(
        warehouse.path("planes/dt=2013-01-02/part-0"),
        warehouse.path("planes/other/part-0"),
    )
    .unwrap();
    played.known.lock().unwrap().partitions[0].location = warehouse.uri("planes/other");
    let error = hive::check_unchanged(&definition, &connection, &found).unwrap_err();
    assert!(matches!(error, Error::Changed(_)), "{error}");
    let found = hive::choose(&definition, &connection).unwrap();
    assert_eq!(found[0].files[0].path, "other/part-0");
    // Dropped.
    played.known.lock().unwrap().partitions.remove(0);
    let error = hive::check_unchanged(&definition, &connection, &found).unwrap_err();
    assert!(matches!(error, Error::Changed(_)), "{error}");
}

#[test]
fn a_metastore_before_hive_2_3_is_asked_as_it_understands() {
    let (warehouse, played) = three_days();
    played.known.lock().unwrap().old = true;
    let definition = warehouse.definition(&played.uri, LEVEL);
    assert_eq!(warehouse.choose(&definition).unwrap().len(), 1);
    assert_eq!(
        played.calls.lock().unwrap()[..2],
        ["get_table_req", "get_table"]
    );
}

#[test]
fn messages_may_come_in_frames() {
    let (warehouse, played) = three_days();
    played.known.lock().unwrap().framed = true;
    let lines = format!("{LEVEL}\ntransport = 'framed'");
    let definition = warehouse.definition(&played.uri, &lines);
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 2);
}

#[test]
fn another_server_is_asked_where_the_first_cannot_be_reached() {
    let (warehouse, played) = three_days();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let gone = format!("thrift://127.0.0.1:{port}");
    let definition = warehouse.definition(&format!("{gone}, {}", played.uri), LEVEL);
    assert_eq!(warehouse.load(&definition).unwrap().rows(), 2);
    let error = warehouse
        .load(&warehouse.definition(&gone, LEVEL))
        .unwrap_err();
    assert_eq!(error.code(), "DIMENSION_UNAVAILABLE");
    let start = format!("cannot reach the metastore {gone}: ");
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn tables_that_are_no_files_or_other_files_are_refused_by_name() {
    type Change = fn(&mut Known);
    let changes: [(Change, &str); 8] = [
        (
            |t| t.kind = "VIRTUAL_VIEW".to_owned(),
            "is a view (VIRTUAL_VIEW)",
        ),
        (
            |t| {
                t.parameters
                    .push(("transactional".to_owned(), "true".to_owned()))
            },
            "is transactional, which is not supported",
        ),
        (
            |t| {
                t.parameters
                    .push(("table_type".to_owned(), "ICEBERG".to_owned()))
            },
            "is a table of ICEBERG",
        ),
        (
            |t| {
                t.parameters
                    .push(("spark.sql.sources.provider".to_owned(), "delta".to_owned()))
            },
            "is a table of delta",
        ),
        (
            |t| t.levels.push("hour".to_owned()),
            "has the levels (dt, hour), but `partition` declares (dt)",
        ),
        (
            |t| {
                t.partitions[0].input_format =
                    "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat".to_owned()
            },
            "dt=2013-01-02 is read by org.apache.hadoop.hive.ql.io.orc.OrcInputFormat, which does not \
             fit `format = \"parquet\"`",
        ),
        (
            |t| t.partitions[0].location = "viewfs://cluster/x".to_owned(),
            "lies at \"viewfs://cluster/x\": files at viewfs:// are not supported",
        ),
        (
            |t| t.partitions[0].name = "dt=tomorrow".to_owned(),
            "\"tomorrow\" is no DATE",
        ),
    ];
    for (change, message) in changes {
        let (warehouse, played) = three_days();
        change(&mut played.known.lock().unwrap());
        let definition = warehouse.definition(&played.uri, LEVEL);
        let error = warehouse.choose(&definition).unwrap_err();
        assert_eq!(error.code(), "DIMENSION_INVALID", "{error}");
        assert!(error.to_string().contains(message), "{message} in {error}");
    }
}

#[test]
fn what_the_metastore_does_not_have_may_come() {
    let (warehouse, played) = three_days();
    let mut definition = warehouse.definition(&played.uri, LEVEL);
    played.known.lock().unwrap().partitions.clear();
    let error = warehouse.choose(&definition).unwrap_err();
    let expected = format!(
        "no Hive partition is ready: the table flights.planes of the metastore {} has none that is chosen",
        played.uri
    );
    assert_eq!(error, Error::Unavailable(expected));
    let pelton_dimension::definition::Ready::Metastore(metastore) = &mut definition.ready else {
        panic!("{:?}", definition.ready);
    };
    metastore.table = "plains".to_owned();
    let error = warehouse.choose(&definition).unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    let message =
        "for the table flights.plains: get_table_req: it says: flights.plains table not found";
    assert!(error.to_string().ends_with(message), "{error}");
}
