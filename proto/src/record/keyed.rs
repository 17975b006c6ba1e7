//! One record.

use bytes::Bytes;

use crate::hash::Digest;
use crate::record::key::RecordKey;

/// One record: its key, its bytes, their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Type and name.
    pub key: RecordKey,
    /// The encoded envelope, as stored and sent.
    pub payload: Bytes,
    leaf: Digest,
}

impl Record {
    /// A record, hashed.
    pub fn new(key: RecordKey, payload: Bytes) -> Self {
        let leaf = Digest::of_fields(&[&[key.kind.number()], key.name.as_bytes(), &payload]);
        Self { key, payload, leaf }
    }

    /// BLAKE3 over type, key and bytes.
    pub const fn leaf(&self) -> Digest {
        self.leaf
    }
}
