//! Normalised host names.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::Ipv6Addr;

#[cfg(test)]
mod tests;

/// Maximum length of a name in bytes, without the trailing dot.
const MAX_NAME: usize = 253;
/// Maximum length of a label in bytes.
const MAX_LABEL: usize = 63;
/// Maximum length of a text that is parsed: a name in UTF-8 may be longer than its punycode, but not arbitrarily.
const MAX_TEXT: usize = 4 * MAX_NAME;

/// The reason why a text is not a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidHost {
    /// Nothing before the port, or an empty text.
    #[error("the name is empty")]
    Empty,
    /// Longer than 253 bytes.
    #[error("the name is longer than 253 bytes")]
    TooLong,
    /// An empty label: two dots in a row, or a dot at the start.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label longer than 63 bytes.
    #[error("a label of the name is longer than 63 bytes")]
    LongLabel,
    /// A space, a slash, a comma, an `@` or another character that no name contains.
    #[error("a name contains only letters, digits, '-', '_' and '.'")]
    Character,
    /// Not 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Brackets without an IPv6 address inside.
    #[error("brackets must contain one IPv6 address, such as [::1]")]
    Address,
    /// It has no punycode form.
    #[error("the name is not a valid internationalised name")]
    Unicode,
}

/// Returns the form in which hosts are compared: lower case, without port and trailing dot, in punycode, IPv6 in brackets and shortest
/// form. A host that already has this form is returned as it is, without allocating.
///
/// # Errors
/// [`InvalidHost`] if the text is not `NAME`, `NAME:PORT`, `[IPv6]` or `[IPv6]:PORT`.
pub fn normalise_host(text: &str) -> Result<Cow<'_, str>, InvalidHost> {
    if text.len() > MAX_TEXT {
        return Err(InvalidHost::TooLong);
    }
    if text.starts_with('[') {
        return bracketed(text);
    }
    let name = match text.split_once(':') {
        Some((name, port)) => {
            check_port(port)?;
            name
        }
        None => text,
    };
    if name.is_ascii() {
        return ascii(name);
    }
    // Allow all ASCII here and check it after the mapping, which may produce slashes and dots.
    let mapped = idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map_err(|_| InvalidHost::Unicode)?;
    ascii(&mapped).map(|name| Cow::Owned(name.into_owned()))
}

/// Returns a host in the form of [`normalise_host`], with its port as written if it has one.
///
/// # Errors
/// Like [`normalise_host`]; also if a `:` is not followed by a port.
pub fn normalise_host_and_port(text: &str) -> Result<String, InvalidHost> {
    let host = normalise_host(text)?;
    let name_end = text.rfind(']').unwrap_or(0);
    match text[name_end..].split_once(':') {
        Some((_, "")) => Err(InvalidHost::Port),
        Some((_, port)) => Ok(format!("{host}:{port}")),
        None => Ok(host.into_owned()),
    }
}

fn ascii(name: &str) -> Result<Cow<'_, str>, InvalidHost> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        // RFC 9110 section 4.2.1: an http URI with an empty host is invalid.
        return Err(InvalidHost::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(InvalidHost::TooLong);
    }
    let mut label = 0;
    let mut upper = false;
    for byte in name.bytes() {
        match byte {
            b'.' if label == 0 => return Err(InvalidHost::EmptyLabel),
            b'.' => label = 0,
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => label += 1,
            // RFC 3986 section 6.2.2.1: hosts are compared in lower case.
            b'A'..=b'Z' => {
                label += 1;
                upper = true;
            }
            // RFC 3986 section 3.2.2: a host is a name or an address; stricter: a name consists of letters, digits, hyphens, underscores
            // and dots only.
            // RFC 9110 section 4.2.4: a recipient treats userinfo in an authority as an error.
            _ => return Err(InvalidHost::Character),
        }
        if label > MAX_LABEL {
            return Err(InvalidHost::LongLabel);
        }
    }
    if label == 0 {
        return Err(InvalidHost::EmptyLabel);
    }
    Ok(if upper {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

fn bracketed(text: &str) -> Result<Cow<'_, str>, InvalidHost> {
    let end = text.find(']').ok_or(InvalidHost::Address)?;
    let (host, rest) = text.split_at(end + 1);
    if let Some(port) = rest.strip_prefix(':') {
        check_port(port)?;
    } else if !rest.is_empty() {
        return Err(InvalidHost::Port);
    }
    // RFC 3986 section 3.2.2: brackets enclose an IPv6 address; stricter: an address of a future version is refused.
    let address: Ipv6Addr = host[1..end].parse().map_err(|_| InvalidHost::Address)?;
    let mut same = Same(host);
    if write!(same, "[{address}]").is_ok() && same.0.is_empty() {
        return Ok(Cow::Borrowed(host));
    }
    Ok(Cow::Owned(format!("[{address}]")))
}

/// Compares formatter output with a text, without a buffer.
struct Same<'a>(&'a str);

impl Write for Same<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Checks a port.
fn check_port(port: &str) -> Result<(), InvalidHost> {
    // RFC 3986 section 3.2.3: an empty port counts as none.
    if port.is_empty() {
        return Ok(());
    }
    let digits = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    // RFC 3986 section 3.2.3: a port is a decimal number; stricter: only 1 to 65535 are accepted.
    match port.parse::<u16>() {
        Ok(1..) if digits => Ok(()),
        _ => Err(InvalidHost::Port),
    }
}
