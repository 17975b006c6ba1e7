//! `/v1/nodes` and `/v1/status` as tests read them: the one place that knows the shape of these answers.

use serde_json::Value;

/// One node as control tells it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether its stream is open.
    pub connected: bool,
    /// The revision it runs.
    pub running: Option<u64>,
    /// Why it refused what it was sent last; empty where it did not.
    pub faults: Vec<Value>,
    /// What it says is wrong with it.
    pub troubles: Vec<String>,
    /// The whole record.
    pub all: Value,
}

/// The nodes of an answer of `/v1/nodes`.
pub(super) fn read(answer: &Value) -> Result<Vec<Node>, String> {
    let nodes = answer["nodes"].as_array();
    let nodes = nodes.ok_or_else(|| format!("no nodes in {answer}"))?;
    Ok(nodes.iter().map(node).collect())
}

/// The revision at the head, from an answer of `/v1/status`.
pub(super) fn head_revision(status: &Value) -> Option<u64> {
    status["revision"].as_u64()
}

/// What is wrong with the documents and what is worth saying of them, each `file:line:column: path: reason`.
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
