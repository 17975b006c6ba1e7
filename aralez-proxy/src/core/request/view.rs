//! A request as decisions see it: a plain view, whatever protocol carried it.
//!
//! HTTP/1 makes one of a head that stands in a buffer ([`crate::core::request::http1::request::HeadFields`]), HTTP/2 will make one of its header map.

use std::net::IpAddr;

use aralez_proto::matcher::Scheme;

use crate::core::request::fields::FieldName;
use crate::core::request::pseudonym::Pseudonym;

/// The header fields of a message.
pub trait Fields {
    /// All of them in their order: the name as it came, and the value without spaces around it.
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// The values of the fields of one meaning, in their order. Cheap where there is none.
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
    /// Whether it came over TLS.
    pub scheme: Scheme,
    /// The `Host` field or `:authority`, as it came; `None` where an HTTP/1.0 client named none.
    pub host: Option<&'a str>,
    /// The request target, as it came.
    pub target: &'a str,
    /// The client's address.
    pub client: IpAddr,
    /// The header fields.
    pub fields: F,
}

impl<F: Fields> Request<'_, F> {
    /// Whether it says in `CDN-Loop` that it passed this node before (RFC 8586).
    pub fn has_passed(&self, node: &Pseudonym) -> bool {
        let mut passed = self.fields.values(FieldName::CdnLoop);
        passed.any(|value| node.is_in(value))
    }
}

/// What a decision depends on beside the table and the request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The name of this node, by which it finds requests that came back to it.
    pub node: &'a Pseudonym,
    /// The port where this proxy serves HTTPS, if it does; 443 is assumed where it does not.
    pub tls_port: Option<u16>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Fields that came over no wire.
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct Pairs<'a>(pub(crate) &'a [(&'a str, &'a str)]);

    impl Fields for Pairs<'_> {
        fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
            let pairs = self.0.iter();
            pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        }
    }

    #[test]
    fn fields_are_found_by_their_meaning_in_their_order() {
        let fields = Pairs(&[("cdn-loop", "a"), ("x", "b"), ("CDN-Loop", "c")]);
        let found: Vec<_> = fields.values(FieldName::CdnLoop).collect();
        assert_eq!(found, [b"a", b"c"]);
        assert_eq!(fields.values(FieldName::Host).count(), 0);
    }
}
