//! Requests of a session to other parts of control: views of earlier revisions, derivations for nodes that refuse the newest view, the try
//! of a suspect content (each answered by a command), and refusals to record in the fleet.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::fault::Fault;
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;
use tracing::warn;

use crate::core::session::Derivation;

use super::super::command::Command;
use super::Stream;

impl Stream {
    /// Requests an earlier view. Rebuilding it may outlast this stream.
    pub(super) fn recall(&self, version: Version) {
        let (hub, group) = (Arc::clone(&self.hub), self.group.clone());
        let commands = self.commands.clone();
        tokio::spawn(async move {
            if let Some(view) = hub.parts.history.recall(group, version).await {
                let _ = commands.send(Command::Recalled(view));
            }
        });
    }

    /// Requests the derivation: the endpoints of the newest view on what the node runs.
    pub(super) fn derive(&self, needed: Derivation) {
        let hub = Arc::clone(&self.hub);
        let note = move |took| hub.parts.observer.derived(took);
        self.hub.derivations.ask(needed, &self.commands, note);
    }

    pub(super) fn ask_to_try(&self, root: Digest, now: Instant) {
        let who = (&self.group, &self.node);
        self.hub.ask_to_try(who, root, &self.commands, now);
    }

    pub(super) fn note_refusal(&self, version: Version, faults: &Arc<[Fault]>) {
        for fault in faults.iter() {
            warn!(node = %self.node, %version, %fault, "update refused by proxy");
        }
        let memory = self.session.memory();
        let mut fleet = self.hub.parts.fleet.lock();
        fleet.refused(&self.node, self.id, (version, faults), memory);
    }
}
