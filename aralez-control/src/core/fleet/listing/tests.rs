use std::time::Instant;

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::version::Version;

use super::*;
use crate::core::node::NodeFacts;
use crate::core::proof::{Awaited, Outcome};
use crate::core::session::{RefusedContent, SessionState};
use crate::core::touched::TouchedGroups;

fn facts(number: u64) -> NodeFacts {
    NodeFacts {
        node: format!("n{number}").parse().unwrap(),
        group: "default".parse().unwrap(),
        proxy_version: "0.10.0".to_owned(),
        peer: None,
    }
}

fn version(revision: u64) -> Version {
    Version {
        generation: 1,
        revision,
        ..Version::default()
    }
}

fn state(running: u64, target: u64, refuses: bool) -> SessionState {
    let refused = RefusedContent {
        content: Content::Whole([9; 32].into()),
        faults: [Fault::whole(FaultCode::Invalid, "", "no")].into(),
    };
    SessionState {
        running: Some(version(running)),
        target: version(target),
        refused: refuses.then_some(refused),
    }
}

/// Counts the marks one by one.
fn counted(proof: &Proof) -> MarkCounts {
    let mut counts = MarkCounts::default();
    for mark in proof.nodes().values() {
        let count = match mark {
            Mark::Pending => &mut counts.pending,
            Mark::Applied => &mut counts.applied,
            Mark::Superseded => &mut counts.superseded,
            Mark::Refused(_) => &mut counts.refused,
            Mark::Duplicate => &mut counts.duplicate,
            Mark::Lost => &mut counts.lost,
            Mark::Away => &mut counts.away,
        };
        *count += 1;
    }
    counts
}

#[test]
fn the_counts_of_a_push_are_those_of_its_marks_whatever_happens_to_nodes() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    let mut head = 1;
    let mut random = 7_u64;
    let mut below = |most: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % most
    };
    for step in 0..4_000 {
        let facts = facts(below(12));
        let node = facts.node.clone();
        let stream = fleet.nodes().get(&node).and_then(|record| record.stream);
        let state = state(head - below(3).min(head - 1), head, below(3) == 0);
        match (below(7), stream) {
            (0, _) => {
                head += 1;
                fleet.committed(version(head), &TouchedGroups::default());
            }
            (1, Some(stream)) => {
                let memory = crate::core::session::tests::memory();
                fleet.left(&node, stream, memory);
            }
            (2, _) => fleet.duplicated(&node, now),
            (3, Some(stream)) => {
                let refused = (
                    version(head),
                    &state
                        .refused
                        .clone()
                        .map(|refused| refused.faults)
                        .unwrap_or_default(),
                );
                fleet.refused(
                    &node,
                    stream,
                    refused,
                    crate::core::session::tests::memory(),
                );
            }
            (4, _) => drop(fleet.forget(&node)),
            (_, Some(stream)) => fleet.observe(&node, stream, state, now),
            (_, None) => fleet.joined(step, facts, state, now),
        }
        for proof in (1..=head).filter_map(|revision| fleet.proof(revision)) {
            assert_eq!(proof.counts(), counted(proof));
        }
    }
    assert!(head > 100);
}

#[test]
fn a_push_lists_the_nodes_that_are_wanted_with_what_is_known_of_them() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    for number in 1..=9 {
        fleet.joined(number, facts(number), state(1, 1, false), now);
    }
    fleet.committed(version(2), &TouchedGroups::default());
    for number in 1..=6 {
        let node = facts(number).node;
        fleet.observe(&node, number, state(2, 2, false), now);
    }
    let names = |wanted| {
        let push = fleet.push(2, wanted).unwrap();
        let known = |(node, _, record): &(NodeName, Mark, Option<Arc<NodeRecord>>)| {
            assert_eq!(record.as_ref().unwrap().group.as_str(), "default");
            node.to_string()
        };
        assert_eq!((push.counts.applied, push.counts.pending), (6, 3));
        assert_eq!(push.counts.outcome(Awaited::Present), Outcome::Pending);
        push.nodes.iter().map(known).collect::<Vec<_>>()
    };
    assert_eq!(names(ListedNodes::Open), ["n7", "n8", "n9"]);
    assert_eq!(names(ListedNodes::All).len(), 9);
    assert!(names(ListedNodes::Counts).is_empty());
    assert!(fleet.push(3, ListedNodes::All).is_none());
}

#[test]
fn a_listing_stays_what_it_was_when_it_was_taken() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(1), state(1, 2, false), now);
    let before = fleet.listing();
    fleet.observe(&facts(1).node, 1, state(2, 2, false), now);
    let state = |listing: &Listing| {
        let (node, record) = &listing.nodes[0];
        listing.state_of(node, record)
    };
    assert_eq!(state(&before), NodeState::Behind);
    assert_eq!(state(&fleet.listing()), NodeState::Current);
    assert_eq!(fleet.counts().of(NodeState::Current), 1);
    assert_eq!(fleet.counts().connected, 1);
}
