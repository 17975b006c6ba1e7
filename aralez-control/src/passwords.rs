//! Hashing of the plain passwords of documents, so that they neither travel nor rest.
//!
//! The salt is derived from the key of this control's store and the credentials: an equal document gives equal records, also after a restart,
//! and two users with one password have different hashes. Every edit reads all documents again, so hashes are remembered.

use std::collections::HashMap;
use std::fmt;

use aralez_proto::model::{PasswordHash, PasswordHasher};
use aralez_proto::seal::SealKey;
use argon2::{Algorithm, Argon2, Params, Version};
use parking_lot::Mutex;

/// The purpose of the key that is derived from the key of the store.
const PURPOSE: &str = "aralez control 2026 salts of passwords in documents";

/// The most hashes that are remembered. Beyond it all are forgotten, and computed again when they are needed.
const MOST: usize = 10_000;

/// Hashes passwords with argon2id.
pub struct PasswordHashes {
    key: [u8; 32],
    argon2: Argon2<'static>,
    /// Hashes by the keyed digest of user and password.
    known: Mutex<HashMap<[u8; 32], PasswordHash>>,
}

impl PasswordHashes {
    /// Creates the hasher of a store.
    pub fn new(store: &SealKey) -> Self {
        let (memory, passes, lanes) = PasswordHash::OWN;
        let params = Params::new(memory, passes, lanes, Some(32));
        let params = params.expect("the parameters are constant and valid");
        Self {
            key: store.derive(PURPOSE),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            known: Mutex::default(),
        }
    }

    fn compute(&self, digest: &[u8; 32], password: &str) -> PasswordHash {
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest[..16]);
        let mut hash = [0; 32];
        self.argon2
            .hash_password_into(password.as_bytes(), &salt, &mut hash)
            .expect("argon2 fails only for lengths beyond 4 GiB");
        PasswordHash::argon2id(PasswordHash::OWN, salt, hash)
    }
}

impl PasswordHasher for PasswordHashes {
    fn hash(&self, user: &str, password: &str) -> PasswordHash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(user.len() as u64).to_le_bytes());
        hasher.update(user.as_bytes());
        hasher.update(password.as_bytes());
        let digest = hasher.finalize().into();
        if let Some(known) = self.known.lock().get(&digest) {
            return known.clone();
        }
        let hash = self.compute(&digest, password);
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, hash.clone());
        hash
    }
}

impl fmt::Debug for PasswordHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHashes(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(key: u8) -> PasswordHashes {
        PasswordHashes::new(&SealKey::from_bytes([key; 32]))
    }

    #[test]
    fn an_equal_document_gives_equal_hashes_after_a_restart() {
        let first = hashes(1).hash("user", "pass");
        assert_eq!(hashes(1).hash("user", "pass"), first);
        assert!(first.text().starts_with("$argon2id$v=19$m=7168,t=5,p=1$"));
    }

    #[test]
    fn a_hash_depends_on_the_user_the_password_and_the_store() {
        let (ours, theirs) = (hashes(1), hashes(2));
        let hash = ours.hash("user", "pass");
        for other in [
            ours.hash("other", "pass"),
            ours.hash("user", "other"),
            ours.hash("use", "rpass"),
            theirs.hash("user", "pass"),
        ] {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn a_known_password_is_not_hashed_again() {
        let hashes = hashes(1);
        let first = hashes.hash("user", "pass");
        let digest = *hashes.known.lock().keys().next().unwrap();
        let other = PasswordHash::argon2id(PasswordHash::OWN, [0; 16], [0; 32]);
        hashes.known.lock().insert(digest, other.clone());
        assert_eq!(hashes.hash("user", "pass"), other);
        assert_ne!(first, other);
    }
}
