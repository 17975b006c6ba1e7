//! A configuration to look at: documents as routes, with the places where everything was written.
//!
//! The documents are files, or come from control: those of the newest revision, or of the revision that a node runs.

use std::sync::Arc;

use aralez_decision::table::RouteTable;
use aralez_proto::document::{Authored, AuthoredHost, DocumentSet, Surroundings, records};
use aralez_proto::model::{GroupName, HostPattern};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use serde::Serialize;

use crate::args::{DocumentsFrom, Global};
use crate::client::Client;
use crate::exit::Failure;
use crate::validate::Documents;

mod passwords;
mod places;
mod revision;

use passwords::QuickHashes;
pub(crate) use places::{Place, Scopes, Setting, Written};

/// Documents, compiled as the proxies of one group compile them.
pub(crate) struct Configuration {
    /// The documents as read.
    pub(crate) authored: Authored,
    /// The records of the group.
    pub(crate) snapshot: Snapshot,
    /// The routes.
    pub(crate) table: RouteTable,
    /// Where the documents come from.
    pub(crate) origin: DocumentsOrigin,
    /// The group whose hosts are regarded.
    pub(crate) group: GroupName,
    /// The names of documents, as the operator knows them.
    shown: Shown,
}

/// Where documents come from.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
#[serde(tag = "from", rename_all = "lowercase")]
pub(crate) enum DocumentsOrigin {
    /// Files on this machine.
    Files {
        /// Their names.
        files: Vec<String>,
    },
    /// The newest revision of control.
    Control {
        /// The generation of the history.
        generation: u64,
        /// The revision.
        revision: u64,
    },
    /// The revision that a node runs.
    Node {
        /// The node.
        node: String,
        /// The generation of the history.
        generation: u64,
        /// The revision.
        revision: u64,
        /// The newest revision.
        head: u64,
    },
}

/// The names of documents.
enum Shown {
    /// Paths of files.
    Paths(Documents),
    /// The names that control knows.
    Names,
}

impl Configuration {
    /// Reads the documents that the arguments name.
    ///
    /// # Errors
    /// If they have faults, or control does not show them.
    pub(crate) async fn load(global: &Global, from: &DocumentsFrom) -> Result<Self, Failure> {
        if from.files.is_empty() {
            let client = Client::of(global)?;
            return match &from.node {
                Some(node) => revision::of_node(&client, node).await,
                None => revision::of_head(&client, &from.group).await,
            };
        }
        let documents = Documents::together(&from.files).map_err(Failure::refused)?;
        let authored = documents.authored(&surroundings());
        let authored = authored.map_err(|faults| Failure::refused(faults.to_string()))?;
        let names = documents.set.documents().keys();
        let files = names.map(|name| documents.shown(name)).collect();
        let origin = DocumentsOrigin::Files { files };
        Self::of(
            authored,
            origin,
            from.group.clone(),
            Shown::Paths(documents),
        )
    }

    fn of(
        authored: Authored,
        origin: DocumentsOrigin,
        group: GroupName,
        shown: Shown,
    ) -> Result<Self, Failure> {
        let records = records(&authored, Some(&group));
        let snapshot = Snapshot::complete(Version::default(), records, &Limits::default());
        let snapshot = snapshot.map_err(|faults| {
            let lines: Vec<String> = faults.as_slice().iter().map(ToString::to_string).collect();
            Failure::refused(lines.join("\n"))
        })?;
        Ok(Self {
            table: RouteTable::build(&snapshot),
            authored,
            snapshot,
            origin,
            group,
            shown,
        })
    }

    /// Returns the name of a document, as the operator knows it.
    fn shown(&self, document: &str) -> String {
        match &self.shown {
            Shown::Paths(documents) => documents.shown(document),
            Shown::Names => document.to_owned(),
        }
    }

    /// Returns a host of the documents.
    pub(crate) fn host(&self, pattern: &HostPattern) -> Option<&AuthoredHost> {
        let hosts = &self.authored.hosts;
        hosts.iter().find(|host| host.host.pattern == *pattern)
    }

    /// Returns a place in the main document.
    fn place_in_main(&self, position: (u32, u32)) -> Place {
        Place::new(self.shown(DocumentSet::MAIN), position)
    }

    /// Returns a place in the document of a host.
    pub(crate) fn place_in(&self, host: &AuthoredHost, position: (u32, u32)) -> Place {
        Place::new(self.shown(&host.document), position)
    }
}

/// Returns what the reader of documents needs to verify credentials of requests.
fn surroundings() -> Surroundings {
    Surroundings {
        passwords: Arc::new(QuickHashes),
        ..Surroundings::default()
    }
}
