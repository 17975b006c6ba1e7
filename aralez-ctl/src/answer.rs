//! Control's answers under `/v1`: the parts that `aralez-ctl` shows to people. Programs get the answers unchanged.

use serde::Deserialize;

/// The version of a snapshot.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct Version {
    pub(crate) generation: u64,
    pub(crate) revision: u64,
    pub(crate) root: String,
}

/// One reason for a refusal, with its place in a document or in a resource.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) path: String,
    pub(crate) resource: Option<String>,
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl Fault {
    /// Formats the fault as `file:line:column: path: reason`, or as `resource field: reason`.
    pub(crate) fn line(&self) -> String {
        let place = if self.file.is_empty() {
            let resource = self.resource.as_deref().unwrap_or("snapshot");
            [resource, &self.field].join(" ").trim_end().to_owned()
        } else {
            self.document_place()
        };
        format!("{place}: {}", self.reason)
    }

    fn document_place(&self) -> String {
        let mut place = self.file.clone();
        if self.line > 0 {
            place.push_str(&format!(":{}:{}", self.line, self.column));
        }
        if !self.path.is_empty() {
            place.push_str(&format!(": {}", self.path));
        }
        place
    }
}

/// A node that control turned away.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct TurnedAway {
    pub(crate) node: String,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) since_ms: u64,
}

impl TurnedAway {
    /// Formats node, state, time since it was turned away and reason as one line.
    pub(crate) fn line(&self) -> String {
        let Self {
            node,
            state,
            reason,
            since_ms,
        } = self;
        let since = since_ms / 1000;
        format!("{node} was turned away ({state}, first {since} s ago): {reason}\n")
    }
}

/// `application/problem+json`.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) faults: Vec<Fault>,
    /// The current head, if an `--expect` did not match it.
    pub(crate) head: Option<Version>,
    /// The id that confirms the held change.
    pub(crate) held: Option<String>,
    /// Time until the id expires, in milliseconds.
    pub(crate) expires_in_ms: Option<u64>,
    /// Losses of the held change.
    pub(crate) removes: Vec<Loss>,
    /// Hosts of documents that the push lacks.
    pub(crate) drops: Vec<Dropped>,
    /// Documents whose files are gone.
    pub(crate) gone: Vec<String>,
}

/// A loss: most hosts, or most endpoints of a pool.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct Loss {
    of: String,
    name: String,
    before: u64,
    removed: u64,
}

impl Loss {
    /// Formats the loss: `removes 9 of 12 hosts`.
    pub(crate) fn words(&self) -> String {
        let Self {
            of,
            name,
            before,
            removed,
        } = self;
        let from = match (of.as_str(), name.as_str()) {
            ("pool", pool) => format!("endpoints of pool {pool}"),
            (_, "") => "hosts".to_owned(),
            (_, group) => format!("hosts of group {group}"),
        };
        format!("removes {removed} of {before} {from}")
    }
}

/// The hosts of a document that a push lacks.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(crate) struct Dropped {
    document: String,
    hosts: Vec<String>,
}

impl Dropped {
    /// Formats the hosts: `drops 2 hosts defined in conf.d/a.yaml: a.test, b.test`.
    pub(crate) fn words(&self) -> String {
        let named = self.hosts.len().min(3);
        let more = match self.hosts.len() - named {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let s = if self.hosts.len() == 1 { "" } else { "s" };
        format!(
            "drops {} host{s} defined in {}: {}{more}",
            self.hosts.len(),
            self.document,
            self.hosts[..named].join(", ")
        )
    }
}

/// Returns the first eight digits of a root or hash, enough to compare by eye; `-` for an empty text.
pub(crate) fn short(hex: &str) -> String {
    if hex.is_empty() {
        return "-".to_owned();
    }
    hex.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        serde_json::from_str::<Fault>(text).unwrap().line()
    }

    #[test]
    fn a_fault_shows_its_place_in_the_document_or_the_resource() {
        assert_eq!(
            fault(
                r#"{"file":"upstreams.yaml","line":3,"column":5,"path":"a.paths","reason":"no"}"#
            ),
            "upstreams.yaml:3:5: a.paths: no"
        );
        assert_eq!(
            fault(
                r#"{"resource":"VirtualHost \"x\"","field":"routes","code":"limit","reason":"too many"}"#
            ),
            "VirtualHost \"x\" routes: too many"
        );
        assert_eq!(
            fault(r#"{"resource":null,"reason":"too many"}"#),
            "snapshot: too many"
        );
    }
}
