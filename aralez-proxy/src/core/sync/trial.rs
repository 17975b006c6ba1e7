//! The boot-loop rule (ARCHITECTURE, "The cache"): records which contents ended this proxy soon after they were applied, and which proved
//! good.
//!
//! A content is identified by the authored root of its documents, so changes of endpoints neither restart a trial nor end one.
//!
//! A content becomes suspect when consecutive boots ended within 60 s of its swap: two if there is evidence of a fault of the process, four
//! if the cause is unknown. Exits after a termination signal, exits due to an error of the environment, and reboots of the machine do not
//! count. A suspect is tried once more; a death during that try makes it fatal until an operator has it sent again. A content that has
//! served for 24 h on this node is never blamed. Only the content that ran at the end is blamed, not the one it replaced.

use std::time::Duration;

use aralez_proto::hash::Digest;

mod exit;
pub use exit::LastExit;

#[cfg(test)]
mod tests;

/// A content that served for this long without a break has proved good.
pub const PROOF: Duration = Duration::from_secs(60);
/// A content that served for this long is kept in the cache in addition to the one that proved good.
pub const LASTING: Duration = Duration::from_secs(60 * 60);
/// A content that served for this long on this node, over all boots, is never blamed.
pub const TRUSTED: Duration = Duration::from_secs(24 * 60 * 60);
/// Blame points that make a content suspect: two deaths with evidence of a fault, or four without.
const SUSPECT: u32 = 4;
/// Maximum number of good contents to remember.
const MOST_GOOD: usize = 8;
/// Maximum number of trials to remember.
const MOST_TRIALS: usize = 16;

/// The state of a content that has not proved good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TrialState {
    /// It may be started.
    #[default]
    OnTrial,
    /// It is not started while another content is available, except for one more try.
    Suspect,
    /// It ended the process during that try.
    Fatal,
}

/// One content on trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// The authored root of the content.
    pub root: Digest,
    /// Blame points from consecutive boots that ended within 60 s of its swap.
    pub blame: u32,
    /// The resulting state.
    pub state: TrialState,
    /// The content runs, has not proved good, and the process has received no termination signal.
    pub open: bool,
}

/// One content that proved good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Good {
    /// The authored root of the content.
    pub root: Digest,
    /// Total time that it served on this node, over all boots.
    pub served: Duration,
    /// It proved good in this boot: a later swap to it starts no trial.
    pub this_boot: bool,
}

/// The facts known when a process starts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Boot {
    /// The random id of this boot.
    pub boot_id: Vec<u8>,
    /// The kernel's boot id; empty if unavailable.
    pub machine: String,
    /// The way in which the previous process ended.
    pub before: LastExit,
}

/// The history of the boots of this proxy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Contents that proved good, newest last.
    pub good: Vec<Good>,
    /// Contents that have not proved good.
    pub trials: Vec<Trial>,
    /// The random id of the current boot; empty before the first.
    pub boot_id: Vec<u8>,
    /// The kernel's boot id at that start; empty if it was unavailable.
    pub machine: String,
    /// The cluster to which this proxy belongs; empty before the first contact.
    pub cluster: Vec<u8>,
    /// Number of writes so far.
    pub written: u64,
}

impl Marks {
    /// Registers the start of the process. A trial that is still open was ended by a death.
    pub fn boot(&mut self, boot: Boot) {
        let same_machine =
            self.machine.is_empty() || boot.machine.is_empty() || self.machine == boot.machine;
        let points = if same_machine {
            boot.before.points()
        } else {
            0
        };
        for trial in &mut self.trials {
            match (trial.open, trial.state) {
                (true, _) if boot.before == LastExit::Left => trial.ended_well(),
                (true, _) => trial.blamed(points),
                // The last boot did not end while this content ran, so its deaths are not consecutive.
                (false, _) => trial.ended_well(),
            }
        }
        for good in &mut self.good {
            good.this_boot = false;
        }
        self.boot_id = boot.boot_id;
        self.machine = boot.machine;
        self.tidy();
    }

    /// Records that this content is about to serve.
    pub fn swap(&mut self, root: Digest) {
        for trial in &mut self.trials {
            trial.open = false;
        }
        let known = self.good.iter().find(|good| good.root == root);
        if known.is_some_and(|good| good.this_boot || good.served >= TRUSTED) {
            return self.tidy();
        }
        let before = self.trials.iter().position(|trial| trial.root == root);
        let before = before.map(|at| self.trials.remove(at));
        let trial = before.unwrap_or(Trial {
            root,
            blame: 0,
            state: TrialState::OnTrial,
            open: true,
        });
        self.trials.push(Trial {
            open: true,
            ..trial
        });
        self.tidy();
    }

    /// Records that this content served for [`PROOF`] without a break.
    pub fn proved(&mut self, root: Digest) {
        self.trials.retain(|trial| trial.root != root);
        let before = self.good.iter().position(|good| good.root == root);
        let before = before.map(|at| self.good.remove(at).served);
        self.good.push(Good {
            root,
            served: before.unwrap_or_default() + PROOF,
            this_boot: true,
        });
        let surplus = self.good.len().saturating_sub(MOST_GOOD);
        self.good.drain(..surplus);
    }

    /// Records that this content, which has proved good, served for `longer` more.
    pub fn served(&mut self, root: Digest, longer: Duration) {
        if let Some(good) = self.good.iter_mut().find(|good| good.root == root) {
            good.served = good.served.saturating_add(longer);
        }
    }

    /// Records a regular exit of the process: the blame of contents that are not suspect is reset.
    pub fn clean_exit(&mut self) {
        self.trials.iter_mut().for_each(Trial::ended_well);
        self.tidy();
    }

    /// Iterates over the contents that should not be started, oldest first, with their state.
    pub fn suspects(&self) -> impl Iterator<Item = (Digest, TrialState)> {
        let suspect = |trial: &&Trial| trial.state != TrialState::OnTrial;
        let told = |trial: &Trial| (trial.root, trial.state);
        self.trials.iter().filter(suspect).map(told)
    }

    /// Returns whether this content should not be started.
    pub fn is_suspect(&self, root: Digest) -> bool {
        self.suspects().any(|(suspect, _)| suspect == root)
    }

    /// Returns whether this content proved good and has not become suspect since.
    pub fn is_good(&self, root: Digest) -> bool {
        self.served_for(root).is_some()
    }

    /// Returns whether this content served for [`LASTING`] and has not become suspect since.
    pub fn is_lasting(&self, root: Digest) -> bool {
        self.served_for(root)
            .is_some_and(|served| served >= LASTING)
    }

    fn served_for(&self, root: Digest) -> Option<Duration> {
        let good = self.good.iter().find(|good| good.root == root);
        good.filter(|_| !self.is_suspect(root))
            .map(|good| good.served)
    }

    fn tidy(&mut self) {
        self.trials
            .retain(|trial| trial.open || trial.blame > 0 || trial.state != TrialState::OnTrial);
        let surplus = self.trials.len().saturating_sub(MOST_TRIALS);
        self.trials.drain(..surplus);
    }
}

impl Trial {
    /// Closes the trial without blame: the process received a termination signal, or something else ran when it ended.
    const fn ended_well(&mut self) {
        self.open = false;
        if matches!(self.state, TrialState::OnTrial) {
            self.blame = 0;
        }
    }

    /// Adds blame: the process ended while this content ran.
    const fn blamed(&mut self, points: u32) {
        self.open = false;
        self.blame = self.blame.saturating_add(points);
        self.state = match self.state {
            TrialState::OnTrial if self.blame >= SUSPECT => TrialState::Suspect,
            TrialState::Suspect if points > 0 => TrialState::Fatal,
            state => state,
        };
    }
}
