//! BLAKE3 digests as a separate type, so that a root is never taken for a secret or a key.

use std::fmt;
use std::str::FromStr;

/// Largest input, in bytes, that is copied into one buffer and hashed in one call.
const AT_ONCE: usize = 64 * 1024;

/// A BLAKE3 digest of 32 bytes. Displayed as hex; `short` is for people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of several fields. Each is preceded by its length as eight little-endian bytes, so that different sequences of
    /// fields never give the same input.
    pub fn of_fields(fields: &[&[u8]]) -> Self {
        let length: usize = fields
            .iter()
            .map(|field| size_of::<u64>() + field.len())
            .sum();
        if length <= AT_ONCE {
            return Self::of_short(fields, length);
        }
        let mut hasher = blake3::Hasher::new();
        for field in fields {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// Hashes the same input in one call, which is twice as fast as one call per piece.
    fn of_short(fields: &[&[u8]], length: usize) -> Self {
        let mut input = Vec::with_capacity(length);
        for field in fields {
            input.extend_from_slice(&(field.len() as u64).to_le_bytes());
            input.extend_from_slice(field);
        }
        Self(*blake3::hash(&input).as_bytes())
    }

    /// Returns the digest with these bytes. `None` unless there are 32 of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first eight hex digits: enough to distinguish two roots by eye.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hex digits")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| InvalidDigest)?;
        Ok(Self(*hash.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_every_release_before_whatever_the_length() {
        for length in [0, 1, AT_ONCE / 2, AT_ONCE - 16, AT_ONCE - 15, 2 * AT_ONCE] {
            let field = vec![7; length];
            let fields = [[].as_slice(), &field];
            let lengths = fields.map(|field| (field.len() as u64).to_le_bytes());
            let input = [&lengths[0], fields[0], &lengths[1], fields[1]].concat();
            let expected = Digest::from(*blake3::hash(&input).as_bytes());
            assert_eq!(Digest::of_fields(&fields), expected, "{length}");
        }
    }
}
