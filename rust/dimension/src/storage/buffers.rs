//! Memory that local files are read into again and again. What was just taken from the system costs
//! a fault a page: a tenth of the time of a load.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use object_store::{GetResult, GetResultPayload};
use tokio::task::spawn_blocking;

/// Smaller buffers are not kept: an allocator has them at hand.
const SMALLEST: usize = 2 << 20;

/// The buffers of a connection. They take little more memory than was read from at once.
#[derive(Debug, Default, Clone)]
pub(super) struct Buffers(Arc<Mutex<Pool>>);

#[derive(Debug, Default)]
struct Pool {
    /// Those that nothing is read from any more.
    free: Vec<Vec<u8>>,
    /// The memory of all, in bytes.
    held: usize,
    /// The bytes that are read from, and the most that ever were.
    live: usize,
    most: usize,
}

/// Is given back when the last [`Bytes`] of it are dropped.
struct Buffer {
    bytes: Vec<u8>,
    wanted: usize,
    home: Buffers,
}

impl Buffers {
    /// The bytes of an answer, as many as are there. Those of local files are read here; others come
    /// as their store's client has them.
    pub(super) async fn bytes(&self, answer: GetResult) -> object_store::Result<Bytes> {
        let range = answer.range.clone();
        match answer.payload {
            GetResultPayload::File(file, _) => {
                let home = self.clone();
                let read = spawn_blocking(move || home.read(file, range)).await?;
                read.map_err(|cause| object_store::Error::Generic {
                    store: "LocalFileSystem",
                    source: cause.into(),
                })
            }
            GetResultPayload::Stream(_) => answer.bytes().await,
        }
    }

    fn read(self, mut file: File, range: Range<u64>) -> io::Result<Bytes> {
        let wanted = range.end - range.start;
        let mut buffer = self.take(wanted)?;
        file.seek(SeekFrom::Start(range.start))?;
        file.take(wanted).read_to_end(&mut buffer.bytes)?;
        Ok(Bytes::from_owner(buffer))
    }

    /// An empty buffer with room for so many bytes: the one whose size is nearest, made larger where
    /// that is too small. Those of more than twice the size stay free for what is large.
    fn take(self, wanted: u64) -> io::Result<Buffer> {
        let wanted = usize::try_from(wanted).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = Vec::new();
        if wanted >= SMALLEST {
            let mut pool = self.pool();
            let distance = |i: &usize| pool.free[*i].capacity().abs_diff(wanted);
            let fits = |i: &usize| pool.free[*i].capacity() / 2 <= wanted;
            let nearest = (0..pool.free.len()).filter(fits).min_by_key(distance);
            bytes = nearest.map_or(bytes, |i| pool.free.swap_remove(i));
            pool.held -= bytes.capacity();
        }
        bytes.try_reserve_exact(wanted)?;
        let mut pool = self.pool();
        pool.held += bytes.capacity();
        pool.live += wanted;
        pool.most = pool.most.max(pool.live);
        drop(pool);
        let home = self;
        Ok(Buffer {
            bytes,
            wanted,
            home,
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
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
        let mut pool = self.home.pool();
        pool.live -= self.wanted;
        // Row groups differ a little in size.
        let is_bounded = pool.held <= pool.most + pool.most / 8;
        if bytes.capacity() >= SMALLEST && is_bounded {
            bytes.clear();
            pool.free.push(bytes);
        } else {
            pool.held -= bytes.capacity();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(buffers: &Buffers) -> Vec<usize> {
        let pool = buffers.pool();
        let sizes = pool.free.iter().map(|bytes| bytes.capacity() / SMALLEST);
        sizes.collect()
    }

    fn take(buffers: &Buffers, size: usize) -> Buffer {
        let buffer = buffers.clone().take((size * SMALLEST) as u64);
        buffer.unwrap()
    }

    #[test]
    fn what_is_not_read_from_any_more_is_read_into_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let bytes: Vec<u8> = (0..=255).cycle().take(2 * SMALLEST).collect();
        std::fs::write(&path, &bytes).unwrap();
        let buffers = Buffers::default();
        let read = |first: usize, len| {
            let range = first as u64..(first + len) as u64;
            let file = File::open(&path).unwrap();
            buffers.clone().read(file, range).unwrap()
        };
        let first = read(10, SMALLEST);
        let place = first.as_ptr();
        let part = first.slice(1..3);
        drop(first);
        let second = read(0, SMALLEST);
        assert_ne!(second.as_ptr(), place, "a part of the first is still there");
        assert_eq!(part[..], [11, 12]);
        drop(part);
        let third = read(66, SMALLEST);
        assert_eq!(third.as_ptr(), place);
        assert_eq!(third[..], bytes[66..][..SMALLEST]);
        assert_eq!(read(SMALLEST, 2 * SMALLEST)[..], bytes[SMALLEST..]);
    }

    #[test]
    fn of_free_buffers_the_nearest_in_size_is_taken() {
        let buffers = Buffers::default();
        drop([40, 4, 60].map(|size| take(&buffers, size)));
        assert_eq!(free(&buffers), [40, 4, 60]);
        let taken = [5, 55, 45, 1].map(|size| take(&buffers, size));
        let sizes = taken
            .each_ref()
            .map(|buffer| buffer.bytes.capacity() / SMALLEST);
        assert_eq!(sizes, [5, 60, 45, 1]);
        assert!(free(&buffers).is_empty());
        drop(taken);
        assert_eq!(take(&buffers, 20).bytes.capacity() / SMALLEST, 20);
        assert!(free(&buffers).contains(&45), "kept for what is large");
    }

    #[test]
    fn no_more_is_kept_than_was_read_from_at_once() {
        let buffers = Buffers::default();
        drop([10, 100].map(|size| take(&buffers, size)));
        assert_eq!(free(&buffers), [10, 100]);
        let taken = [60, 100].map(|size| take(&buffers, size));
        assert_eq!(buffers.pool().held / SMALLEST, 200, "the 100 for 60");
        drop(taken);
        assert_eq!(free(&buffers), [100]);
        drop([100, 10].map(|size| take(&buffers, size)));
        assert_eq!(free(&buffers), [100, 10]);
        assert_eq!(buffers.pool().held / SMALLEST, 110);
    }
}
