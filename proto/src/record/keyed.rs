//! One record.

use bytes::Bytes;

use crate::hash::Digest;
use crate::record::key::RecordKey;

/// One record: key, bytes and their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record's type and name.
    pub key: RecordKey,
    /// The encoded envelope, as stored and sent.
    pub payload: Bytes,
    leaf: Digest,
}

impl Record {
    /// Creates a record and computes its hash.
    pub fn new(key: RecordKey, payload: Bytes) -> Self {
        let leaf = Digest::of_fields(&[&[key.kind.number()], key.name.as_bytes(), &payload]);
        Self { key, payload, leaf }
    }

    /// Returns the BLAKE3 hash over type, key and bytes.
    pub const fn leaf(&self) -> Digest {
        self.leaf
    }
}
