//! Numbers of any width, one bit behind the other.

/// Where a number lies in a row. It begins at any bit from which 8 whole bytes hold all of it:
/// numbers of up to 57 bits anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BitField {
    byte: u32,
    shift: u8,
    width: u8,
    mask: u64,
}

impl BitField {
    /// The next `width` bits from `*bit` on, which is moved behind them.
    pub(super) fn next(bit: &mut u32, width: u8) -> BitField {
        if *bit % 8 + u32::from(width) > 64 {
            *bit = bit.next_multiple_of(8);
        }
        let field = BitField {
            byte: *bit / 8,
            shift: (*bit % 8) as u8,
            width,
            mask: match width {
                0 => 0,
                width => u64::MAX >> (64 - width),
            },
        };
        *bit += u32::from(width);
        field
    }

    pub(super) fn width(self) -> u8 {
        self.width
    }

    /// Whether it can hold a number.
    #[inline(always)]
    pub(super) fn holds(self, value: u64) -> bool {
        value & !self.mask == 0
    }

    /// The number in a row.
    #[inline(always)]
    pub(super) fn read(self, row: &[u8]) -> u64 {
        load(row, self.byte as usize) >> self.shift & self.mask
    }

    /// Which byte of a row holds a number of one bit, and the bit in it.
    #[inline(always)]
    pub(super) fn bit(self) -> (usize, u8) {
        debug_assert_eq!(self.width, 1);
        (self.byte as usize, 1 << self.shift)
    }

    /// Sets the number in a row where zeros are.
    #[inline(always)]
    pub(super) fn write(self, row: &mut [u8], value: u64) {
        debug_assert!(self.holds(value));
        let at = self.byte as usize;
        let word = load(row, at) | value << self.shift;
        row[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }
}

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Bits that a number up to `most` needs.
pub(super) fn width_of(most: u64) -> u8 {
    (u64::BITS - most.leading_zeros()) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_stand_side_by_side() {
        let widths = || (0..=64_u8).chain((0..=64).rev());
        let value = |width: u8| match width {
            0 => 0,
            width => 0xa5a5_a5a5_a5a5_a5a5 >> (64 - width),
        };
        let mut bit = 3;
        let fields: Vec<_> = widths()
            .map(|width| BitField::next(&mut bit, width))
            .collect();
        let mut row = vec![0; bit as usize / 8 + 8];
        for (field, width) in fields.iter().zip(widths()) {
            field.write(&mut row, value(width));
        }
        for (field, width) in fields.iter().zip(widths()) {
            assert_eq!(field.read(&row), value(width), "{width} bits");
            assert_eq!(width_of(value(width)), width);
        }
        assert_eq!(row[0] & 0b111, 0);
    }
}
