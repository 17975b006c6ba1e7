//! Number of nodes with each mark, maintained incrementally, so that reading it costs no scan.

use super::{Awaited, Mark, Outcome};

/// Number of nodes with each mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkCounts {
    /// [`Mark::Pending`]
    pub pending: usize,
    /// [`Mark::Applied`]
    pub applied: usize,
    /// [`Mark::Superseded`]
    pub superseded: usize,
    /// [`Mark::Refused`]
    pub refused: usize,
    /// [`Mark::Duplicate`]
    pub duplicate: usize,
    /// [`Mark::Lost`]
    pub lost: usize,
    /// [`Mark::Away`]
    pub away: usize,
}

impl MarkCounts {
    pub(super) const fn of(&mut self, mark: &Mark) -> &mut usize {
        match mark {
            Mark::Pending => &mut self.pending,
            Mark::Applied => &mut self.applied,
            Mark::Superseded => &mut self.superseded,
            Mark::Refused(_) => &mut self.refused,
            Mark::Duplicate => &mut self.duplicate,
            Mark::Lost => &mut self.lost,
            Mark::Away => &mut self.away,
        }
    }

    /// Moves a node from one mark to another.
    pub(super) const fn moved(&mut self, before: &Mark, after: &Mark) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
    }

    /// Returns the state of the commit as a whole, for clients that wait for these nodes. One refusal outweighs everything else.
    pub fn outcome(&self, awaited: Awaited) -> Outcome {
        let waits_for_away = awaited == Awaited::All && self.away > 0;
        if self.refused > 0 {
            Outcome::Refused
        } else if self.pending > 0 || waits_for_away {
            Outcome::Pending
        } else if self.lost + self.duplicate > 0 || self.applied + self.superseded == 0 {
            Outcome::Unproven
        } else {
            Outcome::Proven
        }
    }
}
