//! Progress of a push, and what it means for the command that waits. Pure.

use std::time::Duration;

use serde::Deserialize;

use crate::answer::{Fault, TurnedAway, Version};
use crate::exit::{Exit, Failure};

/// `GET /v1/pushes/REVISION`
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(super) struct Progress {
    pub(super) outcome: Outcome,
    pub(super) awaited: Awaited,
    pub(super) nodes: Vec<NodeProgress>,
    pub(super) turned_away: Vec<TurnedAway>,
}

/// The nodes that control's outcome waits for.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum Awaited {
    /// Nodes that were connected at the commit or joined meanwhile.
    #[default]
    Present,
    /// All nodes that control knows.
    All,
}

/// Control's verdict on the push.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Not known yet.
    #[default]
    Pending,
    /// Every awaited node runs it.
    Proven,
    /// A node refused it.
    Refused,
    /// It cannot be proven: there is no node, or one was lost.
    Unproven,
}

/// One node.
#[derive(Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub(super) struct NodeProgress {
    pub(super) node: String,
    pub(super) state: State,
    pub(super) running: Option<Version>,
    pub(super) faults: Vec<Fault>,
}

/// State of a node with regard to the push.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// No answer yet, or the update is not sent yet.
    #[default]
    Pending,
    /// Runs it.
    Applied,
    /// Runs a later revision.
    Superseded,
    /// Another running proxy has its name, so its reports prove nothing.
    Duplicate,
    /// Refused it.
    Refused,
    /// Its stream closed meanwhile.
    Lost,
    /// It was away before the push, or ran it and left. Listed, but awaited only with `--all`.
    Away,
}

impl State {
    /// Reports whether the node runs the revision or a later one.
    const fn is_proof(self) -> bool {
        matches!(self, Self::Applied | Self::Superseded)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Away => "away",
        }
    }
}

/// The next step of the command that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    /// Ask again.
    Wait,
    /// Every awaited node runs it.
    Proven,
    /// A node refused it.
    Refused,
    /// Not proven in time.
    Unproven,
}

impl Progress {
    /// Merges this answer with the previous one. An awaited node that is gone is still awaited, even if control restarted and has forgotten
    /// it.
    pub(super) fn after(mut self, before: &Self) -> Self {
        for node in before.nodes.iter().filter(|node| node.state != State::Away) {
            let now = self.nodes.iter().position(|now| now.node == node.node);
            let now = now.map(|at| &mut self.nodes[at]);
            let gone = now.as_ref().is_none_or(|now| now.state == State::Away);
            if !gone {
                continue;
            }
            if self.outcome != Outcome::Refused {
                self.outcome = Outcome::Pending;
            }
            match now {
                Some(now) => now.state = State::Lost,
                None => self.nodes.push(NodeProgress {
                    state: State::Lost,
                    ..node.clone()
                }),
            }
        }
        self
    }

    /// Reports whether the exit code depends on the node.
    fn awaits(&self, node: &NodeProgress) -> bool {
        node.state != State::Away || self.awaited == Awaited::All
    }
}

/// Decides the next step. A refusal wins immediately; the timeout decides only what is still open.
pub(super) fn decide(progress: &Progress, late: bool) -> Decision {
    let any = |state| progress.nodes.iter().any(|node| node.state == state);
    if progress.outcome == Outcome::Refused || any(State::Refused) {
        return Decision::Refused;
    }
    match progress.outcome {
        Outcome::Proven if any(State::Applied) || any(State::Superseded) => Decision::Proven,
        // No node runs it, which proves nothing.
        Outcome::Proven | Outcome::Unproven => Decision::Unproven,
        Outcome::Pending | Outcome::Refused if late => Decision::Unproven,
        Outcome::Pending | Outcome::Refused => Decision::Wait,
    }
}

impl Decision {
    /// Returns the stable name used in JSON and YAML output.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Wait => "pending",
            Self::Proven => "proven",
            Self::Refused => "refused",
            Self::Unproven => "unproven",
        }
    }

    /// Returns the result of the command, with the details that an operator needs to act.
    pub(super) fn end(
        self,
        progress: &Progress,
        revision: u64,
        timeout: Duration,
    ) -> Result<(), Failure> {
        match self {
            Self::Proven => Ok(()),
            Self::Refused => {
                let words = refusals(progress, revision) + &turned_away(progress);
                Err(Failure::new(Exit::NodeRefused, words))
            }
            Self::Wait | Self::Unproven => {
                let words = missing(progress, revision, timeout);
                Err(Failure::new(Exit::Unproven, words))
            }
        }
    }
}

fn refusals(progress: &Progress, revision: u64) -> String {
    let refused = progress
        .nodes
        .iter()
        .filter(|node| node.state == State::Refused);
    let lines = refused.flat_map(|node| {
        let head = format!("node {} refuses revision {revision}", node.node);
        let none = node.faults.is_empty().then(|| head.clone());
        let faults = node.faults.iter();
        none.into_iter()
            .chain(faults.map(move |fault| format!("{head}: {}", fault.line())))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        return format!("a node refuses revision {revision}");
    }
    text
}

fn missing(progress: &Progress, revision: u64, timeout: Duration) -> String {
    let awaited = |node: &&NodeProgress| progress.awaits(node);
    if !progress.nodes.iter().any(|node| awaited(&node)) {
        return format!(
            "revision {revision} is committed, but no node is connected that could prove it{}{}",
            away(progress),
            turned_away(progress)
        );
    }
    let open: Vec<String> = progress
        .nodes
        .iter()
        .filter(awaited)
        .filter(|node| !node.state.is_proof())
        .map(state_words)
        .collect();
    format!(
        "revision {revision} is committed, but not proven within {timeout:?}: {}{}{}",
        open.join("; "),
        away(progress),
        turned_away(progress)
    )
}

fn state_words(node: &NodeProgress) -> String {
    let how = match node.state {
        State::Lost => "is lost",
        State::Away => "is away",
        State::Duplicate => "shares its name with another running proxy (node_id)",
        _ => "has not reported yet",
    };
    let runs = node.running.as_ref().map_or_else(String::new, |running| {
        format!(" (last seen with revision {})", running.revision)
    });
    format!("node {} {how}{runs}", node.node)
}

fn away(progress: &Progress) -> String {
    let names: Vec<&str> = progress
        .nodes
        .iter()
        .filter(|node| !progress.awaits(node))
        .map(|node| node.node.as_str())
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" (away since before the push: {})", names.join(", "))
}

/// Lists the nodes that control turned away, one a line.
fn turned_away(progress: &Progress) -> String {
    let lines = progress.turned_away.iter();
    lines
        .map(|node| format!("\n{}", node.line().trim_end()))
        .collect()
}

#[cfg(test)]
mod tests;
