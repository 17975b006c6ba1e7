//! The part of DER that public keys use (ITU-T X.690).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Reads values one after the other. Every method returns `None` if the next value is of another type or not valid.
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns whether all values were read.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the content of a sequence.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Self)
    }

    /// Returns the encoded content of an object identifier.
    pub(super) fn object(&mut self) -> Option<&'a [u8]> {
        self.value(OBJECT)
    }

    /// Returns the bytes of a positive integer, big-endian without a leading zero.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        match self.value(INTEGER)? {
            [0, rest @ ..] if rest.first().is_some_and(|byte| *byte >= 0x80) => Some(rest),
            number @ [1..=0x7f, ..] => Some(number),
            _ => None,
        }
    }

    /// Returns the content of a bit string of whole bytes.
    pub(super) fn bits(&mut self) -> Option<&'a [u8]> {
        self.value(BIT_STRING)?.strip_prefix(&[0])
    }

    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(&[tag])?;
        let (length, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }
}

/// Reads a length in its shortest form, of at most 65,535.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, long, rest @ ..] if *long >= 0x80 => Some((usize::from(*long), rest)),
        [0x82, high, low, rest @ ..] if *high > 0 => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}
