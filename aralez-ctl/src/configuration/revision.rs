//! Documents from control.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::document::{self, DocumentSet, NamedFiles};
use aralez_proto::model::{GroupName, NodeName, RelativePath};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use super::{Configuration, DocumentsOrigin, Shown, surroundings};
use crate::client::Client;
use crate::exit::Failure;

/// `GET /v1/revisions/REVISION`
#[derive(Deserialize)]
struct Revision {
    generation: u64,
    revision: u64,
    #[serde(default)]
    authored_roots: Option<AuthoredRoots>,
    documents: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct AuthoredRoots {
    default: String,
    groups: BTreeMap<String, String>,
}

/// `GET /v1/nodes`
#[derive(Deserialize)]
struct Nodes {
    head: Running,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    node: String,
    group: String,
    running: Option<Running>,
}

#[derive(Deserialize)]
struct Running {
    generation: u64,
    revision: u64,
    authored_root: String,
}

/// Returns the configuration of the newest revision.
pub(super) async fn of_head(client: &Client, group: &GroupName) -> Result<Configuration, Failure> {
    let revision = fetched(client, "head").await?;
    let origin = DocumentsOrigin::Control {
        generation: revision.generation,
        revision: revision.revision,
    };
    revision.configuration(origin, group.clone())
}

/// Returns the configuration that a node runs.
pub(super) async fn of_node(client: &Client, node: &NodeName) -> Result<Configuration, Failure> {
    let nodes: Nodes = parsed(client.get("/v1/nodes").await?)?;
    let found = nodes
        .nodes
        .into_iter()
        .find(|one| one.node == node.as_str());
    let found = found
        .ok_or_else(|| Failure::refused(format!("no node is named {node}; `nodes` lists them")))?;
    let running = found.running.filter(|running| running.revision > 0);
    let running = running.ok_or_else(|| {
        Failure::refused(format!("{node} runs no revision, as far as control knows"))
    })?;
    let group = found.group.parse::<GroupName>();
    let group =
        group.map_err(|error| Failure::refused(format!("cannot use control's answer: {error}")))?;
    let revision = fetched(client, &running.revision.to_string()).await?;
    if !revision.is_run_as(&running, &group) {
        let (generation, number) = (running.generation, running.revision);
        return Err(Failure::refused(format!(
            "{node} runs revision {number} of generation {generation} with other content than control has: its documents are not known"
        )));
    }
    let origin = DocumentsOrigin::Node {
        node: node.to_string(),
        generation: running.generation,
        revision: running.revision,
        head: nodes.head.revision,
    };
    revision.configuration(origin, group)
}

async fn fetched(client: &Client, revision: &str) -> Result<Revision, Failure> {
    parsed(client.get(&format!("/v1/revisions/{revision}")).await?)
}

fn parsed<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T, Failure> {
    // The reason could quote a document.
    serde_json::from_value(body).map_err(|_| Failure::refused("cannot parse control's answer"))
}

impl Revision {
    /// Reports whether a node of this group runs these documents.
    fn is_run_as(&self, running: &Running, group: &GroupName) -> bool {
        // Older releases do not keep the roots of revisions.
        let same = self.authored_roots.as_ref().is_none_or(|roots| {
            let root = roots.groups.get(group.as_str()).unwrap_or(&roots.default);
            *root == running.authored_root
        });
        same && self.generation == running.generation
    }

    fn configuration(
        self,
        origin: DocumentsOrigin,
        group: GroupName,
    ) -> Result<Configuration, Failure> {
        let unreadable = || Failure::refused("cannot parse the files of control's answer");
        let mut files: BTreeMap<RelativePath, Bytes> = BTreeMap::new();
        for (path, content) in &self.files {
            let path = path.parse().map_err(|_| unreadable())?;
            let content = STANDARD.decode(content).map_err(|_| unreadable())?;
            files.insert(path, content.into());
        }
        let documents = self.documents.into_iter();
        let set: DocumentSet = documents.map(|(name, text)| (name, text.into())).collect();
        let named = document::named_files(&set);
        let files = NamedFiles::collect(&named, |path| {
            let missing = || Arc::from("is not among the files of the revision");
            files.get(path).cloned().ok_or_else(missing)
        });
        let authored = document::read(&set.with_files(files), &surroundings());
        let authored = authored.map_err(|faults| {
            let reason = "this aralez-ctl does not accept the documents of control; is it of another release?";
            Failure::refused(format!("{reason}\n{faults}"))
        })?;
        Configuration::of(authored, origin, group, Shown::Names)
    }
}
