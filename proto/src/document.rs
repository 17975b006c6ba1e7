//! Documents: the files `upstreams.yaml` and `conf.d/*.yaml`, read into the authored layer or refused with every fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::document::keys::{GlobalKeys, HostKeys};
use crate::document::route_keys::RouteKeys;
use crate::hash::Digest;
use crate::model::{
    Endpoint, Forbidden, GroupName, PasswordHasher, Pool, PoolName, Settings, UnhashedPasswords,
    VirtualHost,
};
use crate::reading::FromYaml;

mod actions;
mod hosts;
mod keys;
mod lower;
mod paths;
mod redirect;
mod route_keys;
mod server;
mod set;
mod sources;
mod values;

#[cfg(test)]
mod tests;

pub use crate::place::{DocumentFault, DocumentFaults, Place, Places};
pub use crate::yaml::MAX_BYTES;
pub use lower::records;

/// The text of the authored documents, by name: `upstreams.yaml`, `conf.d/NAME.yaml`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DocumentSet {
    documents: BTreeMap<String, Bytes>,
}

impl DocumentSet {
    /// The name of the main document.
    pub const MAIN: &str = "upstreams.yaml";

    /// Returns a set of only the main document, as a push carries it.
    pub fn of_main(text: Bytes) -> Self {
        Self::from_iter([(Self::MAIN.to_owned(), text)])
    }

    /// Returns the documents by name.
    pub const fn documents(&self) -> &BTreeMap<String, Bytes> {
        &self.documents
    }

    /// Returns the BLAKE3 digest of names and texts: equal sets have equal digests.
    pub fn content_hash(&self) -> Digest {
        let fields = self
            .documents
            .iter()
            .flat_map(|(name, text)| [name.as_bytes(), text]);
        Digest::of_fields(&fields.collect::<Vec<_>>())
    }
}

impl FromIterator<(String, Bytes)> for DocumentSet {
    fn from_iter<I: IntoIterator<Item = (String, Bytes)>>(documents: I) -> Self {
        Self {
            documents: documents.into_iter().collect(),
        }
    }
}

/// The context that the reader of documents needs.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Addresses that no route may use: the config API and the sockets of this control.
    pub forbidden: Forbidden,
    /// Hashes the plain passwords of documents.
    pub passwords: Arc<dyn PasswordHasher>,
}

impl Default for Surroundings {
    /// Returns what a reader needs that only checks documents: nothing is forbidden, and passwords are not hashed.
    fn default() -> Self {
        Self {
            forbidden: Forbidden::default(),
            passwords: Arc::new(UnhashedPasswords),
        }
    }
}

/// The authored layer: the contents of the documents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authored {
    /// The defaults.
    pub settings: Settings,
    /// Positions of the default rules in the main document.
    pub places: Places,
    /// The hosts, each pattern once, ascending by pattern.
    pub hosts: Vec<AuthoredHost>,
    /// Input that is accepted but probably a mistake, such as `redirect_to` together with `servers`.
    pub warnings: Vec<DocumentFault>,
}

/// A host with the pools of its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthoredHost {
    /// The groups that serve it; empty for all groups.
    pub groups: Vec<GroupName>,
    /// The host.
    pub host: VirtualHost,
    /// Positions of the host's own rules in the document.
    pub places: Places,
    /// Positions of the rules of its routes, in the order of the routes.
    pub route_places: Vec<Places>,
    /// The pools that its routes name.
    pub pools: Vec<AuthoredPool>,
    /// The name of the document that defines it.
    pub document: Arc<str>,
}

impl AuthoredHost {
    /// Reports whether the host is in a group's view. `None` stands for every group that no host names.
    pub fn serves(&self, group: Option<&GroupName>) -> bool {
        self.groups.is_empty() || group.is_some_and(|group| self.groups.contains(group))
    }
}

/// A pool whose endpoints are listed in a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthoredPool {
    /// Its name.
    pub name: PoolName,
    /// Its balancing rules.
    pub pool: Pool,
    /// Its endpoints, in the order written.
    pub endpoints: Vec<Endpoint>,
}

/// Reads a set of documents.
///
/// # Errors
/// All faults of all documents. A set with a fault is refused as a whole.
pub fn read(
    documents: &DocumentSet,
    surroundings: &Surroundings,
) -> Result<Authored, DocumentFaults> {
    set::read(documents, surroundings, &str::to_owned)
}

/// Like [`read`], for documents that users know under other names, such as paths: faults and warnings use the name that `shown` returns.
///
/// # Errors
/// Like [`read`].
pub fn read_as(
    documents: &DocumentSet,
    surroundings: &Surroundings,
    shown: &dyn Fn(&str) -> String,
) -> Result<Authored, DocumentFaults> {
    set::read(documents, surroundings, shown)
}

/// Returns the JSON Schema of the main document.
pub(crate) fn schema() -> serde_json::Value {
    let mut schema = GlobalKeys::schema();
    schema["additionalProperties"] = json!({ "$ref": "#/$defs/host" });
    // `x-` keys hold anchors. A host with such a name is still read as a host.
    schema["patternProperties"] = json!({ "^x-": {} });
    let mut host = HostKeys::schema();
    host["required"] = json!(["paths"]);
    schema["$defs"] = json!({ "host": host, "route": RouteKeys::schema() });
    schema
}
