//! The bytes of a connection: bounded in number and in time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Transport;

/// The most bytes of one answer.
pub(super) const ANSWER: u64 = 64 << 20;

/// How long one question and its answer may take.
const TIME: Duration = Duration::from_secs(30);

/// A connection to a metastore.
pub(super) struct Wire {
    stream: TcpStream,
    transport: Transport,
}

/// The bytes of one answer.
pub(super) struct Answer<'a> {
    stream: &'a TcpStream,
    transport: Transport,
    /// Of the frame that is being read.
    frame: u64,
    /// That may still come.
    left: u64,
    until: Instant,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, transport: Transport) -> Wire {
        Wire { stream, transport }
    }

    /// Sends a message; its answer is to be read.
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.set_write_timeout(Some(TIME))?;
        let mut framed = Vec::with_capacity(4 + message.len());
        if self.transport == Transport::Framed {
            framed.extend((message.len() as u32).to_be_bytes());
        }
        framed.extend(message);
        self.stream.write_all(&framed)?;
        Ok(Answer {
            stream: &self.stream,
            transport: self.transport,
            frame: 0,
            left: ANSWER,
            until: Instant::now() + TIME,
        })
    }
}

impl Answer<'_> {
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let time = self.until.saturating_duration_since(Instant::now());
        if time.is_zero() {
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("no whole answer within {} s", TIME.as_secs()),
            ));
        }
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(format!(
                "an answer of more than {ANSWER} bytes"
            )));
        }
        self.stream.set_read_timeout(Some(time))?;
        let read = self.stream.read(&mut buffer[..most]);
        let read = read.map_err(|error| match error.kind() {
            // How a socket says that its time is over.
            ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
                ErrorKind::TimedOut,
                format!("no whole answer within {} s", TIME.as_secs()),
            ),
            _ => error,
        })?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.transport == Transport::Buffered || buffer.is_empty() {
            return self.receive(buffer);
        }
        while self.frame == 0 {
            let (mut length, mut there) = ([0; 4], 0);
            while there < 4 {
                match self.receive(&mut length[there..])? {
                    0 => return Ok(0),
                    more => there += more,
                }
            }
            self.frame = u64::from(u32::from_be_bytes(length));
        }
        let most = buffer
            .len()
            .min(usize::try_from(self.frame).unwrap_or(usize::MAX));
        let read = self.receive(&mut buffer[..most])?;
        self.frame -= read as u64;
        Ok(read)
    }
}
