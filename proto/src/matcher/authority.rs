//! The authority of an absolute target, and its comparison with `Host`.

#[cfg(test)]
mod tests;

/// The scheme of an absolute target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// Splits a target into its scheme, in any case, and the text after `://`. `None` if it has neither scheme.
    pub fn split(target: &str) -> Option<(Self, &str)> {
        [("http://", Self::Http), ("https://", Self::Https)]
            .into_iter()
            .find_map(|(text, scheme)| {
                let (head, rest) = target.split_at_checked(text.len())?;
                // RFC 3986 section 3.1: a scheme is matched in any case.
                head.eq_ignore_ascii_case(text).then_some((scheme, rest))
            })
    }

    /// Returns the name of the scheme, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the port of an authority without one.
    const fn default_port(self) -> u16 {
        match self {
            // RFC 9110 section 4.2.1: the default port of http is 80.
            Self::Http => 80,
            // RFC 9110 section 4.2.2: the default port of https is 443.
            Self::Https => 443,
        }
    }
}

/// The authority of an absolute target, as received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Authority<'a> {
    scheme: Scheme,
    text: &'a str,
}

impl<'a> Authority<'a> {
    /// Returns an authority under a scheme.
    pub const fn new(scheme: Scheme, text: &'a str) -> Self {
        Self { scheme, text }
    }

    /// Returns the text as received.
    pub const fn text(self) -> &'a str {
        self.text
    }

    /// Reports whether a `Host` field names the same host and port. Names are case-insensitive, and a missing or empty port is the default
    /// of the scheme.
    pub fn is_named_by(self, host: &str) -> bool {
        let (name, port) = split_port(self.text);
        let (other, other_port) = split_port(host);
        // RFC 9110 section 4.2.3: a missing or empty port equals the default port of the scheme.
        let ports = match (self.number(port), self.number(other_port)) {
            (Some(port), Some(other)) => port == other,
            // Not a number: `normalise_host` refuses it.
            _ => port == other_port,
        };
        // RFC 9110 section 4.2.3: hosts are compared in any case.
        ports && name.eq_ignore_ascii_case(other)
    }

    fn number(self, port: Option<&str>) -> Option<u16> {
        match port {
            None | Some("") => Some(self.scheme.default_port()),
            Some(digits) => digits.parse().ok(),
        }
    }
}

/// Splits a text into the name and the text after its `:`. Colons inside brackets belong to the name.
fn split_port(text: &str) -> (&str, Option<&str>) {
    // RFC 3986 section 3.2.2: an IPv6 address is in brackets, and its colons do not begin a port.
    let name = text.rfind(']').unwrap_or(0);
    match text[name..].find(':') {
        Some(colon) => (&text[..name + colon], Some(&text[name + colon + 1..])),
        None => (text, None),
    }
}
