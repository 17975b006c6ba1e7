//! How far one request has come through the endpoints of a pool.

/// Endpoints that a walk remembers to have tried. A pool may have a thousand: where more were tried than this, the second pass may try one
/// of them once more, and nothing was sent to it.
const REMEMBERED: usize = 16;

/// One request's walk through a pool: its position in the round, and the first endpoints that it tried. Its size does not depend on the
/// pool's. It belongs to one [`super::CompiledPool`] value.
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
    /// Through the endpoints that do not rest.
    Live,
    /// Through those that do.
    Resting,
}

impl Walk {
    /// How many endpoints were tried.
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

    /// The next step within the tier.
    pub(super) const fn take_step(&mut self) -> usize {
        self.step += 1;
        self.step - 1
    }

    pub(super) const fn leave_tier(&mut self) {
        self.tier += 1;
        self.step = 0;
    }

    /// Every tier was gone through: begins with the endpoints that were passed over. `false`: there are none.
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
            // Fewer than 2^32, as everywhere in a pool.
            *free = at as u32;
        }
        self.count += 1;
    }

    pub(super) fn has_tried(&self, at: usize) -> bool {
        let known = self.count.min(REMEMBERED);
        self.remembered[..known].contains(&(at as u32))
    }
}
