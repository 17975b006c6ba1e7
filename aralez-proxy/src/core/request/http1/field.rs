//! One header field of a head, and the removal of nominated fields.

use crate::core::request::http1::Span;
use crate::core::request::http1::lines::Line;
use aralez_decision::fields::FieldName;
use aralez_decision::octets;

/// One field, as ranges of the bytes of its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The meaning of its name to the proxy.
    pub name: FieldName,
    /// Set if the field is forwarded.
    pub keep: bool,
    /// Set if the field is one line that ends in CRLF and holds no control byte, and can therefore be copied as received.
    pub plain: bool,
    key: Span,
    value: Span,
    next: u32,
}

/// The reason why a line is not a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadField {
    /// It begins with a space or tab: a continuation line (obs-fold).
    Folded,
    /// It has no colon.
    NoColon,
    /// Its name is not a token: it is empty, for example, or a space precedes the colon.
    Name,
    /// Its value holds a control byte, such as CR or NUL.
    Value,
}

impl Field {
    /// Parses a line of a client.
    ///
    /// # Errors
    /// [`BadField`]
    pub fn read(bytes: &[u8], line: Line) -> Result<Self, BadField> {
        // RFC 9110 section 5.5: a field value with CR, LF or NUL is refused or repaired; stricter: a client's value with any control byte
        // except tab is refused.
        Self::read_with(bytes, line, octets::is_value)
    }

    /// Parses a line of an endpoint. Its value may hold control bytes other than CR, LF and NUL; they are not forwarded.
    ///
    /// # Errors
    /// [`BadField`]
    pub fn read_from_endpoint(bytes: &[u8], line: Line) -> Result<Self, BadField> {
        // RFC 9110 section 5.5: a response with CR or NUL in a field value is refused, and other control bytes are accepted.
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
        // RFC 9112 section 5: a field line consists of a name, a colon and a value.
        let colon = memchr::memchr(b':', text).ok_or(BadField::NoColon)?;
        let key = &text[..colon];
        // RFC 9110 section 5.1: a field name is a token.
        // RFC 9112 section 5.1: a request with whitespace between a field name and its colon is refused; stricter: so is a response, from
        // which a proxy is to remove it.
        if !octets::is_token(key) {
            return Err(BadField::Name);
        }
        let name = FieldName::of(key);
        let value = &text[colon + 1..];
        if !is_value(value) {
            return Err(BadField::Value);
        }
        // RFC 9112 section 5.1: whitespace around a field value is not part of the value.
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

    /// Appends a folded line of an endpoint to the value.
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

    /// Returns the name as received.
    pub fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.key.of(bytes)
    }

    /// Returns the value without the surrounding spaces and tabs. A folded value includes its line ends.
    pub fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.value.of(bytes)
    }

    /// Returns the range of the value.
    pub const fn value_span(&self) -> Span {
        self.value
    }

    /// Returns the offset of the field's first line.
    pub const fn start(&self) -> usize {
        self.key.start()
    }

    /// Returns the offset of the line after the field.
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

/// Drops every field that a `Connection` member nominates, if `may` permits it.
pub fn drop_nominated(
    fields: &mut [Field],
    bytes: &[u8],
    nominated: &[u8],
    may: impl Fn(FieldName) -> bool,
) {
    // RFC 9110 section 7.6.1: a proxy removes each header field that `Connection` names before it forwards a message.
    // RFC 9110 section 7.6.1: a connection option is matched in any case.
    for field in fields {
        if field.keep && may(field.name) && field.key(bytes).eq_ignore_ascii_case(nominated) {
            field.keep = false;
        }
    }
}
