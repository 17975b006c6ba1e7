//! Decides which process has a node's name when two processes claim it.
//!
//! A process that names the current holder as its predecessor is its successor and takes the name immediately (a restart, or a handover of
//! listeners). Another process may take the name once, since a proxy can lose its state; after that, no takeover is allowed until no other
//! process has claimed the name for [`TAKEOVER_PAUSE`]. Otherwise two proxies with one name would displace each other forever.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;

use crate::core::session::BootId;

/// Time without takeovers after a takeover, or after the last attempt at another one.
pub const TAKEOVER_PAUSE: Duration = Duration::from_mins(10);

/// Maximum number of remembered takeovers; the oldest are forgotten first.
const REMEMBERED: usize = 4_096;

/// The verdict on a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// The same proxy reconnects, or its successor connects.
    Returns,
    /// Another process takes the name from one that is still connected: its state was lost or copied, or two proxies have one name. The
    /// node counts as a duplicate until the former holder has not claimed the name for a while.
    TakesOver,
    /// The holder has replaced the claiming process.
    Stale,
    /// Two running processes have one name; the holder keeps it.
    Duplicate,
}

/// A process that has or claims a name: its boot id, and the boot id of the process that it replaced (empty for the first).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimant<'a> {
    /// Its boot id.
    pub boot: &'a BootId,
    /// The boot id of its predecessor.
    pub replaces: &'a BootId,
}

/// Judges claims for names, and remembers when each name was taken over.
#[derive(Debug, Default)]
pub struct Claims {
    taken_over: HashMap<NodeName, Instant>,
}

impl Claims {
    /// Judges the claim of `comes` to a name that `here` holds.
    pub fn judge(
        &mut self,
        node: &NodeName,
        here: Claimant<'_>,
        comes: Claimant<'_>,
        now: Instant,
    ) -> Claim {
        if comes.boot == here.boot || comes.replaces == here.boot {
            return Claim::Returns;
        }
        if !here.replaces.is_empty() && here.replaces == comes.boot {
            return Claim::Stale;
        }
        // Both name the same predecessor: copies of one state folder.
        let copies = !here.replaces.is_empty() && here.replaces == comes.replaces;
        let before = self.taken_over.get(node);
        let soon = before.is_some_and(|before| now < *before + TAKEOVER_PAUSE);
        if soon {
            // Restart the pause, so that the name does not move as long as both processes run.
            self.remember(node, now);
        }
        if copies || soon {
            return Claim::Duplicate;
        }
        self.remember(node, now);
        Claim::TakesOver
    }

    fn remember(&mut self, node: &NodeName, now: Instant) {
        if self.taken_over.len() >= REMEMBERED {
            self.taken_over
                .retain(|_, before| now < *before + TAKEOVER_PAUSE);
        }
        if self.taken_over.len() >= REMEMBERED {
            let oldest = self.taken_over.iter().min_by_key(|(_, before)| **before);
            if let Some(oldest) = oldest.map(|(node, _)| node.clone()) {
                self.taken_over.remove(&oldest);
            }
        }
        self.taken_over.insert(node.clone(), now);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    static NONE: BootId = Bytes::new();
    static A: BootId = Bytes::from_static(b"a");
    static B: BootId = Bytes::from_static(b"b");
    static C: BootId = Bytes::from_static(b"c");

    const fn claimant<'a>(boot: &'a BootId, replaces: &'a BootId) -> Claimant<'a> {
        Claimant { boot, replaces }
    }

    fn node() -> NodeName {
        "n1".parse().unwrap()
    }

    #[test]
    fn a_successor_takes_the_name_at_once_and_its_predecessor_never_gets_it_back() {
        let now = Instant::now();
        let cases = [
            ("the same process", (&A, &NONE), (&A, &NONE), Claim::Returns),
            ("its successor", (&A, &NONE), (&B, &A), Claim::Returns),
            ("its predecessor", (&B, &A), (&A, &NONE), Claim::Stale),
            ("another process", (&B, &A), (&C, &NONE), Claim::TakesOver),
        ];
        for (what, here, comes, expected) in cases {
            let (here, comes) = (claimant(here.0, here.1), claimant(comes.0, comes.1));
            let claim = Claims::default().judge(&node(), here, comes, now);
            assert_eq!(claim, expected, "{what}");
        }
    }

    #[test]
    fn two_proxies_of_one_name_do_not_push_each_other_out() {
        let start = Instant::now();
        let (a, b) = (claimant(&A, &NONE), claimant(&B, &NONE));
        let mut claims = Claims::default();
        assert_eq!(claims.judge(&node(), a, b, start), Claim::TakesOver);
        let soon = start + TAKEOVER_PAUSE - Duration::from_secs(1);
        assert_eq!(claims.judge(&node(), b, a, soon), Claim::Duplicate);
        // A restart of the holder is no takeover.
        let b_again = claimant(&C, &B);
        assert_eq!(claims.judge(&node(), b, b_again, soon), Claim::Returns);
        // Each attempt of the other process extends the pause. Once it stops, the name is free again.
        let later = soon + TAKEOVER_PAUSE - Duration::from_secs(1);
        assert_eq!(claims.judge(&node(), b_again, a, later), Claim::Duplicate);
        let later = later + TAKEOVER_PAUSE;
        assert_eq!(claims.judge(&node(), b_again, a, later), Claim::TakesOver);
    }

    #[test]
    fn two_copies_of_one_state_folder_are_known_at_the_first_claim() {
        let (b, c) = (claimant(&B, &A), claimant(&C, &A));
        let claim = Claims::default().judge(&node(), b, c, Instant::now());
        assert_eq!(claim, Claim::Duplicate);
    }

    #[test]
    fn of_very_many_takeovers_the_newest_are_remembered() {
        let now = Instant::now();
        let mut claims = Claims::default();
        for number in 0..2 * REMEMBERED {
            let node = format!("n{number}").parse().unwrap();
            claims.judge(&node, claimant(&A, &NONE), claimant(&B, &NONE), now);
        }
        assert_eq!(claims.taken_over.len(), REMEMBERED);
    }
}
