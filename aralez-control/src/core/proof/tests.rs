use std::time::Instant;

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::model::NodeName;
use aralez_proto::version::Version;

use super::Outcome;
use crate::core::fleet::Fleet;
use crate::core::node::NodeFacts;
use crate::core::session::tests::fixtures::memory;
use crate::core::session::{RefusedContent, SessionState};
use crate::core::touched::TouchedGroups;

fn version(revision: u64) -> Version {
    Version {
        generation: 1,
        revision,
        ..Version::default()
    }
}

fn name(node: &str) -> NodeName {
    node.parse().unwrap()
}

fn facts(node: &str, group: &str) -> NodeFacts {
    NodeFacts {
        node: name(node),
        group: group.parse().unwrap(),
        proxy_version: "0.10.0".to_owned(),
        peer: None,
    }
}

fn state(running: u64, target: u64) -> SessionState {
    SessionState {
        running: Some(version(running)),
        target: version(target),
        refused: None,
    }
}

fn fault() -> Fault {
    Fault::whole(FaultCode::Limit, "max_hosts", "too many")
}

fn refusing(running: u64, target: u64) -> SessionState {
    SessionState {
        refused: Some(RefusedContent {
            content: Content::Whole(Digest::default()),
            faults: [fault()].into(),
        }),
        ..state(running, target)
    }
}

fn everyone() -> TouchedGroups {
    TouchedGroups {
        others: true,
        ..TouchedGroups::default()
    }
}

/// Two connected nodes that run revision 1, and a commit of revision 2.
fn fleet() -> Fleet {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    for (stream, node) in [(1, "n1"), (2, "n2")] {
        fleet.joined(stream, facts(node, "default"), state(1, 1), now);
    }
    fleet.committed(version(2), &everyone());
    fleet
}

fn outcome(fleet: &Fleet, revision: u64) -> Outcome {
    fleet.proof(revision).unwrap().outcome()
}

#[test]
fn a_commit_is_proven_when_every_connected_node_runs_it() {
    let now = Instant::now();
    let mut fleet = fleet();
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    fleet.observe(&name("n1"), 1, state(2, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    // A later revision includes it.
    fleet.observe(&name("n2"), 2, state(3, 3), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
}

#[test]
fn one_refusal_outweighs_everything_and_stays_when_the_node_moves_on() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.observe(&name("n1"), 1, refusing(1, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Refused);
    fleet.observe(&name("n1"), 1, state(3, 3), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Refused);
    // Applying it after all undoes the refusal.
    fleet.observe(&name("n1"), 1, state(2, 2), now);
    fleet.observe(&name("n2"), 2, state(2, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
}

#[test]
fn a_node_that_goes_on_refusing_refuses_the_next_commit_too() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.observe(&name("n1"), 1, refusing(1, 2), now);
    fleet.committed(version(3), &everyone());
    fleet.observe(&name("n1"), 1, refusing(1, 3), now);
    assert_eq!(outcome(&fleet, 3), Outcome::Refused);
}

#[test]
fn a_proof_is_what_a_node_runs_now_and_not_what_it_ran_once() {
    let now = Instant::now();
    let mut fleet = fleet();
    for (stream, node) in [(1, "n1"), (2, "n2")] {
        fleet.observe(&name(node), stream, state(2, 2), now);
    }
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
    // It lost its cache, or a snapshot of its machine was restored.
    fleet.joined(3, facts("n1", "default"), state(1, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    fleet.observe(&name("n1"), 3, state(2, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
    fleet.joined(4, facts("n1", "default"), refusing(1, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Refused);
}

#[test]
fn a_later_revision_proves_the_earlier_one_and_a_later_refusal_does_not_unprove_it() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.committed(version(3), &everyone());
    fleet.observe(&name("n1"), 1, state(3, 3), now);
    fleet.observe(&name("n2"), 2, state(2, 3), now);
    let marks = fleet.proof(2).unwrap().nodes();
    assert_eq!(marks[&name("n1")].name(), "superseded");
    assert_eq!(marks[&name("n2")].name(), "applied");
    fleet.observe(&name("n2"), 2, refusing(2, 3), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
    assert_eq!(outcome(&fleet, 3), Outcome::Refused);
}

#[test]
fn a_node_of_another_generation_proves_nothing_of_this_one() {
    let now = Instant::now();
    let mut fleet = fleet();
    let mut later = state(2, 2);
    for version in later.running.iter_mut().chain([&mut later.target]) {
        version.generation += 1;
    }
    fleet.joined(3, facts("n1", "default"), later, now);
    fleet.observe(&name("n2"), 2, state(2, 2), now);
    assert_ne!(outcome(&fleet, 2), Outcome::Proven);
}

#[test]
fn what_a_duplicate_says_proves_nothing() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.observe(&name("n1"), 1, state(2, 2), now);
    fleet.observe(&name("n2"), 2, state(2, 2), now);
    fleet.duplicated(&name("n2"), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Unproven);
    fleet.committed(version(3), &everyone());
    for (stream, node) in [(1, "n1"), (2, "n2")] {
        fleet.observe(&name(node), stream, state(3, 3), now);
    }
    assert_eq!(outcome(&fleet, 3), Outcome::Unproven);
    let gone = now + crate::core::node::DUPLICATE_SHOWN;
    fleet.observe(&name("n2"), 2, state(3, 3), gone);
    assert_eq!(outcome(&fleet, 3), Outcome::Proven);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
}

#[test]
fn nobody_to_ask_proves_nothing() {
    let mut fleet = Fleet::default();
    fleet.committed(version(1), &everyone());
    assert_eq!(outcome(&fleet, 1), Outcome::Unproven);
    fleet.joined(1, facts("n1", "default"), state(1, 1), Instant::now());
    assert_eq!(outcome(&fleet, 1), Outcome::Proven);
}

#[test]
fn a_node_lost_meanwhile_leaves_it_unproven_and_one_away_before_does_not_matter() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.observe(&name("n1"), 1, state(2, 2), now);
    fleet.left(&name("n2"), 2, memory());
    assert_eq!(outcome(&fleet, 2), Outcome::Unproven);
    fleet.committed(version(3), &everyone());
    fleet.observe(&name("n1"), 1, state(3, 3), now);
    assert_eq!(outcome(&fleet, 3), Outcome::Proven);
    let marks = fleet.proof(3).unwrap().nodes();
    assert_eq!(marks[&name("n2")].name(), "away");
    // It reconnects, so it is awaited.
    fleet.joined(3, facts("n2", "default"), state(1, 3), now);
    assert_eq!(outcome(&fleet, 3), Outcome::Pending);
}

#[test]
fn only_touched_groups_are_asked_unless_no_view_changed() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    fleet.joined(1, facts("n1", "edge"), state(1, 1), now);
    fleet.joined(2, facts("n2", "default"), state(1, 1), now);
    let mut edge = TouchedGroups::default();
    edge.named.insert("edge".parse().unwrap(), true);
    fleet.committed(version(2), &edge);
    assert_eq!(fleet.proof(2).unwrap().nodes().len(), 1);
    fleet.committed(version(3), &TouchedGroups::default());
    assert_eq!(fleet.proof(3).unwrap().nodes().len(), 2);
}

#[test]
fn the_last_hundred_revisions_are_followed() {
    let mut fleet = Fleet::default();
    for revision in 1..=150 {
        fleet.committed(version(revision), &everyone());
    }
    assert!(fleet.proof(50).is_none());
    assert!(fleet.proof(51).is_some() && fleet.proof(150).is_some());
}

#[test]
fn the_same_revision_of_other_documents_proves_nothing() {
    let mut fleet = Fleet::default();
    let head = version(2);
    let other = Version {
        authored_root: [9; 32].into(),
        ..head
    };
    let holds = |running: Version| SessionState {
        running: Some(running),
        target: head,
        refused: None,
    };
    let now = Instant::now();
    fleet.committed(head, &TouchedGroups::default());
    fleet.joined(1, facts("a", "default"), holds(other), now);
    assert_eq!(fleet.proof(2).unwrap().outcome(), Outcome::Pending);
    fleet.observe(&name("a"), 1, holds(head), now);
    assert_eq!(fleet.proof(2).unwrap().outcome(), Outcome::Proven);
}

#[test]
fn a_node_whose_endpoints_changed_since_still_runs_the_revision_that_control_gave_it() {
    let now = Instant::now();
    let mut fleet = fleet();
    let given = Version {
        root: [9; 32].into(),
        ..version(2)
    };
    let runs = SessionState {
        running: Some(given),
        ..state(2, 2)
    };
    fleet.observe(&name("n1"), 1, runs.clone(), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    fleet.observe(&name("n2"), 2, runs, now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
}

#[test]
fn a_node_proves_every_revision_that_is_waited_for_and_not_only_the_newest() {
    let now = Instant::now();
    let mut fleet = fleet();
    for revision in 3..=9 {
        fleet.committed(version(revision), &everyone());
    }
    fleet.observe(&name("n1"), 1, state(5, 9), now);
    fleet.observe(&name("n2"), 2, state(9, 9), now);
    let outcomes = |revisions: std::ops::RangeInclusive<u64>, wanted: Outcome| {
        revisions
            .into_iter()
            .all(|revision| outcome(&fleet, revision) == wanted)
    };
    assert!(outcomes(2..=5, Outcome::Proven) && outcomes(6..=9, Outcome::Pending));
    fleet.observe(&name("n1"), 1, state(9, 9), now);
    let all = (2..=9).all(|revision| outcome(&fleet, revision) == Outcome::Proven);
    assert!(all);
}

#[test]
fn after_a_restart_of_control_a_proof_waits_for_the_nodes_that_were_connected() {
    use crate::core::proof::Awaited;
    let now = Instant::now();
    let until = now + crate::core::roster::RETURN;
    let mut fleet = Fleet::default();
    fleet.remember(facts("n1", "default"), now, Some(until));
    fleet.remember(facts("n2", "default"), now, Some(until));
    fleet.remember(facts("away", "default"), now, None);
    fleet.committed(version(2), &TouchedGroups::default());
    fleet.joined(1, facts("n1", "default"), state(2, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    fleet.tick(now + std::time::Duration::from_secs(29));
    assert_eq!(outcome(&fleet, 2), Outcome::Pending);
    fleet.tick(until);
    assert_eq!(outcome(&fleet, 2), Outcome::Unproven);
    fleet.joined(2, facts("n2", "default"), state(2, 2), until);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
    // Waiting for all nodes includes those that were already away.
    let all = |fleet: &Fleet| fleet.proof(2).unwrap().outcome_with(Awaited::All);
    assert_eq!(all(&fleet), Outcome::Pending);
    fleet.forget(&name("away")).unwrap();
    assert_eq!(all(&fleet), Outcome::Proven);
}

#[test]
fn a_node_that_ran_it_and_left_proves_it_no_longer() {
    let now = Instant::now();
    let mut fleet = fleet();
    fleet.observe(&name("n1"), 1, state(2, 2), now);
    fleet.observe(&name("n2"), 2, state(2, 2), now);
    assert_eq!(outcome(&fleet, 2), Outcome::Proven);
    for (stream, node) in [(1, "n1"), (2, "n2")] {
        fleet.left(&name(node), stream, memory());
    }
    assert_eq!(outcome(&fleet, 2), Outcome::Unproven);
    assert_eq!(fleet.proof(2).unwrap().nodes()[&name("n1")].name(), "away");
}

#[test]
fn a_large_fleet_has_fewer_revisions_followed() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    for number in 0..30_000 {
        fleet.remember(facts(&format!("n{number}"), "default"), now, None);
    }
    for revision in 1..=20 {
        fleet.committed(version(revision), &everyone());
    }
    let followed = (1..=20).filter(|revision| fleet.proof(*revision).is_some());
    assert_eq!(followed.collect::<Vec<_>>(), (15..=20).collect::<Vec<_>>());
}
