//! Hashes of the plain passwords of documents, which never leave this process.

use aralez_proto::model::{PasswordHash, PasswordHasher};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory in KiB, passes and lanes: the least that argon2 has. Control makes expensive hashes, because its hashes are stored and sent.
const COST: (u32, u32, u32) = (8, 1, 1);
/// Equal hashes of equal passwords reveal nothing in a process that also has the passwords.
const SALT: [u8; 16] = [0; 16];

/// Hashes passwords at the lowest cost, so that a set of documents with many passwords is read quickly. The verdict about a request is that
/// of the real hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuickHashes;

impl PasswordHasher for QuickHashes {
    fn hash(&self, _: &str, password: &str) -> PasswordHash {
        let (memory, passes, lanes) = COST;
        let params = Params::new(memory, passes, lanes, Some(32));
        let params = params.expect("the parameters are constant and valid");
        let mut hash = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &SALT, &mut hash)
            .expect("argon2 fails only for lengths beyond 4 GiB");
        PasswordHash::argon2id(COST, SALT, hash)
    }
}
