//! A single pass over a path, which checks every byte and finds the readings that may differ.

use super::InvalidPath;
use super::escape::{is_decoded, unescape};
use super::reading::{Marks, Slashes};

/// Contents of a path that readers may treat differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    /// A segment `.` or `..`, with plain or escaped dots.
    pub(super) dots: bool,
    /// Something that the first reading changes: an escape that is decoded or in lower case, an empty segment.
    respelled: bool,
    /// `;`
    parameters: bool,
    /// `%2F` or `%5C`
    slashes: bool,
    /// `%5C`
    backslashes: bool,
    /// `%3B`
    semicolons: bool,
    /// `%3F` or `%23`
    ends: bool,
}

impl Seen {
    /// Reports whether the only reading is the path as written.
    pub(super) const fn reads_as_written(self) -> bool {
        !(self.respelled || self.parameters || self.slashes || self.semicolons || self.ends)
    }

    /// Returns the readings that may differ from the first one.
    pub(super) fn other_readings(self) -> impl Iterator<Item = (Slashes, Marks)> {
        let slashes: &[Slashes] = if self.slashes {
            &[Slashes::Kept, Slashes::Before, Slashes::After]
        } else {
            &[Slashes::Kept]
        };
        let marks: &[Marks] = if self.semicolons || self.ends {
            &[Marks::Kept, Marks::Cut]
        } else {
            &[Marks::Kept]
        };
        let all = slashes
            .iter()
            .flat_map(move |slashes| marks.iter().map(move |marks| (*slashes, *marks)));
        all.skip(1)
    }

    const fn check(self) -> Result<Self, InvalidPath> {
        if self.backslashes && (self.parameters || self.semicolons) {
            return Err(InvalidPath::BackslashAndParameter);
        }
        Ok(self)
    }

    fn note_escape(&mut self, value: u8, lower: bool) {
        self.respelled |= lower || is_decoded(value);
        self.slashes |= matches!(value, b'/' | b'\\');
        self.backslashes |= value == b'\\';
        self.semicolons |= value == b';';
        self.ends |= matches!(value, b'?' | b'#');
    }
}

/// The part of a segment scanned so far, as needed to detect a dot segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Empty,
    Dot,
    DotDot,
    Other,
}

impl Segment {
    const fn with_dot(self) -> Self {
        match self {
            Self::Empty => Self::Dot,
            Self::Dot => Self::DotDot,
            Self::DotDot | Self::Other => Self::Other,
        }
    }

    const fn is_dots(self) -> bool {
        matches!(self, Self::Dot | Self::DotDot)
    }
}

/// Checks a path that begins with one slash.
///
/// # Errors
/// The first byte that no path may contain, or `InvalidPath::BackslashAndParameter`.
pub(super) fn scan(path: &[u8]) -> Result<Seen, InvalidPath> {
    let mut seen = Seen::default();
    let mut segment = Segment::Empty;
    let mut rest = path.get(1..).unwrap_or_default();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'/' => {
                seen.dots |= segment.is_dots();
                seen.respelled |= segment == Segment::Empty;
                segment = Segment::Empty;
            }
            b'.' => segment = segment.with_dot(),
            b'%' => {
                let (value, lower, after) = escape(rest)?;
                rest = after;
                seen.note_escape(value, lower);
                segment = if value == b'.' {
                    segment.with_dot()
                } else {
                    Segment::Other
                };
            }
            _ => {
                check_raw(*byte)?;
                seen.parameters |= *byte == b';';
                segment = Segment::Other;
            }
        }
    }
    seen.dots |= segment.is_dots();
    seen.check()
}

/// Decodes the escape after a `%`. Returns its byte, whether a digit is a lower-case letter, and the rest.
fn escape(digits: &[u8]) -> Result<(u8, bool, &[u8]), InvalidPath> {
    let [high, low, after @ ..] = digits else {
        return Err(InvalidPath::Escape);
    };
    // RFC 3986 section 2.1: an escape is `%` and two hexadecimal digits.
    let value = unescape(*high, *low).ok_or(InvalidPath::Escape)?;
    if value.is_ascii_control() {
        return Err(InvalidPath::Control);
    }
    let lower = high.is_ascii_lowercase() || low.is_ascii_lowercase();
    Ok((value, lower, after))
}

const fn check_raw(byte: u8) -> Result<(), InvalidPath> {
    match byte {
        b'\\' => Err(InvalidPath::Backslash),
        // RFC 9110 section 7.1: a request target has no fragment.
        b'#' => Err(InvalidPath::Fragment),
        _ => check_target_byte(byte),
    }
}

/// Checks a byte of a target, including its query.
pub(in crate::matcher) const fn check_target_byte(byte: u8) -> Result<(), InvalidPath> {
    // RFC 9112 section 3.2: a request target contains no whitespace and no byte that a URI must escape, and an invalid one is not
    // corrected.
    match byte {
        0..0x20 | 0x7f => Err(InvalidPath::Control),
        b' ' | 0x80.. => Err(InvalidPath::Unescaped),
        _ => Ok(()),
    }
}
