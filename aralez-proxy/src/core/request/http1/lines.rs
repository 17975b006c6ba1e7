//! The complete lines of a head that have arrived so far.

/// The read position. It is kept between calls, so that a head that arrives byte by byte is not scanned again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// Offset of the current line.
    start: usize,
    /// Offset up to which the line end was searched.
    seen: usize,
}

/// One line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Offset of its first byte.
    pub start: usize,
    /// End of its text, exclusive.
    pub end: usize,
    /// Offset of the next line.
    pub next: usize,
    /// Set if it ends in CRLF rather than in LF alone.
    pub crlf: bool,
}

impl Lines {
    /// Returns the next line. `None` if its end has not arrived yet.
    pub fn next(&mut self, bytes: &[u8]) -> Option<Line> {
        let rest = bytes.get(self.seen..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', rest) else {
            self.seen = bytes.len().max(self.seen);
            return None;
        };
        let feed = self.seen + found;
        let start = self.start;
        let crlf = feed > start && bytes[feed - 1] == b'\r';
        self.start = feed + 1;
        self.seen = feed + 1;
        Some(Line {
            start,
            end: if crlf { feed - 1 } else { feed },
            next: feed + 1,
            crlf,
        })
    }

    /// Returns the offset of the incomplete line.
    pub const fn start(&self) -> usize {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_once_its_end_is_there() {
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"ab"), None);
        assert_eq!(lines.next(b"ab\r"), None);
        let first = lines.next(b"ab\r\nc\n\n").unwrap();
        assert_eq!(
            (first.start, first.end, first.next, first.crlf),
            (0, 2, 4, true)
        );
        let second = lines.next(b"ab\r\nc\n\n").unwrap();
        assert_eq!((second.start, second.end, second.crlf), (4, 5, false));
        let third = lines.next(b"ab\r\nc\n\n").unwrap();
        assert_eq!((third.start, third.end, third.crlf), (6, 6, false));
        assert_eq!(lines.next(b"ab\r\nc\n\n"), None);
        assert_eq!(lines.start(), 7);
    }
}
