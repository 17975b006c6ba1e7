//! Nodes that hold a newer version than there is: right after a history was begun or restored, control goes above it.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::model::GroupName;

use super::hub::Hub;
use crate::core::session::Hello;

/// How long the views of the raised generation may take to reach the streams.
const REACH: Duration = Duration::from_secs(5);

impl Hub {
    /// Has the history go above what a node of this cluster holds, where it holds more than there is and that is still allowed. Returns when
    /// the session can begin; what it then decides is not changed by this.
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
            // A session that begins too early turns the node away, and it comes back.
            let _ = tokio::time::timeout(REACH, reached).await;
        }
    }
}
