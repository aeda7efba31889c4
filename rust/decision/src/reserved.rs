//! The outputs that Pelton itself gives, under `pelton.*`: which version decided a record, from
//! which Hive partitions, and why it could not.

use pelton_data::{DataType, Element, Field};

/// What `output` may name beside a decision's own names, each as a column of its own:
/// `pelton.version AS model_version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reserved {
    /// `pelton.version` BIGINT: the version that decided; NULL for one that is not published.
    Version,
    /// `pelton.partitions` MAP<STRING, STRING>: the Hive partition of each lookup that the output
    /// needs.
    Partitions,
    /// `pelton.error` ROW<code STRING, message STRING>: why the record has no decision; NULL for
    /// one that has.
    Error,
}

/// The first part of their names.
pub const PREFIX: &str = "pelton";

impl Reserved {
    /// All of them.
    pub const ALL: [Reserved; 3] = [Reserved::Version, Reserved::Partitions, Reserved::Error];

    /// What a path of names refers to: `["pelton", "version"]`.
    pub fn of(path: &[String]) -> Option<Reserved> {
        let [prefix, name] = path else { return None };
        let mut all = Reserved::ALL.into_iter();
        all.find(|reserved| prefix == PREFIX && name == reserved.name())
    }

    /// The name behind the dot.
    pub fn name(self) -> &'static str {
        match self {
            Reserved::Version => "version",
            Reserved::Partitions => "partitions",
            Reserved::Error => "error",
        }
    }

    /// The type of its column.
    pub fn data_type(self) -> DataType {
        let text = || {
            Box::new(Element {
                data_type: DataType::STRING,
                nullable: true,
            })
        };
        match self {
            Reserved::Version => DataType::BigInt,
            Reserved::Partitions => DataType::Map(text(), text()),
            Reserved::Error => DataType::Row(vec![
                Field::new("code", DataType::STRING),
                Field::new("message", DataType::STRING),
            ]),
        }
    }
}
