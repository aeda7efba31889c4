//! Thrift's compact protocol, in which Parquet writes footers and headers of pages, as far as lengths go.
//!
//! ```text
//! struct  | 0, or id's step from the last u4 | type u4 | value | ... | 0       step 0: the id follows
//! list    | count u4 | type u4 | value ...                                     count 15: it follows
//! map     | count | type of keys u4 | type of values u4 | key | value ...
//! binary  | length | bytes
//! numbers | 7 bits a byte
//! ```
//!
//! The reader goes by the ids of fields, and does not look at the types that are written with them.
//! So that it sees what was seen here, each field has the type that the format gives it.

use std::io::{self, Read};

use super::varint::{TOO_LONG, varint};

/// Values within values, at the most.
pub(super) const DEPTH: usize = 64;

/// The fields of a struct that the reader looks at, by their ids. It skips others by the types that are
/// written.
pub(super) type Fields = &'static [(i16, Kind)];

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Any,
    Bool,
    Byte,
    /// Of any size, and of enums.
    Number,
    Double,
    Binary,
    List(&'static Kind),
    Struct(Fields),
}

/// A type as it is written.
pub(super) type Type = u8;

const TRUE: Type = 1;
const FALSE: Type = 2;
const BYTE: Type = 3;
const I16: Type = 4;
const I64: Type = 6;
const DOUBLE: Type = 7;
pub(super) const BINARY: Type = 8;
pub(super) const LIST: Type = 9;
const SET: Type = 10;
const MAP: Type = 11;
pub(super) const STRUCT: Type = 12;
const UUID: Type = 13;

/// Some bytes, read once from their begin to their end.
pub(super) struct Thrift<R> {
    bytes: R,
    /// How many more there are.
    left: u64,
}

impl<R: Read> Thrift<R> {
    /// `bytes` gives `left` bytes, if they are there.
    pub(super) fn new(bytes: R, left: u64) -> Thrift<R> {
        Thrift { bytes, left }
    }

    /// How many bytes there are still.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Shows the fields of a struct one by one, with their ids and types: `see` moves behind the value.
    pub(super) fn each_field(
        &mut self,
        mut see: impl FnMut(&mut Thrift<R>, i16, Type) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut id = 0_i16;
        loop {
            let first = self.byte()?;
            let (step, written) = (i16::from(first >> 4), first & 15);
            id = match (step, written) {
                (_, 0) => return Ok(()),
                (0, _) => self.number()? as i16,
                _ => id.checked_add(step).ok_or("a field's id is too large")?,
            };
            see(self, id, written)?;
        }
    }

    /// Moves behind the value of a field of these.
    pub(super) fn field(&mut self, fields: Fields, id: i16, written: Type) -> Result<(), String> {
        self.one_of(fields, id, written, DEPTH)
    }

    fn one_of(&mut self, of: Fields, id: i16, written: Type, depth: usize) -> Result<(), String> {
        let kind = of.iter().find(|(known, _)| *known == id);
        self.value(kind.map_or(Kind::Any, |(_, kind)| *kind), written, depth)
    }

    fn value(&mut self, kind: Kind, written: Type, depth: usize) -> Result<(), String> {
        let depth = depth.checked_sub(1);
        let depth = depth.ok_or_else(|| format!("it has values within values, {DEPTH} deep"))?;
        match (written, kind) {
            (TRUE | FALSE, Kind::Bool | Kind::Any) => Ok(()),
            (BYTE, Kind::Byte | Kind::Any) => self.skip(1),
            (I16..=I64, Kind::Number | Kind::Any) => self.number().map(drop),
            (DOUBLE, Kind::Double | Kind::Any) => self.skip(8),
            (BINARY, Kind::Binary | Kind::Any) => self.binary().map(drop),
            (LIST, Kind::List(kind)) => self.list(*kind, depth),
            (LIST | SET, Kind::Any) => self.list(Kind::Any, depth),
            (MAP, Kind::Any) => self.map(depth),
            (STRUCT, Kind::Struct(fields)) => self.fields(fields, depth),
            (STRUCT, Kind::Any) => self.fields(&[], depth),
            (UUID, Kind::Any) => self.skip(16),
            _ => Err(format!(
                "a field has type {written}, and should be {kind:?}"
            )),
        }
    }

    fn fields(&mut self, fields: Fields, depth: usize) -> Result<(), String> {
        self.each_field(|thrift, id, written| thrift.one_of(fields, id, written, depth))
    }

    fn list(&mut self, kind: Kind, depth: usize) -> Result<(), String> {
        let (count, written) = self.list_start()?;
        (0..count).try_for_each(|_| self.value(kind, written, depth))
    }

    /// The count and the type of a list's values.
    pub(super) fn list_start(&mut self) -> Result<(u64, Type), String> {
        let first = self.byte()?;
        let count = match first >> 4 {
            15 => self.varint()?,
            count => count.into(),
        };
        self.are_there(count, &[first & 15])?;
        Ok((count, first & 15))
    }

    fn map(&mut self, depth: usize) -> Result<(), String> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        let types = self.byte()?;
        let types = [types >> 4, types & 15];
        self.are_there(count, &types)?;
        let mut values = (0..count).flat_map(|_| types);
        values.try_for_each(|written| self.value(Kind::Any, written, depth))
    }

    /// Whether so many values can be there, of at least a byte each. The reader takes bools of lists for
    /// nothing, and no footer has any.
    fn are_there(&self, count: u64, types: &[Type]) -> Result<(), String> {
        if count > self.left {
            return Err(format!("a list of {count} values has {} bytes", self.left));
        }
        match count > 0 && types.iter().any(|written| matches!(*written, TRUE | FALSE)) {
            true => Err("it has a list of bools".to_owned()),
            false => Ok(()),
        }
    }

    /// Moves behind bytes, and returns how many they are.
    pub(super) fn binary(&mut self) -> Result<u64, String> {
        let length = self.varint()?;
        self.skip(length)?;
        Ok(length)
    }

    /// A number with a sign, which is its lowest bit.
    pub(super) fn number(&mut self) -> Result<i64, String> {
        let number = self.varint()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number of 32 bits: the reader drops others.
    pub(super) fn int(&mut self) -> Result<i32, String> {
        Ok(self.number()? as i32)
    }

    pub(super) fn varint(&mut self) -> Result<u64, String> {
        varint(|| self.byte())?.ok_or_else(|| TOO_LONG.to_owned())
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        let mut byte = [0];
        self.take(1)?;
        let read = self.bytes.read_exact(&mut byte);
        read.map_err(|error| error.to_string())?;
        Ok(byte[0])
    }

    pub(super) fn skip(&mut self, length: u64) -> Result<(), String> {
        self.take(length)?;
        let mut skipped = self.bytes.by_ref().take(length);
        let read = io::copy(&mut skipped, &mut io::sink());
        match read.map_err(|error| error.to_string())? == length {
            true => Ok(()),
            false => Err("it is cut off".to_owned()),
        }
    }

    fn take(&mut self, length: u64) -> Result<(), String> {
        let left = self.left.checked_sub(length);
        self.left = left.ok_or("it is cut off")?;
        Ok(())
    }
}

/// Whether a number is written so.
pub(super) fn is_number(written: Type) -> bool {
    (I16..=I64).contains(&written)
}
