//! Records: resources as keyed bytes, and the hash tree over them.
//!
//! Identity of state (ARCHITECTURE, "Identity of state"), hash format 2: leaf = BLAKE3(type, key, bytes), each length-prefixed. Records of
//! authored types form one tree, all others a second; each tree has 1,024 buckets, selected by the key's hash; bucket = BLAKE3(sorted
//! leaves); the root of a tree = BLAKE3(its buckets); root = BLAKE3(authored root, other root). Bytes are hashed as stored and sent, never
//! re-encoded. Two holders of the same root hold the same records. Pinned by golden vectors in `tests.rs` and `tests/roots.rs`.

mod bucket;
mod change;
mod delta;
mod gathered;
mod key;
mod keyed;
mod repair;
mod roots;
mod set;

pub use change::{Change, Delta};
pub use gathered::Gathered;
pub use key::{RecordKey, ResourceType};
pub use keyed::Record;
pub use repair::{Held, Mark};
pub use set::RecordSet;

#[cfg(test)]
mod tests;
