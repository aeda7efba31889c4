//! Key groups: the slices in which Flink deals keys out to the subtasks of an operator.
//!
//! ```text
//! BinaryRow of the key --hash--> i32 --group--> 0..max_parallelism --range--> 0..parallelism
//!                                               the key group               the subtask
//! ```
//!
//! The same numbers as Flink's `BinaryRowData.hashCode` and `KeyGroupRangeAssignment`. The hash
//! is one of bytes, so it moves with the types of the key: those of INT -1 and BIGINT -1 differ,
//! and so do those of one time as TIMESTAMP(3) and as TIMESTAMP(6).

use std::ops::Range;

/// The most key groups that Flink has.
pub const MOST: u32 = 1 << 15;

/// Flink has no fewer key groups than this, unless a job says so.
const FEWEST: u32 = 1 << 7;

const SEED: u32 = 42;

/// `BinaryRowData.hashCode`: Murmur3 over the 4-byte words of a BinaryRow.
///
/// Rows are multiples of 8 bytes long; of other bytes the incomplete last word is left out.
#[inline]
pub fn hash(binary_row: &[u8]) -> i32 {
    let (words, _) = binary_row.as_chunks::<4>();
    let mixed = words
        .iter()
        .fold(SEED, |hash, word| mix(hash, u32::from_le_bytes(*word)));
    avalanche(mixed ^ binary_row.len() as u32) as i32
}

/// The key group of a key with this hash, below `max_parallelism`.
///
/// # Panics
/// If `max_parallelism` is 0.
#[inline]
pub fn group(hash: i32, max_parallelism: u32) -> u32 {
    // `MathUtils.murmurHash`: Murmur3 of the hash as one word, made positive.
    let mixed = avalanche(mix(0, hash as u32) ^ 4) as i32;
    mixed.checked_abs().unwrap_or(0) as u32 % max_parallelism
}

/// How many key groups an operator of so many subtasks has, where the job does not say.
pub fn default_max_parallelism(parallelism: u32) -> u32 {
    (parallelism + parallelism / 2)
        .next_power_of_two()
        .clamp(FEWEST, MOST)
}

/// The key groups of a subtask; those of all subtasks are `0..max_parallelism`, in order.
///
/// # Panics
/// If `parallelism` is 0.
pub fn range(max_parallelism: u32, parallelism: u32, subtask: u32) -> Range<u32> {
    let start = |subtask: u32| (subtask * max_parallelism).div_ceil(parallelism);
    start(subtask)..start(subtask + 1)
}

/// The subtask that has a key group.
///
/// # Panics
/// If `max_parallelism` is 0.
pub fn subtask(max_parallelism: u32, parallelism: u32, group: u32) -> u32 {
    group * parallelism / max_parallelism
}

#[inline]
fn mix(hash: u32, word: u32) -> u32 {
    let word = word
        .wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593);
    (hash ^ word)
        .rotate_left(13)
        .wrapping_mul(5)
        .wrapping_add(0xe654_6b64)
}

/// Lets every bit of the input change every bit of the output.
#[inline]
fn avalanche(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value as Json;

    use super::*;
    use crate::testing::{Row, hex};
    use crate::type_parser::parse_columns;

    const GOLDEN: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/key_groups.json"
    );

    fn golden() -> Json {
        serde_json::from_str(&fs::read_to_string(GOLDEN).unwrap()).unwrap()
    }

    fn number(json: &Json) -> u32 {
        u32::try_from(json.as_u64().unwrap()).unwrap()
    }

    fn list(json: &Json) -> &[Json] {
        json.as_array().unwrap()
    }

    #[test]
    fn subtasks_have_the_key_groups_that_flink_gives_them() {
        let golden = golden();
        for operator in list(&golden["operators"]) {
            let parallelism = number(&operator["parallelism"]);
            let most = number(&operator["max_parallelism"]);
            assert_eq!(default_max_parallelism(parallelism), most, "{parallelism}");
            let firsts = list(&operator["first_groups"]);
            assert_eq!(firsts.len(), parallelism as usize);
            for (i, first) in firsts.iter().enumerate() {
                let end = firsts.get(i + 1).map_or(most, number);
                let range = range(most, parallelism, i as u32);
                assert_eq!(range, number(first)..end, "{i} of {parallelism}");
                assert!(
                    range
                        .clone()
                        .all(|g| subtask(most, parallelism, g) == i as u32)
                );
            }
        }
    }

    #[test]
    fn keys_of_every_type_fall_into_the_groups_that_flink_computes() {
        let golden = golden();
        let (mut keys, mut schemas) = (0, 0);
        for schema in list(&golden["schemas"]) {
            let columns = schema["columns"].as_str().unwrap();
            let fields = parse_columns(columns).unwrap();
            let mut row = Row::new(fields.into_iter().map(|(f, _)| f.data_type).collect());
            schemas += 1;
            for key in list(&schema["keys"]) {
                let bytes = hex(key["hex"].as_str().unwrap());
                row.read(&bytes).unwrap();
                assert_eq!(
                    row.write(),
                    bytes,
                    "what we hash is what Flink hashes: {columns}"
                );
                let hash = hash(&bytes);
                assert_eq!(
                    i64::from(hash),
                    key["hash"].as_i64().unwrap(),
                    "{columns}: {key}"
                );
                let subtasks = list(&key["subtasks"]);
                for (operator, expected) in list(&golden["operators"]).iter().zip(subtasks) {
                    let most = number(&operator["max_parallelism"]);
                    let group = group(hash, most);
                    let subtask = subtask(most, number(&operator["parallelism"]), group);
                    assert_eq!(subtask, number(expected), "{columns}: {key}");
                }
                keys += 1;
            }
        }
        assert!(schemas > 25 && keys > 300, "{schemas} {keys}");
    }
}
