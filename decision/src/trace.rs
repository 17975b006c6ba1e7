//! The identity of a request across services: `X-Request-Id`, and `traceparent` of the W3C recommendation Trace Context.
//!
//! Both pass through if a client sent them, and begin here otherwise. A route that sets or removes one of them has its way.

/// Most bytes of an `X-Request-Id` that passes: it is written to logs.
const LONGEST_ID: usize = 128;

/// Length of the fields `version`, `trace-id`, `parent-id` and `trace-flags` of a `traceparent`, with the dashes between them.
const TRACEPARENT: usize = 55;

/// The identity that a request gets if it brought none: random bits, drawn for each request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NewIds {
    /// The request id, and the id of the trace.
    pub request: [u8; 16],
    /// The id of this node's part of the trace.
    pub span: [u8; 8],
}

impl NewIds {
    /// Makes ids of random bits. An id of zeros is invalid (Trace Context section 3.2.2.3), so a bit is always set.
    pub fn new(random: [u64; 3]) -> Self {
        let [high, low, span] = random;
        let mut request = [0; 16];
        request[..8].copy_from_slice(&high.to_be_bytes());
        request[8..].copy_from_slice(&(low | 1).to_be_bytes());
        Self {
            request,
            span: (span | 1).to_be_bytes(),
        }
    }

    /// Returns the request id as text: 32 hexadecimal digits.
    pub fn request_text(&self) -> [u8; 32] {
        let mut text = [0; 32];
        write_hex(&self.request, &mut text);
        text
    }

    /// Returns a `traceparent` that begins a trace. Its flag `sampled` is set: the services behind decide what they record.
    pub fn traceparent(&self) -> [u8; TRACEPARENT] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-01";
        write_hex(&self.request, &mut text[3..35]);
        write_hex(&self.span, &mut text[36..52]);
        text
    }
}

/// Writes bytes as hexadecimal digits over `text`, which is twice as long.
fn write_hex(bytes: &[u8], text: &mut [u8]) {
    let (pairs, _) = text.as_chunks_mut::<2>();
    for (byte, digits) in bytes.iter().zip(pairs) {
        *digits = HEX[usize::from(*byte)];
    }
}

/// The two hexadecimal digits of each byte.
const HEX: [[u8; 2]; 256] = hex();

const fn hex() -> [[u8; 2]; 256] {
    let digits = *b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
}

/// Returns whether a received `X-Request-Id` passes: short and visible, so that it is safe in logs.
pub fn is_request_id(value: &[u8]) -> bool {
    (1..=LONGEST_ID).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic)
}

/// Returns whether a received `traceparent` passes: of version 00, or of a later one that begins with the same fields (Trace Context section
/// 3.2).
pub fn is_traceparent(value: &[u8]) -> bool {
    let Some((known, later)) = value.split_at_checked(TRACEPARENT) else {
        return false;
    };
    let hex = |from: usize, to: usize| {
        let digits = &known[from..to];
        digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let set = |from: usize, to: usize| known[from..to].iter().any(|digit| *digit != b'0');
    let dashes = [2, 35, 52].iter().all(|at| known[*at] == b'-');
    let fields = hex(0, 2) && hex(3, 35) && hex(36, 52) && hex(53, 55);
    let is_later = known[..2] != *b"00" && later.starts_with(b"-");
    dashes
        && fields
        && set(3, 35)
        && set(36, 52)
        && known[..2] != *b"ff"
        && (later.is_empty() || is_later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_the_bits_that_were_drawn_and_never_zero() {
        let ids = NewIds::new([0x0123_4567_89ab_cdef, 0x10, 0xff00]);
        assert_eq!(&ids.request_text(), b"0123456789abcdef0000000000000011");
        assert_eq!(
            &ids.traceparent(),
            b"00-0123456789abcdef0000000000000011-000000000000ff01-01"
        );
        let none = NewIds::new([0; 3]);
        assert!(is_traceparent(&none.traceparent()) && is_request_id(&none.request_text()));
    }

    #[test]
    fn only_a_well_formed_traceparent_passes() {
        let right = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(right.as_bytes()));
        assert!(is_traceparent(
            right
                .replacen("00", "01", 1)
                .replace("-01", "-01-more")
                .as_bytes()
        ));
        for wrong in [
            String::new(),
            right[..54].to_owned(),
            format!("{right}-more"),
            right.replacen("00", "ff", 1),
            right.to_uppercase(),
            right.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            right.replace("b7ad6b7169203331", &"0".repeat(16)),
            right.replace('-', "_"),
        ] {
            assert!(!is_traceparent(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_request_id_that_passes_is_short_and_visible() {
        for (id, passes) in [("a", true), ("", false), ("a b", false), ("a\x01", false)] {
            assert_eq!(is_request_id(id.as_bytes()), passes, "{id:?}");
        }
        assert!(is_request_id(&[b'a'; LONGEST_ID]) && !is_request_id(&[b'a'; LONGEST_ID + 1]));
    }
}
