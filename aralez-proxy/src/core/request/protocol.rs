//! The protocol of a connection.

/// The protocol of a connection to a client or to an endpoint, fixed for its lifetime. TLS negotiates it by ALPN; without TLS it is HTTP/1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// HTTP/1.1 or 1.0, as given in each message: one exchange at a time.
    Http1,
}
