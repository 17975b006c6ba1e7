//! The progress of one request through the endpoints of a pool.

/// Number of tried endpoints that a walk remembers. A pool may have a thousand: the second pass may try an endpoint again
/// that is not remembered, which is safe because nothing was sent to it.
const REMEMBERED: usize = 16;

/// One request's walk through a pool: its position in the round, and the first endpoints that it tried. Its size does not depend on the
/// pool's. A walk is only valid for one [`super::CompiledPool`] value.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    pass: Pass,
    turn: u64,
    tier: usize,
    step: usize,
    count: usize,
    passed_over: bool,
    remembered: [u32; REMEMBERED],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Pass {
    #[default]
    NotBegun,
    /// Through the endpoints that are not resting.
    Live,
    /// Through the endpoints that are resting.
    Resting,
}

impl Walk {
    /// Returns the number of endpoints tried.
    pub const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn begin(&mut self, take_turn: impl FnOnce() -> u64) {
        if self.pass == Pass::NotBegun {
            self.pass = Pass::Live;
            self.turn = take_turn();
        }
    }

    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    pub(super) const fn tier(&self) -> usize {
        self.tier
    }

    /// Returns the next step within the tier.
    pub(super) const fn take_step(&mut self) -> usize {
        self.step += 1;
        self.step - 1
    }

    pub(super) const fn leave_tier(&mut self) {
        self.tier += 1;
        self.step = 0;
    }

    /// Starts the second pass, through the endpoints that were passed over. Returns `false` if there are none.
    pub(super) fn turn_to_resting(&mut self) -> bool {
        if self.pass == Pass::Resting || !self.passed_over {
            return false;
        }
        self.pass = Pass::Resting;
        self.tier = 0;
        self.step = 0;
        true
    }

    pub(super) fn takes_resting(&self) -> bool {
        self.pass == Pass::Resting
    }

    pub(super) const fn pass_over(&mut self) {
        self.passed_over = true;
    }

    pub(super) fn tried(&mut self, at: usize) {
        if let Some(free) = self.remembered.get_mut(self.count) {
            // An index is below 2^32, as everywhere in a pool.
            *free = at as u32;
        }
        self.count += 1;
    }

    pub(super) fn has_tried(&self, at: usize) -> bool {
        let known = self.count.min(REMEMBERED);
        self.remembered[..known].contains(&(at as u32))
    }
}
