//! Streams and the tries of suspect contents ([`crate::core::tries`]): who asks, who left, who is back.

use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::model::{GroupName, NodeName};
use tokio::sync::mpsc::UnboundedSender;
use tracing::info;

use super::command::Command;
use super::hub::Hub;
use crate::core::session::Standing;

type Who<'a> = (&'a GroupName, &'a NodeName);

impl Hub {
    /// Asks for the group's one try of a suspect content; the stream is told where its node is the one.
    pub(super) fn ask_to_try(
        &self,
        (group, node): Who<'_>,
        root: Digest,
        commands: &UnboundedSender<Command>,
        now: Instant,
    ) {
        if self.tries(|tries| tries.claim(group, root, node, now)) {
            info!(%node, content = %root.short(), "offers a suspect configuration once more");
            // A stream that is gone leaves the try to the next one after a while.
            let _ = commands.send(Command::Granted(root));
        }
    }

    /// The stream of a node has begun.
    pub(super) fn tries_after_return(
        &self,
        (group, node): Who<'_>,
        standing: &Standing,
        now: Instant,
    ) {
        let running = standing.running.map(|running| running.authored_root);
        self.tries(|tries| tries.returned(group, node, running, now));
    }

    /// The stream of a node has ended.
    pub(super) fn tries_after_leaving(&self, (group, node): Who<'_>) {
        let now = Instant::now();
        self.tries(|tries| tries.left(group, node, now));
    }
}
