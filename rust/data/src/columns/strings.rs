//! The heap: the bytes of strings, and of all other values of no fixed length.

use super::{Columns, MemoryError, Slot, View};

/// Strings up to so many bytes are copied as so many.
pub const PADDING: usize = 32;

impl Columns {
    /// The bytes of all strings.
    pub fn heap(&self) -> &[u8] {
        &self.heap
    }

    /// The bytes of a string.
    #[inline(always)]
    pub fn bytes(&self, view: View) -> &[u8] {
        view.of(&self.heap)
    }

    /// A string of up to 7 bytes as a number, its first byte the lowest; of a longer one something.
    #[inline(always)]
    pub fn word(&self, view: View) -> u64 {
        let (start, bits) = (view.offset() as usize, 8 * (view.len() & 7));
        let word = match self.heap[start..].first_chunk() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.last_word(start),
        };
        word & ((1 << bits) - 1)
    }

    /// A string of up to 16 bytes as two numbers, zeros behind it; `None` for a longer one, and
    /// for one among the heap's last bytes.
    #[inline(always)]
    pub fn words(&self, view: View) -> Option<[u64; 2]> {
        let bytes = self.heap[view.offset() as usize..].first_chunk::<16>()?;
        let len = view.len() as usize;
        if len > bytes.len() {
            return None;
        }
        let unused = 8 * (bytes.len() - len);
        let number = u128::from_le_bytes(*bytes);
        let number = number & u128::MAX.checked_shr(unused as u32).unwrap_or(0);
        Some([number as u64, (number >> 64) as u64])
    }

    /// The heap's last bytes, fewer than 8.
    #[cold]
    fn last_word(&self, start: usize) -> u64 {
        let bytes = self.heap[start..].iter().rev();
        bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// The bytes of a row's string. Strings are UTF-8 as far as those who wrote them kept to it.
    #[inline(always)]
    pub fn text(&self, slot: Slot, row: usize) -> &[u8] {
        self.bytes(self.get(slot, row))
    }

    /// The bytes of the heap from a row's string on, and how many are the string.
    #[inline(always)]
    pub fn text_onwards(&self, slot: Slot, row: usize) -> (&[u8], usize) {
        let view: View = self.get(slot, row);
        (&self.heap[view.offset() as usize..], view.len() as usize)
    }

    /// Adds a string to the heap.
    #[inline]
    pub fn push_text(&mut self, bytes: &[u8]) -> Result<View, MemoryError> {
        let view = self.next_view(bytes.len())?;
        self.heap.extend_from_slice(bytes);
        Ok(view)
    }

    /// Adds a string of up to 8 bytes that is given as a number, its first byte the lowest.
    #[inline]
    pub fn push_word(&mut self, word: u64, len: u32) -> Result<View, MemoryError> {
        debug_assert!(len as usize <= size_of::<u64>());
        let view = self.next_view(size_of::<u64>())?;
        self.heap.extend_from_slice(&word.to_le_bytes());
        Ok(view.start(len))
    }

    /// Adds the first `len` of some bytes as a string. A short one with [`PADDING`] bytes behind
    /// its start is copied as so many, whatever its length: no branch has to be guessed.
    #[inline(always)]
    pub fn push_prefix(&mut self, bytes: &[u8], len: usize) -> Result<View, MemoryError> {
        let view = self.next_view(len.max(PADDING))?.start(len as u32);
        extend_by_prefix(&mut self.heap, bytes, len);
        Ok(view)
    }

    /// Adds strings for the first rows of a slot: of each the bytes from its first on, and how many are
    /// the string. All together have at most `most` bytes. They are copied as by [`Columns::push_prefix`].
    ///
    /// # Panics
    /// If they have more bytes, or are more than the columns' capacity.
    #[inline]
    pub fn set_texts<'t>(
        &mut self,
        slot: Slot,
        most: usize,
        texts: impl Iterator<Item = (&'t [u8], usize)>,
    ) -> Result<(), MemoryError> {
        let mut at = self.next_view(most.saturating_add(PADDING))?.offset() as usize;
        self.heap.resize(at + most + PADDING, 0);
        let views = &mut self.view[slot.index as usize * self.capacity..][..self.capacity];
        let heap = &mut self.heap[..];
        for (row, (text, len)) in texts.enumerate() {
            let to = &mut heap[at..];
            match (to.first_chunk_mut::<PADDING>(), text.first_chunk()) {
                (Some(to), Some(block)) if len <= PADDING => *to = *block,
                _ => to[..len].copy_from_slice(&text[..len]),
            }
            views[row] = View::new(at as u32, len as u32);
            at += len;
        }
        self.heap.truncate(at);
        Ok(())
    }

    /// Adds what `write` puts behind the heap, at most `most` bytes, as one string.
    #[inline]
    pub fn push_text_with(
        &mut self,
        most: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<View, MemoryError> {
        let view = self.next_view(most)?;
        write(&mut self.heap);
        let len = self.heap.len() - view.offset() as usize;
        Ok(view.start(len as u32))
    }

    /// Adds the strings of several views, one behind the other, as one.
    pub fn push_concat(&mut self, parts: &[View]) -> Result<View, MemoryError> {
        let view = self.next_view(parts.iter().map(|part| part.len() as usize).sum())?;
        for part in parts {
            let start = part.offset() as usize;
            self.heap
                .extend_from_within(start..start + part.len() as usize);
        }
        Ok(view)
    }

    /// Makes room for `len` bytes at the heap's end and returns the view that they will have.
    #[inline]
    fn next_view(&mut self, len: usize) -> Result<View, MemoryError> {
        let offset = self.heap.len();
        if len > u32::MAX as usize - offset {
            return Err(MemoryError::HeapFull);
        }
        // `try_reserve` is a call even where there is room.
        if len > self.heap.capacity() - offset {
            self.grow(len)?;
        }
        Ok(View::new(offset as u32, len as u32))
    }

    #[cold]
    fn grow(&mut self, len: usize) -> Result<(), MemoryError> {
        let grown = self.heap.try_reserve(len);
        grown.map_err(|_| MemoryError::Exhausted(len))
    }
}

/// Adds the first `len` of some bytes to others, as [`Columns::push_prefix`] does.
#[inline(always)]
pub fn extend_by_prefix(to: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match bytes.first_chunk::<PADDING>() {
        Some(block) if len <= PADDING => {
            let end = to.len() + len;
            to.extend_from_slice(block);
            to.truncate(end);
        }
        _ => to.extend_from_slice(&bytes[..len]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    #[test]
    fn a_concatenation_may_use_a_string_twice() {
        let mut columns = Columns::new(&Layout::default(), 1).unwrap();
        let view = columns.push_text("né".as_bytes()).unwrap();
        let twice = columns.push_concat(&[view, view]).unwrap();
        assert_eq!(columns.bytes(twice), "néné".as_bytes());
    }
}
