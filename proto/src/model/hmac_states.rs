//! A secret of HMAC with SHA-256 in the form that verifies without showing the secret.

use std::fmt;

use sha2::compress256;
use sha2::digest::generic_array::GenericArray;
use sha2::{Digest as _, Sha256};

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
/// The state of SHA-256 before its first block (FIPS 180-4 section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The two states of SHA-256 behind the padded secret of an HMAC. They make and verify the same signatures as the secret, which cannot be
/// computed from them: so a secret that is a password too stays with its owner. Not printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HmacStates {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl HmacStates {
    /// Number of bytes of [`HmacStates::to_bytes`].
    pub const LENGTH: usize = 64;

    /// A stand-in for readers that do not know the secret. Everyone knows these states, so no signature of theirs may be accepted.
    pub const UNKNOWN: Self = Self {
        inner: [0; 8],
        outer: [0; 8],
    };

    /// Returns the states of a secret.
    pub fn of(secret: &[u8]) -> Self {
        // RFC 2104 section 2: a secret longer than a block is hashed first, and a shorter one is filled with zeros.
        let mut block = [0; BLOCK];
        match block.get_mut(..secret.len()) {
            Some(start) => start.copy_from_slice(secret),
            None => block[..32].copy_from_slice(&Sha256::digest(secret)),
        }
        // RFC 2104 section 4: the states behind the first blocks can be kept in place of the secret, and are protected like it.
        let behind = |pad: u8| {
            let mut state = START;
            compress(&mut state, &block.map(|byte| byte ^ pad));
            state
        };
        Self {
            inner: behind(0x36),
            outer: behind(0x5c),
        }
    }

    /// Returns the HMAC of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        finished(self.outer, &finished(self.inner, message))
    }

    /// Returns the states as they are sent: the inner one, then the outer one, big-endian.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let words = self.inner.iter().chain(&self.outer);
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Reads states that were received. `None` for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LENGTH] = bytes.try_into().ok()?;
        let (inner, outer) = bytes.split_at(Self::LENGTH / 2);
        Some(Self {
            inner: words(inner),
            outer: words(outer),
        })
    }
}

impl fmt::Debug for HmacStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacStates(…)")
    }
}

fn words(bytes: &[u8]) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    words
}

fn compress(state: &mut [u32; 8], block: &[u8; BLOCK]) {
    compress256(state, &[GenericArray::from(*block)]);
}

/// Returns the digest of one block, whose state is given, and a message behind it (FIPS 180-4 sections 5.1.1 and 6.2).
fn finished(mut state: [u32; 8], message: &[u8]) -> [u8; 32] {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    for block in blocks {
        compress(&mut state, block);
    }
    let bits = (BLOCK as u64 + message.len() as u64) * 8;
    let mut tail = [0; 2 * BLOCK];
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    // The length takes eight bytes behind at least one bit.
    let end = if rest.len() < BLOCK - 8 {
        BLOCK
    } else {
        2 * BLOCK
    };
    tail[end - 8..end].copy_from_slice(&bits.to_be_bytes());
    for block in tail[..end].as_chunks::<BLOCK>().0 {
        compress(&mut state, block);
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// HMAC written out from RFC 2104, over the whole hash.
    fn reference(secret: &[u8], message: &[u8]) -> [u8; 32] {
        let mut key = [0; BLOCK];
        match secret.len() > BLOCK {
            true => key[..32].copy_from_slice(&Sha256::digest(secret)),
            false => key[..secret.len()].copy_from_slice(secret),
        }
        let pad = |with: u8| key.map(|byte| byte ^ with);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
        let outer = Sha256::new().chain_update(pad(0x5c));
        outer.chain_update(inner.finalize()).finalize().into()
    }

    /// RFC 4231, test cases 1, 2 and 6: a short, a textual and a long secret.
    #[test]
    fn published_signatures_are_made() {
        for (secret, message, signature) in [
            (
                &[0x0b; 20][..],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&HmacStates::of(secret).sign(message)), signature);
        }
    }

    #[test]
    fn each_length_of_a_message_and_of_a_secret_is_signed_right() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        for length in 0..200 {
            let (secret, message) = (&bytes[..length], &bytes[..200 - length]);
            let signed = HmacStates::of(secret).sign(message);
            assert_eq!(signed, reference(secret, message), "{length}");
        }
    }

    #[test]
    fn what_is_sent_is_read_back() {
        let sent = HmacStates::of(b"secret").to_bytes();
        let read = HmacStates::from_bytes(&sent);
        assert_eq!(read, Some(HmacStates::of(b"secret")));
        for cut in [&sent[1..], &[]] {
            assert_eq!(HmacStates::from_bytes(cut), None);
        }
    }

    #[test]
    fn neither_the_secret_nor_the_states_are_printed() {
        assert_eq!(format!("{:?}", HmacStates::of(b"s3cret")), "HmacStates(…)");
    }
}
