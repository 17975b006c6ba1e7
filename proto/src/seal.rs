//! Sealing: what rests on disk with secrets in it is encrypted and authenticated with a key that lies in a file of its own.
//!
//! XChaCha20-Poly1305 with a random 24-byte nonce, which the caller draws; `context` is authenticated along, so that a sealed text
//! cannot be moved to another place. Layout: version byte 1, nonce, ciphertext with tag.

use std::fmt;
use std::ops::Range;

use chacha20poly1305::aead::{Aead, AeadInPlace, Payload};
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};

const FORMAT: u8 = 1;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// A key that seals. Does not print.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// How many bytes a key has.
    pub const LEN: usize = 32;

    /// Takes key bytes from where they were kept or drawn.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Seals `plain` so that only this key with the same `context` opens it. `nonce` must be fresh random bytes.
    ///
    /// # Errors
    /// [`SealError`] where `plain` is beyond what the cipher takes (256 GiB).
    pub fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        let text = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError)?;
        Ok([&[FORMAT], nonce.as_slice(), &text].concat())
    }

    /// Opens what [`SealKey::seal`] made.
    ///
    /// # Errors
    /// [`SealError`] where the text was made with another key, for another context, or was changed.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = sealed.to_vec();
        let plain = self.open_in_place(context, &mut sealed)?;
        sealed.truncate(plain.end);
        sealed.drain(..plain.start);
        Ok(sealed)
    }

    /// Opens what [`SealKey::seal`] made, and says where in it the plain text now stands. Takes no memory.
    ///
    /// # Errors
    /// As [`SealKey::open`].
    pub fn open_in_place(
        &self,
        context: &[u8],
        sealed: &mut [u8],
    ) -> Result<Range<usize>, SealError> {
        let (format, rest) = sealed.split_first_mut().ok_or(SealError)?;
        let (nonce, rest) = rest.split_first_chunk_mut::<NONCE_LEN>().ok_or(SealError)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(SealError)?;
        if *format != FORMAT {
            return Err(SealError);
        }
        self.cipher()
            .decrypt_in_place_detached(&XNonce::from(*nonce), context, text, &Tag::from(*tag))
            .map_err(|_| SealError)?;
        let start = size_of_val(format) + nonce.len();
        Ok(start..start + text.len())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// The text does not open: another key, another context, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, or damaged")]
pub struct SealError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_its_key_and_context_only() {
        let key = SealKey::from_bytes([7; 32]);
        let sealed = key.seal([9; 24], b"here", b"secret").unwrap();
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"secret");
        assert_eq!(key.open(b"there", &sealed), Err(SealError));
        assert_eq!(
            SealKey::from_bytes([8; 32]).open(b"here", &sealed),
            Err(SealError)
        );
        for position in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[position] ^= 1;
            assert_eq!(
                key.open(b"here", &damaged),
                Err(SealError),
                "byte {position}"
            );
            assert_eq!(
                key.open(b"here", &sealed[..position]),
                Err(SealError),
                "cut at {position}"
            );
        }
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", SealKey::from_bytes([65; 32])), "SealKey(…)");
    }

    #[test]
    fn the_sealed_layout_is_that_of_every_release_before() {
        let sealed = SealKey::from_bytes([7; 32])
            .seal([9; 24], b"here", b"secret")
            .unwrap();
        assert_eq!(
            Hex(&sealed).to_string(),
            "01090909090909090909090909090909090909090909090909cd1781f819de89c8170bc48572008e7ee1bac75fe916"
        );
    }

    struct Hex<'a>(&'a [u8]);
    impl fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }
    }
}
