//! `status`: what control stands at.

use serde::Deserialize;

use crate::answer::{Fault, short};
use crate::args::Format;
use crate::client::Client;
use crate::exit::Failure;
use crate::{output, table};

/// `GET /v1/status`
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Status {
    cluster: String,
    generation: u64,
    revision: u64,
    sequence: u64,
    root: String,
    documents: Documents,
    nodes: Counts,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Documents {
    source: String,
    hash: String,
    faults: Vec<DocumentFault>,
}

/// A fault as control keeps it: in its parts, or as the line it has become.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum DocumentFault {
    Line(String),
    Parts(Fault),
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Counts {
    connected: u64,
    current: u64,
    refusing: u64,
}

/// Runs the verb.
pub(crate) async fn run(client: &Client, format: Format) -> Result<(), Failure> {
    let body = client.get("/v1/status").await?;
    let status = Status::deserialize(&body)
        .map_err(|error| Failure::refused(format!("control's answer does not read: {error}")))?;
    output::print(format, &body, &rendered(&status))
}

fn rendered(status: &Status) -> String {
    let Documents {
        source,
        hash,
        faults,
    } = &status.documents;
    let good = match faults.len() {
        0 => "good".to_owned(),
        1 => "refused for 1 fault, what ran before runs on".to_owned(),
        count => format!("refused for {count} faults, what ran before runs on"),
    };
    let version = format!(
        "revision {}, generation {}",
        status.revision, status.generation
    );
    let nodes = &status.nodes;
    let mut text = table::pairs(&[
        ("cluster", status.cluster.clone()),
        (
            "version",
            format!("{version}, sequence {}", status.sequence),
        ),
        ("root", status.root.clone()),
        (
            "documents",
            format!("from {source}, hash {}, {good}", short(hash)),
        ),
        (
            "nodes",
            format!(
                "{} connected, {} current, {} refusing",
                nodes.connected, nodes.current, nodes.refusing
            ),
        ),
    ]);
    for fault in faults {
        let line = match fault {
            DocumentFault::Line(line) => line.clone(),
            DocumentFault::Parts(fault) => fault.line(),
        };
        text.push_str(&format!("  {line}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_shows_version_documents_with_their_faults_and_nodes() {
        let status = serde_json::from_value(serde_json::json!({
            "version": 1, "cluster": "c1", "generation": 1, "revision": 12, "sequence": 3, "root": "abcdef0123",
            "documents": {"source": "file", "hash": "0011223344", "since_ms": 1,
                "faults": [{"file": "upstreams.yaml", "line": 2, "column": 1, "path": "a", "reason": "x"}]},
            "nodes": {"connected": 2, "current": 1, "refusing": 0},
        }));
        let expected = "cluster    c1\nversion    revision 12, generation 1, sequence 3\nroot       abcdef0123\n\
            documents  from file, hash 00112233, refused for 1 fault, what ran before runs on\n\
            nodes      2 connected, 1 current, 0 refusing\n  upstreams.yaml:2:1: a: x\n";
        assert_eq!(rendered(&status.unwrap()), expected);
    }
}
