//! Addresses of endpoints.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

/// The address of an endpoint: an IP address and a port other than 0, or a unix socket on the proxy's machine. Control resolves host names;
/// a proxy never does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EndpointAddress {
    /// TCP; written `IP:PORT`.
    Tcp(TcpAddress),
    /// A unix stream socket; written `unix:PATH`.
    Unix(SocketPath),
}

/// The reason why a text is not an endpoint's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

/// Prefix of the address of a unix socket.
const UNIX: &str = "unix:";

impl EndpointAddress {
    /// Returns the IP address and port. `None` for a unix socket.
    pub const fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(address.socket()),
            Self::Unix(_) => None,
        }
    }

    /// Reports whether a text is exactly the displayed form of this address.
    pub fn is_written(&self, text: &str) -> bool {
        let mut rest = Rest(text);
        write!(rest, "{self}").is_ok() && rest.0.is_empty()
    }
}

/// The rest of a text that is compared with formatter output, without a buffer.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => fmt::Display::fmt(&address.0, f),
            Self::Unix(path) => write!(f, "{UNIX}{path}"),
        }
    }
}

impl FromStr for EndpointAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        match text.strip_prefix(UNIX) {
            Some(path) => path.parse().map(Self::Unix),
            None => text.parse().map(Self::Tcp),
        }
    }
}

/// An IP address and port that can be connected to: neither the unspecified address nor port 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TcpAddress(SocketAddr);

impl TcpAddress {
    /// Returns the address.
    pub const fn socket(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for TcpAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        tcp(text).map(Self)
    }
}

fn tcp(text: &str) -> Result<SocketAddr, InvalidAddress> {
    let invalid = |reason: &str| InvalidAddress(format!("{text:?} is not ip:port: {reason}"));
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| invalid("the port is missing"))?;
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(invalid(
            "an IPv6 address must be in brackets, such as [::1]:80",
        ));
    }
    match port.parse::<u32>() {
        Ok(1..=65_535) if port.bytes().all(|byte| byte.is_ascii_digit()) => {}
        Ok(_) => return Err(invalid("the port is out of range (1 to 65535)")),
        Err(_) => return Err(invalid("the port is not a number from 1 to 65535")),
    }
    let address: SocketAddr = text
        .parse()
        .map_err(|_| invalid(&format!("{host:?} is not an IP address")))?;
    if address.ip().is_unspecified() {
        return Err(invalid("the unspecified address cannot be connected to"));
    }
    Ok(address)
}

/// The path of a unix socket: absolute, without empty, `.` or `..` parts, so that each socket has one spelling; at most
/// [`SocketPath::LONGEST`] bytes; without spaces and unprintable characters, so that it can be part of a record's key and of a log line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketPath(Arc<str>);

impl SocketPath {
    /// Maximum length in bytes: the size of `sun_path` without its terminating zero (unix(7)).
    pub const LONGEST: usize = 107;

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SocketPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SocketPath {
    type Err = InvalidAddress;

    fn from_str(path: &str) -> Result<Self, InvalidAddress> {
        if path.len() > Self::LONGEST {
            return Err(InvalidAddress(format!(
                "the socket path has {} bytes, the maximum is {}",
                path.len(),
                Self::LONGEST
            )));
        }
        let invalid = |reason: &str| {
            let written = path.escape_debug();
            InvalidAddress(format!("`{UNIX}{written}` is not unix:PATH: {reason}"))
        };
        if path.starts_with('@') {
            return Err(invalid(
                "an abstract socket has no file mode that restricts who may bind it; use the path of a file",
            ));
        }
        if path.contains(is_hidden) {
            return Err(invalid("it contains a space or a non-printable character"));
        }
        if path.split('/').any(|part| part == "..") {
            return Err(invalid("it contains `..`; write the resolved path"));
        }
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let plain: String = parts.flat_map(|part| ["/", part]).collect();
        if plain.is_empty() {
            return Err(invalid(
                "the path is missing; expected e.g. unix:/run/app.sock",
            ));
        }
        if plain != path {
            let reason = if path.starts_with('/') {
                "the path is not normalised"
            } else {
                "the path is relative"
            };
            return Err(invalid(&format!(
                "{reason} (did you mean `{UNIX}{plain}`?)"
            )));
        }
        Ok(Self(path.into()))
    }
}

/// Reports whether a character is invisible or misleading in a log.
fn is_hidden(char: char) -> bool {
    let prints = char.is_ascii_graphic() || char.escape_debug().count() == 1;
    char.is_whitespace() || !prints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let parsed = text.parse::<EndpointAddress>();
        parsed.expect_err("is no address").to_string()
    }

    #[test]
    fn only_the_text_that_is_shown_is_how_an_address_is_written() {
        let longest = format!("unix:/{}", "a".repeat(106));
        for shown in [
            "127.0.0.1:80",
            "[::1]:8080",
            "[2001:db8::7]:1",
            "unix:/a",
            "unix:/run/app-1.sock",
            "unix:/run/\u{fc}\"=:80",
            &longest,
        ] {
            let address: EndpointAddress = shown.parse().unwrap();
            assert!(address.is_written(shown));
            assert_eq!(address.to_string(), shown);
            for other in [&shown[..shown.len() - 1], &format!("{shown}0"), "", "x"] {
                assert!(!address.is_written(other), "{other}");
            }
        }
        let address: EndpointAddress = "[::1]:80".parse().unwrap();
        assert!(!address.is_written("[0::1]:80") && !address.is_written("[::1]:080"));
    }

    #[test]
    fn a_path_that_names_no_socket_or_could_be_written_otherwise_is_refused_with_the_right_one() {
        let meant = |text, path| {
            let fault = fault(text);
            let hint = format!("(did you mean `unix:{path}`?)");
            assert!(fault.ends_with(&hint), "{fault}");
        };
        meant("unix:///run/app.sock", "/run/app.sock");
        meant("unix:/run//./app.sock/", "/run/app.sock");
        meant("unix:run/app.sock", "/run/app.sock");
        meant("unix:./app.sock", "/app.sock");
        for (text, reason) in [
            ("unix:", "the path is missing"),
            ("unix:/", "the path is missing"),
            ("unix:/run/../app.sock", "`..`"),
            ("unix:@app", "abstract"),
            ("unix:/run/a b", "space"),
            ("unix:/run/a\u{a0}b", "space"),
            ("unix:/run/a\nb", "non-printable"),
            ("unix:/run/a\0b", "non-printable"),
            ("unix:/run/a\u{202e}b", "non-printable"),
        ] {
            let fault = fault(text);
            assert!(fault.contains(reason), "{fault}");
            assert!(!fault.contains(char::is_control), "{fault:?}");
        }
        let long = fault(&format!("unix:/{}", "a".repeat(107)));
        assert_eq!(long, "the socket path has 108 bytes, the maximum is 107");
    }

    #[test]
    fn an_address_takes_no_more_memory_than_that_of_tcp() {
        assert_eq!(size_of::<EndpointAddress>(), size_of::<SocketAddr>());
    }
}
