//! Answers that the proxy gives itself, in no protocol's form. [`crate::core::request::http1::answer`] writes them as HTTP/1.

use aralez_proto::model::RedirectStatus;

use crate::core::request::additions::FieldList;

/// An answer of the proxy's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Its fields, beside those that tell its content, the date and what becomes of the connection. The response edits of the route
    /// hold for them.
    pub fields: FieldList,
    /// Its content.
    pub content: Content,
}

/// The content of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// The status as a line of text, and nothing where the status has no content to tell.
    Status,
    /// It comes piece by piece, from a source that the engine has.
    Streamed {
        /// How much it is, where that is known.
        length: Option<u64>,
    },
}

impl Answer {
    /// An answer that only a status tells.
    pub fn of(status: u16) -> Self {
        let mut fields = FieldList::default();
        if status == 503 {
            // Early in the life of a node, and where endpoints come and go, a second is a long time.
            fields.add("retry-after", b"1");
        }
        Self {
            status,
            fields,
            content: Content::Status,
        }
    }

    /// A redirect.
    pub fn redirect(status: RedirectStatus, location: &str) -> Self {
        let mut answer = Self::of(status.code());
        answer.fields.add("location", location.as_bytes());
        answer
    }
}
