//! What functions of strings are made of: their arguments, and loops over the rows.

use pelton_data::DataType;
use pelton_data::columns::{Columns, Native, Timestamp, View};
use pelton_data::report::Diagnostic;

use super::super::program::{Call, Failure, Frame};
use super::super::typing::Typed;
use super::cast::cast;
use super::kernel::for_rows;
use super::{Args, is_unit, untyped_null};

/// The longest string that REPEAT, LPAD, RPAD and REPLACE make, in bytes: an error beyond it.
const LONGEST: usize = 1 << 24;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A string.
    Text,
    /// TINYINT to INT, as an INT. Of most of them Flink's generated code takes no BIGINT.
    Int,
    /// TINYINT to BIGINT, as a BIGINT.
    Long,
}

/// The arguments, if they are what a function takes.
pub(super) fn arguments(args: Args<'_>, takes: &[Takes]) -> Result<Vec<Typed>, Diagnostic> {
    let mismatch = args.mismatch();
    if args.values.len() != takes.len() || args.values.iter().any(is_unit) {
        return Err(mismatch);
    }
    if let Some(null) = args.values.iter().find(|value| value.is_null_literal()) {
        return Err(untyped_null(null));
    }
    let typed = args.values.into_iter().zip(takes).map(|(value, takes)| {
        let data_type = &value.data_type;
        match takes {
            Takes::Text if data_type.is_string() => Ok(value),
            Takes::Int if *data_type == DataType::BigInt => {
                Err(mismatch.clone().help("write CAST(... AS INT)"))
            }
            Takes::Int if data_type.is_integer() => cast(value, &DataType::Int),
            Takes::Long if data_type.is_integer() => cast(value, &DataType::BigInt),
            _ => Err(mismatch.clone()),
        }
    });
    typed.collect()
}

/// The type of a string whose length may shrink.
pub(super) fn varying(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Char(length) => DataType::Varchar(*length),
        other => other.clone(),
    }
}

/// The arguments of one row; none of them is NULL.
pub(super) struct Row<'a> {
    columns: &'a Columns,
    call: &'a Call,
    row: usize,
}

impl<'a> Row<'a> {
    pub fn view(&self, arg: usize) -> View {
        self.columns.get(self.call.args[arg], self.row)
    }

    pub fn text(&self, arg: usize) -> &'a [u8] {
        self.columns.text(self.call.args[arg], self.row)
    }

    pub fn int(&self, arg: usize) -> i32 {
        self.columns.get(self.call.args[arg], self.row)
    }

    pub fn long(&self, arg: usize) -> i64 {
        self.columns.get(self.call.args[arg], self.row)
    }

    pub fn timestamp(&self, arg: usize) -> Timestamp {
        self.columns.get(self.call.args[arg], self.row)
    }

    /// The two INTs of [`pair`].
    pub fn pair(&self, arg: usize) -> (i32, i32) {
        let both = self.long(arg);
        ((both >> 32) as i32, both as i32)
    }
}

/// Two INTs in one BIGINT, for functions of more than three arguments: an instruction has three.
pub(super) fn pair(high: Typed, low: Typed) -> Typed {
    let span = high.span.clone();
    Typed::call(
        DataType::BigInt,
        span,
        |frame, call| {
            map(frame, call, |row| {
                Ok(Some(
                    i64::from(row.int(0)) << 32 | i64::from(row.int(1) as u32),
                ))
            })
        },
        vec![high, low],
    )
}

/// Whether no argument is NULL; those that a call does not have repeat the first.
fn all_valid(columns: &Columns, call: &Call, row: usize) -> bool {
    call.args.iter().all(|arg| columns.is_valid(*arg, row))
}

/// A value of every row; NULL where an argument is, or where `f` says so.
#[inline(always)]
pub(super) fn map<R: Native>(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&Row<'_>) -> Result<Option<R>, Failure>,
) -> Result<(), Failure> {
    for_rows(frame, call, |columns, row| {
        let value = match all_valid(columns, call, row) {
            true => f(&Row { columns, call, row })?,
            false => None,
        };
        columns.put(call.out, row, value);
        Ok(())
    })
}

/// A string that `f` writes; NULL where it answers FALSE, or where an argument is NULL.
#[inline(always)]
pub(super) fn write(
    frame: &mut Frame<'_>,
    call: &Call,
    f: impl Fn(&Row<'_>, &mut Vec<u8>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    // Taken for the loop, because the frame cannot be borrowed twice; given back below.
    let mut text = std::mem::take(&mut frame.selections.text);
    let result = for_rows(frame, call, |columns, row| {
        text.clear();
        let written = all_valid(columns, call, row) && f(&Row { columns, call, row }, &mut text)?;
        let view = match written {
            true => Some(columns.push_text(&text)?),
            false => None,
        };
        columns.put(call.out, row, view);
        Ok(())
    });
    frame.selections.text = text;
    result
}

/// An error if a string of `bytes` bytes is too long to be made.
pub(super) fn check_length(bytes: usize) -> Result<(), Failure> {
    match bytes <= LONGEST {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "a string of {bytes} bytes: more than {LONGEST} are not made"
        ))),
    }
}

/// The characters of a string; what is not UTF-8 is U+FFFD, as Java reads it.
pub(super) fn chars(text: &[u8]) -> impl Iterator<Item = char> + Clone + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        let broken = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(broken)
    })
}

/// The units that Java counts: a character beyond U+FFFF is two.
pub(super) fn units(text: &[u8]) -> impl Iterator<Item = u16> + Clone + '_ {
    chars(text).flat_map(|c| {
        let mut units = [0; 2];
        let count = c.encode_utf16(&mut units).len();
        units.into_iter().take(count)
    })
}

/// Writes units as UTF-8; half a character is `?`, as in Java.
pub(super) fn push_units(text: &mut Vec<u8>, units: impl Iterator<Item = u16>) {
    for c in char::decode_utf16(units) {
        push_char(text, c.unwrap_or('?'));
    }
}

pub(super) fn push_char(text: &mut Vec<u8>, c: char) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Bytes of the character that begins with `first`.
pub(super) fn char_len(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}
