//! Recall: if a node refuses the newest view and control does not have the records that it runs, as after a restart of control, the view of
//! the node's own revision is rebuilt from the history, so that endpoint changes continue to reach it.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;

use super::{Action, Session};

/// The view of the node's own revision, with the endpoints of the time at which it was rebuilt.
#[derive(Debug, Default)]
pub(super) enum OwnView {
    /// Not requested.
    #[default]
    Unasked,
    /// Requested; there may be no answer.
    Asked,
    /// The view. It differs from what the node runs: an equal one becomes the session's base.
    Here(SharedSnapshot),
}

impl OwnView {
    pub(super) const fn here(&self) -> Option<&SharedSnapshot> {
        match self {
            Self::Here(view) => Some(view),
            Self::Unasked | Self::Asked => None,
        }
    }
}

impl Session {
    /// Requests the view of the node's own revision, once, if the node is to stay at that revision.
    pub(super) fn recall(&mut self) -> Vec<Action> {
        let needed = self.base.is_none() && self.refused().is_some();
        match (self.running, &self.own) {
            (Some(running), OwnView::Unasked) if needed => {
                self.own = OwnView::Asked;
                vec![Action::Recall(running)]
            }
            _ => Vec::new(),
        }
    }

    /// Handles a rebuilt view.
    pub(super) fn recalled(&mut self, view: SharedSnapshot, now: Instant) -> Vec<Action> {
        let (version, awaited) = (view.version(), matches!(self.own, OwnView::Asked));
        let Some(running) = self.running.filter(|_| awaited && self.base.is_none()) else {
            return Vec::new();
        };
        if !version.order(&running).is_eq() {
            return Vec::new();
        }
        if version.root == running.root {
            self.base = Some(Arc::new(view.renamed(running)));
        } else {
            self.own = OwnView::Here(view);
        }
        self.advance(now)
    }
}
