//! Decodes bytes to UTF-8 text without control characters.

use crate::yaml::{MAX_BYTES, Spot, Unreadable};

/// Returns the text without its byte order mark.
///
/// # Errors
/// The first byte that is not UTF-8, or is a control byte other than tab and line end; or a text larger than [`MAX_BYTES`].
pub(super) fn characters(text: &[u8]) -> Result<&str, Unreadable> {
    let fault = |offset: usize, reason: String| {
        let before = &text[..offset];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let begin = before.iter().rposition(|byte| *byte == b'\n');
        let line_text = String::from_utf8_lossy(&before[begin.map_or(0, |at| at + 1)..]);
        let at = Spot {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(1 + line_text.chars().count()).unwrap_or(u32::MAX),
        };
        Unreadable { at, reason }
    };
    if text.len() > MAX_BYTES {
        let reason = format!(
            "has {} bytes; the maximum is {} MiB",
            text.len(),
            MAX_BYTES >> 20
        );
        return Err(fault(0, reason));
    }
    if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
        return Err(fault(0, "is UTF-16; save it as UTF-8".to_owned()));
    }
    let source = std::str::from_utf8(text).map_err(|error| {
        let offset = error.valid_up_to();
        let reason = format!("is not UTF-8: byte {offset} is 0x{:02x}", text[offset]);
        fault(offset, reason)
    })?;
    let control =
        |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    if let Some(offset) = text.iter().position(control) {
        let reason = format!("byte {offset} is the control byte 0x{:02x}", text[offset]);
        return Err(fault(offset, reason));
    }
    Ok(source.strip_prefix('\u{feff}').unwrap_or(source))
}
