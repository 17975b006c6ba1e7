//! The boot-loop rule (ARCHITECTURE, "The cache"): which contents ended this proxy soon after they were applied, and which proved good.
//!
//! A content is what documents say, by its authored root: endpoints that come and go neither begin a trial anew nor escape one.
//!
//! A content is suspect when boots in a row ended within 60 s of its swap: two where there is evidence of a fault of the process, four where
//! nobody knows why it ended. After the signal to leave, after an error of the surroundings and across a boot of the machine nothing is held
//! against it. A suspect is tried once more; a death on that try makes it fatal, until it is sent again on an operator's word. A content that
//! served 24 h on this node is never blamed. Only what ran at the end is blamed, not what it replaced.

use std::time::Duration;

use aralez_proto::hash::Digest;

mod exit;
pub use exit::LastExit;

#[cfg(test)]
mod tests;

/// A content that served this long in one go has proved good.
pub const PROOF: Duration = Duration::from_secs(60);
/// A content that served this long is kept in the cache beside the one that proved good.
pub const LASTING: Duration = Duration::from_secs(60 * 60);
/// A content that served this long on this node, all boots together, is never blamed.
pub const TRUSTED: Duration = Duration::from_secs(24 * 60 * 60);
/// What makes a content suspect: two deaths with evidence, or four without.
const SUSPECT: u32 = 4;
/// How many good contents are remembered.
const MOST_GOOD: usize = 8;
/// How many trials are remembered.
const MOST_TRIALS: usize = 16;

/// What has come of a content that has not proved good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It may be started.
    #[default]
    OnTrial,
    /// It is not started while there is another, but for one more try.
    Suspect,
    /// It ended the process on that try.
    Fatal,
}

/// One content on trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// Which content: its authored root.
    pub root: Digest,
    /// What speaks against it: points of the boots in a row that ended within 60 s of its swap.
    pub blame: u32,
    /// What came of that.
    pub standing: Standing,
    /// It runs, has not proved good, and the process was not told to leave.
    pub open: bool,
}

/// One content that proved good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Good {
    /// Which content: its authored root.
    pub root: Digest,
    /// How long it served on this node, all boots together.
    pub served: Duration,
    /// It proved good since the process started: a later swap to it is no trial.
    pub this_boot: bool,
}

/// What is known when a process starts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Boot {
    /// Drawn for this start.
    pub boot_id: Vec<u8>,
    /// The kernel's boot id; empty where it is not told.
    pub machine: String,
    /// How the process before ended.
    pub before: LastExit,
}

/// What is remembered about the boots of this proxy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Contents that proved good, newest last.
    pub good: Vec<Good>,
    /// Contents that have not.
    pub trials: Vec<Trial>,
    /// Drawn at each start; empty before the first.
    pub boot_id: Vec<u8>,
    /// The kernel's boot id at that start; empty where it was not told.
    pub machine: String,
    /// The cluster that this proxy belongs to; empty before the first contact.
    pub cluster: Vec<u8>,
    /// Counts up with each write.
    pub written: u64,
}

impl Marks {
    /// The process starts. A trial that is still open was ended by a death.
    pub fn boot(&mut self, boot: Boot) {
        let same_machine =
            self.machine.is_empty() || boot.machine.is_empty() || self.machine == boot.machine;
        let points = if same_machine {
            boot.before.points()
        } else {
            0
        };
        for trial in &mut self.trials {
            match (trial.open, trial.standing) {
                (true, _) if boot.before == LastExit::Left => trial.ended_well(),
                (true, _) => trial.blamed(points),
                // The boot before did not end by this one: its deaths are not in a row.
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

    /// This content is about to serve.
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
            standing: Standing::OnTrial,
            open: true,
        });
        self.trials.push(Trial {
            open: true,
            ..trial
        });
        self.tidy();
    }

    /// This content served [`PROOF`] in one go.
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

    /// This content, which has proved good, served so much longer.
    pub fn served(&mut self, root: Digest, longer: Duration) {
        if let Some(good) = self.good.iter_mut().find(|good| good.root == root) {
            good.served = good.served.saturating_add(longer);
        }
    }

    /// The process ends as it should: what was not suspect yet begins anew.
    pub fn clean_exit(&mut self) {
        self.trials.iter_mut().for_each(Trial::ended_well);
        self.tidy();
    }

    /// The contents that should not be started, oldest first, and whether they may be tried once more.
    pub fn suspects(&self) -> impl Iterator<Item = (Digest, Standing)> {
        let suspect = |trial: &&Trial| trial.standing != Standing::OnTrial;
        let told = |trial: &Trial| (trial.root, trial.standing);
        self.trials.iter().filter(suspect).map(told)
    }

    /// Whether this content should not be started.
    pub fn is_suspect(&self, root: Digest) -> bool {
        self.suspects().any(|(suspect, _)| suspect == root)
    }

    /// Whether this content proved good and is not suspect since.
    pub fn is_good(&self, root: Digest) -> bool {
        self.served_for(root).is_some()
    }

    /// Whether this content served for [`LASTING`] and is not suspect since.
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
            .retain(|trial| trial.open || trial.blame > 0 || trial.standing != Standing::OnTrial);
        let surplus = self.trials.len().saturating_sub(MOST_TRIALS);
        self.trials.drain(..surplus);
    }
}

impl Trial {
    /// The process was told to leave, or something else ran when it ended.
    const fn ended_well(&mut self) {
        self.open = false;
        if matches!(self.standing, Standing::OnTrial) {
            self.blame = 0;
        }
    }

    /// The process ended while this ran.
    const fn blamed(&mut self, points: u32) {
        self.open = false;
        self.blame = self.blame.saturating_add(points);
        self.standing = match self.standing {
            Standing::OnTrial if self.blame >= SUSPECT => Standing::Suspect,
            Standing::Suspect if points > 0 => Standing::Fatal,
            standing => standing,
        };
    }
}
