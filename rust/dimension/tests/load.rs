//! Images of Parquet files: those of the flights, which pyarrow wrote, and odd ones written here.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use pelton_data::columns::{Columns, Layout, Literal, Physical, Slot, Timestamp};
use pelton_data::report::Source;
use pelton_data::type_parser::parse_columns;
use pelton_data::value::Value;
use pelton_data::{Field, json};
use pelton_dimension::{Definition, Error, Image, KeyColumns, Projection};
use proptest::prelude::*;

/// A metadata directory with one dimension.
struct Metadata {
    root: tempfile::TempDir,
    definition: Definition,
}

impl Metadata {
    /// A dimension `planes` with the given columns and key, in one ready Hive partition.
    fn new(columns: &str, key: &str) -> Metadata {
        Metadata::with(columns, key, "")
    }

    fn with(columns: &str, key: &str, more: &str) -> Metadata {
        let text = format!(
            "path = \"planes\"\nformat = \"parquet\"\npartition = \"dt DATE\"\n\
             columns = \"{columns}\"\nkey = [{key}]\n{more}\n"
        );
        let definition = Definition::parse(&Source::new("planes.toml", text)).unwrap();
        let root = tempfile::tempdir().unwrap();
        let metadata = Metadata { root, definition };
        fs::create_dir_all(metadata.directory()).unwrap();
        fs::write(metadata.directory().join("_SUCCESS"), "").unwrap();
        metadata
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("planes/dt=2013-01-02")
    }

    fn write(&self, file: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let properties = WriterProperties::builder();
        self.write_with(
            properties.set_max_row_group_row_count(Some(700)),
            file,
            columns,
        )
    }

    fn write_with(
        &self,
        properties: WriterPropertiesBuilder,
        file: &str,
        columns: Vec<(&str, ArrayRef)>,
    ) -> PathBuf {
        let path = self.directory().join(file);
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        let file = File::create(&path).unwrap();
        let properties = Some(properties.build());
        let mut writer = ArrowWriter::try_new(file, batch.schema(), properties).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }

    fn load(&self, wanted: &[&str]) -> Result<Image, Error> {
        Image::load(&self.definition, self.root.path(), wanted)
    }

    #[track_caller]
    fn refused(&self, wanted: &[&str], code: &str, parts: &[&str]) {
        let error = self.load(wanted).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
    }
}

/// Looks keys up in an image and reads the rows.
struct Lookup {
    image: Image,
    slots: Vec<Slot>,
    columns: Columns,
    key: KeyColumns,
    projection: Projection,
}

impl Lookup {
    fn new(definition: &Definition, image: Image) -> Lookup {
        let mut layout = Layout::default();
        let mut add = |data_type| layout.add(Physical::of(data_type));
        let slots: Vec<Slot> = image
            .columns()
            .iter()
            .map(|field| add(&field.data_type))
            .collect();
        let key: Vec<Slot> = definition
            .key_columns()
            .map(|field| add(&field.data_type))
            .collect();
        Lookup {
            projection: Projection::new(
                image.columns(),
                &slots.iter().copied().enumerate().collect::<Vec<_>>(),
            ),
            key: KeyColumns::new(key),
            columns: Columns::new(&layout, 1).unwrap(),
            slots,
            image,
        }
    }

    /// Whether the key is there; its row is in the columns then.
    fn find(&mut self, key: &[Literal]) -> bool {
        self.columns.clear();
        for (slot, literal) in self.key.slots().iter().zip(key) {
            self.columns.set_valid(*slot, 0, true);
            match literal {
                Literal::I64(value) => self.columns.set(*slot, 0, *value),
                Literal::Timestamp(value) => self.columns.set(*slot, 0, *value),
                Literal::Bytes(text) => {
                    let view = self.columns.push_text(text).unwrap();
                    self.columns.set(*slot, 0, view);
                }
                other => panic!("no key of {other:?}"),
            }
        }
        let key = self.key.key(&self.columns, 0).unwrap();
        let Some(row) = self.image.find(0, &key).unwrap().next() else {
            return false;
        };
        row.read(&self.projection, &mut self.columns, 0).unwrap();
        true
    }

    fn text(&self, column: usize) -> Option<String> {
        let slot = self.slots[column];
        let valid = self.columns.is_valid(slot, 0);
        valid.then(|| String::from_utf8(self.columns.text(slot, 0).to_vec()).unwrap())
    }

    fn int(&self, column: usize) -> Option<i32> {
        self.columns.value(self.slots[column], 0)
    }

    fn double(&self, column: usize) -> Option<f64> {
        self.columns.value(self.slots[column], 0)
    }
}

fn text(text: &str) -> Literal {
    Literal::text(text)
}

fn flights(dimension: &str, wanted: &[&str]) -> Lookup {
    let metadata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/metadata");
    let file = metadata.join(format!("dimensions/{dimension}.toml"));
    let source = Source::new(
        file.display().to_string(),
        fs::read_to_string(&file).unwrap(),
    );
    let definition = Definition::parse(&source).unwrap();
    let image = Image::load(&definition, &metadata, wanted).unwrap();
    Lookup::new(&definition, image)
}

#[test]
fn the_planes_of_the_flights_are_found_by_tail_number() {
    let mut planes = flights("planes", &["build_year", "manufacturer", "seats", "dt"]);
    assert_eq!(planes.image.rows(), 3322);
    assert_eq!(planes.image.skipped(), 0);
    assert_eq!(planes.image.hive_partition(), "dt=2013-01-01");
    // The first row of the package's planes.csv.
    assert!(planes.find(&[text("N10156")]));
    assert_eq!(planes.int(0), Some(2004));
    assert_eq!(planes.text(1).as_deref(), Some("EMBRAER"));
    assert_eq!(planes.int(2), Some(55));
    assert_eq!(planes.int(3), Some(15_706));
    assert!(!planes.find(&[text("N1015")]));
    assert!(!planes.find(&[text("")]));
}

#[test]
fn the_weather_of_the_flights_is_found_by_airport_and_hour() {
    let mut weather = flights("weather", &["temp", "wind_dir", "wind_gust"]);
    assert!(weather.image.rows() > 26_000);
    // 2013-01-01 06:00 UTC, 1 o'clock in New York: the first row of the package's weather.csv.
    let millis = (15_706 * 24 + 6) * 3_600_000;
    let hour = |millis| Literal::Timestamp(Timestamp { millis, nanos: 0 });
    assert!(weather.find(&[text("EWR"), hour(millis)]));
    assert_eq!(weather.double(0), Some(39.02));
    assert_eq!(weather.double(1), Some(270.0));
    assert_eq!(weather.double(2), None);
    assert!(!weather.find(&[text("EWR"), hour(millis + 1)]));
    assert!(!weather.find(&[text("BOS"), hour(millis)]));
}

#[test]
fn rows_of_many_files_row_groups_and_batches_are_all_there() {
    let metadata = Metadata::new("id BIGINT, name STRING, seats INT", "'id'");
    for (file, first) in [("b", 0_i64), ("a", 5_000)] {
        let ids: Int64Array = (first..first + 5_000).map(Some).collect();
        let names: DictionaryArray<Int32Type> = (first..first + 5_000)
            .map(|id| (id % 7 != 0).then_some(if id % 2 == 0 { "even" } else { "not even, odd" }))
            .collect();
        let seats: Int32Array = (first..first + 5_000)
            .map(|id| (id % 5 != 0).then_some(id as i32))
            .collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("seats", Arc::new(seats)),
            ("id", Arc::new(ids)),
            ("name", Arc::new(names)),
        ];
        metadata.write(file, columns);
    }
    let image = metadata.load(&["name", "seats", "id"]).unwrap();
    assert_eq!(
        (image.rows(), image.hive_partition()),
        (10_000, "dt=2013-01-02")
    );
    assert!(
        (10_000 * 10..10_000 * 20).contains(&image.bytes()),
        "{} bytes",
        image.bytes()
    );
    let mut planes = Lookup::new(&metadata.definition, image);
    for id in 0..10_000_i64 {
        assert!(planes.find(&[Literal::I64(id)]), "{id}");
        let name = if id % 2 == 0 { "even" } else { "not even, odd" };
        assert_eq!(planes.text(0).as_deref(), (id % 7 != 0).then_some(name));
        assert_eq!(planes.int(1), (id % 5 != 0).then_some(id as i32));
    }
    assert!(!planes.find(&[Literal::I64(10_000)]));
}

/// Coded strings that have to be looked at one by one nevertheless: those of keys, of which the bytes are
/// hashed, of limited length, and of `fsst`.
#[test]
fn keys_limited_strings_and_symbols_are_read_from_the_bytes_of_each_row() {
    let names: Vec<String> = (0..3_000)
        .map(|i| format!("Beethovenstrasse {i}"))
        .collect();
    let kinds = |of: usize| -> ArrayRef {
        Arc::new(
            (0..3_000)
                .map(|i| Some(format!("k{}", i % of)))
                .collect::<StringArray>(),
        )
    };
    let load = |columns: &str, more: &str| {
        let metadata = Metadata::with(&format!("id STRING, {columns}"), "'id'", more);
        metadata.write(
            "a",
            vec![
                ("id", kinds(3_000)),
                ("few", kinds(40)),
                ("name", Arc::new(StringArray::from(names.clone()))),
            ],
        );
        let image = metadata.load(&["id", "few", "name"])?;
        Ok((metadata, image))
    };
    let (metadata, image): (_, Image) =
        load("few VARCHAR(3), name STRING", "fsst = ['name']").unwrap();
    let coding = |name: &str| {
        let mut all = image.column_statistics().into_iter();
        let column = all.find(|column| column.name.as_deref() == Some(name));
        column.unwrap().coding
    };
    assert!(coding("name").contains("symbols"), "{}", coding("name"));
    let mut rows = Lookup::new(&metadata.definition, image);
    for (i, name) in names.iter().enumerate() {
        let id = format!("k{i}");
        assert!(rows.find(&[text(&id)]), "{id}");
        let wanted = [id, format!("k{}", i % 40), name.clone()];
        assert_eq!([0, 1, 2].map(|column| rows.text(column)), wanted.map(Some));
    }
    let error: Error = load("few VARCHAR(2), name STRING", "")
        .map(drop)
        .unwrap_err();
    assert!(
        error.to_string().contains("'k10'") || error.to_string().contains("\"k10\""),
        "{error}"
    );
}

/// They are strings for Arrow, too, of which the reader makes no dictionary.
#[test]
fn json_in_a_dictionary_is_a_string() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let metadata = Metadata::new("id BIGINT, json STRING", "'id'");
    let schema = "message rows { required int64 id; required binary json (JSON); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(metadata.directory().join("a")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut row_group = writer.next_row_group().unwrap();
    let mut ids = row_group.next_column().unwrap().unwrap();
    ids.typed::<Int64Type>()
        .write_batch(&[1, 2, 3], None, None)
        .unwrap();
    ids.close().unwrap();
    let mut texts = row_group.next_column().unwrap().unwrap();
    let values = ["{}", "[1]", "{}"].map(ByteArray::from);
    texts
        .typed::<ByteArrayType>()
        .write_batch(&values, None, None)
        .unwrap();
    texts.close().unwrap();
    row_group.close().unwrap();
    writer.close().unwrap();
    let mut rows = Lookup::new(&metadata.definition, metadata.load(&["json"]).unwrap());
    assert!(rows.find(&[Literal::I64(2)]));
    assert_eq!(rows.text(0).as_deref(), Some("[1]"));
}

/// What a row has in the columns `few`, `many` and `late` of [`strings_are_the_same_whether_or_not_files_have_coded_them`].
fn coded_row(id: i64) -> [Option<String>; 3] {
    [
        (id % 7 != 0).then(|| format!("kind {}", id % 11)),
        // As many kinds as rows: an image has no dictionary of them.
        Some(format!("{id} of many")),
        // NULL in all of a file's first row groups.
        (id % 10_000 > 3_000).then(|| format!("late {}", id % 3)),
    ]
}

#[test]
fn strings_are_the_same_whether_or_not_files_have_coded_them() {
    let names = ["few", "many", "late"];
    let metadata = Metadata::new("id BIGINT, few STRING, many STRING, late STRING", "'id'");
    let properties = || WriterProperties::builder().set_max_row_group_row_count(Some(2_500));
    let files = [
        ("coded", properties()),
        ("not-coded", properties().set_dictionary_enabled(false)),
        // The dictionary of `many` becomes too large: the other values stand behind it.
        (
            "partly",
            properties()
                .set_dictionary_page_size_limit(4_000)
                .set_data_page_row_count_limit(500),
        ),
    ];
    for ((file, properties), first) in files.into_iter().zip((0_i64..).step_by(10_000)) {
        let ids = first..first + 10_000;
        let rows: Vec<_> = ids.clone().map(coded_row).collect();
        let column = |i: usize| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|row| row[i].as_deref())
                    .collect::<StringArray>(),
            )
        };
        let mut columns: Vec<(&str, ArrayRef)> =
            vec![("id", Arc::new(Int64Array::from_iter_values(ids)))];
        columns.extend(names.iter().enumerate().map(|(i, name)| (*name, column(i))));
        metadata.write_with(properties, file, columns);
    }
    let image = metadata.load(&names).unwrap();
    assert_eq!(image.rows(), 30_000);
    let mut rows = Lookup::new(&metadata.definition, image);
    for id in 0..30_000 {
        assert!(rows.find(&[Literal::I64(id)]), "{id}");
        assert_eq!([0, 1, 2].map(|i| rows.text(i)), coded_row(id), "{id}");
    }
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn rows_without_a_whole_key_are_left_out_and_counted() {
    let metadata = Metadata::new("tailnum STRING, seats INT", "'tailnum'");
    let tailnums = texts(&[Some("N1"), None, Some("N2"), None]);
    let seats: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    metadata.write("a", vec![("tailnum", tailnums), ("seats", seats)]);
    let image = metadata.load(&["seats"]).unwrap();
    assert_eq!((image.rows(), image.skipped()), (2, 2));
}

#[test]
fn a_key_that_stands_twice_is_named_with_its_file() {
    let metadata = Metadata::new("tailnum STRING, hour TIMESTAMP(3)", "'tailnum', 'hour'");
    let hours: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 3_600_000_000]));
    metadata.write(
        "a",
        vec![
            ("tailnum", texts(&[Some("N1"), Some("N1")])),
            ("hour", hours.clone()),
        ],
    );
    assert_eq!(metadata.load(&[]).unwrap().rows(), 2);
    metadata.write(
        "b",
        vec![
            ("tailnum", texts(&[Some("N2"), Some("N1")])),
            ("hour", hours),
        ],
    );
    let parts = [
        "the key tailnum = 'N1', hour = TIMESTAMP '1970-01-01 01:00:00' stands twice",
        "in row 1 of ",
        "planes/dt=2013-01-02/b",
    ];
    metadata.refused(&[], "DIMENSION_INVALID", &parts);
}

#[test]
fn files_that_do_not_fit_the_definition_are_refused_by_column_and_type() {
    let metadata = Metadata::new(
        "tailnum STRING, seats INT, speed DOUBLE NOT NULL, price DECIMAL(9, 2)",
        "'tailnum'",
    );
    let tailnum = texts(&[Some("N1"), Some("N2")]);
    let seats: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let speed: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
    metadata.write(
        "a",
        vec![
            ("tailnum", tailnum.clone()),
            ("seats", seats),
            ("speed", speed),
        ],
    );
    metadata.refused(
        &["seats"],
        "DIMENSION_INVALID",
        &[
            "column `seats` of ",
            "/a: it holds BIGINT (Arrow Int64), which does not fit INT without loss",
        ],
    );
    metadata.refused(
        &["speed"],
        "DIMENSION_INVALID",
        &["column `speed`", "NOT NULL, and has NULLs"],
    );
    metadata.refused(
        &["price"],
        "DIMENSION_INVALID",
        &["/a has no column `price`"],
    );
    metadata.refused(
        &["seat"],
        "DIMENSION_INVALID",
        &["no column `seat`; did you mean `seats`?"],
    );
    // A column that is not wanted does no harm.
    assert_eq!(metadata.load(&[]).unwrap().rows(), 2);
    metadata.write("b", vec![("tailnum", tailnum)]);
    metadata.refused(&["seats"], "DIMENSION_INVALID", &["column `seats`"]);
    fs::remove_file(metadata.directory().join("a")).unwrap();
    metadata.refused(
        &["seats"],
        "DIMENSION_INVALID",
        &["/b has no column `seats`; it has tailnum"],
    );
}

#[test]
fn a_value_that_does_not_fit_is_named_with_its_row() {
    let metadata = Metadata::new("id BIGINT, hour TIMESTAMP(3)", "'id'");
    let ids: Int64Array = (0..3_000).map(Some).collect();
    let hours: TimestampMicrosecondArray = (0..3_000)
        .map(|i| Some(if i == 2_500 { 1_001 } else { 1_000 }))
        .collect();
    metadata.write("a", vec![("id", Arc::new(ids)), ("hour", Arc::new(hours))]);
    let parts = [
        "column `hour` of ",
        "the value 1001 µs since 1970 in row 2500 does not fit TIMESTAMP(3)",
    ];
    metadata.refused(&["hour"], "DIMENSION_INVALID", &parts);
}

#[test]
fn an_emptied_hive_partition_is_refused_by_min_rows() {
    let mut metadata = Metadata::new("tailnum STRING", "'tailnum'");
    assert_eq!(metadata.load(&[]).unwrap().rows(), 0);
    metadata.definition.min_rows = 1;
    metadata.refused(
        &[],
        "DIMENSION_UNAVAILABLE",
        &["dt=2013-01-02 has 0 rows, fewer than `min_rows = 1`"],
    );
}

#[test]
fn without_a_ready_hive_partition_there_is_no_image() {
    let metadata = Metadata::new("tailnum STRING", "'tailnum'");
    fs::remove_file(metadata.directory().join("_SUCCESS")).unwrap();
    metadata.refused(
        &[],
        "DIMENSION_UNAVAILABLE",
        &["no Hive partition is ready in ", "holds a file `_SUCCESS`"],
    );
    fs::remove_dir_all(metadata.root.path().join("planes")).unwrap();
    metadata.refused(&[], "DIMENSION_UNAVAILABLE", &["cannot open ", "planes"]);
}

/// A small file with strings, numbers and NULLs.
fn small_file() -> (Metadata, PathBuf) {
    let metadata = Metadata::new("id BIGINT, name STRING, speed DOUBLE", "'id'");
    let ids: Int64Array = (0..200).map(Some).collect();
    let names: StringArray = (0..200)
        .map(|i| (i % 3 != 0).then(|| format!("name {i}")))
        .collect();
    let speeds: Float64Array = (0..200)
        .map(|i| (i % 5 != 0).then_some(f64::from(i)))
        .collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("name", Arc::new(names)),
        ("speed", Arc::new(speeds)),
    ];
    let path = metadata.write("a", columns);
    (metadata, path)
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    let (metadata, path) = small_file();
    let bytes = fs::read(&path).unwrap();
    for len in (0..bytes.len()).step_by(7) {
        fs::write(&path, &bytes[..len]).unwrap();
        let error = metadata.load(&["name", "speed"]).unwrap_err();
        assert_eq!(
            error.code(),
            "DIMENSION_UNAVAILABLE",
            "{len} of {} bytes: {error}",
            bytes.len()
        );
    }
    fs::write(&path, b"name,seats\nN1,7\n").unwrap();
    metadata.refused(
        &["name"],
        "DIMENSION_UNAVAILABLE",
        &["cannot read ", "/a as Parquet: "],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A damaged value may go unseen, but rows do not, and nothing panics into the caller.
    #[test]
    fn a_damaged_file_is_an_error_or_loads_all_its_rows(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
    ) {
        let (metadata, path) = small_file();
        let mut bytes = fs::read(&path).unwrap();
        for (index, flip) in flips {
            let i = index.index(bytes.len());
            bytes[i] ^= flip;
        }
        fs::write(&path, &bytes).unwrap();
        if let Ok(image) = metadata.load(&["name", "speed"]) {
            prop_assert_eq!(image.rows() + image.skipped(), 200);
        }
    }
}

#[test]
fn an_image_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Image>();
}

/// What pyarrow writes, of every type: `tests/golden/arrow`.
#[test]
fn a_file_of_every_type_from_pyarrow_is_read_as_its_rows() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/arrow");
    let columns = "id BIGINT, small DECIMAL(5, 2), large DECIMAL(38, 10), raw BYTES, \
        fixed BINARY(3), seconds TIME(3), micros TIME(6), at TIMESTAMP_LTZ(6), \
        local TIMESTAMP(9), ints ARRAY<INT>, prices ARRAY<DECIMAL(5, 2)>, \
        words ARRAY<ARRAY<STRING>>, plane ROW<seats INT, names ARRAY<STRING>>, \
        attributes MAP<STRING, ROW<x TIMESTAMP(3)>>";
    let metadata = Metadata::new(columns, "'id'");
    let fields = parse_columns(columns).unwrap();
    let fields: Vec<Field> = fields.into_iter().map(|(field, _)| field).collect();
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    fs::copy(
        format!("{golden}/all_types.parquet"),
        metadata.directory().join("a"),
    )
    .unwrap();
    let mut rows = Lookup::new(&metadata.definition, metadata.load(&names).unwrap());
    let lines = fs::read_to_string(format!("{golden}/all_types.jsonl")).unwrap();
    for (i, line) in lines.lines().enumerate() {
        assert!(rows.find(&[Literal::I64(i as i64 + 1)]));
        let mut row = serde_json::Map::new();
        for (field, slot) in fields.iter().zip(&rows.slots) {
            let value = Value::of(&rows.columns, *slot, 0, &field.data_type).unwrap();
            let json = json::write(&value, &field.data_type, &field.name).unwrap();
            row.insert(field.name.clone(), json);
        }
        let expected: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        assert_eq!(row, expected);
    }
    assert_eq!(lines.lines().count(), 3);
}
