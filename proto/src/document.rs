//! Documents: what a human wrote in `upstreams.yaml` and `conf.d/*.yaml`, read into the authored layer or refused with every fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::document::keys::{GlobalKeys, HostKeys};
use crate::document::route_keys::RouteKeys;
use crate::hash::Digest;
use crate::model::{Endpoint, Forbidden, GroupName, Pool, PoolName, Settings, VirtualHost};
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

/// The authored documents as written, by name: `upstreams.yaml`, `conf.d/NAME.yaml`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DocumentSet {
    documents: BTreeMap<String, Bytes>,
}

impl DocumentSet {
    /// The name of the main document.
    pub const MAIN: &str = "upstreams.yaml";

    /// A set of one main document: what a push carries.
    pub fn of_main(text: Bytes) -> Self {
        Self::from_iter([(Self::MAIN.to_owned(), text)])
    }

    /// The documents by name.
    pub const fn documents(&self) -> &BTreeMap<String, Bytes> {
        &self.documents
    }

    /// BLAKE3 over names and texts: equal sets have equal hashes.
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

/// What the reader of documents must know of its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Where no route may lead: config API and sockets of this control.
    pub forbidden: Forbidden,
}

/// The authored layer: what the documents say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authored {
    /// The defaults.
    pub settings: Settings,
    /// Where their rules stand in the main document.
    pub places: Places,
    /// The hosts, each pattern once, ascending by pattern.
    pub hosts: Vec<AuthoredHost>,
    /// What is accepted but worth saying: `redirect_to` with dummy `servers`, for one.
    pub warnings: Vec<DocumentFault>,
}

/// A host with the pools of its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthoredHost {
    /// The groups that serve it; empty: all.
    pub groups: Vec<GroupName>,
    /// The host.
    pub host: VirtualHost,
    /// Where its own rules stand in the document.
    pub places: Places,
    /// Where those of its routes stand, in the order of the routes.
    pub route_places: Vec<Places>,
    /// The pools that its routes name.
    pub pools: Vec<AuthoredPool>,
    /// The name of the document that has it.
    pub document: Arc<str>,
}

impl AuthoredHost {
    /// Whether it is part of a group's view; `None` stands for every group that no host names.
    pub fn serves(&self, group: Option<&GroupName>) -> bool {
        self.groups.is_empty() || group.is_some_and(|group| self.groups.contains(group))
    }
}

/// A pool whose endpoints stand in a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthoredPool {
    /// Its name.
    pub name: PoolName,
    /// How it is used.
    pub pool: Pool,
    /// Its endpoints, in the order written.
    pub endpoints: Vec<Endpoint>,
}

/// Reads a set of documents.
///
/// # Errors
/// Every fault of every document at once. Nothing is read from a set with a fault.
pub fn read(
    documents: &DocumentSet,
    surroundings: &Surroundings,
) -> Result<Authored, DocumentFaults> {
    set::read(documents, surroundings, &str::to_owned)
}

/// As [`read`], for documents that are known to their owner under other names, such as paths: faults and warnings call each document
/// as `shown` does.
///
/// # Errors
/// As [`read`].
pub fn read_as(
    documents: &DocumentSet,
    surroundings: &Surroundings,
    shown: &dyn Fn(&str) -> String,
) -> Result<Authored, DocumentFaults> {
    set::read(documents, surroundings, shown)
}

/// The JSON Schema of the main document.
pub(crate) fn schema() -> serde_json::Value {
    let mut schema = GlobalKeys::schema();
    schema["additionalProperties"] = json!({ "$ref": "#/$defs/host" });
    // A place for anchors; a host of such a name is one all the same.
    schema["patternProperties"] = json!({ "^x-": {} });
    let mut host = HostKeys::schema();
    host["required"] = json!(["paths"]);
    schema["$defs"] = json!({ "host": host, "route": RouteKeys::schema() });
    schema
}
