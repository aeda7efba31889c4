use std::time::Duration;

use pelton_data::DataType;

use super::*;
use crate::metastore::{Server, Transport};
use crate::policy::Initial;

const WEATHER: &str = r#"
path      = "weather"
format    = "parquet"
partition = "dt DATE"
columns   = "origin STRING, obs_hour TIMESTAMP(3), wind_speed DOUBLE"
key       = ["origin", "obs_hour"]
"#;

fn parse(text: &str) -> Result<Definition, String> {
    let source = Source::new("metadata/dimensions/weather.toml", text);
    Definition::parse(&source).map_err(|report| report.to_string())
}

/// The definition with one more line.
fn with(line: &str) -> Result<Definition, String> {
    parse(&format!("{WEATHER}{line}\n"))
}

/// The definition with one line of it changed.
fn changed(from: &str, to: &str) -> Result<Definition, String> {
    assert!(WEATHER.contains(from));
    parse(&WEATHER.replace(from, to))
}

#[test]
fn a_definition_is_read_with_its_defaults() {
    let definition = parse(WEATHER).unwrap();
    assert_eq!(definition.name, "weather");
    assert_eq!(definition.path, Location::Relative("weather".to_owned()));
    assert_eq!(definition.format, Format::Parquet);
    assert_eq!(definition.time_zone, Tz::UTC);
    assert_eq!(definition.duplicates, Duplicates::Error);
    assert_eq!(definition.policy, Policy::default());
    assert_eq!(definition.budget, None);
    assert_eq!(definition.key, ["origin", "obs_hour"]);
    let columns: Vec<String> = definition.columns.iter().map(Field::to_string).collect();
    let expected = [
        "`origin` STRING",
        "`obs_hour` TIMESTAMP(3)",
        "`wind_speed` DOUBLE",
        "`dt` DATE",
    ];
    assert_eq!(columns, expected);
    assert_eq!(definition.choice, Choice::Latest);
    assert_eq!(definition.ready, Ready::Marker("_SUCCESS".to_owned()));
    assert_eq!(definition.min_rows, 0);
    let keys: Vec<_> = definition
        .key_columns()
        .map(|field| &field.data_type)
        .collect();
    assert_eq!(keys, [&DataType::STRING, &DataType::Timestamp(3)]);
}

#[test]
fn all_errors_of_a_file_are_in_one_report() {
    let text = r#"
path      = "../weather"
fromat    = "parquet"
partition = "dt FLOAT"
columns   = "origin STRNG, wind_speed DOUBLE, x"
key       = [7]
choice    = "newest"
budget    = "2 GB"
time_zone = "Berlin"
min_rows  = "7"
keep      = 3
"#;
    let report = parse(text).unwrap_err();
    for part in [
        "weather.toml:2:13: `path`: \"../weather\" leaves the metadata directory",
        "weather.toml: `format` is missing",
        "weather.toml:3:1: unknown key `fromat`",
        "did you mean `format`?",
        "weather.toml:4:13: `partition`: `dt` cannot be FLOAT",
        "weather.toml:5:21: unknown type `STRNG`",
        "weather.toml:5:47: column `x` has no type",
        "weather.toml:6:14: `key` is the integer 7",
        "weather.toml:7:13: `choice`: `newest` is no Hive partition",
        "weather.toml:8:13: `budget` cannot be \"2 GB\"",
        "expected a whole number with a unit as in \"2 GiB\": B, KiB, MiB, GiB, TiB",
        "weather.toml:9:13: `time_zone`: there is no \"Berlin\"",
        "weather.toml:10:13: `min_rows` is the string \"7\"",
        "weather.toml:11:13: `keep` belongs to `choice = \"as_of\"`",
    ] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
}

#[test]
fn the_key_is_made_of_columns_that_can_be_compared() {
    for (key, message) in [
        ("[\"orgin\"]", "`key`: there is no column `orgin`"),
        ("[\"orgin\"]", "did you mean `origin`?"),
        ("[\"origin\", \"origin\"]", "`key` names `origin` twice"),
        (
            "[\"dt\"]",
            "`key`: `dt` is a directory level, the same in all rows",
        ),
        ("[\"wind_speed\"]", "`key`: `wind_speed` cannot be DOUBLE"),
        ("[]", "`key` names no column"),
        ("\"origin\"", "`key` is the string \"origin\""),
    ] {
        let error = changed("[\"origin\", \"obs_hour\"]", key).unwrap_err();
        assert!(error.contains(message), "{message} in\n{error}");
    }
    let error = changed("wind_speed DOUBLE", "dt DATE").unwrap_err();
    assert!(
        error.contains("`dt` is a column and a directory level"),
        "{error}"
    );
    let error = changed("origin STRING", "origin ARRAY<INT>").unwrap_err();
    assert!(
        error.contains("`key`: `origin` cannot be ARRAY<INT>"),
        "{error}"
    );
}

#[test]
fn what_is_not_there_yet_is_refused_by_name() {
    for (line, message) in [
        ("ready = \"../x\"", "`ready`: \"../x\" is no name of a file"),
        ("min_rows = -1", "`min_rows` is the integer -1"),
    ] {
        let error = with(line).unwrap_err();
        assert!(error.contains(message), "{message} in\n{error}");
    }
}

#[test]
fn a_metastore_is_named_with_its_table() {
    let definition = with(
        "ready = \"metastore\"\nmetastore = \"thrift://a:9083,thrift://b\"\ntable = \"db.weather\"\n\
         transport = \"framed\"\nlocations = [\"/old\", \"s3://bucket/old\"]",
    )
    .unwrap();
    let server = |host: &str| Server {
        host: host.to_owned(),
        port: 9083,
    };
    let metastore = Metastore {
        servers: vec![server("a"), server("b")],
        database: "db".to_owned(),
        table: "weather".to_owned(),
        transport: Transport::Framed,
    };
    assert_eq!(definition.ready, Ready::Metastore(metastore));
    let locations: Vec<String> = definition.locations.iter().map(|l| l.to_string()).collect();
    assert_eq!(locations, ["/old", "s3://bucket/old"]);
}

#[test]
fn all_errors_about_a_metastore_are_in_one_report() {
    let report = with(
        "ready = \"metastore\"\nmetastore = \"hive:9083\"\ntable = \"weather\"\n\
         transport = \"sasl\"\nlocations = [\"gs://x/y\", \"../z\"]",
    )
    .unwrap_err();
    for part in [
        "`metastore`: \"hive:9083\" is no metastore",
        "expected \"thrift://HOST:PORT\", or several with commas between them",
        "`table`: \"weather\" is no name of a table",
        "expected \"database.table\"",
        "`transport`: \"sasl\" is not supported",
        "Kerberos (SASL)",
        "`locations`: files at gs:// are not supported",
        "`locations`: \"../z\" leaves the metadata directory",
    ] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
    let report = with("ready = \"metastore\"").unwrap_err();
    for part in ["`metastore` is missing", "`table` is missing"] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
    let report = with("table = \"db.weather\"\nlocations = [\"/old\"]").unwrap_err();
    for part in [
        "`table` belongs to `ready = \"metastore\"`",
        "`locations` belongs to `ready = \"metastore\"`",
    ] {
        assert!(report.contains(part), "{part} in\n{report}");
    }
}

#[test]
fn what_we_do_can_be_said() {
    let lines = "initial = \"fail\"\nduplicates = \"error\"\nmin_rows = 1\n\
                 ready = \"DONE\"\nchoice = \"dt=2013-01-02\"";
    let definition = with(lines).unwrap();
    assert_eq!(
        definition.choice,
        Choice::Pinned(vec![Some(Value::Date(15_707))])
    );
    assert_eq!(
        (definition.min_rows, definition.ready),
        (1, Ready::Marker("DONE".to_owned()))
    );
    for (choice, message) in [
        (
            "dt=2013-02-30",
            "`dt=2013-02-30`: \"2013-02-30\" is no DATE",
        ),
        ("newest", "`newest` is no Hive partition `dt=<DATE>`"),
        ("dt=2013-01-02/hour=1", "does not have the levels `dt=...`"),
    ] {
        let error = with(&format!("choice = {choice:?}")).unwrap_err();
        assert!(error.contains(message), "{message} in\n{error}");
    }
}

/// The definition that the lines make of it, whether what they say is acted on or not.
fn read_with(lines: &str) -> Result<Definition, String> {
    let text = format!("{WEATHER}{lines}\n");
    let source = Source::new("weather.toml", text);
    let mut report = Report::new(source.clone());
    let document = Document::parse(&source, &mut report);
    let mut root = Section::new(&document.root, "");
    let definition = read(&source, &mut root, &mut report);
    let wrong: Vec<String> = report
        .diagnostics()
        .iter()
        .filter(|diagnostic| !diagnostic.message.ends_with("is not supported yet"))
        .map(|diagnostic| diagnostic.message.clone())
        .collect();
    definition
        .filter(|_| wrong.is_empty())
        .ok_or_else(|| wrong.join("; "))
}

#[test]
fn every_field_is_read() {
    let definition = read_with(
        "refresh = \"5 min\"\nmax_staleness = \"3 d\"\nbudget = \"2 GiB\"\nmax_shrink = \"50 %\"\n\
         initial = \"wait 10 min\"\nduplicates = \"all\"\nfsst = [\"origin\"]\n\
         time_zone = \"Europe/Berlin\"\nchoice = \"as_of\"\nperiod = \"1 d\"\n\
         available_after = \"2 h\"\nkeep = 5\nlate = \"previous\"",
    )
    .unwrap();
    let policy = Policy {
        refresh: Duration::from_secs(300),
        initial: Initial::Wait(Duration::from_secs(600)),
        max_staleness: Some(Duration::from_secs(3 * 86_400)),
        max_shrink: Some(0.5),
    };
    assert_eq!(definition.policy, policy);
    assert_eq!(definition.budget, Some(2 << 30));
    assert_eq!(definition.duplicates, Duplicates::All);
    assert_eq!(definition.fsst, ["origin"]);
    assert_eq!(definition.time_zone, Tz::Europe__Berlin);
    let as_of = AsOf {
        period: Duration::from_secs(86_400),
        available_after: Duration::from_secs(7_200),
        keep: 5,
        late: Late::Previous,
    };
    assert_eq!(definition.choice, Choice::AsOf(as_of));
}

#[test]
fn values_out_of_range_are_errors() {
    for (lines, message) in [
        ("refresh = \"0 s\"", "`refresh` is the string \"0 s\""),
        ("max_shrink = \"150 %\"", "`max_shrink` cannot be \"150 %\""),
        ("initial = \"wait\"", "`initial` cannot be \"wait\""),
        ("duplicates = \"any\"", "`duplicates` cannot be \"any\""),
        ("fsst = [\"orgin\"]", "`fsst`: there is no column `orgin`"),
        (
            "fsst = [\"wind_speed\"]",
            "`fsst`: `wind_speed` cannot be DOUBLE",
        ),
        ("choice = \"as_of\"", "`period` is missing"),
        (
            "choice = \"as_of\"\nperiod = \"1 d\"\nkeep = 0",
            "`keep` is the integer 0",
        ),
        (
            "choice = \"as_of\"\nperiod = \"1 d\"\nlate = \"x\"",
            "`late` cannot be \"x\"",
        ),
        (
            "choice = \"as_of\"\nperiod = \"0 d\"",
            "`period` is the string \"0 d\"",
        ),
    ] {
        let error = read_with(lines).unwrap_err();
        assert!(error.contains(message), "{message} in\n{error}");
    }
    let no_time = WEATHER.replace("dt DATE", "dt STRING");
    let error = parse(&format!("{no_time}choice = \"as_of\"\nperiod = \"1 d\"\n")).unwrap_err();
    assert!(
        error.contains("`choice = \"as_of\"` needs a time"),
        "{error}"
    );
}
