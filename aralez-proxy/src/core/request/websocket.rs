//! The part of WebSocket framing that a tunnel needs: frame boundaries (RFC 6455 section 5.2). Payloads are not inspected.

/// A close frame from a server with status 1001, "going away".
///
/// RFC 6455 section 5.5.1: the body of a close frame begins with the status as two bytes, most significant byte first.
/// RFC 6455 section 7.4.1: an endpoint that goes away closes with status 1001.
/// RFC 6455 section 5.1: a server does not mask its frames.
pub const GOING_AWAY: [u8; 4] = [0x88, 0x02, 0x03, 0xE9];

/// The opcode of a close frame.
const CLOSE: u8 = 0x8;

/// Tracks one direction of a WebSocket by the lengths in its frame headers. A masked server frame, a reserved bit or an unknown opcode is
/// ignored: only lengths count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Frames {
    at: Position,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Position {
    /// Between two frames.
    #[default]
    Boundary,
    /// After the first byte of a header.
    Length,
    /// In the rest of a header, with `left` bytes to come: those of an extended length, then the mask.
    Header { left: u8, mask: u8, length: u64 },
    /// In a payload, with this many bytes to come.
    Payload(u64),
}

impl Frames {
    /// Advances over bytes that were forwarded.
    pub fn pass(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = self.step(rest);
            rest = &rest[count..];
        }
    }

    /// Returns how many of the next `bytes` belong to the frame in progress: 0 between two frames.
    pub fn to_boundary(mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        while count < bytes.len() && !self.is_at_boundary() {
            count += self.step(&bytes[count..]);
        }
        count
    }

    /// Returns whether the next byte begins a frame.
    pub fn is_at_boundary(&self) -> bool {
        self.at == Position::Boundary
    }

    /// Returns whether a close frame has begun: no frame may follow it (RFC 6455 section 5.5.1).
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Consumes one header byte, or all payload bytes available, and returns how many. `bytes` must not be empty.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let byte = bytes.first().copied().unwrap_or_default();
        let mut count = 1;
        self.at = match self.at {
            Position::Boundary => {
                // RFC 6455 section 5.2: the low four bits of the first byte of a frame are its opcode.
                self.closed |= byte & 0x0F == CLOSE;
                Position::Length
            }
            Position::Length => {
                // RFC 6455 section 5.2: a masking key of four bytes precedes the payload if the mask bit is set.
                let mask = if byte & 0x80 == 0 { 0 } else { 4 };
                // RFC 6455 section 5.2: the lengths 126 and 127 mean that the length follows in two or eight bytes.
                let (extended, length) = match byte & 0x7F {
                    126 => (2, 0),
                    127 => (8, 0),
                    length => (0, u64::from(length)),
                };
                header(extended + mask, mask, length)
            }
            Position::Header { left, mask, length } if left > mask => {
                header(left - 1, mask, length << 8 | u64::from(byte))
            }
            Position::Header { left, mask, length } => header(left - 1, mask, length),
            Position::Payload(left) => {
                let there = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(left);
                count = usize::try_from(there).unwrap_or(bytes.len());
                payload(left - there)
            }
        };
        count
    }
}

const fn header(left: u8, mask: u8, length: u64) -> Position {
    if left == 0 {
        payload(length)
    } else {
        Position::Header { left, mask, length }
    }
}

const fn payload(left: u64) -> Position {
    if left == 0 {
        Position::Boundary
    } else {
        Position::Payload(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, masked: bool, length: usize) -> Vec<u8> {
        let bit = if masked { 0x80 } else { 0 };
        let mut frame = vec![first];
        match length {
            0..=125 => frame.push(bit | length as u8),
            126..=0xFFFF => {
                frame.push(bit | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(bit | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(vec![0xFF; length + if masked { 4 } else { 0 }]);
        frame
    }

    #[test]
    fn boundaries_are_found_whatever_the_length_and_however_the_bytes_are_split() {
        let lengths = [0, 1, 125, 126, 127, 0xFFFF, 0x1_0000];
        for (length, masked) in lengths.into_iter().flat_map(|n| [(n, false), (n, true)]) {
            let bytes = frame(0x82, masked, length);
            for part in [1, 2, 3, 7, bytes.len()] {
                let mut frames = Frames::default();
                let mut passed = 0;
                for part in bytes.chunks(part) {
                    let left = bytes.len() - passed;
                    let unbroken = [&bytes[passed..], &[0x81, 0]].concat();
                    let expected = if passed == 0 { 0 } else { left };
                    assert_eq!(frames.to_boundary(&unbroken), expected, "{length} {masked}");
                    frames.pass(part);
                    passed += part.len();
                    assert_eq!(frames.is_at_boundary(), passed == bytes.len());
                }
                assert!(!frames.is_closed());
            }
        }
    }

    #[test]
    fn a_close_frame_is_noticed_and_several_frames_pass_at_once() {
        let mut frames = Frames::default();
        frames.pass(&[frame(0x81, false, 5), frame(0x89, false, 0)].concat());
        assert!(frames.is_at_boundary() && !frames.is_closed());
        frames.pass(&GOING_AWAY);
        assert!(frames.is_at_boundary() && frames.is_closed());
    }
}
