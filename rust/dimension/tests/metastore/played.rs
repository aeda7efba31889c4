//! A metastore that a test plays: it knows one table, and answers as Hive's does.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TFieldIdentifier, TInputProtocol, TListIdentifier,
    TMapIdentifier, TMessageIdentifier, TMessageType, TOutputProtocol, TStructIdentifier, TType,
};

pub const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";

/// What it knows.
#[derive(Debug, Clone)]
pub struct Known {
    pub levels: Vec<String>,
    pub location: String,
    pub input_format: String,
    pub kind: String,
    pub parameters: Vec<(String, String)>,
    pub partitions: Vec<Partition>,
    pub framed: bool,
    /// Before Hive 2.3.
    pub old: bool,
}

#[derive(Debug, Clone)]
pub struct Partition {
    pub name: String,
    pub values: Vec<String>,
    pub location: String,
    pub input_format: String,
}

impl Partition {
    /// `dt=2013-01-02` at a place.
    pub fn at(name: &str, location: String) -> Partition {
        let values = name
            .split('/')
            .map(|level| level.split_once('=').unwrap().1);
        Partition {
            name: name.to_owned(),
            values: values.map(str::to_owned).collect(),
            location,
            input_format: PARQUET.to_owned(),
        }
    }
}

impl Known {
    pub fn table(location: String, levels: &[&str]) -> Known {
        Known {
            levels: levels.iter().map(|level| (*level).to_owned()).collect(),
            location,
            input_format: PARQUET.to_owned(),
            kind: "EXTERNAL_TABLE".to_owned(),
            parameters: vec![("EXTERNAL".to_owned(), "TRUE".to_owned())],
            partitions: Vec::new(),
            framed: false,
            old: false,
        }
    }
}

/// It listens as long as the test runs.
pub struct Played {
    pub known: Arc<Mutex<Known>>,
    pub uri: String,
    /// The methods that were called.
    pub calls: Arc<Mutex<Vec<String>>>,
}

impl Played {
    pub fn start(known: Known) -> Played {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("thrift://{}", listener.local_addr().unwrap());
        let (known, calls) = (Arc::new(Mutex::new(known)), Arc::new(Mutex::default()));
        let played = Played {
            known: known.clone(),
            uri,
            calls: Arc::clone(&calls),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (known, calls) = (known.clone(), calls.clone());
                // Until the client goes.
                thread::spawn(
                    move || while answer(stream.as_ref().unwrap(), &known, &calls).is_some() {},
                );
            }
        });
        played
    }
}

/// One question, if there is one more.
fn answer(mut stream: &TcpStream, known: &Mutex<Known>, calls: &Mutex<Vec<String>>) -> Option<()> {
    let framed = known.lock().unwrap().framed;
    if framed {
        stream.read_exact(&mut [0; 4]).ok()?;
    }
    let mut input = TBinaryInputProtocol::new(stream, true);
    let head = input.read_message_begin().ok()?;
    let mut names = Vec::new();
    let mut texts = Vec::new();
    input.read_struct_begin().ok()?;
    loop {
        let field = input.read_field_begin().ok()?;
        match (field.field_type, field.id) {
            (TType::Stop, _) => break,
            (TType::String, _) => texts.push(input.read_string().ok()?),
            (TType::List, _) => {
                for _ in 0..input.read_list_begin().ok()?.size {
                    names.push(input.read_string().ok()?);
                }
            }
            (TType::Struct, _) => {
                input.read_struct_begin().ok()?;
                while input.read_field_begin().ok()?.field_type != TType::Stop {
                    texts.push(input.read_string().ok()?);
                }
                input.read_struct_end().ok()?;
            }
            (other, _) => input.skip(other).ok()?,
        }
    }
    calls.lock().unwrap().push(head.name.clone());
    let known = known.lock().unwrap().clone();
    let mut bytes = Vec::new();
    let mut output = TBinaryOutputProtocol::new(&mut bytes, true);
    let number = head.sequence_number;
    if known.old == (head.name == "get_table_req") && head.name.starts_with("get_table") {
        let reply = TMessageIdentifier::new(head.name.clone(), TMessageType::Exception, number);
        output.write_message_begin(&reply).unwrap();
        text(&mut output, 1, "Invalid method name");
        begin(&mut output, TType::I32, 2);
        output.write_i32(1).unwrap();
        output.write_field_stop().unwrap();
        return stream.write_all(&bytes).ok();
    }
    let reply = TMessageIdentifier::new(head.name.clone(), TMessageType::Reply, number);
    output.write_message_begin(&reply).unwrap();
    output
        .write_struct_begin(&TStructIdentifier::new("result"))
        .unwrap();
    let is_there = texts == ["flights", "planes"];
    match (head.name.as_str(), is_there) {
        (_, false) => {
            begin(&mut output, TType::Struct, 2);
            text(
                &mut output,
                1,
                &format!("{} table not found", texts.join(".")),
            );
            output.write_field_stop().unwrap();
        }
        ("get_table", _) => {
            begin(&mut output, TType::Struct, 0);
            table(&mut output, &known);
        }
        ("get_table_req", _) => {
            begin(&mut output, TType::Struct, 0);
            begin(&mut output, TType::Struct, 1);
            table(&mut output, &known);
            output.write_field_stop().unwrap();
        }
        ("get_partition_names", _) => {
            begin(&mut output, TType::List, 0);
            let all = &known.partitions;
            let list = TListIdentifier::new(TType::String, all.len() as i32);
            output.write_list_begin(&list).unwrap();
            all.iter()
                .for_each(|p| output.write_string(&p.name).unwrap());
        }
        ("get_partitions_by_names", _) => {
            begin(&mut output, TType::List, 0);
            let found = known.partitions.iter().filter(|p| names.contains(&p.name));
            let found: Vec<&Partition> = found.collect();
            let list = TListIdentifier::new(TType::Struct, found.len() as i32);
            output.write_list_begin(&list).unwrap();
            found.into_iter().for_each(|p| partition(&mut output, p));
        }
        other => panic!("{other:?}"),
    }
    output.write_field_stop().unwrap();
    if framed {
        stream.write_all(&(bytes.len() as u32).to_be_bytes()).ok()?;
    }
    stream.write_all(&bytes).ok()
}

type Output<'a> = TBinaryOutputProtocol<&'a mut Vec<u8>>;

fn begin(output: &mut Output<'_>, field_type: TType, id: i16) {
    let field = TFieldIdentifier::new("f", field_type, id);
    output.write_field_begin(&field).unwrap();
}

fn text(output: &mut Output<'_>, id: i16, text: &str) {
    begin(output, TType::String, id);
    output.write_string(text).unwrap();
}

fn table(output: &mut Output<'_>, known: &Known) {
    text(output, 1, "planes");
    begin(output, TType::I32, 4);
    output.write_i32(7).unwrap();
    begin(output, TType::Struct, 7);
    descriptor(output, &known.location, &known.input_format);
    begin(output, TType::List, 8);
    let list = TListIdentifier::new(TType::Struct, known.levels.len() as i32);
    output.write_list_begin(&list).unwrap();
    for level in &known.levels {
        text(output, 1, level);
        text(output, 2, "string");
        output.write_field_stop().unwrap();
    }
    begin(output, TType::Map, 9);
    let size = known.parameters.len() as i32;
    let map = TMapIdentifier::new(TType::String, TType::String, size);
    output.write_map_begin(&map).unwrap();
    for (key, value) in &known.parameters {
        output.write_string(key).unwrap();
        output.write_string(value).unwrap();
    }
    text(output, 12, &known.kind);
    begin(output, TType::Bool, 14);
    output.write_bool(false).unwrap();
    output.write_field_stop().unwrap();
}

fn partition(output: &mut Output<'_>, partition: &Partition) {
    begin(output, TType::List, 1);
    let list = TListIdentifier::new(TType::String, partition.values.len() as i32);
    output.write_list_begin(&list).unwrap();
    let values = partition.values.iter();
    values.for_each(|value| output.write_string(value).unwrap());
    text(output, 2, "flights");
    begin(output, TType::Struct, 6);
    descriptor(output, &partition.location, &partition.input_format);
    output.write_field_stop().unwrap();
}

/// With a column, a serde and a set of parameters that nobody needs.
fn descriptor(output: &mut Output<'_>, location: &str, input_format: &str) {
    begin(output, TType::List, 1);
    let list = TListIdentifier::new(TType::Struct, 1);
    output.write_list_begin(&list).unwrap();
    text(output, 1, "id");
    text(output, 2, "bigint");
    output.write_field_stop().unwrap();
    text(output, 2, location);
    text(output, 3, input_format);
    begin(output, TType::Bool, 5);
    output.write_bool(false).unwrap();
    begin(output, TType::Struct, 7);
    text(output, 2, "serde");
    begin(output, TType::Map, 3);
    let map = TMapIdentifier::new(TType::String, TType::String, 0);
    output.write_map_begin(&map).unwrap();
    output.write_field_stop().unwrap();
    output.write_field_stop().unwrap();
}
