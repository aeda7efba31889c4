//! The bytes of a file for readers of other libraries, which ask for a little after another: more is
//! read at once, and no more is held than a window of each part that is read by itself.

use std::io::{self, Read};
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};

use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// A file, and the windows that it is read through.
#[derive(Debug)]
pub(super) struct Windows {
    connection: Connection,
    file: DataFile,
    /// What a window reads at once, in bytes, at the least.
    piece: u64,
    windows: Mutex<Vec<Window>>,
    /// Why the store could not be read: readers know it only as text.
    failure: Mutex<Option<Error>>,
}

/// Some bytes of a part of the file.
#[derive(Debug)]
struct Window {
    part: Range<u64>,
    start: u64,
    bytes: Bytes,
}

impl Windows {
    /// With one window, which moves over the whole file.
    pub(super) fn new(connection: &Connection, file: &DataFile, piece: u64) -> Windows {
        let whole = Window::new(0..file.size, Bytes::new());
        Windows {
            connection: connection.clone(),
            file: file.clone(),
            piece,
            windows: Mutex::new(vec![whole]),
            failure: Mutex::default(),
        }
    }

    /// A window for each of these parts instead of the ones before. All are read from at once.
    pub(super) fn open(&self, parts: &[Range<u64>]) -> Result<(), Error> {
        self.windows().clear();
        let first = |part: &Range<u64>| part.start..self.end_of_piece(part.start, part);
        let pieces: Vec<_> = parts.iter().map(first).collect();
        let bytes = self.connection.read(&self.file, &pieces)?;
        let windows = parts.iter().cloned().zip(bytes);
        self.windows()
            .extend(windows.map(|(part, bytes)| Window::new(part, bytes)));
        Ok(())
    }

    /// The bytes from `start` on.
    pub(super) fn bytes(&self, start: u64, length: u64) -> Result<Bytes, String> {
        let end = start.saturating_add(length);
        self.through_window(start, end, |window| {
            let first = (start - window.start) as usize;
            window.bytes.slice(first..first + length as usize)
        })
    }

    /// Reads from `start` on, as far as there are parts one behind the other.
    pub(super) fn reader(self: &Arc<Windows>, start: u64) -> Reader {
        Reader {
            file: self.clone(),
            at: start,
            bytes: Bytes::new(),
        }
    }

    /// What is known from `at` on, a byte at the least; none where there is no part.
    fn rest(&self, at: u64) -> Result<Bytes, String> {
        let is_there = |window: &Window| window.part.contains(&at);
        if !self.windows().iter().any(is_there) {
            return Ok(Bytes::new());
        }
        self.through_window(at, at.saturating_add(1), |window| {
            window.bytes.slice((at - window.start) as usize..)
        })
    }

    /// What `get` takes from the window on the part that holds all of `start..end`, once it is there.
    fn through_window<T>(
        &self,
        start: u64,
        end: u64,
        get: impl FnOnce(&Window) -> T,
    ) -> Result<T, String> {
        let mut windows = self.windows();
        let holds = |window: &&mut Window| window.part.start <= start && end <= window.part.end;
        let window = windows.iter_mut().find(holds).ok_or_else(|| {
            format!("bytes {start}..{end} are asked for, which lie in no part of it to read")
        })?;
        if start < window.start || window.start + (window.bytes.len() as u64) < end {
            // What is not needed any more is free before it is read into.
            drop(mem::take(&mut window.bytes));
            let range = start..end.max(self.end_of_piece(start, &window.part));
            window.bytes = self.read(range)?;
            window.start = start;
        }
        Ok(get(window))
    }

    fn end_of_piece(&self, start: u64, part: &Range<u64>) -> u64 {
        start.saturating_add(self.piece).min(part.end)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, String> {
        let read = self
            .connection
            .read(&self.file, std::slice::from_ref(&range));
        let mut read = read.map_err(|error| {
            let text = error.to_string();
            *lock(&self.failure) = Some(error);
            text
        })?;
        Ok(read.pop().unwrap_or_default())
    }

    /// Why a reader failed: because of the store, or else because of the file, as `broken` says.
    pub(super) fn failed(&self, broken: impl FnOnce() -> Error) -> Error {
        lock(&self.failure).take().unwrap_or_else(broken)
    }

    pub(super) fn size(&self) -> u64 {
        self.file.size
    }

    fn windows(&self) -> MutexGuard<'_, Vec<Window>> {
        lock(&self.windows)
    }
}

impl Window {
    fn new(part: Range<u64>, bytes: Bytes) -> Window {
        let start = part.start;
        Window { part, start, bytes }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads on and on.
#[derive(Debug)]
pub(super) struct Reader {
    file: Arc<Windows>,
    at: u64,
    bytes: Bytes,
}

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.bytes = self.file.rest(self.at).map_err(io::Error::other)?;
        }
        let read = (&self.bytes[..]).read(to)?;
        self.bytes.advance(read);
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Storage;

    const LEN: u64 = 1000;

    fn file(piece: u64) -> (Connection, Arc<Windows>) {
        let connection = Storage::in_memory().connect().unwrap();
        let bytes: Vec<u8> = (0..LEN).map(|at| at as u8).collect();
        connection.write("part-0", bytes).unwrap();
        let listed = connection.list("").unwrap().files.remove(0);
        let windows = Windows::new(&connection, &listed, piece);
        (connection, Arc::new(windows))
    }

    fn bytes(range: Range<u64>) -> Vec<u8> {
        range.map(|at| at as u8).collect()
    }

    #[test]
    fn parts_are_read_in_pieces_however_they_are_asked_for() {
        let (_, file) = file(16);
        let parts = [100..150, 150..151, 300..LEN];
        file.open(&parts).unwrap();
        for (start, end) in [(100, 151), (150, 151), (300, LEN), (151, 151)] {
            let mut all = Vec::new();
            file.reader(start).read_to_end(&mut all).unwrap();
            assert_eq!(all, bytes(start..end), "on and on from {start}");
        }
        for part in parts {
            for length in [1, 7, 16, 40] {
                for start in (part.start..part.end).step_by(3) {
                    let end = (start + length).min(part.end);
                    let read = file.bytes(start, end - start).unwrap();
                    assert_eq!(read, bytes(start..end));
                }
            }
        }
        assert_eq!(file.bytes(100, 50).unwrap(), bytes(100..150));
        let held = file.windows().iter().map(|window| window.bytes.len()).max();
        assert_eq!(held, Some(50), "no more than was asked for");
    }

    #[test]
    fn what_no_part_holds_is_refused() {
        let (_, file) = file(16);
        file.open(&[100..150, 150..160]).unwrap();
        for (start, length) in [(99, 2), (140, 15), (160, 1), (0, u64::MAX), (u64::MAX, 1)] {
            let why = file.bytes(start, length).unwrap_err();
            assert!(why.contains("lie in no part of it"), "{why}");
        }
        let error = file.open(&[100..150, LEN - 1..LEN + 1]).unwrap_err();
        assert!(error.to_string().contains("are asked for"), "{error}");
    }

    #[test]
    fn what_the_store_says_is_not_lost_on_the_way_through_a_reader() {
        let (connection, file) = file(16);
        connection.write("part-0", vec![0; 10]).unwrap();
        let why = file.bytes(500, 1).unwrap_err();
        let broken = || Error::Unavailable("it is broken".to_owned());
        let error = file.failed(broken);
        assert!(matches!(error, Error::Changed(_)), "{error}");
        assert_eq!(error.to_string(), why);
        assert_eq!(file.failed(broken), broken(), "it is said once");
    }
}
