//! The source of a streamed answer.

use std::fs::File;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// The source of a streamed answer. It is read at the pace of the client.
pub trait ContentSource: Send {
    /// Reads available content; 0 at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Returns the longest wait for content, after which the answer is cut. `None` if the source needs no limit.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// Returns the part of a file that comes next, for a connection that can send it without reading it. `None` if other content comes next.
    fn file_part(&mut self) -> Option<FilePart<'_>> {
        None
    }

    /// Skips the first bytes of that part, because they have been sent.
    fn skip(&mut self, _count: usize) {}
}

/// A part of a file.
#[derive(Clone, Copy, Debug)]
pub struct FilePart<'a> {
    /// The file.
    pub file: &'a File,
    /// Its first byte.
    pub start: u64,
    /// Its length in bytes, at least 1.
    pub length: u64,
}
