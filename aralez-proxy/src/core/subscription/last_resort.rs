//! A suspect content that runs because nothing else was there to serve. It is not refused while it runs, but it is again once another one runs,
//! unless it proved good meanwhile.

use std::time::Instant;

use aralez_proto::version::Version;

use super::message::Refusal;
use crate::core::trial::PROOF;

/// The verdict on the content that the process started with.
#[derive(Debug)]
pub(super) struct LastResort {
    verdict: Refusal,
    since: Option<Instant>,
}

impl LastResort {
    pub(super) const fn new(verdict: Refusal) -> Self {
        Self {
            verdict,
            since: None,
        }
    }

    /// The process runs.
    pub(super) fn follow(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// This runs from now on: gives the verdict back where it holds again. `Err`: the suspect still runs.
    pub(super) fn followed_by(
        self,
        version: &Version,
        now: Instant,
    ) -> Result<Option<Refusal>, Self> {
        if self.verdict.content.is_of(version) {
            return Err(self);
        }
        let proved = self.since.is_some_and(|since| now >= since + PROOF);
        Ok((!proved).then_some(self.verdict))
    }
}
