//! Nodes that hold a newer version than control: a new or restored history moves above it.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::model::GroupName;

use super::hub::Hub;
use crate::core::session::Hello;

/// Time limit for the views of the raised generation to reach the streams.
const REACH: Duration = Duration::from_secs(5);

impl Hub {
    /// Raises the history above the version that a node of this cluster holds, if that is newer and raising is still allowed. Returns once
    /// the session can begin, whether or not that succeeded: the session checks again whether the node is ahead.
    pub(super) async fn catch_up(self: &Arc<Self>, group: &GroupName, hello: &Hello) {
        let Some(held) = hello.held else { return };
        let mut recents = self.recents();
        let is_ahead = |head| hello.is_ahead_of(head);
        if !is_ahead(recents.borrow().of(group).newest().version()) {
            return;
        }
        // Only a node that is pinned to this cluster got its version from this cluster.
        if hello.cluster != self.parts.cluster.as_slice() {
            return;
        }
        if self.parts.history.go_above(held).await {
            let reached =
                recents.wait_for(|recents| !is_ahead(recents.of(group).newest().version()));
            // On a timeout the session turns the node away, and the node reconnects.
            let _ = tokio::time::timeout(REACH, reached).await;
        }
    }
}
