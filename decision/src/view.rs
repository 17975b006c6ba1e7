//! A request as decisions see it, independent of the protocol that carried it.
//!
//! The proxy builds one from an HTTP/1 head in a buffer; HTTP/2 will build one from its header map.

use std::net::IpAddr;

use aralez_proto::matcher::Scheme;

use crate::fields::FieldName;
use crate::pseudonym::Pseudonym;
use crate::trace::{NewIds, is_request_id};

/// The header fields of a message.
pub trait Fields {
    /// Iterates over all fields in order: the name as received, and the value without surrounding whitespace.
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// Iterates over the values of the fields with exactly this name, in any case, in order. [`Fields::values`] does not tell the names of
    /// one meaning apart.
    fn named(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &[u8]>;

    /// Iterates over the values of the fields with this name, in order. Cheap if there is none.
    fn values(&self, name: FieldName) -> impl Iterator<Item = &[u8]> {
        let named = self
            .all()
            .filter(move |(key, _)| FieldName::of(key) == name);
        named.map(|(_, value)| value)
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a, F> {
    /// The method.
    pub method: &'a str,
    /// The scheme: HTTPS if the client sent the request over TLS, as a trusted proxy says, or as it arrived.
    pub scheme: Scheme,
    /// The `Host` field or `:authority`, as received; `None` if an HTTP/1.0 client sent none.
    pub host: Option<&'a str>,
    /// The request target, as received.
    pub target: &'a str,
    /// The client's address: the one behind trusted proxies ([`crate::client`]).
    pub client: IpAddr,
    /// The header fields.
    pub fields: F,
}

impl<F: Fields> Request<'_, F> {
    /// Appends the request id as endpoints get it: the received one if it passes, otherwise the new one.
    pub fn write_id(&self, new: &NewIds, out: &mut Vec<u8>) {
        let mut received = self.fields.values(FieldName::XRequestId);
        match (received.next(), received.next()) {
            (Some(id), None) if is_request_id(id) => out.extend_from_slice(id),
            _ => out.extend_from_slice(&new.request_text()),
        }
    }

    /// Returns whether `CDN-Loop` contains this node, so that the request has passed it before (RFC 8586).
    pub fn has_passed(&self, node: &Pseudonym) -> bool {
        let mut passed = self.fields.values(FieldName::CdnLoop);
        passed.any(|value| node.is_in(value))
    }
}

/// The inputs of a decision besides the table and the request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The pseudonym of this node, which marks the requests that it forwarded.
    pub node: &'a Pseudonym,
    /// The ids of the request if it brought none.
    pub ids: &'a NewIds,
    /// The port on which this proxy serves HTTPS; `None` if it does not, in which case 443 is assumed.
    pub tls_port: Option<u16>,
}

/// Header fields as a list of names and values.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a, T = &'a str>(pub &'a [(T, T)]);

impl Default for Pairs<'_> {
    fn default() -> Self {
        Self(&[])
    }
}

impl<T: AsRef<str>> Fields for Pairs<'_, T> {
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_ref().as_bytes(), value.as_ref().as_bytes()))
    }

    fn named(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &[u8]> {
        let pairs = self.0.iter();
        let named = pairs.filter(move |(key, _)| key.as_ref().eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_ref().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_meaning_in_their_order() {
        let fields = Pairs(&[("cdn-loop", "a"), ("x", "b"), ("CDN-Loop", "c")]);
        let found: Vec<_> = fields.values(FieldName::CdnLoop).collect();
        assert_eq!(found, [b"a", b"c"]);
        assert_eq!(fields.values(FieldName::Host).count(), 0);
    }
}
