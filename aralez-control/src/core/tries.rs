//! Which node of a group may try a suspect content once more: one at a time, so that what ended some proxies cannot end all of them at once.
//!
//! A try is over when the node has run the content for [`SETTLED`]: then the next node may. A node that lost its stream meanwhile may have died
//! of it; if it does not come back with the content running, the others wait for [`PAUSE`]. The proxy itself refuses what ended it on its try, so
//! each node tries a content once. Pure; the time is passed in, and nothing has to be called for time to pass.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::model::{GroupName, NodeName};

#[cfg(test)]
mod tests;

/// A node that has had the content for this long did not die of it: 60 s of trial, and time to receive it.
pub const SETTLED: Duration = Duration::from_secs(120);
/// How long nobody of the group tries after a try that failed.
pub const PAUSE: Duration = Duration::from_secs(30 * 60);

/// The tries of all groups; one content of each.
#[derive(Debug, Default)]
pub struct Tries(BTreeMap<GroupName, Try>);

#[derive(Debug)]
struct Try {
    root: Digest,
    state: State,
}

#[derive(Debug)]
enum State {
    /// This node has been given the content.
    Trying { node: NodeName, since: Instant },
    /// Its stream ended before the try was over.
    Lost { node: NodeName, at: Instant },
    /// The try failed.
    Failed { at: Instant },
}

impl Tries {
    /// Whether this node may try this content now. If so, it is the one that tries.
    pub fn claim(
        &mut self,
        group: &GroupName,
        root: Digest,
        node: &NodeName,
        now: Instant,
    ) -> bool {
        let current = self.0.get(group).filter(|current| current.root == root);
        let free = current.is_none_or(|current| match &current.state {
            State::Trying { node: other, since } => other == node || now >= *since + SETTLED,
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

    /// The stream of a node ended.
    pub fn left(&mut self, group: &GroupName, node: &NodeName, now: Instant) {
        let Some(current) = self.0.get_mut(group) else {
            return;
        };
        match &current.state {
            State::Trying {
                node: trying,
                since,
            } if trying == node && now < *since + SETTLED => {
                current.state = State::Lost {
                    node: node.clone(),
                    at: now,
                };
            }
            _ => {}
        }
    }

    /// A node is there again, and runs this content.
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
