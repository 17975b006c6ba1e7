//! Selects the node of a group that may try a suspect content again: one at a time, so that a content that crashed some proxies cannot
//! crash all of them together.
//!
//! A try succeeds when the node has run the content for [`SURVIVED`]: then the next node may try. A node that lost its stream in the
//! meantime may have died of the content; unless it reconnects with the content running, the others wait for [`PAUSE`]. The proxy itself
//! refuses a content that killed it during its try, so each node tries a content once. Pure: the time is an argument, and no timer is
//! needed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::model::{GroupName, NodeName};

#[cfg(test)]
mod tests;

/// Time after which a node that was sent the content counts as having survived it: 60 s of trial, plus time to receive it.
pub const SURVIVED: Duration = Duration::from_secs(120);
/// Time without tries in the group after a failed one.
pub const PAUSE: Duration = Duration::from_secs(30 * 60);

/// The tries of all groups: at most one content per group.
#[derive(Debug, Default)]
pub struct Tries(BTreeMap<GroupName, Try>);

#[derive(Debug)]
struct Try {
    root: Digest,
    state: State,
}

#[derive(Debug)]
enum State {
    /// This node received the content.
    Trying { node: NodeName, since: Instant },
    /// The node's stream closed before the try was over.
    Lost { node: NodeName, at: Instant },
    /// The try failed.
    Failed { at: Instant },
}

impl Tries {
    /// Reports whether this node may try this content now. If so, it becomes the node that tries.
    pub fn claim(
        &mut self,
        group: &GroupName,
        root: Digest,
        node: &NodeName,
        now: Instant,
    ) -> bool {
        let current = self.0.get(group).filter(|current| current.root == root);
        let free = current.is_none_or(|current| match &current.state {
            State::Trying { node: other, since } => other == node || now >= *since + SURVIVED,
            State::Lost { at, .. } | State::Failed { at } => now >= *at + PAUSE,
        });
        if free {
            let state = State::Trying {
                node: node.clone(),
                since: now,
            };
            self.0.insert(group.clone(), Try { root, state });
        }
        free
    }

    /// Records that a node's stream closed.
    pub fn left(&mut self, group: &GroupName, node: &NodeName, now: Instant) {
        let Some(current) = self.0.get_mut(group) else {
            return;
        };
        match &current.state {
            State::Trying {
                node: trying,
                since,
            } if trying == node && now < *since + SURVIVED => {
                current.state = State::Lost {
                    node: node.clone(),
                    at: now,
                };
            }
            _ => {}
        }
    }

    /// Records that a node reconnected, and which content it runs.
    pub fn returned(
        &mut self,
        group: &GroupName,
        node: &NodeName,
        running: Option<Digest>,
        now: Instant,
    ) {
        let Some(current) = self.0.get_mut(group) else {
            return;
        };
        match &current.state {
            State::Lost { node: lost, .. } if lost == node => {
                current.state = if running == Some(current.root) {
                    State::Trying {
                        node: node.clone(),
                        since: now,
                    }
                } else {
                    State::Failed { at: now }
                };
            }
            _ => {}
        }
    }
}
