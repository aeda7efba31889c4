//! Hashes of keys and strings, and the equality of strings. A hash is a chain of folded
//! multiplications. Keys come from files that the user chose, so that no secret is needed; the same
//! key has the same hash in every process.

const SEED: [u64; 3] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
];

/// The hash of a string.
#[inline]
pub(super) fn hash(text: &[u8]) -> u64 {
    Hasher::new().text(text).0
}

/// The hash of values one behind the other, in a register: nothing is written to be read again. What it
/// holds behind the last value is the hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hasher(pub(super) u64);

impl Hasher {
    #[inline(always)]
    pub(super) fn new() -> Hasher {
        Hasher(SEED[0])
    }

    /// Goes on with a value of two words; `b` of one that has one is 0.
    #[inline(always)]
    pub(super) fn words(self, a: u64, b: u64) -> Hasher {
        Hasher(fold(a ^ SEED[1], b ^ self.0))
    }

    /// Goes on with bytes of any length.
    #[inline(always)]
    pub(super) fn text(self, text: &[u8]) -> Hasher {
        let mut hasher = Hasher(self.0 ^ (text.len() as u64).wrapping_mul(SEED[2]));
        let mut rest = text;
        while let Some((block, tail)) = rest
            .split_first_chunk::<16>()
            .filter(|(_, tail)| !tail.is_empty())
        {
            let (low, high) = halves(u128::from_le_bytes(*block));
            hasher = hasher.words(low, high);
            rest = tail;
        }
        match (rest.first_chunk(), rest.last_chunk()) {
            (Some(first), Some(last)) => {
                hasher.words(u64::from_le_bytes(*first), u64::from_le_bytes(*last))
            }
            _ => hasher.words(short(rest), 0),
        }
    }
}

/// Fewer than 8 bytes as a number.
#[inline(always)]
fn short(bytes: &[u8]) -> u64 {
    match (bytes, bytes.first_chunk(), bytes.last_chunk()) {
        (_, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        ([first, .., last], ..) => {
            let middle = bytes[bytes.len() / 2];
            u64::from(*first) | u64::from(middle) << 8 | u64::from(*last) << 16
        }
        ([only], ..) => u64::from(*only),
        _ => 0,
    }
}

/// Equality of strings. Most are short: two words of each, which overlap, hold up to 32 bytes.
#[inline(always)]
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<([u8; N], [u8; N])> {
        Some((*text.first_chunk()?, *text.last_chunk()?))
    }
    a.len() == b.len()
        && match a.len() {
            4..8 => ends::<4>(a) == ends::<4>(b),
            8..16 => ends::<8>(a) == ends::<8>(b),
            16..=32 => ends::<16>(a) == ends::<16>(b),
            _ => a == b,
        }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let (low, high) = halves(u128::from(a) * u128::from(b));
    low ^ high
}

#[inline(always)]
fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hashes_of_strings_that_differ_in_one_byte_differ() {
        let mut seen = HashSet::new();
        for len in 0..40 {
            let mut text = vec![7; len];
            assert!(seen.insert(hash(&text)), "{len} bytes");
            for at in 0..len {
                text[at] = 8;
                assert!(seen.insert(hash(&text)), "{len} bytes, byte {at}");
                text[at] = 7;
            }
        }
    }

    /// Of 65,536 hashes, 256 on average.
    const MOST: u64 = 256 + 100;

    /// The index takes its bucket from the top of a hash, and its tag from the bottom.
    #[track_caller]
    fn assert_spread(what: &str, hash_of: impl Fn(u64) -> u64, most: u64) {
        let (mut top, mut bottom) = ([0; 256], [0; 256]);
        for number in 0..1 << 16 {
            let hash = hash_of(number);
            top[(hash >> 56) as usize] += 1;
            bottom[(hash & 255) as usize] += 1;
        }
        let all = top.iter().chain(&bottom);
        assert!(all.max() < Some(&most), "{what}: {top:?} {bottom:?}");
    }

    #[test]
    fn numbers_in_a_row_spread_over_the_top_and_the_bottom() {
        for step in [1, 1000, 3_600_000, 1 << 32, 1 << 56] {
            let value = |number| step * (number % (u64::MAX / step));
            // Of the last there are 255, each 256 times.
            let most = if step == 1 << 56 { 256 * 8 } else { MOST };
            let one = |number| Hasher::new().words(value(number), 0).0;
            assert_spread(&format!("{step}"), one, most);
            let first = |number| Hasher::new().words(value(number), 0).words(7, 0).0;
            assert_spread(&format!("{step}, then 7"), first, most);
            let last = |number| Hasher::new().words(7, 0).words(value(number), 0).0;
            assert_spread(&format!("7, then {step}"), last, most);
        }
    }

    #[test]
    fn texts_in_a_row_spread_over_the_top_and_the_bottom() {
        for (before, behind) in [
            ("", ""),
            ("N", "AA"),
            ("customer-", ""),
            ("", "@example.org"),
        ] {
            let text = |number| hash(format!("{before}{number:05}{behind}").as_bytes());
            assert_spread(&format!("{before}00000{behind}"), text, MOST);
        }
    }
}
