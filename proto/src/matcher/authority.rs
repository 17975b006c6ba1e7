//! The authority of an absolute target, and whether `Host` names the same one.

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
    /// The scheme that a target begins with, in any case, and what follows its `://`.
    pub fn split(target: &str) -> Option<(Self, &str)> {
        [("http://", Self::Http), ("https://", Self::Https)]
            .into_iter()
            .find_map(|(text, scheme)| {
                let (head, rest) = target.split_at_checked(text.len())?;
                head.eq_ignore_ascii_case(text).then_some((scheme, rest))
            })
    }

    /// The port of an authority that names none.
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The authority of an absolute target, as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Authority<'a> {
    scheme: Scheme,
    text: &'a str,
}

impl<'a> Authority<'a> {
    /// An authority under a scheme.
    pub const fn new(scheme: Scheme, text: &'a str) -> Self {
        Self { scheme, text }
    }

    /// The text as it came.
    pub const fn text(self) -> &'a str {
        self.text
    }

    /// Whether a `Host` field names the same host and port: names have no case, and a port that is missing or empty is the default of the
    /// scheme (RFC 9110 section 4.2.3, RFC 3986 section 6.2.3).
    pub fn is_named_by(self, host: &str) -> bool {
        let (name, port) = split_port(self.text);
        let (other, other_port) = split_port(host);
        let ports = match (self.number(port), self.number(other_port)) {
            (Some(port), Some(other)) => port == other,
            // Not a number: whoever reads hosts refuses it.
            _ => port == other_port,
        };
        ports && name.eq_ignore_ascii_case(other)
    }

    fn number(self, port: Option<&str>) -> Option<u16> {
        match port {
            None | Some("") => Some(self.scheme.default_port()),
            Some(digits) => digits.parse().ok(),
        }
    }
}

/// The name and what follows its `:`. The colons of a bracketed address are its own.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let name = text.rfind(']').unwrap_or(0);
    match text[name..].find(':') {
        Some(colon) => (&text[..name + colon], Some(&text[name + colon + 1..])),
        None => (text, None),
    }
}
