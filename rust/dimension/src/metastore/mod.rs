//! What a Hive metastore says of a table: its Hive partitions, where they lie, and in which format.
//!
//! ```text
//! Session::table       get_table_req             levels, location, format, kind
//! Session::names       get_partition_names       dt=2013-01-02, ...: all, names only
//! Session::partitions  get_partitions_by_names   values, location, format: of those that are chosen
//! ```
//!
//! Thrift's binary protocol over TCP. What a server sends is bounded before memory is taken for it,
//! and so is the time that it may take.

mod messages;
mod session;
mod wire;

use std::fmt;

use crate::error::Error;

pub(crate) use messages::{Descriptor, Partition, Table};
pub(crate) use session::Session;

/// Where a metastore listens when nothing else is said.
const PORT: u16 = 9083;

/// A table of a Hive metastore, and how to ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metastore {
    /// Tried in their order.
    pub servers: Vec<Server>,
    /// The database of the table.
    pub database: String,
    /// The table.
    pub table: String,
    /// How messages are packed.
    pub transport: Transport,
}

/// Where a metastore listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// Of TCP.
    pub port: u16,
}

/// How messages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One behind the other.
    Buffered,
    /// Each behind its length: `hive.metastore.thrift.framed.transport.enabled`.
    Framed,
}

impl Metastore {
    /// A connection to the first server that can be reached.
    pub(crate) fn connect(&self) -> Result<Session<'_>, Error> {
        Session::open(self)
    }
}

impl Server {
    /// Reads `thrift://HOST:PORT`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Server> {
        let address = text.trim().strip_prefix("thrift://")?;
        let address = address.strip_suffix('/').unwrap_or(address);
        let (host, port) = match address.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (address, PORT),
        };
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |host| host.strip_suffix(']'))?;
        let is_plain = !host.is_empty() && !host.contains(['/', '@', '?', ' ']);
        is_plain.then(|| Server {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "thrift://[{}]:{}", self.host, self.port),
            false => write!(f, "thrift://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Metastore {
    /// `the table db.planes of the metastore thrift://host:9083`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(Server::to_string).collect();
        write!(
            f,
            "the table {}.{} of the metastore {}",
            self.database,
            self.table,
            servers.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_and_ports() {
        for (text, host, port) in [
            ("thrift://hive:9083", "hive", 9083),
            ("thrift://hive", "hive", 9083),
            (" thrift://10.0.0.1:1234/", "10.0.0.1", 1234),
            ("thrift://[::1]:9083", "::1", 9083),
            ("thrift://[::1]", "::1", 9083),
        ] {
            let host = host.to_owned();
            assert_eq!(Server::parse(text), Some(Server { host, port }), "{text}");
        }
        for text in [
            "hive:9083",
            "http://hive:9083",
            "thrift://",
            "thrift://hive:port",
            "thrift://hive:99999",
            "thrift://[::1",
            "thrift://me@hive:9083",
        ] {
            assert_eq!(Server::parse(text), None, "{text}");
        }
    }
}
