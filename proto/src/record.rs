//! Records: resources as keyed bytes, and the tree of hashes over them.
//!
//! Identity of state (design section 6): leaf = BLAKE3(type, key, bytes), each length-prefixed; 1,024 buckets by the key's hash;
//! bucket = BLAKE3(sorted leaves); root = BLAKE3(buckets). Bytes are hashed as stored and sent, never re-encoded. Two holders of the same
//! root hold the same records. Pinned by golden vectors in `tests.rs`.

mod delta;
mod gathered;
mod key;
mod repair;
mod set;

pub use delta::{Change, Delta};
pub use gathered::Gathered;
pub use key::{RecordKey, ResourceType};
pub use repair::{Held, Mark};
pub use set::{Record, RecordSet};

#[cfg(test)]
mod tests;
