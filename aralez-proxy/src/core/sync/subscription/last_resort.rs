//! A suspect content that runs because nothing else was there to serve. It is not refused while it runs, but it is again once another one runs,
//! unless it proved good meanwhile.

use std::time::Instant;

use aralez_proto::version::Version;

use crate::core::sync::subscription::message::ContentRefusal;
use crate::core::sync::trial::PROOF;

/// The verdict on the content that the process started with.
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

    /// The process runs.
    pub(super) fn follow(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// Whether it is this version's content.
    pub(super) fn is_of(&self, version: &Version) -> bool {
        self.verdict.content.is_of(version)
    }

    /// The verdict once another content runs; `None`: it proved good.
    pub(super) fn verdict(self, now: Instant) -> Option<ContentRefusal> {
        let proved = self.since.is_some_and(|since| now >= since + PROOF);
        (!proved).then_some(self.verdict)
    }
}
