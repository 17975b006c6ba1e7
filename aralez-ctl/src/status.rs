//! `status`: the state of control.

use serde::Deserialize;

use crate::answer::{Fault, Loss, TurnedAway, short};
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
    documents: DocumentsStatus,
    sources: Vec<Source>,
    nodes: Counts,
    turned_away: Vec<TurnedAway>,
    troubles: Vec<String>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct DocumentsStatus {
    source: String,
    hash: String,
    faults: Vec<DocumentFault>,
    warnings: Vec<DocumentFault>,
    held: Option<Held>,
}

/// A source of documents or endpoints.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Source {
    name: String,
    /// The error while it is failing; `None` otherwise.
    reason: Option<String>,
    since_ms: u64,
}

/// Held files.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Held {
    id: String,
    held_ms: u64,
    /// `None` if time does not release the hold.
    taken_in_ms: Option<u64>,
    removes: Vec<Loss>,
    gone: Vec<String>,
}

/// A fault as control keeps it: structured, or already formatted as a line.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum DocumentFault {
    Line(String),
    Parts(Fault),
}

impl DocumentFault {
    fn line(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Parts(fault) => fault.line(),
        }
    }
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Counts {
    connected: u64,
    current: u64,
    refusing: u64,
    duplicate: u64,
    lost: u64,
}

/// Runs the verb.
pub(crate) async fn run(client: &Client, format: Format) -> Result<(), Failure> {
    let body = client.get("/v1/status").await?;
    let status = Status::deserialize(&body)
        .map_err(|error| Failure::refused(format!("cannot parse control's answer: {error}")))?;
    output::print(format, &body, &rendered(&status))
}

fn rendered(status: &Status) -> String {
    let DocumentsStatus {
        source,
        hash,
        faults,
        warnings,
        held,
    } = &status.documents;
    let good = match faults.len() {
        0 => "good".to_owned(),
        1 => "refused with 1 fault, the previous content stays in use".to_owned(),
        count => format!("refused with {count} faults, the previous content stays in use"),
    };
    let version = format!(
        "revision {}, generation {}",
        status.revision, status.generation
    );
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
        ("nodes", counted(&status.nodes)),
    ]);
    for fault in faults {
        text.push_str(&format!("  {}\n", fault.line()));
    }
    for warning in warnings {
        text.push_str(&format!("  warning: {}\n", warning.line()));
    }
    held.iter().for_each(|held| text.push_str(&shown(held)));
    text.extend(status.sources.iter().filter_map(failing));
    text.push_str(&turned_away(&status.turned_away));
    let troubles = status.troubles.iter();
    text.extend(troubles.map(|trouble| format!("control: {trouble}\n")));
    text
}

/// Formats a failing source. The source `files` is skipped: its errors are among the faults of the documents.
fn failing(source: &Source) -> Option<String> {
    let reason = source
        .reason
        .as_deref()
        .filter(|_| source.name != "files")?;
    let seconds = source.since_ms / 1000;
    Some(format!(
        "source {} has been failing for {seconds} s, earlier findings stay in use: {reason}\n",
        source.name
    ))
}

fn counted(nodes: &Counts) -> String {
    let mut text = format!(
        "{} connected, {} current, {} refusing",
        nodes.connected, nodes.current, nodes.refusing
    );
    if nodes.duplicate > 0 {
        text.push_str(&format!(", {} duplicate", nodes.duplicate));
    }
    if nodes.lost > 0 {
        text.push_str(&format!(", {} lost", nodes.lost));
    }
    text
}

fn turned_away(nodes: &[TurnedAway]) -> String {
    let head = match nodes.len() {
        0 => return String::new(),
        1 => "1 node was turned away:\n".to_owned(),
        count => format!("{count} nodes were turned away:\n"),
    };
    let lines = nodes.iter().map(|node| format!("  {}", node.line()));
    head + &lines.collect::<String>()
}

fn shown(held: &Held) -> String {
    let since = held.held_ms / 1000;
    let release = format!("`aralez-ctl sources release {}`", held.id);
    let until = match held.taken_in_ms {
        Some(left) => format!(
            "they are committed in {} s unless they change; to commit them now, run {release}",
            left / 1000
        ),
        None => format!("to commit them, run {release}"),
    };
    let mut text = format!(
        "the files have been held for {since} s, the previous content stays in use; {until}\n"
    );
    for loss in &held.removes {
        text.push_str(&format!("  {}\n", loss.words()));
    }
    for name in &held.gone {
        text.push_str(&format!(
            "  {name} is gone; its last content stays in use\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_held_are_shown_with_what_they_remove_and_how_to_take_them() {
        let status = serde_json::from_value(serde_json::json!({"documents": {"held": {
            "id": "0123456789ab", "gone": ["conf.d/a.yaml"], "held_ms": 4200, "taken_in_ms": 25_800, "removes": [
                {"of": "hosts", "name": "", "before": 12, "removed": 8},
                {"of": "hosts", "name": "edge", "before": 11, "removed": 7},
                {"of": "pool", "name": "a/", "before": 4, "removed": 3}]}}}));
        let text = rendered(&status.unwrap());
        for part in [
            "for 4 s",
            "in 25 s",
            "`aralez-ctl sources release 0123456789ab`",
            "  conf.d/a.yaml is gone; its last content stays in use\n",
            "  removes 8 of 12 hosts\n",
            "  removes 7 of 11 hosts of group edge\n",
            "  removes 3 of 4 endpoints of pool a/\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_source_that_fails_is_told_with_its_reason_and_the_files_only_once() {
        let status = serde_json::json!({"sources": [
            {"name": "files", "health": "failing", "reason": "upstreams.yaml: a", "since_ms": 1},
            {"name": "services", "health": "failing", "reason": "no route to host", "since_ms": 4_200},
            {"name": "other", "health": "good", "reason": null, "since_ms": 4_200}]});
        let text = rendered(&serde_json::from_value(status).unwrap());
        let expected = "source services has been failing for 4 s, earlier findings stay in use: \
            no route to host\n";
        assert!(text.ends_with(expected), "{text}");
        assert_eq!(text.matches("source").count(), 1, "{text}");
    }

    #[test]
    fn nodes_that_were_turned_away_are_counted_and_named() {
        let node = |name| serde_json::json!({"node": name, "state": "ahead", "reason": "it holds 9.9", "since_ms": 5_000});
        let status = serde_json::json!({"turned_away": [node("a"), node("b")]});
        let text = rendered(&serde_json::from_value(status).unwrap());
        let expected = "2 nodes were turned away:\n\
            \x20 a was turned away (ahead, first 5 s ago): it holds 9.9\n\
            \x20 b was turned away (ahead, first 5 s ago): it holds 9.9\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn the_status_shows_version_documents_with_their_faults_and_nodes() {
        let status = serde_json::from_value(serde_json::json!({
            "version": 1, "cluster": "c1", "generation": 1, "revision": 12, "sequence": 3, "root": "abcdef0123",
            "documents": {"source": "file", "hash": "0011223344", "since_ms": 1,
                "faults": [{"file": "upstreams.yaml", "line": 2, "column": 1, "path": "a", "reason": "x"}]},
            "nodes": {"connected": 2, "current": 1, "refusing": 0},
        }));
        let expected = "cluster    c1\nversion    revision 12, generation 1, sequence 3\nroot       abcdef0123\n\
            documents  from file, hash 00112233, refused with 1 fault, the previous content stays in use\n\
            nodes      2 connected, 1 current, 0 refusing\n  upstreams.yaml:2:1: a: x\n";
        assert_eq!(rendered(&status.unwrap()), expected);
    }
}
