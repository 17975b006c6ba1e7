//! `nodes`, `node retry` and `node forget`: the nodes and the versions they run.

use aralez_proto::model::NodeName;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::answer::{Fault, TurnedAway, Version, short};
use crate::args::Format;
use crate::client::Client;
use crate::exit::Failure;
use crate::{output, table};

/// `GET /v1/nodes`
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Nodes {
    head: Version,
    nodes: Vec<Node>,
    turned_away: Vec<TurnedAway>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Node {
    node: String,
    group: String,
    proxy_version: String,
    connected: bool,
    state: String,
    running: Option<Version>,
    origin: String,
    refused: Option<Refused>,
    troubles: Vec<String>,
    last_seen_ms: u64,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Refused {
    root: Option<String>,
    authored_root: Option<String>,
    faults: Vec<Fault>,
}

/// Runs `nodes`.
pub(crate) async fn run(client: &Client, format: Format) -> Result<(), Failure> {
    let body = client.get("/v1/nodes").await?;
    let nodes = Nodes::deserialize(&body)
        .map_err(|error| Failure::refused(format!("cannot parse control's answer: {error}")))?;
    output::print(format, &body, &rendered(&nodes))
}

/// Runs `node retry`.
pub(crate) async fn retry(client: &Client, node: &NodeName, format: Format) -> Result<(), Failure> {
    let path = format!("/v1/nodes/{node}/retry");
    let answer = client.ask(Method::POST, &path, &[], Vec::new()).await?;
    answer.good()?;
    output::print(
        format,
        &json!({"version": 1, "node": node.to_string(), "retried": true}),
        &format!("the refused content is sent to {node} again"),
    )
}

/// Runs `node forget`.
pub(crate) async fn forget(
    client: &Client,
    node: &NodeName,
    format: Format,
) -> Result<(), Failure> {
    let path = format!("/v1/nodes/{node}/forget");
    let answer = client.ask(Method::POST, &path, &[], Vec::new()).await?;
    answer.good()?;
    output::print(
        format,
        &json!({"version": 1, "node": node.to_string(), "forgotten": true}),
        &format!("{node} is no longer listed"),
    )
}

fn rendered(nodes: &Nodes) -> String {
    let head = &nodes.head;
    let mut text = format!(
        "head: revision {}, root {}\n",
        head.revision,
        short(&head.root)
    );
    if nodes.nodes.is_empty() {
        text.push_str("no node has been seen\n");
        text.extend(nodes.turned_away.iter().map(TurnedAway::line));
        return text;
    }
    let rows: Vec<_> = nodes.nodes.iter().map(row).collect();
    let head = [
        "NODE", "GROUP", "STATE", "STREAM", "SEEN", "REVISION", "ROOT", "ORIGIN", "PROXY",
    ];
    text.push_str(&table::render(head, &rows));
    text.extend(nodes.nodes.iter().flat_map(remarks));
    text.extend(nodes.turned_away.iter().map(TurnedAway::line));
    text
}

fn row(node: &Node) -> [String; 9] {
    let running = node.running.as_ref();
    [
        node.node.clone(),
        node.group.clone(),
        node.state.clone(),
        if node.connected { "open" } else { "closed" }.to_owned(),
        ago(node.last_seen_ms),
        running.map_or_else(|| "-".to_owned(), |version| version.revision.to_string()),
        running.map_or_else(|| "-".to_owned(), |version| short(&version.root)),
        node.origin.clone(),
        node.proxy_version.clone(),
    ]
}

/// Formats an age in the largest useful unit.
fn ago(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds}s ago"),
        seconds @ 120..=7_199 => format!("{}m ago", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{}h ago", seconds / 3_600),
        seconds => format!("{}d ago", seconds / 86_400),
    }
}

/// Returns the remarks on a node that its row does not show, one a line.
fn remarks(node: &Node) -> Vec<String> {
    let name = &node.node;
    let mut lines = Vec::new();
    if node.state == "duplicate" {
        lines.push(format!(
            "{name}: another running proxy has this name and is turned away; set a unique node_id for each\n"
        ));
    }
    if let Some(refused) = &node.refused {
        let what = match (&refused.authored_root, &refused.root) {
            (Some(root), _) => format!("authored root {}", short(root)),
            (None, root) => format!("root {}", short(root.as_deref().unwrap_or("?"))),
        };
        let faults = refused.faults.iter();
        lines.extend(faults.map(|fault| format!("{name} refuses {what}: {}\n", fault.line())));
    }
    lines.extend(
        node.troubles
            .iter()
            .map(|trouble| format!("{name}: {trouble}\n")),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_what_runs_and_every_refusal() {
        let nodes = serde_json::from_value(serde_json::json!({
        "version": 1, "head": {"generation": 1, "revision": 7, "root": "aaaaaaaaaa"},
        "nodes": [
            {"node": "a", "group": "default", "proxy_version": "0.10.0", "connected": true, "state": "refusing",
             "running": {"generation": 1, "revision": 6, "root": "bbbbbbbbbb"}, "origin": "cache",
             "refused": {"root": "aaaaaaaaaa", "faults": [{"resource": "Pool \"p\"", "field": "f", "reason": "no"}]},
             "troubles": ["a cache file was set aside"]},
            {"node": "bb", "group": "edge", "proxy_version": "0.10.0", "connected": false, "state": "lost",
             "running": null, "origin": "none", "refused": null, "troubles": [], "last_seen_ms": 10_800_000},
        ]}));
        let expected = "head: revision 7, root aaaaaaaa\n\
            NODE  GROUP    STATE     STREAM  SEEN    REVISION  ROOT      ORIGIN  PROXY\n\
            a     default  refusing  open    0s ago  6         bbbbbbbb  cache   0.10.0\n\
            bb    edge     lost      closed  3h ago  -         -         none    0.10.0\n\
            a refuses root aaaaaaaa: Pool \"p\" f: no\na: a cache file was set aside\n";
        assert_eq!(rendered(&nodes.unwrap()), expected);
    }

    #[test]
    fn a_node_that_was_turned_away_is_named_with_its_reason() {
        let nodes = serde_json::from_value(serde_json::json!({"nodes": [], "turned_away": [
            {"node": "n9", "state": "foreign", "reason": "this control belongs to another cluster", "since_ms": 61_000}]}));
        let text = rendered(&nodes.unwrap());
        assert!(
            text.ends_with("n9 was turned away (foreign, first 61 s ago): this control belongs to another cluster\n"),
            "{text}"
        );
    }

    #[test]
    fn a_fleet_without_nodes_says_so() {
        let text = rendered(&Nodes::default());
        assert!(text.contains("no node has been seen"), "{text}");
    }
}
