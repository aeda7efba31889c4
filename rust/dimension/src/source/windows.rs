//! The bytes of a file for readers of other libraries, which ask for a little after another: more is
//! read at once, and no more is held than a window of each part that is read by itself.

use std::io::{self, Read};
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::error::Error;
use crate::storage::{Connection, DataFile};

/// A file, and the windows that it is read through.
#[derive(Debug)]
pub(super) struct Windows {
    connection: Connection,
    file: DataFile,
    piece: Piece,
    windows: Mutex<Vec<Window>>,
    /// Why the store could not be read: readers know it only as text.
    failure: Mutex<Option<Error>>,
}

/// What is read at once of a part.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// So many bytes at the least, once some of them are asked for.
    Bytes(u64),
    /// All of it, together with the other parts.
    All,
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
    pub(super) fn new(connection: &Connection, file: &DataFile, piece: Piece) -> Windows {
        let whole = Window::new(0..file.size, Bytes::new());
        Windows {
            connection: connection.clone(),
            file: file.clone(),
            piece,
            windows: Mutex::new(vec![whole]),
            failure: Mutex::default(),
        }
    }

    /// A window for each of these parts instead of the ones before.
    pub(super) fn open(&self, parts: Vec<Range<u64>>) -> Result<(), Error> {
        self.connection.check(&self.file, &parts)?;
        let mut windows = self.windows();
        windows.clear();
        let bytes = match self.piece {
            Piece::Bytes(_) => vec![Bytes::new(); parts.len()],
            Piece::All => self.connection.read(&self.file, &parts)?,
        };
        let parts = parts.into_iter().zip(bytes);
        windows.extend(parts.map(|(part, bytes)| Window::new(part, bytes)));
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
        }
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
        let window = windows.iter_mut().find(holds);
        let window = window.ok_or_else(|| format!("it has no part with bytes {start}..{end}"))?;
        if start < window.start || window.start + (window.bytes.len() as u64) < end {
            // Free, if no reader holds a page of it, before its memory is read into again.
            drop(mem::take(&mut window.bytes));
            let piece = match self.piece {
                Piece::Bytes(piece) => start.saturating_add(piece).min(window.part.end),
                Piece::All => window.part.end,
            };
            window.bytes = self.read(start..end.max(piece))?;
            window.start = start;
        }
        Ok(get(window))
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

/// Reads on and on. It holds no bytes, so that windows are free to move.
#[derive(Debug)]
pub(super) struct Reader {
    file: Arc<Windows>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let is_there = |window: &Window| window.part.contains(&self.at);
        if to.is_empty() || !self.file.windows().iter().any(is_there) {
            return Ok(0);
        }
        let read = self.file.through_window(self.at, self.at + 1, |window| {
            let known = &window.bytes[(self.at - window.start) as usize..];
            let length = known.len().min(to.len());
            to[..length].copy_from_slice(&known[..length]);
            length
        });
        let read = read.map_err(io::Error::other)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Storage;

    const LEN: u64 = 1000;

    fn file(piece: Piece) -> (Connection, Arc<Windows>) {
        let connection = Storage::in_memory().connect().unwrap();
        let bytes: Vec<u8> = (0..LEN).map(|at| at as u8).collect();
        connection.write("part-0", bytes).unwrap();
        let listed = connection.list("").unwrap().files.remove(0);
        let windows = Windows::new(&connection, &listed, piece);
        (connection, Arc::new(windows))
    }

    /// Where the first window begins, and how long it is.
    fn first_window(file: &Windows) -> (u64, usize) {
        let window = &file.windows()[0];
        (window.start, window.bytes.len())
    }

    fn bytes(range: Range<u64>) -> Vec<u8> {
        range.map(|at| at as u8).collect()
    }

    #[test]
    fn parts_are_read_however_they_are_asked_for() {
        for piece in [Piece::Bytes(16), Piece::Bytes(1), Piece::All] {
            let (_, file) = file(piece);
            let parts = vec![100..150, 150..151, 151..151, 300..LEN];
            file.open(parts.clone()).unwrap();
            for (start, end) in [(100, 151), (150, 151), (300, LEN), (151, 151)] {
                let mut all = Vec::new();
                file.reader(start).read_to_end(&mut all).unwrap();
                assert_eq!(all, bytes(start..end), "on and on from {start}");
            }
            for part in parts {
                for length in [0, 1, 7, 16, 40] {
                    for start in (part.start..part.end).step_by(3) {
                        let end = (start + length).min(part.end);
                        let read = file.bytes(start, end - start).unwrap();
                        assert_eq!(read, bytes(start..end));
                    }
                }
            }
        }
    }

    #[test]
    fn no_more_is_held_than_a_piece_or_what_was_asked_for() {
        let (_, file) = file(Piece::Bytes(16));
        file.open(vec![100..150, 150..LEN]).unwrap();
        assert_eq!(first_window(&file), (100, 0), "nothing was asked for");
        let mut windows: Vec<_> = (100..150)
            .map(|at| {
                file.bytes(at, 1).unwrap();
                first_window(&file)
            })
            .collect();
        windows.dedup();
        assert_eq!(windows, [(100, 16), (116, 16), (132, 16), (148, 2)]);
        file.bytes(110, 40).unwrap();
        assert_eq!(first_window(&file), (110, 40));
    }

    #[test]
    fn what_no_part_holds_is_refused() {
        let (_, file) = file(Piece::Bytes(16));
        file.open(vec![100..150, 150..160]).unwrap();
        for (start, length) in [(99, 2), (140, 15), (160, 1), (0, u64::MAX), (u64::MAX, 1)] {
            let why = file.bytes(start, length).unwrap_err();
            assert!(why.contains("has no part with bytes"), "{why}");
        }
        let error = file.open(vec![100..150, LEN - 1..LEN + 1]).unwrap_err();
        assert!(error.to_string().contains("are asked for"), "{error}");
    }

    #[test]
    fn what_the_store_says_is_not_lost_on_the_way_through_a_reader() {
        let (connection, file) = file(Piece::Bytes(16));
        connection.write("part-0", vec![0; 10]).unwrap();
        let why = file.reader(500).read_to_end(&mut Vec::new()).unwrap_err();
        let broken = || Error::Unavailable("it is broken".to_owned());
        let error = file.failed(broken);
        assert!(matches!(error, Error::Changed(_)), "{error}");
        assert_eq!(error.to_string(), why.to_string());
        assert_eq!(file.failed(broken), broken(), "it is said once");
    }
}
