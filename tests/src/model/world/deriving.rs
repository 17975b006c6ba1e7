//! Derivations that a session requests for a node that refuses the newest view.

use std::time::Duration;

use aralez_control::core::session::{Derivation, Event};

use super::{Happening, World};
use crate::model::planted::Planted;

/// The longest time that a derivation takes, in milliseconds.
const LONGEST: u64 = 1_500;

impl World {
    /// Plans the result of a derivation, which is computed elsewhere and takes a while.
    pub(super) fn derive(&mut self, at: usize, link: u64, needed: Derivation) {
        let life = self.controls[at].life;
        if let Some(serving) = self.controls[at].serving.get_mut(&link) {
            serving.derives = true;
        }
        // Not drawn from `random`: a draw would change the course of all seeds.
        let after = Duration::from_millis(self.numbers % LONGEST);
        self.plan(
            after,
            Happening::Derived {
                control: at,
                life,
                link,
                needed: Box::new(needed),
            },
        );
    }

    pub(super) fn derived(&mut self, at: usize, life: u64, link: u64, needed: &Derivation) {
        let control = &mut self.controls[at];
        let serving = control.serving.get_mut(&link);
        let Some(serving) = serving.filter(|_| control.life == life) else {
            return;
        };
        serving.derives = false;
        let (key, made) = (needed.key(), needed.derive());
        self.note(|| {
            format!(
                "c{at} made endpoints for a refusing node: {}",
                made.is_some()
            )
        });
        if !self.has(Planted::DerivedLost) {
            self.handle(at, link, Event::Derived { key, made });
        }
    }
}
