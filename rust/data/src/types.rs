//! Flink's logical types, and how they are written in SQL.

use std::fmt;

/// The longest `CHAR`, `VARCHAR`, `BINARY` or `VARBINARY`; `STRING` is `VARCHAR(MAX_LENGTH)`.
pub const MAX_LENGTH: u32 = i32::MAX as u32;

/// A type of Flink SQL, without its nullability: that belongs to the place where it stands
/// ([`Field`], [`Element`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DataType {
    /// `BOOLEAN`
    Boolean,
    /// `TINYINT`, 8 bits
    TinyInt,
    /// `SMALLINT`, 16 bits
    SmallInt,
    /// `INT`, 32 bits
    Int,
    /// `BIGINT`, 64 bits
    BigInt,
    /// `FLOAT`, IEEE 754 single
    Float,
    /// `DOUBLE`, IEEE 754 double
    Double,
    /// `DECIMAL(precision, scale)`
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// `CHAR(length)`, length in code points
    Char(u32),
    /// `VARCHAR(length)`, `STRING` at [`MAX_LENGTH`]
    Varchar(u32),
    /// `BINARY(length)`, length in bytes
    Binary(u32),
    /// `VARBINARY(length)`, `BYTES` at [`MAX_LENGTH`]
    Varbinary(u32),
    /// `DATE`, days since 1970-01-01
    Date,
    /// `TIME(precision)`, milliseconds of the day
    Time(u8),
    /// `TIMESTAMP(precision)`: a date and a time of day, of no zone
    Timestamp(u8),
    /// `TIMESTAMP_LTZ(precision)`: a point in time
    TimestampLtz(u8),
    /// `ARRAY<element>`
    Array(Box<Element>),
    /// `MAP<key, value>`
    Map(Box<Element>, Box<Element>),
    /// `ROW<fields>`
    Row(Vec<Field>),
}

/// A named place for a value: a column of a record, a field of a `ROW`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name as declared; Flink compares names with their case.
    pub name: String,
    /// The type of the values.
    pub data_type: DataType,
    /// Whether NULL may stand here; `NOT NULL` where it may not.
    pub nullable: bool,
}

/// The place of a value inside an `ARRAY` or a `MAP`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Element {
    /// The type of the values.
    pub data_type: DataType,
    /// Whether NULL may stand here.
    pub nullable: bool,
}

impl DataType {
    /// `STRING`
    pub const STRING: DataType = DataType::Varchar(MAX_LENGTH);

    /// `CHAR`, `VARCHAR` or `STRING`.
    pub fn is_string(&self) -> bool {
        matches!(self, DataType::Char(_) | DataType::Varchar(_))
    }

    /// `TINYINT` to `BIGINT`.
    pub fn is_integer(&self) -> bool {
        use DataType::*;
        matches!(self, TinyInt | SmallInt | Int | BigInt)
    }

    /// `FLOAT` or `DOUBLE`.
    pub fn is_approximate(&self) -> bool {
        matches!(self, DataType::Float | DataType::Double)
    }

    /// Any number, `DECIMAL` included.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_approximate() || matches!(self, DataType::Decimal { .. })
    }
}

impl Field {
    /// A nullable field.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Field {
        Field {
            name: name.into(),
            data_type,
            nullable: true,
        }
    }
}

impl fmt::Display for DataType {
    /// The type as Flink writes it: `STRING`, `DECIMAL(10, 2)`, `` ROW<`a` INT NOT NULL> ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DataType::*;
        match self {
            Boolean => f.write_str("BOOLEAN"),
            TinyInt => f.write_str("TINYINT"),
            SmallInt => f.write_str("SMALLINT"),
            Int => f.write_str("INT"),
            BigInt => f.write_str("BIGINT"),
            Float => f.write_str("FLOAT"),
            Double => f.write_str("DOUBLE"),
            Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Char(length) => write!(f, "CHAR({length})"),
            Varchar(MAX_LENGTH) => f.write_str("STRING"),
            Varchar(length) => write!(f, "VARCHAR({length})"),
            Binary(length) => write!(f, "BINARY({length})"),
            Varbinary(MAX_LENGTH) => f.write_str("BYTES"),
            Varbinary(length) => write!(f, "VARBINARY({length})"),
            Date => f.write_str("DATE"),
            Time(precision) => write!(f, "TIME({precision})"),
            Timestamp(precision) => write!(f, "TIMESTAMP({precision})"),
            TimestampLtz(precision) => write!(f, "TIMESTAMP_LTZ({precision})"),
            Array(element) => write!(f, "ARRAY<{element}>"),
            Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Row(fields) => {
                f.write_str("ROW<")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(">")
            }
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.data_type, not_null(self.nullable))
    }
}

impl fmt::Display for Field {
    /// As in a `CREATE TABLE`: `` `name` TYPE NOT NULL ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.replace('`', "``");
        write!(f, "`{name}` {}{}", self.data_type, not_null(self.nullable))
    }
}

fn not_null(nullable: bool) -> &'static str {
    if nullable { "" } else { " NOT NULL" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_flink_writes_them() {
        let row = DataType::Row(vec![
            Field::new("a`b", DataType::STRING),
            Field {
                nullable: false,
                ..Field::new("c", DataType::Timestamp(3))
            },
        ]);
        let map = DataType::Map(
            Box::new(Element {
                data_type: DataType::Char(3),
                nullable: false,
            }),
            Box::new(Element {
                data_type: row,
                nullable: true,
            }),
        );
        assert_eq!(
            map.to_string(),
            "MAP<CHAR(3) NOT NULL, ROW<`a``b` STRING, `c` TIMESTAMP(3) NOT NULL>>"
        );
    }
}
