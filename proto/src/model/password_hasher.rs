//! Hashing of the passwords that documents contain in plain text.

use std::fmt::Debug;

use crate::model::PasswordHash;

/// Hashes the plain passwords of documents. Control has the real one; passed in, because its salts depend on a secret of control.
pub trait PasswordHasher: Debug + Send + Sync {
    /// Returns the hash of a user's password. Equal input gives the same hash each time, so that an equal document gives equal records.
    fn hash(&self, user: &str, password: &str) -> PasswordHash;
}

/// A stand-in for readers that only check a document: it returns one hash, of no password, for every user, at no cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnhashedPasswords;

impl PasswordHasher for UnhashedPasswords {
    fn hash(&self, _: &str, _: &str) -> PasswordHash {
        PasswordHash::argon2id(PasswordHash::OWN, [0; 16], [0; 32])
    }
}
