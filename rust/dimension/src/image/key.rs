//! A key as bytes: equal keys, and only they, have the same.
//!
//! ```text
//! TINYINT .. BIGINT, DATE, TIME, BOOLEAN   its 1, 2, 4 or 8 bytes
//! TIMESTAMP, TIMESTAMP_LTZ                 milliseconds: 8 bytes; nanoseconds: 4 bytes
//! DECIMAL                                  16 bytes
//! CHAR, VARCHAR, BINARY, VARBINARY         | length u32 | bytes |
//! ```
//!
//! One column behind the other, all numbers little-endian. Neither an image nor its codings are
//! needed to write a key, so that a plan keeps its encoder while images come and go.

use pelton_data::DataType;
use pelton_data::columns::{Columns, MemoryError, Physical, Slot, Timestamp};

/// Writes the keys of rows whose key columns stand in given slots.
#[derive(Debug, Clone)]
pub struct KeyEncoder {
    columns: Vec<Slot>,
    /// Bytes of the columns of fixed length.
    fixed: usize,
}

impl KeyEncoder {
    /// An encoder of the key's columns, in the dimension's order and declared types.
    pub fn new(columns: &[(DataType, Slot)]) -> KeyEncoder {
        let fixed = |(data_type, slot): &(DataType, Slot)| {
            debug_assert_eq!(slot.physical, Physical::of(data_type));
            match slot.physical {
                Physical::I8 => 1,
                Physical::I16 => 2,
                Physical::I32 | Physical::F32 | Physical::View => 4,
                Physical::I64 | Physical::F64 => 8,
                Physical::Timestamp => 12,
                Physical::I128 => 16,
            }
        };
        KeyEncoder {
            columns: columns.iter().map(|(_, slot)| *slot).collect(),
            fixed: columns.iter().map(fixed).sum(),
        }
    }

    /// Writes the key of a row as the whole content of `key`. False, and nothing that means
    /// anything, where one of its columns is NULL: such a row has no key.
    #[inline]
    pub fn encode(
        &self,
        columns: &Columns,
        row: usize,
        key: &mut Vec<u8>,
    ) -> Result<bool, MemoryError> {
        key.clear();
        self.append(columns, row, key)
    }

    /// The same, behind what stands in `keys` already.
    #[inline]
    pub fn append(
        &self,
        columns: &Columns,
        row: usize,
        keys: &mut Vec<u8>,
    ) -> Result<bool, MemoryError> {
        keys.try_reserve(self.fixed)
            .map_err(|_| MemoryError::Exhausted(self.fixed))?;
        for slot in &self.columns {
            if !columns.is_valid(*slot, row) {
                return Ok(false);
            }
            match slot.physical {
                Physical::I8 => {
                    keys.extend_from_slice(&columns.get::<i8>(*slot, row).to_le_bytes())
                }
                Physical::I16 => {
                    keys.extend_from_slice(&columns.get::<i16>(*slot, row).to_le_bytes())
                }
                Physical::I32 => {
                    keys.extend_from_slice(&columns.get::<i32>(*slot, row).to_le_bytes())
                }
                Physical::I64 => {
                    keys.extend_from_slice(&columns.get::<i64>(*slot, row).to_le_bytes())
                }
                Physical::F32 => {
                    keys.extend_from_slice(&columns.get::<f32>(*slot, row).to_le_bytes())
                }
                Physical::F64 => {
                    keys.extend_from_slice(&columns.get::<f64>(*slot, row).to_le_bytes())
                }
                Physical::I128 => {
                    keys.extend_from_slice(&columns.get::<i128>(*slot, row).to_le_bytes())
                }
                Physical::Timestamp => {
                    let Timestamp { millis, nanos } = columns.get(*slot, row);
                    keys.extend_from_slice(&millis.to_le_bytes());
                    keys.extend_from_slice(&nanos.to_le_bytes());
                }
                Physical::View => {
                    let text = columns.text(*slot, row);
                    keys.try_reserve(4 + text.len())
                        .map_err(|_| MemoryError::Exhausted(text.len()))?;
                    keys.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    keys.extend_from_slice(text);
                }
            }
        }
        Ok(true)
    }
}
