//! Questions to a metastore, and its answers.

use std::io::{self, BufReader, Cursor, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TFieldIdentifier, TInputProtocol, TListIdentifier,
    TMessageIdentifier, TMessageType, TOutputProtocol, TStructIdentifier, TType,
};
use thrift::{ApplicationErrorKind, TConfiguration};

use super::messages::{self, Outcome, TableResult};
use super::wire::{ANSWER, Wire};
use super::{Metastore, Partition, Server, Table};
use crate::error::Error;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The most bytes of one text.
const TEXT: usize = 1 << 20;

/// The most elements of one list, and so the most Hive partitions of a table.
const ELEMENTS: usize = 1_000_000;

/// Hive partitions that are asked for at once: each answers with all columns of its table.
const CHUNK: usize = 100;

/// A connection to a metastore.
pub(crate) struct Session<'a> {
    metastore: &'a Metastore,
    server: &'a Server,
    wire: Wire,
    calls: i32,
}

/// Why there is no answer.
enum Failure {
    Io(io::Error),
    Protocol(thrift::Error),
    /// The server's own words.
    Server(String),
    /// The server is older, or newer, than the question.
    UnknownMethod,
    /// What answers speaks another language.
    Language(&'static str),
}

impl<'a> Session<'a> {
    pub(super) fn open(metastore: &'a Metastore) -> Result<Session<'a>, Error> {
        let mut failures = Vec::new();
        for server in &metastore.servers {
            match connect(server) {
                Ok(stream) => {
                    return Ok(Session {
                        metastore,
                        server,
                        wire: Wire::new(stream, metastore.transport),
                        calls: 0,
                    });
                }
                Err(cause) => failures.push(format!("{server}: {cause}")),
            }
        }
        let failures = failures.join("; ");
        Err(Error::Unavailable(format!(
            "cannot reach the metastore {failures}"
        )))
    }

    /// The table.
    pub(crate) fn table(&mut self) -> Result<Table, Error> {
        let Metastore {
            database, table, ..
        } = self.metastore;
        let method = "get_table_req";
        match self.call(method, &[Argument::Table(database, table)]) {
            Ok(TableResult { table }) => Ok(table),
            // It came with Hive 2.3.
            Err(Failure::UnknownMethod) => self.ask("get_table", &[]),
            Err(failure) => Err(self.failed(method, failure)),
        }
    }

    /// The names of all its Hive partitions, as their directories are named: `dt=2013-01-02`.
    pub(crate) fn names(&mut self) -> Result<Vec<String>, Error> {
        self.ask("get_partition_names", &[Argument::Most(-1)])
    }

    /// The Hive partitions of these names, as far as they are there, in any order.
    pub(crate) fn partitions(&mut self, names: &[&str]) -> Result<Vec<Partition>, Error> {
        let mut all = Vec::new();
        for names in names.chunks(CHUNK) {
            let names = Argument::Names(names);
            let found: Vec<Partition> = self.ask("get_partitions_by_names", &[names])?;
            all.extend(found);
        }
        Ok(all)
    }

    /// Asks for something of the table, whose names are the first arguments.
    fn ask<T: messages::Read>(&mut self, method: &str, more: &[Argument<'_>]) -> Result<T, Error> {
        let Metastore {
            database, table, ..
        } = self.metastore;
        let mut arguments = vec![Argument::Text(database), Argument::Text(table)];
        arguments.extend(more);
        self.call(method, &arguments)
            .map_err(|failure| self.failed(method, failure))
    }

    fn failed(&self, method: &str, failure: Failure) -> Error {
        let why = match failure {
            Failure::Io(error) => error.to_string(),
            Failure::Protocol(error) => describe(&error),
            Failure::Server(message) => format!("it says: {message}"),
            Failure::UnknownMethod => "it does not know that".to_owned(),
            Failure::Language(what) => what.to_owned(),
        };
        let Metastore {
            database, table, ..
        } = self.metastore;
        Error::Unavailable(format!(
            "cannot ask the metastore {} for the table {database}.{table}: {method}: {why}",
            self.server
        ))
    }

    fn call<T: messages::Read>(
        &mut self,
        method: &str,
        arguments: &[Argument<'_>],
    ) -> Result<T, Failure> {
        self.calls += 1;
        let message = message(method, self.calls, arguments)?;
        let mut answer = BufReader::new(self.wire.send(&message)?);
        let mut start = [0; 4];
        answer.read_exact(&mut start).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Language(
                "it closes the connection without an answer, as metastores do that want Kerberos \
                 (SASL) or TLS, which are not supported, or another `transport`",
            ),
            _ => Failure::Io(error),
        })?;
        check_language(start)?;
        let configuration = TConfiguration::builder()
            .max_message_size(Some(ANSWER as usize))
            .max_frame_size(Some(ANSWER as usize))
            .max_string_size(Some(TEXT))
            .max_container_size(Some(ELEMENTS))
            .build()?;
        let answer = Cursor::new(start).chain(answer);
        let mut input = TBinaryInputProtocol::with_config(answer, true, configuration);
        let head = input.read_message_begin()?;
        if head.message_type == TMessageType::Exception {
            let error = thrift::Error::read_application_error_from_in_protocol(&mut input)?;
            return Err(match error.kind {
                ApplicationErrorKind::UnknownMethod => Failure::UnknownMethod,
                _ => Failure::Server(error.message),
            });
        }
        match Outcome::read(&mut input)? {
            Outcome::Value(value) => Ok(value),
            Outcome::Exception(message) => Err(Failure::Server(message)),
            Outcome::Nothing => Err(Failure::Server("nothing".to_owned())),
        }
    }
}

/// Why an answer cannot be read: the crate's own text leaves out what its errors know.
fn describe(error: &thrift::Error) -> String {
    match error {
        thrift::Error::Transport(error) => error.message.clone(),
        thrift::Error::Protocol(error) => error.message.clone(),
        thrift::Error::Application(error) => error.message.clone(),
        thrift::Error::User(error) => error.to_string(),
    }
}

fn connect(server: &Server) -> io::Result<TcpStream> {
    let addresses = (server.host.as_str(), server.port).to_socket_addrs()?;
    let mut last = io::Error::other("its name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What an answer of the binary protocol does not begin with.
fn check_language(start: [u8; 4]) -> Result<(), Failure> {
    match start {
        [0x80, 0x01, ..] => Ok(()),
        // A status of SASL, then a length.
        [1..=5, 0, ..] => Err(Failure::Language(
            "it wants SASL: Kerberos is not supported. A metastore without it has \
             hive.metastore.sasl.enabled = false",
        )),
        // An alert.
        [0x15, 3, ..] => Err(Failure::Language(
            "it wants TLS, which is not supported: hive.metastore.use.SSL",
        )),
        [b'H', b'T', b'T', b'P'] => Err(Failure::Language(
            "it answers in HTTP, which is not supported: hive.metastore.server.thrift.transport.mode",
        )),
        [0, ..] => Err(Failure::Language(
            "its answer is in a frame: `transport = \"framed\"` reads that",
        )),
        _ => Err(Failure::Language(
            "its answer is not in Thrift's binary protocol",
        )),
    }
}

/// What a question says.
#[derive(Clone, Copy)]
enum Argument<'a> {
    Text(&'a str),
    /// Database and table, as a request of its own.
    Table(&'a str, &'a str),
    /// How many are wanted.
    Most(i16),
    Names(&'a [&'a str]),
}

/// A question: its arguments are numbered from 1 on.
fn message(method: &str, number: i32, arguments: &[Argument<'_>]) -> thrift::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut output = TBinaryOutputProtocol::new(&mut bytes, true);
    let head = TMessageIdentifier::new(method, TMessageType::Call, number);
    output.write_message_begin(&head)?;
    write_struct(&mut output, arguments)?;
    output.write_message_end()?;
    output.flush()?;
    Ok(bytes)
}

fn write_struct(
    output: &mut dyn TOutputProtocol,
    arguments: &[Argument<'_>],
) -> thrift::Result<()> {
    output.write_struct_begin(&TStructIdentifier::new("arguments"))?;
    for (id, argument) in (1..).zip(arguments) {
        let field_type = match argument {
            Argument::Text(_) => TType::String,
            Argument::Table(..) => TType::Struct,
            Argument::Most(_) => TType::I16,
            Argument::Names(_) => TType::List,
        };
        output.write_field_begin(&TFieldIdentifier::new("argument", field_type, id))?;
        match argument {
            Argument::Text(text) => output.write_string(text)?,
            Argument::Table(database, table) => {
                write_struct(output, &[Argument::Text(database), Argument::Text(table)])?;
            }
            Argument::Most(most) => output.write_i16(*most)?,
            Argument::Names(names) => {
                let list = TListIdentifier::new(TType::String, names.len() as i32);
                output.write_list_begin(&list)?;
                for name in *names {
                    output.write_string(name)?;
                }
                output.write_list_end()?;
            }
        }
        output.write_field_end()?;
    }
    output.write_field_stop()?;
    output.write_struct_end()
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl From<thrift::Error> for Failure {
    fn from(error: thrift::Error) -> Failure {
        Failure::Protocol(error)
    }
}
