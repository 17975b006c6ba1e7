//! Connects streams to the tries of suspect contents ([`crate::core::tries`]): requests, closes and reconnects.

use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::model::{GroupName, NodeName};
use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

use super::command::Command;
use super::hub::Hub;
use crate::core::session::SessionState;

type Who<'a> = (&'a GroupName, &'a NodeName);

impl Hub {
    /// Asks for the group's one try of a suspect content, and sends [`Command::Granted`] if this node gets it.
    pub(super) fn ask_to_try(
        &self,
        (group, node): Who<'_>,
        root: Digest,
        commands: &UnboundedSender<Command>,
        now: Instant,
    ) {
        if self.tries(|tries| tries.claim(group, root, node, now)) {
            info!(%node, content = %root.short(), "offering a suspect configuration once more");
            // If the stream is gone, the try passes to the next node after a while.
            let _ = commands.send(Command::Granted(root));
        }
    }

    /// Records that a node's stream was opened.
    pub(super) fn tries_after_return(
        &self,
        (group, node): Who<'_>,
        state: &SessionState,
        now: Instant,
    ) {
        let running = state.running.map(|running| running.authored_root);
        self.tries(|tries| tries.returned(group, node, running, now));
    }

    /// Records that a node's stream was closed.
    pub(super) fn tries_after_leaving(&self, (group, node): Who<'_>) {
        let now = Instant::now();
        self.tries(|tries| tries.left(group, node, now));
    }
}
