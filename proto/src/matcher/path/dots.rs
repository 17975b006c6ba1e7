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
            // RFC 3986 section 6.2.2.2: an escape of an unreserved character is normalised to the character.
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

/// Removes dot segments and empty segments. `..` at the root stays at the root, and a path that ends in a dot
/// segment ends in a slash.
pub(super) fn resolve(path: &str) -> String {
    let mut resolved = String::with_capacity(path.len());
    let mut open = true;
    // RFC 3986 section 5.2.4: a segment `.` is removed, and `..` with the segment before it, up to the root.
    // RFC 3986 section 6.2.2.3: a path is normalised by removing its dot segments.
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
