//! Resolution of dot segments.

use super::escape::{is_unreserved, unescape};

/// Decodes the escapes of unreserved characters in a scanned path.
pub(super) fn decode_unreserved(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = String::with_capacity(path.len());
    decoded.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        let value = match digits.as_bytes() {
            [high, low] => unescape(*high, *low),
            _ => None,
        };
        match value {
            Some(value) if is_unreserved(value) => decoded.push(char::from(value)),
            _ => {
                decoded.push('%');
                decoded.push_str(digits);
            }
        }
        decoded.push_str(rest);
    }
    decoded
}

/// Removes dot segments and empty segments (RFC 3986 section 5.2.4). `..` at the root stays at the root, and a path that ends in a dot
/// segment ends in a slash.
pub(super) fn resolve(path: &str) -> String {
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
