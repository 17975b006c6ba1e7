//! Documents: the files `upstreams.yaml` and `conf.d/*.yaml`, read into the authored layer or refused with every fault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::document::keys::{GlobalKeys, HostKeys};
use crate::document::route_keys::RouteKeys;
use crate::hash::Digest;
use crate::model::{
    Endpoint, Forbidden, GroupName, PasswordHasher, Pool, PoolName, RelativePath, Settings,
    TokenIssuer, UnhashedPasswords, VirtualHost,
};
use crate::reading::FromYaml;

mod dead_networks;
mod files;
mod hosts;
mod keys;
mod lower;
mod path_route;
mod path_routes;
mod paths;
mod pools;
mod redirect;
mod redirect_loops;
mod respond;
mod route_keys;
mod route_match;
mod server;
mod set;
mod sources;
mod values;

#[cfg(test)]
mod tests;

pub use crate::named_files::{FileRoom, FoundFile, MAX_FILE_BYTES, MAX_FILES_BYTES, NamedFiles};
pub use crate::place::{DocumentFault, DocumentFaults, Place, Places};
pub use crate::yaml::MAX_BYTES;
pub use lower::{records, records_of_all_groups};

/// The text of the authored documents, by name: `upstreams.yaml`, `conf.d/NAME.yaml`; and the files that they name.
///
/// Not printed beyond names and sizes: both may hold credentials.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DocumentSet {
    documents: BTreeMap<String, Bytes>,
    files: NamedFiles,
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

    /// Returns the files that the documents name, as far as they were looked for.
    pub const fn files(&self) -> &NamedFiles {
        &self.files
    }

    /// Returns these documents with other files.
    #[must_use]
    pub fn with_files(self, files: NamedFiles) -> Self {
        Self { files, ..self }
    }

    /// Returns the set without some documents. It keeps all files.
    #[must_use]
    pub fn without(&self, names: &[String]) -> Self {
        let mut set = self.clone();
        set.documents.retain(|name, _| !names.contains(name));
        set
    }

    /// Returns the BLAKE3 digest of names and contents of documents and files: equal sets have equal digests. A file that cannot be used
    /// does not count.
    pub fn content_hash(&self) -> Digest {
        let documents = self.documents.iter();
        let mut fields: Vec<&[u8]> = documents
            .flat_map(|(name, text)| [name.as_bytes(), text])
            .collect();
        let files = self.files.contents();
        let files: Vec<&[u8]> = files
            .flat_map(|(path, content)| [path.as_str().as_bytes(), content])
            .collect();
        if !files.is_empty() {
            // No document has an empty name, so a file is never taken for a document.
            fields.push(&[]);
            fields.extend(files);
        }
        Digest::of_fields(&fields)
    }
}

impl fmt::Debug for DocumentSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_struct("DocumentSet");
        for (name, text) in &self.documents {
            set.field(name, &format_args!("{} bytes", text.len()));
        }
        set.field("files", &self.files).finish()
    }
}

impl FromIterator<(String, Bytes)> for DocumentSet {
    fn from_iter<I: IntoIterator<Item = (String, Bytes)>>(documents: I) -> Self {
        Self {
            documents: documents.into_iter().collect(),
            files: NamedFiles::default(),
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
    /// The key of the tokens that this control issues, for `keys: aralez`.
    pub issuer: TokenIssuer,
}

impl Default for Surroundings {
    /// Returns what a reader needs that only checks documents: nothing is forbidden, passwords are not hashed, and the key of tokens is
    /// not known.
    fn default() -> Self {
        Self {
            forbidden: Forbidden::default(),
            passwords: Arc::new(UnhashedPasswords),
            issuer: TokenIssuer::Unknown,
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

/// The result of reading a set of documents.
#[derive(Clone, Debug)]
pub struct ReadDocuments {
    /// The authored layer, or all faults of all documents. A set with a fault is refused as a whole.
    pub authored: Result<Authored, DocumentFaults>,
    /// The files that the documents name, as far as the documents can be read. It does not depend on the files of the set.
    pub named: BTreeSet<RelativePath>,
}

impl ReadDocuments {
    /// Reports whether each named file was looked for. Otherwise there are faults that only say so, and the set must be read again with the
    /// files.
    pub fn is_complete(&self, files: &NamedFiles) -> bool {
        self.named.iter().all(|path| files.get(path).is_some())
    }
}

/// Reads a set of documents.
///
/// # Errors
/// All faults of all documents. A set with a fault is refused as a whole.
pub fn read(
    documents: &DocumentSet,
    surroundings: &Surroundings,
) -> Result<Authored, DocumentFaults> {
    read_as(documents, surroundings, &str::to_owned).authored
}

/// Reads a set of documents that users know under other names, such as paths: faults and warnings use the name that `shown` returns. Also
/// returns the files that the documents name.
pub fn read_as(
    documents: &DocumentSet,
    surroundings: &Surroundings,
    shown: &dyn Fn(&str) -> String,
) -> ReadDocuments {
    set::read(documents, surroundings, shown)
}

/// Returns the files that documents name. Reads the documents as [`read`] does, so that there is no second list of the keys that name files; faulty
/// documents name what can be found in them.
pub fn named_files(documents: &DocumentSet) -> BTreeSet<RelativePath> {
    read_as(documents, &Surroundings::default(), &str::to_owned).named
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
