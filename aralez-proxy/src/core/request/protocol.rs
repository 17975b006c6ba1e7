//! What is spoken on a connection.

/// The protocol of a connection, to a client or to an endpoint, from its first byte to its last. TLS negotiates it by ALPN; without TLS it
/// is HTTP/1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// HTTP/1.1 or 1.0, which each message says: one exchange at a time.
    Http1,
}
