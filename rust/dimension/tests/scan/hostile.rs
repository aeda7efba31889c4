//! Files of Parquet that promise what they do not hold. The reader believes them: without the checks
//! before it, each of these ends the process, or takes gigabytes. And files that look like it, and are
//! whole.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use pelton_data::value::Value;

use crate::largest::LARGEST;
use crate::table::Table;
use crate::thrift::{BINARY, Fields, NUMBER, STRUCT, varint};

/// The most bytes that reading one of them may ask for at once.
const MEMORY: usize = 64 << 20;

/// As many as a number of 32 bits can say.
const MANY: i64 = i32::MAX as i64;

const STRING: i64 = 6;
const SNAPPY: i64 = 1;
const GZIP: i64 = 2;

fn group(name: &[u8], children: i64) -> Vec<u8> {
    let optional = Fields::default().number(3, 1);
    optional.binary(4, name).number(5, children).end()
}

/// Optional strings.
fn column(name: &[u8]) -> Vec<u8> {
    let optional = Fields::default().number(1, STRING).number(3, 1);
    optional.binary(4, name).number(6, 0).end()
}

/// A footer up to its row groups.
fn schema(count: u64, elements: &[u8]) -> Fields {
    let version = Fields::default().number(1, 2);
    version.list(2, STRUCT, count, elements).number(3, 1)
}

fn file(chunk: &[u8], footer: Fields) -> Vec<u8> {
    let footer = footer.end();
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1", chunk, &footer, &length, b"PAR1"].concat()
}

/// One row of the column `id`, whose pages these are.
fn one_row(codec: i64, pages: &[u8], has_dictionary: bool) -> Vec<u8> {
    columns_of_one_row(&[b"id"], codec, pages, has_dictionary)
}

/// All with the same pages.
fn columns_of_one_row(names: &[&[u8]], codec: i64, pages: &[u8], has_dictionary: bool) -> Vec<u8> {
    let column_chunk = Fields::default()
        .number(1, STRING)
        .list(2, NUMBER, 0, &[])
        .list(3, BINARY, 0, &[])
        .number(4, codec)
        .number(5, 1)
        .number(6, pages.len() as i64)
        .number(7, pages.len() as i64)
        .number(9, 4);
    let column_chunk = match has_dictionary {
        true => column_chunk.number(11, 4),
        false => column_chunk,
    };
    let chunk = Fields::default().number(2, 4).fields(3, column_chunk).end();
    let count = names.len() as u64;
    let row_group = Fields::default().list(1, STRUCT, count, &chunk.repeat(names.len()));
    let row_group = row_group.number(2, 1).number(3, 1).end();
    let mut elements = group(b"schema", names.len() as i64);
    elements.extend(names.iter().flat_map(|name| column(name)));
    let footer = schema(count + 1, &elements).list(4, STRUCT, 1, &row_group);
    file(pages, footer)
}

/// A page whose own header has this id.
fn page(kind: i64, unpacked: i64, (id, header): (i16, Fields), body: &[u8]) -> Vec<u8> {
    let sizes = Fields::default().number(1, kind).number(2, unpacked);
    let header = sizes.number(3, body.len() as i64).fields(id, header).end();
    [&header, body].concat()
}

fn data(encoding: i64) -> (i16, Fields) {
    let header = Fields::default().number(1, 1).number(2, encoding);
    (5, header.number(3, 3).number(4, 3))
}

fn second_data(encoding: i64) -> (i16, Fields) {
    let header = Fields::default().number(1, 1).number(2, 0).number(3, 1);
    (8, header.number(4, encoding).number(5, 2).number(6, 0))
}

/// One level, of a value that is there.
const LEVEL: [u8; 2] = [1 << 1, 1];
const LEVELS: [u8; 6] = [2, 0, 0, 0, LEVEL[0], LEVEL[1]];

/// So many lengths of 0, in blocks of 128 values and 4 parts.
fn lengths(count: u64) -> Vec<u8> {
    [&varint(128)[..], &varint(4), &varint(count), &[0]].concat()
}

#[track_caller]
fn refused(bytes: Vec<u8>, message: &str) {
    refused_of(Table::new("parquet", "id STRING", ""), bytes, message);
}

/// The only file of a table, before it asks for memory.
#[track_caller]
pub fn refused_of(table: Table, bytes: Vec<u8>, message: &str) {
    let names: Vec<&str> = table
        .definition
        .columns
        .iter()
        .map(|field| &*field.name)
        .collect();
    table.write("n=1/part-0", bytes);
    table.refused(&names, "DIMENSION_UNAVAILABLE", message);
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < MEMORY, "{largest} bytes at once");
}

#[track_caller]
fn is_read(bytes: Vec<u8>) {
    let table = Table::new("parquet", "id STRING", "");
    table.write("n=1/part-0", bytes);
    let rows = table.rows(&["id"]).unwrap();
    assert_eq!(format!("{rows:?}"), r#"[[Text("")]]"#);
}

#[test]
fn lists_of_a_footer_that_promise_more_than_it_holds_are_refused() {
    let elements = [group(b"schema", 1), column(b"id")].concat();
    for footer in [
        schema(MANY as u64, &elements),
        schema(2, &elements).list(4, STRUCT, MANY as u64, &[]),
        schema(2, &elements).list(5, STRUCT, MANY as u64, &[]),
    ] {
        refused(file(&[], footer), "a list of 2147483647 values has ");
    }
    for children in [MANY, -1] {
        let elements = [group(b"schema", children), column(b"id")].concat();
        let footer = schema(2, &elements).list(4, STRUCT, 0, &[]);
        let message = format!("a group of {children} columns is followed by 1");
        refused(file(&[], footer), &message);
    }
}

/// The reader goes by a field's id, and would find the row groups in what is skipped by the type.
#[test]
fn a_footer_that_the_reader_sees_otherwise_is_refused() {
    let elements = [group(b"schema", 1), column(b"id")].concat();
    let row_groups = Fields::default().list(4, STRUCT, MANY as u64, &[]).bytes;
    let version = schema(2, &elements).binary(1, &row_groups);
    refused(
        file(&[], version),
        "a field has type 8, and should be Number",
    );
    let mut unit = Fields::default().start(1, 1).bytes;
    unit.extend([0, 0]);
    let logical = Fields::default().start(10, STRUCT).value(&unit);
    let elements = [group(b"schema", 1), logical.end()].concat();
    refused(
        file(&[], schema(2, &elements)),
        "a field has type 1, and should be Struct",
    );
    let bools = schema(0, &[]).list(99, 1, 3, &[1, 1, 1]);
    refused(file(&[], bools), "it has a list of bools");
}

#[test]
fn columns_that_take_more_than_their_bytes_are_refused() {
    let deep = 1 << 18;
    let elements = [group(b"g", 1).repeat(deep), column(b"id")].concat();
    let footer = schema(deep as u64 + 1, &elements).list(4, STRUCT, 0, &[]);
    refused(file(&[], footer), "nested deeper than 64");
    // The reader gives each column the names of the groups around it.
    let wide = 1 << 12;
    let around = [group(b"schema", 1), group(&[b'g'; 10_000], wide)].concat();
    let elements = [around, column(b"id").repeat(wide as usize)].concat();
    let footer = schema(wide as u64 + 2, &elements).list(4, STRUCT, 0, &[]);
    refused(
        file(&[], footer),
        "the names of its columns have more than 16777216 bytes",
    );
    let fixed = Fields::default().number(1, 7).number(2, MANY).number(3, 1);
    let elements = [group(b"schema", 1), fixed.binary(4, b"id").end()].concat();
    let footer = schema(2, &elements).list(4, STRUCT, 0, &[]);
    refused(
        file(&[], footer),
        "a column has values of 2147483647 bytes each",
    );
}

#[test]
fn pages_that_unpack_to_more_than_they_can_are_refused() {
    let plain = [&LEVELS[..], &[0; 4]].concat();
    let packed = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
    let whole = page(0, plain.len() as i64, data(0), &packed);
    is_read(one_row(SNAPPY, &whole, false));
    let body = packed.len();
    for unpacked in [MANY, -1] {
        let large = page(0, unpacked, data(0), &packed);
        let message = format!("a page of {body} bytes unpacks to ");
        refused(one_row(SNAPPY, &large, false), &message);
    }
    let cut = one_row(SNAPPY, &whole[..whole.len() - 1], false);
    refused(cut, "a page is cut off");
}

/// All of them are read from a store at once.
#[test]
fn columns_that_lie_where_others_do_are_refused() {
    let text = [&LEVELS[..], &1000_u32.to_le_bytes(), &[b'x'; 1000]].concat();
    let pages = page(0, text.len() as i64, data(0), &text);
    let bytes = columns_of_one_row(&[b"id", b"name"], 0, &pages, false);
    let (both, size) = (2 * pages.len(), bytes.len());
    let message = format!("columns of a row group have {both} bytes, and the file {size};");
    let table = Table::new("parquet", "id STRING, name STRING", "");
    refused_of(table, bytes, &message);
}

/// The reader unpacks GZIP as far as it goes.
#[test]
fn pages_of_gzip_that_stand_for_more_than_they_say_are_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..513 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = page(0, 100, data(0), &encoder.finish().unwrap());
    refused(
        one_row(GZIP, &bomb, false),
        " bytes unpacks to more than 536870912",
    );
}

#[test]
fn pages_that_promise_values_they_do_not_have_are_refused() {
    const PLAIN_DICTIONARY: i64 = 2;
    let dictionary = |values| {
        let header = Fields::default().number(1, values).number(2, 0);
        let entry = page(2, 4, (7, header), &[0; 4]);
        let index = [&LEVELS[..], &[1, 1 << 1, 0]].concat();
        let indexes = page(0, index.len() as i64, data(PLAIN_DICTIONARY), &index);
        one_row(0, &[entry, indexes].concat(), true)
    };
    is_read(dictionary(1));
    refused(
        dictionary(MANY),
        "a dictionary of 2147483647 values has 4 bytes",
    );
    let header = Fields::default().number(1, MANY).number(2, 0);
    let many = (5, header.number(3, 3).number(4, 3));
    let many = page(0, 10, many, &[&LEVELS[..], &[0; 4]].concat());
    refused(one_row(0, &many, false), "a page has 2147483647 values");
    let index = page(1, 4, (6, Fields::default()), &[0; 4]);
    refused(one_row(0, &index, false), "a page is of kind 1");
}

#[test]
fn lengths_of_strings_that_are_not_there_are_refused() {
    const LENGTHS: i64 = 6;
    const PREFIXES: i64 = 7;
    for is_second in [false, true] {
        let strings = |encoding, lists: &[u64]| {
            let lists: Vec<u8> = lists.iter().flat_map(|count| lengths(*count)).collect();
            let (kind, header, levels) = match is_second {
                true => (3, second_data(encoding), &LEVEL[..]),
                false => (0, data(encoding), &LEVELS[..]),
            };
            let body = [levels, &lists].concat();
            one_row(0, &page(kind, body.len() as i64, header, &body), false)
        };
        is_read(strings(LENGTHS, &[1]));
        is_read(strings(PREFIXES, &[1, 1]));
        let many = MANY as u64;
        let message = "a page of 1 values has 2147483647 lengths";
        refused(strings(LENGTHS, &[many]), message);
        refused(strings(PREFIXES, &[many, 1]), message);
        refused(strings(PREFIXES, &[1, many]), message);
    }
}

/// What another library writes of one column, without a dictionary.
fn written(column: ArrayRef, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable([("id", column, true)]).unwrap();
    let properties = properties.set_dictionary_enabled(false).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn values(columns: &str, bytes: Vec<u8>) -> Vec<Value> {
    let table = Table::new("parquet", columns, "");
    table.write("n=1/part-0", bytes);
    table.rows(&["id"]).unwrap().into_iter().flatten().collect()
}

/// Nothing packs better than zeros.
#[test]
fn pages_that_are_packed_as_well_as_can_be_are_read() {
    let zeros = vec![0; 500_000];
    let expected = vec![Value::BigInt(0); zeros.len()];
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::try_new(9).unwrap()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::try_new(19).unwrap()),
    ] {
        let properties = WriterProperties::builder().set_compression(codec);
        let properties = properties
            .set_encoding(Encoding::PLAIN)
            .set_data_page_size_limit(1 << 30)
            .set_data_page_row_count_limit(usize::MAX);
        let bytes = written(Arc::new(Int64Array::from(zeros.clone())), properties);
        assert!(values("id BIGINT", bytes) == expected, "{codec}");
    }
}

#[test]
fn strings_whose_lengths_are_coded_are_read() {
    let text = |i: u32| (i % 7 != 6).then(|| "x".repeat(i as usize * i as usize % 300));
    let texts: Vec<Option<String>> = (0..5000).map(text).collect();
    let expected = texts.iter().map(|text| match text {
        Some(text) => Value::Text(text.clone()),
        None => Value::Null,
    });
    let expected: Vec<Value> = expected.collect();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for encoding in [
            Encoding::DELTA_LENGTH_BYTE_ARRAY,
            Encoding::DELTA_BYTE_ARRAY,
        ] {
            let properties = WriterProperties::builder().set_writer_version(version);
            let properties = properties.set_encoding(encoding);
            let bytes = written(Arc::new(StringArray::from(texts.clone())), properties);
            assert!(
                values("id STRING", bytes) == expected,
                "{version:?} {encoding}"
            );
        }
    }
}
