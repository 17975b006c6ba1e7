//! Paths, normalised.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Why a request's path is refused. All of these are answered 400.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPath {
    /// Neither a path nor `http://` or `https://` with an authority.
    #[error("does not begin with /")]
    NotAbsolute,
    /// `%` without two hexadecimal digits.
    #[error("holds a % that is not followed by two hexadecimal digits")]
    Escape,
    /// A control byte, raw or escaped, NUL included.
    #[error("holds a control byte")]
    Control,
    /// A backslash, raw or escaped: some endpoints read it as a slash.
    #[error("holds a backslash")]
    Backslash,
    /// A space or a byte beyond ASCII.
    #[error("holds a space or a byte that must be escaped")]
    Unescaped,
    /// `#` is never sent.
    #[error("holds a fragment (#)")]
    Fragment,
    /// `..%2f`, `..;x`: a climb that only some readers see.
    #[error("hides a dot segment behind an escaped slash or a parameter")]
    HiddenDots,
    /// `/%2Fsecret`: an empty segment that only some readers see.
    #[error("has an escaped slash beside a slash")]
    HiddenSlash,
}

/// Why the path of a route is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRoutePath {
    /// As in a request.
    #[error("{0}")]
    Path(#[from] InvalidPath),
    /// Queries never take part in matching.
    #[error("holds a query (?): routes match paths only")]
    Query,
    /// Parameters never take part in matching.
    #[error("holds a parameter (;): routes match segments without their parameters")]
    Parameter,
}

/// The form in which the path of a route is kept: as requests are normalised, without trailing slash but for `/` itself.
///
/// # Errors
/// [`InvalidRoutePath`] where it holds a query, a fragment or parameters, or would be refused in a request.
pub fn normalise_route_path(text: &str) -> Result<Cow<'_, str>, InvalidRoutePath> {
    if text.contains('?') {
        return Err(InvalidRoutePath::Query);
    }
    if text.contains(';') {
        return Err(InvalidRoutePath::Parameter);
    }
    let without_slash =
        |path: &str| path.len() - usize::from(path.len() > 1 && path.ends_with('/'));
    Ok(match normalise(text)? {
        Cow::Borrowed(path) => Cow::Borrowed(&path[..without_slash(path)]),
        Cow::Owned(mut path) => {
            path.truncate(without_slash(&path));
            Cow::Owned(path)
        }
    })
}

/// The form in which paths are matched and forwarded. Borrowed where the path has this form already.
///
/// Escapes of unreserved characters are decoded, once; the others are kept, in upper case. Then empty and dot segments are resolved; a
/// climb above the root stays at the root, as RFC 3986 section 5.2.4 has it.
pub(super) fn normalise(path: &str) -> Result<Cow<'_, str>, InvalidPath> {
    if !path.starts_with('/') {
        return Err(InvalidPath::NotAbsolute);
    }
    let decoded = match check_bytes(path.as_bytes())? {
        Escapes::Normal => Cow::Borrowed(path),
        Escapes::Differ => Cow::Owned(decode(path)),
    };
    for segment in decoded.split('/') {
        check_segment(segment)?;
    }
    let resolved = if is_resolved(&decoded) {
        decoded
    } else {
        Cow::Owned(resolve(&decoded))
    };
    check_borders(&resolved)?;
    Ok(resolved)
}

/// Whether the escapes have their normal form.
enum Escapes {
    Normal,
    Differ,
}

fn check_bytes(path: &[u8]) -> Result<Escapes, InvalidPath> {
    let mut escapes = Escapes::Normal;
    let mut rest = path;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            check_raw(*byte)?;
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return Err(InvalidPath::Escape);
        };
        let value = escaped(*high, *low).ok_or(InvalidPath::Escape)?;
        match value {
            0..0x20 | 0x7f => return Err(InvalidPath::Control),
            b'\\' => return Err(InvalidPath::Backslash),
            _ => {}
        }
        if is_unreserved(value) || high.is_ascii_lowercase() || low.is_ascii_lowercase() {
            escapes = Escapes::Differ;
        }
        rest = after;
    }
    Ok(escapes)
}

const fn check_raw(byte: u8) -> Result<(), InvalidPath> {
    match byte {
        b'\\' => Err(InvalidPath::Backslash),
        b'#' => Err(InvalidPath::Fragment),
        _ => check_target_byte(byte),
    }
}

/// What holds for every byte of a target, the query's too.
pub(super) const fn check_target_byte(byte: u8) -> Result<(), InvalidPath> {
    match byte {
        0..0x20 | 0x7f => Err(InvalidPath::Control),
        b' ' | 0x80.. => Err(InvalidPath::Unescaped),
        _ => Ok(()),
    }
}

/// The byte behind two hexadecimal digits.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes the escapes of unreserved characters and puts the others in upper case. The path has been checked.
fn decode(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = String::with_capacity(path.len());
    decoded.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        let value = match digits.as_bytes() {
            [high, low] => escaped(*high, *low),
            _ => None,
        };
        match value {
            Some(value) if is_unreserved(value) => decoded.push(char::from(value)),
            _ => {
                decoded.push('%');
                decoded.extend(digits.chars().map(|digit| digit.to_ascii_uppercase()));
            }
        }
        decoded.push_str(rest);
    }
    decoded
}

/// Refuses what is a dot segment, or an empty one at a border, only for readers that decode `%2F` or cut parameters off.
fn check_segment(segment: &str) -> Result<(), InvalidPath> {
    if matches!(segment, "" | "." | "..") || !segment.contains(['.', '%']) {
        return Ok(());
    }
    let hides = |part: &str| {
        let bare = part.split(';').next().unwrap_or_default();
        let bare = bare.split("%3B").next().unwrap_or_default();
        matches!(bare, "." | "..")
    };
    if segment.split("%2F").any(hides) {
        return Err(InvalidPath::HiddenDots);
    }
    Ok(())
}

/// Refuses an escaped slash beside a slash; inside a segment, as in a URL that stands in a path, two may follow each other.
fn check_borders(path: &str) -> Result<(), InvalidPath> {
    if path.contains("/%2F") || path.contains("%2F/") {
        return Err(InvalidPath::HiddenSlash);
    }
    Ok(())
}

fn is_resolved(path: &str) -> bool {
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

fn resolve(path: &str) -> String {
    let mut resolved = String::with_capacity(path.len());
    let mut open = true;
    for segment in path.split('/') {
        open = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => resolved.truncate(resolved.rfind('/').unwrap_or(0)),
            _ => {
                resolved.push('/');
                resolved.push_str(segment);
            }
        }
    }
    if open {
        resolved.push('/');
    }
    resolved
}
