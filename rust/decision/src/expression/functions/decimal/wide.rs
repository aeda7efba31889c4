//! Numbers of 256 bits, for the few steps on which a DECIMAL passes 128.

use super::number::ten_to;

/// A magnitude of 256 bits: holds the product of two magnitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    pub fn product(a: u128, b: u128) -> Wide {
        const HALF: u128 = u64::MAX as u128;
        let (a_high, a_low) = (a >> 64, a & HALF);
        let (b_high, b_low) = (b >> 64, b & HALF);
        let low = a_low * b_low;
        // Neither sum passes 2^128: each half is below 2^64.
        let middle = a_high * b_low + (low >> 64);
        let other = a_low * b_high + (middle & HALF);
        Wide {
            high: a_high * b_high + (middle >> 64) + (other >> 64),
            low: other << 64 | low & HALF,
        }
    }

    /// `a * 10^k`, which has less than 77 digits.
    pub fn product_of_powers(a: u128, k: u32) -> Wide {
        let (first, second) = (k.min(38), k.saturating_sub(38));
        // The second power is only there where `a` is that much smaller.
        Wide::product(a * ten_to(second), ten_to(first))
    }

    pub fn plus(self, other: Wide) -> Wide {
        let (low, carry) = self.low.overflowing_add(other.low);
        let high = self.high + other.high + u128::from(carry);
        Wide { high, low }
    }

    /// Less `other`, which is not larger.
    pub fn minus(self, other: Wide) -> Wide {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        let high = self.high - other.high - u128::from(borrow);
        Wide { high, low }
    }

    /// Quotient and remainder, bit by bit below the upper half.
    pub fn over(self, divisor: u128) -> (Wide, u128) {
        let high = self.high / divisor;
        let mut rest = self.high % divisor;
        let mut low = 0u128;
        for bit in (0..128).rev() {
            let carry = rest >> 127 == 1;
            rest = rest << 1 | self.low >> bit & 1;
            if carry || rest >= divisor {
                rest = rest.wrapping_sub(divisor);
                low |= 1 << bit;
            }
        }
        (Wide { high, low }, rest)
    }

    /// `self / 10^k`, half away from zero; k is 1 to 39.
    pub fn rounded_off(self, k: u32) -> Wide {
        let (above, _) = self.over(ten_to(k - 1));
        above.plus(Wide { high: 0, low: 5 }).over(10).0
    }

    pub fn below_ten_to_38(self) -> Option<u128> {
        (self.high == 0 && self.low < ten_to(38)).then_some(self.low)
    }
}
