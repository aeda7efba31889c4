use std::collections::HashSet;

use pelton_data::report::Source;

use super::*;
use crate::storage::{Location, Settings, Storage};

/// A dimension of these directory levels; of `as_of`, two Hive partitions are held.
fn definition(partition: &str, choice: &str) -> Definition {
    let text = format!(
        "path = 'weather'\nformat = 'parquet'\ncolumns = 'id INT'\nkey = ['id']\n\
         partition = '{partition}'\n"
    );
    let mut definition = Definition::parse(&Source::new("weather.toml", text)).unwrap();
    definition.choice = match choice {
        "latest" => Choice::Latest,
        "all" => Choice::All,
        "as_of" => Choice::AsOf(crate::definition::AsOf {
            period: std::time::Duration::from_secs(86_400),
            available_after: std::time::Duration::ZERO,
            keep: 2,
            late: crate::definition::Late::Wait,
        }),
        pinned => Choice::Pinned(parse_path(pinned, &definition.partition).unwrap()),
    };
    definition
}

/// What is chosen of these files on a local disk and in memory: the same, or the same error but
/// for the directory's name.
#[track_caller]
fn chosen(definition: &Definition, paths: &[&str]) -> Result<Vec<HivePartition>, Error> {
    let root = tempfile::tempdir().unwrap();
    let local = Location::Local(root.path().to_owned());
    let local = Storage::new(local, Settings::default()).unwrap();
    let results = [local, Storage::in_memory()].map(|storage| {
        let connection = storage.connect().unwrap();
        for path in paths {
            connection.write(path, "x").unwrap();
        }
        choose(definition, &connection).map_err(|error| {
            let text = error.to_string().replace(&storage.to_string(), "ROOT");
            (error, text)
        })
    });
    let names = |result: &Result<Vec<HivePartition>, (Error, String)>| match result {
        Ok(found) => Ok(found.iter().map(shown).collect::<Vec<_>>()),
        Err((_, text)) => Err(text.clone()),
    };
    assert_eq!(names(&results[0]), names(&results[1]));
    let [of_disk, _] = results;
    of_disk.map_err(|(error, _)| error)
}

fn shown(partition: &HivePartition) -> (String, Vec<String>) {
    let files = partition.files.iter().map(|file| file.path.clone());
    (partition.name.clone(), files.collect())
}

#[track_caller]
fn names(definition: &Definition, paths: &[&str]) -> Vec<String> {
    let found = chosen(definition, paths).unwrap();
    found.into_iter().map(|partition| partition.name).collect()
}

#[test]
fn the_newest_is_the_greatest_value_not_the_last_name() {
    let paths = ["n=9/_SUCCESS", "n=10/_SUCCESS", "n=-11/_SUCCESS"];
    assert_eq!(names(&definition("n INT", "latest"), &paths), ["n=10"]);
    assert_eq!(names(&definition("n STRING", "latest"), &paths), ["n=9"]);
}

#[test]
fn only_a_ready_hive_partition_is_chosen() {
    let paths = [
        "dt=2013-01-01/hour=7/_SUCCESS",
        "dt=2013-01-01/hour=23/_SUCCESS",
        "dt=2013-01-02/hour=0/part-0",
        "dt=__HIVE_DEFAULT_PARTITION__/hour=24/_SUCCESS",
    ];
    let latest = definition("dt DATE, hour INT", "latest");
    let found = chosen(&latest, &paths).unwrap().remove(0);
    assert_eq!(found.name, "dt=2013-01-01/hour=23");
    let values = [Some(Value::Date(15_706)), Some(Value::Integer(23))];
    assert_eq!(found.values, values);
    assert_eq!(found.time(), Some((15_706 * 24 + 23) * HOUR));
    let error = chosen(&latest, &paths[2..3]).unwrap_err();
    assert_eq!(error.code(), "DIMENSION_UNAVAILABLE");
    let text = error.to_string();
    assert!(text.starts_with("no Hive partition is ready in "), "{text}");
    assert!(
        text.ends_with("a ready one holds a file `_SUCCESS`"),
        "{text}"
    );
}

#[test]
fn all_are_chosen_in_the_order_of_their_values() {
    let paths = [
        "n=10/_SUCCESS",
        "n=10/a",
        "n=9/_SUCCESS",
        "n=9/b",
        "n=9/a",
        "n=8/a",
        "n=__HIVE_DEFAULT_PARTITION__/_SUCCESS",
        "_temporary/0/x",
        ".staging/n=7/_SUCCESS",
    ];
    let found = chosen(&definition("n INT", "all"), &paths).unwrap();
    let found: Vec<_> = found.iter().map(shown).collect();
    let expected = [
        ("n=__HIVE_DEFAULT_PARTITION__", vec![]),
        ("n=9", vec!["n=9/a", "n=9/b"]),
        ("n=10", vec!["n=10/a"]),
    ];
    let expected = expected.map(|(name, files)| {
        let files = files.into_iter().map(str::to_owned).collect::<Vec<_>>();
        (name.to_owned(), files)
    });
    assert_eq!(found, expected);
}

#[test]
fn of_as_of_the_newest_are_held() {
    let paths = [
        "dt=2013-01-01/_SUCCESS",
        "dt=2013-01-02/_SUCCESS",
        "dt=2013-01-03/part-0",
        "dt=2013-01-04/_SUCCESS",
        "dt=__HIVE_DEFAULT_PARTITION__/_SUCCESS",
    ];
    let as_of = definition("dt DATE", "as_of");
    assert_eq!(names(&as_of, &paths), ["dt=2013-01-02", "dt=2013-01-04"]);
    // A NULL has no time.
    assert!(chosen(&as_of, &paths[4..]).is_err());
    let hours = [
        "ts=2013-01-01 06%3A00%3A00/_SUCCESS",
        "ts=2013-01-01 07%3A00%3A00/_SUCCESS",
    ];
    let found = chosen(&definition("ts TIMESTAMP(3)", "as_of"), &hours).unwrap();
    let times: Vec<_> = found.iter().map(HivePartition::time).collect();
    assert_eq!(times, [6, 7].map(|hour| Some((15_706 * 24 + hour) * HOUR)));
}

#[test]
fn a_thousand_hive_partitions_are_found() {
    let paths: Vec<String> = (0..1000).map(|n| format!("n={n}/_SUCCESS")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let all = chosen(&definition("n INT", "all"), &paths).unwrap();
    let values: Vec<_> = all
        .iter()
        .map(|partition| partition.values[0].clone())
        .collect();
    let expected: Vec<_> = (0..1000).map(|n| Some(Value::Integer(n))).collect();
    assert_eq!(values, expected);
    assert_eq!(names(&definition("n INT", "latest"), &paths), ["n=999"]);
}

#[test]
fn hidden_files_are_no_data() {
    let paths = [
        "n=1/_SUCCESS",
        "n=1/b",
        "n=1/a",
        "n=1/.a.crc",
        "n=1/_temporary/x",
        "_tmp/x",
        "n=1_$folder$",
    ];
    let found = chosen(&definition("n INT", "latest"), &paths).unwrap();
    let files: Vec<_> = found[0].files.iter().map(DataFile::file_name).collect();
    assert_eq!(files, ["a", "b"]);
}

/// Everything that Hive, Spark, Databricks' committer and object stores leave beside the data.
#[test]
fn a_directory_is_read_as_its_writers_leave_it() {
    let data = [
        "000000_0",
        "000001_0_copy_1",
        "000002_1000.snappy.orc",
        "part-00000-8ff4b1c3-8b5e-4a7a-9d33-1b2c5a1de0a7.c000.snappy.parquet",
        "part-00001-tid-5530-1-c000.zstd.parquet",
    ];
    let beside = [
        "_SUCCESS",
        "._SUCCESS.crc",
        ".part-00000-8ff4b1c3-8b5e-4a7a-9d33-1b2c5a1de0a7.c000.snappy.parquet.crc",
        ".000000_0.crc",
        "_committed_5530",
        "_started_5530",
        "_metadata",
        "_common_metadata",
        "_temporary/0/_temporary/attempt_2013_0001_m_000000_3/part-00000",
        ".hive-staging_hive_2013-01-02_10-00-00_000_1-1/-ext-10000/000000_0",
        ".spark-staging-8ff4b1c3/dt=2013-01-02/part-00000",
        ".DS_Store",
    ];
    let of_table = [
        "_temporary/0/x",
        "_SUCCESS",
        "._SUCCESS.crc",
        ".hive-staging_hive_2013/000000_0",
        "_delta_log_is_hidden/x",
        "dt=2013-01-02_$folder$",
        // Being written: without its marker file.
        "dt=2013-01-03/part-00000",
        "dt=2013-01-03/_temporary/0/x",
    ];
    let inside = data.iter().chain(&beside);
    let mut paths: Vec<String> = inside.map(|name| format!("dt=2013-01-02/{name}")).collect();
    paths.extend(of_table.map(str::to_owned));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for choice in ["latest", "all", "as_of", "dt=2013-01-02"] {
        let found = chosen(&definition("dt DATE", choice), &paths).unwrap();
        assert_eq!(found.len(), 1, "{choice}");
        let files: Vec<_> = found[0].files.iter().map(DataFile::file_name).collect();
        assert_eq!(files, data, "{choice}");
    }
}

#[test]
fn a_table_without_levels_is_one_hive_partition() {
    for choice in ["latest", "all"] {
        let mut definition = definition("n INT", choice);
        definition.partition.clear();
        let found = chosen(&definition, &["_SUCCESS", "part-0"]).unwrap();
        assert_eq!(shown(&found[0]), (String::new(), vec!["part-0".to_owned()]));
    }
}

#[test]
fn names_that_stores_escape_are_found_again() {
    let paths = [
        "city=S%C3%A3o%3A1 %25/_SUCCESS",
        "city=S%C3%A3o%3A1 %25/päärt 0%2F",
    ];
    let found = chosen(&definition("city STRING", "latest"), &paths).unwrap();
    assert_eq!(found[0].values, [Some(Value::Text("São:1 %".to_owned()))]);
    assert_eq!(found[0].files[0].path, paths[1]);
}

#[test]
fn the_pinned_hive_partition_is_chosen_by_value() {
    let pinned = definition("dt DATE, hour INT", "dt=2013-01-01/hour=7");
    let paths = [
        "dt=2013-01-01/hour=07/_SUCCESS",
        "dt=2013-01-02/hour=07/_SUCCESS",
    ];
    assert_eq!(names(&pinned, &paths), ["dt=2013-01-01/hour=07"]);
    let error = chosen(&pinned, &paths[1..]).unwrap_err().to_string();
    assert!(
        error.contains("the pinned Hive partition is not there"),
        "{error}"
    );
}

#[test]
fn what_is_no_hive_partition_is_named() {
    for (path, message) in [
        ("dt=hello/_SUCCESS", "`dt=hello`: \"hello\" is no DATE, in "),
        (
            "day=2013-01-01/_SUCCESS",
            "`day=2013-01-01` is no Hive partition `dt=<DATE>`, in ",
        ),
        ("part-0", "`part-0` is a file among Hive partitions, in "),
        (
            "dt=2013-01-01/hour=1/_SUCCESS",
            "no Hive partition is ready",
        ),
    ] {
        for choice in ["latest", "all"] {
            let error = chosen(&definition("dt DATE", choice), &[path]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
    let paths = ["dt=2013-01-01/_SUCCESS", "dt=2013-01-01/hour=1/x"];
    let error = chosen(&definition("dt DATE", "latest"), &paths)
        .unwrap_err()
        .to_string();
    let message = "hour=1 is a directory, but `partition` declares 1 levels of them";
    assert!(error.ends_with(message), "{error}");
}

#[test]
fn a_changed_file_is_a_change_of_its_hive_partition() {
    let root = tempfile::tempdir().unwrap();
    let local = Location::Local(root.path().to_owned());
    let local = Storage::new(local, Settings::default()).unwrap();
    for (storage, choice) in [
        (local.clone(), "latest"),
        (local, "all"),
        (Storage::in_memory(), "latest"),
        (Storage::in_memory(), "all"),
    ] {
        let definition = definition("n INT", choice);
        let connection = storage.connect().unwrap();
        let mut seen = HashSet::new();
        for (path, content) in [
            ("n=1/_SUCCESS", "x"),
            ("n=1/a", "as long"),
            ("n=1/a", "LONG AS"),
            ("n=1/b", ""),
        ] {
            connection.write(path, content).unwrap();
            let found = choose(&definition, &connection).unwrap();
            check_unchanged(&definition, &connection, &found).unwrap();
            assert!(
                seen.insert(found.clone()) || path == "n=1/_SUCCESS",
                "{path} {content}"
            );
            connection.write("n=1/a", "meanwhile").unwrap();
            let changed = check_unchanged(&definition, &connection, &found).unwrap_err();
            assert!(
                changed
                    .to_string()
                    .contains("n=1 changed while it was loaded"),
                "{changed}"
            );
        }
    }
}
