//! The boot-loop rule: which contents ended this proxy soon after they were applied, and which proved good.
//!
//! A content is suspect when two boots in a row ended without a clean exit within 60 s of its first swap. What once served 60 s has
//! proved good and is never suspect: a later death has another reason. Only what runs at the end is blamed, not what it replaced.

use std::time::Duration;

use aralez_proto::hash::Digest;

/// A content that served this long has proved good.
pub const PROOF: Duration = Duration::from_secs(60);
/// Boots in a row that make a content suspect.
const STRIKES: u32 = 2;
/// How many good contents are remembered.
const MOST_GOOD: usize = 8;
/// How many trials are remembered.
const MOST_TRIALS: usize = 16;

/// One content on trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// Which content.
    pub root: Digest,
    /// Boots in a row that ended within 60 s of its first swap without a clean exit.
    pub failed: u32,
    /// It runs, has not proved good, and no exit was recorded.
    pub open: bool,
}

/// What is remembered about the boots of this proxy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Contents that proved good, newest last.
    pub good: Vec<Digest>,
    /// Contents that have not.
    pub trials: Vec<Trial>,
    /// Drawn at each start; empty before the first.
    pub boot_id: Vec<u8>,
    /// The cluster that this proxy belongs to; empty before the first contact.
    pub cluster: Vec<u8>,
}

impl Marks {
    /// The process starts. A trial that is still open was ended by a death.
    pub fn boot(&mut self, boot_id: Vec<u8>) {
        self.boot_id = boot_id;
        for trial in &mut self.trials {
            if trial.open {
                trial.failed = trial.failed.saturating_add(1);
            } else if trial.failed < STRIKES {
                // The boot before did not end by this one: its deaths are not in a row.
                trial.failed = 0;
            }
            trial.open = false;
        }
        self.tidy();
    }

    /// This content is about to serve.
    pub fn swap(&mut self, root: Digest) {
        for trial in &mut self.trials {
            trial.open = false;
        }
        if self.good.contains(&root) {
            return self.tidy();
        }
        let before = self.trials.iter().position(|trial| trial.root == root);
        let failed = before.map_or(0, |at| self.trials.remove(at).failed);
        self.trials.push(Trial {
            root,
            failed,
            open: true,
        });
        self.tidy();
    }

    /// This content served 60 s.
    pub fn proved(&mut self, root: Digest) {
        self.trials.retain(|trial| trial.root != root);
        self.good.retain(|good| *good != root);
        self.good.push(root);
        let surplus = self.good.len().saturating_sub(MOST_GOOD);
        self.good.drain(..surplus);
    }

    /// The process ends as it should: what was not suspect yet begins anew.
    pub fn clean_exit(&mut self) {
        for trial in &mut self.trials {
            let ended_well = trial.open || trial.failed < STRIKES;
            trial.open = false;
            if ended_well {
                trial.failed = 0;
            }
        }
        self.tidy();
    }

    /// The contents that should not be started, oldest first.
    pub fn suspects(&self) -> impl Iterator<Item = Digest> {
        let suspect = |trial: &&Trial| trial.failed >= STRIKES;
        self.trials.iter().filter(suspect).map(|trial| trial.root)
    }

    /// Whether this content proved good.
    pub fn is_good(&self, root: Digest) -> bool {
        self.good.contains(&root)
    }

    fn tidy(&mut self) {
        self.trials.retain(|trial| trial.open || trial.failed > 0);
        let surplus = self.trials.len().saturating_sub(MOST_TRIALS);
        self.trials.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(number: u8) -> Digest {
        Digest::from([number; 32])
    }

    fn suspects(marks: &Marks) -> Vec<Digest> {
        marks.suspects().collect()
    }

    fn dies_with(marks: &mut Marks, roots: &[u8]) {
        marks.boot(vec![1]);
        roots.iter().for_each(|number| marks.swap(root(*number)));
    }

    #[test]
    fn a_version_that_ended_two_boots_in_a_row_is_suspect() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1]);
        marks.boot(vec![2]);
        assert_eq!(suspects(&marks), []);
        marks.swap(root(1));
        marks.boot(vec![3]);
        assert_eq!(suspects(&marks), [root(1)]);
    }

    #[test]
    fn a_clean_exit_between_two_deaths_clears_the_version() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1]);
        dies_with(&mut marks, &[1]);
        marks.clean_exit();
        dies_with(&mut marks, &[1]);
        marks.boot(vec![4]);
        assert_eq!(suspects(&marks), []);
    }

    #[test]
    fn a_version_that_proved_good_is_never_suspect() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1]);
        marks.proved(root(1));
        for _ in 0..5 {
            dies_with(&mut marks, &[1]);
        }
        marks.boot(vec![9]);
        assert_eq!(suspects(&marks), []);
        assert!(marks.is_good(root(1)));
    }

    #[test]
    fn only_what_ran_at_the_end_is_blamed() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1, 2]);
        dies_with(&mut marks, &[1, 2]);
        marks.boot(vec![3]);
        assert_eq!(suspects(&marks), [root(2)]);
    }

    #[test]
    fn two_deaths_with_a_boot_between_them_that_ended_otherwise_are_not_in_a_row() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1]);
        dies_with(&mut marks, &[1, 2]);
        marks.proved(root(2));
        dies_with(&mut marks, &[2, 1]);
        marks.boot(vec![4]);
        assert_eq!(suspects(&marks), []);
    }

    #[test]
    fn a_suspect_that_is_tried_again_and_serves_is_cleared() {
        let mut marks = Marks::default();
        dies_with(&mut marks, &[1]);
        dies_with(&mut marks, &[1]);
        dies_with(&mut marks, &[2]);
        marks.clean_exit();
        assert_eq!(suspects(&marks), [root(1)]);
        marks.swap(root(1));
        marks.proved(root(1));
        assert_eq!(suspects(&marks), []);
    }

    #[test]
    fn a_thousand_versions_leave_few_marks() {
        let mut marks = Marks::default();
        for number in 0..1000_u32 {
            let root = Digest::of_fields(&[&number.to_le_bytes()]);
            marks.boot(vec![0]);
            marks.swap(root);
            if number % 3 == 0 {
                marks.proved(root);
            }
        }
        assert!(marks.trials.len() <= MOST_TRIALS && marks.good.len() <= MOST_GOOD);
    }
}
