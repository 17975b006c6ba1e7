//! The content of a response with a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::task::{Context, Poll};

use crate::core::request::files::response::ContentPart;
use crate::engine::io::content_source::{ContentSource, FilePart};

/// The parts of a file, and the bytes between them, in order. The file stays open until this is dropped.
#[derive(Debug)]
pub struct FileContent {
    file: File,
    /// What is left, the next part last.
    left: Vec<ContentPart>,
}

impl FileContent {
    /// Creates the content of a response from its parts.
    pub fn new(file: File, mut parts: Vec<ContentPart>) -> Self {
        parts.reverse();
        Self { file, left: parts }
    }

    /// Removes parts of which nothing is left.
    fn drop_empty(&mut self) {
        let is_empty = |part: &ContentPart| match part {
            ContentPart::Bytes(bytes) => bytes.is_empty(),
            ContentPart::File(range) => range.is_empty(),
        };
        while self.left.last().is_some_and(is_empty) {
            self.left.pop();
        }
    }
}

impl ContentSource for FileContent {
    /// Reads from the next part. 0 before the end is a file that has become shorter.
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.drop_empty();
        let count = match self.left.last_mut() {
            None => 0,
            Some(ContentPart::Bytes(bytes)) => {
                let count = bytes.len().min(into.len());
                into[..count].copy_from_slice(&bytes[..count]);
                bytes.drain(..count);
                count
            }
            Some(ContentPart::File(range)) => {
                let most = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                let most = most.min(into.len());
                let count = self.file.read_at(&mut into[..most], range.start)?;
                range.start += count as u64;
                count
            }
        };
        Poll::Ready(Ok(count))
    }

    fn file_part(&mut self) -> Option<FilePart<'_>> {
        self.drop_empty();
        match self.left.last() {
            Some(ContentPart::File(range)) => Some(FilePart {
                file: &self.file,
                start: range.start,
                length: range.end - range.start,
            }),
            _ => None,
        }
    }

    fn skip(&mut self, count: usize) {
        if let Some(ContentPart::File(range)) = self.left.last_mut() {
            range.start = (range.start + count as u64).min(range.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn read(content: &mut FileContent, most: usize) -> String {
        let mut into = vec![0; most];
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(count)) = content.poll_read(&mut cx, &mut into) else {
            panic!("a file is always ready");
        };
        String::from_utf8(into[..count].to_vec()).unwrap()
    }

    fn file(content: &str) -> (tempfile::TempDir, File) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), content).unwrap();
        let file = File::open(dir.path().join("a")).unwrap();
        (dir, file)
    }

    #[test]
    fn parts_are_read_in_order_and_never_beyond_their_end() {
        let (_dir, file) = file("0123456789");
        let parts = vec![
            ContentPart::Bytes(b"<".to_vec()),
            ContentPart::File(2..5),
            ContentPart::File(0..0),
            ContentPart::Bytes(b">".to_vec()),
        ];
        let mut content = FileContent::new(file, parts);
        let pieces: Vec<String> = (0..5).map(|_| read(&mut content, 2)).collect();
        assert_eq!(pieces, ["<", "23", "4", ">", ""]);
    }

    #[test]
    fn a_part_that_the_client_side_sends_itself_is_not_read() {
        let (_dir, file) = file("0123456789");
        let mut content = FileContent::new(
            file,
            vec![ContentPart::Bytes(b"<".to_vec()), ContentPart::File(0..8)],
        );
        assert!(content.file_part().is_none());
        assert_eq!(read(&mut content, 9), "<");
        let part = content.file_part().unwrap();
        assert_eq!((part.start, part.length), (0, 8));
        content.skip(6);
        assert_eq!(content.file_part().unwrap().start, 6);
        assert_eq!(read(&mut content, 9), "67");
        assert!(content.file_part().is_none());
    }

    #[test]
    fn a_file_that_has_become_shorter_ends_early() {
        let (_dir, file) = file("0123");
        let mut content = FileContent::new(file, vec![ContentPart::File(0..9)]);
        assert_eq!(read(&mut content, 9), "0123");
        assert_eq!(read(&mut content, 9), "");
    }
}
