//! What a route does to the headers of a message, compiled: names to leave out, and fields to add, as data and as the lines in which HTTP/1
//! writes them.
//!
//! The order for a request: what belongs to the connection and what only a proxy says is left out ([`crate::core::request::fields`]), then comes
//! what this proxy says ([`Forwarded`], `Via`), then the route's edits. A line of ours that the route sets or removes is not written: the
//! operator knows better where TLS ends before us. For a response: the endpoint's connection is left out, then the route's edits.

use std::fmt::Write as _;
use std::net::IpAddr;

use aralez_proto::model::{Header, HeaderEdits};

use crate::core::request::additions::{self, Size};

#[cfg(test)]
mod tests;

/// How many bytes the length of a name takes.
const LENGTH: usize = 2;

/// The edits of one direction of a route.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompiledEdits {
    /// The fields that are set and appended, as whole lines; then the names of those that are taken away, in lower case, each after its
    /// length in two bytes. All in one place, of which a request waits for one.
    text: Box<[u8]>,
    /// Where the names begin.
    names: usize,
    /// The lengths of the fields that are added. Apart, since HTTP/1 does not look at them.
    added: Box<[Size]>,
    /// The lines set a `Date`.
    dates: bool,
    /// The lines of ours that are set or taken away: a bit for each of [`OURS`].
    overrides: u8,
}

/// The lines that the proxy itself adds to a request, by name.
const OURS: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "via",
];

/// One of the lines in `OURS`.
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
}

impl CompiledEdits {
    /// Compiles edits. Names and values were checked when the snapshot was made.
    pub fn new(edits: &HeaderEdits) -> Self {
        let set = edits.set.iter();
        let removed = edits.remove.iter().map(String::as_str);
        let dropped = set.clone().map(Header::name).chain(removed);
        let overridden = |name: &&str| dropped.clone().any(|dropped| dropped == *name);
        let bits = OURS.iter().enumerate();
        let overrides = bits.filter(|(_, name)| overridden(name));
        let overrides = overrides.fold(0, |bits, (at, _)| bits | 1 << at);
        let added = set.chain(&edits.append);
        let line = |header: &Header| header.name().len() + header.value().len() + ": \r\n".len();
        let names = added.clone().map(line).sum();
        let lengths = dropped.clone().map(|name| LENGTH + name.len());
        let mut text = Vec::with_capacity(names + lengths.sum::<usize>());
        let write = |header: &Header| {
            additions::write(
                header.name().as_bytes(),
                header.value().as_bytes(),
                &mut text,
            )
        };
        let sizes = added.clone().map(write).collect();
        for name in dropped {
            // A name of a snapshot has at most 256 bytes; none is as long as the largest length.
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            text.extend_from_slice(&length.to_le_bytes());
            text.extend_from_slice(name.as_bytes());
        }
        Self {
            text: text.into(),
            names,
            added: sizes,
            dates: added.into_iter().any(|header| header.name() == "date"),
            overrides,
        }
    }

    /// Whether a field of this name is taken away.
    pub fn drops(&self, name: &[u8]) -> bool {
        let mut dropped = self.dropped();
        dropped.any(|dropped| dropped.eq_ignore_ascii_case(name))
    }

    /// The names of the fields that are taken away, in lower case.
    pub fn dropped(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.text[self.names..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<LENGTH>()?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (dropped, after) = after.split_at_checked(length)?;
            rest = after;
            Some(dropped)
        })
    }

    /// Whether nothing is taken away.
    pub fn drops_nothing(&self) -> bool {
        self.text.len() == self.names
    }

    /// What is added, as names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        additions::fields(self.lines(), &self.added)
    }

    /// What is added, as whole lines.
    pub fn lines(&self) -> &[u8] {
        &self.text[..self.names]
    }

    /// Whether the route sets or removes this line of ours.
    pub const fn overrides(&self, line: OurLine) -> bool {
        self.overrides & (1 << line as u8) != 0
    }

    /// Whether what is added holds a `Date`.
    pub const fn sets_date(&self) -> bool {
        self.dates
    }
}

/// What the proxy itself tells an endpoint about the client, made once for a connection. Replaces whatever the client claimed.
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// `X-Forwarded-For`, then `X-Forwarded-Proto`, as whole lines.
    lines: Box<str>,
    /// Where the second one begins.
    proto: usize,
}

const HOST: &str = "x-forwarded-host: ";

impl Forwarded {
    /// For a client at this address, over TLS or not.
    pub fn new(client: IpAddr, tls: bool) -> Self {
        let scheme = if tls { "https" } else { "http" };
        let mut lines = String::with_capacity(96);
        // Writing to a string does not fail.
        let _ = write!(lines, "x-forwarded-for: {client}\r\n");
        let proto = lines.len();
        let _ = write!(lines, "x-forwarded-proto: {scheme}\r\n");
        Self {
            lines: lines.into(),
            proto,
        }
    }

    /// Adds its lines to a head, but for those that the route says itself. `host`: the host that was asked for, as it came.
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

    /// What [`Forwarded::write`] adds, as names and values.
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

    /// The lines about the client that the route does not say itself.
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
