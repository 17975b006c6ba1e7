//! One header field, and the list of a head's fields.

use crate::core::request::fields::FieldName;
use crate::core::request::http1::Span;
use crate::core::request::http1::lines::Line;
use crate::core::request::http1::octets;

/// One field, as places in the bytes of its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// What its name means to the proxy.
    pub name: FieldName,
    /// Whether it goes on.
    pub keep: bool,
    /// Whether it stands on one line that ends in CRLF and holds no control byte, and so can be written as it came.
    pub plain: bool,
    key: Span,
    value: Span,
    next: u32,
}

/// Why a line is no field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadField {
    /// It begins with a space: the continuation of a line (obs-fold).
    Folded,
    /// It has no colon.
    NoColon,
    /// Its name is not a token: empty, or a space before the colon among other things.
    Name,
    /// Its value holds a control byte, CR and NUL among them.
    Value,
}

impl Field {
    /// Reads a line of a client.
    ///
    /// # Errors
    /// [`BadField`]
    pub fn read(bytes: &[u8], line: Line) -> Result<Self, BadField> {
        Self::read_with(bytes, line, octets::is_value)
    }

    /// Reads a line of an endpoint: its value may hold control bytes other than CR, LF and NUL, which do not go on.
    ///
    /// # Errors
    /// [`BadField`]
    pub fn read_from_endpoint(bytes: &[u8], line: Line) -> Result<Self, BadField> {
        let mut field = Self::read_with(bytes, line, octets::is_taken_value)?;
        field.plain &= octets::is_value(field.value(bytes));
        Ok(field)
    }

    fn read_with(
        bytes: &[u8],
        line: Line,
        is_value: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, BadField> {
        let text = &bytes[line.start..line.end];
        if matches!(text.first(), Some(b' ' | b'\t')) {
            return Err(BadField::Folded);
        }
        let colon = memchr::memchr(b':', text).ok_or(BadField::NoColon)?;
        let key = &text[..colon];
        if !octets::is_token(key) {
            return Err(BadField::Name);
        }
        let name = FieldName::of(key);
        let value = &text[colon + 1..];
        if !is_value(value) {
            return Err(BadField::Value);
        }
        let after = octets::trim(value);
        let leading = value.len() - trim_start(value).len();
        let start = line.start + colon + 1 + leading;
        Ok(Self {
            name,
            keep: true,
            plain: line.crlf,
            key: Span::new(line.start, line.start + colon),
            value: Span::new(start, start + after.len()),
            next: line.next as u32,
        })
    }

    /// Takes a folded line of an endpoint in as part of the value.
    ///
    /// # Errors
    /// [`BadField::Value`]
    pub fn fold(&mut self, bytes: &[u8], line: Line) -> Result<(), BadField> {
        if !octets::is_taken_value(&bytes[line.start..line.end]) {
            return Err(BadField::Value);
        }
        self.plain = false;
        self.value = Span::new(self.value.start(), line.end);
        self.next = line.next as u32;
        Ok(())
    }

    /// The name as it came.
    pub fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.key.of(bytes)
    }

    /// The value without the spaces around it. A folded one holds its line ends.
    pub fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.value.of(bytes)
    }

    /// Where the value stands.
    pub const fn value_span(&self) -> Span {
        self.value
    }

    /// Where the field's line begins.
    pub const fn start(&self) -> usize {
        self.key.start()
    }

    /// Where the next line begins.
    pub const fn next(&self) -> usize {
        self.next as usize
    }
}

const fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Takes away every field that a `Connection` value nominates, where `may` permits it.
pub fn drop_nominated(
    fields: &mut [Field],
    bytes: &[u8],
    nominated: &[u8],
    may: impl Fn(FieldName) -> bool,
) {
    for field in fields {
        if field.keep && may(field.name) && field.key(bytes).eq_ignore_ascii_case(nominated) {
            field.keep = false;
        }
    }
}
