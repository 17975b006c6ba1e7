//! Record keys and resource types.

use std::fmt;
use std::sync::Arc;

use crate::hash::Digest;
use crate::model::{EndpointAddress, EndpointOwner, PoolName};

/// Number of buckets in each of the two trees. Part of the hash format.
pub(super) const BUCKETS_OF_TREE: usize = 1024;
/// Number of buckets in a set. The buckets of the two trees alternate, so either half of the array holds an equal share of both.
pub(super) const BUCKETS: usize = 2 * BUCKETS_OF_TREE;

/// The resource types. Their numbers are part of the hash and of the wire format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ResourceType {
    /// Defaults of a node group.
    Settings = 1,
    /// A host and its routes.
    VirtualHost = 2,
    /// Load balancing and other options of a set of endpoints.
    Pool = 3,
    /// An address of a pool, discovered by a source.
    Endpoint = 4,
    /// A certificate with its key.
    Certificate = 5,
    /// Data that requests are authorized against.
    Credentials = 6,
    /// An address of a pool, named by a document.
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

    /// Reports whether records of this type are derived from documents. All others are discovered or operational: they change without a
    /// revision, and a rollback leaves them alone (ARCHITECTURE, "Identity of state").
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

    /// Returns the endpoint type of this owner.
    pub const fn of_endpoints(owner: EndpointOwner) -> Self {
        match owner {
            EndpointOwner::Document => Self::StaticEndpoint,
            EndpointOwner::Source => Self::Endpoint,
        }
    }

    /// Returns the owner of endpoints of this type. `None` if it is not an endpoint type.
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

    /// Returns the types that share one limit with this one: endpoints are counted together, whichever owner names them.
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

    /// Returns the number used in hashes and on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the type of a number. `None` if this build does not know it.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| u32::from(known.number()) == number)
    }

    /// Returns the name used in faults, JSON and logs.
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

/// Type and name of a record, ordered by type, then name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The type.
    pub kind: ResourceType,
    /// The name within the type.
    pub name: Arc<str>,
}

impl RecordKey {
    /// Creates a key.
    pub fn new(kind: ResourceType, name: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }

    /// Returns the key of a pool's endpoint: the pool's name, one space, the address.
    pub fn of_endpoint(owner: EndpointOwner, pool: &PoolName, address: &EndpointAddress) -> Self {
        let kind = ResourceType::of_endpoints(owner);
        Self::new(kind, format!("{pool} {address}"))
    }

    /// Splits the key of an endpoint into the text of its pool and of its address. `None` if this is not an endpoint's key.
    pub fn endpoint(&self) -> Option<(&str, &str)> {
        self.kind.endpoint_owner()?;
        self.name.split_once(' ')
    }

    /// Returns the bucket of this key: the first ten bits of the key's hash select it within the tree of its type.
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
