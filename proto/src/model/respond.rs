//! Responses that a route gives itself.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::{InvalidHeader, check_value};

/// Maximum size of the body of a [`Respond`], in bytes. Larger content belongs in a file.
pub const MOST_RESPOND_BYTES: usize = 64 * 1024;

/// The response of a route that answers itself. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Respond {
    status: u16,
    body: Bytes,
    media_type: Arc<str>,
}

/// The reason why a response is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRespond {
    /// Not a status of a final response.
    #[error("has a status other than 200 to 599")]
    Status,
    /// A body for a status that has none.
    #[error("has a body, but a response with status {0} has none")]
    Bodiless(u16),
    /// More than [`MOST_RESPOND_BYTES`].
    #[error("has a body of {0} bytes; the most are {MOST_RESPOND_BYTES}")]
    Long(usize),
    /// A media type without a body.
    #[error("has a type but no body that it could describe")]
    TypeOfNothing,
    /// The media type is no header value.
    #[error("has an invalid type: {0}")]
    Type(InvalidHeader),
}

impl Respond {
    /// The media type of a body without an explicit one.
    pub const TEXT: &str = "text/plain; charset=utf-8";

    /// Returns a response. An empty `media_type` stands for [`Respond::TEXT`], or for none if there is no body.
    ///
    /// # Errors
    /// [`InvalidRespond`], the first that applies.
    pub fn new(status: u32, body: &[u8], media_type: &str) -> Result<Self, InvalidRespond> {
        let status = u16::try_from(status)
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or(InvalidRespond::Status)?;
        if body.len() > MOST_RESPOND_BYTES {
            return Err(InvalidRespond::Long(body.len()));
        }
        // RFC 9110 section 15.3.5: a 204 has no content.
        // RFC 9110 section 15.3.6: a 205 has no content.
        // RFC 9110 section 15.4.5: a 304 has no content.
        if !body.is_empty() && matches!(status, 204 | 205 | 304) {
            return Err(InvalidRespond::Bodiless(status));
        }
        if body.is_empty() && !media_type.is_empty() {
            return Err(InvalidRespond::TypeOfNothing);
        }
        let media_type = match media_type {
            "" if !body.is_empty() => Self::TEXT,
            other => other,
        };
        let media_type = check_value("content-type", media_type).map_err(InvalidRespond::Type)?;
        Ok(Self {
            status,
            body: Bytes::copy_from_slice(body),
            media_type: media_type.into(),
        })
    }

    /// Returns the status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the body. Empty if there is none.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the media type of the body. Empty if there is no body.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_final_response_is_accepted() {
        use InvalidRespond::*;
        let long = vec![b'x'; MOST_RESPOND_BYTES + 1];
        for (status, body, media_type, reason) in [
            (100, &b""[..], "", Status),
            (199, b"", "", Status),
            (600, b"", "", Status),
            (70_000, b"", "", Status),
            (204, b"x", "", Bodiless(204)),
            (205, b"x", "", Bodiless(205)),
            (304, b"x", "", Bodiless(304)),
            (200, b"", "text/html", TypeOfNothing),
            (200, &long, "", Long(long.len())),
        ] {
            assert_eq!(Respond::new(status, body, media_type), Err(reason));
        }
        let split = Respond::new(200, b"x", "text/html\r\nx: y");
        assert!(matches!(split, Err(Type(_))), "{split:?}");
    }

    #[test]
    fn a_body_is_plain_text_unless_its_type_is_given() {
        for (body, given, media_type) in [
            ("x", "", Respond::TEXT),
            ("<p>", "text/html", "text/html"),
            ("", "", ""),
        ] {
            let respond = Respond::new(200, body.as_bytes(), given).unwrap();
            assert_eq!(respond.media_type(), media_type);
        }
    }
}
