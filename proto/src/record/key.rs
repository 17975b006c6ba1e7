//! What a record is called.

use std::fmt;
use std::sync::Arc;

use crate::hash::Digest;
use crate::model::{EndpointAddress, EndpointOwner, PoolName};

/// How many buckets each of the two trees has: part of the hash format.
pub(super) const BUCKETS_OF_TREE: usize = 1024;
/// How many buckets a set has. Those of the two trees alternate, so that each half of them holds as much of either.
pub(super) const BUCKETS: usize = 2 * BUCKETS_OF_TREE;

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
    /// One address of a pool that a source found.
    Endpoint = 4,
    /// A certificate with its key.
    Certificate = 5,
    /// What authorization compares with.
    Credentials = 6,
    /// One address of a pool that a document names.
    StaticEndpoint = 7,
}

impl ResourceType {
    /// All types, by number.
    pub const ALL: [Self; 7] = [
        Self::Settings,
        Self::VirtualHost,
        Self::Pool,
        Self::Endpoint,
        Self::Certificate,
        Self::Credentials,
        Self::StaticEndpoint,
    ];

    /// Whether such records are lowered from documents. All others are discovered or operational: they come and go without a revision, and a
    /// rollback leaves them alone (ARCHITECTURE, "Identity of state").
    pub const fn is_authored(self) -> bool {
        match self {
            Self::Settings
            | Self::VirtualHost
            | Self::Pool
            | Self::StaticEndpoint
            | Self::Credentials => true,
            Self::Endpoint | Self::Certificate => false,
        }
    }

    /// The type of the endpoints that this owner names.
    pub const fn of_endpoints(owner: EndpointOwner) -> Self {
        match owner {
            EndpointOwner::Document => Self::StaticEndpoint,
            EndpointOwner::Source => Self::Endpoint,
        }
    }

    /// Who names endpoints of this type; `None` where it is no type of endpoints.
    pub const fn endpoint_owner(self) -> Option<EndpointOwner> {
        match self {
            Self::StaticEndpoint => Some(EndpointOwner::Document),
            Self::Endpoint => Some(EndpointOwner::Source),
            Self::Settings
            | Self::VirtualHost
            | Self::Pool
            | Self::Certificate
            | Self::Credentials => None,
        }
    }

    /// The types that one limit counts together with this one: endpoints count, whoever names them.
    pub const fn counted_together(self) -> &'static [Self] {
        match self {
            Self::StaticEndpoint | Self::Endpoint => &[Self::StaticEndpoint, Self::Endpoint],
            Self::Settings => &[Self::Settings],
            Self::VirtualHost => &[Self::VirtualHost],
            Self::Pool => &[Self::Pool],
            Self::Certificate => &[Self::Certificate],
            Self::Credentials => &[Self::Credentials],
        }
    }

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
            Self::StaticEndpoint => "StaticEndpoint",
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

    /// The key of an endpoint of a pool: the pool's name, one space, the address.
    pub fn of_endpoint(owner: EndpointOwner, pool: &PoolName, address: &EndpointAddress) -> Self {
        let kind = ResourceType::of_endpoints(owner);
        Self::new(kind, format!("{pool} {address}"))
    }

    /// The text of the pool and of the address in the key of an endpoint; `None` where it is none.
    pub fn endpoint(&self) -> Option<(&str, &str)> {
        self.kind.endpoint_owner()?;
        self.name.split_once(' ')
    }

    /// The bucket that holds this key: in the tree of its type, that of the first ten bits of the key's hash.
    pub fn bucket(&self) -> usize {
        let digest = Digest::of_fields(&[&[self.kind.number()], self.name.as_bytes()]);
        let bytes = digest.as_bytes();
        let of_tree = (usize::from(bytes[0]) << 2 | usize::from(bytes[1]) >> 6) % BUCKETS_OF_TREE;
        2 * of_tree + usize::from(!self.kind.is_authored())
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
