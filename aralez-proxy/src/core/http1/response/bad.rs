//! Why a response is not passed on, each reason by name.

/// Why a response is refused. The client gets a 502 where nothing was answered yet, and the endpoint's connection is closed. The names are
/// labels of a metric; they hold nothing of the response.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum BadResponse {
    /// RFC 9112 section 4: not a status line.
    #[error("the status line is malformed")]
    StatusLine,
    /// RFC 9112 section 2.3: neither HTTP/1.0 nor HTTP/1.1.
    #[error("the version is unknown")]
    Version,
    /// RFC 9110 section 15: not three digits from 100.
    #[error("the status is not three digits")]
    Status,
    /// The head is larger than 64 KiB.
    #[error("the head is too large")]
    HeadTooLarge,
    /// There are more than 256 fields.
    #[error("there are too many header fields")]
    TooManyFields,
    /// RFC 9112 section 5.2: a folded line that continues nothing, or folds what frames the message.
    #[error("a folded line continues nothing that may be folded")]
    Folded,
    /// RFC 9112 section 5: a line without a colon.
    #[error("a header field has no colon")]
    NoColon,
    /// RFC 9112 section 5.1: a name that is no token.
    #[error("a header name is not a token")]
    FieldName,
    /// RFC 9110 section 5.5: a control byte in a value.
    #[error("a header value holds a control byte")]
    FieldValue,
    /// RFC 9112 section 6.3: more than one length.
    #[error("Content-Length is repeated")]
    LengthRepeated,
    /// RFC 9110 section 8.6: not one number.
    #[error("Content-Length is not one number")]
    LengthMalformed,
    /// RFC 9112 section 6.1: more than one coding, or not exactly `chunked`.
    #[error("Transfer-Encoding is not exactly chunked")]
    Coding,
    /// RFC 9112 section 6.1: HTTP/1.0 knows no chunks.
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    CodingInOld,
    /// RFC 9110 section 7.6.1: `Connection` is not a short list of names.
    #[error("Connection is not a short list of names")]
    Connection,
    /// RFC 9110 section 15.2.2: a switch of protocols that nobody asked for.
    #[error("a switch of protocols that nobody asked for")]
    Switch,
    /// RFC 9110 section 15.2: more informational responses than any exchange needs.
    #[error("there are too many informational responses")]
    Informational,
    /// The connection ended before the head did.
    #[error("the connection ended before the head did")]
    Early,
    /// RFC 9112 section 7.1: a chunk that is malformed.
    #[error("a chunk is malformed")]
    Chunk,
    /// RFC 9112 section 8: the body ended before its end.
    #[error("the body is cut short")]
    Truncated,
}

impl BadResponse {
    /// All of them: the labels of the metric.
    pub const ALL: [Self; 19] = [
        Self::StatusLine,
        Self::Version,
        Self::Status,
        Self::HeadTooLarge,
        Self::TooManyFields,
        Self::Folded,
        Self::NoColon,
        Self::FieldName,
        Self::FieldValue,
        Self::LengthRepeated,
        Self::LengthMalformed,
        Self::Coding,
        Self::CodingInOld,
        Self::Connection,
        Self::Switch,
        Self::Informational,
        Self::Early,
        Self::Chunk,
        Self::Truncated,
    ];

    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StatusLine => "status_line",
            Self::Version => "version",
            Self::Status => "status",
            Self::HeadTooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::Folded => "folded",
            Self::NoColon => "no_colon",
            Self::FieldName => "field_name",
            Self::FieldValue => "field_value",
            Self::LengthRepeated => "length_repeated",
            Self::LengthMalformed => "length_malformed",
            Self::Coding => "coding",
            Self::CodingInOld => "coding_in_old",
            Self::Connection => "connection",
            Self::Switch => "switch",
            Self::Informational => "informational",
            Self::Early => "early",
            Self::Chunk => "chunk",
            Self::Truncated => "truncated",
        }
    }
}
