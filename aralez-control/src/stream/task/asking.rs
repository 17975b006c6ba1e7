//! What a session has others asked for: views of earlier revisions, and the try of a suspect content. The answer comes as a command.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use super::super::hub::Command;
use super::Stream;

impl Stream {
    /// Has a view made again, which may take longer than this stream lasts.
    pub(super) fn recall(&self, version: Version) {
        let (hub, group) = (Arc::clone(&self.hub), self.group.clone());
        let commands = self.commands.clone();
        tokio::spawn(async move {
            if let Some(view) = hub.parts.history.recall(group, version).await {
                let _ = commands.send(Command::Recalled(view));
            }
        });
    }

    pub(super) fn ask_to_try(&self, root: Digest, now: Instant) {
        let who = (&self.group, &self.node);
        self.hub.ask_to_try(who, root, &self.commands, now);
    }
}
