//! From columns into the bytes of a row, the same bytes as Flink writes.

use super::{DECIMAL_BYTES, INLINE, Kind, MAX_INLINE, header_bytes};
use crate::columns::{Columns, MemoryError, Physical, Slot, Timestamp, View};
use crate::types::DataType;

/// Writes rows of columns.
#[derive(Debug, Clone)]
pub struct RowWriter {
    fields: Vec<(Kind, Slot)>,
    header_bytes: usize,
    /// Row kind, null bits and 8 bytes a field.
    fixed_bytes: usize,
}

impl RowWriter {
    /// A writer of rows with the given fields, in their order.
    pub fn new(fields: &[(DataType, Slot)]) -> RowWriter {
        let header_bytes = header_bytes(fields.len());
        RowWriter {
            fields: fields
                .iter()
                .map(|(data_type, slot)| {
                    debug_assert_eq!(slot.physical, Physical::of(data_type));
                    (Kind::of(data_type), *slot)
                })
                .collect(),
            header_bytes,
            fixed_bytes: header_bytes + 8 * fields.len(),
        }
    }

    /// Writes row `row` of the columns to the start of `out` if it fits, and returns its length in
    /// bytes. Where it is longer than `out`, what `out` holds means nothing: call again with so
    /// many bytes.
    #[inline]
    pub fn write(
        &self,
        columns: &Columns,
        row: usize,
        out: &mut [u8],
    ) -> Result<usize, MemoryError> {
        let mut tail = Tail {
            bytes: &mut [],
            at: 0,
            fixed_bytes: self.fixed_bytes,
        };
        match out.split_at_mut_checked(self.fixed_bytes) {
            Some((fixed, variable)) => {
                tail.bytes = variable;
                // The case that counts stands alone: what the compiler knows of it makes it short.
                match columns.is_single() {
                    true => self.write_fields(columns, 0, fixed, &mut tail),
                    false => self.write_fields(columns, row, fixed, &mut tail),
                }
            }
            None => self.measure(columns, row, &mut tail),
        }
        let len = self.fixed_bytes + tail.at;
        match len > i32::MAX as usize {
            true => Err(MemoryError::RowTooLarge(len)),
            false => Ok(len),
        }
    }

    /// Writes row `row` of the columns as the whole content of `out`.
    #[inline]
    pub fn write_to_vec(
        &self,
        columns: &Columns,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), MemoryError> {
        let mut len = self.write(columns, row, out)?;
        if len > out.len() {
            out.try_reserve(len - out.len())
                .map_err(|_| MemoryError::Exhausted(len))?;
            out.resize(len, 0);
            len = self.write(columns, row, out)?;
        }
        out.truncate(len);
        Ok(())
    }

    #[inline(always)]
    fn write_fields(&self, columns: &Columns, row: usize, fixed: &mut [u8], tail: &mut Tail<'_>) {
        let (header, words) = fixed.split_at_mut(self.header_bytes);
        for word in header.chunks_exact_mut(8) {
            word.copy_from_slice(&[0; 8]);
        }
        let fields = self.fields.iter().zip(words.chunks_exact_mut(8));
        for (i, ((kind, slot), out)) in fields.enumerate() {
            let word = if columns.is_valid(*slot, row) {
                field(*kind, *slot, columns, row, tail)
            } else {
                header[1 + i / 8] |= 1 << (i % 8);
                0
            };
            out.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Counts the bytes of the tail, which has none.
    #[cold]
    fn measure(&self, columns: &Columns, row: usize, tail: &mut Tail<'_>) {
        for (kind, slot) in &self.fields {
            if columns.is_valid(*slot, row) {
                field(*kind, *slot, columns, row, tail);
            }
        }
    }
}

/// The 8 bytes of a field that is not NULL; what they have no room for goes to the tail.
#[inline(always)]
fn field(kind: Kind, slot: Slot, columns: &Columns, row: usize, tail: &mut Tail<'_>) -> u64 {
    match kind {
        Kind::Boolean | Kind::I8 => columns.get::<i8>(slot, row) as u8 as u64,
        Kind::I16 => columns.get::<i16>(slot, row) as u16 as u64,
        Kind::I32 => columns.get::<i32>(slot, row) as u32 as u64,
        Kind::I64 => columns.get::<i64>(slot, row) as u64,
        Kind::F32 => u64::from(columns.get::<f32>(slot, row).to_bits()),
        Kind::F64 => columns.get::<f64>(slot, row).to_bits(),
        Kind::CompactTimestamp => columns.get::<Timestamp>(slot, row).millis as u64,
        Kind::Timestamp => {
            let Timestamp { millis, nanos } = columns.get(slot, row);
            tail.push(&millis.to_le_bytes()) | nanos as u32 as u64
        }
        Kind::CompactDecimal(_) => columns.get::<i128>(slot, row) as u64,
        Kind::Decimal(_) => {
            let (bytes, len) = shortest(columns.get(slot, row));
            tail.push(&bytes) | len as u64
        }
        Kind::Bytes => {
            let view: View = columns.get(slot, row);
            let len = view.len() as usize;
            let short = columns.words(view);
            match short.and_then(|words| tail.push_short(words, len)) {
                Some(word) => word,
                None if len > MAX_INLINE => tail.push(columns.bytes(view)) | len as u64,
                None => inline_word(columns.bytes(view)),
            }
        }
        Kind::Nested => {
            let nested = columns.text(slot, row);
            tail.push(nested) | nested.len() as u64
        }
    }
}

/// Up to 7 bytes as they lie in a field itself.
#[inline(always)]
pub(crate) fn inline_word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    word[MAX_INLINE] = INLINE | bytes.len() as u8;
    u64::from_le_bytes(word)
}

/// As Java's `BigInteger.toByteArray`: the shortest two's complement, big-endian, with zeros
/// behind it; and its length.
pub(crate) fn shortest(value: i128) -> ([u8; DECIMAL_BYTES], usize) {
    let sign_bits = if value < 0 {
        value.leading_ones()
    } else {
        value.leading_zeros()
    };
    // One of them stays: the sign.
    let len = DECIMAL_BYTES - (sign_bits as usize - 1) / 8;
    let mut bytes = [0; DECIMAL_BYTES];
    bytes[..len].copy_from_slice(&value.to_be_bytes()[DECIMAL_BYTES - len..]);
    (bytes, len)
}

/// The variable-length part while it is written.
struct Tail<'a> {
    bytes: &'a mut [u8],
    at: usize,
    fixed_bytes: usize,
}

impl Tail<'_> {
    /// Adds a value and zeros to the next multiple of 8; where there is no room it is counted only.
    /// Returns its offset, counted from the row's start, where a field has it: in the upper half.
    #[inline(always)]
    fn push(&mut self, value: &[u8]) -> u64 {
        let start = self.at;
        self.at = (start + value.len()).next_multiple_of(8);
        if let Some(room) = self.bytes.get_mut(start..self.at) {
            if let Some(last) = room.last_chunk_mut() {
                *last = [0; 8];
            }
            room[..value.len()].copy_from_slice(value);
        }
        ((self.fixed_bytes + start) as u64) << 32
    }

    /// Adds a string of up to 16 bytes, and returns its field; `None` where there is not so much
    /// room. The bytes are written in any case, and stay only if they do not fit in the field:
    /// which of both cannot be foretold, so nothing jumps.
    #[inline(always)]
    fn push_short(&mut self, words: [u64; 2], len: usize) -> Option<u64> {
        let start = self.at;
        let room = self.bytes.get_mut(start..start + 16)?;
        room[..8].copy_from_slice(&words[0].to_le_bytes());
        room[8..].copy_from_slice(&words[1].to_le_bytes());
        let is_long = len > MAX_INLINE;
        self.at = start + if is_long { len.next_multiple_of(8) } else { 0 };
        let place = ((self.fixed_bytes + start) as u64) << 32 | len as u64;
        let inline = words[0] | u64::from(INLINE | len as u8) << 56;
        Some(if is_long { place } else { inline })
    }
}
