//! The identity of a cluster in its text form.

use std::str::FromStr;

/// Maximum length of an identity in bytes; the stream has the same limit.
const MOST: usize = 64;

/// The identity of a cluster, written in hexadecimal as `aralez-ctl status` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterId(Vec<u8>);

impl ClusterId {
    /// Returns the raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The error for text that is not a cluster identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "not a cluster id: expected an even number of hexadecimal digits (at most 128), as shown by `aralez-ctl status`"
)]
pub struct NotACluster;

impl FromStr for ClusterId {
    type Err = NotACluster;

    fn from_str(text: &str) -> Result<Self, NotACluster> {
        let digits: Option<Vec<u32>> = text.chars().map(|char| char.to_digit(16)).collect();
        let digits = digits.ok_or(NotACluster)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.is_empty() || !rest.is_empty() || pairs.len() > MOST {
            return Err(NotACluster);
        }
        let byte = |[high, low]: &[u32; 2]| u8::try_from(high * 16 + low).ok();
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        bytes.map(Self).ok_or(NotACluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_is_shown_and_nothing_else_is() {
        let id: ClusterId = "00fF10".parse().unwrap();
        assert_eq!(id.as_bytes(), [0, 255, 16]);
        let long = "a".repeat(2 * MOST + 2);
        for text in ["", "abc", "0x10", "+1", "zz", " 00", "ä0", long.as_str()] {
            assert_eq!(text.parse::<ClusterId>(), Err(NotACluster), "{text:?}");
        }
    }
}
