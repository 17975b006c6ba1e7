//! Comparing a password with its hash: the one expensive computation of a decision, done where it delays nobody.

use std::fmt;

use aralez_proto::model::{Argon2Hash, PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

/// A password to compare with a hash. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordCheck {
    pub(super) hash: PasswordHash,
    pub(super) password: Box<[u8]>,
    /// `false` if no such user exists, so that the result is known and only its time counts.
    pub(super) is_known: bool,
}

impl PasswordCheck {
    /// Computes the hash of the password and returns whether it is the right one. Takes from 10 milliseconds to a second, and up to 64 MiB.
    pub fn compute(&self) -> bool {
        let equal = match self.hash.argon2() {
            Some(hash) => is_argon2(hash, &self.password),
            // Like every implementation of bcrypt, this one ignores what follows the first 72 bytes.
            None => bcrypt::verify(&*self.password, self.hash.text()).unwrap_or(false),
        };
        equal && self.is_known
    }
}

impl fmt::Debug for PasswordCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCheck(…)")
    }
}

fn is_argon2(hash: &Argon2Hash, password: &[u8]) -> bool {
    let algorithm = if hash.is_id {
        Algorithm::Argon2id
    } else {
        Algorithm::Argon2i
    };
    let mut computed = vec![0; hash.hash.len()];
    let length = Some(computed.len());
    let Ok(params) = Params::new(hash.memory, hash.passes, hash.lanes, length) else {
        return false;
    };
    let argon2 = Argon2::new(algorithm, Version::V0x13, params);
    let done = argon2.hash_password_into(password, &hash.salt, &mut computed);
    done.is_ok() && computed.ct_eq(&hash.hash).into()
}
