//! What a route does to the headers of a message, compiled into the form in which a message is written: names to leave out, and lines
//! to add.
//!
//! The order for a request: what the connection or the client's pretence adds is left out ([`crate::core::fields`]), then the route's
//! edits, then what the proxy itself says of the client ([`Forwarded`]), so that neither client nor route can speak in our name. For a
//! response: the endpoint's connection is left out, then the route's edits.

use std::fmt::Write as _;
use std::net::IpAddr;

use aralez_proto::model::HeaderEdits;

#[cfg(test)]
mod tests;

/// The edits of one direction of a route.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompiledEdits {
    /// Fields that are taken away, in lower case: those that are removed and those that are set.
    drops: Box<[Box<[u8]>]>,
    /// The fields that are set and appended, as whole lines.
    lines: Box<[u8]>,
    /// The lines set a `Date`.
    dates: bool,
}

impl CompiledEdits {
    /// Compiles edits. Names and values were checked when the snapshot was made.
    pub fn new(edits: &HeaderEdits) -> Self {
        let set = edits.set.iter();
        let removed = edits.remove.iter().map(String::as_str);
        let drops = set.clone().map(|header| header.name()).chain(removed);
        let added = set.chain(&edits.append);
        let mut lines = String::new();
        for header in added.clone() {
            lines.push_str(header.name());
            lines.push_str(": ");
            lines.push_str(header.value());
            lines.push_str("\r\n");
        }
        Self {
            drops: drops.map(|name| name.as_bytes().into()).collect(),
            lines: lines.into_bytes().into(),
            dates: added.into_iter().any(|header| header.name() == "date"),
        }
    }

    /// Whether a field of this name is taken away.
    pub fn drops(&self, name: &[u8]) -> bool {
        self.drops
            .iter()
            .any(|dropped| dropped.eq_ignore_ascii_case(name))
    }

    /// Whether nothing is taken away.
    pub fn drops_nothing(&self) -> bool {
        self.drops.is_empty()
    }

    /// What is added, as whole lines.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Whether what is added holds a `Date`.
    pub const fn sets_date(&self) -> bool {
        self.dates
    }
}

/// What the proxy itself tells an endpoint about the client, made once for a connection. Replaces whatever the client claimed.
#[derive(Clone, Debug)]
pub struct Forwarded(Box<str>);

impl Forwarded {
    /// For a client at this address, over TLS or not.
    pub fn new(client: IpAddr, tls: bool) -> Self {
        let scheme = if tls { "https" } else { "http" };
        let mut lines = String::with_capacity(96);
        // Writing to a string does not fail.
        let _ = write!(
            lines,
            "x-forwarded-for: {client}\r\nx-forwarded-proto: {scheme}\r\nx-forwarded-host: "
        );
        Self(lines.into())
    }

    /// Adds its lines to a head. `host`: the `Host` field as it came.
    pub fn write(&self, host: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
        out.extend_from_slice(host);
        out.extend_from_slice(b"\r\n");
    }
}
