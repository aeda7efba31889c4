//! Numbers of seven bits a byte, the lowest first, as Thrift, Protobuf and ORC's runs write them.

/// Why one cannot be right that goes on behind its 64th bit.
pub(super) const TOO_LONG: &str = "a number has more than 64 bits";

/// The next number; `None` if it is [`TOO_LONG`].
#[inline]
pub(super) fn varint<E>(mut byte: impl FnMut() -> Result<u8, E>) -> Result<Option<u64>, E> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some(number));
        }
    }
    Ok(None)
}
