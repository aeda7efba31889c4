//! Servers that are no metastore, or want to do harm.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use proptest::prelude::*;

use crate::warehouse::Warehouse;

/// What asking such a server ends with: it answers every question with these bytes.
fn refusal(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("thrift://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&answer);
    });
    let warehouse = Warehouse::new();
    let definition = warehouse.definition(&uri, "partition = 'dt DATE'");
    let error = warehouse.choose(&definition).unwrap_err();
    assert_eq!(error.code(), "DIMENSION_UNAVAILABLE", "{error}");
    let error = error.to_string();
    let start =
        format!("cannot ask the metastore {uri} for the table flights.planes: get_table_req: ");
    error.strip_prefix(&start).expect(&error).to_owned()
}

/// A reply to `get_table_req` whose result begins with these bytes.
fn reply(result: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 1, 0, 2, 0, 0, 0, 13];
    bytes.extend(b"get_table_req\0\0\0\x01");
    bytes.extend(result);
    bytes
}

#[test]
fn other_languages_are_named() {
    let sasl = b"\x04\0\0\0\x13Invalid status -128".to_vec();
    for (answer, message) in [
        (sasl, "it wants SASL: Kerberos is not supported"),
        (vec![0x15, 3, 3, 0, 2, 2, 40], "it wants TLS"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "it answers in HTTP",
        ),
        (
            vec![0, 0, 0, 80, 0x80, 1],
            "`transport = \"framed\"` reads that",
        ),
        (
            b"hello, who are you?".to_vec(),
            "not in Thrift's binary protocol",
        ),
        (
            vec![],
            "it closes the connection without an answer, as metastores do that want Kerberos",
        ),
    ] {
        let error = refusal(answer);
        assert!(error.contains(message), "{message} in {error}");
    }
}

#[test]
fn the_servers_own_faults_are_told() {
    // TApplicationException: 1 message, 2 type.
    let mut bytes = vec![0x80, 1, 0, 3, 0, 0, 0, 13];
    bytes.extend(b"get_table_req\0\0\0\x01\x0b\0\x01\0\0\0\x07no such\x08\0\x02\0\0\0\x06\0");
    assert_eq!(refusal(bytes), "it says: no such");
    assert_eq!(refusal(reply(b"\0")), "it says: nothing");
}

#[test]
fn sizes_that_are_promised_take_no_memory() {
    // The result's value, and its table.
    let table = b"\x0c\0\0\x0c\0\x01";
    let text = |length: &[u8]| reply(&[table, &b"\x0b\0\x0c"[..], length].concat());
    let error = refusal(text(b"\x7f\xff\xff\xff"));
    assert!(error.contains("exceeds maximum allowed size"), "{error}");
    let error = refusal(text(b"\xff\xff\xff\xff"));
    assert!(error.contains("Negative"), "{error}");
    // A list of levels, and one of those passed over.
    for field in [
        &b"\x0f\0\x08\x0c"[..],
        b"\x0f\0\x63\x0c",
        b"\x0d\0\x09\x0b\x0b",
    ] {
        let error = refusal(reply(&[table, field, &b"\x7f\xff\xff\xff"[..]].concat()));
        assert!(error.contains("exceeds maximum allowed size"), "{error}");
    }
    // Structs within structs.
    let error = refusal(reply(
        &[table.as_slice(), &b"\x0c\0\x63".repeat(1000)].concat(),
    ));
    assert!(
        error.contains("depth") || error.contains("cannot parse past"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_is_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_reply: bool) {
        let bytes = if is_reply { reply(&bytes) } else { bytes };
        refusal(bytes);
    }
}
