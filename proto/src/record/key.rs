//! What a record is called.

use std::fmt;
use std::sync::Arc;

use crate::hash::Digest;

/// How many buckets a set has: part of the hash format.
pub(super) const BUCKETS: usize = 1024;

/// The types of resource; the numbers are part of the hash and of the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ResourceType {
    /// Defaults of a node group.
    Settings = 1,
    /// A host and its routes.
    VirtualHost = 2,
    /// How a set of endpoints is used.
    Pool = 3,
    /// One address of a pool.
    Endpoint = 4,
    /// A certificate with its key.
    Certificate = 5,
    /// What authorisation compares with.
    Credentials = 6,
}

impl ResourceType {
    /// All types, by number.
    pub const ALL: [Self; 6] = [
        Self::Settings,
        Self::VirtualHost,
        Self::Pool,
        Self::Endpoint,
        Self::Certificate,
        Self::Credentials,
    ];

    /// The number in hashes and on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type of a number, or `None` for one that this build does not know.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| u32::from(known.number()) == number)
    }

    /// The name in faults, JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::VirtualHost => "VirtualHost",
            Self::Pool => "Pool",
            Self::Endpoint => "Endpoint",
            Self::Certificate => "Certificate",
            Self::Credentials => "Credentials",
        }
    }
}

/// Type and name of a record. Ordered by type, then name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The type.
    pub kind: ResourceType,
    /// The name within the type.
    pub name: Arc<str>,
}

impl RecordKey {
    /// A key.
    pub fn new(kind: ResourceType, name: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }

    /// The bucket that holds this key: the first ten bits of the key's hash.
    pub fn bucket(&self) -> usize {
        let digest = Digest::of_fields(&[&[self.kind.number()], self.name.as_bytes()]);
        let bytes = digest.as_bytes();
        (usize::from(bytes[0]) << 2 | usize::from(bytes[1]) >> 6) % BUCKETS
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind.name(), self.name)
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
