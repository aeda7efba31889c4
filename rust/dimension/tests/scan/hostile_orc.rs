//! Files of ORC that promise what they do not hold, as [`hostile`](crate::hostile) has them of Parquet.

use crate::hostile::refused_of;
use crate::table::Table;
use crate::thrift::varint;

const NONE: u64 = 0;
const ZSTD: u64 = 5;

const STRING: u64 = 7;
const BYTES: u64 = 8;

const DATA: u64 = 1;
const LENGTH: u64 = 2;
const DICTIONARY_DATA: u64 = 3;

/// The encoding of values one by one, and that of a dictionary of so many.
const DIRECT: (u64, u64) = (0, 0);
const fn dictionary(strings: u64) -> (u64, u64) {
    (1, strings)
}

/// More than a string may have.
const MANY: u64 = 1 << 30;

/// A stream: its kind, column, bytes.
type Stream<'a> = (u64, u64, &'a [u8]);

/// A message of Protobuf with these numbers.
fn numbers(fields: &[(u64, u64)]) -> Vec<u8> {
    let number = |(field, value): &(u64, u64)| [varint(field << 3), varint(*value)].concat();
    fields.iter().flat_map(number).collect()
}

fn message(field: u64, bytes: &[u8]) -> Vec<u8> {
    let length = varint(bytes.len() as u64);
    [&varint(field << 3 | 2), &length, bytes].concat()
}

/// One stripe of strings, in columns of these names; one of a letter holds bytes.
fn file(names: &[&str], rows: u64, streams: &[Stream], encodings: &[(u64, u64)]) -> Vec<u8> {
    let data = streams.iter().flat_map(|(.., bytes)| *bytes).copied();
    let file: Vec<u8> = b"ORC".iter().copied().chain(data).collect();
    let stripe = stripe_footer(streams, encodings);
    let (data, end) = (file.len() as u64 - 3, stripe.len() as u64);
    let information = numbers(&[(1, 3), (2, 0), (3, data), (4, end), (5, rows)]);
    let mut root = numbers(&[(1, 12)]);
    let mut types = Vec::new();
    for (column, name) in names.iter().enumerate() {
        root.extend(numbers(&[(2, column as u64 + 1)]));
        root.extend(message(3, name.as_bytes()));
        let kind = if name.len() == 1 { BYTES } else { STRING };
        types.extend(message(4, &numbers(&[(1, kind)])));
    }
    let [information, root] = [message(3, &information), message(4, &root)];
    let footer = [information, root, types, numbers(&[(6, rows)])].concat();
    ended([file, stripe].concat(), &[], &footer, NONE)
}

fn stripe_footer(streams: &[Stream], encodings: &[(u64, u64)]) -> Vec<u8> {
    let streams = streams.iter().map(|(kind, column, bytes)| {
        let length = bytes.len() as u64;
        message(1, &numbers(&[(1, *kind), (2, *column), (3, length)]))
    });
    let encodings = [DIRECT].into_iter().chain(encodings.iter().copied());
    let encodings =
        encodings.map(|(kind, strings)| message(2, &numbers(&[(1, kind), (2, strings)])));
    streams.chain(encodings).flatten().collect()
}

/// With its end: metadata, footer, postscript.
fn ended(mut file: Vec<u8>, metadata: &[u8], footer: &[u8], compression: u64) -> Vec<u8> {
    let (length, of_metadata) = (footer.len() as u64, metadata.len() as u64);
    let postscript = numbers(&[
        (1, length),
        (2, compression),
        (3, 1 << 18),
        (5, of_metadata),
    ]);
    file.extend([metadata, footer, &postscript, &[postscript.len() as u8]].concat());
    file
}

/// An integer of the first version, by itself.
fn run(value: u64) -> Vec<u8> {
    [vec![0xff], varint(value)].concat()
}

#[track_caller]
fn refused(bytes: Vec<u8>, message: &str) {
    refused_of(
        Table::new("orc", "id STRING, name STRING", ""),
        bytes,
        message,
    );
}

#[test]
fn metadata_that_unpacks_to_more_than_it_may_is_refused() {
    let zeros = zstd::encode_all(&vec![0; 1 << 23][..], 1).unwrap();
    let header = (zeros.len() as u32) << 1;
    let block = [&header.to_le_bytes()[..3], &zeros].concat();
    let bytes = ended(Vec::new(), &block.repeat(9), &[1, 0, 0], ZSTD);
    refused(bytes, "its footer or metadata has more than 67108864 bytes");
}

#[test]
fn streams_that_the_reader_sees_otherwise_are_refused() {
    let (one, many) = (run(1), run(MANY));
    let data = (DATA, 1, &b"x"[..]);
    let table = Table::new("orc", "id STRING", "");
    table.write(
        "n=1/part-0",
        file(&["id"], 1, &[data, (LENGTH, 1, &one)], &[DIRECT]),
    );
    assert_eq!(format!("{:?}", table.rows(&["id"])), r#"Ok([[Text("x")]])"#);
    // The last one counts, and no number has more bits than the reader looks at.
    for kind in [LENGTH, LENGTH | 1 << 32] {
        let streams = [data, (LENGTH, 1, &one), (kind, 1, &many)];
        let twice = file(&["id", "name"], 1, &streams, &[DIRECT, DIRECT]);
        refused(twice, "its column 1 has two streams of kind 2");
    }
    let streams = [data, (LENGTH, 1, &one), (LENGTH, 1 | 1 << 32, &many)];
    let far = file(&["id", "name"], 1, &streams, &[DIRECT, DIRECT]);
    refused(far, "a stream of column 4294967297");
    let streams = [data, (LENGTH, 1, &one), (0, 1, &[]), (77, 1, &[])];
    let unknown = file(&["id", "name"], 1, &streams, &[DIRECT, DIRECT]);
    refused(unknown, "its column 1 has two streams of kind 0");
}

#[test]
fn empty_streams_that_lie_at_one_place_are_told_apart() {
    let (many, none) = (run(MANY), run(0));
    let streams: [Stream; 4] = [
        (DATA, 1, &[]),
        (DATA, 2, &[]),
        (LENGTH, 1, &many),
        (LENGTH, 2, &none),
    ];
    let bytes = file(&["id", "name"], 1, &streams, &[DIRECT, DIRECT]);
    refused(bytes, "promise 1073741824 bytes, and 0 are there");
}

#[test]
fn dictionaries_of_strings_that_are_not_there_are_refused() {
    let (one, index, rows) = (run(1), run(0), MANY);
    let read = |strings, lengths: &[u8]| {
        let text = (DICTIONARY_DATA, 1, &b"x"[..]);
        let streams = [(DATA, 1, &index[..]), text, (LENGTH, 1, lengths)];
        file(
            &["id", "name"],
            rows,
            &streams,
            &[dictionary(strings), DIRECT],
        )
    };
    let message = "a dictionary of 1073741824 strings has 1 lengths and 1 bytes";
    refused(read(MANY, &one), message);
    // Runs of empty strings: there are as many lengths, and a string alone may be empty.
    let empty = [0x7f, 0, 0].repeat(100);
    let message = "a dictionary of 13000 strings has 13000 lengths and 0 bytes";
    refused(read(13_000, &empty), message);
}

/// Bytes have no dictionary, whatever is said of them.
#[test]
fn bytes_that_are_not_there_are_refused() {
    let (none, many, there) = (run(0), run(1 << 16), [0; 1 << 16]);
    let text = (DICTIONARY_DATA, 2, &there[..]);
    let streams = [(LENGTH, 1, &none[..]), (LENGTH, 2, &many), text];
    let bytes = file(&["id", "b"], 1, &streams, &[DIRECT, dictionary(1)]);
    let table = Table::new("orc", "id STRING, b BYTES", "");
    refused_of(table, bytes, "promise 65536 bytes, and 0 are there");
}
