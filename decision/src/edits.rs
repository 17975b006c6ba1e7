//! The header edits of a route, compiled: names to drop and fields to add, both as data and as HTTP/1 lines.
//!
//! Order for a request: first drop the fields of the connection and those that only a proxy may set ([`crate::fields`]),
//! then add the proxy's own ([`Forwarded`], `Via`), then apply the route's edits. The proxy omits a field of its own that the route sets or
//! removes: the operator knows better where TLS was terminated in front of this proxy. For a request from a trusted proxy,
//! [`crate::client::RelayedFields`] takes the place of [`Forwarded`]. Order for a response: first drop the fields of the
//! endpoint's connection, then apply the route's edits.

use std::fmt::Write as _;
use std::net::IpAddr;

use aralez_proto::model::{Header, HeaderEdits, HeaderValue, Template};

use crate::additions::{self, Size};
use crate::fields::is_spelling_of;

#[cfg(test)]
mod tests;

/// Size of an encoded name length, in bytes.
const LENGTH: usize = 2;

/// The bit of an encoded length that marks a prefix of names.
const PREFIX: u16 = 1 << 15;

/// The edits of a route for one direction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompiledEdits {
    /// The fields to set and append, as whole lines, followed by the names to drop, in lower case and each after its two-byte length. All
    /// in one allocation, to cost a request one cache miss.
    text: Box<[u8]>,
    /// Offset of the names in `text`.
    names: usize,
    /// The lengths of the added fields. Kept separate, because HTTP/1 does not use them.
    added: Box<[Size]>,
    /// The added fields whose values are made for each message.
    templates: Box<[(Box<str>, Template)]>,
    /// Set if the added fields include a `Date`.
    dates: bool,
    /// The proxy's own fields that the route sets or removes, as a bit for each of [`OURS`].
    overrides: u8,
}

/// The names of the fields that the proxy itself adds to a request.
const OURS: [&str; 6] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "via",
    "x-request-id",
    "traceparent",
];

/// A field that the proxy itself adds to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OurLine {
    /// `X-Forwarded-For`
    For,
    /// `X-Forwarded-Proto`
    Proto,
    /// `X-Forwarded-Host`
    Host,
    /// `Via`
    Via,
    /// `X-Request-Id`
    RequestId,
    /// `traceparent`
    Traceparent,
}

impl OurLine {
    /// Reports whether one of these fields has this name, in any case.
    pub fn is_name(name: &[u8]) -> bool {
        OURS.iter()
            .any(|ours| ours.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Returns the name of the field, in lower case.
    pub const fn name(self) -> &'static str {
        OURS[self as usize]
    }
}

impl CompiledEdits {
    /// Compiles edits. Names and values were validated with the snapshot.
    pub fn new(edits: &HeaderEdits) -> Self {
        Self::dropping(edits, &[])
    }

    /// Compiles edits, and drops all received fields whose names have one of these prefixes, in lower case.
    pub fn dropping(edits: &HeaderEdits, prefixes: &[&str]) -> Self {
        let set = edits.set.iter();
        let removed = edits.remove.iter().map(String::as_str);
        let dropped = set.clone().map(Header::name).chain(removed);
        let overridden = |name: &&str| dropped.clone().any(|dropped| dropped == *name);
        let bits = OURS.iter().enumerate();
        let overrides = bits.filter(|(_, name)| overridden(name));
        let overrides = overrides.fold(0, |bits, (at, _)| bits | 1 << at);
        let added = set.chain(&edits.append);
        let literals = added.clone().filter_map(literal);
        let line = |(name, value): (&str, &str)| name.len() + value.len() + ": \r\n".len();
        let names = literals.clone().map(line).sum();
        let whole = dropped.map(|name| (name, 0));
        let dropped = whole.chain(prefixes.iter().map(|prefix| (*prefix, PREFIX)));
        let lengths = dropped.clone().map(|(name, _)| LENGTH + name.len());
        let mut text = Vec::with_capacity(names + lengths.sum::<usize>());
        let write = |(name, value): (&str, &str)| {
            additions::write(name.as_bytes(), value.as_bytes(), &mut text)
        };
        let sizes = literals.map(write).collect();
        for (name, mark) in dropped {
            // Names in a snapshot have at most 256 bytes, so the length always fits.
            let length = u16::try_from(name.len()).unwrap_or(!PREFIX);
            text.extend_from_slice(&(length | mark).to_le_bytes());
            text.extend_from_slice(name.as_bytes());
        }
        Self {
            text: text.into(),
            names,
            added: sizes,
            templates: added.clone().filter_map(template).collect(),
            dates: added.into_iter().any(|header| header.name() == "date"),
            overrides,
        }
    }

    /// Reports whether a field of this name is dropped: in every spelling that an endpoint may accept for a dropped name.
    #[inline]
    pub fn drops(&self, name: &[u8]) -> bool {
        self.dropped().any(|(dropped, is_prefix)| {
            let length = if is_prefix { dropped.len() } else { name.len() };
            let start = name.get(..length);
            start.is_some_and(|start| is_spelling_of(dropped, start))
        })
    }

    /// Returns the names of the dropped fields, in lower case, and whether each is a prefix of names.
    #[inline]
    pub fn dropped(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut rest = &self.text[self.names..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<LENGTH>()?;
            let length = u16::from_le_bytes(*length);
            let (dropped, after) = after.split_at_checked(usize::from(length & !PREFIX))?;
            rest = after;
            Some((dropped, length & PREFIX != 0))
        })
    }

    /// Reports whether no field is dropped.
    #[inline]
    pub fn drops_nothing(&self) -> bool {
        self.text.len() == self.names
    }

    /// Returns the added fields with fixed values as names and values.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        additions::fields(self.lines(), &self.added)
    }

    /// Returns the added fields whose values are made for each message, in order.
    #[inline]
    pub const fn templates(&self) -> &[(Box<str>, Template)] {
        &self.templates
    }

    /// Returns the added fields with fixed values as whole lines.
    #[inline]
    pub fn lines(&self) -> &[u8] {
        &self.text[..self.names]
    }

    /// Reports whether the route sets or removes this field of the proxy.
    #[inline]
    pub const fn overrides(&self, line: OurLine) -> bool {
        self.overrides & (1 << line as u8) != 0
    }

    /// Reports whether the added fields include a `Date`.
    #[inline]
    pub const fn sets_date(&self) -> bool {
        self.dates
    }
}

/// Returns the name and value of a header with a fixed value.
fn literal(header: &Header) -> Option<(&str, &str)> {
    Some((header.name(), header.value().literal()?))
}

/// Returns the name and value of a header whose value is made for each message.
fn template(header: &Header) -> Option<(Box<str>, Template)> {
    match header.value() {
        HeaderValue::Template(template) => Some((header.name().into(), template.clone())),
        HeaderValue::Literal(_) => None,
    }
}

/// The fields by which the proxy describes the client to an endpoint, made once per connection. They replace whatever the client claimed.
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// `X-Forwarded-For`, then `X-Forwarded-Proto`, as whole lines.
    lines: Box<str>,
    /// Offset of the second line.
    proto: usize,
}

const HOST: &str = "x-forwarded-host: ";

impl Forwarded {
    /// Makes the fields for a client at this address, connected over TLS or not.
    pub fn new(client: IpAddr, tls: bool) -> Self {
        let scheme = if tls { "https" } else { "http" };
        let mut lines = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = write!(lines, "x-forwarded-for: {client}\r\n");
        let proto = lines.len();
        let _ = write!(lines, "x-forwarded-proto: {scheme}\r\n");
        Self {
            lines: lines.into(),
            proto,
        }
    }

    /// Appends its lines to a head, except those that the route overrides. `host` is the requested host as received.
    #[inline]
    pub fn write(&self, host: Option<&str>, route: &CompiledEdits, out: &mut Vec<u8>) {
        for line in self.own(route) {
            out.extend_from_slice(line.as_bytes());
        }
        if let Some(host) = said_host(host, route) {
            out.extend_from_slice(HOST.as_bytes());
            out.extend_from_slice(host.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Returns the fields that [`Forwarded::write`] adds, as names and values.
    pub fn fields<'a>(
        &'a self,
        host: Option<&'a str>,
        route: &CompiledEdits,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.own(route);
        let own = own.filter_map(|line| line.trim_end().split_once(": "));
        let host = said_host(host, route);
        own.chain(host.map(|host| (HOST.trim_end_matches(": "), host)))
    }

    /// Returns the address and scheme lines that the route does not override.
    fn own(&self, route: &CompiledEdits) -> impl Iterator<Item = &str> + use<'_> {
        let (client, scheme) = self.lines.split_at(self.proto);
        let client = (!route.overrides(OurLine::For)).then_some(client);
        let scheme = (!route.overrides(OurLine::Proto)).then_some(scheme);
        client.into_iter().chain(scheme)
    }
}

fn said_host<'a>(host: Option<&'a str>, route: &CompiledEdits) -> Option<&'a str> {
    host.filter(|_| !route.overrides(OurLine::Host))
}
