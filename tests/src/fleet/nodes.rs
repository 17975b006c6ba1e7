//! `/v1/nodes` and `/v1/status` as tests read them: the only place that depends on the shape of these answers.

use serde_json::Value;

/// One node, as control reports it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The node's stream is open.
    pub connected: bool,
    /// The revision that it runs.
    pub running: Option<u64>,
    /// The reasons of its last refusal; empty if it refused nothing.
    pub faults: Vec<Value>,
    /// The troubles that it reports.
    pub troubles: Vec<String>,
    /// The whole record.
    pub all: Value,
}

/// Returns the nodes in an answer of `/v1/nodes`.
pub(super) fn read(answer: &Value) -> Result<Vec<Node>, String> {
    let nodes = answer["nodes"].as_array();
    let nodes = nodes.ok_or_else(|| format!("no nodes in {answer}"))?;
    Ok(nodes.iter().map(node).collect())
}

/// Returns the revision of the head in an answer of `/v1/status`.
pub(super) fn head_revision(status: &Value) -> Option<u64> {
    status["revision"].as_u64()
}

/// Returns the faults and warnings of the documents, each as `file:line:column: path: reason`.
pub(super) fn document_faults(status: &Value) -> Vec<String> {
    let documents = &status["documents"];
    let lists = [&documents["faults"], &documents["warnings"]];
    let faults = lists.into_iter().filter_map(Value::as_array).flatten();
    faults.map(line).collect()
}

fn line(fault: &Value) -> String {
    let text = |field: &str| fault[field].as_str().unwrap_or_default().to_owned();
    let (file, path, reason) = (text("file"), text("path"), text("reason"));
    format!(
        "{file}:{}:{}: {path}: {reason}",
        fault["line"], fault["column"]
    )
}

fn node(record: &Value) -> Node {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Node {
        name: record["node"].as_str().unwrap_or_default().to_owned(),
        connected: record["connected"].as_bool().unwrap_or_default(),
        running: record["running"]["revision"].as_u64(),
        faults: list(&record["refused"]["faults"]),
        troubles: list(&record["troubles"])
            .iter()
            .filter_map(|trouble| trouble.as_str().map(str::to_owned))
            .collect(),
        all: record.clone(),
    }
}
