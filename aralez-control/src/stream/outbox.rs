//! The queue of messages for one stream. Queued updates share their encoded parts, so a slow node costs a pointer and not a copy.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, RecordSet};
use aralez_proto::wire::control as wire;
use aralez_proto::wire::part::Items;

use crate::core::session::{Base, MAX_PART_BYTES, Update, split};

use super::message;

/// Number of encoded deltas kept for other nodes that need the same one.
const KEPT: usize = 4;

/// A delta in parts, encoded once for all nodes that need it.
#[derive(Debug, Default)]
pub struct EncodedUpdate {
    parts: Vec<Items>,
    bytes: u64,
}

impl EncodedUpdate {
    fn of(delta: &[Change]) -> Self {
        let payload = |change: &Change| match change {
            Change::Put(record) => record.payload.len() as u64,
            Change::Delete(_) => 0,
        };
        Self {
            parts: split(delta, MAX_PART_BYTES)
                .into_iter()
                .map(|range| encoded(&delta[range]))
                .collect(),
            bytes: delta.iter().map(payload).sum(),
        }
    }
}

fn encoded(changes: &[Change]) -> Items {
    let items: Vec<wire::Item> = changes.iter().map(wire::Item::from).collect();
    Items::encoded(&items)
}

type CacheKey = (Option<Digest>, Digest);

/// The most recent encoded deltas. Nodes that move in step share each one.
#[derive(Debug, Default)]
pub struct PartsCache {
    kept: Mutex<VecDeque<(CacheKey, Arc<EncodedUpdate>)>>,
}

impl PartsCache {
    /// Returns the parts of an update, encoding them if they are not cached.
    pub fn parts(&self, update: &Update) -> Arc<EncodedUpdate> {
        let from = update.from.version().map(|from| from.root);
        let key = (from, update.to.version().root);
        if from == Some(key.1) {
            return Arc::default();
        }
        let found = |kept: &VecDeque<(CacheKey, Arc<EncodedUpdate>)>| {
            let entry = kept.iter().find(|(known, _)| *known == key)?;
            Some(Arc::clone(&entry.1))
        };
        if let Some(parts) = found(&self.kept.lock()) {
            return parts;
        }
        // Outside the lock: two streams may encode the same delta, but no stream waits for another.
        let target = update.to.records();
        let parts = Arc::new(match &update.from {
            Base::Snapshot(from) => EncodedUpdate::of(&from.records().delta_to(target)),
            Base::Reported(_, delta) => EncodedUpdate::of(delta),
            Base::Nothing => EncodedUpdate::of(&RecordSet::default().delta_to(target)),
        });
        let mut kept = self.kept.lock();
        kept.push_back((key, Arc::clone(&parts)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        parts
    }
}

#[derive(Debug)]
enum Waiting {
    Message(Box<wire::ControlMessage>),
    Update {
        id: u64,
        parts: Arc<EncodedUpdate>,
        next: usize,
    },
}

/// Messages in the order in which they are sent.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Waiting>,
}

impl Outbox {
    /// Reports whether no message is queued.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the number of queued messages. The parts of an update count as one, in addition to its announcement.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Reports whether the next message is a part of an update or its end.
    pub fn is_sending_update(&self) -> bool {
        matches!(self.waiting.front(), Some(Waiting::Update { .. }))
    }

    /// Queues a message.
    pub fn push(&mut self, message: wire::ControlMessage) {
        self.waiting.push_back(Waiting::Message(Box::new(message)));
    }

    /// Queues a heartbeat. It replaces a heartbeat at the end of the queue, so that a slow reader does not accumulate them: only the latest
    /// expected version matters.
    pub fn push_heartbeat(&mut self, heartbeat: wire::ControlMessage) {
        if let Some(Waiting::Message(last)) = self.waiting.back_mut()
            && matches!(last.kind, Some(wire::control_message::Kind::Heartbeat(_)))
        {
            **last = heartbeat;
        } else {
            self.push(heartbeat);
        }
    }

    /// Queues an update.
    pub fn push_update(&mut self, update: &Update, parts: Arc<EncodedUpdate>) {
        let from = update.from.version();
        let to = update.to.version();
        self.push(message::begin(
            update.id,
            from,
            to,
            parts.parts.len(),
            parts.bytes,
        ));
        self.waiting.push_back(Waiting::Update {
            id: update.id,
            parts,
            next: 0,
        });
    }

    /// Takes the next message. Parts of an update are built only here.
    pub fn pop(&mut self) -> Option<wire::ControlMessage> {
        let (id, parts, next) = match self.waiting.pop_front()? {
            Waiting::Message(message) => return Some(*message),
            Waiting::Update { id, parts, next } => (id, parts, next),
        };
        let Some(items) = parts.parts.get(next) else {
            return Some(message::commit(id));
        };
        let part = message::part(id, items.clone());
        self.waiting.push_front(Waiting::Update {
            id,
            parts,
            next: next + 1,
        });
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_for_a_node_that_does_not_read_make_no_heap() {
        let mut outbox = Outbox::default();
        outbox.push(message::ask_digest(1));
        for count in 0..1_000 {
            outbox.push_heartbeat(message::heartbeat(None, count));
        }
        assert_eq!(outbox.len(), 2);
        assert_eq!(outbox.pop(), Some(message::ask_digest(1)));
        assert_eq!(outbox.pop(), Some(message::heartbeat(None, 999)));
    }
}
