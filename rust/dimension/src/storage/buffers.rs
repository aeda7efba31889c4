//! Memory that files are read into again and again. What was just taken from the system costs a
//! fault a page: a tenth of the time of a load.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use object_store::{GetResult, GetResultPayload};

/// Smaller buffers are not kept: an allocator has them at hand.
const SMALLEST: usize = 1 << 20;

/// The buffers of a connection that nothing is read from any more.
#[derive(Debug, Default, Clone)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// Is given back when the last [`Bytes`] of it are dropped.
struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// The bytes of an answer. Those of local files are read here; others come as their store's
    /// client has them.
    pub(super) async fn bytes(&self, answer: GetResult) -> object_store::Result<Bytes> {
        let range = answer.range.clone();
        match answer.payload {
            GetResultPayload::File(file, _) => {
                let read = self.read(file, range);
                read.map_err(|cause| object_store::Error::Generic {
                    store: "LocalFileSystem",
                    source: cause.into(),
                })
            }
            GetResultPayload::Stream(_) => answer.bytes().await,
        }
    }

    fn read(&self, mut file: File, range: Range<u64>) -> io::Result<Bytes> {
        let wanted = range.end - range.start;
        let mut buffer = Buffer {
            bytes: self.take(wanted)?,
            home: self.clone(),
        };
        file.seek(SeekFrom::Start(range.start))?;
        let read = file.take(wanted).read_to_end(&mut buffer.bytes)?;
        if read as u64 != wanted {
            let message = format!("{read} of {wanted} bytes are there");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        Ok(Bytes::from_owner(buffer))
    }

    /// An empty buffer with room for so many bytes: the one whose size is nearest, made larger where
    /// that is too small, so that large ones stay free for what is large.
    fn take(&self, wanted: u64) -> io::Result<Vec<u8>> {
        let wanted = usize::try_from(wanted).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut buffer = Vec::new();
        if wanted >= SMALLEST {
            let mut free = self.free();
            let distance = |i: &usize| free[*i].capacity().abs_diff(wanted);
            let nearest = (0..free.len()).min_by_key(distance);
            buffer = nearest.map(|i| free.swap_remove(i)).unwrap_or_default();
        }
        buffer.try_reserve_exact(wanted)?;
        Ok(buffer)
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.capacity() >= SMALLEST {
            bytes.clear();
            self.home.free().push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_from_any_more_is_read_into_again() {
        let path = std::env::temp_dir().join(format!("pelton-buffers-{}", std::process::id()));
        let bytes: Vec<u8> = (0..=255).cycle().take(2 * SMALLEST).collect();
        std::fs::write(&path, &bytes).unwrap();
        let buffers = Buffers::default();
        let read = |first: usize, len| {
            let range = first as u64..(first + len) as u64;
            buffers.read(File::open(&path).unwrap(), range)
        };
        let first = read(10, SMALLEST).unwrap();
        let place = first.as_ptr();
        let part = first.slice(1..3);
        drop(first);
        let second = read(0, SMALLEST).unwrap();
        assert_ne!(second.as_ptr(), place, "a part of the first is still there");
        assert_eq!(part[..], [11, 12]);
        drop(part);
        let third = read(66, SMALLEST).unwrap();
        assert_eq!(third.as_ptr(), place);
        assert_eq!(third[..], bytes[66..][..SMALLEST]);
        let cut = read(SMALLEST, SMALLEST + 1).unwrap_err();
        assert_eq!(cut.to_string(), "1048576 of 1048577 bytes are there");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn of_free_buffers_the_nearest_in_size_is_taken() {
        let buffers = Buffers::default();
        buffers
            .free()
            .extend([40, 4, 60].map(|n| Vec::with_capacity(n * SMALLEST)));
        let taken = [5, 55, 45, 1].map(|n| {
            let buffer = buffers.take((n * SMALLEST) as u64).unwrap();
            buffer.capacity() / SMALLEST
        });
        assert_eq!(taken, [5, 60, 45, 1]);
        assert!(buffers.free().is_empty());
    }
}
