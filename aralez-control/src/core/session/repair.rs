//! Repair: a node whose content control does not know is asked what it holds, so that only the difference is sent.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::record::{Held, Mark, RecordSet};
use aralez_proto::snapshot::SharedSnapshot;

use super::{Action, Base, Session};

/// Maximum number of differing buckets for a repair. Beyond it little is shared, and everything is sent.
const MOST_BUCKETS: usize = RecordSet::BUCKETS / 4;

/// A question to the node.
#[derive(Debug)]
pub(super) struct Question {
    id: u64,
    /// The snapshot that the node is to run afterwards.
    to: SharedSnapshot,
    /// The buckets that differ; `None` until the node has sent its marks.
    buckets: Option<Vec<usize>>,
    pub(super) since: Instant,
}

impl Session {
    /// Asks the node what it holds.
    pub(super) fn ask(&mut self, to: SharedSnapshot, now: Instant) -> Vec<Action> {
        self.questions += 1;
        let id = self.questions;
        self.question = Some(Question {
            id,
            to,
            buckets: None,
            since: now,
        });
        vec![Action::AskDigest { question: id }]
    }

    /// Handles the marks of the node's buckets.
    pub(super) fn digested(&mut self, id: u64, marks: &[Mark], now: Instant) -> Vec<Action> {
        self.last_heard = now;
        let asked = |question: &&mut Question| question.id == id && question.buckets.is_none();
        let Some(question) = self.question.as_mut().filter(asked) else {
            return Vec::new();
        };
        let differing = question.to.records().differing(marks);
        let Some(buckets) = differing.filter(|buckets| buckets.len() <= MOST_BUCKETS) else {
            return self.send_everything(now);
        };
        question.buckets = Some(buckets.clone());
        question.since = now;
        vec![Action::AskDetail {
            question: id,
            buckets,
        }]
    }

    /// Handles the contents of the differing buckets; `None` if the node has more than it sends.
    pub(super) fn detailed(
        &mut self,
        id: u64,
        held: Option<Vec<Held>>,
        now: Instant,
    ) -> Vec<Action> {
        self.last_heard = now;
        let asked = |question: &mut Question| question.id == id && question.buckets.is_some();
        let Some(question) = self.question.take_if(asked) else {
            return Vec::new();
        };
        let (Some(held), Some(running)) = (held, self.running) else {
            return self.send_everything(now);
        };
        let buckets = question.buckets.unwrap_or_default();
        let delta = question.to.records().repair(&buckets, held);
        self.send(Base::Reported(running, Arc::new(delta)), question.to, now)
    }

    /// Sends everything; this stream does not ask again.
    fn send_everything(&mut self, now: Instant) -> Vec<Action> {
        self.question = None;
        self.asks = false;
        self.advance(now)
    }
}
