//! The rules for the fields of a response.

use crate::core::request::http1::HttpVersion;
use crate::core::request::http1::field::Field;
use crate::core::request::http1::response::BadResponse;
use aralez_decision::fields::FieldName;
use aralez_decision::octets::{self, list};

/// Maximum number of `Connection` members that are inspected.
pub(super) const MAX_NOMINATED: usize = 32;

/// The facts collected from the fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeenResponseFields {
    pub(super) length: Option<u64>,
    pub(super) odd_length: bool,
    pub(super) chunked: bool,
    pub(super) close: bool,
    /// `Connection` is not a short list of names.
    pub(super) odd_connection: bool,
    pub(super) keep_alive: bool,
    pub(super) names_upgrade: bool,
    pub(super) web_socket: bool,
    pub(super) date: bool,
    /// The shortest keep-alive timeout that the endpoint announces, in seconds.
    pub(super) keep_alive_for: Option<u64>,
    /// `Connection` names something in addition to its own options.
    pub(super) nominates: bool,
    names: usize,
}

impl SeenResponseFields {
    /// Records a field.
    pub(super) fn note(&mut self, field: &Field, bytes: &[u8]) -> Result<(), BadResponse> {
        let frames = matches!(
            field.name,
            FieldName::ContentLength
                | FieldName::TransferEncoding
                | FieldName::Connection
                | FieldName::Upgrade
        );
        let value = field.value(bytes);
        // RFC 9112 section 5.2: a response with a folded line is replaced by a 502, as a proxy may do, if the line is a field that frames
        // the response or controls its connection.
        if frames && memchr::memchr(b'\n', value).is_some() {
            return Err(BadResponse::Folded);
        }
        match field.name {
            FieldName::ContentLength => self.take_lengths(value)?,
            FieldName::TransferEncoding => {
                let again = std::mem::replace(&mut self.chunked, true);
                // RFC 9112 section 7: the name of a transfer coding is matched in any case.
                // RFC 9112 section 6.3: a response whose last coding is not chunked ends with the connection; stricter: any coding except a
                // single chunked is refused.
                if again || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(BadResponse::Coding);
                }
            }
            FieldName::Connection => self.take_connection(value),
            FieldName::Upgrade => {
                self.web_socket |= value.eq_ignore_ascii_case(b"websocket");
            }
            FieldName::Date => self.date = true,
            FieldName::KeepAlive => self.take_keep_alive(value),
            _ => {}
        }
        Ok(())
    }

    /// Records lengths. A length that is repeated, in a list or in several fields, is one length if all are equal.
    fn take_lengths(&mut self, value: &[u8]) -> Result<(), BadResponse> {
        for member in value.split(|byte| *byte == b',') {
            let member = octets::trim(member);
            // RFC 9112 section 6.3: a response with an invalid `Content-Length` is replaced by a 502, and the connection to its endpoint
            // closes.
            let length = octets::decimal(member).ok_or(BadResponse::LengthMalformed)?;
            // RFC 9110 section 8.6: a `Content-Length` that an endpoint repeats with equal values is replaced by a single one before the
            // response is forwarded.
            let before = self.length.replace(length);
            // RFC 9112 section 6.3: a response with an invalid `Content-Length` is replaced by a 502, and the connection to its endpoint
            // closes.
            if before.is_some_and(|before| before != length) {
                return Err(BadResponse::LengthsDiffer);
            }
            self.odd_length |= before.is_some() || (member.len() > 1 && member.starts_with(b"0"));
        }
        Ok(())
    }

    fn take_connection(&mut self, value: &[u8]) {
        // RFC 9110 section 7.6.1: a connection option is matched in any case.
        for name in list(value) {
            self.names += 1;
            if self.names > MAX_NOMINATED || !octets::is_token(name) {
                self.odd_connection = true;
            } else if name.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if name.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if name.eq_ignore_ascii_case(b"upgrade") {
                self.names_upgrade = true;
            } else {
                self.nominates = true;
            }
        }
    }

    /// Parses `Keep-Alive: timeout=5, max=100`. It is a hint, so unreadable values are ignored.
    fn take_keep_alive(&mut self, value: &[u8]) {
        let timeouts = list(value).filter_map(|parameter| {
            let (name, seconds) = parameter.split_at_checked(b"timeout=".len())?;
            let named = name.eq_ignore_ascii_case(b"timeout=");
            named.then(|| octets::decimal(seconds)).flatten()
        });
        self.keep_alive_for = timeouts.chain(self.keep_alive_for).min();
    }

    /// Checks the rules that need the whole head.
    pub(super) fn check(&self, version: HttpVersion) -> Result<(), BadResponse> {
        // RFC 9112 section 6.1: a `Transfer-Encoding` in an HTTP/1.0 message makes its framing faulty; stricter: the message is refused.
        if self.chunked && version == HttpVersion::Http10 {
            return Err(BadResponse::CodingInOld);
        }
        Ok(())
    }
}
