//! One reading of a path, in the form used for route lookup.

use super::escape::{is_decoded, unescape};

/// A reader's treatment of `%2F` and `%5C`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slashes {
    /// They are part of a segment.
    Kept,
    /// They separate segments; parameters are cut afterwards.
    Before,
    /// Parameters are cut first; encoded slashes outside them separate segments.
    After,
}

/// A reader's treatment of `%3B`, `%3F` and `%23`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Marks {
    /// They are part of a segment.
    Kept,
    /// `%3B` begins a parameter; `%3F` and `%23` end the path.
    Cut,
}

/// Reads a scanned path. `None` if the reading has a dot segment.
pub(super) fn read(path: &str, slashes: Slashes, marks: Marks) -> Option<String> {
    let mut read = Read::new(path.len());
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'/', _) => {
                read.separate()?;
                read.in_parameter = false;
            }
            (b';', _) => read.in_parameter = true,
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let value = unescape(*high, *low).unwrap_or(b'%');
                match (value, slashes, marks) {
                    (b'?' | b'#', _, Marks::Cut) => break,
                    (b';', _, Marks::Cut) => read.in_parameter = true,
                    (b'/' | b'\\', Slashes::Before, _) => {
                        read.separate()?;
                        read.in_parameter = false;
                    }
                    (b'/' | b'\\', Slashes::After, _) if !read.in_parameter => read.separate()?,
                    _ => read.push_escaped(value, [*high, *low]),
                }
            }
            _ => read.push(*byte),
        }
    }
    read.finish()
}

/// A reading under construction: its segments, each without its parameters.
struct Read {
    text: String,
    /// Start of the current segment.
    start: usize,
    in_parameter: bool,
}

impl Read {
    fn new(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity.max(1));
        text.push('/');
        Self {
            text,
            start: 1,
            in_parameter: false,
        }
    }

    fn push(&mut self, byte: u8) {
        if !self.in_parameter {
            self.text.push(char::from(byte));
        }
    }

    fn push_escaped(&mut self, value: u8, digits: [u8; 2]) {
        if is_decoded(value) {
            return self.push(value);
        }
        self.push(b'%');
        for digit in digits {
            // RFC 3986 section 6.2.2.1: the digits of an escape are compared in upper case.
            self.push(digit.to_ascii_uppercase());
        }
    }

    /// Ends a segment, dropping an empty one. `None` if it is a dot segment.
    fn separate(&mut self) -> Option<()> {
        match &self.text[self.start..] {
            "" => {}
            "." | ".." => return None,
            _ => {
                self.text.push('/');
                self.start = self.text.len();
            }
        }
        Some(())
    }

    fn finish(self) -> Option<String> {
        let dots = matches!(&self.text[self.start..], "." | "..");
        (!dots).then_some(self.text)
    }
}
