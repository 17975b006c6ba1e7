//! A suspect content that runs because there was nothing else to serve. It is not refused while it runs. Once another content runs it is
//! refused again, unless it proved good in the meantime.

use std::time::Instant;

use aralez_proto::version::Version;

use crate::core::sync::subscription::message::ContentRefusal;
use crate::core::sync::trial::PROOF;

/// The verdict on the content with which the process started.
#[derive(Debug)]
pub(super) struct LastResort {
    verdict: ContentRefusal,
    since: Option<Instant>,
}

impl LastResort {
    pub(super) const fn new(verdict: ContentRefusal) -> Self {
        Self {
            verdict,
            since: None,
        }
    }

    /// Starts the clock, at the first event.
    pub(super) fn follow(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Returns whether the verdict is about the content of this version.
    pub(super) fn is_of(&self, version: &Version) -> bool {
        self.verdict.content.is_of(version)
    }

    /// Returns the verdict once another content runs; `None` if this one proved good.
    pub(super) fn verdict(self, now: Instant) -> Option<ContentRefusal> {
        let proved = self.since.is_some_and(|since| now >= since + PROOF);
        (!proved).then_some(self.verdict)
    }
}
