//! A node that refuses the newest while control does not have the records that it runs, as after a restart of control: the view of its own
//! revision is made again from the history, so that changes of endpoints go on reaching it.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;

use super::{Action, Session};

/// The view of the revision that a node runs, with the endpoints of the time when it was made again.
#[derive(Debug, Default)]
pub(super) enum OwnView {
    /// Nobody was asked for it.
    #[default]
    Unasked,
    /// It was asked for; there may be no answer.
    Asked,
    /// Here it is: other than what the node runs, for then it is the session's base.
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
    /// Asks for the view of the node's own revision, once, where that is what the node is to be kept at.
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

    /// The view of a revision was made again.
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
