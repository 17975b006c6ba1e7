//! The request line.

use aralez_proto::matcher::Scheme;

use crate::core::limits::HeadLimits;
use crate::core::request::http1::lines::Line;
use crate::core::request::http1::request::text;
use crate::core::request::http1::{HttpVersion, RequestRefusal, Span};
use aralez_decision::octets;

/// Longest method, in bytes. Registered methods have at most 17.
const LONGEST_METHOD: usize = 32;

/// The request line, as ranges of the head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FirstLine {
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) version: HttpVersion,
    /// The scheme and the authority of an absolute target.
    pub(super) authority: Option<(Scheme, Span)>,
}

impl FirstLine {
    /// The value before anything was read.
    pub(super) const NONE: Self = Self {
        method: Span::new(0, 0),
        target: Span::new(0, 0),
        version: HttpVersion::Http11,
        authority: None,
    };
}

pub(super) fn read(
    bytes: &[u8],
    line: Line,
    limits: &HeadLimits,
) -> Result<FirstLine, RequestRefusal> {
    let text = &bytes[line.start..line.end];
    let mut parts = text.split(|byte| *byte == b' ');
    // RFC 9112 section 3: a request line is a method, a target and a version with one space between them; stricter: no other whitespace is
    // accepted as a separator.
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(RequestRefusal::RequestLine);
    };
    if method.is_empty() || target.is_empty() {
        return Err(RequestRefusal::RequestLine);
    }
    // RFC 9110 section 2.5: a request of another major version is refused; stricter: so is one of a later minor version.
    let version = HttpVersion::of(version).ok_or(RequestRefusal::Version)?;
    check_method(method)?;
    // RFC 9112 section 3: a request target longer than the limit is answered with 414.
    if target.len() > limits.target {
        return Err(RequestRefusal::TargetTooLong);
    }
    if !octets::is_target(target) {
        return Err(RequestRefusal::TargetByte);
    }
    let at = line.start + method.len() + 1;
    let authority = authority_of(method, target)?;
    Ok(FirstLine {
        method: Span::new(line.start, line.start + method.len()),
        target: Span::new(at, at + target.len()),
        version,
        authority: authority.map(|(scheme, from, to)| (scheme, Span::new(at + from, at + to))),
    })
}

/// Checks the method. Only upper case is accepted, as in every registered method: `get` is another method to a strict endpoint, and `GET`
/// to a lenient one.
fn check_method(method: &[u8]) -> Result<(), RequestRefusal> {
    // RFC 9110 section 9.3.6: a server that offers no tunnels refuses CONNECT.
    if method == b"CONNECT" {
        return Err(RequestRefusal::Connect);
    }
    // RFC 9112 section 3.1: a method is a case-sensitive token; stricter: a method with a lower-case letter is refused.
    let upper = octets::is_token(method) && !method.iter().any(u8::is_ascii_lowercase);
    if !upper {
        return Err(RequestRefusal::Method);
    }
    // RFC 9112 section 3: a method that is longer than any that the server implements is answered with 501.
    if method.len() > LONGEST_METHOD {
        return Err(RequestRefusal::MethodTooLong);
    }
    Ok(())
}

/// Returns the scheme of an absolute target, and the range of its authority. `None` for a path or the `*` of OPTIONS.
fn authority_of(
    method: &[u8],
    target: &[u8],
) -> Result<Option<(Scheme, usize, usize)>, RequestRefusal> {
    // RFC 9112 section 3.2.1: a path begins with a slash.
    // RFC 9112 section 3.2.4: the target `*` is valid with OPTIONS only.
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Ok(None);
    }
    // RFC 9112 section 3.2.2: a server accepts a target in absolute form; stricter: only with the scheme http or https.
    // RFC 9112 section 3.2.3: a target in authority form is valid with CONNECT only.
    let (scheme, rest) = Scheme::split(text(target)).ok_or(RequestRefusal::TargetForm)?;
    let from = target.len() - rest.len();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    Ok(Some((scheme, from, from + end)))
}
