//! ORC's runs of integers and of bytes, as far as their numbers and sizes go: signs are not looked
//! at.
//!
//! ```text
//! integers, version 1   | control i8 >= 0 | delta i8 | base varint |         control + 3 values
//!                       | control i8 < 0  | varint ... |                     -control values
//! integers, version 2   | 00 width:3 count:3 | value |                       short repeat
//!                       | 01 code:5 count:9 | packed |                       direct
//!                       | 10 code:5 count:9 | base width:3 patch code:5 | gap width:3 patches:5
//!                         | base | packed | patches |                        patched base
//!                       | 11 code:5 count:9 | base varint | delta varint | packed |   delta
//! bytes                 | control i8 >= 0 | byte |                           control + 3 bytes
//!                       | control i8 < 0  | byte ... |                       -control bytes
//! ```

use std::io::{self, Read};

use super::varint::{TOO_LONG, varint};

/// How a column's integers are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    First,
    Second,
}

/// The unsigned integers of a stream, run by run.
pub(super) struct Integers<R> {
    bytes: R,
    version: Version,
    /// At most 512.
    run: Vec<u64>,
}

impl<R: Read> Integers<R> {
    pub(super) fn new(bytes: R, version: Version) -> Integers<R> {
        Integers {
            bytes,
            version,
            run: Vec::new(),
        }
    }

    /// The next ones; `None` at the end.
    pub(super) fn next_run(&mut self) -> io::Result<Option<&[u64]>> {
        let Some(first) = first_byte(&mut self.bytes)? else {
            return Ok(None);
        };
        self.run.clear();
        match self.version {
            Version::First => self.first_version(first as i8)?,
            Version::Second => match first >> 6 {
                0 => self.short_repeat(first)?,
                1 => self.direct(first)?,
                2 => self.patched_base(first)?,
                _ => self.delta(first)?,
            },
        }
        Ok(Some(&self.run))
    }

    fn first_version(&mut self, control: i8) -> io::Result<()> {
        if control < 0 {
            for _ in 0..control.unsigned_abs() {
                let value = self.varint()?;
                self.run.push(value);
            }
            return Ok(());
        }
        let delta = i64::from(self.byte()? as i8);
        let base = self.varint()?;
        for i in 0..i64::from(control) + 3 {
            self.run.push(base.wrapping_add_signed(delta * i));
        }
        Ok(())
    }

    fn short_repeat(&mut self, first: u8) -> io::Result<()> {
        let value = self.big_endian(usize::from(first >> 3 & 7) + 1)?;
        let count = usize::from(first & 7) + 3;
        self.run.resize(count, value);
        Ok(())
    }

    fn direct(&mut self, first: u8) -> io::Result<()> {
        let count = self.count(first)?;
        self.packed(width_of(first >> 1 & 31), count)
    }

    fn patched_base(&mut self, first: u8) -> io::Result<()> {
        let count = self.count(first)?;
        let width = width_of(first >> 1 & 31);
        let (third, fourth) = (self.byte()?, self.byte()?);
        let base_width = usize::from(third >> 5) + 1;
        let (patch_width, gap_width) = (width_of(third & 31), u32::from(fourth >> 5) + 1);
        // Its first bit is a sign, which lengths do not have.
        let base = self.big_endian(base_width)? & !(1 << (base_width * 8 - 1));
        self.packed(width, count)?;
        let patches = usize::from(fourth & 31);
        self.packed(rounded(patch_width + gap_width), patches)?;
        let mut at = 0_usize;
        for patch in self.run.split_off(count) {
            let gap = patch.checked_shr(patch_width).unwrap_or(0);
            at = at.saturating_add(gap as usize);
            let bits = patch & (u64::MAX >> (64 - patch_width.min(64)));
            if let Some(value) = self.run.get_mut(at) {
                *value |= bits.checked_shl(width).unwrap_or(0);
            }
        }
        for value in &mut self.run {
            *value = value.saturating_add(base);
        }
        Ok(())
    }

    fn delta(&mut self, first: u8) -> io::Result<()> {
        let count = self.count(first)?;
        let base = self.varint()?;
        let delta = self.varint()?;
        // The lowest bit is its sign.
        let (is_falling, delta) = (delta & 1 == 1, delta.div_ceil(2));
        let width = match first >> 1 & 31 {
            0 => None,
            code => Some(width_of(code)),
        };
        match width {
            None => self.run.resize(count.saturating_sub(1), delta),
            Some(width) => {
                self.run.push(delta);
                self.packed(width, count.saturating_sub(2))?;
            }
        }
        let mut last = base;
        for step in &mut self.run {
            last = match is_falling {
                true => last.wrapping_sub(*step),
                false => last.wrapping_add(*step),
            };
            *step = last;
        }
        self.run.insert(0, base);
        self.run.truncate(count);
        Ok(())
    }

    /// The count of a run's values, of whose 9 bits the first byte holds one.
    fn count(&mut self, first: u8) -> io::Result<usize> {
        Ok((usize::from(first & 1) << 8 | usize::from(self.byte()?)) + 1)
    }

    /// Adds values of `width` bits, the highest bit first, from a whole byte on.
    fn packed(&mut self, width: u32, count: usize) -> io::Result<()> {
        let (mut current, mut left) = (0, 0);
        for _ in 0..count {
            let (mut value, mut wanted) = (0_u64, width);
            while wanted > 0 {
                if left == 0 {
                    (current, left) = (self.byte()?, 8);
                }
                let taken = wanted.min(left);
                let bits = current >> (left - taken) & (u8::MAX >> (8 - taken));
                value = value << taken | u64::from(bits);
                left -= taken;
                wanted -= taken;
            }
            self.run.push(value);
        }
        Ok(())
    }

    fn big_endian(&mut self, length: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.bytes.read_exact(&mut bytes[8 - length..])?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn varint(&mut self) -> io::Result<u64> {
        varint(|| self.byte())?.ok_or_else(|| io::Error::other(TOO_LONG))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

/// The number of bytes that a stream of runs of bytes stands for.
pub(super) fn count_bytes(mut bytes: impl Read) -> io::Result<u64> {
    let mut count = 0;
    while let Some(control) = first_byte(&mut bytes)? {
        let control = control as i8;
        let (there, coded) = match control {
            0.. => (1, u64::from(control.unsigned_abs()) + 3),
            _ => (
                u64::from(control.unsigned_abs()),
                u64::from(control.unsigned_abs()),
            ),
        };
        if io::copy(&mut (&mut bytes).take(there), &mut io::sink())? < there {
            return Err(io::Error::other("a run of bytes is cut off"));
        }
        count += coded;
    }
    Ok(count)
}

fn first_byte(bytes: &mut impl Read) -> io::Result<Option<u8>> {
    let mut first = [0];
    Ok((bytes.read(&mut first)? == 1).then_some(first[0]))
}

/// The bits of a value, as a code of 5 bits says.
fn width_of(code: u8) -> u32 {
    match code {
        0..=23 => u32::from(code) + 1,
        24..=27 => 26 + 2 * u32::from(code - 24),
        28..=30 => 40 + 8 * u32::from(code - 28),
        _ => 64,
    }
}

/// The least width that there is a code for.
fn rounded(bits: u32) -> u32 {
    let widths = (0..32).map(width_of);
    widths.filter(|width| *width >= bits).min().unwrap_or(64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], version: Version) -> io::Result<Vec<u64>> {
        let mut integers = Integers::new(bytes, version);
        let mut all = Vec::new();
        while let Some(run) = integers.next_run()? {
            all.extend(run);
        }
        Ok(all)
    }

    /// The examples of ORC's specification.
    #[test]
    fn runs_of_the_specification_are_read() {
        let second = |bytes: &[u8]| all(bytes, Version::Second).unwrap();
        assert_eq!(second(&[0x0a, 0x27, 0x10]), [10_000; 5]);
        assert_eq!(
            second(&[0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef]),
            [23_713, 43_806, 57_005, 48_879]
        );
        let patched = [
            0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46,
            0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
        ];
        let mut expected = vec![2030, 2000, 2020, 1_000_000];
        expected.extend((2040..=2190).step_by(10));
        assert_eq!(second(&patched), expected);
        assert_eq!(
            second(&[0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46]),
            [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
        );
        let first = |bytes: &[u8]| all(bytes, Version::First).unwrap();
        assert_eq!(first(&[0x61, 0x00, 0x07]), [7; 100]);
        assert_eq!(first(&[0x61, 0xff, 0x64])[..3], [100, 99, 98]);
        assert_eq!(
            first(&[0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b]),
            [2, 3, 6, 7, 11]
        );
        assert_eq!(count_bytes(&[0x61, 0x00][..]).unwrap(), 100);
        assert_eq!(count_bytes(&[0xfe, 0x44, 0x45][..]).unwrap(), 2);
        assert!(count_bytes(&[0xfe, 0x44][..]).is_err());
    }

    proptest! {
        /// Nothing panics, and a byte makes no more than 512 values.
        #[test]
        fn any_bytes_are_runs_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            is_first in any::<bool>(),
        ) {
            let version = if is_first { Version::First } else { Version::Second };
            if let Ok(values) = all(&bytes, version) {
                prop_assert!(values.len() <= 512 * bytes.len());
            }
            let _ = count_bytes(&bytes[..]);
        }
    }
}
