//! The settled revisions of a node: those whose marks a further report of the node cannot change. A report then costs the evaluation of the
//! newest revision only, instead of a hundred, whether the nodes run that revision or refuse it.

use crate::core::session::SessionState;

/// The bound up to which the marks of a node are decided. Below it, only the revision that the node runs and the one that it ran before are
/// evaluated again, and all later ones if the node steps back to an earlier revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DecidedUpTo {
    /// The generation that the revisions belong to.
    generation: u64,
    up_to: u64,
    ran: Option<u64>,
}

impl DecidedUpTo {
    /// Returns this bound if it belongs to the generation of the state, and otherwise an empty one: the revisions of two generations are
    /// unrelated.
    pub(super) fn here(self, state: &SessionState) -> Self {
        let generation = state.target.generation;
        if self.generation == generation {
            return self;
        }
        Self {
            generation,
            ..Self::default()
        }
    }

    /// Returns the revision that the node ran at the last evaluation.
    pub(super) const fn ran(self) -> Option<u64> {
        self.ran
    }

    /// Returns the first revision to evaluate for a node that runs `runs`.
    pub(super) fn first(self, runs: Option<u64>) -> u64 {
        if runs < self.ran {
            return runs.unwrap_or_default();
        }
        self.up_to + 1
    }

    /// Returns the bound after an evaluation: the revision that a node runs includes all earlier ones, and a refused revision stays
    /// refused.
    pub(super) fn after(self, state: &SessionState, runs: Option<u64>) -> Self {
        let refused = state.refused.as_ref().map(|_| state.target.revision);
        let before = if runs < self.ran { 0 } else { self.up_to };
        Self {
            up_to: before.max(runs.max(refused).unwrap_or_default()),
            ran: runs,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aralez_proto::content::Content;
    use aralez_proto::fault::{Fault, FaultCode};
    use aralez_proto::hash::Digest;
    use aralez_proto::version::Version;
    use proptest::prelude::*;

    use super::*;
    use crate::core::proof::{Observed, Proofs};
    use crate::core::session::RefusedContent;
    use crate::core::touched::TouchedGroups;

    /// One report of the node, with or without a commit before it.
    #[derive(Clone, Debug)]
    struct Heard {
        commits: bool,
        runs: Option<u64>,
        same_documents: bool,
        behind: u64,
        refuses: bool,
        duplicate: bool,
    }

    fn heard() -> impl Strategy<Value = Heard> {
        let kinds = (any::<bool>(), any::<bool>(), any::<bool>());
        let duplicate = prop::bool::weighted(0.1);
        let numbers = (prop::option::weighted(0.9, 0..12u64), 0..3u64);
        (kinds, duplicate, numbers).prop_map(|(kinds, duplicate, (runs, behind))| Heard {
            commits: kinds.0,
            runs,
            same_documents: kinds.1,
            behind,
            refuses: kinds.2,
            duplicate,
        })
    }

    fn version(revision: u64) -> Version {
        Version {
            generation: 1,
            revision,
            ..Version::default()
        }
    }

    fn state(heard: &Heard, head: u64) -> SessionState {
        let fault = Fault::whole(FaultCode::Limit, "max_hosts", "too many");
        let refused = RefusedContent {
            content: Content::Whole(Digest::default()),
            faults: [fault].into(),
        };
        let running = heard.runs.map(|runs| Version {
            authored_root: [u8::from(!heard.same_documents); 32].into(),
            ..version(runs.min(head))
        });
        SessionState {
            running,
            target: version(head.saturating_sub(heard.behind)),
            refused: heard.refuses.then_some(refused),
        }
    }

    fn begin(proofs: &mut Proofs, revision: u64) {
        let everyone = TouchedGroups::default();
        proofs.begin(version(revision), &everyone, &BTreeMap::new());
    }

    proptest! {
        #[test]
        fn a_look_at_what_is_not_settled_finds_what_a_look_at_everything_finds(
            all in prop::collection::vec(heard(), 1..40)
        ) {
            let (node, group) = ("n1".parse().unwrap(), "default".parse().unwrap());
            let (mut quick, mut slow) = (Proofs::default(), Proofs::default());
            let (mut head, mut settled, mut doubled) = (1, DecidedUpTo::default(), false);
            for heard in &all {
                head += u64::from(heard.commits);
                for proofs in [&mut quick, &mut slow] {
                    // A repeated `begin` has no effect.
                    (1..=head).for_each(|revision| begin(proofs, revision));
                }
                let state = state(heard, head);
                let who = Observed { node: &node, group: &group, duplicate: heard.duplicate };
                // As the fleet does: evaluate everything again when the node becomes or stops being a duplicate.
                if heard.duplicate != std::mem::replace(&mut doubled, heard.duplicate) {
                    settled = DecidedUpTo::default();
                }
                settled = quick.observe(who, &state, settled);
                let _ = slow.observe(who, &state, DecidedUpTo::default());
                for revision in 1..=head {
                    let marks = [&quick, &slow].map(|proofs| {
                        let proof = proofs.of(revision).unwrap();
                        (proof.nodes().get(&node).map(|mark| mark.name()), proof.counts())
                    });
                    prop_assert_eq!(marks[0], marks[1], "revision {} after {:?}", revision, heard);
                }
            }
        }
    }
}
