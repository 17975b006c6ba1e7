//! The name by which a node marks the messages that passed it, and detects its own loops.
//!
//! `Via` (RFC 9110 section 7.6.3) and `CDN-Loop` (RFC 8586) carry it. It is drawn once per node and reveals nothing about its machine. Each
//! node has a different one, so that a request may pass several nodes of a fleet, but none of them twice.

use std::fmt;

use crate::octets;

/// Prefix of every pseudonym.
const PREFIX: &str = "aralez-";
/// Number of random bytes that follow, in hexadecimal digits.
pub const RANDOM: usize = 8;

/// A node's pseudonym: a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pseudonym(Box<str>);

impl Pseudonym {
    /// Makes a pseudonym of random bytes.
    pub fn new(random: [u8; RANDOM]) -> Self {
        let number = u64::from_be_bytes(random);
        Self(format!("{PREFIX}{number:016x}").into())
    }

    /// Parses a stored pseudonym. `None` if the text is not one.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let whole = digits.len() == 2 * RANDOM && digits.bytes().all(hexadecimal);
        whole.then(|| Self(text.into()))
    }

    /// Returns the text.
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// Reports whether a value of `CDN-Loop` contains this node. Ignores case and the parameters of its members.
    pub fn is_in(&self, value: &[u8]) -> bool {
        octets::list(value).any(|member| {
            let id = member.split(|byte| *byte == b';').next();
            octets::trim(id.unwrap_or_default()).eq_ignore_ascii_case(self.0.as_bytes())
        })
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_read_as_it_was_kept_and_as_nothing_else() {
        let drawn = Pseudonym::new([0, 1, 2, 3, 4, 5, 6, 0xff]);
        assert_eq!(drawn.as_str(), "aralez-00010203040506ff");
        assert_eq!(Pseudonym::read(drawn.as_str()), Some(drawn));
        for text in [
            "",
            "aralez-",
            "aralez-00010203040506f",
            "aralez-00010203040506FF",
            "edge-00010203040506ff",
            "aralez-00010203040506ff\n",
        ] {
            assert_eq!(Pseudonym::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_node_finds_itself_among_others() {
        let node = Pseudonym::new([0; RANDOM]);
        for value in [
            "aralez-0000000000000000",
            "ARALEZ-0000000000000000",
            "other; v=1, aralez-0000000000000000 ; abc=\"123\"",
            "a,b ,\taralez-0000000000000000",
        ] {
            assert!(node.is_in(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            "aralez-0000000000000001",
            "aralez-00000000000000000",
            "x; v=aralez-0000000000000000",
            "x aralez-0000000000000000",
        ] {
            assert!(!node.is_in(value.as_bytes()), "{value}");
        }
    }
}
